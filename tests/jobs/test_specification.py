"""Specifying a job line by line, and from the page: price, rates frozen, the lot of its value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from builders import (
    NOW,
    OFFICER,
    Scene,
    authority,
    edition,
    framework,
    framework_with_lot,
    look_again,
    new_job,
    person,
    scene,
)
from flask import Flask
from sqlalchemy import select
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.framework.states import Priority
from portal.jobs.models import Job
from portal.jobs.specification import add_line, draft_job, finish_specification, remove_line, specify_jobs
from portal.jobs.states import JobStatus
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, InputRefused, RuleBroken


def draft(there: Scene) -> Job:
    with transaction():
        return draft_job(new_job(there.authority, there.lot), there.edition, by=OFFICER, now=NOW)


def add(job: Job, code: str, quantity: str) -> None:
    with transaction():
        add_line(job.id, code, Decimal(quantity), by=OFFICER, now=NOW)


def test_lines_add_up_and_the_same_item_again_adds_to_its_line(app: Flask) -> None:
    job = draft(scene())

    add(job, "LIFT01", "1")
    add(job, "RAIL01", "1.5")
    add(job, "RAIL01", "1")

    look_again()
    assert [(line.position, line.code, line.quantity) for line in job.lines] == [
        (1, "LIFT01", Decimal(1)),
        (2, "RAIL01", Decimal("2.5")),
    ]
    assert job.value_pence == 209_400 + 10_625


def test_a_line_taken_off_leaves_the_sum_right_and_its_place_free(app: Flask) -> None:
    job = draft(scene())
    for code in ("LIFT01", "RAIL01", "SHOWER01"):
        add(job, code, "1")

    with transaction():
        remove_line(job.id, 2, by=OFFICER, now=NOW)
    add(job, "RAIL01", "2")

    look_again()
    assert [(line.position, line.code) for line in job.lines] == [(1, "LIFT01"), (3, "SHOWER01"), (4, "RAIL01")]
    assert job.value_pence == 209_400 + 537_500 + 8_500
    with pytest.raises(RuleBroken, match="taken off already"), transaction():
        remove_line(job.id, 2, by=OFFICER, now=NOW)


@pytest.mark.parametrize("quantity", ["0", "-1", "0.0001", "1000000"])
def test_a_quantity_that_cannot_be_is_refused(app: Flask, quantity: str) -> None:
    job = draft(scene())

    with pytest.raises(RuleBroken, match="must be above 0"):
        add(job, "LIFT01", quantity)


def test_an_item_added_up_beyond_the_largest_quantity_is_refused(app: Flask) -> None:
    job = draft(scene(items={"RAIL01": 1}))
    add(job, "RAIL01", "999999.999")

    with pytest.raises(RuleBroken, match="must stay below"):
        add(job, "RAIL01", "999999.999")

    look_again()
    assert job.lines[0].quantity == Decimal("999999.999")


def test_an_unknown_item_is_refused(app: Flask) -> None:
    with pytest.raises(RuleBroken, match="NONE is not an item"):
        add(draft(scene()), "NONE", "1")


def test_a_job_without_works_cannot_be_finished(app: Flask) -> None:
    job = draft(scene())

    with pytest.raises(RuleBroken, match="at least one item"), transaction():
        finish_specification(job.id, by=OFFICER, now=NOW)


def test_a_finished_job_stands_in_the_lot_of_its_value(app: Flask) -> None:
    where = authority()
    home = framework(where)
    small = framework_with_lot(within=home, work_type="Bathroom", name="Bathroom, small", value_to_pence=300_000)
    large = framework_with_lot(within=home, work_type="Bathroom", value_from_pence=300_000)
    there = Scene(where, small, edition())
    jobs = [draft(there) for _ in range(2)]

    for job, code in zip(jobs, ("LIFT01", "SHOWER01"), strict=True):
        add(job, code, "1")
        with transaction():
            finish_specification(job.id, by=OFFICER, now=NOW)

    look_again()
    assert [job.lot_id for job in jobs] == [small.id, large.id]
    assert {job.status for job in jobs} == {JobStatus.SPECIFIED}
    assert list(everything_off()) == []


def test_a_reference_is_given_once(app: Flask) -> None:
    there = scene()
    taken = there.job()
    again = new_job(there.authority, there.lot, reference=taken.reference)

    with pytest.raises(Clash, match="already"), transaction():
        draft_job(again, there.edition, by=OFFICER, now=NOW)
    with pytest.raises(InputRefused), transaction():
        specify_jobs([again], there.edition, source="jobs.csv", by=OFFICER, now=NOW)


def test_a_work_type_that_no_lot_takes_is_refused(app: Flask) -> None:
    there, elsewhere = scene(), scene()

    with pytest.raises(RuleBroken, match="No lot of"), transaction():
        draft_job(new_job(there.authority, elsewhere.lot), there.edition, by=OFFICER, now=NOW)


# From the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def there(app: Flask, fixed_clock: object) -> Scene:
    return scene()


@pytest.fixture
def officer(there: Scene, sign_in: Callable[[Person], StrictClient]) -> StrictClient:
    return sign_in(person(Role.TECHNICAL_OFFICER, there.authority))


def filled(there: Scene, **changes: object) -> dict[str, object]:
    return {
        "Case reference": "DFG-0412",
        "Authority": there.authority.name,
        "Work type": there.lot.name,
        "Client’s name": "Client 0412",
        "Address of the works": "14 Elm Row",
        "Postcode": "rg12ab",
        "Day": "1",
        "Month": "7",
        "Year": "2026",
        **changes,
    }


def test_an_officer_specifies_and_allocates_a_job_on_the_pages(there: Scene, officer: StrictClient) -> None:
    works = officer.follow(officer.get("/jobs/new").submit("Continue to the works", filled(there)))
    works = officer.follow(works.submit("Add Item LIFT01"))
    assert "£2,094.00" in works.text
    job = officer.follow(works.submit("Finish the specification"))
    ranking = officer.follow(job.submit("Allocate"))

    assert [row[0] for row in ranking.rows()] == ["1", "2", "3"]
    look_again()
    kept = db.session.scalars(select(Job).where(Job.reference == "DFG-0412")).one()
    assert (kept.status, kept.postcode, kept.required_start, kept.priority) == (
        JobStatus.ALLOCATING,
        "RG1 2AB",
        date(2026, 7, 1),
        Priority.ROUTINE,
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Case reference": ""}, "Enter the case reference"),
        ({"Case reference": "DFG 1"}, "reference may hold"),
        ({"Postcode": "RG1"}, "Enter a full postcode"),
        ({"Address of the works": ""}, "Enter the address"),
        ({"Address of the works": "x" * 401}, "at most 400 characters"),
        ({"Day": "31", "Month": "2"}, "Enter the day as numbers"),
        ({"Day": ""}, "Enter the day as numbers"),
        ({"Year": "soon"}, "Enter the day as numbers"),
        ({"Client’s telephone": "1" * 41}, "Client’s telephone"),
    ],
)
def test_a_job_that_cannot_be_is_said_at_its_field(
    there: Scene, officer: StrictClient, changes: dict[str, object], said: str
) -> None:
    page = officer.get("/jobs/new").submit("Continue to the works", filled(there, **changes), status=422)

    assert said in page.text
    look_again()
    assert db.session.scalars(select(Job)).all() == []


def test_without_a_date_the_usual_time_of_the_lot_counts(there: Scene, officer: StrictClient) -> None:
    officer.get("/jobs/new").submit("Continue to the works", filled(there, Day="", Month="", Year=""))

    look_again()
    assert db.session.scalars(select(Job)).one().required_start is None


def test_an_officer_is_offered_no_other_authority(there: Scene, officer: StrictClient) -> None:
    elsewhere = scene()

    page = officer.get("/jobs/new")

    assert elsewhere.authority.name not in page.text
    assert elsewhere.lot.name not in page.text


# A contractor's answer, from the phone --------------------------------------------------------------------------------


@pytest.fixture
def contractor(there: Scene, sign_in: Callable[[Person], StrictClient]) -> StrictClient:
    return sign_in(person(Role.CONTRACTOR, there.members[0].contractor.organisation))


SECRETS = ("Client 0412", "14 Elm Row", "01632 960412", "RG1 2AB")


def test_the_address_shows_after_acceptance_only(there: Scene, contractor: StrictClient) -> None:
    offer = there.offered()
    before = contractor.get(f"/offers/{offer.id}")
    assert not [secret for secret in SECRETS if secret in before.body]
    assert "RG1" in before.text

    page = contractor.follow(before.submit("Accept the job", {"Day": "12", "Month": "5", "Year": "2026"}))

    assert all(secret in page.text for secret in SECRETS)


def test_other_members_and_their_rates_never_show(there: Scene, contractor: StrictClient) -> None:
    offer = there.accepted()

    for path in ("/", "/offers", f"/offers/{offer.id}"):
        body = contractor.get(path).body
        assert not [member for member in there.members[1:] if member.contractor.organisation.name in body], path


def test_a_late_date_is_asked_about_and_then_passes_the_job_on(there: Scene, contractor: StrictClient) -> None:
    offer = there.offered(required_start=date(2026, 5, 20))
    page = contractor.get(f"/offers/{offer.id}")

    asked = page.submit("Accept the job", {"Day": "21", "Month": "5", "Year": "2026"}, status=200)
    assert "20 May 2026" in asked.text
    look_again()
    assert offer.job.status is JobStatus.ALLOCATING
    passed = contractor.follow(asked.submit("I cannot start by then: pass the job on"))

    assert "gone to the next contractor" in passed.text
    look_again()
    assert offer.reason_code is not None


@pytest.mark.parametrize(
    "parts",
    [
        {"Day": "", "Month": "", "Year": ""},
        {"Day": "", "Month": "5", "Year": "2026"},
        {"Day": "32", "Month": "5", "Year": "2026"},
        {"Day": "4", "Month": "5", "Year": "2026"},
    ],
    ids=["empty", "no day", "no such day", "past"],
)
def test_a_start_that_cannot_be_is_asked_for_again(
    there: Scene, contractor: StrictClient, parts: dict[str, object]
) -> None:
    offer = there.offered()

    page = contractor.get(f"/offers/{offer.id}").submit("Accept the job", parts, status=422)

    assert page.title.startswith("Error")
    assert "There is a problem" in page.text


def test_declining_needs_a_reason_and_words_for_another_one(there: Scene, contractor: StrictClient) -> None:
    offer = there.offered()
    page = contractor.get(f"/offers/{offer.id}/decline")

    assert "Choose a reason" in page.submit("Decline the job", {}, status=422).text
    assert "few words" in page.submit("Decline the job", {"Another reason": True}, status=422).text
    page.submit("Decline the job", {"I have no capacity": True})

    look_again()
    assert offer.answered_by is not None
