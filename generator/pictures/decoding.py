"""The one place where Pillow is given bytes from outside."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

# Imported by name: asked for a format it does not know, Pillow would load all of its plugins.
from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from generator.errors import BadPicture
from generator.pictures.containers import Layout, Part

# What Pillow's decoders are known to raise on bytes that lie.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_PLUGINS = {
    "png": PngImagePlugin.PngImageFile.format,
    "jpeg": JpegImagePlugin.JpegImageFile.format,
    "webp": WebPImagePlugin.WebPImageFile.format,
    "gif": GifImagePlugin.GifImageFile.format,
}
_PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
# APP0 and APP14 say how the colours are coded; the other application segments and comments
# say nothing that a decoder needs.
_JPEG_ASIDES = frozenset(bytes([code]) for code in (*range(0xE1, 0xEE), 0xEF, 0xFE))


@contextmanager
def decoded(data: bytes, layout: Layout) -> Iterator[Image.Image]:
    """The image open in Pillow, nothing decoded yet.

    Pillow is shown the pixels alone: profiles, EXIF and texts are places to hide in, and what
    is wrong with them (it warns, or refuses the whole image) is no reason to lose an image.
    Raises `BadPicture` for whatever fails in the body of the `with`, too.
    """
    try:
        with Image.open(BytesIO(_pixels(data, layout)), formats=[_PLUGINS[layout.format]]) as image:
            if image.size != (layout.width, layout.height):
                raise BadPicture("The image is damaged: it does not say one size.")
            yield image
    except _DECODER_ERRORS as error:
        raise BadPicture("The image is damaged and cannot be decoded.") from error


def _pixels(data: bytes, layout: Layout) -> bytes:
    view = memoryview(data)
    kept = [view[part.start : part.end] for part in layout.parts if has_pixels(layout, part)]
    return b"".join([view[: layout.parts[0].start], *kept])


def has_pixels(layout: Layout, part: Part) -> bool:
    """Whether a decoder needs this part; of WebP and GIF all parts are taken to be needed."""
    match layout.format:
        case "png":
            return part.kind in _PNG_PIXELS
        case "jpeg":
            return part.kind not in _JPEG_ASIDES
        case "webp" | "gif":
            return True
