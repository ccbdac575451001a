"""A gateway that answers what a test tells it to, and a clock turned by hand."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from generator import lifecycle
from generator.errors import ProviderBusy
from generator.models import Generation, QuotaAccount, Window
from generator.models.turns import take_next
from generator.providers.base import Brief, Finished, InlineImage, LinkedImage, Outcome
from generator.providers.directory import Balance
from tests.make import make_picture

Answer = Outcome | Exception


class ScriptedGateway:
    """Gives the next of its answers to each submit or poll, and its files to each fetch."""

    def __init__(self, *answers: Answer, files: dict[str, bytes | Exception] | None = None) -> None:
        self.answers = list(answers)
        self.files = files or {}
        self.submitted: list[Brief] = []
        self.polled: list[str] = []
        self.answered: list[tuple[str, Brief]] = []
        self.during: Callable[[], None] = lambda: None

    def submit(
        self, adapter: Any, brief: Brief, *, deadline: float, witness: Any = None
    ) -> Outcome:
        """The next answer, as to a paid call."""
        self.submitted.append(brief)
        return self._next()

    def answer(
        self, adapter: Any, brief: Brief, task_id: str, *, deadline: float, witness: Any = None
    ) -> Outcome:
        """The next answer, as to what is said in a dialog."""
        self.answered.append((task_id, brief))
        return self._next()

    def poll(self, adapter: Any, task_id: str, *, witness: Any = None) -> Outcome:
        """The next answer, as to a free look."""
        self.polled.append(task_id)
        return self._next()

    def fetch(self, url: str, **limits: Any) -> bytes:
        """The file behind this address."""
        file = self.files[url]
        if isinstance(file, Exception):
            raise file
        return file

    def balance(self, *, deadline: float) -> Balance:
        """No gateway of this kind says what is left."""
        raise ProviderBusy("Ask somebody else.")

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


CAP = 10_000  # credits a month that a test's member starts with


def left(generation: Generation) -> int | None:
    account = QuotaAccount.objects.of(generation.team, generation.author)
    return account.left(Window.MONTH, generation.team.today())


def take(worker: str = "w1", **ceilings: int) -> Generation | None:
    limits = {"member_at_once": 8, "studio_at_once": 50, "provider_at_once": 50, **ceilings}
    return take_next(worker=worker, lease_margin=timedelta(minutes=1), **limits)


def run(gateway: ScriptedGateway) -> Generation:
    """Take the next generation and its steps until one has to wait."""
    generation = take()
    assert generation
    pause = lifecycle.submit(generation, gateway)  # type: ignore[arg-type]
    while pause == 0:
        pause = lifecycle.advance(generation, gateway)  # type: ignore[arg-type]
    generation.refresh_from_db()
    return generation


def age(generation: Generation, seconds: float) -> None:
    """Let it have begun so long ago."""
    started = timezone.now() - timedelta(seconds=seconds)
    Generation.objects.filter(pk=generation.pk).update(started_at=started)


def look_again(generation: Generation, gateway: ScriptedGateway) -> Generation:
    """As the clock would: when it is due, claim it and take one step."""
    Generation.objects.filter(pk=generation.pk).update(due_at=timezone.now())
    claimed = Generation.objects.claim(generation.pk, worker="w2", lease=timedelta(minutes=1))
    assert claimed
    pause = lifecycle.advance(claimed, gateway)  # type: ignore[arg-type]
    while pause == 0:
        pause = lifecycle.advance(claimed, gateway)  # type: ignore[arg-type]
    claimed.refresh_from_db()
    return claimed
