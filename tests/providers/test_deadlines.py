"""How long an exchange may take and how much may come, on real sockets: never a moment more."""

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from generator.errors import ProviderBusy, ProviderSilent
from generator.providers import gateway as gateways
from generator.providers.base import Call
from generator.providers.gateway import Gateway
from tests.providers import servers
from tests.providers.servers import RawServer, reply, serving

CALL = Call("POST", "/v1/images/generations", json={"prompt": "a fox"}, deadline=5)
DEADLINE = 0.5
LATE = 1.0  # how much later than its deadline a call may come back on a busy machine


@contextlib.contextmanager
def gateway_at(root: str) -> Iterator[Gateway]:
    gateway = Gateway(root, key="sk-test1234")
    try:
        yield gateway
    finally:
        gateway.close()


def silent_within(server: RawServer, call: Call = CALL) -> str:
    """The code of the silence that a call ends in, in time."""
    with gateway_at(server.origin) as gateway:
        start = time.monotonic()
        with pytest.raises(ProviderSilent) as caught:
            gateway.send(Call(call.method, call.path, json=call.json, deadline=DEADLINE))
        assert time.monotonic() - start < DEADLINE + LATE
    return caught.value.code


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
    ],
    ids=["status", "headers", "body"],
)
def test_an_answer_that_drips_is_cut_at_the_deadline(start: bytes) -> None:
    """A time-out that begins anew with every byte would wait for ever."""
    with serving(servers.dripping(start)) as server:
        assert silent_within(server) == "ReadTimeout"


def test_one_that_accepts_and_never_answers_is_left_at_the_deadline() -> None:
    with serving(servers.never) as server:
        assert silent_within(server) == "ReadTimeout"


def test_one_that_reads_slowly_is_left_at_the_deadline() -> None:
    def sip(connection: socket.socket, head: bytes) -> None:
        # Fast enough that no single write is late, and far too slow for all of them.
        while connection.recv(65536):
            time.sleep(0.01)

    large = Call("POST", "/x", json={"image": "x" * 24_000_000})
    with serving(sip) as server:
        assert silent_within(server, large) == "WriteTimeout"


def test_half_a_body_is_silence() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"x" * 2000
    with serving(half) as server:
        assert silent_within(server) in {"RemoteProtocolError", "ReadError"}


def test_no_word_at_all_is_silence() -> None:
    with serving(b"") as server:
        assert silent_within(server) in {"RemoteProtocolError", "ReadError"}


def test_one_that_is_not_there_has_received_nothing() -> None:
    with serving() as server:
        origin = server.origin
    with gateway_at(origin) as gateway, pytest.raises(ProviderBusy):
        gateway.send(CALL)


def test_a_body_without_end_is_cut_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "LARGEST_REPLY", 1_000_000)
    with serving(servers.endless) as server:
        assert silent_within(server) == "_TooMuch"


def test_a_small_body_that_unpacks_to_a_large_one_is_cut_at_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateways, "LARGEST_REPLY", 1_000_000)
    bomb = reply(gzip.compress(bytes(20_000_000)), content_encoding="gzip")
    with serving(bomb) as server:
        assert silent_within(server) == "_TooMuch"


def test_a_connection_that_the_other_side_has_closed_is_not_used_again() -> None:
    """On such a connection a paid call would end as silence, which nobody repeats."""
    once = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with serving(once) as server, gateway_at(server.origin) as gateway:
        for _turn in range(3):
            assert gateway.send(CALL).status == 200
            time.sleep(servers.GAP)
        assert server.connections == 3


def test_calls_one_after_another_share_a_connection() -> None:
    lasting = servers.lasting(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    with serving(lasting) as server, gateway_at(server.origin) as gateway:
        for _turn in range(3):
            gateway.send(CALL)
        assert server.connections == 1


def _in_its_time(connection: socket.socket, head: bytes) -> None:
    """The number that was asked for, after as many hundredths; for odd ones a drip of 3 s."""
    number = int(head.split(b" ", 2)[1][1:])
    if number % 2:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _turn in range(60):
            connection.sendall(b"x")
            time.sleep(servers.GAP)
        connection.sendall(b"\r\nContent-Length: 2\r\n\r\n{}")
    time.sleep(number / 100)
    connection.sendall(reply(json.dumps({"number": number}).encode()))


def test_threads_share_a_gateway_and_neither_answers_nor_deadlines() -> None:
    def ask(number: int) -> Any:
        deadline = 0.3 + number / 100 if number % 2 else 20
        try:
            return gateway.send(Call("GET", f"/{number}", deadline=deadline)).json()["number"]
        except ProviderSilent:
            return "silent"

    with (
        serving(_in_its_time) as server,
        gateway_at(server.origin) as gateway,
        ThreadPoolExecutor(32) as threads,
    ):
        answers = list(threads.map(ask, range(64)))
    assert answers == ["silent" if number % 2 else number for number in range(64)]
