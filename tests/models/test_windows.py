"""Windows at their edges: midnight in many zones, clocks that change, months and leap days."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from generator import lifecycle
from generator.errors import QuotaExceeded
from generator.models import Kind, LedgerEntry, QuotaAccount, Status, Team, User, Window
from tests.make import make_generation, set_cap

ZONES = [
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kolkata",
    "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Pago_Pago",
    "Pacific/Chatham", "America/Santiago", "Asia/Beirut", "Africa/Cairo", "America/Havana",
    "Atlantic/Azores", "America/Asuncion",
]  # fmt: skip


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let it be this moment."""
    with mock.patch.object(timezone, "now", return_value=moment):
        yield


def local(zone: str, *numbers: int, fold: int = 0) -> datetime:
    return datetime(*numbers, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("zone", "day", "over"),
    [
        ("UTC", date(2026, 12, 31), "2027-01-01T00:00:00+00:00"),
        ("Pacific/Kiritimati", date(2026, 11, 21), "2026-11-22T00:00:00+14:00"),
        ("Pacific/Pago_Pago", date(2026, 11, 21), "2026-11-22T00:00:00-11:00"),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-26T00:00:00+01:00"),  # a day of 25 hours
        # Clocks go forward at midnight: the day begins at one.
        ("America/Santiago", date(2026, 9, 5), "2026-09-06T01:00:00-03:00"),
        ("Asia/Beirut", date(2026, 3, 28), "2026-03-29T01:00:00+03:00"),
        ("Africa/Cairo", date(2026, 4, 23), "2026-04-24T01:00:00+03:00"),
        # Clocks go back at midnight to eleven: the day is over when that hour has come twice.
        ("America/Santiago", date(2026, 4, 4), "2026-04-05T00:00:00-04:00"),
        ("Africa/Cairo", date(2026, 10, 29), "2026-10-30T00:00:00+02:00"),
        # Clocks go back from one to midnight, which comes twice: the first counts.
        ("America/Havana", date(2026, 10, 31), "2026-11-01T00:00:00-04:00"),
    ],
)
def test_a_day_resets_at_its_midnight_wherever_that_is(zone: str, day: date, over: str) -> None:
    resets_at = Window.DAY.resets_at(day, zone)
    assert resets_at
    assert resets_at.isoformat() == over


def test_a_month_resets_on_its_first_and_ever_never() -> None:
    day = date(2028, 2, 29)
    month = Window.MONTH.resets_at(day, "Asia/Tokyo")
    assert month
    assert month.isoformat() == "2028-03-01T00:00:00+09:00"
    assert Window.EVER.resets_at(day, "Asia/Tokyo") is None
    assert Window.DAY.next_start(date(2028, 2, 28)) == day
    assert Window.MONTH.next_start(date(2028, 1, 31)) == date(2028, 2, 1)


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2020, 1, 1), date(2037, 12, 31)),
    window=st.sampled_from([Window.DAY, Window.MONTH]),
)
@bounded(max_examples=300, deadline=None)
def test_the_second_before_is_in_the_window_and_the_moment_is_not(
    zone: str, day: date, window: Window
) -> None:
    resets_at, team = window.resets_at(day, zone), Team(time_zone=zone)
    assert resets_at
    with at(resets_at.astimezone(UTC) - timedelta(seconds=1)):
        assert window.start(team.today()) == window.start(day)
    with at(resets_at):
        assert window.start(team.today()) == window.next_start(day)


@pytest.mark.parametrize("zone", ZONES)
def test_what_ends_after_midnight_counts_on_the_day_it_was_held(
    zone: str, team: Team, member: User
) -> None:
    """A window never gains or loses by waiting over its edge."""
    Team.objects.filter(pk=team.pk).update(time_zone=zone)
    team.refresh_from_db()
    set_cap(team, member, window=Window.DAY, credits=100)
    account = QuotaAccount.objects.of(team, member)
    day = date(2028, 2, 29)
    midnight = Window.DAY.resets_at(day, zone)
    assert midnight
    with at(midnight - timedelta(seconds=1)):
        kept, cancelled = make_generation(member, team), make_generation(member, team, prompt="b")
        with pytest.raises(QuotaExceeded):
            make_generation(member, team, prompt="c")
    with at(midnight):
        assert account.left(Window.DAY, team.today()) == 100
        assert account.left(Window.MONTH, team.today()) == 10_000
        lifecycle.cancel(cancelled)
        account.settle(kept, cost=40)
        assert account.left(Window.DAY, team.today()) == 100
    assert account.left(Window.DAY, day) == 60
    assert account.left(Window.MONTH, day) == 9_960
    assert set(LedgerEntry.objects.values_list("counts_on", flat=True)) == {day}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_team_counts_by_its_own_date(zone: str, team: Team, member: User) -> None:
    team.time_zone = zone
    noon = datetime(2026, 12, 31, 10, 30, tzinfo=UTC)
    expected = {"Pacific/Kiritimati": date(2027, 1, 1), "Pacific/Pago_Pago": date(2026, 12, 30)}
    with at(noon):
        make_generation(member, team, status=Status.QUEUED)
    days = LedgerEntry.objects.filter(kind=Kind.RESERVE).values_list("counts_on", flat=True)
    assert set(days) == {expected[zone]}
