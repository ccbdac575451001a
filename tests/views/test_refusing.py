"""What a program is told that asks for JSON: a status, the facts, when to come again (M2)."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from generator.models import Generation, QuotaAccount, Status, Team, User, Window
from tests.make import make_generation, set_cap
from tests.models.test_windows import at

JSON = {"Accept": "application/json"}
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def post(client: Client, team: Team, accept: str = "application/json", **fields: Any) -> Any:
    sent = {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "a teapot", **fields}
    return client.post(reverse("create", args=[team.slug]), sent, headers={"Accept": accept})


def test_a_program_is_refused_with_429_the_facts_and_when_to_come_again(
    maker: Client, team: Team, member: User
) -> None:
    with at(NOON):
        set_cap(team, member, window=Window.DAY, credits=50)
        answer = post(maker, team, count="2")
    assert answer.status_code == 429
    assert answer["Retry-After"] == str(12 * 3600)
    error = answer.json()["error"]
    assert error.pop("message").startswith("You have 50 credits left today, and this needs 80")
    assert error == {
        "type": "quota_exceeded", "window": "day", "needed": 80, "left": 50, "missing": 30,
        "resets_at": "2026-11-22T00:00:00+00:00",
    }  # fmt: skip
    assert not Generation.objects.exists()


def test_in_the_last_moment_it_is_a_second_and_never_nought(
    maker: Client, team: Team, member: User
) -> None:
    with at(datetime(2026, 11, 21, 23, 59, 59, 900_000, tzinfo=UTC)):
        set_cap(team, member, window=Window.DAY, credits=1)
        assert post(maker, team)["Retry-After"] == "1"


def test_a_cap_for_ever_says_no_time(maker: Client, team: Team, member: User) -> None:
    set_cap(team, member, window=Window.EVER, credits=1)
    answer = post(maker, team)
    assert answer.status_code == 429
    assert "Retry-After" not in answer
    assert answer.json()["error"]["resets_at"] is None


def test_again_is_refused_in_the_same_way(maker: Client, team: Team, member: User) -> None:
    generation = make_generation(member, team, status=Status.FAILED)
    QuotaAccount.objects.of(team, member).set_own_cap(Window.MONTH, 40)
    address = reverse("again", args=[team.slug, generation.pk])
    answer = maker.post(address, {"batch": str(uuid.uuid4())}, headers=JSON)
    assert answer.status_code == 429
    assert answer.json()["error"]["left"] == 0
    assert Generation.objects.count() == 1


def test_a_button_that_is_not_offered_is_400(maker: Client, team: Team, member: User) -> None:
    generation = make_generation(member, team)
    answer = maker.post(reverse("press", args=[team.slug, generation.pk]), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "not_offered"


def test_several_models_are_refused_with_their_sum(maker: Client, team: Team, member: User) -> None:
    set_cap(team, member, window=Window.MONTH, credits=100)
    error = post(maker, team, also=["dall-e-2", "gpt-image-2"], count="2").json()["error"]
    assert error["left"] == 100
    assert error["needed"] > 100
    assert error["missing"] == error["needed"] - 100


def test_a_form_that_is_wrong_is_400_with_what_is_wrong_by_field(maker: Client, team: Team) -> None:
    answer = post(maker, team, prompt="", size="no-size")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid"
    assert set(error["fields"]) == {"prompt", "size"}


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/json", "text/html"])
def test_a_browser_is_shown_the_page(maker: Client, team: Team, member: User, accept: str) -> None:
    set_cap(team, member, window=Window.DAY, credits=1)
    answer = post(maker, team, accept)
    assert answer.status_code == 200
    assert "You have 1 credit left today" in answer.content.decode()
