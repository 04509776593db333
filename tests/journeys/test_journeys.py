"""The journeys of officer, contractor and procurement in a real browser against the served portal.

Every page they visit is checked by axe, for sideways scrolling and for errors on the console (see ``browser``). With
``PORTAL_PICTURES=docs/pictures`` they keep the pictures that the README shows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from browser import DESKTOP, PHONE, Screen, Visitor
from builders import NOW, allocate, authority, framework_with_lot, job, look_again, member, open_offer, person
from fixture_types import Clock
from journey_steps import fill_date, keep, search, sign_in

from portal.accounts.models import Organisation
from portal.accounts.policy import Role
from portal.analytics.models import Quote
from portal.demo import SCHEDULE_FILE
from portal.demo.calibration import demo_prices
from portal.framework.member_models import Contractor
from portal.framework.models import Lot
from portal.jobs.models import Job
from portal.jobs.queries import job_by_reference
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel.db import db, transaction
from portal.kernel.money import shown
from portal.rates.models import Edition
from portal.rates.queries import items_by_code
from portal.rates.schedule_file import read_schedule
from portal.rates.services import import_edition

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
#: A straight stair lift, complete.
LIFT = "STL-001"


def in_database(reference: str) -> Job:
    """The job as it is now, whoever changed it."""
    look_again()
    return job_by_reference(reference)


@dataclass(frozen=True)
class County:
    """Authority A with a stair lift lot of three members, and a schedule; authority B beside it."""

    a: Organisation
    b: Organisation
    lot: Lot
    rates: Edition

    def job(self, reference: str, by: str = "officer@authority-a.example") -> Job:
        """A stair lift for a client of authority A, waiting for allocation."""
        return job(self.a, self.lot, self.rates, reference=reference, lines={LIFT: "1"}, by=by)


@pytest.fixture
def county(app: object) -> County:
    """The scene of every journey."""
    a, b = authority("A"), authority("B")
    lot = framework_with_lot(a, work_type="Stair lift", requirements=("public-liability",))
    good = {"public-liability": date(2028, 1, 1)}
    member(lot, areas=[a], rank=1, code="FIRST", documents=good)
    member(lot, areas=[a], rank=2, code="LAPSED", documents={"public-liability": date(2026, 5, 20)})
    member(lot, areas=[a], rank=3, code="THIRD", documents=good, adjustment_bp=-250)
    with transaction():
        rates = import_edition(
            read_schedule(SCHEDULE_FILE),
            schedule_code="ADAPT",
            edition_name="2026/27",
            starts_on=date(2026, 4, 1),
            by="manager@authority-a.example",
            now=NOW,
            schedule_name="Adaptations schedule",
        )
    return County(a, b, lot, rates)


def test_an_officer_specifies_a_job_from_the_catalogue_allocates_it_and_sees_every_reason(
    live_server: str, visit: Visit, county: County
) -> None:
    officer = person(Role.TECHNICAL_OFFICER, county.a)
    at_desk = visit(live_server, DESKTOP)
    sign_in(at_desk, officer)
    assert at_desk.heading == "Worklist"
    at_desk.follow("New job")
    at_desk.press("Continue to the works", status=422)
    assert "Enter the case reference" in at_desk.text
    at_desk.fill("Case reference", "DFG-2026-0042")
    at_desk.fill("Work type", "Stair lift")
    at_desk.choose("Hospital discharge or preventing an admission")
    at_desk.fill("Client’s name", "Client 0412")
    at_desk.fill("Address of the works", "12 Example Road")
    at_desk.fill("Postcode", "rg1 2ab")
    at_desk.press("Continue to the works")
    assert at_desk.heading.endswith("Specify the works")
    search(at_desk, "straight stair lift")
    lift = items_by_code(county.rates.id, [LIFT])[LIFT]
    at_desk.press(f"Add {lift.description}")
    assert f"On the job: {shown(lift.rate_pence)}" in at_desk.text
    keep(at_desk, "officer-specifies")
    at_desk.press("Finish the specification")
    assert f"{shown(lift.rate_pence)} at schedule rates" in at_desk.text

    at_desk.press("Allocate")

    assert at_desk.heading.endswith("Who gets the job, and why")
    assert "FIRST" in at_desk.text
    assert "Public liability insurance expires on 20 May 2026" in at_desk.text
    keep(at_desk, "officer-ranking")
    found = in_database("DFG-2026-0042")
    assert found.status is JobStatus.ALLOCATING
    assert [offer.member.contractor.organisation.code for offer in found.offers] == ["FIRST"]


def test_a_contractor_on_a_phone_accepts_and_only_then_sees_client_and_address(
    live_server: str, visit: Visit, county: County
) -> None:
    waiting = county.job("DFG-7")
    allocate(waiting)
    offer = open_offer(waiting)
    contractor = person(Role.CONTRACTOR, offer.member.contractor.organisation)
    on_site = visit(live_server, PHONE)
    sign_in(on_site, contractor)
    on_site.follow("Stair lift in")
    secret = (waiting.client, waiting.address, waiting.postcode, waiting.client_phone)
    source = on_site.driver.page_source
    assert not [each for each in secret if each and each in source]
    keep(on_site, "contractor-offer")
    fill_date(on_site, NOW.date() - timedelta(days=1))
    on_site.press("Accept the job", status=422)
    assert "is in the past" in on_site.text

    fill_date(on_site, offer.start_by)
    on_site.press("Accept the job")

    assert "The job is yours" in on_site.text
    assert [each for each in secret if each and each in on_site.text]
    keep(on_site, "contractor-order")
    assert in_database("DFG-7").status is JobStatus.ACCEPTED
    on_site.press("Record the start")
    assert in_database("DFG-7").status is JobStatus.STARTED


def test_a_start_date_that_is_too_late_is_asked_about_once_and_passes_the_job_on(
    live_server: str, visit: Visit, county: County
) -> None:
    waiting = county.job("DFG-8")
    allocate(waiting)
    offer = open_offer(waiting)
    on_site = visit(live_server, PHONE)
    sign_in(on_site, person(Role.CONTRACTOR, offer.member.contractor.organisation))
    on_site.goto(f"/offers/{offer.id}")
    fill_date(on_site, offer.start_by + timedelta(days=3))
    on_site.press("Accept the job")
    assert on_site.heading.endswith("That is later than the works must start")
    assert in_database("DFG-8").offers[0].status is OfferStatus.SENT

    on_site.press("I cannot start by then: pass the job on")

    assert "has gone to the next contractor" in on_site.text
    passed = in_database("DFG-8")
    assert [each.status for each in passed.offers] == [OfferStatus.DECLINED, OfferStatus.SENT]
    assert passed.offers[1].member.contractor.organisation.code == "THIRD"


def test_a_contractor_declines_with_a_reason_and_the_officer_is_told_when_nobody_is_left(
    live_server: str, visit: Visit, county: County, fixed_clock: Clock
) -> None:
    officer = person(Role.TECHNICAL_OFFICER, county.a)
    waiting = county.job("DFG-9", by=officer.email)
    allocate(waiting)
    for _ in range(2):
        offer = open_offer(in_database("DFG-9"))
        on_site = visit(live_server, PHONE)
        sign_in(on_site, person(Role.CONTRACTOR, offer.member.contractor.organisation))
        on_site.goto(f"/offers/{offer.id}")
        on_site.follow("I cannot take this job")
        on_site.press("Decline the job", status=422)
        assert "Choose a reason" in on_site.text
        on_site.choose("I have no capacity")
        on_site.press("Decline the job")
        assert "You declined the job" in on_site.text

    at_desk = visit(live_server, DESKTOP)
    sign_in(at_desk, officer)

    assert "Nobody left to take them" in at_desk.text
    keep(at_desk, "officer-worklist")
    at_desk.follow("DFG-9")
    assert "Nobody is left to take this job" in at_desk.text


def add_quotes(county: County) -> None:
    """The calibrated quotes for stair lifts of five authorities."""
    everyone = {"A": county.a, "B": county.b, **{code: authority(code) for code in "CDE"}}
    with transaction():
        firm = db.session.query(Contractor).first()
        assert firm is not None
        db.session.add_all(
            Quote(
                reference=price.reference,
                authority_id=everyone[price.authority].id,
                contractor_id=firm.id,
                work_type=price.work_type,
                quoted_on=price.priced_on,
                quantity=price.quantity,
                amount_pence=price.amount_pence,
            )
            for price in demo_prices(random.Random(3), 12, NOW.date())
            if price.authority in everyone and price.work_type == "Stair lift"
        )


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_procurement_sees_medians_by_authority_which_one_stands_apart_and_which_quotes_are_for_review(
    live_server: str, visit: Visit, county: County, screen: Screen
) -> None:
    add_quotes(county)
    reviewer = visit(live_server, screen)
    sign_in(reviewer, person(Role.PROCUREMENT, county.a))
    reviewer.goto("/analytics")
    assert reviewer.heading.endswith("How prices of stair lift works vary")
    assert "£2,094.00" in reviewer.text
    assert "£4,058.00" in reviewer.text
    assert "£5,200.00" in reviewer.text
    assert "outside the usual range, for review" in reviewer.text
    picture = reviewer.driver.find_element("css selector", "figure img")
    assert reviewer.driver.execute_script("return arguments[0].naturalWidth", picture) > 300
    assert "Authority D" in str(picture.get_attribute("alt"))
    if screen is DESKTOP:
        keep(reviewer, "procurement-prices")
    for page in ("/framework", "/rates", "/jobs"):
        reviewer.goto(page)
    reviewer.goto("/rates")
    reviewer.follow(reviewer.driver.find_element("css selector", "tbody a").text)
    reviewer.goto("/framework")
    reviewer.follow("Stair lift")
    assert "Members in rank order" in reviewer.text


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_auditor_reads_the_events_and_the_outbox_and_anybody_reads_the_guide_prices(
    live_server: str, visit: Visit, county: County, screen: Screen
) -> None:
    waiting = county.job("DFG-10")
    allocate(waiting)
    reader = visit(live_server, screen)
    reader.goto("/guide-prices")
    sign_in(reader, person(Role.AUDITOR, county.a))
    reader.goto("/audit?subject=job:DFG-10")
    assert "Offer sent" in reader.text
    reader.goto("/outbox")
    assert "Job offered: DFG-10" in reader.text
    reader.goto("/jobs/DFG-10/ranking")
    assert "Decided by" in reader.text
