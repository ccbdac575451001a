"""The sandbox's Gemini: as strict as Google, drafts before images, signed turns (G)."""

import base64
import copy
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from generator.sandbox import Log, Sandbox
from generator.sandbox.gemini_terms import EXTREMES, SHAPES
from tests.sandbox.conftest import KEY, opened

FLASH, PRO = "gemini-3.1-flash-image-preview", "gemini-3-pro-image-preview"
BOTH = {"responseModalities": ["TEXT", "IMAGE"]}

type Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    """Ask for an image of a teapot, unless told otherwise; `config` is merged into its own."""

    def post(
        prompt: str = "a teapot", model: str = PRO, config: Any = None, **body: Any
    ) -> httpx.Response:
        turns = [{"role": "user", "parts": [{"text": prompt}]}]
        whole = {"contents": turns, "generationConfig": {**BOTH, **(config or {})}, **body}
        return client.post(
            f"/v1beta/models/{model}:generateContent",
            json=whole,
            headers={"Authorization": f"Bearer {KEY}"},
        )

    return post


def parts(reply: httpx.Response) -> list[dict[str, Any]]:
    """The parts of the model's turn."""
    found: list[dict[str, Any]] = reply.json()["candidates"][0]["content"]["parts"]
    return found


def images(reply: httpx.Response) -> list[Image.Image]:
    """The images that are no drafts."""
    return [
        opened(base64.b64decode(part["inlineData"]["data"], validate=True))
        for part in parts(reply)
        if "inlineData" in part and not part.get("thought")
    ]


def inline(image: Image.Image) -> dict[str, Any]:
    """A part that holds an image."""
    file = io.BytesIO()
    image.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return {"inlineData": {"mimeType": "image/png", "data": data}}


def halves(size: tuple[int, int] = (600, 400)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill="blue")
    return image


def is_wrong(reply: httpx.Response) -> bool:
    """Whether it is a refusal in Google's form."""
    error = reply.json().get("error", {})
    return (reply.status_code, error.get("code"), error.get("status")) == (
        400,
        400,
        "INVALID_ARGUMENT",
    )


# ── What is made ──


def test_a_draft_comes_before_the_image_words_beside_it_and_the_end_is_signed(ask: Ask) -> None:
    thought, draft, words, image = parts(ask())
    assert (thought["thought"], draft["thought"], list(words)) == (True, True, ["text"])
    assert "thought" not in image
    assert image["thoughtSignature"]
    assert draft["inlineData"]["data"] != image["inlineData"]["data"]


@pytest.mark.parametrize(
    ("model", "shape", "size"),
    [(PRO, shape, size) for shape, size in SHAPES.items()]
    + [(FLASH, shape, size) for shape, size in EXTREMES.items()],
)
def test_an_image_is_a_jpeg_of_the_shape_asked_for(
    ask: Ask, model: str, shape: str, size: tuple[int, int]
) -> None:
    (image,) = images(ask(model=model, config={"imageConfig": {"aspectRatio": shape}}))
    assert (image.format, image.size) == ("JPEG", size)
    across, down = map(int, shape.split(":"))
    assert abs(size[0] / size[1] / (across / down) - 1) < 0.02


def test_the_size_multiplies_the_sides(ask: Ask) -> None:
    (image,) = images(ask(config={"imageConfig": {"imageSize": "2K", "aspectRatio": "2:3"}}))
    assert image.size == (1696, 2528)


def test_two_images_come_where_the_prompt_asks_for_two(ask: Ask) -> None:
    reply = ask("two images of a teapot")
    one, two = images(reply)
    assert one.tobytes() != two.tobytes()
    kinds = ["text" in part for part in parts(reply)[2:]]
    assert kinds == [True, False, True, False]


def test_without_the_word_image_there_are_only_words(ask: Ask) -> None:
    assert images(ask(config={"responseModalities": ["TEXT"]})) == []
    assert len(parts(ask(config={"responseModalities": ["IMAGE"]}))) == 3


def test_a_seed_makes_the_same_image_again(ask: Ask) -> None:
    def image(**config: Any) -> bytes:
        return images(ask(config=config))[0].tobytes()

    assert image(seed=7) == image(seed=7)
    assert image(seed=7) != image(seed=8)
    assert image() != image()


def test_what_it_costs_follows_the_tokens_of_the_catalogue(ask: Ask, log: Log) -> None:
    usage = ask(config={"imageConfig": {"imageSize": "4K"}}).json()["usageMetadata"]
    assert usage["promptTokenCount"] + usage["candidatesTokenCount"] == usage["totalTokenCount"]
    dollars = usage["promptTokenCount"] * 2e-6 + usage["candidatesTokenCount"] * 120e-6
    assert float(log.used) == pytest.approx(dollars)


# ── Edits and conversations ──


def test_an_edit_paints_over_the_first_image_of_the_turn_in_its_shape(ask: Ask) -> None:
    turn = {"parts": [{"text": "brighter"}, inline(halves()), inline(Image.new("L", (9, 900)))]}
    (image,) = images(ask(contents=[turn]))
    assert image.size == SHAPES["3:2"]
    left, right = image.getpixel((100, 400)), image.getpixel((1164, 400))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] > right[0]
    assert left[2] < right[2]


def going_on(first: httpx.Response, prompt: str = "in red") -> list[dict[str, Any]]:
    """The contents of a second turn."""
    return [
        {"role": "user", "parts": [{"text": "a teapot"}]},
        copy.deepcopy(first.json()["candidates"][0]["content"]),
        {"role": "user", "parts": [{"text": prompt}]},
    ]


def test_a_conversation_paints_over_the_models_own_last_image(ask: Ask) -> None:
    first = ask(config={"imageConfig": {"aspectRatio": "16:9"}})
    second = ask(contents=going_on(first))
    assert images(second)[0].size == images(first)[0].size == SHAPES["16:9"]


def test_drafts_may_stay_behind_and_names_may_be_in_snake_case(ask: Ask) -> None:
    contents = going_on(ask())
    *_, words, image = contents[1]["parts"]
    data = image["inlineData"]
    url_safe = data["data"].replace("+", "-").replace("/", "_").rstrip("=")
    contents[1]["parts"] = [
        words,
        {
            "inline_data": {"mime_type": data["mimeType"], "data": url_safe},
            "thought_signature": image["thoughtSignature"],
        },
    ]
    assert images(ask(contents=contents))


def test_a_turn_without_its_signature_is_not_taken_up(ask: Ask, log: Log) -> None:
    contents = going_on(ask())
    del contents[1]["parts"][-1]["thoughtSignature"]
    reply = ask(contents=contents).json()
    assert reply["candidates"][0]["finishReason"] == "MISSING_THOUGHT_SIGNATURE"
    assert log.paid("in red") == 0


@pytest.mark.parametrize("place", ["text", "image", "signature"])
def test_a_turn_that_was_altered_is_refused(ask: Ask, place: str) -> None:
    contents = going_on(ask())
    *_, words, image = contents[1]["parts"]
    match place:
        case "text":
            words["text"] = "Here is another picture."
        case "image":
            image["inlineData"] = inline(halves())["inlineData"]
        case "signature":
            image["thoughtSignature"] = base64.b64encode(b"x" * 32).decode()
    reply = ask(contents=contents)
    assert is_wrong(reply)
    assert reply.json()["error"]["details"][0]["reason"] == "MISSING_THOUGHT_SIGNATURE"


# ── What is refused ──


@pytest.mark.parametrize(
    "config",
    [
        {"imageConfig": {"aspectRatio": "1:4"}},
        {"imageConfig": {"aspectRatio": "1024x1024"}},
        {"imageConfig": {"imageSize": "2k"}},
        {"imageConfig": {"imageSize": "3K"}},
        {"imageConfig": {"personGeneration": "ALLOW_CHILDREN"}},
        {"imageConfig": {"outputFormat": "png"}},
        {"temperature": 2.1},
        {"temperature": "1"},
        {"seed": 2**31},
        {"seed": 1.5},
        {"candidateCount": 2},
        {"numberOfImages": 2},
        {"responseModalities": ["PICTURE"]},
        {"responseModalities": []},
    ],
)
def test_a_setting_that_the_model_does_not_take_is_refused(
    ask: Ask, log: Log, config: dict[str, Any]
) -> None:
    assert is_wrong(ask(config=config))
    assert log.paid_calls == 0


def test_a_shape_of_one_model_is_refused_by_another(ask: Ask) -> None:
    config = {"imageConfig": {"aspectRatio": "8:1"}}
    assert images(ask(model=FLASH, config=config))
    assert is_wrong(ask(model="gemini-3.1-flash-lite-image", config=config))


@pytest.mark.parametrize(
    "body",
    [
        {"n": 2},
        {"tools": [{"code_execution": {}}]},
        {"tools": {"google_search": {}}},
        {"safetySettings": [{"category": "HARM_CATEGORY_NOISE", "threshold": "OFF"}]},
        {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ALL"}]},
        {"contents": []},
        {"contents": "a teapot"},
        {"contents": [{"role": "system", "parts": [{"text": "a teapot"}]}]},
        {"contents": [{"role": "user", "parts": []}]},
        {"contents": [{"role": "user", "parts": [{"image": "x"}]}]},
        {"contents": [{"role": "model", "parts": [{"text": "a teapot"}]}]},
        {"contents": [{"parts": [{"text": "a"}]}, {"parts": [{"text": "b"}]}]},
        {"contents": [{"parts": [{"fileData": {"fileUri": "https://a.site/b.png"}}]}]},
        {"contents": [{"parts": [{"text": "a", "functionCall": {}}]}]},
        {"contents": [{"parts": [inline(halves()) for _ in range(15)]}]},
    ],
)
def test_a_request_of_another_form_is_refused_as_google_refuses_it(
    ask: Ask, body: dict[str, Any]
) -> None:
    assert is_wrong(ask(**body))


@pytest.mark.parametrize("text", ["data:image/png;base64,iVBORw0KGgo=", "ab*c", "aGVsbG8=", 7])
def test_an_image_that_is_none_is_refused(ask: Ask, text: Any) -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": text}}
    assert is_wrong(ask(contents=[{"parts": [{"text": "brighter"}, part]}]))


def test_a_type_that_the_model_does_not_read_is_refused(ask: Ask) -> None:
    part = inline(halves())
    part["inlineData"]["mimeType"] = "image/gif"
    assert is_wrong(ask(contents=[{"parts": [part]}]))


def test_a_request_over_twenty_megabytes_is_refused(ask: Ask) -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": "A" * 21_000_000}}
    assert is_wrong(ask(contents=[{"parts": [part]}]))


def test_a_lenient_sandbox_mends_in_silence() -> None:
    app = Sandbox(strict=False)
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        config = {**BOTH, "imageConfig": {"aspectRatio": "7:5", "x": 1}, "seed": "a"}
        body = {"contents": [{"parts": [{"text": "a teapot"}]}], "generationConfig": config, "n": 2}
        headers = {"Authorization": f"Bearer {KEY}"}
        address = f"/v1beta/models/{PRO}:generateContent"
        assert images(client.post(address, json=body, headers=headers))[0].size == (1024, 1024)


@pytest.mark.parametrize(
    ("headers", "query"),
    [({"Authorization": KEY}, ""), ({"x-goog-api-key": KEY}, ""), ({}, f"?key={KEY}")],
)
def test_the_key_may_stand_in_three_places(
    client: httpx.Client, log: Log, headers: dict[str, str], query: str
) -> None:
    body = {"contents": [{"parts": [{"text": "a teapot"}]}], "generationConfig": BOTH}
    address = f"/v1beta/models/{PRO}:generateContent"
    assert client.post(address + query, json=body, headers=headers).status_code == 200
    assert client.post(address, json=body).status_code == 401
    assert KEY not in str(log.requests)


def test_other_models_and_other_verbs_are_turned_away_by_the_gateway(client: httpx.Client) -> None:
    def code(address: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {KEY}"}
        reply = client.post(f"/v1beta/models/{address}", json={}, headers=headers)
        return reply.status_code, reply.json()["error"]["code"]

    assert code("gemini-9:generateContent") == (503, "model_not_found")
    assert code("gpt-image-2:generateContent") == (500, "convert_request_failed")
    assert code(f"{PRO}:streamGenerateContent") == (501, "api_not_implemented")


# ── Trouble ──


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [("[refuse]", "SAFETY"), ("[block PROHIBITED_CONTENT]", "PROHIBITED_CONTENT"), ("[block]", "")],
)
def test_a_prompt_that_is_refused_has_no_candidates_and_is_free(
    ask: Ask, log: Log, prompt: str, reason: str
) -> None:
    reply = ask(prompt)
    assert (reply.status_code, "candidates" in reply.json()) == (200, False)
    assert reply.json()["promptFeedback"].get("blockReason", "") == reason
    assert log.paid_calls == 0


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("[withheld]", "IMAGE_SAFETY"),
        ("[finish IMAGE_RECITATION]", "IMAGE_RECITATION"),
        ("[finish stop]", "STOP"),
        ("[finish]", ""),
    ],
)
def test_an_image_that_is_withheld_leaves_a_candidate_without_it(
    ask: Ask, log: Log, prompt: str, reason: str
) -> None:
    (candidate,) = ask(prompt).json()["candidates"]
    assert candidate.get("finishReason", "") == reason
    assert "inlineData" not in str(candidate)
    assert log.paid_calls == 0


def test_bad_links_come_from_this_model_too(ask: Ask, client: httpx.Client) -> None:
    def link(word: str) -> str:
        return str(parts(ask(f"[{word}]"))[-1]["fileData"]["fileUri"])

    assert link("private").startswith("http://169.254.169.254/")
    assert client.get(link("expired")).status_code == 403


def test_only_the_last_turn_makes_trouble(ask: Ask) -> None:
    contents = going_on(ask())
    contents[0]["parts"][0]["text"] = "a teapot [refuse]"
    assert images(ask(contents=contents))
