"""The mark "made by AI", written beside the pixels of an image."""

import struct
import zlib
from collections.abc import Mapping
from itertools import takewhile

from generator.errors import BadPicture
from generator.pictures.containers import PNG_SIGNATURE, Layout, Part, dissect, sniff
from generator.pictures.drawings import could_be_drawing
from generator.pictures.xmp import packet

_PNG_TEXTS = frozenset({b"iTXt", b"tEXt", b"zTXt"})
_PNG_KEYWORD = b"XML:com.adobe.xmp\0"
_PNG_PACKETS = (_PNG_KEYWORD, b"Raw profile type xmp\0")
_JPEG_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_PACKETS = (_JPEG_HEADER, b"http://ns.adobe.com/xmp/extension/\0")
_GIF_HEADER = b"\x0bXMP DataXMP"
# A GIF's blocks begin with their length. The packet is written without such bytes: whatever letter
# a reader takes for one, it lands in here, and from anywhere in here at the end.
_GIF_LANDING = bytes([1, *range(255, -1, -1), 0])

# Bits of the first byte of a WebP's VP8X chunk.
_WEBP_FLAGS = {b"ANIM": 0x02, b"EXIF": 0x08, b"ALPH": 0x10, b"ICCP": 0x20}
_WEBP_XMP, _WEBP_ALPHA = 0x04, 0x10


def mark(
    data: bytes, *, prompt: str | None = None, settings: Mapping[str, object] | None = None
) -> bytes:
    """Say in the file that a trained algorithm made the image; no pixel is touched.

    The IPTC digital source type is safe to show anyone. `prompt` and `settings` (any JSON; both
    are for the author's own copy) are written when given. An XMP packet that was there is
    replaced; EXIF and colour profiles stay. SVG comes back as it is. Raises `BadPicture` for what
    is no whole image.
    """
    match sniff(data):
        case "png":
            return _mark_png(data, dissect(data, "png"), packet(prompt, settings))
        case "jpeg":
            return _mark_jpeg(data, dissect(data, "jpeg"), packet(prompt, settings))
        case "webp":
            return _mark_webp(data, dissect(data, "webp"), packet(prompt, settings))
        case "gif":
            return _mark_gif(data, dissect(data, "gif"), packet(prompt, settings))
        case None if could_be_drawing(data):
            return data
        case None:
            raise BadPicture("The file is no image.")


def _mark_png(data: bytes, layout: Layout, xmp: bytes) -> bytes:
    header, *rest = layout.parts
    kept = [part for part in rest if not _is_png_packet(data, part)]
    # Keyword, not compressed, no language, no translated keyword.
    chunk = _png_chunk(b"iTXt", _PNG_KEYWORD + b"\0\0\0\0" + xmp)
    return b"".join([PNG_SIGNATURE, _slice(data, header), chunk, *_slices(data, kept)])


def _is_png_packet(data: bytes, part: Part) -> bool:
    return part.kind in _PNG_TEXTS and data.startswith(_PNG_PACKETS, part.body)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _mark_jpeg(data: bytes, layout: Layout, xmp: bytes) -> bytes:
    kept = [
        part
        for part in layout.parts
        if part.kind != b"\xe1" or not data.startswith(_JPEG_PACKETS, part.body)
    ]
    # Readers look for JFIF and EXIF at the very start.
    first = len(list(takewhile(lambda part: part.kind in (b"\xd8", b"\xe0", b"\xe1"), kept)))
    body = _JPEG_HEADER + xmp
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return b"".join([*_slices(data, kept[:first]), segment, *_slices(data, kept[first:])])


def _mark_webp(data: bytes, layout: Layout, xmp: bytes) -> bytes:
    kept = [part for part in layout.parts if part.kind not in (b"VP8X", b"XMP ")]
    chunks = [_webp_chunk(part.kind, part.payload(data)) for part in kept]
    whole = b"".join([_webp_header(data, layout), *chunks, _webp_chunk(b"XMP ", xmp)])
    return b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WEBP" + whole


def _webp_header(data: bytes, layout: Layout) -> bytes:
    """The VP8X chunk that was there, or the one that a simple file now needs, with XMP said."""
    first = layout.parts[0]
    if first.kind == b"VP8X":
        body = first.payload(data)
        return _webp_chunk(b"VP8X", bytes([body[0] | _WEBP_XMP]) + body[1:])
    flags = _WEBP_XMP
    for part in layout.parts:
        flags |= _WEBP_FLAGS.get(part.kind, 0)
    # The lossless header: a signature byte, 14 bits each of width and height, then alpha.
    if first.kind == b"VP8L" and data[first.body + 4] & 0x10:
        flags |= _WEBP_ALPHA
    canvas = (layout.width - 1).to_bytes(3, "little") + (layout.height - 1).to_bytes(3, "little")
    return _webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + canvas)


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _mark_gif(data: bytes, layout: Layout, xmp: bytes) -> bytes:
    head = b"GIF89a" + data[6 : layout.parts[0].start]  # the older kind knows no extensions
    kept = [part for part in layout.parts if not _is_gif_packet(data, part)]
    extension = b"!\xff" + _GIF_HEADER + xmp + _GIF_LANDING
    return b"".join([head, extension, *_slices(data, kept)])


def _is_gif_packet(data: bytes, part: Part) -> bool:
    return data.startswith(b"!\xff" + _GIF_HEADER, part.start)


def _slice(data: bytes, part: Part) -> memoryview:
    return memoryview(data)[part.start : part.end]


def _slices(data: bytes, parts: list[Part]) -> list[memoryview]:
    return [_slice(data, part) for part in parts]
