"""Flux in its maker's form: what is said, and what is read out of a look (E)."""

import base64
import json
from typing import Any

import pytest

from generator.errors import (
    BadReply,
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
    TaskUnknown,
)
from generator.families import FAMILIES, Family
from generator.providers import flux
from generator.providers.base import Brief, Call, Finished, LinkedImage, Parent, Pending, Reference
from tests.providers.recorded import REQUEST_ID, in_json, page, recorded

ID = "6f1d6c2e-0a44-4e7f-9a51-3c1f0b7a9d10"
FAMILIES_OF_FLUX = [
    family
    for family in FAMILIES.values()
    if {rule.protocol for rule in family.actions.values()} == {"flux"}
]
PER_FAMILY = pytest.mark.parametrize("family", FAMILIES_OF_FLUX, ids=lambda family: family.name)


def picture(name: str) -> Reference:
    """A reference whose bytes tell which one it is."""
    return Reference(name.encode() * 5, "image/png", f"{name}.png", f"https://studio/{name}.png")


def brief(**facts: Any) -> Brief:
    """A brief for FLUX.2 pro, unless told otherwise."""
    facts = {"action": "create", "prompt": "a fox", "wire_model": "flux-2-pro", **facts}
    return Brief(**{"fields": {}, **facts})


def said(**facts: Any) -> dict[str, Any]:
    """The JSON that a brief becomes."""
    return dict(flux.build_submit(brief(**facts)).json or {})


def looked(name: str) -> Any:
    """What a recorded look says."""
    return flux.parse_poll(recorded(name, "flux"))


# ── What is said ──


def test_the_model_stands_in_the_address_and_nowhere_else() -> None:
    call = flux.build_submit(brief(wire_model="flux-pro-1.1"))
    assert (call.method, call.path, call.json) == (
        "POST",
        "/flux/v1/flux-pro-1.1",
        {"prompt": "a fox"},
    )


@pytest.mark.parametrize(
    "wire_model",
    [
        "",
        ".",
        "..",
        "../v1/models",
        "a/b",
        "flux-2-pro?x=1",
        "flux 2",
        "flux-2-pro\n",
        "fluß",
        "%2e",
    ],
)
def test_a_model_that_would_be_another_address_is_refused(wire_model: str) -> None:
    with pytest.raises(RequestRefused):
        flux.build_submit(brief(wire_model=wire_model))


@PER_FAMILY
def test_every_field_of_a_family_can_be_said(family: Family) -> None:
    for action in family.actions:
        references = (picture("a"),) * (action != "create")
        for model in family.models:
            fields: dict[str, Any] = dict.fromkeys(family.fields_for(model.wire_model, action), 7)
            facts = {"action": action, "references": references, "wire_model": model.wire_model}
            if "size" in fields:
                fields["size"] = "640x320"
            body = said(**facts, fields=fields)
            expected = {name: 7 for name in fields if name != "size"}
            sides = {"width": 640, "height": 320} if "size" in fields else {}
            assert body.items() >= (expected | sides).items()
            assert "size" not in body


def test_a_size_is_said_as_two_sides_and_an_automatic_one_or_a_shape_is_not_said() -> None:
    assert said(fields={"size": "1024x768"}) == {"prompt": "a fox", "width": 1024, "height": 768}
    assert said(fields={"size": "auto", "aspect_ratio": "auto"}) == {"prompt": "a fox"}
    assert said(fields={"aspect_ratio": "21:9"})["aspect_ratio"] == "21:9"


def test_what_is_none_is_not_said_and_what_is_nought_or_false_is() -> None:
    fields = {"seed": None, "safety_tolerance": 0, "prompt_upsampling": False}
    assert said(fields=fields) == {
        "prompt": "a fox",
        "safety_tolerance": 0,
        "prompt_upsampling": False,
    }


def test_images_to_work_on_go_by_number_in_plain_base64_and_in_their_order() -> None:
    pictures = tuple(picture(name) for name in "abcdefgh")
    body = said(action="edit", references=pictures, parent=Parent("t1"))
    names = ["input_image", *(f"input_image_{n}" for n in range(2, 9))]
    assert [name for name in body if name != "prompt"] == names
    for name, one in zip(names, pictures, strict=True):
        assert base64.b64decode(body[name], validate=True) == one.data


def test_an_image_to_vary_has_a_name_of_its_own() -> None:
    body = said(action="vary", references=(picture("a"),), wire_model="flux-pro-1.1")
    assert body == {"prompt": "a fox", "image_prompt": picture("a").base64}


@pytest.mark.parametrize(
    "facts",
    [
        {"fields": {"negative_prompt": "a dog"}},
        {"fields": {"webhook_url": "https://evil.example/"}},
        {"fields": {"prompt": "another"}},
        {"fields": {"n": 2}},
        {"fields": {"size": "large"}},
        {"fields": {"size": "0x1024"}},
        {"fields": {"size": "1024x1024x1024"}},
        {"fields": {"size": 1024}},
        {"count": 2},
        {"count": 0},
        {"mask": picture("m"), "action": "edit", "references": (picture("a"),)},
        {"styles": (picture("s"),)},
        {"button": "U1"},
        {"references": (picture("a"),)},
        {"action": "edit"},
        {"action": "edit", "references": (picture("a"),) * 9},
        {"action": "vary"},
        {"action": "vary", "references": (picture("a"),) * 2},
        {"action": "describe", "references": (picture("a"),)},
    ],
)
def test_what_the_route_has_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        flux.build_submit(brief(**facts))


def test_a_look_is_at_the_gateway_by_id_and_the_id_cannot_leave_its_place() -> None:
    assert flux.build_poll(ID) == Call("GET", f"/flux/v1/get_result?id={ID}", deadline=60)
    assert flux.build_poll("a/b:c&d#e").path == "/flux/v1/get_result?id=a%2Fb%3Ac%26d%23e"


# ── The answer to a submit ──


def test_of_the_answer_the_id_counts_and_what_it_takes() -> None:
    assert flux.parse_submit(recorded("submit", "flux")) == Pending(ID, request_id=REQUEST_ID)
    taken = flux.parse_submit(recorded("submit_with_cost", "flux"))
    assert taken.task_id == "task_flux:9/AbC_1"
    assert taken.usage == {"cost": 4.5, "input_mp": 1.0, "output_mp": 2.0}


@pytest.mark.parametrize("id", ["", "a b", "a?b", "ü", "x" * 201, 7, None, ["a"], "a\n"])
def test_an_id_that_no_task_can_have_is_an_answer_that_cannot_be_read(id: Any) -> None:
    with pytest.raises((BadReply, ValueError, TypeError)):
        flux.parse_submit(in_json(200, {"id": id, "polling_url": "https://api.bfl.ai/"}))


@pytest.mark.parametrize("body", [{}, [], "text", 7, {"task_id": "t"}])
def test_an_answer_without_an_id_cannot_be_read(body: Any) -> None:
    with pytest.raises((BadReply, KeyError, TypeError)):
        flux.parse_submit(in_json(200, body))


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("unprocessable", RequestRefused, "prompt"),
        ("unprocessable_side", RequestRefused, "did not accept the size"),
        ("unprocessable_text", RequestRefused, "refused"),
        ("no_credits", RequestRefused, "out of money"),
        ("too_many", ProviderBusy, "busy"),
        ("model_unknown", RequestRefused, "does not offer"),
    ],
)
def test_an_error_says_what_it_means_and_none_of_its_own_words(
    name: str, kind: type[ProviderError], words: str
) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        flux.parse_submit(recorded(name, "flux"))
    assert type(caught.value) is kind
    assert caught.value.request_id == REQUEST_ID or name == "too_many"
    assert "fox" not in str(caught.value)
    assert "multiple of 16" not in str(caught.value)


def test_a_page_in_place_of_an_answer_leaves_open_what_was_made() -> None:
    with pytest.raises(ProviderSilent):
        flux.parse_submit(page(200))


# ── A look ──


def test_a_task_under_way_tells_how_far_it_is_if_it_knows() -> None:
    assert looked("pending") == Pending(ID, request_id=REQUEST_ID)
    assert looked("pending_half") == Pending(ID, progress=47, request_id=REQUEST_ID)


@pytest.mark.parametrize("progress", ["47%", 47, -0.1, True, [], {}, "0.5"])
def test_progress_that_is_none_is_left_out(progress: Any) -> None:
    reply = in_json(200, {"id": ID, "status": "Pending", "result": None, "progress": progress})
    assert flux.parse_poll(reply) == Pending(ID)


def test_a_finished_task_gives_its_link_byte_for_byte_its_seed_and_its_time() -> None:
    assert looked("ready") == Finished(
        images=(
            LinkedImage(
                "https://delivery.eu2.bfl.ai/results/2f/sample.jpeg?se=2026&sig=a%2Fb%2fc+d",
                "A red fox in deep snow",
            ),
        ),
        used={"seed": 4041919005},
        usage={"duration": 7.2},
        request_id=REQUEST_ID,
    )


def test_what_it_says_it_cost_is_kept() -> None:
    taken = {"cost": 4.5, "input_mp": 0.5, "output_mp": 2.1, "duration": 7}
    assert looked("ready_with_cost").usage == taken


@pytest.mark.parametrize("name", ["ready_sparse", "ready_bare"])
def test_what_is_missing_or_nought_is_not_known_and_costs_no_image(name: str) -> None:
    finished = looked(name)
    assert len(finished.images) == 1
    assert finished.images[0].revised_prompt == ""
    assert (finished.used, finished.usage) == ({}, {})


def test_a_finished_task_without_an_image_is_refused_and_not_stored() -> None:
    with pytest.raises(RequestRefused) as caught:
        looked("ready_without")
    assert caught.value.code == "empty"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("request_moderated", "request_moderated", "refused this prompt"),
        ("content_moderated", "content_moderated", "withheld the image"),
        ("error_of_safety", "content_moderated", "safety rules"),
    ],
)
def test_a_refusal_by_safety_rules_is_said_as_such(name: str, code: str, words: str) -> None:
    with pytest.raises(ContentRefused, match=words) as caught:
        looked(name)
    assert (caught.value.code, caught.value.request_id) == (code, REQUEST_ID)


@pytest.mark.parametrize(
    "name",
    [
        "error_text",
        "error_object",
        "error_beside",
        "error_bare",
        "error_of_a_number",
        "error_with_a_prompt",
    ],
)
def test_a_failure_is_one_whatever_the_form_of_its_reason(name: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        looked(name)
    assert type(caught.value) is RequestRefused
    assert caught.value.code == "task_failed"
    assert "fox" not in str(caught.value)


@pytest.mark.parametrize("name", ["not_found", "not_found_404", "not_found_detail"])
def test_a_task_that_is_not_known_is_told_from_an_address_that_is_wrong(name: str) -> None:
    with pytest.raises(TaskUnknown):
        looked(name)
    with pytest.raises(RequestRefused, match="no such address"):
        looked("nowhere")


def test_a_status_that_no_document_names_is_waited_for_with_its_word() -> None:
    assert looked("odd") == Pending(
        ID, note="Reticulating splines", progress=20, request_id=REQUEST_ID
    )
    long = flux.parse_poll(in_json(200, {"id": ID, "status": "x" * 5000}))
    assert len(long.note) == 100  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["pending", "ready", "READY", "request moderated", "Failed"])
def test_words_are_compared_exactly(word: str) -> None:
    assert flux.parse_poll(in_json(200, {"id": ID, "status": word})) == Pending(ID, note=word)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ID},
        {"id": ID, "status": ""},
        {"id": ID, "status": None},
        {"id": ID, "status": 3},
        {"id": ID, "status": "Ready"},
        {"id": ID, "status": "Ready", "result": None},
        {"id": ID, "status": "Ready", "result": []},
        {"id": ID, "status": "Ready", "result": {"sample": 7}},
        {"id": ID, "status": "Ready", "result": {"sample": ["https://x.y/"]}},
        [],
        "Ready",
    ],
)
def test_a_look_of_another_form_cannot_be_read(body: Any) -> None:
    with pytest.raises((BadReply, KeyError, TypeError, ValueError, AttributeError)):
        flux.parse_poll(in_json(200, body))


@pytest.mark.parametrize("status", [500, 502, 503, 524])
def test_a_look_that_met_trouble_is_no_end_of_the_task(status: int) -> None:
    for reply in (page(status), in_json(status, {"detail": "bad gateway", "status": "Error"})):
        with pytest.raises((ProviderSilent, ProviderBusy)):
            flux.parse_poll(reply)


def test_what_no_database_can_store_is_dropped() -> None:
    result = {"sample": "https://x.y/", "prompt": "a\0 fox" + "z" * 40_000, "duration": 1e999}
    body = json.dumps({"id": ID, "status": "Ready", "result": result})
    finished = flux.parse_poll(in_json(200, json.loads(body)))
    assert isinstance(finished, Finished)
    assert finished.images[0].revised_prompt.startswith("a foxz")
    assert len(finished.images[0].revised_prompt) == 32_000
    assert finished.usage == {}
