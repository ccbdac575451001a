"""What was made and what it cost, added up by day, so that no page has to count lines.

The ledger stays the truth: `check_ledger` proves these sums against it.
"""

from datetime import date

from django.db import models
from django.db.models import F

from generator.models.generations import Action, Generation
from generator.models.people import Team, User


class UsageTotalQuerySet(models.QuerySet["UsageTotal"]):
    """Sums, added to as generations end."""

    def add(
        self,
        generation: Generation,
        *,
        day: date,
        credits: int,
        images: int = 0,
        generations: int = 0,
        failures: int = 0,
    ) -> None:
        """Add to the sums of this generation's author, model and action on the day it counts on.

        Must run with the team's pool locked, which is what keeps two from making the row.
        """
        mine = self.filter(
            team=generation.team_id,
            author=generation.author_id,
            day=day,
            wire_model=generation.wire_model,
            action=generation.action,
        )
        more = {
            "credits": credits,
            "images": images,
            "generations": generations,
            "failures": failures,
        }
        if mine.update(**{name: F(name) + count for name, count in more.items()}):
            return
        self.create(
            team_id=generation.team_id,
            author_id=generation.author_id,
            day=day,
            wire_model=generation.wire_model,
            label=generation.label,
            provider=generation.provider,
            action=generation.action,
            **more,
        )


class UsageTotal(models.Model):
    """What one author made in one team on one day with one model by one action.

    `generations` are those that ended, done or failed; cancelled ones are no use. `credits` are
    what they cost; failures cost nothing. The day is that of the reservation, by the team's
    calendar.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="usage")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="usage")
    day = models.DateField()
    wire_model = models.CharField(max_length=120)
    label = models.CharField(max_length=120)
    provider = models.CharField(max_length=60)
    action = models.CharField(max_length=24, choices=Action)
    generations = models.PositiveIntegerField(default=0)
    images = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    credits = models.BigIntegerField(default=0)

    objects = UsageTotalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "author", "day", "wire_model", "action"], name="one_total_a_use"
            ),
        ]
        indexes = [
            models.Index(fields=["day"], name="usage_by_day"),
            models.Index(fields=["team", "day"], name="usage_of_a_team"),
            models.Index(fields=["author", "day"], name="usage_of_an_author"),
        ]

    def __str__(self) -> str:
        return f"{self.label} on {self.day}"
