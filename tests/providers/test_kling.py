"""Kling's images: tasks, its own numbers, and both readings of I2 held together."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
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
from generator.providers import kling
from generator.providers.base import (
    Brief,
    Finished,
    LinkedImage,
    Outcome,
    Parent,
    Pending,
    Reference,
    Reply,
)
from generator.providers.gateway import Gateway
from generator.sandbox import Log, Sandbox
from generator.sandbox import kling as second_reading
from generator.sandbox.wire import Refused
from tests.providers.recorded import REQUEST_ID, in_json, page, recorded

FAMILY = FAMILIES["kling-image"]
TASK = "7312345678901234567"
OWN_ID = "CjMT7WdSwWcAAAAAALvB3g"


def reference(width: int = 400, height: int = 300) -> Reference:
    """A real image to send along."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 40)).save(file, "PNG")
    return Reference(file.getvalue(), "image/png", "red.png")


PICTURE = reference()


def brief(action: str = "create", **facts: Any) -> Brief:
    """A brief for Kling 1.0, unless told otherwise."""
    facts = {"prompt": "a fox", "wire_model": "kling-v1", "fields": {}, **facts}
    return Brief(action, **facts)


def said(action: str = "create", **facts: Any) -> dict[str, Any]:
    """The JSON that a brief becomes."""
    return dict(kling.build_submit(brief(action, **facts)).json or {})


def task(status: Any, **data: Any) -> Reply:
    """An answer about a task."""
    facts = {"task_id": TASK, "task_status": status, "task_result": None, **data}
    return in_json(200, {"code": 0, "message": "SUCCEED", "data": facts})


# ── What is said ──


def test_the_call_names_the_model_and_how_many() -> None:
    call = kling.build_submit(brief(count=3, fields={"aspect_ratio": "2:3", "negative_prompt": ""}))
    assert (call.method, call.path) == ("POST", "/kling/v1/images/generations")
    assert call.json == {
        "model_name": "kling-v1",
        "prompt": "a fox",
        "n": 3,
        "aspect_ratio": "2:3",
        "negative_prompt": "",
    }


def test_an_image_goes_along_in_base64_without_a_prefix() -> None:
    body = said("edit", references=(PICTURE,), fields={"image_fidelity": 0.0})
    assert base64.b64decode(body["image"], validate=True) == PICTURE.data
    assert body["image_fidelity"] == 0.0


def test_an_edit_of_an_earlier_image_is_said_by_the_image_alone() -> None:
    first = said("edit", references=(PICTURE,))
    assert said("edit", references=(PICTURE,), parent=Parent("t1", 2)) == first


@pytest.mark.parametrize(
    "facts",
    [
        {"fields": {"seed": 7}},
        {"fields": {"n": 2}},
        {"fields": {"image": "x"}},
        {"fields": {"callback_url": "https://x.y/"}},
        {"action": "edit"},
        {"references": (PICTURE,)},
        {"action": "vary", "references": (PICTURE,)},
        {"action": "edit", "references": (PICTURE, PICTURE)},
        {"action": "edit", "references": (PICTURE,), "mask": PICTURE},
        {"action": "edit", "references": (PICTURE,), "fields": {"negative_prompt": "blur"}},
        {"styles": (PICTURE,)},
        {"parent": Parent("t1")},
        {"button": "U1"},
    ],
)
def test_what_the_route_has_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        said(**facts)


def test_a_look_goes_to_the_gateway_whatever_the_id() -> None:
    assert kling.build_poll(TASK).path == f"/kling/v1/images/generations/{TASK}"
    assert kling.build_poll("a/../b:c").path == "/kling/v1/images/generations/a%2F..%2Fb%3Ac"


# ── What is read ──


@pytest.mark.parametrize("name", ["submitted", "processing", "lean"])
def test_a_task_in_progress_is_pending(name: str) -> None:
    for parse in (kling.parse_submit, kling.parse_poll):
        outcome = parse(recorded(name, "kling"))
        assert isinstance(outcome, Pending)
        assert (outcome.task_id, outcome.note) == (TASK, "")


def test_kling_names_the_request_in_the_body_and_the_gateway_in_a_header() -> None:
    reply = recorded("submitted", "kling")
    assert kling.parse_submit(reply).request_id == OWN_ID
    named = replace(reply, headers={"x-oneapi-request-id": REQUEST_ID})
    assert kling.parse_submit(named).request_id == REQUEST_ID


def test_a_word_that_nobody_knows_is_pending_in_a_look_and_unreadable_in_a_submit() -> None:
    outcome = kling.parse_poll(recorded("odd", "kling"))
    assert outcome == Pending(TASK, note="throttling", request_id=OWN_ID)
    assert kling.parse_poll(task("x" * 5000)).note == "x" * 100
    assert kling.parse_poll(task("succeeded")).note == "succeeded"
    with pytest.raises(BadReply):
        kling.parse_submit(recorded("odd", "kling"))


@pytest.mark.parametrize("name", ["succeed", "out_of_order"])
def test_images_come_in_the_order_of_their_index_and_without_the_mark(name: str) -> None:
    outcome = kling.parse_poll(recorded(name, "kling"))
    assert isinstance(outcome, Finished)
    assert outcome.images == tuple(
        LinkedImage(
            "https://p2-kling.klingai.com/bs2/upload-kling-api/"
            f"{index}.png?x-kcdn-pid=112452&sign=a%2fb+c"
        )
        for index in (0, 1)
    )
    assert outcome.usage == ({"final_unit_deduction": "0.5"} if name == "out_of_order" else {})
    assert (outcome.failed_members, outcome.problem) == (0, "")


def test_an_image_that_is_missing_does_not_cost_the_others() -> None:
    outcome = kling.parse_poll(recorded("one_missing", "kling"))
    assert isinstance(outcome, Finished)
    assert (len(outcome.images), outcome.failed_members) == (1, 1)
    assert outcome.problem == "1 image did not come."
    spoilt = [{"index": "x", "url": "https://a/b"}, None, {"url": 7}, {"index": 2}]
    outcome = kling.parse_poll(task("succeed", task_result={"images": spoilt}))
    assert isinstance(outcome, Finished)
    assert outcome.images == (LinkedImage("https://a/b"),)
    assert (outcome.failed_members, outcome.problem) == (3, "3 images did not come.")


def test_done_without_an_image_was_filtered() -> None:
    with pytest.raises(ContentRefused) as caught:
        kling.parse_poll(recorded("nothing", "kling"))
    assert caught.value.code == "empty"


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("failed", RequestRefused, "task_failed"),
        ("failed_risk", ContentRefused, "content_moderated"),
        ("failed_null", RequestRefused, "task_failed"),
    ],
)
def test_a_task_that_failed_is_refused_and_says_none_of_klings_words(
    name: str, kind: type[ProviderError], code: str
) -> None:
    for parse in (kling.parse_submit, kling.parse_poll):
        with pytest.raises(ProviderError) as caught:
            parse(recorded(name, "kling"))
        assert type(caught.value) is kind
        assert (caught.value.code, caught.value.request_id) == (code, OWN_ID)
        assert "processed" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "kind", "code", "words"),
    [
        ("key", RequestRefused, "1002", "key"),
        ("abnormal", RequestRefused, "1100", "administrator"),
        ("arrears", RequestRefused, "1101", "out of money"),
        ("used_up", RequestRefused, "1102", "out of money"),
        ("used_up_in_200", RequestRefused, "1102", "out of money"),
        ("forbidden", RequestRefused, "1103", "does not let"),
        ("invalid", RequestRefused, "1201", "as it stands"),
        ("model_unknown", RequestRefused, "1203", "Try another one"),
        ("policy", ContentRefused, "1300", "safety rules"),
        ("risk", ContentRefused, "1301", "safety rules"),
        ("risk_in_200", ContentRefused, "1301", "safety rules"),
        ("risk_escaped", ContentRefused, "1301", "safety rules"),
        ("too_fast", ProviderBusy, "1302", "busy"),
        ("too_many_in_200", ProviderBusy, "1303", "busy"),
        ("whitelist", RequestRefused, "1304", "does not let"),
        ("internal", ProviderSilent, "5000", "does not ask again"),
        ("maintenance", ProviderSilent, "5001", "does not ask again"),
        ("timeout_in_200", ProviderSilent, "5002", "does not ask again"),
        ("unheard_of", RequestRefused, "4711", "as it stands"),
        ("gateway_money", RequestRefused, "insufficient_user_quota", "out of money"),
    ],
)
def test_klings_own_numbers_count_before_the_status(
    name: str, kind: type[ProviderError], code: str, words: str
) -> None:
    """Out of money and asked too often are both 429 there; and any of them may come with 200."""
    with pytest.raises(ProviderError) as caught:
        kling.parse_submit(recorded(name, "kling"))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["task_unknown", "task_unknown_in_200", "gateway_task_unknown"])
def test_a_task_that_kling_does_not_know_is_unknown_in_a_look(name: str) -> None:
    with pytest.raises(TaskUnknown):
        kling.parse_poll(recorded(name, "kling"))


def test_a_page_is_no_word_about_a_task() -> None:
    with pytest.raises(RequestRefused):
        kling.parse_poll(page(404))
    with pytest.raises(ProviderSilent):
        kling.parse_poll(page(200))


@pytest.mark.parametrize("code", ["invalid", "internal", "used_up", "risk"])
def test_errors_in_a_look_are_those_of_a_submit(code: str) -> None:
    kinds = []
    for parse in (kling.parse_submit, kling.parse_poll):
        with pytest.raises(ProviderError) as caught:
            parse(recorded(code, "kling"))
        kinds.append(type(caught.value))
    assert kinds[0] is kinds[1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": 0},
        {"code": 0, "data": None},
        {"code": 0, "data": {"task_status": "submitted"}},
        {"code": 0, "data": {"task_id": TASK}},
        {"code": 0, "data": {"task_id": TASK, "task_status": None}},
        {"code": 0, "data": {"task_id": "", "task_status": "submitted"}},
        {"code": 0, "data": {"task_id": "a b", "task_status": "submitted"}},
        {"code": 0, "data": {"task_id": "x" * 201, "task_status": "submitted"}},
        {"code": 0, "data": {"task_id": ["x"], "task_status": "submitted"}},
        {"code": 0, "data": {"task_id": TASK, "task_status": "succeed"}},
        {"code": 0, "data": {"task_status": "succeed", "task_result": {"images": [{}]}}},
        {"data": {"task_id": TASK, "task_status": "submitted"}},
        [1],
        "text",
        7,
    ],
)
def test_an_answer_of_another_form_is_not_taken_for_a_task(body: Any) -> None:
    """Whatever it raises, `Gateway` makes of it an answer that cannot be read."""
    for parse in (kling.parse_submit, kling.parse_poll):
        with pytest.raises((BadReply, KeyError, TypeError, ValueError, AttributeError)):
            parse(in_json(200, body))


# ── families.toml held to the sandbox's strict reading ──


def accepts(body: dict[str, Any]) -> bool:
    """Whether the strict sandbox carries out this JSON."""
    try:
        second_reading.check(body)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("model", FAMILY.models, ids=lambda model: model.wire_model)
def test_every_choice_and_every_bound_of_the_family_is_taken(model: Any) -> None:
    for action, rule in FAMILY.actions.items():
        if not rule.is_for(model.wire_model):
            continue
        facts = {"wire_model": model.wire_model, "references": (PICTURE,) * (action == "edit")}
        for name, field in FAMILY.fields_for(model.wire_model, action).items():
            if field.kind == "count":
                assert (field.least, field.most) == (1, 9)
                assert accepts(said(action, count=9, **facts))
                assert not accepts({**said(action, **facts), "n": 10})
                continue
            values = [*field.choices, *(["x" * int(field.most or 0)] * (field.kind == "text"))]
            if field.kind == "number":
                values = [field.least, field.most]
            for value in values:
                assert accepts(said(action, fields={name: value}, **facts)), (name, value)


def test_what_lies_beyond_is_refused() -> None:
    longest = FAMILY.prompt_limit
    assert accepts(said(prompt="x" * longest))
    for facts in (
        {"prompt": "x" * (longest + 1)},
        {"fields": {"negative_prompt": "x" * 201}},
        {"fields": {"aspect_ratio": "21:9"}},
        {"fields": {"image_fidelity": 1.01}},
    ):
        assert not accepts(said(**facts)), facts


def test_images_that_the_rule_lets_through_are_taken_and_smaller_ones_are_not() -> None:
    rule = FAMILY.rule("edit").references
    assert rule is not None
    assert (rule.least, rule.most) == (1, 1)
    assert set(rule.formats) == {"png", "jpeg"}
    for size in ((300, 300), (750, 300), (299, 300)):
        fits = rule.fault(*size) == ""
        assert accepts(said("edit", references=(reference(*size),))) is fits, size
    # On the provider's own page alone, so the sandbox does not know it.
    assert rule.fault(751, 300) != ""


# ── Through the sandbox ──


class Clock:
    """A clock that moves when it is told to."""

    now = 1_800_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def sandbox(log: Log, clock: Clock) -> Sandbox:
    return Sandbox(log=log, delay=10, clock=lambda: clock.now, sleep=lambda seconds: None)


@pytest.fixture
def gateway(sandbox: Sandbox) -> Iterator[Gateway]:
    transport = httpx.WSGITransport(app=sandbox)
    gateway = Gateway("http://sandbox/v1", key="sk-test1234", transport=transport)
    yield gateway
    gateway.close()


def ended(gateway: Gateway, clock: Clock, said: Brief) -> Outcome:
    """What became of a task after its time."""
    begun = gateway.submit(kling, said, deadline=30)
    assert isinstance(begun, Pending)
    clock.now += 11
    return gateway.poll(kling, begun.task_id)


def test_a_task_is_looked_at_until_its_images_are_there(
    gateway: Gateway, clock: Clock, log: Log
) -> None:
    begun = gateway.submit(kling, brief(count=2), deadline=30)
    assert isinstance(begun, Pending)
    for _ in range(3):
        assert isinstance(gateway.poll(kling, begun.task_id), Pending)
        clock.now += 3
    clock.now += 3
    finished = gateway.poll(kling, begun.task_id)
    assert isinstance(finished, Finished)
    assert len(set(finished.images)) == 2
    assert (log.paid_calls, int(log.used * 1000)) == (1, 2 * (FAMILY.models[0].credits or 0))


def test_an_edit_shows_the_image_that_was_sent(
    gateway: Gateway, clock: Clock, sandbox: Sandbox
) -> None:
    said = brief("edit", references=(PICTURE,), fields={"aspect_ratio": "3:4"})
    outcome = ended(gateway, clock, said)
    assert isinstance(outcome, Finished)
    (image,) = outcome.images
    assert isinstance(image, LinkedImage)
    with httpx.Client(transport=httpx.WSGITransport(app=sandbox.images)) as stranger:
        made = Image.open(io.BytesIO(stranger.get(image.url).content)).convert("RGB")
    assert made.size == (864, 1152)
    red, green, _ = made.resize((1, 1)).getpixel((0, 0))
    assert red > green + 40


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("busy", ProviderBusy),
        ("refuse", ContentRefused),
        ("withheld", ContentRefused),
        ("fail", RequestRefused),
        ("broken", ProviderSilent),
        ("money", RequestRefused),
        ("error", RequestRefused),
        ("html", ProviderSilent),
        ("empty", ContentRefused),
        ("silent", ProviderSilent),
        ("524", ProviderSilent),
        ("gone", TaskUnknown),
        ("lag", TaskUnknown),
    ],
)
def test_trouble_of_the_sandbox_comes_to_its_kind(
    gateway: Gateway, clock: Clock, word: str, kind: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as caught:
        ended(gateway, clock, brief(prompt=f"a teapot [{word}]"))
    assert type(caught.value) is kind
    assert "teapot" not in str(caught.value)


@pytest.mark.parametrize(("word", "note"), [("stuck", ""), ("odd", "throttling")])
def test_a_task_that_is_never_over_stays_pending(
    gateway: Gateway, clock: Clock, word: str, note: str
) -> None:
    outcome = ended(gateway, clock, brief(prompt=f"a teapot [{word}]"))
    assert isinstance(outcome, Pending)
    assert outcome.note == note
