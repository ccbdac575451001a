"""The colour profile of an image, and its colours brought to sRGB."""

import zlib
from io import BytesIO

from PIL import Image, ImageCms

from generator.pictures.containers import Layout

_MAX_PROFILE_BYTES = 4 * 1024 * 1024


def profile_of(data: bytes, layout: Layout) -> bytes:
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


def eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be resized and that a colour profile can be for."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """In RGB, or RGBA where it was that; a profile that is broken is passed over."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if not profile:
        return image.convert(mode)
    try:
        source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(source, target, image.mode, mode).apply(image)
    except (ImageCms.PyCMSError, OSError, ValueError):
        # The profile is broken, or for other colours than these.
        return image.convert(mode)


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
