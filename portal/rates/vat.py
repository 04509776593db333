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


#: Why no declaration gives the zero rate where the authority is the contractor's customer.
NO_ZERO_RATE = "the authority commissions the works, and only a client who does so has the zero rate"
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
    """Why a line carries the rate that ``vat_rate`` gives, as the end of a sentence.

    A declaration is asked for only where it would help.
    """
    rate = vat_rate(lowest_bp, declared, client_commissions=client_commissions)
    if rate == ZERO:
        return "the zero rate: works for a disabled person who commissions them, with a declaration"
    if rate == REDUCED:
        return "the reduced rate: a mobility aid for somebody over 60, with a declaration"
    return f"the standard rate: {why_standard(lowest_bp, client_commissions=client_commissions)}"


def why_standard(lowest_bp: int, *, client_commissions: bool) -> str:
    """What keeps an item that can carry ``lowest_bp`` at the standard rate."""
    if lowest_bp not in NEEDS:
        return "no relief exists for this item"
    if lowest_bp == ZERO and not client_commissions:
        return NO_ZERO_RATE
    return f"{lowest_bp // 100} % would need the client's declaration"
