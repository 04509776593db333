"""Allocate jobs, answer offers, and pass a job on when its contractor cannot start in time.

Fallback runs in the transaction of the event that causes it: whoever declines, lapses or proposes too late, the
next member's offer is written with it. Rows are locked in one order everywhere (jobs, contractors, audit head).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import joinedload

from portal.framework.member_models import Contractor, Member
from portal.jobs import allocation
from portal.jobs.board import Board
from portal.jobs.models import Job, Offer, offer_is
from portal.jobs.notices import accepted_notice, failed_notice, taken_away_notice
from portal.jobs.offering import CHUNK, Allocated, offer_next, officers_of
from portal.jobs.ordering import freeze_order
from portal.jobs.states import JOB_MOVES, OFFER_MOVES, DeclineReason, JobStatus, OfferStatus
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date, local_text
from portal.kernel.db import db, table_of
from portal.kernel.errors import NotFound, RuleBroken, WrongState
from portal.kernel.outbox import Notice
from portal.kernel.working_time import Nation, add_working_days

#: Who acts when nobody does: the clock.
CLOCK = "the portal"
#: Working days after the last day to start in which a contractor may still record it.
START_GRACE_DAYS = 1

_WAITING = (JobStatus.SPECIFIED, JobStatus.EXHAUSTED)


@dataclass(slots=True)
class Ticked:
    """What was due: counts."""

    lapsed: int = 0
    failed_to_start: int = 0
    offered: int = 0
    exhausted: int = 0

    def add(self, allocated: Allocated) -> None:
        """Count in what a fallback did."""
        self.offered += len(allocated.offered)
        self.exhausted += len(allocated.exhausted)


def allocate_jobs(
    references: Sequence[str] | None, *, by: str, now: datetime, nation: Nation, authority_id: int | None = None
) -> Allocated:
    """Offer each waiting job to its first eligible member: priority first, then the longest wait.

    ``references`` names jobs; ``None`` means all that wait. ``authority_id`` keeps to one authority's jobs. Raises
    ``NotFound`` for an unknown reference and ``WrongState`` for a job that is not waiting.
    """
    query = select(Job).order_by(Job.priority, Job.specified_at, Job.id).with_for_update()
    if authority_id is not None:
        query = query.where(Job.authority_id == authority_id)
    if references is None:
        query = query.where(Job.status.in_([JobStatus.SPECIFIED]))
    else:
        query = query.where(Job.reference.in_(references))
    jobs = list(db.session.scalars(query.execution_options(populate_existing=True)))
    if references is not None:
        missing = sorted(set(references) - {job.reference for job in jobs})
        if missing:
            raise NotFound(f"There is no job {', '.join(missing)}.")
        for job in jobs:
            if job.status not in _WAITING:
                raise WrongState(
                    f"The job {job.reference} is {job.status.value}; only a job that waits can be allocated."
                )
    return offer_next(jobs, because="allocated", by=by, now=now, nation=nation)


def _lock_offer(offer_id: int) -> tuple[Offer, Job]:
    """The offer and its job, the job's row locked, both as they are now."""
    job = db.session.scalar(
        select(Job)
        .join(Offer, Offer.job_id == Job.id)
        .where(Offer.id == offer_id)
        .with_for_update(of=Job)
        .execution_options(populate_existing=True)
    )
    if job is None:
        raise NotFound("There is no such offer.")
    offer = db.session.scalars(
        select(Offer)
        .where(Offer.id == offer_id)
        .options(joinedload(Offer.member).joinedload(Member.contractor))
        .execution_options(populate_existing=True)
    ).one()
    return offer, job


def _open_offer(offer_id: int, now: datetime) -> tuple[Offer, Job]:
    """An offer that can be answered at ``now``, locked; ``WrongState`` says why one cannot."""
    offer, job = _lock_offer(offer_id)
    if offer.status is not OfferStatus.SENT:
        raise WrongState(f"This offer is {offer.status.value.replace('-', ' ')} already; it can no longer be answered.")
    if now < offer.sent_at:
        raise RuleBroken(f"The offer was sent on {local_text(offer.sent_at)}; an answer cannot be older.")
    if now >= offer.answer_by:
        raise WrongState(
            f"The time to answer ended on {local_text(offer.answer_by)}; the job goes to the next contractor."
        )
    return offer, job


def _close_offer(offer: Offer, status: OfferStatus, *, by: str, now: datetime) -> None:
    if status not in OFFER_MOVES[offer.status]:
        raise WrongState(f"An offer that is {offer.status.value} cannot become {status.value}.")
    offer.status, offer.answered_at, offer.answered_by = status, now, by


def _move_job(job: Job, status: JobStatus, *, now: datetime) -> None:
    if status not in JOB_MOVES[job.status]:
        raise WrongState(f"A job that is {job.status.value} cannot become {status.value}.")
    job.status, job.since = status, now


def accept_offer(
    offer_id: int, *, start_on: date, by: str, now: datetime, nation: Nation, shown_pence: int | None = None
) -> Offer:
    """Accept with a start date; a date after the last day to start passes the job on, as *cannot start in time*.

    Raises ``WrongState`` when the offer is no longer open, ``RuleBroken`` for a date in the past, or when the
    framework, the authority's access, the value cap or the membership no longer allow the call-off; the offer then
    stays open until it is declined, taken back or lapses. Raises ``VatChanged`` when the order would not come to
    ``shown_pence``, the total with VAT that the contractor looked at.
    """
    offer, job = _open_offer(offer_id, now)
    if start_on < local_date(now):
        raise RuleBroken(f"{date_text(start_on)} is in the past; give the day on which you will start.")
    reasons = _reasons_now(offer, job, now)
    if reasons:
        raise RuleBroken(
            f"This job cannot be accepted any more: {'; '.join(reasons)}. Decline it, or leave it: the offer lapses by "
            f"itself on {local_text(offer.answer_by)}, and the job goes on to the next contractor or back to the "
            "officer. Speak to the framework manager if you think that this is wrong."
        )
    if start_on > offer.start_by:
        offer.start_on = start_on
        text = f"Could start on {date_text(start_on)}; the works must start by {date_text(offer.start_by)}."
        _decline(offer, job, DeclineReason.CANNOT_START_IN_TIME, text, by=by, now=now, nation=nation)
        return offer
    _close_offer(offer, OfferStatus.ACCEPTED, by=by, now=now)
    offer.start_on = start_on
    _move_job(job, JobStatus.ACCEPTED, now=now)
    db.session.flush()
    freeze_order(offer, job, shown_pence)
    notices = [accepted_notice(job, email, start_on, at=now) for email in officers_of(job)]
    if notices:
        db.session.execute(insert(table_of(Notice)), notices)
    audit.record(
        "offer accepted",
        f"job:{job.reference}",
        at=now,
        actor=by,
        start_on=start_on.isoformat(),
        member=offer.member.contractor.organisation.code,
        price_pence=offer.price_pence,
    )
    return offer


def _reasons_now(offer: Offer, job: Job, now: datetime) -> tuple[str, ...]:
    """What has come to keep the member from the job since the offer was sent; its own capacity was kept free for it.

    Area and value band of the lot, and the quotes, were looked at when the offer was made, and its price stands. The
    framework and the authority's access to it must hold today: the acceptance is the call-off.
    """
    board = Board([job], now)
    prices = board.works(job, ())
    card = next(card for card in board.members_for(job, prices).values() if card.member_id == offer.member_id)
    own = replace(
        card.facts,
        load=0,
        capacity=1,
        month_limit_pence=None,
        earlier="",
        quote_pence=offer.price_pence if offer.quoted else None,
    )
    lot = replace(board.lot_facts[job.lot_id], quotes_needed=1 if offer.quoted else None)
    facts = board.job_facts(job, offer.start_by, prices)
    # What is committed holds this offer already; it counts once.
    facts = replace(
        facts, used_pence=facts.used_pence - offer.price_pence, prices={own.terms_key: offer.price_pence}
    )
    return allocation.term_reasons(facts, lot, board.today) + allocation.member_reasons(own, facts, lot, board.today)


def decline_offer(
    offer_id: int, *, reason_code: DeclineReason, reason: str, by: str, now: datetime, nation: Nation
) -> Offer:
    """Say no with a reason; the job goes to the next member at once."""
    if not reason.strip() and reason_code is DeclineReason.OTHER:
        raise RuleBroken("Say in a few words why, so that the officer understands.")
    offer, job = _open_offer(offer_id, now)
    _decline(offer, job, reason_code, reason.strip(), by=by, now=now, nation=nation)
    return offer


def _decline(
    offer: Offer, job: Job, code: DeclineReason, reason: str, *, by: str, now: datetime, nation: Nation
) -> None:
    _close_offer(offer, OfferStatus.DECLINED, by=by, now=now)
    offer.reason_code, offer.reason = code, reason
    audit.record(
        "offer declined",
        f"job:{job.reference}",
        at=now,
        actor=by,
        reason=code.value,
        member=offer.member.contractor.organisation.code,
        proposed=offer.start_on and offer.start_on.isoformat(),
    )
    db.session.flush()
    offer_next([job], because=f"declined: {code.value}", by=by, now=now, nation=nation)


def record_started(offer_id: int, *, on: date, by: str, now: datetime) -> Offer:
    """Record that the works began; nothing else stops the clock of a failed start."""
    offer, job = _lock_offer(offer_id)
    if offer.status is not OfferStatus.ACCEPTED or job.status is not JobStatus.ACCEPTED:
        raise WrongState("Only an accepted order whose works have not begun can be started.")
    if on > local_date(now):
        raise RuleBroken(f"{date_text(on)} has not come yet; record the start on the day.")
    if offer.answered_at is not None and on < local_date(offer.answered_at):
        raise RuleBroken("The works cannot have begun before the order was accepted.")
    offer.started_on = on
    _move_job(job, JobStatus.STARTED, now=now)
    audit.record("works started", f"job:{job.reference}", at=now, actor=by, on=on.isoformat())
    return offer


def record_complete(offer_id: int, *, on: date, by: str, now: datetime) -> Offer:
    """Record that the works are complete; the contractor's capacity is free again."""
    offer, job = _lock_offer(offer_id)
    if job.status is not JobStatus.STARTED or offer.status is not OfferStatus.ACCEPTED:
        raise WrongState("Only works that have started can be complete.")
    if offer.started_on is not None and on < offer.started_on:
        raise RuleBroken(f"The works began on {date_text(offer.started_on)}; they cannot end before.")
    if on > local_date(now):
        raise RuleBroken(f"{date_text(on)} has not come yet; record the completion on the day.")
    if OfferStatus.COMPLETED not in OFFER_MOVES[offer.status]:
        raise WrongState("This order cannot be completed.")
    offer.status = OfferStatus.COMPLETED
    _move_job(job, JobStatus.COMPLETE, now=now)
    audit.record("works complete", f"job:{job.reference}", at=now, actor=by, on=on.isoformat())
    return offer


def lapse_due_offers(*, now: datetime, nation: Nation) -> Ticked:
    """Lapse up to ``CHUNK`` offers whose time to answer is over and pass their jobs on; all zero when none is due."""
    due = list(
        db.session.execute(
            select(Offer.id, Offer.job_id)
            .where(offer_is(OfferStatus.SENT), Offer.answer_by <= now)
            .order_by(Offer.answer_by, Offer.id)
            .limit(CHUNK)
        )
    )
    return _pass_on(due, OfferStatus.SENT, OfferStatus.EXPIRED, now=now, nation=nation)


def fail_late_starts(*, now: datetime, nation: Nation) -> Ticked:
    """Fail up to ``CHUNK`` accepted orders without a recorded start once their last day to start and grace are over."""
    today = local_date(now)
    accepted = db.session.execute(
        select(Offer.id, Offer.job_id, Offer.start_by)
        .where(offer_is(OfferStatus.ACCEPTED), Offer.started_on.is_(None), Offer.start_by < today)
        .order_by(Offer.start_by, Offer.id)
        .limit(CHUNK)
    )
    due = [
        (offer_id, job_id)
        for offer_id, job_id, start_by in accepted
        if add_working_days(start_by, START_GRACE_DAYS, nation) < today
    ]
    return _pass_on(due, OfferStatus.ACCEPTED, OfferStatus.FAILED_TO_START, now=now, nation=nation)


def _pass_on(
    due: Sequence[tuple[int, int]], was: OfferStatus, becomes: OfferStatus, *, now: datetime, nation: Nation
) -> Ticked:
    """Close the offers that are still ``was`` once their jobs are locked, and offer the jobs to the next members."""
    done = Ticked()
    if not due:
        return done
    jobs = {
        job.id: job
        for job in db.session.scalars(
            select(Job)
            .where(Job.id.in_([job_id for _, job_id in due]))
            .order_by(Job.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    offers = list(
        db.session.scalars(
            select(Offer)
            .where(Offer.id.in_([offer_id for offer_id, _ in due]), Offer.status == was, Offer.started_on.is_(None))
            .order_by(Offer.id)
            .execution_options(populate_existing=True)
        )
    )
    firms = {
        firm.id: firm
        for firm in db.session.scalars(
            select(Contractor).where(Contractor.id.in_([offer.contractor_id for offer in offers]))
        )
    }
    notices = []
    for offer in offers:
        job, firm = jobs[offer.job_id], firms[offer.contractor_id]
        _close_offer(offer, becomes, by=CLOCK, now=now)
        notices.append(taken_away_notice(job, firm.email, becomes, at=now))
        if becomes is OfferStatus.FAILED_TO_START:
            notices += [failed_notice(job, officer, firm.organisation.name, at=now) for officer in officers_of(job)]
        audit.record(
            f"offer {becomes.value.replace('-', ' ')}",
            f"job:{job.reference}",
            at=now,
            actor=CLOCK,
            member=firm.organisation.code,
        )
    db.session.flush()
    if notices:
        db.session.execute(insert(table_of(Notice)), notices)
    if becomes is OfferStatus.EXPIRED:
        done.lapsed = len(offers)
    else:
        done.failed_to_start = len(offers)
    waiting = sorted(
        (jobs[offer.job_id] for offer in offers),
        key=lambda job: (job.priority, job.specified_at, job.id),
    )
    done.add(offer_next(waiting, because=becomes.value, by=CLOCK, now=now, nation=nation))
    return done


def withdraw_offer(offer_id: int, *, reason: str, by: str, now: datetime, nation: Nation) -> Offer:
    """Take an open offer back with a reason (an officer's decision); the job goes to the next member."""
    if not reason.strip():
        raise RuleBroken("Give the reason for taking the offer back; it is kept with the job.")
    offer, job = _lock_offer(offer_id)
    if offer.status is not OfferStatus.SENT:
        raise WrongState(f"This offer is {offer.status.value} already; only an open offer can be taken back.")
    _close_offer(offer, OfferStatus.WITHDRAWN, by=by, now=now)
    offer.reason = reason.strip()
    firm = offer.member.contractor
    # The reason stays with the offer: free text may name somebody, and audit events are for ever.
    audit.record("offer withdrawn", f"job:{job.reference}", at=now, actor=by, member=firm.organisation.code)
    db.session.flush()
    db.session.execute(insert(table_of(Notice)), [taken_away_notice(job, firm.email, OfferStatus.WITHDRAWN, at=now)])
    offer_next([job], because="withdrawn", by=by, now=now, nation=nation)
    return offer
