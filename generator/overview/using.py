"""What was made in a span and what it cost, against the span before; and how models did."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from generator import usage
from generator.models import Generation, Status
from generator.overview.spans import Span
from generator.usage import Row, Scope

NEWEST = 200  # generations of a model whose time is looked at
EVERYBODY = Scope()


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a span, and of the span before."""

    now: int
    before: int

    @property
    def change(self) -> int | None:
        """The change in hundredths of what was before; None where there was nothing."""
        return round(100 * (self.now - self.before) / self.before) if self.before else None

    @property
    def fall(self) -> int:
        """The same where it fell, as a positive number."""
        return -(self.change or 0)


@dataclass(frozen=True, slots=True)
class Use:
    """What was made in a span, by everybody or by a scope."""

    days: list[Row]
    credits: Figure
    images: Figure
    generations: Figure
    failures: Figure
    people: Figure

    @property
    def failure_rate(self) -> float:
        """Failures of a hundred that ended."""
        return _rate(self.failures.now, self.generations.now)

    @property
    def failure_rate_before(self) -> float:
        """The same of the span before."""
        return _rate(self.failures.before, self.generations.before)


def use(span: Span, scope: Scope = EVERYBODY) -> Use:
    """What was made in the span, day by day and in all.

    A day that has begun for some teams only is among them once something was made on it.
    """
    days = usage.by_day(scope, span.now)
    if days[-1].key > span.last and not (days[-1].generations or days[-1].credits):
        days.pop()
    before = usage.total(scope, span.before)
    figures = {
        name: Figure(sum(getattr(day, name) for day in days), getattr(before, name))
        for name in usage.SUMS
    }
    people = Figure(usage.people(scope, span.now), usage.people(scope, span.before))
    return Use(days, people=people, **figures)


def seconds_by_model(wire_models: Iterable[str]) -> dict[str, float]:
    """The median of the seconds that the newest which succeeded took, from the first call to the
    end; models of which none did are not in it. One bounded query a model."""
    found = {name: _seconds(name) for name in wire_models}
    return {name: median(seconds) for name, seconds in found.items() if seconds}


def _seconds(wire_model: str) -> list[float]:
    # Bounded before it is asked which succeeded: a model that only fails must not be read whole.
    newest = Generation.objects.filter(wire_model=wire_model).newest_first()
    rows = newest.values_list("status", "started_at", "finished_at")[:NEWEST]
    return [
        (finished - started).total_seconds()
        for status, started, finished in rows
        if status == Status.SUCCEEDED and started and finished
    ]


def _rate(failures: int, generations: int) -> float:
    return 100 * failures / generations if generations else 0.0
