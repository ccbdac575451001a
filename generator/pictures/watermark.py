"""A line of text over an image, again and again, so that it cannot be cut off."""

import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from generator.errors import BadPicture
from generator.pictures.conversion import Form
from generator.pictures.drawings import could_be_drawing, drawn
from generator.pictures.encoding import decoded_at, encoded
from generator.pictures.inspection import Picture, survey

_LARGEST_DRAWING = 2048  # pixels
_SLANT = 24  # degrees
_QUALITY = 90
_FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_NO_LETTER = "\uffff"  # drawn as whatever the font lacks
_SMALLEST = 11  # pixels of a letter's height
_SMALL = 32  # up to here a text is kept as it was drawn: at most 5 MB each
# White with a dark rim is read on light and on dark.
_FILL, _RIM = (255, 255, 255, 120), (0, 0, 0, 96)


def watermarked(data: bytes, text: str, *, format: Form, edge: int | None = None) -> Picture:
    """The image with `text` over it, its longest side at most `edge` pixels, never enlarged.

    Encoded anew, with nothing beside the pixels. Raises `BadPicture` for what cannot be decoded.
    """
    if could_be_drawing(data):
        data = drawn(data, edge=edge or _LARGEST_DRAWING)
    if (layout := survey(data)) is None:
        raise BadPicture("This kind of file takes no text.")
    scale = min(1.0, (edge or layout.width + layout.height) / max(layout.width, layout.height))
    size = max(1, round(layout.width * scale)), max(1, round(layout.height * scale))
    return encoded(_under(decoded_at(data, layout, size), text), format, quality=_QUALITY)


def missing(text: str) -> str:
    """The letters of `text` that cannot be written over an image, each once: those that the font
    lacks, and those of scripts that run from right to left."""
    lacking = _drawing(_NO_LETTER)
    letters = dict.fromkeys(_composed(text))
    return "".join(one for one in letters if _runs_left(one) or _drawing(one) == lacking)


def _drawing(letter: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(24).getmask(letter)
    return mask.size, bytes(mask)


def _runs_left(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in {"R", "AL", "AN"}


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _font(height: int) -> ImageFont.FreeTypeFont:
    # Written letter by letter, so that it looks the same on every machine.
    return ImageFont.truetype(_FONT, height, layout_engine=ImageFont.Layout.BASIC)


def _under(image: Image.Image, text: str) -> Image.Image:
    text = _composed(text)
    tile = _tile(text, _height(text, *image.size))
    whole = image.convert("RGB")
    across, down = tile.width, max(1, tile.height * 3 // 4)
    for row, top in enumerate(range(-tile.height // 3, image.height, down)):
        for left in range(-(row % 2) * across // 2, image.width, across):
            whole.paste(tile, (left, top), tile)
    if image.mode == "RGBA":
        whole.putalpha(image.getchannel("A"))
    return whole


def _height(text: str, width: int, height: int) -> int:
    """Of the letters, in pixels: so that a long text, too, lies over the image again and again."""
    across = _font(100).getlength(text) / 100  # for each pixel of height
    return max(_SMALLEST, min(min(width, height) // 17, int(width / 1.5 / max(0.1, across))))


def _tile(text: str, height: int) -> Image.Image:
    """The text once, slanted, with room around it."""
    return _kept(text, height) if height <= _SMALL else _drawn(text, height)


def _drawn(text: str, height: int) -> Image.Image:
    font, rim = _font(height), max(1, height // 16)
    left, top, right, bottom = font.getbbox(text, stroke_width=rim)
    size = round(right - left) + 4 * height, round(bottom - top) + 2 * height
    tile = Image.new("RGBA", size, (255, 255, 255, 0))
    ImageDraw.Draw(tile).text(
        (2 * height - left, height - top), text, font=font, fill=_FILL,
        stroke_width=rim, stroke_fill=_RIM,
    )  # fmt: skip
    return tile.rotate(_SLANT, Image.Resampling.BICUBIC, expand=True)


_kept = lru_cache(maxsize=8)(_drawn)
