"""What every protocol that answers with a task does alike."""

from typing import Any

import httpx
import pytest

from generator.sandbox import Log
from tests.sandbox.conftest import KEY

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
