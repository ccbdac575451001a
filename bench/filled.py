"""A database with a made-up history of so many ledger lines, for the benchmarks that read."""

import contextlib
import os
import statistics
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LINES_A_GENERATION = 4  # held and closed, in the member's account and in the pool
WARM = 20  # runs


def arguments(what: str) -> Namespace:
    """`--lines`, `--postgres`, `--data`."""
    parser = ArgumentParser(description=what)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the ledger")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, not on SQLite")
    parser.add_argument("--data", type=Path, help="keep the studio here, and use one that is there")
    return parser.parse_args()


@contextlib.contextmanager
def filled(wanted: Namespace) -> Iterator[None]:
    """Set Django up on such a database; what is made for it goes when the block ends."""
    with contextlib.ExitStack() as after:
        folder = wanted.data or Path(after.enter_context(tempfile.TemporaryDirectory("bench")))
        os.environ["STUDIO_DATA"] = str(folder)
        os.environ["DJANGO_SETTINGS_MODULE"] = "comet_site.settings"
        os.environ.pop("DATABASE_URL", None)
        if wanted.postgres:
            from tests.services import servers

            if not servers.postgres_programs():
                sys.exit("PostgreSQL's programs are not on this machine.")
            os.environ["DATABASE_URL"] = after.enter_context(servers.postgres())
        _fill(wanted.lines)
        yield
        from django.db import connections

        connections.close_all()
        with contextlib.suppress(AttributeError):
            connections["default"].close_pool()  # type: ignore[attr-defined]


def _fill(lines: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from generator.models import LedgerEntry

    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    start, missing = time.perf_counter(), lines - LedgerEntry.objects.count()
    if missing > lines // 100:
        call_command("demo", scale=missing // LINES_A_GENERATION)
        print(f"filled in {time.perf_counter() - start:.0f} s")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")  # as its own housekeeping does, sooner or later
    print(f"{connection.vendor}, {LedgerEntry.objects.count():,} ledger lines\n")


@dataclass(frozen=True)
class Times:
    """Milliseconds of the first run and of those after it."""

    cold: float
    warm: list[float]

    def __str__(self) -> str:
        return f"{self.cold:8.1f} {statistics.median(self.warm):8.1f} {max(self.warm):8.1f}"


HEAD = "   first   median    worst   ms, of the first run and of 20 after it"


def times(job: Callable[[], object]) -> Times:
    """Run it once, then WARM times."""
    return Times(_once(job), [_once(job) for _ in range(WARM)])


def _once(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return (time.perf_counter() - start) * 1000
