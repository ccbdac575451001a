"""What many threads do at the same moment: on SQLite, and on PostgreSQL by `test_postgres.py`.

Whatever a race would make on first use (accounts, totals, the row of a lock) is there before it,
and so are the connections: else that is what puts the racers in order.
"""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from generator import lifecycle, providers
from generator.errors import AlreadyMoved
from generator.models import (
    Generation,
    Kind,
    LedgerEntry,
    QuotaAccount,
    Status,
    Window,
    WindowTotal,
)
from generator.models.clock import Lock
from generator.models.storage import SignedFileStorage
from generator.providers.base import Pending
from tests.make import make_asked, make_entry, make_generation, make_picture, make_user
from tests.scripted import CAP, ScriptedGateway, images, left, links, look_again, run, take

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 10  # seconds for what must come about
A_MOMENT = 0.3  # seconds for what must not


def race(*jobs: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, all from the same moment: what they gave or raised."""
    together = threading.Barrier(len(jobs))

    def runner(job: Callable[[], object]) -> object:
        connection.ensure_connection()
        together.wait(PATIENCE)
        try:
            return job()
        except Exception as error:  # whatever a racer meets is what the test is about
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(runner, jobs))


# ── starting and claiming ──


@pytest.mark.parametrize("ceiling", ["studio_at_once", "provider_at_once", "member_at_once"])
def test_of_eight_workers_who_start_at_once_one_passes_a_ceiling_of_one(ceiling: str) -> None:
    author = make_user()
    for n in range(8):
        make_generation(author, prompt=str(n))
    Lock.objects.create(name="start")
    started = race(*[lambda n=n: take(f"w{n}", **{ceiling: 1}) for n in range(8)])
    assert sum(isinstance(outcome, Generation) for outcome in started) == 1
    assert started.count(None) == 7
    assert Generation.objects.under_way().count() == 1


def test_eight_workers_who_start_at_once_start_eight() -> None:
    author = make_user()
    for n in range(9):
        make_generation(author, prompt=str(n))
    Lock.objects.create(name="start")
    started = race(*[lambda n=n: take(f"w{n}") for n in range(8)])
    assert len({outcome.pk for outcome in started if isinstance(outcome, Generation)}) == 8


def test_of_eight_workers_who_claim_the_same_generation_one_gets_it() -> None:
    generation = make_generation(status=Status.RUNNING, due_at=timezone.now())
    lease = timedelta(minutes=1)

    def claim(worker: str) -> Generation | None:
        return Generation.objects.claim(generation.pk, worker=worker, lease=lease)

    claims = race(*[lambda n=n: claim(f"w{n}") for n in range(8)])
    (claimed,) = [outcome for outcome in claims if outcome is not None]
    assert isinstance(claimed, Generation)
    generation.refresh_from_db()
    assert (generation.claimed_by, generation.due_at) == (claimed.claimed_by, claimed.due_at)


# ── the books ──


def test_of_eight_who_close_the_same_generation_one_does() -> None:
    generation = make_generation()
    same = [Generation.objects.get(pk=generation.pk) for _ in range(8)]
    outcomes = race(*[lambda mine=mine: lifecycle.cancel(mine) for mine in same])
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, AlreadyMoved) for outcome in outcomes) == 7
    assert LedgerEntry.objects.filter(kind=Kind.RELEASE).count() == 2
    assert left(generation) == CAP


def test_the_totals_stay_the_sums_while_some_are_closed_and_others_begun() -> None:
    author, entry = make_user(), make_entry()
    there = [make_generation(author, prompt=str(n)) for n in range(7)]

    def begin(n: int) -> None:
        asked = make_asked(f"new {n}")
        lifecycle.begin(author, author.personal_team, entry, asked, batch=uuid.uuid4())

    closing = [lambda mine=mine: lifecycle.cancel(mine) for mine in there]
    opening = [lambda n=n: begin(n) for n in range(7)]
    assert race(*closing, *opening) == [None] * 14
    for total in WindowTotal.objects.all():
        assert total.credits == -7 * (entry.credits_each or 0)
        assert total.credits == sum(line.credits for line in total.account.entries.all())


def test_the_first_grants_of_an_account_can_come_together() -> None:
    author = make_user()
    team = author.personal_team
    account = QuotaAccount.objects.of(team, author)
    grants = race(*[lambda: account.grant(5, reason="a fair", by=None) for _ in range(8)])
    assert [grant for grant in grants if not isinstance(grant, LedgerEntry)] == []
    assert [account.total(window, team.today()) for window in Window] == [40, 40, 40]


# ── connections ──


def holds_a_connection() -> bool:
    """Whether this thread has a connection to the database."""
    return connection.connection is not None


class WatchfulStorage(SignedFileStorage):
    """Notes whether a connection is held while it saves."""

    held: list[bool] = []

    def save(self, *arguments: Any, **facts: Any) -> str:
        """Note, then save."""
        self.held.append(holds_a_connection())
        return super().save(*arguments, **facts)


class WatchfulGateway(ScriptedGateway):
    """Notes whether a connection is held during each of its calls."""

    def __init__(self, *answers: Any, **facts: Any) -> None:
        super().__init__(*answers, **facts)
        self.held: list[bool] = []
        self.during = lambda: self.held.append(holds_a_connection())

    def fetch(self, url: str, **limits: Any) -> bytes:
        """Note, then the file."""
        self.during()
        return super().fetch(url, **limits)


def test_no_connection_is_held_while_the_gateway_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No model of today's catalogue is polled; the step is the same for the first that will be.
    monkeypatch.setitem(providers.POLLING_ADAPTERS, "openai_images", object())
    url = "https://files.example/one.png"
    gateway = WatchfulGateway(Pending("t1"), links(url), files={url: make_picture()})
    make_generation()
    generation = run(gateway)
    assert holds_a_connection()
    assert look_again(generation, gateway).status == Status.SUCCEEDED
    assert gateway.held == [False, False, False]  # submit, poll, fetch


def test_no_connection_is_held_while_the_storage_is_awaited(settings: Any) -> None:
    kept = {**settings.STORAGES["images"], "BACKEND": f"{__name__}.WatchfulStorage"}
    settings.STORAGES = {**settings.STORAGES, "images": kept}
    WatchfulStorage.held.clear()
    make_generation(count=2)
    assert run(ScriptedGateway(images(2))).status == Status.SUCCEEDED
    assert WatchfulStorage.held == [False, False]


# ── the queue of SQLite's writers ──

on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="other databases have many writers"
)


class Writer(threading.Thread):
    """A thread that writes once; says when it asks the database, and when it is through."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.asks, self.through = threading.Event(), threading.Event()

    def run(self) -> None:
        """One transaction."""
        connection.ensure_connection()
        with connection.execute_wrapper(self._ask):
            with transaction.atomic():
                Lock.objects.create(name=self.name)
            self.through.set()
        connection.close()

    def _ask(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.asks.set()
        return execute(sql, *rest)


@on_sqlite
def test_a_second_writer_does_not_even_ask_before_the_first_is_done() -> None:
    second = Writer()
    with transaction.atomic():
        second.start()
        assert not second.asks.wait(A_MOMENT)
    assert second.through.wait(PATIENCE)
    second.join()


def commit() -> None:
    """A transaction that goes well."""
    with transaction.atomic():
        Lock.objects.create(name="mine")


def roll_back() -> None:
    """A transaction that is given up."""
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError


def close_within() -> None:
    """A transaction whose connection is closed."""
    with transaction.atomic():
        connection.close()


def fail_to_begin() -> None:
    """A transaction that the database does not begin."""

    def refuse(*_call: Any) -> None:
        raise DatabaseError

    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError), transaction.atomic():
        pass


@on_sqlite
@pytest.mark.parametrize("end", [commit, roll_back, close_within, fail_to_begin])
def test_however_a_writer_ends_the_next_has_its_turn(end: Callable[[], None]) -> None:
    connection.ensure_connection()
    end()
    after = Writer()
    after.start()
    assert after.through.wait(PATIENCE)
    after.join()
