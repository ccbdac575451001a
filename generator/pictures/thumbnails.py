"""Small WebP copies for lists and pages."""

from io import BytesIO

from PIL import Image

from generator.errors import BadPicture
from generator.pictures.decoding import decoded
from generator.pictures.drawings import could_be_drawing, drawn
from generator.pictures.inspection import survey
from generator.pictures.orientation import turn_of
from generator.pictures.profiles import eight_bits, in_srgb, profile_of

# The longest side, in pixels.
THUMBNAIL_EDGES = {"small": 480, "large": 1280}

_QUALITY, _EFFORT = 80, 4


def thumbnail(data: bytes, *, edge: int) -> bytes:
    """A WebP whose longest side is at most `edge` pixels; a smaller image is not enlarged.

    Turned as its EXIF says, in sRGB, with its transparency. A drawing (SVG) is drawn at that size.
    Raises `BadPicture` for what cannot be decoded or drawn.
    """
    if could_be_drawing(data):
        data = drawn(data, edge=edge)
    if (layout := survey(data)) is None:
        raise BadPicture("There is no thumbnail of this kind of file.")
    with decoded(data, layout) as image:
        small = eight_bits(image)
        # A JPEG is decoded straight at a half, a quarter or an eighth of its size.
        small.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=2.0)
        small = in_srgb(small, profile_of(data, layout))
        if (turn := turn_of(data, layout)) is not None:
            small = small.transpose(turn)
        target = BytesIO()
        small.save(target, "WEBP", quality=_QUALITY, method=_EFFORT)
    return target.getvalue()
