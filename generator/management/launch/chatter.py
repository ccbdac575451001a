"""What processes print: all of it to a file each, and to the terminal only what needs eyes."""

import logging
import re
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Self

LAST = 8  # lines kept of each process, for when it dies
LOG_SIZE = 2_000_000  # bytes, after which a log begins anew; the one before is kept as well

# Django's and uvicorn's way to begin a line that matters. Everyday life does not: pages not found,
# and "not ready yet" while the studio starts.
_MATTERS = re.compile(
    r"(?!WARNING django\.request:|ERROR django\.request: Service Unavailable: /readyz)"
    r"(WARNING|ERROR|CRITICAL)\b"
)


class Chatter:
    """Where honcho hands every line to; a `Printer` to it. Leaving the block closes the files."""

    width = 0  # honcho sets it, to line up names that we do not print

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._logs: dict[str, logging.Logger] = {}
        self._last: dict[str, deque[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        for logger in self._logs.values():
            for handler in logger.handlers:
                handler.close()

    def write(self, message: Any) -> None:
        """Keep a line of a process; show it if it is a warning or worse."""
        text = message.data.decode(errors="replace")
        for line in text.splitlines():
            self._last.setdefault(message.name, deque(maxlen=LAST)).append(line)
            self._log(message.name).info(line)
            if _MATTERS.match(line):
                print(f"{message.name} │ {line}", flush=True)

    def last_words(self, name: str) -> list[str]:
        """The last lines of a process that say something, oldest first."""
        return [line for line in self._last.get(name, ()) if line.strip()]

    def log_of(self, name: str) -> Path:
        """The file that holds all that a process printed."""
        return self._folder / f"{name}.log"

    def _log(self, name: str) -> logging.Logger:
        if name not in self._logs:
            handler = _Log(self.log_of(name), maxBytes=LOG_SIZE, backupCount=1)
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            # Not a logger of the tree: nothing else shall get these lines.
            logger = self._logs[name] = logging.Logger(name)
            logger.addHandler(handler)
        return self._logs[name]


class _Log(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: a log that cannot be written must not stop the studio."""
