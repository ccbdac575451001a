"""What some bytes really are: by their structure and by decoding all of them."""

from dataclasses import dataclass, field

from generator.errors import BadPicture
from generator.pictures.containers import Format, Layout, dissect, sniff
from generator.pictures.decoding import decoded
from generator.pictures.drawings import could_be_drawing, read_drawing
from generator.pictures.rows import refuse_missing_rows

MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 40_000_000

_EXTENSIONS: dict[Format, str] = {"jpeg": "jpg"}
_CONTENT_TYPES: dict[Format, str] = {"svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image found to be whole. `data` ends where the image ends; sizes are in pixels.

    A drawing (SVG) that does not say its size has 0 by 0.
    """

    format: Format
    width: int
    height: int
    data: bytes = field(repr=False)

    @property
    def extension(self) -> str:
        """As in a file's name, without the dot: png, jpg, webp, gif or svg."""
        return _EXTENSIONS.get(self.format, self.format)

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES.get(self.format, f"image/{self.format}")


def inspect(data: bytes) -> Picture:
    """Find out what `data` is and that all of it can be decoded.

    Raises `BadPicture` for what is empty, too large, cut short, damaged, animated, larger in
    pixels than `MAX_PIXELS` (by its header, before anything is decoded), or no image at all.
    """
    if len(data) > MAX_BYTES:
        raise BadPicture("The image file is too large: it may have up to 64 MB.")
    if (layout := survey(data)) is not None:
        with decoded(data, layout) as image:
            image.load()
            if layout.format == "png":
                refuse_missing_rows(image, data, layout)
        return Picture(layout.format, layout.width, layout.height, data[: layout.end])
    if could_be_drawing(data):
        drawing = read_drawing(data)
        return Picture("svg", drawing.width, drawing.height, data[: drawing.end])
    raise BadPicture("The file is no image." if data else "The image file is empty.")


def survey(data: bytes) -> Layout | None:
    """The layout of an image made of pixels, its limits checked; None for anything else."""
    if (format := sniff(data)) is None:
        return None
    layout = dissect(data, format)
    if layout.width * layout.height > MAX_PIXELS:
        most = MAX_PIXELS // 1_000_000
        raise BadPicture(f"The image is too large: it may have up to {most} million pixels.")
    if layout.is_animated:
        raise BadPicture("The image is an animation, which the studio does not keep.")
    return layout
