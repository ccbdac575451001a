"""What the dashboard and the page of use share: lines of a table, and the bars of a chart."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.dateformat import format as in_words

from generator.usage import Row


@dataclass(frozen=True, slots=True)
class Line:
    """The sums of one thing. `share` is its part of the dearest's credits, of a hundred; `address`
    is where its name leads, `failed` where its failures are listed, empty for nowhere; `seconds`
    is how long a model takes."""

    row: Row
    address: str
    share: int
    seconds: float | None = None
    failed: str = ""


def lines(
    rows: list[Row], addresses: Mapping[Any, str], seconds: Mapping[Any, float] | None = None
) -> list[Line]:
    """A line for each row; addresses and seconds by the rows' keys."""
    most = max((row.credits for row in rows), default=0)
    return [
        Line(
            row,
            addresses.get(row.key, ""),
            round(100 * row.credits / most) if most > 0 else 0,
            (seconds or {}).get(row.key),
        )
        for row in rows
    ]


def bars(days: Iterable[Row], name: str) -> str:
    """One of the sums by day, as the JSON that unfold's chart takes."""
    rows = list(days)
    shown = {
        "label": name.capitalize(),
        "data": [getattr(row, name) for row in rows],
        "backgroundColor": f"var(--color-{'primary' if name == 'credits' else 'images'}-500)",
        "maxBarThickness": 24,
        "barPercentage": 0.8,
        "borderRadius": 3,
        "displayYAxis": True,
        "maxTicksXLimit": 8,
    }
    labels = [in_words(row.key, "j M") for row in rows]
    return json.dumps({"labels": labels, "datasets": [shown]})
