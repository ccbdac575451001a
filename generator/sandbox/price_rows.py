"""Midjourney's prices as the catalogue lists them: a row an action and speed, no models (F7).

In US dollars. Upscales come in two kinds, as the real list has them.
"""

from collections.abc import Iterator

_FAST = {
    "imagine": "0.040",
    "blend": "0.040",
    "describe": "0.010",
    "edits": "0.040",
    "inpaint": "0.040",
    "pan": "0.040",
    "reroll": "0.040",
    "upscale": "0.010",
    "upscale-creative": "0.020",
    "upscale-subtle": "0.020",
    "variation": "0.040",
    "zoom": "0.040",
}
# What a speed costs beside fast.
_SPEEDS = {"fast": 1.0, "turbo": 2.0, "relax": 0.5}


def rows() -> Iterator[tuple[str, float]]:
    """Ids such as `mj-fast-imagine`, and the price of each."""
    for speed, factor in _SPEEDS.items():
        for action, dollars in _FAST.items():
            yield f"mj-{speed}-{action}", round(float(dollars) * factor, 4)


def dollars(speed: str, action: str) -> float:
    """What an action costs at a speed. Raises KeyError for one that is not listed."""
    return dict(rows())[f"mj-{speed}-{action}"]
