"""Read-only totals: what was made and what it cost, by day, model, person, team and kind.

They are sums over `UsageTotal`, a row a day, author, model and action, and so do not grow with
the lines of the ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Max, Sum

from generator.models import Action, Team, UsageTotal, User
from generator.models.usage import UsageTotalQuerySet

SUMS = ("credits", "images", "generations", "failures")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose use: of a team, of an author, of an author in a team, or (neither) of all.

    With `wire_model`, an id at the gateway, only that of this model.
    """

    team: Team | None = None
    author: User | None = None
    wire_model: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both counted."""

    first: date
    last: date

    @classmethod
    def month_of(cls, day: date) -> "Period":
        """The month that holds this day."""
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1))

    def days(self) -> Iterable[date]:
        """Each day of it, in order."""
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True)
class Row:
    """The sums of one thing: a day, a model, a person, a team, a kind; or of all (`key` None).

    `key` names it for addresses and comparing: the date, the id at the gateway, a primary key, an
    action; of two things, a pair. `label` names it for people.
    """

    key: Any
    label: str
    credits: int = 0
    images: int = 0
    generations: int = 0
    failures: int = 0

    @property
    def failure_rate(self) -> float:
        """Failures of a hundred that ended."""
        return 100 * self.failures / self.generations if self.generations else 0.0


def total(scope: Scope, period: Period) -> Row:
    """All of it together."""
    sums = _within(scope, period).aggregate(**{name: Sum(name) for name in SUMS})
    return Row(None, "", **{name: sums[name] or 0 for name in SUMS})


def people(scope: Scope, period: Period) -> int:
    """How many authors made something, or tried to."""
    return _within(scope, period).values("author").distinct().count()


def by_day(scope: Scope, period: Period) -> list[Row]:
    """Every day of the period in order, those without use as well."""
    found = {row["day"]: row for row in _sums(scope, period, "day")}
    return [_row(day, day.isoformat(), found.get(day, {})) for day in period.days()]


def by_model(scope: Scope, period: Period) -> list[Row]:
    """The dearest first; `key` is the id at the gateway."""
    rows = _sums(scope, period, "wire_model", label="label")
    return _dearest(_row(row["wire_model"], row["named"], row) for row in rows)


def by_action(scope: Scope, period: Period) -> list[Row]:
    """The dearest first; `key` is the action."""
    rows = _sums(scope, period, "action")
    return _dearest(_row(row["action"], str(Action(row["action"]).label), row) for row in rows)


def by_author(scope: Scope, period: Period) -> list[Row]:
    """The dearest first; `key` is the user's primary key."""
    rows = list(_sums(scope, period, "author"))
    people = User.objects.in_bulk({row["author"] for row in rows})
    return _dearest(_row(row["author"], people[row["author"]].shown_name, row) for row in rows)


def by_team(scope: Scope, period: Period) -> list[Row]:
    """The dearest first; `key` is the team's primary key."""
    rows = list(_sums(scope, period, "team"))
    teams = Team.objects.in_bulk({row["team"] for row in rows})
    return _dearest(_row(row["team"], teams[row["team"]].name, row) for row in rows)


def by_author_and_model(scope: Scope, period: Period) -> list[Row]:
    """Who used which model, the dearest first; `key` is (user's primary key, id at the gateway)."""
    rows = list(_sums(scope, period, "author", "wire_model", label="label"))
    people = User.objects.in_bulk({row["author"] for row in rows})
    return _dearest(
        _row(
            (row["author"], row["wire_model"]),
            f"{people[row['author']].shown_name} · {row['named']}",
            row,
        )
        for row in rows
    )


def finest(scope: Scope, period: Period) -> Iterable[dict[str, Any]]:
    """The sums by team, author, model and action, as mappings: `team`, `author`, `wire_model`,
    `named` (what the model is called), `action`, and those of SUMS; the dearest first."""
    rows = _sums(scope, period, "team", "author", "wire_model", "action", label="label")
    return sorted(rows, key=lambda row: (-row["credits"], -row["generations"]))


def _within(scope: Scope, period: Period) -> UsageTotalQuerySet:
    rows = UsageTotal.objects.filter(day__gte=period.first, day__lte=period.last)
    if scope.team:
        rows = rows.filter(team=scope.team)
    if scope.author:
        rows = rows.filter(author=scope.author)
    if scope.wire_model:
        rows = rows.filter(wire_model=scope.wire_model)
    return rows


def _sums(scope: Scope, period: Period, *names: str, label: str = "") -> Iterable[dict[str, Any]]:
    # A model may have been called otherwise once: the last name in the alphabet is as good as any.
    named = {"named": Max(label)} if label else {}
    sums = {name: Sum(name) for name in SUMS}
    rows: Iterable[dict[str, Any]] = _within(scope, period).values(*names).annotate(**sums, **named)
    return rows


def _row(key: Any, label: str, sums: dict[str, Any]) -> Row:
    return Row(key, label, **{name: sums.get(name, 0) for name in SUMS})


def _dearest(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.credits, -row.generations, row.label))
