"""What an archive takes of memory and time while it is sent: of 2 GB, and of a million files.

    ./studio bench zipping

Nothing is read or sent: the figures are those of the archive alone.
"""

import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from generator.zipping import CHUNK, Entry, stream

MB = 1 << 20
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Print the figures; the small archive first, so that what is loaded once is not counted."""
    for files, size in ((20, MB), (2_000, MB), (1_000_000, 100)):
        before, begun = _peak(), time.perf_counter()
        sent = sum(len(part) for part in stream(_entries(files, size)))
        took = time.perf_counter() - begun
        print(
            f"{files:>9,} files, {sent / 1e6:>6,.0f} MB: {took:5.1f} s, peak of memory "
            f"{before:.1f} → {_peak():.1f} MB"
        )


def _entries(files: int, size: int) -> Iterator[Entry]:
    for number in range(files):
        prompt = f"a heron in reeds, {number}"
        yield Entry(prompt, "png", partial(_chunks, size), size, NOW, {"prompt": prompt})


def _chunks(size: int) -> Iterator[bytes]:
    for start in range(0, size, CHUNK):
        yield b"x" * min(CHUNK, size - start)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
