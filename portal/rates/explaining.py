"""Say how the price of a line came about, from the values it was frozen with. Pure: values in, sentences out.

A sentence gives the rate and the rule it comes from, the edition, the adjustment and the value band it holds for, the
uplift, the one rounding, and the VAT rate with its reason.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from portal.kernel.money import percent, shown
from portal.rates.pricing import PricedLine, exact_pence
from portal.rates.states import PriceRule
from portal.rates.vat import NEEDS, REDUCED, STANDARD, ZERO, Declared, vat_rate, vat_reason, why_standard

PENNY = Decimal(100)
#: Why the line that fills an order up carries its VAT rate.
FILLING_WHY = "the highest rate of the other lines"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a line's price rests on besides its own values: the edition (schedule and name), from which value at
    schedule rates on the adjustment holds (0: it is the usual one), the lot's minimum order, and the reason for the
    VAT rate as the end of a sentence. ``no_vat`` is said in place of VAT where a line has none."""

    edition: str
    band_pence: int = 0
    minimum_pence: int = 0
    vat_why: str = ""
    no_vat: str = ""


def explanation(line: PricedLine, unit: str, basis: Basis) -> str:
    """How the net price of ``line`` and its VAT came about, as one sentence; ``unit`` is the item's."""
    parts = [_rate(line, unit, basis)]
    if line.rule is PriceRule.SCHEDULE_RATE and line.adjustment_bp:
        parts.append(f"{signed(line.adjustment_bp)}, {adjustment_words(basis.band_pence)}")
    if line.uplift_bp:
        parts.append(f"{signed(line.uplift_bp)} out of hours")
    if line.rule not in {PriceRule.QUOTE, PriceRule.MINIMUM_ORDER}:
        parts.append(f"{shown(line.net_pence)} before VAT{_rounding(line)}")
    parts.append(_vat(line, basis))
    return "; ".join(parts) + "."


def adjustment_words(band_pence: int) -> str:
    """Which of a member's adjustments it is."""
    return f"the adjustment for jobs from {shown(band_pence).removesuffix('.00')}" if band_pence else "the adjustment"


def signed(basis_points: int) -> str:
    """``-250`` → ``−2.5 %``, ``2000`` → ``+20 %``."""
    return f"{'−' if basis_points < 0 else '+'}{percent(abs(basis_points))} %"


def amount(quantity: Decimal) -> str:
    """A quantity without idle noughts: ``Decimal("1250.500")`` → ``1,250.5``."""
    text = f"{quantity:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rate(line: PricedLine, unit: str, basis: Basis) -> str:
    rate, each = shown(line.rate_pence), f"{amount(line.quantity)} {unit} at {shown(line.rate_pence)}"
    match line.rule:
        case PriceRule.OWN_RATE:
            return f"{each}, the contractor’s own rate in place of the rate of {basis.edition} and of the adjustment"
        case PriceRule.STAR_RATE:
            return f"{each}, the star rate agreed for what {basis.edition} does not have, without adjustment"
        case PriceRule.QUOTE:
            return f"{rate} before VAT, from the contractor’s quote for all the works"
        case PriceRule.MINIMUM_ORDER:
            least = f" of {shown(basis.minimum_pence)}" if basis.minimum_pence else ""
            return f"{rate} before VAT, what the lines lack of the lot’s minimum order{least}"
        case PriceRule.SCHEDULE_RATE:
            return f"{each}, the rate of {basis.edition}"


def _rounding(line: PricedLine) -> str:
    """What the net price was rounded from; nothing when it came out in whole pence."""
    exact = exact_pence(line.quantity, line.rate_pence, line.adjustment_bp, line.uplift_bp)
    if exact == line.net_pence:
        return ""
    return f", rounded half up from £{amount(exact / PENNY)}"


def _vat(line: PricedLine, basis: Basis) -> str:
    if basis.no_vat:
        return basis.no_vat
    words = f"VAT {percent(line.vat_bp)} %, {shown(line.vat_pence)}"
    if line.rule is PriceRule.MINIMUM_ORDER:
        return f"{words}, {FILLING_WHY}"
    return f"{words}, {basis.vat_why}" if basis.vat_why else words


def vat_of_part(
    vat_bp: int, lowest: Collection[int], declared: Collection[Declared], *, client_commissions: bool
) -> str:
    """Why a part of a quote carries ``vat_bp``; ``lowest`` holds the lowest rates that its works can carry."""
    if vat_bp != STANDARD:
        return vat_reason(vat_bp, declared, client_commissions=client_commissions)
    reasons = [
        "works without a lower rate" if each not in NEEDS else why_standard(each, client_commissions=client_commissions)
        for each in sorted(set(lowest), reverse=True)
        if vat_rate(each, declared, client_commissions=client_commissions) == STANDARD
    ]
    return f"the standard rate: {'; '.join(dict.fromkeys(reasons))}"


def vat_for_contractors(vat_bp: int) -> str:
    """The reason for a VAT rate without a word of what a client has declared: a contractor needs the rate alone."""
    if vat_bp in {ZERO, REDUCED}:
        name = "zero" if vat_bp == ZERO else "reduced"
        return f"the {name} rate; the authority keeps the declaration that allows it"
    return "the standard rate"
