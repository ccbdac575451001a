"""The stretches of days that staff look at, each with the one before it to compare with."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.utils.dateformat import format as in_words
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.usage import Period

THIS_MONTH = "this-month"
NAMED = {
    "7-days": _("Last 7 days"),
    "30-days": _("Last 30 days"),
    THIS_MONTH: _("This month"),
    "last-month": _("Last month"),
    "90-days": _("Last 90 days"),
    "this-year": _("This year"),
}
MONTHS_BACK = 12

_ONE_DAY = timedelta(days=1)
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Span:
    """A period, what it is called, its name in addresses, and as much time just before it.

    What has not ended yet is compared with as many days of what was before. `last` is today at
    most, by the server's calendar; `now` reaches a day further where that is within the span, for
    teams where tomorrow has begun.
    """

    name: str
    label: str
    now: Period
    before: Period
    last: date

    @property
    def days(self) -> str:
        """Its days, such as "1 – 21 November 2026"."""
        return _days(Period(self.now.first, self.last))

    @property
    def days_before(self) -> str:
        """The days it is compared with."""
        return _days(self.before)


def span_of(name: str, today: date) -> Span:
    """The span of this name: one of NAMED, or a month such as `2026-09`; this month for others."""
    if match := _MONTH.fullmatch(name):
        first = date(int(match[1]), int(match[2]), 1)
        if first <= today:
            return _month(name, in_words(first, "F Y"), first, today)
    if name not in NAMED:
        name = THIS_MONTH
    label = str(NAMED[name])
    match name:
        case "this-month":
            return _month(name, label, today.replace(day=1), today)
        case "last-month":
            return _month(name, label, _month_before(today), today)
        case "this-year":
            first = today.replace(month=1, day=1)
            end, before = today.replace(month=12, day=31), first.replace(year=first.year - 1)
            return _since(name, label, first, today, before=before, end=end)
        case _:
            count = timedelta(days=int(name.partition("-")[0]))
            first = today - count + _ONE_DAY
            return _since(name, label, first, today, before=first - count)


def choices(today: date) -> list[tuple[str, str]]:
    """Names and labels to choose from: those of NAMED, then the months gone by."""
    months = []
    first = _month_before(_month_before(today))
    for _n in range(MONTHS_BACK - 2):
        months.append((f"{first:%Y-%m}", in_words(first, "F Y")))
        first = _month_before(first)
    return [*((name, str(label)) for name, label in NAMED.items()), *months]


def _month(name: str, label: str, first: date, today: date) -> Span:
    whole = Period.month_of(first)
    before = Period.month_of(_month_before(first))
    if whole.last <= today:
        return Span(name, label, whole, before, whole.last)
    found = _since(name, label, first, today, before=before.first, end=whole.last)
    return replace(found, before=Period(before.first, min(found.before.last, before.last)))


def _since(
    name: str, label: str, first: date, today: date, *, before: date, end: date = date.max
) -> Span:
    now = Period(first, min(today + _ONE_DAY, end))
    return Span(name, label, now, Period(before, before + (today - first)), today)


def _month_before(day: date) -> date:
    return (day.replace(day=1) - _ONE_DAY).replace(day=1)


def _days(period: Period) -> str:
    first, last = period.first, period.last
    if first == last:
        return in_words(last, "j F Y")
    start = "j" if first.replace(day=1) == last.replace(day=1) else "j F"
    start = "j F Y" if first.year != last.year else start
    between = {"first": in_words(first, start), "last": in_words(last, "j F Y")}
    return gettext("%(first)s – %(last)s") % between
