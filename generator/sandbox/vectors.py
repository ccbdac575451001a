"""Drawings as SVG: hills under a sun, from a seed. They are text, and so made at once."""

from itertools import pairwise
from random import Random

from generator.sandbox.canvas import Size

# Sky above, sky below, sun, and the hills from the farthest to the nearest.
_PALETTES = (
    ("#f9d9a8", "#f3a683", "#fff3d6", ("#c8738d", "#8f5680", "#574a72", "#2d2f52")),
    ("#cfe8ef", "#f4f1de", "#ffffff", ("#a8c5b5", "#7ea18c", "#4f7a6b", "#2b4f4a")),
    ("#1e2a4a", "#3f5b8a", "#f7f2c4", ("#35507c", "#28406a", "#1b2f54", "#0f1d3a")),
    ("#ffe3e0", "#ffd1a9", "#ff8f70", ("#f2a07b", "#c96f5f", "#8c4a52", "#4c2c3f")),
)
_STEPS = 8
_SCRIPT = (
    "<script>parent.alert(1);fetch('https://stranger.invalid/')</script>"
    '<image href="https://stranger.invalid/seen.png" width="9" height="9"/>'
    '<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" '
    'src="javascript:alert(1)"/></foreignObject>'
)


def drawing(seed: int, size: Size, *, script: bool = False) -> bytes:
    """The drawing of a seed. `script`: with all in it that must never be run or loaded."""
    random = Random(seed)
    above, below, sun, hills = random.choice(_PALETTES)
    width, height = size
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"{' onload="alert(1)"' if script else ""}>',
        "<title>Made by the sandbox</title>",
        '<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{above}"/><stop offset="1" stop-color="{below}"/>'
        "</linearGradient></defs>",
        f'<rect width="{width}" height="{height}" fill="url(#sky)"/>',
        _sun(random, size, sun),
        *(_hill(random, size, level, colour) for level, colour in enumerate(hills)),
        _bird(random, size, hills[-1]),
        _SCRIPT if script else "",
        "</svg>",
    ]
    return "\n".join(part for part in parts if part).encode()


def _sun(random: Random, size: Size, colour: str) -> str:
    across, down = random.uniform(0.2, 0.8) * size[0], random.uniform(0.18, 0.4) * size[1]
    radius = random.uniform(0.06, 0.12) * min(size)
    return f'<circle cx="{across:.1f}" cy="{down:.1f}" r="{radius:.1f}" fill="{colour}"/>'


def _hill(random: Random, size: Size, level: int, colour: str) -> str:
    width, height = size
    step = width / _STEPS
    top = height * (0.42 + 0.13 * level)
    heights = [top + random.uniform(-0.09, 0.09) * height for _ in range(_STEPS + 1)]
    path = f"M0 {height}L0 {heights[0]:.1f}"
    for number, (before, after) in enumerate(pairwise(heights)):
        left, right = number * step, (number + 1) * step
        path += f"C{left + step / 2:.1f} {before:.1f} {right - step / 2:.1f} {after:.1f} "
        path += f"{right:.1f} {after:.1f}"
    return f'<path d="{path}L{width} {height}Z" fill="{colour}"/>'


def _bird(random: Random, size: Size, colour: str) -> str:
    across, down = random.uniform(0.15, 0.85) * size[0], random.uniform(0.08, 0.3) * size[1]
    wing = 0.02 * min(size)
    path = f"M{across - wing:.1f} {down:.1f}q{wing:.1f} {-wing:.1f} {wing:.1f} 0"
    path += f"q0 {-wing:.1f} {wing:.1f} 0"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{wing / 5:.1f}"/>'
