"""What somebody looks for in a library, and the images that answer it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict

from generator.models import Action, Favourite, ImageAsset, Team, User
from generator.models.assets import ImageAssetQuerySet, Shape, place_of_moment
from generator.search_words import search_words

PAGE = 60  # images
MOST_NEWER = 100  # that are counted
LONGEST_SEARCH = 500  # characters that are read
MOST_LOOKED_FOR = 20  # words that count
MOST_VALUES = 50  # of one filter


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody looks for. Days are those of the team's time zone, both included."""

    words: str = ""
    models: tuple[str, ...] = ()
    authors: tuple[int, ...] = ()
    since: date | None = None
    until: date | None = None
    kinds: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    favourites: bool = False
    collection: int | None = None
    tag: int | None = None

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """What an address asks for; whatever of it cannot be read is left out."""
        return cls(
            words=" ".join(data.get("q", "")[:LONGEST_SEARCH].replace("\0", " ").split()),
            models=_several(
                m for m in data.getlist("model") if 0 < len(m) <= 120 and "\0" not in m
            ),
            authors=_several(n for n in map(_number, data.getlist("author")) if n),
            since=_day(data.get("since", "")),
            until=_day(data.get("until", "")),
            kinds=_several(kind for kind in data.getlist("kind") if kind in Action.values),
            shapes=_several(shape for shape in data.getlist("shape") if shape in Shape.values),
            favourites=data.get("favourites") == "1",
            collection=_number(data.get("collection", "")),
            tag=_number(data.get("tag", "")),
        )

    @property
    def query(self) -> str:
        """The same as parameters of an address, without the question mark; empty for nothing."""
        asked = {
            "q": [self.words] if self.words else [],
            "model": self.models,
            "author": self.authors,
            "since": [self.since.isoformat()] if self.since else [],
            "until": [self.until.isoformat()] if self.until else [],
            "kind": self.kinds,
            "shape": self.shapes,
            "favourites": ["1"] if self.favourites else [],
            "collection": [self.collection] if self.collection else [],
            "tag": [self.tag] if self.tag else [],
        }
        return urlencode(asked, doseq=True)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for everything."""
        return not any(getattr(self, one.name) for one in fields(self))

    @property
    def search(self) -> list[str]:
        """The words that count, folded."""
        return search_words(self.words)[:MOST_LOOKED_FOR]

    @property
    def says_nothing(self) -> bool:
        """Whether something was typed in which there is no word: nothing is searched for then."""
        return bool(self.words) and not self.search


@dataclass(frozen=True, slots=True)
class Page:
    """Some images, newest first; `earlier` is the place before which the next page begins."""

    images: list[ImageAsset]
    earlier: int | None


def images(team: Team, user: User, look: Look) -> ImageAssetQuerySet:
    """Every kept image of the team that answers the look, newest first."""
    found = ImageAsset.objects.kept().filter(team=team)
    for name, values in (
        ("author__in", look.authors), ("wire_model__in", look.models),
        ("kind__in", look.kinds), ("shape__in", look.shapes),
    ):  # fmt: skip
        if values:
            found = found.filter(**{name: values})
    if look.since:
        found = found.filter(place__gte=place_of_moment(_midnight(look.since, team)))
    if look.until:
        found = found.filter(
            place__lt=place_of_moment(_midnight(look.until + timedelta(days=1), team))
        )
    if look.tag:
        found = found.filter(taggings__tag=look.tag, taggings__tag__team=team)
    if look.collection:
        found = found.filter(
            collected__collection=look.collection, collected__collection__team=team
        )
    if look.favourites:
        found = found.filter(pk__in=Favourite.objects.filter(user=user).values("image"))
    for word in look.search:
        found = found.filter(generation__prompt__icontains=word)
    return found.newest_first()


def page(
    team: Team, user: User, look: Look, *, before: int | None = None, size: int = PAGE
) -> Page:
    """The newest images that answer the look, or those that come after the place `before`."""
    found = images(team, user, look).select_related("generation")
    if before is not None:
        found = found.filter(place__lt=before)
    rows = list(found[: size + 1])
    return Page(rows[:size], rows[size - 1].place if len(rows) > size else None)


def newer(team: Team, user: User, look: Look, *, after: int) -> int:
    """How many have come since the place `after`, at most MOST_NEWER."""
    found = images(team, user, look).filter(place__gt=after)
    return len(found.values_list("place")[:MOST_NEWER])


def neighbours(
    team: Team, user: User, look: Look, image: ImageAsset
) -> tuple[ImageAsset | None, ImageAsset | None]:
    """The next newer and the next older image that answer the look."""
    found = images(team, user, look)
    newer_one = found.filter(place__gt=image.place).order_by("place").first()
    return newer_one, found.filter(place__lt=image.place).first()


def _several[T: (str, int)](values: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(set(values)))[:MOST_VALUES]


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number < 2**63 else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day and 1970 < day.year < 9999 else None


def _midnight(day: date, team: Team) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(team.time_zone))
