"""Ceilings that come down when a provider is asked too often, and rise again by the clock."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import jobs, lifecycle
from generator.errors import ProviderBusy
from generator.models import Ceiling, Generation, Status, Team, User
from generator.models.ceilings import STUDIO
from generator.models.turns import slow_down
from tests.make import add_member, make_generation, make_user
from tests.scripted import ScriptedGateway, look_again, take

NOW = timezone.now() + timedelta(hours=1)  # later than whatever a long run of tests makes
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _ceilings_of_the_settings(settings: Any) -> None:
    settings.STUDIO_AT_ONCE, settings.PROVIDER_AT_ONCE, settings.MEMBER_AT_ONCE = 20, 20, 8


def under_way(member: User, team: Team, count: int, **facts: Any) -> None:
    """So many generations that a provider has."""
    for n in range(count):
        make_generation(
            member, team, prompt=f"under way {n}", status=Status.RUNNING, claimed_by="", **facts
        )


def holds(maker: str, *, after: timedelta = timedelta(0), **most: int) -> tuple[int, int, int]:
    """What holds then: of that provider, of the studio, of each member."""
    limits = {"studio": 20, "member": 8, "provider": 20, **most}
    ceilings = Ceiling.objects.at(NOW + after, **limits)
    return ceilings.of(maker), ceilings.studio, ceilings.member


def started(now: datetime, **ceilings: int) -> int:
    """How many may start, one after the other."""
    limits = {"member_at_once": 8, "studio_at_once": 20, "provider_at_once": 20, **ceilings}
    return sum(take(now=now, **limits) is not None for _ in range(30))  # type: ignore[arg-type]


def test_nothing_is_lowered_until_somebody_says_so(team: Team) -> None:
    assert holds("OpenAI") == (20, 20, 8)


def test_a_provider_keeps_half_of_what_it_has_and_the_studio_three_quarters_of_its_own(
    team: Team, member: User
) -> None:
    under_way(member, team, 10)
    slow_down("OpenAI", now=NOW)
    assert holds("OpenAI") == (5, 15, 6)


def test_another_provider_keeps_its_own(team: Team, member: User) -> None:
    under_way(member, team, 4)
    slow_down("OpenAI", now=NOW)
    assert holds("Qwen")[0] == 20


def test_only_what_that_provider_has_is_halved(team: Team, member: User) -> None:
    under_way(member, team, 6)
    under_way(member, team, 2, wire_model="qwen-image")
    slow_down("Qwen", now=NOW)
    assert holds("Qwen")[0] == 1


@pytest.mark.parametrize("count", [0, 1])
def test_no_ceiling_is_ever_below_one(team: Team, member: User, count: int) -> None:
    under_way(member, team, count)
    for n in range(40):
        slow_down("OpenAI", now=NOW + n * timedelta(seconds=11) - timedelta(hours=1))
    assert min(Ceiling.objects.values_list("at_once", flat=True)) == 1
    for n in range(40):
        slow_down("OpenAI", now=NOW - timedelta(seconds=11 * (40 - n)))
    assert min(holds("OpenAI")) >= 1


def test_a_small_studio_keeps_a_place_for_each_member(team: Team) -> None:
    Ceiling.objects.create(name=STUDIO, at_once=1, changed_at=NOW)
    assert holds("OpenAI") == (20, 1, 1)


def test_calls_that_are_turned_away_together_count_once(team: Team, member: User) -> None:
    under_way(member, team, 16)
    for n in range(9):
        slow_down("OpenAI", now=NOW + timedelta(seconds=n))
    assert holds("OpenAI", after=timedelta(seconds=9)) == (8, 15, 6)


def test_one_that_is_turned_away_later_counts_again(team: Team, member: User) -> None:
    under_way(member, team, 16)
    slow_down("OpenAI", now=NOW)
    Generation.objects.filter(pk__in=Generation.objects.values("pk")[:10]).update(
        status=Status.FAILED
    )
    slow_down("OpenAI", now=NOW + timedelta(seconds=10))
    assert holds("OpenAI", after=timedelta(seconds=10)) == (3, 11, 4)


def test_a_ceiling_that_is_lowered_again_never_rises_by_it(team: Team, member: User) -> None:
    """Long tasks of before are still under way, more than the ceiling allows by now."""
    Ceiling.objects.create(name="OpenAI", at_once=2, changed_at=NOW - timedelta(seconds=30))
    under_way(member, team, 16)
    slow_down("OpenAI", now=NOW)
    assert holds("OpenAI")[0] == 2


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(seconds=59), (5, 15, 6)),
        (MINUTE, (6, 16, 6)),
        (3 * MINUTE, (8, 18, 7)),
        (5 * MINUTE, (10, 20, 8)),
        (15 * MINUTE, (20, 20, 8)),
        (timedelta(days=1), (20, 20, 8)),
        (-timedelta(hours=1), (5, 15, 6)),  # a clock that was set back
    ],
)
def test_every_ceiling_rises_by_one_a_minute_up_to_the_settings(
    team: Team, member: User, after: timedelta, expected: tuple[int, int, int]
) -> None:
    under_way(member, team, 10)
    slow_down("OpenAI", now=NOW)
    assert holds("OpenAI", after=after) == expected


def test_a_setting_that_was_made_smaller_since_counts(team: Team, member: User) -> None:
    under_way(member, team, 10)
    slow_down("OpenAI", now=NOW)
    assert holds("OpenAI", studio=3, member=2, provider=2) == (2, 3, 2)


def test_nothing_starts_above_a_lowered_ceiling_until_the_clock_has_raised_it(
    team: Team, member: User
) -> None:
    for n in range(6):
        make_generation(member, team, prompt=f"waits {n}")
    Ceiling.objects.create(name="OpenAI", at_once=2, changed_at=NOW + MINUTE)
    now = NOW + MINUTE
    assert started(now) == 2
    assert started(now + timedelta(seconds=59)) == 0
    assert started(now + MINUTE) == 1
    assert started(now + 3 * MINUTE) == 2


def test_a_lowered_provider_does_not_hold_up_another(team: Team, member: User) -> None:
    Ceiling.objects.create(name="OpenAI", at_once=1, changed_at=NOW + MINUTE)
    for n in range(3):
        make_generation(member, team, prompt=f"waits {n}")
    qwen = make_generation(member, team, prompt="another", wire_model="qwen-image")
    assert started(NOW + MINUTE) == 2
    qwen.refresh_from_db()
    assert qwen.status == Status.SUBMITTING


def test_what_is_being_stored_takes_no_place_at_a_provider(team: Team, member: User) -> None:
    Ceiling.objects.create(name="OpenAI", at_once=1, changed_at=NOW + MINUTE)
    for n in range(3):
        make_generation(member, team, prompt=f"half an image {n}", status=Status.STORING)
    make_generation(member, team, prompt="waits")
    assert started(NOW + MINUTE) == 1


def test_what_is_being_stored_is_not_counted_when_a_provider_asks_for_less(
    team: Team, member: User
) -> None:
    under_way(member, team, 8)
    for n in range(6):
        make_generation(member, team, prompt=f"half an image {n}", status=Status.STORING)
    slow_down("OpenAI", now=NOW)
    assert holds("OpenAI")[0] == 4


def test_what_little_is_left_is_still_shared_out_fairly(team: Team, member: User) -> None:
    other = make_user()
    add_member(team, other)
    for n in range(8):
        make_generation(member, team, prompt=f"mine {n}")
    make_generation(other, team, prompt="theirs")
    make_generation(other, team, prompt="theirs too")
    Ceiling.objects.create(name=STUDIO, at_once=5, changed_at=NOW + MINUTE)
    assert started(NOW + MINUTE) == 4  # two of each: a member's ceiling is 8 of 20, so 2 of 5
    busy = Generation.objects.under_way().values_list("author", flat=True)
    assert sorted(busy) == sorted([member.pk, member.pk, other.pk, other.pk])


def test_two_workers_together_stay_below_a_lowered_ceiling(team: Team, member: User) -> None:
    Ceiling.objects.create(name="OpenAI", at_once=3, changed_at=NOW + MINUTE)
    for n in range(6):
        make_generation(member, team, prompt=f"waits {n}")
    workers = [take(worker=f"w{n % 2}", now=NOW + MINUTE) for n in range(6)]  # type: ignore[arg-type]
    assert sum(generation is not None for generation in workers) == 3
    assert {generation.claimed_by for generation in workers if generation} == {"w0", "w1"}


@pytest.mark.django_db(transaction=True)
def test_workers_that_are_turned_away_at_the_same_moment_lower_once_and_none_starts_above() -> None:
    member = make_user()
    team = member.personal_team
    under_way(member, team, 6)
    for n in range(6):
        make_generation(member, team, prompt=f"waits {n}")
    together = threading.Barrier(8)
    started: list[Generation] = []

    def turned_away_then_next() -> None:
        connection.ensure_connection()
        together.wait()
        slow_down("OpenAI", now=NOW + MINUTE)
        if generation := take(now=NOW + MINUTE):  # type: ignore[arg-type]
            started.append(generation)
        connection.close()

    threads = [threading.Thread(target=turned_away_then_next) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert holds("OpenAI", after=MINUTE) == (3, 15, 6)
    assert started == []


# ── From the wire to the ceiling ──


def test_a_call_that_is_turned_away_for_their_number_lowers_the_ceilings_and_waits(
    team: Team, member: User
) -> None:
    under_way(member, team, 5)
    generation = make_generation(member, team)
    taken = take()
    assert taken == generation
    gateway = ScriptedGateway(ProviderBusy("Busy.", is_limit=True, retry_after=20))
    lifecycle.submit(taken, gateway)  # type: ignore[arg-type]
    taken.refresh_from_db()
    assert (taken.status, taken.note) == (Status.QUEUED, "limit")
    assert Ceiling.objects.get(name="OpenAI").at_once == 3
    assert Ceiling.objects.get(name=STUDIO).at_once == 15


def test_a_mere_failure_lowers_nothing(team: Team, member: User) -> None:
    make_generation(member, team)
    taken = take()
    assert taken
    lifecycle.submit(taken, ScriptedGateway(ProviderBusy("Busy.")))  # type: ignore[arg-type]
    taken.refresh_from_db()
    assert (taken.status, taken.note) == (Status.QUEUED, "busy")
    assert not Ceiling.objects.exists()


def test_a_look_that_is_turned_away_lowers_the_ceilings_too(team: Team, member: User) -> None:
    generation = make_generation(
        member, team, wire_model="flux-2-pro", status=Status.RUNNING, task_id="t1",
        started_at=timezone.now(),
    )  # fmt: skip
    look_again(generation, ScriptedGateway(ProviderBusy("Busy.", is_limit=True)))
    assert Ceiling.objects.filter(name=generation.provider, at_once=1).exists()


def test_the_sweep_sends_no_more_starts_than_a_lowered_studio_has_room_for(
    team: Team, member: User, queue: Any
) -> None:
    Ceiling.objects.create(name=STUDIO, at_once=2, changed_at=timezone.now())
    for n in range(5):
        make_generation(member, team, prompt=f"waits {n}")
    jobs.sweep()
    assert queue.sent.count(("start_next", ())) == 2


def test_a_card_says_that_the_provider_asks_for_fewer_calls(
    team: Team, member: User, client: Client
) -> None:
    generation = make_generation(member, team, note="limit")
    client.force_login(member)
    page = client.get(reverse("card", args=[team.slug, generation.pk])).content.decode()
    assert "The provider asks for fewer calls at once" in page
