"""On what terms members price works on a day: one statement for everything that is theirs or their lot's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import union_all

from portal.framework.member_models import Member, MemberBand
from portal.framework.models import Lot
from portal.framework.roster import fact
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.rates.models import MemberRate
from portal.rates.own_rates import rate_in_force
from portal.rates.pricing import Terms, band_adjustment, band_reached


@dataclass(frozen=True, slots=True)
class MemberTerms:
    """A member's adjustments in basis points and its own rates for one schedule in pence by code, with what its lot
    says of small orders and late hours. Without a member: the schedule's rates as they are."""

    adjustment_bp: int = 0
    bands: tuple[tuple[int, int], ...] = ()
    own_rates: Mapping[str, int] = field(default_factory=dict)
    minimum_pence: int = 0
    out_of_hours_bp: int = 0

    def for_job(self, value_pence: int, *, out_of_hours: bool = False) -> Terms:
        """The terms for a job of ``value_pence`` at schedule rates."""
        return Terms(
            band_adjustment(self.adjustment_bp, self.bands, value_pence),
            self.own_rates,
            self.out_of_hours_bp if out_of_hours else 0,
            self.minimum_pence,
        )

    def band(self, value_pence: int) -> int:
        """From which value on the adjustment for such a job holds; 0 for the usual one."""
        return band_reached(self.bands, value_pence)


def terms_of_members(
    member_ids: Collection[int], day: date, schedule_id: int | None, codes: Collection[str] | None = None
) -> dict[int, MemberTerms]:
    """The terms of some members by their ids, with their own rates for a schedule on ``day``: for ``codes``, or all of
    them. Without a schedule there are none.

    Adjustments and the lot's terms are those of now, as an offer takes them. One statement.
    """
    own = fact("own rate", MemberRate.member_id, MemberRate.code, number=MemberRate.rate_pence).where(
        MemberRate.member_id.in_(member_ids),
        MemberRate.schedule_id == schedule_id,
        MemberRate.rate_pence.is_not(None),
        rate_in_force(day),
    )
    if codes is not None:
        own = own.where(MemberRate.code.in_(codes))
    rows = db.session.execute(
        union_all(
            fact("lot", Member.id, number=Lot.minimum_order_pence, second=Lot.out_of_hours_bp)
            .join(Lot, Lot.id == Member.lot_id)
            .where(Member.id.in_(member_ids)),
            fact("member", Member.id, number=Member.adjustment_bp).where(Member.id.in_(member_ids)),
            fact("band", MemberBand.member_id, number=MemberBand.from_pence, second=MemberBand.adjustment_bp).where(
                MemberBand.member_id.in_(member_ids)
            ),
            own,
        )
    )
    lots: dict[int, tuple[int, int]] = {}
    adjustments: dict[int, int] = {}
    bands: dict[int, list[tuple[int, int]]] = {each: [] for each in member_ids}
    rates: dict[int, dict[str, int]] = {each: {} for each in member_ids}
    for row in rows:
        match row.what:
            case "lot":
                lots[row.owner] = (row.number, row.second)
            case "member":
                adjustments[row.owner] = row.number
            case "band":
                bands[row.owner].append((row.number, row.second))
            case "own rate":
                rates[row.owner][row.text] = row.number
    return {
        each: MemberTerms(adjustment, tuple(sorted(bands[each])), rates[each], *lots[each])
        for each, adjustment in adjustments.items()
    }


def terms_of_member(
    member_id: int, day: date, schedule_id: int | None, codes: Collection[str] | None = None
) -> MemberTerms:
    """The terms of one member, as ``terms_of_members``; ``NotFound`` without one."""
    found = terms_of_members([member_id], day, schedule_id, codes).get(member_id)
    if found is None:
        raise NotFound("There is no such membership.")
    return found
