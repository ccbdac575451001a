"""A brief carried from its submit to its files, through a real gateway and the sandbox's clock.

What the life cycle does with rows and days, this does in a few lines and in no time: waiting
moves the sandbox's clock.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from generator.errors import LinkRefused, TaskUnknown
from generator.families import Family
from generator.providers import ADAPTERS, DIALOG_ADAPTERS, POLLING_ADAPTERS
from generator.providers.base import (
    Brief,
    Call,
    Dialog,
    Finished,
    InlineImage,
    LinkedImage,
    Outcome,
    Pending,
)
from generator.providers.gateway import Gateway
from generator.sandbox import Log, Sandbox, paint
from generator.sandbox.serve import serving

KEY = "sk-test1234"
PLENTY = "1000000"  # US dollars


class Clock:
    """A clock that whoever waits moves on; shared by the sandbox's threads."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since 1970, and what has been waited."""
        with self._lock:
            return time.time() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait, without waiting."""
        with self._lock:
            self._ahead += max(0.0, seconds)


class NotOver(Exception):
    """The task was not over after as many looks as were asked for; `last` is the last of them."""

    def __init__(self, last: Pending) -> None:
        super().__init__(f"still pending: {last}")
        self.last = last


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a brief. `task_id` is empty where the answer came at once."""

    finished: Finished
    files: tuple[bytes, ...] = field(repr=False)
    task_id: str = ""
    seen: tuple[Pending, ...] = ()


@dataclass(frozen=True, slots=True)
class Carrier:
    """A gateway, and the sandbox behind it on real sockets."""

    gateway: Gateway
    log: Log
    clock: Clock

    def carry(
        self, family: Family, brief: Brief, *, call: Call | None = None, looks: int = 60
    ) -> Carried:
        """Carry a brief to its end; `call` is sent in place of what the adapter makes of it.

        Raises what the gateway and the adapter raise, and NotOver after so many looks.
        """
        adapter = ADAPTERS[family.rule(brief.action).protocol]
        begun = self.clock.now()
        if call is None:
            outcome = self.gateway.submit(adapter, brief, deadline=30)
        else:
            outcome = adapter.parse_submit(self.gateway.send(call))
        task_id, seen = "", []
        for _ in range(looks):
            if isinstance(outcome, Finished):
                return Carried(outcome, self._files(outcome), task_id, tuple(seen))
            task_id = outcome.task_id
            if isinstance(outcome, Pending):
                seen.append(outcome)
            outcome = self._next(family, brief, outcome, begun)
        assert seen
        raise NotOver(seen[-1])

    def _next(self, family: Family, brief: Brief, outcome: Outcome, begun: float) -> Outcome:
        protocol = family.rule(brief.action).protocol
        match outcome:
            case Dialog(task_id=task_id):
                adapter = DIALOG_ADAPTERS[protocol]
                return self.gateway.answer(adapter, brief, task_id, deadline=30)
            case Pending(task_id=task_id):
                self.clock.sleep(family.poll_every)
                try:
                    return self.gateway.poll(POLLING_ADAPTERS[protocol], task_id, deadline=30)
                except TaskUnknown:
                    if self.clock.now() - begun > family.grace:
                        raise
                    return outcome
        raise AssertionError(outcome)

    def _files(self, finished: Finished) -> tuple[bytes, ...]:
        return tuple(
            image.data if isinstance(image, InlineImage) else self._fetched(image)
            for image in finished.images
        )

    def _fetched(self, image: LinkedImage) -> bytes:
        """What is behind a link; one that is given too early is tried again for a while."""
        for _ in range(30 if image.comes_later else 0):
            with contextlib.suppress(LinkRefused):
                return self.gateway.fetch(image.url, deadline=30)
            self.clock.sleep(4)
        return self.gateway.fetch(image.url, deadline=30)


@contextlib.contextmanager
def carrying(*, delay: float = 0.0, key: str = KEY) -> Iterator[Carrier]:
    """A carrier for the length of a block; `delay` is what a generation takes, in seconds of the
    sandbox's clock."""
    clock, log = Clock(), Log(balance=PLENTY)
    sandbox = Sandbox(KEY, log, delay=delay, clock=clock.now, sleep=clock.sleep)
    with paint.plainly(), serving(sandbox) as doors:
        gateway = Gateway(f"{doors.gateway}/v1", key=key, image_origins=[doors.images])
        try:
            yield Carrier(gateway, log, clock)
        finally:
            gateway.close()
