"""What pages say of sharing links: what each shows, how it stands, and who came."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery, UUIDField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import Truncator

from generator import audit, names
from generator.errors import SecretLost
from generator.models import (
    Audience,
    Collected,
    ImageAsset,
    Membership,
    SharedImage,
    ShareLink,
    ShareVisit,
    User,
)
from generator.models.sharing import ShareLinkQuerySet
from generator.sharing import coming, making, secrets
from generator.sharing.standing import Standing, standing
from generator.templatetags.studio import number
from generator.views.cursor import LineCursor

LINKS = 30  # a page
VISITS = 50  # lines of the log a page
TRASHED = 1000  # images that are looked at
_WORDS = 60  # characters of a prompt

_TONES = {"open": "good", "shut": "warn", "used up": "warn", "closed": "bad"}


@dataclass(frozen=True, slots=True)
class Row:
    """A link as pages show it. `address` is its secret one, empty once it is revoked or where the
    server's key has changed; `cover` the key of an image that it shows, None if none is left;
    `words` the start of that image's prompt, empty for a collection that grows."""

    link: ShareLink
    address: str
    what: str
    state: Standing
    cover: UUID | None
    words: str

    @property
    def title(self) -> str:
        """What it is called, or what it shows, and the start of the first prompt."""
        if self.link.title or not self.words:
            return self.link.title or self.what
        return f"{self.what}: {self.words}"

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
        _rows(request, membership, shown),
        LineCursor(last.created_at, last.pk) if last else None,
    )


def row(request: HttpRequest, membership: Membership, pk: int) -> Row | None:
    """One link; None where this member steers none such."""
    found = _with_facts(making.steered_by(membership).filter(pk=pk))
    return next(iter(_rows(request, membership, list(found))), None)


def maker(membership: Membership, link: ShareLink) -> str:
    """Who made a link that is another's by now, as the member is told; else "", also where nobody
    knows."""
    made_by = audit.who_made(link)
    if made_by is None or made_by.pk == link.author_id:
        return ""
    return _named(membership, {link.pk: made_by}, me=made_by.shown_name)[link.pk]


@dataclass(frozen=True, slots=True)
class Log:
    """A page of who came; `earlier` is where the next begins. `is_cut` says, at the end, that there
    were lines before which are not kept."""

    visits: Sequence[ShareVisit]
    earlier: LineCursor | None
    is_cut: bool


def log(link: ShareLink, *, before: LineCursor | None) -> Log:
    """Who came, newest first."""
    visits = link.visits.order_by("-at", "-pk")
    if before:
        visits = visits.filter(at__lte=before.created_at).filter(
            Q(at__lt=before.created_at) | Q(pk__lt=before.pk)
        )
    found = list(visits[: VISITS + 1])
    last = found[VISITS - 1] if len(found) > VISITS else None
    return Log(
        found[:VISITS],
        LineCursor(last.at, last.pk) if last else None,
        is_cut=last is None and link.visits.count() >= coming.MOST_LINES,  # never many more
    )


def in_the_trash(link: ShareLink) -> int:
    """How many of its images are in the trash now, and so not shown: TRASHED at most, of a
    collection among those last put there."""
    if link.collection_id is None:
        rows = SharedImage.objects.filter(link=link, image__trashed_at__isnull=False)
        return int(rows[:TRASHED].count())
    last = ImageAsset.objects.trashed().filter(team=link.team_id).order_by("-trashed_at", "-place")
    held = Collected.objects.filter(collection=link.collection_id, image__in=last[:TRASHED])
    return int(held.count())


def _with_facts(links: ShareLinkQuerySet) -> ShareLinkQuerySet:
    """With a cover and how many images were shared, in the same statement.

    The number is one more than the last position: counting would read every row.
    """
    shared = SharedImage.objects.filter(link=OuterRef("pk"))
    first = shared.filter(image__trashed_at=None).order_by("position")
    newest = Collected.objects.filter(
        collection=OuterRef("collection"), image__trashed_at=None
    ).order_by("-place")
    return (
        links.with_role()
        .select_related("team", "author", "collection")
        .annotate(
            first=Subquery(first.values("image")[:1], output_field=UUIDField()),
            prompt=Subquery(first.values("image__generation__prompt")[:1]),
            newest=Subquery(newest.values("image")[:1], output_field=UUIDField()),
            images=Subquery(shared.order_by("-position").values(count=F("position") + 1)[:1]),
        )
    )


def _rows(request: HttpRequest, membership: Membership, links: Sequence[ShareLink]) -> list[Row]:
    """Of links with their facts."""
    revoked_by = _revoked_by(membership, [link for link in links if link.revoked_at])
    shut = coming.shut_for(links)
    return [
        _row(
            request,
            link,
            standing(link, revoked_by=revoked_by.get(link.pk, ""), shut_for=shut.get(link.pk, 0)),
        )
        for link in links
    ]


def _revoked_by(membership: Membership, links: Sequence[ShareLink]) -> dict[int, str]:
    """Who revoked each of these, as the member is told; staff of the studio have no names here."""
    if not links:
        return {}
    people = audit.who_set(ShareLink, [link.pk for link in links], "revoked_at")
    return _named(membership, people, me="you")


def _named(membership: Membership, people: dict[int, User], *, me: str) -> dict[int, str]:
    here = set(
        Membership.objects.filter(
            team=membership.team_id, user__in={person.pk for person in people.values()}
        ).values_list("user", flat=True)
    )

    def named(person: User) -> str:
        if person.pk == membership.user_id:
            return me
        is_staff = person.is_staff or person.is_superuser
        return "an administrator" if is_staff and person.pk not in here else person.shown_name

    return {key: named(person) for key, person in people.items()}


def _row(request: HttpRequest, link: ShareLink, state: Standing) -> Row:
    first, newest = getattr(link, "first", None), getattr(link, "newest", None)
    count = getattr(link, "images", None) or 0
    what = "1 image" if count == 1 else f"{number(count)} images"
    if link.collection:
        what = f"“{link.collection.name}” as it grows"
    words = Truncator(names.clean(getattr(link, "prompt", None) or "")).chars(_WORDS)
    return Row(link, _address(request, link), what, state, first or newest, words)


def _address(request: HttpRequest, link: ShareLink) -> str:
    if link.revoked_at:
        return ""
    try:
        return request.build_absolute_uri(reverse("shared", args=[secrets.secret_of(link)]))
    except SecretLost:
        return ""
