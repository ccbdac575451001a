"""Painters of flat prints: a comet, the sea as scales, strokes, leaves, a bloom.

Each takes a canvas size and a generator of random numbers, and returns an RGB image.
"""

import math
from random import Random

from PIL import Image, ImageDraw

from generator.sandbox.canvas import (
    WHITE,
    Colour,
    Point,
    Size,
    mix,
    palettes,
    ramp,
    rock,
    shade,
    sky,
)

PAPERS = palettes(
    "#efe4cf #17263b #e2673a #7fb0ad #3f6b78",
    "#f2ead8 #2a1a30 #d9485a #e0a860 #7a5a86",
    "#e8ecdf #12302c #d98a3c #8fb88a #4a7a66",
)


def poster(size: Size, rng: Random) -> Image.Image:
    """A comet over hills, cut from paper."""
    w, h = size[0] * 2, size[1] * 2
    paper, ink, warm, cool, middle = rng.choice(PAPERS)
    edge = min(w, h) * 0.07
    image = Image.new("RGB", (w, h), paper)
    draw = ImageDraw.Draw(image)
    draw.rectangle((edge, edge, w - edge, h - edge), fill=ink)
    for _ in range(70):
        x, y = rng.uniform(edge, w - edge), rng.uniform(edge, h * 0.6)
        r = rng.choice((2, 2, 3, 5))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=paper)
    head = w * rng.uniform(0.55, 0.7), h * rng.uniform(0.24, 0.34)
    _comet(draw, head, min(w, h) * 0.085, (warm, cool, paper))
    start = rng.uniform(0, 6.3)
    for k, (base, colour) in enumerate(((0.66, cool), (0.74, middle), (0.82, warm), (0.89, paper))):
        hills: list[Point] = [
            (x, h * (base + 0.045 * math.sin(x / w * (4 + k) + k * 1.7 + start)))
            for x in range(int(edge), int(w - edge) + 1, 4)
        ]
        draw.polygon([*hills, (w - edge, h - edge), (edge, h - edge)], fill=colour)
    draw.rectangle((0, h - edge, w, h), fill=paper)
    image = image.reduce(2)
    shade(image, rock(size, 60, rng), 0.12)
    return image


def _comet(
    draw: ImageDraw.ImageDraw, head: Point, r: float, colours: tuple[Colour, Colour, Colour]
) -> None:
    warm, cool, paper = colours
    cx, cy = head
    # The tail: seven ribbons, from the rim of the head towards the lower left.
    ax, ay = -0.84, 0.54
    for k in range(7):
        t = (k / 6 - 0.5) * 2
        px, py = cx - ay * r * 0.86 * t, cy + ax * r * 0.86 * t
        length, half = r * (5.9 - 2 * abs(t)), r * 0.105
        ex, ey = px + ax * length, py + ay * length
        ribbon = [
            (px - ay * half, py + ax * half),
            (px + ay * half, py - ax * half),
            (ex + ay * half * 0.2, ey - ax * half * 0.2),
            (ex - ay * half * 0.2, ey + ax * half * 0.2),
        ]
        draw.polygon(ribbon, fill=mix(warm, cool, k / 6))
    box = (cx - r, cy - r, cx + r, cy + r)
    draw.ellipse(box, fill=warm)
    draw.pieslice(box, -50, 130, fill=mix(warm, paper, 0.45))


SEAS = palettes(
    "#4f94a0 #1f5f7c #12365a #f3e6cf #d8552f",
    "#7a9a8c #2f6a66 #173f48 #f4ead0 #e08a3c",
    "#8a86b4 #4a4a86 #232a56 #f4e0dc #d8506a",
)
DAYS = palettes("#f3e3c8 #f0cfa8 #e7a988", "#e6e8da #f0e0b8 #e8c08a", "#e9d8e4 #f2c8c4 #e79a94")


def waves(size: Size, rng: Random) -> Image.Image:
    """The sea as scales, with a sun behind it."""
    w, h = size[0] * 2, size[1] * 2
    choice = rng.randrange(len(SEAS))
    *deep, pale, sun = SEAS[choice]
    image = sky((w, h), DAYS[choice])
    draw = ImageDraw.Draw(image)
    cx, cy, r = w * rng.uniform(0.3, 0.7), h * 0.36, min(w, h) * rng.uniform(0.17, 0.23)
    draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=sun)
    scale = min(w, h) / rng.uniform(10, 15)
    y, row = h * rng.uniform(0.4, 0.5), 0
    while y < h + scale:
        t = max(0.0, y / h - 0.42) / 0.58
        for k in range(-1, int(w / scale / 2) + 2):
            _scale(draw, (k * scale * 2 + (scale if row % 2 else 0), y), scale, (deep, pale), t)
        y += scale * 0.52
        row += 1
    image = image.reduce(2)
    shade(image, rock(size, 50, rng), 0.16)
    return image


def _scale(
    draw: ImageDraw.ImageDraw,
    at: Point,
    radius: float,
    colours: tuple[list[Colour], Colour],
    t: float,
) -> None:
    x, y = at
    dark = ramp(colours[0], t)
    light = mix(dark, colours[1], 0.82 - 0.25 * t)
    for ring in range(5):
        q = radius * (1.02 - ring * 0.2)
        draw.ellipse((x - q, y - q, x + q, y + q), fill=light if ring % 2 else dark)


INKS = palettes(
    "#f2ebdd #12324a #2b7a86 #e0a14e #d2552f",
    "#f0e6ea #2a1f4a #7a4a8a #e07a7a #f0b87a",
    "#101820 #2f7a8a #7fc0a8 #f0e0b0 #e08a5a",
)


def flow(size: Size, rng: Random) -> Image.Image:
    """Brush strokes that follow a current."""
    w, h = size[0] * 2, size[1] * 2
    paper, *inks = rng.choice(INKS)
    image = Image.new("RGB", (w, h), paper)
    draw = ImageDraw.Draw(image)
    p = [rng.uniform(0, 6.3) for _ in range(4)]
    for _ in range(420):
        x, y = rng.uniform(-0.1, 1.1), rng.uniform(-0.05, 1.05)
        band = math.sin(y * 5 + p[3]) * 0.5 + 0.5
        ink = ramp(inks, min(1, band * 0.75 + rng.uniform(0, 0.25)))
        stroke: list[Point] = []
        for _ in range(rng.randrange(15, 45)):
            stroke.append((x * w, y * h))
            angle = 0.5 * math.sin(x * 4.2 + p[0]) + 0.9 * math.sin(y * 3.4 + p[1])
            angle += 0.35 * math.sin((x + y) * 9 + p[2])
            x += math.cos(angle) * 0.012
            y += math.sin(angle) * 0.012 * w / h
        colour = mix(ink, paper, rng.uniform(0, 0.35))
        draw.line(stroke, fill=colour, width=rng.choice((3, 5, 8, 12)), joint="curve")
    return image.reduce(2)


FOLIAGE = palettes(
    "#f0e8d8 #2f6b52 #7f9a5a #1f4d4a #c9834a",
    "#efe6e0 #8a3f3a #c9834a #5f4a3a #d9b06a",
    "#16241f #6fa27c #a8bf82 #3f7a66 #e0c28a",
    "#e6ecec #2f5a7a #6f9aa2 #24405a #b4886a",
)


def leaves(size: Size, rng: Random) -> Image.Image:
    """Pressed twigs on paper."""
    w, h = size[0] * 2, size[1] * 2
    paper, *colours = rng.choice(FOLIAGE)
    image = Image.new("RGB", (w, h), paper)
    draw = ImageDraw.Draw(image)
    twigs = 5 if w < h * 1.3 else 7
    for k in range(twigs):
        at = (k + 0.5 + rng.uniform(-0.25, 0.25)) / twigs
        _twig(draw, (w, h), at, colours[k % len(colours)], paper, rng)
    image = image.reduce(2)
    shade(image, rock(size, 70, rng), 0.2)
    return image


def _twig(
    draw: ImageDraw.ImageDraw, size: Size, at: float, colour: Colour, paper: Colour, rng: Random
) -> None:
    w, h = size
    lean, tall = (at - 0.5) * 1.1 + rng.uniform(-0.1, 0.1), rng.uniform(0.62, 0.9)
    spine: list[Point] = []
    for i in range(41):
        t = i / 40
        side = 0.5 + (at - 0.5) * (0.5 + 0.5 * t) + lean * t * t * 0.3
        spine.append((w * side, h * (0.99 - tall * t)))
    draw.line(spine, fill=mix(colour, (20, 30, 24), 0.25), width=max(2, w // 260))
    for i in range(5, 40, 3):
        (x0, y0), (x, y) = spine[i - 1], spine[i]
        heading = math.atan2(y - y0, x - x0)
        taper = math.sin(math.pi * (0.16 + 0.8 * i / 42))
        for side in (-1, 1):
            length = min(w, h) * 0.2 * taper * rng.uniform(0.85, 1.1)
            turn = heading + side * rng.uniform(0.65, 0.85)
            _leaf(draw, (x, y), turn, length, mix(colour, paper, rng.uniform(0, 0.22)))


def _leaf(draw: ImageDraw.ImageDraw, foot: Point, turn: float, length: float, tone: Colour) -> None:
    along, across = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
    left: list[Point] = []
    right: list[Point] = []
    middle: list[Point] = []
    for j in range(17):
        t = j / 16
        x, y = foot[0] + along[0] * length * t, foot[1] + along[1] * length * t
        wide = math.sin(math.pi * t**0.8) * length * 0.15
        left.append((x + across[0] * wide, y + across[1] * wide))
        right.append((x - across[0] * wide, y - across[1] * wide))
        middle.append((x, y))
    draw.polygon(left + right[::-1], fill=tone)
    draw.polygon(left + middle[::-1], fill=mix(tone, (16, 30, 26), 0.16))


GARDENS = palettes(
    "#f3ecdf #d9653b #e8a04c #b83f4a #2f5a4a",
    "#1d2430 #e0788a #f0b8a0 #c84a6a #6f9a8a",
    "#eef0ea #4a6ab0 #8aa8d8 #7a5aa0 #4a7a5a",
    "#f6e8e4 #c83f5a #f08a8a #e8b85a #3f6a4a",
)


def flower(size: Size, rng: Random) -> Image.Image:
    """One bloom, seen from above, with leaves behind it."""
    w, h = size[0] * 2, size[1] * 2
    paper, *petals, green = rng.choice(GARDENS)
    image = Image.new("RGB", (w, h), paper)
    draw = ImageDraw.Draw(image)
    heart = w * rng.uniform(0.42, 0.58), h * rng.uniform(0.42, 0.58)
    reach = min(w, h) * 0.46
    start = rng.uniform(0, 6.3)
    for k in range(7):
        turn = start + k * 0.9
        _leaf(draw, heart, turn, reach * rng.uniform(1.0, 1.2), mix(green, paper, 0.1 * (k % 3)))
    rounds = rng.randint(4, 6)
    count = rng.randint(7, 12)
    for ring in range(rounds):
        length = reach * (0.92 - 0.72 * ring / rounds)
        for k in range(count):
            turn = start + (k + ring * 0.5) * 2 * math.pi / count
            tone = mix(petals[ring % len(petals)], WHITE, 0.08 * (k % 3))
            _petal(draw, heart, turn, length, tone)
    dot = reach * 0.1
    box = (heart[0] - dot, heart[1] - dot, heart[0] + dot, heart[1] + dot)
    draw.ellipse(box, fill=mix(petals[1], (60, 40, 10), 0.4))
    image = image.reduce(2)
    shade(image, rock(size, 60, rng), 0.18)
    return image


def _petal(
    draw: ImageDraw.ImageDraw, foot: Point, turn: float, length: float, tone: Colour
) -> None:
    along, across = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
    for part, shape in ((0.3, tone), (0.2, mix(tone, WHITE, 0.22))):
        rim: list[Point] = []
        for j in range(25):
            t = j / 24 * 2 * math.pi
            out = length * (0.58 - 0.42 * math.cos(t))
            side = length * part * math.sin(t) * (0.62 - 0.38 * math.cos(t))
            rim.append(
                (
                    foot[0] + along[0] * out + across[0] * side,
                    foot[1] + along[1] * out + across[1] * side,
                )
            )
        draw.polygon(rim, fill=shape, outline=mix(tone, (60, 20, 30), 0.25))
