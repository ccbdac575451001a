"""Painters of things near at hand: stone, cloth, spheres, cut paper.

Each takes a canvas size and a generator of random numbers, and returns an RGB image.
"""

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from generator.sandbox.canvas import (
    Colour,
    Point,
    Size,
    mix,
    noise,
    palettes,
    ramp,
    rock,
    shade,
    sky,
    tint,
)

STONES = palettes(
    "#0e2f3d #1f6a74 #7fb8a6 #f1e6cf #d9a05f",
    "#2b1a20 #8e3b34 #e08a57 #f7e3c5 #6d8f8a",
    "#1a1833 #4a3f82 #9a86c4 #efe2ea #d98f8a",
    "#14231c #3a6a4c #a8bf82 #f4ecd0 #b8724a",
)


def agate(size: Size, rng: Random) -> Image.Image:
    """A cut stone: bands along a soft noise."""
    w, h = size
    bands, start = rng.uniform(4.5, 8), rng.uniform(0, 6.3)
    wave = [v / 255 * bands * math.pi + start + 0.6 * math.sin(v / 9) for v in range(256)]
    saw = [int(128 + 127 * math.sin(v)) for v in wave]
    # Eight bits are too few for smooth bands: work small, then enlarge.
    small = noise((max(8, w // 3), max(8, h // 3)), rng.randint(3, 5), rng, 3)
    field = small.filter(ImageFilter.GaussianBlur(2)).resize(size, Image.Resampling.BICUBIC)
    image = tint(field.point(saw).filter(ImageFilter.BoxBlur(1)), rng.choice(STONES))
    shade(image, rock(size, 30, rng), 0.25)
    return image


CLOTHS = palettes(
    "#0d2a26 #1d5a4b #5f9c7c #cfe0bd",
    "#3a0f16 #9b2d2a #e2703f #fbd2a0",
    "#141a3a #34488a #7d92cc #dfe2f2",
    "#2a2018 #7a5a3c #c8a27a #f4e6d0",
    "#2c0f2e #7a2f6a #c9729a #f6d2d6",
)


def silk(size: Size, rng: Random) -> Image.Image:
    """Folds of cloth in one light."""
    w, h = max(8, size[0] // 5), max(8, size[1] // 5)
    p = [rng.uniform(0, 6.3) for _ in range(5)]
    rows = bytearray()
    for y in range(h):
        v = y / h
        sway, lean = 0.55 * math.sin(v * 4 + p[0]), v * 9 + p[1]
        for x in range(w):
            u = x / w
            bend = u * 2.2 + sway + 0.28 * math.sin(lean + u * 3)
            fold = math.sin(bend * 5.2 + p[2]) * 0.55 + math.sin(bend * 2.1 + p[4]) * 0.4
            fold += math.sin(bend * 11 + v * 2 + p[3]) * 0.25
            rows.append(max(0, min(255, int(128 + fold * 106))))
    grey = Image.frombytes("L", (w, h), bytes(rows)).resize(size, Image.Resampling.BICUBIC)
    return tint(grey, rng.choice(CLOTHS))


WALLS = palettes(
    "#e9dccb #f0e6d8 #e6c9ae #c79a7c",
    "#cfd8dc #e6ebe8 #b4c2c0 #839694",
    "#d8cfe0 #ece6ee #b9a8bf #84738c",
    "#2a3340 #465262 #39424c #191f27",
)
BALLS = palettes(
    "#d9653b #2f6f73 #e8b64c #7a3340",
    "#c8433f #e9d8b4 #2f4a73 #5f8f6a",
    "#e3a03c #a8443c #f0e2cc #3c5a54",
)


def orbs(size: Size, rng: Random) -> Image.Image:
    """Spheres on a table in side light."""
    w, h = size
    wall, balls = rng.choice(WALLS), rng.choice(BALLS)
    horizon = int(h * rng.uniform(0.55, 0.66))
    image = sky(size, wall[:2])
    image.paste(sky((w, h - horizon), wall[2:]), (0, horizon))
    image = image.filter(ImageFilter.GaussianBlur(3))
    unit = min(w, h)
    form = _ball_light()
    spots = [(0.34, 0.5, 0.24), (0.64, 0.58, 0.16), (0.5, 0.71, 0.09), (0.8, 0.7, 0.07)]
    for colour, (u, v, r) in zip(rng.sample(balls, 4), spots, strict=True):
        radius = unit * r * rng.uniform(0.8, 1.15)
        at = w * (u + rng.uniform(-0.05, 0.05)), h * (v + rng.uniform(-0.03, 0.03))
        _ball(image, at, radius, colour, form)
    return image


def _ball_light() -> Image.Image:
    """How bright each point of a sphere is (mode L, 96 by 96)."""
    rows = bytearray()
    for j in range(96):
        for i in range(96):
            x, y = (i - 47.5) / 47.5, (j - 47.5) / 47.5
            z = math.sqrt(max(0.0, 1 - x * x - y * y))
            lit = -0.5 * x - 0.6 * y + 0.62 * z + max(0.0, y) * 0.15
            rows.append(max(0, min(255, int(60 + 165 * lit + 200 * max(0.0, lit - 0.8)))))
    return Image.frombytes("L", (96, 96), bytes(rows))


def _ball(image: Image.Image, at: Point, radius: float, colour: Colour, form: Image.Image) -> None:
    x, y, r = at[0], at[1], radius
    shadow = Image.new("L", (image.width // 2, image.height // 2))
    oval = ((x - r * 0.85) / 2, (y + r * 0.72) / 2, (x + r * 2.2) / 2, (y + r * 1.14) / 2)
    ImageDraw.Draw(shadow).ellipse(oval, fill=86)
    shadow = shadow.filter(ImageFilter.GaussianBlur(r * 0.07)).resize(image.size)
    image.paste((58, 36, 38), (0, 0, *image.size), shadow)
    d = max(4, round(r * 2))
    tones = [mix(colour, (38, 20, 40), 0.6), colour, mix(colour, (255, 248, 236), 0.75)]
    ball = tint(form, tones).resize((d, d), Image.Resampling.BICUBIC)
    mask = Image.new("L", (d * 3, d * 3))
    ImageDraw.Draw(mask).ellipse((1, 1, d * 3 - 2, d * 3 - 2), fill=255)
    image.paste(ball, (round(x - r), round(y - r)), mask.reduce(3))


GROUNDS = palettes(
    "#0f3f55 #2d7f8a #9cc7b0 #efe3c2 #e0a468 #b5573c",
    "#1b2a4a #4a6a9a #b4c4d4 #f0e8da #d8a08a #8a4a58",
    "#23361f #5a7a42 #b4c48a #f2ecd0 #d8b070 #96582f",
)


def relief_map(size: Size, rng: Random) -> Image.Image:
    """Paper cut-out: levels of a height field, each with its shadow."""
    w, h = size
    colours = rng.choice(GROUNDS)
    small = noise((max(8, w // 2), max(8, h // 2)), rng.randint(3, 5), rng, 3)
    field = small.filter(ImageFilter.GaussianBlur(4)).resize(size, Image.Resampling.BICUBIC)
    dark = mix(colours[0], (10, 16, 30), 0.75)
    image = Image.new("RGB", size, colours[0])
    levels = 9
    for k in range(1, levels):
        cut = 60 + k * 140 / levels
        # A steep ramp instead of a hard step: the edge comes out smooth.
        mask = field.point([max(0, min(255, int(128 + (v - cut) * 110))) for v in range(256)])
        shadow = mask.filter(ImageFilter.BoxBlur(4)).point([v // 2 for v in range(256)])
        image.paste(dark, (0, 0, w, h), ImageChops.offset(shadow, w // 130, w // 90))
        image.paste(ramp(colours, k / (levels - 1)), (0, 0, w, h), mask)
    return image
