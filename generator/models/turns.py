"""Whose turn it is: the next generation to start, and how many may be under way."""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from generator.families import FAMILIES
from generator.models.ceilings import Ceiling
from generator.models.clock import Lock
from generator.models.generations import AT_THE_PROVIDER, Generation, Status


@transaction.atomic
def take_next(
    *, worker: str, lease_margin: timedelta, member_at_once: int, studio_at_once: int,
    provider_at_once: int, now: datetime | None = None,
) -> Generation | None:  # fmt: skip
    """Move the next generation in fair order to *submitting*, claimed by `worker`.

    The oldest that waits, of the author who has fewest under way, below all three ceilings and
    what has been lowered of them; None if there is none. Runs under a lock, so two workers never
    pass a ceiling together.
    """
    Lock.objects.hold("start")
    now = now or timezone.now()
    ceilings = Ceiling.objects.at(
        now, studio=studio_at_once, member=member_at_once, provider=provider_at_once
    )
    busy = list(Generation.objects.under_way().values_list("author_id", "provider", "status"))
    if len(busy) >= ceilings.studio:
        return None
    providers = Counter(provider for _author, provider, status in busy if status in AT_THE_PROVIDER)
    full_providers = [name for name, held in providers.items() if held >= ceilings.of(name)]
    waiting = Generation.objects.startable(now).exclude(provider__in=full_providers)
    authors = Counter(author for author, _provider, _status in busy)
    full = [author for author, held in authors.items() if held >= ceilings.member]
    first = list(
        waiting.exclude(author__in=full)
        .values("author")
        .annotate(oldest=models.Min("created_at"))
        .values_list("oldest", "author")
    )
    if not first:
        return None
    _oldest, author = min(first, key=lambda row: (authors.get(row[1], 0), row[0]))
    generation = waiting.filter(author=author).order_by("created_at", "pk").first()
    if generation is None:
        return None
    generation.move_to(
        Status.SUBMITTING,
        attempts=generation.attempts + 1,
        # Of this attempt: what was waited for before it is no part of what the model takes.
        started_at=now,
        claimed_by=worker,
        note="",
        due_at=now + timedelta(seconds=_deadline(generation)) + lease_margin,
    )
    return generation


@transaction.atomic
def slow_down(provider: str, *, now: datetime | None = None) -> None:
    """A provider said that it is asked too often: let fewer be under way for a while.

    Under the lock of starts, so that no worker starts by the old ceiling meanwhile.
    """
    Lock.objects.hold("start")
    Ceiling.objects.lower(
        provider,
        under_way=Generation.objects.at_the_provider().filter(provider=provider).count(),
        studio=settings.STUDIO_AT_ONCE,
        provider_most=settings.PROVIDER_AT_ONCE,
        now=now or timezone.now(),
    )


def _deadline(generation: Generation) -> float:
    # Of a family that a newer release has dropped: the step that follows says so, in words.
    family = FAMILIES.get(generation.family)
    rule = family.actions.get(generation.action) if family else None
    return rule.deadline if rule else 600.0
