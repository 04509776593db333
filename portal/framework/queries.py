"""Read the contractor list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Organisation
from portal.framework.models import Contractor, Framework, Lot, Member, MemberArea, Participation
from portal.framework.states import MemberStatus
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken


def frameworks() -> list[Framework]:
    """Every framework with its lots, by code."""
    return list(db.session.scalars(select(Framework).options(selectinload(Framework.lots)).order_by(Framework.code)))


def members_of(lot_ids: list[int]) -> list[Member]:
    """The members of some lots in rank order, with contractor, documents and areas."""
    return list(
        db.session.scalars(
            select(Member)
            .where(Member.lot_id.in_(lot_ids))
            .options(joinedload(Member.contractor).selectinload(Contractor.documents), selectinload(Member.areas))
            .order_by(Member.lot_id, Member.rank, Member.id)
        )
    )


def contractor_of(organisation_id: int) -> Contractor | None:
    """The contractor that an organisation is."""
    return db.session.scalar(select(Contractor).where(Contractor.organisation_id == organisation_id))


@dataclass(frozen=True, slots=True)
class Unserved:
    """A lot and an authority that no active member covers."""

    lot: str
    authority: str


def unserved_areas(on: date) -> list[Unserved]:
    """Where a job would find nobody: said at once, not at the first failed job."""
    from_frameworks = (
        select(Lot.id, Lot.name, Organisation.id, Organisation.name)
        .join(Framework, Framework.id == Lot.framework_id)
        .join(Participation, Participation.framework_id == Framework.id)
        .join(Organisation, Organisation.id == Participation.authority_id)
        .where(
            or_(Framework.starts_on.is_(None), Framework.starts_on <= on),
            or_(Framework.ends_on.is_(None), Framework.ends_on > on),
        )
        .order_by(Lot.name, Organisation.name)
    )
    covered = set(
        db.session.execute(
            select(Member.lot_id, MemberArea.authority_id)
            .join(MemberArea, MemberArea.member_id == Member.id)
            .where(Member.status == MemberStatus.ACTIVE)
            .distinct()
        ).all()
    )
    return [
        Unserved(lot, authority)
        for lot_id, lot, authority_id, authority in db.session.execute(from_frameworks)
        if (lot_id, authority_id) not in covered
    ]


def adjustment_of(contractor_code: str, lot_name: str | None = None) -> int:
    """A contractor's adjustment in basis points, in one lot or in all when they agree.

    Raises ``NotFound`` for an unknown contractor or lot, ``RuleBroken`` when its lots differ and none is named.
    """
    query = (
        select(Lot.name, Member.adjustment_bp)
        .join(Lot, Lot.id == Member.lot_id)
        .join(Contractor, Contractor.id == Member.contractor_id)
        .join(Organisation, Organisation.id == Contractor.organisation_id)
        .where(Organisation.code == contractor_code)
    )
    rows = list(db.session.execute(query.where(Lot.name == lot_name) if lot_name else query))
    if not rows:
        raise NotFound(f"There is no member {contractor_code}" + (f" in the lot {lot_name}." if lot_name else "."))
    adjustments = {adjustment for _, adjustment in rows}
    if len(adjustments) > 1:
        raise RuleBroken(
            f"The adjustment of {contractor_code} differs between "
            f"{', '.join(sorted(name for name, _ in rows))}; name one with --lot."
        )
    return adjustments.pop()


def lot_by_id(lot_id: int) -> Lot | None:
    """A lot with its framework and required documents."""
    return db.session.scalar(
        select(Lot).where(Lot.id == lot_id).options(joinedload(Lot.framework), selectinload(Lot.requirements))
    )


def member_counts() -> dict[int, int]:
    """How many active members each lot has, by lot id."""
    return dict(
        db.session.execute(
            select(Member.lot_id, func.count()).where(Member.status == MemberStatus.ACTIVE).group_by(Member.lot_id)
        ).all()
    )
