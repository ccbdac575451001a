"""What an error means for us: refused for good, busy, or silent. Status classes lie (K3)."""

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
)
from generator.providers import faults
from generator.providers.base import Reply
from generator.providers.reading import raise_for_error
from tests.providers.recorded import in_json, own, page, raised, recorded


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("error_in_200", RequestRefused, "upstream_error"),
        ("error_beside_null_data", ContentRefused, "content_policy_violation"),
        ("model_missing", RequestRefused, ""),
        ("key_refused", RequestRefused, ""),
        ("field_missing", RequestRefused, "invalid_request"),
        ("model_unknown", RequestRefused, "model_not_found"),
        ("not_an_image_model", RequestRefused, "convert_request_failed"),
        ("access_denied", RequestRefused, "permission_denied"),
        ("busy_429", ProviderBusy, "bad_response_status_code"),
        ("busy_503", ProviderBusy, "bad_response_status_code"),
        ("saturated", ProviderBusy, ""),
        ("no_money", RequestRefused, "insufficient_user_quota"),
        ("no_money_for_this", RequestRefused, "pre_consume_token_quota_failed"),
        ("no_money_flat", RequestRefused, ""),
        ("too_large", RequestRefused, "request_body_too_large"),
        ("not_implemented", RequestRefused, "api_not_implemented"),
        ("unknown_parameter", RequestRefused, "unknown_parameter"),
        ("moderation_gpt", ContentRefused, "moderation_blocked"),
        ("moderation_of_the_image", ContentRefused, "moderation_blocked"),
        ("moderation_dall_e", ContentRefused, "content_policy_violation"),
        ("sensitive_words", ContentRefused, "sensitive_words_detected"),
        ("bad_size", RequestRefused, "invalid_value"),
        ("bad_size_dall_e", RequestRefused, "invalid_request"),
        ("many_from_qwen", RequestRefused, "invalid_request"),
        ("transparent", RequestRefused, "invalid_value"),
        ("escaped", ProviderBusy, "bad_response_status_code"),
        ("escaped_moderation", ContentRefused, "moderation_blocked"),
        ("deep_message", ContentRefused, "content_policy_violation"),
        ("integer_code", RequestRefused, "failed_precondition"),
        ("google_key", RequestRefused, "api_key_invalid"),
        ("xai", ContentRefused, "content_policy_violation"),
        ("no_code", RequestRefused, ""),
        ("ark", RequestRefused, "invalidparameter"),
        ("fastapi", RequestRefused, ""),
        ("not_a_404", RequestRefused, "bad_response_status_code"),
        ("reached", ProviderSilent, "do_request_failed"),
    ],
)
def test_a_recorded_error_comes_to_its_kind(
    name: str, kind: type[ProviderError], code: str
) -> None:
    error = raised(recorded(name))
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("name", "kind", "code", "words"),
    [
        ("too_small", RequestRefused, "invalidparameter", "did not accept the size"),
        ("oversized", RequestRefused, "invalidparameter", "as it stands"),
        ("missing", RequestRefused, "missingparameter", "as it stands"),
        ("text_refused", ContentRefused, "inputtextsensitivecontentdetected", "this prompt"),
        ("image_refused", ContentRefused, "inputimagesensitivecontentdetected", "sent along"),
        ("result_refused", ContentRefused, "outputimagesensitivecontentdetected", "withheld"),
        ("severe", ContentRefused, "sensitivecontentdetected", "this prompt"),
        ("risk", ContentRefused, "inputtextriskdetection", "this prompt"),
        ("burst", ProviderBusy, "ratelimitexceeded.endpointrpmexceeded", "busy"),
        ("overloaded", ProviderBusy, "serveroverloaded", "busy"),
        ("internal", ProviderSilent, "internalserviceerror", "does not ask again"),
        ("overdue", RequestRefused, "accountoverdueerror", "out of money"),
        ("not_open", RequestRefused, "modelnotopen", "Try another one"),
        ("no_such_model", RequestRefused, "invalidendpointormodel", "Try another one"),
        ("error_in_200", ContentRefused, "outputimagesensitivecontentdetected", "withheld"),
        ("escaped_451", ContentRefused, "inputtextsensitivecontentdetected", "this prompt"),
        ("in_a_sentence_451", ContentRefused, "outputimagesensitivecontentdetected", "withheld"),
        ("escaped_size_500", RequestRefused, "invalidparameter", "did not accept the size"),
        ("escaped_burst_503", ProviderBusy, "bad_response_status_code", "busy"),
        ("escaped_internal_500", ProviderSilent, "bad_response_status_code", "does not ask again"),
    ],
)
def test_arks_words_mean_the_same_wherever_the_gateway_puts_them(
    name: str, kind: type[ProviderError], code: str, words: str
) -> None:
    """As they are, escaped inside a message, or in a sentence, under an odd status (D5)."""
    error = raised(recorded(name, "seedream"))
    assert (type(error), error.code) == (kind, code)
    assert words in str(error)


def test_who_is_turned_away_is_told_to_come_again_whatever_the_status() -> None:
    codes = {"code": "RequestBurstTooFast", "message": "slower"}
    assert isinstance(raised(in_json(451, {"error": codes})), ProviderBusy)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (in_json(500, own("invalid_request")), RequestRefused),
        (in_json(503, own("model_not_found")), RequestRefused),
        (in_json(500, own("prompt_blocked")), ContentRefused),
        (in_json(429, own("moderation_blocked")), ContentRefused),
        (in_json(429, own("insufficient_user_quota")), RequestRefused),
        (in_json(402, {"detail": "pay"}), RequestRefused),
        (in_json(500, own()), ProviderBusy),
        (in_json(502, own("bad_response_status_code")), ProviderBusy),
        (in_json(503, own("channel:no_available_key")), ProviderBusy),
        *((in_json(500, own(code)), ProviderSilent) for code in sorted(faults.REACHED)),
        *((in_json(503, own(code)), ProviderSilent) for code in sorted(faults.REACHED)),
        # Not the gateway's own object, so nobody says that nothing came of it.
        (in_json(500, {"error": {"message": "oops", "type": "server_error"}}), ProviderSilent),
        (in_json(500, {"detail": "Internal Server Error"}), ProviderSilent),
        (in_json(500, {"error": "Internal Server Error"}), ProviderSilent),
        (in_json(500, {}), ProviderSilent),
        (in_json(500, []), ProviderSilent),
        (Reply(500, {}, b""), ProviderSilent),
        (Reply(502, {"content-type": "text/plain"}, b"bad gateway"), ProviderSilent),
        (in_json(504, own()), ProviderSilent),
        (in_json(408, own()), ProviderSilent),
        (in_json(524, own()), ProviderSilent),
        (in_json(529, own()), ProviderSilent),
        (page(524), ProviderSilent),
        (page(502), ProviderSilent),
        (page(503), ProviderSilent),
        (page(200), ProviderSilent),
        (Reply(200, {"content-type": "application/json"}, b"\n <!doctype html>"), ProviderSilent),
        (page(429), ProviderBusy),
        (page(301), RequestRefused),
        (page(404), RequestRefused),
        (page(403), RequestRefused),
        (page(413), RequestRefused),
        (Reply(301, {"location": "/login"}, b""), RequestRefused),
        (Reply(200, {}, b"not json"), BadReply),
        (Reply(200, {}, b""), BadReply),
        (Reply(200, {}, b"\xff\xfe{"), BadReply),
        (Reply(200, {}, b"[" * 100_000), BadReply),
        (Reply(500, {}, b'{"error":' * 50_000), ProviderSilent),
    ],
)
def test_status_and_body_together_come_to_a_kind(reply: Reply, kind: type[ProviderError]) -> None:
    assert type(raised(reply)) is kind


# The rows of A4, in its order: what the studio may do again by itself, and what never.
MAY_ASK_AGAIN, MAY_NOT = ProviderBusy, (RequestRefused, ProviderSilent)
A4 = [
    ("400", in_json(400, own()), MAY_NOT),
    ("401", in_json(401, own()), MAY_NOT),
    ("403", in_json(403, own()), MAY_NOT),
    ("404", in_json(404, own()), MAY_NOT),
    ("HTML with 200", page(200), MAY_NOT),
    ("HTML with 404", page(404), MAY_NOT),
    ("301", Reply(301, {"location": "/"}, b""), MAY_NOT),
    ("413", in_json(413, own()), MAY_NOT),
    ("413 of a server in front", page(413), MAY_NOT),
    ("429", in_json(429, own()), MAY_ASK_AGAIN),
    ("429 without a body", Reply(429, {}, b""), MAY_ASK_AGAIN),
    ("500 invalid_request", in_json(500, own("invalid_request")), MAY_NOT),
    ("503 model_not_found", in_json(503, own("model_not_found")), MAY_NOT),
    ("500 otherwise, of the gateway", in_json(500, own()), MAY_ASK_AGAIN),
    ("503 otherwise, of the gateway", in_json(503, own()), MAY_ASK_AGAIN),
    ("500 otherwise, from behind it", in_json(500, {"detail": "oops"}), MAY_NOT),
    ("503 otherwise, from behind it", in_json(503, {"detail": "oops"}), MAY_NOT),
    ("504", in_json(504, own()), MAY_NOT),
    ("524", page(524), MAY_NOT),
    ("moderation", in_json(400, own("moderation_blocked")), MAY_NOT),
    ("moderation with a 5xx", in_json(503, own("sensitive_words_detected")), MAY_NOT),
]


@pytest.mark.parametrize(("reply", "kind"), [row[1:] for row in A4], ids=[row[0] for row in A4])
def test_a_paid_call_is_repeated_only_in_the_rows_where_nothing_can_have_come_of_it(
    reply: Reply, kind: Any
) -> None:
    assert isinstance(raised(reply), kind)


# Every code that A2 names beside its recorded bodies, with the status it was seen with or may have.
A2_CODES = [
    ("sensitive_words_detected", 500, ContentRefused),
    ("prompt_blocked", 400, ContentRefused),
    ("access_denied", 403, RequestRefused),
    ("bad_request_body", 400, RequestRefused),
    ("do_request_failed", 500, ProviderSilent),
    ("bad_response", 500, ProviderSilent),
    ("bad_response_body", 500, ProviderSilent),
    ("empty_response", 500, ProviderSilent),
    ("channel:no_available_key", 503, ProviderBusy),
    ("channel:response_time_exceeded", 500, ProviderSilent),
    ("token_concurrency_limit_reached", 429, ProviderBusy),
    ("token_concurrency_limit_reached", 403, ProviderBusy),
    ("api_not_implemented", 501, RequestRefused),
    ("insufficient_user_quota", 402, RequestRefused),
    ("pre_consume_token_quota_failed", 429, RequestRefused),
]


@pytest.mark.parametrize(("code", "status", "kind"), A2_CODES)
def test_each_code_of_the_gateway_comes_to_its_kind(
    code: str, status: int, kind: type[ProviderError]
) -> None:
    error = raised(in_json(status, own(code)))
    assert (type(error), error.code) == (kind, code)


USER_ERROR = "image_generation_user_error"
# What M2 adds to the shapes of errors, beside the recorded bodies above.
M2 = [
    (
        "money, flat, without error, type and id",
        in_json(403, {"code": None, "message": "user quota is not enough"}),
        (RequestRefused, ""),
    ),
    (
        "error is a string that holds JSON",
        in_json(400, {"error": json.dumps({"code": "moderation_blocked", "message": "no"})}),
        (ContentRefused, "moderation_blocked"),
    ),
    (
        "message is an object, levels deep",
        in_json(
            400, {"error": {"message": {"error": {"message": {"code": "moderation_blocked"}}}}}
        ),
        (ContentRefused, "moderation_blocked"),
    ),
    (
        "xAI: error a string, code a sentence",
        in_json(400, {"code": "Client specified an invalid argument", "error": "Bad prompt"}),
        (RequestRefused, ""),
    ),
    (
        "no code and no param",
        in_json(400, {"error": {"message": "bad", "type": "invalid_request_error"}}),
        (RequestRefused, ""),
    ),
    (
        "Google: a bad key with 400",
        in_json(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT",
                                "details": [{"reason": "API_KEY_INVALID"}]}}),
        (RequestRefused, "api_key_invalid"),
    ),
    (
        "Google: a country block with 400",
        in_json(400, {"error": {"code": 400, "status": "FAILED_PRECONDITION"}}),
        (RequestRefused, "failed_precondition"),
    ),
    (
        "OpenAI: a user error about a file",
        in_json(400, {"error": {"type": USER_ERROR, "code": "invalid_image_file"}}),
        (RequestRefused, "invalid_image_file"),
    ),
    (
        "OpenAI: a user error about the size",
        in_json(400, {"error": {"type": USER_ERROR, "code": "invalid_value", "param": "size"}}),
        (RequestRefused, "invalid_value"),
    ),
    (
        "OpenAI: a user error that is a refusal",
        in_json(400, {"error": {"type": USER_ERROR, "code": "moderation_blocked"}}),
        (ContentRefused, "moderation_blocked"),
    ),
    (
        "a 404 inside the text of a 400",
        in_json(400, own("", "upstream: 404 page not found")),
        (RequestRefused, ""),
    ),
    (
        "Replicate: a 401 of problem+json",
        in_json(401, {"title": "Unauthenticated", "detail": "no", "status": 401}),
        (RequestRefused, ""),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "kind"), [row[1:] for row in M2], ids=[row[0] for row in M2])
def test_shapes_seen_elsewhere_come_to_the_kind_that_their_codes_say(
    reply: Reply, kind: tuple[type[ProviderError], str]
) -> None:
    error = raised(reply)
    assert (type(error), error.code) == kind


@pytest.mark.parametrize(
    ("reply", "is_limit"),
    [
        (in_json(429, own()), True),
        (page(429), True),
        (in_json(403, own("token_concurrency_limit_reached")), True),
        (in_json(429, own("insufficient_user_quota")), False),
        (in_json(429, own("moderation_blocked")), False),
        (in_json(503, own("bad_response_status_code")), False),
        (in_json(500, own()), False),
        (page(524), False),
    ],
)
def test_only_being_asked_too_often_is_a_limit(reply: Reply, is_limit: bool) -> None:
    """The studio then has fewer calls under way, and a pause; after a mere failure it has not."""
    assert raised(reply).is_limit is is_limit


@pytest.mark.parametrize("error", [None, "", {}, [], 0, False])
def test_an_empty_error_beside_images_is_none(error: Any) -> None:
    assert raise_for_error(in_json(200, {"data": [], "error": error}))["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": ["a", {"b": None}], "code": {"c": 1}, "type": 7, "param": [1]}},
        {"error": {"moderation_details": {"categories": None}, "code": "moderation_blocked"}},
        {"error": {"moderation_details": [1], "code": True}},
        {"error": [["x"]]},
        {"error": 17},
        {"detail": [{"loc": []}, 3]},
        "just text",
        None,
        7,
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_no_shape_of_an_error_breaks_the_reading(status: int, body: Any) -> None:
    assert raised(in_json(status, body)).request_id == ""


def test_escaped_json_inside_escaped_json_is_read_too() -> None:
    inner = json.dumps(own("moderation_blocked"))
    assert isinstance(raised(in_json(400, {"error": {"message": inner}})), ContentRefused)
