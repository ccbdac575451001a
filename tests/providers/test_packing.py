"""Packed bodies: read where they are honest, stopped where they are bombs (D2)."""

import gzip
import os
import tracemalloc
import zlib

import httpx
import pytest

from generator.errors import LinkSilent, ProviderSilent
from generator.providers.base import Call
from generator.providers.gateway import Gateway
from generator.providers.packing import STEP, unpacked

BODIES = [b"", b"x", bytes(STEP), bytes(2 * STEP), os.urandom(STEP + 7)]
TWICE = gzip.compress(gzip.compress(bytes(256 * 1024 * 1024)))


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{len(body)} bytes")
@pytest.mark.parametrize("size", [1000, 65536])
@pytest.mark.parametrize(
    ("packing", "pack"),
    [("gzip", gzip.compress), (" GZip ", gzip.compress), ("deflate", zlib.compress), ("", bytes)],
)
def test_an_honest_packing_gives_what_was_packed(packing, pack, size, body) -> None:
    packed = pack(body)
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(unpacked(chunks, packing)) == body


def test_nothing_is_given_out_in_larger_pieces_than_a_step() -> None:
    pieces = list(unpacked([gzip.compress(bytes(8 * STEP))], "gzip"))
    assert max(map(len, pieces)) == STEP


def test_a_packing_promised_for_no_body_at_all_is_no_fault() -> None:
    assert b"".join(unpacked([b""], "gzip")) == b""


@pytest.mark.parametrize(
    ("packed", "packing"),
    [
        (gzip.compress(b"teapot")[:-3], "gzip"),
        (b"no gzip", "gzip"),
        (b"x", "br"),
        (TWICE, "gzip, gzip"),
    ],
    ids=["cut off", "broken", "never asked for", "packed twice"],
)
def test_any_other_packing_is_refused(packed: bytes, packing: str) -> None:
    with pytest.raises(ValueError, match="packing"):
        list(unpacked([packed], packing))


def _gateway(answer: httpx.Response) -> Gateway:
    transport = httpx.MockTransport(lambda request: answer)
    return Gateway(
        "http://gateway", key="sk-test", transport=transport, image_transport=transport,
        resolve=lambda host, port: ["93.184.216.34"],
    )  # fmt: skip


def _bomb(packing: str, packed: bytes) -> httpx.Response:
    headers = {"content-encoding": packing}
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(packed))


@pytest.mark.parametrize(
    ("packing", "packed"),
    [("gzip, gzip", TWICE), ("gzip", gzip.compress(bytes(256 * 1024 * 1024)))],
    ids=["packed twice", "packed once"],
)
def test_a_stranger_s_bomb_does_not_fill_the_memory(packing: str, packed: bytes) -> None:
    gateway = _gateway(_bomb(packing, packed))
    tracemalloc.start()
    try:
        with pytest.raises(Exception, match="image"):
            gateway.fetch("https://images.example/1.png", limit=STEP)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * STEP


def test_a_broken_packing_is_silence_and_never_a_crash() -> None:
    gateway = _gateway(_bomb("gzip", b"no gzip"))
    with pytest.raises(ProviderSilent):
        gateway.send(Call("POST", "/v1/images/generations", json={}))
    with pytest.raises(LinkSilent):
        gateway.fetch("https://images.example/1.png")
