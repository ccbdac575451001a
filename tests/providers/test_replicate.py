"""The Replicate format: what is said, and what is read out of either shape of a look (I1)."""

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
from generator.providers import replicate
from generator.providers.base import Brief, Call, Finished, LinkedImage, Parent, Pending, Reference
from tests.providers.recorded import REQUEST_ID, in_json, page, recorded

ID = "gm3qorzdhgbfurvjtvhg6dckhu"
BFL = "black-forest-labs"
SDXL = "stability-ai/sdxl"
PER_FAMILY = pytest.mark.parametrize(
    "family",
    [
        family
        for family in FAMILIES.values()
        if {rule.protocol for rule in family.actions.values()} == {"replicate"}
    ],
    ids=lambda family: family.name,
)


def picture(name: str, link: str = "") -> Reference:
    """A reference whose bytes tell which one it is."""
    return Reference(name.encode() * 5, "image/png", f"{name}.png", link)


def brief(**facts: Any) -> Brief:
    """A brief for FLUX schnell, unless told otherwise."""
    facts = {
        "action": "create",
        "prompt": "a fox",
        "wire_model": f"{BFL}/flux-schnell",
        "fields": {},
        **facts,
    }
    return Brief(**facts)


def said(**facts: Any) -> dict[str, Any]:
    """The input that a brief becomes."""
    body = dict(replicate.build_submit(brief(**facts)).json or {})
    assert body.keys() == {"input"}
    return dict(body["input"])


def looked(name: str) -> Any:
    """What a recorded look says."""
    return replicate.parse_poll(recorded(name, "replicate"))


# ── What is said ──


def test_the_model_keeps_its_slash_in_the_address_and_all_else_is_input() -> None:
    call = replicate.build_submit(brief(wire_model=f"{BFL}/flux-1.1-pro"))
    path = "/replicate/v1/models/black-forest-labs/flux-1.1-pro/predictions"
    assert (call.method, call.path, call.json) == ("POST", path, {"input": {"prompt": "a fox"}})


@pytest.mark.parametrize(
    "wire_model",
    ["", "flux", "a/b/c", "../flux", "a/..", "./b", "a/b?x", "a/b#x", "/b", "a/", "a/b\n", "a b/c"],
)
def test_a_model_that_would_be_another_address_is_refused(wire_model: str) -> None:
    with pytest.raises(RequestRefused):
        replicate.build_submit(brief(wire_model=wire_model))


@PER_FAMILY
def test_every_field_of_a_family_can_be_said(family: Family) -> None:
    for action in family.actions:
        references = (picture("a"),) * (action != "create")
        for model in family.models:
            names = [
                name
                for name, field in family.fields_for(model.wire_model, action).items()
                if field.kind not in {"count", "size"}
            ]
            fields = dict.fromkeys(names, 7)
            facts = {"action": action, "references": references, "wire_model": model.wire_model}
            assert said(**facts, fields=fields).items() >= fields.items()


def test_what_has_another_name_or_word_here_is_said_in_it() -> None:
    fields = {"output_format": "jpeg", "aspect_ratio": "custom", "size": "1344x768"}
    assert said(fields=fields, count=3) == {
        "prompt": "a fox",
        "output_format": "jpg",
        "aspect_ratio": "custom",
        "width": 1344,
        "height": 768,
        "num_outputs": 3,
    }


def test_a_shape_left_open_is_that_of_the_reference_or_the_models_own() -> None:
    fields = {"aspect_ratio": "auto", "size": "auto", "seed": None}
    assert said(fields=fields) == {"prompt": "a fox"}
    model = f"{BFL}/flux-kontext-pro"
    body = said(action="edit", references=(picture("a"),), fields=fields, wire_model=model)
    assert body["aspect_ratio"] == "match_input_image"


@pytest.mark.parametrize(
    ("model", "action", "names"),
    [
        ("flux-2-pro", "edit", {"input_images": ["a", "b", "c"]}),
        ("flux-2-dev", "edit", {"input_images": ["a"]}),
        ("flux-kontext-max", "edit", {"input_image": "a"}),
        (
            "flux-kontext-pro",
            "edit",
            {"input_image": "a", "input_image_2": "b", "input_image_3": "c"},
        ),
        ("flux-dev", "edit", {"image": "a"}),
        ("flux-1.1-pro", "vary", {"image_prompt": "a"}),
    ],
)
def test_images_have_the_names_of_the_model_and_their_order(
    model: str, action: str, names: dict[str, Any]
) -> None:
    letters = [letter for said in names.values() for letter in said]
    references = tuple(picture(letter) for letter in letters)
    facts = {"references": references, "parent": Parent("t1"), "wire_model": f"{BFL}/{model}"}
    body = said(action=action, **facts)
    del body["prompt"]
    assert body == {
        name: [picture(one).data_uri for one in said] if isinstance(said, list)
        else picture(said).data_uri
        for name, said in names.items()
    }  # fmt: skip


def test_an_image_goes_as_a_link_where_there_is_one() -> None:
    references = (picture("a", "https://studio/a.png"), picture("b"))
    body = said(action="edit", references=references, wire_model=f"{BFL}/flux-2-max")
    assert body["input_images"] == ["https://studio/a.png", picture("b").data_uri]


def test_a_mask_goes_along_as_it_is() -> None:
    body = said(
        action="edit", references=(picture("a"),), mask=picture("m"), wire_model=SDXL,
    )  # fmt: skip
    assert body == {
        "prompt": "a fox",
        "image": picture("a").data_uri,
        "mask": picture("m").data_uri,
    }


@pytest.mark.parametrize(
    "facts",
    [
        {"fields": {"prompt": "another"}},
        {"fields": {"webhook": "https://evil.example/"}},
        {"fields": {"disable_safety_checker": True}},
        {"fields": {"num_outputs": 4}},
        {"fields": {"size": "large"}},
        {"button": "U1"},
        {"styles": (picture("s"),)},
        {"mask": picture("m")},
        {"references": (picture("a"),)},
        {"action": "edit"},
        {"action": "edit", "references": (picture("a"),) * 2},
        {"action": "vary", "references": (picture("a"),) * 2},
        {"action": "vary", "references": (picture("a"),), "mask": picture("m")},
        {
            "action": "edit",
            "references": (picture("a"),),
            "mask": picture("m"),
            "wire_model": f"{BFL}/flux-2-pro",
        },
        {"action": "describe", "references": (picture("a"),)},
    ],
)
def test_what_the_format_has_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        replicate.build_submit(brief(**facts))


def test_a_look_is_at_the_gateway_by_id_and_has_time_to_hang() -> None:
    assert replicate.build_poll(ID) == Call("GET", f"/replicate/v1/predictions/{ID}", deadline=90)
    assert replicate.build_poll("../x?y").path == "/replicate/v1/predictions/..%2Fx%3Fy"


# ── The answer to a submit ──


@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_status_of_success_is_one(status: int) -> None:
    body = json.loads(recorded("submit", "replicate").body)
    assert replicate.parse_submit(in_json(status, body)) == Pending(ID)


def test_the_gateways_own_name_of_a_task_comes_first() -> None:
    outcome = replicate.parse_submit(recorded("submit_wrapped", "replicate"))
    assert outcome == Pending("task_77", progress=0, request_id=REQUEST_ID)


def test_what_is_done_at_once_is_taken_at_once() -> None:
    outcome = replicate.parse_submit(recorded("submit_at_once", "replicate"))
    assert isinstance(outcome, Finished)
    assert len(outcome.images) == 2


def test_an_unknown_status_of_what_was_paid_for_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="status"):
        replicate.parse_submit(recorded("submit_odd", "replicate"))


@pytest.mark.parametrize("id", ["", "a b", "x" * 201, 7, None, "a\n"])
def test_an_id_that_no_task_can_have_is_an_answer_that_cannot_be_read(id: Any) -> None:
    with pytest.raises(ValueError, match="id"):
        replicate.parse_submit(in_json(201, {"id": id, "status": "starting"}))


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("unauthenticated", RequestRefused, "key"),
        ("unprocessable", RequestRefused, "did not accept the seed"),
        ("no_credit", RequestRefused, "out of money"),
        ("throttled", ProviderBusy, "busy"),
        ("not_found", RequestRefused, "no such address"),
    ],
)
def test_a_problem_says_what_it_means_and_none_of_its_own_words(
    name: str, kind: type[ProviderError], words: str
) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        replicate.parse_submit(recorded(name, "replicate"))
    assert type(caught.value) is kind
    assert "fox" not in str(caught.value)


def test_a_page_in_place_of_an_answer_leaves_open_what_was_made() -> None:
    with pytest.raises(ProviderSilent):
        replicate.parse_submit(page(200))


# ── A look ──


@pytest.mark.parametrize(
    ("name", "task_id", "progress"),
    [
        ("starting", ID, None),
        ("processing", ID, None),
        ("processing_with_output", ID, None),
        ("wrapped_submitted", "task_77", 0),
        ("wrapped_queued", "task_77", 10),
        ("wrapped_in_progress", "task_77", 45),
    ],
)
def test_a_task_under_way_is_pending_in_either_shape(
    name: str, task_id: str, progress: int | None
) -> None:
    assert looked(name) == Pending(task_id, progress=progress, request_id=REQUEST_ID)


def test_a_list_of_links_is_taken_whole_and_byte_for_byte() -> None:
    assert looked("succeeded_list") == Finished(
        images=(
            LinkedImage("https://replicate.delivery/xezq/a%2Fb.jpg?x=1"),
            LinkedImage("https://replicate.delivery/xezq/b.jpg"),
        ),
        used={"aspect_ratio": "16:9", "output_format": "jpeg", "seed": 40219},
        usage={"image_count": 2, "predict_time": 0.61},
        request_id=REQUEST_ID,
    )


def test_one_link_is_taken_and_what_was_used_is_told_by_our_names() -> None:
    finished = looked("succeeded_string")
    assert finished.images == (LinkedImage("https://replicate.delivery/yhqm/out.png"),)
    assert finished.used == {"aspect_ratio": "auto", "seed": 5, "size": "1024x768"}


@pytest.mark.parametrize("name", ["succeeded_in_part", "succeeded_one_of_two"])
def test_an_image_that_was_asked_for_and_did_not_come_is_counted(name: str) -> None:
    finished = looked(name)
    assert (len(finished.images), finished.failed_members) == (1, 1)
    assert finished.problem.startswith("Not every image")


@pytest.mark.parametrize("name", ["wrapped_success", "wrapped_success_bare"])
def test_a_task_of_the_gateway_gives_what_lies_within(name: str) -> None:
    finished = looked(name)
    assert finished.images == (LinkedImage("https://replicate.delivery/a.png"),)
    assert finished.failed_members == 0


def test_the_facts_of_a_task_of_the_gateway_are_read_from_within() -> None:
    finished = looked("wrapped_success")
    assert (finished.used, finished.usage) == ({"scheduler": "K_EULER"}, {"predict_time": 2.5})


@pytest.mark.parametrize(
    ("name", "code"), [("succeeded_empty", "empty"), ("succeeded_removed", "removed")]
)
def test_success_without_an_image_says_why(name: str, code: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        looked(name)
    assert (type(caught.value), caught.value.code) == (RequestRefused, code)


@pytest.mark.parametrize(
    "name",
    ["failed", "failed_without_a_word", "wrapped_failure", "canceled", "cancelled", "aborted"],
)
def test_a_failure_is_one_in_every_word_for_it(name: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        looked(name)
    assert type(caught.value) is RequestRefused
    assert caught.value.code in {"task_failed", "task_cancelled"}
    assert "fox" not in str(caught.value)


@pytest.mark.parametrize("name", ["failed_nsfw", "failed_e005", "wrapped_failure_nsfw"])
def test_a_refusal_by_safety_rules_is_said_as_such(name: str) -> None:
    with pytest.raises(ContentRefused, match="safety rules") as caught:
        looked(name)
    assert caught.value.request_id == REQUEST_ID


@pytest.mark.parametrize("name", ["not_found", "not_found_bare", "wrapped_unknown"])
def test_a_task_that_is_not_known_is_told_from_one_that_failed(name: str) -> None:
    with pytest.raises(TaskUnknown):
        looked(name)


def test_a_status_that_no_document_names_is_waited_for_with_its_word() -> None:
    assert looked("odd") == Pending(ID, note="contemplating", request_id=REQUEST_ID)
    assert looked("wrapped_odd").note == "PONDERING"
    long = replicate.parse_poll(in_json(200, {"id": ID, "status": "x" * 5000}))
    assert len(long.note) == 100  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        {"id": ID},
        {"id": ID, "status": ""},
        {"id": ID, "status": 200},
        {"code": "success", "data": None},
        {"code": "success", "data": []},
        {"code": "success", "data": {"status": None}},
    ],
)
def test_a_look_of_another_form_cannot_be_read(body: Any) -> None:
    with pytest.raises((BadReply, KeyError, TypeError, ValueError, AttributeError)):
        replicate.parse_poll(in_json(200, body))


@pytest.mark.parametrize("output", [7, {"url": "https://x.y/"}, [["https://x.y/"]], "", [""], [{}]])
def test_an_output_that_is_no_link_is_no_image(output: Any) -> None:
    with pytest.raises(RequestRefused):
        replicate.parse_poll(in_json(200, {"id": ID, "status": "succeeded", "output": output}))


@pytest.mark.parametrize(
    "more",
    [
        {"input": None},
        {"input": "a fox"},
        {"input": {"num_outputs": "many", "seed": None, "scheduler": ["x"]}},
        {"input": {"width": "wide", "height": 7}},
        {"metrics": 7},
        {"metrics": {"x": "y" * 100_000}},
        {"logs": ["x"]},
        {"logs": "Using seed: " + "9" * 40},
    ],
)
def test_what_stands_beside_an_image_never_costs_it(more: dict[str, Any]) -> None:
    body = {"id": ID, "status": "succeeded", "output": "https://x.y/", **more}
    finished = replicate.parse_poll(in_json(200, body))
    assert isinstance(finished, Finished)
    assert finished.images == (LinkedImage("https://x.y/"),)
    assert finished.usage == {}
    assert finished.failed_members == 0


@pytest.mark.parametrize("status", [500, 502, 503, 524])
def test_a_look_that_met_trouble_is_no_end_of_the_task(status: int) -> None:
    for reply in (page(status), in_json(status, {"id": ID, "status": "failed"})):
        with pytest.raises((ProviderSilent, ProviderBusy)):
            replicate.parse_poll(reply)


def test_an_error_of_the_gateway_with_status_200_is_raised() -> None:
    reply = in_json(200, {"error": {"message": "x", "code": "model_not_found"}})
    with pytest.raises(RequestRefused, match="does not offer"):
        replicate.parse_poll(reply)
