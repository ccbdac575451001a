"""What images were made of, side by side: what was given along, and the image they started from."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from generator.models import GivenReference, ImageAsset, ReferenceImage
from generator.models.references import Purpose


@dataclass(frozen=True, slots=True)
class Source:
    """An image that another one was made of, with what it was there for.

    One of the library has its `asset`, an uploaded one its `reference`; neither has one that was
    deleted since. `same` is equal for equal pictures.
    """

    words: str
    same: str
    asset: ImageAsset | None = None
    reference: ReferenceImage | None = None

    @property
    def is_in_trash(self) -> bool:
        """Whether it is not to be seen for now."""
        return self.asset is not None and self.asset.trashed_at is not None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One line of the facts, a cell of pictures for each image."""

    label: str
    cells: tuple[tuple[Source, ...], ...]

    @property
    def differs(self) -> bool:
        """Whether not all of them are the same."""
        return len({tuple((one.words, one.same) for one in cell) for cell in self.cells}) > 1


def sources(images: Sequence[ImageAsset]) -> list[SourceRow]:
    """What was given along and what each was made from; a line that says nothing is left out."""
    rows = [SourceRow("Given along", _given(images)), SourceRow("Made from", _starts(images))]
    return [row for row in rows if any(row.cells)]


def _given(images: Sequence[ImageAsset]) -> tuple[tuple[Source, ...], ...]:
    uses = GivenReference.objects.filter(generation__in=[image.generation_id for image in images])
    found: dict[uuid.UUID, list[Source]] = {}
    for use in uses.select_related("reference__asset").order_by("purpose", "position"):
        found.setdefault(use.generation_id, []).append(_along(use))
    return tuple(tuple(found.get(image.generation_id, ())) for image in images)


def _along(use: GivenReference) -> Source:
    one = use.reference
    words = use.get_purpose_display().capitalize()
    if use.purpose == Purpose.MASK:
        words += ": white changes"
    # One author's row for an image of the library is not another's: the bytes tell.
    return Source(words, one.digest, asset=one.asset, reference=one if one.file else None)


def _starts(images: Sequence[ImageAsset]) -> tuple[tuple[Source, ...], ...]:
    parents = {image.generation.parent_id for image in images if image.generation.parent_id}
    rows = ImageAsset.objects.filter(generation__in=parents, team=images[0].team_id)
    there = {(row.generation_id, row.position): row for row in rows.select_related("generation")}
    return tuple(_start(image, there) for image in images)


def _start(image: ImageAsset, there: dict[tuple[uuid.UUID, int], ImageAsset]) -> tuple[Source, ...]:
    parent, position = image.generation.parent_id, image.generation.parent_position or 0
    if parent is None:
        return ()
    return (Source("", f"{parent} {position}", asset=there.get((parent, position))),)
