"""Generations that have ended, on any day: with their images, their failures and their lines."""

import random
from contextlib import nullcontext
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from generator import lifecycle
from generator.lifecycle.ending import fail
from generator.models import Generation, LedgerEntry, QuotaAccount, Status, Team, User
from tests.make import make_generation
from tests.models.test_windows import at
from tests.scripted import ScriptedGateway, images, run


def make_made(
    author: User, team: Team, *, came: int = 1, begun_at: datetime | None = None, **facts: Any
) -> Generation:
    """One that succeeded, with as many images as came, at 40 credits each of gpt-image-2."""
    make_begun(author, team, begun_at, **facts)
    return run(ScriptedGateway(images(came)))


def make_failed(
    author: User, team: Team, *, begun_at: datetime | None = None, **facts: Any
) -> Generation:
    """One that failed and cost nothing."""
    generation = make_begun(author, team, begun_at, status=Status.SUBMITTING, **facts)
    fail(generation, "The provider refused this prompt.", code="content")
    return generation


def make_begun(author: User, team: Team, moment: datetime | None, **facts: Any) -> Generation:
    """One begun at a moment that is over, so that it counts on that day; it ends when it ends."""
    with at(moment) if moment else nullcontext():
        return make_generation(author, team, **facts)


def make_history(seed: int, authors: list[User], team: Team, moments: list[datetime]) -> None:
    """Whatever may happen, in a random order, begun at these moments."""
    chance = random.Random(seed)
    for _ in range(8):
        author, moment = chance.choice(authors), chance.choice(moments)
        model = chance.choice(["gpt-image-2", "gpt-image-1"])
        match chance.randrange(6):
            case 0:
                make_failed(author, team, begun_at=moment, wire_model=model)
            case 1:
                lifecycle.cancel(make_begun(author, team, moment, wire_model=model))
            case 2:
                made = make_made(author, team, begun_at=moment, wire_model=model)
                lifecycle.give_back(made, reason="blurred", by=None)
            case 3:
                with at(moment):
                    QuotaAccount.objects.of(team, author).grant(25, reason="a fair", by=None)
            case _:
                count = chance.randint(1, 3)
                came = chance.randint(1, count)
                make_made(author, team, came=came, begun_at=moment, count=count, wire_model=model)


def written_at(entries: QuerySet[LedgerEntry], moment: datetime, counts_on: date) -> None:
    """Let these lines have been written then, which no code of ours can."""
    QuerySet(LedgerEntry).filter(pk__in=[entry.pk for entry in entries]).update(
        created_at=moment, counts_on=counts_on
    )
