"""Small WebP copies for lists and pages: the only images that we encode ourselves."""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageCms

from generator.errors import BadPicture
from generator.pictures.containers import Layout
from generator.pictures.decoding import decoded
from generator.pictures.inspection import survey

# The longest side, in pixels.
THUMBNAIL_EDGES = {"small": 480, "large": 1280}

_QUALITY, _EFFORT = 80, 4
_MAX_PROFILE_BYTES = 4 * 1024 * 1024
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def thumbnail(data: bytes, *, edge: int) -> bytes:
    """A WebP whose longest side is at most `edge` pixels; a smaller image is not enlarged.

    Turned as its EXIF says, in sRGB, with its transparency. Raises `BadPicture` for what cannot
    be decoded, and for drawings (SVG), of which there is no thumbnail.
    """
    if (layout := survey(data)) is None:
        raise BadPicture("There is no thumbnail of this kind of file.")
    with decoded(data, layout) as image:
        small = _eight_bits(image)
        # A JPEG is decoded straight at a half, a quarter or an eighth of its size.
        small.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=2.0)
        small = _in_srgb(small, _profile(data, layout))
        orientation = _orientation(data, layout)
        if orientation in _TURNS:
            small = small.transpose(_TURNS[orientation])
        target = BytesIO()
        small.save(target, "WEBP", quality=_QUALITY, method=_EFFORT)
    return target.getvalue()


def _eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be resized and that a colour profile can be for."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if not profile:
        return image.convert(mode)
    try:
        source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(source, target, image.mode, mode).apply(image)
    except (ImageCms.PyCMSError, OSError, ValueError):
        # The profile is broken, or for other colours than these.
        return image.convert(mode)


def _profile(data: bytes, layout: Layout) -> bytes:
    """The image's ICC colour profile, or nothing."""
    payloads = [(part.kind, part.payload(data)) for part in layout.parts if part.length > 14]
    match layout.format:
        case "png":
            packed = b"".join(body for kind, body in payloads if kind == b"iCCP")
            return _inflate(packed.partition(b"\0")[2][1:])
        case "jpeg":
            marker = b"ICC_PROFILE\0"
            bodies = [
                body for kind, body in payloads if kind == b"\xe2" and body.startswith(marker)
            ]
            return b"".join(body[14:] for body in sorted(bodies, key=lambda body: body[12]))
        case "webp":
            return b"".join(body for kind, body in payloads if kind == b"ICCP")
        case "gif":
            return b""


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _MAX_PROFILE_BYTES)
    except zlib.error:
        return b""


def _orientation(data: bytes, layout: Layout) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none that can be read.

    Read here because Pillow's EXIF reader warns, and a warning cannot be kept within one thread.
    """
    kinds = {"png": b"eXIf", "jpeg": b"\xe1", "webp": b"EXIF"}
    for part in layout.parts:
        if part.kind == kinds.get(layout.format):
            exif = part.payload(data).removeprefix(b"Exif\0\0")
            if exif.startswith((b"II*\0", b"MM\0*")):
                return _tiff_orientation(exif)
    return 1


def _tiff_orientation(exif: bytes) -> int:
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for index in range(count):
            entry = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * index)
            if entry[0] == _ORIENTATION:
                return int(entry[3])
    except struct.error:
        pass
    return 1
