"""The price of an order, from the terms to the funding: a manager at a desk, an officer, a contractor on a phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, Visitor
from builders import NOW, TODAY, Scene, allocate, look_again, open_offer, person, scene
from fixture_types import Clock
from journey_steps import fill_date, keep, sign_in

from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.framework.states import ContractingParty
from portal.jobs.models import Job, Offer
from portal.jobs.states import OfferStatus
from portal.kernel.db import db, transaction

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


def a_place() -> Scene:
    """Two firms in a lot of a framework on which the client orders the works."""
    there = scene(2, adjustments=[-250, -1_111], vat={"SHOWER01": 0, "RAIL01": 500})
    with transaction():
        there.lot.framework.contracting_party = ContractingParty.APPLICANT
    return there


def sets_the_terms(desk: Visitor, there: Scene, folder: Path) -> None:
    """A minimum order and an uplift on the lot; a band and own rates on the first member."""
    desk.goto(f"/framework/lots/{there.lot.id}/edit")
    desk.fill("Minimum order in pounds (optional)", "250")
    desk.fill("Uplift for work out of hours, in per cent (optional)", "250")
    desk.press("Save the lot", status=422)
    desk.fill("Uplift for work out of hours, in per cent (optional)", "20")
    desk.press("Save the lot")
    assert "£250.00, excluding VAT" in desk.text

    desk.goto(f"/framework/members/{there.members[0].id}")
    desk.unfold("Change areas or adjustment")
    desk.fill("Adjustments for jobs of more value, one a line (optional)", "5,000: -7.25")
    desk.press("Change the terms")
    assert "−7.25 % from £5,000" in desk.text

    desk.follow("See its own rates")
    keep(desk, "own-rates-none")
    desk.fill("Code of the item", "RAIL01")
    desk.fill("Rate in pounds", "39.99")
    fill_date(desk, TODAY, "Holds from")
    desk.press("Agree the rate")
    own = folder / "own.csv"
    own.write_text("code,rate\nLIFT01,2000\nNONE,5\n", encoding="utf-8")
    desk.fill("File", own)
    fill_date(desk, TODAY + timedelta(days=30), "They hold from")
    desk.press("Bring the rates in", status=422)
    assert "row 3" in desk.text
    keep(desk, "own-rates-refused")
    own.write_text("code,rate\nLIFT01,2000\n", encoding="utf-8")
    desk.fill("File", own)
    fill_date(desk, TODAY + timedelta(days=30), "They hold from")
    desk.press("Bring the rates in")
    keep(desk, "own-rates")


def declares_and_funds(office: Visitor, job: Job) -> None:
    """The client's declaration and contribution, before the job is on offer."""
    office.goto(f"/jobs/{job.reference}")
    office.follow("VAT and funding of this job")
    office.press("Record the declaration", status=422)
    keep(office, "funding-refused")
    office.choose("The works are for a disabled person")
    fill_date(office, TODAY, "Signed on")
    office.fill("Where the signed paper is kept", "Case file 12")
    office.press("Record the declaration")
    office.fill("The client’s assessed contribution, in pounds", "1,200")
    office.fill("Top-up that is agreed, in pounds", "0")
    office.press("Record the funding")
    assert "Contribution of the client £1,200.00" in office.text
    keep(office, "funding")


def accepts(phone: Visitor, offer: Offer) -> None:
    """The contractor looks at its price and takes the job; later it looks its rates up."""
    phone.goto(f"/offers/{offer.id}")
    phone.unfold("How each price comes about")
    assert "−7.25 %, the adjustment for jobs from £5,000; +20 % out of hours" in phone.text
    assert "the contractor’s own rate" in phone.text
    assert "Total with VAT" in phone.text
    assert "disabled" not in phone.text
    keep(phone, "offer-price-phone")
    fill_date(phone, TODAY + timedelta(days=7), "When will you start?")
    phone.press("Accept the job")
    assert "The job is yours" in phone.text
    keep(phone, "order-price-phone")
    phone.goto("/firm")
    phone.follow("Your rates")
    phone.fill("Words or code", "rail")
    phone.press("Show")
    assert "A rate of your own" in phone.text
    keep(phone, "firm-rates-phone")


def test_an_order_is_priced_told_and_funded(live_server: str, visit: Visit, tmp_path: Path, fixed_clock: Clock) -> None:
    there = a_place()
    desk, office, phone = visit(live_server, DESKTOP), visit(live_server, DESKTOP), visit(live_server, PHONE)
    sign_in(desk, person(Role.FRAMEWORK_MANAGER, there.authority))
    sets_the_terms(desk, there, tmp_path)
    look_again()
    job = there.job(lines={"SHOWER01": "1", "RAIL01": "2", "LIFT01": "0.333"}, out_of_hours=True)
    sign_in(office, person(Role.TECHNICAL_OFFICER, there.authority))
    declares_and_funds(office, job)
    allocate(job)
    offer = open_offer(job)
    sign_in(phone, person(Role.CONTRACTOR, there.members[0].contractor.organisation))

    accepts(phone, offer)

    look_again()
    order = db.session.get_one(Offer, offer.id)
    assert order.status is OfferStatus.ACCEPTED
    office.goto(f"/jobs/{job.reference}")
    office.unfold("How each price comes about")
    assert "works for a disabled person who commissions them" in office.text
    keep(office, "order-price")
    office.follow("VAT and funding of this job")
    assert "The order was accepted and keeps the VAT" in office.text
    keep(office, "funding-ordered")
    office.goto(f"/jobs/{job.reference}/change-price")
    office.fill("Items and quantities, one a line", "RAIL01 2.5")
    office.press("Show the price")
    office.unfold("How each price comes about")
    keep(office, "change-price")
    assert list(everything_off()) == []
    assert fixed_clock.at == NOW


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_pages_fit_a_phone_with_long_lists_and_without_any(
    live_server: str, visit: Visit, fixed_clock: Clock
) -> None:
    there = a_place()
    job = there.job(lines={"SHOWER01": "1", "RAIL01": "2", "LIFT01": "20"})
    ordered = there.accepted(lines={"SHOWER01": "1", "RAIL01": "2"}).job
    look_again()
    references = [db.session.get_one(Job, each.id).reference for each in (job, ordered)]
    small = visit(live_server, PHONE)
    sign_in(small, person(Role.TECHNICAL_OFFICER, there.authority))

    for reference in references:
        for page in ("", "/funding", "/change-price"):
            small.goto(f"/jobs/{reference}{page}")
            keep(small, f"phone-{references.index(reference)}{page.replace('/', '-')}")
    manager = visit(live_server, PHONE)
    sign_in(manager, person(Role.FRAMEWORK_MANAGER, there.authority))
    for page in (f"/framework/members/{there.members[0].id}/rates", f"/framework/lots/{there.lot.id}/edit"):
        manager.goto(page)
        keep(manager, f"phone-manager-{page.rsplit('/', 1)[1]}")
