"""The filters over the library: what each offers, what is on, and how it is taken off."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import formats
from django.utils.text import capfirst

from generator.forms.doing import DONE_WORDS
from generator.library.looking import Look
from generator.models import Action, CatalogueEntry, Collection, ImageAsset, Tag, Team, User
from generator.models.assets import Shape
from generator.models.library import NamedQuerySet

MOST_LISTED = 300  # of one kind in its sheet; who has more finds them on their page
KINDS = [kind for kind in Action if kind != Action.DESCRIBE]  # its answer is no image
NOTHING = Look()


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: its name in the address, and what can be chosen."""

    name: str
    title: str
    choices: list[Choice]
    several: bool
    said: str  # what is on, in words; empty for nothing
    without: str  # the query of the address with this filter off
    is_cut: bool  # whether there is more to choose than is listed


@dataclass(frozen=True, slots=True)
class Quick:
    """A stretch of days up to today, by its name."""

    label: str
    since: str
    query: str


def filters_of(team: Team, look: Look) -> list[Filter]:
    """The filters that offer choices, in the order of the page."""
    shapes = [(shape.value, capfirst(str(shape.label))) for shape in Shape]
    kinds = [(kind.value, DONE_WORDS[kind]) for kind in KINDS]
    return [
        _filter("model", "Model", _models(team), look.models, replace(look, models=())),
        _filter("author", "Author", _authors(team), look.authors, replace(look, authors=())),
        _filter("kind", "Kind", kinds, look.kinds, replace(look, kinds=())),
        _filter("shape", "Shape", shapes, look.shapes, replace(look, shapes=())),
        *sets_of(team, look),
    ]  # fmt: skip


def sets_of(team: Team, look: Look) -> list[Filter]:
    """The filters by what the team has sorted, which grow while somebody sorts."""
    collections, tags = Collection.objects.filter(team=team), Tag.objects.filter(team=team)
    return [
        _set(
            "collection", "Collection", collections, look.collection,
            replace(look, collection=None),
        ),
        _set("tag", "Tag", tags, look.tag, replace(look, tag=None)),
    ]  # fmt: skip


def quick_days(team: Team, look: Look) -> list[Quick]:
    """What is asked for most often of the date filter."""
    today = team.today()
    starts = (
        ("Today", today),
        ("Last 7 days", today - timedelta(days=6)),
        ("Last 30 days", today - timedelta(days=29)),
        ("This year", today.replace(month=1, day=1)),
    )
    return [
        Quick(label, start.isoformat(), replace(look, since=start, until=None).query)
        for label, start in starts
    ]


def days_said(look: Look) -> str:
    """`Since 14 November`, `Until 3 May 2025`, `3 May to 14 November`; empty for every day."""
    match look.since, look.until:
        case None, None:
            return ""
        case since, None if since:
            return f"Since {_day(since)}"
        case None, until if until:
            return f"Until {_day(until)}"
        case since, until if since == until:
            return _day(since) if since else ""
        case since, until:
            return f"{_day(since)} to {_day(until)}" if since and until else ""


def _set(
    name: str, title: str, rows: NamedQuerySet[Any], chosen: int | None, without: Look
) -> Filter:
    """The first by name, and the one that is on."""
    found = list(rows.by_name().values_list("pk", "name")[: MOST_LISTED + 1])
    listed, is_cut = found[:MOST_LISTED], len(found) > MOST_LISTED
    if chosen and chosen not in dict(listed):
        listed += rows.filter(pk=chosen).values_list("pk", "name")
    options = [(str(pk), label) for pk, label in listed]
    return _filter(name, title, options, (chosen,), without, several=False, is_cut=is_cut)


def _models(team: Team) -> list[tuple[str, str]]:
    # A probe of the index for each model of the catalogue, never a walk over the images.
    made = ImageAsset.objects.kept().filter(team=team, wire_model=OuterRef("wire_model"))
    rows = CatalogueEntry.objects.filter(Exists(made)).order_by("label")
    return list(rows.values_list("wire_model", "label"))


def _authors(team: Team) -> list[tuple[str, str]]:
    # Whoever made something has an account of credits there, though they may have left.
    made = ImageAsset.objects.kept().filter(team=team, author=OuterRef("pk"))
    rows = User.objects.filter(Exists(made), accounts__team=team)
    names = sorted((user.shown_name, str(user.pk)) for user in rows)
    return [(pk, name) for name, pk in names]


def _filter(
    name: str, title: str, options: Iterable[tuple[str, str]],
    chosen: Iterable[object], without: Look, *, several: bool = True, is_cut: bool = False,
) -> Filter:  # fmt: skip
    on = {str(value) for value in chosen if value is not None}
    choices = [Choice(value, label, value in on) for value, label in options]
    known = [choice.label for choice in choices if choice.chosen]
    # What is on and not listed (a model nobody used yet) can still be taken off.
    choices += [Choice(value, value, True) for value in sorted(on - {c.value for c in choices})]
    return Filter(name, title, choices, several, _said(known, len(on)), without.query, is_cut)


def _said(labels: list[str], count: int) -> str:
    if not count:
        return ""
    shown = ", ".join(labels[:2]) or f"{count} chosen"
    return f"{shown} and {count - 2} more" if labels and count > 2 else shown


def _day(day: date) -> str:
    return formats.date_format(day, "j F" if day.year == date.today().year else "j F Y")
