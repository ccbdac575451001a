"""A sandbox of its own for every test, and a client that reaches both of its hosts."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.sandbox import Log, Sandbox

KEY = "sk-test1234"

type Generate = Callable[..., httpx.Response]


class Clock:
    """A clock that stands still until it is told to go on, or somebody sleeps; seconds."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def sandbox(log: Log) -> Sandbox:
    return Sandbox(log=log, sleep=lambda seconds: None)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    mounts = {
        "http://gateway": httpx.WSGITransport(app=sandbox),
        "http://images.sandbox": httpx.WSGITransport(app=sandbox.images),
    }
    with httpx.Client(base_url="http://gateway", mounts=mounts) as client:
        yield client


@pytest.fixture
def generate(client: httpx.Client) -> Generate:
    """Ask for images: small ones by DALL·E 2 in base64, unless told otherwise."""

    def ask(model: str = "dall-e-2", prompt: str = "a teapot", **fields: Any) -> httpx.Response:
        if model == "dall-e-2":
            fields = {"size": "256x256", "response_format": "b64_json", **fields}
        body = {"model": model, "prompt": prompt, **fields}
        headers = {"Authorization": f"Bearer {KEY}"}
        return client.post("/v1/images/generations", json=body, headers=headers)

    return ask


def opened(data: bytes) -> Image.Image:
    """A fully decoded image."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def in_base64(reply: httpx.Response) -> list[bytes]:
    """The image files of an answer."""
    return [base64.b64decode(entry["b64_json"], validate=True) for entry in reply.json()["data"]]
