"""The sandbox's Kling: tasks that take their time, and refusals by number."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log, Sandbox
from generator.sandbox.canvas import Size
from tests.sandbox.conftest import KEY, Clock, opened

PATH = "/kling/v1/images/generations"

type Ask = Callable[..., httpx.Response]


@pytest.fixture
def sandbox(log: Log, clock: Clock) -> Sandbox:
    return Sandbox(log=log, delay=10, clock=clock, sleep=lambda seconds: None)


@pytest.fixture
def gateway(client: httpx.Client) -> Iterator[httpx.Client]:
    client.headers["Authorization"] = f"Bearer {KEY}"
    yield client
    del client.headers["Authorization"]


@pytest.fixture
def submit(gateway: httpx.Client) -> Ask:
    def ask(prompt: str = "a teapot", **fields: Any) -> httpx.Response:
        return gateway.post(PATH, json={"prompt": prompt, **fields})

    return ask


@pytest.fixture
def look(gateway: httpx.Client, clock: Clock) -> Callable[..., dict[str, Any]]:
    def look(begun: httpx.Response, after: float = 11) -> dict[str, Any]:
        """The task as it stands so many seconds later."""
        clock.now += after
        answer = gateway.get(f"{PATH}/{begun.json()['data']['task_id']}").json()
        assert answer["code"] == 0
        data: dict[str, Any] = answer["data"]
        return data

    return look


def in_base64(size: Size = (300, 300), format: str = "PNG") -> str:
    """An image of red as it goes along."""
    file = io.BytesIO()
    Image.new("RGB", size, (220, 30, 30)).save(file, format)
    return base64.b64encode(file.getvalue()).decode()


def files(client: httpx.Client, data: dict[str, Any]) -> list[Image.Image]:
    """The images behind the links of a task, fetched without the key."""
    del client.headers["Authorization"]
    links = [image["url"] for image in data["task_result"]["images"]]
    images = [opened(client.get(link).content) for link in links]
    client.headers["Authorization"] = f"Bearer {KEY}"
    return images


def test_a_submit_is_answered_with_a_task_and_times_in_milliseconds(submit: Ask) -> None:
    answer = submit().json()
    assert (answer["code"], answer["message"]) == (0, "SUCCEED")
    assert answer["data"]["task_status"] == "submitted"
    assert answer["data"]["created_at"] == 1_800_000_000_000
    assert answer["data"]["task_result"] is None


def test_a_task_goes_through_its_states_in_time(submit: Ask, look: Any) -> None:
    begun = submit()
    states = [look(begun, after)["task_status"] for after in (1, 4, 4, 2)]
    assert states == ["submitted", "processing", "processing", "succeed"]


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (1280, 720)),
        ({"aspect_ratio": "2:3"}, (832, 1248)),
        ({"aspect_ratio": "1:1", "image": in_base64()}, (1024, 1024)),
    ],
)
def test_images_have_the_shape_asked_for_and_are_as_many(
    submit: Ask, look: Any, gateway: httpx.Client, fields: dict[str, Any], size: Size
) -> None:
    data = look(submit(n=2, **fields))
    assert [image["index"] for image in data["task_result"]["images"]] == [0, 1]
    first, second = files(gateway, data)
    assert (first.format, first.size, second.size) == ("PNG", size, size)
    assert first.tobytes() != second.tobytes()


def test_an_image_that_came_along_shows_through(
    submit: Ask, look: Any, gateway: httpx.Client
) -> None:
    (image,) = files(gateway, look(submit(image=in_base64(format="JPEG"), image_fidelity=1)))
    red, green, _ = image.resize((1, 1)).getpixel((0, 0))
    assert red > green + 40


def test_a_call_is_charged_by_the_image(submit: Ask, log: Log) -> None:
    submit(model_name="kling-v2", n=3)
    assert str(log.used) == "0.042"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": " "}, "prompt"),
        ({"prompt": "x" * 501}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"negative_prompt": "x" * 201}, "negative_prompt"),
        ({"negative_prompt": "blur", "image": in_base64()}, "negative_prompt"),
        ({"n": 0}, "n"),
        ({"n": 10}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": True}, "n"),
        ({"aspect_ratio": "21:9"}, "aspect_ratio"),
        ({"image_fidelity": 1.1}, "image_fidelity"),
        ({"image_fidelity": "1"}, "image_fidelity"),
        ({"seed": 7}, "seed"),
        ({"size": "1024x1024"}, "size"),
        ({"image": f"data:image/png;base64,{in_base64()}"}, "image"),
        ({"image": in_base64((299, 400))}, "image"),
        ({"image": in_base64(format="WEBP")}, "image"),
        ({"image": "AAAA"}, "image"),
        ({"image": [in_base64()]}, "image"),
    ],
)
def test_what_kling_does_not_take_is_refused_by_number_and_name(
    submit: Ask, log: Log, fields: dict[str, Any], field: str
) -> None:
    reply = submit(**{"prompt": "a teapot", **fields})
    assert (reply.status_code, reply.json()["code"]) == (400, 1201)
    assert reply.json()["message"].startswith(f"{field} ")
    assert "error" not in reply.json()
    assert log.paid_calls == 0


def test_a_model_without_a_channel_is_refused_by_the_gateway(submit: Ask) -> None:
    reply = submit(model_name="kling-v9")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "model_not_found")


def test_a_lenient_house_mends_what_is_wrong(log: Log) -> None:
    app = Sandbox(log=log, strict=False, sleep=lambda seconds: None)
    body = {"prompt": "a fox", "n": 40, "aspect_ratio": "7:1", "seed": 7}
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        begun = client.post(PATH, json=body).json()["data"]
        data = client.get(f"{PATH}/{begun['task_id']}").json()["data"]
    assert len(data["task_result"]["images"]) == 1


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [("busy", 429, 1302), ("refuse", 400, 1301), ("error", 200, 1200)],
)
def test_trouble_comes_by_number_and_costs_nothing(
    submit: Ask, log: Log, word: str, status: int, code: int
) -> None:
    reply = submit(f"a teapot [{word}]")
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers.get("retry-after") == ("1" if word == "busy" else None)
    assert log.paid_calls == 0


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("fail", "Image generation failed"),
        ("withheld", "Failure to pass the risk control system"),
    ],
)
def test_a_task_that_fails_says_so_under_code_0_and_costs_nothing(
    submit: Ask, look: Any, log: Log, word: str, message: str
) -> None:
    data = look(submit(f"a teapot [{word}]"))
    assert (data["task_status"], data["task_status_msg"]) == ("failed", message)
    assert log.paid_calls == 0


def test_a_task_that_is_empty_succeeds_with_nothing(submit: Ask, look: Any, log: Log) -> None:
    data = look(submit("a teapot [empty]"))
    assert (data["task_status"], data["task_result"]) == ("succeed", {"images": []})
    assert log.paid_calls == 0


@pytest.mark.parametrize(("word", "status"), [("stuck", "processing"), ("odd", "throttling")])
def test_a_task_that_is_never_over(submit: Ask, look: Any, word: str, status: str) -> None:
    begun = submit(f"a teapot [{word}]")
    assert look(begun, 3)["task_status"] == status
    assert look(begun, 3000)["task_status"] == status


def test_a_task_that_is_gone_or_late_or_somebody_elses(
    submit: Ask, gateway: httpx.Client, clock: Clock
) -> None:
    gone, late = submit("a teapot [gone]"), submit("a teapot [lag]")
    clock.now += 11
    ids = [begun.json()["data"]["task_id"] for begun in (gone, late, late)]
    replies = [gateway.get(f"{PATH}/{id}") for id in (*ids, "another")]
    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [
        (404, 1203),
        (404, 1203),
        (200, 0),
        (404, 1203),
    ]


@pytest.mark.parametrize("word", ["expired", "private", "redirect", "garbage"])
def test_links_are_spoiled_as_asked(
    submit: Ask, look: Any, gateway: httpx.Client, word: str
) -> None:
    data = look(submit(f"a teapot [{word}]"))
    (link,) = (image["url"] for image in data["task_result"]["images"])
    del gateway.headers["Authorization"]
    if word == "private":
        assert link.startswith("http://169.254.169.254/")
    else:
        reply = gateway.get(link)
        assert reply.status_code == {"expired": 403, "redirect": 302, "garbage": 200}[word]
        assert reply.content.startswith(b"This is no image") == (word == "garbage")
    gateway.headers["Authorization"] = f"Bearer {KEY}"


def test_a_look_needs_the_key(client: httpx.Client) -> None:
    assert client.get(f"{PATH}/x", headers={"Authorization": "Bearer no"}).status_code == 401
