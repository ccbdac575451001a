"""Midjourney: what is read out of every code, status and error form (F2 to F6, M2)."""

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
from generator.providers import midjourney
from generator.providers.base import (
    Button,
    Dialog,
    Finished,
    LinkedImage,
    Outcome,
    Pending,
    Reply,
)
from tests.providers.recorded import REQUEST_ID, in_json, page
from tests.providers.recorded import recorded as recorded_of

ID = "1773314942177684"
LINK = "https://api.cometapi.com/mj/image/1773314942177684"
MARK = "5b1e0a52-0d1c-4f0e-9a33-2f1f7f0f8a11"


def recorded(name: str) -> Reply:
    """The recorded reply of this name."""
    return recorded_of(name, "midjourney")


def submitted(name: str) -> Pending:
    """What a recorded answer to a submit says."""
    return midjourney.parse_submit(recorded(name))


def looked(name: str) -> Outcome:
    """What a recorded look at a task says."""
    return midjourney.parse_poll(recorded(name))


def task(**facts: Any) -> Reply:
    """A look at a finished task."""
    facts = {"id": ID, "status": "SUCCESS", "imageUrl": LINK, "buttons": [], **facts}
    return in_json(200, facts)


# ── Submits ──


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("taken", ""),
        ("taken_number", ""),
        ("dialog", ""),
        ("exists", ""),
        ("queued", "in queue, 67 ahead"),
        ("queued_as_taken", "in queue, 67 ahead"),
        ("queued_somewhere", "in queue"),
    ],
)
def test_codes_1_21_and_22_are_a_task_to_look_for(name: str, note: str) -> None:
    """21 may mean a dialog or a task that was there before: the look tells (F2)."""
    assert submitted(name) == Pending(ID, note=note, request_id=REQUEST_ID)


@pytest.mark.parametrize("name", ["full", "saturated", "saturated_in_200", "busy_in_envelope"])
def test_full_and_saturated_are_asked_again(name: str) -> None:
    with pytest.raises(ProviderBusy) as caught:
        submitted(name)
    assert caught.value.request_id == REQUEST_ID
    assert caught.value.retry_after == (7 if name == "saturated" else None)
    assert caught.value.is_limit is (name != "busy_in_envelope")


def test_a_banned_word_is_named_where_it_is_a_plain_word() -> None:
    with pytest.raises(ContentRefused, match=r"What it named: gore\.$"):
        submitted("banned")


def test_a_banned_word_that_is_more_than_a_word_is_not_repeated() -> None:
    with pytest.raises(ContentRefused) as caught:
        submitted("banned_sentence")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_account", "no account free"),
        ("parent_gone", "no longer knows"),
        ("parameter", "images that went along"),
        ("parameter_unnamed", "refused this request"),
        ("button_gone", "button is over"),
        ("unknown_failure", "Nothing was made"),
        ("internal_failure", "Nothing was made"),
        ("task_not_found", "no longer knows"),
        ("task_not_found_in_envelope", "no longer knows"),
        ("task_not_done", "not finished"),
        ("unknown_action", "cannot press"),
        ("index", "cannot press"),
        ("prompt_required", "needs a prompt"),
        ("no_money", "out of money"),
        ("unreadable_body", "could not read this request"),
        ("word_nobody_knows", "refused this request"),
        ("key", "studio's key"),
    ],
)
def test_what_will_never_work_is_said_in_our_words(name: str, words: str) -> None:
    with pytest.raises(RequestRefused, match=words) as caught:
        submitted(name)
    assert not isinstance(caught.value, ContentRefused)
    assert caught.value.request_id == REQUEST_ID
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        recorded("upstream_page"),  # code 4 with 500: the upstream sent a page (M2)
        recorded("not_sent"),
        recorded("fails_at_500"),
        page(200),
        page(524),
        in_json(500, {"code": 1, "description": "", "result": ID}),
    ],
    ids=["upstream_page", "not_sent", "fails_at_500", "page", "524", "taken_at_500"],
)
def test_where_nobody_knows_whether_it_was_taken_it_is_not_asked_again(reply: Reply) -> None:
    with pytest.raises(ProviderSilent):
        midjourney.parse_submit(reply)


@pytest.mark.parametrize(
    "reply",
    [
        recorded("code_nobody_knows"),
        recorded("no_id"),
        recorded("odd_id"),
        in_json(200, {"code": 1, "result": None}),
        in_json(200, {"code": 1, "result": True}),
        in_json(200, {"code": 1, "result": ["x"]}),
        in_json(200, {"code": 1, "result": "x" * 201}),
        in_json(200, {"code": True, "result": ID}),
        in_json(200, {"code": None, "result": ID}),
        in_json(200, {"result": ID}),
        in_json(200, {}),
        in_json(200, []),
        in_json(200, "text"),
        Reply(200, {}, b""),
    ],
)
def test_an_answer_of_another_form_is_not_taken_for_a_task(reply: Reply) -> None:
    with pytest.raises((BadReply, KeyError, TypeError, ValueError)):
        midjourney.parse_submit(reply)


def test_a_code_may_be_written_as_text() -> None:
    assert midjourney.parse_submit(in_json(200, {"code": "1", "result": 7})) == Pending("7")


# ── Looks ──


@pytest.mark.parametrize(
    ("name", "progress"),
    [("new", None), ("not_started", 0), ("submitted", 0), ("in_progress", 31)],
)
def test_a_task_on_its_way_says_how_far_it_is(name: str, progress: int | None) -> None:
    """A preview is no picture: it is not taken."""
    assert looked(name) == Pending(ID, progress=progress, request_id=REQUEST_ID)


def test_a_task_of_which_nothing_is_known_yet_is_on_its_way() -> None:
    assert looked("nulls") == Pending("0", request_id=REQUEST_ID)


def test_a_status_that_no_document_names_is_waited_out() -> None:
    assert looked("status_nobody_knows") == Pending(
        ID, note="UNDER_REVIEW", progress=50, request_id=REQUEST_ID
    )
    outcome = midjourney.parse_poll(task(status="x" * 500))
    assert isinstance(outcome, Pending)
    assert outcome.note == "x" * 100


@pytest.mark.parametrize(
    ("said", "progress"),
    [
        ("", None),
        ("31%", 31),
        ("31.7 %", 31),
        (31, 31),
        ("100%", 100),
        ("900%", 100),
        ("soon", None),
    ],
)
def test_progress_comes_in_many_forms(said: Any, progress: int | None) -> None:
    outcome = midjourney.parse_poll(task(status="IN_PROGRESS", progress=said))
    assert isinstance(outcome, Pending)
    assert outcome.progress == progress


def test_a_task_that_asks_back_is_a_dialog() -> None:
    assert looked("in_dialog") == Dialog(ID, request_id=REQUEST_ID)


@pytest.mark.parametrize("name", ["grid", "nested"])
def test_a_grid_is_one_file_with_nine_buttons(name: str) -> None:
    finished = looked(name)
    assert isinstance(finished, Finished)
    assert finished.images == (LinkedImage(LINK),)
    assert finished.request_id == REQUEST_ID
    assert finished.buttons == (
        *(Button(f"MJ::JOB::upsample::{n}::{MARK}", f"U{n}", "upscale") for n in range(1, 5)),
        Button(f"MJ::JOB::reroll::0::{MARK}::SOLO", "Make all four again", "reroll"),
        *(Button(f"MJ::JOB::variation::{n}::{MARK}", f"V{n}", "vary") for n in range(1, 5)),
    )


def test_the_final_prompt_is_kept_and_its_flags_are_what_was_used() -> None:
    finished = looked("grid")
    assert isinstance(finished, Finished)
    assert finished.used == {
        "aspect_ratio": "3:2",
        "chaos": 5,
        "raw": True,
        "seed": 42,
        "version": "7.0",
        "negative_prompt": "cats, dogs",
        "prompt": "a fox in snow --ar 3:2 --c 5 --style raw --seed 42 --v 7.0 --no cats, dogs",
    }


def test_a_single_picture_has_its_own_buttons_and_the_bookmark_is_left_out() -> None:
    finished = looked("single")
    assert isinstance(finished, Finished)
    assert [(button.label, button.action, button.asks) for button in finished.buttons] == [
        ("Upscale (Subtle)", "upscale", ""),
        ("Upscale (Creative)", "upscale", ""),
        ("Vary (Subtle)", "vary", ""),
        ("Vary (Strong)", "vary", ""),
        ("Vary (Region)", "fill", "mask"),
        ("Zoom out 2×", "zoom", ""),
        ("Zoom out 1.5×", "zoom", ""),
        ("Custom zoom", "zoom", "prompt"),
        ("Pan left", "pan", ""),
        ("Pan right", "pan", ""),
        ("Pan up", "pan", ""),
        ("Pan down", "pan", ""),
    ]


@pytest.mark.parametrize(
    ("emoji", "label", "expected"),
    [
        ("🔄", "", ("Make all four again", "reroll", "")),
        ("⬅️", "", ("Pan left", "pan", "")),
        ("⬅", "", ("Pan left", "pan", "")),
        ("", "U3", ("U3", "upscale", "")),
        ("", "V1", ("V1", "vary", "")),
        ("🖌️", "Vary (Region)", ("Vary (Region)", "fill", "mask")),
        ("🔍", "Custom Zoom", ("Custom zoom", "zoom", "prompt")),
    ],
)
def test_a_button_with_an_id_of_another_form_is_known_by_what_stands_on_it(
    emoji: str, label: str, expected: tuple[str, str, str]
) -> None:
    entry = {"customId": "MJ::NEW::7", "emoji": emoji, "label": label, "type": 2, "style": 1}
    finished = midjourney.parse_poll(task(buttons=[entry]))
    assert isinstance(finished, Finished)
    assert finished.buttons == (Button("MJ::NEW::7", *expected),)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "U1",
        {},
        {"customId": "", "label": "U1"},
        {"customId": None, "label": "U1"},
        {"customId": 7, "label": "U1"},
        {"customId": "x" * 201, "label": "U1"},
        {"customId": "a\nb", "label": "U1"},
        {"customId": "MJ::BOOKMARK::1", "emoji": "❤️"},
        {"customId": "MJ::Job::PicReader::1", "emoji": "1️⃣"},
        {"customId": "MJ::NEW::1", "label": "U5"},
    ],
)
def test_a_button_that_nobody_knows_costs_no_image(entry: Any) -> None:
    finished = midjourney.parse_poll(task(buttons=[entry]))
    assert isinstance(finished, Finished)
    assert (finished.buttons, finished.images) == ((), (LinkedImage(LINK),))


@pytest.mark.parametrize("said", [None, "", 0, {}, "U1"])
def test_no_buttons_come_in_many_forms(said: Any) -> None:
    finished = midjourney.parse_poll(task(buttons=said, properties=said, promptEn=said))
    assert isinstance(finished, Finished)
    assert finished.buttons == ()


FOUR = (
    "a red fox asleep --ar 3:2",
    "fox, gouache",
    "a fox in 1.5 m of snow",
    "winter fur",
)


@pytest.mark.parametrize("name", ["described", "described_elsewhere"])
def test_describe_gives_four_prompts_and_no_image(name: str) -> None:
    finished = looked(name)
    assert finished == Finished(images=(), texts=FOUR, request_id=REQUEST_ID)


def test_a_description_without_a_named_action_is_known_by_its_numbers() -> None:
    text = "1️⃣ one\n\n2️⃣ two\n3️⃣ three\n\n4️⃣ four"
    finished = midjourney.parse_poll(task(action="", imageUrl="", promptEn=text))
    assert isinstance(finished, Finished)
    assert finished.texts == ("one", "two", "three", "four")


def test_success_without_an_image_was_withheld() -> None:
    with pytest.raises(ContentRefused) as caught:
        looked("no_image")
    assert caught.value.code == "empty"


@pytest.mark.parametrize("name", ["failed_banned", "failed_moderated"])
def test_a_moderated_task_is_a_refusal_of_content(name: str) -> None:
    with pytest.raises(ContentRefused) as caught:
        looked(name)
    assert "secret" not in str(caught.value)
    assert caught.value.request_id == REQUEST_ID


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("failed_parameter", "settings or flags"),
        ("failed_timeout", "took too long"),
        ("failed_queue", "queue was full"),
        ("failed_otherwise", "says that the task failed"),
        ("failed_without_words", "says that the task failed"),
        ("cancelled", "was cancelled"),
    ],
)
def test_a_failed_task_says_why_in_our_words(name: str, words: str) -> None:
    with pytest.raises(RequestRefused, match=words) as caught:
        looked(name)
    assert not isinstance(caught.value, ContentRefused)


@pytest.mark.parametrize("name", ["unknown_task", "unknown_task_in_200", "unknown_in_envelope"])
def test_a_task_that_is_not_there_is_unknown(name: str) -> None:
    with pytest.raises(TaskUnknown) as caught:
        looked(name)
    assert caught.value.request_id == REQUEST_ID


@pytest.mark.parametrize(
    "reply",
    [
        recorded("look_fails"),
        recorded("saturated"),
        recorded("busy_in_envelope"),
        recorded("internal_failure"),
        page(200),
        page(502),
    ],
    ids=["look_fails", "saturated", "envelope", "internal", "page", "502"],
)
def test_a_look_that_fails_may_be_repeated(reply: Reply) -> None:
    """`Gateway.poll` makes of a silence what it makes of a busy one: a look is free."""
    with pytest.raises((ProviderBusy, ProviderSilent)):
        midjourney.parse_poll(reply)


def test_a_key_that_is_refused_ends_the_looking() -> None:
    with pytest.raises(RequestRefused, match="key"):
        looked("key")


@pytest.mark.parametrize(
    "reply",
    [
        in_json(200, {}),
        in_json(200, []),
        in_json(200, [{"id": ID, "status": "SUCCESS"}]),
        in_json(200, {"result": ID}),
        in_json(200, {"result": {}}),
        task(status=7),
        task(imageUrl=7),
        task(imageUrl=["https://x"]),
    ],
)
def test_a_look_of_another_form_cannot_be_read(reply: Reply) -> None:
    with pytest.raises((BadReply, KeyError, TypeError, ValueError, AttributeError)):
        midjourney.parse_poll(reply)


EVERY = ("banned_sentence", "parameter", "failed_banned", "word_nobody_knows", "unknown_action")


@pytest.mark.parametrize("name", EVERY)
def test_no_word_of_the_other_side_reaches_a_person(name: str) -> None:
    reply = recorded(name)
    for parse in (midjourney.parse_submit, midjourney.parse_poll):
        try:
            parse(reply)
        except ProviderError as error:
            said = str(error)
            assert not any(word in said for word in ("secret", "BOOKMARK", "something_else"))
        except (KeyError, ValueError):
            continue
