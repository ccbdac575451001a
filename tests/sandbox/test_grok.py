"""Grok Imagine: shapes and resolutions, JPEG, and errors in xAI's own form."""

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log, Sandbox, grok
from tests.sandbox.conftest import KEY, in_base64, opened

HEADERS = {"Authorization": f"Bearer {KEY}"}
BLUE, RED = (20, 40, 200), (200, 30, 30)


def photo(size: tuple[int, int] = (96, 64)) -> bytes:
    """Blue to the left and red to the right."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (size[0] // 2, 0, *size))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def entry(data: bytes) -> dict[str, str]:
    """An image as xAI wants it in JSON."""
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "url": url}


def ask(client: httpx.Client, route: str = "generations", **fields: Any) -> httpx.Response:
    body = {"model": "grok-imagine-image", "prompt": "a teapot", **fields}
    return client.post(f"/v1/images/{route}", json=body, headers=HEADERS)


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (1024, 1024)),
        ({"aspect_ratio": "1:1", "resolution": "2k"}, (2048, 2048)),
        ({"aspect_ratio": "16:9"}, (1360, 768)),
        ({"aspect_ratio": "9:20", "resolution": "1k"}, (688, 1520)),
        ({"aspect_ratio": "19.5:9"}, (1504, 688)),
    ],
)
def test_an_image_has_the_shape_and_resolution_asked_for(
    client: httpx.Client, fields: dict[str, str], size: tuple[int, int]
) -> None:
    image = opened(in_base64(ask(client, response_format="b64_json", **fields))[0])
    assert (image.format, image.size) == ("JPEG", size)


def test_links_come_where_nothing_was_asked_for_with_their_type_and_cost(
    client: httpx.Client, log: Log
) -> None:
    body = ask(client, n=3, model="grok-imagine-image-quality").json()
    assert "created" not in body
    assert {entry["mime_type"] for entry in body["data"]} == {"image/jpeg"}
    assert len({client.get(entry["url"]).content for entry in body["data"]}) == 3
    assert body["usage"] == {"cost_in_usd_ticks": 1_500_000_000}
    assert str(log.used) == "0.15"


def test_an_edit_is_painted_over_its_first_image_in_its_shape(client: httpx.Client) -> None:
    images = [entry(photo((96, 64))), entry(photo((10, 90)))]
    reply = ask(client, "edits", images=images, response_format="b64_json")
    image = opened(in_base64(reply)[0]).convert("RGB")
    assert image.size == (1248, 832)
    left, right = image.getpixel((200, 400)), image.getpixel((1100, 400))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[2] - left[0] > right[2] - right[0] + 60


def test_an_edit_may_be_asked_for_another_shape_and_come_as_a_form(client: httpx.Client) -> None:
    data = {"model": "grok-imagine-image", "prompt": "a hat", "aspect_ratio": "1:2", "n": "2"}
    files = [("image", ("a.png", photo(), "image/png"))]
    reply = client.post("/v1/images/edits", data=data, files=files, headers=HEADERS)
    sizes = [opened(client.get(one["url"]).content).size for one in reply.json()["data"]]
    assert sizes == [(720, 1456)] * 2


ONE = {"image": entry(photo((16, 16)))}
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("generations", {"size": "1024x1024"}),
    ("generations", {"quality": "high"}),
    ("generations", {"seed": 7}),
    ("generations", {"aspect_ratio": "5:4"}),
    ("generations", {"aspect_ratio": ["1:1"]}),
    ("generations", {"resolution": "4k"}),
    ("generations", {"n": 11}),
    ("generations", {"n": 0}),
    ("generations", {"n": True}),
    ("generations", {"n": "2"}),
    ("generations", {"response_format": "png"}),
    ("generations", {"prompt": " "}),
    ("generations", {"prompt": None}),
    ("generations", {"prompt": "a" * 4001}),
    ("generations", ONE),
    ("edits", {}),
    ("edits", {"images": []}),
    ("edits", {"images": [ONE["image"]] * 4}),
    ("edits", {**ONE, "images": [ONE["image"]]}),
    ("edits", {"image": ONE["image"]["url"]}),
    ("edits", {"image": {"image_url": ONE["image"]["url"]}}),
    ("edits", {"image": {"type": "text", "url": ONE["image"]["url"]}}),
    ("edits", {"image": {"url": "https://a.example/b.png"}}),
    ("edits", {"image": {"url": "data:image/png;base64,AAAA"}}),
    ("edits", {"image": {**ONE["image"], "detail": "high"}}),
    ("edits", {**ONE, "mask": ONE["image"]}),
    ("edits", {**ONE, "size": "1024x1024"}),
]


@pytest.mark.parametrize(("route", "fields"), REFUSED)
def test_what_is_wrong_is_refused_as_xai_refuses_it(
    client: httpx.Client, log: Log, route: str, fields: dict[str, Any]
) -> None:
    reply = ask(client, route, **fields)
    assert reply.status_code == 400
    assert isinstance(reply.json()["error"], str)
    assert " " in reply.json()["code"]
    assert log.paid_calls == 0


def test_a_form_has_no_place_for_a_mask(client: httpx.Client) -> None:
    data = {"model": "grok-imagine-image", "prompt": "a hat"}
    files = [(name, ("a.png", photo(), "image/png")) for name in ("image", "mask")]
    reply = client.post("/v1/images/edits", data=data, files=files, headers=HEADERS)
    assert reply.json()["error"] == "Argument not supported: mask"


def test_a_lenient_sandbox_leaves_out_what_a_strict_one_refuses() -> None:
    app = Sandbox(strict=False)
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        reply = ask(client, size="1024x1024", n=99, aspect_ratio="2:1")
    (one,) = reply.json()["data"]
    assert "Size=1456x720" in one["url"]


@pytest.mark.parametrize("route", ["generations", "edits"])
def test_a_refusal_is_a_sentence_and_a_withheld_image_an_answer_without_it(
    client: httpx.Client, log: Log, route: str
) -> None:
    more = ONE if route == "edits" else {}
    refused = ask(client, route, prompt="[refuse]", **more)
    assert refused.status_code == 400
    assert refused.json()["error"] == "Generated image rejected by content moderation."
    withheld = ask(client, route, prompt="[withheld]", n=2, **more)
    assert (withheld.status_code, withheld.json()["usage"]) == (200, {"cost_in_usd_ticks": 0})
    assert withheld.json()["data"] == [{"respect_moderation": False}] * 2
    assert log.paid_calls == 0


def test_of_a_series_a_part_can_be_withheld_and_only_the_rest_is_paid(
    client: httpx.Client, log: Log
) -> None:
    entries = ask(client, prompt="[partly]", n=3).json()["data"]
    assert [one["respect_moderation"] for one in entries] == [True, False, True]
    assert ["url" in one for one in entries] == [True, False, True]
    assert str(log.used) == "0.04"


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("busy", 429, "bad_response_status_code"),
        ("broken", 500, "do_request_failed"),
        ("fail", 500, "do_request_failed"),
        ("money", 403, "insufficient_user_quota"),
        ("error", 200, "upstream_error"),
    ],
)
def test_the_gateways_own_trouble_is_in_its_own_words(
    client: httpx.Client, log: Log, word: str, status: int, code: str
) -> None:
    reply = ask(client, prompt=f"a teapot [{word}]")
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert log.paid_calls == 0


def test_spoiled_answers_and_links_come_too(client: httpx.Client) -> None:
    def link(word: str) -> str:
        return str(ask(client, prompt=f"[{word}]").json()["data"][0]["url"])

    assert ask(client, prompt="[empty]").json()["data"] == []
    assert ask(client, prompt="[524]").status_code == 524
    assert client.get(link("expired")).status_code == 403
    assert link("private").startswith("http://169.254.169.254/")
    assert opened(client.get(link("lies")).content).format == "PNG"
    half = ask(client, prompt="[half]", response_format="b64_json")
    assert len(half.content) == int(half.headers["content-length"]) // 2


def test_every_shape_is_one_that_can_be_painted() -> None:
    for ratio in grok.RATIOS:
        for resolution, side in grok.SIDES.items():
            width, height = grok._size(ratio, resolution, None)
            assert (width % 16, height % 16) == (0, 0)
            assert abs(width * height / side**2 - 1) < 0.03
