"""The books, proven: everything that is summed or closed is worked out again from the lines.

All of it is asked of the database in sums, so that a million lines take seconds; only what is
wrong comes back one by one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from generator.books import closings, sums
from generator.books.faults import FAULTS, Finding

CHECKS = (sums.totals, sums.usage, closings.lines, closings.generations)


def prove() -> list[Finding]:
    """Every kind of fault that the books have, at one moment; empty where they are right.

    A studio may go on meanwhile, and is not held up.
    """
    found: dict[str, Finding] = {}
    with _snapshot():
        for check in CHECKS:
            for fault in check():
                finding = found.setdefault(fault.kind, Finding(FAULTS[fault.kind]))
                finding.add(fault.where, fault.credits)
    return list(found.values())


def drift(findings: Iterable[Finding]) -> int:
    """Credits that the books are off by: all differences together, whichever way they go."""
    return sum(finding.credits for finding in findings)


@contextmanager
def _snapshot() -> Iterator[None]:
    """One moment of the database, for reading, that no writer waits for."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # Not `atomic`, which begins IMMEDIATE here and would hold up every writer.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
