"""The sandbox's Midjourney: statuses on the way, refusals in its own forms, trouble on request."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log, Sandbox
from tests.sandbox.conftest import Clock
from tests.sandbox.midjourney_client import HEADERS, Midjourney, uri

RED = uri(Image.new("RGB", (60, 40), "red"))


@pytest.fixture
def mj(client: httpx.Client) -> Midjourney:
    return Midjourney(client)


@pytest.fixture
def slow(clock: Clock, log: Log) -> Iterator[Midjourney]:
    """One whose tasks take 100 seconds."""
    sandbox = Sandbox(log=log, delay=100, clock=clock, sleep=lambda seconds: None)
    mounts = {
        "http://gateway": httpx.WSGITransport(app=sandbox),
        "http://images.sandbox": httpx.WSGITransport(app=sandbox.images),
    }
    with httpx.Client(base_url="http://gateway", mounts=mounts) as client:
        yield Midjourney(client)


def test_a_task_walks_through_its_statuses(slow: Midjourney, clock: Clock) -> None:
    id = slow.begin("imagine", prompt="a fox")
    seen = []
    for _ in range(0, 101, 5):
        task = slow.look(id)
        seen.append((task["status"], task["progress"]))
        clock.now += 5
    assert list(dict.fromkeys(seen)) == [
        ("", ""),
        ("SUBMITTED", "0%"),
        ("IN_PROGRESS", "31%"),
        ("IN_PROGRESS", "62%"),
        ("IN_PROGRESS", "93%"),
        ("SUCCESS", "100%"),
    ]


def test_what_is_not_there_yet_is_empty_or_nought_and_a_preview_is_no_picture(
    slow: Midjourney, clock: Clock
) -> None:
    id = slow.begin("imagine", prompt="a fox")
    task = slow.look(id)
    assert (task["imageUrl"], task["finishTime"], task["properties"]) == ("", 0, None)
    assert task["buttons"] == []
    clock.now += 70
    preview = slow.client.get(slow.look(id)["imageUrl"])
    clock.now += 30
    assert len(preview.content) < len(slow.client.get(slow.look(id)["imageUrl"]).content)


def test_a_button_of_a_task_that_is_not_done_is_refused(slow: Midjourney, clock: Clock) -> None:
    id = slow.begin("imagine", prompt="a fox")
    reply = slow.post("action", {"taskId": id, "customId": "MJ::JOB::upsample::1::x"})
    assert (reply.status_code, reply.json()) == (400, flat("task_status_not_success"))


def flat(description: str, code: int = 4) -> dict[str, Any]:
    """An error in Midjourney's form."""
    return {"description": description, "type": "comet_api_error", "code": code}


@pytest.mark.parametrize(
    ("verb", "body", "description"),
    [
        ("imagine", {}, "prompt_is_required"),
        ("imagine", {"prompt": " "}, "prompt_is_required"),
        ("imagine", {"prompt": 7}, "prompt must be a string"),
        ("imagine", {"prompt": "x" * 6001}, "prompt is too long"),
        ("imagine", {"prompt": "x", "botType": "DALLE"}, "botType is invalid"),
        ("imagine", {"prompt": "x", "accountFilter": {"modes": ["WARP"]}}, None),
        ("imagine", {"prompt": "x", "accountFilter": []}, None),
        ("imagine", {"prompt": "x", "base64Array": "data:"}, None),
        ("imagine", {"prompt": "x", "base64Array": [RED] * 6}, None),
        ("imagine", {"prompt": "x", "base64Array": [RED.partition(",")[2]]}, None),
        ("imagine", {"prompt": "x", "base64Array": ["data:image/png;base64,AAAA"]}, None),
        ("imagine", {"prompt": "x", "model": "midjourney"}, None),
        ("action", {}, "task_id_is_required"),
        ("action", {"taskId": "1"}, "custom_id_is_required"),
        ("action", {"taskId": "1", "customId": "x"}, "task_not_found"),
        ("modal", {"prompt": "x"}, "task_id_is_required"),
        ("modal", {"taskId": "1", "prompt": "x"}, "task_not_found"),
        ("blend", {"base64Array": [RED]}, "base64Array must hold 2 to 5 images"),
        ("blend", {"base64Array": [RED] * 6}, "base64Array must hold 2 to 5 images"),
        ("blend", {"base64Array": [RED, RED], "dimensions": "WIDE"}, "dimensions is invalid"),
        ("blend", {"base64Array": [RED, RED], "prompt": "x"}, None),
        ("describe", {}, "either base64 or link is required"),
        ("describe", {"base64": RED, "link": "https://x"}, "either base64 or link is required"),
        ("describe", {"link": "file:///etc/passwd"}, "link is invalid"),
        ("edits", {"prompt": "x"}, "image is required"),
        ("edits", {"image": RED}, "prompt_is_required"),
        ("edits", {"prompt": "x", "image": RED, "maskBase64": "AAAA"}, None),
    ],
)
def test_a_wrong_body_is_refused_in_the_flat_form_and_costs_nothing(
    mj: Midjourney, log: Log, verb: str, body: dict[str, Any], description: str | None
) -> None:
    reply = mj.post(verb, body)
    assert (reply.status_code, reply.json()["code"]) == (400, 4)
    if description:
        assert reply.json() == flat(description)
    assert log.paid_calls == 0


def test_a_body_that_is_none_is_refused(mj: Midjourney) -> None:
    reply = mj.client.post("/mj/submit/imagine", content=b"no json", headers=HEADERS)
    assert (reply.status_code, reply.json()) == (400, flat("bind_request_body_failed"))


def test_a_wrong_key_is_refused_in_the_gateways_own_form(client: httpx.Client) -> None:
    """Both forms of errors occur on these addresses (F6)."""
    headers = {"Authorization": "Bearer nonsense"}
    for reply in (
        client.post("/mj/submit/imagine", json={"prompt": "x"}, headers=headers),
        client.get("/mj/task/1/fetch", headers=headers),
        client.post("/mj/task/list-by-condition", json={"ids": []}, headers=headers),
    ):
        assert reply.status_code == 401
        assert reply.json()["error"]["type"] == "comet_api_error"


def test_a_task_that_nobody_knows_is_not_found(mj: Midjourney) -> None:
    reply = mj.client.get("/mj/task/1773314942177684/fetch", headers=HEADERS)
    assert (reply.status_code, reply.json()) == (400, flat("task_no_found"))


def test_a_button_that_was_not_offered_is_refused(mj: Midjourney, log: Log) -> None:
    """Its id cannot be made up: only the one that was read is good (F4)."""
    grid, other = (mj.begin("imagine", prompt="a fox") for _ in range(2))
    paid = log.paid_calls
    for custom_id in (mj.button(other, "U1"), mj.button(grid, "U1")[:-1], "MJ::JOB::upsample::1"):
        reply = mj.post("action", {"taskId": grid, "customId": custom_id})
        assert (reply.status_code, reply.json()) == (400, flat("index_parse_failed"))
    assert log.paid_calls == paid


def test_the_bookmark_is_an_action_that_the_gateway_does_not_know(mj: Midjourney) -> None:
    single = mj.press(mj.begin("imagine", prompt="a fox"), "U1")
    reply = mj.post("action", {"taskId": single, "customId": mj.button(single, "❤️")})
    assert reply.json()["description"].startswith("unknown_action:")


@pytest.mark.parametrize(
    "flags",
    ["--foo 3", "--s 1001", "--ar 3x2", "--ar 0:1", "--v 99", "--seed -1", "--tile yes",
     "--c 5 --chaos 6", "--q 3", "--no", "--sref cats", "--iw 3.1", "--zoom 2.5"],
)  # fmt: skip
def test_a_wrong_flag_fails_the_task_after_it_was_taken_and_is_not_paid(
    mj: Midjourney, log: Log, flags: str
) -> None:
    task = mj.look(mj.begin("imagine", prompt=f"a fox {flags}"))
    assert task["status"] == "FAILURE"
    assert task["failReason"].startswith("[Invalid parameter]")
    assert (task["imageUrl"], task["buttons"], log.paid_calls) == ("", [], 0)


@pytest.mark.parametrize(
    "flags",
    ["--ar 16:9 --v 6.1 --s 0 --c 100 --weird 3000 --q .5 --seed 4294967295 --style raw --tile",
     "--niji 6", "--no cats, red hats --iw 2.5 --sref https://x.example/a.png?b=--c 123",
     "—ar 3:2"],
)  # fmt: skip
def test_the_flags_of_the_document_are_taken(mj: Midjourney, flags: str) -> None:
    assert mj.look(mj.begin("imagine", prompt=f"a fox {flags}"))["status"] == "SUCCESS"


def test_a_lenient_sandbox_mends_in_silence() -> None:
    sandbox = Sandbox(strict=False, sleep=lambda seconds: None)
    mounts = {"http://gateway": httpx.WSGITransport(app=sandbox)}
    with httpx.Client(base_url="http://gateway", mounts=mounts) as client:
        mj = Midjourney(client)
        id = mj.begin("imagine", prompt="a fox --foo 3 --s 9000", model="midjourney")
        assert mj.look(id)["status"] == "SUCCESS"


def test_a_dialog_wants_the_answer_to_its_own_question(mj: Midjourney, log: Log) -> None:
    single = mj.press(mj.begin("imagine", prompt="a fox"), "U1")
    region, zoom = (mj.press(single, label) for label in ("Vary (Region)", "Custom Zoom"))
    paid = log.paid_calls
    for body, description in (
        ({"taskId": region, "prompt": "x"}, "maskBase64 is required"),
        ({"taskId": zoom}, "prompt_is_required"),
        ({"taskId": zoom, "prompt": "x", "maskBase64": RED}, "maskBase64 is not expected"),
        ({"taskId": single, "prompt": "x"}, "task_status_not_modal"),
    ):
        reply = mj.post("modal", body)
        assert (reply.status_code, reply.json()) == (400, flat(description))
    assert log.paid_calls == paid


# ── Trouble ──


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("busy", 429, 30),
        ("full", 200, 23),
        ("refuse", 200, 24),
        ("money", 400, 4),
        ("error", 200, 9),
        ("broken", 500, 4),
    ],
)
def test_trouble_at_a_submit_has_midjourneys_own_form(
    mj: Midjourney, log: Log, word: str, status: int, code: int
) -> None:
    reply = mj.post("imagine", {"prompt": f"a fox [{word}]"})
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert isinstance(reply.json()["description"], str)
    assert log.paid_calls == 0


def test_a_banned_word_is_named(mj: Midjourney) -> None:
    said = mj.post("imagine", {"prompt": "a fox [refuse]"}).json()
    assert said["properties"]["bannedWord"] in said["properties"]["promptEn"]


def test_busy_with_a_number_works_after_so_many_times(mj: Midjourney, log: Log) -> None:
    replies = [mj.post("imagine", {"prompt": "a fox [busy 2]"}) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [429, 429, 200]
    assert replies[0].headers["Retry-After"] == "1"
    assert log.paid_calls == 1


def test_a_queued_task_says_how_many_are_ahead_and_is_done_in_the_end(
    mj: Midjourney, log: Log
) -> None:
    said = mj.post("imagine", {"prompt": "a fox [queue]"}).json()
    assert (said["code"], said["properties"]["numberOfQueues"]) == (22, 3)
    assert mj.look(said["result"])["status"] == "SUCCESS"
    assert log.paid_calls == 1


@pytest.mark.parametrize(
    ("word", "status", "paid"),
    [
        ("fail", "FAILURE", 0),
        ("withheld", "FAILURE", 0),
        ("empty", "SUCCESS", 0),
        ("stuck", "", 1),
        ("odd", "UNDER_REVIEW", 1),
    ],
)
def test_trouble_of_a_task(
    slow: Midjourney, clock: Clock, log: Log, word: str, status: str, paid: int
) -> None:
    id = slow.begin("imagine", prompt=f"a fox [{word}]")
    clock.now += 100_000 if word not in {"stuck"} else 0
    task = slow.look(id)
    assert task["status"] == status
    assert bool(task["failReason"]) is (status == "FAILURE")
    assert task["imageUrl"] == ""
    assert log.paid_calls == paid


def test_a_stuck_task_is_never_done(slow: Midjourney, clock: Clock) -> None:
    id = slow.begin("imagine", prompt="a fox [stuck]")
    clock.now += 1_000_000
    assert slow.look(id)["status"] == "IN_PROGRESS"


def test_a_task_may_be_gone_or_late(mj: Midjourney) -> None:
    gone = mj.begin("imagine", prompt="a fox [gone]")
    late = mj.begin("imagine", prompt="a fox [lag]")
    for id in (gone, late):
        reply = mj.client.get(f"/mj/task/{id}/fetch", headers=HEADERS)
        assert reply.json() == flat("task_no_found")
    assert mj.look(late)["status"] == "SUCCESS"


@pytest.mark.parametrize("word", ["html", "524", "silent"])
def test_an_answer_may_be_a_page(mj: Midjourney, log: Log, word: str) -> None:
    reply = mj.post("imagine", {"prompt": f"a fox [{word}]"})
    assert reply.headers["content-type"].startswith("text/html")
    assert log.paid_calls == (0 if word == "html" else 1)


@pytest.mark.parametrize("word", ["garbage", "expired", "private"])
def test_trouble_of_a_picture_does_not_reach_its_children(mj: Midjourney, word: str) -> None:
    grid = mj.begin("imagine", prompt=f"a fox [{word}]")
    link = mj.look(grid)["imageUrl"]
    assert "169.254" in link or not mj.client.get(link).content.startswith(b"\x89PNG")
    single = mj.press(grid, "U2")
    mj.picture(single)
    mj.picture(mj.press(grid, "🔄"))
    zoom = mj.press(single, "Custom Zoom")
    mj.begin("modal", taskId=zoom, prompt="a fox --zoom 2")
    mj.picture(zoom)


def test_trouble_in_the_answer_to_a_dialog_strikes(mj: Midjourney) -> None:
    single = mj.press(mj.begin("imagine", prompt="a fox"), "U1")
    zoom = mj.press(single, "Custom Zoom")
    refused = mj.post("modal", {"taskId": zoom, "prompt": "a fox [refuse] --zoom 2"})
    assert refused.json()["code"] == 24
    assert mj.look(zoom)["status"] == "MODAL"
    mj.begin("modal", taskId=zoom, prompt="a fox [fail] --zoom 2")
    assert mj.look(zoom)["status"] == "FAILURE"


def test_a_failed_task_has_no_children(mj: Midjourney) -> None:
    id = mj.begin("imagine", prompt="a fox [fail]")
    reply = mj.post("action", {"taskId": id, "customId": "x"})
    assert reply.json() == flat("task_status_not_success")


def test_addresses_that_are_none_of_its_own_are_a_page(client: httpx.Client) -> None:
    for path in ("/mj/submit/shorten", "/mj-warp/mj/submit/imagine", "/mj/submit"):
        reply = client.post(path, json={"prompt": "x"}, headers=HEADERS)
        assert reply.headers["content-type"].startswith("text/html")
