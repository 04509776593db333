"""What may follow what: tables of moves, and services that refuse every move that is not in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal

import pytest
from builders import NATION, NOW, Scene, accept, allocate, look_again, scene, standing_of
from flask import Flask
from sqlalchemy import select, update

from portal.framework.member_models import Member
from portal.framework.members.services import set_member_status
from portal.framework.states import MEMBER_MOVES, MemberStatus, Priority
from portal.jobs import services, specification
from portal.jobs.models import Job, Offer
from portal.jobs.states import JOB_MOVES, OFFER_MOVES, OPEN, DeclineReason, JobStatus, OfferStatus
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.kernel.errors import WrongState

SOON = NOW + timedelta(hours=1)
BY = "office@contractor.example"


def test_every_state_has_its_moves() -> None:
    assert set(JOB_MOVES) == set(JobStatus)
    assert set(OFFER_MOVES) == set(OfferStatus)
    assert set(MEMBER_MOVES) == set(MemberStatus)


def test_nothing_leaves_a_final_state() -> None:
    assert {status for status, moves in JOB_MOVES.items() if not moves} == {JobStatus.COMPLETE, JobStatus.CANCELLED}
    assert {status for status, moves in OFFER_MOVES.items() if not moves} == set(OfferStatus) - OPEN


def test_every_state_can_be_reached_and_only_a_job_passed_on_or_tried_again_stays_as_it_is() -> None:
    for moves, first in ((JOB_MOVES, JobStatus.DRAFT), (OFFER_MOVES, OfferStatus.SENT)):
        reached, waiting = {first}, [first]
        while waiting:
            for following in moves[waiting.pop()] - reached:  # type: ignore[index]
                reached.add(following)
                waiting.append(following)
        assert reached == set(moves)
    assert {status for status, following in JOB_MOVES.items() if status in following} == {
        JobStatus.ALLOCATING,
        JobStatus.EXHAUSTED,
    }
    assert not any(status in following for status, following in OFFER_MOVES.items())


# Every action on an offer × every state of the offer ------------------------------------------------------------------

ACTIONS: dict[str, tuple[Callable[[int], object], OfferStatus]] = {
    "accept": (
        lambda offer: services.accept_offer(
            offer, start_on=(NOW + timedelta(days=7)).date(), by=BY, now=SOON, nation=NATION
        ),
        OfferStatus.SENT,
    ),
    "decline": (
        lambda offer: services.decline_offer(
            offer, reason_code=DeclineReason.NO_CAPACITY, reason="", by=BY, now=SOON, nation=NATION
        ),
        OfferStatus.SENT,
    ),
    "withdraw": (
        lambda offer: services.withdraw_offer(offer, reason="Client moved", by=BY, now=SOON, nation=NATION),
        OfferStatus.SENT,
    ),
    "start": (
        lambda offer: services.record_started(offer, on=NOW.date(), by=BY, now=SOON),
        OfferStatus.ACCEPTED,
    ),
}


def bring_offer_to(there: Scene, status: OfferStatus) -> Offer:
    """An offer that came to ``status`` by the services."""
    if status in (OfferStatus.ACCEPTED, OfferStatus.COMPLETED):
        offer = there.accepted()
        if status is OfferStatus.COMPLETED:
            with transaction():
                services.record_started(offer.id, on=NOW.date(), by=BY, now=NOW)
            with transaction():
                services.record_complete(offer.id, on=NOW.date(), by=BY, now=NOW)
        return offer
    offer = there.offered()
    if status is OfferStatus.DECLINED:
        with transaction():
            ACTIONS["decline"][0](offer.id)
    elif status is OfferStatus.WITHDRAWN:
        with transaction():
            ACTIONS["withdraw"][0](offer.id)
    elif status is OfferStatus.EXPIRED:
        with transaction():
            services.lapse_due_offers(now=offer.answer_by, nation=NATION)
    elif status is OfferStatus.FAILED_TO_START:
        accept(offer)
        with transaction():
            services.fail_late_starts(now=NOW + timedelta(days=90), nation=NATION)
    return offer


@pytest.mark.parametrize("action", list(ACTIONS))
@pytest.mark.parametrize("status", list(OfferStatus))
def test_an_action_on_an_offer_works_in_its_one_state_only(app: Flask, action: str, status: OfferStatus) -> None:
    there = scene(members=2)
    offer = bring_offer_to(there, status)
    look_again()
    assert offer.status is status
    act, wanted = ACTIONS[action]

    if status is wanted:
        with transaction():
            act(offer.id)
        look_again()
        if action == "start":
            assert offer.job.status is JobStatus.STARTED
        else:
            assert offer.status in OFFER_MOVES[status]
        return
    events = db.session.scalars(select(AuditEvent.id)).all()
    with pytest.raises(WrongState), transaction():
        act(offer.id)

    look_again()
    assert offer.status is status
    assert db.session.scalars(select(AuditEvent.id)).all() == events


@pytest.mark.parametrize("status", [status for status in OfferStatus if status is not OfferStatus.ACCEPTED])
def test_only_an_accepted_order_can_be_completed(app: Flask, status: OfferStatus) -> None:
    offer = bring_offer_to(scene(members=2), status)

    with pytest.raises(WrongState), transaction():
        services.record_complete(offer.id, on=NOW.date(), by=BY, now=SOON)


def test_works_that_have_not_begun_cannot_be_complete(app: Flask) -> None:
    offer = scene().accepted()

    with pytest.raises(WrongState, match="have started"), transaction():
        services.record_complete(offer.id, on=NOW.date(), by=BY, now=SOON)


@pytest.mark.parametrize("target", list(OfferStatus))
@pytest.mark.parametrize("status", list(OfferStatus))
def test_an_offer_is_closed_by_the_table_only(status: OfferStatus, target: OfferStatus) -> None:
    offer = Offer(status=status)

    if target in OFFER_MOVES[status]:
        services._close_offer(offer, target, by=BY, now=NOW)
        assert offer.status is target
    else:
        with pytest.raises(WrongState, match="cannot become"):
            services._close_offer(offer, target, by=BY, now=NOW)
        assert offer.status is status


@pytest.mark.parametrize("target", list(JobStatus))
@pytest.mark.parametrize("status", list(JobStatus))
def test_a_job_moves_by_the_table_only(status: JobStatus, target: JobStatus) -> None:
    job = Job(status=status)

    if target in JOB_MOVES[status]:
        services._move_job(job, target, now=NOW)
        assert job.status is target
    else:
        with pytest.raises(WrongState, match="cannot become"):
            services._move_job(job, target, now=NOW)
        assert job.status is status


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_job_is_allocated_only_while_it_waits(app: Flask, status: JobStatus) -> None:
    there = scene(members=1)
    job = there.job()
    with transaction():
        db.session.execute(update(Job).where(Job.id == job.id).values(status=status))
    look_again()

    if status in (JobStatus.SPECIFIED, JobStatus.EXHAUSTED):
        assert list(allocate(job).offered) == [job.reference]
        return
    with pytest.raises(WrongState, match="only a job that waits"):
        allocate(job)


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.DRAFT])
def test_the_lines_of_a_job_that_is_no_draft_are_settled(app: Flask, status: JobStatus) -> None:
    job = scene(members=1).job()
    with transaction():
        db.session.execute(update(Job).where(Job.id == job.id).values(status=status))
    actions: list[Callable[[], object]] = [
        lambda: specification.add_line(job.id, "LIFT01", Decimal(1), by=BY, now=NOW),
        lambda: specification.remove_line(job.id, 1, by=BY, now=NOW),
        lambda: specification.finish_specification(job.id, by=BY, now=NOW),
    ]

    for action in actions:
        with pytest.raises(WrongState, match="no longer be changed"), transaction():
            action()


# Memberships ----------------------------------------------------------------------------------------------------------


#: How to bring a membership that is active to each state.
WAYS: dict[MemberStatus, tuple[MemberStatus, ...]] = {
    MemberStatus.ACTIVE: (),
    MemberStatus.SUSPENDED: (MemberStatus.SUSPENDED,),
    MemberStatus.RELEASED: (MemberStatus.RELEASED,),
    MemberStatus.REMOVED: (MemberStatus.REMOVED,),
    MemberStatus.APPLIED: (MemberStatus.RELEASED, MemberStatus.APPLIED),
    MemberStatus.CHECKING: (MemberStatus.RELEASED, MemberStatus.APPLIED, MemberStatus.CHECKING),
}


@pytest.mark.parametrize("status", list(MemberStatus))
def test_a_membership_moves_by_the_table_only(app: Flask, status: MemberStatus) -> None:
    def move(member: Member, target: MemberStatus) -> None:
        with transaction():
            set_member_status(member, target, reason="At the review", by=BY, now=NOW)

    for target in MemberStatus:
        (member,) = scene(members=1).members
        for step in WAYS[status]:
            move(member, step)
        allowed = target in MEMBER_MOVES[status]

        with nullcontext() if allowed else pytest.raises(WrongState, match="cannot become"):
            move(member, target)

        assert standing_of(member) is (target if allowed else status), f"{status} → {target}"


def test_the_priorities_sort_by_urgency() -> None:
    assert sorted(Priority) == [Priority.HOSPITAL_DISCHARGE, Priority.PRIORITY, Priority.ROUTINE]
