"""OpenAI-compatible generations: what is said, and what is read out of the answer (B)."""

import base64
from typing import Any

import pytest

from generator.errors import BadReply, ContentRefused, RequestRefused
from generator.families import FAMILIES
from generator.providers import base, openai_images, reading
from generator.providers.base import (
    Brief,
    InlineImage,
    LinkedImage,
    Parent,
    Reference,
    Reply,
)
from tests.providers.recorded import in_json, recorded

PNG = b"\x89PNG\r\n\x1a\n"
DATA = PNG + bytes(range(256)) + b"."  # of a length that needs padding
TEXT = base64.b64encode(DATA).decode()
PICTURE = Reference(b"x", "image/png", "x.png")


def brief(**facts: Any) -> Brief:
    """A brief for GPT Image 2, unless told otherwise."""
    facts = {"action": "create", "prompt": "a fox", "wire_model": "gpt-image-2", **facts}
    return Brief(**{"fields": {}, **facts})


def said(**facts: Any) -> dict[str, Any]:
    """The JSON that a brief becomes."""
    return dict(openai_images.build_submit(brief(**facts)).json or {})


def answer(*entries: Any, **more: Any) -> Reply:
    """An answer with these entries."""
    return in_json(200, {"created": 1, "data": list(entries), **more})


OURS = [
    family
    for family in FAMILIES.values()
    if (rule := family.actions.get("create")) and rule.protocol == "openai_images"
]


@pytest.mark.parametrize("family", OURS, ids=lambda family: family.name)
def test_every_model_is_told_just_what_its_family_takes(family: Any) -> None:
    for model in family.models:
        taken = family.fields_for(model.wire_model, "create")
        fields = {name: field.default for name, field in taken.items() if field.kind != "count"}
        body = said(wire_model=model.wire_model, fields=fields)
        assert body == {"model": model.wire_model, "prompt": "a fox", **fields}
        # GPT Image refuses the word, and the others are read whichever way they answer (K1).
        assert "response_format" not in body


def test_the_call_is_a_post_to_the_one_route() -> None:
    call = openai_images.build_submit(brief())
    assert (call.method, call.path, call.files) == ("POST", "/v1/images/generations", ())


def test_how_many_is_said_only_where_it_is_more_than_one() -> None:
    assert "n" not in said()
    assert said(count=4)["n"] == 4


def test_a_field_that_is_none_is_not_said_and_one_that_is_zero_is() -> None:
    assert said(fields={"quality": None, "output_compression": 0}) == {
        "model": "gpt-image-2",
        "prompt": "a fox",
        "output_compression": 0,
    }


@pytest.mark.parametrize(
    "facts",
    [
        {"fields": {"seed": 7}},
        {"fields": {"response_format": "url"}},
        {"fields": {"prompt": "another"}},
        {"fields": {"model": "another"}},
        {"fields": {"n": 10}},
        {"action": "edit"},
        {"references": (PICTURE,)},
        {"mask": PICTURE},
        {"parent": Parent("t1")},
        {"button": "U1"},
        {"wire_model": "qwen-image", "count": 2},
    ],
)
def test_what_the_route_has_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        openai_images.build_submit(brief(**facts))


@pytest.mark.parametrize(
    ("name", "count", "tokens"),
    [
        ("gpt_image_2", 1, (19, 196, 215)),
        ("gpt_image_1_mini", 2, (19, 392, 411)),
        ("usage_merged", 1, (785, 196, 981)),
        ("usage_of_old", 1, (12, 300, 312)),
        ("nested", 1, None),
    ],
)
def test_images_inside_the_answer_are_read_with_what_they_took(
    name: str, count: int, tokens: tuple[int, int, int] | None
) -> None:
    finished = openai_images.parse_submit(recorded(name))
    assert len(finished.images) == count
    for image in finished.images:
        assert isinstance(image, InlineImage)
        assert image.data.startswith(PNG)
    found = (finished.usage.get(f"{what}_tokens") for what in ("input", "output", "total"))
    assert tuple(found) == (tokens or (None, None, None))
    assert finished.failed_members == 0


def test_what_it_says_it_did_is_kept_and_so_are_unknown_words_of_its_usage() -> None:
    finished = openai_images.parse_submit(recorded("gpt_image_2"))
    assert finished.used == {
        "background": "opaque",
        "output_format": "png",
        "quality": "low",
        "size": "1024x1024",
    }
    assert finished.usage["output_tokens_details"] == {"image_tokens": 196, "text_tokens": 0}
    assert finished.request_id == "2026020513313084131287jXTpB855"


def test_a_link_and_the_prompt_as_it_was_rewritten() -> None:
    assert openai_images.parse_submit(recorded("dall_e_3")).images == (
        LinkedImage(
            "https://filesystem.site/cdn/20260312/2f6b0a9d.webp",
            "A red fox asleep in fresh snow, seen from above.",
        ),
    )


def test_links_beside_empty_places_are_taken_byte_for_byte() -> None:
    first, second = openai_images.parse_submit(recorded("dall_e_2")).images
    assert first == LinkedImage("https://filesystem.site/cdn/20260312/a.png?sig=a%2Fb%2fc+d")
    assert second == LinkedImage("https://filesystem.site/cdn/20260312/b.png?sig=e")


@pytest.mark.parametrize("name", ["empty", "null", "blank"])
def test_an_answer_without_any_image_was_filtered(name: str) -> None:
    with pytest.raises(ContentRefused) as caught:
        openai_images.parse_submit(recorded(name))
    assert caught.value.code == "empty"


@pytest.mark.parametrize("name", ["error_in_200", "moderation_gpt", "bad_size"])
def test_an_error_is_raised_before_images_are_looked_for(name: str) -> None:
    with pytest.raises(RequestRefused):
        openai_images.parse_submit(recorded(name))


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"data:image/png;base64,{TEXT}",
        "\n".join(TEXT[start : start + 76] for start in range(0, len(TEXT), 76)) + "\n",
        "\r\n".join(TEXT[start : start + 60] for start in range(0, len(TEXT), 60)),
    ],
)
def test_base64_may_come_with_line_breaks_or_a_prefix(text: str) -> None:
    assert openai_images.parse_submit(answer({"b64_json": text})).images == (InlineImage(DATA),)


def test_a_data_address_in_the_place_of_a_link_is_an_image_inside() -> None:
    entry = {"url": f"data:image/png;base64,{TEXT}", "b64_json": ""}
    assert openai_images.parse_submit(answer(entry)).images == (InlineImage(DATA),)


UNREADABLE = [
    TEXT.rstrip("="),
    TEXT + "=",
    TEXT[:-6],
    TEXT[:40] + "!" + TEXT[41:],
    TEXT[:40] + "-_" + TEXT[42:],
    "=" + TEXT,
    TEXT + TEXT,
    "data:image/png;base64,",
    "data:",
    "\n",
    "ü" * 40,
    7,
    ["x"],
    {"x": 1},
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_base64_that_is_none_is_an_answer_that_cannot_be_read(text: Any) -> None:
    with pytest.raises(BadReply):
        openai_images.parse_submit(answer({"b64_json": text}))


@pytest.mark.parametrize("entry", [None, 7, "text", ["x"], {"url": 7}, {"url": {"href": "x"}}])
def test_an_entry_that_is_none_is_an_answer_that_cannot_be_read(entry: Any) -> None:
    with pytest.raises(BadReply):
        openai_images.parse_submit(answer(entry))


def test_the_images_that_can_be_read_are_kept_and_the_others_counted() -> None:
    """All of them are paid for: one that is spoilt must not cost the rest."""
    entries = ({"b64_json": "!"}, {"b64_json": TEXT}, {"url": ""}, None, {"url": "https://a/b"})
    finished = openai_images.parse_submit(answer(*entries))
    assert finished.images == (InlineImage(DATA), LinkedImage("https://a/b"))
    assert finished.failed_members == 3


def test_an_image_over_the_limit_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_IMAGE", len(DATA))
    assert openai_images.parse_submit(answer({"b64_json": TEXT})).images == (InlineImage(DATA),)
    larger = base64.b64encode(DATA + b"123").decode()
    with pytest.raises(BadReply):
        openai_images.parse_submit(answer({"b64_json": larger}))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}, (5, 7, 12)),
        ({"prompt_tokens": 5, "completion_tokens": 7}, (5, 7, 12)),
        # Both pairs say the same: adding them would charge twice.
        (
            {
                "input_tokens": 5,
                "output_tokens": 7,
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 12,
            },
            (5, 7, 12),
        ),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 981}, (0, 0, 981)),
        ({"input_tokens": 5, "output_tokens": 0, "completion_tokens": 7}, (5, 7, 12)),
        ({"prompt_tokens": 5, "output_tokens": 7, "total_tokens": 12}, (5, 7, 12)),
        ({"input_tokens": None, "output_tokens": "7", "total_tokens": True}, (0, 7, 7)),
        ({"input_tokens": "9" * 16, "output_tokens": "-7", "total_tokens": "٧"}, (0, 0, 0)),
        ({"input_tokens": -5, "output_tokens": 7}, (0, 7, 7)),
    ],
)
def test_usage_of_any_shape_says_three_whole_numbers(
    usage: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    found = openai_images.parse_submit(answer({"b64_json": TEXT}, usage=usage)).usage
    assert (found["input_tokens"], found["output_tokens"], found["total_tokens"]) == expected


@pytest.mark.parametrize("usage", [None, {}, [], "many", 7])
def test_usage_that_says_nothing_costs_no_image(usage: Any) -> None:
    finished = openai_images.parse_submit(answer({"b64_json": TEXT}, usage=usage))
    assert finished.images == (InlineImage(DATA),)
    assert finished.usage == {}


@pytest.mark.parametrize(
    "body",
    [{}, {"data": "x"}, {"data": {"data": [{"b64_json": 1}]}}, [{"b64_json": TEXT}], "text", 7],
)
def test_an_answer_of_another_form_is_not_taken_for_images(body: Any) -> None:
    """Whatever it raises, `Gateway.submit` makes of it an answer that cannot be read."""
    with pytest.raises((BadReply, KeyError, TypeError)):
        openai_images.parse_submit(in_json(200, body))


UNFIT = "a\0 fox\ud800"


@pytest.mark.parametrize("where", ["entry", "used", "usage"])
def test_what_no_database_can_store_is_dropped_from_all_that_is_kept(where: str) -> None:
    more = {"quality": UNFIT, "usage": {UNFIT: {"list": [UNFIT, float("nan"), 7]}}}
    finished = openai_images.parse_submit(
        answer({"b64_json": TEXT, "revised_prompt": UNFIT}, **more)
    )
    (image,) = finished.images
    match where:
        case "entry":
            assert image == InlineImage(DATA, "a fox")
        case "used":
            assert finished.used == {"quality": "a fox"}
        case "usage":
            assert finished.usage["a fox"] == {"list": ["a fox", None, 7]}


def test_a_sign_that_json_writes_as_a_pair_is_no_half_of_one() -> None:
    reply = Reply(
        200, {}, b'{"data": [{"url": "https://x.y/", "revised_prompt": "\\ud83e\\udd8a"}]}'
    )
    assert openai_images.parse_submit(reply).images == (LinkedImage("https://x.y/", "🦊"),)


def test_words_beyond_all_measure_are_cut() -> None:
    reply = answer(
        {"b64_json": TEXT, "revised_prompt": "x" * 100_000},
        quality="y" * 100_000,
        usage={"input_tokens": 1, "output_tokens": 2, "more": "z" * 100_000},
    )
    finished = openai_images.parse_submit(reply)
    assert len(finished.images[0].revised_prompt) == base.LONGEST_PROMPT
    assert len(finished.used["quality"]) == 200
    assert finished.usage == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def test_what_is_nested_beyond_all_measure_costs_no_image() -> None:
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    finished = openai_images.parse_submit(answer({"b64_json": TEXT}, usage={"deep": deep}))
    assert finished.images == (InlineImage(DATA),)
    assert len(str(finished.usage["deep"])) < 100
