"""What a job can hold: rates in pounds, rates and a value that somebody can mean, and items that are not withdrawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from builders import NOW, OFFICER, TODAY, Scene, edition, look_again, new_job, person, scene, schedule_file
from click.testing import Result
from fixture_types import Clock
from flask import Flask
from sqlalchemy import func, select
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.jobs.building import change_quantity
from portal.jobs.models import Job
from portal.jobs.specification import add_line, draft_job, finish_specification, specify_jobs
from portal.jobs.states import JobStatus
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused, RuleBroken
from portal.rates.models import Edition, Item, StarRate
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.services import import_edition, withdraw_item
from portal.rates.star_rates.services import ProposedRate, approve_star_rate, propose_star_rate

Portal = Callable[..., Result]
SignIn = Callable[[Person], StrictClient]
#: The largest value of a job at schedule rates, in pence: ten times the largest rate.
LARGEST = 1_000_000_000


def draft(there: Scene, **wanted: object) -> Job:
    with transaction():
        return draft_job(new_job(there.authority, there.lot, **wanted), there.edition, by=OFFICER, now=NOW)  # type: ignore[arg-type]


def add(job: Job, code: str, quantity: str = "1") -> None:
    with transaction():
        add_line(job.id, code, Decimal(quantity), by=OFFICER, now=NOW)


def change(job: Job, quantity: str, position: int = 1) -> None:
    with transaction():
        change_quantity(job.id, position, Decimal(quantity), by=OFFICER, now=NOW)


def finish(job: Job) -> None:
    with transaction():
        finish_specification(job.id, by=OFFICER, now=NOW)


def in_euros() -> Edition:
    with transaction():
        return import_edition(
            schedule_file({"LIFT01": 100_000}),
            schedule_code="EURO",
            edition_name="1",
            starts_on=TODAY,
            currency="EUR",
            by=OFFICER,
            now=NOW,
        )


def file(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


# Currencies -----------------------------------------------------------------------------------------------------------


def test_no_job_is_specified_at_rates_in_another_currency(app: Flask) -> None:
    there = scene()
    there.edition = in_euros()

    with pytest.raises(RuleBroken, match="EURO is in EUR"):
        draft(there)
    with pytest.raises(InputRefused) as refused, transaction():
        specify_jobs(
            [new_job(there.authority, there.lot)], there.edition, source="jobs.csv", by=OFFICER, now=NOW
        )

    (problem,) = refused.value.problems
    assert (problem.file, problem.row) == ("jobs.csv", None)
    assert "EURO is in EUR" in problem.message


def test_the_verbs_say_the_currency_and_refuse_a_member_at_it(
    portal: Portal, fixed_clock: Clock, tmp_path: Path
) -> None:
    there = scene(1)
    in_euros()
    price = ("rates", "price", file(tmp_path, "code,quantity\nLIFT01,2\n"), "--on", "2026-05-05", "--schedule")
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(
        f"reference,authority,work_type,postcode,lines\nE-1,{there.authority.code},{there.lot.name},RG1 2AB,LIFT01*1\n",
        encoding="utf-8",
    )

    documents = [
        json.loads(portal(*price, code, "--json").stdout) for code in (there.edition.schedule.code, "EURO")
    ]
    text = portal(*price, "EURO").stdout
    member = portal(*price, "EURO", "--member", there.members[0].contractor.organisation.code, code=1)
    imported = portal("jobs", "import", jobs, "--schedule", "EURO", code=1)

    assert [(each["currency"], each["total"]) for each in documents] == [("GBP", "4188.00"), ("EUR", "2000.00")]
    assert "£" not in documents[1]["lines"][0]["explanation"]
    assert "Total excluding VAT\t2000.00\tEUR" in text
    assert "£" not in text
    assert "EURO is in EUR" in member.stderr
    assert "EURO is in EUR" in imported.stderr


def test_late_hours_without_a_member_are_a_wrong_use(portal: Portal, fixed_clock: Clock, tmp_path: Path) -> None:
    there = scene(1)
    price = ("rates", "price", file(tmp_path, "code,quantity\nLIFT01,2\n"), "--on", "2026-05-05")

    wrong = portal(*price, "--schedule", there.edition.schedule.code, "--out-of-hours", code=2)

    assert "the uplift is the lot’s" in wrong.stderr
    assert "--member" in wrong.stderr


# Limits ---------------------------------------------------------------------------------------------------------------


def test_a_list_with_a_rate_that_nobody_can_mean_stays_out(
    portal: Portal, fixed_clock: Clock, tmp_path: Path
) -> None:
    path = file(tmp_path, "code,description,unit,rate\nA,A,nr,1000000.00\nB,B,nr,1000000.01\nC,C,nr,9e15\n")
    of = ("--schedule", "BIG", "--edition", "1", "--from", "2026-05-05")

    refused = portal("rates", "import", path, *of, code=1)

    assert "row 3, column rate" in refused.stderr
    assert "row 2" not in refused.stderr
    assert db.session.scalar(select(func.count()).select_from(Item)) == 0


def test_a_job_beyond_the_largest_value_is_refused_wherever_its_lines_come_from(app: Flask) -> None:
    there = scene(items={"HUGE": MOST_RATE_PENCE, "LIFT01": 1})
    job = draft(there)
    add(job, "HUGE", "10")

    for attempt in (lambda: add(job, "LIFT01"), lambda: add(job, "HUGE", "999989"), lambda: change(job, "999999.999")):
        with pytest.raises(RuleBroken, match="£10,000,000"):
            attempt()
        look_again()
    wanted = new_job(there.authority, there.lot, lines={"HUGE": "999999", "LIFT01": "1"})
    with pytest.raises(InputRefused) as refused, transaction():
        specify_jobs([wanted], there.edition, source="jobs.csv", by=OFFICER, now=NOW)

    assert "£10,000,000" in refused.value.problems[0].message
    assert refused.value.problems[0].column == "lines"
    assert (job.value_pence, [line.quantity for line in job.lines]) == (LARGEST, [Decimal(10)])


def test_the_builder_says_what_the_largest_value_is_and_the_import_names_the_row(
    fixed_clock: Clock, portal: Portal, sign_in: SignIn, tmp_path: Path
) -> None:
    # Rates that came in before there was a largest one.
    there = scene(items={"OLD": 9_000_000_000_000_000})
    visitor = sign_in(person(Role.TECHNICAL_OFFICER, there.authority))
    job = draft(there)
    page = visitor.get(f"/jobs/{job.reference}/works")
    token = str(page.soup.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]
    path = file(
        tmp_path,
        "reference,authority,work_type,postcode,lines\n"
        f"E-1,{there.authority.code},{there.lot.name},RG1 2AB,OLD*999999\n",
    )

    refused = visitor.post(
        f"/jobs/{job.reference}/lines", {"csrf_token": token, "code": "OLD", "quantity": "999999"}, status=422
    )
    verb = portal("jobs", "import", path, "--schedule", there.edition.schedule.code, code=1)

    assert "£10,000,000" in refused.text
    assert "row 2, column lines" in verb.stderr
    assert "£10,000,000" in verb.stderr
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1


# Withdrawn meanwhile --------------------------------------------------------------------------------------------------


def test_what_is_withdrawn_meanwhile_is_neither_raised_nor_specified(app: Flask) -> None:
    there = scene()
    job = draft(there)
    add(job, "LIFT01")
    add(job, "RAIL01")
    with transaction():
        withdraw_item(there.edition.id, "LIFT01", TODAY, reason="no longer made", by=OFFICER, now=NOW)

    for attempt in (lambda: change(job, "2"), lambda: finish(job)):
        with pytest.raises(RuleBroken, match=r"LIFT01 was withdrawn on 5 May 2026: no longer made.*Take it off"):
            attempt()
        look_again()
    change(job, "3", 2)

    look_again()
    assert (job.status, [line.quantity for line in job.lines]) == (JobStatus.DRAFT, [Decimal(1), Decimal(3)])


def test_a_star_rate_that_ended_meanwhile_is_not_specified(app: Flask) -> None:
    there = scene()
    wanted = ProposedRate("A turntable", "nr", 10_000, "Needed for one hall")
    with transaction():
        star = propose_star_rate(there.edition.schedule, there.authority, wanted, by=OFFICER, now=NOW)
    with transaction():
        approve_star_rate(star.id, TODAY, None, by="manager@county.example", now=NOW)
    job = draft(there)
    add(job, star.code)
    with transaction():
        db.session.get_one(StarRate, star.id).to_on = TODAY + timedelta(days=2)

    with pytest.raises(RuleBroken, match=rf"{star.code} no longer holds.*Take it off"), transaction():
        finish_specification(job.id, by=OFFICER, now=NOW + timedelta(days=2))


def test_the_page_of_the_draft_says_what_is_withdrawn(fixed_clock: Clock, sign_in: SignIn) -> None:
    there = scene()
    job = draft(there)
    add(job, "LIFT01")
    visitor = sign_in(person(Role.TECHNICAL_OFFICER, there.authority))
    page = visitor.get(f"/jobs/{job.reference}/works")
    token = str(page.soup.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]
    with transaction():
        withdraw_item(there.edition.id, "LIFT01", TODAY, reason="no longer made", by=OFFICER, now=NOW)

    refused = visitor.post(f"/jobs/{job.reference}/specified", {"csrf_token": token}, status=422)

    assert "Take it off" in refused.text
    assert "On the job" in refused.text


def test_a_job_of_two_editions_looks_at_its_own(app: Flask) -> None:
    there = scene()
    job = draft(there)
    add(job, "LIFT01")
    edition({"RAIL01": 1}, schedule=there.edition.schedule.code, starts_on=TODAY)

    finish(job)

    assert job.status is JobStatus.SPECIFIED
