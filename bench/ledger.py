"""`./studio bench ledger [HOW_MANY]`: the books under failures and kills.

1,000 generations (or HOW_MANY) of several kinds of model, a third of them with trouble at the
gateway, some of them cancelled or given back; two real worker processes, of which one is killed
(SIGKILL) for each thirty that have ended, and started again. Prints what became of them, and at
the end what `check_ledger` says: a drift of 0 credits. The books are proven after each kill, too.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from typing import Any

from bench.stack import ROOT, Stack, stack

GENERATIONS = 1000
AT_ONCE = 48
BETWEEN_KILLS = 30  # generations that end
PATIENCE = 900.0  # seconds for all of it
WORKERS = ("worker", "worker2")
# Model, settings, most images.
MODELS: list[tuple[str, dict[str, str], int]] = [
    ("gpt-image-2", {"size": "1024x1024", "quality": "low"}, 4),
    ("dall-e-2", {"size": "256x256"}, 4),
    ("dall-e-3", {"size": "1024x1024"}, 1),
    ("flux-2-pro", {}, 1),
    ("doubao-seedream-4-0-250828", {}, 1),
]
TROUBLE = [
    "busy 2", "refuse", "withheld", "broken", "error", "html", "empty", "silent", "524", "garbage",
    "half", "fail", "gone", "lag", "partly", "expired", "private", "money", "busy",
]  # fmt: skip


def main() -> None:
    """Run it, and end with 1 where the books are not right."""
    count = int(sys.argv[1]) if sys.argv[1:] else GENERATIONS
    os.environ |= {
        "STUDIO_WORKER_LOST_AFTER": "6",
        "STUDIO_SWEEP_EVERY": "1",
        "STUDIO_TEAM_CREDITS_PER_MONTH": "0",
        "STUDIO_CREDITS_PER_DAY": "0",
    }
    with stack(delay=1.0, image_bytes=20_000, at_once=AT_ONCE) as studio:
        right = _run(studio, count)
    raise SystemExit(0 if right else 1)


def _run(studio: Stack, count: int) -> bool:
    author = _django(studio)
    chance = random.Random(4)
    studio.start("worker2", sys.executable, "manage.py", "worker")
    start = time.perf_counter()
    keys = _begin(author, count, chance)
    begun = time.perf_counter() - start
    kills, proofs = _until_all_ended(studio, keys, chance)
    given = _give_back(keys, chance)
    print(
        f"{count} generations in {time.perf_counter() - start:.0f} s (begun in {begun:.0f} s), "
        f"{kills} workers killed, {given} given back, books proven {proofs} times on the way"
    )
    _tell(keys)
    said = _check(studio)
    print(said.stdout.strip())
    return said.returncode == 0


def _django(studio: Stack) -> Any:
    os.environ.update(studio.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "comet_site.settings"
    import django

    django.setup()
    from generator.models import CatalogueEntry, User

    CatalogueEntry.objects.fill()
    return User.objects.create_user("bench", "bench@example.org", uuid.uuid4().hex)


def _begin(author: Any, count: int, chance: random.Random) -> list[uuid.UUID]:
    """Begin all of them, and cancel one of twenty."""
    from generator import jobs, lifecycle
    from generator.errors import StudioError
    from generator.models import Asked, CatalogueEntry

    # A price of their own, for those that the file has none for.
    CatalogueEntry.objects.filter(credits_each=None, price_kind="image").update(credits_each=50)
    entries = {entry.wire_model: entry for entry in CatalogueEntry.objects.pickable()}
    offered = [model for model in MODELS if model[0] in entries]
    keys = []
    for place in range(count):
        wire_model, fields, most = chance.choice(offered)
        word = f" [{chance.choice(TROUBLE)}]" if chance.random() < 0.35 else ""
        asked = Asked("create", f"pebbles {place}{word}", fields, count=chance.randint(1, most))
        begun = lifecycle.begin(
            author, author.personal_team, entries[wire_model], asked, batch=uuid.uuid4()
        )
        jobs.nudge()
        keys.append(begun.pk)
        if chance.random() < 0.05:
            with contextlib.suppress(StudioError):
                lifecycle.cancel(begun)
    return keys


def _until_all_ended(
    studio: Stack, keys: list[uuid.UUID], chance: random.Random
) -> tuple[int, int]:
    """Kill a worker for each thirty that have ended, until nothing is left to do: how often, and
    how often the books were proven. Raises SystemExit where they were not right, or patience ends.
    """
    from generator import books
    from generator.models import Ceiling, Generation

    end, kills, proofs, next_kill = time.monotonic() + PATIENCE, 0, 0, len(keys) - BETWEEN_KILLS
    while left := Generation.objects.filter(pk__in=keys).unfinished().count():
        if time.monotonic() > end:
            raise SystemExit(f"{left} generations have not ended within {PATIENCE:.0f} s.")
        if left <= next_kill:
            # At a random moment after it; the last are left in peace.
            time.sleep(chance.uniform(0, 1))
            _kill(studio, chance.choice(WORKERS))
            kills += 1
            next_kill = left - BETWEEN_KILLS
            if found := books.prove():
                raise SystemExit(f"On the way, {books.drift(found)} credits off: {found}")
            proofs += 1
        # What a 429 has lowered rises by one a minute; the bench does not wait for that.
        Ceiling.objects.all().delete()
        time.sleep(0.5)
    return kills, proofs


def _kill(studio: Stack, name: str) -> None:
    process = studio.processes.pop(name)
    process.send_signal(signal.SIGKILL)
    process.wait()
    studio.start(name, sys.executable, "manage.py", "worker")


def _give_back(keys: list[uuid.UUID], chance: random.Random) -> int:
    from generator import lifecycle
    from generator.errors import StudioError
    from generator.models import Generation

    given = 0
    for key in chance.sample(keys, len(keys) // 20):
        with contextlib.suppress(StudioError):  # it cost nothing
            lifecycle.give_back(Generation.objects.get(pk=key), reason="blurred", by=None)
            given += 1
    return given


def _tell(keys: list[uuid.UUID]) -> None:
    from generator.models import Generation

    rows = Generation.objects.filter(pk__in=keys).values_list("status", "reason_code", "cost")
    ends, reasons = Counter(row[0] for row in rows), Counter(row[1] for row in rows if row[1])
    print(", ".join(f"{count} {status}" for status, count in ends.most_common()))
    print("why: " + ", ".join(f"{count} {code}" for code, count in reasons.most_common()))
    print(f"cost: {sum(row[2] or 0 for row in rows):,} credits")


def _check(studio: Stack) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check_ledger"],
        cwd=ROOT, env=studio.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
