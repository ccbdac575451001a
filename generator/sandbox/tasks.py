"""Work in progress: what the protocols that answer with a task remember of it.

Kept in memory, bounded: a sandbox that is started again knows none of its tasks, as a provider
knows none that is over.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

_MOST = 5000
_ROOM = 256_000_000  # bytes of what came with them: some orders hold their images


@dataclass(frozen=True, slots=True)
class Task:
    """A task: begun at `started`, over at `ready` (seconds of the sandbox's clock).

    `word` is the trouble it is to make, `turn` how many charged calls its prompt had before, and
    `order` what its protocol needs to answer for it. `weight`: bytes of the request it came with.
    """

    id: str
    prompt: str
    word: str
    started: float
    ready: float
    turn: int = 0
    order: Any = field(default=None, repr=False)
    weight: int = 0

    def progress(self, now: float) -> float:
        """How far it is, from 0 to 1. One that is stuck never gets beyond a half."""
        if self.word in {"stuck", "odd"}:
            return min(0.5, max(0.0, (now - self.started) / 10))
        if now >= self.ready:
            return 1.0
        return max(0.0, (now - self.started) / (self.ready - self.started))


class Tasks:
    """Tasks by their id; safe to share between threads."""

    def __init__(self, now: Callable[[], float], room: int = _ROOM) -> None:
        self._now = now
        self._room = room
        self._weight = 0
        self._kept: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, task: Task) -> Task:
        """Remember a task, or its new state, by its id."""
        with self._lock:
            if (before := self._kept.pop(task.id, None)) is not None:
                self._weight -= before.weight
            self._kept[task.id] = task
            self._weight += task.weight
            while len(self._kept) > 1 and (len(self._kept) > _MOST or self._weight > self._room):
                self._weight -= self._kept.popitem(last=False)[1].weight
        return task

    def begin(
        self, prompt: str, word: str, seconds: float,
        *, order: Any, turn: int = 0, id: str = "", weight: int = 0,
    ) -> Task:  # fmt: skip
        """A new task that is over in so many seconds; its id is made up if none is given."""
        now = self._now()
        id = id or secrets.token_hex(16)
        task = Task(id, prompt, word, now, now + seconds, turn, order, weight)
        return self.add(task)

    def find(self, id: str) -> Task | None:
        """The task of this id; None if there is none, or if its trouble is to be gone."""
        with self._lock:
            task = self._kept.get(id)
        return None if task is None or task.word == "gone" else task

    def look_for(self, id: str, kind: type) -> Task | None:
        """The task that a look asks for, if its order is of this kind.

        None the first time for one that is late.
        """
        task = self.find(id)
        if task is None or not isinstance(task.order, kind):
            return None
        if task.word == "lag":
            self.change(id, word="")
            return None
        return task

    def change(self, id: str, **facts: Any) -> Task:
        """The same task with other facts, remembered."""
        with self._lock:
            task = self._kept[id] = replace(self._kept[id], **facts)
        return task
