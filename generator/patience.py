"""Many wait, few work: what a thread lets go of while it awaits the network or the storage.

A worker has hundreds of threads, nearly all of them waiting. If all that wake up at once also work
at once, they spend their time handing the interpreter to each other. So a thread works only with
one of a few places, and gives it up, with its database connection, for as long as it waits.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

PLACES = 4

_places = threading.BoundedSemaphore(PLACES)


class _Mine(threading.local):
    has_place = False


_mine = _Mine()


@contextmanager
def working() -> Iterator[None]:
    """Work with a place of one's own; waits for one."""
    _take_place()
    try:
        yield
    finally:
        _leave_place()


@contextmanager
def awaiting() -> Iterator[None]:
    """Await something outside: hold no database connection, and let others work meanwhile."""
    let_go_of_the_database()
    had_place = _mine.has_place
    _leave_place()
    try:
        yield
    finally:
        if had_place:
            _take_place()


def let_go_of_the_database() -> None:
    """Hold no connection while something else is awaited: 200 threads must not need 200."""
    if not connection.in_atomic_block:
        connection.close()


def _take_place() -> None:
    _places.acquire()
    _mine.has_place = True


def _leave_place() -> None:
    if _mine.has_place:
        _mine.has_place = False
        _places.release()
