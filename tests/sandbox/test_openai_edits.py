"""Edits: what comes along is painted over where the mask is clear, and wrong forms are refused."""

import base64
import io
import json
from random import Random
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log, Sandbox, catalogue, limits
from tests.sandbox.conftest import KEY, in_base64, opened

HEADERS = {"Authorization": f"Bearer {KEY}"}
SIZE = (256, 256)
BLUE, RED = (20, 40, 200), (200, 30, 30)

type File = tuple[str, tuple[str, bytes, str]]
type Part = File | tuple[str, tuple[None, bytes]]


def saved(image: Image.Image, format: str = "PNG") -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def photo(size: tuple[int, int] = SIZE, mode: str = "RGB", format: str = "PNG") -> bytes:
    """Blue to the left and red to the right, so that one sees if it was turned."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (size[0] // 2, 0, *size))
    return saved(image.convert(mode), format)


def mask(size: tuple[int, int] = SIZE, opacity: int = 0) -> bytes:
    """Clear in the upper left corner, a quarter wide and half as high as the image."""
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    image.paste((0, 0, 0, opacity), (0, 0, size[0] // 4, size[1] // 2))
    return saved(image)


def png(name: str, data: bytes) -> File:
    return (name, (f"{name.strip('[]')}.png", data, "image/png"))


def edit(
    client: httpx.Client, *files: File, model: str = "dall-e-2", prompt: str = "a hat", **more: Any
) -> httpx.Response:
    """Ask for an edit by DALL·E 2, small and in base64, unless told otherwise."""
    if model == "dall-e-2":
        more = {"size": "256x256", "response_format": "b64_json", **more}
    data = {"model": model, "prompt": prompt, **more}
    # As parts, so that it is a form even without a file.
    parts: list[Part] = [
        (name, (None, said.encode())) for name, said in data.items() if said is not None
    ]
    return client.post("/v1/images/edits", files=[*parts, *files], headers=HEADERS)


def changed(before: bytes, after: Image.Image, places: list[tuple[int, int]]) -> list[bool]:
    """Whether each of these places shows another colour than before."""
    old, new = opened(before).convert("RGB"), after.convert("RGB")
    return [old.getpixel(place) != new.getpixel(place) for place in places]


CORNERS = [(10, 10), (60, 120), (70, 10), (10, 140), (250, 10), (10, 250), (250, 200)]
INSIDE_ONLY = [True, True, False, False, False, False, False]


def test_only_what_is_clear_in_the_mask_changes(client: httpx.Client) -> None:
    reply = edit(client, png("image", photo()), png("mask", mask()))
    image = opened(in_base64(reply)[0])
    assert image.size == SIZE
    assert changed(photo(), image, CORNERS) == INSIDE_ONLY


def test_what_is_only_half_clear_stays(client: httpx.Client) -> None:
    reply = edit(client, png("image", photo()), png("mask", mask(opacity=128)))
    assert in_base64(reply)
    assert not any(changed(photo(), opened(in_base64(reply)[0]), CORNERS))


def test_the_images_own_transparency_does_for_a_mask_with_the_model_that_needs_one(
    client: httpx.Client,
) -> None:
    image = opened(photo()).convert("RGBA")
    image.putalpha(opened(mask()).getchannel("A"))
    reply = edit(client, png("image", saved(image)))
    assert changed(photo(), opened(in_base64(reply)[0]), CORNERS) == INSIDE_ONLY


def test_without_a_mask_the_whole_image_shows_through(client: httpx.Client) -> None:
    reply = edit(client, png("image", photo((1024, 1024))), model="gpt-image-1", quality="low")
    image = opened(in_base64(reply)[0])
    assert image.getpixel((100, 500)) not in {BLUE, RED}
    blue, red = image.getpixel((100, 500)), image.getpixel((900, 500))
    assert isinstance(blue, tuple)
    assert isinstance(red, tuple)
    assert blue[2] - blue[0] > red[2] - red[0] + 60


@pytest.mark.parametrize(
    ("fields", "format", "size"),
    [
        ({}, "PNG", (1024, 1536)),
        ({"size": "auto", "output_format": "webp"}, "WEBP", (1024, 1536)),
        ({"size": "1536x1024", "output_format": "jpeg"}, "JPEG", (1536, 1024)),
    ],
)
def test_an_edit_has_the_size_and_format_asked_for_and_else_the_shape_of_its_image(
    client: httpx.Client, fields: dict[str, str], format: str, size: tuple[int, int]
) -> None:
    tall = png("image", photo((200, 300)))
    reply = edit(client, tall, model="gpt-image-2", quality="low", **fields)
    image = opened(in_base64(reply)[0])
    assert (image.format, image.size) == (format, size)
    assert reply.json()["size"] == f"{size[0]}x{size[1]}"


def test_the_mask_is_cut_like_the_image_where_the_shape_changes(client: httpx.Client) -> None:
    wide = photo((300, 200))
    files = png("image", wide), png("mask", mask((300, 200)))
    reply = edit(client, *files, model="gpt-image-1", size="1024x1024", quality="low")
    image = opened(in_base64(reply)[0]).convert("RGB")
    # A sixth is cut on both sides: of the quarter that changes, 25 of 200 pixels are left.
    assert image.getpixel((100, 400)) != BLUE
    assert image.getpixel((160, 400)) == BLUE
    assert image.getpixel((100, 540)) == BLUE


def test_a_clear_background_is_clear(client: httpx.Client) -> None:
    fields = {"background": "transparent", "quality": "low", "size": "1024x1024"}
    reply = edit(client, png("image", photo((64, 64))), model="gpt-image-1", **fields)
    assert opened(in_base64(reply)[0]).getchannel("A").getpixel((0, 0)) == 0


def test_a_model_without_sizes_answers_with_one_like_the_first(client: httpx.Client) -> None:
    files = png("image[]", photo((150, 90))), png("image[]", photo((64, 64)))
    (entry,) = edit(client, *files, model="qwen-image-edit").json()["data"]
    assert opened(client.get(entry["url"]).content).size == (150, 90)


@pytest.mark.parametrize(
    "names", [["image"], ["image"] * 2, ["image[]"] * 3, ["image[0]", "image[1]"]]
)
def test_images_may_be_named_in_three_ways(
    client: httpx.Client, log: Log, names: list[str]
) -> None:
    files = [png(name, photo((32, 32))) for name in names]
    reply = edit(client, *files, model="gpt-image-2", quality="low", size="1024x640")
    assert reply.status_code == 200
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] == 768 * len(names)
    said = log.requests[-1].json
    assert said is not None
    assert [file["file"] for file in said["image"]] == [f"{name.strip('[]')}.png" for name in names]


def test_usage_of_an_edit_is_merged_and_agrees_with_itself(client: httpx.Client) -> None:
    reply = edit(client, png("image", photo()), model="gpt-image-2", quality="low")
    usage = reply.json()["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (0, 0)
    assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"]
    assert (
        sum(usage["input_tokens_details"][f"{what}_tokens"] for what in ("image", "text"))
        == (usage["input_tokens"])
    )


def test_the_log_holds_no_bytes_of_what_was_sent(client: httpx.Client, log: Log) -> None:
    noise = saved(Image.effect_noise((256, 256), 100).convert("RGB"))
    edit(client, png("image", noise), png("mask", mask()))
    said = json.dumps(log.requests[-1].json)
    assert str(len(noise)) in said
    assert len(said) < 1000


def test_openais_own_json_form_is_taken_for_its_newer_models(client: httpx.Client) -> None:
    def entry(data: bytes) -> dict[str, str]:
        return {"image_url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}

    photo_1024, mask_1024 = photo((1024, 1024)), mask((1024, 1024))
    body: dict[str, Any] = {"model": "gpt-image-1", "prompt": "a hat", "quality": "low"}
    body["size"] = "1024x1024"
    body |= {"images": [entry(photo_1024)], "mask": entry(mask_1024)}
    reply = client.post("/v1/images/edits", json=body, headers=HEADERS)
    image = opened(in_base64(reply)[0])
    places = [(x * 4, y * 4) for x, y in CORNERS]
    assert changed(photo_1024, image, places) == INSIDE_ONLY
    body["images"].append({"image_url": "https://a.example/b.png"})
    error = client.post("/v1/images/edits", json=body, headers=HEADERS).json()["error"]
    assert error["param"] == "images[1].image_url"


GPT, GPT_2, DALL_E, QWEN = "gpt-image-1", "gpt-image-2", "dall-e-2", "qwen-image-edit"
IMAGE = png("image", photo((64, 64)))
MASK = png("mask", mask((64, 64)))
UNKNOWN, INVALID, UNFIT = "unknown_parameter", "invalid_value", "invalid_image_file"
HEAVY = saved(Image.frombytes("RGBA", (1024, 1024), Random(0).randbytes(4 * 1024**2)))

REFUSED: list[tuple[str, list[File], dict[str, Any], int, str]] = [
    # model, files, fields, status, code
    (GPT, [], {}, 400, "missing_required_parameter"),
    (GPT, [], {"image": "data:image/png;base64,AAAA"}, 400, "invalid_type"),
    (GPT, [IMAGE], {"prompt": ""}, 500, "invalid_request"),
    (GPT, [IMAGE], {"prompt": None}, 500, "invalid_request"),
    (GPT, [IMAGE], {"moderation": "low"}, 400, UNKNOWN),
    (GPT, [IMAGE], {"seed": "7"}, 400, UNKNOWN),
    (GPT, [IMAGE], {"response_format": "url"}, 400, UNKNOWN),
    (GPT, [IMAGE], {"size": "1792x1024"}, 400, INVALID),
    (GPT, [IMAGE], {"n": "11"}, 400, "integer_above_max_value"),
    (GPT, [IMAGE], {"n": "two"}, 400, "invalid_type"),
    (GPT, [IMAGE], {"n": "1.5"}, 400, "invalid_type"),
    (GPT, [IMAGE], {"input_fidelity": "best"}, 400, INVALID),
    ("gpt-image-1-mini", [IMAGE], {"input_fidelity": "high"}, 400, UNKNOWN),
    (GPT_2, [IMAGE], {"input_fidelity": "high"}, 400, UNKNOWN),
    (GPT_2, [IMAGE], {"background": "transparent"}, 400, INVALID),
    (GPT_2, [IMAGE], {"size": "576x1024"}, 400, INVALID),
    (GPT_2, [IMAGE], {"stream": "yes"}, 400, "invalid_type"),
    (GPT_2, [IMAGE], {"partial_images": "2"}, 400, INVALID),
    (DALL_E, [IMAGE, MASK], {"stream": "true"}, 400, UNKNOWN),
    (GPT, [IMAGE, png("markup", photo())], {}, 400, UNKNOWN),
    (GPT, [png("image[]", photo((16, 16)))] * 17, {}, 400, "array_above_max_length"),
    (GPT, [("image", ("a.png", photo(), "application/octet-stream"))], {}, 400,
     "unsupported_file_mimetype"),
    (GPT, [png("image", b"no image at all")], {}, 400, UNFIT),
    (GPT, [png("image", photo(mode="P"))], {}, 400, UNFIT),
    (GPT, [png("image", saved(Image.new("RGB", (9, 9)), "BMP"))], {}, 400, UNFIT),
    (GPT, [IMAGE, png("mask", photo((64, 64)))], {}, 400, UNFIT),
    (GPT, [IMAGE, png("mask", mask((64, 65)))], {}, 400, UNFIT),
    (GPT, [IMAGE, ("mask", ("m.webp", saved(Image.new("RGBA", (64, 64)), "WEBP"), "image/webp"))],
     {}, 400, UNFIT),
    (GPT, [png("image", photo((1024, 1024))), png("mask", HEAVY)], {}, 400, UNFIT),
    (DALL_E, [IMAGE], {}, 400, UNFIT),
    (DALL_E, [png("image", photo((64, 48))), png("mask", mask((64, 48)))], {}, 400, UNFIT),
    (DALL_E, [IMAGE, IMAGE, MASK], {}, 400, "array_above_max_length"),
    (DALL_E, [("image", ("a.jpg", photo(format="JPEG"), "image/jpeg")), MASK], {}, 400,
     "unsupported_file_mimetype"),
    (DALL_E, [png("image", HEAVY), png("mask", mask((1024, 1024)))], {}, 400, "image_too_large"),
    (DALL_E, [IMAGE, MASK], {"size": "1024x1536"}, 500, "invalid_request"),
    (DALL_E, [IMAGE, MASK], {"output_format": "webp"}, 400, UNKNOWN),
    (QWEN, [IMAGE], {"n": "2"}, 500, "invalid_request"),
    (QWEN, [IMAGE], {"size": "1024x1024"}, 400, UNKNOWN),
    (QWEN, [IMAGE, MASK], {}, 400, UNKNOWN),
    (QWEN, [IMAGE] * 4, {}, 400, "array_above_max_length"),
    ("dall-e-3", [IMAGE], {}, 400, INVALID),
    ("qwen-image", [IMAGE], {}, 500, "convert_request_failed"),
    ("gpt-image-9", [IMAGE], {}, 503, "model_not_found"),
    ("", [IMAGE], {}, 400, ""),
]  # fmt: skip


@pytest.mark.parametrize(("model", "files", "fields", "status", "code"), REFUSED)
def test_what_the_real_one_refuses_is_refused_and_costs_nothing(
    client: httpx.Client,
    log: Log,
    model: str,
    files: list[File],
    fields: dict[str, Any],
    status: int,
    code: str,
) -> None:
    reply = edit(client, *files, model=model, **fields)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert log.paid_calls == 0


BOUNDARY = "the-border"
PART = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}'


def form(*parts: str, end: str = "--") -> bytes:
    """A multipart body of these parts, as they are written."""
    return (
        f"\r\n--{BOUNDARY}\r\n".join(["", *parts]).encode() + f"\r\n--{BOUNDARY}{end}\r\n".encode()
    )


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("text/plain", b"x", "unsupported_content_type"),
        ("application/x-www-form-urlencoded", b"model=gpt-image-1", "unsupported_content_type"),
        ("application/json", b"[1]", "bad_request_body"),
        ("application/json", b"{", "bad_request_body"),
        ("multipart/form-data", form(PART.format("prompt", "x")), "bad_request_body"),
        (f"multipart/form-data; boundary={'b' * 71}", b"", "bad_request_body"),
        (f"multipart/form-data; boundary={BOUNDARY}", b"", "bad_request_body"),
        (f"multipart/form-data; boundary={BOUNDARY}", b"--the-border--x", "model name"),
        (f"multipart/form-data; boundary={BOUNDARY}", form("no head"), "bad_request_body"),
        (f"multipart/form-data; boundary={BOUNDARY}", form("A: b\r\n\r\nx"), "bad_request_body"),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            form(PART.format("prompt", "x"), end=""),
            "bad_request_body",
        ),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            form(*[PART.format("prompt", "x")] * 200),
            "bad_request_body",
        ),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            form(*[PART.format("prompt", "x")] * 2),
            "duplicate_parameter",
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    client: httpx.Client, log: Log, content_type: str, body: bytes, code: str
) -> None:
    headers = {**HEADERS, "Content-Type": content_type}
    reply = client.post("/v1/images/edits", content=body, headers=headers)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["code"] == code or code in error["message"]
    assert log.paid_calls == 0


def test_bytes_between_two_borders_come_as_they_are(client: httpx.Client, log: Log) -> None:
    """Line ends of every kind, and what looks like a border, are part of a file."""
    odd = b"\r\n--\r\r\n\n--the-borde\x00\xff\r\n"
    image = photo() + odd
    body = (
        form(
            PART.format("model", "dall-e-2"),
            PART.format("prompt", "täglich"),
            PART.format("size", "256x256"),
        )[: -len(f"--{BOUNDARY}--\r\n")]
        + f"--{BOUNDARY}\r\n".encode()
        + b'Content-Disposition: form-data; name="image"; filename="a.png"\r\n'
        + b"Content-Type: image/png\r\n\r\n"
        + image
        + f"\r\n--{BOUNDARY}\r\n".encode()
        + b'Content-Disposition: form-data; name="mask"; filename="m.png"\r\n'
        + b"Content-Type: image/png\r\n\r\n"
        + mask()
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    headers = {**HEADERS, "Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}
    reply = client.post("/v1/images/edits", content=body, headers=headers)
    assert reply.status_code == 200
    said = log.requests[-1].json
    assert said is not None
    assert (said["prompt"], said["image"][0]["bytes"]) == ("täglich", len(image))


def test_a_body_over_the_limit_is_refused() -> None:
    transport = httpx.WSGITransport(app=Sandbox(body_limit=1000))
    with httpx.Client(base_url="http://gateway", transport=transport) as client:
        assert edit(client, png("image", HEAVY)).status_code == 413


def test_a_key_is_asked_for(client: httpx.Client) -> None:
    assert client.post("/v1/images/edits", json={"prompt": "x"}).status_code == 401


def test_a_lenient_sandbox_mends_what_a_strict_one_refuses() -> None:
    app = Sandbox(strict=False)
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        files = [png("image", photo()), png("mask", mask())]
        reply = edit(client, *files, seed="7", n="99", moderation="low")
    assert len(in_base64(reply)) == 1


def test_every_model_of_the_route_is_in_the_list_with_its_route() -> None:
    for pattern in limits.EDITS:
        assert catalogue.known(pattern.replace("??-??-??", "26-04-21"))


@pytest.mark.parametrize(
    ("word", "status", "code", "paid"),
    [
        ("busy", 429, "bad_response_status_code", 0),
        ("broken", 500, "do_request_failed", 0),
        ("fail", 500, "do_request_failed", 0),
        ("money", 403, "insufficient_user_quota", 0),
        ("error", 200, "upstream_error", 0),
        ("refuse", 400, "content_policy_violation", 0),
        ("withheld", 400, "content_policy_violation", 0),
    ],
)
def test_trouble_that_is_asked_for_comes(
    client: httpx.Client, log: Log, word: str, status: int, code: str, paid: int
) -> None:
    reply = edit(client, png("image", photo()), png("mask", mask()), prompt=f"a hat [{word}]")
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert log.paid_calls == paid


@pytest.mark.parametrize(("word", "stage"), [("refuse", "input"), ("withheld", "output")])
def test_gpt_image_says_what_was_objected_to(client: httpx.Client, word: str, stage: str) -> None:
    error = edit(client, IMAGE, model=GPT, prompt=f"[{word}]").json()["error"]
    assert error["code"] == "moderation_blocked"
    assert error["moderation_details"]["moderation_stage"] == stage


def test_spoiled_answers_and_links_come_to_edits_too(client: httpx.Client, log: Log) -> None:
    def ask(word: str) -> httpx.Response:
        return edit(client, png("image", photo()), png("mask", mask()), prompt=f"[{word}]")

    assert ask("html").headers["content-type"].startswith("text/html")
    assert ask("empty").json()["data"] == []
    assert log.paid_calls == 0
    assert ask("524").status_code == 524
    with pytest.raises(OSError, match="cannot identify"):
        opened(in_base64(ask("garbage"))[0])
    assert opened(in_base64(ask("lies"))[0]).format == "JPEG"
    assert client.get(ask("expired").json()["data"][0]["url"]).status_code == 403
    assert ask("private").json()["data"][0]["url"].startswith("http://169.254.169.254/")
    half = ask("half")
    assert len(half.content) == int(half.headers["content-length"]) // 2
