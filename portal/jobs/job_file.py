"""Jobs as a file: ``reference, authority, work_type, priority, postcode, client, required_start, lines``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from portal.framework.rules import clean_postcode
from portal.framework.states import Priority
from portal.kernel.errors import Problem
from portal.rates.schedule_file import parse_components
from portal.tables import Field, Mapping, read_records

FIELDS = (
    Field("reference", "text"),
    Field("authority", "text", longest=64),
    Field("work_type", "text", longest=120, words=("work type", "lot")),
    Field("priority", "text", required=False),
    Field("postcode", "text"),
    Field("client", "text", required=False, longest=200),
    Field("required_start", "date", required=False, words=("required start", "start by")),
    Field("lines", "text"),
    Field("address", "text", required=False, longest=400),
    Field("client_phone", "text", required=False, longest=40),
    Field("out_of_hours", "flag", required=False, words=("out of hours",)),
)

#: A reference stands in addresses of pages and in commands, so it keeps to characters that need no quoting, and does
#: not end like the address of one of a job's own pages.
_PAGES = (
    "new|works|lines|quantity|templates|hours|specified|ranking|allocate|remove|withdraw|"
    "started|complete|quotes|direction"
)
REFERENCE = re.compile(
    rf"(?!(?:.*/)?(?:{_PAGES})$)(?!.*(?://|/\.{{1,2}}(?:/|$)))(?:[A-Za-z0-9][A-Za-z0-9._/-]{{0,62}}[A-Za-z0-9]|[A-Za-z0-9])"
)

PRIORITY_WORDS = {
    "hospital-discharge": Priority.HOSPITAL_DISCHARGE,
    "hospital": Priority.HOSPITAL_DISCHARGE,
    "admission-prevention": Priority.HOSPITAL_DISCHARGE,
    "priority": Priority.PRIORITY,
    "urgent": Priority.PRIORITY,
    "routine": Priority.ROUTINE,
    "standard": Priority.ROUTINE,
    "": Priority.ROUTINE,
}


@dataclass(frozen=True, slots=True)
class WantedLine:
    """So many of one item."""

    code: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as an officer or a file states it; ``row`` is its place in the file."""

    reference: str
    authority: str
    work_type: str
    priority: Priority
    postcode: str
    client: str
    address: str
    client_phone: str
    required_start: date | None
    lines: tuple[WantedLine, ...]
    row: int | None = None
    out_of_hours: bool = False


@dataclass(frozen=True, slots=True)
class JobFile:
    """What a list of jobs holds and what is wrong with it."""

    name: str
    jobs: Sequence[NewJob]
    problems: list[Problem]


def read_jobs(path: Path, mapping: Mapping | None = None) -> JobFile:
    """Read a list of jobs; problems of single rows are collected, not raised."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    problems = list(reading.problems)
    jobs: list[NewJob] = []
    first_row: dict[str, int] = {}
    for (
        row,
        reference,
        authority,
        work_type,
        priority,
        postcode,
        client,
        required,
        lines,
        address,
        phone,
        out_of_hours,
    ) in reading.records:
        faults = []
        if not REFERENCE.fullmatch(reference):
            faults.append(
                (
                    "reference",
                    f"The reference {reference} may hold 64 letters, digits, dots, dashes and slashes at most, and "
                    "not end in a word such as /new or /works.",
                )
            )
        if first_row.setdefault(reference, row) != row:
            faults.append(("reference", f"The reference {reference} stands in row {first_row[reference]} already."))
        known = PRIORITY_WORDS.get("-".join((priority or "").lower().replace("-", " ").split()))
        if known is None:
            faults.append(
                ("priority", f"“{priority}” is not a priority; write hospital-discharge, priority or routine.")
            )
        code = clean_postcode(postcode)
        if code is None:
            faults.append(("postcode", f"“{postcode}” is not a full postcode; write it like RG1 2AB."))
        wanted: list[tuple[str, Decimal]] = []
        try:
            wanted = parse_components(lines)
        except ValueError as fault:
            faults.append(("lines", f"The lines cannot be read: {fault}."))
        else:
            if not wanted:
                faults.append(("lines", "There is no line in this cell; write CODE*QUANTITY;CODE*QUANTITY."))
        problems += [reading.problem(row, message, column) for column, message in faults]
        if not faults and known is not None and code is not None:
            jobs.append(
                NewJob(
                    reference,
                    authority,
                    work_type,
                    known,
                    code,
                    client or "",
                    address or "",
                    phone or "",
                    required,
                    tuple(WantedLine(code, quantity) for code, quantity in wanted),
                    row,
                    bool(out_of_hours),
                )
            )
    if not jobs and not problems:
        problems.append(Problem(reading.file, "There is no job in this list; the rows below the header are empty."))
    return JobFile(reading.file, jobs, problems)
