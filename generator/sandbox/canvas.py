"""What the painters share: skies, noise, ridges, fog, water, light.

Everything here paints *into* the image it is given (mode RGB), on the small canvas that
`paint` later enlarges; only bands that change are touched. Colours are (red, green, blue),
0 to 255; lengths are pixels. What is random comes from the generator handed in, so a
seed always paints the same.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

type Colour = tuple[int, int, int]
type Point = tuple[float, float]
type Size = tuple[int, int]

WHITE: Colour = (255, 255, 255)


def rgb(code: str) -> Colour:
    """The colour written `#rrggbb`."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def rgbs(codes: str) -> list[Colour]:
    """Colours written one after the other, `#rrggbb #rrggbb`."""
    return [rgb(code) for code in codes.split()]


def palettes(*lines: str) -> list[list[Colour]]:
    """One list of colours per line."""
    return [rgbs(line) for line in lines]


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """The colour at t, 0 to 1, on the way from a to b."""
    return (
        round(a[0] + (b[0] - a[0]) * t),
        round(a[1] + (b[1] - a[1]) * t),
        round(a[2] + (b[2] - a[2]) * t),
    )


def ramp(colours: Sequence[Colour], t: float) -> Colour:
    """The colour at t, 0 to 1, along evenly spaced colours."""
    place = max(0.0, min(0.9999, t)) * (len(colours) - 1)
    return mix(colours[int(place)], colours[int(place) + 1], place % 1)


def sky(size: Size, colours: Sequence[Colour]) -> Image.Image:
    """A vertical gradient."""
    rows = bytes(part for y in range(256) for part in ramp(colours, y / 255))
    return Image.frombytes("RGB", (1, 256), rows).resize(size, Image.Resampling.BILINEAR)


def noise(size: Size, cells: int, rng: Random, octaves: int = 3) -> Image.Image:
    """Soft noise (mode L), from small random images made large; `cells` across the width."""
    total: Image.Image | None = None
    for octave in range(octaves):
        across = cells * 2**octave + 1
        down = max(2, round(across * size[1] / size[0])) + 1
        small = Image.frombytes("L", (across, down), rng.randbytes(across * down))
        layer = small.resize(size, Image.Resampling.BICUBIC)
        total = layer if total is None else Image.blend(total, layer, 0.5 / (octave + 1))
    assert total is not None
    return total


def tint(grey: Image.Image, colours: Sequence[Colour]) -> Image.Image:
    """A grey image in colours, dark to light."""
    table = [ramp(colours, value / 255) for value in range(256)]
    return Image.merge("RGB", [grey.point([c[i] for c in table]) for i in range(3)])


def glow(image: Image.Image, at: Point, radius: float, colour: Colour, strength: float) -> None:
    """Light around a point, softly ending."""
    # Blurred at a quarter of the size: nobody can tell, and it costs a sixteenth. The square
    # may reach out of the image: cut before the blur, its edge would show as a bar of light.
    reach = max(4, round(radius * 2.2 / 4)) * 4
    left, top = round(at[0]) - reach, round(at[1]) - reach
    side, r = reach // 2, radius / 4
    mask = Image.new("L", (side, side))
    middle = side / 2
    round_box = (middle - r, middle - r, middle + r, middle + r)
    ImageDraw.Draw(mask).ellipse(round_box, fill=round(255 * strength))
    mask = mask.filter(ImageFilter.GaussianBlur(r / 1.5)).point([v * v // 255 for v in range(256)])
    mask = mask.resize((reach * 2, reach * 2), Image.Resampling.BILINEAR)
    box = (max(0, left), max(0, top), left + reach * 2, top + reach * 2)
    box = (box[0], box[1], min(image.width, box[2]), min(image.height, box[3]))
    part = image.crop(box)
    lit = ImageChops.screen(part, Image.new("RGB", part.size, colour))
    image.paste(lit, box, mask.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top)))


def disc(image: Image.Image, at: Point, radius: float, colour: Colour) -> None:
    """A smooth round, as the sun is one."""
    size = max(2, round(radius * 2))
    mask = Image.new("L", (size * 4, size * 4))
    ImageDraw.Draw(mask).ellipse((0, 0, size * 4 - 1, size * 4 - 1), fill=255)
    place = round(at[0] - radius), round(at[1] - radius)
    image.paste(colour, (*place, place[0] + size, place[1] + size), mask.reduce(4))


def ridge(width: int, base: float, height: float, rng: Random, rough: float = 0.55) -> list[Point]:
    """A mountain line by midpoint displacement, from the left edge to the right."""
    points = [rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4)]
    reach = 1.0
    for _ in range(9):
        finer: list[float] = []
        for a, b in pairwise(points):
            finer += [a, (a + b) / 2 + rng.uniform(-reach, reach) * 0.5]
        points = [*finer, points[-1]]
        reach *= rough
    last = len(points) - 1
    return [(i * width / last, base - p * height) for i, p in enumerate(points)]


def fill_below(
    image: Image.Image, line: Sequence[Point], colours: Sequence[Colour], until: float = 0
) -> tuple[Image.Image, int]:
    """Fill below a line with a gradient that runs down from its highest point.

    Returns the mask of what was filled and the row where the mask begins.
    """
    w, h = image.size
    top = min(h - 2, max(0, int(min(y for _, y in line))))
    outline = [(x * 2, (y - top) * 2) for x, y in line]
    mask = Image.new("L", (w * 2, (h - top) * 2))
    ImageDraw.Draw(mask).polygon([*outline, (w * 2, h * 2), (0, h * 2)], fill=255)
    mask = mask.reduce(2)
    fill = Image.new("RGB", mask.size, colours[-1])
    fill.paste(sky((w, max(2, int(until or h) - top)), colours), (0, 0))
    image.paste(fill, (0, top), mask)
    return mask, top


def rock(size: Size, cells: int, rng: Random) -> Image.Image:
    """Light on rough ground (mode RGB, 128 is neutral): a noise against itself moved sunwards."""
    ground = noise(size, cells, rng, 4)
    moved = ImageChops.offset(ground, 2, 2)
    lit = ImageChops.add(ground, ImageChops.invert(moved), 1, -127)
    steep = lit.point([max(0, min(255, 128 + (v - 128) * 5)) for v in range(256)])
    soft = steep.filter(ImageFilter.BoxBlur(1))
    return Image.merge("RGB", (soft, soft, soft))


def shade(
    image: Image.Image,
    light: Image.Image,
    strength: float,
    mask: Image.Image | None = None,
    top: int = 0,
    start: int = 0,
) -> None:
    """Lay the light of `rock`, from its row `start` on, over what a mask covers.

    Without a mask: over everything below `top`. `start` is at most `top`.
    """
    w, h = image.size
    part = image.crop((0, top, w, h))
    lit = ImageChops.overlay(part, light.crop((0, start, w, start + h - top)))
    image.paste(Image.blend(part, lit, strength), (0, top), mask)


def veil(
    image: Image.Image, y: float, depth: float, colour: Colour, strength: float, rng: Random
) -> None:
    """A band of mist around the height y."""
    w, h = image.size
    top, bottom = max(0, int(y - depth * 2.3)), min(h, int(y + depth * 2.3))
    if bottom - top < 2:
        return
    column = bytes(
        round(255 * strength * math.exp(-(((row - y) / depth) ** 2))) for row in range(top, bottom)
    )
    band = Image.frombytes("L", (1, bottom - top), column).resize((w, bottom - top))
    clouds = noise(band.size, 3, rng, 2).point([min(255, 90 + v) for v in range(256)])
    image.paste(colour, (0, top, w, bottom), ImageChops.multiply(band, clouds))


def water(
    image: Image.Image, shore: int, colours: Sequence[Colour], strength: float, rng: Random
) -> None:
    """What is above the shore, mirrored below it and broken by ripples."""
    w, h = image.size
    deep = h - shore
    above = image.crop((0, max(0, shore - deep), w, shore))
    below = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((w, deep))
    below = below.filter(ImageFilter.BoxBlur(2))
    out = below.copy()
    for y in range(deep):
        depth = y / deep
        swing = math.sin(y * (1.1 - depth * 0.8) + rng.random())
        out.paste(below.crop((0, y, w, y + 1)), (round(swing * (1 + depth * w / 110)), y))
    tone = sky(out.size, colours)
    image.paste(Image.blend(out.filter(ImageFilter.BoxBlur(1)), tone, 1 - strength), (0, shore))


def trees(
    image: Image.Image, y: float, height: float, colour: Colour, gap: float, rng: Random
) -> None:
    """A row of firs, and the ground below them."""
    w, h = image.size
    top = max(0, int(y - height * 1.25))
    mask = Image.new("L", (w * 2, max(2, (h - top) * 2)))
    draw = ImageDraw.Draw(mask)
    x = -gap
    while x < w + gap:
        _fir(draw, x, y + rng.uniform(-0.04, 0.06) * height - top, height, rng)
        x += gap * rng.uniform(0.35, 1.3)
    draw.rectangle((0, (y + height * 0.03 - top) * 2, w * 2, h * 2), fill=255)
    mask = mask.reduce(2)
    image.paste(colour, (0, top, w, top + mask.height), mask)


def _fir(draw: ImageDraw.ImageDraw, x: float, foot: float, height: float, rng: Random) -> None:
    tall = height * rng.uniform(0.55, 1.15)
    for tier in range(9):
        t = tier / 9
        tip = foot - tall * (1 - t)
        half = tall * (0.02 + 0.17 * t) * rng.uniform(0.8, 1.15)
        low = tip + tall * 0.2
        corners = [(x * 2, tip * 2), ((x - half) * 2, low * 2), ((x + half) * 2, low * 2)]
        draw.polygon(corners, fill=255)
