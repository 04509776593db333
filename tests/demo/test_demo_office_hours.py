"""Working time backwards is working time forwards, undone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.demo.office_hours import (
    at_local,
    last_office_instant,
    previous_working_day,
    working_days_between,
    working_minutes_before,
)
from portal.kernel.clock import LOCAL
from portal.kernel.working_time import Nation, add_working_hours, is_working_day, next_working_day

NATION = Nation.ENGLAND_AND_WALES
instants = st.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(now=instants)
def test_the_last_office_instant_is_in_working_hours_and_not_later(now: datetime) -> None:
    last = last_office_instant(now, NATION)
    local = last.astimezone(LOCAL)
    assert last <= now
    assert is_working_day(local.date(), NATION)
    assert time(9) < local.time() <= time(17)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-05-05T10:15+01:00", "2026-05-05T10:15+01:00"),
        ("2026-05-05T20:00+01:00", "2026-05-05T17:00+01:00"),
        ("2026-05-05T08:59+01:00", "2026-05-01T17:00+01:00"),
        ("2026-05-04T12:00+01:00", "2026-05-01T17:00+01:00"),
    ],
    ids=["a working hour", "an evening", "the morning after a bank holiday", "a bank holiday"],
)
def test_out_of_hours_the_last_working_day_counts(now: str, expected: str) -> None:
    assert last_office_instant(datetime.fromisoformat(now), NATION) == datetime.fromisoformat(expected)


@given(now=instants, hours=st.integers(1, 200))
def test_hours_taken_back_and_added_again_come_out_where_they_began(now: datetime, hours: int) -> None:
    last = last_office_instant(now, NATION)
    assert add_working_hours(working_minutes_before(last, hours * 60, NATION), hours, NATION) == last


@given(day=st.dates(date(2024, 1, 1), date(2034, 12, 31)))
def test_the_working_day_before_the_next_one_is_the_day_itself_or_the_one_before_it(day: date) -> None:
    before = previous_working_day(next_working_day(day, NATION), NATION)
    assert before == (day if is_working_day(day, NATION) else previous_working_day(day, NATION))


def test_working_days_leave_out_weekends_bank_holidays_and_the_end() -> None:
    days = working_days_between(date(2026, 5, 1), date(2026, 5, 7), NATION)
    assert days == [date(2026, 5, 1), date(2026, 5, 5), date(2026, 5, 6)]


def test_a_local_time_is_an_hour_earlier_in_utc_in_summer() -> None:
    assert at_local(date(2026, 7, 1), time(10)) == datetime(2026, 7, 1, 9, tzinfo=UTC)
    assert at_local(date(2026, 1, 5), time(10)) == datetime(2026, 1, 5, 10, tzinfo=UTC)
