"""Suspending, releasing, removing: open offers go on in the same transaction, running orders stay, both sides are told;
and several people at the same moment, in real threads on both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

import pytest
from builders import (
    NATION,
    NOW,
    OFFICER,
    Scene,
    look_again,
    open_offer,
    scene,
    standing_of,
)
from flask import Flask
from sqlalchemy import select, text
from test_races import accepting, at_once, holds, refusals

from portal.framework.member_models import MemberEvent
from portal.framework.members.services import set_member_status
from portal.framework.states import MemberStatus
from portal.jobs import services
from portal.jobs.models import Job, Offer
from portal.jobs.offering import Allocated
from portal.jobs.standing import change_standing, change_terms
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.kernel.outbox import Notice

MANAGER = "manager@county.example"
LOSING = [MemberStatus.SUSPENDED, MemberStatus.RELEASED, MemberStatus.REMOVED]


def move(member_id: int, status: MemberStatus, reason: str = "A claim is open", **more: object) -> Allocated:
    """Take the step in a transaction of its own."""
    with transaction():
        return change_standing(
            member_id,
            status,
            reason=reason,
            by=MANAGER,
            now=NOW + timedelta(hours=1),
            nation=NATION,
            **more,  # type: ignore[arg-type]
        )


def moving(member_id: int, status: MemberStatus) -> Callable[[], object]:
    """The step, for a thread."""
    return lambda: move(member_id, status)


def statuses(offer_ids: list[int]) -> list[OfferStatus]:
    look_again()
    return [db.session.get_one(Offer, each).status for each in offer_ids]


def mail_to(email: str) -> list[Notice]:
    return list(db.session.scalars(select(Notice).where(Notice.recipient == email).order_by(Notice.id)))


@pytest.fixture
def there(app: Flask) -> Iterator[Scene]:
    """Three members; the first holds an order and has two more jobs on offer."""
    made = scene(3)
    yield made
    holds()


# One at a time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", LOSING)
def test_open_offers_go_on_and_orders_stay(there: Scene, status: MemberStatus) -> None:
    order = there.accepted()
    open_ones = [there.offered(), there.offered()]
    look_again()
    jobs = [offer.job for offer in open_ones]

    done = move(there.members[0].id, status)

    assert set(done.offered) == {job.reference for job in jobs}
    assert set(done.offered.values()) == {there.members[1].contractor.organisation.code}
    assert done.exhausted == []
    assert statuses([order.id, *(offer.id for offer in open_ones)]) == [
        OfferStatus.ACCEPTED,
        OfferStatus.WITHDRAWN,
        OfferStatus.WITHDRAWN,
    ]
    for job in jobs:
        assert open_offer(job).member_id == there.members[1].id
        assert [event.action for event in events_on(f"job:{job.reference}")][-2:] == ["offer withdrawn", "offer sent"]
    assert standing_of(there.members[0]) is status


@pytest.mark.parametrize("status", LOSING)
def test_the_contractor_is_told_of_its_standing_and_of_what_it_loses(there: Scene, status: MemberStatus) -> None:
    there.offered()
    look_again()
    email = there.members[0].contractor.email
    before = len(mail_to(email))

    move(there.members[0].id, status)

    taken, standing = mail_to(email)[before:]
    assert taken.subject.startswith("No longer yours: ")
    assert standing.subject == f"Your membership: {there.lot.name}"
    assert "A claim is open" in standing.body
    assert mail_to(there.members[1].contractor.email)


def test_with_nobody_left_the_officer_is_told(app: Flask) -> None:
    alone = scene(1)
    offer = alone.offered()
    look_again()
    reference = offer.job.reference

    done = move(alone.members[0].id, MemberStatus.RELEASED, reason="")

    assert done.exhausted == [reference]
    look_again()
    assert db.session.get_one(Job, offer.job_id).status is JobStatus.EXHAUSTED
    holds()


def test_a_running_order_can_still_be_started_and_completed_after_leaving(there: Scene) -> None:
    order = there.accepted()
    move(there.members[0].id, MemberStatus.RELEASED)
    day = (NOW + timedelta(days=7)).date()

    with transaction():
        services.record_started(order.id, on=day, by=OFFICER, now=NOW + timedelta(days=7))
    with transaction():
        services.record_complete(order.id, on=day, by=OFFICER, now=NOW + timedelta(days=8))

    assert statuses([order.id]) == [OfferStatus.COMPLETED]


def test_a_refused_step_takes_nothing_away(there: Scene) -> None:
    offer = there.offered()

    with pytest.raises(RuleBroken, match="must end after today"):
        move(there.members[0].id, MemberStatus.SUSPENDED, until_on=NOW.date())
    with pytest.raises(RuleBroken, match="Give the reason"):
        move(there.members[0].id, MemberStatus.SUSPENDED, reason=" ")
    with pytest.raises(NotFound):
        move(99_999, MemberStatus.SUSPENDED)

    assert statuses([offer.id]) == [OfferStatus.SENT]
    assert standing_of(there.members[0]) is MemberStatus.ACTIVE


def test_reinstating_brings_offers_again(there: Scene) -> None:
    move(there.members[0].id, MemberStatus.SUSPENDED)
    first = there.offered()
    assert first.member_id == there.members[1].id
    with transaction():
        set_member_status(there.members[0], MemberStatus.ACTIVE, reason="", by=MANAGER, now=NOW + timedelta(hours=2))

    assert there.offered(now=NOW + timedelta(hours=2)).member_id == there.members[0].id


def test_a_suspended_member_is_offered_work_again_on_the_day_its_suspension_ends(there: Scene) -> None:
    move(there.members[0].id, MemberStatus.SUSPENDED, until_on=NOW.date() + timedelta(days=2))

    assert there.offered(now=NOW + timedelta(days=1)).member_id == there.members[1].id
    assert there.offered(now=NOW + timedelta(days=2)).member_id == there.members[0].id


# At the same moment ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", range(3))
def test_a_release_and_an_acceptance_agree(app: Flask, there: Scene, rounds: int) -> None:
    offer = there.offered()

    released, answered = at_once(app, moving(there.members[0].id, MemberStatus.RELEASED), accepting(offer.id))

    assert isinstance(released, Allocated)
    assert standing_of(there.members[0]) is MemberStatus.RELEASED
    if answered is OfferStatus.ACCEPTED:
        assert released.offered == {}
        assert statuses([offer.id]) == [OfferStatus.ACCEPTED]
    else:
        assert isinstance(answered, WrongState), repr(answered)
        assert len(released.offered) == 1
        assert statuses([offer.id]) == [OfferStatus.WITHDRAWN]


@pytest.mark.parametrize("rounds", range(3))
def test_two_managers_who_suspend_and_release_leave_one_clear_history(app: Flask, there: Scene, rounds: int) -> None:
    offer = there.offered()
    member = there.members[0]

    results = at_once(app, moving(member.id, MemberStatus.SUSPENDED), moving(member.id, MemberStatus.RELEASED))

    # Released after the suspension is a move; suspended after the release is none.
    assert isinstance(results[1], Allocated)
    steps = list(
        db.session.scalars(
            select(MemberEvent.status).where(MemberEvent.member_id == member.id).order_by(MemberEvent.id)
        )
    )
    if refusals(results):
        assert "is released; it cannot become suspended" in str(results[0])
        assert steps == [MemberStatus.ACTIVE, MemberStatus.RELEASED]
    else:
        assert steps == [MemberStatus.ACTIVE, MemberStatus.SUSPENDED, MemberStatus.RELEASED]
    assert standing_of(member) is MemberStatus.RELEASED
    assert statuses([offer.id]) == [OfferStatus.WITHDRAWN]
    assert db.session.scalars(select(Offer).where(Offer.status == OfferStatus.SENT)).one().member_id != member.id


def test_six_managers_who_remove_one_member_are_one_removal(app: Flask, there: Scene) -> None:
    there.offered()

    results = at_once(app, *[moving(there.members[0].id, MemberStatus.REMOVED)] * 6)

    assert len(refusals(results)) == 5
    assert standing_of(there.members[0]) is MemberStatus.REMOVED


def test_suspensions_and_allocations_in_one_lot_never_stand_in_each_others_way(app: Flask) -> None:
    there = scene(4, capacity=20)
    for _ in range(4):
        there.offered()
    jobs = [there.job() for _ in range(4)]
    references = [job.reference for job in jobs]
    numbers = count()

    def allocating() -> object:
        with transaction():
            reference = references[next(numbers)]
            return services.allocate_jobs([reference], by=OFFICER, now=NOW + timedelta(hours=1), nation=NATION)

    results = at_once(
        app,
        *[allocating] * 4,
        moving(there.members[0].id, MemberStatus.SUSPENDED),
        moving(there.members[1].id, MemberStatus.SUSPENDED),
        moving(there.members[2].id, MemberStatus.RELEASED),
        lambda: terms(there.members[3].id),
    )

    # Whoever was offered a job at that very moment is asked to repeat; nothing else may fail.
    for refused in refusals(results):
        assert "at this very moment" in str(refused)
    look_again()
    for member, wanted in zip(there.members, results[4:7], strict=False):
        if not isinstance(wanted, Exception):
            assert open_offers_of(member.id) == []
    holds()


def terms(member_id: int) -> object:
    with transaction():
        return change_terms(member_id, areas=["RG1"], adjustment_bp=100, by=MANAGER, now=NOW, nation=NATION)


def open_offers_of(member_id: int) -> list[int]:
    return list(
        db.session.scalars(select(Offer.id).where(Offer.member_id == member_id, Offer.status == OfferStatus.SENT))
    )


def waits_for_a_lock(app: Flask) -> bool:
    """Whether somebody waits for a row that this transaction holds (on PostgreSQL)."""
    with app.app_context(), db.engine.connect() as other:
        return bool(other.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_job_offered_while_a_suspension_waits_is_not_left_open(app: Flask, there: Scene) -> None:
    job = there.job()
    results: list[object] = []

    def suspending() -> None:
        with app.app_context():
            try:
                results.append(move(there.members[0].id, MemberStatus.SUSPENDED))
            except Clash as clash:
                results.append(clash)

    manager = threading.Thread(target=suspending)
    reference, member_id = job.reference, there.members[0].id
    with transaction():
        services.allocate_jobs([reference], by=OFFICER, now=NOW, nation=NATION)
        manager.start()
        while manager.is_alive() and not waits_for_a_lock(app):
            manager.join(timeout=0.01)
    manager.join(timeout=60)

    (refused,) = results
    assert isinstance(refused, Clash)
    assert f"The job {reference} was offered to this member at this very moment" in str(refused)
    assert standing_of(there.members[0]) is MemberStatus.ACTIVE
    # Repeated, as asked, it passes the job on.
    assert list(move(member_id, MemberStatus.SUSPENDED).offered) == [reference]
    assert open_offers_of(member_id) == []
