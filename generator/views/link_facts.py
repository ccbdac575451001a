"""What pages say of sharing links: what each shows, how it stands, who came, and what they said."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, Subquery, UUIDField
from django.http import HttpRequest
from django.urls import reverse

from generator.errors import SecretLost
from generator.models import (
    Audience,
    Collected,
    ImageAsset,
    Membership,
    SharedImage,
    ShareLink,
    ShareNote,
    SharePick,
    ShareVisit,
)
from generator.models.sharing import ShareLinkQuerySet
from generator.sharing import making, secrets
from generator.sharing.standing import Standing, standing
from generator.templatetags.studio import number
from generator.views.cursor import LineCursor

LINKS = 30  # a page
VISITS = 50  # lines of the log a page
NOTES = 50
PICKED = 60  # images at most


_TONES = {"open": "good", "used up": "warn", "closed": "bad"}


@dataclass(frozen=True, slots=True)
class Row:
    """A link as pages show it. `address` is its secret one, empty once it is revoked or where the
    server's key has changed; `cover` the key of an image that it shows, None if none is left."""

    link: ShareLink
    address: str
    what: str
    state: Standing
    cover: UUID | None

    @property
    def title(self) -> str:
        """What it is called, or what it shows."""
        return self.link.title or self.what

    @property
    def tone(self) -> str:
        """Of the badge that says how it stands."""
        return _TONES.get(self.state.kind, "")

    @property
    def views(self) -> str:
        """How often it was opened, and how often it may be."""
        link = self.link
        return number(link.views) + (f" of {number(link.most_views)}" if link.most_views else "")

    @property
    def is_of_members(self) -> bool:
        """Whether only members may open it."""
        return self.link.audience == Audience.MEMBERS


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of links; `earlier` is where the next begins."""

    rows: Sequence[Row]
    earlier: LineCursor | None


def rows(request: HttpRequest, membership: Membership, *, before: LineCursor | None) -> Rows:
    """The links that a member steers, newest first."""
    links = making.steered_by(membership)
    if before:
        links = links.filter(created_at__lte=before.created_at).filter(
            Q(created_at__lt=before.created_at) | Q(pk__lt=before.pk)
        )
    found = list(_with_facts(links).order_by("-created_at", "-pk")[: LINKS + 1])
    shown = found[:LINKS]
    last = shown[-1] if len(found) > LINKS else None
    return Rows(
        [_row(request, link) for link in shown],
        LineCursor(last.created_at, last.pk) if last else None,
    )


def row(request: HttpRequest, membership: Membership, pk: int) -> Row | None:
    """One link; None where this member steers none such."""
    link = _with_facts(making.steered_by(membership).filter(pk=pk)).first()
    return _row(request, link) if link else None


@dataclass(frozen=True, slots=True)
class Log:
    """A page of who came; `earlier` is where the next begins."""

    visits: Sequence[ShareVisit]
    earlier: LineCursor | None


def log(link: ShareLink, *, before: LineCursor | None) -> Log:
    """Who came, newest first."""
    visits = link.visits.order_by("-at", "-pk")
    if before:
        visits = visits.filter(at__lte=before.created_at).filter(
            Q(at__lt=before.created_at) | Q(pk__lt=before.pk)
        )
    found = list(visits[: VISITS + 1])
    last = found[VISITS - 1] if len(found) > VISITS else None
    return Log(found[:VISITS], LineCursor(last.at, last.pk) if last else None)


def picked(link: ShareLink) -> list[tuple[ImageAsset, int]]:
    """The images that most visitors picked, each with how many did."""
    counts = (
        SharePick.objects.filter(link=link, image__trashed_at=None)
        .values("image")
        .annotate(visitors=Count("pk"))
        .order_by("-visitors", "image")[:PICKED]
    )
    visitors = {row["image"]: row["visitors"] for row in counts}
    images = ImageAsset.objects.kept().select_related("generation").in_bulk(list(visitors))
    return [(images[pk], count) for pk, count in visitors.items() if pk in images]


def notes(link: ShareLink, *, before: int | None) -> tuple[list[ShareNote], int | None]:
    """What visitors wrote, newest first, and the key where the next page begins."""
    found = link.notes.order_by("-pk")
    kept = list((found.filter(pk__lt=before) if before else found)[: NOTES + 1])
    return kept[:NOTES], kept[NOTES - 1].pk if len(kept) > NOTES else None


def _with_facts(links: ShareLinkQuerySet) -> ShareLinkQuerySet:
    """With a cover and how many images were shared, in the same statement.

    The number is one more than the last position: counting would read every row.
    """
    shared = SharedImage.objects.filter(link=OuterRef("pk"))
    first = shared.filter(image__trashed_at=None).order_by("position")
    newest = Collected.objects.filter(
        collection=OuterRef("collection"), image__trashed_at=None
    ).order_by("-place")
    return links.select_related("team", "author", "collection").annotate(
        first=Subquery(first.values("image")[:1], output_field=UUIDField()),
        newest=Subquery(newest.values("image")[:1], output_field=UUIDField()),
        images=Subquery(shared.order_by("-position").values(count=F("position") + 1)[:1]),
    )


def _row(request: HttpRequest, link: ShareLink) -> Row:
    """Of a link with its facts."""
    first, newest = getattr(link, "first", None), getattr(link, "newest", None)
    count = getattr(link, "images", None) or 0
    what = "1 image" if count == 1 else f"{number(count)} images"
    if link.collection:
        what = f"“{link.collection.name}” as it grows"
    return Row(link, _address(request, link), what, standing(link), first or newest)


def _address(request: HttpRequest, link: ShareLink) -> str:
    if link.revoked_at:
        return ""
    try:
        return request.build_absolute_uri(reverse("shared", args=[secrets.secret_of(link)]))
    except SecretLost:
        return ""
