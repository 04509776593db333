"""Load the demonstration: a county with a year behind it, and a working day ahead.

Everything goes through the portal's own services, in simulated time, so that the database holds what a year of use
would have left: decisions with their rankings, offers of every outcome, frozen orders and an audit chain.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

from sqlalchemy import case, func, select, update

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import Role
from portal.accounts.services import add_person
from portal.demo.beside import jobs_beside, plan_beside, set_up_beside, settle
from portal.demo.calibration import demo_prices
from portal.demo.contractors import contractor_rows
from portal.demo.history import History, plan_year
from portal.demo.office_hours import (
    at_local,
    last_office_instant,
    previous_working_day,
    working_days_between,
    working_minutes_before,
)
from portal.demo.present import CERTAIN, plan_present
from portal.demo.rates import agree_own_rates, plan_rates, set_up_rates
from portal.demo.set_up import DEMONSTRATION, PASSWORD, STAFF, file_quotes, list_contractors, set_up_county
from portal.framework.member_models import Contractor
from portal.jobs.models import Offer
from portal.jobs.states import OfferStatus
from portal.kernel import audit
from portal.kernel.audit import AuditEvent
from portal.kernel.clock import local_date
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash
from portal.kernel.outbox import Notice
from portal.kernel.working_time import Nation

LOADED = "demonstration loaded"
SUBJECT = "demonstration:county"
YEAR = timedelta(days=365)
#: The list is brought up to date this many working minutes before the end: from then on some firms are busy.
RELISTED = 10 * 8 * 60
WARNING = (
    "This is a demonstration: every name, job and price is invented, and the password is known to all. "
    "Never put real data into it."
)

REMEDY = (
    "Use an empty one: move instance/portal.db away, or name another with PORTAL_INSTANCE or PORTAL_DATABASE_URL; then "
    "run `portal init` and repeat."
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is loaded: jobs in all, prices per work type and authority, how many times over each contractor has
    the capacity of the county's, and what to say before a load that takes long."""

    jobs: int
    quotes_per_group: int
    capacity_times: int = 1
    notice: str = ""


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "small": Size(jobs=60, quotes_per_group=8),
        "county": Size(jobs=800, quotes_per_group=10),
        # Every answer, start and completion is a call of its own, as it would be in life.
        "national": Size(
            jobs=85_000,
            quotes_per_group=100,
            capacity_times=70,
            notice="85,000 jobs are played through one by one: allow half an hour, and 1 GB of disk.",
        ),
    }
)


def load_demo(size: Size, *, seed: int, now: datetime, nation: Nation, if_empty: bool) -> Iterator[str]:
    """Load a county of ``size`` whose year ends at ``now``; yields lines to print, the sign-ins last.

    The same seed and ``now`` give the same organisations, jobs, decisions, offers and quotes. Raises ``Clash`` when
    the database holds an organisation; with ``if_empty`` it then changes nothing, gives the sign-ins of a
    demonstration that was loaded before, and raises ``Clash`` only for one that was never finished.
    """
    if db.session.scalar(select(Organisation.id).limit(1)) is not None:
        yield from _already_there(if_empty=if_empty)
        return
    rng = random.Random(seed)  # noqa: S311  (invented data, not secrets)
    today = local_date(now)
    first_day = today - YEAR
    rows = [{**row, "capacity": str(int(row["capacity"]) * size.capacity_times)} for row in contractor_rows(rng, today)]
    began = at_local(previous_working_day(first_day, nation), time(10))
    with transaction():
        set_up_county(rows, first_day=first_day, now=began)
        set_up_beside(first_day, now=began)
        set_up_rates(first_day, now=began)
    yield "Ten authorities, the framework, its schedule of rates and 20 contractors are set up."
    if size.notice:
        yield size.notice
    history = History(rng, nation=nation, now=now)
    last = last_office_instant(now, nation)
    of_the_year = size.jobs - len(CERTAIN) - jobs_beside(size.jobs)
    plan_year(history, of_the_year, working_days_between(first_day, local_date(last), nation))
    history.at(working_minutes_before(last, RELISTED, nation), lambda at: list_contractors(rows, now=at))
    plan_present(history)
    plan_beside(history, size.jobs)
    plan_rates(history, first_day)
    yield from _months(history)
    prices = demo_prices(rng, size.quotes_per_group, today)
    with transaction():
        file_quotes(prices, now=now)
        settle(now=now)
        agree_own_rates(now=now)
        _consider_sent(before=at_local(local_date(last), time(0)))
        contractor = contractor_with_work()
        add_person(
            f"contractor@{contractor.lower()}.example",
            role=Role.CONTRACTOR,
            organisation_code=contractor,
            password=PASSWORD,
            by=DEMONSTRATION,
            now=now,
            name="Contractor",
        )
        audit.record(LOADED, SUBJECT, at=now, actor=DEMONSTRATION, seed=seed, jobs=size.jobs, quotes=len(prices))
    yield f"{size.jobs:,} jobs and {len(prices):,} quotes are loaded."
    yield from sign_in_lines()


def _months(history: History) -> Iterator[str]:
    """Let the year happen; a line for each month that is over."""
    month: date | None = None
    for day in history.run():
        if month is not None and day.month != month.month:
            yield _month_line(month, history)
        month = day
    if month is not None:
        yield _month_line(month, history)


def _month_line(month: date, history: History) -> str:
    return f"{month:%B %Y}: {history.specified:,} jobs so far."


def _consider_sent(*, before: datetime) -> None:
    """Notices of the invented past count as sent, lest a mail server that is connected later gets a year of them."""
    db.session.execute(
        update(Notice)
        .where(Notice.sent_at.is_(None), Notice.queued_at < before)
        .values(sent_at=Notice.queued_at, tried_at=Notice.queued_at)
        .execution_options(synchronize_session=False)
    )


def _already_there(*, if_empty: bool) -> Iterator[str]:
    if not if_empty:
        raise Clash(f"There is data already; a demonstration is only loaded into an empty database. {REMEDY}")
    if _was_loaded():
        yield "The demonstration was loaded before; nothing was changed."
        yield from sign_in_lines()
    elif _has_demo_people():
        raise Clash(f"A demonstration was begun here and never finished. {REMEDY}")
    else:
        yield "There is data already; nothing was changed."


def _was_loaded() -> bool:
    return db.session.scalar(select(AuditEvent.id).where(AuditEvent.subject == SUBJECT).limit(1)) is not None


def _has_demo_people() -> bool:
    return db.session.scalar(select(Person.id).where(Person.email.in_(STAFF.values())).limit(1)) is not None


def contractor_with_work() -> str:
    """The code of the contractor with the most work in hand of both kinds: open offers, and orders not begun."""
    open_offers = func.sum(case((Offer.status == OfferStatus.SENT, 1), else_=0))
    orders = func.sum(case(((Offer.status == OfferStatus.ACCEPTED) & Offer.started_on.is_(None), 1), else_=0))
    counts = db.session.execute(
        select(Organisation.code, open_offers, orders)
        .join(Contractor, Contractor.organisation_id == Organisation.id)
        .join(Offer, Offer.contractor_id == Contractor.id)
        .group_by(Organisation.code)
        .order_by(Organisation.code)
    )
    work: dict[str, tuple[int, int]] = {code: (min(sent, ordered), sent + ordered) for code, sent, ordered in counts}
    return max(work, key=work.__getitem__)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One line of the list of sign-ins."""

    role: Role
    email: str
    organisation: str


def demo_sign_ins() -> list[SignIn]:
    """One sign-in for each role, as they are in the database; all have ``PASSWORD``."""
    people = db.session.scalars(
        select(Person)
        .where(
            Person.enabled,
            Person.email.in_(STAFF.values())
            | ((Person.role == Role.CONTRACTOR) & Person.email.like("contractor@%.example")),
        )
        .order_by(Person.id)
    )
    places = list(Role)
    return [
        SignIn(person.role, person.email, person.organisation.name)
        for person in sorted(people, key=lambda person: places.index(person.role))
    ]


def sign_in_lines() -> Iterator[str]:
    """The warning, and the sign-ins as an aligned table."""
    yield ""
    yield WARNING
    yield ""
    found = demo_sign_ins()
    role = max((len(each.role.value) for each in found), default=0)
    email = max((len(each.email) for each in found), default=0)
    yield f"{'Role':{role}}  {'Sign in with':{email}}  {'Password':{len(PASSWORD)}}  Of"
    for each in found:
        yield f"{each.role.value:{role}}  {each.email:{email}}  {PASSWORD}  {each.organisation}"
