"""Which way up an image is to be shown, as its EXIF says."""

import struct

from PIL import Image

from generator.pictures.containers import Layout

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


def turn_of(data: bytes, layout: Layout) -> Image.Transpose | None:
    """What brings the image upright; None where it stands so, or where nothing readable is said.

    Read here because Pillow's EXIF reader warns, and a warning cannot be kept within one thread.
    """
    kinds = {"png": b"eXIf", "jpeg": b"\xe1", "webp": b"EXIF"}
    for part in layout.parts:
        if part.kind == kinds.get(layout.format):
            exif = part.payload(data).removeprefix(b"Exif\0\0")
            if exif.startswith((b"II*\0", b"MM\0*")):
                return _TURNS.get(_tiff_orientation(exif))
    return None


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
