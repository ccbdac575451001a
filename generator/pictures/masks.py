"""Masks: which pixels of an image are to change.

Everywhere in the studio a mask is a PNG of one grey channel, 255 where the image is to change and
0 where it is to stay. What a provider wants instead (K19) is made of that.
"""

from functools import reduce
from io import BytesIO
from operator import or_

from PIL import Image, ImageChops

from generator.errors import BadPicture
from generator.pictures.decoding import decoded
from generator.pictures.inspection import survey
from generator.pictures.orientation import turn_of
from generator.pictures.profiles import eight_bits

# Grey and opacity from here on count as painted.
_PAINTED = 128


def read_mask(data: bytes, *, width: int, height: int) -> bytes:
    """The studio's mask of an image that is just `width` by `height` pixels.

    In an image with transparency what is painted (opaque) is to change, in any other one what is
    light. Raises `BadPicture` for another size, and where nothing is painted.
    """
    image = _opened(data)
    if image.size != (width, height):
        across, down = image.size
        raise BadPicture(
            f"The mask is {across} × {down} pixels, and the image is {width} × {height}. "
            "They must be of the same size."
        )
    painted = _painted(image)
    if painted.getextrema() == (0, 0):
        raise BadPicture("Nothing is painted in the mask. Paint over what is to change.")
    return _as_png(painted)


def transparent_mask(mask: bytes) -> bytes:
    """OpenAI's form of a mask (C): RGBA, clear where the image is to change, else black."""
    stays = ImageChops.invert(_painted(_opened(mask)))
    image = Image.new("RGBA", stays.size, "black")
    image.putalpha(stays)
    return _as_png(image)


def resized_mask(mask: bytes, width: int, height: int) -> bytes:
    """The mask of the same image at another size, in pixels; every pixel stays black or white.

    Where the image is made smaller, a pixel is to change if any one under it is: no mark is lost.
    """
    image = _fewer_rows(_painted(_opened(mask)), height)
    image = _turned(_fewer_rows(_turned(image), width))
    return _as_png(image.resize((width, height), Image.Resampling.NEAREST))


def blank_mask(data: bytes) -> bytes:
    """The mask of an image in which nothing is to change; `data` is the image."""
    if (layout := survey(data)) is None:
        raise BadPicture("The image is not made of pixels.")
    return _as_png(Image.new("L", (layout.width, layout.height), 0))


def is_painted(mask: bytes) -> bool:
    """Whether anything at all is to change."""
    return _painted(_opened(mask)).getbbox() is not None


def _opened(data: bytes) -> Image.Image:
    if (layout := survey(data)) is None:
        raise BadPicture("The mask is not an image made of pixels. Send it as PNG.")
    with decoded(data, layout) as image:
        image = eight_bits(image)
        image.load()
        turn = turn_of(data, layout)
        return image if turn is None else image.transpose(turn)


def _painted(image: Image.Image) -> Image.Image:
    light = image.convert("RGB").convert("L")
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        least, _ = alpha.getextrema()
        light = alpha if isinstance(least, (int, float)) and least < 255 else light
    return light.point([255 if value >= _PAINTED else 0 for value in range(256)])


def _fewer_rows(image: Image.Image, height: int) -> Image.Image:
    # Pillow's averages round a small mark away; here every byte is all ones or all noughts.
    across, down = image.size
    if height >= down:
        return image
    data = image.tobytes()
    rows = [int.from_bytes(data[y * across : (y + 1) * across]) for y in range(down)]
    under = (rows[y * down // height : -(-(y + 1) * down // height)] for y in range(height))
    fewer = b"".join(reduce(or_, each).to_bytes(across) for each in under)
    return Image.frombytes("L", (across, height), fewer)


def _turned(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.TRANSPOSE)


def _as_png(image: Image.Image) -> bytes:
    target = BytesIO()
    image.save(target, "PNG")
    return target.getvalue()
