"""The shapes that the style sheet keeps a place for."""

import math

# The steps of `data-ratio` in static/css/layout.css: width over height, in hundredths.
RATIOS = (33, 42, 50, 56, 62, 67, 75, 80, 90, 100, 112, 125, 133, 150, 163, 178, 200, 233, 300)


def nearest_ratio(width: int, height: int) -> int:
    """The step nearest to the shape of so many pixels; 100 where the size is not known."""
    if width <= 0 or height <= 0:
        return 100
    return min(RATIOS, key=lambda step: abs(math.log(width / height * 100 / step)))
