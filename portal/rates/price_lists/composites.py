"""Whether the price of a composite fits the sum of its parts. Pure.

A composite is one price for a whole job, so it need not be the sum; a large difference is worth a look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portal.kernel.money import half_up
from portal.rates.price_lists.diff import share
from portal.rates.schedule_file import ItemRow

#: A difference beyond this share of the sum, in basis points, is named.
LOOK_BEYOND_BP = 1_000


@dataclass(frozen=True, slots=True)
class CompositePrice:
    """A composite's price beside the sum of its parts, in pence; each part is rounded once, half up, as a line is."""

    code: str
    description: str
    unit: str
    rate_pence: int
    sum_pence: int
    parts: int

    @property
    def difference_pence(self) -> int:
        """By how much the price lies above the sum; below zero when it lies under it."""
        return self.rate_pence - self.sum_pence

    @property
    def difference_bp(self) -> int | None:
        """The same as a share of the sum in basis points; ``None`` when the sum is nothing."""
        return share(self.difference_pence, self.sum_pence)

    @property
    def look(self) -> bool:
        """Whether the difference is large enough to be worth a look."""
        by = self.difference_bp
        return self.difference_pence != 0 if by is None else abs(by) > LOOK_BEYOND_BP


def composite_prices(composites: Iterable[ItemRow], rates: Mapping[str, int]) -> list[CompositePrice]:
    """The composites that name their parts: those worth a look first, then by the size of the difference, by code.

    ``rates`` has the rate in pence of every code that is a part.
    """
    found = [
        CompositePrice(
            item.code,
            item.description,
            item.unit,
            item.rate_pence,
            sum(half_up(quantity * rates[code]) for code, quantity in item.parts),
            len(item.parts),
        )
        for item in composites
        if item.parts
    ]
    return sorted(
        found,
        key=lambda each: (
            not each.look,
            each.difference_bp is not None,
            -abs(each.difference_bp or 0),
            -abs(each.difference_pence),
            each.code,
        ),
    )
