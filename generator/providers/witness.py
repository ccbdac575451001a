"""Who remembers what came in answer to a call, for staff: without its secrets."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from generator.errors import ProviderError
from generator.providers.base import Call, Reply
from generator.providers.redacting import redacted, without

LARGE = 64 * 1024  # bytes: a reply of more is not held on to


@dataclass(frozen=True, slots=True)
class Heard:
    """What may be told of a reply. `status` is of HTTP, 0 where none came; `seconds` is how long
    it took, to its end, which was `at`."""

    status: int
    seconds: float
    request_id: str = ""
    text: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Witness:
    """Sees the replies to calls and can tell of the last. `hide` is what it never tells.

    A small one is only looked through when it is asked for: most looks never are.
    """

    def __init__(self, hide: Collection[str], *, at_once: bool = False) -> None:
        self._hide = tuple(hide)
        self._at_once = at_once
        self._heard: Heard | _Unread | None = None

    def watch(self, send: Callable[[Call], Reply], call: Call, *, key: str) -> Reply:
        """Send the call and see what comes. `key` is what it is sent with. Raises as `send`."""
        began = time.monotonic()
        try:
            reply = send(call)
        except ProviderError as error:
            self._heard = _nothing(error, time.monotonic() - began, self._hide)
            raise
        self._heard = _Unread(reply, time.monotonic() - began, key)
        if self._at_once or len(reply.body) > LARGE:
            self.heard()
        return reply

    @property
    def status(self) -> int | None:
        """The last reply's status of HTTP, 0 where none came; None if there was no call."""
        match self._heard:
            case _Unread(reply=reply):
                return reply.status
            case Heard(status=status):
                return status
            case None:
                return None

    def heard(self) -> Heard | None:
        """What there is to tell of the last reply; None if there was no call."""
        if isinstance(self._heard, _Unread):
            self._heard = _read(self._heard, self._hide)
        return self._heard


@dataclass(frozen=True, slots=True)
class _Unread:
    reply: Reply
    seconds: float
    key: str = field(repr=False)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def _read(unread: _Unread, hide: Collection[str]) -> Heard:
    reply, hide = unread.reply, (*hide, unread.key)
    name = without(reply.request_id, hide=hide)
    return Heard(reply.status, unread.seconds, name, redacted(reply, hide=hide), unread.at)


def _nothing(error: ProviderError, seconds: float, hide: Collection[str]) -> Heard:
    """The words of an error without a reply are the studio's own."""
    text = f"No answer came: {error}" + (f" ({error.code})" if error.code else "")
    return Heard(0, seconds, error.request_id, without(text, hide=hide))
