"""What the gateway answered, kept for staff without keys, prompts, links or pictures."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.models.generations import Generation

LONGEST_REPLY = 4000  # characters


class Step(models.TextChoices):
    """What was asked."""

    SUBMIT = "submit", _("submit")
    LOOK = "look", _("look")
    ANSWER = "answer", _("answer to a dialog")


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

    class Meta:
        ordering = ["at", "pk"]
        verbose_name_plural = _("kept replies")

    def __str__(self) -> str:
        return f"{self.get_step_display()}, {self.status}"
