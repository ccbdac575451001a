"""`./studio bench pipeline`: what the studio adds to a generation, and how many it carries at once.

1. One person at a time, images of 1 MB, a gateway that takes 0.2 s: from sending the form (over
   HTTP, as a browser does) to the image kept and read back, less the 0.2 s.
2. 200 generations of small images at 5 s each, in flight in one worker process: the time until
   all have succeeded, and the worker's memory (PSS). The images are 20 kB and prepared, so that
   the sandbox's painting takes no processor from what is measured.
3. Images per second at 64 at once, beside the same calls made straight to the sandbox.
"""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from bench.stack import KEY, Stack, stack, until

ALONE = 40  # generations one after the other
TOGETHER = 200
AT_ONCE = 64
ROUND = 256  # generations of the third part
PASSWORD = "bench bench bench"


def main() -> None:
    """Run the three parts and print their figures."""
    match sys.argv[1:]:
        case ["alone"]:
            with stack(delay=0.2, image_bytes=1_000_000, at_once=64) as studio:
                _alone(studio)
        case ["together"]:
            with stack(delay=5, image_bytes=20_000, at_once=TOGETHER) as studio:
                _together(studio)
        case ["throughput"]:
            with stack(delay=0.2, image_bytes=100_000, at_once=AT_ONCE) as studio:
                _throughput(studio)
        case _:
            # A process each: Django reads its settings once in a process's life.
            for part in ("alone", "together", "throughput"):
                subprocess.run([sys.executable, "-m", "bench.pipeline", part], check=True)


def _alone(studio: Stack) -> None:
    author, slug = _django(studio)
    with httpx.Client(base_url=studio.web, follow_redirects=True, timeout=30) as browser:
        _sign_in(browser)
        added = []
        for number in range(ALONE + 3):
            token, batch = _form(browser, slug)
            start = time.perf_counter()
            _send(browser, slug, token, batch, f"a teapot, number {number}")
            _read_back(browser, slug, author, number)
            added.append((time.perf_counter() - start - 0.2) * 1000)
            time.sleep(0.25)  # a person; and thumbnails are made in the meantime
    added = sorted(added[3:])
    print(
        f"one at a time, 1 MB, gateway 0.2 s, {ALONE} generations: studio-added "
        f"median {statistics.median(added):.0f} ms, 95th percentile "
        f"{added[int(len(added) * 0.95) - 1]:.0f} ms, worst {added[-1]:.0f} ms"
    )


def _django(studio: Stack) -> tuple[Any, str]:
    """Look into the studio's own database from here; make the one person of the bench."""
    os.environ.update(studio.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "comet_site.settings"
    import django

    django.setup()
    from generator.models import CatalogueEntry, User

    CatalogueEntry.objects.fill()
    author = User.objects.create_user("bench", "bench@example.org", PASSWORD)
    return author, author.personal_team.slug


def _sign_in(browser: httpx.Client) -> None:
    page = browser.get("/accounts/login/")
    answer = browser.post(
        "/accounts/login/",
        data={"csrfmiddlewaretoken": _token(page.text), "login": "bench", "password": PASSWORD},
    )
    assert "/login" not in str(answer.url), "the bench could not sign in"


def _token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


def _form(browser: httpx.Client, slug: str) -> tuple[str, str]:
    page = browser.get(f"/t/{slug}/").text
    batch = re.search(r'name="batch"[^>]*value="([^"]+)"', page)
    assert batch
    return _token(page), batch[1]


def _send(browser: httpx.Client, slug: str, token: str, batch: str, prompt: str) -> None:
    answer = browser.post(
        f"/t/{slug}/generations/",
        data={"csrfmiddlewaretoken": token, "batch": batch, "model": "gpt-image-2",
              "prompt": prompt, "size": "1024x1024", "quality": "auto", "count": "1",
              "background": "auto", "output_format": "png", "moderation": "auto"},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.status_code


def _read_back(browser: httpx.Client, slug: str, author: Any, number: int) -> None:
    """Look every 2 ms whether the image is there; read it whole, as the page would."""
    from generator.models import ImageAsset

    images = ImageAsset.objects.filter(
        team__slug=slug, generation__status="succeeded",
        generation__prompt=f"a teapot, number {number}",
    )  # fmt: skip
    end = time.monotonic() + 20
    while (asset := images.first()) is None:
        assert time.monotonic() < end, "no image came"
        time.sleep(0.002)
    answer = browser.get(f"/t/{slug}/images/{asset.pk}/picture/original")
    assert len(answer.content) == asset.size, "the image could not be read back"


def _together(studio: Stack) -> None:
    author, _slug = _django(studio)
    most = _Watcher(studio)
    start = time.perf_counter()
    keys = _begin(author, TOGETHER, "dall-e-2", {"size": "256x256"})
    until(lambda: _ended(keys) == TOGETHER, "The last of them", patience=60)
    took = time.perf_counter() - start
    most.over.set()
    print(
        f"{TOGETHER} together, 5 s each, one worker process: {_succeeded(keys)} succeeded in "
        f"{took:.1f} s, worker's memory at most {most.pss / 2**20:.0f} MB (PSS)"
    )


class _Watcher(threading.Thread):
    """The most memory that the worker had."""

    def __init__(self, studio: Stack) -> None:
        super().__init__(daemon=True)
        self.studio, self.pss, self.over = studio, 0, threading.Event()
        self.start()

    def run(self) -> None:
        """Look four times a second."""
        while not self.over.wait(0.25):
            self.pss = max(self.pss, self.studio.pss("worker"))


def _begin(author: Any, number: int, wire_model: str, fields: dict[str, str]) -> list[uuid.UUID]:
    from generator import jobs, lifecycle
    from generator.models import Asked, CatalogueEntry

    entry = CatalogueEntry.objects.get(wire_model=wire_model)
    keys = []
    for place in range(number):
        asked = Asked("create", f"pebbles {place}", fields)
        begun = lifecycle.begin(author, author.personal_team, entry, asked, batch=uuid.uuid4())
        jobs.nudge()
        keys.append(begun.pk)
    return keys


def _ended(keys: list[uuid.UUID]) -> int:
    from generator.models import Generation

    time.sleep(0.1)
    return len(keys) - Generation.objects.filter(pk__in=keys).unfinished().count()


def _succeeded(keys: list[uuid.UUID]) -> int:
    from generator.models import Generation

    return Generation.objects.filter(pk__in=keys, status="succeeded").count()


def _throughput(studio: Stack) -> None:
    author, _slug = _django(studio)
    straight = _straight(studio)
    start = time.perf_counter()
    keys = _begin(author, ROUND, "gpt-image-2", {"size": "1024x1024"})
    until(lambda: _ended(keys) == ROUND, "The last of them", patience=120)
    rate = ROUND / (time.perf_counter() - start)
    print(
        f"{AT_ONCE} at once, {ROUND} images of 100 kB: {rate:.1f} images/s through the studio "
        f"({_succeeded(keys)} succeeded), {straight:.1f} images/s straight to the sandbox"
    )


def _straight(studio: Stack) -> float:
    limits = httpx.Limits(max_connections=AT_ONCE)
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(
        base_url=studio.gateway, limits=limits, headers=headers, timeout=60
    ) as client:

        def call(place: int) -> None:
            body = {"model": "gpt-image-2", "prompt": f"pebbles {place}", "size": "1024x1024"}
            client.post("/v1/images/generations", json=body).raise_for_status()

        start = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(call, range(ROUND)))
        return ROUND / (time.perf_counter() - start)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
