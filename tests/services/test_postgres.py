"""The ledger, the life cycle, the claims and the races once more, on a real PostgreSQL."""

import os
import subprocess
import sys

import pytest

from tests.services import servers

RULES = [
    "tests/library",
    "tests/models",
    "tests/test_books.py",
    "tests/test_lifecycle.py",
    "tests/test_jobs.py",
    "tests/test_memory.py",
    "tests/test_steps.py",
    "tests/test_tasks.py",
    "tests/test_teaming.py",
    "tests/services/test_races.py",
    "tests/services/test_notices_at_once.py",
    "tests/test_noticing.py",
    "tests/services/test_ledger_races.py",
    "tests/services/test_caps_at_once.py",
]


@pytest.mark.postgres
@pytest.mark.skipif(not servers.postgres_programs(), reason="PostgreSQL is not on this machine")
def test_the_rules_hold_on_postgresql() -> None:
    with servers.postgres() as url:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *RULES],
            env={**os.environ, "DATABASE_URL": url},
            cwd=servers.ROOT,
            capture_output=True,
            text=True,
            timeout=480,
        )
    assert run.returncode == 0, run.stdout[-4000:]
    assert " passed" in run.stdout
