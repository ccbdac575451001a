"""SQLite for many threads: the writers of a process queue up instead of sleeping and trying again.

SQLite has one writer at a time. Who finds it busy sleeps up to a tenth of a second before the next
try, so with many threads the database stands idle between them. Here a thread waits for its turn
before it asks SQLite at all; only other processes are still met by SQLite's own waiting.
"""

import threading
from typing import Any

from django.db.backends.sqlite3 import base

_turn = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes the process's turn from BEGIN to COMMIT or ROLLBACK."""

    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            if not self.connection.in_transaction:
                self._end_turn()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        if not self._has_turn:
            _turn.acquire()
            self._has_turn = True

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turn.release()
