"""A price list as a file: ``code, description, long_description, trade, unit, rate`` and optional extras."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from portal.kernel.errors import Problem
from portal.kernel.money import percent
from portal.kernel.rows import many_rows
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.vat import RATES, STANDARD
from portal.tables import Field, Mapping, Progress, Reading, read_records, words
from portal.tables.problems import first_problems

#: The texts of a list are brought into one form, so that the same list is the same edition whatever file it came as:
#: single spaces, no line breaks, accents as part of their letters. A list of parts may be longer than other texts.
FIELDS = (
    Field("code", "text", words=words.CODE, longest=64, one_form=True),
    Field("description", "text", words=words.DESCRIPTION, longest=400, one_form=True),
    Field("long_description", "text", required=False, words=words.LONG_DESCRIPTION, one_form=True),
    Field("trade", "text", required=False, words=words.TRADE, longest=200, one_form=True),
    Field("unit", "text", words=words.UNIT, longest=40, one_form=True),
    Field("rate", "money", words=words.RATE, maximum=MOST_RATE_PENCE),
    Field("smv", "decimal", required=False, words=("minutes", "standard minutes"), places=3),
    Field("composite", "flag", required=False),
    Field("components", "text", required=False, longest=30_000, one_form=True),
    Field("vat", "percent", required=False, words=("vat rate", "vat %"), minimum=0, maximum=2000),
    Field("withdrawn", "date", required=False, words=("withdrawn from", "withdrawn on")),
    Field("withdrawn_reason", "text", required=False, words=("withdrawn because",), longest=500, one_form=True),
)


#: Codes that star rates get.
_STAR_CODE = re.compile(r"STAR-[0-9]", re.IGNORECASE)


class ItemRow(NamedTuple):
    """An item as it goes into an edition: the rate in pence, VAT in basis points, ``parts`` as (code, quantity)."""

    code: str
    description: str
    long_description: str
    trade: str
    unit: str
    rate_pence: int
    smv: Decimal | None
    composite: bool
    vat_bp: int = STANDARD
    withdrawn_on: date | None = None
    withdrawn_reason: str = ""
    parts: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class ScheduleFile:
    """What a price list holds. ``records`` are tuples ``(row, *values in the order of FIELDS)``.

    ``problems`` are the first thousands, ``more_problems`` is how many there are besides.
    """

    name: str
    records: Sequence[tuple[Any, ...]]
    columns: dict[str, str]
    set_aside: Sequence[tuple[int, str]]
    problems: list[Problem]
    more_problems: int = 0


def read_schedule(path: Path, mapping: Mapping | None = None, *, progress: Progress | None = None) -> ScheduleFile:
    """Read a price list and check what can be checked row by row; problems are collected, not raised.

    ``progress`` is called with how much is read and of how much: the pages of a PDF, or once at the end.
    """
    reading = read_records(path, FIELDS, mapping or Mapping.none(), progress=progress)
    records = reading.records
    # The first row of each code: the later ones are overwritten.
    first_row = {record[1]: record[0] for record in reversed(records)}
    problems, more = first_problems(
        reading.problems,
        _row_problems(reading, first_row),
        _own_codes(reading),
        _component_problems(reading, first_row),
    )
    return ScheduleFile(
        reading.file, records, reading.columns, reading.set_aside, problems, reading.more_problems + more
    )


def _row_problems(reading: Reading, first_row: dict[str, int]) -> Iterator[Problem]:
    """Codes given twice, and VAT and withdrawals that cannot be."""
    records = reading.records
    unusual = len(first_row) < len(records) or {record[10:] for record in records} != {(None, None, None)}
    if not unusual:
        return
    for record in records:
        row, code, vat, day, reason = record[0], record[1], *record[10:]
        if first_row[code] != row:
            message = f"The code {code} stands in row {first_row[code]} already; give each code once."
            yield reading.problem(row, message, "code")
        if vat is not None and vat not in RATES:
            yield reading.problem(row, f"VAT is 0, 5 or 20 %, not {percent(vat)} %.", "vat")
        if (day is None) is not (not reason):
            missing = "the day" if day is None else "the reason"
            message = f"A withdrawn item needs a day and a reason; {missing} is missing."
            yield reading.problem(row, message, "withdrawn")


def own_code_fault(code: str) -> str | None:
    """Why no item can have a code that the portal gives to star rates; ``None`` for any other code."""
    # Quick for all but a few, because a list has a hundred thousand of them.
    if code[:1] not in "Ss" or not _STAR_CODE.match(code):
        return None
    return f"The portal gives its star rates codes such as {code}, so no item can have one; give it another code."


def _own_codes(reading: Reading) -> Iterator[Problem]:
    """Items that have the code of a star rate."""
    for record in reading.records:
        fault = own_code_fault(record[1])
        if fault is not None:
            yield reading.problem(record[0], fault, "code")


def item_rows(records: Sequence[tuple[Any, ...]]) -> list[ItemRow]:
    """The items of a list's records; column by column, because a list has a hundred thousand of them."""
    if not records:
        return []
    with many_rows():
        columns: Iterable[Any] = zip(*records, strict=True)
        _, codes, descriptions, long_ones, trades, units, rates, smvs, composites, lists, vats, days, reasons = columns
        values = zip(
            codes,
            descriptions,
            [text or "" for text in long_ones],
            [text or "" for text in trades],
            units,
            rates,
            smvs,
            [bool(composite or parts) for composite, parts in zip(composites, lists, strict=True)],
            [STANDARD if vat is None else vat for vat in vats],
            days,
            [text or "" for text in reasons],
            [tuple(parse_components(parts)) if parts else () for parts in lists],
            strict=True,
        )
        # What ItemRow(*values) does, without a call in Python for each.
        return list(map(partial(tuple.__new__, ItemRow), values))


def parse_components(text: str) -> list[tuple[str, Decimal]]:
    """``"LAS01*1;LAS02*4.5"`` → ``[("LAS01", 1), ("LAS02", 4.5)]``; ``ValueError`` says what is wrong with it."""
    parts: dict[str, Decimal] = {}
    for piece in text.split(";"):
        if not piece.strip():
            continue
        code, star, amount = piece.strip().rpartition("*")
        if not star or not code:
            raise ValueError(f"“{piece.strip()}” is not written CODE*QUANTITY, such as LAS010*1")
        try:
            quantity = Decimal(amount.strip())
        except InvalidOperation:
            raise ValueError(f"“{amount.strip()}” is not a quantity; write a number such as 1 or 4.5") from None
        if not quantity.is_finite() or quantity <= 0 or quantity >= 1_000_000:
            raise ValueError(f"the quantity {amount.strip()} must be above 0 and below 1,000,000")
        if quantity != round(quantity, 3):
            raise ValueError(f"the quantity {amount.strip()} has more than three decimals")
        if code.strip() in parts:
            raise ValueError(f"{code.strip()} is named twice; add the quantities up")
        parts[code.strip()] = quantity
    return list(parts.items())


def _component_problems(reading: Reading, known: dict[str, int]) -> Iterator[Problem]:
    """Components that cannot be read, do not exist, or make an item a part of itself."""
    parts_of: dict[str, list[str]] = {}
    for record in reading.records:
        row, code, text = record[0], record[1], record[9]
        if not text:
            continue
        try:
            parts = parse_components(text)
        except ValueError as fault:
            yield reading.problem(row, f"The components cannot be read: {fault}.", "components")
            continue
        parts_of[code] = [part for part, _ in parts]
        for part, _ in parts:
            if part not in known:
                message = f"The component {part} is not an item of this list; add it or correct the code."
                yield reading.problem(row, message, "components")
    for code in parts_of:
        if _reaches_itself(code, parts_of):
            message = f"{code} is a part of itself; a composite cannot contain itself."
            yield reading.problem(known[code], message, "components")


def _reaches_itself(code: str, parts_of: dict[str, list[str]]) -> bool:
    waiting, seen = list(parts_of[code]), set()
    while waiting:
        part = waiting.pop()
        if part == code:
            return True
        if part not in seen:
            seen.add(part)
            waiting += parts_of.get(part, [])
    return False
