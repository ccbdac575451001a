"""Where the parts of an image file begin and end, and what its header says of its size.

Nothing is decoded here. What the walk does not reach is not part of the image.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from generator.errors import BadPicture

type Raster = Literal["png", "jpeg", "webp", "gif"]
type Format = Raster | Literal["svg"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# A megabyte of image has about a hundred parts; a file of nothing but parts is an attack.
MAX_PARTS = 20_000
# A progressive JPEG has about ten scans, and each costs a pass over all of its pixels.
MAX_SCANS = 64

_START_OF_FRAME = frozenset(bytes([code]) for code in range(0xC0, 0xD0)) - {
    b"\xc4",
    b"\xc8",
    b"\xcc",
}
_STANDALONE = frozenset(bytes([code]) for code in (0x01, *range(0xD0, 0xD8)))
_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk, segment or block: `data[start:end]` with its header, checksum and padding."""

    kind: bytes
    start: int
    body: int
    length: int
    end: int

    def payload(self, data: bytes) -> bytes:
        return data[self.body : self.body + self.length]


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of one image, in order and without gaps, and its size in pixels."""

    format: Raster
    parts: tuple[Part, ...]
    width: int
    height: int

    @property
    def end(self) -> int:
        return self.parts[-1].end

    @property
    def is_animated(self) -> bool:
        kinds = [part.kind for part in self.parts]
        match self.format:
            case "png":
                return b"fdAT" in kinds
            case "webp":
                return kinds.count(b"ANMF") > 1
            case "gif":
                return kinds.count(b",") > 1
            case "jpeg":
                return False


def sniff(data: bytes) -> Raster | None:
    """The format that the first bytes claim; the rest may still prove them wrong."""
    if data.startswith(PNG_SIGNATURE):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return None


def dissect(data: bytes, format: Raster) -> Layout:
    """Walk `data` from its first part to its last.

    Raises `BadPicture` where the walk leaves the bytes, where a checksum is wrong, and where
    the header does not say one size.
    """
    try:
        parts = tuple(islice(_WALKS[format](data), MAX_PARTS + 1))
        if len(parts) > MAX_PARTS:
            raise BadPicture("The image is made of more parts than we read.")
        width, height = _MEASURES[format](data, parts)
    except (struct.error, IndexError) as error:
        raise BadPicture("The image is cut short.") from error
    if width == 0 or height == 0:
        raise BadPicture("The image has no size.")
    return Layout(format, parts, width, height)


def _walk_png(data: bytes) -> Iterator[Part]:
    view = memoryview(data)
    start, kind = len(PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + length + 12
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(view[start + 4 : end - 4]) != checksum:
            raise BadPicture("The image is damaged: a checksum is wrong.")
        yield Part(kind, start, start + 8, length, end)
        start = end


def _measure_png(data: bytes, parts: tuple[Part, ...]) -> tuple[int, int]:
    header, kinds = parts[0], [part.kind for part in parts]
    if header.kind != b"IHDR" or header.length != 13 or kinds.count(b"IHDR") != 1:
        raise BadPicture("The image has no readable header.")
    if b"IDAT" not in kinds:
        raise BadPicture("The image file holds no image.")
    width, height = struct.unpack_from(">II", data, header.body)
    return width, height


def _walk_jpeg(data: bytes) -> Iterator[Part]:
    yield Part(b"\xd8", 0, 2, 0, 2)
    start, kind = 2, b""
    while kind != b"\xd9":
        part = _segment(data, start)
        yield part
        start, kind = part.end, part.kind


def _segment(data: bytes, start: int) -> Part:
    """One marker with what belongs to it; a scan's coded pixels belong to its header."""
    found = _MARKER.match(data, start)
    if found is None:
        raise BadPicture("The image is cut short or damaged.")
    kind, body = found[1], found.end()
    if kind == b"\xd9" or kind in _STANDALONE:
        return Part(kind, start, body, 0, body)
    (length,) = struct.unpack_from(">H", data, body)
    # A length that lies leads to where no marker is.
    end = body + length
    if kind == b"\xda":
        end = _end_of_scan(data, end)
    return Part(kind, start, body + 2, length - 2, end)


def _end_of_scan(data: bytes, start: int) -> int:
    found = _AFTER_SCAN.search(data, start)
    if found is None:
        raise BadPicture("The image is cut short.")
    return found.start()


def _measure_jpeg(data: bytes, parts: tuple[Part, ...]) -> tuple[int, int]:
    frames = [part for part in parts if part.kind in _START_OF_FRAME]
    if len(frames) != 1:
        raise BadPicture("The image has no readable header.")
    if sum(part.kind == b"\xda" for part in parts) > MAX_SCANS:
        raise BadPicture("The image is made of more parts than we read.")
    height, width = struct.unpack_from(">HH", data, frames[0].body + 1)
    return width, height


def _walk_webp(data: bytes) -> Iterator[Part]:
    (length,) = struct.unpack_from("<I", data, 4)
    start, last = 12, 8 + length
    if last > len(data):
        raise BadPicture("The image is cut short.")
    while start < last:
        kind, length = struct.unpack_from("<4sI", data, start)
        end = start + 8 + length
        if end > last:
            raise BadPicture("The image is damaged: a part is longer than the whole.")
        # Some writers leave out the last part's byte of padding.
        padded = min(end + length % 2, last)
        yield Part(kind, start, start + 8, length, padded)
        start = padded


def _measure_webp(data: bytes, parts: tuple[Part, ...]) -> tuple[int, int]:
    if not parts:
        raise BadPicture("The image file holds no image.")
    body = parts[0].body
    match parts[0].kind:
        case b"VP8X":
            low_width, high_width, low_height, high_height = struct.unpack_from(
                "<HBHB", data, body + 4
            )
            return (high_width << 16 | low_width) + 1, (high_height << 16 | low_height) + 1
        case b"VP8L":
            (packed,) = struct.unpack_from("<I", data, body + 1)
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, body + 6)
            return width & 0x3FFF, height & 0x3FFF
        case _:
            raise BadPicture("The image has no readable header.")


def _walk_gif(data: bytes) -> Iterator[Part]:
    start = 13 + _colours(data[10])
    while (kind := data[start : start + 1]) != b";":
        match kind:
            case b"!":
                body = start + 2
            case b",":
                body = start + 11 + _colours(data[start + 9])
            case b"":
                raise BadPicture("The image is cut short.")
            case _:
                raise BadPicture("The image is damaged.")
        end = _end_of_blocks(data, body)
        yield Part(kind, start, body, end - body, end)
        start = end
    yield Part(kind, start, start + 1, 0, start + 1)


def _colours(flags: int) -> int:
    """The length in bytes of the colour table that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, position: int) -> int:
    while length := data[position]:
        position += length + 1
    return position + 1


def _measure_gif(data: bytes, parts: tuple[Part, ...]) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    frames = [part for part in parts if part.kind == b","]
    if not frames:
        raise BadPicture("The image file holds no image.")
    for frame in frames:
        left, top, across, down = struct.unpack_from("<HHHH", data, frame.start + 1)
        # Decoders grow the canvas to such a frame, past the size we have checked.
        if left + across > width or top + down > height:
            raise BadPicture("The image is damaged: it does not fit its own size.")
    return width, height


_WALKS: dict[Raster, Callable[[bytes], Iterator[Part]]] = {
    "png": _walk_png,
    "jpeg": _walk_jpeg,
    "webp": _walk_webp,
    "gif": _walk_gif,
}
_MEASURES: dict[Raster, Callable[[bytes, tuple[Part, ...]], tuple[int, int]]] = {
    "png": _measure_png,
    "jpeg": _measure_jpeg,
    "webp": _measure_webp,
    "gif": _measure_gif,
}
