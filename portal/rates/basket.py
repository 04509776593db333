"""Price a basket of lines (``code,quantity``) as an order would be."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from portal.kernel.errors import InputRefused, Problem
from portal.rates.models import Edition, Item
from portal.rates.pricing import PricedLine, price_line, total
from portal.rates.queries import items_by_code
from portal.tables import Field, Mapping, read_records, words

FIELDS = (
    Field("code", "text", words=words.CODE),
    Field("quantity", "decimal", words=words.QUANTITY, minimum=0),
)


class Basket:
    """Lines of a file: ``(row, code, quantity)``."""

    def __init__(self, name: str, lines: list[tuple[int, str, Decimal]]) -> None:
        self.name, self.lines = name, lines


def read_basket(path: Path, mapping: Mapping | None = None) -> Basket:
    """The lines of a file; raises ``InputRefused`` with every problem."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    problems = list(reading.problems)
    problems += [
        reading.problem(row, f"The quantity {quantity} must be above 0 and have at most three decimals.", "quantity")
        for row, _, quantity in reading.records
        if quantity <= 0 or quantity != round(quantity, 3)
    ]
    if problems:
        raise InputRefused(problems)
    return Basket(reading.file, [(row, code, quantity) for row, code, quantity in reading.records])


def price_basket(basket: Basket, edition: Edition, adjustment_bp: int) -> tuple[list[tuple[Item, PricedLine]], int]:
    """Each line with its item and price, and the net total in pence; ``InputRefused`` for codes the edition lacks."""
    items = items_by_code(edition.id, {code for _, code, _ in basket.lines})
    unknown = [
        Problem(
            basket.name,
            f"{code} is not an item of {edition.schedule.code}, edition {edition.name}; look it up in the catalogue.",
            row,
            "code",
        )
        for row, code, _ in basket.lines
        if code not in items
    ]
    if unknown:
        raise InputRefused(unknown)
    priced = [
        (items[code], price_line(quantity, items[code].rate_pence, adjustment_bp)) for _, code, quantity in basket.lines
    ]
    return priced, total(line for _, line in priced).net_pence
