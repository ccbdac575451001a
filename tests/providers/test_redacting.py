"""What of a reply is kept for staff: why it failed, and nothing that is somebody's own (T1)."""

import base64
import html
import json
import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest

from generator.errors import ProviderBusy
from generator.providers import openai_images
from generator.providers.base import Brief, Reply
from generator.providers.gateway import Gateway
from generator.providers.redacting import LONGEST, redacted, without
from generator.providers.witness import Witness

KEY = "sk-sentinel-0123456789abcdef"
PROMPT = 'Ein "quorblezint"\n\tvexomandril <b>zwirbeltrauf</b> & C:\\temp 100 % 🫖 ☃ \'{"a": 1}\''
WORDS = ("quorblezint", "vexomandril", "zwirbeltrauf", "sentinel")


def told(said: Any, kind: str = "application/json", hide: tuple[str, ...] = (KEY, PROMPT)) -> str:
    """What is kept of a body: bytes as they are, anything else as JSON."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return redacted(Reply(400, {"content-type": kind}, body), hide=hide)


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in small letters": str.lower,
    "on one line": lambda text: " ".join(text.split()),
    "in JSON": in_json,
    "in JSON in JSON": lambda text: in_json(in_json(text)),
    "in JSON as it is": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in HTML": html.escape,
    "in a link": quote,
    "in a form": quote_plus,
    "in Python": repr,
}
WAYS = {name: write(PROMPT) for name, write in WRITTEN.items()} | {
    "cut off": PROMPT[:-12], "its end": PROMPT[5:],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "around",
    [
        {"error": {"message": "Your prompt %s was refused.", "code": "blocked"}},
        {"error": "%s", "code": "blocked"},
        [["%s"], "blocked"],
        {"message": "blocked", "request": {"body": "key sk-sentinel-0123456789abcdef, %s"}},
        {"message": "blocked", "%s": 1},
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_neither_prompt_nor_key_is_kept_however_it_was_written(
    way: str, around: Any, kind: str
) -> None:
    said = json.dumps(around).replace("%s", in_json(WAYS[way])).encode()
    if kind == "text/html":  # as a page that wraps it, so that it is no JSON
        said = b"<p>" + said + b"</p>"
    kept = told(said, kind)
    assert "blocked" in kept
    for word in WORDS:
        assert word not in kept.lower()


def test_a_run_of_the_prompt_is_cut_out_and_what_stands_around_it_stays() -> None:
    prompt = "a heron in the reeds at dawn, oil on canvas"
    kept = told({"message": "Unsafe: 'the reeds at dawn, oil on' (violence)"}, hide=(prompt,))
    assert "Unsafe" in kept
    assert "violence" in kept
    assert "reeds" not in kept


@pytest.mark.parametrize("way", WRITTEN)
def test_a_prompt_of_few_letters_is_hidden_however_it_was_written(way: str) -> None:
    prompt = "vexo \"ö\"\n'zwir' & ☃"
    kept = told({"message": f"not: {WRITTEN[way](prompt)}", "code": "blocked"}, hide=(prompt,))
    assert "blocked" in kept
    assert "vexo" not in kept
    assert "zwir" not in kept


@pytest.mark.parametrize("prompt", ["cat", "Ö", "a", "猫が好き", "🫖🫖"])
def test_a_short_prompt_is_hidden_and_words_that_hold_it_are_not(prompt: str) -> None:
    kept = told({"message": f"bad {prompt}: category canal"}, hide=(prompt,))
    assert "category canal" in kept
    assert f"bad {prompt}:" not in kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Basic dXNlcjpwYXNz"), ("api_key", "abc"), ("apiKey", "abc"),
        ("token", "abc"), ("access_token", "abc"), ("secret", "abc"), ("email", "a"),
        ("revised_prompt", "abc"), ("promptEn", "abc"), ("finalPrompt", "abc"), ("text", "abc"),
        ("prompt", ["abc"]), ("message", "mail abc@example.org"), ("message", "sk-abcdef123"),
        ("message", "Bearer abcdef"), ("url", "https://x.org/a.png?sig=abc&b=1#abc"),
        ("url", "https://abc:abc@x.org/a.png"), ("path", "/files/a.png?signature=abc"),
    ],
)  # fmt: skip
def test_secrets_are_known_by_their_name_or_by_their_look(name: str, value: Any) -> None:
    kept = told({"a": [{name: value}], "code": "refused"})
    assert "abc" not in kept
    assert "dXNlcjpwYXNz" not in kept
    assert "refused" in kept
    assert name in kept


def test_links_keep_where_they_lead_and_counts_are_kept() -> None:
    said = {
        "url": "https://files.example.org/made/1.png?Expires=1&Signature=xyz",
        "usage": {"total_tokens": 1234, "prompt_tokens": 34, "promptTokenCount": 7},
        "promptFeedback": {"blockReason": "SAFETY"}, "ok": False, "none": None,
    }  # fmt: skip
    kept = told(said)
    for part in ("https://files.example.org/made/1.png?…", "1234", "34", "SAFETY", "false", "null"):
        assert part in kept
    assert "xyz" not in kept


def test_an_image_is_told_by_its_length() -> None:
    picture = base64.b64encode(random.Random(1).randbytes(9000)).decode()
    assert "… 12,000 characters" in told({"data": [{"b64_json": picture}]})
    assert told(b"\x89PNG\r\n\x1a\n\0\0" * 900, "image/png") == "… 9,000 bytes of image/png"
    assert picture[:40] not in told(f"<p>{picture}</p>".encode(), "text/html")
    assert picture[:40] not in told(f'{{"b64_json": "{picture}'.encode())


def test_an_answer_that_breaks_off_keeps_its_secrets() -> None:
    kept = told(b'{"data": [{"revised_prompt": "a lion \\" with a hat", "code": "x", "b64": "QU')
    assert "lion" not in kept
    assert '"code": "x"' in kept


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe\0x", b"null", b"NaN",
        b'"\\ud800\\u0000"',
        b'{"' + b"k" * 9000 + b'": 1}', json.dumps(["x"] * 100_000).encode(),
        json.dumps({str(n): "y" * 299 for n in range(500)}).encode(), b"A" * 3_000_000,
        b"<html>" + b"<br>" * 400_000,
    ],
)  # fmt: skip
def test_nothing_that_comes_is_too_odd_too_deep_or_too_long(body: bytes) -> None:
    kept = told(body)
    assert len(kept) <= LONGEST
    kept.encode()
    assert "\0" not in kept


# What each pattern would read over and over, if nothing bounded it.
HOSTILE = {
    "a name with prompt in it": '"' + "prompt" * 170_000,
    "names with prompt in them": '"prompt' * 140_000,
    "a name of a secret": '"text"' + " " * 1_000_000,
    "names of secrets": '"token" ' * 120_000,
    "a secret without an end": '"text": "' + "\\" * 1_000_000,
    "what may be an address": "a." * 500_000,
    "addresses": "a@" * 500_000,
    "an address of many parts": "a@" + "a." * 500_000,
    "links": "http://" * 140_000,
    "a link with a name": "http://" + "a:" * 500_000,
    "a link's end": "a?" * 500_000,
    "one link's end": "a?" + "a" * 1_000_000,
    "keys": "sk-" * 330_000,
    "bearers": "bearer " * 140_000,
    "what may be packed": ("a" * 99 + " ") * 10_000,
    "one letter": "a" * 1_000_000,
    "room": " " * 1_000_000,
}
AS: dict[str, Callable[[str], Any]] = {
    "as a page": lambda text: f"<p>{text}".encode(),
    "as strings": lambda text: [text[at : at + 290] for at in range(0, len(text), 290)],
    "as a name": lambda text: {text: 1},
    "as many small things": lambda text: [[[[text[:40]] * 40] * 40] * 40] * 3,
}


@pytest.mark.parametrize("shape", AS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_million_hostile_letters_are_looked_through_in_no_time(name: str, shape: str) -> None:
    said = AS[shape](HOSTILE[name])
    reply = Reply(400, {"content-type": "text/html"}, said if isinstance(said, bytes) else
                  json.dumps(said).encode())  # fmt: skip
    began = time.process_time()
    redacted(reply, hide=(KEY, PROMPT))
    without(HOSTILE[name], hide=(KEY, PROMPT))
    assert time.process_time() - began < 2  # usually hundredths of one; minutes without bounds


# ── Who sees what came ──

BRIEF = Brief("create", PROMPT, "dall-e-3", {}, 1)


def gateway(answer: Any) -> Gateway:
    return Gateway("http://g", key=KEY, transport=httpx.MockTransport(answer))


def test_a_witness_tells_of_a_reply_without_the_key_it_was_called_with() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        said = {"error": {"message": f"{request.headers['authorization']} {PROMPT}"}}
        return httpx.Response(400, json=said, headers={"x-request-id": KEY})

    witness = Witness([PROMPT])
    with pytest.raises(Exception, match="refused"):
        gateway(echo).submit(openai_images, BRIEF, deadline=5, witness=witness)
    heard = witness.heard()
    assert heard is not None
    assert (heard.status, heard.request_id) == (400, "[hidden]")
    for word in WORDS:
        assert word not in heard.text


def test_a_witness_tells_that_no_answer_came() -> None:
    def closed(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"{KEY} {PROMPT}")

    witness = Witness([PROMPT])
    with pytest.raises(ProviderBusy):
        gateway(closed).submit(openai_images, BRIEF, deadline=5, witness=witness)
    heard = witness.heard()
    assert heard is not None
    assert heard.status == 0
    assert heard.text.startswith("No answer came: The gateway cannot be reached")
    assert "sentinel" not in heard.text
