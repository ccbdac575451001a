"""A wrong request is refused as the gateway, or the provider behind it, refuses it."""

import re

import httpx
import pytest

from generator.sandbox import Log, Sandbox
from tests.sandbox.conftest import KEY, Generate

GPT, FREE = "gpt-image-1", "gpt-image-2"
UNKNOWN, INVALID = "unknown_parameter", "invalid_value"
TOO_LONG, TOO_MANY = "string_above_max_length", "integer_above_max_value"

REFUSED = [
    # model, fields, status, code, param
    (GPT, {"response_format": "b64_json"}, 400, UNKNOWN, "response_format"),
    (GPT, {"seed": 7}, 400, UNKNOWN, "seed"),
    (GPT, {"style": "vivid"}, 400, UNKNOWN, "style"),
    (GPT, {"size": "1792x1024"}, 400, INVALID, "size"),
    (GPT, {"quality": "hd"}, 400, INVALID, "quality"),
    (GPT, {"n": 11}, 400, TOO_MANY, "n"),
    (GPT, {"n": 0}, 400, "integer_below_min_value", "n"),
    (GPT, {"n": "2"}, 400, "invalid_type", "n"),
    (GPT, {"n": True}, 400, "invalid_type", "n"),
    (GPT, {"moderation": "none"}, 400, INVALID, "moderation"),
    (GPT, {"output_format": "gif"}, 400, INVALID, "output_format"),
    (GPT, {"output_compression": 50}, 400, INVALID, "output_compression"),
    (GPT, {"output_format": "jpeg", "output_compression": 101}, 400, TOO_MANY, None),
    (GPT, {"output_format": "jpeg", "background": "transparent"}, 400, INVALID, "background"),
    (GPT, {"prompt": "a" * 32_001}, 400, TOO_LONG, "prompt"),
    (GPT, {"partial_images": 2}, 400, INVALID, "partial_images"),
    (GPT, {"stream": "true"}, 400, "invalid_type", "stream"),
    (GPT, {"stream": True, "partial_images": 4}, 400, TOO_MANY, "partial_images"),
    ("dall-e-2", {"stream": True}, 400, UNKNOWN, "stream"),
    (FREE, {"background": "transparent"}, 400, INVALID, "background"),
    (FREE, {"size": "576x1024"}, 400, INVALID, "size"),
    (FREE, {"size": "1000x1000"}, 400, INVALID, "size"),
    (FREE, {"size": "3200x1024"}, 400, INVALID, "size"),
    (FREE, {"size": "3840x2176"}, 400, INVALID, "size"),
    (FREE, {"size": "4096x1536"}, 400, INVALID, "size"),
    (FREE, {"size": "big"}, 400, INVALID, "size"),
    (FREE, {"size": 1024}, 400, "invalid_type", "size"),
    (FREE, {"size": "1024×1024"}, 500, "invalid_request", ""),
    ("dall-e-3", {"n": 2}, 400, TOO_MANY, "n"),
    ("dall-e-3", {"size": "512x512"}, 500, "invalid_request", ""),
    ("dall-e-3", {"quality": "high"}, 400, INVALID, "quality"),
    ("dall-e-3", {"style": "wild"}, 400, INVALID, "style"),
    ("dall-e-3", {"prompt": "a" * 4_001}, 400, TOO_LONG, "prompt"),
    ("dall-e-2", {"style": "vivid"}, 400, UNKNOWN, "style"),
    ("dall-e-2", {"quality": "hd"}, 400, INVALID, "quality"),
    ("dall-e-2", {"prompt": "a" * 1_001}, 400, TOO_LONG, "prompt"),
    ("dall-e-2", {"response_format": "png"}, 400, INVALID, "response_format"),
    ("qwen-image", {"n": 2}, 500, "invalid_request", ""),
    ("qwen-image", {"quality": "high"}, 400, UNKNOWN, "quality"),
    ("qwen-image", {"size": "512x512"}, 400, INVALID, "size"),
    ("qwen-image", {"prompt": None}, 500, "invalid_request", ""),
    ("qwen-image", {"prompt": "  "}, 500, "invalid_request", ""),
    ("qwen-image", {"prompt": ["a"]}, 400, "invalid_type", "prompt"),
    ("gemini-3.1-flash-image-preview", {}, 500, "convert_request_failed", ""),
    ("gpt-image-3", {}, 503, "model_not_found", ""),
    ("gpt-image-2-latest", {}, 503, "model_not_found", ""),
    ("", {}, 400, "", ""),
]


@pytest.mark.parametrize(("model", "fields", "status", "code", "param"), REFUSED)
def test_what_the_real_one_refuses_is_refused_and_costs_nothing(
    generate: Generate, log: Log, model, fields, status, code, param
) -> None:
    reply = generate(model, **fields)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (status, code)
    if param is not None:
        assert error["param"] == param
    assert log.paid_calls == 0


TAKEN = [
    ("gpt-image-1-mini", {"quality": "low", "size": "auto", "moderation": "low"}),
    ("gpt-image-1.5", {"output_format": "webp", "output_compression": 30, "user": "me"}),
    ("gpt-image-2", {"size": "1024x640", "background": "opaque", "n": None}),
    ("gpt-image-2-2026-04-21", {"size": "1536x512"}),
    ("gpt-image-2.6-flare", {"size": "1024x1536"}),
    ("gpt-image-2.6-sunburst", {"output_format": "jpeg", "stream": False}),
    ("dall-e-3", {"n": 1, "style": "natural", "quality": "hd", "size": "1024x1792"}),
    ("dall-e-2", {"n": 2, "size": "256x256"}),
    ("qwen-image", {"n": 1, "size": "928x1664"}),
]


@pytest.mark.parametrize(("model", "fields"), TAKEN)
def test_what_the_real_one_takes_is_taken(generate: Generate, model, fields) -> None:
    assert generate(model, **fields).status_code == 200


def test_an_error_holds_the_request_id_of_its_header(generate: Generate) -> None:
    reply = generate("nothing")
    request_id = reply.headers["X-Oneapi-Request-Id"]
    message = reply.json()["error"]["message"]
    assert re.fullmatch(r"\d{14}\d{1,9}[0-9A-Za-z]{8}", request_id)
    assert message.endswith(f"(distributor) (request id: {request_id})")
    assert reply.json()["error"]["type"] == "comet_api_error"
    assert reply.headers["X-Sandbox"] == "1"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {KEY}", 200),
        (KEY, 200),
        ("Bearer sk-", 401),
        ("Bearer sk-with spaces", 401),
        ("", 401),
    ],
)
def test_a_key_of_the_right_form_is_asked_for(
    client: httpx.Client, authorization: str, status: int
) -> None:
    headers = {"Authorization": authorization}
    assert client.get("/v1/models", headers=headers).status_code == status


def test_a_sandbox_with_a_key_takes_no_other() -> None:
    transport = httpx.WSGITransport(app=Sandbox(key="sk-mine-alone"))
    with httpx.Client(base_url="http://gateway", transport=transport) as client:
        for key, status in (("sk-mine-alone", 200), (KEY, 401)):
            headers = {"Authorization": f"Bearer {key}"}
            assert client.get("/v1/models", headers=headers).status_code == status


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    reply = client.post("/v1/images/generations", content=body, headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "bad_request_body")


def test_a_body_over_the_limit_is_refused() -> None:
    transport = httpx.WSGITransport(app=Sandbox(body_limit=100))
    with httpx.Client(base_url="http://gateway", transport=transport) as client:
        headers = {"Authorization": f"Bearer {KEY}"}
        reply = client.post("/v1/images/generations", content=b" " * 101, headers=headers)
    assert reply.status_code == 413


def test_a_lenient_sandbox_mends_what_a_strict_one_refuses() -> None:
    app = Sandbox(strict=False)
    body = {"model": "dall-e-2", "prompt": "a" * 2000, "size": "256x256", "n": 99, "seed": 1}
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        headers = {"Authorization": f"Bearer {KEY}"}
        reply = client.post("/v1/images/generations", json=body, headers=headers)
    assert (reply.status_code, len(reply.json()["data"])) == (200, 1)
    assert "Size=256x256" in reply.json()["data"][0]["url"]


def test_response_format_can_be_ignored_by_gpt_image_models() -> None:
    app = Sandbox(response_format="ignore")
    body = {"model": "gpt-image-1", "prompt": "a teapot", "response_format": "url"}
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        headers = {"Authorization": f"Bearer {KEY}"}
        reply = client.post("/v1/images/generations", json=body, headers=headers)
    assert "b64_json" in reply.json()["data"][0]
