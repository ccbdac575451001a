"""Painters of mountains, shores and weather, each in the light of some hour.

Each takes a canvas size and a generator of random numbers, and returns an RGB image.
"""

from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from generator.sandbox.canvas import (
    Colour,
    Point,
    Size,
    disc,
    fill_below,
    glow,
    mix,
    noise,
    ramp,
    rgb,
    rgbs,
    ridge,
    rock,
    shade,
    sky,
    veil,
    water,
)


@dataclass(frozen=True, slots=True)
class Light:
    """An hour of the day: the colours of sky, rock, water and mist that go together."""

    sky: list[Colour]
    light: Colour
    sun: Colour
    rock: list[Colour]
    mist: Colour
    sea: list[Colour]


def _light(skies: str, light: str, sun: str, rocks: str, mist: str, sea: str) -> Light:
    return Light(rgbs(skies), rgb(light), rgb(sun), rgbs(rocks), rgb(mist), rgbs(sea))


LIGHTS = [
    _light(  # dawn
        "#35507a #8ea3bd #f0c9a6 #f6ddc0",
        "#ffd9a6",
        "#fff4e0",
        "#a9aec0 #6c7f9c #3c5270 #1f2e44 #121b28",
        "#f3d9c2",
        "#b9a9a6 #24344c",
    ),
    _light(  # rose
        "#6d5a70 #c38a8c #f4b898 #fbdfc2",
        "#ffc7a0",
        "#fff0da",
        "#cc9f9c #97717a #5f4a5a #352c3f #1b1824",
        "#f5c4b4",
        "#d29c96 #37283b",
    ),
    _light(  # noon
        "#2f78a8 #74b0cf #c4e0e6 #eef3ea",
        "#fff6d8",
        "#fffbe9",
        "#9fbccb #6593a5 #3d6d74 #24504b #12322d",
        "#e6f0ee",
        "#8fc0cb #17474f",
    ),
    _light(  # ember
        "#22222f #5b3440 #b4523c #f0a45c",
        "#ffb469",
        "#ffe6bd",
        "#a4574a #713b43 #452939 #271c2b #140f1a",
        "#e58d5c",
        "#b4604a #1d1622",
    ),
    _light(  # night
        "#0c1730 #1c3557 #4a6f8c #9fb6bb",
        "#cfe3f2",
        "#f5f3e4",
        "#4d6c86 #32506b #1d344b #101f30",
        "#a9bfc8",
        "#6f8d9e #0d1c2e",
    ),
    _light(  # storm
        "#23303b #4d5f68 #8d9a98 #cfc9b4",
        "#f0e6c8",
        "#e9e2cf",
        "#7d8b8c #57676b #37464b #1d292d",
        "#c3c6ba",
        "#8b9a98 #1d2b30",
    ),
    _light(  # dusk
        "#274256 #5d7380 #d8957c #f7c892",
        "#ffcf9e",
        "#fff0d8",
        "#8c8382 #5a6168 #35434f #1a2630",
        "#edbd9d",
        "#d9a08b #1f303d",
    ),
]
LAMP = rgb("#ffe2a0")


def alps(size: Size, rng: Random) -> Image.Image:
    """Ranges behind ranges, and mist between them."""
    w, h = size
    hour = rng.choice(LIGHTS)
    image = sky(size, hour.sky)
    sun = w * rng.uniform(0.25, 0.75), h * rng.uniform(0.16, 0.3)
    glow(image, sun, min(w, h) * 0.36, hour.light, 0.8)
    disc(image, sun, min(w, h) * rng.uniform(0.04, 0.065), hour.sun)
    stone = rock(size, 22, rng)
    layers = rng.randint(5, 7)
    for i in range(layers):
        t = i / (layers - 1)
        base = h * (0.46 + 0.5 * t**1.15)
        line = ridge(w, base, h * (0.22 - 0.1 * t), rng, 0.52 + 0.03 * (1 - t))
        far, near = ramp(hour.rock, t), ramp(hour.rock, min(1, t + 0.16))
        mask, top = fill_below(image, line, [far, mix(near, far, 0.4)], base + h * 0.22)
        shade(image, stone, 0.16 + 0.22 * t, mask, top, rng.randint(0, top))
        if i < layers - 1:
            veil(image, base + h * 0.09, h * 0.055, hour.mist, 0.55 * (1 - t * 0.7), rng)
    return image


def fjord(size: Size, rng: Random) -> Image.Image:
    """Water between mountains; every other time a lighthouse."""
    w, h = size
    hour = rng.choice(LIGHTS)
    shore = int(h * rng.uniform(0.58, 0.66))
    lamp = rng.random() < 0.5
    image = sky(size, hour.sky)
    moon = w * rng.uniform(0.2, 0.5 if lamp else 0.7), h * rng.uniform(0.16, 0.32)
    glow(image, moon, h * 0.24, hour.light, 0.7)
    disc(image, moon, min(w, h) * 0.05, hour.sun)
    stone = rock(size, 22, rng)
    for i in range(4):
        t = i / 3
        line = ridge(w, shore - h * (0.16 - 0.13 * t), h * (0.26 - 0.12 * t), rng, 0.55)
        colour = ramp(hour.rock, t)
        mask, top = fill_below(image, line, [colour, mix(colour, hour.mist, 0.35)], shore)
        shade(image, stone, 0.3, mask, top, rng.randint(0, top))
    veil(image, shore - h * 0.02, h * 0.05, hour.mist, 0.6, rng)
    if lamp:
        at = w * rng.uniform(0.62, 0.78), shore + h * 0.01
        _lighthouse(image, at, min(h * 0.34, w * 0.34), hour, rng)
    water(image, shore, hour.sea, 0.66, rng)
    return image


def _lighthouse(image: Image.Image, at: Point, tall: float, hour: Light, rng: Random) -> None:
    w, _ = image.size
    x, foot = at
    head = foot - tall
    cliff = ridge(w, foot, tall * 0.16, rng, 0.6)
    cliff = [(px, py + max(0.0, abs(px - x) - tall * 0.25) * 0.35) for px, py in cliff]
    fill_below(image, cliff, [hour.rock[-1], rgb("#0d1216")], foot + 10)
    beam = Image.new("L", (w // 2, image.height // 2))
    draw = ImageDraw.Draw(beam)
    half_x, half_y, reach = x / 2, head / 2, tall / 2
    left = [(half_x, half_y), (0, half_y - reach * 0.5), (0, half_y + reach * 0.12)]
    right = [(half_x, half_y), (w / 2, half_y - reach * 0.22), (w / 2, half_y + reach * 0.02)]
    draw.polygon(left, fill=150)
    draw.polygon(right, fill=70)
    beam = beam.filter(ImageFilter.GaussianBlur(w / 150)).resize(image.size)
    image.paste(ImageChops.screen(image, Image.new("RGB", image.size, LAMP)), (0, 0), beam)
    _tower(image, x, foot, tall)
    glow(image, (x, head + tall * 0.05), tall * 0.22, LAMP, 0.9)


def _tower(image: Image.Image, x: float, foot: float, tall: float) -> None:
    # Drawn three times as large on a crop of its own, for smooth edges.
    s = 3
    half = tall * 0.16
    box = (int(x - half), int(foot - tall * 1.1), int(x + half) + 1, int(foot + tall * 0.06))
    big = image.crop(box).resize(((box[2] - box[0]) * s, (box[3] - box[1]) * s))
    draw = ImageDraw.Draw(big)
    cx, low, head = (x - box[0]) * s, (foot - box[1]) * s, (foot - tall - box[1]) * s
    size = tall * s

    def side(t: float) -> tuple[float, float]:
        return size * (0.095 - 0.04 * t), low - size * (0.9 * t - 0.04)

    for k in range(5):
        (a, ya), (b, yb) = side(k / 5), side((k + 1) / 5)
        colour = rgb("#e9e2d6") if k % 2 == 0 else rgb("#b4442f")
        draw.polygon([(cx - a, ya), (cx + a, ya), (cx + b, yb), (cx - b, yb)], fill=colour)
        dark = [(cx + a * 0.25, ya), (cx + a, ya), (cx + b, yb), (cx + b * 0.25, yb)]
        draw.polygon(dark, fill=mix(colour, (20, 24, 34), 0.38))
    rail, lamp, roof = size * 0.077, size * 0.044, size * 0.055
    draw.rectangle((cx - rail, head + size * 0.1, cx + rail, head + size * 0.125), fill="#1c1e24")
    draw.rectangle((cx - lamp, head, cx + lamp, head + size * 0.1), fill=LAMP)
    crown = (cx - roof, head - size * 0.06, cx + roof, head + size * 0.06)
    draw.pieslice(crown, 180, 360, fill="#282224")
    image.paste(big.reduce(s), box)


def clouds(size: Size, rng: Random) -> Image.Image:
    """A high sky full of weather, above a low horizon."""
    w, h = size
    hour = rng.choice(LIGHTS)
    image = sky(size, hour.sky)
    sun = w * rng.uniform(0.2, 0.8), h * rng.uniform(0.45, 0.7)
    glow(image, sun, min(w, h) * 0.5, hour.light, 0.9)
    for k in range(3):
        bank = noise(size, 3 + k, rng, 4)
        cut = 120 - 10 * k
        body = bank.point([max(0, min(230, (v - cut) * 4)) for v in range(256)])
        lit = ImageChops.offset(body, 0, -max(2, h // 60)).filter(ImageFilter.BoxBlur(3))
        tone = mix(hour.mist, hour.rock[0], 0.2 + 0.25 * k)
        image.paste(mix(tone, hour.rock[1], 0.5), (0, 0, w, h), body)
        edge = ImageChops.subtract(body, lit)
        image.paste(mix(hour.sun, hour.mist, 0.3), (0, 0, w, h), edge)
    line = ridge(w, h * 0.9, h * 0.06, rng, 0.5)
    fill_below(image, line, [hour.rock[-2], hour.rock[-1]])
    return image
