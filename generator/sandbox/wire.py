"""Requests and answers of the sandbox as values, and the form of its errors.

Every answer says `X-Sandbox: 1` and carries a request id of the gateway's form (A3), in a
header and in the text of every error.
"""

import json
import secrets
import string
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

type Fields = dict[str, Any]  # a JSON object

# Headers that carry a key. They are never recorded, and the image host refuses them all.
KEY_HEADERS = frozenset(
    {"authorization", "x-api-key", "x-goog-api-key", "mj-api-secret", "x-key", "cookie"}
)


class Cut(Exception):
    """Hang up without a word. Only raised where the server said it can."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, a content type, and bytes at once or in pieces.

    `length` is what Content-Length claims, if that is not the truth or the body comes in
    pieces.
    """

    status: int
    content_type: str
    body: bytes | Iterator[bytes]
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


class Refused(Exception):
    """The request is refused; `answer` puts it into the error form of A2."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = "",
        kind: str = "comet_api_error",
        param: str | None = "",
        more: Fields | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind
        self.param = param
        self.more = more or {}
        self.headers = headers or {}

    def answer(self, request_id: str) -> Answer:
        """`{"error": {…}}`, with the request id at the end of the message."""
        error = {
            "message": f"{self.message} (request id: {request_id})",
            "type": self.kind,
            "param": self.param,
            "code": self.code,
            **self.more,
        }
        return as_json({"error": error}, self.status, self.headers)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, read from WSGI."""

    method: str
    path: str
    query: str  # raw: signatures are over what came, not over what was meant
    headers: dict[str, str]  # names in lower case
    request_id: str
    may_cut: bool
    read: Callable[[int], bytes]

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of the query string, decoded; the last of a name counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def length(self) -> int:
        """How many bytes its body says it has."""
        return int(self.headers.get("content-length") or 0)

    def body(self, limit: int) -> bytes:
        """The whole body; `Refused` (413) if it says it is longer than `limit` bytes."""
        if self.length > limit:
            raise Refused(413, "request body too large", code="request_body_too_large")
        return self.read(self.length) if self.length > 0 else b""


def visit(environ: WSGIEnvironment, now: float) -> Visit:
    """What WSGI tells about a request, as a value."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return Visit(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "/"),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        request_id=new_request_id(now),
        may_cut=bool(environ.get("sandbox.may_cut")),
        read=environ["wsgi.input"].read,
    )


def new_request_id(now: float) -> str:
    """The moment, nanoseconds without padding, eight letters or digits (A3)."""
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(now))
    letters = string.ascii_letters + string.digits
    tail = "".join(secrets.choice(letters) for _ in range(8))
    return f"{stamp}{int(now % 1 * 1e9)}{tail}"


def send(answer: Answer, request_id: str, start_response: StartResponse) -> Iterable[bytes]:
    """Hand an answer to the WSGI server."""
    headers = {
        "Content-Type": answer.content_type,
        "X-Sandbox": "1",
        "X-Oneapi-Request-Id": request_id,
        **answer.headers,
    }
    pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body
    length = answer.length
    if length is None and isinstance(answer.body, bytes):
        length = len(answer.body)
    if length is not None:
        headers["Content-Length"] = str(length)
    start_response(f"{answer.status} {_phrase(answer.status)}", list(headers.items()))
    return pieces


def _phrase(status: int) -> str:
    if status == 524:  # the content delivery network's own number
        return "A Timeout Occurred"
    return HTTPStatus(status).phrase


def as_json(data: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A JSON answer."""
    body = json.dumps(data).encode()
    return Answer(status, "application/json; charset=utf-8", body, headers or {})


def as_html(title: str, text: str, status: int = 200) -> Answer:
    """A small page; `text` is HTML."""
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem}"
        "td{padding:.1rem 1rem .1rem 0;vertical-align:top}</style>"
        f"<h1>{title}</h1>{text}</html>"
    )
    return Answer(status, "text/html; charset=utf-8", page.encode())
