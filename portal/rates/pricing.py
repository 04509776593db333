"""What a line costs. Pure, exact, in one documented order.

quantity × rate → adjustment → VAT, then one rounding, half up to the penny (domain.md, rule 5). The net is the
same product without VAT, rounded the same way; the VAT shown is what lies between the two, so that a line always
adds up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from portal.kernel.money import BASIS, half_up


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line: pence, with the basis it came from."""

    quantity: Decimal
    rate_pence: int
    adjustment_bp: int
    vat_bp: int
    net_pence: int
    vat_pence: int

    @property
    def total_pence(self) -> int:
        return self.net_pence + self.vat_pence


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of lines, in pence."""

    net_pence: int
    vat_pence: int

    @property
    def total_pence(self) -> int:
        return self.net_pence + self.vat_pence


def price_line(quantity: Decimal, rate_pence: int, adjustment_bp: int = 0, vat_bp: int = 0) -> PricedLine:
    """Price ``quantity`` units at ``rate_pence`` with the member's adjustment and VAT, both in basis points."""
    exact = quantity * rate_pence * (BASIS + adjustment_bp) / BASIS
    net = half_up(exact)
    gross = half_up(exact * (BASIS + vat_bp) / BASIS)
    return PricedLine(quantity, rate_pence, adjustment_bp, vat_bp, net, gross - net)


def total(lines: Iterable[PricedLine]) -> Total:
    """The sums of ``lines``; sums of whole pence, so nothing is rounded."""
    net = vat = 0
    for line in lines:
        net += line.net_pence
        vat += line.vat_pence
    return Total(net, vat)
