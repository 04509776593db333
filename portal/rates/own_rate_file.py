"""A member's own rates as a file: ``code, rate``; all of it comes in from a day on, or nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from portal.kernel.errors import InputRefused, Problem
from portal.rates.own_rates import Period, agree_own_rates, edition_priced, items_priced, unknown_code
from portal.rates.pricing import MOST_RATE_PENCE
from portal.tables import Field, Mapping, read_records, words

FIELDS = (
    Field("code", "text", longest=64, words=words.CODE),
    Field("rate", "money", minimum=1, maximum=MOST_RATE_PENCE, words=words.RATE),
)


@dataclass(frozen=True, slots=True)
class OwnRateFile:
    """What a list of own rates holds: ``(row, code, rate in pence)``, and what is wrong with it."""

    name: str
    rows: list[tuple[int, str, int]]
    problems: list[Problem]


def read_own_rates(path: Path, mapping: Mapping | None = None) -> OwnRateFile:
    """Read a list of own rates (CSV, XLSX…); problems of single rows are collected, not raised."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    problems, rows = list(reading.problems), []
    first: dict[str, int] = {}
    for number, code, rate_pence in reading.records:
        if code in first:
            problems.append(
                reading.problem(number, f"{code} stands in row {first[code]} already; keep one of the two.", "code")
            )
            continue
        first[code] = number
        rows.append((number, code, rate_pence))
    return OwnRateFile(reading.file, rows, problems)


def import_own_rates(
    file: OwnRateFile, member_id: int, starts_on: date, *, schedule: str | None = None, by: str, now: datetime
) -> list[Period]:
    """Agree every rate of ``file`` with a member for a schedule from ``starts_on``, all or nothing; what holds then for
    each code, as it results from all that is agreed.

    ``schedule`` as for ``agree_own_rate``. Raises ``InputRefused`` with every problem of the list, and otherwise what
    ``agree_own_rates`` and ``edition_priced`` raise.
    """
    edition = edition_priced(starts_on, schedule)
    known = items_priced(edition, [code for _, code, _ in file.rows], starts_on)
    problems = [
        *file.problems,
        *(
            Problem(file.name, unknown_code(code, edition, starts_on), row, "code")
            for row, code, _ in file.rows
            if code not in known
        ),
    ]
    if not file.rows and not problems:
        problems = [Problem(file.name, "The list has no rate; it needs at least one row with a code and a rate.")]
    if problems:
        raise InputRefused(sorted(problems, key=lambda problem: problem.row or 0))
    rates = [(code, rate_pence) for _, code, rate_pence in file.rows]
    return agree_own_rates(member_id, edition, rates, starts_on, source=file.name, by=by, now=now)
