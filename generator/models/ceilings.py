"""How many generations may be under way at once: fewer after a provider said that it is asked too
often, and one more for every minute since (A4, A5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

STUDIO = "studio"
ONE_MORE_EVERY = timedelta(minutes=1)
# Many calls are turned away together; those that were under way already say nothing new.
SETTLED_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What holds at one moment. `lowered` are the providers that take fewer than `provider`."""

    studio: int
    member: int
    provider: int
    lowered: Mapping[str, int]

    def of(self, provider: str) -> int:
        """How many of one provider's may be under way."""
        return min(self.provider, self.lowered.get(provider, self.provider))


class CeilingQuerySet(models.QuerySet["Ceiling"]):
    """Ceilings, by name of the question."""

    def at(self, now: datetime, *, studio: int, member: int, provider: int) -> Ceilings:
        """What holds at this moment, given the ceilings of the settings.

        A member's scales with the studio's, so that few do not take what is left for all.
        """
        rows = {row.name: row.holds(now) for row in self}
        whole = min(studio, rows.pop(STUDIO, studio))
        return Ceilings(whole, max(1, member * whole // studio), provider, rows)

    def lower(
        self, provider: str, *, under_way: int, studio: int, provider_most: int, now: datetime
    ) -> None:
        """Let half of what this provider has under way be its most, and of the studio's ceiling
        three quarters; never less than one. Must run under the lock of starts.
        """
        rows = {row.name: row for row in self.filter(name__in=[provider, STUDIO])}
        halved = min(under_way // 2, _holds(rows.get(provider), provider_most, now))
        for name, at_once in (
            (provider, halved),
            (STUDIO, _holds(rows.get(STUDIO), studio, now) * 3 // 4),
        ):
            if name not in rows or now - rows[name].changed_at >= SETTLED_AFTER:
                facts = {"at_once": max(1, at_once), "changed_at": now}
                self.update_or_create(name=name, defaults=facts)


class Ceiling(models.Model):
    """A ceiling that was lowered: to how many, and when. It rises by the clock, not by writing."""

    name = models.CharField(_("of"), max_length=60, primary_key=True)
    at_once = models.PositiveIntegerField(_("lowered to"))
    changed_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(_("lowered at"))

    objects = CeilingQuerySet.as_manager()

    class Meta:
        verbose_name = _("lowered ceiling")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def holds(self, now: datetime) -> int:
        """What it has risen to since; it knows nothing of the most that the settings allow."""
        return self.at_once + max(0, (now - self.changed_at) // ONE_MORE_EVERY)

    @property
    def most(self) -> int:
        """What the settings allow."""
        return settings.STUDIO_AT_ONCE if self.name == STUDIO else settings.PROVIDER_AT_ONCE

    @property
    def now(self) -> int:
        """What holds at this moment."""
        return min(self.most, self.holds(timezone.now()))


def _holds(row: Ceiling | None, most: int, now: datetime) -> int:
    return most if row is None else min(most, row.holds(now))
