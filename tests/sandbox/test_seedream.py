"""The sandbox's Seedream: real files, the mark, series, and Ark's refusals in Ark's words."""

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image, ImageStat

from generator.sandbox import Log, Sandbox, seedream
from generator.sandbox.canvas import Size
from tests.sandbox.conftest import KEY, Generate, opened

NEWEST = "doubao-seedream-5-0-260128"
OF_4_5 = "doubao-seedream-4-5-251128"
OF_4_0 = "doubao-seedream-4-0-250828"
OLDEST = "doubao-seedream-3-0-t2i-250415"
SMALL = {"size": "1280x720", "watermark": False}


def data_uri(size: Size = (64, 48), format: str = "png") -> str:
    """An image of red as it goes along."""
    file = io.BytesIO()
    Image.new("RGB", size, (220, 30, 30)).save(file, format)
    return f"data:image/{format};base64,{base64.b64encode(file.getvalue()).decode()}"


def is_marked(image: Image.Image) -> bool:
    """Whether the mark's white box stands in the lower right corner."""
    left, top, _, bottom = seedream.mark_box(image.size)
    edge = image.convert("L").crop((left + 2, top + 2, left + 6, bottom - 2))
    return ImageStat.Stat(edge).mean[0] > 245


@pytest.fixture
def made(generate: Generate, client: httpx.Client) -> Any:
    """Ask, and open every image that came."""

    def ask(model: str = OF_4_0, **fields: Any) -> list[Image.Image]:
        reply = generate(model, **fields)
        assert reply.status_code == 200, reply.text
        return [opened(client.get(entry["url"]).content) for entry in reply.json()["data"]]

    return ask


def refusal(reply: httpx.Response) -> dict[str, Any]:
    """The error of a refusal with status 400."""
    assert reply.status_code == 400, reply.text
    error: dict[str, Any] = reply.json()["error"]
    return error


@pytest.mark.parametrize(
    ("model", "fields", "format", "size"),
    [
        (NEWEST, {"output_format": "png", "size": "1920x1920"}, "PNG", (1920, 1920)),
        (NEWEST, {}, "JPEG", (2048, 2048)),
        (NEWEST, {"size": "3K"}, "JPEG", (3072, 3072)),
        (OF_4_5, {"size": "2K"}, "JPEG", (2048, 2048)),
        (OF_4_0, {"size": "1K"}, "JPEG", (1024, 1024)),
        (OF_4_0, {"size": "1K", "prompt": "a wide beach"}, "JPEG", (1280, 720)),
        (OF_4_0, {"size": "1K", "prompt": "a portrait"}, "JPEG", (720, 1280)),
        (OF_4_0, {"size": "1K", "image": [data_uri((210, 90))]}, "JPEG", (1512, 648)),
        (OF_4_0, {"size": "1K", "image": data_uri((64, 48), "webp")}, "JPEG", (1152, 864)),
        (OLDEST, {}, "JPEG", (1024, 1024)),
        (OLDEST, {"size": "512x2048"}, "JPEG", (512, 2048)),
    ],
)
def test_an_image_has_the_size_and_format_asked_for(
    made: Any, model: str, fields: dict[str, Any], format: str, size: Size
) -> None:
    (image,) = made(model, **fields)
    assert (image.format, image.size) == (format, size)


@pytest.mark.parametrize("more", [{}, {"image": [data_uri()]}])
def test_the_mark_is_printed_unless_it_is_switched_off(made: Any, more: dict[str, Any]) -> None:
    fields = {"size": "1280x720", **more}
    assert is_marked(made(**fields)[0])
    assert is_marked(made(**fields, watermark=True)[0])
    assert not is_marked(made(**fields, watermark=False)[0])


def test_an_image_that_came_along_shows_through(made: Any) -> None:
    (image,) = made(**SMALL, image=[data_uri()])
    red, green, _ = image.resize((1, 1)).getpixel((0, 0))
    assert red > green + 40


def test_one_image_comes_unless_a_series_is_asked_for(made: Any) -> None:
    series = {"sequential_image_generation": "auto"}
    options = {"sequential_image_generation_options": {"max_images": 3}}
    assert len(made(**SMALL)) == 1
    assert len(made(**SMALL, sequential_image_generation="disabled")) == 1
    images = made(**SMALL, **series, **options)
    assert len({image.tobytes() for image in images}) == 3


def test_a_series_has_fifteen_images_where_nobody_says_how_many(generate: Generate) -> None:
    reply = generate(OF_4_0, **SMALL, sequential_image_generation="auto").json()
    assert len(reply["data"]) == 15
    assert reply["usage"]["generated_images"] == 15


def test_the_answer_says_what_it_took(generate: Generate, log: Log) -> None:
    reply = generate(NEWEST, size="1921x1920", tools=[{"type": "web_search"}]).json()
    (entry,) = reply["data"]
    assert (reply["model"], entry["size"]) == (NEWEST, "1921x1920")
    tokens = 1921 * 1920 // 256
    assert reply["usage"] == {
        "generated_images": 1,
        "output_tokens": tokens,
        "total_tokens": tokens,
        "tool_usage": {"web_search": 1},
    }
    assert str(log.used) == "0.035"


def test_a_seed_paints_the_same_again_and_none_does_not(made: Any) -> None:
    def pixels(seed: int) -> bytes:
        image: bytes = made(OLDEST, size="512x512", watermark=False, seed=seed)[0].tobytes()
        return image

    assert pixels(7) == pixels(7)
    assert pixels(7) != pixels(8)
    assert pixels(-1) != pixels(-1)


def test_base64_is_given_where_it_is_asked_for(generate: Generate) -> None:
    (entry,) = generate(OF_4_0, **SMALL, response_format="b64_json").json()["data"]
    assert "url" not in entry
    assert opened(base64.b64decode(entry["b64_json"], validate=True)).size == (1280, 720)


SERIES = {"sequential_image_generation": "auto"}


@pytest.mark.parametrize(
    ("model", "fields", "param"),
    [
        (NEWEST, {"size": "1024x1024"}, "size"),
        (NEWEST, {"size": "1K"}, "size"),
        (NEWEST, {"size": "2k"}, "size"),
        (NEWEST, {"size": "2048×2048"}, "size"),
        (NEWEST, {"size": "16384x1025"}, "size"),
        (NEWEST, {"size": "16000x900"}, "size"),
        (NEWEST, {"size": 2048}, "size"),
        (OF_4_5, {"size": "3K"}, "size"),
        (OF_4_0, {"size": "1279x720"}, "size"),
        (OLDEST, {"size": "511x1024"}, "size"),
        (OLDEST, {"size": "2K"}, "size"),
        (NEWEST, {"n": 2}, "n"),
        (NEWEST, {"negative_prompt": "blur"}, "negative_prompt"),
        (NEWEST, {"mask": "x"}, "mask"),
        (NEWEST, {"watermark": "false"}, "watermark"),
        (NEWEST, {"output_format": "webp"}, "output_format"),
        (OF_4_5, {"output_format": "png"}, "output_format"),
        (OF_4_5, {"seed": 7}, "seed"),
        (OF_4_0, {"guidance_scale": 3}, "guidance_scale"),
        (OF_4_0, {"tools": [{"type": "web_search"}]}, "tools"),
        (NEWEST, {"tools": [{"type": "other"}]}, "tools"),
        (NEWEST, {"optimize_prompt_options": {"mode": "fast"}}, "optimize_prompt_options"),
        (OF_4_0, {"optimize_prompt_options": {"mode": "slow"}}, "optimize_prompt_options"),
        (NEWEST, {"response_format": "png"}, "response_format"),
        (OLDEST, {"seed": -2}, "seed"),
        (OLDEST, {"guidance_scale": 10.1}, "guidance_scale"),
        (OLDEST, {"image": [data_uri()]}, "image"),
        (OLDEST, SERIES, "sequential_image_generation"),
        (NEWEST, {"sequential_image_generation": "on"}, "sequential_image_generation"),
        (
            NEWEST,
            {"sequential_image_generation_options": {"max_images": 2}},
            "sequential_image_generation_options",
        ),
        (
            NEWEST,
            {**SERIES, "sequential_image_generation_options": {"max_images": 16}},
            "sequential_image_generation_options",
        ),
        (
            NEWEST,
            {
                **SERIES,
                "image": [data_uri()] * 12,
                "sequential_image_generation_options": {"max_images": 4},
            },
            "sequential_image_generation_options.max_images",
        ),
        # Nobody says how many, so fifteen: one image sent along is one too many (K15).
        (
            NEWEST,
            {**SERIES, "image": [data_uri()]},
            "sequential_image_generation_options.max_images",
        ),
        (NEWEST, {"image": []}, "image"),
        (NEWEST, {"image": [data_uri()] * 15}, "image"),
        (NEWEST, {"image": ["data:image/PNG;base64,AAAA"]}, "image"),
        (NEWEST, {"image": ["iVBORw0KGgo="]}, "image"),
        (NEWEST, {"image": ["data:image/png;base64,AAAA"]}, "image"),
        (NEWEST, {"image": [data_uri((14, 60))]}, "image"),
        (NEWEST, {"image": [data_uri((16, 257))]}, "image"),
    ],
)
def test_what_a_model_does_not_take_is_refused_in_arks_words(
    generate: Generate, log: Log, model: str, fields: dict[str, Any], param: str
) -> None:
    error = refusal(generate(model, **fields))
    assert (error["code"], error["type"], error["param"]) == (
        "InvalidParameter",
        "BadRequest",
        param,
    )
    assert error["message"].startswith(f"The parameter `{param}` specified in the request is not")
    assert " Request id: " in error["message"]
    assert "(request id" not in error["message"]
    assert log.paid_calls == 0


def test_the_least_size_is_said_in_pixels(generate: Generate) -> None:
    assert (
        "image size must be at least 3686400 pixels"
        in refusal(generate(NEWEST, size="1024x1024"))["message"]
    )


def test_a_prompt_must_be_there(generate: Generate) -> None:
    assert refusal(generate(NEWEST, prompt=" "))["code"] == "MissingParameter"


def test_nothing_is_streamed(generate: Generate) -> None:
    reply = generate(NEWEST, stream=True)
    assert (reply.status_code, reply.json()["error"]["code"]) == (501, "api_not_implemented")


def test_a_lenient_house_mends_what_is_wrong(log: Log) -> None:
    app = Sandbox(log=log, strict=False, sleep=lambda seconds: None)
    body = {"model": OF_4_0, "prompt": "a fox", "size": "10x10", "n": 4, "watermark": "no"}
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        headers = {"Authorization": f"Bearer {KEY}"}
        reply = client.post("/v1/images/generations", json=body, headers=headers)
    assert [entry["size"] for entry in reply.json()["data"]] == ["2048x2048"]


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("refuse", 400, "InputTextSensitiveContentDetected"),
        ("withheld", 400, "OutputImageSensitiveContentDetected"),
        ("fail", 500, "InternalServiceError"),
    ],
)
def test_trouble_comes_in_arks_words_and_costs_nothing(
    generate: Generate, log: Log, word: str, status: int, code: str
) -> None:
    reply = generate(NEWEST, prompt=f"a fox [{word}]")
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert log.paid_calls == 0


def test_a_series_that_is_withheld_is_an_answer_of_errors(generate: Generate, log: Log) -> None:
    options = {"sequential_image_generation_options": {"max_images": 2}}
    reply = generate(OF_4_0, prompt="a fox [withheld]", **SMALL, **SERIES, **options)
    assert reply.status_code == 200
    codes = [entry["error"]["code"] for entry in reply.json()["data"]]
    assert codes == ["OutputImageSensitiveContentDetected"] * 2
    assert reply.json()["usage"]["generated_images"] == 0
    assert log.paid_calls == 0


def test_of_a_series_some_are_refused_and_only_the_others_are_paid(
    generate: Generate, client: httpx.Client, log: Log
) -> None:
    options = {"sequential_image_generation_options": {"max_images": 5}}
    reply = generate(OF_4_0, prompt="a fox [partly]", **SMALL, **SERIES, **options).json()
    assert ["error" in entry for entry in reply["data"]] == [False, True, False, True, False]
    assert reply["data"][1]["error"]["code"] == "OutputImageSensitiveContentDetected"
    assert opened(client.get(reply["data"][4]["url"]).content).size == (1280, 720)
    assert reply["usage"]["generated_images"] == 3
    assert str(log.used) == "0.09"


@pytest.mark.parametrize("response_format", ["url", "b64_json"])
def test_a_spoiled_file_is_spoiled_in_both_places(
    generate: Generate, client: httpx.Client, response_format: str
) -> None:
    fields = {**SMALL, "response_format": response_format}
    (entry,) = generate(OF_4_0, prompt="a fox [lies]", **fields).json()["data"]
    inside = entry.get("b64_json")
    data = base64.b64decode(inside) if inside else client.get(entry["url"]).content
    assert opened(data).format == "PNG"
