"""Bria in the sandbox: how it is asked, and what it is given."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops

from generator.sandbox import Log, Sandbox
from tests.sandbox.conftest import KEY, Clock, opened

HEADERS = {"Authorization": f"Bearer {KEY}"}
WHITE = (4, 2, 20, 12)  # of the mask: neither mirrored nor turned is it the same

type Say = Callable[..., httpx.Response]


@pytest.fixture
def sandbox(log: Log, clock: Clock) -> Sandbox:
    return Sandbox(log=log, delay=10, clock=clock, sleep=clock.sleep)


@pytest.fixture
def lenient(log: Log, clock: Clock) -> Iterator[httpx.Client]:
    app = Sandbox(log=log, strict=False, clock=clock, sleep=clock.sleep)
    with httpx.Client(base_url="http://g", transport=httpx.WSGITransport(app=app)) as client:
        yield client


@pytest.fixture
def say(client: httpx.Client) -> Say:
    def post(path: str, **body: Any) -> httpx.Response:
        return client.post(f"/bria/{path}", json=body, headers=HEADERS)

    return post


@pytest.fixture
def draw(say: Say) -> Say:
    """Ask for one image or drawing."""

    def post(path: str = "text-to-image", prompt: str = "a fox", **body: Any) -> httpx.Response:
        return say(path, prompt=prompt, **{"num_results": 1, **body})

    return post


@pytest.fixture
def edit(say: Say) -> Say:
    """Ask for an edit with what it needs."""

    def post(action: str = "gen_fill", **body: Any) -> httpx.Response:
        given: dict[str, Any] = {"image": base64_of(picture())}
        if action in {"erase", "gen_fill", "expand"}:
            given["mask"] = base64_of(mask())
        if action in {"gen_fill", "replace_background"}:
            given["prompt"] = "a fox"
        given = {name: said for name, said in {**given, **body}.items() if said is not None}
        return say(f"image/edit/{action}", **given)

    return post


@pytest.fixture
def look(client: httpx.Client) -> Callable[[str], httpx.Response]:
    return lambda id: client.get(f"/bria/{id}", headers=HEADERS)


@pytest.fixture
def done(
    client: httpx.Client, clock: Clock, edit: Say, look: Callable[[str], httpx.Response]
) -> Callable[..., Image.Image]:
    """The image that an edit makes."""

    def carry(action: str, **body: Any) -> Image.Image:
        id = edit(action, **body).json()["request_id"]
        clock.sleep(10)
        return opened(client.get(look(id).json()["result"]["image_url"]).content)

    return carry


def picture(size: tuple[int, int] = (48, 32)) -> Image.Image:
    return Image.new("RGB", size, (200, 40, 40))


def mask() -> Image.Image:
    image = Image.new("L", (48, 32))
    image.paste(255, WHITE)
    return image


def base64_of(image: Image.Image, format: str = "PNG") -> str:
    file = io.BytesIO()
    image.save(file, format)
    return base64.b64encode(file.getvalue()).decode()


def changed(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Where an image is another than the one that was sent."""
    return ImageChops.difference(image.convert("RGB"), picture(image.size)).getbbox()


def error(reply: httpx.Response) -> tuple[int, str]:
    """The status, said twice, and the message."""
    said = reply.json()
    assert said["error"]["code"] == reply.status_code
    assert said["request_id"]
    return reply.status_code, said["error"]["message"]
