"""What an account has left, has spent and holds, in each window that a cap counts in."""

import calendar
import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.query import QuerySet
from django.utils import formats, timezone

from generator.models import Cap, Generation, LedgerEntry, QuotaAccount, UsageTotal, Window
from generator.models.generations import FINAL, Status
from generator.models.ledger import Kind, WindowTotal

TELLING = 3  # days of a month before its pace says anything
UNFINISHED = [status for status in Status if status not in FINAL]


@dataclass(frozen=True, slots=True)
class Spending:
    """One account in one window that holds `day`. All numbers but `day` are credits.

    `cap` is None where nothing caps it; `spent` counts what is `held`; `granted` may be negative.
    """

    window: Window
    day: date
    cap: int | None
    spent: int
    held: int
    granted: int
    anew: datetime | None
    is_own: bool = False
    is_of_staff: bool = False
    shared: bool = False

    @property
    def of(self) -> int:
        """The cap and what was granted besides; nought where more than the cap was taken back."""
        return max(self._allowed, 0)

    @property
    def left(self) -> int:
        """May be below nought: a cost may pass its price."""
        return self._allowed - self.spent

    @property
    def shown(self) -> int:
        """What is left, in words and on a meter: never below nought."""
        return max(self.left, 0)

    @property
    def over(self) -> int:
        """By how much more was spent than is allowed."""
        return max(-self.left, 0)

    @property
    def _allowed(self) -> int:
        return (self.cap or 0) + self.granted

    @property
    def full(self) -> int:
        """The meter's end, which must be above its beginning."""
        return max(self.of, 1)

    @property
    def low(self) -> int:
        """Below this a meter warns loudly."""
        return self.full // 10

    @property
    def high(self) -> int:
        """Below this a meter warns."""
        return self.full // 4

    @property
    def taken_back(self) -> int:
        """What staff took back, as a positive number."""
        return -self.granted

    @property
    def is_short(self) -> bool:
        """Whether little is left, or nothing."""
        return self.cap is not None and self.left <= self.low

    @property
    def name(self) -> str:
        """What the window is called: `Today`, `November`, `In all`."""
        match self.window:
            case Window.DAY:
                return "Today"
            case Window.MONTH:
                return formats.date_format(self.day, "F")
            case Window.EVER:
                return "In all"

    @property
    def when_anew(self) -> str:
        """`at midnight, in 9 h 55 min`, `on 1 December`; empty for a window without end."""
        if self.anew is None:
            return ""
        if self.window == Window.MONTH:
            return f"on {formats.date_format(self.anew, 'j\u00a0F')}"
        # Where clocks go forward at midnight there is none.
        hour = "midnight" if self.anew.hour == 0 else f"{self.anew:%H:%M}"
        return f"at {hour}, in {_pause(self.anew - timezone.now())}"

    @property
    def pace(self) -> str:
        """Where a month is going, if that can be told: a sentence, else empty."""
        days = calendar.monthrange(self.day.year, self.day.month)[1]
        is_telling = TELLING <= self.day.day < days
        if self.window != Window.MONTH or self.cap is None or not is_telling:
            return ""
        if self.spent <= 0 or self.left <= 0:
            return ""
        left = self.of - self.spent * days // self.day.day
        if left >= 0:
            return f"At this pace about {_round(left):,} will be left."
        last = self.day.replace(day=min(math.ceil(self.of * self.day.day / self.spent), days))
        return f"At this pace it will be used up around {formats.date_format(last, 'j F')}."


def spendings(account: QuotaAccount, *, always: Window | None = None) -> list[Spending]:
    """Each window that is capped now, the shortest first; `always` is there capped or not."""
    caps = {Window(cap.window): cap for cap in account.caps.all()}
    return [
        _spending(account, window, caps.get(window))
        for window in Window
        if window in caps or window == always
    ]


def _spending(account: QuotaAccount, window: Window, cap: Cap | None) -> Spending:
    day = account.team.today()
    total, spent, held = _sums(account, window, day)
    return Spending(
        window,
        day,
        cap.holds if cap else None,
        spent=spent + held,
        held=held,
        # What the lines add up to beyond what was spent and is held can only have been granted.
        granted=total + spent + held,
        anew=window.resets_at(day, account.team.time_zone),
        is_own=bool(cap and cap.is_own and account.user_id),
        is_of_staff=bool(cap and cap.is_of_staff),
        shared=account.user_id is None,
    )


def _sums(account: QuotaAccount, window: Window, day: date) -> tuple[int, int, int]:
    """What the lines of the window add up to, what was spent in it and what is held.

    One statement: of three, another might be written in between, and they would not agree.
    """
    start, after = window.start(day), window.next_start(day) or date.max
    use = UsageTotal.objects.filter(team=account.team_id, day__gte=start, day__lt=after)
    if account.user_id:
        use = use.filter(author=account.user_id)
    held = LedgerEntry.objects.filter(
        account=account,
        kind=Kind.RESERVE,
        counts_on__gte=start,
        counts_on__lt=after,
        # Of all teams: these are few, while those of a team that have ended are many.
        generation__in=Generation.objects.filter(status__in=UNFINISHED).order_by(),
    )
    row = (
        WindowTotal.objects.filter(account=account, window=window, start=start)
        .annotate(spent=_sum(use, "team"), held=_sum(held, "account"))
        .values_list("credits", "spent", "held")
        .first()
    )
    total, spent, reserved = row or (0, 0, 0)
    return total, spent, -reserved


def _sum(rows: QuerySet[UsageTotal] | QuerySet[LedgerEntry], one: str) -> Combinable:
    summed = rows.order_by().values(one).annotate(sum=Sum("credits"))
    return Coalesce(Subquery(summed.values("sum")), 0)


def _pause(pause: timedelta) -> str:
    minutes = max(int(pause.total_seconds()) // 60, 1)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _round(credits: int) -> int:
    """To two digits: a guess that named every credit would look like knowledge."""
    return round(credits, -max(len(str(credits)) - 2, 0))
