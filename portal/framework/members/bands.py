"""A member's adjustments: the usual one, and those for jobs from a value at schedule rates on."""

from __future__ import annotations

from collections.abc import Sequence

from portal.framework.faults import WrongTerm
from portal.framework.member_models import Member, MemberBand
from portal.kernel.db import db
from portal.kernel.errors import RuleBroken
from portal.kernel.money import shown

#: How many value bands a member has at most, and where the last one can begin, in pence.
MOST_BANDS, MOST_FROM_PENCE = 20, 100_000_000_000


def check_adjustment(adjustment_bp: int) -> None:
    """``RuleBroken`` for an adjustment (basis points) that leaves no price or ten times the price."""
    if not -10_000 < adjustment_bp <= 100_000:
        raise RuleBroken("The adjustment must lie above −100 % and not above 1,000 %; write for example −2.5.")


def bands_of(member: Member) -> list[tuple[int, int]]:
    """A member's value bands ``(from pence, basis points)``, the lowest first."""
    return sorted((band.from_pence, band.adjustment_bp) for band in member.bands)


def checked_bands(bands: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Value bands ``(from pence, basis points)``, the lowest first; ``WrongTerm`` for those that no member can have."""
    before = 0
    for from_pence, adjustment_bp in sorted(bands):
        if not 0 < from_pence <= MOST_FROM_PENCE:
            raise WrongTerm(
                f"A value band begins above £0 and not above {shown(MOST_FROM_PENCE)}; below the first one the usual "
                "adjustment holds.",
                "bands",
            )
        if from_pence == before:
            raise WrongTerm(f"Two adjustments hold for jobs from {shown(from_pence)}; keep one of them.", "bands")
        try:
            check_adjustment(adjustment_bp)
        except RuleBroken as broken:
            raise WrongTerm(f"For jobs from {shown(from_pence)}: {broken}", "bands") from broken
        before = from_pence
    if len(bands) > MOST_BANDS:
        raise WrongTerm(f"A member has at most {MOST_BANDS} value bands.", "bands")
    return sorted(bands)


def put_bands(member: Member, bands: Sequence[tuple[int, int]]) -> None:
    """Let a member have these value bands from now on; offers and orders keep their own."""
    kept = {(band.from_pence, band.adjustment_bp): band for band in member.bands}
    member.bands = [band for key, band in kept.items() if key in bands]
    # The old rows give up their places before new ones take them.
    db.session.flush()
    member.bands += [MemberBand(from_pence=each[0], adjustment_bp=each[1]) for each in bands if each not in kept]
    db.session.flush()
