"""Bria in the sandbox: strict readings of H, and pictures that show what was done."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops

from generator.sandbox import Log, Sandbox
from tests.sandbox.conftest import KEY, Clock, opened

HEADERS = {"Authorization": f"Bearer {KEY}"}
WHITE = (4, 2, 20, 12)  # of the mask: neither mirrored nor turned is it the same

type Say = Callable[..., httpx.Response]


@pytest.fixture
def sandbox(log: Log, clock: Clock) -> Sandbox:
    return Sandbox(log=log, delay=10, clock=clock, sleep=clock.sleep)


@pytest.fixture
def lenient(log: Log, clock: Clock) -> Iterator[httpx.Client]:
    app = Sandbox(log=log, strict=False, clock=clock, sleep=clock.sleep)
    with httpx.Client(base_url="http://g", transport=httpx.WSGITransport(app=app)) as client:
        yield client


@pytest.fixture
def say(client: httpx.Client) -> Say:
    def post(path: str, **body: Any) -> httpx.Response:
        return client.post(f"/bria/{path}", json=body, headers=HEADERS)

    return post


@pytest.fixture
def draw(say: Say) -> Say:
    """Ask for one image or drawing."""

    def post(path: str = "text-to-image", prompt: str = "a fox", **body: Any) -> httpx.Response:
        return say(path, prompt=prompt, **{"num_results": 1, **body})

    return post


@pytest.fixture
def edit(say: Say) -> Say:
    """Ask for an edit with what it needs."""

    def post(action: str = "gen_fill", **body: Any) -> httpx.Response:
        given: dict[str, Any] = {"image": base64_of(picture())}
        if action in {"erase", "gen_fill", "expand"}:
            given["mask"] = base64_of(mask())
        if action in {"gen_fill", "replace_background"}:
            given["prompt"] = "a fox"
        given = {name: said for name, said in {**given, **body}.items() if said is not None}
        return say(f"image/edit/{action}", **given)

    return post


@pytest.fixture
def look(client: httpx.Client) -> Callable[[str], httpx.Response]:
    return lambda id: client.get(f"/bria/{id}", headers=HEADERS)


@pytest.fixture
def done(
    client: httpx.Client, clock: Clock, edit: Say, look: Callable[[str], httpx.Response]
) -> Callable[..., Image.Image]:
    """The image that an edit makes."""

    def carry(action: str, **body: Any) -> Image.Image:
        id = edit(action, **body).json()["request_id"]
        clock.sleep(10)
        return opened(client.get(look(id).json()["result"]["image_url"]).content)

    return carry


def picture(size: tuple[int, int] = (48, 32)) -> Image.Image:
    return Image.new("RGB", size, (200, 40, 40))


def mask() -> Image.Image:
    image = Image.new("L", (48, 32))
    image.paste(255, WHITE)
    return image


def base64_of(image: Image.Image, format: str = "PNG") -> str:
    file = io.BytesIO()
    image.save(file, format)
    return base64.b64encode(file.getvalue()).decode()


def changed(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Where an image is another than the one that was sent."""
    return ImageChops.difference(image.convert("RGB"), picture(image.size)).getbbox()


def error(reply: httpx.Response) -> tuple[int, str]:
    """The status, said twice, and the message."""
    said = reply.json()
    assert said["error"]["code"] == reply.status_code
    assert said["request_id"]
    return reply.status_code, said["error"]["message"]


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


# ── Trouble ──


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
