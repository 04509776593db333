"""Read frameworks, lots and contractors; who stands where on a day is in ``roster``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Organisation
from portal.framework.member_models import Contractor
from portal.framework.models import Framework, Lot, LotWorkType, Participation
from portal.framework.roster import Listed, LotTerms, Roster
from portal.framework.rules import holds
from portal.kernel.db import db


def frameworks() -> list[Framework]:
    """Every framework with its lots, by code."""
    return list(
        db.session.scalars(
            select(Framework)
            .options(selectinload(Framework.lots).selectinload(Lot.work_types))
            .order_by(Framework.code)
        )
    )


def all_lot_ids() -> list[int]:
    """The ids of every lot."""
    return list(db.session.scalars(select(Lot.id).order_by(Lot.id)))


def members_of(lot_ids: list[int], on: date) -> list[Listed]:
    """The members of some lots as listed on a day: by lot, in rank order."""
    return list(Roster(lot_ids, on))


def contractor_of(organisation_id: int) -> Contractor | None:
    """The contractor that an organisation is."""
    return db.session.scalar(select(Contractor).where(Contractor.organisation_id == organisation_id))


@dataclass(frozen=True, slots=True, order=True)
class Unserved:
    """A lot and an area (an authority, or a district of its own) in which nobody can be offered work."""

    lot: str
    authority: str


def unserved_areas(on: date, roster: Roster | None = None) -> list[Unserved]:
    """Where a job would find nobody: said at once, not at the first failed job.

    Members who are suspended or whose required documents do not hold serve nobody. Frameworks out of force and
    authorities without access on the day are left out.
    """
    roster = roster or Roster(all_lot_ids(), on)
    names = dict(db.session.execute(select(Organisation.code, Organisation.name)).all())
    found = []
    for lot_id, terms in roster.lots.items():
        framework = terms.lot.framework
        if not holds((framework.starts_on, framework.ends_on), on):
            continue
        found += [Unserved(terms.lot.name, names.get(code, code)) for code in bare_areas(roster, lot_id)]
    return sorted(found)


def able_members(roster: Roster, lot_id: int) -> list[Listed]:
    """The active members of a lot whose required documents hold on the roster's day."""
    required = roster.lots[lot_id].required
    return [each for each in roster.members[lot_id] if each.active and not each.lapses(required, roster.day)]


def bare_areas(roster: Roster, lot_id: int) -> list[str]:
    """The codes of a lot's areas in which nobody could be offered a job on the roster's day."""
    terms = roster.lots[lot_id]
    served = {code for each in able_members(roster, lot_id) for code in each.areas}
    calling = {code for code, periods in terms.access.items() if any(holds(each, roster.day) for each in periods)}
    # A district is served by whoever works in it, or in any of the authorities.
    return [
        code
        for code in sorted(targets(terms, calling))
        if code not in served and (code in calling or not served & calling)
    ]


def targets(terms: LotTerms, calling: set[str]) -> set[str]:
    """The areas in which a lot must be served: its own, or every authority that may call it off."""
    if not terms.areas:
        return calling
    return {code for code in terms.areas if code in calling or code not in terms.access}


def lot_by_id(lot_id: int) -> Lot | None:
    """A lot with its framework, work types, areas and the documents it asks for."""
    return db.session.scalar(
        select(Lot)
        .where(Lot.id == lot_id)
        .options(
            joinedload(Lot.framework),
            selectinload(Lot.requirements),
            selectinload(Lot.work_types),
            selectinload(Lot.areas),
        )
    )


def lots_called_off(authority_id: int, on: date) -> list[Lot]:
    """The lots that an authority may call off on a day, cheapest band first; their areas are read with them."""
    return list(
        db.session.scalars(
            select(Lot)
            .join(Participation, Participation.framework_id == Lot.framework_id)
            .where(
                Participation.authority_id == authority_id,
                (Participation.from_on.is_(None)) | (Participation.from_on <= on),
                (Participation.to_on.is_(None)) | (Participation.to_on > on),
            )
            .options(selectinload(Lot.work_types), selectinload(Lot.areas))
            .order_by(Lot.value_from_pence, Lot.id)
        ).unique()
    )


def work_types_of(authority_id: int, on: date) -> list[str]:
    """The work types that an authority can call off on a day."""
    lots = [lot.id for lot in lots_called_off(authority_id, on)]
    return list(
        db.session.scalars(
            select(LotWorkType.work_type).where(LotWorkType.lot_id.in_(lots)).distinct().order_by(LotWorkType.work_type)
        )
    )
