"""Images that authors give along with their prompts, and the masks painted over them."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator import pictures
from generator.models.assets import ImageAsset
from generator.models.catalogue import CatalogueEntry
from generator.models.deleting import delete_files
from generator.models.generations import Generation
from generator.models.people import Team, User
from generator.models.storage import image_storage
from generator.providers.base import Button

_SHARED = ("format", "extension", "content_type", "width", "height", "size", "digest")
KEPT_UNUSED = timedelta(days=2)
MOST_UNUSED = 100  # of one person; the oldest make room


class Purpose(models.TextChoices):
    """What a reference image is there for."""

    REFERENCE = "reference", _("reference")
    STYLE = "style", _("style")
    MASK = "mask", _("mask")


def reference_key(reference: "ReferenceImage", filename: str) -> str:
    """Where the bytes lie: no word of the file's own name."""
    return f"teams/{reference.team_id}/references/{reference.pk}.{reference.extension}"


class ReferenceImageQuerySet(models.QuerySet["ReferenceImage"]):
    """Reference images, by name of the question."""

    def unused(self) -> Self:
        """Those that no generation was given."""
        return self.filter(uses=None)

    def forgotten(self, now: datetime) -> Self:
        """Those that were added long ago and never sent."""
        return self.unused().filter(created_at__lt=now - KEPT_UNUSED)

    def usable_by(self, team: Team, author: User) -> Self:
        """What an author may give along: their own, and what the team has used already; nothing
        that stands for an image in the trash."""
        seen = self.filter(Q(author=author) | Q(uses__isnull=False), team=team)
        return seen.filter(asset__trashed_at=None).distinct()

    def standing_for(self, team: Team, author: User, asset: ImageAsset) -> "ReferenceImage":
        """The reference that stands for an image of the library, not saved yet if it is new.

        No byte is copied.
        """
        there = self.filter(team=team, author=author, asset=asset).first()
        facts = {name: getattr(asset, name) for name in _SHARED}
        return there or ReferenceImage(
            team=team, author=author, asset=asset, name=asset.file_name(), **facts
        )

    def saved(self, reference: "ReferenceImage") -> "ReferenceImage":
        """The same reference, in the database for sure."""
        if not reference._state.adding:
            return reference
        facts = {name: getattr(reference, name) for name in (*_SHARED, "name")}
        found, _made = self.get_or_create(
            team=reference.team, author=reference.author, asset=reference.asset, defaults=facts
        )
        return found


class ReferenceImage(models.Model):
    """An image given along with a prompt: uploaded (`file`), or one of the library (`asset`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="reference_images")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reference_images")
    asset = models.ForeignKey(
        ImageAsset, on_delete=models.SET_NULL, null=True, related_name="as_references"
    )
    file = models.FileField(
        storage=image_storage, upload_to=reference_key, max_length=200, blank=True
    )
    is_mask = models.BooleanField(default=False)
    name = models.CharField(_("file name"), max_length=120, blank=True)
    format = models.CharField(_("format"), max_length=8)
    extension = models.CharField(max_length=5)
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField(_("bytes"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ReferenceImageQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "author", "asset"],
                condition=Q(asset__isnull=False),
                name="one_reference_an_author_for_an_image_of_the_library",
            ),
        ]
        indexes = [
            models.Index(fields=["author", "created_at"], name="references_of_an_author"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.format}, {self.width} × {self.height}"

    @property
    def token(self) -> str:
        """What a form posts for it: an image of the library needs no row before it is sent."""
        return f"image:{self.asset_id}" if self.asset_id else str(self.pk)

    @property
    def key(self) -> str:
        """Where its bytes lie in the storage; empty once the image of the library is deleted."""
        if self.file:
            return str(self.file.name)
        return str(self.asset.file.name) if self.asset else ""

    @property
    def preview_key(self) -> str:
        """Where a small copy lies; the image itself where there is none."""
        if self.file:
            return f"teams/{self.team_id}/references/{self.pk}-small.webp"
        if self.asset and self.asset.thumbnails_at:
            return self.asset.thumbnail_key("small")
        return self.key

    @property
    def ratio(self) -> int:
        """The nearest step of the style sheet's `data-ratio`."""
        return pictures.nearest_ratio(self.width, self.height)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row, and the bytes that are its own once that is sure."""
        keys = [self.key, self.preview_key] if self.file else []
        with transaction.atomic():
            gone = super().delete(*args, **kwargs)
            delete_files(keys)
        return gone


class GivenReference(models.Model):
    """One reference image of one generation: what it is there for, and which place it has."""

    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, related_name="given")
    reference = models.ForeignKey(ReferenceImage, on_delete=models.PROTECT, related_name="uses")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.REFERENCE)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["purpose", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "purpose", "position"], name="a_reference_has_its_own_place"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.position + 1}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an author asked for: a brief whose images are still rows.

    `parent_position` says which image of the parent, from 0. `button` is one of the parent's.
    """

    action: str
    prompt: str = field(repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1
    references: tuple[ReferenceImage, ...] = ()
    styles: tuple[ReferenceImage, ...] = ()
    mask: ReferenceImage | None = None
    parent: Generation | None = None
    parent_position: int | None = None
    button: Button | None = None

    @property
    def given(self) -> list[tuple[Purpose, int, ReferenceImage]]:
        """Every image of it with its purpose and its place."""
        purposes = {
            Purpose.REFERENCE: self.references,
            Purpose.STYLE: self.styles,
            Purpose.MASK: (self.mask,) if self.mask else (),
        }
        return [
            (purpose, place, one)
            for purpose, ones in purposes.items()
            for place, one in enumerate(ones)
        ]


def tokens_before(
    parent: Generation | None,
    entry: CatalogueEntry,
    action: str,
    given: Iterable[ReferenceImage] = (),
) -> int:
    """Tokens of the conversation with `parent`, which a model that remembers it takes in again
    (G1): what went in and came out then.

    Nought where it is shown an image of the parent instead, as in `briefs`, and where nobody said
    how many there were.
    """
    if parent is None or not parent.memory or parent.family != entry.family:
        return 0
    rule = entry.takes.actions.get(action)
    is_shown = any(one.asset and one.asset.generation_id == parent.pk for one in given)
    if rule is None or rule.starts_from != "memory" or is_shown:
        return 0
    said = (parent.usage.get(name) for name in ("input_tokens", "output_tokens"))
    return sum(number for number in said if isinstance(number, int) and number > 0)
