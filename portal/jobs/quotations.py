"""Quotes for a job where work is bought by quotations, and the direction to do without the missing ones.

The members' quotes take the place of the ranks (see ``allocation``): the job is offered to the lowest, at its quote.
What has once been offered stands: no quote is corrected after the job's first offer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.framework.faults import checked_reason
from portal.framework.models import Lot
from portal.framework.roster import Listed, Roster
from portal.framework.states import FrameworkKind
from portal.jobs.models import Direction, Estimate, Job, Offer
from portal.jobs.states import JobStatus
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.kernel.money import shown

#: A job waits for its allocation in these states; before, its works are not settled, and later it has a contractor.
WAITING = frozenset({JobStatus.SPECIFIED, JobStatus.EXHAUSTED})
#: More than any adaptation costs, in pence: beyond it somebody slipped.
MOST_PENCE = 1_000_000_00


@dataclass(frozen=True, slots=True)
class Quoted:
    """A member of the job's lot, and its quote when it has given one."""

    member: Listed
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class Quotations:
    """The quotes of a job. ``needed`` is ``None`` where its lot is not bought by quotations; ``offered`` says whether
    an offer has been made. ``quoted`` has the lowest quote first, then the members without one, each by code."""

    needed: int | None
    quoted: tuple[Quoted, ...]
    direction: Direction | None
    offered: bool

    @property
    def received(self) -> int:
        """How many quotes are in."""
        return sum(each.estimate is not None for each in self.quoted)

    @property
    def missing(self) -> int:
        """How many quotes are missing, whatever was decided."""
        return max((self.needed or 0) - self.received, 0)

    @property
    def ready(self) -> bool:
        """Whether the job can be offered as far as quotes go: enough are in, or one is and a direction stands."""
        return self.received > 0 and (self.missing == 0 or self.direction is not None)


def quotes_needed(lot: Lot) -> int | None:
    """How many quotes each job of the lot needs; ``None`` where work is not bought by quotations."""
    return lot.framework.quotes_needed if lot.framework.kind is FrameworkKind.QUOTATIONS else None


def quotations_for(job: Job, today: date) -> Quotations:
    """The quotes of a job, with the members of its lot as they are listed ``today``."""
    needed = quotes_needed(job.lot)
    if needed is None:
        return Quotations(None, (), None, bool(job.offers))
    estimates = {each.member_id: each for each in db.session.scalars(select(Estimate).where(Estimate.job_id == job.id))}
    direction = db.session.scalar(select(Direction).where(Direction.job_id == job.id))
    quoted = [
        Quoted(member, estimates.get(member.member_id)) for member in Roster([job.lot_id], today).members[job.lot_id]
    ]
    quoted.sort(key=_lowest_first)
    return Quotations(needed, tuple(quoted), direction, bool(job.offers))


def _lowest_first(each: Quoted) -> tuple[bool, int, str]:
    return each.estimate is None, each.estimate.amount_pence if each.estimate else 0, each.member.code


def _lock_waiting(job_id: int) -> Job:
    """The job, locked, when it takes quotes now; the exception says why it does not."""
    job = db.session.scalar(
        select(Job)
        .where(Job.id == job_id)
        .options(joinedload(Job.lot).joinedload(Lot.framework))
        .with_for_update(of=Job)
        .execution_options(populate_existing=True)
    )
    if job is None:
        raise NotFound("There is no such job.")
    if quotes_needed(job.lot) is None:
        raise RuleBroken(f"The lot {job.lot.name} is not bought by quotations: its jobs go to its members in turn.")
    if job.status not in WAITING:
        raise WrongState(
            f"The job {job.reference} is {job.status.value}; quotes are recorded while a job waits for allocation."
        )
    return job


def _was_offered(job: Job) -> bool:
    return db.session.scalar(select(Offer.id).where(Offer.job_id == job.id).limit(1)) is not None


def record_estimate(
    job_id: int, member_id: int, amount_pence: int, received_on: date, *, by: str, now: datetime
) -> Estimate:
    """Keep a member's quote for a job: one amount in pence for all the works, excluding VAT, received on a day.

    A member's second amount corrects its first, as long as nothing has been offered. Raises ``WrongState`` for a job
    that does not wait for allocation or a correction after an offer; ``RuleBroken`` for a job that is not bought by
    quotations, a member that is not on the lot's list today or not active, an amount that nobody can mean, or a day
    in the future or before the job was specified. After an offer a job waits again only when nobody is left; a member
    that had not quoted may then do so.
    """
    job = _lock_waiting(job_id)
    today = local_date(now)
    listed = next((each for each in Roster([job.lot_id], today) if each.member_id == member_id), None)
    if listed is None:
        raise RuleBroken(f"Only members of the lot {job.lot.name} can quote for this job; choose one of them.")
    if not listed.active:
        raise RuleBroken(f"The membership of {listed.name} is {listed.standing.status.value}; it cannot quote now.")
    if not 0 < amount_pence <= MOST_PENCE:
        raise RuleBroken(f"A quote lies above £0 and not above {shown(MOST_PENCE)}; look at the amount again.")
    if received_on > today:
        raise RuleBroken(f"{date_text(received_on)} has not come yet; enter the day on which the quote arrived.")
    specified_on = local_date(job.specified_at)
    if received_on < specified_on:
        raise RuleBroken(
            f"The job {job.reference} was specified on {date_text(specified_on)}; no quote for it can have come before."
        )
    estimate = db.session.scalar(
        select(Estimate).where(Estimate.job_id == job.id, Estimate.member_id == member_id).with_for_update()
    )
    was = None if estimate is None else estimate.amount_pence
    if estimate is None:
        estimate = Estimate(job_id=job.id, member_id=member_id)
        db.session.add(estimate)
    elif _was_offered(job):
        raise WrongState(
            f"{listed.name} quoted {shown(estimate.amount_pence)}, and the job has been offered since: quotes stand "
            "as they were."
        )
    estimate.amount_pence, estimate.received_on = amount_pence, received_on
    estimate.recorded_by, estimate.recorded_at = by, now
    db.session.flush()
    audit.record(
        "quote recorded" if was is None else "quote corrected",
        f"job:{job.reference}",
        at=now,
        actor=by,
        member=listed.code,
        amount_pence=amount_pence,
        was_pence=was,
        received_on=received_on.isoformat(),
    )
    return estimate


def decide_without_quotes(job_id: int, *, reason: str, by: str, now: datetime) -> Direction:
    """Decide to do without the quotes that are missing for one job, with the reason.

    Raises ``Clash`` when that was decided already, ``RuleBroken`` when none is missing or no reason is given, and as
    ``record_estimate`` does for a job that takes no quotes now.
    """
    job = _lock_waiting(job_id)
    if db.session.scalar(select(Direction.id).where(Direction.job_id == job.id)) is not None:
        raise Clash("It was decided already to do without the missing quotes for this job.")
    needed = quotes_needed(job.lot) or 0
    received = len(list(db.session.scalars(select(Estimate.id).where(Estimate.job_id == job.id))))
    if received >= needed:
        raise RuleBroken(f"All {needed} quotes are in; there is nothing to do without.")
    direction = Direction(job_id=job.id, reason=checked_reason(reason, needed=True), decided_by=by, decided_at=now)
    db.session.add(direction)
    db.session.flush()
    # The reason stays with the direction: free text may name somebody, and audit events are for ever.
    audit.record("quotes done without", f"job:{job.reference}", at=now, actor=by, quotes=received, quotes_needed=needed)
    return direction
