"""The ledger of a made-up history: lines and sums that agree, as if each had been written alone."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from generator.demo_history.people import Seat
from generator.models import (
    Generation,
    Kind,
    LedgerEntry,
    QuotaAccount,
    Status,
    UsageTotal,
    User,
    Window,
    WindowTotal,
)

BATCH = 1000  # rows of one statement
_SUMS = ("generations", "images", "failures", "credits")


@dataclass(slots=True)
class Use:
    """What is to be added to one row of `UsageTotal`."""

    label: str
    provider: str
    sums: list[int] = field(default_factory=lambda: [0, 0, 0, 0])


@dataclass
class Books:
    """Lines and sums that are yet to be written."""

    lines: list[LedgerEntry] = field(default_factory=list)
    _sums: dict[tuple[int, date], int] = field(default_factory=lambda: defaultdict(int))
    _use: dict[tuple[int, int, date, str, str], Use] = field(default_factory=dict)

    def reserve(self, seat: Seat, generation: Generation, day: date) -> None:
        """Hold the price in the member's account and in the pool."""
        facts = {"generation_id": generation.pk, "counts_on": day}
        for account in (seat.account, seat.pool):
            self._line(account, Kind.RESERVE, -generation.price, generation.created_at, **facts)

    def close(self, seat: Seat, generation: Generation, day: date, *, images: int) -> None:
        """Close what is held, as the generation's status and cost say, and count the use."""
        done = generation.status == Status.SUCCEEDED
        cost = generation.cost or 0 if done else 0
        facts = {"generation_id": generation.pk, "counts_on": day}
        kind = Kind.SETTLE if done else Kind.RELEASE
        at = generation.finished_at or generation.created_at
        for account in (seat.account, seat.pool):
            self._line(account, kind, generation.price - cost, at, **facts)
        if generation.status != Status.CANCELLED:
            self._used(generation, day, [1, images, int(not done), cost])

    def grant(
        self, account: int, *, credits: int, day: date, at: datetime, reason: str, by: User
    ) -> None:
        """Give an account credits."""
        self._line(account, Kind.GRANT, credits, at, counts_on=day, reason=reason, by=by)

    def write(self) -> None:
        """Write all of it, in a transaction of the caller's, and forget it."""
        accounts = {account for account, _day in self._sums}
        # Locked, for a worker may be writing too: as ever, in the order of keys.
        list(QuotaAccount.objects.select_for_update().filter(pk__in=accounts).order_by("pk"))
        LedgerEntry.objects.bulk_create(self.lines, batch_size=BATCH)
        self._write_windows(accounts)
        self._write_use()
        self.lines, self._sums, self._use = [], defaultdict(int), {}

    def _line(self, account: int, kind: Kind, credits: int, at: datetime, **facts: Any) -> None:
        line = LedgerEntry(account_id=account, kind=kind, credits=credits, created_at=at, **facts)
        self.lines.append(line)
        self._sums[account, line.counts_on] += credits

    def _used(self, generation: Generation, day: date, more: list[int]) -> None:
        key = (
            generation.team_id, generation.author_id, day, generation.wire_model,
            str(generation.action),
        )  # fmt: skip
        use = self._use.get(key)
        if use is None:
            use = self._use[key] = Use(generation.label, generation.provider)
        use.sums = [had + add for had, add in zip(use.sums, more, strict=True)]

    def _write_windows(self, accounts: Iterable[int]) -> None:
        sums: dict[tuple[int, str, date], int] = defaultdict(int)
        for (account, day), credits in self._sums.items():
            for window in Window:
                sums[account, window.value, window.start(day)] += credits
        starts = {start for _account, _window, start in sums}
        for row in WindowTotal.objects.filter(account__in=accounts, start__in=starts):
            key = (row.account_id, row.window, row.start)
            if key in sums:
                sums[key] += row.credits
        WindowTotal.objects.bulk_create(
            (
                WindowTotal(account_id=account, window=window, start=start, credits=credits)
                for (account, window, start), credits in sums.items()
            ),
            batch_size=BATCH, update_conflicts=True, update_fields=["credits"],
            unique_fields=["account", "window", "start"],
        )  # fmt: skip

    def _write_use(self) -> None:
        days = {key[2] for key in self._use}
        for row in UsageTotal.objects.filter(day__in=days):
            use = self._use.get((row.team_id, row.author_id, row.day, row.wire_model, row.action))
            if use:
                use.sums = [
                    getattr(row, name) + more for name, more in zip(_SUMS, use.sums, strict=True)
                ]
        UsageTotal.objects.bulk_create(
            (
                UsageTotal(
                    team_id=team, author_id=author, day=day, wire_model=wire_model, action=action,
                    label=use.label, provider=use.provider,
                    **dict(zip(_SUMS, use.sums, strict=True)),
                )
                for (team, author, day, wire_model, action), use in self._use.items()
            ),
            batch_size=BATCH, update_conflicts=True, update_fields=_SUMS,
            unique_fields=["team", "author", "day", "wire_model", "action"],
        )  # fmt: skip
