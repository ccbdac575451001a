"""Time in the sandbox: the clock, the waiting, and bodies that come too slowly or not whole.

Tests may hand in a clock and a sleep of their own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from generator.sandbox.wire import Answer

_LONGEST = 600.0  # seconds that a body without end goes on
_MOST = 2_000_000_000  # bytes of it


@dataclass(frozen=True, slots=True)
class Pace:
    """A clock (seconds since 1970) and a way to wait."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def wait_until(self, moment: float) -> None:
        """Sleep until a moment of this clock, if it is still to come."""
        left = moment - self.now()
        if left > 0:
            self.sleep(left)

    def spoiled(self, reply: Answer, word: str) -> Answer:
        """The answer with a body that is cut, endless or slow; unchanged for other words."""
        assert isinstance(reply.body, bytes)
        match word:
            case "half":
                half = reply.body[: len(reply.body) // 2]
                return replace(reply, body=half, length=len(reply.body))
            case "endless":
                return replace(reply, body=self._endless(reply.body))
            case "drip":
                return replace(reply, body=self._dripping(reply.body))
            case _:
                return reply

    def _endless(self, start: bytes) -> Iterator[bytes]:
        ends = self.now() + _LONGEST
        yield start[: len(start) // 2]
        piece = b"A" * 262_144
        for _ in range(_MOST // len(piece)):
            if self.now() > ends:
                return
            yield piece
            self.sleep(0.002)  # or one such body would keep a processor busy

    def _dripping(self, body: bytes) -> Iterator[bytes]:
        ends = self.now() + _LONGEST
        for place in range(len(body)):
            if self.now() > ends:
                return
            yield body[place : place + 1]
            self.sleep(0.5)
