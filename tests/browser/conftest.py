"""A real Chromium before a real server: the studio under uvicorn, in a thread of the test."""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.core.cache import cache
from playwright.sync_api import Page

from generator.models import User
from tests.make import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = Path(__file__).parent
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


@pytest.fixture
def said(page: Page) -> list[str]:
    """What the browser complained of, filled while a test runs: errors and refused content."""
    lines: list[str] = []
    page.on(
        "console",
        lambda line: lines.append(line.text) if line.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: lines.append(str(error)))
    return lines


@pytest.fixture
def sign_in(page: Page, site: str) -> Callable[[User], None]:
    """Sign somebody in as they would themselves."""

    def enter(user: User, password: str = PASSWORD) -> None:
        page.goto(f"{site}/accounts/login/")
        page.get_by_label("E-mail or user name").fill(user.username)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda address: "/accounts/" not in address)

    return enter
