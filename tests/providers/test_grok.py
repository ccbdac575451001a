"""Grok Imagine: shapes instead of sizes, and answers in xAI's own form (I3, M2)."""

from dataclasses import replace
from typing import Any

import pytest

from generator.errors import (
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)
from generator.families import FAMILIES
from generator.providers import grok, openai_edits
from generator.providers.base import Brief, InlineImage, LinkedImage, Parent, Reference
from tests.providers.recorded import recorded

FOX = Reference(b"fox", "image/png", "fox.png", "https://studio.example/fox.png")
HAT = Reference(b"a hat", "image/jpeg", "hat.jpg")
FOX_ENTRY = {"type": "image_url", "url": "data:image/png;base64,Zm94"}
HAT_ENTRY = {"type": "image_url", "url": "data:image/jpeg;base64,YSBoYXQ="}
LINK = "https://imgen.x.ai/xai-imgen/xai-tmp-imgen-{}.jpeg"


def brief(**facts: Any) -> Brief:
    """A brief for new images, unless told otherwise."""
    facts = {"action": "create", "prompt": "a fox", "wire_model": "grok-imagine-image", **facts}
    return Brief(**{"fields": {}, **facts})


def test_new_images_are_asked_for_by_shape_and_resolution() -> None:
    call = grok.build_submit(brief(fields={"aspect_ratio": "3:2", "resolution": "2k"}, count=4))
    assert (call.method, call.path, call.files) == ("POST", "/v1/images/generations", ())
    assert call.json == {
        "model": "grok-imagine-image",
        "prompt": "a fox",
        "aspect_ratio": "3:2",
        "resolution": "2k",
        "n": 4,
    }


def test_what_was_not_set_is_not_said() -> None:
    call = grok.build_submit(brief(fields={"aspect_ratio": None}))
    assert call.json == {"model": "grok-imagine-image", "prompt": "a fox"}


def test_one_image_to_change_stands_alone_and_several_in_a_list() -> None:
    one = grok.build_submit(brief(action="edit", references=(FOX,)))
    two = grok.build_submit(brief(action="edit", references=(HAT, FOX)))
    assert one.path == two.path == "/v1/images/edits"
    assert one.json == {"model": "grok-imagine-image", "prompt": "a fox", "image": FOX_ENTRY}
    assert two.json is not None
    assert two.json["images"] == [HAT_ENTRY, FOX_ENTRY]
    assert "image" not in two.json


def test_a_gateway_that_wants_edits_as_a_form_is_one_line_of_the_family() -> None:
    """How it wants them is unproven (I3): the other adapter can say the same."""
    family = FAMILIES["grok-imagine"]
    assert family.rule("edit").protocol == "grok"
    fields = {name: field.default for name, field in family.fields.items() if name != "count"}
    edit = brief(action="edit", references=(FOX,), fields=fields)
    as_json, as_form = grok.build_submit(edit).json, openai_edits.build_submit(edit)
    assert as_form.data == {key: said for key, said in (as_json or {}).items() if key != "image"}
    assert as_form.files == (("image", FOX),)


@pytest.mark.parametrize(
    "facts",
    [
        {"action": "upscale"},
        {"references": (FOX,)},
        {"action": "edit"},
        {"action": "edit", "references": (FOX,), "mask": FOX},
        {"action": "edit", "references": (FOX,), "styles": (HAT,)},
        {"parent": Parent("t1")},
        {"button": "U1"},
        {"fields": {"size": "1024x1024"}},
        {"fields": {"n": 2}},
        {"fields": {"response_format": "url"}},
    ],
)
def test_what_the_routes_have_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        grok.build_submit(brief(**facts))


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("one", {"cost_in_usd_ticks": 200_000_000}),
        ("no_usage", {}),
        (
            "through_the_family",
            {"input_tokens_details": {"text_tokens": 0, "image_tokens": 0}},
        ),
    ],
)
def test_a_link_is_read_with_what_it_cost(name: str, usage: dict[str, Any]) -> None:
    finished = grok.parse_submit(recorded(name, "grok"))
    assert finished.images == (LinkedImage(LINK.format(1)),)
    assert (finished.usage, finished.failed_members, finished.problem) == (usage, 0, "")
    assert finished.request_id == "2026020513313084131287jXTpB855"


def test_an_image_inside_the_answer_is_read_as_well() -> None:
    (image,) = grok.parse_submit(recorded("inside", "grok")).images
    assert isinstance(image, InlineImage)
    assert image.data.startswith(b"\x89PNG")


def test_images_that_were_withheld_are_counted_and_the_others_kept() -> None:
    finished = grok.parse_submit(recorded("partly_withheld", "grok"))
    assert finished.images == (LinkedImage(LINK.format(1)), LinkedImage(LINK.format(2)))
    assert finished.failed_members == 2
    assert "safety rules" in finished.problem


def test_an_image_that_is_missing_for_another_reason_is_not_laid_to_the_safety_rules() -> None:
    reply = recorded("partly_withheld", "grok")
    finished = grok.parse_submit(replace(reply, body=reply.body.replace(b"false", b"true")))
    assert (finished.failed_members, finished.problem) == (2, "")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("all_withheld", ContentRefused, "withheld the image"),
        ("nothing", ContentRefused, "without an image"),
        ("moderated", ContentRefused, "refused this prompt"),
        ("argument", RequestRefused, "refused this request"),
        ("no_permission", RequestRefused, "does not let this studio"),
        ("unprocessable", RequestRefused, "refused this request"),
        ("too_many", ProviderBusy, "busy"),
        ("internal", ProviderSilent, "No answer"),
    ],
)
def test_an_error_that_is_a_string_comes_to_its_kind(
    name: str, kind: type[ProviderError], words: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        grok.parse_submit(recorded(name, "grok"))
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "aspect_ratio" not in str(caught.value)
