"""A price list as a file: ``code, description, long_description, trade, unit, rate`` and optional extras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from portal.kernel.errors import Problem
from portal.kernel.money import percent
from portal.rates.vat import RATES, STANDARD
from portal.tables import Field, Mapping, Reading, read_records, words

FIELDS = (
    Field("code", "text", words=words.CODE),
    Field("description", "text", words=words.DESCRIPTION),
    Field("long_description", "text", required=False, words=words.LONG_DESCRIPTION),
    Field("trade", "text", required=False, words=words.TRADE),
    Field("unit", "text", words=words.UNIT),
    Field("rate", "money", words=words.RATE),
    Field("smv", "decimal", required=False, words=("minutes", "standard minutes"), places=3),
    Field("composite", "flag", required=False),
    Field("components", "text", required=False),
    Field("vat", "percent", required=False, words=("vat rate", "vat %"), minimum=0, maximum=2000),
    Field("withdrawn", "date", required=False, words=("withdrawn from", "withdrawn on")),
    Field("withdrawn_reason", "text", required=False, words=("withdrawn because",), longest=500),
)

#: Longest texts that the database keeps, by field; a longer one is refused with its row.
LONGEST = {"code": 64, "description": 400, "trade": 200, "unit": 40}


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
    """What a price list holds. ``records`` are tuples ``(row, *values in the order of FIELDS)``."""

    name: str
    records: Sequence[tuple[Any, ...]]
    columns: dict[str, str]
    set_aside: Sequence[tuple[int, str]]
    problems: list[Problem]


def read_schedule(path: Path, mapping: Mapping | None = None) -> ScheduleFile:
    """Read a price list and check what can be checked row by row; problems are collected, not raised."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    problems = list(reading.problems)
    first_row: dict[str, int] = {}
    for record in reading.records:
        row, code, description, _, trade, unit = record[:6]
        earlier = first_row.setdefault(code, row)
        if earlier != row:
            problems.append(
                reading.problem(row, f"The code {code} stands in row {earlier} already; give each code once.", "code")
            )
        if len(code) > 64 or len(description) > 400 or len(unit) > 40 or (trade and len(trade) > 200):
            problems += [
                reading.problem(row, f"This {name} has {len(text)} characters; at most {LONGEST[name]} fit.", name)
                for name, text in (("code", code), ("description", description), ("trade", trade or ""), ("unit", unit))
                if len(text) > LONGEST[name]
            ]
        if record[10] is not None and record[10] not in RATES:
            problems.append(reading.problem(row, f"VAT is 0, 5 or 20 %, not {percent(record[10])} %.", "vat"))
        if (record[11] is None) is not (not record[12]):
            missing = "the day" if record[11] is None else "the reason"
            problems.append(
                reading.problem(row, f"A withdrawn item needs a day and a reason; {missing} is missing.", "withdrawn")
            )
    problems += _component_problems(reading, first_row)
    return ScheduleFile(reading.file, reading.records, reading.columns, reading.set_aside, problems)


def item_rows(records: Sequence[tuple[Any, ...]]) -> list[ItemRow]:
    """The items of a list's records."""
    return [
        ItemRow(
            code,
            description,
            long_description or "",
            trade or "",
            unit,
            rate,
            smv,
            bool(composite or parts),
            STANDARD if vat is None else vat,
            withdrawn,
            withdrawn_reason or "",
            tuple(parse_components(parts)) if parts else (),
        )
        for (
            _,
            code,
            description,
            long_description,
            trade,
            unit,
            rate,
            smv,
            composite,
            parts,
            vat,
            withdrawn,
            withdrawn_reason,
        ) in records
    ]


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


def _component_problems(reading: Reading, known: dict[str, int]) -> list[Problem]:
    """Components that cannot be read, do not exist, or make an item a part of itself."""
    problems = []
    parts_of: dict[str, list[str]] = {}
    for record in reading.records:
        row, code, text = record[0], record[1], record[9]
        if not text:
            continue
        try:
            parts = parse_components(text)
        except ValueError as fault:
            problems.append(reading.problem(row, f"The components cannot be read: {fault}.", "components"))
            continue
        parts_of[code] = [part for part, _ in parts]
        problems += [
            reading.problem(
                row, f"The component {part} is not an item of this list; add it or correct the code.", "components"
            )
            for part, _ in parts
            if part not in known
        ]
    for code in parts_of:
        if _reaches_itself(code, parts_of):
            problems.append(
                reading.problem(
                    known[code], f"{code} is a part of itself; a composite cannot contain itself.", "components"
                )
            )
    return problems


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
