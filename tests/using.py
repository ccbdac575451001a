"""Sums of use, put down as generations that ended would have."""

from datetime import date

from generator.models import Team, UsageTotal, User


def make_use(
    author: User, team: Team, day: date, *, credits: int = 40, images: int = 1,
    generations: int = 1, failures: int = 0, wire_model: str = "gpt-image-2",
    label: str = "GPT Image 2", action: str = "create",
) -> UsageTotal:  # fmt: skip
    """What this author made in this team on this day with this model."""
    return UsageTotal.objects.create(
        author=author, team=team, day=day, credits=credits, images=images,
        generations=generations, failures=failures, wire_model=wire_model, label=label,
        provider="openai", action=action,
    )  # fmt: skip
