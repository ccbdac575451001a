"""What somebody looks for in a library, and the images that answer it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import QueryDict

from generator.library import read_place
from generator.library.searching import Term, everywhere
from generator.library.spans import LAST, Span
from generator.library.walking import Found, Wanted, find, find_further
from generator.models import Action, Collected, Favourite, ImageAsset, Tagging, Team, User
from generator.models.assets import ImageAssetQuerySet, Shape, place_of_moment
from generator.models.words import fact
from generator.search_words import search_words

PAGE = 60  # images
MOST_NEWER = 100  # that are counted
MOST_ROUNDS = 2  # of looking further while a page is empty
LONGEST_SEARCH = 500  # characters that are read
MOST_LOOKED_FOR = 60  # words that count
MOST_VALUES = 50  # of one filter
YEARS = range(1971, 2262)  # that days may be of: no place is of a later moment


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
            authors=_several(n for n in map(read_place, data.getlist("author")) if n),
            since=_day(data.get("since", "")),
            until=_day(data.get("until", "")),
            kinds=_several(kind for kind in data.getlist("kind") if kind in Action.values),
            shapes=_several(shape for shape in data.getlist("shape") if shape in Shape.values),
            favourites=data.get("favourites") == "1",
            collection=read_place(data.get("collection", "")),
            tag=read_place(data.get("tag", "")),
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
    def leaves_words_out(self) -> bool:
        """Whether there are more words than count."""
        return len(search_words(self.words)) > MOST_LOOKED_FOR

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
    """Every kept image of the team that answers the look, newest first.

    For going through all of them; a page is found faster by `page`.
    """
    if look.says_nothing:
        return ImageAsset.objects.none()
    wanted = _wanted(team, user, look)
    facts = {f"{name}__in": values for name, values in wanted.facts.items()}
    found = ImageAsset.objects.kept().filter(team=team, **facts)
    if wanted.has_words:
        found = found.filter(place__in=everywhere(wanted.terms))
    for tie in wanted.ties:
        found = found.filter(pk__in=tie.values("image"))
    return _span(team, look).of(found)


def page(
    team: Team, user: User, look: Look, *, before: int | None = None, size: int = PAGE
) -> Page:
    """The newest images that answer the look, or those that come after the place `before`.

    Time is bounded: where what is looked for is rare and no index knows it, a page may hold fewer
    images than `size`, even none, although `earlier` says that there is more to look through.
    """
    if look.says_nothing:
        return Page([], None)
    span = _span(team, look)
    span = span if before is None else span.below(before)
    found = _find_on(_wanted(team, user, look), span, size + 1)
    rows = _at(team, found.places[:size])
    if len(found.places) > size:
        return Page(rows, found.places[size - 1])
    return Page(rows, found.stopped)


def newer(team: Team, user: User, look: Look, *, after: int) -> int:
    """How many have come since the place `after`, at most MOST_NEWER."""
    if look.says_nothing:
        return 0
    span = _span(team, look).above(after)
    return len(find(_wanted(team, user, look), span, MOST_NEWER).places)


def neighbours(
    team: Team, user: User, look: Look, image: ImageAsset
) -> tuple[ImageAsset | None, ImageAsset | None]:
    """The next newer and the next older image that answer the look."""
    if look.says_nothing:
        return None, None
    wanted, span = _wanted(team, user, look), _span(team, look)
    after = _find_on(wanted, span.above(image.place).upwards(), 1).places
    before = _find_on(wanted, span.below(image.place), 1).places
    found = {one.place: one for one in _at(team, [*after, *before])}
    return (
        found.get(after[0]) if after else None,
        found.get(before[0]) if before else None,
    )


def _find_on(wanted: Wanted, span: Span, most: int) -> Found:
    """Go on from where looking stopped while nothing is found, MOST_ROUNDS in all."""
    found = find(wanted, span, most)
    for _ in range(MOST_ROUNDS - 1):
        if found.places or found.stopped is None:
            break
        found = find_further(wanted, span.behind(found.stopped), most)
    return found


def _wanted(team: Team, user: User, look: Look) -> Wanted:
    asked = {
        "author": look.authors, "wire_model": look.models,
        "kind": look.kinds, "shape": look.shapes,
    }  # fmt: skip
    facts = {name: values for name, values in asked.items() if values}
    names = {"wire_model": "model"}
    terms = [Term((fact("team", team.pk),))]
    for name, values in facts.items():
        terms.append(Term(tuple(fact(names.get(name, name), value) for value in values)))
    terms += [Term((word,), begins=True) for word in look.search]
    return Wanted(team, facts, terms, _ties(team, user, look), has_words=bool(look.search))


def _ties(team: Team, user: User, look: Look) -> list[QuerySet[Any]]:
    ties: list[QuerySet[Any]] = []
    if look.tag:
        ties.append(Tagging.objects.filter(tag=look.tag, tag__team=team))
    if look.collection:
        ties.append(Collected.objects.filter(collection=look.collection, collection__team=team))
    if look.favourites:
        ties.append(Favourite.objects.filter(user=user, team=team))
    return ties


def _span(team: Team, look: Look) -> Span:
    low = _place(look.since, team) if look.since else 0
    return Span(low, _place(look.until + timedelta(days=1), team) if look.until else LAST)


def _place(day: date, team: Team) -> int:
    """The first place of a day, no higher than a database's integers go."""
    return min(place_of_moment(datetime.combine(day, time(), ZoneInfo(team.time_zone))), LAST)


def _at(team: Team, places: list[int]) -> list[ImageAsset]:
    """The kept images at these places, in their order."""
    there = ImageAsset.objects.kept().filter(team=team, place__in=places)
    found = {image.place: image for image in there.select_related("generation")}
    return [found[place] for place in places if place in found]


def _several[T: (str, int)](values: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(set(values)))[:MOST_VALUES]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day and day.year in YEARS else None
