"""Fifty generations with trouble at the gateway and workers killed: the books end right."""

import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from generator import books, jobs, lifecycle
from generator.models import Generation, LedgerEntry, Status
from generator.sandbox import Log, Sandbox
from generator.sandbox.serve import serving
from tests.make import make_asked, make_entry, make_user
from tests.services.conftest import Stack, all_final, statuses, until
from tests.services.servers import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

TROUBLE = ["", "", "", " [busy 1]", " [refuse]", " [broken]", " [garbage]", " [empty]"]


@pytest.fixture
def stack(real_queue: Valkey, tmp_path: Path) -> Iterator[Stack]:
    """Valkey and a sandbox that takes half a second."""
    with serving(Sandbox(log=Log(), delay=0.5)) as doors:
        stack = Stack(real_queue, doors, tmp_path)
        try:
            yield stack
        finally:
            stack.stop()


def test_fifty_with_trouble_and_killed_workers_leave_a_drift_of_nought(stack: Stack) -> None:
    author, entry = make_user(), make_entry("dall-e-2")
    worker = stack.start_worker()
    begun = []
    for n in range(50):
        asked = make_asked(
            f"pebble {n}{TROUBLE[n % len(TROUBLE)]}", fields={"size": "256x256"}, count=1 + n % 3
        )
        team = author.personal_team
        begun.append(lifecycle.begin(author, team, entry, asked, batch=uuid.uuid4()))
        jobs.nudge()
    connection.close()
    for enough in (1, 15):
        until(lambda enough=enough: ended() >= enough, patience=40, what="some ends")
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker = stack.start_worker()
        assert books.prove() == []  # while the next is at it
    until(lambda: all_final(begun), patience=120, what="the end of all")
    assert books.prove() == []
    assert {Status.SUCCEEDED, Status.FAILED} >= set(statuses(begun))
    paid = sum(generation.cost or 0 for generation in Generation.objects.all())
    mine = LedgerEntry.objects.filter(account__user=author)
    assert sum(line.credits for line in mine) == -paid < 0


def ended() -> int:
    """How many have come to their end."""
    time.sleep(0.1)
    return Generation.objects.exclude(pk__in=Generation.objects.unfinished()).count()
