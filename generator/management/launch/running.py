"""The note that a running studio leaves for `./studio manage`, in plain KEY=value lines."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

NAME = "running.env"


@contextmanager
def noted(data: Path, facts: Mapping[str, str]) -> Iterator[None]:
    """Keep the note in the data folder while the block runs. Only its owner may read it.

    It names our process, so that a note left behind by one that was killed is known as such.
    """
    note = data / NAME
    lines = [f"{name}={value}\n" for name, value in facts.items()]
    fresh = note.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text("".join([f"STUDIO_PROCESS={os.getpid()}\n", *lines]))
    fresh.replace(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
