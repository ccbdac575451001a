"""An image decoded at some size, and encoded anew."""

from io import BytesIO

from PIL import Image

from generator.pictures.containers import Format, Layout
from generator.pictures.decoding import decoded
from generator.pictures.inspection import Picture
from generator.pictures.orientation import turn_of
from generator.pictures.profiles import eight_bits, in_srgb, profile_of


def decoded_at(data: bytes, layout: Layout, size: tuple[int, int]) -> Image.Image:
    """Upright, in sRGB, and of this size before it is turned."""
    with decoded(data, layout) as image:
        small = eight_bits(image)
        # A JPEG is decoded straight at a half, a quarter or an eighth of its size.
        small.draft(None, (2 * size[0], 2 * size[1]))
        small = small.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        small = in_srgb(small, profile_of(data, layout))
        turn = turn_of(data, layout)
        return small if turn is None else small.transpose(turn)


def encoded(
    image: Image.Image,
    format: Format,
    *,
    quality: int,
    lossless: bool = False,
    profile: bytes = b"",
) -> Picture:
    """As PNG, JPEG (what is transparent becomes white) or WebP; `quality` is of 100."""
    target = BytesIO()
    match format:
        case "jpeg":
            image = _on_white(image)
            image.save(target, "JPEG", quality=quality, subsampling=0, icc_profile=profile)
        case "webp":
            image.save(target, "WEBP", quality=quality, lossless=lossless, icc_profile=profile)
        case _:
            image.save(target, "PNG", icc_profile=profile or None)
    return Picture(format, image.width, image.height, target.getvalue())


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page
