"""Gemini native: what is said, what is read of the answer, how a conversation goes on (G)."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator.errors import (
    BadReply,
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)
from generator.families import FAMILIES
from generator.providers import ADAPTERS, gemini, gemini_refusals
from generator.providers.base import (
    Brief,
    Finished,
    InlineImage,
    LinkedImage,
    Parent,
    Reference,
    RememberingAdapter,
    Reply,
)
from tests.providers.recorded import FOLDER, in_json, recorded

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"
ONE, TWO = JPEG + b"the first", JPEG + b"the second one"
FIRST = Reference(PNG + b"1", "image/png", "one.png")
SECOND = Reference(JPEG + b"2", "image/jpeg", "two.jpg")
MODEL = "gemini-3-pro-image-preview"


def brief(**facts: Any) -> Brief:
    """A brief for Gemini 3 Pro Image, unless told otherwise."""
    facts = {"action": "create", "prompt": "a fox", "wire_model": MODEL, **facts}
    return Brief(**{"fields": {}, **facts})


def said(**facts: Any) -> dict[str, Any]:
    """The JSON that a brief becomes."""
    return dict(gemini.build_submit(brief(**facts)).json or {})


def read(name: str) -> Finished:
    """What is made of a recorded reply."""
    return gemini.parse_submit(recorded(name, "gemini"))


def files(finished: Finished) -> list[bytes]:
    """The images that came inside the reply."""
    return [image.data for image in finished.images if isinstance(image, InlineImage)]


# ── What is said ──


@pytest.mark.parametrize("wire_model", [MODEL, "gemini-3.1-flash-image-preview"])
def test_the_model_stands_in_the_address_with_its_points_and_the_colon(wire_model: str) -> None:
    call = gemini.build_submit(brief(wire_model=wire_model))
    assert (call.method, call.path) == ("POST", f"/v1beta/models/{wire_model}:generateContent")


def test_a_prompt_alone_is_one_turn_and_asks_for_words_and_images() -> None:
    assert said() == {
        "contents": [{"role": "user", "parts": [{"text": "a fox"}]}],
        "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]},
    }


def test_references_follow_the_words_in_order_in_pure_base64() -> None:
    (turn,) = said(action="edit", references=(FIRST, SECOND))["contents"]
    text, *images = turn["parts"]
    assert text == {"text": "a fox"}
    assert [one["inlineData"]["mimeType"] for one in images] == ["image/png", "image/jpeg"]
    data = [base64.b64decode(one["inlineData"]["data"], validate=True) for one in images]
    assert data == [FIRST.data, SECOND.data]


def test_every_field_stands_where_the_protocol_has_it() -> None:
    fields = {
        "aspect_ratio": "16:9",
        "size": "2K",
        "person_generation": "ALLOW_ADULT",
        "seed": 0,
        "temperature": 0.5,
        "google_search": True,
        "safety": "BLOCK_ONLY_HIGH",
    }
    body = said(fields=fields)
    assert body["generationConfig"] == {
        "responseModalities": ["TEXT", "IMAGE"],
        "seed": 0,
        "temperature": 0.5,
        "imageConfig": {
            "aspectRatio": "16:9",
            "imageSize": "2K",
            "personGeneration": "ALLOW_ADULT",
        },
    }
    assert body["tools"] == [{"google_search": {}}]
    assert {one["threshold"] for one in body["safetySettings"]} == {"BLOCK_ONLY_HIGH"}
    assert len(body["safetySettings"]) == 4


def test_what_is_left_to_the_provider_is_not_said() -> None:
    family = FAMILIES["gemini-3-pro-image"]
    fields = {name: field.default for name, field in family.fields.items()}
    assert said(fields=fields) == said()


@pytest.mark.parametrize(
    "facts",
    [
        {"fields": {"quality": "high"}},
        {"fields": {"negative_prompt": "rain"}},
        {"count": 2},
        {"action": "upscale"},
        {"action": "edit"},
        {"action": "edit", "parent": Parent("t1")},
        {"references": (FIRST,)},
        {"parent": Parent(memory=b"[]")},
        {"action": "edit", "references": (FIRST,), "mask": FIRST},
        {"action": "edit", "references": (FIRST,), "styles": (FIRST,)},
        {"button": "U1"},
        {"wire_model": "gemini/../../v1/models"},
        {"wire_model": "gemini?key=1"},
        {"action": "edit", "parent": Parent(memory=b"not JSON")},
        {"action": "edit", "parent": Parent(memory=b'{"role": "user"}')},
    ],
)
def test_what_the_protocol_has_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        gemini.build_submit(brief(**facts))


def test_more_than_a_request_can_weigh_is_refused_with_what_to_do() -> None:
    heavy = Reference(b"x" * 8_000_000, "image/png", "x.png")
    memory = b'[{"role": "user", "parts": [{"text": "' + b"x" * 10_000_000 + b'"}]}]'
    alone = brief(action="edit", references=(heavy,))
    gemini.build_submit(alone)
    with pytest.raises(RequestRefused, match="Start from the image alone"):
        gemini.build_submit(replace(alone, parent=Parent(memory=memory)))


# ── What is read ──


def test_drafts_are_left_out_and_so_is_what_the_model_thought() -> None:
    finished = read("image")
    assert files(finished) == [ONE]
    assert finished.texts == ("Here is your fox.",)
    assert finished.request_id == "2026020513313084131287jXTpB855"
    assert (finished.failed_members, finished.problem) == (0, "")
    assert finished.used == {"model_version": MODEL}


def test_every_image_that_is_no_draft_is_kept_in_order() -> None:
    finished = read("several_images")
    assert files(finished) == [ONE, TWO]
    assert finished.texts == ("First,", "and then")


@pytest.mark.parametrize("name", ["snake_case", "without_finish_reason", "data_uri_in_text"])
def test_an_image_is_found_wherever_it_is(name: str) -> None:
    assert files(read(name)) == [ONE]


def test_an_image_among_words_leaves_the_words() -> None:
    (text,) = read("data_uri_in_text").texts
    assert " ".join(text.split()) == "Here it is: I hope you like it."


def test_a_file_behind_a_link_is_taken_byte_for_byte() -> None:
    assert read("linked_file").images == (LinkedImage("https://files.site/a.png?sig=a%2Fb"),)


@pytest.mark.parametrize(
    ("name", "tokens"),
    [("image", (12, 1490, 1502)), ("snake_case", (5, 1120, 1125))],
)
def test_what_it_took_is_counted_with_its_thoughts(name: str, tokens: tuple[int, ...]) -> None:
    usage = read(name).usage
    assert tuple(usage[f"{what}_tokens"] for what in ("input", "output", "total")) == tokens


def test_the_details_of_what_it_took_are_kept() -> None:
    assert read("image").usage["thoughtsTokenCount"] == 200


def test_a_candidate_that_was_refused_beside_a_good_one_is_told_of() -> None:
    finished = read("two_candidates")
    assert files(finished) == [ONE]
    assert finished.failed_members == 1
    assert "withheld" in finished.problem


def test_an_image_that_cannot_be_read_beside_a_good_one_is_counted() -> None:
    finished = read("one_of_two_spoilt")
    assert (files(finished), finished.failed_members) == ([TWO], 1)


def test_an_answer_whose_only_image_cannot_be_read_is_a_bad_reply() -> None:
    with pytest.raises(BadReply):
        read("spoilt_image")


@pytest.mark.parametrize("body", [{}, {"data": []}, {"id": "t1", "status": "Ready"}])
def test_an_answer_of_another_protocol_cannot_be_read(body: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        gemini.parse_submit(in_json(200, body))


SENTENCES = {
    "safety": "safety rules",
    "prohibited": "does not make images of this kind",
    "recitation": "existing work",
    "person": "personal data",
    "unnamed": "did not say why",
    "empty": "without an image",
    "signature": "conversation so far",
    "room": "ran out of room",
    "chance": "does not try again by itself",
}
REFUSALS = [
    ("blocked_safety", ContentRefused, "safety"),
    ("blocked_other", ContentRefused, "unnamed"),
    ("blocked_blocklist", ContentRefused, "safety"),
    ("blocked_prohibited_content", ContentRefused, "prohibited"),
    ("blocked_image_safety", ContentRefused, "safety"),
    ("blocked_jailbreak", ContentRefused, "safety"),
    ("blocked_model_armor", ContentRefused, "safety"),
    ("blocked_unnamed", ContentRefused, "empty"),
    ("no_candidates", ContentRefused, "empty"),
    ("nothing_at_all", ContentRefused, "empty"),
    ("ended_safety", ContentRefused, "safety"),
    ("ended_recitation", ContentRefused, "recitation"),
    ("ended_blocklist", ContentRefused, "safety"),
    ("ended_prohibited_content", ContentRefused, "prohibited"),
    ("ended_spii", ContentRefused, "person"),
    ("ended_image_safety", ContentRefused, "safety"),
    ("ended_image_prohibited_content", ContentRefused, "prohibited"),
    ("ended_image_recitation", ContentRefused, "recitation"),
    ("ended_model_armor", ContentRefused, "safety"),
    ("ended_image_other", RequestRefused, "chance"),
    ("ended_no_image", RequestRefused, "chance"),
    ("ended_other", RequestRefused, "chance"),
    ("ended_max_tokens", RequestRefused, "room"),
    ("ended_missing_thought_signature", RequestRefused, "signature"),
    ("text_only", RequestRefused, "chance"),
    ("draft_only", RequestRefused, "chance"),
]


@pytest.mark.parametrize(("name", "kind", "sentence"), REFUSALS)
def test_every_refusal_has_its_kind_and_its_words(
    name: str, kind: type[ProviderError], sentence: str
) -> None:
    with pytest.raises(ProviderError, match=SENTENCES[sentence]) as caught:
        read(name)
    assert type(caught.value) is kind
    assert caught.value.request_id == "2026020513313084131287jXTpB855"
    assert "Unable to show" not in str(caught.value)


def test_a_reason_that_no_document_names_is_no_crash() -> None:
    answer = {"candidates": [{"finishReason": "MOON_PHASE"}]}
    with pytest.raises(RequestRefused, match="gave no reason") as caught:
        gemini.parse_submit(in_json(200, answer))
    assert caught.value.code == "unnamed"


ERRORS = [
    ("error_key", RequestRefused, "key"),
    ("error_place", RequestRefused, "administrator"),
    ("error_argument", RequestRefused, "as it stands"),
    ("error_argument_through_the_gateway", RequestRefused, "as it stands"),
    ("error_signature", RequestRefused, "conversation so far"),
    ("error_permission", RequestRefused, "does not let"),
    ("error_exhausted", ProviderBusy, "busy"),
    ("error_exhausted_in_200", ProviderBusy, "busy"),
    ("error_unavailable", ProviderSilent, "trusted"),
    ("error_internal", ProviderSilent, "trusted"),
]


@pytest.mark.parametrize(("name", "kind", "sentence"), ERRORS)
def test_every_error_of_google_has_its_kind(
    name: str, kind: type[ProviderError], sentence: str
) -> None:
    with pytest.raises(ProviderError, match=sentence) as caught:
        read(name)
    assert type(caught.value) is kind


def test_every_recorded_reply_is_tested() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for file in (FOLDER / "gemini").glob("*.json"):
        assert f'"{file.stem}"' in source, file.stem


def test_no_reason_has_two_meanings_and_every_one_of_the_document_has_words() -> None:
    assert not gemini_refusals.OF_CONTENT.keys() & gemini_refusals.OF_REQUEST.keys()


# ── How a conversation goes on ──


def remembered(name: str, **facts: Any) -> bytes | None:
    """The memory of a conversation after a recorded reply."""
    call = gemini.build_submit(brief(**facts))
    return gemini.remember(call, read(name)).memory


def test_the_adapter_is_one_that_remembers() -> None:
    assert isinstance(ADAPTERS["gemini"], RememberingAdapter)
    assert not isinstance(ADAPTERS["openai_images"], RememberingAdapter)


def test_the_memory_is_all_that_was_said_and_the_models_turn_word_for_word() -> None:
    memory = remembered("image", prompt="a fox \N{FOX FACE}")
    turn = json.loads(recorded("image", "gemini").body)["candidates"][0]["content"]
    assert json.loads(memory or b"") == [
        {"role": "user", "parts": [{"text": "a fox \N{FOX FACE}"}]},
        turn,
    ]
    assert turn["parts"][-1]["thoughtSignature"] == "c2lnbmVk"


def test_the_next_turn_follows_what_is_remembered() -> None:
    parent = Parent(memory=remembered("image"))
    contents = said(action="edit", prompt="in winter", parent=parent)["contents"]
    assert contents[:-1] == json.loads(parent.memory or b"")
    assert contents[-1] == {"role": "user", "parts": [{"text": "in winter"}]}


def test_a_conversation_of_three_turns_is_remembered_whole() -> None:
    parent = Parent(memory=remembered("image"))
    memory = remembered("several_images", action="edit", prompt="in winter", parent=parent)
    turns = json.loads(memory or b"")
    assert [turn["role"] for turn in turns] == ["user", "model", "user", "model"]


def test_snake_case_is_remembered_in_snake_case() -> None:
    assert b'"thought_signature": "c2ln"' in (remembered("snake_case") or b"")


def test_a_turn_that_would_be_read_as_a_million_words_is_not_remembered() -> None:
    assert remembered("data_uri_in_text") is None


def test_a_memory_that_no_request_could_carry_is_not_kept() -> None:
    def heavy(length: int) -> Reply:
        part = {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(ONE).decode()}}
        signed = {**part, "thoughtSignature": "x" * length}
        return in_json(200, {"candidates": [{"content": {"parts": [signed]}}]})

    call = gemini.build_submit(brief())
    light, large = (gemini.parse_submit(heavy(n)) for n in (17_000_000, 18_000_000))
    assert gemini.remember(call, light).memory is not None
    forgotten = gemini.remember(call, large)
    assert (forgotten.memory, files(forgotten)) == (None, [ONE])
