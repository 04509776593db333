"""Read jobs and offers, each person only what is theirs to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Organisation, Person
from portal.framework.member_models import Contractor, Member
from portal.framework.models import Lot
from portal.jobs.models import Decision, Job, Offer, OrderLine, offer_is
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel.db import db
from portal.kernel.errors import NotFound

PAGE = 50


def jobs_seen_by(person: Person) -> Select[Job]:
    """The jobs this person may see: their authority's, or all for those who serve every authority."""
    query = select(Job)
    scope = person.authority_scope
    return query if scope is None else query.where(Job.authority_id == scope)


def job_by_reference(reference: str, person: Person | None = None) -> Job:
    """One job with its lines and offers; ``NotFound`` also for a job that is not ``person``'s to see."""
    query = select(Job) if person is None else jobs_seen_by(person)
    job = db.session.scalar(
        query.where(Job.reference == reference).options(
            joinedload(Job.authority),
            joinedload(Job.lot).joinedload(Lot.framework),
            joinedload(Job.edition),
            selectinload(Job.lines),
            selectinload(Job.offers).joinedload(Offer.member).joinedload(Member.contractor),
        )
    )
    if job is None:
        raise NotFound(f"There is no job {reference}.")
    return job


def draft_by_reference(reference: str, person: Person) -> Job:
    """One job with its lines, as its specification is built, in one statement; ``NotFound`` as above."""
    job = (
        db.session.scalars(
            jobs_seen_by(person)
            .where(Job.reference == reference)
            .options(
                joinedload(Job.authority),
                joinedload(Job.lot).joinedload(Lot.framework),
                joinedload(Job.edition),
                joinedload(Job.lines),
            )
        )
        .unique()
        .one_or_none()
    )
    if job is None:
        raise NotFound(f"There is no job {reference}.")
    return job


@dataclass(frozen=True, slots=True)
class JobFilter:
    """What a list of jobs is narrowed to. ``after`` is the id of the last job of the page before."""

    status: JobStatus | None = None
    words: str = ""
    after: int | None = None


def listed_jobs(person: Person, wanted: JobFilter, limit: int = PAGE) -> list[Job]:
    """A page of jobs, the newest first; one more than ``limit`` is fetched to tell whether there is a next page."""
    query = jobs_seen_by(person)
    if wanted.status is not None:
        query = query.where(Job.status == wanted.status)
    if wanted.words:
        # A prefix, so that the index on the reference serves it.
        query = query.where(Job.reference >= wanted.words, Job.reference < wanted.words + "\U0010ffff")
    if wanted.after is not None:
        query = query.where(Job.id < wanted.after)
    return list(
        db.session.scalars(
            query.options(joinedload(Job.authority), joinedload(Job.lot)).order_by(Job.id.desc()).limit(limit + 1)
        )
    )


def waiting_jobs(person: Person, status: JobStatus, limit: int) -> list[Job]:
    """The first ``limit`` jobs in this state: the most urgent first, then in the order they were specified."""
    return list(
        db.session.scalars(
            jobs_seen_by(person)
            .where(Job.status == status)
            .options(joinedload(Job.authority), joinedload(Job.lot))
            .order_by(Job.priority, Job.id)
            .limit(limit)
        )
    )


def decisions_on(job: Job) -> list[Decision]:
    """Every decision about a job, the latest first, with its places."""
    return list(
        db.session.scalars(
            select(Decision)
            .where(Decision.job_id == job.id)
            .options(selectinload(Decision.places))
            .order_by(Decision.id.desc())
        )
    )


def offer_query() -> Select[Offer]:
    """Offers with what a page about one shows."""
    return select(Offer).options(
        joinedload(Offer.job).joinedload(Job.authority),
        joinedload(Offer.job).joinedload(Job.lot).joinedload(Lot.framework),
        joinedload(Offer.job).joinedload(Job.edition),
        joinedload(Offer.job).selectinload(Job.lines),
        joinedload(Offer.member).joinedload(Member.contractor),
    )


def offer_for(person: Person, offer_id: int) -> Offer:
    """One of the contractor's own offers; ``NotFound`` for anybody else's."""
    offer = db.session.scalar(
        offer_query()
        .join(Contractor, Contractor.id == Offer.contractor_id)
        .where(Offer.id == offer_id, Contractor.organisation_id == person.organisation_id)
    )
    if offer is None:
        raise NotFound("There is no such offer.")
    return offer


def offers_of(person: Person, statuses: Sequence[OfferStatus], limit: int, before: int | None = None) -> list[Offer]:
    """A page of the contractor's own offers in these states: open ones by deadline, others the newest first."""
    query = (
        select(Offer)
        .join(Contractor, Contractor.id == Offer.contractor_id)
        .where(Contractor.organisation_id == person.organisation_id, offer_is(*statuses))
        .options(joinedload(Offer.job).joinedload(Job.authority), joinedload(Offer.job).joinedload(Job.lot))
        .limit(limit)
    )
    if before is not None:
        query = query.where(Offer.id < before)
    if list(statuses) == [OfferStatus.SENT]:
        return list(db.session.scalars(query.order_by(Offer.answer_by, Offer.id)))
    return list(db.session.scalars(query.order_by(Offer.id.desc())))


def order_lines(offer: Offer) -> list[OrderLine]:
    """The frozen lines of an accepted order."""
    return list(
        db.session.scalars(select(OrderLine).where(OrderLine.offer_id == offer.id).order_by(OrderLine.position))
    )


def contractor_names(contractor_ids: Sequence[int]) -> dict[int, str]:
    """The names of contractors by id."""
    return dict(
        db.session.execute(
            select(Contractor.id, Organisation.name)
            .join(Organisation, Organisation.id == Contractor.organisation_id)
            .where(Contractor.id.in_(contractor_ids))
        ).all()
    )


@dataclass(frozen=True, slots=True)
class Deadline:
    """An open offer as a worklist shows it."""

    job: Job
    contractor: str
    answer_by: datetime
    start_by: date


def open_offers(person: Person, limit: int) -> list[Deadline]:
    """Offers that wait for an answer on the jobs this person sees, the nearest deadline first."""
    scope = person.authority_scope
    query = (
        select(Offer, Organisation.name)
        .join(Contractor, Contractor.id == Offer.contractor_id)
        .join(Organisation, Organisation.id == Contractor.organisation_id)
        .where(offer_is(OfferStatus.SENT))
        .options(joinedload(Offer.job).joinedload(Job.authority), joinedload(Offer.job).joinedload(Job.lot))
        .order_by(Offer.answer_by, Offer.id)
        .limit(limit)
    )
    if scope is not None:
        query = query.where(Offer.authority_id == scope)
    return [Deadline(offer.job, name, offer.answer_by, offer.start_by) for offer, name in db.session.execute(query)]


def offer_of(job: Job, offer_id: int) -> Offer:
    """One of a job's offers, or ``NotFound``."""
    offer = next((offer for offer in job.offers if offer.id == offer_id), None)
    if offer is None:
        raise NotFound("There is no such offer.")
    return offer


def member_names(decisions: Sequence[Decision]) -> dict[str, str]:
    """The names of the contractors in some decisions, by code."""
    codes = {place.member_code for decision in decisions for place in decision.places}
    return dict(
        db.session.execute(select(Organisation.code, Organisation.name).where(Organisation.code.in_(codes))).all()
    )


def member_load(member_id: int) -> dict[OfferStatus, int]:
    """How many offers wait for a member's answer, and how many of its orders run."""
    counts = dict(
        db.session.execute(
            select(Offer.status, func.count())
            .where(Offer.member_id == member_id, offer_is(OfferStatus.SENT, OfferStatus.ACCEPTED))
            .group_by(Offer.status)
        ).all()
    )
    return {status: counts.get(status, 0) for status in (OfferStatus.SENT, OfferStatus.ACCEPTED)}
