"""An officer builds a specification in a real browser: template, search as they type, quantities, who could start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from browser import DESKTOP, PATIENCE_SECONDS, PHONE, Screen, Visitor
from builders import NOW, TODAY, authority, framework_with_lot, look_again, member, person
from fixture_types import Clock
from flask import Flask
from journey_steps import keep, search, sign_in
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from portal.accounts.models import Organisation
from portal.accounts.policy import Role
from portal.demo import SCHEDULE_FILE
from portal.framework.models import Lot
from portal.jobs.queries import job_by_reference
from portal.jobs.states import JobStatus
from portal.kernel.db import transaction
from portal.kernel.money import shown
from portal.rates.models import Edition
from portal.rates.queries import items_by_code
from portal.rates.schedule_file import read_schedule
from portal.rates.services import import_edition
from portal.rates.star_rates.services import ProposedRate, approve_star_rate, propose_star_rate
from portal.rates.work_templates.services import TemplateWanted, add_template

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
OFFICER, MANAGER = "officer@authority-a.example", "manager@county.example"


@dataclass(frozen=True)
class There:
    """Authority A with a lot for showers of three members, the demonstration's schedule, a template, a star rate."""

    where: Organisation
    lot: Lot
    rates: Edition
    codes: tuple[str, ...]


@pytest.fixture
def there(app: Flask, fixed_clock: Clock) -> There:
    where = authority("A")
    lot = framework_with_lot(where, work_type="Level-access shower", out_of_hours_bp=2_500)
    member(lot, areas=[where], rank=1, code="FIRST", accepts_from=date(2026, 5, 12))
    member(lot, areas=[where], rank=2, code="SECOND", adjustment_bp=-250)
    member(lot, areas=[where], rank=3, code="FULL", capacity=0)
    with transaction():
        rates = import_edition(
            read_schedule(SCHEDULE_FILE),
            schedule_code="ADAPT",
            edition_name="2026/27",
            starts_on=date(2026, 4, 1),
            by=MANAGER,
            now=NOW,
            schedule_name="Adaptations schedule",
        )
        wanted = ProposedRate("Bespoke shower screen", "nr", 45_000, "Two quotes")
        star = propose_star_rate(rates.schedule, where, wanted, by=OFFICER, now=NOW)
        approve_star_rate(star.id, TODAY, None, by=MANAGER, now=NOW)
    codes = tuple(sorted(items_by_code(rates.id, {"LAS-001", "LAS-002", "STL-001"})))
    with transaction():
        add_template(
            "ADAPT",
            TemplateWanted("Shower, standard", lot.name, tuple((code, Decimal(1)) for code in codes[:2])),
            by=MANAGER,
            now=NOW,
        )
    return There(where, lot, rates, codes)


def until(visitor: Visitor, text: str) -> None:
    """Wait until the page says so, then check it."""
    WebDriverWait(visitor.driver, PATIENCE_SECONDS).until(
        lambda _: text in visitor.text, f"the page never said {text!r}: {visitor.text[:500]}"
    )
    visitor.check_page()


def begun(visitor: Visitor, there: There) -> None:
    """A new job, up to the page of its works."""
    sign_in(visitor, person(Role.TECHNICAL_OFFICER, there.where))
    visitor.goto("/jobs/new")
    visitor.fill("Case reference", "DFG-1")
    visitor.fill("Work type", "Level-access shower")
    visitor.fill("Address of the works", "12 Example Road")
    visitor.fill("Postcode", "rg1 2ab")
    visitor.press("Continue to the works")
    assert visitor.heading.endswith("Specify the works")


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_officer_builds_a_specification_as_they_type(
    live_server: str, visit: Visit, there: There, screen: Screen
) -> None:
    at_desk = visit(live_server, screen)
    begun(at_desk, there)
    at_desk.follow("Add from a template")
    at_desk.unfold("What it adds")
    at_desk.press("Add these items of Shower, standard")
    items = items_by_code(there.rates.id, there.codes)
    total = sum(items[code].rate_pence for code in there.codes[:2])
    assert f"On the job: {shown(total)}" in at_desk.text

    search(at_desk, "shwoer")
    assert "Nothing holds “shwoer”; shown are results for “shower”" in at_desk.text
    assert at_desk.driver.switch_to.active_element.get_attribute("id") == "words"
    told = at_desk.driver.find_element(By.CSS_SELECTOR, "[data-hits-said]").get_attribute("textContent")
    assert "shown are results for" in str(told)
    assert "Bespoke shower screen" in at_desk.text
    keep(at_desk, f"builder-search-{screen.name}")

    at_desk.press("Add Bespoke shower screen")
    assert f"On the job: {shown(total + 45_000)}" in at_desk.text
    assert "shown are results for" in at_desk.text
    at_desk.fill("Quantity of Bespoke shower screen on the job", "2")
    at_desk.press("Change the quantity of Bespoke shower screen")
    assert f"On the job: {shown(total + 90_000)}" in at_desk.text
    assert "2 of 3 members of Level-access shower could take it" in at_desk.text
    assert "Contractor FIRST, could start from 12 May 2026" in at_desk.text
    at_desk.unfold("Each member, in turn")
    assert "At capacity" in at_desk.text
    keep(at_desk, f"builder-{screen.name}")
    at_desk.press("Finish the specification")

    look_again()
    job = job_by_reference("DFG-1")
    assert (job.status, job.value_pence) == (JobStatus.SPECIFIED, total + 90_000)


def test_hits_follow_the_filters_and_the_catalogue_of_an_edition_too(
    live_server: str, visit: Visit, there: There
) -> None:
    reader = visit(live_server, PHONE)
    sign_in(reader, person(Role.AUDITOR, there.where))
    reader.goto("/rates/ADAPT/2026/27")
    search(reader, "zzzzzz")
    assert "No item has all of these words" in reader.text
    keep(reader, "catalogue-nothing")
    search(reader, "stair lif")
    assert "STL-001" in reader.text
    reader.unfold("Unit and rate")
    reader.fill("Rate up to", "x")
    until(reader, "Correct the rate")
    reader.driver.find_element(By.ID, "price_to").clear()
    reader.fill("Rate up to", "100000")
    until(reader, "STL-001")
    keep(reader, "catalogue-phone")
    reader.follow("STL-001")

    assert "Its rate in every edition" in reader.text
    keep(reader, "catalogue-item")
    reader.goto("/rates/stars")
    reader.follow("STAR-")
    reader.goto("/rates/templates")
    keep(reader, "templates")
    reader.follow("Shower, standard")
    keep(reader, "template")


def test_an_officer_and_a_publisher_agree_a_star_rate(live_server: str, visit: Visit, there: There) -> None:
    officer = visit(live_server, DESKTOP)
    sign_in(officer, person(Role.TECHNICAL_OFFICER, there.where))
    officer.goto("/rates/stars/propose")
    officer.press("Propose the star rate", status=422)
    keep(officer, "star-error")
    officer.fill("What it is", "Wash-dry toilet seat")
    officer.fill("Unit", "nr")
    officer.fill("Rate", "2,450.00")
    officer.fill("Why the rate is right", "Two quotes")
    officer.press("Propose the star rate")
    address = officer.path
    publisher = visit(live_server, PHONE)
    sign_in(publisher, person(Role.FRAMEWORK_MANAGER, there.where))
    publisher.goto(address)
    keep(publisher, "star-decide")
    publisher.press("Approve the star rate")

    assert "Approved" in publisher.text
    publisher.goto("/rates/stars")
    keep(publisher, "stars")
