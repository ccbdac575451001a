"""A stretch of the library's order."""

from dataclasses import dataclass, replace
from typing import Any, Self

from django.db.models import QuerySet

LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Span:
    """The places from `low` to below `high`, walked from the newest on; where `up`, backwards."""

    low: int = 0
    high: int = LAST
    up: bool = False

    @property
    def order(self) -> str:
        """What to order by."""
        return "place" if self.up else "-place"

    def of[Q: QuerySet[Any]](self, rows: Q, name: str = "place") -> Q:
        """Those of the rows that stand in it, in its order."""
        if self.low > 0:
            rows = rows.filter(**{f"{name}__gte": self.low})
        if self.high < LAST:
            rows = rows.filter(**{f"{name}__lt": self.high})
        return rows.order_by(name if self.up else f"-{name}")

    def until(self, place: int) -> Self:
        """From where it begins to this place, with it."""
        return replace(self, high=place + 1) if self.up else replace(self, low=place)

    def behind(self, place: int) -> Self:
        """What of it comes after this place."""
        return replace(self, low=place + 1) if self.up else replace(self, high=place)

    def below(self, place: int) -> Self:
        """What of it is older than this place."""
        return replace(self, high=min(place, self.high))

    def above(self, place: int) -> Self:
        """What of it is newer than this place."""
        return replace(self, low=max(min(place + 1, LAST), self.low))

    def upwards(self) -> Self:
        """The same, walked from the oldest on."""
        return replace(self, up=True)
