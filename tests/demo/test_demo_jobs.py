"""The invented job specifications: sensible, priceable from the schedule, and nobody's."""

from __future__ import annotations

import csv
import random
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.demo import SCHEDULE_FILE
from portal.demo.county import AUTHORITIES, WorkType
from portal.demo.jobs import COLUMNS, FREQUENCY, PACKAGES, URGENCY, DemoJob, demo_jobs
from portal.framework.states import Priority
from portal.jobs.job_file import read_jobs
from portal.kernel.working_time import Nation, is_working_day

TODAY = date(2026, 5, 5)

any_seed = given(seed=st.integers(0, 2**32), today=st.dates(date(2024, 1, 1), date(2035, 12, 31)))
few_examples = settings(max_examples=20, deadline=None)


@pytest.fixture(scope="module")
def items() -> dict[str, dict[str, str]]:
    with SCHEDULE_FILE.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def jobs() -> list[DemoJob]:
    return demo_jobs(random.Random(11), 3_000, TODAY)


@pytest.fixture(scope="module")
def pounds_by_type(jobs: list[DemoJob], items: dict[str, dict[str, str]]) -> dict[WorkType, list[Decimal]]:
    pounds: dict[WorkType, list[Decimal]] = {work_type: [] for work_type in WorkType}
    for job in jobs:
        pounds[job.work_type].append(
            sum((Decimal(items[code]["rate"]) * quantity for code, quantity in job.lines), Decimal(0))
        )
    return pounds


def test_the_same_seed_and_day_give_the_same_jobs() -> None:
    first = demo_jobs(random.Random(1), 50, TODAY)
    assert demo_jobs(random.Random(1), 50, TODAY) == first
    assert demo_jobs(random.Random(2), 50, TODAY) != first


def test_references_run_on_and_name_the_year() -> None:
    jobs = demo_jobs(random.Random(1), 3, TODAY)
    assert [job.reference for job in jobs] == ["DFG-2026-00001", "DFG-2026-00002", "DFG-2026-00003"]


def test_no_jobs_are_no_jobs_and_fewer_are_refused() -> None:
    assert demo_jobs(random.Random(1), 0, TODAY) == []
    with pytest.raises(ValueError, match="ask for none or more"):
        demo_jobs(random.Random(1), -1, TODAY)


def test_every_authority_work_type_and_priority_comes_up(jobs: list[DemoJob]) -> None:
    assert {job.authority for job in jobs} == set(AUTHORITIES)
    assert {job.work_type for job in jobs} == set(WorkType)
    assert {job.priority for job in jobs} == set(Priority)


def test_frequencies_are_per_cent(jobs: list[DemoJob]) -> None:
    assert sum(FREQUENCY.values()) == 100
    assert sum(share for share, _, _ in URGENCY.values()) == 100
    counts = Counter(job.work_type for job in jobs)
    assert all(abs(counts[work_type] / len(jobs) - share / 100) < 0.03 for work_type, share in FREQUENCY.items())


@few_examples
@any_seed
def test_works_start_on_a_working_day_within_the_priority_s_time(seed: int, today: date) -> None:
    for job in demo_jobs(random.Random(seed), 40, today):
        _, soonest, latest = URGENCY[job.priority]
        assert is_working_day(job.required_start, Nation.ENGLAND_AND_WALES)
        # Five days is the longest run without a working day: Christmas with a weekend.
        assert today + timedelta(days=soonest) <= job.required_start <= today + timedelta(days=latest + 5)


def test_every_code_that_a_package_can_bring_is_in_the_schedule(items: dict[str, dict[str, str]]) -> None:
    lines = [line for packages in PACKAGES.values() for package in packages for line in package.lines]
    extras = [extra for packages in PACKAGES.values() for package in packages for extra in package.extras]
    quantities = [*lines, *((extra.code, quantity) for extra in extras for quantity in extra.quantities)]
    for code, quantity in quantities:
        assert code in items
        assert Decimal(quantity) > 0
        if items[code]["unit"] == "nr":
            assert Decimal(quantity) == int(Decimal(quantity)), code


def test_no_code_stands_twice_in_a_job(jobs: list[DemoJob]) -> None:
    for job in jobs:
        codes = [code for code, _ in job.lines]
        assert codes
        assert len(set(codes)) == len(codes)


def test_stair_lifts_cost_what_the_county_pays(pounds_by_type: dict[WorkType, list[Decimal]]) -> None:
    pounds = pounds_by_type[WorkType.STAIR_LIFT]
    assert min(pounds) >= 1_600
    assert max(pounds) <= 5_200
    assert 2_100 <= median(pounds) <= 2_900


def test_level_access_showers_cost_what_the_county_pays(pounds_by_type: dict[WorkType, list[Decimal]]) -> None:
    pounds = sorted(pounds_by_type[WorkType.LEVEL_ACCESS_SHOWER])
    assert pounds[0] >= 4_100
    assert pounds[len(pounds) * 9 // 10] <= 5_700


def test_minor_works_stay_within_their_limit_and_meet_the_minimum_order(
    pounds_by_type: dict[WorkType, list[Decimal]],
) -> None:
    pounds = pounds_by_type[WorkType.MINOR_WORKS]
    assert min(pounds) >= 100
    assert max(pounds) <= 1_000


def test_places_and_clients_are_nobody_s(jobs: list[DemoJob]) -> None:
    for number, job in enumerate(jobs, 1):
        assert re.fullmatch(r"ZZ([1-9]|10) [1-9][A-Z]{2}", job.postcode)
        assert job.client == f"Client {number:04}"
        assert re.fullmatch(r"\d+ \w+ (Road|Street|Close|Avenue|Lane|Crescent)", job.address)


def test_a_postcode_district_belongs_to_one_authority(jobs: list[DemoJob]) -> None:
    assert len({(job.postcode.split()[0], job.authority) for job in jobs}) == len(AUTHORITIES)


def test_a_written_job_has_the_columns_of_the_jobs_file() -> None:
    job = DemoJob(
        "DFG-2026-00001",
        "A",
        WorkType.STAIR_LIFT,
        Priority.ROUTINE,
        "ZZ1 1AA",
        "Client 0001",
        "12 Example Road",
        date(2026, 6, 1),
        (("STL-001", Decimal(1)), ("STL-104", Decimal("1.5"))),
    )
    assert tuple(job.as_row()) == COLUMNS
    assert job.as_row()["lines"] == "STL-001*1;STL-104*1.5"
    assert job.as_row()["address"] == "12 Example Road"


def test_the_jobs_read_as_a_jobs_file_without_a_problem(jobs: list[DemoJob], tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(job.as_row() for job in jobs)

    reading = read_jobs(path)

    assert reading.problems == []
    assert [(job.reference, job.address) for job in reading.jobs] == [(job.reference, job.address) for job in jobs]
    assert [[(line.code, line.quantity) for line in job.lines] for job in reading.jobs] == [
        list(job.lines) for job in jobs
    ]
