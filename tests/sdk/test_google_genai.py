"""Google's own library as a judge: it speaks to the sandbox as it would to the gateway (G).

It writes what it sends in its own way (base64 for addresses, signatures on their own), so what
it gets through is no agreement between our adapter and our sandbox.
"""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from PIL import Image

from generator.sandbox import Log, Sandbox
from generator.sandbox.serve import serving

KEY = "sk-test1234"
MODEL = "gemini-3-pro-image-preview"


@pytest.fixture
def google_log() -> Log:
    return Log()


@pytest.fixture
def google(google_log: Log) -> Iterator[genai.Client]:
    """The library's client, with its key in a header of Google's own."""
    with serving(Sandbox(KEY, google_log)) as doors, _client(doors.gateway) as client:
        yield client


def _client(gateway: str, key: str = KEY) -> genai.Client:
    options = types.HttpOptions(base_url=gateway, api_version="v1beta")
    return genai.Client(api_key=key, http_options=options)


def config(**facts: Any) -> types.GenerateContentConfig:
    """What is set for an image; `facts` go into its own part."""
    image = types.ImageConfig(**facts) if facts else None
    return types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"], image_config=image)


def images(reply: types.GenerateContentResponse) -> list[Image.Image]:
    """The images that are no drafts, decoded."""
    found = []
    for part in reply.parts or []:
        if part.inline_data and part.inline_data.data and not part.thought:
            image = Image.open(io.BytesIO(part.inline_data.data))
            image.load()
            found.append(image)
    return found


def colour(image: Image.Image, across: float, down: float) -> tuple[int, int, int]:
    """The pixel at a place from 0 to 1."""
    place = int(across * image.width), int(down * image.height)
    red, green, blue = image.convert("RGB").getpixel(place)  # type: ignore[misc]
    return red, green, blue


def test_it_makes_an_image_of_the_shape_and_size_asked_for(
    google: genai.Client, google_log: Log
) -> None:
    reply = google.models.generate_content(
        model=MODEL,
        contents="a teapot",
        config=config(aspect_ratio="16:9", image_size="2K"),
    )
    (image,) = images(reply)
    assert (image.format, image.size) == ("JPEG", (2752, 1536))
    assert reply.usage_metadata is not None
    assert reply.usage_metadata.total_token_count
    assert google_log.paid("a teapot") == 1


def test_it_edits_an_image_that_it_sends_along(google: genai.Client) -> None:
    given = Image.new("RGB", (900, 600), "red")
    given.paste("blue", (450, 0, 900, 600))
    reply = google.models.generate_content(
        model=MODEL, contents=["brighter", given], config=config()
    )
    (image,) = images(reply)
    assert image.size == (1264, 848)
    left, right = colour(image, 0.2, 0.5), colour(image, 0.8, 0.5)
    assert left[0] > right[0]
    assert left[2] < right[2]


def test_a_chat_goes_on_with_its_signatures_and_paints_over_its_own_image(
    google: genai.Client, google_log: Log
) -> None:
    chat = google.chats.create(model=MODEL, config=config())
    (first,) = images(chat.send_message("a tall lighthouse", config=config(aspect_ratio="9:16")))
    (second,) = images(chat.send_message("at night"))
    (third,) = images(chat.send_message("with a boat"))
    assert first.size == second.size == third.size == (768, 1376)
    assert len({image.tobytes() for image in (first, second, third)}) == 3
    sent = google_log.requests[-1].json or {}
    signed = [part for turn in sent["contents"] for part in turn["parts"] if _is_signed(part)]
    assert len(signed) == 2


def _is_signed(part: dict[str, Any]) -> bool:
    return bool(part.get("thoughtSignature") or part.get("thought_signature"))


def test_a_chat_that_lost_a_signature_is_told_so(google: genai.Client) -> None:
    chat = google.chats.create(model=MODEL, config=config())
    chat.send_message("a teapot")
    for turn in chat.get_history():
        for part in turn.parts or []:
            part.thought_signature = None
    reply = chat.send_message("in red")
    assert reply.candidates
    assert reply.candidates[0].finish_reason == types.FinishReason.MISSING_THOUGHT_SIGNATURE


def test_it_knows_every_reason_that_the_sandbox_gives(google: genai.Client) -> None:
    def ask(prompt: str) -> types.GenerateContentResponse:
        return google.models.generate_content(model=MODEL, contents=prompt, config=config())

    for blocked in types.BlockedReason:
        feedback = ask(f"[block {blocked.value}]").prompt_feedback
        assert feedback is not None
        assert feedback.block_reason == blocked
    for ended in (types.FinishReason.IMAGE_SAFETY, types.FinishReason.NO_IMAGE):
        candidates = ask(f"[finish {ended.value}]").candidates
        assert candidates is not None
        assert candidates[0].finish_reason == ended


@pytest.mark.parametrize(
    ("facts", "kind", "code"),
    [
        ({"contents": "[busy]"}, errors.ClientError, 429),
        ({"contents": "[money]"}, errors.ClientError, 403),
        ({"contents": "[broken]"}, errors.ServerError, 500),
        ({"model": "gemini-9"}, errors.ServerError, 503),
        ({"config": config(aspect_ratio="7:5")}, errors.ClientError, 400),
        ({"config": config(image_size="9K")}, errors.ClientError, 400),
    ],
)
def test_errors_come_as_its_own(
    google: genai.Client, facts: dict[str, Any], kind: type[errors.APIError], code: int
) -> None:
    asked: dict[str, Any] = {"model": MODEL, "contents": "a teapot", "config": config(), **facts}
    with pytest.raises(errors.APIError) as caught:
        google.models.generate_content(**asked)
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_wrong_key_is_an_error_of_its_own() -> None:
    with serving(Sandbox("sk-another1")) as doors, _client(doors.gateway) as stranger:
        with pytest.raises(errors.ClientError) as caught:
            stranger.models.generate_content(model=MODEL, contents="a", config=config())
        assert caught.value.code == 401
