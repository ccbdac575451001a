"""The ledger as people read it: newest first, by day, a page at a time."""

import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db.models import OuterRef, Prefetch, Q, Subquery
from django.urls import reverse
from django.utils import formats

from generator.forms.doing import DONE_WORDS
from generator.models import Generation, ImageAsset, LedgerEntry, QuotaAccount, Status, Team, Window
from generator.models.ledger import Kind, LedgerEntryQuerySet, WindowTotal
from generator.templatetags.studio import number
from generator.usage import Period
from generator.views.cursor import MICROSECOND, Cursor, LineCursor

LINES = 50  # a page
_TONES = {Kind.GRANT: "accent", Kind.RELEASE: "good"}
_ENDS = {Status.FAILED: "did not work out", Status.CANCELLED: "cancelled"}
_SHOWN = (
    "account_id", "kind", "credits", "counts_on", "reason", "created_at", "by__first_name",
    "by__last_name", "by__username", "generation__team_id", "generation__batch",
    "generation__label", "generation__action", "generation__button_label", "generation__prompt",
    "generation__cost", "generation__status", "generation__reason", "generation__created_at",
    "generation__author__first_name", "generation__author__last_name",
    "generation__author__username",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `left` is what was left of the month after it; None where that is not told."""

    entry: LedgerEntry
    at: datetime
    left: int | None
    link: str

    @property
    def clock(self) -> str:
        """When it was written, by the team's clock: a template would tell the server's."""
        return f"{self.at:%H:%M}"

    @property
    def what(self) -> str:
        """Held, settled, given back, granted or taken back."""
        return self.entry.what

    @property
    def tone(self) -> str:
        """Of the badge."""
        return _TONES.get(Kind(self.entry.kind), "")

    @property
    def cost(self) -> int | None:
        """Credits that a settled generation took; None for other lines."""
        return cost_of(self.entry) if self.entry.kind == Kind.SETTLE else None

    @property
    def title(self) -> str:
        """The prompt; where nothing was written, what was done; of a grant, its reason."""
        generation = self.entry.generation
        if generation is None or self.entry.kind == Kind.GRANT:
            return self.entry.reason
        return generation.prompt or generation.button_label or DONE_WORDS[generation.action]

    @property
    def why(self) -> str:
        """Why it was given back, in a word or two; empty for other lines."""
        generation = self.entry.generation
        if generation is None or self.entry.kind != Kind.RELEASE:
            return ""
        return _ENDS.get(Status(generation.status), "")

    @property
    def signed(self) -> str:
        """The credits with their sign, a real minus."""
        return f"{'+' if self.entry.credits > 0 else ''}{number(self.entry.credits)}"

    @property
    def left_said(self) -> str:
        """What was left; empty where it is not told."""
        return "" if self.left is None else number(self.left)

    @property
    def counts_elsewhere(self) -> bool:
        """Whether it counts on another day than that on which it was written."""
        return self.entry.counts_on != self.at.date()


@dataclass(frozen=True, slots=True)
class Day:
    """The lines written on one day of the team's calendar."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of lines; `earlier` is where the next begins. `cap` is what `left` is left of."""

    days: Sequence[Day]
    earlier: LineCursor | None
    cap: int | None


def cost_of(entry: LedgerEntry) -> int | None:
    """Credits that this line adds to what was spent: what a settled generation took, below nought
    where staff gave that back; None for other lines. These add up to the page's credits."""
    if entry.generation is None:
        return None
    match Kind(entry.kind):
        case Kind.SETTLE:
            return entry.generation.cost
        case Kind.GRANT:
            return -entry.credits
        case _:
            return None


def page(account: QuotaAccount, month: Period, *, before: LineCursor | None) -> Page:
    """Lines that were written in this month, by the team's calendar, newest first.

    What is left is told on the first page of the running month, where it follows from what is
    left now; further back it would have to be counted.
    """
    entries = written(account, month).newest_first()
    if before:
        entries = entries.filter(created_at__lte=before.created_at).filter(
            Q(created_at__lt=before.created_at) | Q(pk__lt=before.pk)
        )
    today = account.team.today()
    total = WindowTotal.objects.filter(
        account=OuterRef("account"), window=Window.MONTH, start=Window.MONTH.start(today)
    )
    # In one statement with the lines: in two, a line written in between would be missing.
    rows = list(_for_lines(entries).annotate(total=Subquery(total.values("credits")))[: LINES + 1])
    shown = rows[:LINES]
    is_running = before is None and month.first <= today <= month.last
    cap = _cap_of_the_month(account) if is_running else None
    return Page(
        _days(_lines(shown, account.team, month, cap), today),
        LineCursor(shown[-1].created_at, shown[-1].pk) if len(rows) > LINES else None,
        cap,
    )


def written(account: QuotaAccount, month: Period) -> LedgerEntryQuerySet:
    """The entries that were written in this month."""
    begin, end = moments(account.team, month)
    return LedgerEntry.objects.filter(account=account, created_at__gte=begin, created_at__lt=end)


def moments(team: Team, period: Period) -> tuple[datetime, datetime]:
    """When the period begins and is over, in the team's time zone."""
    zone = zoneinfo.ZoneInfo(team.time_zone)
    after = period.last + timedelta(days=1)
    return (
        datetime.combine(period.first, time.min, tzinfo=zone),
        datetime.combine(after, time.min, tzinfo=zone),
    )


def _for_lines(entries: LedgerEntryQuerySet) -> LedgerEntryQuerySet:
    pictures = ImageAsset.objects.kept().order_by("position").only("generation_id")
    return (
        entries.select_related("generation__author", "by")
        .only(*_SHOWN)
        .prefetch_related(Prefetch("generation__images", queryset=pictures))
    )


def _cap_of_the_month(account: QuotaAccount) -> int | None:
    cap = account.caps.filter(window=Window.MONTH).first()
    return cap.holds if cap else None


def _lines(
    entries: Sequence[LedgerEntry], team: Team, month: Period, cap: int | None
) -> Iterable[Line]:
    zone = zoneinfo.ZoneInfo(team.time_zone)
    left = cap + (getattr(entries[0], "total", 0) or 0) if cap is not None and entries else None
    for entry in entries:
        counts = month.first <= entry.counts_on <= month.last
        shown = left if counts else None
        yield Line(entry, entry.created_at.astimezone(zone), shown, _link(entry, team))
        if left is not None and counts:
            left -= entry.credits


def _link(entry: LedgerEntry, team: Team) -> str:
    """Where it is shown: its first image, else its card in the feed; empty for a mere grant."""
    generation = entry.generation
    if generation is None:
        return ""
    for image in generation.images.all():
        return reverse("image", args=[team.slug, image.pk])
    return f"{reverse('studio', args=[team.slug])}?before={_above(generation)}#{_mark(generation)}"


def _above(generation: Generation) -> Cursor:
    """The place in the feed that this generation is the first behind."""
    return Cursor(generation.created_at + MICROSECOND, generation.pk)


def _mark(generation: Generation) -> str:
    return f"generation-{generation.pk}"


def _days(lines: Iterable[Line], today: date) -> list[Day]:
    parted = groupby(lines, key=lambda line: line.at.date())
    return [Day(_title(day, today), list(group)) for day, group in parted]


def _title(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return formats.date_format(day, "j F" if day.year == today.year else "j F Y")
