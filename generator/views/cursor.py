"""A place in a list that is ordered by time: pages that never overlap, however much is added."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class _Row(Protocol):
    id: uuid.UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """Behind this moment; rows of the same moment are told apart by their id."""

    created_at: datetime
    pk: uuid.UUID

    @classmethod
    def at(cls, row: _Row) -> Self:
        """The place of a row."""
        return cls(row.created_at, row.id)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The place that an address names; None if it names none."""
        moment, _, pk = text.partition("-")
        try:
            return cls(EPOCH + int(moment) * MICROSECOND, uuid.UUID(pk))
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"{(self.created_at - EPOCH) // MICROSECOND}-{self.pk.hex}"


@dataclass(frozen=True, slots=True)
class LineCursor:
    """The same for the lines of a ledger, whose keys are numbers."""

    created_at: datetime
    pk: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The place that an address names; None if it names none."""
        moment, _, pk = text.partition("-")
        try:
            place = cls(EPOCH + int(moment) * MICROSECOND, int(pk))
        except (ValueError, OverflowError):
            return None
        return place if 0 < place.pk < 2**63 else None

    def __str__(self) -> str:
        return f"{(self.created_at - EPOCH) // MICROSECOND}-{self.pk}"
