"""The values that cross the wire's border, and the gateway's error envelope, read in one place."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from generator.errors import (
    BadReply,
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image that goes along with a brief."""

    data: bytes
    content_type: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Parent:
    """What a brief starts from: the provider's task, and which of its images."""

    task_id: str
    position: int = 0
    memory: bytes | None = None


@dataclass(frozen=True, slots=True)
class Brief:
    """What an adapter is told. `fields` are the family's fields as cleaned."""

    action: str
    prompt: str
    wire_model: str
    fields: Mapping[str, Any]
    count: int = 1
    references: tuple[Reference, ...] = ()
    mask: Reference | None = None
    parent: Parent | None = None
    button: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request not yet sent; `path` begins at the gateway's root, `deadline` in seconds."""

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    deadline: float = 600.0


REQUEST_ID = re.compile(r"\(?request id: ([0-9A-Za-z-]+)\)?", re.IGNORECASE)
REQUEST_ID_HEADERS = ("x-oneapi-request-id", "x-request-id", "cf-ray")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response received whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_html(self) -> bool:
        """Whether it is a page instead of an answer (A2, K5)."""
        if "html" in self.headers.get("content-type", "").lower():
            return True
        return self.body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))

    def json(self) -> Any:
        """The body as JSON. Raises ValueError for anything else."""
        return json.loads(self.body)

    @property
    def request_id(self) -> str:
        """What support asks for (A3): from the headers, else from the message, else empty."""
        for name in REQUEST_ID_HEADERS:
            if found := self.headers.get(name, ""):
                return found[:120]
        said = REQUEST_ID.search(self.body[:20_000].decode("utf-8", "replace"))
        return said[1][:120] if said else ""


@dataclass(frozen=True, slots=True)
class InlineImage:
    """An image that came inside the reply, decoded."""

    data: bytes
    revised_prompt: str = ""


@dataclass(frozen=True, slots=True)
class LinkedImage:
    """An image behind a link that will not live long."""

    url: str
    revised_prompt: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider has it; come back with the task id. `progress` in per cent, if it says."""

    task_id: str
    note: str = ""
    progress: int | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """What was made. `used` is what the provider says it did, `texts` what *describe* gives."""

    images: tuple[InlineImage | LinkedImage, ...]
    texts: tuple[str, ...] = ()
    used: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""
    buttons: tuple[str, ...] = ()
    memory: bytes | None = None
    failed_members: int = 0


Outcome = Pending | Finished


class Adapter(Protocol):
    """A module that speaks one wire protocol. FIELDS are the fields it can say."""

    FIELDS: frozenset[str]

    def build_submit(self, brief: Brief) -> Call:
        """The paid call. Raises RequestRefused for what the protocol has no words for."""
        ...

    def parse_submit(self, reply: Reply) -> Outcome:
        """What came of it. Raises a ProviderError, or KeyError and its like: unreadable."""
        ...


class PollingAdapter(Adapter, Protocol):
    """One whose provider answers with a task to come back for."""

    def build_poll(self, task_id: str) -> Call:
        """The free look."""
        ...

    def parse_poll(self, reply: Reply) -> Outcome:
        """What there is so far."""
        ...


# ── The gateway's errors (A2, A4, B6, M2) ──

MODERATION_CODES = frozenset(
    {"moderation_blocked", "content_policy_violation", "sensitive_words_detected", "prompt_blocked"}
)
MONEY_CODES = frozenset({"insufficient_user_quota", "pre_consume_token_quota_failed"})
# The provider had been reached: nobody knows what it did.
REACHED_CODES = frozenset(
    {
        "bad_response",
        "bad_response_body",
        "empty_response",
        "do_request_failed",
        "channel:response_time_exceeded",
    }
)
NEVER_CODES = frozenset({"invalid_request", "model_not_found", "convert_request_failed"})
REFUSED_STATUSES = frozenset(
    {300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 413, 415, 422, 501}
)
SAFETY = "The provider's safety rules refused this prompt. Reword it, or try another model."
SILENT = "No answer came that can be trusted, so it may or may not have been made."
BUSY = "The model is too busy at the moment."


def raise_for_error(reply: Reply) -> None:
    """Raise what the reply's error means for us; return if it carries none.

    RequestRefused or ContentRefused: never works so. ProviderBusy: came to nothing for sure.
    ProviderSilent: may be going on behind our back.
    """
    if reply.is_html:
        raise _for_page(reply)
    error = _envelope(reply)
    if reply.status < 300 and error is None:
        return
    raise _for_error(reply, error or {})


def _for_page(reply: Reply) -> ProviderError:
    """A page instead of an answer: a wrong address, or somebody in between gave up."""
    if reply.status in REFUSED_STATUSES:
        return RequestRefused(
            "The gateway does not know this address. Tell your administrator.",
            request_id=reply.request_id,
        )
    return ProviderSilent(SILENT, code="html", request_id=reply.request_id)


def _envelope(reply: Reply) -> dict[str, Any] | None:
    """The error in a body, whatever its form; None if there is none."""
    try:
        body = reply.json()
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, str) and error.strip():
        return {"code": body.get("code"), "message": error, **_unescaped(error)}
    if isinstance(error, dict) and error:
        return error
    if reply.status >= 400:
        return body
    return None


def _unescaped(error: str) -> dict[str, Any]:
    try:
        inner = json.loads(error)
    except ValueError:
        return {}
    if isinstance(inner, dict):
        return inner["error"] if isinstance(inner.get("error"), dict) else inner
    return {}


def _for_error(reply: Reply, error: dict[str, Any]) -> ProviderError:
    code = str(error.get("code") or "")[:80]
    facts: dict[str, Any] = {"code": code, "request_id": reply.request_id}
    said = _words(error.get("message"))
    if code in MODERATION_CODES:
        return ContentRefused(_safety(error), **facts)
    if code in MONEY_CODES or "quota is not enough" in said:
        return RequestRefused(
            "The studio's account at the gateway is out of money. Tell your administrator.", **facts
        )
    if reply.status == 429:
        return ProviderBusy(BUSY, retry_after=retry_after(reply), **facts)
    if reply.status == 401 or code == "API_KEY_INVALID":
        return RequestRefused(
            "The gateway refused the studio's key. Tell your administrator.", **facts
        )
    if code in NEVER_CODES or reply.status in REFUSED_STATUSES or reply.status < 300:
        return RequestRefused(_refusal(reply.status, code, error), **facts)
    if reply.status in {500, 502, 503} and error and code not in REACHED_CODES:
        return ProviderBusy(BUSY, retry_after=retry_after(reply), **facts)
    return ProviderSilent(SILENT, **facts)


def _words(message: Any) -> str:
    return message if isinstance(message, str) else json.dumps(message)[:2000] if message else ""


def _safety(error: dict[str, Any]) -> str:
    details = error.get("moderation_details")
    names = details.get("categories", []) if isinstance(details, dict) else []
    words = [
        name for name in names if isinstance(name, str) and re.fullmatch(r"[\w /-]{1,40}", name)
    ]
    return f"{SAFETY} What it named: {', '.join(words[:5])}." if words else SAFETY


def _refusal(status: int, code: str, error: dict[str, Any]) -> str:
    """A sentence of our own: what the gateway wrote may repeat the prompt."""
    if code == "model_not_found":
        return "The gateway has no such model at the moment. Try another one."
    if code == "convert_request_failed":
        return "The gateway cannot make images with this model in this way."
    if status == 413:
        return "What was sent is too large for the gateway."
    param = error.get("param")
    if isinstance(param, str) and re.fullmatch(r"[\w.\[\]]{1,40}", param):
        return f"The provider refused the field “{param}” of this request."
    return "The provider refused this request."


def retry_after(reply: Reply) -> float | None:
    """The pause that the other side asked for, in seconds, at most an hour."""
    said = reply.headers.get("retry-after", "").strip()
    if not said:
        return None
    try:
        pause = float(said)
    except ValueError:
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        pause = (until - datetime.now(UTC)).total_seconds()
    return min(max(pause, 0.0), 3600.0)


def unreadable(reply: Reply) -> BadReply:
    """What to raise for a reply that a parser cannot make sense of."""
    return BadReply(
        "The provider's answer could not be read. Nothing was charged to you.",
        code="unreadable",
        request_id=reply.request_id,
    )
