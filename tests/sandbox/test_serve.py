"""On real sockets: kept connections, many at once, and answers that are cut."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from generator.sandbox import Log, Sandbox
from generator.sandbox.serve import Doors, serving
from tests.sandbox.conftest import KEY, opened

BEARER = {"Authorization": f"Bearer {KEY}"}
SMALL = {"model": "dall-e-2", "size": "256x256"}


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def doors(log: Log) -> Iterator[Doors]:
    with serving(Sandbox(log=log, image_bytes=20_000)) as doors:
        yield doors


@pytest.fixture
def client(doors: Doors) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=doors.gateway, headers=BEARER, trust_env=False) as client:
        yield client


def test_a_generation_and_its_link_go_over_real_http(client: httpx.Client) -> None:
    reply = client.post("/v1/images/generations", json={**SMALL, "prompt": "a teapot"})
    file = httpx.get(reply.json()["data"][0]["url"], trust_env=False)
    assert (file.headers["X-Sandbox"], len(file.content)) == ("1", 20_000)
    assert opened(file.content).size == (256, 256)


def test_one_connection_carries_many_calls_and_a_refused_body_does_not_break_it(
    doors: Doors,
) -> None:
    address = urlsplit(doors.gateway)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    try:
        for path, status in (("/api/models", 200), ("/v1/nowhere", 200), ("/v1/models", 401)):
            connection.request("POST" if "nowhere" in path else "GET", path, body=b"x" * 100_000)
            reply = connection.getresponse()
            reply.read()
            assert reply.status == status
            if path == "/api/models":
                first = connection.sock
        assert connection.sock is first
    finally:
        connection.close()


def test_silence_is_a_connection_cut_without_a_word(client: httpx.Client, log: Log) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.post("/v1/images/generations", json={**SMALL, "prompt": "[silent]"})
    assert log.paid("[silent]") == 1


def test_half_a_body_ends_early(client: httpx.Client) -> None:
    body = {**SMALL, "prompt": "[half]", "response_format": "b64_json"}
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        client.post("/v1/images/generations", json=body)


def test_an_endless_body_comes_in_chunks_until_the_client_has_enough(
    client: httpx.Client,
) -> None:
    body = {**SMALL, "prompt": "[endless]", "response_format": "b64_json"}
    got = 0
    with client.stream("POST", "/v1/images/generations", json=body) as reply:
        for piece in reply.iter_raw():
            got += len(piece)
            if got > 5_000_000:
                break
    assert got > 5_000_000
    assert client.get("/api/models").status_code == 200


def test_many_slow_calls_wait_side_by_side(log: Log) -> None:
    prompts = [f"a teapot {number}" for number in range(60)]
    with serving(Sandbox(log=log, delay=0.5, image_bytes=5_000)) as doors:
        body = {**SMALL, "prompt": ""}

        def call(prompt: str) -> None:
            url = f"{doors.gateway}/v1/images/generations"
            httpx.post(url, json={**body, "prompt": prompt}, headers=BEARER, trust_env=False)

        threads = [threading.Thread(target=call, args=(prompt,)) for prompt in prompts]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert log.paid_calls == 60
    assert time.monotonic() - started < 15  # one after the other they would take 30 s


def test_stopping_does_not_wait_for_slow_calls() -> None:
    with serving(Sandbox(delay=30)) as doors:
        address = urlsplit(doors.gateway)
        with socket.create_connection((address.hostname, address.port)) as caller:
            text = '{"model": "dall-e-2", "prompt": "a teapot"}'
            caller.sendall(
                f"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}"
                f"\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
            )
            time.sleep(0.1)
        started = time.monotonic()
    assert time.monotonic() - started < 1


def test_a_body_of_unknown_length_is_refused(client: httpx.Client) -> None:
    reply = client.post("/v1/images/generations", content=iter([b"{}"]))
    assert (reply.status_code, reply.headers["X-Sandbox"]) == (411, "1")
