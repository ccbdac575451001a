"""A real Chromium before a real server.

`site` is the web server alone, in a thread of the test: enough for accounts and the admin.
`studio` is all of it, each part a process of its own: the web server, both workers, Valkey and
the sandbox. Those start once; each test finds an empty database under them.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from django.apps import AppConfig
from django.conf import settings as django_settings
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import transaction
from django.db.models.signals import post_migrate
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from generator import jobs
from generator.models import Chore, Generation, ImageAsset, Team, User, WorkerSeen, image_storage
from generator.sandbox import Log, Sandbox
from generator.sandbox.serve import serving
from tests.make import PASSWORD, add_member, make_entry, make_team, make_user
from tests.services import servers
from tests.services.conftest import Stack
from tests.services.servers import ROOT, until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = Path(__file__).parent
DELAY = 1.0  # seconds the sandbox takes for an image
PATIENCE = 15_000  # milliseconds that a page may take to come to what a test expects
# whitenoise hands files over in one piece, which Django remarks on under ASGI.
WHITENOISE = "ignore:StreamingHttpResponse must consume synchronous iterators"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What every test in this folder needs."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))
            item.add_marker(pytest.mark.filterwarnings(WHITENOISE))
            item.add_marker(pytest.mark.filterwarnings("ignore:No directory at"))
            if {"studio", "running"} & set(getattr(item, "fixturenames", ())):
                item.add_marker(pytest.mark.services)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium here"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Playwright's loop runs in the thread of the tests, which use the database as well.

    Not taken back: the database is destroyed at the very end, when that loop may still be there.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: `site` says it. The plugin's own fixture is of a kind that pytest 9 warns about."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium, quiet, and able to run as root."""
    return browser_type_launch_args | {
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync",
        ],
    }  # fmt: skip


@pytest.fixture
def site(transactional_db: None) -> Iterator[str]:
    """The address of a studio that runs: http://localhost:…, since passkeys take no number."""
    cache.clear()  # its table is no model's, so no test's end empties it
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            "comet_site.asgi:application",
            log_level="error",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    yield f"http://localhost:{door.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    cache.clear()


@dataclass(frozen=True, slots=True)
class Studio:
    """A whole studio that runs."""

    address: str  # http://localhost:…
    folder: Path  # its STUDIO_DATA
    log: Log  # what the sandbox was asked
    workers: list[str]  # by the names under which they give signs of life

    def sign_in(self, context: BrowserContext, user: User) -> None:
        """Give the browser a session of this person's, without the form."""
        client = Client()
        client.force_login(user)
        name = django_settings.SESSION_COOKIE_NAME
        context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": self.address}]
        )


@pytest.fixture(scope="session")
def running(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    """The processes of a studio over the tests' own database, started once."""
    expect.set_options(timeout=PATIENCE)
    folder, log, port = tmp_path_factory.mktemp("studio"), Log(), servers.free_port()
    with servers.valkey() as valkey, serving(Sandbox(log=log, delay=DELAY)) as doors:
        stack = Stack(valkey, doors, folder)
        # One key, so that the tests can make sessions; the label that says "sandbox" is shown.
        stack.environment |= {"SECRET_KEY": django_settings.SECRET_KEY, "STUDIO_SANDBOX": "1",
                              "STUDIO_WORKER_LOST_AFTER": "60"}  # fmt: skip
        with django_db_blocker.unblock():
            _leave_the_catalogue()
        web = _start_web(port, stack.environment)
        try:
            stack.start_worker()
            stack.start_worker("pictures")
            address = f"http://localhost:{port}"
            until(lambda: _is_ready(address), patience=40, what="the studio")
            with django_db_blocker.unblock():
                workers = list(WorkerSeen.objects.values_list("name", flat=True))
                kinds = list(ContentType.objects.all())
            post_migrate.connect(partial(_as_before, kinds), weak=False, dispatch_uid=folder)
            yield Studio(address, folder, log, workers)
        finally:
            post_migrate.disconnect(dispatch_uid=folder)
            web.kill()
            web.wait()
            stack.stop()


def _as_before(kinds: list[ContentType], *, app_config: AppConfig, **_facts: Any) -> None:
    """What the end of a test empties and processes that go on rely on.

    The numbers of content types: each is looked up once and written into the log of changes.
    """
    with transaction.atomic():
        for kind in kinds:
            if kind.app_label == app_config.label:
                anew = ContentType.objects.filter(app_label=kind.app_label, model=kind.model)
                # Permissions, and what a request that came late has already put into the log.
                for one in ContentType._meta.related_objects:
                    rows = one.related_model._base_manager.filter(**{f"{one.field.name}__in": anew})
                    rows.update(**{one.field.name: kind})
                anew.update(id=kind.pk)
    ContentType.objects.clear_cache()
    if app_config.label == "generator":
        _leave_the_catalogue()


def _leave_the_catalogue() -> None:
    """No worker brings the catalogue up to date meanwhile: it is what a test makes it."""
    due = timezone.now() + timedelta(days=1)
    Chore.objects.update_or_create(name=jobs.CATALOGUE, defaults={"due_at": due})


def _start_web(port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    arguments = ["--host=127.0.0.1", f"--port={port}", "--log-level=warning", "--no-access-log"]
    return subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "comet_site.asgi:application", *arguments],
        cwd=ROOT,
        env=environment,
    )


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def studio(
    running: Studio, transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    """The whole studio, with nobody in it yet. Images that the test stores are its images."""
    cache.clear()
    images = settings.STORAGES["images"]
    options = {**images["OPTIONS"], "location": running.folder / "images"}
    settings.STORAGES = {**settings.STORAGES, "images": {**images, "OPTIONS": options}}
    monkeypatch.setattr(ImageAsset._meta.get_field("file"), "storage", image_storage())
    for name in running.workers:
        # The test before took their signs of life away, and who gives none is taken for dead.
        WorkerSeen.objects.beat(name)
    yield running
    # What is under way would be carried into the next test's database.
    until(lambda: not Generation.objects.unfinished().exists(), what="the end of every generation")
    cache.clear()


@pytest.fixture
def said(page: Page) -> list[str]:
    """What the browser complained of, filled while a test runs: errors and refused content.

    A request that a newer one replaces is no error, though htmx tells of it as of one; of a
    request that failed it says `htmx:sendError` as well.
    """
    lines: list[str] = []

    def hear(line: ConsoleMessage) -> None:
        replaced = line.text.startswith(("htmx:afterRequest", "htmx:sendAbort"))
        if line.type in {"error", "warning"} and not replaced:
            lines.append(line.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: lines.append(str(error)))
    return lines


@pytest.fixture
def sign_in(page: Page, site: str) -> Callable[[User], None]:
    """Sign somebody in as they would themselves."""

    def enter(user: User, password: str = PASSWORD) -> None:
        fill_sign_in(page, site, user, password)

    return enter


def fill_sign_in(page: Page, address: str, user: User, password: str = PASSWORD) -> None:
    """Fill the form in, send it, and wait for the page behind it."""
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("E-mail or user name").fill(user.username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/accounts/" not in address)


@pytest.fixture
def team(studio: Studio) -> Team:
    """A team with the whole catalogue."""
    make_entry()
    return make_team(slug="northlight")


@pytest.fixture
def nora(team: Team) -> User:
    """Somebody who may make images, with 10 000 credits this month."""
    nora = make_user("nora")
    add_member(team, nora)
    return nora
