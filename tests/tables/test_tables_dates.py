"""Dates as people write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tables.dates import DateOrder, depends_on_order, parse_date, parse_month, proves
from portal.tables.numbers import CellError

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-31",
        "31/05/2026",
        "31.5.2026",
        "31-05-2026",
        "31 May 2026",
        "31st May 2026",
        "31-May-2026",
        "2026-05-31 00:00:00",
    ],
)
def test_the_usual_ways_of_writing_a_day_mean_the_same(text: str) -> None:
    assert parse_date(text) == date(2026, 5, 31)


@given(DAYS)
def test_a_day_written_in_any_order_comes_back(day: date) -> None:
    assert parse_date(day.isoformat()) == day
    assert parse_date(f"{day:%d/%m/}{day.year:04d}") == day
    assert parse_date(f"{day:%m/%d/}{day.year:04d}", DateOrder.MONTH_FIRST) == day


@given(DAYS)
def test_an_order_is_proven_exactly_when_the_other_is_no_day_or_the_same(day: date) -> None:
    text = f"{day:%d/%m/}{day.year:04d}"
    assert (proves(text) is DateOrder.DAY_FIRST) == (day.day > 12)
    assert depends_on_order(text) == (day.day <= 12 and day.day != day.month)


def test_a_month_is_its_first_day() -> None:
    assert parse_month("2021-12") == date(2021, 12, 1)
    assert parse_month("12/2021") == date(2021, 12, 1)
    assert parse_month("15/12/2021") == date(2021, 12, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2021-12", "is a month, but a day is wanted"),
        ("30/02/2026", "not a day of the calendar"),
        ("31/05/26", "is not a date"),
        ("0026-05-31", "outside 1900 to 2199"),
        ("soon", "is not a date"),
        ("#N/A", "error of the spreadsheet"),
        ("45293", "is not a date"),
    ],
)
def test_what_is_no_day_is_refused_with_its_remedy(text: str, words: str) -> None:
    with pytest.raises(CellError, match=words):
        parse_date(text)
