"""What is remembered of requests fits into memory, whatever they bring along."""

import base64
import random
from typing import Any

import httpx
import pytest

from generator.sandbox import Log
from tests.sandbox.conftest import KEY, Generate

NOISE = base64.b64encode(random.Random(5).randbytes(60_000)).decode()
URI = f"data:image/png;base64,{NOISE}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/images/generations", {"model": "doubao-seedream-4-0-250828", "image": [URI] * 14}),
        ("/v1/images/edits", {"model": "gpt-image-1", "images": [{"image_url": URI}] * 3}),
        ("/v1/images/edits", {"model": "grok-imagine-image", "image": {"url": URI}}),
        ("/flux/v1/flux-2-pro", {"input_image": NOISE}),
        ("/replicate/v1/models/stability-ai/sdxl/predictions", {"input": {"image": URI}}),
        ("/kling/v1/images/generations", {"image": NOISE}),
        ("/bria/image/edit/erase", {"image": NOISE, "mask": NOISE}),
        ("/mj/submit/imagine", {"base64Array": [URI, URI]}),
        (
            "/v1beta/models/gemini-3-pro-image-preview:generateContent",
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": NOISE}}]}]},
        ),
    ],
)
def test_no_protocol_leaves_images_in_the_record(
    client: httpx.Client, log: Log, path: str, body: dict[str, Any]
) -> None:
    client.post(path, json=body, headers={"Authorization": f"Bearer {KEY}"})
    said = str(log.requests[-1].json)
    assert f"({len(NOISE)} characters)" in said or f"({len(URI)} characters)" in said
    assert len(said) < 14 * 300


def test_a_prompt_is_kept_whole(generate: Generate, log: Log) -> None:
    prompt = "täglich ein Bild " * 1900
    generate("gpt-image-1", prompt, quality="low")
    assert (log.requests[-1].json or {})["prompt"] == prompt


def test_of_a_body_of_countless_small_things_only_the_names_are_kept(
    generate: Generate, log: Log
) -> None:
    generate(prompt="a teapot", extra=["a few words"] * 50_000)
    body = log.requests[-1].json or {}
    assert "prompt" in body
    assert len(str(body)) < 1000
