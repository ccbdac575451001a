"""A studio of real parts: Valkey, a worker in a process of its own, the sandbox on real sockets."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django_rq.queues import get_queue

from generator import jobs, live
from generator.models import Generation, Status
from tests.services import servers
from tests.services.servers import ROOT, Valkey, until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies here is a services test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.services)


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """A real S3 server: the environment that names it."""
    with servers.seaweed() as environment:
        yield environment


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A real Valkey."""
    with servers.valkey() as server:
        yield server


class Stack:
    """The processes of a studio, over the test's own database."""

    def __init__(self, valkey: Valkey, sandbox: Any, folder: Path) -> None:
        self.valkey = valkey
        self.sandbox = sandbox
        self.workers: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "STUDIO_DATA": str(folder),
            "DATABASE_URL": _database_url(),
            "REDIS_URL": valkey.url,
            "COMETAPI_BASE_URL": sandbox.gateway,
            "COMETAPI_KEY": "sk-sandbox-key",
            "COMETAPI_IMAGE_ORIGINS": sandbox.images,
            "STUDIO_WORKER_LOST_AFTER": "6",
            "STUDIO_SWEEP_EVERY": "1",
            "STUDIO_MEMBER_AT_ONCE": "200",
        }

    def start_worker(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker in a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker", *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdout=subprocess.DEVNULL,
        )
        self.workers.append(process)
        return process

    def stop(self) -> None:
        """End every worker."""
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()


def _database_url() -> str:
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    return f"postgres://{facts['USER']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"


def all_final(generations: list[Generation]) -> bool:
    """Whether every one of them has come to its end."""
    keys = [generation.pk for generation in generations]
    return not Generation.objects.filter(pk__in=keys).unfinished().exists()


def statuses(generations: list[Generation]) -> list[Status]:
    """Where they stand now, in order."""
    now = Generation.objects.in_bulk([generation.pk for generation in generations])
    return [Status(now[generation.pk].status) for generation in generations]


__all__ = ["Stack", "all_final", "statuses", "until"]


@pytest.fixture
def real_queue(valkey: Valkey, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Valkey:
    """This process sends to the real Valkey."""
    settings.REDIS_URL = valkey.url
    live._client.cache_clear()

    def queue(name: str) -> Any:
        return get_queue(name, commit_mode="auto", connection=_client(valkey))

    monkeypatch.setattr(jobs, "_queue", queue)
    return valkey


def _client(valkey: Valkey) -> Any:
    import redis

    return redis.Redis.from_url(valkey.url)
