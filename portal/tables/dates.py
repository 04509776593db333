"""Dates as people write them. The order of day and month is a column's, as the decimal mark is."""

from __future__ import annotations

import re
from datetime import date
from enum import Enum

from portal.tables.numbers import CellError, is_spreadsheet_error, quoted

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})(?: \d{2}:\d{2}(?::\d{2})?)?", re.ASCII)
_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ \-]([A-Za-z]{3,9})\.?,?[ \-](\d{4})", re.ASCII)
_YEAR_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})", re.ASCII)
_MONTH_YEAR = re.compile(r"(\d{1,2})[/.\-](\d{4})", re.ASCII)
_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_EARLIEST, _LATEST = 1900, 2199


class DateOrder(Enum):
    """Which comes first, day or month."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


def proves(text: str) -> DateOrder | None:
    """The order that ``text`` proves: ``31/01/2026`` has the day first, ``01/31/2026`` the month."""
    match = _SLASHED.fullmatch(text)
    if match is None:
        return None
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second:
        return DateOrder.DAY_FIRST
    return DateOrder.MONTH_FIRST if second > 12 >= first else None


def depends_on_order(text: str) -> bool:
    """Whether ``text`` is another day when day and month change places."""
    match = _SLASHED.fullmatch(text)
    return match is not None and proves(text) is None and match[1].zfill(2) != match[3].zfill(2)


def parse_date(text: str, order: DateOrder = DateOrder.DAY_FIRST) -> date:
    """``text`` as a date: ``2026-05-31``, ``31/05/2026``, ``31.05.2026``, ``31 May 2026``. Raises ``CellError``."""
    if match := _ISO.fullmatch(text):
        return _day(text, int(match[1]), int(match[2]), int(match[3]))
    if match := _SLASHED.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
        return _day(text, year, month, day)
    if (match := _NAMED.fullmatch(text)) and (number := _month_number(match[2])):
        return _day(text, int(match[3]), number, int(match[1]))
    if _YEAR_MONTH.fullmatch(text) or _MONTH_YEAR.fullmatch(text):
        raise CellError(f"{quoted(text)} is a month, but a day is wanted; write the whole date, such as 2026-05-31.")
    if is_spreadsheet_error(text):
        raise CellError(
            f"{quoted(text)} is an error of the spreadsheet; mend the formula there, and paste the date as a value."
        )
    raise CellError(f"{quoted(text)} is not a date; write year, month and day, such as 2026-05-31 (or 31/05/2026).")


def parse_month(text: str, order: DateOrder = DateOrder.DAY_FIRST) -> date:
    """``text`` as the first day of a month: ``2021-12``, ``12/2021`` or any whole date. Raises ``CellError``."""
    if match := _YEAR_MONTH.fullmatch(text):
        return _day(text, int(match[1]), int(match[2]), 1)
    if match := _MONTH_YEAR.fullmatch(text):
        return _day(text, int(match[2]), int(match[1]), 1)
    return parse_date(text, order).replace(day=1)


def _month_number(name: str) -> int:
    """The month that ``name`` (whole or its beginning) stands for; 0 if none."""
    lowered = name.lower()
    return next((number for number, month in enumerate(_MONTHS, 1) if month.startswith(lowered)), 0)


def _day(text: str, year: int, month: int, day: int) -> date:
    if not _EARLIEST <= year <= _LATEST:
        raise CellError(f"{quoted(text)} lies outside {_EARLIEST} to {_LATEST}; correct the year.")
    try:
        return date(year, month, day)
    except ValueError:
        raise CellError(
            f"{quoted(text)} is not a day of the calendar; write an existing one, such as 2026-05-31."
        ) from None
