"""An image file without what was written into it beside its pixels."""

import struct

from generator.errors import BadPicture
from generator.pictures.containers import PNG_SIGNATURE, Layout, Part, dissect, sniff
from generator.pictures.conversion import converted
from generator.pictures.orientation import turn_of

# Pixels, how their colours are meant, and the frames of an animation.
_PNG = frozenset(
    {
        b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP",
        b"sBIT", b"pHYs", b"acTL", b"fcTL", b"fdAT",
    }
)  # fmt: skip
_WEBP = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_SAID = 0x08 | 0x04  # the flags of a VP8X chunk for EXIF and XMP
# APP0 and APP14 say how the colours are coded; APP2 is kept where it holds the colour profile.
_JPEG_ASIDES = frozenset(bytes([code]) for code in (*range(0xE1, 0xEE), 0xEF, 0xFE))
_LOOPS = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")


def bare(data: bytes) -> bytes:
    """The same pixels, and no text, EXIF, XMP or claim of origin that a provider put beside them.

    One that only its EXIF turns upright is encoded anew, and so is a drawing, as PNG. Raises
    `BadPicture` for what is no whole image.
    """
    match sniff(data):
        case "gif":
            layout = dissect(data, "gif")
            return _joined(data, layout, data[: layout.parts[0].start])
        case "png":
            layout = dissect(data, "png")
            return _upright(data, layout) or _joined(data, layout, PNG_SIGNATURE)
        case "jpeg":
            layout = dissect(data, "jpeg")
            return _upright(data, layout) or _joined(data, layout, b"")
        case "webp":
            layout = dissect(data, "webp")
            return _upright(data, layout) or _webp(data, layout)
        case None:
            return converted(data, format="png").data


def bare_decodes(data: bytes) -> bool:
    """Whether `bare` encodes it anew, and so takes as much as another form of it would."""
    form = sniff(data)
    return form is None or (form != "gif" and turn_of(data, dissect(data, form)) is not None)


def _upright(data: bytes, layout: Layout) -> bytes:
    if turn_of(data, layout) is None:
        return b""
    if layout.format == "gif":
        raise BadPicture("A GIF says nothing of its turn.")
    return converted(data, format=layout.format).data


def _joined(data: bytes, layout: Layout, head: bytes) -> bytes:
    kept = [data[part.start : part.end] for part in layout.parts if _is_kept(data, layout, part)]
    return b"".join([head, *kept])


def _is_kept(data: bytes, layout: Layout, part: Part) -> bool:
    match layout.format:
        case "png":
            return part.kind in _PNG
        case "jpeg" if part.kind == b"\xe2":
            return data.startswith(b"ICC_PROFILE\0", part.body)
        case "jpeg":
            return part.kind not in _JPEG_ASIDES
        case "webp":
            return part.kind in _WEBP
        case "gif":
            return part.kind != b"!" or _says_nothing(data, part)


def _says_nothing(data: bytes, part: Part) -> bool:
    """Whether an extension of a GIF is the timing of a frame, or how often they repeat."""
    label, body = data[part.start + 1], data[part.body : part.body + 12]
    return label == 0xF9 or (label == 0xFF and body.startswith(_LOOPS))


def _webp(data: bytes, layout: Layout) -> bytes:
    whole = bytearray(_joined(data, layout, b""))
    if whole.startswith(b"VP8X"):
        whole[8] &= ~_WEBP_SAID & 0xFF
    return b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WEBP" + bytes(whole)
