"""When people work: more each month, on weekdays, by day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

DAYS = 183
# Morning, afternoon twice, the whole day, evening: the hour, and how far from it.
_BUSY = ((10.6, 1.2), (15.2, 1.7), (15.2, 1.7), (13.0, 3.0), (20.5, 1.5))


def days(generations: int, today: date, rng: Random) -> Iterator[tuple[int, int]]:
    """How many days ago, and how many generations then, from the oldest day to today.

    They add up to exactly so many.
    """
    weights = []
    for ago in range(DAYS - 1, -1, -1):
        weekend = (today - timedelta(days=ago)).weekday() > 4
        growth = 0.5 + (DAYS - ago) / DAYS
        weights.append(growth * rng.uniform(0.7, 1.3) * (0.12 if weekend else 1.0))
    whole, given, passed = sum(weights), 0, 0.0
    for place, weight in enumerate(weights):
        passed += weight
        until = round(generations * passed / whole)
        yield DAYS - 1 - place, until - given
        given = until


def moment(rng: Random, day: date, zone: ZoneInfo, now: datetime) -> datetime:
    """A moment of this local day in UTC, mostly in office hours, and never after `now`."""
    seconds = int(min(max(rng.gauss(*rng.choice(_BUSY)), 0.0), 23.99) * 3600)
    of_day = time(seconds // 3600, seconds // 60 % 60, seconds % 60, rng.randrange(1_000_000))
    at = datetime.combine(day, of_day, tzinfo=zone).astimezone(UTC)
    if at < now:
        return at
    midnight = datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
    return midnight + (now - midnight) * rng.random()
