"""What a person is told once: that a cap is half, nearly or quite used up."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from generator.models.people import User
from generator.models.quota import QuotaAccount
from generator.models.windows import Window


class Notice(models.Model):
    """Tells one person that a cap is half, nearly or quite used up: once a window, step and cap.

    Of a member's account that is the member, of a pool the owners and admins of the team. `cap` is
    what it allowed then, in credits and without grants: one that allows more tells anew.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    account = models.ForeignKey(QuotaAccount, on_delete=models.CASCADE, related_name="notices")
    window = models.CharField(max_length=5, choices=Window)
    start = models.DateField()
    percent = models.PositiveSmallIntegerField()
    cap = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    mailed_at = models.DateTimeField(null=True)
    # Letters that the mail server did not take, and when the next is tried.
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "account", "window", "start", "percent", "cap"],
                name="one_notice_a_step",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="unsent_notices", condition=Q(mailed_at=None)),
            models.Index(fields=["user"], name="unseen_notices", condition=Q(seen_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.account}, {self.window}"
