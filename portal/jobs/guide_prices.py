"""What common works cost here and how soon somebody can start them: for the public, without a name or a firm's rate.

Seven statements, whatever the number of items, lots and members.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any, Generic, TypeVar

from sqlalchemy import func, select, union_all

from portal.framework.member_models import Contractor
from portal.framework.models import LotWorkType
from portal.framework.roster import Listed, LotTerms, Roster, fact
from portal.framework.rules import earliest_start, holds
from portal.framework.states import CapacityRule, FrameworkKind
from portal.jobs.board import COMMITTED, month_start
from portal.jobs.models import Offer, offer_is
from portal.jobs.states import OPEN
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.money import pounds
from portal.kernel.working_time import Nation, add_working_days, is_working_day, next_working_day
from portal.rates.queries import common_works, editions_in_force

#: "Soon" on the page: so many working days from today.
SOON_DAYS = 10
#: Whoever is away for longer than this is taken for nobody who can start.
FURTHEST = timedelta(days=366)
#: For so long an answer is given again: by this process, by proxies and by browsers together.
KEEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Start:
    """How soon works of a type can start: the first day (``None``: nobody can say one now), and how many contractors
    can start within ``SOON_DAYS`` working days."""

    work_type: str
    first_day: date | None
    soon: int


@dataclass(frozen=True, slots=True)
class Source:
    """The edition of a schedule that prices come from."""

    schedule_code: str
    schedule_name: str
    name: str
    starts_on: date


@dataclass(frozen=True, slots=True)
class Work:
    """A whole job at one price, in pence and without VAT."""

    code: str
    description: str
    trade: str
    unit: str
    rate_pence: int


@dataclass(frozen=True, slots=True)
class GuidePrices:
    """The page: whole jobs at the prices of the editions in force on ``day``, and the starts by work type.

    Values only, no rows: it outlives the request that worked it out.
    """

    day: date
    editions: Sequence[Source]
    works: Sequence[Work]
    starts: Sequence[Start]


def guide_prices(today: date, nation: Nation) -> GuidePrices:
    """What is published on ``today``; working days are those of ``nation``."""
    editions = editions_in_force(today)
    return GuidePrices(
        today,
        [Source(each.schedule.code, each.schedule.name, each.name, each.starts_on) for each in editions],
        [
            Work(each.code, each.description, each.trade, each.unit, each.rate_pence)
            for each in common_works([edition.id for edition in editions], today)
        ],
        starts(today, nation),
    )


Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Made(Generic[Value]):
    """A value and when it was worked out."""

    value: Value
    at: datetime


class Kept(Generic[Value]):
    """What costs much to work out and is asked for by anybody: worked out once, then kept for ``KEEP``, though never
    into another day. Those who ask meanwhile wait for it. One belongs to one application."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: Made[Value] | None = None

    def value(self, work_out: Callable[[], Value], *, now: datetime) -> Made[Value]:
        """What is kept, or what ``work_out`` gives now; its failure is raised and nothing is kept of it."""
        with self._lock:
            if self._made is None or not self._holds(self._made, now):
                self._made = Made(work_out(), now)
            return self._made

    @staticmethod
    def _holds(made: Made[Value], now: datetime) -> bool:
        # A clock that was set back makes nothing last longer.
        return timedelta(0) <= now - made.at < KEEP and local_date(made.at) == local_date(now)


def starts(today: date, nation: Nation) -> list[Start]:
    """How soon each work type that can be called off today can start, by name.

    Counted are members on the list who are active, hold every required document until the works would end, have a
    rank where ranks decide, and have capacity free. A contractor with several memberships counts once.
    """
    work_types: defaultdict[int, list[str]] = defaultdict(list)
    for lot_id, work_type in db.session.execute(select(LotWorkType.lot_id, LotWorkType.work_type)):
        work_types[lot_id].append(work_type)
    roster = Roster(list(work_types), today)
    loads = Loads(today, nation)
    last_soon = add_working_days(today, SOON_DAYS, nation)
    first_days: dict[str, dict[int, date]] = {}
    for lot_id, terms in roster.lots.items():
        if not called_off(terms, today):
            continue
        for work_type in work_types[lot_id]:
            known = first_days.setdefault(work_type, {})
            for member in roster.members[lot_id]:
                day = first_day(member, terms, loads, today, nation)
                if day is not None:
                    known[member.contractor_id] = min(day, known.get(member.contractor_id, day))
    return [
        Start(work_type, min(days.values(), default=None), sum(day <= last_soon for day in days.values()))
        for work_type, days in sorted(first_days.items())
    ]


def called_off(terms: LotTerms, today: date) -> bool:
    """Whether somebody may call the lot off today."""
    framework = terms.lot.framework
    in_force = holds((framework.starts_on, framework.ends_on), today)
    return in_force and any(holds(period, today) for periods in terms.access.values() for period in periods)


class Loads:
    """What contractors have in hand: open offers and running orders, and the value given in this calendar month."""

    def __init__(self, today: date, nation: Nation) -> None:
        self.next_day = next_working_day(today, nation)
        self.next_month = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
        self.jobs: Counter[int] = Counter()
        self.jobs_of_member: Counter[int] = Counter()
        self.month_pence: Counter[int] = Counter()
        open_now = offer_is(*sorted(OPEN))
        statement = union_all(
            fact("jobs", Offer.contractor_id, number=func.count()).where(open_now).group_by(Offer.contractor_id),
            fact("jobs of member", Offer.member_id, number=func.count()).where(open_now).group_by(Offer.member_id),
            fact("month", Offer.contractor_id, number=func.sum(Offer.price_pence))
            .where(
                Offer.contractor_id.in_(select(Contractor.id).where(Contractor.month_limit_pence.is_not(None))),
                Offer.sent_at >= month_start(today),
                Offer.status.in_(COMMITTED),
            )
            .group_by(Offer.contractor_id),
        )
        counters: dict[str, Counter[int]] = {
            "jobs": self.jobs,
            "jobs of member": self.jobs_of_member,
            "month": self.month_pence,
        }
        row: Any
        for row in db.session.execute(statement):
            counters[row.what][row.owner] = int(row.number)

    def free(self, member: Listed, rule: CapacityRule) -> bool:
        """Whether the member has room for one more job."""
        if rule is CapacityRule.NOT_LIMITED:
            return True
        mine = (
            self.jobs_of_member[member.member_id] if rule is CapacityRule.THIS_LOT else self.jobs[member.contractor_id]
        )
        return mine < member.capacity

    def from_day(self, member: Listed) -> date:
        """The first day on which it can be asked to start: the next working day, because works are offered first; or
        the first of next month, when its month is full."""
        limit = member.month_limit_pence
        if limit is None or self.month_pence[member.contractor_id] < limit:
            return self.next_day
        return max(self.next_day, self.next_month)


def first_day(member: Listed, terms: LotTerms, loads: Loads, today: date, nation: Nation) -> date | None:
    """The first working day on which the member can start works of the lot, ``None`` when it cannot as things are."""
    by_rank = terms.lot.framework.kind is not FrameworkKind.QUOTATIONS
    if not member.active or (by_rank and member.rank is None) or not loads.free(member, terms.lot.capacity_rule):
        return None
    day = earliest_start(loads.from_day(member), member.accepts_from, member.absences)
    while not is_working_day(day, nation) and day <= today + FURTHEST:
        day = earliest_start(day + timedelta(days=1), member.accepts_from, member.absences)
    if day > today + FURTHEST or member.lapses(terms.required, day + timedelta(days=terms.lot.works_days)):
        return None
    return day


def as_document(seen: GuidePrices) -> dict[str, Any]:
    """The page for programs: money in pounds as decimal strings, days in ISO 8601."""
    return {
        "on": seen.day.isoformat(),
        "editions": [
            {"schedule": each.schedule_code, "edition": each.name, "from": each.starts_on.isoformat()}
            for each in seen.editions
        ],
        "vat": "excluded",
        "works": [
            {
                "code": item.code,
                "description": item.description,
                "trade": item.trade,
                "unit": item.unit,
                "price": pounds(item.rate_pence),
            }
            for item in seen.works
        ],
        "starts": [
            {
                "work_type": each.work_type,
                "earliest_start": each.first_day and each.first_day.isoformat(),
                "contractors_within_10_working_days": each.soon,
            }
            for each in seen.starts
        ],
    }
