"""What the gateway answered, kept for staff without keys, prompts, links or pictures."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.models.generations import Generation

KEPT_FOR = timedelta(days=30)


class Step(models.TextChoices):
    """What was asked."""

    SUBMIT = "submit", _("submit")
    LOOK = "look", _("look")
    ANSWER = "answer", _("answer to a dialog")


class KeptReplyQuerySet(models.QuerySet["KeptReply"]):
    """Kept replies, and when they go."""

    def forget(self, *, at_most: int) -> int:
        """Delete the oldest of those that are older than KEPT_FOR, and say how many went."""
        old = self.filter(at__lt=timezone.now() - KEPT_FOR).order_by("at")
        return self.filter(pk__in=list(old.values_list("pk", flat=True)[:at_most])).delete()[0]


class KeptReply(models.Model):
    """One reply to a generation's call, as `providers.redacting` leaves it.

    `status` is of HTTP, 0 where none came; `seconds` is how long it took.
    """

    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="replies")
    step = models.CharField(_("step"), max_length=8, choices=Step)
    status = models.PositiveSmallIntegerField(_("status"))
    seconds = models.FloatField(_("seconds"))
    request_id = models.CharField(_("request id"), max_length=120, blank=True)
    text = models.TextField(_("what it said"), blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)

    objects = KeptReplyQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        verbose_name_plural = _("kept replies")

    def __str__(self) -> str:
        return f"{self.get_step_display()}, {self.status}"
