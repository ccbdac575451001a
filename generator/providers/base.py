"""The values that cross the wire's border, and the Protocols that an adapter keeps to."""

import binascii
import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, runtime_checkable

from generator.providers.cleaning import clean

JSON = Any  # whatever json.loads gives; it ends in the adapter
LARGEST_IMAGE = 64 * 1024 * 1024  # bytes, decoded
LONGEST_PAUSE = 3600.0  # seconds
LONGEST_PROMPT = 32_000  # characters of a prompt as the provider rewrote it

# In this order; the CDN's own `cf-ray` comes last, where no other is found (A3).
_ID_HEADERS = ("x-oneapi-request-id", "x-request-id")
_ID = re.compile(r"[\w.:-]{1,120}")
_ID_IN_TEXT = re.compile(rb"request id:\s*([0-9A-Za-z-]{1,120})", re.IGNORECASE)
_HEAD = 65536  # bytes of a body that are searched for a request id


@dataclass(frozen=True, slots=True)
class Reference:
    """An image that goes along with a brief: its bytes, already within the family's limits.

    `link` is an address from which the provider can fetch it for an hour; it is empty where the
    deployment's storage cannot be reached from outside.
    """

    data: bytes = field(repr=False)
    content_type: str
    file_name: str
    link: str = field(default="", repr=False)

    @property
    def base64(self) -> str:
        """The bytes in base64, without a prefix (Gemini, Kling, BFL: K18)."""
        return binascii.b2a_base64(self.data, newline=False).decode("ascii")

    @property
    def data_uri(self) -> str:
        """The bytes as a `data:` URI, the format's name in lower case (Seedream, Midjourney)."""
        return f"data:{self.content_type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class Parent:
    """What a brief starts from: the provider's task, which of its images (from 0), and the
    adapter's own `Finished.memory` of it, as it was kept."""

    task_id: str = ""
    position: int = 0
    memory: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Button:
    """Something a provider offers to do next with what it made (Midjourney's buttons, F4).

    `id` is the provider's own, `label` for people, `action` one of the studio's actions.
    `asks`: what its dialog wants: "" (no dialog), "prompt", or "mask" (a mask and a prompt).
    """

    id: str
    label: str
    action: str
    asks: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """What an adapter is told. `fields` are the family's fields as cleaned, without the count.

    `mask` has one meaning everywhere: a PNG of one grey channel, as large as the first reference,
    white where the image is to change and black where it is to stay. `styles` are references for
    the look alone. `button` is the id of the parent's button that was pressed.
    """

    action: str
    prompt: str = field(repr=False)
    wire_model: str
    fields: Mapping[str, JSON]
    count: int = 1
    references: tuple[Reference, ...] = ()
    mask: Reference | None = None
    parent: Parent | None = None
    button: str = ""
    styles: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request not yet sent; `path` begins at the gateway's root.

    Either `json`, or `data` and `files` (form field, file) for multipart. `deadline` is in
    seconds and for everything, from the first connection to the last byte.
    """

    method: str
    path: str
    json: Mapping[str, JSON] | None = field(default=None, repr=False)
    data: Mapping[str, str] | None = field(default=None, repr=False)
    files: tuple[tuple[str, Reference], ...] = ()
    deadline: float = 600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response received whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """A header by its name in any case; empty if it is not there."""
        wanted = name.lower()
        return next((said for own, said in self.headers.items() if own.lower() == wanted), "")

    @property
    def is_page(self) -> bool:
        """Whether it is a web page (or other markup) where an answer was due (A2, K5)."""
        return "html" in self.header("content-type").lower() or self.body.lstrip()[:1] == b"<"

    def json(self) -> JSON:
        """The body as JSON, fit to be stored. Raises ValueError for anything else."""
        return clean(json.loads(self.body))

    @property
    def request_id(self) -> str:
        """What the gateway's support asks for (A3); empty if nobody named one."""
        for name in _ID_HEADERS:
            if _ID.fullmatch(said := self.header(name)):
                return said
        if found := _ID_IN_TEXT.search(self.body, 0, _HEAD):
            return found[1].decode()
        ray = self.header("cf-ray")
        return ray if _ID.fullmatch(ray) else ""

    @property
    def retry_after(self) -> float | None:
        """The pause it asks for, in seconds, at most an hour; None if it asks for none."""
        said = self.header("retry-after").strip()
        if not said:
            return None
        try:
            pause = float(said)
        except ValueError:
            try:
                # Against the sender's own clock: ours may be another.
                pause = _moment(said) - (_moment(self.header("date")) or time.time())
            except (ValueError, OverflowError):
                return None
        return min(max(pause, 0.0), LONGEST_PAUSE) if math.isfinite(pause) else None


def _moment(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() if date else 0.0


@dataclass(frozen=True, slots=True)
class InlineImage:
    """An image that came inside the reply, decoded; at most LARGEST_IMAGE bytes."""

    data: bytes = field(repr=False)
    revised_prompt: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LinkedImage:
    """An image behind a link that will not live long.

    `comes_later`: the link is given before the image is there (H2), so that "not found" means
    "not yet" until the family's deadline.
    """

    url: str = field(repr=False)
    revised_prompt: str = field(default="", repr=False)
    comes_later: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider has it; come back with the task id. `progress` in per cent, if it says.

    `usage`: what the answer to the submit says it takes; the end may say it anew.
    """

    task_id: str
    note: str = ""
    progress: int | None = None
    request_id: str = ""
    usage: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialog:
    """The provider waits for an answer before it works (Midjourney's modal, F2, F4).

    The answer is what `build_continue` makes, a paid step like a submit.
    """

    task_id: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """What was made. `used` is what the provider says it did (by the names of the family's
    fields where it is one of them), `texts` what *describe* gives or what was said beside images.

    `usage` is what it says it took (see `read_usage`). `failed_members` counts the images that
    were asked for and did not come out, and `problem` is a sentence for people why. `buttons` are
    what can be done next; `memory` is what this adapter wants to be handed back with `Parent`.
    """

    images: tuple[InlineImage | LinkedImage, ...]
    texts: tuple[str, ...] = ()
    used: Mapping[str, JSON] = field(default_factory=dict)
    usage: Mapping[str, JSON] = field(default_factory=dict)
    request_id: str = ""
    buttons: tuple[Button, ...] = ()
    memory: bytes | None = field(default=None, repr=False)
    failed_members: int = 0
    problem: str = ""


Outcome = Pending | Dialog | Finished


class Adapter(Protocol):
    """A module that speaks one wire protocol.

    ACTIONS are the studio's actions that it knows, FIELDS the family fields that it can say.
    """

    ACTIONS: frozenset[str]
    FIELDS: frozenset[str]

    def build_submit(self, brief: Brief) -> Call:
        """The paid call. Raises RequestRefused for what the protocol has no words for."""
        ...

    def parse_submit(self, reply: Reply) -> Outcome:
        """What came of it. Raises a ProviderError; KeyError and its like mean unreadable."""
        ...


@runtime_checkable
class RememberingAdapter(Adapter, Protocol):
    """One whose provider keeps nothing, so that what was sent is part of what to remember."""

    def remember(self, call: Call, finished: Finished) -> Finished:
        """The same with its whole memory. Never raises: it is paid for."""
        ...


class PollingAdapter(Adapter, Protocol):
    """One whose provider answers with a task to come back for."""

    def build_poll(self, task_id: str) -> Call:
        """The free look."""
        ...

    def parse_poll(self, reply: Reply) -> Outcome:
        """What there is so far. Raises as `parse_submit` does, and TaskUnknown for a task that
        the provider does not know (yet, or any more): how long that is borne is not its matter."""
        ...


class DialogAdapter(PollingAdapter, Protocol):
    """One whose provider may ask back before it works."""

    def build_continue(self, brief: Brief, task_id: str) -> Call:
        """The paid answer to a dialog; its reply is read by `parse_submit`."""
        ...
