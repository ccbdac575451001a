"""What accounts have left, in staff's words: of many accounts in a few queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.models import Cap, Kind, LedgerEntry, QuotaAccount, Window, WindowTotal

WHEN = {Window.DAY: _("today"), Window.MONTH: _("this month"), Window.EVER: _("in all")}
# What was given back of a generation is none: it is not spent, either.
_GIVEN = Q(kind=Kind.GRANT, generation=None)
_PREFETCHED = "grants_and_what_was_taken"


@dataclass(frozen=True, slots=True)
class Left:
    """How an account stands with one cap now; `granted` and `left` are credits, below nought too.

    What is held counts as spent.
    """

    cap: Cap
    granted: int
    left: int

    @property
    def of(self) -> int:
        """The cap and what was granted besides; nought where more than the cap was taken back."""
        return max(self.cap.holds + self.granted, 0)

    @property
    def in_short(self) -> str:
        """`6,184 of 13,600`, for a column."""
        return gettext("%(left)s of %(of)s") % {
            "left": grouped(self.left),
            "of": grouped(self.of),
        }

    def __str__(self) -> str:
        """A line: `6,184 of 13,600 left this month, 600 granted`."""
        text = gettext("%(left)s of %(of)s left %(when)s")
        if self.left < 0:
            text = gettext("%(left)s left (overdrawn) of %(of)s %(when)s")
        facts = {"left": grouped(self.left), "of": grouped(self.of)}
        parts = [text % (facts | {"when": WHEN[Window(self.cap.window)]})]
        if self.granted:
            text = gettext("%(count)s granted" if self.granted > 0 else "%(count)s taken back")
            parts.append(text % {"count": grouped(abs(self.granted))})
        if self.cap.team_credits is not None:
            team = {"team": grouped(self.cap.team_credits)}
            parts.append(gettext("capped by the team at %(team)s") % team)
        if self.cap.own_credits is not None:
            own = {"own": grouped(self.cap.own_credits)}
            parts.append(gettext("capped by themselves at %(own)s") % own)
        return ", ".join(parts)


def with_windows(accounts: QuerySet[QuotaAccount]) -> QuerySet[QuotaAccount]:
    """These accounts with caps, grants, and the totals of the windows that may be now, in a query
    each."""
    today = timezone.now().date()
    # A team's own today may be the day before or after.
    days = [today + timedelta(days=off) for off in (-1, 0, 1)]
    starts = {window.start(day) for window in Window for day in days}
    totals = WindowTotal.objects.filter(start__in=starts)
    grants = LedgerEntry.objects.filter(_GIVEN).only("account", "counts_on", "credits")
    return accounts.select_related("team", "user").prefetch_related(
        "caps",
        Prefetch("totals", totals),
        Prefetch("entries", grants.order_by(), to_attr=_PREFETCHED),
    )


def lefts(account: QuotaAccount) -> list[Left]:
    """How the account stands with each of its caps, the shortest window first."""
    today = account.team.today()
    sums = {(total.window, total.start): total.credits for total in account.totals.all()}
    caps = {Window(cap.window): cap for cap in account.caps.all()}
    grants = list(_grants(account)) if caps else []
    found = []
    for window in Window:
        if cap := caps.get(window):
            start, after = window.start(today), window.next_start(today)
            granted = sum(
                grant.credits
                for grant in grants
                if grant.counts_on >= start and (after is None or grant.counts_on < after)
            )
            found.append(Left(cap, granted, cap.holds + sums.get((window, start), 0)))
    return found


def what_is_left(account: QuotaAccount) -> list[str]:
    """A line for each cap that holds: what it leaves now, and whether it is the member's own."""
    return [str(each) for each in lefts(account)] or [gettext("nothing caps it")]


def grouped(number: int) -> str:
    """A number as people read it, with a true minus."""
    return str(number_format(number, force_grouping=True)).replace("-", "−")


def _grants(account: QuotaAccount) -> Iterable[LedgerEntry]:
    there: Iterable[LedgerEntry] | None = getattr(account, _PREFETCHED, None)
    return account.entries.filter(_GIVEN) if there is None else there
