"""Deadlines in working hours: bank holidays of each nation, weekends, the days on which the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.clock import LOCAL
from portal.kernel.working_time import (
    Nation,
    add_working_days,
    add_working_hours,
    bank_holidays,
    is_working_day,
    next_working_day,
)

ENGLAND = Nation.ENGLAND_AND_WALES
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=7 * 365)).map(
    lambda since: datetime(2024, 1, 1, tzinfo=UTC) + since
)


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LOCAL).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (local(2026, 5, 5, 10), 4, local(2026, 5, 5, 14)),
        (local(2026, 5, 5, 15), 4, local(2026, 5, 6, 11)),
        (local(2026, 5, 5, 7), 8, local(2026, 5, 5, 17)),
        (local(2026, 5, 5, 20), 1, local(2026, 5, 6, 10)),
        (local(2026, 5, 9, 12), 1, local(2026, 5, 11, 10)),
        # The Friday before the early May bank holiday: a minute is left, then three closed days.
        (local(2026, 5, 1, 16, 59), 1, local(2026, 5, 5, 9, 59)),
        (local(2026, 5, 1, 9), 8, local(2026, 5, 1, 17)),
        # Good Friday to Easter Monday.
        (local(2026, 4, 2, 16), 2, local(2026, 4, 7, 10)),
        # Christmas on a Friday; Boxing Day's substitute is the Monday.
        (local(2026, 12, 24, 16), 2, local(2026, 12, 29, 10)),
        # Clocks go forward on 29 March and back on 25 October 2026: the office day is eight hours long all the same.
        (local(2026, 3, 27, 16), 2, local(2026, 3, 30, 10)),
        (local(2026, 10, 23, 16), 9, local(2026, 10, 26, 17)),
    ],
)
def test_a_deadline_counts_office_hours_only(start: datetime, hours: int, end: datetime) -> None:
    assert add_working_hours(start, hours, ENGLAND) == end


def test_the_clocks_change_between_start_and_deadline() -> None:
    before, after = local(2026, 3, 27, 16), add_working_hours(local(2026, 3, 27, 16), 2, ENGLAND)

    assert (before.hour, after.hour) == (16, 9)
    assert after.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        (date(2026, 1, 2), {Nation.SCOTLAND}),
        (date(2026, 3, 17), {Nation.NORTHERN_IRELAND}),
        (date(2026, 4, 6), {Nation.ENGLAND_AND_WALES, Nation.NORTHERN_IRELAND}),
        (date(2026, 8, 3), {Nation.SCOTLAND}),
        (date(2026, 8, 31), {Nation.ENGLAND_AND_WALES, Nation.NORTHERN_IRELAND}),
        (date(2026, 11, 30), {Nation.SCOTLAND}),
        (date(2026, 5, 4), set(Nation)),
        (date(2026, 5, 5), set()),
    ],
)
def test_bank_holidays_differ_by_nation(day: date, closed: set[Nation]) -> None:
    assert {nation for nation in Nation if not is_working_day(day, nation)} == closed


def test_the_same_hours_end_on_different_days_in_different_nations() -> None:
    start = local(2026, 8, 28, 16)

    assert add_working_hours(start, 2, Nation.SCOTLAND) == local(2026, 8, 31, 10)
    assert add_working_hours(start, 2, ENGLAND) == local(2026, 9, 1, 10)


def test_a_bank_holiday_of_another_year_is_known_too() -> None:
    assert date(2040, 12, 25) in bank_holidays(ENGLAND, 2040)


def test_a_deadline_before_its_start_is_refused() -> None:
    with pytest.raises(ValueError, match="before its start"):
        add_working_hours(local(2026, 5, 5, 10), -1, ENGLAND)


@given(start=INSTANTS, hours=st.integers(0, 400), nation=st.sampled_from(list(Nation)))
def test_a_deadline_always_lies_within_office_hours(start: datetime, hours: int, nation: Nation) -> None:
    end = add_working_hours(start, hours, nation)

    at = end.astimezone(LOCAL)
    assert is_working_day(at.date(), nation)
    assert time(9) <= at.time() <= time(17)
    assert end >= start


@given(start=INSTANTS, first=st.integers(1, 60), second=st.integers(1, 60), nation=st.sampled_from(list(Nation)))
def test_hours_in_two_parts_come_to_the_same_as_at_once(
    start: datetime, first: int, second: int, nation: Nation
) -> None:
    in_parts = add_working_hours(add_working_hours(start, first, nation), second, nation)

    assert in_parts == add_working_hours(start, first + second, nation)


@given(start=INSTANTS, hours=st.integers(0, 100))
def test_a_later_start_never_has_an_earlier_deadline(start: datetime, hours: int) -> None:
    later = start + timedelta(minutes=37)

    assert add_working_hours(later, hours, ENGLAND) >= add_working_hours(start, hours, ENGLAND)


@given(day=st.dates(date(2024, 1, 1), date(2030, 12, 31)), count=st.integers(1, 40))
def test_working_days_are_counted_one_by_one(day: date, count: int) -> None:
    end = add_working_days(day, count, ENGLAND)

    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(is_working_day(each, ENGLAND) for each in between) == count
    assert is_working_day(end, ENGLAND)


def test_no_working_days_leave_the_day_as_it_is() -> None:
    assert add_working_days(date(2026, 5, 9), 0, ENGLAND) == date(2026, 5, 9)


def test_the_working_day_after_the_friday_before_a_bank_holiday_is_tuesday() -> None:
    assert next_working_day(date(2026, 5, 1), ENGLAND) == date(2026, 5, 5)
