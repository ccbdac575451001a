"""A gateway that answers what a test tells it to."""

from collections.abc import Callable
from typing import Any

from generator.providers.base import Brief, Finished, InlineImage, LinkedImage, Outcome
from tests.make import make_picture

Answer = Outcome | Exception


class ScriptedGateway:
    """Gives the next of its answers to each submit or poll, and its files to each fetch."""

    def __init__(self, *answers: Answer, files: dict[str, bytes | Exception] | None = None) -> None:
        self.answers = list(answers)
        self.files = files or {}
        self.submitted: list[Brief] = []
        self.polled: list[str] = []
        self.during: Callable[[], None] = lambda: None

    def submit(self, adapter: Any, brief: Brief, *, deadline: float) -> Outcome:
        """The next answer, as to a paid call."""
        self.submitted.append(brief)
        return self._next()

    def poll(self, adapter: Any, task_id: str, *, deadline: float = 60) -> Outcome:
        """The next answer, as to a free look."""
        self.polled.append(task_id)
        return self._next()

    def fetch(self, url: str, **limits: Any) -> bytes:
        """The file behind this address."""
        file = self.files[url]
        if isinstance(file, Exception):
            raise file
        return file

    def _next(self) -> Outcome:
        self.during()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def images(count: int = 1, **facts: Any) -> Finished:
    """An answer with this many images inside."""
    return Finished(tuple(InlineImage(make_picture(64 + n, 48)) for n in range(count)), **facts)


def links(*urls: str) -> Finished:
    """An answer with these links."""
    return Finished(tuple(LinkedImage(url) for url in urls))
