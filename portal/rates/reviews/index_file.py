"""A price index as a file: ``month, value``, such as the CPI as the statistics office publishes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from portal.kernel.errors import InputRefused, Problem
from portal.rates.reviews.rules import month_text, value_text
from portal.tables import Field, Mapping, Reading, read_records
from portal.tables.mapping import Options

#: A hundred years of months; a longer list is something else.
MOST_MONTHS = 1_200
MOST_VALUE = 1_000_000
#: A value from here on that might be meant with decimals instead is not read without being told.
DOUBTED_FROM = 10_000
WITH_POINT = Mapping(options=Options(decimal="."))

FIELDS = (
    Field("month", "month", words=("date", "period", "time", "time period")),
    Field("value", "decimal", words=("index", "index value", "cpi", "level"), places=3, maximum=MOST_VALUE),
)


@dataclass(frozen=True, slots=True)
class IndexFile:
    """The values of an index by the first day of their months."""

    name: str
    months: dict[date, Decimal]


def read_index(path: Path, today: date, mapping: Mapping | None = None) -> IndexFile:
    """The months and values of a file; all or nothing, ``InputRefused`` names every problem with its row."""
    reading = _reading(path, mapping)
    problems = list(reading.problems)
    if len(reading.records) + len(problems) > MOST_MONTHS:
        raise InputRefused(
            [
                Problem(
                    reading.file,
                    f"The list has {len(reading.records) + len(problems):,} rows; an index of months has at most "
                    f"{MOST_MONTHS:,}. Keep one row for each month.",
                )
            ]
        )
    first: dict[date, tuple[int, Decimal]] = {}
    for row, month, value in reading.records:
        if value <= 0:
            problems.append(
                reading.problem(row, f"The value {value_text(value)} must be above 0; correct it.", "value")
            )
        if month > today:
            problems.append(
                reading.problem(
                    row, f"{month_text(month)} has not begun yet; leave it out, or correct the year.", "month"
                )
            )
        earlier = first.setdefault(month, (row, value))
        if earlier[1] != value:
            problems.append(
                reading.problem(
                    row,
                    f"{month_text(month)} stands in row {earlier[0]} with {value_text(earlier[1])} already; keep one "
                    "of the two.",
                    "month",
                )
            )
    if not first and not problems:
        problems.append(Problem(reading.file, "The list has no month; it needs at least one row below the header."))
    if problems:
        raise InputRefused(problems)
    return IndexFile(reading.file, {month: value for month, (_, value) in first.items()})


def _reading(path: Path, mapping: Mapping | None) -> Reading:
    """The rows of the file. Where every value has three decimals, such as ``131.248``, nothing in the file shows that
    they are no thousands; an index of such a size is written with a point, so it is read so."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    if mapping is None and reading.problems:
        again = read_records(path, FIELDS, WITH_POINT)
        if not again.problems and all(value < DOUBTED_FROM for _, _, value in again.records):
            return again
    return reading
