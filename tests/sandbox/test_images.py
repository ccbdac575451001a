"""Images are real files of exactly the size and format asked for, and no two are alike."""

import io
import json

import httpx
import pytest
from PIL import Image

from generator.sandbox import gallery, paint
from tests.sandbox.conftest import Generate, in_base64, opened


@pytest.mark.parametrize(
    ("model", "fields", "format", "size", "mode"),
    [
        ("gpt-image-2", {"size": "1216x544"}, "PNG", (1216, 544), "RGB"),
        ("gpt-image-1", {"output_format": "jpeg"}, "JPEG", (1024, 1024), "RGB"),
        ("gpt-image-1", {"output_format": "webp"}, "WEBP", (1024, 1024), "RGB"),
        ("gpt-image-1", {"background": "transparent"}, "PNG", (1024, 1024), "RGBA"),
        (
            "gpt-image-1.5",
            {"background": "transparent", "output_format": "webp"},
            "WEBP",
            (1024, 1024),
            "RGBA",
        ),
        ("dall-e-2", {}, "PNG", (256, 256), "RGB"),
    ],
)
def test_an_image_has_the_size_and_format_asked_for(
    generate: Generate, model, fields, format, size, mode
) -> None:
    reply = generate(model, **fields)
    image = opened(in_base64(reply)[0])
    assert (image.format, image.size, image.mode) == (format, size, mode)


def test_a_transparent_background_is_clear_at_the_corners_and_not_in_the_middle(
    generate: Generate,
) -> None:
    reply = generate("gpt-image-1", background="transparent")
    alpha = opened(in_base64(reply)[0]).getchannel("A")
    assert (alpha.getpixel((0, 0)), alpha.getpixel((512, 512))) == (0, 255)


def test_less_is_kept_where_compression_is_stronger(generate: Generate) -> None:
    sizes = [
        len(in_base64(generate("gpt-image-1", output_format="jpeg", output_compression=q))[0])
        for q in (10, 90)
    ]
    assert sizes[0] < sizes[1] / 3


def test_auto_is_answered_with_what_was_used(generate: Generate) -> None:
    fields = {"size": "auto", "quality": "auto", "background": "auto"}
    reply = generate("gpt-image-1", **fields).json()
    echo = {name: reply[name] for name in ("size", "quality", "background", "output_format")}
    assert echo == {
        "size": "1024x1024",
        "quality": "medium",
        "background": "opaque",
        "output_format": "png",
    }


def test_no_two_images_are_alike(generate: Generate) -> None:
    replies = [
        generate(prompt="a teapot", n=3),
        generate(prompt="a teapot", n=3),
        generate(prompt="a teapot."),
        generate(prompt="two teapots"),
    ]
    files = [file for reply in replies for file in in_base64(reply)]
    assert len(set(files)) == 8


def test_the_same_seed_paints_the_same_and_every_painter_paints_any_shape() -> None:
    for number in range(len(paint.PAINTERS)):
        for size in ((48, 144), (144, 48), (16, 16)):
            images = [paint.paint(16_000 + number, size).tobytes() for _ in range(2)]
            assert images[0] == images[1]
            assert len(images[0]) == size[0] * size[1] * 3


def test_a_word_in_the_prompt_chooses_the_painter() -> None:
    seeds = [paint.seed_for("A calm FOREST lake", index) for index in range(9)]
    names = {paint.PAINTERS[seed % len(paint.PAINTERS)].__name__ for seed in seeds}
    assert names == {"forest"}
    assert len(set(seeds)) == 9


def test_a_weighed_file_is_as_heavy_as_told_and_still_an_image() -> None:
    image = paint.paint(3, (256, 256))
    for format, weights in (("png", (5_000, 90_000, 400_000)), ("jpeg", (8_000, 300_000))):
        for weight in weights:
            data = gallery.of_weight(image, format, weight)
            assert len(data) == weight
            assert opened(data).size == (256, 256)
    assert len(gallery.of_weight(image, "webp", 8_000)) <= 8_000


def test_the_gallery_keeps_within_its_room() -> None:
    kept = gallery.Gallery(places=3)
    wishes = [gallery.Wish(seed, (32, 32)) for seed in range(5)]
    first = [kept.picture(wish) for wish in wishes]
    assert kept.picture(wishes[4]) is first[4]
    assert kept.picture(wishes[0]) is not first[0]
    assert kept.picture(wishes[0]) == kept.picture(wishes[0])


def test_dall_e_3_rewrites_the_prompt_and_serves_webp(
    generate: Generate, client: httpx.Client
) -> None:
    entry = generate("dall-e-3", prompt="a teapot").json()["data"][0]
    assert entry["revised_prompt"].startswith("a teapot. ")
    assert ".webp?" in entry["url"]
    file = client.get(entry["url"])
    assert (opened(file.content).format, file.headers["content-type"]) == ("WEBP", "image/webp")


def test_usage_comes_in_three_shapes_that_agree_with_themselves(generate: Generate) -> None:
    shapes = set()
    for model in ("gpt-image-1", "gpt-image-1.5", "gpt-image-2"):
        usage = generate(model, quality="low").json()["usage"]
        assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"]
        shapes.add(frozenset(usage))
    assert len(shapes) == 3
    assert "usage" not in generate().json()


def test_the_places_that_are_not_used_may_be_there_and_empty(generate: Generate) -> None:
    assert generate("gpt-image-1.5", quality="low").json()["data"][0]["url"] == ""
    assert generate(response_format="url").json()["data"][0]["b64_json"] == ""


def test_a_stream_is_events_without_a_done_and_each_image_has_its_own_usage(
    generate: Generate,
) -> None:
    fields = {"n": 2, "quality": "low", "size": "1024x640", "partial_images": 1}
    whole = generate("gpt-image-2", **{**fields, "partial_images": None}).json()["usage"]
    reply = generate("gpt-image-2", stream=True, **fields)
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = reply.text.strip().split("\n\n")
    names = [event.partition("\n")[0].removeprefix("event: image_generation.") for event in events]
    assert names == ["partial_image", "completed"] * 2
    said = [json.loads(event.partition("\ndata: ")[2]) for event in events]
    used = [one["usage"]["output_tokens"] for one in said if "usage" in one]
    assert used == [whole["output_tokens"] // 2] * 2
    assert generate("gpt-image-2", prompt="[empty]", stream=True).text == ""


def test_the_bomb_declares_what_would_not_fit_into_memory() -> None:
    data = gallery.bomb()
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
    assert len(data) < 200_000
