"""What the county decides about its rates: templates of works, an invented index, the review of each April, a star
rate, a firm's own rate, a request, and what clients declare and contribute. Nothing here is drawn by chance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial

from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.policy import Role
from portal.demo.county import WorkType
from portal.demo.history import History, officer_of
from portal.demo.office_hours import at_local, last_office_instant, previous_working_day, working_minutes_before
from portal.demo.set_up import HOME, SCHEDULE, STAFF, last_april
from portal.framework.listing.queries import contractor_by_code
from portal.framework.members.named import lot_named, member_named
from portal.framework.rules import years_after
from portal.framework.terms.services import DEFAULT_FRAMEWORK
from portal.jobs.funding import record_declaration, record_funding
from portal.jobs.models import Job
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.rates.models import Schedule, WorkTemplate, WorkTemplateLine
from portal.rates.own_rates import agree_own_rate
from portal.rates.reviews.index_file import IndexFile
from portal.rates.reviews.indices import import_index
from portal.rates.reviews.requests import RequestWanted, make_request
from portal.rates.reviews.review_rules import RuleWanted, set_rule
from portal.rates.reviews.services import ReviewWanted, approve_review, propose_review, start_review
from portal.rates.star_rates.services import ProposedRate, approve_star_rate, propose_star_rate
from portal.rates.vat import Declared

MANAGER, PROCUREMENT = STAFF[Role.FRAMEWORK_MANAGER], STAFF[Role.PROCUREMENT]
INDEX = "INVENTED-CPI"
#: The index rises by a quarter of a point a month, and by a little more in every third.
INDEX_START, INDEX_STEP, INDEX_MORE = Decimal("131.5"), Decimal("0.25"), Decimal("0.15")
#: No rate rises by more at a review, in basis points.
REVIEW_CAP = 400
TEMPLATES: tuple[tuple[str, WorkType, str], ...] = (
    (
        "Level-access shower, standard",
        WorkType.LEVEL_ACCESS_SHOWER,
        "LAS-101*1;LAS-110*1;LAS-120*8;LAS-121*7;FLO-101*4;LAS-131*1;LAS-140*1;LAS-152*1;LAS-153*1;LAS-154*1;"
        "LAS-160*1;LAS-161*1;LAS-162*1;LAS-163*1;PLU-101*1;DEC-101*1;PRE-103*1;SUR-002*1",
    ),
    ("Straight stair lift with powered swivel", WorkType.STAIR_LIFT, "STL-001*1;STL-142*1"),
    ("Rails at the stairs and the entrance", WorkType.MINOR_WORKS, "RAL-101*2;RAL-107*1;RAL-108*4;RAL-105*1"),
)
#: Working days before the end: when the star rates were proposed, and the review that waits for its second person.
APPROVED_AGO, PROPOSED_AGO, REVIEW_AGO, REQUEST_AGO = 60, 2, 3, 4
#: The firm with a rate of its own, and for what.
OWN_RATE_FIRM, OWN_RATE_CODE, OWN_RATE_PENCE = "C01", "SUR-001", 80_00
ASKS, ASKS_FOR = "C04", "Tiling"
#: Every third client has signed nothing yet; every ninth has something to contribute.
WITHOUT_DECLARATION, CONTRIBUTES = 3, 9
CONTRIBUTION_PENCE = 640_00
#: How long before April its rates are decided on.
REVIEWED_BEFORE = timedelta(days=40)
_DAY = 8 * 60


def set_up_rates(first_day: date, *, now: datetime) -> None:
    """Templates of works, and the index from two years before the year on."""
    schedule = db.session.scalars(select(Schedule).where(Schedule.code == SCHEDULE)).one()
    for name, work_type, lines in TEMPLATES:
        template = WorkTemplate(schedule_id=schedule.id, name=name, work_type=work_type.value)
        for position, line in enumerate(lines.split(";"), 1):
            code, _, quantity = line.partition("*")
            template.lines.append(WorkTemplateLine(position=position, code=code, quantity=Decimal(quantity)))
        db.session.add(template)
    bring_index(first_day.replace(day=1), now=now)


def bring_index(last: date, *, now: datetime) -> None:
    """The invented index up to the month ``last``, from two years before."""
    months, value = {}, INDEX_START
    month = date(last.year - 2, last.month, 1)
    while month <= last:
        months[month] = value
        value += INDEX_STEP + (INDEX_MORE if month.month % 3 == 0 else 0)
        month = (month + timedelta(days=31)).replace(day=1)
    import_index(
        IndexFile("invented-cpi.csv", months), code=INDEX, name="Invented consumer prices", by=PROCUREMENT, now=now
    )


def plan_rates(history: History, first_day: date) -> None:
    """Plan what clients sign, the review that became this April's edition, and what waits when the demonstration
    opens."""
    history.once_specified = declare
    april = last_april(local_date(history.now))
    decided = max(april - REVIEWED_BEFORE, first_day + timedelta(days=3))
    if decided < april:
        at = at_local(previous_working_day(decided, history.nation), time(11))
        history.at(at, partial(_review, approved=True, april=april))
    last = last_office_instant(history.now, history.nation)

    def ago(days: int) -> datetime:
        return working_minutes_before(last, days * _DAY, history.nation)

    history.at(ago(APPROVED_AGO), _approved_star)
    history.at(ago(PROPOSED_AGO), _proposed_star)
    history.at(ago(REQUEST_AGO), _request)
    history.at(ago(REVIEW_AGO), partial(_review, approved=False))


def _review(now: datetime, *, approved: bool, april: date | None = None) -> None:
    """The yearly review: by the index, capped; procurement proposes it, and the framework manager approves it."""
    today = local_date(now)
    april = april or years_after(last_april(today), 1)
    to_month = today.replace(day=1)
    bring_index(to_month, now=now)
    wanted = ReviewWanted(f"{april.year}/{(april.year + 1) % 100:02}", april, "The yearly review by the index.")
    review = start_review(SCHEDULE, wanted, by=PROCUREMENT, now=now)
    from_month = to_month.replace(year=to_month.year - 1)
    by_index = RuleWanted(
        index_code=INDEX, from_month=from_month, to_month=to_month, floor_bp=0, cap_bp=REVIEW_CAP
    )
    set_rule(review.id, by_index, by=PROCUREMENT, now=now)
    set_rule(review.id, RuleWanted(trade="Survey", change_bp=0), by=PROCUREMENT, now=now)
    propose_review(review.id, by=PROCUREMENT, now=now)
    if approved:
        approve_review(review.id, by=MANAGER, now=now)


def _star(description: str, rate_pence: int, reason: str, *, now: datetime) -> int:
    schedule = db.session.scalars(select(Schedule).where(Schedule.code == SCHEDULE)).one()
    home = db.session.scalars(select(Organisation).where(Organisation.code == HOME)).one()
    wanted = ProposedRate(description, "nr", rate_pence, reason, "Carpentry", 0)
    return propose_star_rate(schedule, home, wanted, by=officer_of(HOME), now=now).id


def _approved_star(now: datetime) -> None:
    star = _star(
        "Bespoke platform step with two rails at a raised threshold",
        286_50,
        "Two quotes were asked for, at £275 and £298; the schedule has ramps only.",
        now=now,
    )
    approve_star_rate(star, local_date(now), None, by=PROCUREMENT, now=now)


def _proposed_star(now: datetime) -> None:
    _star(
        "Grab rail with light, wired to the landing circuit",
        148_00,
        "Asked for by two occupational therapists this month; one quote at £148.",
        now=now,
    )


def _request(now: datetime) -> None:
    firm = contractor_by_code(ASKS)
    wanted = RequestWanted(SCHEDULE, ASKS_FOR, "", 650, "Our tile merchant has raised its prices twice since January.")
    make_request(firm.id, wanted, by=firm.email, now=now)


def agree_own_rates(*, now: datetime) -> None:
    """One firm surveys for less than the schedule says."""
    member = member_named(OWN_RATE_FIRM, lot_named(WorkType.LEVEL_ACCESS_SHOWER.value, DEFAULT_FRAMEWORK))
    agree_own_rate(
        member.id, OWN_RATE_CODE, OWN_RATE_PENCE, local_date(now), schedule=SCHEDULE, by=MANAGER, now=now
    )


def declare(jobs: Sequence[Job], now: datetime) -> None:
    """What the clients of newly specified jobs sign and contribute."""
    for job in jobs:
        by = officer_of(job.authority.code)
        if job.id % WITHOUT_DECLARATION:
            record_declaration(
                job.id, Declared.DISABLED_PERSON, local_date(now), "Case file, with the application", by=by, now=now
            )
        if job.id % CONTRIBUTES == 0:
            record_funding(job.id, contribution_pence=CONTRIBUTION_PENCE, agreed_pence=0, by=by, now=now)
