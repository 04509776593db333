"""The demonstration: a truthful year behind it, something of everything in front of it, and sign-ins that work."""

from __future__ import annotations

import contextvars
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import authority, look_again
from databases import Shelves, app_on, settings_for
from flask import Flask
from sqlalchemy import func, select
from strict_client import StrictClient

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind, Role
from portal.accounts.services import person_for
from portal.analytics.models import Quote
from portal.checks import everything_off
from portal.demo.beside import QUOTES_LOT, SERVICING, SERVICING_LOT
from portal.demo.county import AUTHORITIES, WorkType
from portal.demo.history import Register
from portal.demo.jobs import demo_jobs
from portal.demo.load import SIZES, WARNING, demo_sign_ins, load_demo
from portal.demo.set_up import PASSWORD
from portal.framework.listing.places import positions
from portal.framework.member_models import Contractor, ContractorDocument, Member
from portal.framework.models import Lot
from portal.framework.queries import all_lot_ids, unserved_areas
from portal.framework.roster import Roster
from portal.framework.states import MemberStatus, Priority, ReviewStatus
from portal.framework.terms.services import DEFAULT_FRAMEWORK, framework_by_code
from portal.jobs import queries
from portal.jobs.funding_models import VatDeclaration
from portal.jobs.models import Decision, Job, Offer, OrderLine, Place
from portal.jobs.quotations import quotations_for
from portal.jobs.spend import guarantee, spend_of
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel import clock
from portal.kernel.audit import AuditEvent
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash
from portal.kernel.outbox import Notice
from portal.kernel.working_time import Nation
from portal.rates.models import Item, MemberRate, StarRate, WorkTemplateLine
from portal.rates.queries import edition_in_force, items_by_code
from portal.rates.reviews.models import PriceRequest, PriceReview
from portal.rates.states import PriceRule, RequestStatus, ReviewState, StarRateStatus

#: A Wednesday afternoon.
NOW = datetime(2026, 7, 15, 13, 30, tzinfo=UTC)
#: A Sunday night in winter, when everybody has gone home.
NIGHT = datetime(2026, 11, 22, 2, 21, tzinfo=UTC)
NATION = Nation.ENGLAND_AND_WALES


def load(*, seed: int = 1, now: datetime = NOW, if_empty: bool = False) -> list[str]:
    return list(load_demo(SIZES["small"], seed=seed, now=now, nation=NATION, if_empty=if_empty))


@dataclass(frozen=True)
class County:
    """A loaded demonstration: the portal on it, and the lines that loading it printed."""

    app: Flask
    lines: list[str]


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine, for as long as this module needs it: loading takes seconds, and these tests only look."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def county(engine: str, shelves: Shelves, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """The small demonstration on each engine."""
    with shelves[engine].copy() as url, app_on(settings_for(tmp_path_factory.mktemp("county"), url)) as app:
        yield County(app, load())


def job_counts() -> dict[JobStatus, int]:
    return dict(db.session.execute(select(Job.status, func.count()).group_by(Job.status)).all())


def person(role: Role) -> Person:
    (sign_in,) = (each for each in demo_sign_ins() if each.role is role)
    return db.session.scalars(select(Person).where(Person.email == sign_in.email)).one()


def worklist_of(app: Flask, email: str) -> str:
    """What stands on the page that ``email`` comes to by signing in."""
    visitor = StrictClient(app)
    entered = visitor.get("/sign-in").submit("Sign in", {"Email address": email, "Password": PASSWORD})
    return visitor.follow(entered).text


def test_a_small_county_has_sixty_jobs_most_of_them_complete(county: County) -> None:
    counts = job_counts()
    assert sum(counts.values()) == SIZES["small"].jobs == 60
    assert counts[JobStatus.COMPLETE] >= 25


def test_something_waits_in_every_state_an_officer_deals_with(county: County) -> None:
    counts = job_counts()
    assert counts[JobStatus.DRAFT] == 4
    assert counts[JobStatus.SPECIFIED] == 6
    assert counts[JobStatus.ALLOCATING] >= 7
    assert counts[JobStatus.ACCEPTED] >= 4
    assert counts[JobStatus.EXHAUSTED] >= 3


def test_everything_that_must_always_hold_does(county: County) -> None:
    assert list(everything_off()) == []


def test_every_area_of_every_lot_is_served(county: County) -> None:
    assert unserved_areas(local_date(NOW)) == []
    beside = {SERVICING_LOT, QUOTES_LOT}
    assert set(db.session.scalars(select(Lot.name))) == {work_type.value for work_type in WorkType} | beside


def test_the_framework_stands_a_little_above_three_quarters_of_its_cap(county: County) -> None:
    framework = framework_by_code(DEFAULT_FRAMEWORK)
    spend = spend_of(framework)
    assert spend.percent is not None
    assert 76 <= spend.percent < 80
    assert spend.level == 75
    assert [each.authority.code for each in framework.participations if each.lead] == ["A"]
    assert [(review.status, review.due_on) for review in framework.reviews] == [
        (ReviewStatus.PLANNED, date(2027, 4, 1))
    ]


def test_a_direct_contract_has_orders_and_months_that_fall_short(county: County) -> None:
    months = guarantee(framework_by_code(SERVICING), local_date(NOW))
    assert sum(month.jobs for month in months) == 3
    assert all(month.jobs_short for month in months[2:])


def test_somebody_applies_and_a_job_waits_for_its_second_quote(county: County) -> None:
    roster = Roster(all_lot_ids(), local_date(NOW))
    assert [each.code for each in roster if each.standing.status is MemberStatus.APPLIED] == ["C16"]
    job = db.session.scalars(select(Job).join(Lot, Lot.id == Job.lot_id).where(Lot.name == QUOTES_LOT)).one()
    quotes = quotations_for(job, local_date(NOW))
    assert (quotes.received, quotes.needed, quotes.ready) == (1, 2, False)


def test_firms_have_trades_covers_and_places(county: County) -> None:
    assert all(firm.trades for firm in db.session.scalars(select(Contractor)))
    covers = select(ContractorDocument.cover_pence).where(ContractorDocument.kind == "public-liability").distinct()
    assert list(db.session.scalars(covers)) == [500_000_000]
    assert len(positions()) == 10


def test_ten_authorities_and_twenty_contractors_are_there(county: County) -> None:
    kinds = Counter(db.session.scalars(select(Organisation.kind)))
    assert kinds == {OrganisationKind.AUTHORITY: len(AUTHORITIES), OrganisationKind.CONTRACTOR: 20}


def test_the_schedule_holds_from_before_the_first_job(county: County) -> None:
    first = db.session.scalar(select(func.min(Job.specified_at)))
    assert first is not None
    assert first < NOW - timedelta(days=250)
    before, now = edition_in_force(local_date(first)), edition_in_force(local_date(NOW))
    assert (before.name, now.name) == ("2025/26", "2026/27")


def test_the_rates_of_april_came_of_a_review_and_no_order_before_it_changed(county: County) -> None:
    review = db.session.scalars(select(PriceReview).where(PriceReview.status == ReviewState.APPROVED)).one()
    assert review.edition is edition_in_force(local_date(NOW))
    assert review.decided_by != review.proposed_by

    old, new = (
        dict(db.session.execute(select(Item.code, Item.rate_pence).where(Item.edition_id == edition)).all())
        for edition in (review.base_id, review.edition_id)
    )
    assert old.keys() == new.keys()
    assert all(old[code] <= rate <= old[code] * 1.04 + 1 for code, rate in new.items())
    frozen = db.session.execute(
        select(OrderLine.edition_id, OrderLine.code, OrderLine.rate_pence).where(
            OrderLine.rule == PriceRule.SCHEDULE_RATE
        )
    ).all()
    assert {edition for edition, _, _ in frozen} == {review.base_id, review.edition_id}
    assert all((old if edition == review.base_id else new)[code] == rate for edition, code, rate in frozen)


def test_something_of_the_rates_waits_for_a_decision(county: County) -> None:
    statuses = list(db.session.scalars(select(StarRate.status).order_by(StarRate.id)))
    assert statuses == [StarRateStatus.APPROVED, StarRateStatus.PROPOSED]
    assert db.session.scalars(select(PriceReview.status).order_by(PriceReview.id)).all() == [
        ReviewState.APPROVED,
        ReviewState.PROPOSED,
    ]
    assert db.session.scalars(select(PriceRequest.status)).all() == [RequestStatus.OPEN]
    assert db.session.scalar(select(func.count()).select_from(MemberRate)) == 1


def test_templates_hold_codes_that_the_schedule_has(county: County) -> None:
    codes = set(db.session.scalars(select(WorkTemplateLine.code)))
    assert len(codes) > 10
    assert codes <= set(items_by_code(edition_in_force(local_date(NOW)).id, codes))


def test_clients_who_declared_pay_no_vat_on_adaptations_and_the_others_do(county: County) -> None:
    rates = Counter(
        (bool(declared), vat_bp)
        for declared, vat_bp in db.session.execute(
            select(VatDeclaration.id, OrderLine.vat_bp)
            .join(Offer, Offer.id == OrderLine.offer_id)
            .outerjoin(VatDeclaration, VatDeclaration.job_id == Offer.job_id)
        )
    )
    assert rates[True, 0] > 20
    assert rates[False, 2000] > 20
    assert rates[False, 0] == 0


def test_quotes_cover_every_work_type_and_authority(county: County) -> None:
    groups = db.session.execute(
        select(Quote.work_type, Quote.authority_id, func.count()).group_by(Quote.work_type, Quote.authority_id)
    ).all()
    assert len(groups) == len(WorkType) * len(AUTHORITIES)
    assert min(number for _, _, number in groups) >= 8


def test_offers_ended_in_different_ways(county: County) -> None:
    statuses = Counter(db.session.scalars(select(Offer.status)))
    assert {OfferStatus.COMPLETED, OfferStatus.DECLINED, OfferStatus.ACCEPTED, OfferStatus.SENT} <= set(statuses)
    reasons = Counter(db.session.scalars(select(Offer.reason_code).where(Offer.status == OfferStatus.DECLINED)))
    assert None not in reasons
    assert len(reasons) >= 3


def test_open_offers_can_still_be_answered(county: County) -> None:
    deadlines = list(db.session.scalars(select(Offer.answer_by).where(Offer.status == OfferStatus.SENT)))
    assert min(deadlines) > NOW


def test_nothing_happened_after_now_and_events_stand_in_their_order(county: County) -> None:
    instants = list(db.session.scalars(select(AuditEvent.at).order_by(AuditEvent.id)))
    assert instants == sorted(instants)
    assert instants[-1] == NOW


def test_every_answer_came_while_the_offer_was_open(county: County) -> None:
    answered = db.session.scalars(
        select(Offer).where(
            Offer.answered_at.is_not(None), Offer.status.not_in([OfferStatus.EXPIRED, OfferStatus.FAILED_TO_START])
        )
    )
    for offer in answered:
        assert offer.answered_at is not None
        assert offer.sent_at < offer.answered_at < offer.answer_by


def test_orders_that_have_not_begun_have_their_day_still_to_come(county: County) -> None:
    starts = db.session.scalars(
        select(Offer.start_by).where(Offer.status == OfferStatus.ACCEPTED, Offer.started_on.is_(None))
    )
    assert min(starts) >= local_date(NOW) - timedelta(days=5)


def test_exhausted_jobs_were_offered_to_somebody_first(county: County) -> None:
    jobs = db.session.scalars(select(Job).where(Job.status == JobStatus.EXHAUSTED)).all()
    assert all(job.offers for job in jobs)


def test_decisions_show_why_members_were_left_out(county: County) -> None:
    reasons = " ".join(
        reason
        for decision in db.session.scalars(select(Decision))
        for place in decision.places
        for reason in place.reasons
    )
    assert "electrical is missing" in reasons
    assert "declined this job before" in reasons
    assert "does not work in area" in reasons


def test_the_officer_has_a_full_worklist_with_a_hospital_discharge(county: County) -> None:
    officer = person(Role.TECHNICAL_OFFICER)
    waiting = queries.waiting_jobs(officer, JobStatus.SPECIFIED, 50)
    assert Priority.HOSPITAL_DISCHARGE in {job.priority for job in waiting}
    assert len(queries.waiting_jobs(officer, JobStatus.EXHAUSTED, 50)) >= 2
    assert len(queries.waiting_jobs(officer, JobStatus.ACCEPTED, 50)) >= 3
    assert len(queries.open_offers(officer, 50)) >= 4
    assert Priority.HOSPITAL_DISCHARGE in {deadline.job.priority for deadline in queries.open_offers(officer, 50)}


def test_the_contractor_has_an_open_offer_and_an_order(county: County) -> None:
    contractor = person(Role.CONTRACTOR)
    assert queries.offers_of(contractor, [OfferStatus.SENT], 50)
    assert any(not offer.started_on for offer in queries.offers_of(contractor, [OfferStatus.ACCEPTED], 50))


def test_every_role_signs_in_with_what_was_printed(county: County) -> None:
    sign_ins = demo_sign_ins()
    assert [each.role for each in sign_ins] == list(Role)
    for each in sign_ins:
        found = person_for(each.email, PASSWORD)
        assert found is not None
        assert found.role is each.role


def test_the_last_lines_are_a_warning_and_an_aligned_table(county: County) -> None:
    table = county.lines[-7:]
    assert WARNING in county.lines
    assert [line.split()[0] for line in table] == ["Role", *(role.value for role in Role)]
    assert {line.index(PASSWORD) for line in table[1:]} == {table[0].index("Password")}


@pytest.mark.parametrize("role", [Role.TECHNICAL_OFFICER, Role.CONTRACTOR], ids=["officer", "contractor"])
def test_the_worklist_page_opens_with_work_on_it(county: County, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    # In a context of its own, as a server would: nothing of this module's long one leaks in.
    text = contextvars.Context().run(worklist_of, county.app, person(role).email)
    assert f"DFG-{NOW.year}-" in text


def test_the_notices_of_the_past_will_not_be_mailed_and_todays_will(county: County) -> None:
    waiting = list(db.session.scalars(select(Notice.queued_at).where(Notice.sent_at.is_(None))))
    assert waiting
    assert {local_date(instant) for instant in waiting} == {local_date(NOW)}


def test_no_client_stands_in_a_notice_or_an_audit_event(county: County) -> None:
    assert not any("Client " in body for body in db.session.scalars(select(Notice.body)))
    assert not any("Client " in str(data) for data in db.session.scalars(select(AuditEvent.data)))


def test_a_firm_that_is_busy_now_was_not_busy_all_year(county: County) -> None:
    busy = select(Contractor.id).where(Contractor.accepts_from > local_date(NOW))
    could_have_had = (
        select(func.count())
        .select_from(Place)
        .join(Member, Member.id == Place.member_id)
        .where(Member.contractor_id.in_(busy), Place.eligible)
    )
    assert db.session.scalar(could_have_had)


def test_a_second_load_is_refused_and_changes_nothing(county: County) -> None:
    before = job_counts()
    with pytest.raises(Clash, match="empty database"):
        load(seed=2)
    assert job_counts() == before


def test_if_empty_gives_the_sign_ins_again_and_changes_nothing(county: County) -> None:
    before = job_counts()
    lines = load(if_empty=True)
    assert lines[-7:] == county.lines[-7:]
    assert job_counts() == before


def test_no_reference_is_given_twice_to_a_year_of_national_volume() -> None:
    register = Register()
    (job,) = demo_jobs(random.Random(1), 1, date(2025, 12, 31))
    days = [date(2025, 12, 31)] * 1_000 + [date(2026, 1, 2)] * SIZES["national"].jobs
    entered = [register.enter(job, day) for day in days]
    assert len({each.reference for each in entered}) == len({each.client for each in entered}) == len(days)
    assert [entered[999].reference, entered[1_000].reference] == ["DFG-2025-01000", "DFG-2026-00001"]


def story() -> dict[str, list[Any]]:
    """What a seed decides, without what is random on purpose (hashes of passwords, keys of notices)."""
    return {
        "jobs": list(
            db.session.execute(select(Job.reference, Job.status, Job.since, Job.value_pence).order_by(Job.id))
        ),
        "offers": list(
            db.session.execute(
                select(
                    Offer.job_id,
                    Offer.member_id,
                    Offer.status,
                    Offer.sent_at,
                    Offer.answered_at,
                    Offer.start_on,
                    Offer.price_pence,
                    Offer.reason,
                ).order_by(Offer.id)
            )
        ),
        "quotes": list(db.session.execute(select(Quote.reference, Quote.amount_pence).order_by(Quote.id))),
    }


def test_the_same_seed_and_time_tell_the_same_story(county: County, shelves: Shelves, tmp_path: Path) -> None:
    first = story()
    with shelves["sqlite"].copy() as url, app_on(settings_for(tmp_path, url)):
        load()
        assert story() == first


ON_SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@ON_SQLITE
def test_at_night_and_with_another_seed_it_is_as_lively(app: Flask) -> None:
    load(seed=7, now=NIGHT)
    assert list(everything_off()) == []
    contractor = person(Role.CONTRACTOR)
    assert queries.offers_of(contractor, [OfferStatus.SENT], 5)
    assert queries.offers_of(contractor, [OfferStatus.ACCEPTED], 5)
    assert min(db.session.scalars(select(Offer.answer_by).where(Offer.status == OfferStatus.SENT))) > NIGHT


@ON_SQLITE
def test_if_empty_leaves_other_data_alone(app: Flask) -> None:
    authority("X1")
    assert load(if_empty=True) == ["There is data already; nothing was changed."]
    assert job_counts() == {}


@ON_SQLITE
def test_a_demonstration_that_was_never_finished_is_not_taken_for_one(app: Flask) -> None:
    begun = load_demo(SIZES["small"], seed=1, now=NOW, nation=NATION, if_empty=False)
    next(begun)
    begun.close()  # type: ignore[attr-defined]
    look_again()
    with pytest.raises(Clash, match="never finished"):
        load(if_empty=True)
