"""Credits are a ledger: entries are written once, and what is left is a sum.

left in a window = cap + sum of the entries that count in it
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.errors import QuotaExceeded
from generator.models.generations import Generation
from generator.models.people import Team, User


class Window(models.TextChoices):
    """The stretch of time that a cap counts in, by the team's own calendar."""

    DAY = "day", _("day")
    MONTH = "month", _("month")
    EVER = "ever", _("ever")

    def start(self, day: date) -> date:
        """The first day of the window that holds `day`."""
        match self:
            case Window.DAY:
                return day
            case Window.MONTH:
                return day.replace(day=1)
            case Window.EVER:
                return date.min

    def next_start(self, day: date) -> date | None:
        """When the window that holds `day` is over; None for one that never is."""
        match self:
            case Window.DAY:
                return day + timedelta(days=1)
            case Window.MONTH:
                return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            case Window.EVER:
                return None


class Kind(models.TextChoices):
    """The four kinds of entry."""

    GRANT = "grant", _("grant")
    RESERVE = "reserve", _("reserve")
    SETTLE = "settle", _("settle")
    RELEASE = "release", _("release")


class QuotaAccountQuerySet(models.QuerySet["QuotaAccount"]):
    """Quota accounts, found and locked."""

    def of(self, team: Team, user: User) -> "QuotaAccount":
        """A member's account, made with the deployment's caps on first use."""
        return self._made(team, user, settings.CREDITS_PER_MONTH, settings.CREDITS_PER_DAY)

    def pool(self, team: Team) -> "QuotaAccount":
        """The team's own account, made on first use."""
        return self._made(team, None, settings.TEAM_CREDITS_PER_MONTH, 0)

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

    def _made(self, team: Team, user: User | None, month: int, day: int) -> "QuotaAccount":
        with transaction.atomic():
            account, made = self.get_or_create(team=team, user=user)
            if made:
                wanted = {Window.MONTH: month, Window.DAY: day}
                Cap.objects.bulk_create(
                    Cap(account=account, window=window, credits=credits)
                    for window, credits in wanted.items()
                    if credits
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
        return None if cap is None else cap.credits + self.total(window, day)

    def total(self, window: Window, day: date) -> int:
        """The sum of the entries that count in the window that holds `day`."""
        row = self.totals.filter(window=window, start=window.start(day)).first()
        return row.credits if row else 0

    def grant(self, credits: int, *, reason: str, by: User | None) -> "LedgerEntry":
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
            left = cap.credits + self.total(Window(cap.window), day)
            if left < credits:
                raise QuotaExceeded(cap.refusal(self, needed=credits, left=left, day=day))
        self._write(Kind.RESERVE, credits=-credits, counts_on=day, generation=generation)

    def settle(self, generation: Generation, *, cost: int) -> None:
        """Close the reservation at what it really cost, be it less or more."""
        reservation = self._reservation(generation)
        self._write(
            Kind.SETTLE,
            credits=-reservation.credits - cost,
            counts_on=reservation.counts_on,
            generation=generation,
        )

    def release(self, generation: Generation) -> None:
        """Close the reservation and give all of it back."""
        reservation = self._reservation(generation)
        self._write(
            Kind.RELEASE,
            credits=-reservation.credits,
            counts_on=reservation.counts_on,
            generation=generation,
        )

    def _reservation(self, generation: Generation) -> "LedgerEntry":
        return self.entries.get(generation=generation, kind=Kind.RESERVE)

    def _write(self, kind: Kind, *, credits: int, counts_on: date, **facts: Any) -> "LedgerEntry":
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


class Cap(models.Model):
    """How much an account may spend in a window."""

    account = models.ForeignKey(QuotaAccount, on_delete=models.CASCADE, related_name="caps")
    window = models.CharField(_("window"), max_length=5, choices=Window)
    credits = models.PositiveIntegerField(_("credits"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "window"], name="one_cap_a_window"),
        ]

    def __str__(self) -> str:
        return f"{self.credits} a {self.window}"

    def refusal(self, account: QuotaAccount, *, needed: int, left: int, day: date) -> str:
        """Why a reservation is refused, and when there will be more, for people."""
        whose = gettext("You have") if account.user_id else gettext("Your team has")
        window = {
            Window.DAY: gettext("today"),
            Window.MONTH: gettext("this month"),
            Window.EVER: gettext("in all"),
        }[Window(self.window)]
        again = Window(self.window).next_start(day)
        when = (
            gettext("It resets on %(date)s.") % {"date": formats.date_format(again, "j F Y")}
            if again
            else gettext("Ask an administrator for more.")
        )
        return gettext(
            "%(whose)s %(left)s credits left %(window)s, and this needs %(needed)s. %(when)s"
        ) % {
            "whose": whose,
            "left": formats.number_format(max(left, 0), use_l10n=True, force_grouping=True),
            "needed": formats.number_format(needed, use_l10n=True, force_grouping=True),
            "window": window,
            "when": when,
        }


class WindowTotal(models.Model):
    """The sum of an account's entries in one window, changed together with each entry."""

    account = models.ForeignKey(QuotaAccount, on_delete=models.PROTECT, related_name="totals")
    window = models.CharField(max_length=5, choices=Window)
    start = models.DateField()
    credits = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "window", "start"], name="one_total_a_window"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.credits} since {self.start}"


def _written_once() -> NoReturn:
    raise TypeError("A ledger entry is written once. Mend a mistake with another entry.")


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    """Entries can be read and added, never changed."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Raises TypeError."""
        _written_once()

    def delete(self) -> NoReturn:
        """Raises TypeError."""
        _written_once()

    def bulk_update(self, objs: Iterable["LedgerEntry"], *args: Any, **kwargs: Any) -> NoReturn:
        """Raises TypeError."""
        _written_once()

    def newest_first(self) -> Self:
        """As people read a ledger."""
        return self.order_by("-created_at", "-pk")


class LedgerEntry(models.Model):
    """One line of an account."""

    account = models.ForeignKey(QuotaAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    credits = models.BigIntegerField(_("credits"))
    # The day it counts on: a closing entry counts on the day of its reservation.
    counts_on = models.DateField(_("counts on"))
    generation = models.ForeignKey(
        Generation, on_delete=models.PROTECT, null=True, related_name="entries"
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("ledger entries")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "generation"],
                name="one_reserve_a_generation",
                condition=Q(kind="reserve"),
            ),
            models.UniqueConstraint(
                fields=["account", "generation"],
                name="one_closing_entry_a_generation",
                condition=Q(kind__in=["settle", "release"]),
            ),
            models.CheckConstraint(
                condition=(Q(kind="grant") & Q(generation=None) & ~Q(reason=""))
                | (~Q(kind="grant") & ~Q(generation=None)),
                name="a_grant_has_a_reason_the_rest_a_generation",
            ),
        ]
        indexes = [models.Index(fields=["account", "-created_at"], name="entries_of_an_account")]

    def __str__(self) -> str:
        return f"{self.kind} {self.credits:+}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry. Raises TypeError for one that is already there."""
        if not self._state.adding:
            _written_once()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises TypeError."""
        _written_once()
