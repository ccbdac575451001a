"""Bria in the sandbox: strict readings of H, and pictures that show what was done."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log
from tests.sandbox.bria.conftest import (
    HEADERS,
    WHITE,
    Say,
    base64_of,
    changed,
    error,
    mask,
    picture,
)
from tests.sandbox.conftest import Clock, opened

# ── Images and drawings from text ──


def test_an_image_has_its_shape_its_seed_and_its_price(
    client: httpx.Client, draw: Say, log: Log
) -> None:
    (member,) = draw(aspect_ratio="16:9", seed=7).json()["result"]
    image = opened(client.get(member["urls"][0]).content)
    assert image.width / image.height == pytest.approx(16 / 9, rel=0.01)
    assert image.width * image.height == pytest.approx(1024**2, rel=0.02)
    assert member["seed"] == 7
    assert member["uuid"].endswith("_7")
    assert float(log.used) == pytest.approx(0.04)


def test_four_come_where_no_number_is_said_and_no_two_are_alike(say: Say, log: Log) -> None:
    members = say("text-to-image", prompt="a fox").json()["result"]
    assert len({member["seed"] for member in members}) == 4
    assert len({member["urls"][0] for member in members}) == 4
    assert float(log.used) == pytest.approx(0.16)


def test_images_are_final_whatever_sync_says(client: httpx.Client, draw: Say, clock: Clock) -> None:
    before = clock.now
    link = draw(sync=False).json()["result"][0]["urls"][0]
    assert clock.now == before + 10
    assert client.get(link).status_code == 200


def test_a_drawing_is_promised_at_once_and_there_later(
    client: httpx.Client, draw: Say, clock: Clock, log: Log
) -> None:
    before = clock.now
    link = draw("text-to-vector", aspect_ratio="2:3").json()["result"][0]["urls"][0]
    assert clock.now == before
    early = client.get(link)
    assert (early.status_code, b"NoSuchKey" in early.content) == (404, True)
    clock.sleep(10)
    file = client.get(link)
    assert (file.status_code, file.headers["content-type"]) == (200, "image/svg+xml")
    assert file.content.startswith(b"<svg ")
    assert b"script" not in file.content
    assert float(log.used) == pytest.approx(0.06)


def test_a_drawing_can_be_waited_for(client: httpx.Client, draw: Say, clock: Clock) -> None:
    before = clock.now
    link = draw("text-to-vector", sync=True).json()["result"][0]["urls"][0]
    assert clock.now == before + 10
    assert client.get(link).status_code == 200


def test_when_a_drawing_is_there_cannot_be_changed_in_its_link(
    client: httpx.Client, draw: Say
) -> None:
    link = draw("text-to-vector").json()["result"][0]["urls"][0]
    start, _, rest = link.partition("&Since=")
    moment, _, signature = rest.partition("&")
    for other in (f"{start}&Since=0{moment[1:]}&{signature}", f"{start}&{signature}"):
        assert client.get(other).status_code == 403


def test_a_drawing_with_scripts_is_made_on_request(
    client: httpx.Client, draw: Say, clock: Clock
) -> None:
    link = draw("text-to-vector", "a fox [script]").json()["result"][0]["urls"][0]
    clock.sleep(10)
    file = client.get(link).content
    for danger in (b"<script>", b"onload=", b"javascript:", b"https://stranger.invalid/"):
        assert danger in file
    image = client.get(draw(prompt="[script]").json()["result"][0]["urls"][0])
    assert opened(image.content).format == "PNG"


def test_one_seed_makes_one_picture(client: httpx.Client, draw: Say) -> None:
    links = [draw(seed=seed).json()["result"][0]["urls"][0] for seed in (7, 7, 8)]
    first, second, third = (client.get(link).content for link in links)
    assert first == second != third


# ── Edits ──


@pytest.mark.parametrize("action", ["erase", "gen_fill"])
def test_only_what_the_mask_shows_is_changed(done: Callable[..., Image.Image], action: str) -> None:
    image = done(action)
    assert image.size == (48, 32)
    assert changed(image) == WHITE


@pytest.mark.parametrize("form", ["{}", "data:image/png;base64,{}"])
def test_an_image_may_come_with_or_without_a_prefix(
    done: Callable[..., Image.Image], form: str
) -> None:
    sent = {"image": form.format(base64_of(picture())), "mask": form.format(base64_of(mask()))}
    assert changed(done("erase", **sent)) == WHITE


def test_an_image_behind_an_address_is_not_fetched(done: Callable[..., Image.Image]) -> None:
    address = "https://studio.site/a.png"
    assert done("enhance", image=address).size == (1024, 1024)


def test_an_image_is_expanded_around_what_it_was(done: Callable[..., Image.Image]) -> None:
    blank = base64_of(Image.new("L", (48, 32)))
    wide = done("expand", mask=blank, aspect_ratio="16:9")
    assert wide.size == (57, 32)
    assert changed(wide.crop((4, 0, 52, 32))) is None
    assert changed(wide) == (0, 0, 57, 32)
    tall = done("expand", mask=blank, aspect_ratio="2:3")
    assert tall.size == (48, 72)
    assert changed(tall.crop((0, 20, 48, 52))) is None


def test_without_a_shape_only_the_mask_says_what_is_new(done: Callable[..., Image.Image]) -> None:
    image = done("expand")
    assert (image.size, changed(image)) == ((48, 32), WHITE)


def test_an_image_is_enlarged_as_told(done: Callable[..., Image.Image]) -> None:
    for times, size in ((2, (96, 64)), (4, (192, 128))):
        image = done("increase_resolution", desired_increase=times)
        assert (image.size, changed(image)) == (size, None)
    enhanced = done("enhance", resolution="2MP")
    assert enhanced.width * enhanced.height == pytest.approx(2_000_000, rel=0.01)


def test_a_new_background_leaves_the_middle(done: Callable[..., Image.Image]) -> None:
    image = done("replace_background")
    assert changed(image.crop((20, 12, 28, 20))) is None
    assert changed(image.crop((0, 0, 8, 32))) == (0, 0, 8, 32)


def test_a_task_is_looked_at_by_its_id_and_names_another_each_time(
    edit: Say, look: Callable[[str], httpx.Response], clock: Clock, log: Log
) -> None:
    said = edit(seed=5, refine_prompt=True).json()
    assert "bria-api.invalid" in said["status_url"]
    first, second = look(said["request_id"]).json(), look(said["request_id"]).json()
    assert first["status"] == second["status"] == "IN_PROGRESS"
    assert len({said["request_id"], first["request_id"], second["request_id"]}) == 3
    clock.sleep(10)
    over = look(said["request_id"]).json()
    assert (over["status"], over["result"]["seed"]) == ("COMPLETED", 5)
    assert over["result"]["refined_prompt"].startswith("a fox, ")
    assert float(log.used) == pytest.approx(0.04)


# ── Refusals ──


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("text-to-image", {"prompt": None}),
        ("text-to-image", {"prompt": ""}),
        ("text-to-image", {"prompt": 7}),
        ("text-to-image", {"num_results": 5}),
        ("text-to-image", {"num_results": 0}),
        ("text-to-image", {"num_results": "1"}),
        ("text-to-image", {"aspect_ratio": "21:9"}),
        ("text-to-image", {"seed": -1}),
        ("text-to-image", {"steps_num": 51}),
        ("text-to-image", {"text_guidance_scale": 0.5}),
        ("text-to-image", {"medium": "oil"}),
        ("text-to-image", {"ip_signal": "yes"}),
        ("text-to-image", {"size": "1024x1024"}),
        ("text-to-image", {"model": "bria"}),
        ("text-to-vector", {"enhance_image": True}),
        ("text-to-vector", {"guidance_method_1": "magic"}),
    ],
)
def test_a_wrong_field_is_refused_and_costs_nothing(
    draw: Say, log: Log, path: str, body: dict[str, Any]
) -> None:
    given = {"path": path, "prompt": "a fox", **body}
    assert error(draw(**given))[0] == 422
    assert log.paid_calls == 0


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("erase", {"mask": None}),
        ("erase", {"image": None}),
        ("erase", {"image": "no base64!"}),
        ("gen_fill", {"prompt": None}),
        ("gen_fill", {"mask": None}),
        ("gen_fill", {"num_results": 2}),
        ("gen_fill", {"sync": True}),
        ("gen_fill", {"mask": base64_of(Image.new("L", (32, 48), 255))}),
        ("gen_fill", {"mask_type": "magic"}),
        ("expand", {"mask": None, "aspect_ratio": "16:9"}),
        ("expand", {"aspect_ratio": "21:9"}),
        ("replace_background", {"prompt": None}),
        ("replace_background", {"mask": base64_of(mask())}),
        ("replace_background", {"mode": "best"}),
        ("increase_resolution", {"desired_increase": 3}),
        ("increase_resolution", {"desired_increase": "2"}),
        ("increase_resolution", {"image": base64_of(picture((1500, 8))), "desired_increase": 4}),
        ("enhance", {"resolution": "8MP"}),
        ("enhance", {"prompt": "a fox"}),
        ("erase", {"image": base64.b64encode(b"\x89PNG, but none").decode()}),
    ],
)
def test_a_wrong_edit_is_refused_and_costs_nothing(
    edit: Say, log: Log, action: str, body: dict[str, Any]
) -> None:
    assert error(edit(action, **body))[0] == 422
    assert log.paid_calls == 0


def test_an_image_of_a_wrong_kind_or_weight_is_refused(edit: Say) -> None:
    assert error(edit(image=base64_of(picture(), "BMP")))[0] == 415
    heavy = base64.b64encode(b"\x89PNG" + bytes(12_000_100)).decode()
    assert error(edit(image=heavy))[0] == 413


@pytest.mark.parametrize(
    "path",
    ["image/edit/remove_background", "image/edit/blur", "image/edit", "text-to-video", "image"],
)
def test_what_the_gateway_does_not_list_is_not_there(say: Say, path: str) -> None:
    assert error(say(path, image=base64_of(picture()), prompt="a fox"))[0] == 404


def test_a_task_of_nobody_is_not_found(look: Callable[[str], httpx.Response]) -> None:
    assert error(look("5f3c2d1e"))[0] == 404


def test_a_look_needs_the_key(client: httpx.Client, edit: Say) -> None:
    id = edit().json()["request_id"]
    assert client.get(f"/bria/{id}").status_code == 401


def test_a_lenient_sandbox_leaves_out_what_is_wrong(lenient: httpx.Client) -> None:
    body = {"prompt": "a fox", "num_results": 1, "aspect_ratio": "21:9", "size": "huge"}
    reply = lenient.post("/bria/text-to-image", json=body, headers=HEADERS)
    assert len(reply.json()["result"]) == 1
