"""An image in another form: what somebody takes along who has no use for the one that was made."""

from typing import Literal

from generator.errors import BadPicture
from generator.pictures.drawings import could_be_drawing, drawn, read_drawing
from generator.pictures.encoding import decoded_at, encoded
from generator.pictures.inspection import Picture, survey

type Form = Literal["png", "jpeg", "webp"]

_QUALITY = 92
_DRAWN = 2048  # pixels of the longest side of a drawing that does not say its size, or a larger one


def converted(data: bytes, *, format: Form, edge: int | None = None) -> Picture:
    """The image as PNG, JPEG or WebP, its longest side at most `edge` pixels, never enlarged.

    Upright, in sRGB; what is transparent becomes white in a JPEG. A drawing (SVG) is drawn. Nothing
    of what stood beside the pixels comes along: `mark` it anew. Raises `BadPicture` for what cannot
    be decoded or drawn.
    """
    if could_be_drawing(data):
        data = drawn(data, edge=_edge_of_drawing(data, edge))
    if (layout := survey(data)) is None:
        raise BadPicture("This kind of file has no other form.")
    scale = min(1.0, (edge or layout.width + layout.height) / max(layout.width, layout.height))
    size = max(1, round(layout.width * scale)), max(1, round(layout.height * scale))
    return encoded(decoded_at(data, layout, size), format, quality=_QUALITY)


def _edge_of_drawing(data: bytes, edge: int | None) -> int:
    drawing = read_drawing(data)
    own = max(drawing.width, drawing.height) or _DRAWN
    return edge or min(own, _DRAWN)
