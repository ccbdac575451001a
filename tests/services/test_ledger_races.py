"""The ledger under many at once, from several processes, and under a worker that is killed.

On SQLite, and on PostgreSQL by `test_postgres.py`.
"""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from generator import books, lifecycle
from generator.errors import AlreadyMoved, StudioError
from generator.models import Generation, Kind, LedgerEntry, QuotaAccount, Status, Window
from tests.make import make_generation, make_user, set_cap
from tests.scripted import CAP, ScriptedGateway, left
from tests.services.conftest import _database_url
from tests.services.servers import ROOT
from tests.services.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 4
TOGETHER = 200


def start(module: str, *arguments: str, folder: Path) -> subprocess.Popen[str]:
    """A process of ours, on the test's database and files."""
    nobody = f"unix://{folder}/no-valkey.sock"
    facts = {"STUDIO_DATA": str(folder), "DATABASE_URL": _database_url(), "REDIS_URL": nobody}
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.services.{module}", *arguments],
        cwd=ROOT, env={**os.environ, **facts}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip


@pytest.mark.parametrize("prices", [[1], [3], [1, 3]], ids=str)
def test_of_two_hundred_at_once_for_the_last_ten_credits_those_that_fit_pass(
    prices: list[int], tmp_path: Path
) -> None:
    author = make_user()
    lifecycle.cancel(make_generation(author))  # accounts, totals and the entry are there
    account = set_cap(author.personal_team, author, window=Window.DAY, credits=10)
    go = tmp_path / "go"
    arguments = [str(go), str(author.pk), str(TOGETHER // PROCESSES), *map(str, prices)]
    connection.close()
    pressing = [start("pressing", *arguments, folder=tmp_path) for _ in range(PROCESSES)]
    for process in pressing:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    go.touch()
    accepted: Counter[int] = Counter()
    for process in pressing:
        said, _ = process.communicate(timeout=60)
        accepted.update({int(price): count for price, count in json.loads(said).items()})
    taken = sum(price * count for price, count in accepted.items())
    # Whoever comes is served as long as it fits: at the end not even the cheapest does.
    assert taken <= 10
    assert account.left(Window.DAY, author.personal_team.today()) == 10 - taken < min(prices)
    assert Generation.objects.unfinished().count() == sum(accepted.values())
    assert LedgerEntry.objects.filter(account=account).count() == 2 + sum(accepted.values())
    assert books.prove() == []


@pytest.mark.parametrize("moment", ["with the reply", "at the books"])
def test_a_worker_killed_between_the_image_and_the_settling_costs_once(
    moment: str, tmp_path: Path
) -> None:
    generation = make_generation(count=2)
    connection.close()
    with start("dying", moment, folder=tmp_path) as worker:
        assert worker.wait(60) == -signal.SIGKILL
    generation.refresh_from_db()
    assert not generation.is_final
    assert books.prove() == []
    Generation.objects.update(due_at=timezone.now())
    claimed = Generation.objects.claim(generation.pk, worker="w2", lease=timedelta(minutes=1))
    assert claimed
    assert lifecycle.advance(claimed, ScriptedGateway()) is None  # type: ignore[arg-type]
    assert (claimed.status, claimed.cost) == (Status.SUCCEEDED, 80)
    assert generation.images.count() == 2
    assert left(generation) == CAP - 80
    assert books.prove() == []


@pytest.mark.parametrize("verbs", ["settle settle", "release release", "settle release"])
def test_of_eight_who_close_a_reservation_at_once_one_does(verbs: str) -> None:
    generation = make_generation()
    account = QuotaAccount.objects.get(team=generation.team, user=generation.author)
    ways = {
        "settle": lambda: account.settle(generation, cost=30),
        "release": lambda: account.release(generation),
    }
    outcomes = race(*[ways[verb] for verb in verbs.split() * 4])
    (closing,) = [outcome for outcome in outcomes if isinstance(outcome, LedgerEntry)]
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 7
    today = generation.team.today()
    assert account.total(Window.DAY, today) == (-30 if closing.kind == Kind.SETTLE else 0)


def test_a_grant_sent_by_eight_at_once_is_given_once() -> None:
    author = make_user()
    account = QuotaAccount.objects.of(author.personal_team, author)
    key = uuid.uuid4()
    grants = race(*[lambda: account.grant(5, reason="a fair", by=None, key=key) for _ in range(8)])
    assert len({line.pk for line in grants if isinstance(line, LedgerEntry)}) == 1
    assert account.total(Window.EVER, author.personal_team.today()) == 5


def test_a_grant_sent_at_once_for_two_accounts_is_given_to_one() -> None:
    author = make_user()
    team, key = author.personal_team, uuid.uuid4()
    both = [QuotaAccount.objects.of(team, author), QuotaAccount.objects.pool(team)] * 4
    outcomes = race(
        *[lambda one=one: one.grant(5, reason="a fair", by=None, key=key) for one in both]
    )
    assert all(isinstance(outcome, LedgerEntry | StudioError) for outcome in outcomes)
    assert LedgerEntry.objects.count() == 1
    assert books.prove() == []


def test_given_back_by_eight_at_once_it_is_given_back_once() -> None:
    waiting = make_generation()
    same = [Generation.objects.get(pk=waiting.pk) for _ in range(8)]
    outcomes = race(
        *[lambda one=one: lifecycle.give_back(one, reason="x", by=None) for one in same]
    )
    assert outcomes.count(40) == 1
    assert sum(isinstance(outcome, AlreadyMoved) for outcome in outcomes) == 7
    assert books.prove() == []
