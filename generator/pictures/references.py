"""Reference images: as they are kept, and as they are sent within a model's limits."""

import math
import struct
from collections.abc import Collection, Iterator
from dataclasses import replace

from PIL import Image

from generator.errors import BadPicture
from generator.pictures.containers import PNG_SIGNATURE, Format, Layout, Part, dissect
from generator.pictures.decoding import decoded, has_pixels
from generator.pictures.drawings import could_be_drawing
from generator.pictures.encoding import decoded_at, encoded
from generator.pictures.inspection import Picture, inspect, survey
from generator.pictures.orientation import turn_of
from generator.pictures.profiles import profile_of

_DRAWING = "The reference is a drawing (SVG). Export it as PNG and add that."
_KEPT_QUALITY = 95
_QUALITIES = (92, 85, 75)
# Below so many pixels on the longest side nobody would know the image again.
_SMALLEST_SIDE = 64
# What says how the colours are meant, and nothing of who, where and when.
_PNG_COLOURS = frozenset({b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT"})
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"})
# Bits of the first byte of a WebP's VP8X chunk.
_WEBP_ICC, _WEBP_EXIF, _WEBP_XMP = 0x20, 0x08, 0x04
_JFIF, _ICC = b"JFIF\0", b"ICC_PROFILE\0"
_PLAIN_JFIF = 14  # bytes; a longer one brings a small copy of the image along


def as_reference(data: bytes) -> Picture:
    """What is kept of an uploaded image: upright, its pixels, its colours, and nothing else.

    EXIF, places, comments and hidden small copies are cut out beside the pixels. Only what must be
    turned is encoded anew, and a GIF becomes a PNG. Raises `BadPicture` as `inspect` does, and for
    drawings (SVG).
    """
    picture = inspect(data)
    if picture.format == "svg":
        raise BadPicture(_DRAWING)
    layout = dissect(picture.data, picture.format)
    if not _stands(data, layout):
        return _redrawn(picture.data, layout)
    return replace(picture, data=_cut(picture.data, layout))


def fitted(
    data: bytes,
    *,
    formats: Collection[str],
    most_bytes: int,
    most_pixels: int,
    longest_side: int,
) -> Picture:
    """The reference within a model's limits: its pixels unchanged if it fits, else made to fit.

    Either way without what stands beside the pixels, so that an image that was made here takes no
    prompt along. `formats` are those that the model takes: png, jpeg, webp. What must be converted
    becomes PNG if it is transparent anywhere, else JPEG, as far as these are taken; sides are in
    pixels.

    Raises `BadPicture` for what is no image, and where even a small copy weighs too much.
    """
    if (layout := survey(data)) is None:
        raise BadPicture(_DRAWING if could_be_drawing(data) else "The file is no image.")
    size = _size_within(layout.width, layout.height, most_pixels, longest_side)
    if size == (layout.width, layout.height) and layout.format in formats and _stands(data, layout):
        kept = _cut(data, layout)
        if len(kept) <= most_bytes:
            return Picture(layout.format, *size, kept)
    image = decoded_at(data, layout, size)
    format = _format_for(image, formats)
    for picture in _attempts(image, format, most_bytes):
        if len(picture.data) <= most_bytes:
            return picture
    raise BadPicture(f"The reference cannot be made to weigh {most_bytes // 1000:,} KB or less.")


# ── Kept ──


def _stands(data: bytes, layout: Layout) -> bool:
    """Whether it is upright, and its parts are such that some can be left out."""
    kinds = {part.kind for part in layout.parts}
    return layout.format != "gif" and b"ANMF" not in kinds and turn_of(data, layout) is None


def _cut(data: bytes, layout: Layout) -> bytes:
    view = memoryview(data)
    has_profile = bool(_real_profile(data, layout))
    kept = [part for part in layout.parts if _is_kept(data, layout, part, has_profile=has_profile)]
    if layout.format == "webp":
        return _webp(data, kept, has_profile=has_profile)
    start = PNG_SIGNATURE if layout.format == "png" else b""
    return b"".join([start, *(view[part.start : part.end] for part in kept)])


def _real_profile(data: bytes, layout: Layout) -> bytes:
    """The colour profile, if it is one: anything could be put in its place."""
    profile = profile_of(data, layout)
    return profile if profile[36:40] == b"acsp" else b""


def _is_kept(data: bytes, layout: Layout, part: Part, *, has_profile: bool) -> bool:
    match layout.format, part.kind:
        case ("png", b"iCCP") | ("webp", b"ICCP"):
            return has_profile
        case "png", kind:
            return kind in _PNG_COLOURS or has_pixels(layout, part)
        case "jpeg", b"\xe0":
            return part.length == _PLAIN_JFIF and data.startswith(_JFIF, part.body)
        case "jpeg", b"\xe2":
            return has_profile and data.startswith(_ICC, part.body)
        case "jpeg", _:
            return has_pixels(layout, part)
        case _, kind:
            return kind in _WEBP_KEPT


def _webp(data: bytes, parts: list[Part], *, has_profile: bool) -> bytes:
    gone = _WEBP_EXIF | _WEBP_XMP | (0 if has_profile else _WEBP_ICC)
    chunks = [_webp_chunk(part.kind, part.payload(data), gone) for part in parts]
    whole = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def _webp_chunk(kind: bytes, body: bytes, gone: int) -> bytes:
    if kind == b"VP8X":
        body = bytes([body[0] & ~gone]) + body[1:]
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _redrawn(data: bytes, layout: Layout) -> Picture:
    """Upright, in the same format (a GIF as PNG), its pixels as they were where that can be."""
    with decoded(data, layout) as image:
        image.load()
        turn = turn_of(data, layout)
        upright = image if turn is None else image.transpose(turn)
        return encoded(
            upright,
            "png" if layout.format == "gif" else layout.format,
            quality=_KEPT_QUALITY,
            lossless=True,
            profile=_real_profile(data, layout),
        )


# ── Fitted ──


def _size_within(width: int, height: int, most_pixels: int, longest_side: int) -> tuple[int, int]:
    scale = min(1.0, longest_side / max(width, height), math.sqrt(most_pixels / (width * height)))
    # The shade more keeps what comes out whole from being cut to the number below.
    return max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6))


def _format_for(image: Image.Image, formats: Collection[str]) -> Format:
    clear = image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
    wanted: tuple[Format, ...] = ("png", "webp", "jpeg") if clear else ("jpeg", "png", "webp")
    for format in wanted:
        if format in formats:
            return format
    raise BadPicture("The model takes no images of a kind that the studio can make.")


def _attempts(image: Image.Image, format: Format, most_bytes: int) -> Iterator[Picture]:
    """The image, first ever plainer and then ever smaller."""
    while True:
        for quality in _QUALITIES if format != "png" else _QUALITIES[:1]:
            picture = encoded(image, format, quality=quality)
            yield picture
        # As much smaller as it is too heavy, and a little more.
        scale = min(0.9, 0.95 * math.sqrt(most_bytes / len(picture.data)))
        size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
        if max(size) < _SMALLEST_SIDE:
            return
        image = image.resize(size, Image.Resampling.LANCZOS)
