"""What tests share: people, a team, and a gateway wired to the sandbox."""

from pathlib import Path
from typing import Any

import pytest

from generator import live
from generator.models import ImageAsset, ReferenceImage, Team, User, image_storage
from tests.make import make_entry, make_team, make_user


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright leaves an event loop running in the main thread."""
    browser = Path(__file__).parent / "browser"
    items.sort(key=lambda item: browser in item.path.parents)


@pytest.fixture(autouse=True)
def _a_house_of_its_own(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    # A field asks for its storage once, when its class is made.
    for model in (ImageAsset, ReferenceImage):
        monkeypatch.setattr(model._meta.get_field("file"), "storage", image_storage())
    settings.STATIC_ROOT = tmp_path  # it must be there, or whitenoise warns
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

    @property
    def connection(self) -> "FakeQueue":
        """What is asked whether the queue is there."""
        return self

    def ping(self) -> bool:
        """It is."""
        return True


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    """A queue of five lines in place of Valkey's."""
    from generator import jobs

    fake = FakeQueue()
    monkeypatch.setattr(jobs, "_queue", lambda name: fake)
    return fake


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A test database that other threads and processes can open too."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"] == "generator.sqlite":
        database.setdefault("TEST", {})["NAME"] = str(
            tmp_path_factory.mktemp("db") / "test.sqlite3"
        )
