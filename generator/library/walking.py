"""The places of the images that answer a look, some at a time, in bounded time.

A library may hold millions of images. What no index gives in order is found by two ways: the
newest images are walked and looked at one by one, which soon fills a page with what is common; and
the full-text index is asked, which is quick for what is rare. Where it would have to list too
many, more images are walked, and a page ends early. Tags, collections and favourites
have an order of their own to walk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet

from generator.library.searching import Term, all_of, hits, question
from generator.library.spans import Span
from generator.models import ImageAsset, ImageWords, Team

WALKED = (2000, 20_000)  # images that are looked at, first and then
MOST_HITS = 4000  # of the full-text index, at once


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an image must be: the facts of its row, the terms that say the same and the words
    besides, and the sets it must be in."""

    team: Team
    facts: dict[str, Any]
    terms: Sequence[Term]
    ties: Sequence[QuerySet[Any]]
    has_words: bool

    @property
    def has_an_index(self) -> bool:
        """Whether one index of the table has all that is wanted in the order of the library."""
        single = [values for values in self.facts.values() if len(values) == 1]
        return not self.ties and not self.has_words and len(single) == len(self.facts) < 2


@dataclass(frozen=True, slots=True)
class Found:
    """Places in the order of their span, and the last one looked at if there is more to see."""

    places: list[int]
    stopped: int | None = None


def find(wanted: Wanted, span: Span, most: int) -> Found:
    """The first places of a span that hold what is wanted."""
    if wanted.has_an_index:
        return Found(_kept(wanted, span, most))
    walk = _walk_tied if wanted.ties else _walk
    walked = walk(wanted, span, most, WALKED[0])
    if walked.stopped is None:
        return walked
    rest = find_further(wanted, span.behind(walked.stopped), most - len(walked.places))
    return Found([*walked.places, *rest.places], rest.stopped)


def find_further(wanted: Wanted, span: Span, most: int) -> Found:
    """The same, of what no index has in order, where a short walk just before found too little."""
    if not wanted.ties:
        return _ask(wanted, span, most, WALKED[1]) or _walk(wanted, span, most, WALKED[1])
    # Among the hits few may be tied: asking is worth it only if it sees them all.
    asked = _ask(wanted, span, most, MOST_HITS) if len(wanted.terms) > 1 else None
    if asked and asked.stopped is None:
        return asked
    # The images of a set lie far from each other, and each takes twice as long to look at.
    return _walk_tied(wanted, span, most, WALKED[1] // 2)


def _kept(wanted: Wanted, span: Span, most: int) -> list[int]:
    exact = {name: values[0] for name, values in wanted.facts.items()}
    rows = ImageAsset.objects.kept().filter(team=wanted.team, **exact)
    return list(span.of(rows).values_list("place", flat=True)[:most])


def _walk(wanted: Wanted, span: Span, most: int, bound: int) -> Found:
    """Look at so many images one by one."""
    rows = ImageWords.objects.filter(team=wanted.team)
    last = _last_of(span.of(rows), span, bound)
    fitting = rows.filter(all_of(wanted.terms[1:]), image__trashed_at=None)
    return _taken(fitting, span, most, last)


def _walk_tied(wanted: Wanted, span: Span, most: int, bound: int) -> Found:
    """Look at so many images of the first set one by one."""
    rows, *others = wanted.ties
    last = _last_of(span.of(rows), span, bound)
    facts = {f"image__{name}__in": values for name, values in wanted.facts.items()}
    fitting = rows.filter(image__trashed_at=None, **facts)
    if wanted.has_words:
        words = [term for term in wanted.terms if term.begins]
        fitting = fitting.filter(all_of(words, "image__words__words"))
    for other in others:
        fitting = fitting.filter(Exists(other.filter(image=OuterRef("image"))))
    return _taken(fitting, span, most, last)


def _last_of(rows: QuerySet[Any], span: Span, bound: int) -> int | None:
    """The place of the row at which looking ends; None if there are fewer."""
    far = Max("place") if span.up else Min("place")
    first = rows.values("place")[:bound].aggregate(far=far, count=Count("place"))
    return first["far"] if first["count"] == bound else None


def _taken(rows: QuerySet[Any], span: Span, most: int, last: int | None) -> Found:
    near = span if last is None else span.until(last)
    places = list(near.of(rows).values_list("place", flat=True)[:most])
    return Found(places, last if len(places) < most else None)


def _ask(wanted: Wanted, span: Span, most: int, bound: int) -> Found | None:
    """Ask the full-text index, and look at so many of its hits; None if it has too many."""
    asked = question(wanted.team, wanted.terms)
    if not asked.is_quick:
        return None
    places: list[int] = []
    seen, at_once = 0, MOST_HITS if wanted.ties else most
    while len(places) < most:
        some = hits(asked, span, at_once)
        if some is None:
            return None
        places += _of_these(wanted, some, span)
        if len(some) < at_once:
            return Found(places[:most])
        seen, span = seen + len(some), span.behind(some[-1])
        at_once = MOST_HITS
        if seen >= bound and len(places) < most:
            return Found(places, some[-1])
    return Found(places[:most])


def _of_these(wanted: Wanted, places: list[int], span: Span) -> list[int]:
    """Those that are not in the trash, and in every set."""
    rows = ImageAsset.objects.kept().filter(team=wanted.team, place__in=places)
    for tie in wanted.ties:
        rows = rows.filter(Exists(tie.filter(image=OuterRef("pk"))))
    return list(rows.order_by(span.order).values_list("place", flat=True))
