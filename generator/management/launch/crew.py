"""The processes of a studio, run together: honcho's manager, with an ending of our own.

Honcho starts each command in a shell and hands on what it prints. What differs here: nothing is
printed about ordinary life; the ending has two waves, so that a worker can finish a call that it
has made before the gateway's stand-in and Valkey go; and nothing outlives us, however we end.
"""

import ctypes
import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from threading import Thread
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.process import Popen, Process

from generator.management.launch import CannotStart
from generator.management.launch.chatter import Chatter

SECOND_WAVE = ("sandbox", "valkey")
FIRST_WAVE_TAKES = 5.0  # seconds that the others may take to end
ALL_TAKE = 7.0  # seconds after which what is left is killed
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Crew(Manager):  # type: ignore[misc]
    """Runs commands until a signal comes or one of them ends, and then ends all.

    `ready` is called on a thread once all are started; when it returns, `on_ready` is called on
    ours. A CannotStart out of `ready` ends everything.
    """

    def __init__(
        self, chatter: Chatter, *, ready: Callable[[], None], on_ready: Callable[[], None]
    ) -> None:
        super().__init__(printer=chatter)
        self._process_ctor = _Member
        self._chatter = chatter
        self._ready = ready
        self._on_ready = on_ready
        self._outcome: queue.SimpleQueue[CannotStart | None] = queue.SimpleQueue()
        self._asked = 0  # signals received
        self._ending_since: float | None = None
        self._told: set[str] = set()
        self.fault = ""

    def loop(self) -> None:
        """Run to the end. `fault` then says what went wrong; nothing if we were asked to end."""
        for number in ENDINGS:
            signal.signal(number, self._ask_to_end)
        try:
            self._start()
            Thread(target=self._wait_until_ready, daemon=True).start()
            while not self._all_stopped():
                self._take_message()
                self._look_at_readiness()
                if self._all_started():
                    self._end_if_due()
        finally:
            if not self._all_stopped():
                self._killall(force=True)

    def _ask_to_end(self, signum: int, frame: FrameType | None) -> None:
        self._asked += 1

    def _take_message(self) -> None:
        try:
            message = self.events.get(timeout=0.1)
        except queue.Empty:
            self._look_for_lost()
            return
        match message.type:
            case "line":
                self._chatter.write(message)
            case "start":
                self._processes[message.name]["pid"] = message.data["pid"]
            case "stop":
                self._has_stopped(message.name, message.data["returncode"])

    def _look_for_lost(self) -> None:
        # Whoever watches a process may be killed, and the process dies with it, unannounced.
        for name, one in self._processes.items():
            if "returncode" not in one and not one["process"].is_alive():
                one.setdefault("pid", one["process"].pid)
                self._has_stopped(name, -signal.SIGKILL)

    def _has_stopped(self, name: str, code: int) -> None:
        self._processes[name]["returncode"] = code
        if self._ending_since is None and not self._asked:
            self.fault = self._obituary(name, code)

    def _obituary(self, name: str, code: int) -> str:
        why = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        said = "".join(f"\n    {line}" for line in self._chatter.last_words(name))
        last = f" Its last words:{said}" if said else ""
        log = self._chatter.log_of(name)
        return f"{name} ended by itself ({why}).{last}\n  All it said is in {log}"

    def _wait_until_ready(self) -> None:
        try:
            self._ready()
        except CannotStart as error:
            self._outcome.put(error)
        else:
            self._outcome.put(None)

    def _look_at_readiness(self) -> None:
        if self._outcome.empty() or self._ending_since is not None or self._asked:
            return
        error = self._outcome.get()
        if error is None:
            self._on_ready()
        else:
            self.fault = str(error)

    def _end_if_due(self) -> None:
        if self._ending_since is None:
            if not (self._asked or self.fault):
                return
            self._ending_since = time.monotonic()
        passed = time.monotonic() - self._ending_since
        first = [name for name in self._processes if name not in SECOND_WAVE]
        self._tell(first)
        if passed > FIRST_WAVE_TAKES or not any(map(self._lives, first)):
            self._tell(list(SECOND_WAVE))
        if passed > ALL_TAKE or self._asked > 1:
            self._killall(force=True)

    def _lives(self, name: str) -> bool:
        return name in self._processes and "returncode" not in self._processes[name]

    def _tell(self, names: list[str]) -> None:
        # Once each: to a worker a second signal means to drop what it does.
        for name in names:
            if self._lives(name) and name not in self._told:
                self._told.add(name)
                self._procmgr.terminate(self._processes[name]["pid"])

    def _system_print(self, data: str) -> None:
        """Nothing: that processes start and stop is not news."""


class _Member(Process):  # type: ignore[misc]
    """Watches one command, from a process of its own; ends with us, and the command with it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parent = os.getpid()
        self._child_ctor = _child

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Run the command, and send on what it says, until it ends."""
        for number in ENDINGS:  # those reach the whole terminal; we stay to tell the end
            signal.signal(number, signal.SIG_IGN)
        _die_with(self._parent)
        super().run(events, ignore_signals)


def _child(command: str, **kwargs: Any) -> Any:
    return Popen(command, preexec_fn=partial(_become_child, os.getpid()), **kwargs)


def _become_child(parent: int) -> None:
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
    _die_with(parent)


def _die_with(parent: int) -> None:
    """Be killed when the parent is gone (Linux only): what is paid for stands in the database."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
