"""How much may be spent: the caps of an account, and those that new accounts begin with."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generator.models.windows import Window

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

LARGEST_CAP = 10**12  # credits


class Cap(models.Model):
    """How much an account may spend in a window: the lowest of what staff, the team and the member
    set. Each sets its own figure and no other; of a pool `own_credits` are the team's."""

    account = models.ForeignKey(
        "generator.QuotaAccount", on_delete=models.CASCADE, related_name="caps"
    )
    window = models.CharField(_("window"), max_length=5, choices=Window)
    credits = models.PositiveBigIntegerField(
        _("credits"), null=True, blank=True, validators=[MaxValueValidator(LARGEST_CAP)]
    )
    own_credits = models.PositiveBigIntegerField(
        _("set by the member"), null=True, blank=True, validators=[MaxValueValidator(LARGEST_CAP)]
    )
    team_credits = models.PositiveBigIntegerField(
        _("set by the team"), null=True, blank=True, validators=[MaxValueValidator(LARGEST_CAP)]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "window"], name="one_cap_a_window"),
            models.CheckConstraint(
                condition=Q(credits__isnull=False)
                | Q(own_credits__isnull=False)
                | Q(team_credits__isnull=False),
                name="a_cap_says_how_much",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holds} a {self.window}"

    def get_additional_data(self) -> dict[str, str | int]:
        """Whose it is, for the audit log, which asks by this name."""
        return {"account": str(self.account), "account_id": self.account_id}

    @property
    def holds(self) -> int:
        """Credits of the lowest."""
        figures = (self.credits, self.team_credits, self.own_credits)
        return min(each for each in figures if each is not None)

    @property
    def allowed(self) -> int | None:
        """Credits that others than the member allow, or for a pool others than its team."""
        figures = (self.credits, self.team_credits)
        return min((each for each in figures if each is not None), default=None)

    @property
    def is_own(self) -> bool:
        """Whether it is the member's own that holds, or for a pool the team's."""
        return self.own_credits is not None and (
            self.allowed is None or self.own_credits < self.allowed
        )

    @property
    def is_of_staff(self) -> bool:
        """Whether staff's figure holds, which nobody else lifts; so it does among equals."""
        return self.credits == self.holds

    @property
    def set_by(self) -> "StrPromise":
        """Whose figure holds, in words; staff's where several are the same."""
        if self.is_of_staff:
            return _("set by an administrator")
        if self.team_credits == self.holds or self.account.user_id is None:
            return _("set by the team")
        return _("set by the member")


class StartingCapsQuerySet(models.QuerySet["StartingCaps"]):
    """The one row."""

    def now(self) -> "StartingCaps":
        """What new accounts begin with: as staff said, else as the settings say (unsaved)."""
        return self.filter(pk=1).first() or StartingCaps(
            member_day=settings.CREDITS_PER_DAY or None,
            member_month=settings.CREDITS_PER_MONTH or None,
            pool_month=settings.TEAM_CREDITS_PER_MONTH or None,
        )


def _starting(name: "str | StrPromise") -> "models.PositiveBigIntegerField[int | None, int | None]":
    return models.PositiveBigIntegerField(
        name, null=True, blank=True, validators=[MaxValueValidator(LARGEST_CAP)]
    )


class StartingCaps(models.Model):
    """The caps that the accounts of new people and teams begin with; empty means no cap."""

    member_day = _starting(_("each member, a day"))
    member_month = _starting(_("each member, a month"))
    member_ever = _starting(_("each member, in all"))
    pool_day = _starting(_("a team together, a day"))
    pool_month = _starting(_("a team together, a month"))
    pool_ever = _starting(_("a team together, in all"))

    objects = StartingCapsQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("caps to begin with")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="starting_caps_are_one_row")]

    def __str__(self) -> str:
        return str(_("Caps to begin with"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the one row."""
        self.pk = 1
        super().save(*args, **kwargs)

    def of_a_member(self) -> dict[Window, int | None]:
        """Credits by window."""
        return {
            Window.DAY: self.member_day,
            Window.MONTH: self.member_month,
            Window.EVER: self.member_ever,
        }

    def of_a_pool(self) -> dict[Window, int | None]:
        """Credits by window."""
        return {
            Window.DAY: self.pool_day,
            Window.MONTH: self.pool_month,
            Window.EVER: self.pool_ever,
        }
