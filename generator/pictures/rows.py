"""Whether a PNG brings every row that its header promises."""

import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from generator.errors import BadPicture
from generator.pictures.containers import Layout

# Bands by colour type: grey, RGB, palette, grey with alpha, RGB with alpha.
_BANDS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_WHOLE = ((0, 0, 1, 1),)
# The seven passes of an interlaced PNG: first column and row, steps between columns and rows.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_STEP = 1 << 14


def refuse_missing_rows(image: Image.Image, data: bytes, layout: Layout) -> None:
    """Raise `BadPicture` if the decoded PNG `image` was packed with fewer rows than it has.

    Pillow leaves such rows at zero and says nothing. Unpacking a second time takes a third of
    what decoding took, so it is done only where the last row is all zero.
    """
    width, height = image.size
    depth, colour, _, _, interlaced = struct.unpack_from(">5B", data, layout.parts[0].body + 8)
    if not interlaced and any(image.crop((0, height - 1, width, height)).tobytes()):
        return
    passes = _PASSES if interlaced else _WHOLE
    promised = _packed_size(width, height, passes, bits=depth * _BANDS[colour])
    brought = 0
    for length in _unpacked_lengths(data, layout):
        brought += length
        if brought >= promised:
            return
    raise BadPicture("The image is damaged: a part of it is missing.")


def _packed_size(
    width: int, height: int, passes: tuple[tuple[int, int, int, int], ...], *, bits: int
) -> int:
    """The bytes of all rows, each with its byte for the filter; `bits` are those of a pixel."""
    size = 0
    for left, top, across, down in passes:
        columns = (width - left + across - 1) // across
        rows = (height - top + down - 1) // down
        size += rows * (1 + (columns * bits + 7) // 8) if columns and rows else 0
    return size


def _unpacked_lengths(data: bytes, layout: Layout) -> Iterator[int]:
    unpacker, view = zlib.decompressobj(), memoryview(data)
    for part in layout.parts:
        if part.kind == b"IDAT":
            for start in range(part.body, part.body + part.length, _STEP):
                stop = min(start + _STEP, part.body + part.length)
                yield len(unpacker.decompress(view[start:stop]))
