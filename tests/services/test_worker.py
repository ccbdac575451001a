"""The whole way through a real Valkey, a real worker process and real sockets."""

import signal
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from generator import jobs, lifecycle
from generator.models import Generation, ImageAsset, LedgerEntry, Status, User, image_storage
from generator.sandbox import Log, Sandbox
from generator.sandbox.serve import serving
from tests.make import make_asked, make_entry, make_user
from tests.services.conftest import Stack, all_final, statuses, until
from tests.services.servers import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log() -> Log:
    """What the sandbox was asked."""
    return Log()


@pytest.fixture
def stack(real_queue: Valkey, log: Log, tmp_path: Path, settings: Any) -> Iterator[Stack]:
    """Valkey and the sandbox run; workers are started by the test."""
    sandbox = Sandbox(log=log, delay=1.0)
    with serving(sandbox) as doors:
        stack = Stack(real_queue, doors, tmp_path)
        try:
            yield stack
        finally:
            stack.stop()


@pytest.fixture
def author(db: None) -> User:
    """Who sends."""
    return make_user()


def send(
    author: User, *prompts: str, wire_model: str = "dall-e-2", nudge: bool = True
) -> list[Generation]:
    entry = make_entry(wire_model)
    begun = []
    for prompt in prompts:
        asked = make_asked(prompt, fields={"size": "256x256"})
        begun.append(
            lifecycle.begin(author, author.personal_team, entry, asked, batch=uuid.uuid4())
        )
        if nudge:
            jobs.nudge()
    connection.close()
    return begun


def sent(log: Log) -> Counter[str]:
    """How often the gateway was asked for each prompt, whatever came of it."""
    calls = [request for request in log.requests if request.path == "/v1/images/generations"]
    return Counter(str((call.json or {}).get("prompt")) for call in calls)


def test_a_prompt_becomes_a_kept_image(stack: Stack, author: User) -> None:
    stack.start_worker()
    stack.start_worker("pictures")
    (generation,) = send(author, "a teapot")
    until(lambda: all_final([generation]), what="the end")
    assert statuses([generation]) == [Status.SUCCEEDED]
    asset = ImageAsset.objects.get()
    assert (asset.width, asset.height, asset.format) == (256, 256, "png")
    until(lambda: ImageAsset.objects.get().thumbnails_at, what="the thumbnails")
    assert image_storage().exists(asset.thumbnail_key("small"))


def test_a_killed_worker_loses_nothing_and_nothing_is_sent_twice(
    stack: Stack, author: User, log: Log
) -> None:
    worker = stack.start_worker()
    generations = send(author, *(f"pebble {n}" for n in range(20)))
    until(lambda: len(sent(log)) >= 20, what="the twenty calls")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert Status.SUBMITTING in statuses(generations)
    stack.start_worker()
    until(lambda: all_final(generations), patience=40, what="the end of all twenty")
    assert set(sent(log).values()) == {1}
    assert len(sent(log)) == 20
    ends = Counter(statuses(generations))
    assert set(ends) <= {Status.SUCCEEDED, Status.FAILED}
    for generation in Generation.objects.all():
        assert generation.status == Status.SUCCEEDED or generation.reason_code == "lost"
        closing = generation.entries.filter(kind__in=["settle", "release"])
        assert closing.count() == 2
    total = sum(entry.credits for entry in LedgerEntry.objects.filter(account__user=author))
    assert total == -20 * ends[Status.SUCCEEDED]


def test_a_worker_killed_before_anything_was_sent_leaves_all_to_the_next(
    stack: Stack, author: User, log: Log
) -> None:
    generations = send(author, "one", "two", "three")
    stack.start_worker()
    until(lambda: all_final(generations), what="the end")
    assert statuses(generations) == [Status.SUCCEEDED] * 3
    assert set(sent(log).values()) == {1}


def test_with_valkey_gone_a_prompt_is_kept_and_goes_out_when_it_is_back(
    stack: Stack, author: User
) -> None:
    stack.start_worker()
    first = send(author, "before")
    until(lambda: all_final(first), what="the first")
    stack.valkey.kill()
    generations = send(author, "while it is away")
    assert statuses(generations) == [Status.QUEUED]
    stack.valkey.start()
    until(lambda: all_final(generations), patience=40, what="the end")
    assert statuses(generations) == [Status.SUCCEEDED]


def test_valkey_killed_under_running_work_loses_none_of_it(
    stack: Stack, author: User, log: Log
) -> None:
    stack.start_worker()
    generations = send(author, *(f"pebble {n}" for n in range(6)))
    until(lambda: len(sent(log)) >= 6, what="the calls")
    stack.valkey.kill()
    until(lambda: all_final(generations), patience=30, what="the end")
    stack.valkey.start()
    assert statuses(generations) == [Status.SUCCEEDED] * 6
    assert set(sent(log).values()) == {1}


def test_a_nudge_that_was_never_sent_is_made_up_by_the_sweep(stack: Stack, author: User) -> None:
    generations = send(author, "the web process died here", nudge=False)
    stack.start_worker()
    until(lambda: all_final(generations), what="the end")
    assert statuses(generations) == [Status.SUCCEEDED]


def test_a_worker_told_to_end_finishes_what_runs(stack: Stack, author: User, log: Log) -> None:
    worker = stack.start_worker()
    generations = send(author, *(f"pebble {n}" for n in range(4)))
    until(lambda: len(sent(log)) >= 4, what="the calls")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert statuses(generations) == [Status.SUCCEEDED] * 4


def test_a_busy_model_is_asked_again_and_paid_once(stack: Stack, author: User, log: Log) -> None:
    stack.start_worker()
    generations = send(author, "a teapot [busy 2]")
    until(lambda: all_final(generations), patience=30, what="the end")
    assert statuses(generations) == [Status.SUCCEEDED]
    assert Generation.objects.get().attempts == 3
    assert sent(log).total() == 3
    assert log.paid_calls == 1
