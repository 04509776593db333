"""A year of jobs in simulated time: what officers and contractors do is done through the portal's own services.

Events stand in a queue by their instant and run in that order, each service told the simulated instant as ``now``.
The events of one week share a transaction: services never commit, and a year has too many events to commit each.
What becomes of an offer is decided when it goes out, by ``behaviour``; offers that fall back to the next member are
noticed and decided like the first ones. Whatever would come after the end stays undone: that is the present, with
jobs that wait, offers that are open and works that run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Organisation
from portal.demo.behaviour import Mood, Promise, Refusal, Silence, last_day_of_works, plan_answer
from portal.demo.county import AUTHORITIES, WorkType
from portal.demo.jobs import DemoJob, demo_jobs
from portal.demo.office_hours import at_local
from portal.framework.member_models import Contractor, Member
from portal.framework.models import Lot
from portal.jobs import services
from portal.jobs.job_file import NewJob, WantedLine
from portal.jobs.models import Job, Offer
from portal.jobs.specification import add_line, draft_job, specify_jobs
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel.clock import local_date
from portal.kernel.db import db, transaction
from portal.kernel.working_time import Nation, add_working_days, next_working_day
from portal.rates.models import Edition
from portal.rates.queries import edition_in_force

SOURCE = "the demonstration"
#: How often an officer puts a job that nobody could take to the members again; places become free meanwhile.
MOST_REOPENINGS = 6
#: Working days from one round of specifications of an authority to its next.
OFFICE_DAYS = 5

Deed = Callable[[datetime], None]


def _week(instant: datetime) -> tuple[int, int]:
    year, week, _ = local_date(instant).isocalendar()
    return year, week


def officer_of(authority: str) -> str:
    """The address of an authority's technical officer."""
    return f"officer@authority-{authority.lower()}.example"


@dataclass(frozen=True, slots=True)
class Sent:
    """An offer as the simulation knows it."""

    offer_id: int
    job_id: int
    reference: str
    work_type: WorkType
    contractor: str
    sent_at: datetime
    answer_by: datetime
    start_by: date


class Register:
    """Gives every job its reference and its client's number, in the order in which jobs are specified."""

    def __init__(self) -> None:
        self.used: Counter[int] = Counter()
        self.clients = count(1)

    def enter(self, job: DemoJob, day: date) -> NewJob:
        """``job`` as an officer states it on ``day``."""
        self.used[day.year] += 1
        client = next(self.clients)
        return NewJob(
            reference=f"DFG-{day.year}-{self.used[day.year]:05}",
            authority=job.authority,
            work_type=job.work_type.value,
            priority=job.priority,
            postcode=job.postcode,
            client=f"Client {client:04}",
            address=job.address,
            # From the range of numbers that is kept for drama.
            client_phone=f"01632 960{client % 1000:03}",
            required_start=job.required_start,
            lines=tuple(WantedLine(code, quantity) for code, quantity in job.lines),
        )


class History:
    """The queue of events, and what the simulation remembers of jobs and offers."""

    def __init__(self, rng: random.Random, *, nation: Nation, now: datetime) -> None:
        self.rng, self.nation, self.now = rng, nation, now
        self.register = Register()
        self.specified = 0
        self._queue: list[tuple[datetime, int, Deed]] = []
        self._numbers = count()
        self._ticks: set[datetime] = set()
        self._moods: dict[str, Mood] = {}
        self._asked: Counter[int] = Counter()
        self._reopened: Counter[str] = Counter()
        self._last_offer = 0
        self._mailboxes: dict[int, str] = {}
        self._editions: dict[date, Edition] = {}
        #: What officers do with jobs that they have just specified.
        self.once_specified: Callable[[Sequence[Job], datetime], None] = lambda _jobs, _now: None

    def at(self, instant: datetime, deed: Deed) -> None:
        """Do ``deed`` at ``instant``; deeds of one instant keep the order in which they were planned."""
        heappush(self._queue, (instant, next(self._numbers), deed))

    def run(self) -> Iterator[date]:
        """Let everything happen up to ``now``; yields the last day of each week that is over."""
        self._mailboxes = dict(db.session.execute(select(Contractor.id, Contractor.email)).all())
        self._last_offer = db.session.scalar(select(func.coalesce(func.max(Offer.id), 0))) or 0
        while self._is_due():
            week, day = _week(self._queue[0][0]), local_date(self._queue[0][0])
            with transaction():
                self._editions.clear()
                # Every answer asks for its member; held here, they are read once in a transaction.
                members = list(db.session.scalars(select(Member).options(joinedload(Member.contractor))))
                while self._is_due() and _week(self._queue[0][0]) == week:
                    instant, _, deed = heappop(self._queue)
                    deed(instant)
                    day = local_date(instant)
                del members
            yield day

    def edition(self, day: date) -> Edition:
        """The edition of the county's schedule that is in force on ``day``."""
        if day not in self._editions:
            self._editions[day] = edition_in_force(day)
        return self._editions[day]

    def _is_due(self) -> bool:
        return bool(self._queue) and self._queue[0][0] <= self.now

    def plan_jobs(
        self, jobs: Sequence[DemoJob], specify_at: datetime, allocate_at: datetime | None, *, mood: Mood = Mood.USUAL
    ) -> None:
        """Let the officer of one authority specify ``jobs``, all its own, and allocate them; ``None`` leaves them."""
        self.at(specify_at, partial(self._specify, jobs, allocate_at, mood))

    def plan_draft(self, job: DemoJob, lines: int, at: datetime) -> None:
        """Let an officer begin a job with the first ``lines`` of its lines, and leave it a draft."""
        self.at(at, partial(self._draft, job, lines))

    def _specify(self, jobs: Sequence[DemoJob], allocate_at: datetime | None, mood: Mood, now: datetime) -> None:
        day = local_date(now)
        entered = [self.register.enter(job, day) for job in jobs]
        by = officer_of(jobs[0].authority)
        specify_jobs(entered, self.edition(day), source=SOURCE, by=by, now=now)
        references = [job.reference for job in entered]
        self.once_specified(list(db.session.scalars(select(Job).where(Job.reference.in_(references)))), now)
        self.specified += len(entered)
        if mood is not Mood.USUAL:
            self._moods |= {job.reference: mood for job in entered}
        if allocate_at is not None:
            self.at(allocate_at, partial(self._allocate, [job.reference for job in entered], by))

    def _draft(self, job: DemoJob, lines: int, now: datetime) -> None:
        day = local_date(now)
        entered = self.register.enter(job, day)
        by = officer_of(job.authority)
        draft = draft_job(entered, self.edition(day), by=by, now=now)
        for line in entered.lines[:lines]:
            add_line(draft.id, line.code, line.quantity, by=by, now=now)

    def _allocate(self, references: Sequence[str], by: str, now: datetime) -> None:
        services.allocate_jobs(references, by=by, now=now, nation=self.nation)
        self._notice(now)

    def _reopen(self, reference: str, by: str, now: datetime) -> None:
        if db.session.scalar(select(Job.status).where(Job.reference == reference)) is JobStatus.EXHAUSTED:
            self._allocate([reference], by, now)

    def _notice(self, now: datetime) -> None:
        """Plan what becomes of the offers that have just gone out, and of the jobs that nobody is left for."""
        rows = db.session.execute(
            select(
                Offer.id,
                Offer.job_id,
                Job.reference,
                Lot.name,
                Offer.contractor_id,
                Offer.sent_at,
                Offer.answer_by,
                Offer.start_by,
            )
            .join(Job, Job.id == Offer.job_id)
            .join(Lot, Lot.id == Job.lot_id)
            # What is not of the framework's own lots has its answers planned where it comes from.
            .where(Offer.id > self._last_offer, Lot.name.in_([work_type.value for work_type in WorkType]))
            .order_by(Offer.id)
        ).all()
        for offer_id, job_id, reference, lot, contractor_id, sent_at, answer_by, start_by in rows:
            self._last_offer = offer_id
            sent = Sent(
                offer_id, job_id, reference, WorkType(lot), self._mailboxes[contractor_id], sent_at, answer_by, start_by
            )
            self._plan_answer(sent)
        left = db.session.execute(
            select(Job.reference, Organisation.code)
            .join(Organisation, Organisation.id == Job.authority_id)
            .where(Job.status == JobStatus.EXHAUSTED, Job.since == now)
            .order_by(Job.id)
        )
        for reference, authority in left:
            self._plan_reopening(reference, authority, now)

    def _plan_answer(self, sent: Sent) -> None:
        answer = plan_answer(
            self.rng,
            sent_at=sent.sent_at,
            answer_by=sent.answer_by,
            start_by=sent.start_by,
            asked_before=self._asked[sent.job_id],
            nation=self.nation,
            mood=self._moods.get(sent.reference, Mood.USUAL),
            not_before=next_working_day(local_date(self.now), self.nation),
        )
        self._asked[sent.job_id] += 1
        match answer:
            case Silence():
                # The worker looks every minute.
                self._tick_at(sent.answer_by + timedelta(minutes=1), self._lapse)
            case Refusal():
                self.at(answer.at, partial(self._decline, sent, answer))
            case Promise():
                self.at(answer.at, partial(self._accept, sent, answer))

    def _plan_reopening(self, reference: str, authority: str, now: datetime) -> None:
        if reference in self._moods or self._reopened[reference] == MOST_REOPENINGS:
            return
        self._reopened[reference] += 1
        day = add_working_days(local_date(now), self.rng.randint(2, 5), self.nation)
        again = at_local(day, time(10, self.rng.randint(0, 59)))
        self.at(again, partial(self._reopen, reference, officer_of(authority)))

    def _tick_at(self, instant: datetime, deed: Deed) -> None:
        """Let the clock do ``deed`` at ``instant``, once however many wait for it."""
        if instant not in self._ticks:
            self._ticks.add(instant)
            self.at(instant, deed)

    def _lapse(self, now: datetime) -> None:
        while services.lapse_due_offers(now=now, nation=self.nation).lapsed:
            self._notice(now)

    def _fail_late_starts(self, now: datetime) -> None:
        while services.fail_late_starts(now=now, nation=self.nation).failed_to_start:
            self._notice(now)

    def _decline(self, sent: Sent, answer: Refusal, now: datetime) -> None:
        services.decline_offer(
            sent.offer_id,
            reason_code=answer.reason_code,
            reason=answer.reason,
            by=sent.contractor,
            now=now,
            nation=self.nation,
        )
        self._notice(now)

    def _accept(self, sent: Sent, answer: Promise, now: datetime) -> None:
        offer = services.accept_offer(
            sent.offer_id, start_on=answer.start_on, by=sent.contractor, now=now, nation=self.nation
        )
        if offer.status is not OfferStatus.ACCEPTED:
            self._notice(now)
        elif not answer.kept:
            grace_over = add_working_days(sent.start_by, services.START_GRACE_DAYS, self.nation) + timedelta(days=1)
            self._tick_at(at_local(grace_over, time(0, 1)), self._fail_late_starts)
        else:
            morning = at_local(answer.start_on, time(self.rng.randint(8, 10), self.rng.randint(0, 59)))
            # A start on the very day of the answer is recorded after it.
            self.at(max(morning, now + timedelta(minutes=30)), partial(self._start, sent, answer.start_on))

    def _start(self, sent: Sent, on: date, now: datetime) -> None:
        services.record_started(sent.offer_id, on=on, by=sent.contractor, now=now)
        last = last_day_of_works(self.rng, sent.work_type, on, self.nation)
        done = at_local(last, time(self.rng.randint(14, 17), self.rng.randint(0, 59)))
        self.at(max(done, now + timedelta(hours=1)), partial(self._complete, sent, last))

    def _complete(self, sent: Sent, on: date, now: datetime) -> None:
        services.record_complete(sent.offer_id, on=on, by=sent.contractor, now=now)
        del self._asked[sent.job_id]


def job_like(
    rng: random.Random, day: date, *, authorities: str, fits: Callable[[DemoJob], bool] = lambda _: True
) -> DemoJob:
    """A job stated on ``day`` in one of ``authorities`` that ``fits``; drawn until there is one."""
    while True:
        (job,) = demo_jobs(rng, 1, day)
        if job.authority in authorities and fits(job):
            return job


def plan_year(history: History, jobs: int, days: Sequence[date]) -> None:
    """Spread ``jobs`` over ``days``, working days in order.

    An authority's officer specifies and allocates every fifth working day, so that each day two of ten do.
    """
    chosen = Counter(history.rng.choices(range(len(days)), k=jobs))
    for place, day in enumerate(days):
        if chosen[place]:
            turn = "".join(AUTHORITIES[place % OFFICE_DAYS :: OFFICE_DAYS])
            history.at(at_local(day, time(8)), partial(_plan_day, history, chosen[place], turn))


def _plan_day(history: History, jobs: int, turn: str, now: datetime) -> None:
    day = local_date(now)
    by_authority: dict[str, list[DemoJob]] = {}
    for _ in range(jobs):
        job = job_like(history.rng, day, authorities=turn)
        by_authority.setdefault(job.authority, []).append(job)
    for authority in sorted(by_authority):
        specify_at = at_local(day, time(history.rng.randint(9, 12), history.rng.randint(0, 59)))
        allocate_at = specify_at + timedelta(minutes=history.rng.randint(10, 200))
        history.plan_jobs(by_authority[authority], specify_at, allocate_at)
