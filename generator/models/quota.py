"""Credits are a ledger: entries are written once, and what is left is a sum.

left in a window = cap + sum of the entries that count in it
"""

import uuid
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from generator.errors import StudioError
from generator.models.caps import LARGEST_CAP, Cap, StartingCaps
from generator.models.generations import Generation
from generator.models.ledger import Kind, LedgerEntry, WindowTotal
from generator.models.people import Team, User
from generator.models.refusals import refused
from generator.models.windows import Window

KEY_IS_TAKEN = "This form has given something else already. Open it again."


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

    def set_cap(self, window: Window, credits: int | None) -> None:
        """Say how much staff allow in a window; None allows all that the other figures do.

        Raises ValidationError for what is no whole number from 0 to LARGEST_CAP.
        """
        with transaction.atomic():
            self._locked()._set(window, credits=_checked(credits))

    def set_team_cap(self, window: Window, credits: int | None) -> None:
        """Say how much the team wants this member to spend in a window at most; None takes that
        back.

        Raises ValidationError for more than staff allow, and for what is no whole number from 0 to
        LARGEST_CAP.
        """
        _checked(credits)
        with transaction.atomic():
            account = self._locked()
            cap = account.caps.filter(window=window).first()
            _check_within(
                credits,
                cap.credits if cap else None,
                _("They may use at most %(most)s. A cap of the team can only be lower."),
            )
            account._set(window, team_credits=credits)

    def set_own_cap(self, window: Window, credits: int | None) -> None:
        """Say how much the member, or for a pool the team, wants to spend in a window at most; None
        takes that back.

        Raises ValidationError for more than staff or the team allow, and for what is no whole
        number from 0 to LARGEST_CAP.
        """
        _checked(credits)
        with transaction.atomic():
            account = self._locked()
            cap = account.caps.filter(window=window).first()
            _check_within(
                credits,
                cap.allowed if cap else None,
                _("You may use at most %(most)s. A cap of your own can only be lower.")
                if account.user_id
                else _("The team may use at most %(most)s. A cap of its own can only be lower."),
            )
            account._set(window, own_credits=credits)

    def _set(self, window: Window, **facts: int | None) -> None:
        cap = self.caps.filter(window=window).first() or Cap(account=self, window=window)
        for name, credits in facts.items():
            setattr(cap, name, credits)
        if any(each is not None for each in (cap.allowed, cap.own_credits)):
            cap.save()
        else:
            self.caps.filter(window=window).delete()

    def grant(
        self, credits: int, *, reason: str, by: User | None, key: uuid.UUID | None = None
    ) -> LedgerEntry:
        """Give credits in the current windows, or take them back with a negative number.

        The same key gives once: who comes second gets the first's entry, and StudioError if it
        gave something else. Raises TypeError or ValueError for no whole number that a cap can be.
        """
        _whole(credits, least=-LARGEST_CAP)
        try:
            with transaction.atomic():
                account = self._locked()
                there = LedgerEntry.objects.filter(key=key).first() if key else None
                entry = there or account._write(
                    Kind.GRANT, credits=credits, counts_on=account.team.today(), reason=reason,
                    by=by, key=key,
                )  # fmt: skip
        except IntegrityError as error:
            # Another account may take the same key at this moment: its lock is not ours.
            if key is None or not LedgerEntry.objects.filter(key=key).exists():
                raise
            raise StudioError(KEY_IS_TAKEN) from error
        if (entry.account_id, entry.credits) != (self.pk, credits):
            raise StudioError(KEY_IS_TAKEN)
        return entry

    def give_back(self, generation: Generation, *, reason: str, by: User | None) -> LedgerEntry:
        """Give back what a settled generation took, on the day of its reservation, once.

        The account must be locked. Raises StudioError where it took nothing, or where that was
        given back before.
        """
        lines = {line.kind: line for line in self.entries.filter(generation=generation)}
        if Kind.GRANT in lines:
            raise StudioError("What this took was given back before.")
        took = -sum(line.credits for line in lines.values())
        if Kind.SETTLE not in lines or took <= 0:
            raise StudioError("This took no credits: there is nothing to give back.")
        return self._write(
            Kind.GRANT, credits=took, counts_on=lines[Kind.RESERVE].counts_on,
            generation=generation, reason=reason, by=by,
        )  # fmt: skip

    def reserve(self, generation: Generation, *, credits: int, day: date) -> None:
        """Hold credits for a generation. Raises QuotaExceeded, naming the cap; nothing is written.

        Of several caps that would be passed the one is named that resets last. The account must
        be locked (`QuotaAccountQuerySet.concerned`). Raises TypeError or ValueError for a price
        that is no whole number of credits.
        """
        _whole(credits, least=0)
        caps = {Window(cap.window): cap for cap in self.caps.all()}
        for window in (Window.EVER, Window.MONTH, Window.DAY):
            if (cap := caps.get(window)) is None:
                continue
            left = cap.holds + self.total(window, day)
            if left < credits:
                raise refused(cap, generation.author, needed=credits, left=left, day=day)
        self._write(Kind.RESERVE, credits=-credits, counts_on=day, generation=generation)

    def settle(self, generation: Generation, *, cost: int) -> LedgerEntry:
        """Close the reservation at what it really cost, be it less or more.

        Raises TypeError or ValueError for a cost that is no whole number of credits.
        """
        _whole(cost, least=0)
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

    def _locked(self) -> "QuotaAccount":
        return QuotaAccount.objects.select_for_update().get(pk=self.pk)

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


def _whole(credits: int, *, least: int) -> None:
    if type(credits) is not int:
        raise TypeError("Credits are whole numbers.")
    if not least <= credits <= LARGEST_CAP:
        raise ValueError(f"Credits are from {least} to {LARGEST_CAP}.")


def _checked(credits: int | None) -> int | None:
    """A cap, for a form. Raises ValidationError."""
    if credits is None or (type(credits) is int and 0 <= credits <= LARGEST_CAP):
        return credits
    raise ValidationError(
        _("A cap is a whole number from 0 to %(most)s."),
        code="no_cap",
        params={"most": number_format(LARGEST_CAP, force_grouping=True)},
    )


def _check_within(credits: int | None, most: int | None, words: str) -> None:
    """Raise ValidationError with these words where a cap is above what it may be."""
    if credits is not None and most is not None and credits > most:
        params = {"most": number_format(most, force_grouping=True)}
        raise ValidationError(words, code="above_staff", params=params)
