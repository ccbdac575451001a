"""What every protocol that answers with a task does alike."""

from typing import Any

import httpx
import pytest

from generator.sandbox import Log, Sandbox
from generator.sandbox.tasks import Tasks
from tests.sandbox.conftest import KEY, Clock

HEADERS = {"Authorization": f"Bearer {KEY}"}
SUBMITS: dict[str, tuple[str, dict[str, Any]]] = {
    "bria": (
        "/bria/image/edit/replace_background",
        {"image": "https://images.example/a.png"},
    ),
    "flux": ("/flux/v1/flux-dev", {}),
    "kling": ("/kling/v1/images/generations", {}),
    "midjourney": ("/mj/submit/imagine", {}),
    "replicate": ("/replicate/v1/models/black-forest-labs/flux-schnell/predictions", {}),
}


def submit(client: httpx.Client, protocol: str, prompt: str) -> httpx.Response:
    path, body = SUBMITS[protocol]
    body = {**body, "prompt": prompt}
    said = {"input": body} if protocol == "replicate" else body
    return client.post(path, json=said, headers=HEADERS)


@pytest.mark.parametrize("word", ["fail", "withheld", "empty"])
@pytest.mark.parametrize("protocol", SUBMITS)
def test_a_task_that_ends_without_an_image_is_not_charged(
    client: httpx.Client, log: Log, protocol: str, word: str
) -> None:
    reply = submit(client, protocol, f"a teapot [{word}]")
    assert reply.status_code in {200, 201}
    assert (log.paid_calls, log.used) == (0, 0)


@pytest.mark.parametrize("protocol", SUBMITS)
def test_a_task_that_works_is_charged_once(client: httpx.Client, log: Log, protocol: str) -> None:
    assert submit(client, protocol, "a teapot").status_code in {200, 201}
    assert log.paid_calls == 1
    assert log.used > 0


def test_tasks_that_came_with_images_make_room_for_new_ones(
    client: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.desk.tasks = Tasks(sandbox.desk.pace.now, room=10_000)
    first = submit(client, "flux", "a teapot").json()["id"]
    heavy = submit(client, "flux", "a teapot " * 500).json()["id"]
    assert is_there(client, first)
    assert is_there(client, heavy)
    newest = submit(client, "flux", "a kettle " * 700).json()["id"]
    assert not is_there(client, first)
    assert not is_there(client, heavy)
    assert is_there(client, newest)


def is_there(client: httpx.Client, id: str) -> bool:
    looked = client.get("/flux/v1/get_result", params={"id": id}, headers=HEADERS)
    return bool(looked.json()["status"] != "Task not found")


def test_a_task_that_is_larger_than_all_the_room_is_kept_until_the_next(clock: Clock) -> None:
    tasks = Tasks(clock, room=10)
    large = tasks.begin("a teapot", "", 0, order=None, weight=99)
    assert tasks.find(large.id) == large
    small = tasks.begin("a kettle", "", 0, order=None, weight=1)
    assert tasks.find(large.id) is None
    assert tasks.find(small.id) == small


def test_a_task_that_begins_again_is_weighed_once(clock: Clock) -> None:
    tasks = Tasks(clock, room=10)
    other = tasks.begin("a kettle", "", 0, order=None, weight=4)
    for _ in range(3):
        tasks.begin("a teapot", "", 0, order=None, id="t1", weight=6)
    assert tasks.find(other.id) == other
    tasks.begin("a cup", "", 0, order=None, weight=1)
    assert tasks.find(other.id) is None
    assert tasks.find("t1")
