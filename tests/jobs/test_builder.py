"""Building a specification: quantities, templates, star rates, hours; and who could take the draft, when, at what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from builders import (
    NATION,
    NOW,
    OFFICER,
    TODAY,
    Scene,
    authority,
    code_of,
    edition,
    framework,
    framework_with_lot,
    look_again,
    member,
    new_job,
    person,
    scene,
)
from fixture_types import AT_MOST, Clock
from flask import Flask
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.members.services import set_member_status
from portal.framework.models import Lot
from portal.framework.states import FrameworkKind, MemberStatus
from portal.jobs.building import change_quantity, fill_from_template, set_out_of_hours
from portal.jobs.models import Job
from portal.jobs.prospects import Prospects, prospects_for
from portal.jobs.queries import draft_by_reference
from portal.jobs.specification import add_line, draft_job, finish_specification, remove_line
from portal.jobs.states import JobStatus
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import NotFound, RuleBroken, WrongState
from portal.rates.models import Item, WorkTemplate
from portal.rates.star_rates.services import ProposedRate, approve_star_rate, propose_star_rate
from portal.rates.work_templates.services import TemplateWanted, add_template

SignIn = Callable[[Person], StrictClient]
MANAGER = "manager@county.example"


def draft(there: Scene, **wanted: object) -> Job:
    with transaction():
        return draft_job(new_job(there.authority, there.lot, **wanted), there.edition, by=OFFICER, now=NOW)  # type: ignore[arg-type]


def add(job: Job, code: str, quantity: str = "1") -> None:
    with transaction():
        add_line(job.id, code, Decimal(quantity), by=OFFICER, now=NOW)


def template(there: Scene, *lines: tuple[str, str]) -> WorkTemplate:
    wanted = TemplateWanted("Standard", there.lot.name, tuple((code, Decimal(number)) for code, number in lines))
    with transaction():
        return add_template(there.edition.schedule.code, wanted, by=MANAGER, now=NOW)


def lines(job: Job) -> list[tuple[str, Decimal]]:
    look_again()
    return [(line.code, line.quantity) for line in job.lines]


def test_another_quantity_prices_the_line_again_at_its_own_rate(app: Flask) -> None:
    job = draft(scene())
    add(job, "LIFT01")
    add(job, "RAIL01", "2")

    with transaction():
        change_quantity(job.id, 2, Decimal("0.5"), by=OFFICER, now=NOW)

    assert lines(job) == [("LIFT01", Decimal(1)), ("RAIL01", Decimal("0.5"))]
    assert job.value_pence == 209_400 + 2_125
    assert events_on(f"job:{job.reference}")[-1].data == {"code": "RAIL01", "quantity": "0.5"}


@pytest.mark.parametrize("quantity", ["0", "-1", "0.0001", "1000000"])
def test_a_quantity_that_cannot_be_changes_nothing(app: Flask, quantity: str) -> None:
    job = draft(scene())
    add(job, "RAIL01", "2")

    with pytest.raises(RuleBroken, match="must be above 0"), transaction():
        change_quantity(job.id, 1, Decimal(quantity), by=OFFICER, now=NOW)
    with pytest.raises(RuleBroken, match="taken off already"), transaction():
        change_quantity(job.id, 9, Decimal(1), by=OFFICER, now=NOW)

    assert lines(job) == [("RAIL01", Decimal(2))]


def test_a_template_fills_a_draft_and_adds_to_what_is_there(app: Flask) -> None:
    there = scene()
    usual, job = template(there, ("LIFT01", "1"), ("RAIL01", "4.5")), draft(there)
    add(job, "RAIL01", "1")

    with transaction():
        fill_from_template(job.id, usual.id, by=OFFICER, now=NOW)

    assert lines(job) == [("RAIL01", Decimal("5.5")), ("LIFT01", Decimal(1))]
    assert job.value_pence == 209_400 + 23_375


def test_a_template_whose_items_are_not_all_there_fills_nothing_half(app: Flask) -> None:
    there = scene()
    usual = template(there, ("LIFT01", "1"), ("RAIL01", "1"), ("SHOWER01", "1"))
    there.edition = edition({"LIFT01": 1, "SHOWER01": 1}, there.edition.schedule.code, starts_on=date(2026, 5, 1))
    with transaction():
        item = db.session.query(Item).filter_by(edition_id=there.edition.id, code="SHOWER01").one()
        item.withdrawn_on, item.withdrawn_reason = TODAY, "No longer made"
    job = draft(there)

    with pytest.raises(RuleBroken) as refused, transaction():
        fill_from_template(job.id, usual.id, by=OFFICER, now=NOW)

    assert "RAIL01 is not an item" in str(refused.value)
    assert "SHOWER01 was withdrawn on 5 May 2026" in str(refused.value)
    assert lines(job) == []


def test_a_template_of_another_schedule_is_not_found(app: Flask) -> None:
    there, elsewhere = scene(), scene()
    other, job = template(elsewhere, ("LIFT01", "1")), draft(there)

    with pytest.raises(NotFound), transaction():
        fill_from_template(job.id, other.id, by=OFFICER, now=NOW)


def test_hours_are_set_once_and_noted(app: Flask) -> None:
    job = draft(scene())

    for _ in range(2):
        with transaction():
            set_out_of_hours(job.id, True, by=OFFICER, now=NOW)

    assert job.out_of_hours
    assert [event.action for event in events_on(f"job:{job.reference}")] == ["job drafted", "hours changed"]


def test_nothing_of_a_job_that_is_no_draft_is_changed(app: Flask) -> None:
    there = scene()
    usual, job = template(there, ("LIFT01", "1")), there.job()

    for step in (
        lambda: change_quantity(job.id, 1, Decimal(2), by=OFFICER, now=NOW),
        lambda: fill_from_template(job.id, usual.id, by=OFFICER, now=NOW),
        lambda: set_out_of_hours(job.id, True, by=OFFICER, now=NOW),
    ):
        with pytest.raises(WrongState), transaction():
            step()


def test_a_draft_stands_in_the_lot_of_its_value_as_its_lines_change(app: Flask) -> None:
    there, small, large = two_lots()
    job = draft(there)

    seen = []
    for step in (
        lambda: add_line(job.id, "LIFT01", Decimal(1), by=OFFICER, now=NOW),
        lambda: change_quantity(job.id, 1, Decimal(2), by=OFFICER, now=NOW),
        lambda: add_line(job.id, "RAIL01", Decimal(1), by=OFFICER, now=NOW),
        lambda: remove_line(job.id, 1, by=OFFICER, now=NOW),
    ):
        with transaction():
            step()
        look_again()
        seen.append(job.lot_id)

    assert seen == [small.id, large.id, large.id, small.id]


def two_lots() -> tuple[Scene, Lot, Lot]:
    """A small and a large lot of one framework, with members of their own."""
    where = authority()
    home = framework(where)
    small = framework_with_lot(within=home, work_type="Bathroom", name="Bathroom, small", value_to_pence=300_000)
    large = framework_with_lot(within=home, work_type="Bathroom", value_from_pence=300_000)
    member(small, areas=[where], rank=1, code="SMALL")
    member(large, areas=[where], rank=1, code="LARGE")
    return Scene(where, small, edition()), small, large


# Who could take it ----------------------------------------------------------------------------------------------------


def prospects(job: Job, where: Scene) -> Prospects:
    look_again()
    officer = person(Role.TECHNICAL_OFFICER, where.authority)
    return prospects_for(draft_by_reference(job.reference, officer), NOW, NATION)


def test_members_stand_in_turn_with_reasons_days_and_prices_on_their_terms(app: Flask) -> None:
    where, other = authority(), authority()
    there = Scene(where, framework_with_lot(where, other), edition())
    first = member(there.lot, areas=[where], rank=1, adjustment_bp=-1_000)
    member(there.lot, areas=[other], rank=2)
    late = member(there.lot, areas=[there.authority], rank=3, accepts_from=TODAY + timedelta(days=200))
    soon = member(there.lot, areas=[there.authority], rank=4, accepts_from=TODAY + timedelta(days=2))
    job = draft(there)
    add(job, "LIFT01")

    found = prospects(job, there)

    assert [each.code for each in found.able] == [code_of(first), code_of(soon)]
    assert [each.can_start - TODAY for each in found.able] == [timedelta(0), timedelta(days=2)]
    assert [each.price_pence for each in found.members] == [188_460, 209_400, 209_400, 209_400]
    assert found.members[1].reasons[0].startswith("does not work in area")
    assert found.members[2].code == code_of(late)
    assert found.members[2].reasons[0].startswith("can start from")


def test_hours_and_the_least_order_of_the_lot_are_in_the_price(app: Flask) -> None:
    there = scene(members=1, out_of_hours_bp=2_000, minimum_order_pence=10_000)
    job = draft(there)
    add(job, "RAIL01", "2")
    with transaction():
        set_out_of_hours(job.id, True, by=OFFICER, now=NOW)
    assert prospects(job, there).members[0].price_pence == 10_200

    with transaction():
        set_out_of_hours(job.id, False, by=OFFICER, now=NOW)
        change_quantity(job.id, 1, Decimal(1), by=OFFICER, now=NOW)
    assert prospects(job, there).members[0].price_pence == 10_000


def test_the_lot_is_the_one_of_the_value(app: Flask) -> None:
    there, small, large = two_lots()
    job = draft(there)
    add(job, "LIFT01")
    assert (prospects(job, there).lot, [each.code for each in prospects(job, there).able]) == (small.name, ["SMALL"])

    add(job, "LIFT01")

    assert (prospects(job, there).lot, [each.code for each in prospects(job, there).able]) == (large.name, ["LARGE"])


def test_those_who_have_left_are_not_counted(app: Flask) -> None:
    there = scene(members=2)
    job = draft(there)
    add(job, "LIFT01")

    with transaction():
        set_member_status(there.members[0], MemberStatus.RELEASED, reason="Asked for it", by=OFFICER, now=NOW)

    assert [each.code for each in prospects(job, there).members] == [code_of(there.members[1])]


def test_where_quotes_decide_no_price_and_no_missing_quote_is_shown(app: Flask) -> None:
    there = scene(members=2)
    with transaction():
        there.lot.framework.kind, there.lot.framework.quotes_needed = FrameworkKind.QUOTATIONS, 3
    job = draft(there)
    add(job, "LIFT01")

    found = prospects(job, there)

    assert found.by_quotes
    assert [(each.price_pence, each.able) for each in found.members] == [(None, True)] * 2


# On the pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def there(app: Flask, fixed_clock: Clock) -> Scene:
    return scene()


@pytest.fixture
def officer(there: Scene, sign_in: SignIn) -> StrictClient:
    return sign_in(person(Role.TECHNICAL_OFFICER, there.authority))


def star(there: Scene) -> str:
    """An approved star rate of the scene's authority; its code."""
    wanted = ProposedRate("Bespoke screen for a wet room", "nr", 45_000, "Two quotes")
    with transaction():
        made = propose_star_rate(there.edition.schedule, there.authority, wanted, by=OFFICER, now=NOW)
        approve_star_rate(made.id, TODAY, None, by=MANAGER, now=NOW)
        return made.code


def test_a_specification_is_built_on_the_pages(there: Scene, officer: StrictClient) -> None:
    usual, job, code = template(there, ("LIFT01", "1"), ("RAIL01", "2")), draft(there), star(there)
    page = officer.get(f"/jobs/{job.reference}/works")
    assert "Nothing is on the job yet" in page.text

    chosen = page.click("Add from a template")
    assert "£2,179.00 together" in chosen.text
    page = officer.follow(chosen.submit(f"Add these items of {usual.name}"))
    assert "On the job: £2,179.00" in page.text
    assert "3 of 3 members" in page.text
    assert "could start from 5 May 2026" in page.text
    field = "Quantity of Item RAIL01 on the job"
    page = officer.follow(page.submit("Change the quantity of Item RAIL01", {field: "3"}))
    assert "On the job: £2,221.50" in page.text
    page = page.submit("Search", {"Words or code": "bespoek"})
    assert code in page.text
    page = officer.follow(page.submit("Add Bespoke screen for a wet room"))
    assert "star rate" in page.text
    page = officer.follow(page.submit("They are done outside working hours"))
    assert "done outside working hours" in page.text
    page = officer.follow(page.submit("Take off Item LIFT01"))
    page = officer.follow(page.submit("Finish the specification"))

    look_again()
    assert (job.status, job.out_of_hours, job.value_pence) == (JobStatus.SPECIFIED, True, 12_750 + 45_000)


@pytest.mark.parametrize("quantity", ["", "0", "-1", "x", "NaN", "1e400", "99999999999", "1.2345"])
def test_a_quantity_that_cannot_be_is_said_on_the_page(there: Scene, officer: StrictClient, quantity: str) -> None:
    job = draft(there)
    add(job, "RAIL01", "2")
    page = officer.get(f"/jobs/{job.reference}/works?words=item")

    for button, field in (
        ("Change the quantity of Item RAIL01", "Quantity of Item RAIL01 on the job"),
        ("Add Item LIFT01", "Quantity of Item LIFT01"),
    ):
        again = page.submit(button, {field: quantity}, status=422)
        assert "There is a problem" in again.text
        assert again.title.startswith("Error")

    assert lines(job) == [("RAIL01", Decimal(2))]


def test_a_template_that_cannot_fill_says_so_before_and_when_it_is_sent_all_the_same(
    there: Scene, officer: StrictClient
) -> None:
    usual = template(there, ("LIFT01", "1"), ("RAIL01", "1"))
    there.edition = edition({"LIFT01": 1}, there.edition.schedule.code, starts_on=date(2026, 5, 1))
    job = draft(there)

    page = officer.get(f"/jobs/{job.reference}/templates")
    assert "It cannot fill this specification" in page.text
    assert "RAIL01 is not an item" in page.text
    token = officer.get("/jobs/new").soup.select_one("[name=csrf_token]")
    assert token is not None
    sent = {"csrf_token": token["value"], "template_id": usual.id}
    refused = officer.post(f"/jobs/{job.reference}/templates", sent, 422)

    assert "Nothing was added" in refused.text
    assert lines(job) == []


def test_a_withdrawn_item_is_shown_as_such_and_cannot_be_added(there: Scene, officer: StrictClient) -> None:
    with transaction():
        item = db.session.query(Item).filter_by(edition_id=there.edition.id, code="RAIL01").one()
        item.withdrawn_on, item.withdrawn_reason = TODAY, "No longer made"
    job = draft(there)
    page = officer.get(f"/jobs/{job.reference}/works?words=RAIL01")

    assert "Withdrawn" in page.text
    assert "Cannot be added" in page.text
    token = page.soup.select_one("[name=csrf_token]")
    assert token is not None
    sent = {"csrf_token": token["value"], "code": "RAIL01", "quantity": "1"}
    refused = officer.post(f"/jobs/{job.reference}/lines", sent, 422)

    assert "RAIL01 was withdrawn on 5 May 2026: No longer made" in refused.text


def test_a_new_job_can_be_out_of_hours(there: Scene, officer: StrictClient) -> None:
    filled = {
        "Case reference": "DFG-0412",
        "Work type": there.lot.name,
        "Address of the works": "14 Elm Row",
        "Postcode": "rg12ab",
        "The works are done outside working hours": True,
    }

    page = officer.follow(officer.get("/jobs/new").submit("Continue to the works", filled))

    assert "done outside working hours" in page.text


def test_the_page_leads_back_to_a_job_whose_works_are_settled(there: Scene, officer: StrictClient) -> None:
    job = draft(there)
    add(job, "LIFT01")
    with transaction():
        finish_specification(job.id, by=OFFICER, now=NOW)

    for path in ("works", "templates"):
        assert officer.client.get(f"/jobs/{job.reference}/{path}").status_code == 302
    token = officer.get("/jobs/new").soup.select_one("[name=csrf_token]")
    assert token is not None
    for path in ("lines", "lines/1/quantity", "lines/1/remove", "templates", "specified"):
        officer.post(f"/jobs/{job.reference}/{path}", {"csrf_token": token["value"]}, 409)


@pytest.mark.parametrize("query", ["", "?words=item", "?words=itme", "?words=zitem", "?words=rail01&trade=Lifts"])
def test_the_page_takes_few_statements(
    there: Scene, officer: StrictClient, query_counter: AT_MOST, query: str
) -> None:
    job = draft(there)
    template(there, ("LIFT01", "1"))
    star(there)
    for code in ("LIFT01", "RAIL01", "SHOWER01"):
        add(job, code)
    look_again()
    reference = job.reference

    with query_counter(12):
        officer.get(f"/jobs/{reference}/works{query}")
    with query_counter(12):
        officer.get(f"/jobs/{reference}/templates")
