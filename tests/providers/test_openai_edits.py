"""OpenAI-compatible edits: the form that is sent, and what is read out of the answer (C)."""

import io
from typing import Any

import pytest
from PIL import Image

from generator.errors import ContentRefused, ProviderBusy, ProviderError, RequestRefused
from generator.families import FAMILIES, Family
from generator.providers import openai_edits
from generator.providers.base import Brief, InlineImage, LinkedImage, Parent, Reference
from tests.providers.recorded import recorded

FOX = Reference(b"fox", "image/png", "fox.png")
HAT = Reference(b"hat", "image/webp", "hat.webp")
SIZE = (48, 32)


def in_corner(box: tuple[int, int, int, int] = (0, 0, 12, 20)) -> Reference:
    """The studio's mask of an image of SIZE: only the upper left corner is to change."""
    mask = Image.new("L", SIZE, 0)
    mask.paste(255, box)
    file = io.BytesIO()
    mask.save(file, "PNG")
    return Reference(file.getvalue(), "image/png", "mask.png")


def brief(**facts: Any) -> Brief:
    """A brief for GPT Image 2 that changes one image, unless told otherwise."""
    facts = {"action": "edit", "prompt": "a hat", "wire_model": "gpt-image-2", **facts}
    return Brief(**{"fields": {}, "references": (FOX,), **facts})


def said(**facts: Any) -> dict[str, str]:
    """The text parts that a brief becomes."""
    return dict(openai_edits.build_submit(brief(**facts)).data or {})


def test_the_call_is_a_form_with_the_image_as_it_is() -> None:
    call = openai_edits.build_submit(brief())
    assert (call.method, call.path, call.json) == ("POST", "/v1/images/edits", None)
    assert call.data == {"model": "gpt-image-2", "prompt": "a hat"}
    assert call.files == (("image", FOX),)


def test_several_images_are_a_list_in_their_order() -> None:
    call = openai_edits.build_submit(brief(references=(HAT, FOX, HAT)))
    assert call.files == (("image[]", HAT), ("image[]", FOX), ("image[]", HAT))


def test_every_value_is_text_and_one_image_is_not_said() -> None:
    assert "n" not in said()
    assert said(
        count=3, fields={"output_compression": 0, "quality": None, "output_format": "webp"}
    ) == {
        "model": "gpt-image-2",
        "prompt": "a hat",
        "output_compression": "0",
        "output_format": "webp",
        "n": "3",
    }


def test_what_is_white_in_our_mask_is_clear_in_theirs_and_all_else_is_not() -> None:
    call = openai_edits.build_submit(brief(references=(FOX, HAT), mask=in_corner()))
    name, file = call.files[-1]
    assert (name, file.content_type, len(call.files)) == ("mask", "image/png", 3)
    mask = Image.open(io.BytesIO(file.data))
    assert (mask.format, mask.mode, mask.size) == ("PNG", "RGBA", SIZE)
    alpha = mask.getchannel("A")
    places = [(0, 0), (11, 19), (12, 19), (11, 20), (47, 0), (0, 31), (47, 31)]
    assert [alpha.getpixel(place) for place in places] == [0, 0, 255, 255, 255, 255, 255]


def test_a_mask_that_is_none_is_refused_before_it_is_paid() -> None:
    broken = Reference(b"no image", "image/png", "mask.png")
    with pytest.raises(RequestRefused):
        openai_edits.build_submit(brief(mask=broken))


OURS = [
    family
    for family in FAMILIES.values()
    if (rule := family.actions.get("edit")) and rule.protocol == "openai_edits"
]


@pytest.mark.parametrize("family", OURS, ids=lambda family: family.name)
def test_every_model_is_told_just_what_its_family_takes(family: Family) -> None:
    for model in family.models:
        taken = family.fields_for(model.wire_model, "edit")
        fields = {name: field.default for name, field in taken.items() if field.kind != "count"}
        parts = said(wire_model=model.wire_model, fields=fields)
        assert list(parts) == ["model", "prompt", *fields]
        assert "moderation" not in parts
        assert "response_format" not in parts


def test_likeness_is_only_for_models_that_know_the_word() -> None:
    knowing = {
        model.wire_model
        for family in OURS
        for model in family.models
        if "input_fidelity" in family.fields_for(model.wire_model, "edit")
    }
    assert knowing == {"gpt-image-1", "gpt-image-1.5"}
    assert "input_fidelity" not in FAMILIES["gpt-image-1"].fields_for("gpt-image-1", "create")


@pytest.mark.parametrize(
    "facts",
    [
        {"action": "create", "references": ()},
        {"action": "create"},
        {"action": "vary"},
        {"references": ()},
        {"references": (), "mask": in_corner()},
        {"parent": Parent("t1")},
        {"button": "U1"},
        {"styles": (HAT,)},
        {"fields": {"moderation": "low"}},
        {"fields": {"seed": 7}},
        {"fields": {"prompt": "another"}},
        {"fields": {"n": 10}},
        {"fields": {"response_format": "url"}},
        {"wire_model": "qwen-image-edit", "count": 2},
    ],
)
def test_what_the_route_has_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        openai_edits.build_submit(brief(**facts))


def test_the_merged_usage_of_edits_is_counted_once() -> None:
    finished = openai_edits.parse_submit(recorded("edited", "openai_edits"))
    (image,) = finished.images
    assert isinstance(image, InlineImage)
    counts = [finished.usage[f"{what}_tokens"] for what in ("input", "output", "total")]
    assert counts == [785, 196, 981]
    assert finished.used["size"] == "1024x1024"
    assert finished.request_id == "2026020513313084131287jXTpB855"


def test_a_model_that_answers_with_links_is_read_as_well() -> None:
    finished = openai_edits.parse_submit(recorded("two_links", "openai_edits"))
    assert finished.images == (
        LinkedImage("https://filesystem.site/cdn/20260312/a.png?sig=a%2Fb"),
        LinkedImage("https://filesystem.site/cdn/20260312/b.png?sig=c"),
    )


@pytest.mark.parametrize(
    ("name", "kind", "code", "words"),
    [
        ("mode", RequestRefused, "invalid_image_file", "image that was sent along"),
        ("mask_size", RequestRefused, "invalid_image_format", "refused"),
        ("mime", RequestRefused, "unsupported_file_mimetype", "refused"),
        ("address_in_json", RequestRefused, "invalid_value", "refused"),
        ("fidelity", RequestRefused, "invalid_value", "likeness"),
        ("moderation", ContentRefused, "moderation_blocked", "withheld"),
        ("filtered", ContentRefused, "empty", "without an image"),
        ("too_large", RequestRefused, "request_body_too_large", "fewer or smaller"),
        ("not_implemented", RequestRefused, "api_not_implemented", "cannot do this"),
        ("busy", ProviderBusy, "bad_response_status_code", "busy"),
    ],
)
def test_an_error_of_the_route_comes_to_its_kind_and_to_words_of_ours(
    name: str, kind: type[ProviderError], code: str, words: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        openai_edits.parse_submit(recorded(name, "openai_edits"))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert words in str(caught.value)
    assert "safety_violations" not in str(caught.value)
