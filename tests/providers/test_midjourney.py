"""Midjourney: what is said to it, action by action (F1, F4)."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from generator import pictures
from generator.errors import RequestRefused
from generator.families import FAMILIES
from generator.providers import midjourney
from generator.providers.base import Brief, Parent, Reference

PNG = Reference(b"\x89PNG first", "image/png", "a.png")
JPEG = Reference(b"\xff\xd8 second", "image/jpeg", "b.jpg")
STYLE = Reference(b"", "", "", link="https://s3.example/a.png?sig=b%2Fc--d")
PARENT = Parent("1773314942177684")
BUTTON = "MJ::JOB::upsample::2::5b1e0a52"


def lopsided_mask() -> Reference:
    """White in one corner only, so that nothing turned or inverted looks the same."""
    image = Image.new("L", (60, 40), 0)
    image.paste(255, (5, 3, 20, 10))
    file = io.BytesIO()
    image.save(file, "PNG")
    return Reference(file.getvalue(), "image/png", "mask.png")


MASK = lopsided_mask()


def brief(action: str = "create", **facts: Any) -> Brief:
    """A brief for Midjourney, unless told otherwise."""
    prompt = "" if action in {"blend", "describe"} else "a fox"
    facts = {"prompt": prompt, "wire_model": "midjourney", "fields": {}, **facts}
    return Brief(action, **facts)


def said(action: str = "create", **facts: Any) -> dict[str, Any]:
    """The JSON that a brief becomes."""
    return dict(midjourney.build_submit(brief(action, **facts)).json or {})


def prompt_of(prompt: str = "a fox", **fields: Any) -> str:
    """The prompt with its flags."""
    text: str = said(prompt=prompt, fields=fields)["prompt"]
    return text


def test_a_prompt_goes_to_imagine_with_the_bot_of_its_entry() -> None:
    call = midjourney.build_submit(brief())
    assert (call.method, call.path) == ("POST", "/mj/submit/imagine")
    assert call.json == {"prompt": "a fox", "botType": "MID_JOURNEY"}
    assert said(wire_model="niji")["botType"] == "NIJI_JOURNEY"


@pytest.mark.parametrize(
    ("field", "value", "flag"),
    [
        ("aspect_ratio", "3:2", "--ar 3:2"),
        ("version", "6.1", "--v 6.1"),
        ("stylize", 0, "--s 0"),
        ("chaos", 35, "--c 35"),
        ("weird", 3000, "--weird 3000"),
        ("quality", "0.5", "--q 0.5"),
        ("seed", 4294967295, "--seed 4294967295"),
        ("raw", True, "--style raw"),
        ("tile", True, "--tile"),
        ("negative_prompt", "cats, red hats", "--no cats, red hats"),
    ],
)
def test_every_field_becomes_its_flag(field: str, value: Any, flag: str) -> None:
    assert prompt_of(**{field: value}) == f"a fox {flag}"


def test_a_version_of_niji_has_a_flag_of_its_own() -> None:
    assert said(wire_model="niji", fields={"version": "6"})["prompt"] == "a fox --niji 6"


def test_what_was_not_set_is_not_said() -> None:
    assert prompt_of(raw=False, tile=False, seed=None, negative_prompt="", stylize=None) == "a fox"


@pytest.mark.parametrize("name", ["midjourney", "niji"])
def test_every_field_of_the_families_can_be_said_for_every_action_that_has_it(name: str) -> None:
    family = FAMILIES[name]
    assert set(family.actions) == midjourney.ACTIONS
    assert set(family.fields) == midjourney.FIELDS
    for action, rule in family.actions.items():
        fields = {
            field.name: field.choices[-1] if field.choices else field.most or True
            for field in family.fields_for(name, action).values()
        }
        count = rule.references.least if rule.references else 0
        facts: dict[str, Any] = {"references": (PNG,) * count, "wire_model": name}
        if rule.starts_from == "button":
            facts |= {"parent": PARENT, "button": BUTTON}
        if rule.mask == "required":
            facts["mask"] = MASK
        said(action, fields=fields, **facts)


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ("a fox --ar 1:1", "aspect_ratio", "3:2"),
        ("a fox --aspect 1:1", "aspect_ratio", "3:2"),
        ("a fox —ar 1:1", "aspect_ratio", "3:2"),
        ("a fox --AR 1:1", "aspect_ratio", "3:2"),
        ("a fox --niji 6", "version", "7"),
        ("a fox --stylize 20", "stylize", 500),
        ("a fox --style cute", "raw", True),
        ("a fox --no dogs", "negative_prompt", "cats"),
        ("--seed 3", "seed", 4),
    ],
)
def test_a_typed_flag_wins_over_the_field_of_the_same_meaning(
    typed: str, field: str, value: Any
) -> None:
    assert prompt_of(typed, **{field: value}) == typed


def test_a_word_with_a_dash_is_no_flag() -> None:
    assert prompt_of("a jack-in--ar box", aspect_ratio="3:2").endswith("--ar 3:2")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("cats --turbo", "cats turbo"),
        ("cats—turbo --ar 9:1", "cats turbo ar 9:1"),
        ("- -turbo ----- x", "- -turbo x"),
        ("t-shirts\n--repeat 10", "t-shirts repeat 10"),
        ("--", ""),
    ],
)
def test_a_negative_prompt_brings_no_flags_along(text: str, clean: str) -> None:
    assert prompt_of(negative_prompt=text) == (f"a fox --no {clean}" if clean else "a fox")
    assert "--turbo" not in prompt_of(negative_prompt=text)


@pytest.mark.parametrize("prompt", ["a {red, green} car", "{a,b}", "x {a, b --ar 1:1} y"])
def test_a_list_in_braces_is_refused_since_each_word_of_it_is_paid(prompt: str) -> None:
    with pytest.raises(RequestRefused, match="braces"):
        said("create", prompt=prompt)


@pytest.mark.parametrize("prompt", [r"a \{red, green} car", "a {red} car", "a, b", "{"])
def test_braces_that_are_no_list_are_sent(prompt: str) -> None:
    assert said("create", prompt=prompt)["prompt"].startswith(prompt)


@pytest.mark.parametrize("flag", ["--turbo", "--FAST", "--relax", "—turbo", "--repeat 10", "--r 4"])
@pytest.mark.parametrize("action", ["create", "edit"])
def test_flags_that_change_the_price_are_refused_before_it_is_paid(flag: str, action: str) -> None:
    references = (PNG,) if action == "edit" else ()
    with pytest.raises(RequestRefused, match="price"):
        said(action, prompt=f"a fox {flag}", references=references)


@pytest.mark.parametrize("action", ["fill", "zoom"])
def test_they_are_refused_in_the_answer_to_a_dialog_too(action: str) -> None:
    with pytest.raises(RequestRefused, match="price"):
        midjourney.build_continue(brief(action, prompt="a fox --turbo", mask=MASK), "1")
    mask = MASK if action == "fill" else None
    with pytest.raises(RequestRefused, match="price"):
        said(action, prompt="a fox --turbo", mask=mask, parent=PARENT, button=BUTTON)


def test_references_are_image_prompts_in_data_uris() -> None:
    body = said(references=(PNG, JPEG), fields={"image_weight": 1.5})
    assert body["base64Array"] == [PNG.data_uri, JPEG.data_uri]
    assert body["base64Array"][1].startswith("data:image/jpeg;base64,")
    assert body["prompt"] == "a fox --iw 1.5"


def test_a_weight_of_images_is_not_said_where_there_are_none() -> None:
    assert prompt_of(image_weight=1.5) == "a fox"


def test_references_for_the_look_are_links_in_the_prompt() -> None:
    other = Reference(b"", "", "", link="https://s3.example/b.png")
    prompt = said(styles=(STYLE, other), fields={"chaos": 1})["prompt"]
    assert prompt == f"a fox --sref {STYLE.link} {other.link} --c 1"


@pytest.mark.parametrize("link", ["", "https://s3.example/a b.png", "https://x/\n--turbo"])
def test_a_reference_for_the_look_without_a_link_is_refused(link: str) -> None:
    with pytest.raises(RequestRefused):
        said(styles=(Reference(b"x", "image/png", "x.png", link=link),))


@pytest.mark.parametrize(
    ("speed", "path"),
    [
        (None, "/mj/submit/imagine"),
        ("fast", "/mj/submit/imagine"),
        ("turbo", "/mj-turbo/mj/submit/imagine"),
        ("relax", "/mj-relax/mj/submit/imagine"),
    ],
)
def test_the_speed_stands_before_the_address(speed: str | None, path: str) -> None:
    assert midjourney.build_submit(brief(fields={"speed": speed})).path == path


def test_the_answer_to_a_dialog_has_the_speed_too() -> None:
    call = midjourney.build_continue(brief("fill", mask=MASK, fields={"speed": "turbo"}), "1")
    assert call.path == "/mj-turbo/mj/submit/modal"


def test_blend_sends_images_and_a_shape_and_no_prompt() -> None:
    call = midjourney.build_submit(
        brief("blend", references=(PNG, JPEG), fields={"dimensions": "PORTRAIT"})
    )
    assert call.path == "/mj/submit/blend"
    assert call.json == {
        "base64Array": [PNG.data_uri, JPEG.data_uri],
        "dimensions": "PORTRAIT",
        "botType": "MID_JOURNEY",
    }


def test_describe_sends_one_image() -> None:
    call = midjourney.build_submit(brief("describe", references=(JPEG,)))
    assert call.path == "/mj/submit/describe"
    assert call.json == {"base64": JPEG.data_uri, "botType": "MID_JOURNEY"}


def test_the_editor_gets_the_image_and_the_mask_white_where_it_is_to_change() -> None:
    body = said("edit", references=(PNG,), mask=MASK, fields={"aspect_ratio": "3:2"})
    assert body == {
        "prompt": "a fox --ar 3:2",
        "image": PNG.data_uri,
        "maskBase64": MASK.data_uri,
        "botType": "MID_JOURNEY",
    }
    assert "maskBase64" not in said("edit", references=(PNG,))


def test_the_editors_mask_can_be_the_other_way_by_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midjourney, "EDITOR_REPAINTS", "transparent")
    uri = said("edit", references=(PNG,), mask=MASK)["maskBase64"]
    sent = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert sent == pictures.transparent_mask(MASK.data)


@pytest.mark.parametrize("action", ["upscale", "vary", "reroll", "zoom", "pan"])
def test_a_button_is_pressed_by_its_id_and_its_task(action: str) -> None:
    call = midjourney.build_submit(brief(action, parent=PARENT, button=BUTTON))
    assert call.path == "/mj/submit/action"
    assert call.json == {"taskId": "1773314942177684", "customId": BUTTON}


def test_a_region_is_pressed_first_and_its_mask_is_the_answer_to_the_dialog() -> None:
    facts = {"mask": MASK, "parent": PARENT, "button": "MJ::Inpaint::1::x::SOLO"}
    assert said("fill", **facts) == {
        "taskId": "1773314942177684",
        "customId": "MJ::Inpaint::1::x::SOLO",
    }
    call = midjourney.build_continue(brief("fill", prompt="a red hat", **facts), "42")
    assert (call.method, call.path) == ("POST", "/mj/submit/modal")
    # White is to change on both sides (K19): the very file goes out.
    assert call.json == {"taskId": "42", "prompt": "a red hat", "maskBase64": MASK.data_uri}


def test_a_region_may_keep_its_prompt() -> None:
    call = midjourney.build_continue(brief("fill", prompt="", mask=MASK), "42")
    assert call.json == {"taskId": "42", "maskBase64": MASK.data_uri}


@pytest.mark.parametrize(
    ("prompt", "zoom", "expected"),
    [
        ("a fox", 1.4, "a fox --zoom 1.4"),
        ("a fox", 2, "a fox --zoom 2"),
        ("a fox", 1.0, "a fox --zoom 1"),
        ("a fox", None, "a fox --zoom 2"),
        ("", 1.25, "--zoom 1.25"),
        ("a fox --zoom 1.9", 1.4, "a fox --zoom 1.9"),
    ],
)
def test_a_custom_zoom_says_how_far_in_its_prompt(
    prompt: str, zoom: float | None, expected: str
) -> None:
    call = midjourney.build_continue(brief("zoom", prompt=prompt, fields={"zoom": zoom}), "42")
    assert call.json == {"taskId": "42", "prompt": expected}


def test_a_dialog_that_nobody_expected_is_answered_with_the_prompt_or_not_at_all() -> None:
    call = midjourney.build_continue(brief("vary", prompt="a red fox"), "42")
    assert call.json == {"taskId": "42", "prompt": "a red fox"}
    with pytest.raises(RequestRefused):
        midjourney.build_continue(brief("vary", prompt=""), "42")


def test_a_parent_does_not_keep_an_edit_from_being_sent() -> None:
    assert "taskId" not in said("edit", references=(PNG,), parent=PARENT)


@pytest.mark.parametrize(
    ("action", "facts"),
    [
        ("expand", {}),
        ("create", {"wire_model": "gpt-image-2"}),
        ("create", {"count": 2}),
        ("create", {"references": (PNG,) * 6}),
        ("create", {"mask": MASK}),
        ("create", {"fields": {"size": "1024x1024"}}),
        ("create", {"fields": {"zoom": 2}}),
        ("create", {"fields": {"dimensions": "SQUARE"}}),
        ("create", {"fields": {"speed": "warp"}}),
        ("create", {"fields": {"speed": "../.."}}),
        ("edit", {}),
        ("edit", {"references": (PNG, JPEG)}),
        ("blend", {"references": (PNG,)}),
        ("blend", {"references": (PNG,) * 6}),
        ("blend", {"references": (PNG, JPEG), "prompt": "a fox"}),
        ("blend", {"references": (PNG, JPEG), "styles": (STYLE,)}),
        ("blend", {"references": (PNG, JPEG), "fields": {"seed": 1}}),
        ("describe", {}),
        ("describe", {"references": (PNG, JPEG)}),
        ("upscale", {"parent": PARENT}),
        ("upscale", {"button": BUTTON}),
        ("upscale", {"parent": Parent(""), "button": BUTTON}),
        ("upscale", {"parent": PARENT, "button": BUTTON, "references": (PNG,)}),
        ("upscale", {"parent": PARENT, "button": BUTTON, "fields": {"aspect_ratio": "3:2"}}),
        ("fill", {"parent": PARENT, "button": BUTTON}),
    ],
)
def test_what_midjourney_has_no_words_for_is_refused_before_it_is_paid(
    action: str, facts: dict[str, Any]
) -> None:
    with pytest.raises(RequestRefused):
        said(action, **facts)


@pytest.mark.parametrize("mask", [None])
def test_a_region_without_a_mask_is_refused_in_the_dialog_too(mask: Any) -> None:
    with pytest.raises(RequestRefused):
        midjourney.build_continue(brief("fill", mask=mask), "42")


def test_a_task_is_looked_for_at_the_gateway_by_its_id() -> None:
    call = midjourney.build_poll("1773314942177684")
    assert (call.method, call.path, call.json) == ("GET", "/mj/task/1773314942177684/fetch", None)
    assert midjourney.build_poll("../x").path == "/mj/task/..%2Fx/fetch"
