"""The lines of the ledger, written once, and the sums of each window."""

from collections.abc import Iterable
from typing import Any, NoReturn, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.models.generations import Generation
from generator.models.people import User
from generator.models.windows import Window


class Kind(models.TextChoices):
    """The four kinds of entry."""

    GRANT = "grant", _("grant")
    RESERVE = "reserve", _("reserve")
    SETTLE = "settle", _("settle")
    RELEASE = "release", _("release")


KIND_WORDS = {
    Kind.GRANT: "granted",
    Kind.RESERVE: "held",
    Kind.SETTLE: "settled",
    Kind.RELEASE: "given back",
}


class WindowTotal(models.Model):
    """The sum of an account's entries in one window, changed together with each entry."""

    account = models.ForeignKey(
        "generator.QuotaAccount", on_delete=models.PROTECT, related_name="totals"
    )
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

    account = models.ForeignKey(
        "generator.QuotaAccount", on_delete=models.PROTECT, related_name="entries"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    credits = models.BigIntegerField(_("credits"))
    # The day it counts on: a closing entry counts on the day of its reservation.
    counts_on = models.DateField(_("counts on"))
    generation = models.ForeignKey(
        Generation, on_delete=models.PROTECT, null=True, related_name="entries"
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # Of the form that a grant was typed into: sent twice, it is granted once.
    key = models.UUIDField(null=True, unique=True, editable=False)
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
            # What staff give back of a generation whose books are closed is a grant that names it.
            models.UniqueConstraint(
                fields=["account", "generation"],
                name="given_back_once",
                condition=Q(kind="grant", generation__isnull=False),
            ),
            models.CheckConstraint(
                condition=(Q(kind="grant") & ~Q(reason=""))
                | (~Q(kind="grant") & ~Q(generation=None)),
                name="a_grant_has_a_reason_the_rest_a_generation",
            ),
            models.CheckConstraint(
                condition=Q(kind="settle")
                | (Q(kind="grant") & ~Q(credits=0))
                | Q(kind="reserve", credits__lte=0)
                | Q(kind="release", credits__gte=0),
                name="an_entry_has_the_sign_of_its_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="entries_of_an_account"),
            models.Index(fields=["-created_at", "-id"], name="entries_newest_first"),
            models.Index(fields=["kind", "-created_at", "-id"], name="entries_of_a_kind"),
            # A window's first line adds up the window, with the account locked.
            models.Index(fields=["account", "counts_on"], name="entries_of_a_window"),
            # What a cap allows is read at each settling: grants are few among the lines.
            models.Index(
                fields=["account", "counts_on"],
                name="grants_of_an_account",
                condition=Q(kind="grant", generation=None),
            ),
        ]

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

    @property
    def what(self) -> str:
        """Held, settled, given back, granted or taken back: as people read it."""
        if self.kind == Kind.GRANT and self.credits < 0:
            return "taken back"
        return KIND_WORDS[Kind(self.kind)]
