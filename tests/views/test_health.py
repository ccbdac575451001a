"""What a load balancer is told: that the studio lives, and what it is waiting for."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import InterfaceError, connection
from django.test import Client

from generator import jobs
from generator.models import WorkerSeen, image_storage
from generator.models.storage import SignedFileStorage
from generator.views import health
from generator.views.health import BAD_FOR, GOOD_FOR, PROBE, STORAGE_GOOD_FOR, Part


class Server:
    """A queue whose server answers a ping, or does not."""

    up = True

    @property
    def connection(self) -> "Server":
        """Itself: it is all a ping needs."""
        return self

    def ping(self) -> bool:
        """As Valkey would."""
        if not self.up:
            raise redis.ConnectionError
        return True


@pytest.fixture(autouse=True)
def _fresh_verdicts() -> Iterator[None]:
    """No test hears what another was told."""
    parts: Any = health.PARTS.values()
    for part in parts:
        part.forget()
    yield
    for part in parts:
        part.forget()


@pytest.fixture
def server(db: None, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The queue's; with it, everything that a generation needs answers."""
    server = Server()
    monkeypatch.setattr(jobs, "_queue", lambda name: server)
    WorkerSeen.objects.beat("w1")
    return server


def ready() -> tuple[int, list[str]]:
    """What `/readyz` says: its status, and what is missing."""
    reply = Client().get("/readyz")
    return reply.status_code, reply.json()["missing"]


def gone(*args: Any) -> None:
    """As Django says it when the server closed the connection."""
    raise InterfaceError("connection already closed")


def test_a_web_process_that_answers_is_alive_whatever_else_is_gone(client: Client) -> None:
    assert client.get("/healthz").status_code == 200  # there is no database in this test


def test_the_studio_is_ready_when_all_that_it_needs_answers(server: Server) -> None:
    assert ready() == (200, [])


def test_a_database_that_is_gone_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    health.PARTS["worker"]()  # it asks the database too, and was seen a moment ago
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", gone)
        assert ready() == (503, ["database"])


def test_with_the_database_gone_nobody_knows_of_a_worker(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", gone)
        assert ready() == (503, ["database", "worker"])


def test_a_queue_that_is_gone_is_named(server: Server) -> None:
    server.up = False
    assert ready() == (503, ["queue"])


def test_a_storage_that_refuses_is_named(server: Server, tmp_path: Any) -> None:
    (tmp_path / "images").write_text("a file where the folder should be")
    assert ready() == (503, ["storage"])


def test_a_studio_without_a_worker_says_so(server: Server) -> None:
    WorkerSeen.objects.all().delete()
    assert ready() == (503, ["worker"])


def test_asking_often_writes_once(server: Server) -> None:
    storage = image_storage()
    assert isinstance(storage, SignedFileStorage)
    assert [ready()[0] for _ in range(3)] == [200, 200, 200]
    storage.delete(PROBE)
    assert ready() == (200, [])
    assert not storage.exists(PROBE)


# ── how long a verdict holds ──


class Looks:
    """Answers with `good`, and counts how often it was asked; the clock stands at `now`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.good = True
        self.count = 0
        self.now = 1000.0
        monkeypatch.setattr("generator.views.health.time.monotonic", lambda: self.now)

    def __call__(self) -> bool:
        self.count += 1
        return self.good


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """A part whose looks are counted."""
    return Looks(monkeypatch)


@pytest.mark.parametrize("good_for", [GOOD_FOR, STORAGE_GOOD_FOR])
def test_a_good_verdict_holds_for_its_time_and_no_longer(looks: Looks, good_for: float) -> None:
    part = Part(looks, good_for=good_for)
    assert part()
    looks.good = False
    looks.now += good_for - 0.1
    assert part()
    looks.now += 0.2
    assert not part()
    assert looks.count == 2


def test_a_studio_that_comes_up_is_ready_within_a_second(looks: Looks) -> None:
    part = Part(looks, good_for=STORAGE_GOOD_FOR)
    looks.good = False
    assert not part()
    looks.good = True
    assert not part()
    looks.now += BAD_FOR
    assert part()
    assert BAD_FOR <= 1


def test_a_part_that_hangs_holds_up_one_who_asks_and_no_more() -> None:
    hangs, over = threading.Event(), threading.Event()
    answers = iter((lambda: True, lambda: hangs.set() or over.wait(10)))
    part = Part(lambda: bool(next(answers)()), good_for=0)
    assert part()
    one = threading.Thread(target=part)
    one.start()
    assert hangs.wait(10)
    assert part()  # the last verdict stands meanwhile
    over.set()
    one.join()
