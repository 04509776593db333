"""Several people at the same moment, in real threads on both engines: one wins, the others are told, all holds."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from builders import NATION, NOW, OFFICER, accept, allocate, authority, edition, framework_with_lot, job, member, scene
from flask import Flask
from sqlalchemy import func, select

from portal.checks import everything_off
from portal.config import Settings
from portal.framework.member_models import Contractor
from portal.jobs import services
from portal.jobs.models import Job, Offer
from portal.jobs.states import OPEN, DeclineReason, JobStatus, OfferStatus
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, WrongState
from portal.kernel.outbox import Notice
from portal.tick import tick

SOON = NOW + timedelta(hours=1)


def at_once(app: Flask, *works: Callable[[], object]) -> list[object]:
    """Run every work in a thread and a transaction of its own, all let go together; results or refusals, in order."""
    gate = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        with app.app_context():
            try:
                gate.wait(timeout=20)
                results[place] = work()
            except Exception as refused:  # noqa: BLE001  (a thread's error is looked at by the test)
                results[place] = refused

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    db.session.rollback()
    return results


def inside(work: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with transaction():
            return work()

    return run


def refusals(results: Sequence[object]) -> list[BaseException]:
    """The refusals among the results; anything but a refusal made on purpose fails the test."""
    found = [result for result in results if isinstance(result, BaseException)]
    for each in found:
        assert isinstance(each, WrongState | Clash), repr(each)
    return found


def holds() -> None:
    db.session.rollback()
    assert list(everything_off()) == []


def accepting(offer_id: int, now=SOON) -> Callable[[], object]:  # type: ignore[no-untyped-def]
    return inside(
        lambda: (
            services.accept_offer(
                offer_id,
                start_on=(NOW + timedelta(days=7)).date(),
                by="office@contractor.example",
                now=now,
                nation=NATION,
            ).status
        )
    )


def test_eight_people_who_accept_the_same_offer_are_one_acceptance(app: Flask) -> None:
    offer = scene().offered()

    results = at_once(app, *[accepting(offer.id)] * 8)

    assert results.count(OfferStatus.ACCEPTED) == 1
    assert len(refusals(results)) == 7
    assert Counter(db.session.scalars(select(Offer.status))) == {OfferStatus.ACCEPTED: 1}
    holds()


def test_accept_and_decline_at_once_give_one_answer(app: Flask) -> None:
    offer = scene().offered()
    declining = inside(
        lambda: (
            services.decline_offer(
                offer.id, reason_code=DeclineReason.PRICE, reason="", by="x@contractor.example", now=SOON, nation=NATION
            ).status
        )
    )

    results = at_once(app, accepting(offer.id), declining, accepting(offer.id), declining)

    assert len(refusals(results)) == 3
    holds()


def test_an_answer_and_the_tick_at_the_deadline_agree(app: Flask, settings: Settings) -> None:
    offer = scene().offered()
    last_moment = offer.answer_by - timedelta(seconds=1)

    answered, ticked = at_once(
        app, accepting(offer.id, now=last_moment), lambda: tick(settings, now=offer.answer_by)["lapsed"]
    )

    assert (answered is OfferStatus.ACCEPTED) == (ticked == 0)
    if ticked:
        assert isinstance(answered, WrongState)
    holds()


def test_two_ticks_at_once_do_everything_once(app: Flask, settings: Settings) -> None:
    there = scene(members=2, capacity=20)
    jobs = [there.job() for _ in range(6)]
    allocate(*jobs)
    late = NOW + timedelta(days=4)

    results = at_once(app, *[lambda: tick(settings, now=late)] * 4)

    assert refusals(results) == []
    assert sum(counts["lapsed"] for counts in results) == 6  # type: ignore[index]
    assert sum(counts["offered"] for counts in results) == 6  # type: ignore[index]
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 6 + 6 + 6  # offered, taken away, offered on
    holds()


def test_officers_who_allocate_the_same_job_make_one_offer(app: Flask) -> None:
    made = scene().job()
    allocating = inside(lambda: services.allocate_jobs([made.reference], by=OFFICER, now=NOW, nation=NATION).offered)

    results = at_once(app, *[allocating] * 6)

    assert len(refusals(results)) == 5
    assert db.session.scalar(select(func.count()).select_from(Offer)) == 1
    holds()


def loads_within_capacity() -> bool:
    open_offers = dict(
        db.session.execute(
            select(Offer.contractor_id, func.count()).where(Offer.status.in_(OPEN)).group_by(Offer.contractor_id)
        ).all()
    )
    capacities = dict(db.session.execute(select(Contractor.id, Contractor.capacity)).all())
    return all(load <= capacities[contractor] for contractor, load in open_offers.items())


def test_capacity_of_one_is_never_given_twice(app: Flask) -> None:
    there = scene(members=1, capacity=1)
    jobs = [there.job() for _ in range(6)]
    works = [
        inside(lambda made=made: services.allocate_jobs([made.reference], by=OFFICER, now=NOW, nation=NATION))  # type: ignore[misc]
        for made in jobs
    ]

    results = at_once(app, *works)

    assert refusals(results) == []
    assert Counter(db.session.scalars(select(Job.status))) == {JobStatus.ALLOCATING: 1, JobStatus.EXHAUSTED: 5}
    assert loads_within_capacity()
    holds()


def test_capacity_holds_across_lots_allocated_at_once(app: Flask) -> None:
    where = authority()
    first = framework_with_lot(where)
    second = framework_with_lot(within=first.framework)
    rates = edition()
    for rank in (1, 2, 3):
        member(first, second, areas=[where], rank=rank, capacity=1)
    jobs = [job(where, lot, rates) for lot in (first, second) * 4]
    works = [
        inside(lambda made=made: services.allocate_jobs([made.reference], by=OFFICER, now=NOW, nation=NATION))  # type: ignore[misc]
        for made in jobs
    ]

    results = at_once(app, *works)

    assert refusals(results) == []
    assert Counter(db.session.scalars(select(Job.status))) == {JobStatus.ALLOCATING: 3, JobStatus.EXHAUSTED: 5}
    assert loads_within_capacity()
    holds()


def test_allocation_answers_and_ticks_all_at_once_leave_everything_in_order(app: Flask, settings: Settings) -> None:
    there = scene(members=3, capacity=2)
    offered = [there.offered() for _ in range(4)]
    accept(offered[0], start_on=(NOW + timedelta(days=1)).date())
    waiting = [there.job() for _ in range(3)]
    late = NOW + timedelta(days=3)
    batch = [each.reference for each in waiting]

    results = at_once(
        app,
        lambda: tick(settings, now=late),
        lambda: tick(settings, now=late + timedelta(days=60)),
        inside(lambda: services.allocate_jobs(batch, by=OFFICER, now=NOW, nation=NATION).exhausted),
        inside(lambda: services.allocate_jobs(list(reversed(batch)), by=OFFICER, now=NOW, nation=NATION).exhausted),
        accepting(offered[1].id),
        accepting(offered[2].id),
        inside(lambda: services.withdraw_offer(offered[3].id, reason="x", by=OFFICER, now=SOON, nation=NATION).status),
        inside(lambda: services.allocate_jobs(None, by=OFFICER, now=NOW, nation=NATION).exhausted),
    )

    refusals(results)
    assert loads_within_capacity()
    holds()


@pytest.mark.parametrize("rounds", range(3))
def test_many_writers_keep_the_audit_chain_whole(app: Flask, rounds: int) -> None:
    there = scene(members=8, capacity=1)
    offers = [there.offered() for _ in range(8)]

    results = at_once(app, *[accepting(offer.id) for offer in offers])

    assert results == [OfferStatus.ACCEPTED] * 8
    holds()
