"""What is taken from an error: when to come again, which request it was, and words of ours only."""

import time
from email.utils import formatdate

import pytest

from generator.errors import ProviderBusy
from generator.providers.base import Reply
from tests.providers.recorded import REQUEST_ID, in_json, own, page, raised, recorded

KEY = "sk-live0123456789abcdef"
PROMPT = "a fox asleep in the snow"


def _date(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("7", 7, 7),
        ("0.5", 0.5, 0.5),
        ("0", 0, 0),
        ("-3", 0, 0),
        ("99999999", 3600, 3600),
        (_date(1800), 600, 1800),
        (_date(-60), 0, 0),
        (_date(10**7), 3600, 3600),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_asked_for_is_kept_up_to_an_hour(
    status: int, said: str, least: float, most: float
) -> None:
    pause = raised(in_json(status, own(), retry_after=said)).retry_after
    assert pause is not None
    assert least <= pause <= most


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "nan",
        "-nan",
        "1 hour",
        "Mon, 99 Foo 2026",
        "Fri, 01 Jan 9" + "9" * 30 + " 0:0:0",
    ],
)
def test_a_pause_that_cannot_be_read_is_none(said: str) -> None:
    error = raised(in_json(429, own(), retry_after=said))
    assert isinstance(error, ProviderBusy)
    assert error.retry_after is None


def test_a_date_counts_from_the_senders_own_clock() -> None:
    """Clocks differ by hours where a container forgot its time zone."""
    reply = in_json(429, own(), date=_date(-7200), retry_after=_date(-7170))
    assert raised(reply).retry_after == 30


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-oneapi-request-id": "a1", "x-request-id": "b2", "cf-ray": "c3-FRA"}, "a1"),
        ({"X-Request-Id": "b2", "CF-Ray": "c3-FRA"}, "b2"),
        ({"cf-ray": "c3-FRA"}, REQUEST_ID),
        ({"x-oneapi-request-id": ""}, REQUEST_ID),
        ({"x-request-id": "<script>"}, REQUEST_ID),
        ({}, REQUEST_ID),
    ],
)
def test_the_request_id_is_looked_for_where_it_is_surest(
    headers: dict[str, str], expected: str
) -> None:
    assert raised(Reply(500, headers, recorded("reached").body)).request_id == expected


def test_a_page_of_the_cdn_is_known_by_its_ray() -> None:
    assert raised(page(524, cf_ray="8d1f2a3b4c5d6e7f-FRA")).request_id == "8d1f2a3b4c5d6e7f-FRA"


def test_ark_writes_its_request_id_without_brackets() -> None:
    assert raised(recorded("ark")).request_id == "0217561234abcd56ef"


@pytest.mark.parametrize("status", [200, 400, 401, 403, 413, 422, 429, 500, 503, 504])
@pytest.mark.parametrize("form", ["message", "param", "code", "category", "flat", "text", "page"])
def test_nothing_that_the_other_side_wrote_reaches_a_person(status: int, form: str) -> None:
    """Prompts and keys come back in the gateway's messages, and errors are shown and kept (T1)."""
    secret = f"{PROMPT} {KEY}"
    fields = {"message": secret, "type": secret, "param": secret, "code": secret}
    blocked = {"code": "moderation_blocked", "message": secret}
    reply = {
        "message": in_json(status, own("", secret)),
        "param": in_json(status, {"error": fields}),
        "code": in_json(status, {"error": {**fields, "code": KEY}, "code": secret}),
        "category": in_json(
            status, {"error": {**blocked, "moderation_details": {"categories": [secret, KEY]}}}
        ),
        "flat": in_json(status, {"message": secret, "detail": secret, "error": secret}),
        "text": Reply(status, {"content-type": "text/plain"}, secret.encode()),
        "page": page(status, f"<html>{secret}"),
    }[form]
    error = raised(reply)
    for part in (PROMPT, KEY):
        assert part not in str(error)
        assert part not in repr(error)
        assert part not in repr(reply)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_money", "out of money"),
        ("no_money_flat", "out of money"),
        ("key_refused", "key"),
        ("google_key", "key"),
        ("integer_code", "the place it asks from"),
        ("model_unknown", "Try another one"),
        ("bad_size", "size"),
        ("ark", "size"),
        ("fastapi", "size"),
        ("transparent", "background"),
        ("too_large", "too large"),
        ("moderation_gpt", "What it named: sexual minors, self harm."),
        ("moderation_of_the_image", "withheld the image"),
    ],
)
def test_the_sentence_says_what_a_person_can_do_about_it(name: str, words: str) -> None:
    assert words in str(raised(recorded(name)))
