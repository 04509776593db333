"""The life of jobs, played at random: after every step at most one live offer and one acceptance a job."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from builders import NATION, NOW, OFFICER, Scene, scene, standing_of
from databases import Shelves, SqliteShelf, app_on, settings_for
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from portal.checks import everything_off
from portal.framework.member_models import Contractor, Member
from portal.framework.members.services import set_member_status
from portal.framework.states import MEMBER_MOVES, MemberStatus
from portal.jobs import services
from portal.jobs.models import Job, Offer
from portal.jobs.states import JOB_MOVES, OPEN, DeclineReason, JobStatus, OfferStatus
from portal.kernel.clock import local_date
from portal.kernel.db import db, transaction
from portal.kernel.errors import RuleBroken, WrongState

BY = "office@contractor.example"
DAYS = st.integers(0, 40)


class LifeOfJobs(RuleBasedStateMachine):
    """Officers, contractors and the clock, each doing what they please."""

    shelf: SqliteShelf
    folder: Path
    numbers = count(1)

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        url = self.open.enter_context(self.shelf.copy())
        instance = self.folder / str(next(self.numbers))
        instance.mkdir()
        self.open.enter_context(app_on(settings_for(instance, url)))
        self.now = NOW
        self.there: Scene
        self.before: dict[int, JobStatus] = {}

    def teardown(self) -> None:
        db.session.rollback()
        found = list(everything_off())
        self.open.close()
        assert found == []

    @initialize(members=st.integers(0, 3), capacity=st.integers(0, 2))
    def begin(self, members: int, capacity: int) -> None:
        self.there = scene(members=members, capacity=capacity)

    def offers(self, *statuses: OfferStatus) -> list[Offer]:
        db.session.rollback()
        return list(db.session.scalars(select(Offer).where(Offer.status.in_(statuses)).order_by(Offer.id)))

    def standing(self, member: Member) -> MemberStatus:
        return standing_of(member, local_date(self.now))

    def one_of(self, choice: int, *statuses: OfferStatus) -> Offer | None:
        found = self.offers(*statuses)
        return found[choice % len(found)] if found else None

    @rule()
    def specify(self) -> None:
        self.there.job(now=self.now)

    @rule()
    def allocate_all(self) -> None:
        with transaction():
            services.allocate_jobs(None, by=OFFICER, now=self.now, nation=NATION)

    @rule(choice=st.integers(0, 20))
    def try_again(self, choice: int) -> None:
        db.session.rollback()
        waiting = db.session.scalars(select(Job.reference).where(Job.status == JobStatus.EXHAUSTED)).all()
        if waiting:
            with transaction():
                services.allocate_jobs([waiting[choice % len(waiting)]], by=OFFICER, now=self.now, nation=NATION)

    @rule(choice=st.integers(0, 20), days=DAYS)
    def accept(self, choice: int, days: int) -> None:
        offer = self.one_of(choice, *OfferStatus)
        if offer is None:
            return
        try:
            with transaction():
                services.accept_offer(
                    offer.id, start_on=(self.now + timedelta(days=days)).date(), by=BY, now=self.now, nation=NATION
                )
        except (WrongState, RuleBroken):
            db.session.rollback()
            late = self.now >= offer.answer_by
            assert (
                offer.status is not OfferStatus.SENT or late or self.standing(offer.member) is not MemberStatus.ACTIVE
            )

    @rule(choice=st.integers(0, 20), code=st.sampled_from(list(DeclineReason)))
    def decline(self, choice: int, code: DeclineReason) -> None:
        offer = self.one_of(choice, OfferStatus.SENT)
        if offer is not None and self.now < offer.answer_by:
            with transaction():
                services.decline_offer(
                    offer.id, reason_code=code, reason="Some words", by=BY, now=self.now, nation=NATION
                )

    @rule(choice=st.integers(0, 20))
    def withdraw(self, choice: int) -> None:
        offer = self.one_of(choice, OfferStatus.SENT)
        if offer is not None:
            with transaction():
                services.withdraw_offer(offer.id, reason="Works changed", by=OFFICER, now=self.now, nation=NATION)

    @rule(choice=st.integers(0, 20))
    def begin_works(self, choice: int) -> None:
        offer = self.one_of(choice, OfferStatus.ACCEPTED)
        if offer is not None and offer.started_on is None:
            with transaction():
                services.record_started(offer.id, on=self.now.date(), by=BY, now=self.now)

    @rule(choice=st.integers(0, 20))
    def complete(self, choice: int) -> None:
        offer = self.one_of(choice, OfferStatus.ACCEPTED)
        if offer is not None and offer.started_on is not None:
            with transaction():
                services.record_complete(offer.id, on=self.now.date(), by=BY, now=self.now)

    @precondition(lambda self: bool(self.there.members))
    @rule(choice=st.integers(0, 2), status=st.sampled_from(list(MemberStatus)))
    def change_a_membership(self, choice: int, status: MemberStatus) -> None:
        member = self.there.members[choice % len(self.there.members)]
        db.session.rollback()
        if status in MEMBER_MOVES[self.standing(member)]:
            with transaction():
                set_member_status(member, status, reason="At the review", by=OFFICER, now=self.now)

    @rule(hours=st.integers(1, 24 * 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        for verb in (services.lapse_due_offers, services.fail_late_starts):
            with transaction():
                verb(now=self.now, nation=NATION)

    @invariant()
    def at_most_one_live_offer_and_one_acceptance(self) -> None:
        db.session.rollback()
        for statuses in ((OfferStatus.SENT,), (OfferStatus.ACCEPTED, OfferStatus.COMPLETED)):
            per_job = db.session.execute(
                select(Offer.job_id, func.count()).where(Offer.status.in_(statuses)).group_by(Offer.job_id)
            ).all()
            assert all(number == 1 for _, number in per_job)

    @invariant()
    def capacity_is_never_exceeded(self) -> None:
        loads = select(Offer.contractor_id, func.count()).where(Offer.status.in_(OPEN)).group_by(Offer.contractor_id)
        capacities = dict(db.session.execute(select(Contractor.id, Contractor.capacity)).all())
        assert all(load <= capacities[contractor] for contractor, load in db.session.execute(loads))

    @invariant()
    def nobody_is_offered_the_same_job_twice(self) -> None:
        offered = db.session.execute(select(Offer.job_id, Offer.member_id)).all()
        assert len(offered) == len(set(map(tuple, offered)))

    @invariant()
    def nothing_leaves_a_final_state(self) -> None:
        after = dict(db.session.execute(select(Job.id, Job.status)).all())
        assert all(after[job] is status for job, status in self.before.items() if not JOB_MOVES[status])
        self.before = after


@pytest.fixture
def prepared(shelves: Shelves, tmp_path: Path) -> type[LifeOfJobs]:
    shelf = shelves["sqlite"]
    assert isinstance(shelf, SqliteShelf)
    LifeOfJobs.shelf, LifeOfJobs.folder = shelf, tmp_path
    return LifeOfJobs


def test_whatever_happens_a_job_is_with_one_contractor_at_most(prepared: type[LifeOfJobs]) -> None:
    run_state_machine_as_test(
        prepared,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
