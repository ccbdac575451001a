"""A word in the prompt brings the trouble it names, in every family."""

import base64
import io

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log, Sandbox, trouble
from tests.sandbox.conftest import KEY, Generate, in_base64, opened


def test_every_word_is_in_the_table_and_no_other() -> None:
    table = {line.split("`")[1] for line in (trouble.__doc__ or "").splitlines() if "| `[" in line}
    assert table - {"[busy 2]"} == {f"[{word}]" for word in trouble.WORDS}


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("busy", 429, "bad_response_status_code"),
        ("broken", 500, "do_request_failed"),
        ("money", 403, "insufficient_user_quota"),
        ("error", 200, "upstream_error"),
    ],
)
def test_an_error_is_answered_and_nothing_charged(
    generate: Generate, log: Log, word: str, status: int, code: str
) -> None:
    reply = generate(prompt=f"a teapot [{word.upper()}]")
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert log.paid_calls == 0


def test_busy_with_a_number_works_after_so_many_times(generate: Generate, log: Log) -> None:
    prompt = "a teapot [busy 2]"
    replies = [generate(prompt=prompt) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [429, 429, 200]
    assert replies[0].headers["Retry-After"] == "1"
    assert (log.posts(prompt), log.paid(prompt)) == (3, 1)


@pytest.mark.parametrize(
    ("model", "kind", "code"),
    [
        ("gpt-image-2", "image_generation_user_error", "moderation_blocked"),
        ("dall-e-3", "invalid_request_error", "content_policy_violation"),
        ("qwen-image", "comet_api_error", "sensitive_words_detected"),
    ],
)
def test_every_family_refuses_in_its_own_words(
    generate: Generate, log: Log, model: str, kind: str, code: str
) -> None:
    reply = generate(model, prompt="a teapot [refuse]")
    error = reply.json()["error"]
    assert (reply.status_code, error["type"], error["code"]) == (400, kind, code)
    assert ("moderation_details" in error) == (model == "gpt-image-2")
    assert log.paid_calls == 0


def test_html_and_empty_are_status_200_and_cost_nothing(generate: Generate, log: Log) -> None:
    html, empty = generate(prompt="[html]"), generate(prompt="[empty]")
    assert html.headers["content-type"].startswith("text/html")
    assert (html.status_code, empty.status_code, empty.json()["data"]) == (200, 200, [])
    assert log.paid_calls == 0


@pytest.mark.parametrize("word", ["silent", "524"])
def test_silence_without_a_socket_is_a_timeout_page_and_is_charged(
    generate: Generate, log: Log, word: str
) -> None:
    reply = generate(prompt=f"[{word}]")
    assert reply.status_code == 524
    assert "text/html" in reply.headers["content-type"]
    assert log.paid(f"[{word}]") == 1


@pytest.mark.parametrize(("prompt", "seconds"), [("[slow]", 20), ("a teapot", 3)])
def test_a_generation_takes_its_time(prompt: str, seconds: float) -> None:
    slept: list[float] = []
    app = Sandbox(delay=3, clock=lambda: 1000.0, sleep=slept.append)
    body = {"model": "dall-e-2", "prompt": prompt, "size": "256x256"}
    with httpx.Client(base_url="http://gateway", transport=httpx.WSGITransport(app=app)) as client:
        headers = {"Authorization": f"Bearer {KEY}"}
        assert client.post("/v1/images/generations", json=body, headers=headers).is_success
    assert slept == [seconds]


@pytest.mark.parametrize("fields", [{"response_format": "b64_json"}, {"response_format": "url"}])
def test_a_spoiled_file_is_spoiled_in_both_places(
    generate: Generate, client: httpx.Client, fields: dict[str, str]
) -> None:
    def file(word: str) -> bytes:
        entry = generate(prompt=f"a teapot [{word}]", **fields).json()["data"][0]
        url, text = entry["url"], entry["b64_json"]
        return client.get(url).content if url else base64.b64decode(text)

    with pytest.raises(OSError, match="cannot identify"):
        opened(file("garbage"))
    assert opened(file("lies")).format == "JPEG"
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(file("bomb")))


def test_a_half_body_claims_more_than_it_brings(generate: Generate, client: httpx.Client) -> None:
    reply = generate(prompt="[half]")
    assert len(reply.content) == int(reply.headers["content-length"]) // 2
    url = generate(prompt="[half]", response_format="url").json()["data"][0]["url"]
    file = client.get(url)
    assert len(file.content) == int(file.headers["content-length"]) // 2


def test_an_endless_body_goes_on(generate: Generate, client: httpx.Client) -> None:
    url = generate(prompt="[endless]", response_format="url").json()["data"][0]["url"]
    got = 0
    with client.stream("GET", url) as reply:
        assert "content-length" not in reply.headers
        for piece in reply.iter_raw():
            got += len(piece)
            if got > 50_000_000:
                break
    assert got > 50_000_000


@pytest.mark.parametrize("model", ["gpt-image-2", "dall-e-2"])
def test_bad_links_come_from_every_model(
    generate: Generate, client: httpx.Client, model: str
) -> None:
    def link(word: str) -> str:
        return str(generate(model, prompt=f"[{word}]").json()["data"][0]["url"])

    assert link("private").startswith("http://169.254.169.254/")
    assert client.get(link("expired")).status_code == 403
    redirect = client.get(link("redirect"))
    assert redirect.status_code == 302
    assert redirect.headers["Location"].startswith("http://169.254.169.254/")


def test_an_unknown_word_in_brackets_is_part_of_the_prompt(generate: Generate) -> None:
    assert len(in_base64(generate(prompt="a teapot [blue] [404]"))) == 1
