"""Charts as numbers that a template can write down: the page draws with attributes alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import formats

from generator.usage import Row

LABELS = 5  # below the axis
GAP = 0.28  # of the place of a day
FAR = 3  # a cap that is further above every day than this would press the bars flat


@dataclass(frozen=True, slots=True)
class Bar:
    """A day. `x`, `y`, `width` and `height` are in hundredths of the chart, from its top left."""

    row: Row
    x: str
    y: str
    width: str
    height: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Credits by day. `cap_y` is where the line of the cap stands; empty where there is none."""

    bars: Sequence[Bar]
    labels: Sequence[str]
    cap_y: str
    most: Row

    @property
    def said(self) -> str:
        """The chart for those who do not see it."""
        day = formats.date_format(self.most.key, "j F")
        return f"Credits by day; most on {day}, {self.most.credits:,}"


def chart(rows: Sequence[Row], *, today: date, cap: int | None) -> Chart | None:
    """The days up to today; None where nothing was spent or made in them."""
    past = [row for row in rows if row.key <= today]
    if not any(row.generations for row in past):
        return None
    most = max(past, key=lambda row: row.credits)
    shown_cap = cap if cap and cap <= FAR * most.credits else 0
    scale = max(most.credits, shown_cap, 1)
    width = 100 / len(past)
    bars = [
        Bar(
            row,
            x=f"{n * width + width * GAP / 2:.2f}",
            y=f"{100 - 100 * max(row.credits, 0) / scale:.2f}",
            width=f"{width * (1 - GAP):.2f}",
            height=f"{100 * max(row.credits, 0) / scale:.2f}",
            is_today=row.key == today,
        )
        for n, row in enumerate(past)
    ]
    cap_y = f"{100 - 100 * shown_cap / scale:.2f}" if shown_cap else ""
    return Chart(bars, _labels(past, today), cap_y, most)


def _labels(rows: Sequence[Row], today: date) -> list[str]:
    last = len(rows) - 1
    places = sorted({round(n * last / (LABELS - 1)) for n in range(LABELS)})
    return [_label(rows[place].key, today, is_first=not place) for place in places]


def _label(day: date, today: date, *, is_first: bool) -> str:
    if day == today:
        return "today"
    return formats.date_format(day, "j M") if is_first else str(day.day)
