"""The door to the network: what can have left, how long it may take, and where the key goes."""

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from generator.errors import (
    BadReply,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)
from generator.providers import openai_images
from generator.providers.base import Brief, Call, Finished, Pending, Reference
from generator.providers.gateway import Gateway, root_of
from tests.providers import servers
from tests.providers.recorded import recorded
from tests.providers.servers import reply, serving

KEY = "sk-test1234"
CALL = Call("POST", openai_images.PATH, json={"prompt": "a fox"}, deadline=5)
BRIEF = Brief("create", "a fox", "gpt-image-2", {})


@contextlib.contextmanager
def gateway_at(root: str) -> Iterator[Gateway]:
    gateway = Gateway(root, key=KEY)
    try:
        yield gateway
    finally:
        gateway.close()


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Gateway:
    """A gateway without a network."""
    return Gateway("http://gateway/v1", key=KEY, transport=httpx.MockTransport(answer))


def failing(error: Exception) -> Gateway:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return answering(fail)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError, ProviderBusy),
        (httpx.ConnectTimeout, ProviderBusy),
        (httpx.PoolTimeout, ProviderBusy),
        (httpx.ReadTimeout, ProviderSilent),
        (httpx.WriteTimeout, ProviderSilent),
        (httpx.ReadError, ProviderSilent),
        (httpx.WriteError, ProviderSilent),
        (httpx.CloseError, ProviderSilent),
        (httpx.RemoteProtocolError, ProviderSilent),
        (httpx.ProxyError, ProviderSilent),
        (httpx.DecodingError, ProviderSilent),
    ],
)
def test_only_what_cannot_have_left_may_be_asked_again(
    error: type[httpx.RequestError], kind: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as caught:
        failing(error("broken")).submit(openai_images, BRIEF, deadline=5)
    assert type(caught.value) is kind


def test_a_look_that_ends_in_silence_is_repeated_since_it_is_free() -> None:
    adapter = SimpleNamespace(
        build_poll=lambda task_id: Call("GET", f"/tasks/{task_id}"), parse_poll=None
    )
    with pytest.raises(ProviderBusy):
        failing(httpx.ReadTimeout("late")).poll(adapter, "t1")  # type: ignore[arg-type]


def test_a_look_gives_what_the_adapter_reads() -> None:
    adapter = SimpleNamespace(
        build_poll=lambda task_id: Call("GET", f"/tasks/{task_id}"),
        parse_poll=lambda said: Pending(said.json()["path"]),
    )
    gateway = answering(lambda request: httpx.Response(200, json={"path": request.url.path}))
    assert gateway.poll(adapter, "t1") == Pending("/tasks/t1")  # type: ignore[arg-type]


def test_images_come_back_from_the_paid_call() -> None:
    said = recorded("gpt_image_2")
    gateway = answering(
        lambda request: httpx.Response(said.status, headers=said.headers, content=said.body)
    )
    outcome = gateway.submit(openai_images, BRIEF, deadline=5)
    assert isinstance(outcome, Finished)
    assert len(outcome.images) == 1
    assert outcome.request_id == "2026020513313084131287jXTpB855"


@pytest.mark.parametrize(
    "error", [KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError]
)
def test_an_answer_that_a_parser_stumbles_over_cannot_be_read(error: type[Exception]) -> None:
    def stumble(said: Any) -> Any:
        raise error

    adapter = SimpleNamespace(build_submit=lambda brief: CALL, parse_submit=stumble)
    gateway = answering(lambda request: httpx.Response(200, headers={"x-request-id": "r1"}))
    with pytest.raises(BadReply) as caught:
        gateway.submit(adapter, BRIEF, deadline=5)  # type: ignore[arg-type]
    assert caught.value.request_id == "r1"


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("https://api.cometapi.com", "https://api.cometapi.com"),
        ("https://api.cometapi.com/", "https://api.cometapi.com"),
        ("https://api.cometapi.com/v1", "https://api.cometapi.com"),
        ("https://api.cometapi.com/v1/", "https://api.cometapi.com"),
        ("https://api.cometapi.com/v1//", "https://api.cometapi.com"),
        ("https://api.cometapi.com/v1beta", "https://api.cometapi.com"),
        ("https://example.com/openai/v1", "https://example.com/openai"),
        ("https://example.com/v1/openai", "https://example.com/v1/openai"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_the_root_is_the_address_without_its_version(address: str, root: str) -> None:
    assert root_of(address) == root


def test_the_version_stands_in_an_address_once() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200)

    answering(answer).send(CALL)
    assert seen == ["http://gateway/v1/images/generations"]


def test_the_line_end_of_a_file_is_no_part_of_the_key() -> None:
    with serving(reply(b"{}")) as api:
        gateway = Gateway(api.origin, key=f"{KEY}\n")
        gateway.send(CALL)
        gateway.close()
    assert f"bearer {KEY}\r\n".encode() in api.requests[0].lower()


@pytest.mark.parametrize("key", ["", "  ", "sk-a\r\nHost: evil", "ключ", "sk a", "sk-\x7f"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        Gateway("http://gateway", key=key)
    assert not key.strip() or key not in str(caught.value)


# ── Where the key goes (S4) ──


def test_the_key_goes_to_the_gateway_and_an_image_is_fetched_without_it() -> None:
    with serving(reply(b"{}", set_cookie="a=b")) as api, serving() as images:
        gateway = Gateway(api.origin, key=KEY, image_origins=[images.origin])
        gateway.send(CALL)
        gateway.send(CALL)
        gateway.fetch(f"{images.origin}/1.png")
        gateway.close()
    assert all(f"authorization: bearer {KEY}".encode() in head.lower() for head in api.requests)
    (head,) = images.requests
    assert KEY.encode() not in head
    for name in (b"authorization", b"cookie", b"x-api-key", b"referer"):
        assert name not in head.lower()
    assert not any(b"cookie" in head.lower() for head in api.requests)


@pytest.mark.parametrize(
    "path", ["https://evil.example/v1", "http://evil.example", "evil.example/x", "", "v1/images"]
)
def test_a_call_never_leads_away_from_the_gateway(path: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(200)

    with pytest.raises(RequestRefused):
        answering(answer).send(Call("POST", path, json={}))
    assert seen == []


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/\\evil.example/x", "/@evil.example", "/../x"]
)
def test_no_trick_in_a_path_changes_the_host(path: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(200)

    with contextlib.suppress(RequestRefused):
        answering(answer).send(Call("POST", path, json={}))
    assert set(seen) <= {"gateway"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_call_is_not_followed(status: int) -> None:
    with serving() as elsewhere, serving(servers.redirect(elsewhere.origin, status)) as api:
        with gateway_at(api.origin) as gateway, pytest.raises(RequestRefused):
            gateway.submit(openai_images, BRIEF, deadline=5)
        assert (len(api.requests), elsewhere.connections) == (1, 0)


def test_no_proxy_of_the_environment_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(reply(b"{}")) as api, serving() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        gateway = Gateway(api.origin, key=KEY, image_origins=[api.origin])
        gateway.send(CALL)
        gateway.fetch(f"{api.origin}/1.png")
        gateway.close()
        assert (len(api.requests), proxy.connections) == (2, 0)


def test_errors_of_the_network_keep_the_key_and_the_prompt_to_themselves() -> None:
    for error in (httpx.ReadError(f"{KEY} a fox"), httpx.ConnectError(f"{KEY} a fox")):
        with pytest.raises(ProviderError) as caught:
            failing(error).send(CALL)
        assert KEY not in repr(caught.value)
        assert "a fox" not in repr(caught.value)


@pytest.mark.parametrize("prompt", ["\ud800", float("nan")])
def test_what_json_cannot_say_is_refused_and_not_sent(prompt: Any) -> None:
    with pytest.raises(RequestRefused):
        failing(AssertionError("sent")).send(Call("POST", "/x", json={"prompt": prompt}))


def test_files_go_along_as_a_form() -> None:
    picture = Reference(b"\x89PNG", "image/png", "fox.png")
    call = Call("POST", "/v1/images/edits", data={"n": "1"}, files=(("image", picture),))
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["content-type"].encode() + request.read())
        return httpx.Response(200)

    answering(answer).send(call)
    for part in (
        b"multipart/form-data",
        b'name="n"',
        b'filename="fox.png"',
        b"image/png",
        b"\x89PNG",
    ):
        assert part in seen[0]
