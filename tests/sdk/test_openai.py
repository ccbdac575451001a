"""The official OpenAI SDK makes and edits images at the sandbox as at the gateway (B, C)."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types import ImageGenCompletedEvent, ImageGenPartialImageEvent
from PIL import Image

from generator import pictures
from generator.sandbox import Log
from generator.sandbox.serve import Doors
from tests.sdk.conftest import KEY

BLUE, RED = (20, 40, 200), (200, 30, 30)
SIZE = (1024, 1024)


@pytest.fixture
def client(doors: Doors) -> Iterator[openai.OpenAI]:
    """The SDK as K6 wants it: a paid call is never repeated by itself."""
    with openai.OpenAI(api_key=KEY, base_url=f"{doors.gateway}/v1", max_retries=0) as client:
        yield client


def saved(image: Image.Image, format: str = "PNG") -> io.BytesIO:
    """The image as a file with a name, as the SDK wants it."""
    file = io.BytesIO()
    image.save(file, format)
    file.seek(0)
    file.name = f"image.{format.lower()}"
    return file


def photo(size: tuple[int, int] = SIZE) -> Image.Image:
    """Blue to the left and red to the right."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (size[0] // 2, 0, *size))
    return image


def opened(reply: Any, place: int = 0) -> Image.Image:
    """An image of an answer, decoded, wherever it is."""
    entry = reply.data[place]
    data = (
        base64.b64decode(entry.b64_json, validate=True)
        if entry.b64_json
        else httpx.get(entry.url, trust_env=False).content
    )
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_gpt_image_makes_images_of_the_size_and_format_asked_for(client: openai.OpenAI) -> None:
    reply = client.images.generate(
        model="gpt-image-2", prompt="a teapot", n=2, size="1536x1024", quality="low",
        output_format="webp", background="opaque", moderation="low",
    )  # fmt: skip
    assert [opened(reply, place).size for place in (0, 1)] == [(1536, 1024)] * 2
    assert opened(reply).format == "WEBP"
    assert (reply.size, reply.quality, reply.output_format) == ("1536x1024", "low", "webp")
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert reply.created > 1_700_000_000


def test_dall_e_3_answers_with_a_link_and_the_prompt_rewritten(client: openai.OpenAI) -> None:
    reply = client.images.generate(
        model="dall-e-3", prompt="a teapot", size="1024x1792", quality="hd", style="natural"
    )
    assert reply.data is not None
    (entry,) = reply.data
    assert entry.url
    assert (entry.revised_prompt or "").startswith("a teapot")
    assert opened(reply).size == (1024, 1792)


def test_an_edit_changes_what_is_clear_in_the_mask_and_not_a_pixel_more(
    client: openai.OpenAI,
) -> None:
    before = photo()
    mask = Image.new("RGBA", SIZE, (0, 0, 0, 255))
    hole = (64, 128, 400, 900)  # to the left and not in the middle: turned, it would be elsewhere
    mask.paste((0, 0, 0, 0), hole)
    reply = client.images.edit(
        model="gpt-image-1",
        image=saved(before),
        mask=saved(mask),
        prompt="a hat",
        size="1024x1024",
        quality="low",
        input_fidelity="high",
    )
    after = opened(reply).convert("RGB")
    assert after.size == SIZE
    assert _changed(before, after, hole) > 0.99
    for part in ((0, 0, 64, 1024), (400, 0, 1024, 1024), (64, 0, 400, 128), (64, 900, 400, 1024)):
        assert _changed(before, after, part) == 0


def test_the_studios_mask_turned_by_us_means_to_the_sdk_what_it_means_to_us(
    client: openai.OpenAI,
) -> None:
    before, white = photo(), Image.new("L", SIZE, 0)
    corner = (700, 0, 1024, 200)
    white.paste(255, corner)
    mask = io.BytesIO(pictures.transparent_mask(saved(white).read()))
    mask.name = "mask.png"
    reply = client.images.edit(
        model="gpt-image-2", image=saved(before), mask=mask, prompt="the sun", size="1024x1024"
    )
    after = opened(reply).convert("RGB")
    assert _changed(before, after, corner) > 0.99
    assert _changed(before, after, (0, 0, 700, 1024)) == 0
    assert _changed(before, after, (700, 200, 1024, 1024)) == 0


def test_an_edit_of_several_images_shows_the_first(client: openai.OpenAI, log: Log) -> None:
    images = [saved(photo((300, 200))), saved(Image.new("RGB", (90, 90), "white"), "JPEG")]
    reply = client.images.edit(model="gpt-image-2", image=images, prompt="both", n=2, quality="low")
    assert opened(reply).size == (1536, 1024)
    assert opened(reply, 0).tobytes() != opened(reply, 1).tobytes()
    blue, red = (
        opened(reply).convert("RGB").getpixel(place) for place in ((200, 500), (1300, 500))
    )
    assert isinstance(blue, tuple)
    assert isinstance(red, tuple)
    assert blue[2] - blue[0] > red[2] - red[0] + 60
    sent = log.requests[-1].json
    assert sent is not None
    assert [file["type"] for file in sent["image"]] == ["image/png", "image/jpeg"]
    assert reply.usage is not None
    assert reply.usage.input_tokens_details.image_tokens == 2 * 768


def test_dall_e_2_edits_one_square_image(client: openai.OpenAI) -> None:
    mask = Image.new("RGBA", (256, 256), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 256, 30))
    reply = client.images.edit(
        model="dall-e-2",
        image=saved(photo((256, 256))),
        mask=saved(mask),
        prompt="a hat",
        size="256x256",
    )
    after = opened(reply).convert("RGB")
    assert _changed(photo((256, 256)), after, (0, 0, 256, 30)) > 0.99
    assert _changed(photo((256, 256)), after, (0, 30, 256, 256)) == 0


def test_a_stream_brings_drafts_and_then_each_whole_image(client: openai.OpenAI) -> None:
    stream = client.images.generate(
        model="gpt-image-2", prompt="a teapot", n=2, size="1024x640", quality="low",
        output_format="jpeg", stream=True, partial_images=2,
    )  # fmt: skip
    events = list(stream)
    partial, completed = "image_generation.partial_image", "image_generation.completed"
    assert [event.type for event in events] == [partial, partial, completed] * 2
    drafts = [event for event in events if isinstance(event, ImageGenPartialImageEvent)]
    assert [event.partial_image_index for event in drafts] == [0, 1, 0, 1]
    images = [Image.open(io.BytesIO(base64.b64decode(event.b64_json))) for event in events]
    assert {(image.format, image.size) for image in images} == {("JPEG", (1024, 640))}
    assert images[2].tobytes() != images[5].tobytes()
    assert len({event.b64_json for event in events}) == 6
    whole = [event for event in events if isinstance(event, ImageGenCompletedEvent)]
    assert [event.usage.output_tokens for event in whole] == [122, 122]
    assert [event.size for event in whole] == ["1024x640"] * 2


def test_an_edit_streams_too_and_keeps_to_its_mask(client: openai.OpenAI) -> None:
    mask = Image.new("RGBA", SIZE, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 1024, 100))
    facts: dict[str, Any] = {"model": "gpt-image-1", "prompt": "a hat", "size": "1024x1024"}
    stream = client.images.edit(
        image=saved(photo()), mask=saved(mask), stream=True, partial_images=1, **facts
    )
    draft, whole = list(stream)
    assert (draft.type, whole.type) == ("image_edit.partial_image", "image_edit.completed")
    after = Image.open(io.BytesIO(base64.b64decode(whole.b64_json))).convert("RGB")
    assert _changed(photo(), after, (0, 0, 1024, 100)) > 0.99
    assert _changed(photo(), after, (0, 100, 1024, 1024)) == 0


def test_a_stream_that_is_refused_is_an_ordinary_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.images.generate(model="gpt-image-2", prompt="[refuse]", stream=True)


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    ids = {model.id for model in client.models.list()}
    assert {"gpt-image-2", "dall-e-3", "grok-imagine-image", "qwen-image-edit"} <= ids


@pytest.mark.parametrize(
    ("facts", "kind", "code"),
    [
        ({"prompt": "[refuse]"}, openai.BadRequestError, "moderation_blocked"),
        ({"prompt": "[busy]"}, openai.RateLimitError, "bad_response_status_code"),
        ({"prompt": "[money]"}, openai.PermissionDeniedError, "insufficient_user_quota"),
        ({"prompt": "[broken]"}, openai.InternalServerError, "do_request_failed"),
        ({"prompt": "[524]"}, openai.InternalServerError, None),
        ({"model": "nothing"}, openai.InternalServerError, "model_not_found"),
        ({"size": "576x1024"}, openai.BadRequestError, "invalid_value"),
        ({"response_format": "url"}, openai.BadRequestError, "unknown_parameter"),
    ],
)
def test_an_error_comes_as_the_class_that_the_sdk_has_for_it(
    client: openai.OpenAI, log: Log, facts: dict[str, Any], kind: type[Exception], code: str | None
) -> None:
    facts = {"model": "gpt-image-2", "prompt": "a teapot", **facts}
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(**facts)
    assert type(caught.value) is kind
    assert caught.value.code == code
    # Once, whatever came of it: the SDK's own repeats would pay again (K6).
    assert len(log.requests) == 1


def test_a_wrong_image_is_refused_in_the_words_of_edits(client: openai.OpenAI) -> None:
    facts: dict[str, Any] = {"model": "gpt-image-1", "prompt": "a hat"}
    with pytest.raises(openai.BadRequestError) as mode:
        client.images.edit(image=saved(photo((64, 64)).convert("P")), **facts)
    assert (mode.value.code, mode.value.type) == (
        "invalid_image_file", "image_generation_user_error",
    )  # fmt: skip
    with pytest.raises(openai.BadRequestError, match="alpha"):
        client.images.edit(image=saved(photo((64, 64))), mask=saved(photo((64, 64))), **facts)
    with pytest.raises(openai.BadRequestError) as unnamed:
        client.images.edit(image=b"bytes without a name", **facts)
    assert unnamed.value.code == "unsupported_file_mimetype"


def test_a_wrong_key_is_refused(doors: Doors) -> None:
    address = f"{doors.gateway}/v1"
    with (
        openai.OpenAI(api_key="sk-another1", base_url=address, max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.images.generate(model="gpt-image-2", prompt="a teapot")


def test_a_cut_connection_is_no_answer(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIConnectionError):
        client.images.generate(model="gpt-image-2", prompt="[silent]")


def test_variations_are_known_and_not_there(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught, pytest.deprecated_call():
        client.images.create_variation(image=saved(photo((64, 64))))
    assert caught.value.code == "api_not_implemented"


def _changed(before: Image.Image, after: Image.Image, box: tuple[int, int, int, int]) -> float:
    """The share of pixels in a box (left, top, right, bottom) that have another colour."""
    old, new = before.crop(box), after.crop(box)
    pairs = zip(_pixels(old), _pixels(new), strict=True)
    return sum(one != other for one, other in pairs) / (old.width * old.height)


def _pixels(image: Image.Image) -> list[bytes]:
    data = image.convert("RGB").tobytes()
    return [data[start : start + 3] for start in range(0, len(data), 3)]
