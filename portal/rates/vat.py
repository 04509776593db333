"""Which VAT rate a line carries, and why. Pure; rates in basis points.

Zero: adaptations (ramps, door widening, bathrooms, lifts) for a disabled person who commissions the work, with a
declaration that is kept. Reduced: listed mobility aids put in for somebody over 60, with a declaration. Standard
otherwise (domain.md). An item says the lowest rate that it can carry; declarations belong to the job.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

ZERO, REDUCED, STANDARD = 0, 500, 2000
RATES = (ZERO, REDUCED, STANDARD)


class Declared(StrEnum):
    """What a client has declared, so that a lower VAT rate is allowed."""

    DISABLED_PERSON = "disabled-person"
    OVER_60 = "over-60"


#: The declaration that each lower rate needs.
NEEDS = {ZERO: Declared.DISABLED_PERSON, REDUCED: Declared.OVER_60}


def vat_rate(lowest_bp: int, declared: Collection[Declared], *, client_commissions: bool) -> int:
    """The VAT rate of a line whose item can carry ``lowest_bp``, with what the client has ``declared``.

    ``client_commissions``: the client, not the authority, is the contractor's customer; the zero rate needs it.
    """
    if lowest_bp not in NEEDS or NEEDS[lowest_bp] not in declared:
        return STANDARD
    if lowest_bp == ZERO and not client_commissions:
        return STANDARD
    return lowest_bp


def vat_reason(lowest_bp: int, declared: Collection[Declared], *, client_commissions: bool) -> str:
    """Why a line carries the rate that ``vat_rate`` gives, as the end of a sentence."""
    rate = vat_rate(lowest_bp, declared, client_commissions=client_commissions)
    if lowest_bp == STANDARD:
        return "the standard rate: no relief exists for this item"
    if rate == ZERO:
        return "the zero rate: works for a disabled person who commissions them, with a declaration"
    if rate == REDUCED:
        return "the reduced rate: a mobility aid for somebody over 60, with a declaration"
    if NEEDS[lowest_bp] not in declared:
        return f"the standard rate: {lowest_bp // 100} % would need the client's declaration"
    return "the standard rate: the authority commissions the works, and only a client who does so has the zero rate"
