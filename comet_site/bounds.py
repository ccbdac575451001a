"""How much one request may bring. Django writes a body down whole before anybody looks at it."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

MOST_WITH_FILES = 200 * 1024 * 1024  # bytes, everything in one request
MOST_WITHOUT = 8 * 1024 * 1024  # where no files are sent
WITH_FILES = re.compile(r"/t/[^/]+/(references|generations)/")
REFUSAL = (
    "This is more than the studio takes at once (200 MB). Nothing was kept. "
    "Send fewer or smaller images."
)


class TooMuch(Exception):
    """More came than was said, or than may come."""


def bounded(application: Application) -> Application:
    """The application, behind a bound: 413 before a body fills the disk, whoever sends it."""

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        most = MOST_WITH_FILES if WITH_FILES.fullmatch(scope["path"]) else MOST_WITHOUT
        if _said_length(scope) > most:
            await _refuse(send)
            return
        try:
            await application(scope, _counting(receive, most), send)
        except TooMuch:
            await _refuse(send)

    return inside


def _said_length(scope: Scope) -> int:
    said = dict(scope["headers"]).get(b"content-length", b"0")
    return int(said) if said.isdigit() else 0


def _counting(receive: Receive, most: int) -> Receive:
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise TooMuch
        return message

    return counted


async def _refuse(send: Send) -> None:
    body = REFUSAL.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # what is still on its way is not read
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
