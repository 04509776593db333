"""What a county has besides its framework's jobs: a direct contract, quotations, an application that waits, the terms
that procurement watches. Nothing here is drawn by chance, so that it changes no year's story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from types import MappingProxyType

from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.policy import Role
from portal.demo.contractors import FIRMS
from portal.demo.county import AUTHORITIES, WorkType
from portal.demo.history import SOURCE, History, officer_of
from portal.demo.office_hours import at_local, last_office_instant, working_minutes_before
from portal.demo.set_up import HOME, INSURANCES, STAFF, asked_for, last_april
from portal.framework.firms import services as firms
from portal.framework.listing.places import Place, PlaceFile, import_places
from portal.framework.listing.queries import contractor_by_code
from portal.framework.members.named import lot_named, member_named
from portal.framework.members.services import admit_member, apply_for_lot, set_member_status
from portal.framework.models import Framework, Lot
from portal.framework.rules import years_after
from portal.framework.states import CapacityRule, FrameworkKind, MemberStatus, Priority
from portal.framework.terms.lots import LotTermsWanted, add_lot
from portal.framework.terms.reviews import plan_review
from portal.framework.terms.services import (
    DEFAULT_FRAMEWORK,
    add_framework,
    add_participation,
    change_framework,
    framework_by_code,
    terms_of,
)
from portal.jobs import services
from portal.jobs.job_file import NewJob, WantedLine
from portal.jobs.models import Job, Offer
from portal.jobs.quotations import record_estimate
from portal.jobs.specification import specify_jobs
from portal.jobs.spend import spend_of
from portal.jobs.states import DeclineReason, OfferStatus
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.working_time import add_working_days
from portal.rates.queries import edition_in_force

MANAGER = STAFF[Role.FRAMEWORK_MANAGER]
#: The direct contract: lifts that are in are serviced, by two firms that share the work.
SERVICING, SERVICING_LOT = "SERVICING", "Stair lift servicing"
SERVICED_BY: Mapping[str, int | None] = MappingProxyType({"C02": 6_000, "C13": 4_000})
GUARANTEED_VISITS = 2
VISIT = "STL-142"
#: Working days ago on which a visit was ordered; some months fall short of the guarantee.
VISITED = (236, 233, 215, 194, 191, 172, 152, 149, 130, 109, 88, 85, 66, 44, 41, 22, 20, 3)
#: Works too rare for a framework: two quotes each time.
QUOTES, QUOTES_LOT = "QUOTES", "Structural alterations"
QUOTED_BY = ("C03", "C10", "C18")
QUOTED_WORKS = (("DOR-004", 1), ("DOR-102", 1))
#: Who applies for another lot and waits for the re-opening.
APPLICANT, APPLIES_FOR = "C16", WorkType.DOOR_WIDENING
#: What the framework has spent and committed when the demonstration opens, in per cent of its value cap, or just less.
CAP_USED = 78
_DAY = 8 * 60


def visits(jobs: int) -> int:
    """How many visits a demonstration of so many jobs has."""
    return min(len(VISITED), jobs // 20)


def jobs_beside(jobs: int) -> int:
    """How many of a demonstration's jobs are played here: the visits, and one job that waits for its quotes."""
    return visits(jobs) + 1


# Before the year ------------------------------------------------------------------------------------------------------


def set_up_beside(first_day: date, *, now: datetime) -> None:
    """The direct contract and the quotations from the month after ``first_day`` on, with their members, and where
    postcodes lie."""
    begins = (first_day.replace(day=28) + timedelta(days=4)).replace(day=1)
    contract = add_framework(
        SERVICING,
        "Servicing of stair lifts",
        begins,
        years_after(begins, 3),
        kind=FrameworkKind.DIRECT_CONTRACT,
        guaranteed_jobs=GUARANTEED_VISITS,
        by=MANAGER,
        now=now,
    )
    quotations = add_framework(
        QUOTES,
        "Quotations for structural works",
        begins,
        None,
        kind=FrameworkKind.QUOTATIONS,
        quotes_needed=2,
        by=MANAGER,
        now=now,
    )
    authorities = list(db.session.scalars(select(Organisation).where(Organisation.code.in_(AUTHORITIES))))
    for framework in (contract, quotations):
        for authority in authorities:
            add_participation(framework, authority, from_on=begins, by=MANAGER, now=now)
    servicing = LotTermsWanted(
        SERVICING_LOT,
        (SERVICING_LOT,),
        capacity_rule=CapacityRule.NOT_LIMITED,
        works_days=2,
        documents=asked_for(INSURANCES),
    )
    structural = LotTermsWanted(QUOTES_LOT, (QUOTES_LOT,), works_days=30, documents=asked_for(INSURANCES))
    enter(add_lot(contract, SERVICING_LOT, terms=servicing, by=MANAGER, now=now), SERVICED_BY, now=now)
    enter(add_lot(quotations, QUOTES_LOT, terms=structural, by=MANAGER, now=now), dict.fromkeys(QUOTED_BY), now=now)
    import_places(demo_places(), by=MANAGER, now=now)


def enter(lot: Lot, shares: Mapping[str, int | None], *, now: datetime) -> None:
    """Let firms, each with its agreed share in basis points or none, apply, be checked and be admitted to a lot."""
    for code, share_bp in shares.items():
        contractor = contractor_by_code(code)
        areas = serves(code)
        member = apply_for_lot(contractor.id, lot.id, areas=areas, adjustment_bp=0, by=contractor.email, now=now)
        set_member_status(member, MemberStatus.CHECKING, reason="", by=MANAGER, now=now)
        admit_member(member, reason="Documents and references are in order", share_bp=share_bp, by=MANAGER, now=now)


def serves(code: str) -> str:
    """The areas of a firm."""
    return next(firm.areas for firm in FIRMS if firm.code == code)


def demo_places() -> PlaceFile:
    """Ten postcode districts of an area that does not exist, some ten miles from each other."""
    return PlaceFile(
        "demonstration districts",
        [
            Place(n + 1, f"ZZ{n}", Decimal("51.70") + Decimal("0.12") * (n % 4), Decimal("-0.60") + Decimal("0.09") * n)
            for n in range(1, 11)
        ],
        [],
    )


# During the year ------------------------------------------------------------------------------------------------------


def plan_beside(history: History, jobs: int) -> None:
    """Plan the visits, the job that waits for its second quote, and the application that waits."""
    last = last_office_instant(history.now, history.nation)

    def ago(minutes: int) -> datetime:
        return working_minutes_before(last, minutes, history.nation)

    wanted = visits(jobs)
    for number, days in enumerate(VISITED[len(VISITED) - wanted :], 1):
        plan_visit(history, number, ago(days * _DAY))
    history.at(ago(155), partial(_specify, history, quoted_job()))
    history.at(ago(95), _quote)
    history.at(ago(210), _apply)


def plan_visit(history: History, number: int, ordered_at: datetime) -> None:
    """A visit: specified, offered, accepted within hours, and done on the next working day."""
    reference = f"SVC-{number:03}"
    authority = AUTHORITIES[number % len(AUTHORITIES)]
    job = NewJob(
        reference,
        authority,
        SERVICING_LOT,
        Priority.ROUTINE,
        f"ZZ{number % 10 + 1} {number % 9 + 1}AA",
        f"Client S{number:03}",
        f"{number} Station Road",
        f"01632 960{number:03}",
        None,
        (WantedLine(VISIT, Decimal(1)),),
    )
    on = add_working_days(local_date(ordered_at), 1, history.nation)
    history.at(ordered_at, partial(_specify, history, job))
    history.at(ordered_at + timedelta(minutes=20), partial(_allocate, history, reference, authority))
    if number % 3 == 0:
        history.at(ordered_at + timedelta(minutes=35), partial(_decline, history, reference))
    history.at(ordered_at + timedelta(minutes=45), partial(_accept, history, reference, on))
    history.at(at_local(on, time(9, 10)), partial(_start, reference, on))
    history.at(at_local(on, time(10, 25)), partial(_complete, reference, on))


def quoted_job() -> NewJob:
    """The job that waits for its second quote."""
    return NewJob(
        "STR-001",
        HOME,
        QUOTES_LOT,
        Priority.ROUTINE,
        "ZZ1 4AB",
        "Client Q001",
        "8 Orchard Close",
        "01632 960777",
        None,
        tuple(WantedLine(code, Decimal(quantity)) for code, quantity in QUOTED_WORKS),
    )


def _specify(history: History, job: NewJob, now: datetime) -> None:
    edition = edition_in_force(local_date(now))
    specify_jobs([job], edition, source=SOURCE, by=officer_of(job.authority), now=now)
    history.specified += 1


def _allocate(history: History, reference: str, authority: str, now: datetime) -> None:
    services.allocate_jobs([reference], by=officer_of(authority), now=now, nation=history.nation)


def _order(reference: str) -> Offer:
    """The offer or order that stands on a job."""
    return db.session.scalars(
        select(Offer)
        .join(Job, Job.id == Offer.job_id)
        .where(Job.reference == reference, Offer.status.in_([OfferStatus.SENT, OfferStatus.ACCEPTED]))
    ).one()


def _decline(history: History, reference: str, now: datetime) -> None:
    offer = _order(reference)
    services.decline_offer(
        offer.id,
        reason_code=DeclineReason.NO_CAPACITY,
        reason="Our engineer is on other calls that day.",
        by=offer.member.contractor.email,
        now=now,
        nation=history.nation,
    )


def _accept(history: History, reference: str, on: date, now: datetime) -> None:
    offer = _order(reference)
    by = offer.member.contractor.email
    services.accept_offer(offer.id, start_on=on, by=by, now=now, nation=history.nation)


def _start(reference: str, on: date, now: datetime) -> None:
    offer = _order(reference)
    services.record_started(offer.id, on=on, by=offer.member.contractor.email, now=now)


def _complete(reference: str, on: date, now: datetime) -> None:
    offer = _order(reference)
    services.record_complete(offer.id, on=on, by=offer.member.contractor.email, now=now)


def _quote(now: datetime) -> None:
    job = db.session.scalars(select(Job).where(Job.reference == quoted_job().reference)).one()
    member = member_named(QUOTED_BY[0], lot_named(QUOTES_LOT))
    amount = job.value_pence * 107 // 100 // 500 * 500
    record_estimate(job.id, member.id, amount, local_date(now), by=officer_of(HOME), now=now)


def _apply(now: datetime) -> None:
    contractor = contractor_by_code(APPLICANT)
    firms.apply_for_lot(
        contractor.id,
        lot_named(APPLIES_FOR.value, DEFAULT_FRAMEWORK).id,
        areas=AUTHORITIES[:4],
        adjustment_bp=-150,
        social_value="We take on two apprentices a year from the colleges of the county.",
        by=contractor.email,
        now=now,
    )


# At the end -----------------------------------------------------------------------------------------------------------


def settle(*, now: datetime) -> None:
    """The framework's value cap, a little above what is spent and committed, and its next re-opening in April."""
    framework: Framework = framework_by_code(DEFAULT_FRAMEWORK)
    thousands = spend_of(framework).used_pence * 100 // CAP_USED // 100_000 + 1
    terms = replace(terms_of(framework), value_cap_pence=thousands * 100_000)
    change_framework(framework.id, terms, by=MANAGER, now=now)
    plan_review(framework.id, years_after(last_april(local_date(now)), 1), by=MANAGER, now=now)
