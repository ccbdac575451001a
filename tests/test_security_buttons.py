"""What starts from what was made, held to the same rules: buttons, and what a model remembers.

I1 and A2 (buttons of others, buttons that nobody offered), and money: a button is paid once.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from generator.families import FAMILIES
from generator.models import Generation, Status, Team, User
from tests.giving import send
from tests.living import Studio, living
from tests.make import make_generation, make_user
from tests.scripted import CAP, left

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def maker(member: User) -> Client:
    """The member's browser."""
    browser = Client()
    browser.force_login(member)
    return browser


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with living() as studio:
        yield studio


# ── Buttons ──


@pytest.fixture
def made(studio: Studio, team: Team, member: User) -> Generation:
    """Four pictures of the sandbox's Midjourney, with their buttons."""
    case = FAMILIES["midjourney"], "midjourney", "create"
    made = studio.make(team, member, case, "a teapot")
    assert made.status == Status.SUCCEEDED, made.reason
    return made


def button_of(generation: Generation, label: str) -> str:
    return next(str(row["id"]) for row in generation.buttons if row["label"] == label)


def press(browser: Client, parent: Generation, button: str, batch: str = "") -> Any:
    path = reverse("press", args=[parent.team.slug, parent.pk])
    return browser.post(path, {"button": button, "batch": batch or str(uuid.uuid4())})


def test_a_button_pressed_twice_at_once_is_paid_once(
    studio: Studio, maker: Client, made: Generation
) -> None:
    before, batch = studio.log.paid_calls, str(uuid.uuid4())
    for _ in range(2):
        press(maker, made, button_of(made, "U1"), batch)
    (pressed,) = Generation.objects.filter(parent=made)
    assert studio.carry(pressed).status == Status.SUCCEEDED
    assert studio.log.paid_calls == before + 1
    assert left(pressed) == CAP - made.cost - pressed.price


def test_a_button_whose_task_expired_costs_nothing_and_says_so(
    studio: Studio, maker: Client, made: Generation
) -> None:
    before = studio.log.paid_calls
    studio.sandbox.desk.tasks._kept.clear()
    press(maker, made, button_of(made, "U2"))
    pressed = studio.carry(Generation.objects.get(parent=made))
    assert pressed.status == Status.FAILED
    assert pressed.reason
    assert "MJ::" not in pressed.reason
    assert studio.log.paid_calls == before
    assert left(pressed) == CAP - made.cost


def test_a_button_that_was_never_offered_cannot_be_pressed(
    maker: Client, made: Generation, team: Team, member: User
) -> None:
    other = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, cost=1, task_id="t2",
        buttons=[{"id": "MJ::JOB::other", "label": "U1", "action": "upscale", "asks": ""}],
    )  # fmt: skip
    for forged in ("MJ::JOB::upsample::1::forged", "U1", "", "0", "MJ::JOB::other", SCRIPT):
        press(maker, made, forged)
    sent = {"model": "midjourney", "parent": str(made.pk), "button": "MJ::JOB::other"}
    send(maker, team, **sent)
    failed = make_generation(
        member, team, wire_model="midjourney", status=Status.FAILED, buttons=other.buttons
    )
    press(maker, failed, "MJ::JOB::other")
    # Of another model: what a provider's button does, no other can.
    send(maker, team, model="gpt-image-2", parent=str(other.pk), button="MJ::JOB::other")
    assert not Generation.objects.exclude(parent=None).exists()


def test_a_refusal_in_a_dialog_is_said_as_such_and_costs_nothing(
    studio: Studio, maker: Client, made: Generation, team: Team
) -> None:
    press(maker, made, button_of(made, "U1"))
    one = studio.carry(Generation.objects.get(parent=made))
    before = studio.log.paid_calls
    asking = next(row for row in one.buttons if row["action"] == "zoom" and row["asks"])
    sent = {"model": "midjourney", "parent": str(one.pk), "button": asking["id"]}
    send(maker, team, **sent, prompt="an unspeakable teapot [refuse]")
    zoomed = studio.carry(Generation.objects.get(parent=one))
    assert (zoomed.status, zoomed.reason_code) == (Status.FAILED, "content")
    assert "unspeakable" not in zoomed.reason
    assert left(zoomed) == CAP - made.cost - one.cost
    assert studio.log.paid_calls <= before + 1


# ── What a model remembers ──


def test_what_a_model_remembers_is_behind_no_link_and_of_its_own_team_only(
    studio: Studio, maker: Client, team: Team, member: User
) -> None:
    model = "gemini-3.1-flash-image-preview"
    case = FAMILIES["gemini-3-flash-image"], model, "create"
    first = studio.make(team, member, case, "a teapot")
    assert first.memory
    pages = [
        reverse("studio", args=[team.slug]),
        reverse("card", args=[team.slug, first.pk]),
        reverse("image", args=[team.slug, first.images.get().pk]),
    ]
    for path in pages:
        assert first.memory not in maker.get(path).content.decode()
    other = make_user("else")
    browser = Client()
    browser.force_login(other)
    sent = {"model": model, "action": "edit", "parent": str(first.pk)}
    assert "not here any more" in send(browser, other.personal_team, **sent)
    assert not Generation.objects.exclude(pk=first.pk).exists()
