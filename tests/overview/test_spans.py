"""The stretches of days that staff look at."""

from datetime import date, timedelta

import pytest

from generator.overview.spans import choices, span_of
from generator.usage import Period

TODAY = date(2026, 3, 30)


@pytest.mark.parametrize(
    ("name", "now", "before"),
    [
        ("7-days", ((2026, 3, 24), (2026, 3, 31)), ((2026, 3, 17), (2026, 3, 23))),
        ("30-days", ((2026, 3, 1), (2026, 3, 31)), ((2026, 1, 30), (2026, 2, 28))),
        ("last-month", ((2026, 2, 1), (2026, 2, 28)), ((2026, 1, 1), (2026, 1, 31))),
        ("this-year", ((2026, 1, 1), (2026, 3, 31)), ((2025, 1, 1), (2025, 3, 30))),
        ("2025-12", ((2025, 12, 1), (2025, 12, 31)), ((2025, 11, 1), (2025, 11, 30))),
    ],
)
def test_a_span_is_compared_with_as_much_time_just_before_it(
    name: str, now: tuple[tuple[int, int, int], ...], before: tuple[tuple[int, int, int], ...]
) -> None:
    span = span_of(name, TODAY)
    assert span.now == Period(*(date(*day) for day in now))
    assert span.before == Period(*(date(*day) for day in before))


def test_a_month_that_runs_is_compared_with_as_many_days_of_the_last_at_most() -> None:
    span = span_of("this-month", TODAY)
    assert span.now == Period(date(2026, 3, 1), TODAY + timedelta(days=1))
    assert span.before == Period(date(2026, 2, 1), date(2026, 2, 28))
    assert span.days == "1 – 30 March 2026"


def test_a_month_on_its_last_day_is_compared_with_the_whole_of_the_last() -> None:
    span = span_of("this-month", date(2026, 4, 30))
    assert span.before == Period(date(2026, 3, 1), date(2026, 3, 31))


@pytest.mark.parametrize("name", ["7-days", "30-days", "90-days", "this-month", "this-year"])
def test_what_still_runs_reaches_to_the_day_that_has_begun_for_teams_in_the_east(name: str) -> None:
    span = span_of(name, TODAY)
    assert span.now.last == TODAY + timedelta(days=1)
    assert span.last == TODAY
    assert span.days.endswith("30 March 2026")


@pytest.mark.parametrize("name", ["this-month", "this-year"])
def test_a_month_and_a_year_end_with_their_last_day(name: str) -> None:
    assert span_of(name, date(2026, 12, 31)).now.last == date(2026, 12, 31)


@pytest.mark.parametrize("name", ["", "ever", "2026-13", "2027-01", "0-days", "٢٠٢٦-01", "x" * 999])
def test_a_span_that_there_is_not_is_this_month(name: str) -> None:
    assert span_of(name, TODAY).name == "this-month"


def test_every_choice_is_a_span_of_its_own() -> None:
    today = date(2026, 11, 21)
    names = [name for name, _label in choices(today)]
    assert [span_of(name, today).name for name in names] == names
    assert len({span_of(name, today).now for name in names}) == len(names)
