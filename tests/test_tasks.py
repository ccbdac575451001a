"""Tasks and dialogs: what is paid is followed to its end, and never paid twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from generator import lifecycle
from generator.errors import (
    BadReply,
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
    TaskUnknown,
)
from generator.families import FAMILIES
from generator.models import Generation, Status, Team, User
from generator.models.storage import spool
from generator.providers.base import (
    Dialog,
    Pending,
)
from tests.make import (
    make_generation,
)
from tests.scripted import CAP, ScriptedGateway, age, images, left, look_again, run, take

pytestmark = pytest.mark.django_db


def imagined(member: User, team: Team, **facts: Any) -> Generation:
    return make_generation(member, team, wire_model="midjourney", **facts)


# ── Tasks ──


def test_a_task_is_looked_at_until_it_is_done(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Pending("t1", note="in line", progress=31), images())
    generation = run(gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")
    generation = look_again(generation, gateway)
    assert (generation.note, generation.progress) == ("in line", 31)
    assert look_again(generation, gateway).status == Status.SUCCEEDED
    assert gateway.polled == ["t1", "t1"]
    assert len(gateway.submitted) == 1


def test_a_task_not_known_yet_is_borne_for_the_grace_of_its_family(
    team: Team, member: User
) -> None:
    make_generation(member, team, wire_model="flux-2-pro")
    unknown = TaskUnknown("The provider does not know this task.")
    gateway = ScriptedGateway(Pending("t1"), unknown, unknown, unknown)
    generation = run(gateway)
    for _ in range(3):
        generation = look_again(generation, gateway)
        assert generation.status == Status.RUNNING


def test_a_task_not_known_later_is_asked_for_once_more_and_then_given_up(
    team: Team, member: User
) -> None:
    make_generation(member, team, wire_model="flux-2-pro")
    unknown = TaskUnknown("The provider does not know this task.")
    gateway = ScriptedGateway(Pending("t1"), unknown, unknown)
    generation = run(gateway)
    age(generation, FAMILIES["flux-2"].grace + 60)
    assert look_again(generation, gateway).status == Status.RUNNING
    generation = look_again(generation, gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "gone")
    assert left(generation) == CAP


def test_a_word_that_nobody_knows_is_bounded_by_the_deadline(team: Team, member: User) -> None:
    generation = imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), *[Pending("t1", note="PONDERING")] * 2)
    generation = run(gateway)
    assert look_again(generation, gateway).note == "PONDERING"
    age(generation, generation.rule.deadline + 1)
    generation = look_again(generation, gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "late")
    assert left(generation) == CAP


def test_what_a_task_takes_is_kept_and_its_end_may_say_it_anew(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="flux-2-pro")
    taken = Pending("t1", usage={"cost": 3.0, "output_mp": 1.05})
    gateway = ScriptedGateway(taken, Pending("t1"), images(usage={"cost": 4.5, "duration": 7}))
    generation = run(gateway)
    assert generation.usage == {"cost": 3.0, "output_mp": 1.05}
    assert look_again(generation, gateway).usage == {"cost": 3.0, "output_mp": 1.05}
    generation = look_again(generation, gateway)
    assert generation.usage == {"cost": 4.5, "output_mp": 1.05, "duration": 7}


def test_an_endless_task_id_is_no_task_id(team: Team, member: User) -> None:
    imagined(member, team)
    generation = run(ScriptedGateway(Pending("x" * 201)))
    assert (generation.status, generation.reason_code) == (Status.FAILED, "unreadable")


# ── Dialogs ──


def test_a_dialog_is_answered_once_and_its_new_task_is_followed(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), Pending("t2"), images())
    generation = run(gateway)
    generation = look_again(generation, gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t2")
    assert [task_id for task_id, _brief in gateway.answered] == ["t1"]
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_a_dialog_that_stays_open_for_a_moment_is_not_answered_twice(
    team: Team, member: User
) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), Pending("t1"), Dialog("t1"), images())
    generation = run(gateway)
    for _ in range(3):
        generation = look_again(generation, gateway)
    assert generation.status == Status.SUCCEEDED
    assert len(gateway.answered) == 1


def test_an_answer_that_came_to_nothing_for_sure_is_given_again(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(
        Pending("t1"), Dialog("t1"), ProviderBusy("busy"), Dialog("t1"), Pending("t2")
    )
    generation = look_again(run(gateway), gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")
    assert look_again(generation, gateway).task_id == "t2"
    assert len(gateway.submitted) == 1


def test_an_answer_that_nobody_knows_of_is_never_given_again(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), ProviderSilent("no answer"))
    generation = look_again(run(gateway), gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "silent")
    assert left(generation) == CAP


def test_a_refused_answer_to_a_dialog_gives_the_credits_back(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), RequestRefused("No mask was given."))
    generation = look_again(run(gateway), gateway)
    assert (generation.status, generation.reason) == (Status.FAILED, "No mask was given.")
    assert left(generation) == CAP


def test_a_dialog_without_an_adapter_for_it_is_our_bug_and_costs_nothing() -> None:
    assert set(lifecycle.steps.providers.DIALOG_ADAPTERS) <= set(
        lifecycle.steps.providers.POLLING_ADAPTERS
    )


# ── Looks, leases and stumbles ──


def test_waiting_before_the_paid_call_is_no_part_of_what_the_model_may_take(
    team: Team, member: User
) -> None:
    generation = imagined(member, team)
    busy = ProviderBusy("busy", retry_after=3000)
    gateway = ScriptedGateway(busy, Pending("t1"), Pending("t1", progress=10))
    generation = run(gateway)
    age(generation, 3000)
    Generation.objects.update(due_at=timezone.now())
    generation = run(gateway)
    assert look_again(generation, gateway).status == Status.RUNNING


@pytest.mark.parametrize(
    "spoilt",
    [BadReply("unreadable"), RequestRefused("no such page", is_of_the_call=True)],
    ids=["unreadable", "refused by its status"],
)
def test_a_look_that_fails_says_nothing_of_the_task(
    team: Team, member: User, spoilt: ProviderError
) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), spoilt, images())
    generation = look_again(run(gateway), gateway)
    assert generation.status == Status.RUNNING
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_looks_that_go_on_failing_end_at_the_deadline(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), BadReply("The answer could not be read."))
    generation = run(gateway)
    age(generation, generation.rule.deadline + 1)
    generation = look_again(generation, gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "unreadable")
    assert left(generation) == CAP


def test_what_the_task_itself_says_is_its_end(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), ContentRefused("The safety rules refused it."))
    assert look_again(run(gateway), gateway).status == Status.FAILED


def test_the_id_of_a_paid_task_outlives_a_database_that_is_away(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), images())
    moves = Generation.move_to

    def away(self: Generation, status: Status, **facts: Any) -> None:
        if status == Status.RUNNING:
            raise OSError("the database is away")
        moves(self, status, **facts)

    with monkeypatch.context() as broken:
        broken.setattr(Generation, "move_to", away)
        generation = take() or generation
        with pytest.raises(OSError, match="away"):
            lifecycle.submit(generation, gateway)  # type: ignore[arg-type]
        lifecycle.stumble(generation, OSError())
    generation = look_again(generation, gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")
    assert look_again(generation, gateway).status == Status.SUCCEEDED
    assert len(gateway.submitted) == 1


def test_a_worker_that_dies_with_a_task_in_hand_leaves_its_id(team: Team, member: User) -> None:
    generation = imagined(member, team)
    generation = take("dead") or generation
    spool().put(generation.pk, [], {"task_id": "t1", "usage": {}})
    gateway = ScriptedGateway(images())
    generation = look_again(generation, gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")


def test_the_lease_of_a_paid_call_begins_when_its_images_are_ready(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = make_generation(member, team)
    gateway = ScriptedGateway(images())
    slow = timezone.now() + timedelta(minutes=5)
    leases: list[Any] = []
    gateway.during = lambda: leases.append(Generation.objects.get().due_at)
    generation = take() or generation
    monkeypatch.setattr("generator.lifecycle.steps.timezone.now", lambda: slow)
    lifecycle.submit(generation, gateway)  # type: ignore[arg-type]
    assert leases[0] > slow + timedelta(seconds=generation.rule.deadline)


def test_a_step_that_always_stumbles_ends_and_gives_the_credits_back(
    team: Team, member: User
) -> None:
    generation = imagined(member, team)
    generation = run(ScriptedGateway(Pending("t1")))
    for _ in range(lifecycle.steps.MOST_STUMBLES + 1):
        assert generation.status == Status.RUNNING
        lifecycle.stumble(generation, OSError())
        generation.refresh_from_db()
    assert (generation.status, generation.reason_code) == (Status.FAILED, "bug")
    assert left(generation) == CAP


def test_a_look_waits_a_minute_at_most_whatever_is_asked_for(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), ProviderBusy("busy", retry_after=3600))
    generation = look_again(run(gateway), gateway)
    assert generation.due_at < timezone.now() + timedelta(seconds=61)
