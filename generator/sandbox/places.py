"""Painters of sand, woods, northern nights and towns.

Each takes a canvas size and a generator of random numbers, and returns an RGB image.
"""

import math
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
    ramp,
    rgb,
    rgbs,
    ridge,
    rock,
    shade,
    sky,
    trees,
    veil,
    water,
)

SANDS = [
    (rgbs("#f0c79a #dc8f5c #b7593c #7c2f30"), rgbs("#7fb2bd #c7d5c4 #f4dfb8")),
    (rgbs("#f2d8b8 #e3ad80 #c07a5c #7d4a4c"), rgbs("#8a96b8 #d6b8b8 #f8dcc0")),
    (rgbs("#efe0c4 #cdb48c #94805f #524837"), rgbs("#6f93a8 #bfd0cf #f1ead6")),
    (rgbs("#c98f8a #9a5a68 #623a56 #33213d"), rgbs("#1d2140 #6a4a70 #e8a088")),
]


def dunes(size: Size, rng: Random) -> Image.Image:
    """Sand in waves, one side of every crest in shade."""
    w, h = size
    colours, skies = rng.choice(SANDS)
    image = sky(size, skies)
    disc(image, (w * rng.uniform(0.2, 0.8), h * 0.2), min(w, h) * 0.085, rgb("#fff3df"))
    for i in range(7):
        t = i / 6
        a, b, c = (rng.uniform(0, 6.3) for _ in range(3))
        base = h * (0.36 + 0.62 * t)
        waves = ((0.055, 3.1, a), (0.03, 6, b), (0.008, 17, c))
        line: list[Point] = [
            (x, base + h * sum(k * math.sin(x / w * f + p) for k, f, p in waves))
            for x in range(0, w + 8, 4)
        ]
        face = ramp(colours, t)
        tones = [mix(face, (255, 236, 208), 0.3), face, mix(face, (70, 24, 28), 0.5)]
        mask, top = fill_below(image, line, tones, base + h * 0.3)
        _slip_face(image, mask, top, base, a + i, b)
    return image


def _slip_face(
    image: Image.Image, mask: Image.Image, top: int, base: float, sway: float, bend: float
) -> None:
    """The shaded side of a crest that wanders downhill."""
    w, h = image.size
    crest = [
        (
            w * (0.5 + 0.32 * math.sin(sway) + 0.16 * math.sin(k / 7 + bend) + k * 0.006),
            base - h * 0.05 + k * h * 0.012 - top,
        )
        for k in range(34)
    ]
    dark = Image.new("L", mask.size)
    corners = [*crest, (w * 1.2, h), (w * 1.2, base - h * 0.1 - top)]
    ImageDraw.Draw(dark).polygon(corners, fill=66)
    dark = ImageChops.multiply(dark.filter(ImageFilter.BoxBlur(1)), mask)
    image.paste((92, 34, 40), (0, top, w, top + mask.height), dark)


WOODS = [
    (rgbs("#5d8791 #a9c3bd #e4e2cb"), rgb("#8fb0a8"), rgb("#0d2421"), rgb("#fff6d6")),
    (rgbs("#3b4a6d #92a0b8 #e8d6cf"), rgb("#99a7bd"), rgb("#161d33"), rgb("#ffe9d2")),
    (rgbs("#7c6a5c #cfa27c #f6dcae"), rgb("#c09a78"), rgb("#2a1a16"), rgb("#fff0cf")),
    (rgbs("#243b4a #5f8187 #b9cdbf"), rgb("#6f9390"), rgb("#0a1a1d"), rgb("#e8f2dc")),
]


def forest(size: Size, rng: Random) -> Image.Image:
    """Rows of firs coming out of the mist."""
    w, h = size
    skies, far, near, light = rng.choice(WOODS)
    image = sky(size, skies)
    sun = w * rng.uniform(0.25, 0.75), h * rng.uniform(0.18, 0.3)
    glow(image, sun, min(w, h) * 0.32, light, 0.9)
    disc(image, sun, min(w, h) * 0.055, light)
    for i in range(5):
        t = i / 4
        tall = min(h, w * 1.3) * (0.14 + 0.34 * t)
        gap = min(w, h) * (0.045 + 0.11 * t)
        trees(image, h * (0.52 + 0.42 * t), tall, mix(far, near, t**0.8), gap, rng)
        if i < 4:
            veil(image, h * (0.6 + 0.34 * t), h * 0.07, skies[-1], 0.62 * (1 - 0.5 * t), rng)
    return image


NORTHERN = [
    (rgbs("#07101f #0e2136 #1d4250 #2f5d5c"), rgbs("#4fe0a0 #5fb8e0 #a8f0b8")),
    (rgbs("#0b0a20 #1b1740 #34306a #4b5a80"), rgbs("#8f7df0 #4fd0c0 #e08ad0")),
    (rgbs("#060d18 #10202e #23424a #3f6058"), rgbs("#b8f07a #4fe0b0 #70c8f0")),
]


def aurora(size: Size, rng: Random) -> Image.Image:
    """Curtains of light over a dark ridge."""
    w, h = size
    skies, lights = rng.choice(NORTHERN)
    image = sky(size, skies)
    draw = ImageDraw.Draw(image)
    for _ in range(200):
        star = rng.randrange(w), int(rng.random() ** 1.4 * h * 0.8)
        bright = rng.randrange(90, 240)
        draw.point(star, fill=(bright, bright, min(255, bright + 10)))
    for k, light in enumerate(lights):
        curtain = _curtain((w // 3, h // 3), k, rng).resize(size, Image.Resampling.BICUBIC)
        lit = ImageChops.screen(image, Image.new("RGB", size, light))
        image.paste(lit, (0, 0), curtain)
    line = ridge(w, h * 0.76, h * 0.16, rng, 0.55)
    mask, top = fill_below(image, line, [rgb("#13202a"), rgb("#0b141b")], h)
    shade(image, rock(size, 26, rng), 0.5, mask, top)
    trees(image, h * 0.93, h * 0.2, rgb("#060b0f"), w * 0.025, rng)
    return image


def _curtain(size: Size, order: int, rng: Random) -> Image.Image:
    w, h = size
    curtain = Image.new("L", size)
    pen = ImageDraw.Draw(curtain)
    a, b = rng.uniform(0, 6), rng.uniform(0, 6)
    for x in range(w):
        u = x / w
        foot = 0.56 - 0.1 * order + 0.13 * math.sin(u * 5 + a) + 0.05 * math.sin(u * 13 + b)
        tall = 0.34 + 0.16 * math.sin(u * 9 + b) + 0.06 * math.sin(u * 41 + a)
        power = 0.55 + 0.45 * math.sin(u * 23 + a) * math.sin(u * 7 + b)
        for step in range(12):
            fade = int(255 * power * (1 - step / 12) ** 1.5 * 0.85)
            low, high = foot - tall * step / 12, foot - tall * (step + 1) / 12
            pen.line((x, high * h, x, low * h), fill=fade)
    return curtain.filter(ImageFilter.GaussianBlur(w / 110))


TOWNS = [
    (rgbs("#1f3350 #5c6d86 #dd9478 #f8c68e"), rgb("#7a7482"), rgb("#191f2f"), rgb("#ffd79a")),
    (rgbs("#101430 #33366a #8a5a8c #eaa08c"), rgb("#5e5a86"), rgb("#12132a"), rgb("#ffcf8a")),
    (rgbs("#5b7486 #9fb0b4 #e0d6c2 #f6e6c8"), rgb("#9aa2a4"), rgb("#37434c"), rgb("#fff0c4")),
    (rgbs("#0a1420 #173042 #2f5560 #7d9a90"), rgb("#3a5664"), rgb("#0b151f"), rgb("#ffe3a6")),
]


def city(size: Size, rng: Random) -> Image.Image:
    """Towers by the water at the hour when the windows are lit."""
    w, h = size
    skies, far, near, lamp = rng.choice(TOWNS)
    shore = int(h * rng.uniform(0.7, 0.77))
    heart = rng.uniform(0.35, 0.65)
    image = sky(size, skies)
    glow(image, (w * heart, shore), min(w, h) * 0.34, lamp, 0.55)
    for i in range(4):
        t = i / 3
        x = -20.0
        while x < w:
            wide = rng.uniform(0.03, 0.07) * max(w, h * 0.8)
            crowd = 0.65 + 0.5 * math.exp(-(((x / w - heart) / 0.22) ** 2))
            tall = h * rng.uniform(0.12, 0.5 - 0.09 * i) * crowd
            lit = 0.2 + 0.12 * i if i else 0.0
            box = (int(x), int(shore - tall), int(x + wide), shore)
            _block(image, box, mix(far, near, t), lamp, lit, rng)
            x += wide + rng.choice((0, 2, 6, 10))
        veil(image, shore - h * 0.02, h * 0.07, skies[-1], 0.32 * (1 - t), rng)
    water(image, shore, [skies[-1], near], 0.6, rng)
    return image


def _block(
    image: Image.Image,
    box: tuple[int, int, int, int],
    colour: Colour,
    lamp: Colour,
    lit: float,
    rng: Random,
) -> None:
    left, top, right, bottom = box
    draw = ImageDraw.Draw(image)
    draw.rectangle(box, fill=colour)
    edge = left + int((right - left) * 0.62)
    draw.rectangle((edge, top, right, bottom), fill=mix(colour, (10, 10, 22), 0.2))
    if rng.random() < 0.25:
        middle = (left + right) // 2
        draw.line((middle, top - image.height // 22, middle, top), fill=colour, width=1)
    if not lit:
        return
    for y in range(top + 5, bottom - 5, 6):
        for x in range(left + 3, right - 3, 5):
            if rng.random() < lit:
                draw.rectangle((x, y, x + 1, y + 2), fill=mix(lamp, colour, rng.random() * 0.55))
