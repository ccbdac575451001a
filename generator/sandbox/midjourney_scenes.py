"""Midjourney's pictures as recipes: what was made from what, so that any step can be painted again.

A grid is four scenes on one sheet, two by two: 1 is top left, 2 top right, 3 bottom left, 4 bottom
right (F4). An upscale of one of them is that very scene, pixel for pixel.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

from generator.sandbox import paint
from generator.sandbox.canvas import Size
from generator.sandbox.retouch import opened

type Scene = Painted | Given | Varied | Enlarged | Zoomed | Panned | Filled | Mixed

SIDES = ("left", "right", "up", "down")
PAN = 0.5  # how much of its side a picture grows by
_PLAIN = 40  # levels between two pictures, on average, that anybody can see
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Painted:
    """A new picture."""

    seed: int
    size: Size


@dataclass(frozen=True, slots=True)
class Given:
    """An image that came along, cut to a size at its edges."""

    data: bytes = field(repr=False)
    size: Size


@dataclass(frozen=True, slots=True)
class Varied:
    """A scene through which a new picture shows, from 0 (not at all) to 1."""

    base: Scene
    seed: int
    strength: float


@dataclass(frozen=True, slots=True)
class Enlarged:
    """A scene with both sides so many times as long."""

    base: Scene
    times: int


@dataclass(frozen=True, slots=True)
class Zoomed:
    """The scene smaller by a factor, in the middle of a new picture of the same size."""

    base: Scene
    seed: int
    factor: float


@dataclass(frozen=True, slots=True)
class Panned:
    """The scene with new picture on one of its SIDES."""

    base: Scene
    seed: int
    side: str


@dataclass(frozen=True, slots=True)
class Filled:
    """The scene with a new picture where the mask (an image) is white."""

    base: Scene
    mask: bytes = field(repr=False)
    seed: int


@dataclass(frozen=True, slots=True)
class Mixed:
    """Some images over each other, and a little of a new picture."""

    parts: tuple[Scene, ...]
    seed: int


def size_of(scene: Scene) -> Size:
    """Width and height in pixels, without painting it."""
    match scene:
        case Painted() | Given():
            return scene.size
        case Enlarged(base=base, times=times):
            width, height = size_of(base)
            return width * times, height * times
        case Panned(base=base, side=side):
            width, height = size_of(base)
            grown = round((width if side in {"left", "right"} else height) * PAN)
            wide = side in {"left", "right"}
            return (width + grown, height) if wide else (width, height + grown)
        case Mixed(parts=parts):
            return size_of(parts[0])
        case Varied() | Zoomed() | Filled():
            return size_of(scene.base)


@lru_cache(maxsize=32)
def drawn(scene: Scene) -> Image.Image:
    """The scene in RGB. Kept for a while and shared: not to be painted on."""
    size = size_of(scene)
    match scene:
        case Painted(seed=seed):
            return paint.paint(seed, size).convert("RGB")
        case Given(data=data):
            return ImageOps.fit(opened(data).convert("RGB"), size)
        case Varied(base=base, seed=seed, strength=strength):
            return Image.blend(drawn(base), paint.paint(seed, size).convert("RGB"), strength)
        case Enlarged(base=base):
            large = drawn(base).resize(size, Image.Resampling.LANCZOS)
            return large.filter(ImageFilter.UnsharpMask(2, 60, 2))
        case Zoomed(base=base, seed=seed, factor=factor):
            small = drawn(base).resize((round(size[0] / factor), round(size[1] / factor)))
            at = (size[0] - small.width) // 2, (size[1] - small.height) // 2
            return _pasted(seed, size, small, at)
        case Panned(base=base, seed=seed, side=side):
            old = drawn(base)
            at = (
                size[0] - old.width if side == "left" else 0,
                size[1] - old.height if side == "up" else 0,
            )
            return _pasted(seed, size, old, at)
        case Filled(base=base, mask=mask, seed=seed):
            where = ImageOps.fit(_white(mask), size, Image.Resampling.NEAREST)
            return Image.composite(_unlike(drawn(base), seed, where), drawn(base), where)
        case Mixed(parts=parts, seed=seed):
            mixed = drawn(parts[0])
            for count, part in enumerate(parts[1:], start=2):
                mixed = Image.blend(mixed, ImageOps.fit(drawn(part), size), 1 / count)
            return Image.blend(mixed, paint.paint(seed, size).convert("RGB"), 0.15)


def sheet(scenes: tuple[Scene, ...]) -> Image.Image:
    """The file's picture: the one scene, or four of one size two by two."""
    if len(scenes) == 1:
        return drawn(scenes[0])
    width, height = size_of(scenes[0])
    image = Image.new("RGB", (width * 2, height * 2))
    for place, scene in enumerate(scenes):
        image.paste(drawn(scene), (place % 2 * width, place // 2 * height))
    return image


def _pasted(seed: int, size: Size, old: Image.Image, at: tuple[int, int]) -> Image.Image:
    image = paint.paint(seed, size).convert("RGB")
    image.paste(old, at)
    return image


def _unlike(old: Image.Image, seed: int, where: Image.Image) -> Image.Image:
    """A new picture that nobody takes for the old one, as far as the mask shows it."""
    new = paint.paint(seed, old.size).convert("RGB")
    for other in range(1, _TRIES):
        apart = ImageStat.Stat(ImageChops.difference(new, old).convert("L"), where)
        if not where.getbbox() or apart.mean[0] > _PLAIN:
            break
        new = paint.paint(seed + other * 5, old.size).convert("RGB")  # by another painter
    return new


def _white(mask: bytes) -> Image.Image:
    return opened(mask, "mask").convert("L").point([0] * 128 + [255] * 128)
