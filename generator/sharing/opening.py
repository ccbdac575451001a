"""What a sharing link shows now: its images in their order, by the keys that its pages know."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from generator.models import Collected, ImageAsset, Membership, SharedImage, ShareLink
from generator.models.sharing import Audience
from generator.sharing.secrets import digest_of

PAGE = 60  # images


@dataclass(frozen=True, slots=True)
class Shown:
    """An image by the key that the link's pages call it by; no other link knows this key. `number`
    is its place among what was shared, from 1; None in a collection that grows."""

    key: int
    image: ImageAsset
    number: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a link's images, and the key after which there are more, None at the end."""

    images: list[Shown]
    after: int | None


def opened(secret: str, *, user: int | None, now: datetime, is_in: bool) -> ShareLink | None:
    """The link, if this person (None: nobody signed in) may open it now; else None, whatever the
    reason: all of them are one question to the database.

    `is_in` says that the visitor was let in less than a visit ago: views used up do not matter.
    """
    member = Membership.objects.filter(
        team=OuterRef("team"), user=user or 0, user__is_active=True
    )  # nobody's key is nought
    links = ShareLink.objects.open(now) if is_in else ShareLink.objects.open(now).with_room()
    return (
        links.filter(Q(audience=Audience.ANYONE) | Exists(member), digest=digest_of(secret))
        .select_related("team__personal_of")
        .first()
    )


def count_view(link: ShareLink, now: datetime) -> bool:
    """Count a visit; False where it would be one too many. Exact, however many come at once."""
    counted = ShareLink.objects.filter(pk=link.pk).with_room()
    return bool(counted.update(views=F("views") + 1, last_opened_at=now))


def count(link: ShareLink, most: int) -> int:
    """How many images it shows, counted no further than `most`."""
    # In the link's order, and so by the index of its own rows: without one, SQLite may walk the
    # images of the whole team to find those of a small collection.
    return int(_rows(link)[:most].count())


def page(link: ShareLink, *, after: int | None = None, size: int = PAGE) -> Page:
    """The images behind this key (of an image that may have gone since), from the first on."""
    rows = list(_behind(link, after)[: size + 1])
    more = rows[size - 1].pk if len(rows) > size else None
    return Page(_shown(rows[:size]), more)


def one(link: ShareLink, key: int) -> Shown | None:
    """The image of this key, if the link still shows it."""
    return next(iter(_shown(_rows(link).filter(pk=key)[:1])), None)


def beside(link: ShareLink, key: int) -> tuple[int | None, int | None]:
    """The keys of the images before and behind it, None at either end."""
    before = _before(link, key).values_list("pk", flat=True).first()
    behind = _behind(link, key).values_list("pk", flat=True).first()
    return before, behind


def page_of(link: ShareLink, key: int, *, near: int | None) -> int | None:
    """The key behind which a page begins that has this image: `near`, where somebody comes from, or
    the first if they do, else the one right before it."""
    for after in dict.fromkeys((near, None)):
        if key in _behind(link, after).values_list("pk", flat=True)[:PAGE]:
            return after
    return beside(link, key)[0]


# A link has rows of its own, or those of a collection; both have a key and tie an image.
type _Rows = QuerySet[Any]


def _rows(link: ShareLink) -> _Rows:
    rows: _Rows = (
        SharedImage.objects.filter(link=link.pk)
        if link.collection_id is None
        else Collected.objects.filter(collection=link.collection_id)
    )
    kept = rows.filter(image__trashed_at=None, image__team=link.team_id)
    return kept.select_related("image__generation").order_by(*_order(link))


def _order(link: ShareLink) -> tuple[str, str]:
    return ("position", "pk") if link.collection_id is None else ("-place", "-pk")


def _behind(link: ShareLink, key: int | None) -> _Rows:
    at = _standing(link, key)
    if at is None:
        return _rows(link)
    if link.collection_id is None:
        return _rows(link).filter(Q(position__gt=at) | Q(position=at, pk__gt=key))
    return _rows(link).filter(place__lt=at)


def _before(link: ShareLink, key: int) -> _Rows:
    at = _standing(link, key)
    if at is None:
        return _rows(link).none()
    if link.collection_id is None:
        rows = _rows(link).filter(Q(position__lt=at) | Q(position=at, pk__lt=key))
    else:
        rows = _rows(link).filter(place__gt=at)
    return rows.reverse()


def _standing(link: ShareLink, key: int | None) -> int | None:
    """Where a key stands in the link's order, also if its image has gone; None if it has none."""
    if key is None:
        return None
    if link.collection_id is None:
        mine = SharedImage.objects.filter(link=link.pk, pk=key)
        return mine.values_list("position", flat=True).first()
    theirs = Collected.objects.filter(collection=link.collection_id, pk=key)
    return theirs.values_list("place", flat=True).first()


def _shown(rows: Iterable[Any]) -> list[Shown]:
    return [Shown(row.pk, row.image, _number(row)) for row in rows]


def _number(row: SharedImage | Collected) -> int | None:
    return row.position + 1 if isinstance(row, SharedImage) else None
