"""Frameworks, lots, authorities and members by the names that files and commands call them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.member_models import Contractor, ContractorDocument, Member, MemberEvent
from portal.framework.models import Framework, Lot, Participation, Review
from portal.framework.states import DocumentStatus, ReviewStatus
from portal.framework.terms.services import framework_by_code
from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken


def lot_named(name: str, framework_code: str | None = None) -> Lot:
    """The lot ``name``, of one framework or of the only one that has such a lot.

    Raises ``NotFound`` for an unknown framework or lot, ``RuleBroken`` when several frameworks have the lot.
    """
    query = select(Lot).where(Lot.name == name).options(joinedload(Lot.framework)).order_by(Lot.framework_id)
    if framework_code is not None:
        query = query.where(Lot.framework_id == framework_by_code(framework_code).id)
    lots = list(db.session.scalars(query))
    if not lots:
        raise NotFound(f"There is no lot {name}" + (f" in the framework {framework_code}." if framework_code else "."))
    if len(lots) > 1:
        codes = ", ".join(lot.framework.code for lot in lots)
        raise RuleBroken(f"The frameworks {codes} all have a lot {name}; name one of them with --framework.")
    return lots[0]


def lots_listed(framework_id: int | None = None) -> list[Lot]:
    """The lots with their terms, of one framework or of all, by framework and name."""
    query = (
        select(Lot)
        .join(Framework, Framework.id == Lot.framework_id)
        .options(
            contains_eager(Lot.framework),
            selectinload(Lot.work_types),
            selectinload(Lot.areas),
            selectinload(Lot.requirements),
        )
        .order_by(Framework.code, Lot.name)
    )
    return list(db.session.scalars(query if framework_id is None else query.where(Lot.framework_id == framework_id)))


def authority_named(code: str) -> Organisation:
    """The authority with this code, or ``NotFound``."""
    authority = db.session.scalar(
        select(Organisation).where(Organisation.code == code, Organisation.kind == OrganisationKind.AUTHORITY)
    )
    if authority is None:
        raise NotFound(f"There is no authority with the code {code}.")
    return authority


def access_ending(framework: Framework, authority: Organisation, until: date) -> Participation:
    """The authority's period that could end on ``until``: the one that day falls into or ends, else its latest.

    ``NotFound`` for an authority that takes no part.
    """
    periods = list(
        db.session.scalars(
            select(Participation)
            .where(Participation.framework_id == framework.id, Participation.authority_id == authority.id)
            .order_by(Participation.from_on, Participation.id)
        )
    )
    if not periods:
        raise NotFound(f"{authority.name} does not take part in the framework {framework.code}.")
    running = [
        each
        for each in periods
        if (each.from_on is None or each.from_on < until) and (each.to_on is None or until <= each.to_on)
    ]
    return (running or periods)[-1]


def member_named(code: str, lot: Lot) -> Member:
    """The membership of the contractor ``code`` in a lot, or ``NotFound``."""
    member = db.session.scalar(
        select(Member)
        .join(Contractor, Contractor.id == Member.contractor_id)
        .join(Organisation, Organisation.id == Contractor.organisation_id)
        .where(Organisation.code == code, Member.lot_id == lot.id)
    )
    if member is None:
        raise NotFound(f"{code} has no membership of the lot {lot.name} and has not applied for it.")
    return member


def history_of(contractor: Contractor) -> list[tuple[Lot, MemberEvent]]:
    """Every step in the memberships of a contractor, in the order in which they were taken, each with its lot."""
    rows = db.session.execute(
        select(Lot, MemberEvent)
        .join(Member, Member.id == MemberEvent.member_id)
        .join(Lot, Lot.id == Member.lot_id)
        .options(joinedload(Lot.framework))
        .where(Member.contractor_id == contractor.id)
        .order_by(MemberEvent.id)
    )
    return [(lot, event) for lot, event in rows]


def documents_listed(contractor_id: int | None = None, *, waiting: bool = False) -> list[ContractorDocument]:
    """Documents, the oldest first: of one contractor or of all, whatever became of them or only those that wait."""
    query = (
        select(ContractorDocument)
        .options(joinedload(ContractorDocument.contractor))
        .order_by(ContractorDocument.added_at, ContractorDocument.id)
    )
    if contractor_id is not None:
        query = query.where(ContractorDocument.contractor_id == contractor_id)
    if waiting:
        query = query.where(ContractorDocument.status == DocumentStatus.WAITING)
    return list(db.session.scalars(query))


def review_named(framework: Framework, status: ReviewStatus, due_on: date | None) -> Review:
    """A framework's review in ``status``: the one due on a day, or else the first; ``NotFound`` without one."""
    query = select(Review).where(Review.framework_id == framework.id).order_by(Review.due_on)
    query = query.where(Review.status == status) if due_on is None else query.where(Review.due_on == due_on)
    review = db.session.scalar(query.limit(1))
    if review is None:
        which = f"on {date_text(due_on)}" if due_on else f"that is {status.value}"
        raise NotFound(f"The framework {framework.code} has no review {which}.")
    return review
