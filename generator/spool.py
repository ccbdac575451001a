"""Paid images on their way into storage: written and synced before anything else is believed.

An image that came inside a reply exists nowhere else; it is put down here before its generation
moves to *storing*, so that no dying worker and no refusing storage can lose it.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import SpoolFull

MANIFEST = "manifest.json"
MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder with one folder a generation in it. It may be shared by several hosts."""

    root: Path

    def put(
        self, pk: uuid.UUID, images: Sequence[tuple[int, bytes]], manifest: Mapping[str, Any],
        *, memory: bytes | None = None,
    ) -> None:  # fmt: skip
        """Keep images by their position, and last what else the reply said; durable on return.

        `memory` is what the adapter wants to be handed back another time.

        A manifest means that the reply is here whole. Raises SpoolFull when the disk refuses.
        """
        folder = self.root / str(pk)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for position, data in images:
                _write(folder / str(position), data)
            if memory is not None:
                _write(folder / MEMORY, memory)
            _write(folder / MANIFEST, json.dumps(manifest).encode())
            _sync_folder(folder)
            _sync_folder(self.root)
        except OSError as error:
            raise SpoolFull("This server's disk refuses to keep the image.") from error

    def add(self, pk: uuid.UUID, position: int, data: bytes) -> None:
        """Keep one image that was fetched later. Raises SpoolFull when the disk refuses."""
        folder = self.root / str(pk)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(folder / str(position), data)
            _sync_folder(folder)
        except OSError as error:
            raise SpoolFull("This server's disk refuses to keep the image.") from error

    def manifest(self, pk: uuid.UUID) -> dict[str, Any] | None:
        """What the reply said besides its images; None if it is not here whole."""
        try:
            found: dict[str, Any] = json.loads((self.root / str(pk) / MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def get(self, pk: uuid.UUID, position: int) -> bytes:
        """One image. Raises FileNotFoundError if it is not there."""
        return (self.root / str(pk) / str(position)).read_bytes()

    def memory(self, pk: uuid.UUID) -> bytes:
        """The adapter's memory. Raises FileNotFoundError if it is not there."""
        return (self.root / str(pk) / MEMORY).read_bytes()

    def clear(self, pk: uuid.UUID) -> None:
        """Forget a generation's images; nothing happens if there are none."""
        shutil.rmtree(self.root / str(pk), ignore_errors=True)

    def kept(self) -> Iterator[uuid.UUID]:
        """The generations that have images here; whatever else lies here is not ours."""
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            with suppress(ValueError):
                yield uuid.UUID(folder.name)


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
