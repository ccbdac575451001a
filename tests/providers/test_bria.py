"""Bria: what is said for each action, and what is read out of each answer."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from generator.errors import (
    BadReply,
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
    TaskUnknown,
)
from generator.families import FAMILIES
from generator.providers import bria
from generator.providers.base import (
    Finished,
    InlineImage,
    LinkedImage,
    Parent,
    Pending,
    Reply,
)
from tests.providers.bria_briefs import MASK, PICTURE, brief
from tests.providers.recorded import REQUEST_ID, in_json, page
from tests.providers.recorded import recorded as recorded_anywhere

FAMILY, VECTOR = FAMILIES["bria"], FAMILIES["bria-vector"]
TASK = "5f3c2d1e9b8a4c7d8e6f0a1b2c3d4e5f"
SEEN = "https://bria-temp.s3.amazonaws.com/"


def recorded(name: str) -> Reply:
    return recorded_anywhere(name, "bria")


def said(action: str = "create", **facts: Any) -> dict[str, Any]:
    """The JSON that a brief becomes."""
    return dict(bria.build_submit(brief(action, **facts)).json or {})


# ── What is said ──


@pytest.mark.parametrize(
    ("action", "wire_model", "path"),
    [
        ("create", "bria", "/bria/text-to-image"),
        ("create", "bria-vector", "/bria/text-to-vector"),
        ("erase", "bria", "/bria/image/edit/erase"),
        ("fill", "bria", "/bria/image/edit/gen_fill"),
        ("expand", "bria", "/bria/image/edit/expand"),
        ("enhance", "bria", "/bria/image/edit/enhance"),
        ("upscale", "bria", "/bria/image/edit/increase_resolution"),
        ("replace_background", "bria", "/bria/image/edit/replace_background"),
    ],
)
def test_every_action_has_a_route_of_its_own(action: str, wire_model: str, path: str) -> None:
    call = bria.build_submit(brief(action, wire_model=wire_model))
    assert (call.method, call.path, call.files) == ("POST", path, ())


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("wire_model", ["bria", "bria-vector"])
def test_how_many_is_always_said_for_four_is_the_providers_default(
    count: int, wire_model: str
) -> None:
    assert said(wire_model=wire_model, count=count)["num_results"] == count


def test_final_links_are_asked_for_where_that_can_be_said() -> None:
    assert said()["sync"] is True
    assert "sync" not in said(wire_model="bria-vector")
    for action in bria.EDITS:
        assert "sync" not in said(action)


def test_fields_go_by_their_names_on_the_wire_and_what_is_none_is_not_said() -> None:
    fields = {"steps": 40, "guidance": 5.5, "seed": 0, "medium": None, "ip_signal": False}
    assert said(fields=fields, wire_model="bria-vector") == {
        "prompt": "a fox",
        "num_results": 1,
        "steps_num": 40,
        "text_guidance_scale": 5.5,
        "seed": 0,
        "ip_signal": False,
    }


def test_how_much_larger_is_a_number_on_the_wire() -> None:
    assert said("upscale", fields={"desired_increase": "4"})["desired_increase"] == 4


def test_image_and_mask_go_along_as_they_are_in_base64() -> None:
    body = said("fill")
    assert base64.b64decode(body["image"]) == PICTURE.data
    assert base64.b64decode(body["mask"]) == MASK.data


def test_expanding_says_a_shape_and_a_mask_that_changes_nothing() -> None:
    body = said("expand", fields={"aspect_ratio": "16:9"})
    mask = Image.open(io.BytesIO(base64.b64decode(body["mask"])))
    assert body["aspect_ratio"] == "16:9"
    assert (mask.mode, mask.size, mask.getextrema()) == ("L", (40, 30), (0, 0))
    assert said("expand")["aspect_ratio"] == FAMILY.fields["aspect_ratio"].default


def test_a_mask_painted_for_expanding_is_sent_and_no_shape_is_made_up() -> None:
    body = said("expand", mask=MASK)
    assert base64.b64decode(body["mask"]) == MASK.data
    assert "aspect_ratio" not in body


def test_where_nothing_need_be_written_no_prompt_is_said() -> None:
    assert "prompt" not in said("erase")
    assert said("expand", prompt="snow")["prompt"] == "snow"


@pytest.mark.parametrize(
    ("action", "facts"),
    [
        ("edit", {}),
        ("blend", {}),
        ("create", {"references": (PICTURE,)}),
        ("create", {"mask": MASK}),
        ("create", {"parent": Parent("t1")}),
        ("create", {"styles": (PICTURE,)}),
        ("create", {"fields": {"size": "1024x1024"}}),
        ("create", {"fields": {"num_results": 4}}),
        ("create", {"fields": {"prompt": "another"}}),
        ("fill", {"button": "U1"}),
        ("fill", {"references": ()}),
        ("fill", {"references": (PICTURE, PICTURE)}),
        ("fill", {"mask": None}),
        ("erase", {"mask": None}),
        ("fill", {"count": 2}),
        ("enhance", {"mask": MASK}),
        ("upscale", {"mask": MASK}),
        ("replace_background", {"mask": MASK}),
        ("enhance", {"fields": {"image": "x"}}),
    ],
)
def test_what_the_routes_have_no_words_for_is_refused_before_it_is_paid(
    action: str, facts: dict[str, Any]
) -> None:
    with pytest.raises(RequestRefused):
        bria.build_submit(brief(action, **facts))


# ── Images and drawings ──


def test_an_image_with_its_seed_and_its_link_byte_for_byte() -> None:
    finished = bria.parse_submit(recorded("images"))
    link = f"{SEEN}a8c1_278741175.png?X-Amz-Signature=1%2F2"
    assert finished == Finished(
        images=(LinkedImage(link, comes_later=True),),
        used={"seed": 278741175},
        request_id=REQUEST_ID,
    )


def test_all_images_come_in_their_order() -> None:
    finished = bria.parse_submit(recorded("four_images"))
    assert isinstance(finished, Finished)
    assert [image.url for image in finished.images if isinstance(image, LinkedImage)] == [
        f"{SEEN}{n}.png" for n in range(4)
    ]


def test_a_link_that_is_given_early_is_waited_for() -> None:
    finished = bria.parse_submit(recorded("vectors"))
    assert isinstance(finished, Finished)
    assert finished.images == (
        LinkedImage("https://labs-assets.bria.ai/a8c1_1.svg", comes_later=True),
        LinkedImage("https://labs-assets.bria.ai/a8c1_2.svg", comes_later=True),
    )


def test_a_blocked_image_costs_none_of_the_others_and_its_words_are_not_ours() -> None:
    finished = bria.parse_submit(recorded("one_blocked"))
    assert isinstance(finished, Finished)
    assert (len(finished.images), finished.failed_members) == (1, 1)
    assert "1 of them" in finished.problem
    assert "fox" not in finished.problem
    assert finished.used == {"seed": 102}


def test_where_all_are_blocked_it_is_a_refusal() -> None:
    with pytest.raises(ContentRefused) as caught:
        bria.parse_submit(recorded("all_blocked"))
    assert caught.value.code == "blocked"


def test_members_that_cannot_be_read_are_counted_and_cost_none_of_the_others() -> None:
    finished = bria.parse_submit(recorded("odd_members"))
    assert isinstance(finished, Finished)
    assert finished.images == (LinkedImage(f"{SEEN}c.png", comes_later=True),)
    assert (finished.failed_members, finished.problem, dict(finished.used)) == (7, "", {})


def test_an_image_inside_the_answer_is_taken_too() -> None:
    link = "data:image/png;base64," + PICTURE.base64
    finished = bria.parse_submit(in_json(200, {"result": [{"urls": [link]}]}))
    assert isinstance(finished, Finished)
    assert finished.images == (InlineImage(PICTURE.data),)


def test_a_warning_is_passed_on() -> None:
    finished = bria.parse_submit(recorded("warned"))
    assert isinstance(finished, Finished)
    assert finished.texts == ("This prompt may contain intellectual property",)


def test_an_answer_without_images_is_no_success() -> None:
    with pytest.raises(RequestRefused) as caught:
        bria.parse_submit(recorded("nothing"))
    assert caught.value.code == "empty"


@pytest.mark.parametrize("member", [None, 7, {}, {"urls": 7}, {"urls": [7]}])
def test_an_answer_in_which_nothing_can_be_read_is_a_bad_one(member: Any) -> None:
    with pytest.raises(BadReply):
        bria.parse_submit(in_json(200, {"result": [member]}))


# ── Edits ──


@pytest.mark.parametrize("name", ["submitted", "submitted_warned"])
def test_of_a_task_only_its_id_counts(name: str) -> None:
    outcome = bria.parse_submit(recorded(name))
    assert isinstance(outcome, Pending)
    assert outcome.task_id == TASK
    call = bria.build_poll(TASK)
    assert (call.method, call.path, call.json) == ("GET", f"/bria/{TASK}", None)


EDITED = LinkedImage(
    "https://temp.bria.ai/1f4d.png?sig=a%2Fb", "A red fox in fresh snow, soft morning light."
)


@pytest.mark.parametrize("name", ["at_once", "completed_at_once"])
def test_an_edit_may_be_done_at_once(name: str) -> None:
    finished = bria.parse_submit(recorded(name))
    assert isinstance(finished, Finished)
    assert (finished.images, finished.used) == ((EDITED,), {"seed": 746992730})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"request_id": ""},
        {"request_id": None},
        {"request_id": 7},
        {"request_id": "a b"},
        {"request_id": "x" * 201},
        {"request_id": "5f3c", "status": "DREAMING"},
        {"request_id": "5f3c", "status": "UNKNOWN"},
        {"request_id": "5f3c", "result": "soon"},
        [],
        "text",
    ],
)
def test_an_answer_that_is_neither_images_nor_a_task_cannot_be_read(body: Any) -> None:
    """Whatever it raises, the gateway makes of it an answer that cannot be read."""
    with pytest.raises((BadReply, KeyError, TypeError, ValueError, AttributeError)):
        bria.parse_submit(in_json(200, body))


def test_an_edit_that_failed_at_once_has_failed() -> None:
    with pytest.raises(RequestRefused):
        bria.parse_submit(recorded("failed_at_once"))


def test_work_goes_on_and_the_id_of_the_answer_is_nobodys() -> None:
    assert bria.parse_poll(recorded("in_progress")) == Pending("")


def test_a_status_that_no_document_names_is_work_going_on() -> None:
    assert bria.parse_poll(recorded("odd")) == Pending("", note="RENDERING")
    long = bria.parse_poll(in_json(200, {"status": "X" * 500}))
    assert isinstance(long, Pending)
    assert len(long.note) == 100


@pytest.mark.parametrize("name", ["completed", "completed_without_status"])
def test_an_edit_that_is_done_has_its_image_its_seed_and_the_prompt_as_refined(name: str) -> None:
    finished = bria.parse_poll(recorded(name))
    assert isinstance(finished, Finished)
    assert (finished.images, finished.used) == ((EDITED,), {"seed": 746992730})
    # Behind this link there is an image: not found means gone.
    assert not EDITED.comes_later


def test_an_image_alone_is_enough() -> None:
    finished = bria.parse_poll(recorded("completed_lean"))
    assert finished == Finished((LinkedImage("https://temp.bria.ai/2.png"),))


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("completed_empty", RequestRefused, "empty"),
        ("completed_null", RequestRefused, "empty"),
        ("completed_blocked", ContentRefused, "blocked"),
        ("error", RequestRefused, "task_failed"),
        ("failed", RequestRefused, "task_failed"),
        ("error_silent", RequestRefused, "task_failed"),
        ("error_moderated", ContentRefused, "content_moderated"),
        ("unknown", TaskUnknown, "unknown"),
        ("gone", TaskUnknown, "task_not_found"),
    ],
)
def test_a_task_that_comes_to_nothing_says_why_in_our_words(
    name: str, kind: type[ProviderError], code: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        bria.parse_poll(recorded(name))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert "fox" not in str(caught.value)


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": ""}, {"status": 7}, [], "x"])
def test_a_look_without_a_status_cannot_be_read(body: Any) -> None:
    with pytest.raises((BadReply, KeyError, TypeError, ValueError, AttributeError)):
        bria.parse_poll(in_json(200, body))


# ── Errors ──


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("moderated_422", ContentRefused),
        ("moderated_400", ContentRefused),
        ("moderated_in_200", ContentRefused),
        ("moderated_in_words", ContentRefused),
        ("bad_field", RequestRefused),
        ("bad_request", RequestRefused),
        ("mask_missing", RequestRefused),
        ("too_large", RequestRefused),
        ("wrong_kind", RequestRefused),
        ("key", RequestRefused),
        ("forbidden", RequestRefused),
        ("no_money", RequestRefused),
        ("gateway", RequestRefused),
        ("error_in_200", RequestRefused),
        ("too_many", ProviderBusy),
        ("broken", ProviderSilent),
    ],
)
def test_every_form_of_an_error_comes_to_its_kind(name: str, kind: type[ProviderError]) -> None:
    for parse in (bria.parse_submit, bria.parse_poll):
        with pytest.raises(ProviderError) as caught:
            parse(recorded(name))
        assert type(caught.value) is kind
        assert "fox" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"), [("wrong_kind", "JPEG, PNG and WebP"), ("too_large", "too large")]
)
def test_an_image_that_it_does_not_take_is_named_as_the_reason(name: str, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        bria.parse_submit(recorded(name))


def test_a_page_is_no_task_that_is_unknown() -> None:
    for status, kind in ((404, RequestRefused), (200, ProviderSilent)):
        with pytest.raises(kind):
            bria.parse_poll(page(status))
