"""Lines to price out of a file: ``code,quantity``."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from portal.kernel.errors import InputRefused, Problem
from portal.tables import Field, Mapping, read_records, words

FIELDS = (
    Field("code", "text", words=words.CODE),
    Field("quantity", "decimal", words=words.QUANTITY, minimum=0),
)
#: No line holds as much as this of an item.
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Basket:
    """Lines of a file or a form: ``(row, code, quantity)``; ``name`` stands in problems."""

    name: str
    lines: list[tuple[int, str, Decimal]]


def read_basket(path: Path, mapping: Mapping | None = None) -> Basket:
    """The lines of a file; raises ``InputRefused`` with every problem."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    problems = list(reading.problems)
    for row, _, quantity in reading.records:
        if fault := quantity_fault(quantity):
            problems.append(reading.problem(row, fault, "quantity"))
    if not reading.records and not problems:
        problems.append(Problem(reading.file, "The list has no line; it needs at least one code with a quantity."))
    if problems:
        raise InputRefused(problems)
    return Basket(reading.file, [(row, code, quantity) for row, code, quantity in reading.records])


def quantity_fault(quantity: Decimal) -> str | None:
    """What is wrong with a quantity, as a sentence; ``None`` when nothing is."""
    if quantity <= 0 or quantity != round(quantity, 3) or quantity >= MOST:
        return f"The quantity {quantity} must be above 0, below {MOST:,} and have at most three decimals."
    return None
