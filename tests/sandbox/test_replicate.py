"""`/replicate/v1` of the sandbox: strict input for each model, and both shapes of a look (I1)."""

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
from tests.sandbox.test_flux import BEARER

BFL = "black-forest-labs"
SCHNELL, DEV, SDXL = f"{BFL}/flux-schnell", f"{BFL}/flux-dev", "stability-ai/sdxl"
MEDIUM, TWO, KONTEXT = (
    "stability-ai/stable-diffusion-3.5-medium",
    f"{BFL}/flux-2-pro",
    f"{BFL}/flux-kontext-pro",
)

type Submit = Callable[..., httpx.Response]
type Look = Callable[[str], Any]
type Made = Callable[..., Any]


@pytest.fixture
def sandbox(log: Log, clock: Clock) -> Sandbox:
    return Sandbox(log=log, delay=10, link_life=100_000, clock=clock, sleep=lambda seconds: None)


@pytest.fixture
def submit(client: httpx.Client) -> Submit:
    """Ask for an image: of FLUX schnell, unless told otherwise."""

    def ask(model: str = SCHNELL, prompt: str = "a teapot", **fields: Any) -> httpx.Response:
        body = {"input": {"prompt": prompt, **fields}}
        path = f"/replicate/v1/models/{model}/predictions"
        return client.post(path, json=body, headers=BEARER)

    return ask


@pytest.fixture
def look(client: httpx.Client) -> Look:
    def at(id: str) -> Any:
        return client.get(f"/replicate/v1/predictions/{id}", headers=BEARER).json()

    return at


@pytest.fixture
def made(submit: Submit, look: Look, clock: Clock) -> Made:
    """What a request gives in the end."""

    def make(*facts: Any, **fields: Any) -> Any:
        id = submit(*facts, **fields).json()["id"]
        clock.now += 21
        return look(id)

    return make


def file_of(image: Image.Image) -> str:
    """An image as a data URI."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


RED = file_of(Image.new("RGB", (320, 192), "red"))


def test_a_task_is_told_in_replicates_own_form(
    submit: Submit, look: Look, clock: Clock, log: Log
) -> None:
    reply = submit(num_outputs=2, seed=7)
    begun = reply.json()
    assert (reply.status_code, begun["status"], begun["output"]) == (201, "starting", None)
    assert begun["urls"]["get"].startswith("https://api.replicate.invalid/")
    id = begun["id"]
    assert look(id)["status"] == "starting"
    clock.now += 5
    early = look(id)
    assert early["status"] == "processing"
    assert "output" not in early
    clock.now += 2
    assert len(look(id)["output"]) == 1  # one of two, and not over
    assert look(id)["status"] == "processing"
    clock.now += 3
    over = look(id)
    assert (over["status"], len(over["output"]), over["error"]) == ("succeeded", 2, None)
    assert over["metrics"] == {"image_count": 2, "predict_time": 10}
    assert over["logs"].startswith("Using seed: 7\n")
    assert log.used == Decimal("0.006")


def test_a_task_of_the_other_shape_lies_inside_one_of_the_gateway(
    submit: Submit, look: Look, clock: Clock
) -> None:
    id = submit(SDXL).json()["id"]
    words = []
    for seconds in (0, 1, 5, 4):
        clock.now += seconds
        answer = look(id)
        words.append((answer["data"]["status"], answer["data"]["progress"]))
    assert words == [
        ("SUBMITTED", "0%"),
        ("QUEUED", "10%"),
        ("IN_PROGRESS", "60%"),
        ("SUCCESS", "100%"),
    ]
    assert answer["code"] == "success"
    assert len(answer["data"]["data"]["output"]) == 1


@pytest.mark.parametrize(
    ("model", "fields", "size", "form"),
    [
        (SCHNELL, {}, (1024, 1024), "WEBP"),
        (SCHNELL, {"megapixels": "0.25", "output_format": "jpg"}, (512, 512), "JPEG"),
        (DEV, {"image": RED}, (320, 192), "WEBP"),
        (KONTEXT, {"input_image": RED}, (320, 192), "PNG"),
        (KONTEXT, {"aspect_ratio": "match_input_image"}, (1024, 1024), "PNG"),
        (TWO, {"input_images": [RED], "aspect_ratio": "match_input_image"}, (320, 192), "WEBP"),
        (TWO, {"input_images": [RED]}, (1024, 1024), "WEBP"),
        (
            TWO,
            {"aspect_ratio": "custom", "width": 640, "height": 320, "output_format": "png"},
            (640, 320),
            "PNG",
        ),
        (TWO, {"resolution": "2 MP"}, (1456, 1456), "WEBP"),
    ],
)
def test_an_image_has_the_size_and_the_form_that_were_asked_for(
    made: Made,
    client: httpx.Client,
    model: str,
    fields: dict[str, Any],
    size: tuple[int, int],
    form: str,
) -> None:
    output = made(model, **fields)["output"]
    image = opened(client.get(output if isinstance(output, str) else output[0]).content)
    assert (image.size, image.format) == (size, form)


def test_only_what_the_mask_shows_white_is_painted_over(made: Made, client: httpx.Client) -> None:
    mask = Image.new("L", (320, 192), 0)
    mask.paste(255, (0, 0, 40, 192))
    answer = made(SDXL, image=RED, mask=file_of(mask))
    image = opened(client.get(answer["data"]["data"]["output"][0]).content).convert("RGB")
    assert image.crop((40, 0, 320, 192)).getcolors() == [(280 * 192, (255, 0, 0))]
    assert image.crop((0, 0, 40, 192)).getcolors(2) is None


@pytest.mark.parametrize(
    ("model", "fields", "name"),
    [
        (SCHNELL, {"n": 2}, "n"),
        (SCHNELL, {"num_outputs": 5}, "num_outputs"),
        (SCHNELL, {"image": RED}, "image"),
        (SCHNELL, {"num_inference_steps": 5}, "num_inference_steps"),
        (SCHNELL, {"output_format": "jpeg"}, "output_format"),
        (SCHNELL, {"output_quality": 101}, "output_quality"),
        (SCHNELL, {"negative_prompt": "x"}, "negative_prompt"),
        (SCHNELL, {"aspect_ratio": "custom"}, "aspect_ratio"),
        (DEV, {"prompt_strength": 0.5}, "prompt_strength"),
        (DEV, {"image": RED, "aspect_ratio": "1:1"}, "aspect_ratio"),
        (DEV, {"image": RED, "megapixels": "1"}, "megapixels"),
        (SDXL, {"image": RED, "width": 1024}, "width"),
        (DEV, {"image": base64.b64encode(b"x" * 90).decode()}, "image"),
        (DEV, {"image": "data:image/png;base64,aGVsbG8="}, "image"),
        (f"{BFL}/flux-1.1-pro", {"steps": 20}, "steps"),
        (f"{BFL}/flux-1.1-pro", {"width": 512}, "width"),
        (f"{BFL}/flux-pro", {"interval": 5}, "interval"),
        (f"{BFL}/flux-1.1-pro-ultra", {"image_prompt_strength": 1}, "image_prompt_strength"),
        (f"{BFL}/flux-1.1-pro-ultra", {"output_format": "webp"}, "output_format"),
        (KONTEXT, {"input_image_5": RED}, "input_image_5"),
        (KONTEXT, {"safety_tolerance": 6}, "safety_tolerance"),
        (TWO, {"input_images": []}, "input_images"),
        (TWO, {"input_images": [RED] * 9}, "input_images"),
        (TWO, {"input_images": RED}, "input_images"),
        (TWO, {"resolution": "3 MP"}, "resolution"),
        (TWO, {"aspect_ratio": "custom", "resolution": "1 MP"}, "resolution"),
        (TWO, {"guidance": 3}, "guidance"),
        (f"{BFL}/flux-2-dev", {"input_images": [RED] * 5}, "input_images"),
        (SDXL, {"mask": RED}, "mask"),
        (SDXL, {"width": 1023}, "width"),
        (SDXL, {"scheduler": "EULER"}, "scheduler"),
        (MEDIUM, {"cfg": 11}, "cfg"),
        (MEDIUM, {"num_outputs": 2}, "num_outputs"),
    ],
)
def test_what_a_model_does_not_take_is_refused_as_a_problem_and_costs_nothing(
    submit: Submit, log: Log, model: str, fields: dict[str, Any], name: str
) -> None:
    reply = submit(model, **fields)
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["status"] == 422
    assert reply.json()["invalid_fields"][0]["field"] == f"input.{name}"
    assert log.paid_calls == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": "a teapot"},
        {"input": "a teapot"},
        {"input": {}},
        {"input": {"prompt": ""}},
        {"input": {"prompt": "a teapot"}, "model": "x"},
    ],
)
def test_everything_belongs_into_the_input(client: httpx.Client, body: dict[str, Any]) -> None:
    path = f"/replicate/v1/models/{SCHNELL}/predictions"
    assert client.post(path, json=body, headers=BEARER).status_code == 422


def test_a_lenient_sandbox_drops_what_a_strict_one_refuses() -> None:
    app = Sandbox(strict=False)
    path = f"/replicate/v1/models/{SCHNELL}/predictions"
    body = {"input": {"prompt": "a teapot", "n": 2, "num_outputs": 9}, "model": "x"}
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        reply = client.post(path, json=body, headers={"Authorization": KEY})
    assert (reply.status_code, reply.json()["input"]) == (201, {"prompt": "a teapot"})


@pytest.mark.parametrize("model", [f"{BFL}/flux-9", "a/b", f"{BFL}/gpt-image-2"])
def test_a_model_of_no_channel_is_a_503(submit: Submit, model: str) -> None:
    assert submit(model).status_code == 503


@pytest.mark.parametrize("model", [SCHNELL, SDXL])
@pytest.mark.parametrize(
    ("word", "status", "says", "paid"),
    [
        ("refuse", "failed", "E005", 0),
        ("withheld", "failed", "NSFW", 0),
        ("fail", "failed", "interrupted", 0),
        ("stuck", "processing", "", 1),
        ("odd", "reticulating", "", 1),
        ("empty", "succeeded", "", 0),
        ("slow", "succeeded", "", 1),
    ],
)
def test_trouble_with_a_task_is_told_by_its_status_in_both_shapes(
    submit: Submit, look: Look, clock: Clock, log: Log, model: str, word: str, status: str,
    says: str, paid: int,
) -> None:  # fmt: skip
    id = submit(model, prompt=f"a teapot [{word}]").json()["id"]
    clock.now += 30
    answer = look(id)
    outer = answer.get("data", answer)
    native = outer.get("data", outer)
    assert native["status"] == status
    assert says in (native["error"] or "")
    assert bool(native.get("output")) == (word == "slow")
    if outer is not native:
        assert outer["fail_reason"] == (native["error"] or "")
    assert log.paid_calls == paid


def test_of_a_series_every_second_image_may_be_missing_and_is_not_paid(
    made: Made, log: Log
) -> None:
    assert len(made(prompt="[partly]", num_outputs=4)["output"]) == 2
    assert log.used == Decimal("0.006")


def test_a_status_that_no_document_names_comes_at_once(submit: Submit, look: Look) -> None:
    assert look(submit(prompt="[odd]").json()["id"])["status"] == "reticulating"


def test_a_task_that_is_gone_is_a_problem_and_a_late_one_is_known_the_second_time(
    submit: Submit, client: httpx.Client
) -> None:
    def status(id: str) -> int:
        return client.get(f"/replicate/v1/predictions/{id}", headers=BEARER).status_code

    gone, late = (submit(prompt=f"[{word}]").json()["id"] for word in ("gone", "lag"))
    assert [status(gone), status(late), status(late), status("x")] == [404, 404, 200, 404]


def test_the_look_of_flux_reads_these_tasks_too_and_not_the_other_way_round(
    submit: Submit, look: Look, clock: Clock, client: httpx.Client
) -> None:
    id = submit(SDXL).json()["id"]
    clock.now += 10
    state = client.get(f"/flux/v1/get_result?id={id}", headers=BEARER).json()
    assert (state["id"], state["status"]) == (id, "Ready")
    assert state["result"]["sample"] == look(id)["data"]["data"]["output"][0]
    flux = client.post("/flux/v1/flux-2-pro", json={"prompt": "a teapot"}, headers=BEARER).json()
    assert look(flux["id"])["status"] == 404


def test_a_link_works_for_an_hour_and_the_output_is_then_removed(
    made: Made, look: Look, clock: Clock, client: httpx.Client
) -> None:
    answer = made()
    (link,) = answer["output"]
    clock.now += 3500
    assert client.get(link).status_code == 200
    clock.now += 200
    assert client.get(link).status_code == 403
    late = look(answer["id"])
    assert (late["status"], late["output"], late["data_removed"]) == ("succeeded", None, True)


def test_what_is_repeated_of_an_image_is_its_size_alone(submit: Submit, look: Look) -> None:
    id = submit(TWO, input_images=[RED, "https://example.com/a.png"]).json()["id"]
    images = look(id)["input"]["input_images"]
    assert images[0].startswith("an image of")
    assert images[1] == "https://example.com/a.png"
