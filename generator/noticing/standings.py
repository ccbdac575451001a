"""How accounts stand with their caps: what is used, what is left, which step is reached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, Sum

from generator.models import (
    Cap,
    Kind,
    LedgerEntry,
    Notice,
    QuotaAccount,
    Team,
    UsageTotal,
    Window,
    WindowTotal,
)

STEPS = (100, 80, 50)  # of a hundred, the highest first
_WORDS = {Window.DAY: "for today", Window.MONTH: "for this month", Window.EVER: "in all"}
Place = tuple[int, str, date]  # an account, by primary key, a window, and its first day


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands with one of its caps now; all counts in credits.

    `cap` is what it allows by itself, `of` with what was granted in the window; `left` is less by
    what is held.
    """

    account: QuotaAccount
    window: Window
    start: date
    used: int
    cap: int
    of: int
    left: int
    resets: date | None
    is_own: bool
    is_of_staff: bool

    @property
    def place(self) -> Place:
        """Which account it is, and which window."""
        return self.account.pk, str(self.window), self.start

    @property
    def percent(self) -> int:
        """How much of a hundred is used, rounded down; nought of a cap that allows nothing."""
        return 100 * max(self.used, 0) // self.of if self.of > 0 else 0

    @property
    def step(self) -> int | None:
        """The highest of STEPS that is reached."""
        return next((step for step in STEPS if self.percent >= step), None)

    @property
    def shown(self) -> int:
        """What is not used, by the same reckoning as `percent`: never below nought."""
        return max(self.of - self.used, 0)

    @property
    def held(self) -> int:
        """How many of what is `shown` are held by what is being made."""
        return min(max(self.of - self.used - self.left, 0), self.shown)

    @property
    def for_when(self) -> str:
        """The window in the words of a sentence."""
        return _WORDS[self.window]


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as a page or a letter shows it: with the figures of now."""

    notice: Notice
    standing: Standing

    @property
    def is_pool(self) -> bool:
        """Whether it is the team's pool, and not the reader's own account."""
        return self.standing.account.user_id is None

    @property
    def is_nearly(self) -> bool:
        """Whether more than half of it is gone, by steps."""
        return (self.standing.step or 0) >= 80

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more can be made."""
        return self.standing.percent >= 100


def standings(team: Team, accounts: Sequence[QuotaAccount]) -> list[Standing]:
    """How accounts of one team stand with each of their caps now, those of nought left out.

    Four queries, whatever the length of the ledger and the line of those who wait.
    """
    by_key = {account.pk: account for account in accounts}
    caps = [cap for cap in Cap.objects.filter(account__in=by_key) if cap.holds]
    if not caps:
        return []
    day = team.today()
    totals = {
        (row.account_id, row.window, row.start): row.credits
        for row in WindowTotal.objects.filter(
            account__in={cap.account_id for cap in caps},
            start__in={Window(cap.window).start(day) for cap in caps},
        )
    }
    spent = _spent(team, [(by_key[cap.account_id], Window(cap.window)) for cap in caps], day)
    granted = _granted(caps, day)
    rows = []
    for cap in caps:
        account, window = by_key[cap.account_id], Window(cap.window)
        start = window.start(day)
        given = sum(credits for key, on, credits in granted if key == account.pk and on >= start)
        rows.append(
            Standing(
                account, window, start, used=spent[account.pk, window], cap=cap.holds,
                of=cap.holds + given, left=cap.holds + totals.get((account.pk, window, start), 0),
                resets=window.next_start(day), is_own=cap.is_own and account.user_id is not None,
                is_of_staff=cap.is_of_staff,
            )
        )  # fmt: skip
    return rows


def as_of_now(team: Team, notices: Sequence[Notice]) -> list[Told]:
    """Notices of one team with the figures of now, without those that are over."""
    if not notices:
        return []
    accounts = {notice.account_id: notice.account for notice in notices}
    now = {one.place: one for one in standings(team, list(accounts.values()))}
    pairs = ((one, now.get((one.account_id, one.window, one.start))) for one in notices)
    return [Told(one, now) for one, now in pairs if now and now.percent >= one.percent]


def _spent(
    team: Team, wanted: Iterable[tuple[QuotaAccount, Window]], day: date
) -> dict[tuple[int, Window], int]:
    """Credits that generations of the window have cost, by account and window."""
    names = {f"spent_{account.pk}_{window}": (account, window) for account, window in wanted}
    sums = {
        name: Sum(
            "credits",
            filter=Q(day__gte=window.start(day))
            & (Q(author=account.user_id) if account.user_id else Q()),
        )
        for name, (account, window) in names.items()
    }
    earliest = min(window.start(day) for _account, window in names.values())
    row = UsageTotal.objects.filter(team=team, day__gte=earliest).aggregate(**sums)
    return {(account.pk, window): row[name] or 0 for name, (account, window) in names.items()}


def _granted(caps: Sequence[Cap], day: date) -> list[tuple[int, date, int]]:
    """What was granted in the windows of these caps: account, the day it counts on, credits.

    What was given back of a generation is none: it is not spent, either.
    """
    lines = LedgerEntry.objects.filter(
        account__in={cap.account_id for cap in caps},
        kind=Kind.GRANT,
        generation=None,
        counts_on__gte=min(Window(cap.window).start(day) for cap in caps),
    )
    days = lines.order_by().values_list("account", "counts_on")
    return list(days.annotate(sum=Sum("credits")))
