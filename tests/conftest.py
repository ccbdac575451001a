"""What tests share: people, a team, and a gateway wired to the sandbox."""

from pathlib import Path
from typing import Any

import pytest

from generator import live
from generator.models import Team, User
from tests.make import make_entry, make_team, make_user


@pytest.fixture(autouse=True)
def _a_house_of_its_own(settings: Any, tmp_path: Path) -> None:
    """Files of a test lie in its own folder, and nothing reaches a queue that happens to run."""
    settings.DATA = tmp_path
    settings.SPOOL = tmp_path / "spool"
    settings.STORAGES = {
        **settings.STORAGES,
        "images": {
            "BACKEND": "generator.models.storage.SignedFileStorage",
            "OPTIONS": {"location": tmp_path / "images", "allow_overwrite": True},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.REDIS_URL = f"unix://{tmp_path}/no-valkey.sock"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    live._client.cache_clear()


@pytest.fixture
def member(db: None) -> User:
    """Somebody who may make images."""
    return make_user("member")


@pytest.fixture
def team(member: User) -> Team:
    """The member's team, with gpt-image-2 in the catalogue."""
    make_entry()
    return make_team(member, slug="northlight")


class FakeQueue:
    """Remembers what was enqueued."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[str, ...]]] = []

    def enqueue(self, job: Any, *args: str) -> None:
        """Keep the name of the job and its arguments."""
        self.sent.append((job.__name__, args))

    count = 0


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    """A queue of five lines in place of Valkey's."""
    from generator import jobs

    fake = FakeQueue()
    monkeypatch.setattr(jobs, "_queue", lambda name: fake)
    return fake
