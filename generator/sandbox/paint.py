"""A picture from a seed: chosen, painted small, enlarged, and marked "sandbox".

A seed says everything: its remainder names the painter, the rest drives the painter's
random numbers. So a link that carries a seed can be painted again by anyone.
"""

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from generator.sandbox import landscapes, places, prints, still_lifes
from generator.sandbox.canvas import Size

type Painter = Callable[[Size, Random], Image.Image]

PAINTERS: tuple[Painter, ...] = (
    landscapes.alps,
    landscapes.fjord,
    places.dunes,
    places.forest,
    places.aurora,
    places.city,
    landscapes.clouds,
    still_lifes.agate,
    still_lifes.silk,
    still_lifes.orbs,
    prints.poster,
    still_lifes.relief_map,
    prints.leaves,
    prints.waves,
    prints.flow,
    prints.flower,
)

# Words that make us paint what was asked for, as far as we can paint it.
WORDS: dict[Painter, str] = {
    landscapes.alps: "alps alpine mountain mountains peak peaks snow valley volcano cliff",
    landscapes.fjord: "fjord lake lighthouse coast harbour harbor island moon river boat ship",
    places.dunes: "dune dunes desert sand sahara camel mars canyon",
    places.forest: "forest wood woods tree trees pine pines jungle fox deer bear cabin",
    places.aurora: "aurora night stars star galaxy space planet northern arctic",
    places.city: "city town skyline street tower building buildings bridge neon robot train",
    landscapes.clouds: "cloud clouds sky storm rain thunder weather bird birds plane balloon",
    still_lifes.agate: "agate stone rock marble crystal gem mineral",
    still_lifes.silk: "silk cloth fabric dress portrait woman man face fashion",
    still_lifes.orbs: "orb orbs ball sphere fruit apple teapot cup table bowl product still",
    prints.poster: "poster comet rocket travel retro vintage print logo sticker",
    still_lifes.relief_map: "map relief paper world topographic isometric",
    prints.leaves: "leaf leaves botanical plant plants fern herb garden",
    prints.waves: "wave waves sea ocean beach fish whale surf japanese",
    prints.flow: "abstract flow painting paint brush watercolour watercolor pattern cat dog",
    prints.flower: "flower flowers rose bloom blossom bouquet tulip spring lotus",
}
_STEER = {word: PAINTERS.index(painter) for painter, line in WORDS.items() for word in line.split()}

CANVAS = 640  # pixels of the longer side that painters work on


def seed_for(prompt: str, *tokens: object) -> int:
    """The seed of a prompt and whatever tells one of its images from the next.

    Words of the prompt that we know choose the painter; without one, chance does.
    """
    text = "\0".join([prompt, *map(str, tokens)])
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:7])
    for word in re.findall(r"[a-z]+", prompt.lower()):
        if word in _STEER:
            return seed - seed % len(PAINTERS) + _STEER[word]
    return seed


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """For the length of the block everybody paints nine flat colours, which costs next to nothing:
    for tests of many hundred images that look at sizes, formats and which part has changed."""
    _studio.hurries += 1
    try:
        yield
    finally:
        _studio.hurries -= 1


class _Studio:
    hurries = 0


_studio = _Studio()


def _flat(seed: int, size: Size) -> Image.Image:
    loud = bytes(255 * (byte & 1) for byte in Random(seed).randbytes(27))
    return Image.frombytes("RGB", (3, 3), loud).resize(size, Image.Resampling.NEAREST)


def paint(seed: int, size: Size, *, transparent: bool = False) -> Image.Image:
    """The picture of a seed: RGB of exactly this size, or RGBA with a clear surround."""
    if _studio.hurries and not transparent:
        return _flat(seed, size)
    w, h = size
    scale = min(1.0, CANVAS / max(w, h))
    small = max(16, round(w * scale)), max(16, round(h * scale))
    image = PAINTERS[seed % len(PAINTERS)](small, Random(seed))
    if scale < 1:
        image = image.filter(ImageFilter.UnsharpMask(1, 60, 2))
        image = image.resize(size, Image.Resampling.BICUBIC)
    elif image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    image = ImageChops.add(image, _grain(size), 1, -GRAIN)
    if transparent:
        image.putalpha(medallion(size))
    _sign(image)
    return image


GRAIN = 2  # levels up or down: hides the steps of soft gradients


@lru_cache(maxsize=4)
def _grain(size: Size) -> Image.Image:
    side = 256
    parts = bytes(v % (2 * GRAIN + 1) for v in Random(0).randbytes(side * side))
    tile = Image.frombytes("L", (side, side), parts)
    grey = Image.new("L", size)
    for y in range(0, size[1], side):
        for x in range(0, size[0], side):
            grey.paste(tile, (x, y))
    return Image.merge("RGB", (grey, grey, grey))


def medallion(size: Size) -> Image.Image:
    """A round window: clear corners, smooth edge."""
    w, h = size
    inset = min(w, h) // 40
    mask = Image.new("L", (w * 2, h * 2))
    box = (inset * 2, inset * 2, (w - inset) * 2 - 1, (h - inset) * 2 - 1)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask.reduce(2)


def _sign(image: Image.Image) -> None:
    """The discreet line in the corner: nobody should take this for a model's work."""
    mask = _caption(max(8, min(image.size) // 68))
    margin = max(2, min(image.size) // 64)
    x, y = image.width - mask.width - margin, image.height - mask.height - margin
    clear = image.mode == "RGBA"
    image.paste((20, 20, 20, 150) if clear else (20, 20, 20), (x + 1, y + 1), mask)
    image.paste((255, 255, 255, 210) if clear else (255, 255, 255), (x, y), mask)


@lru_cache(maxsize=32)
def _caption(height: int) -> Image.Image:
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox("sandbox")
    mask = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(mask).text((1 - left, 1 - top), "sandbox", fill=190, font=font)
    return mask
