"""Bria in the sandbox: every word of trouble, in the words of its own system."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from generator.sandbox import Log
from tests.sandbox.bria.conftest import HEADERS, Say, base64_of, error, mask, picture
from tests.sandbox.conftest import Clock


def test_a_refusal_is_in_brias_own_words(draw: Say, edit: Say, log: Log) -> None:
    replies = [
        draw(prompt="[refuse]"),
        draw("text-to-vector", "[refuse]"),
        edit(prompt="[refuse]"),
    ]
    for reply in replies:
        assert error(reply) == (422, "The prompt did not pass content moderation.")
    assert log.paid_calls == 0


@pytest.mark.parametrize("path", ["text-to-image", "text-to-vector"])
def test_images_may_be_blocked_one_by_one(draw: Say, log: Log, path: str) -> None:
    members = draw(path, "[partly]", num_results=4).json()["result"]
    assert [bool(member.get("blocked")) for member in members] == [False, True, False, True]
    paid = float(log.used)
    assert paid == pytest.approx(0.08 if path == "text-to-image" else 0.12)
    members = draw(path, "[withheld]", num_results=2).json()["result"]
    assert all(member["blocked"] and "urls" not in member for member in members)
    assert draw(path, "[empty]").json() == {"result": []}
    assert float(log.used) == paid


@pytest.mark.parametrize(
    ("word", "status"), [("stuck", "IN_PROGRESS"), ("odd", "RENDERING"), ("gone", None)]
)
def test_a_task_that_is_never_over(
    edit: Say, look: Callable[[str], httpx.Response], clock: Clock, word: str, status: str | None
) -> None:
    id = edit(prompt=f"[{word}]").json()["request_id"]
    clock.sleep(10_000)
    reply = look(id)
    assert reply.json().get("status") == status
    assert reply.status_code == (404 if word == "gone" else 200)


@pytest.mark.parametrize("word", ["stuck", "odd", "gone"])
def test_a_drawing_that_never_comes(
    client: httpx.Client, draw: Say, clock: Clock, word: str
) -> None:
    link = draw("text-to-vector", f"[{word}]").json()["result"][0]["urls"][0]
    clock.sleep(3000)
    assert client.get(link).status_code == 404


def test_a_task_may_not_be_known_at_first(
    edit: Say, look: Callable[[str], httpx.Response], clock: Clock
) -> None:
    id = edit(prompt="[lag]").json()["request_id"]
    clock.sleep(10)
    assert [look(id).status_code for _ in range(2)] == [404, 200]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("fail", "Internal error while processing the image"),
        ("withheld", "The result did not pass content moderation"),
    ],
)
def test_a_task_that_fails_says_so_with_status_200_and_costs_nothing(
    edit: Say,
    look: Callable[[str], httpx.Response],
    clock: Clock,
    log: Log,
    word: str,
    message: str,
) -> None:
    id = edit(prompt=f"[{word}]").json()["request_id"]
    clock.sleep(10)
    reply = look(id)
    assert (reply.status_code, reply.json()["status"]) == (200, "ERROR")
    assert reply.json()["error"]["message"] == message
    assert log.paid_calls == 0


def test_a_task_may_be_done_without_an_image(
    edit: Say, look: Callable[[str], httpx.Response], clock: Clock, log: Log
) -> None:
    id = edit(prompt="[empty]").json()["request_id"]
    clock.sleep(10)
    assert look(id).json()["result"] == {}
    assert log.paid_calls == 0


@pytest.mark.parametrize("path", ["text-to-image", "text-to-vector", "image/edit/gen_fill"])
@pytest.mark.parametrize(
    ("word", "status", "paid"),
    [
        ("busy", 429, 0),
        ("broken", 500, 0),
        ("money", 403, 0),
        ("error", 200, 0),
        ("html", 200, 0),
        ("silent", 524, 1),
        ("524", 524, 1),
    ],
)
def test_the_gateways_own_trouble_is_the_same_everywhere(
    say: Say, log: Log, path: str, word: str, status: int, paid: int
) -> None:
    body: dict[str, Any] = {"prompt": f"[{word}]", "num_results": 1}
    if "edit" in path:
        body |= {"image": base64_of(picture()), "mask": base64_of(mask())}
    assert say(path, **body).status_code == status
    assert log.paid_calls == paid


@pytest.mark.parametrize("path", ["text-to-image", "text-to-vector", "image/edit/gen_fill"])
def test_what_is_slow_takes_twenty_seconds(
    client: httpx.Client, say: Say, clock: Clock, path: str
) -> None:
    before = clock.now
    body: dict[str, Any] = {"prompt": "[slow]", "num_results": 1}
    if "edit" in path:
        body |= {"image": base64_of(picture()), "mask": base64_of(mask())}
    said = say(path, **body).json()
    match path:
        case "text-to-image":
            assert clock.now == before + 20
        case "text-to-vector":
            clock.now = before + 19
            link = said["result"][0]["urls"][0]
            assert client.get(link).status_code == 404
            clock.now = before + 20
            assert client.get(link).status_code == 200
        case _:
            clock.now = before + 19
            look = client.get(f"/bria/{said['request_id']}", headers=HEADERS)
            assert look.json()["status"] == "IN_PROGRESS"
