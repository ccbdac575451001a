"""What visitors of a sharing link said: their notes, and the images that each of them picked."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber

from generator.models import ImageAsset, SharedImage, ShareLink, ShareNote, SharePick

NOTES = 30  # a page
SILENT = 30  # visitors without a note
PICKED = 60  # images at most
OF_ONE = 12  # images of one visitor


@dataclass(frozen=True, slots=True)
class Pick:
    """An image that was picked. `number` is its place in the link, from 1; empty in a collection
    that grows. `visitors` is how many picked it."""

    image: ImageAsset
    number: str
    visitors: int = 1


@dataclass(frozen=True, slots=True)
class Voice:
    """One visitor: their note, None without one, the first of their picks, and how many more."""

    note: ShareNote | None
    picks: Sequence[Pick]
    rest: int


@dataclass(frozen=True, slots=True)
class Replies:
    """What visitors said: most picked first; who wrote, newest first, with the key where the next
    page of them begins; and who only picked. `more_silent` says that there are more of those."""

    picked: Sequence[Pick]
    notes: Sequence[Voice]
    earlier: int | None
    silent: Sequence[Voice]
    more_silent: bool

    def __bool__(self) -> bool:
        return bool(self.picked or self.notes)


def replies(link: ShareLink, *, before: int | None) -> Replies:
    """All of it; of a link that was asked for further back, its earlier notes."""
    found = link.notes.order_by("-pk")
    notes = list((found.filter(pk__lt=before) if before else found)[: NOTES + 1])
    silent = _silent(link)
    shown = [note.visitor for note in notes[:NOTES]]
    picks, counts = _picks(link, [*shown, *silent[:SILENT]])

    def voice(visitor: UUID, note: ShareNote | None = None) -> Voice:
        return Voice(note, picks[visitor], counts.get(visitor, 0) - len(picks[visitor]))

    return Replies(
        picked=_picked(link),
        notes=[voice(note.visitor, note) for note in notes[:NOTES]],
        earlier=notes[NOTES - 1].pk if len(notes) > NOTES else None,
        silent=[voice(visitor) for visitor in silent[:SILENT]],
        more_silent=len(silent) > SILENT,
    )


def _picked(link: ShareLink) -> list[Pick]:
    counts = (
        SharePick.objects.filter(link=link, image__trashed_at=None)
        .values("image")
        .annotate(visitors=Count("pk"))
        .order_by("-visitors", "image")[:PICKED]
    )
    visitors = {row["image"]: row["visitors"] for row in counts}
    shared = SharedImage.objects.filter(link=link, image__in=list(visitors))
    places = dict(shared.values_list("image", "position"))
    images = ImageAsset.objects.kept().select_related("generation").in_bulk(list(visitors))
    return [
        Pick(images[pk], _number(places.get(pk)), count)
        for pk, count in visitors.items()
        if pk in images
    ]


def _silent(link: ShareLink) -> list[UUID]:
    """Who picked and wrote nothing, the last first."""
    wrote = ShareNote.objects.filter(link=link, visitor=OuterRef("visitor"))
    rows = (
        SharePick.objects.filter(~Exists(wrote), link=link, image__trashed_at=None)
        .values("visitor")
        .annotate(last=Max("at"))
        .order_by("-last", "visitor")
    )
    return [row["visitor"] for row in rows[: SILENT + 1]]


def _picks(
    link: ShareLink, visitors: Collection[UUID]
) -> tuple[dict[UUID, list[Pick]], dict[UUID, int]]:
    """The first picks of each of these, and how many each has."""
    place = SharedImage.objects.filter(link=link.pk, image=OuterRef("image")).values("position")
    rows = (
        SharePick.objects.filter(Q(visitor__in=visitors), link=link, image__trashed_at=None)
        .annotate(
            nth=Window(RowNumber(), partition_by=F("visitor"), order_by=["at", "pk"]),
            of=Window(Count("pk"), partition_by=F("visitor")),
            position=Subquery(place[:1]),
        )
        .filter(nth__lte=OF_ONE)
        .select_related("image__generation")
        .order_by("at", "pk")
    )
    picks: dict[UUID, list[Pick]] = defaultdict(list)
    counts: dict[UUID, int] = {}
    for row in rows:
        picks[row.visitor].append(Pick(row.image, _number(row.position)))
        counts[row.visitor] = row.of
    return picks, counts


def _number(position: int | None) -> str:
    return "" if position is None else str(position + 1)
