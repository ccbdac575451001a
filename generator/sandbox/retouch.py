"""Painting over an image that came along: only where it is to change, or all of it a little."""

import io
from random import Random

from PIL import Image, ImageOps

from generator.sandbox import paint
from generator.sandbox.canvas import Size
from generator.sandbox.gallery import encode
from generator.sandbox.wire import Refused

_MOST_PIXELS = 40_000_000


def opened(data: bytes, name: str = "image") -> Image.Image:
    """An image that came along, decoded. Raises `Refused` (400) for what is none."""
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
        if image.width * image.height > _MOST_PIXELS:
            raise Refused(400, f"{name} is too large", code="invalid_image_file")
        image.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(400, f"Invalid image file: {name}", code="invalid_image_file") from error
    return image


def retouched(
    base: bytes, change: bytes | None, seed: int, size: Size | None, format: str,
    *, compression: int = 90, transparent: bool = False,
) -> tuple[bytes, Size]:  # fmt: skip
    """The file, and its size in pixels. `change` is white where the image is to change.

    Where `size` has another shape than the base, both are cut at the edges to fit it.
    """
    old = opened(base)
    made = size or old.size
    alpha = old.getchannel("A") if old.mode == "RGBA" else None
    old = ImageOps.fit(old.convert("RGB"), made)
    new = paint.paint(seed, made).convert("RGB")
    if change is None:
        image = Image.blend(old, new, 0.35 + 0.2 * Random(seed).random())
    else:
        where = ImageOps.fit(opened(change, "mask").convert("L"), made)
        image = Image.composite(new, old, where)
    if transparent:
        image.putalpha(paint.medallion(made))
    elif alpha is not None and size is None and format != "jpeg":
        image.putalpha(alpha)
    return encode(image, format, compression), made
