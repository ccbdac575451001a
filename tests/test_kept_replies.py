"""What the gateway answered is kept for staff: what helps, never what is secret, not for ever."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core import serializers
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import jobs, lifecycle
from generator.models import Generation, KeptReply, Status, Step, Team, User
from generator.models.replies import KEPT_FOR
from generator.providers.gateway import Gateway
from generator.sandbox.trouble import WORDS
from tests.conftest import FakeQueue
from tests.living import CASES, KEY, Studio, living
from tests.make import make_generation, make_user
from tests.scripted import look_again, run

pytestmark = pytest.mark.django_db

ODD = 'Ein "quorblezint"\n\tvexomandril <b>zwirbeltrauf</b> & C:\\temp 100 % 🫖 \'{"a": 1}\''
TELLING = ("quorblezint", "vexomandril", "zwirbeltrauf")
# One that answers with images, one with a task, one with a task that speaks of the prompt.
SYSTEMS = ("openai_images create", "flux create", "midjourney create")
# These take gigabytes or minutes; what is fetched from a link is nothing of the gateway's answer.
TOO_LONG = {"endless", "drip", "bomb", "half"}


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with living() as studio:
        yield studio


@pytest.mark.parametrize("name", SYSTEMS)
def test_no_trouble_brings_key_or_prompt_anywhere_but_onto_the_generation_s_own_page(
    studio: Studio, team: Team, member: User, queue: Any, caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    made = [in_trouble(studio, team, member, name, word) for word in sorted(WORDS - TOO_LONG)]
    kept = KeptReply.objects.all()
    assert {reply.generation for reply in kept} == set(made)
    ours = [record for record in caplog.records if record.name != "django.db.backends"]
    told = [
        serializers.serialize("json", kept), json.dumps(queue.sent),
        *(record.getMessage() for record in ours), *admin_pages(made[::6]),
    ]  # fmt: skip
    for text in told:
        assert KEY not in text
        for part in TELLING:
            assert part not in text.lower()


def in_trouble(studio: Studio, team: Team, member: User, name: str, word: str) -> Generation:
    """One that met this trouble, and is over or was looked at a few times."""
    generation = studio.begin(team, member, CASES[name], f"{ODD} [{word}]")
    generation = studio.carry(generation, looks=0)
    if generation.status == Status.QUEUED:
        lifecycle.cancel(generation)
    for _ in range(4):
        if not generation.is_final:
            studio.clock.sleep(generation.takes.poll_every)
            generation = look_again(generation, studio.gateway)  # type: ignore[arg-type]
    Generation.objects.unfinished().update(status=Status.CANCELLED)
    return generation


def admin_pages(made: list[Generation]) -> Iterator[str]:
    """The lists, and of each generation's page what stands beside its own prompt."""
    browser = Client()
    browser.force_login(make_user("staff", is_staff=True, is_superuser=True))
    for name in ("generation", "ledgerentry", "imageasset"):
        yield browser.get(reverse(f"admin:generator_{name}_changelist")).content.decode()
    for generation in made:
        there = reverse("admin:generator_generation_change", args=[generation.pk])
        Generation.objects.filter(pk=generation.pk).update(prompt="", used={}, texts=[])
        yield browser.get(there).content.decode()


def test_a_paid_call_s_answer_is_kept_with_what_explains_it(
    studio: Studio, team: Team, member: User
) -> None:
    case = CASES["openai_images create"]
    refused = studio.make(team, member, case, "a heron [refuse]").replies.get()
    assert (refused.step, refused.status) == (Step.SUBMIT, 400)
    assert refused.request_id
    assert "safety" in refused.text
    made = studio.make(team, member, case, "a heron").replies.get()
    assert (made.step, made.status) == (Step.SUBMIT, 200)
    assert "characters" in made.text
    assert made.seconds >= 0


def test_of_looks_only_the_last_is_kept_and_the_first_of_those_that_went_wrong(
    studio: Studio, team: Team, member: User
) -> None:
    done = studio.make(team, member, CASES["flux create"], "a heron")
    assert [reply.step for reply in done.replies.all()] == [Step.SUBMIT, Step.LOOK]
    gone = studio.begin(team, member, CASES["flux create"], "a heron [gone]")
    gone = studio.carry(gone, looks=6)
    looks = [reply.status for reply in gone.replies.filter(step=Step.LOOK)]
    assert len(looks) <= 2


def test_a_gateway_that_repeats_what_it_was_asked_brings_nothing_of_it_into_what_is_kept(
    team: Team, member: User
) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        said = (
            f"{asked['prompt']} / {asked['negative_prompt']} / {request.headers['authorization']}"
        )
        assert len(said) < 300  # or it would be told by its length
        return httpx.Response(400, json={"error": {"message": said, "code": "blocked"}})

    asked = {"fields": {"negative_prompt": "harkelstoff"}, "wire_model": "kling-v2"}
    make_generation(member, team, prompt=ODD, **asked)
    generation = run(Gateway("http://g", key=KEY, transport=httpx.MockTransport(echo)))  # type: ignore[arg-type]
    kept = generation.replies.get().text
    assert "blocked" in kept
    for word in (*TELLING, "harkelstoff", KEY):
        assert word not in kept


def test_that_no_answer_came_is_kept_too(team: Team, member: User) -> None:
    make_generation(member, team)
    nobody = Gateway("http://127.0.0.1:9", key=KEY)
    generation = run(nobody)  # type: ignore[arg-type]
    nobody.close()
    reply = generation.replies.get()
    assert (reply.status, reply.step) == (0, Step.SUBMIT)
    assert reply.text.startswith("No answer came")


def test_an_image_is_not_lost_where_the_answer_cannot_be_kept(
    studio: Studio, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**facts: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(KeptReply.objects, "create", refuse)
    generation = studio.make(team, member, CASES["openai_images create"], "a heron")
    assert generation.status == Status.SUCCEEDED
    assert generation.images.count() == 1
    assert not KeptReply.objects.exists()


# ── Their end ──


def keep(generation: Generation, age: timedelta, count: int = 1) -> None:
    KeptReply.objects.bulk_create(
        KeptReply(
            generation=generation, step=Step.LOOK, status=500, seconds=1, at=timezone.now() - age
        )
        for _ in range(count)
    )


def test_answers_go_after_thirty_days_a_bite_at_a_time(
    member: User, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "REPLIES_AT_ONCE", 3)
    generation = make_generation(member)
    keep(generation, KEPT_FOR + timedelta(hours=1), count=5)
    keep(generation, KEPT_FOR - timedelta(hours=1))
    jobs.daily()
    assert ("forget_replies", ()) in queue.sent
    queue.sent.clear()
    jobs.forget_replies()
    assert KeptReply.objects.count() == 3
    assert queue.sent == [("forget_replies", ())]
    jobs.forget_replies()
    assert KeptReply.objects.count() == 1
    assert queue.sent == [("forget_replies", ())]
