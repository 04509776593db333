"""When a member's standing or its areas change, so do its open offers: whoever is suspended or leaves, altogether or
an area, keeps its orders and loses what it has not accepted yet, which goes to the next member in the same transaction.

The contractor list itself knows nothing of jobs; this room stands above both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime

from sqlalchemy import insert, select

from portal.framework.member_models import Contractor, Member
from portal.framework.members.services import (
    admit_member,
    change_member_terms,
    last_event,
    set_member_status,
)
from portal.framework.notices import standing_changed
from portal.framework.roster import Roster
from portal.framework.states import MemberStatus
from portal.jobs.allocation import serves
from portal.jobs.models import Job, Offer
from portal.jobs.notices import taken_away_notice
from portal.jobs.offering import Allocated, offer_next
from portal.jobs.states import OFFER_MOVES, OfferStatus
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db, table_of
from portal.kernel.errors import Clash, NotFound, WrongState
from portal.kernel.outbox import Notice, queue_notice
from portal.kernel.working_time import Nation

#: Standings in which no offer stays open.
WITHOUT_OFFERS = frozenset({MemberStatus.SUSPENDED, MemberStatus.RELEASED, MemberStatus.REMOVED})


def change_standing(
    member_id: int,
    status: MemberStatus,
    *,
    reason: str,
    by: str,
    now: datetime,
    nation: Nation,
    until_on: date | None = None,
    rank: int | None = None,
    share_bp: int | None = None,
) -> Allocated:
    """Move a membership to ``status`` from today, tell the contractor, and pass its open offers on where it loses them.

    ``until_on`` ends a suspension; ``rank`` and ``share_bp`` place somebody who is admitted (next free rank without
    one). Returns what became of the jobs that were on offer. Raises as ``set_member_status`` and ``admit_member`` do,
    and ``Clash`` when a job is offered to the member at the same moment.
    """
    # Jobs are locked before contractors everywhere; a job that is offered meanwhile waits for the lock below.
    jobs = _lock_offered_jobs(member_id) if status in WITHOUT_OFFERS else []
    member = db.session.scalar(select(Member).where(Member.id == member_id))
    if member is None:
        raise NotFound("There is no such membership.")
    if jobs:
        # As allocation locks them, so that the two never wait for each other: lots, then contractors in their order.
        Roster([member.lot_id], local_date(now), lock=True)
    last = last_event(member_id)
    enters = status is MemberStatus.ACTIVE and last is not None and last.status is MemberStatus.CHECKING
    if enters:
        admit_member(member, reason=reason, by=by, now=now, rank=rank, share_bp=share_bp)
    else:
        set_member_status(member, status, reason=reason, by=by, now=now, until_on=until_on)
    if status in WITHOUT_OFFERS:
        _refuse_new_offers(member_id, jobs)
    done = _pass_on(member, jobs, by=by, now=now, nation=nation)
    until = date_text(until_on) if until_on else ""
    queue_notice(member.contractor.email, *standing_changed(member, status, reason, until), at=now)
    return done


def change_terms(
    member_id: int,
    *,
    areas: Collection[str],
    adjustment_bp: int,
    by: str,
    now: datetime,
    nation: Nation,
    bands: Sequence[tuple[int, int]] | None = None,
) -> Allocated:
    """Change where a member works and at which adjustment from now on; open offers outside its areas are passed on.

    ``bands`` are its adjustments for jobs of more value, as ``change_member_terms`` takes them.

    What was offered in the areas that it keeps stands at its price. Returns what became of the jobs that were on
    offer. Raises as ``change_member_terms`` does, and ``Clash`` when a job outside the new areas is offered to the
    member at the same moment.
    """
    # Jobs, then lots and contractors: the order of every allocation.
    jobs = _lock_offered_jobs(member_id)
    if jobs:
        Roster([jobs[0].lot_id], local_date(now), lock=True)
    member = change_member_terms(member_id, areas=areas, adjustment_bp=adjustment_bp, bands=bands, by=by, now=now)
    served = {area.code for area in member.areas}

    def lost(job: Job) -> bool:
        return not serves(served, job.authority.code, job.district)

    _refuse_new_offers(member_id, jobs, lost)
    return _pass_on(member, [job for job in jobs if lost(job)], by=by, now=now, nation=nation)


def _lock_offered_jobs(member_id: int) -> list[Job]:
    """The jobs on offer to a member, locked."""
    return list(
        db.session.scalars(
            select(Job)
            .join(Offer, Offer.job_id == Job.id)
            .where(Offer.member_id == member_id, Offer.status == OfferStatus.SENT)
            .order_by(Job.id)
            .with_for_update(of=Job)
            .execution_options(populate_existing=True)
        )
    )


def _refuse_new_offers(member_id: int, jobs: list[Job], lost: Callable[[Job], bool] | None = None) -> None:
    """``Clash`` when somebody offered the member a job that it has ``lost`` (any, without a question)
    after ``jobs`` were locked: it would stay open unseen."""
    offered = db.session.scalars(
        select(Job)
        .join(Offer, Offer.job_id == Job.id)
        .where(
            Offer.member_id == member_id,
            Offer.status == OfferStatus.SENT,
            Job.id.not_in([job.id for job in jobs]),
        )
        .order_by(Job.id)
    )
    for job in offered:
        if lost is None or lost(job):
            raise Clash(
                f"The job {job.reference} was offered to this member at this very moment; nothing was changed. "
                "Repeat what you did: the job is then passed on as well."
            )


def _pass_on(member: Member, jobs: list[Job], *, by: str, now: datetime, nation: Nation) -> Allocated:
    """Take the member's open offers back and offer their jobs to the next members."""
    if not jobs:
        return Allocated()
    offers = list(
        db.session.scalars(
            select(Offer)
            .where(
                Offer.member_id == member.id,
                Offer.status == OfferStatus.SENT,
                Offer.job_id.in_([job.id for job in jobs]),
            )
            .order_by(Offer.id)
            .execution_options(populate_existing=True)
        )
    )
    firm = db.session.get_one(Contractor, member.contractor_id)
    by_id = {job.id: job for job in jobs}
    notices = []
    for offer in offers:
        if OfferStatus.WITHDRAWN not in OFFER_MOVES[offer.status]:
            raise WrongState(f"An offer that is {offer.status.value} cannot be taken back.")
        offer.status, offer.answered_at, offer.answered_by = OfferStatus.WITHDRAWN, now, by
        offer.reason = "The membership changed."
        job = by_id[offer.job_id]
        audit.record("offer withdrawn", f"job:{job.reference}", at=now, actor=by, member=firm.organisation.code)
        notices.append(taken_away_notice(job, firm.email, OfferStatus.WITHDRAWN, at=now))
    db.session.flush()
    if notices:
        db.session.execute(insert(table_of(Notice)), notices)
    waiting = sorted(
        (by_id[offer.job_id] for offer in offers), key=lambda job: (job.priority, job.specified_at, job.id)
    )
    return offer_next(waiting, because="membership changed", by=by, now=now, nation=nation)
