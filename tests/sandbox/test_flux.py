"""`/flux/v1` of the sandbox: strict bodies, every status, links of ten minutes (E)."""

import base64
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log, Sandbox
from tests.sandbox.conftest import KEY, Clock, opened

BEARER = {"Authorization": f"Bearer {KEY}"}

type Submit = Callable[..., httpx.Response]
type Look = Callable[[str], dict[str, Any]]


@pytest.fixture
def sandbox(log: Log, clock: Clock) -> Sandbox:
    return Sandbox(log=log, delay=10, clock=clock, sleep=lambda seconds: None)


@pytest.fixture
def submit(client: httpx.Client) -> Submit:
    """Ask for an image: of FLUX.2 pro, unless told otherwise."""

    def ask(model: str = "flux-2-pro", prompt: str = "a teapot", **fields: Any) -> httpx.Response:
        body = {"prompt": prompt, **fields}
        return client.post(f"/flux/v1/{model}", json=body, headers=BEARER)

    return ask


@pytest.fixture
def look(client: httpx.Client) -> Look:
    def at(id: str) -> dict[str, Any]:
        reply = client.get("/flux/v1/get_result", params={"id": id}, headers=BEARER)
        assert reply.status_code == 200
        return dict(reply.json())

    return at


@pytest.fixture
def made(submit: Submit, look: Look, clock: Clock) -> Callable[..., dict[str, Any]]:
    """What a request gives in the end."""

    def make(*facts: Any, **fields: Any) -> dict[str, Any]:
        id = submit(*facts, **fields).json()["id"]
        clock.now += 21
        return look(id)

    return make


def in_base64(size: tuple[int, int] = (320, 192), colour: str = "red") -> str:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_submit_names_a_task_and_an_address_that_nobody_can_call(submit: Submit) -> None:
    answer = submit().json()
    assert answer["polling_url"] == (f"https://api.us1.bfl.invalid/v1/get_result?id={answer['id']}")
    assert (answer["cost"], answer["output_mp"]) == (3.0, 1.05)


def test_a_task_is_pending_with_its_progress_and_then_ready(
    submit: Submit, look: Look, clock: Clock
) -> None:
    id = submit().json()["id"]
    assert look(id) == {"id": id, "status": "Pending", "result": None, "progress": None}
    clock.now += 4
    assert (look(id)["status"], look(id)["progress"]) == ("Pending", 0.4)
    clock.now += 6
    answer = look(id)
    assert (answer["id"], answer["status"]) == (id, "Ready")
    assert answer["result"]["prompt"] == "a teapot"
    assert answer["result"]["duration"] == 10


@pytest.mark.parametrize(
    ("model", "fields", "size", "form"),
    [
        ("flux-2-pro", {}, (1024, 1024), "JPEG"),
        ("flux-2-max", {"width": 784, "height": 336, "output_format": "png"}, (784, 336), "PNG"),
        ("flux-2-flex", {"input_image": in_base64((333, 200))}, (320, 192), "JPEG"),
        ("flux-pro-1.1", {}, (1024, 768), "JPEG"),
        ("flux-dev", {"width": 512, "height": 288}, (512, 288), "JPEG"),
        ("flux-pro", {"image_prompt": in_base64(), "width": 256}, (256, 1024), "JPEG"),
        ("flux-kontext-pro", {"input_image": in_base64()}, (320, 192), "JPEG"),
        ("flux-kontext-pro", {"aspect_ratio": "1:1"}, (1024, 1024), "JPEG"),
    ],
)
def test_an_image_has_the_size_and_the_form_that_were_asked_for(
    made: Callable[..., dict[str, Any]],
    client: httpx.Client,
    model: str,
    fields: dict[str, Any],
    size: tuple[int, int],
    form: str,
) -> None:
    image = opened(client.get(made(model, **fields)["result"]["sample"]).content)
    assert (image.size, image.format) == (size, form)


def test_an_edit_shows_the_first_image_through(
    made: Callable[..., dict[str, Any]], client: httpx.Client
) -> None:
    def average(**fields: Any) -> tuple[int, ...]:
        sample = made(output_format="png", seed=5, **fields)["result"]["sample"]
        pixel = opened(client.get(sample).content).convert("RGB").resize((1, 1)).getpixel((0, 0))
        assert isinstance(pixel, tuple)
        return pixel

    red, blue = in_base64(colour="red"), in_base64(colour="blue")
    first, second = average(input_image=red, input_image_2=blue), average(input_image=blue)
    assert first[0] > second[0] + 60
    assert second[2] > first[2] + 60


def test_the_same_seed_makes_the_same_image_and_none_another_each_time(
    made: Callable[..., dict[str, Any]], client: httpx.Client
) -> None:
    def file(**fields: Any) -> bytes:
        answer = made("flux-dev", width=256, height=256, output_format="png", **fields)
        assert "seed" not in fields or answer["result"]["seed"] == fields["seed"]
        return client.get(answer["result"]["sample"]).content

    assert file(seed=0) == file(seed=0) != file(seed=8)
    assert file() != file()


def test_a_prompt_is_rewritten_where_that_is_asked_for(
    made: Callable[..., dict[str, Any]],
) -> None:
    assert made(prompt_upsampling=False)["result"]["prompt"] == "a teapot"
    assert made(prompt_upsampling=True)["result"]["prompt"].startswith("a teapot. Rich")


@pytest.mark.parametrize(
    ("model", "fields", "name"),
    [
        ("flux-2-pro", {"negative_prompt": "x"}, "negative_prompt"),
        ("flux-2-pro", {"n": 2}, "n"),
        ("flux-2-pro", {"size": "1024x1024"}, "size"),
        ("flux-2-pro", {"width": 1000}, "width"),
        ("flux-2-pro", {"width": 2064}, "width"),
        ("flux-2-pro", {"width": "1024"}, "width"),
        ("flux-2-pro", {"steps": 20}, "steps"),
        ("flux-2-pro", {"safety_tolerance": 6}, "safety_tolerance"),
        ("flux-2-pro", {"output_format": "webp"}, "output_format"),
        ("flux-2-pro", {"seed": -1}, "seed"),
        ("flux-2-pro", {"seed": True}, "seed"),
        ("flux-2-pro", {"prompt_upsampling": 1}, "prompt_upsampling"),
        ("flux-2-pro", {"image_prompt": in_base64()}, "image_prompt"),
        ("flux-2-pro", {"input_image_9": in_base64()}, "input_image_9"),
        ("flux-2-pro", {"input_image": "!!!"}, "input_image"),
        ("flux-2-pro", {"input_image": "aGVsbG8="}, "input_image"),
        ("flux-2-flex", {"guidance": 10.5}, "guidance"),
        ("flux-2-flex", {"steps": 51}, "steps"),
        ("flux-pro-1.1", {"width": 1040}, "width"),
        ("flux-pro-1.1", {"guidance": 3}, "guidance"),
        ("flux-dev", {"interval": 2}, "interval"),
        ("flux-pro", {"interval": 5}, "interval"),
        ("flux-pro-1.1-ultra", {"width": 1024}, "width"),
        ("flux-pro-1.1-ultra", {"aspect_ratio": "22:9"}, "aspect_ratio"),
        ("flux-pro-1.1-ultra", {"image_prompt_strength": 0.5}, "image_prompt_strength"),
        ("flux-kontext-pro", {"input_image_5": in_base64()}, "input_image_5"),
        ("flux-2-pro", {"prompt": ""}, "prompt"),
        ("flux-2-pro", {"prompt": 7}, "prompt"),
        ("flux-2-pro", {"prompt": "x" * 10_001}, "prompt"),
    ],
)
def test_what_a_model_does_not_take_is_refused_in_the_makers_form_and_costs_nothing(
    submit: Submit, log: Log, model: str, fields: dict[str, Any], name: str
) -> None:
    reply = submit(model, **fields)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["body", name]
    assert log.paid_calls == 0


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("flux-2-pro", {"input_image": f"data:image/png;base64,{in_base64()}"}),
        ("flux-2-pro", {"input_image": "https://example.com/a.png"}),
        ("flux-2-pro", {f"input_image_{n}": in_base64((64, 64)) for n in range(2, 9)}),
        ("flux-2-pro", {"webhook_url": "https://example.com/", "webhook_secret": "x"}),
        ("flux-2-pro", {"seed": None, "width": None}),
        ("flux-2-flex", {"steps": 50, "guidance": 1.5}),
        ("flux-pro-1.1-ultra", {"raw": True, "image_prompt": in_base64(), "aspect_ratio": "1:1"}),
    ],
)
def test_what_a_model_takes_is_taken(submit: Submit, model: str, fields: dict[str, Any]) -> None:
    assert submit(model, **fields).status_code == 200


def test_a_lenient_sandbox_drops_what_a_strict_one_refuses(clock: Clock) -> None:
    app = Sandbox(strict=False, clock=clock)
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        body = {"prompt": "a teapot", "width": 1000, "steps": 9, "x": 1, "input_image": "!"}
        reply = client.post("/flux/v1/flux-2-pro", json=body, headers=BEARER)
        id = reply.json()["id"]
        state = client.get(f"/flux/v1/get_result?id={id}", headers=BEARER).json()
    assert "Size=1024x1024" in state["result"]["sample"]


@pytest.mark.parametrize("model", ["flux-9", "gpt-image-2", "black-forest-labs"])
def test_a_model_of_no_channel_is_a_503(submit: Submit, model: str) -> None:
    reply = submit(model)
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "model_not_found")


@pytest.mark.parametrize(
    ("word", "status", "paid"),
    [
        ("refuse", "Request Moderated", 0),
        ("withheld", "Content Moderated", 0),
        ("fail", "Error", 0),
        ("stuck", "Pending", 1),
        ("odd", "Reticulating", 1),
        ("gone", "Task not found", 1),
        ("slow", "Ready", 1),
    ],
)
def test_trouble_with_a_task_is_told_by_its_status(
    made: Callable[..., dict[str, Any]], log: Log, word: str, status: str, paid: int
) -> None:
    answer = made(prompt=f"a teapot [{word}]")
    assert (answer["status"], log.paid_calls) == (status, paid)
    assert (answer["result"] is None) == (status != "Ready")


def test_an_empty_result_has_no_sample_and_costs_nothing(
    made: Callable[..., dict[str, Any]], log: Log
) -> None:
    assert made(prompt="[empty]")["result"]["sample"] is None
    assert log.paid_calls == 0


def test_a_late_task_is_not_known_the_first_time_only(
    submit: Submit, look: Look, clock: Clock, log: Log
) -> None:
    id = submit(prompt="a teapot [lag]").json()["id"]
    assert look(id)["status"] == "Task not found"
    assert look(id)["status"] == "Pending"
    clock.now += 10
    assert look(id)["status"] == "Ready"
    assert log.paid_calls == 1


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("busy", 429, "bad_response_status_code"),
        ("money", 403, "insufficient_user_quota"),
        ("broken", 500, "do_request_failed"),
        ("error", 200, "upstream_error"),
    ],
)
def test_trouble_with_a_submit_is_the_gateways_and_costs_nothing(
    submit: Submit, log: Log, word: str, status: int, code: str
) -> None:
    reply = submit(prompt=f"a teapot [{word}]")
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert log.paid_calls == 0


@pytest.mark.parametrize("word", ["silent", "524"])
def test_a_submit_without_an_answer_is_paid_and_its_task_goes_on(
    submit: Submit, sandbox: Sandbox, log: Log, word: str
) -> None:
    assert submit(prompt=f"[{word}]").status_code == 524
    assert log.paid(f"[{word}]") == 1


def test_a_link_works_for_ten_minutes_from_the_making_and_the_task_no_longer(
    submit: Submit, look: Look, clock: Clock, client: httpx.Client
) -> None:
    id = submit().json()["id"]
    clock.now += 10 + 599
    late = look(id)["result"]["sample"]
    assert client.get(late).status_code == 200
    clock.now += 2
    assert client.get(late).status_code == 403
    assert look(id)["status"] == "Task not found"


def test_a_link_is_spoiled_as_the_word_says(
    made: Callable[..., dict[str, Any]], client: httpx.Client
) -> None:
    private = made(prompt="[private]")["result"]["sample"]
    assert private.startswith("http://169.254.169.254/")
    assert client.get(made(prompt="[expired]")["result"]["sample"]).status_code == 403
    assert client.get(made(prompt="[redirect]")["result"]["sample"]).status_code == 302
    lies = client.get(made(prompt="[lies]", output_format="png")["result"]["sample"])
    assert opened(lies.content).format == "JPEG"


def test_a_look_without_an_id_and_a_look_without_a_key_are_refused(client: httpx.Client) -> None:
    assert client.get("/flux/v1/get_result", headers=BEARER).status_code == 422
    assert client.get("/flux/v1/get_result?id=x").status_code == 401


def test_the_price_is_charged_once(submit: Submit, log: Log) -> None:
    submit("flux-2-max")
    assert log.used == Decimal("0.07")
