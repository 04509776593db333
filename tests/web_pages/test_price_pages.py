"""Pages about prices: explanations, VAT and funding, own rates, changes; and that nobody sees another firm's rates."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from builders import (
    NATION,
    NOW,
    OFFICER,
    TODAY,
    Scene,
    allocate,
    authority,
    code_of,
    look_again,
    open_offer,
    person,
    scene,
)
from fixture_types import AT_MOST
from flask import Flask
from sqlalchemy import select, update
from strict_client import Page, StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.models import Lot
from portal.framework.states import ContractingParty, VariationRates
from portal.jobs.funding import record_declaration, record_funding
from portal.jobs.models import Offer, OrderLine
from portal.jobs.standing import change_terms
from portal.jobs.states import OfferStatus
from portal.kernel.db import db, transaction
from portal.rates.own_rates import agree_own_rate, own_rates_of
from portal.rates.vat import Declared

SignIn = Callable[[Person], StrictClient]
DAY = {"Day": "1", "Month": "6", "Year": "2026"}
#: Rates and adjustments of the other firm: nothing else in these tests comes to such figures.
FOREIGN = ("1234.56", "1,234.56", "31.37", "−31.37", "-31.37")


@pytest.fixture
def there(app: Flask, fixed_clock: object) -> Scene:
    """Two firms on different terms; the client commissions."""
    made = scene(2, adjustments=[-250, -3_137], vat={"SHOWER01": 0}, minimum_order_pence=25_000, out_of_hours_bp=2_000)
    with transaction():
        made.lot.framework.contracting_party = ContractingParty.APPLICANT
    for place, (code, pence) in enumerate((("RAIL01", 3_999), ("RAIL01", 123_456))):
        with transaction():
            agree_own_rate(made.members[place].id, code, pence, TODAY, by=OFFICER, now=NOW)
    with transaction():
        change_terms(
            made.members[0].id,
            areas=[made.authority.code],
            adjustment_bp=-250,
            bands=[(500_000, -725)],
            by=OFFICER,
            now=NOW,
            nation=NATION,
        )
    return made


def officer(there: Scene, sign_in: SignIn) -> StrictClient:
    return sign_in(person(Role.TECHNICAL_OFFICER, there.authority))


def firm(there: Scene, sign_in: SignIn, place: int = 0) -> StrictClient:
    return sign_in(person(Role.CONTRACTOR, there.members[place].contractor.organisation))


def manager(there: Scene, sign_in: SignIn) -> StrictClient:
    return sign_in(person(Role.FRAMEWORK_MANAGER, there.authority))


def reference_of(offer: Offer) -> str:
    look_again()
    return db.session.get_one(Offer, offer.id).job.reference


# Explanations ---------------------------------------------------------------------------------------------------------


def test_a_job_shows_how_each_price_comes_about_from_rate_to_order(there: Scene, sign_in: SignIn) -> None:
    visitor = officer(there, sign_in)
    waiting = there.job(lines={"RAIL01": "2", "SHOWER01": "1"})
    offered = there.offered(lines={"RAIL01": "2", "SHOWER01": "1"})
    ordered = there.accepted(lines={"RAIL01": "2"})

    first = visitor.get(f"/jobs/{waiting.reference}").text
    second = visitor.get(f"/jobs/{reference_of(offered)}").text
    third = visitor.get(f"/jobs/{reference_of(ordered)}").text

    assert "2 nr at £42.50, the rate of" in first
    assert "0 % would need the client's declaration" in first.replace("’", "'")
    assert "The order as it would be at the open offer" in second
    assert "2 nr at £39.99, the contractor’s own rate" in second
    assert "−7.25 %, the adjustment for jobs from £5,000" in second
    assert "£170.02 before VAT, what the lines lack of the lot’s minimum order of £250.00" in third
    assert "Total with VAT £300.00" in third


def test_a_contractor_sees_its_price_line_by_line_before_it_accepts(there: Scene, sign_in: SignIn) -> None:
    job = there.job(lines={"RAIL01": "2", "SHOWER01": "1"})
    with transaction():
        record_declaration(job.id, Declared.DISABLED_PERSON, TODAY, "case file", by=OFFICER, now=NOW)
    allocate(job)
    offer = open_offer(job)

    page = firm(there, sign_in).get(f"/offers/{offer.id}")

    assert "2 nr at £39.99, the contractor’s own rate" in page.text
    assert "VAT 0 %, £0.00, the zero rate; the authority keeps the declaration" in page.text
    assert "Total with VAT" in page.text
    # Neither what the client declared nor what anybody else would have been paid.
    for secret in ("disabled", "case file", "grant", "contribution", *FOREIGN):
        assert secret not in page.text.lower(), secret


# VAT and funding ------------------------------------------------------------------------------------------------------


def test_declarations_and_funding_are_recorded_on_a_page(there: Scene, sign_in: SignIn) -> None:
    visitor = officer(there, sign_in)
    job = there.job(lines={"SHOWER01": "1"})
    page = visitor.get(f"/jobs/{job.reference}").click("VAT and funding of this job")
    assert "Total £6,450.00" in page.text

    refused = page.submit("Record the declaration", {}, status=422)
    assert "Choose what the client has declared" in refused.text
    late = {"The works are for a disabled person": True, "Where the signed paper is kept": "File 12"}
    future = page.submit("Record the declaration", {**late, **DAY}, status=422)
    assert "has not come yet" in future.text
    signed = {"Day": "4", "Month": "5", "Year": "2026"}
    page = visitor.follow(page.submit("Record the declaration", {**late, **signed}))
    assert "Total £5,375.00" in page.text
    amounts = {
        "The client’s assessed contribution, in pounds": "1,000",
        "Top-up that is agreed, in pounds": "0",
    }
    page = visitor.follow(page.submit("Record the funding", amounts))
    assert page.rows()[:3] == [
        ["Grant", "£4,375.00", "Up to its cap of £30,000.00"],
        ["Contribution of the client", "£1,000.00", "Assessed at £1,000.00"],
        ["Top-up", "£0.00", "None needed"],
    ]
    page = visitor.follow(page.submit("Withdraw : The works are for a disabled person"))
    assert "Total £6,450.00" in page.text


def test_what_is_not_covered_and_what_an_order_keeps_is_said(there: Scene, sign_in: SignIn) -> None:
    visitor = officer(there, sign_in)
    reference = reference_of(there.accepted(lines={"LIFT01": "20"}))

    page = visitor.get(f"/jobs/{reference}/funding")

    assert "is not covered: the grant ends at its cap of £30,000.00" in page.text
    assert "The order was accepted and keeps the VAT" in page.text


@pytest.mark.parametrize("role", [Role.CONTRACTOR, Role.ADMINISTRATOR])
def test_means_are_for_those_who_see_jobs(there: Scene, sign_in: SignIn, role: Role) -> None:
    job = there.job()
    home = there.members[0].contractor.organisation if role is Role.CONTRACTOR else there.authority

    sign_in(person(role, home)).get(f"/jobs/{job.reference}/funding", status=403)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PROCUREMENT, Role.FRAMEWORK_MANAGER])
def test_who_may_not_record_reads_the_funding_without_forms(there: Scene, sign_in: SignIn, role: Role) -> None:
    job = there.job(lines={"SHOWER01": "1"})
    with transaction():
        declaration = record_declaration(job.id, Declared.DISABLED_PERSON, TODAY, "File 12", by=OFFICER, now=NOW)
        record_funding(job.id, contribution_pence=100_000, agreed_pence=2_500, by=OFFICER, now=NOW)
    visitor = sign_in(person(role, there.authority))

    page = visitor.get(f"/jobs/{job.reference}").click("VAT and funding of this job")

    assert "Assessed at £1,000.00" in page.text
    assert ["The works are for a disabled person", "5 May 2026", "File 12", OFFICER, "Stands"] in page.rows()
    assert not page.soup.select("main form")
    for path in ("funding", "declarations", f"declarations/{declaration.id}/withdraw"):
        visitor.post(f"/jobs/{job.reference}/{path}", {"csrf_token": token(page)}, status=403)


def test_the_funding_of_another_authority_is_not_there(there: Scene, sign_in: SignIn) -> None:
    job = there.job()

    sign_in(person(Role.TECHNICAL_OFFICER, authority())).get(f"/jobs/{job.reference}/funding", status=404)


def test_the_funding_of_an_order_from_before_vat_cannot_be_said(there: Scene, sign_in: SignIn) -> None:
    reference = reference_of(there.accepted(lines={"LIFT01": "20"}))
    with transaction():
        db.session.execute(update(OrderLine).values(vat_bp=None, vat_pence=None, vat_why=""))

    page = officer(there, sign_in).get(f"/jobs/{reference}/funding")

    assert "Who pays cannot be said: this order is from before VAT was kept." in page.text
    assert "Before VAT £38,843.70" in page.text
    for wrong in ("not covered", "Total £", "Up to its cap"):
        assert wrong not in page.text


def test_no_declaration_is_asked_for_where_it_cannot_help(there: Scene, sign_in: SignIn) -> None:
    with transaction():
        there.lot.framework.contracting_party = ContractingParty.AUTHORITY
    visitor = officer(there, sign_in)
    job = there.job(lines={"SHOWER01": "1"})

    assert "only a client who does so has the zero rate" in visitor.get(f"/jobs/{job.reference}").text
    page = visitor.get(f"/jobs/{job.reference}/funding")
    assert "The authority commissions the works, and only a client who does so has the zero rate" in page.text
    page = visitor.follow(
        page.submit(
            "Record the declaration",
            {
                "The works are for a disabled person": True,
                "Where the signed paper is kept": "File 12",
                "Day": "4",
                "Month": "5",
                "Year": "2026",
            },
        )
    )
    assert "The declaration is recorded. It changes no VAT: the authority commissions the works" in page.body


def test_a_contractor_accepts_the_vat_that_it_looked_at(there: Scene, sign_in: SignIn) -> None:
    job = there.job(lines={"SHOWER01": "1"})
    allocate(job)
    offer = open_offer(job)
    visitor = firm(there, sign_in)
    page = visitor.get(f"/offers/{offer.id}")
    with transaction():
        record_declaration(job.id, Declared.DISABLED_PERSON, TODAY, "case file", by=OFFICER, now=NOW)
    day = {"Day": "12", "Month": "5", "Year": "2026"}

    again = page.submit("Accept the job", day, status=409)

    assert (
        "The VAT of this job changed while you looked; the price before VAT is the same. Look at the total and accept "
        "again." in again.text
    )
    look_again()
    assert db.session.get_one(Offer, offer.id).status is OfferStatus.SENT
    assert not db.session.scalars(select(OrderLine)).all()
    accepted = visitor.follow(again.submit("Accept the job", {}))
    assert "The job is yours" in accepted.body
    look_again()
    assert [line.vat_bp for line in db.session.scalars(select(OrderLine))] == [0]


@pytest.mark.parametrize("shown", [None, "", "much", "-1", "1" * 40])
def test_an_acceptance_says_which_total_it_was_given_for(there: Scene, sign_in: SignIn, shown: str | None) -> None:
    offer = there.offered()
    visitor = firm(there, sign_in)
    sent: dict[str, object] = {"csrf_token": token(visitor.get(f"/offers/{offer.id}")), "start_on": ["12", "5", "2026"]}

    page = visitor.post(f"/offers/{offer.id}/accept", sent | ({} if shown is None else {"shown_pence": shown}), 422)

    assert "Look at the total with VAT and accept again" in page.text
    look_again()
    assert db.session.get_one(Offer, offer.id).status is OfferStatus.SENT


# Own rates ------------------------------------------------------------------------------------------------------------


def test_a_manager_agrees_ends_and_brings_in_own_rates(there: Scene, sign_in: SignIn) -> None:
    visitor = manager(there, sign_in)
    member_id = there.members[0].id
    page = visitor.get(f"/framework/members/{member_id}").click("See its own rates")
    assert page.rows() == [
        ["RAIL01", there.edition.schedule.code, "£39.99", "5 May 2026", "Further notice", OFFICER]
    ]

    wrong = page.submit(
        "Agree the rate",
        {"Rate in pounds": "12.50", "Holds from: Day": "1", "Holds from: Month": "6", "Holds from: Year": "2026"},
        status=422,
    )
    assert "Enter the code of the item" in wrong.text
    back = "First day at the schedule’s rate again"
    ended = visitor.post(
        f"/framework/members/{member_id}/rates/end",
        {"csrf_token": token(page), "end-code": "RAIL01", "end-starts_on": ["1", "6", "2026"]},
    )
    assert back in visitor.follow(ended).text
    for text, status in (("code,rate\nLIFT01,TBC\n", 422), ("code,rate\nLIFT01,1800\n", 302)):
        sent = visitor.post(
            f"/framework/members/{member_id}/rates/file",
            {
                "csrf_token": token(page),
                "file-file": (BytesIO(text.encode()), "own.csv"),
                "file-starts_on": ["1", "6", "2026"],
            },
            status=status,
        )
        if status == 422:
            assert "row 2" in sent.text
            assert "Nothing was brought in" in sent.text

    look_again()
    june = TODAY.replace(month=6, day=1)
    assert [(each.code, each.rate_pence, each.ends_on) for each in own_rates_of(member_id)] == [
        ("LIFT01", 180_000, None),
        ("RAIL01", 3_999, june),
    ]


def token(page: Page) -> str:
    return str(page.soup.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]


def test_terms_with_bands_are_changed_on_the_members_page(there: Scene, sign_in: SignIn) -> None:
    visitor = manager(there, sign_in)
    page = visitor.get(f"/framework/members/{there.members[0].id}")
    label = "Adjustments for jobs of more value, one a line (optional)"
    assert "−7.25 % from £5,000" in page.text

    for wrong, said in (
        ("5,000", "such as 5,000: -2.5"),
        ("5000: 1\n5000: 2", "Two adjustments"),
        ("0: 1", "above £0"),
    ):
        assert said in page.submit("Change the terms", {label: wrong}, status=422).text
    page = visitor.follow(page.submit("Change the terms", {label: "10,000: -9.5\n£2,500 = +1"}))

    assert "+1 % from £2,500; −9.5 % from £10,000" in page.text


def test_a_lots_minimum_and_uplift_are_set_on_its_form(there: Scene, sign_in: SignIn) -> None:
    visitor = manager(there, sign_in)
    page = visitor.get(f"/framework/lots/{there.lot.id}/edit")
    minimum, uplift = "Minimum order in pounds (optional)", "Uplift for work out of hours, in per cent (optional)"

    assert "from 0 to 200 %" in page.submit("Save the lot", {uplift: "201"}, status=422).text
    assert "between £0 and" in page.submit("Save the lot", {minimum: "999,999,999"}, status=422).text
    visitor.follow(page.submit("Save the lot", {minimum: "180", uplift: "33.5"}))

    look_again()
    lot = db.session.get_one(Lot, there.lot.id)
    assert (lot.minimum_order_pence, lot.out_of_hours_bp) == (18_000, 3_350)


def test_how_changes_are_priced_is_set_on_the_frameworks_form(there: Scene, sign_in: SignIn) -> None:
    visitor = manager(there, sign_in)
    code = there.lot.framework.code

    visitor.follow(
        visitor.get(f"/framework/{code}/edit").submit(
            "Save the terms", {"At the rates in force on the day of the change": True}
        )
    )

    look_again()
    assert there.lot.framework.variation_rates is VariationRates.EDITION_IN_FORCE


# A contractor's own rates ---------------------------------------------------------------------------------------------


def test_a_contractor_sees_what_each_item_pays_it(there: Scene, sign_in: SignIn) -> None:
    visitor = firm(there, sign_in)
    page = visitor.get("/firm/rates").click(there.lot.name)

    assert [row[2:] for row in page.rows()] == [
        ["£2,094.00", "£2,041.65", "−2.5 %"],
        ["£42.50", "£39.99", "A rate of your own"],
        ["£5,375.00", "£5,240.63", "−2.5 %"],
    ]
    dear = page.submit("Show", {"Value of the job": "From £5,000: -7.25 %", "Words or code": "LIFT"})
    assert [row[3:] for row in dear.rows()] == [["£1,942.19", "−7.25 %"]]
    before = page.submit("Show", {"On the day": "2026-05-04"})
    assert before.rows()[1][3:] == ["£41.44", "−2.5 %"]
    assert "Enter the day like" in page.submit("Show", {"On the day": "soon"}, status=422).text


def test_nothing_of_another_firm_is_in_pages_or_files(there: Scene, sign_in: SignIn) -> None:
    visitor = firm(there, sign_in)
    own, other = there.members[0].id, there.members[1].id

    texts = [
        visitor.client.get(path).get_data(as_text=True)
        for path in ("/firm", "/firm/rates", f"/firm/rates/{own}", f"/firm/rates/{own}/rates.csv")
    ]

    for text in texts:
        assert code_of(there.members[1]) not in text
        assert not [each for each in FOREIGN if each in text]
    assert "LIFT01,Item LIFT01,Lifts,nr,2094.00,,-2.5,2041.65" in texts[-1]
    assert "RAIL01,Item RAIL01,Lifts,nr,42.50,39.99,0,39.99" in texts[-1]
    for path in (f"/firm/rates/{other}", f"/firm/rates/{other}/rates.csv"):
        visitor.get(path, status=404)
    visitor.get(f"/framework/members/{other}/rates", status=403)


# Changes --------------------------------------------------------------------------------------------------------------


def test_a_change_is_priced_on_a_page(there: Scene, sign_in: SignIn) -> None:
    visitor = officer(there, sign_in)
    reference = reference_of(there.accepted(lines={"LIFT01": "1"}))
    page = visitor.get(f"/jobs/{reference}").click("What a change to the works would cost")
    lines = "Items and quantities, one a line"

    for wrong, said in (
        ("", "Enter at least one"),
        ("LIFT01", "row 1: Write a code"),
        ("NONE 1", "row 1, column code"),
    ):
        assert said in page.submit("Show the price", {lines: wrong}, status=422).text
    shown = page.submit("Show the price", {lines: "RAIL01 2\nLIFT01*0.5"}, status=200)

    assert [row[3] for row in shown.rows()] == ["£79.98", "£1,020.83"]


def test_pages_about_prices_take_few_statements(there: Scene, sign_in: SignIn, query_counter: AT_MOST) -> None:
    offered, ordered = there.offered(lines={"RAIL01": "2", "LIFT01": "1"}), there.accepted(lines={"RAIL01": "2"})
    desk, phone, office = officer(there, sign_in), firm(there, sign_in), manager(there, sign_in)
    references = [reference_of(each) for each in (offered, ordered)]
    own = there.members[0].id
    look_again()

    for visitor, paths in (
        (desk, [f"/jobs/{each}{page}" for each in references for page in ("", "/funding", "/change-price")]),
        (phone, [f"/offers/{offered.id}", f"/offers/{ordered.id}", "/firm/rates", f"/firm/rates/{own}", "/firm"]),
        (office, [f"/framework/members/{own}/rates", f"/framework/lots/{there.lot.id}/edit"]),
    ):
        for path in paths:
            with query_counter(12):
                visitor.get(path)
