"""Credits are a ledger: entries are written once, and what is left is a sum.

left in a window = cap + sum of the entries that count in it
"""

from datetime import date
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from generator.errors import QuotaExceeded
from generator.models.caps import Cap, StartingCaps
from generator.models.generations import Generation
from generator.models.ledger import Kind, LedgerEntry, WindowTotal
from generator.models.people import Team, User
from generator.models.windows import Window


class QuotaAccountQuerySet(models.QuerySet["QuotaAccount"]):
    """Quota accounts, found and locked."""

    def of(self, team: Team, user: User) -> "QuotaAccount":
        """A member's account, made with the deployment's caps on first use."""
        return self._made(team, user)

    def pool(self, team: Team) -> "QuotaAccount":
        """The team's own account, made on first use."""
        return self._made(team, None)

    def concerned(self, team: Team, user: User) -> list["QuotaAccount"]:
        """The accounts that a generation of this member draws on, locked, in the order of keys.

        Only inside a transaction: the locks last until it ends.
        """
        both = self.select_for_update(of=("self",)).filter(Q(user=user) | Q(user=None), team=team)
        found = list(both.order_by("pk"))
        if len(found) == 2:
            return found
        self.of(team, user)
        self.pool(team)
        return list(both.order_by("pk"))

    def _made(self, team: Team, user: User | None) -> "QuotaAccount":
        with transaction.atomic():
            account, made = self.get_or_create(team=team, user=user)
            if made:
                starting = StartingCaps.objects.now()
                caps = starting.of_a_member() if user else starting.of_a_pool()
                Cap.objects.bulk_create(
                    Cap(account=account, window=window, credits=credits)
                    for window, credits in caps.items()
                    if credits is not None
                )
        return account


class QuotaAccount(models.Model):
    """The credits of one user in one team, or of a whole team. Its row is the lock."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="accounts")
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = QuotaAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="one_account_a_member"),
            models.UniqueConstraint(
                fields=["team"], name="one_pool_a_team", condition=Q(user=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}" if self.user else f"the pool of {self.team}"

    def left(self, window: Window, day: date) -> int | None:
        """Credits left in the window that holds `day`; None if nothing caps it."""
        cap = self.caps.filter(window=window).first()
        return None if cap is None else cap.holds + self.total(window, day)

    def total(self, window: Window, day: date) -> int:
        """The sum of the entries that count in the window that holds `day`."""
        row = self.totals.filter(window=window, start=window.start(day)).first()
        return row.credits if row else 0

    def grant(self, credits: int, *, reason: str, by: User | None) -> LedgerEntry:
        """Give credits in the current windows, or take them back with a negative number."""
        with transaction.atomic():
            QuotaAccount.objects.select_for_update().get(pk=self.pk)
            return self._write(
                Kind.GRANT, credits=credits, counts_on=self.team.today(), reason=reason, by=by
            )

    def reserve(self, generation: Generation, *, credits: int, day: date) -> None:
        """Hold credits for a generation. Raises QuotaExceeded, naming the cap; nothing is written.

        The account must be locked (`QuotaAccountQuerySet.concerned`).
        """
        for cap in self.caps.all():
            left = cap.holds + self.total(Window(cap.window), day)
            if left < credits:
                raise QuotaExceeded(cap.refusal(self, needed=credits, left=left, day=day))
        self._write(Kind.RESERVE, credits=-credits, counts_on=day, generation=generation)

    def settle(self, generation: Generation, *, cost: int) -> LedgerEntry:
        """Close the reservation at what it really cost, be it less or more."""
        reservation = self._reservation(generation)
        return self._write(
            Kind.SETTLE,
            credits=-reservation.credits - cost,
            counts_on=reservation.counts_on,
            generation=generation,
        )

    def release(self, generation: Generation) -> LedgerEntry:
        """Close the reservation and give all of it back."""
        reservation = self._reservation(generation)
        return self._write(
            Kind.RELEASE,
            credits=-reservation.credits,
            counts_on=reservation.counts_on,
            generation=generation,
        )

    def _reservation(self, generation: Generation) -> LedgerEntry:
        return self.entries.get(generation=generation, kind=Kind.RESERVE)

    def _write(self, kind: Kind, *, credits: int, counts_on: date, **facts: Any) -> LedgerEntry:
        entry = LedgerEntry(account=self, kind=kind, credits=credits, counts_on=counts_on, **facts)
        entry.save()
        holding = Q()
        for window in Window:
            holding |= Q(window=window, start=window.start(counts_on))
        totals = self.totals.filter(holding)
        if totals.update(credits=F("credits") + credits) < len(Window):
            self._open_windows(counts_on)
        return entry

    def _open_windows(self, counts_on: date) -> None:
        """The first entry of a window makes its total; those that were there are right already."""
        there = set(self.totals.values_list("window", "start"))
        for window in Window:
            start = window.start(counts_on)
            if (window, start) not in there:
                entries = self.entries.filter(counts_on__gte=start)
                after = window.next_start(counts_on)
                counted = entries.filter(counts_on__lt=after) if after else entries
                total = counted.aggregate(sum=models.Sum("credits"))["sum"]
                WindowTotal.objects.create(
                    account=self, window=window, start=start, credits=total or 0
                )


def accounts_holding(generation: Generation) -> list[QuotaAccount]:
    """The accounts in which this generation has a reservation, locked, in the order of keys."""
    keys = LedgerEntry.objects.filter(generation=generation, kind=Kind.RESERVE).values("account")
    return list(QuotaAccount.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
