"""What was made before there were sums by day is added up as it is since, and once."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from generator import books, lifecycle
from generator.models import Team, UsageTotal, User
from tests.make import add_member, make_user
from tests.spent import make_history, make_made

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
DAYS = [NOW - timedelta(days=back) for back in (0, 1, 7, 45)]
SO_FAR = import_module("generator.migrations.0006_usage_so_far")


def sums() -> list[tuple[object, ...]]:
    rows = UsageTotal.objects.values_list(
        "team", "author", "day", "wire_model", "label", "provider", "action", "generations",
        "images", "failures", "credits",
    )  # fmt: skip
    return sorted(rows, key=str)


@pytest.mark.parametrize("seed", range(3))
def test_it_comes_to_what_is_added_up_since_however_often_it_runs(
    team: Team, member: User, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SO_FAR, "AT_ONCE", 2)
    mate = make_user()
    add_member(team, mate)
    make_history(seed, [member, mate], team, DAYS)
    lifecycle.give_back(make_made(member, team, came=2, count=2), reason="blurred", by=None)
    make_made(member, team)
    before = sums()
    UsageTotal.objects.all().delete()
    for _ in range(2):
        SO_FAR.add_up(apps, None)
        assert sums() == before
    assert books.prove() == []


def test_sums_that_are_there_are_left_alone(team: Team, member: User) -> None:
    made = make_made(member, team, came=2, count=2)
    before = sums()
    made.images.all().delete()
    SO_FAR.add_up(apps, None)
    assert sums() == before
