"""Paid images on their way into storage: written and synced before anything else is believed.

An image that came inside a reply exists nowhere else; it is put down here before its generation
moves to *storing*, so that no dying worker and no refusing storage can lose it.
"""

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.errors import SpoolFull


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder with one folder a generation in it. It may be shared by several hosts."""

    root: Path

    def put(self, pk: uuid.UUID, images: Sequence[tuple[int, bytes]]) -> None:
        """Keep images by their position, durable when this returns.

        Raises SpoolFull when the disk refuses.
        """
        folder = self.root / str(pk)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for position, data in images:
                _write(folder / str(position), data)
            _sync_folder(folder)
        except OSError as error:
            raise SpoolFull("This server's disk refuses to keep the image.") from error

    def get(self, pk: uuid.UUID, position: int) -> bytes:
        """One image. Raises FileNotFoundError if it is not there."""
        return (self.root / str(pk) / str(position)).read_bytes()

    def clear(self, pk: uuid.UUID) -> None:
        """Forget a generation's images; nothing happens if there are none."""
        shutil.rmtree(self.root / str(pk), ignore_errors=True)

    def kept(self) -> Iterator[uuid.UUID]:
        """The generations that have images here."""
        if self.root.is_dir():
            yield from (uuid.UUID(folder.name) for folder in self.root.iterdir())


def _write(path: Path, data: bytes) -> None:
    # Under another name first: a file of the right name is always whole.
    half = path.with_suffix(".part")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
