"""What a page costs the database: a handful of statements, however many records there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Scene, accept, allocate, look_again, person, scene
from fixture_types import AT_MOST
from flask import Flask
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role

LIMIT = 12


@pytest.fixture
def busy(app: Flask, fixed_clock: object) -> Scene:
    """A scene with every kind of job, more of each than a list shows."""
    there = scene(members=6, capacity=40)
    allocate(*[there.job(lines={"LIFT01": "1", "RAIL01": "2", "SHOWER01": "1"}) for _ in range(24)])
    for _ in range(12):
        accept(there.offered())
        there.job()
    return there


@pytest.mark.parametrize("role", list(Role))
def test_the_worklist_takes_few_statements(
    busy: Scene, sign_in: Callable[[Person], StrictClient], query_counter: AT_MOST, role: Role
) -> None:
    home = busy.members[0].contractor.organisation if role is Role.CONTRACTOR else busy.authority
    visitor = sign_in(person(role, home))

    with query_counter(LIMIT):
        visitor.get("/")


def test_pages_about_jobs_take_few_statements(
    busy: Scene, sign_in: Callable[[Person], StrictClient], query_counter: AT_MOST
) -> None:
    visitor = sign_in(person(Role.TECHNICAL_OFFICER, busy.authority))
    offer = busy.offered()
    look_again()
    reference = offer.job.reference

    for path in ("/jobs", "/jobs?status=accepted", f"/jobs/{reference}", f"/jobs/{reference}/ranking", "/jobs/new"):
        with query_counter(LIMIT):
            visitor.get(path)


def test_pages_about_offers_take_few_statements(
    busy: Scene, sign_in: Callable[[Person], StrictClient], query_counter: AT_MOST
) -> None:
    visitor = sign_in(person(Role.CONTRACTOR, busy.members[0].contractor.organisation))
    offered, accepted = busy.offered(), busy.accepted()
    look_again()
    paths = ["/offers", f"/offers/{offered.id}", f"/offers/{accepted.id}"]

    for path in paths:
        with query_counter(LIMIT):
            visitor.get(path)


def test_pages_about_the_framework_and_rates_take_few_statements(
    busy: Scene, sign_in: Callable[[Person], StrictClient], query_counter: AT_MOST
) -> None:
    visitor = sign_in(person(Role.AUDITOR, busy.authority))
    lot, rates = busy.lot.id, busy.edition
    catalogue = f"/rates/{rates.schedule.code}/{rates.name}"
    look_again()

    for path in ("/framework", f"/framework/lots/{lot}", "/rates", catalogue, "/audit", "/outbox", "/guide-prices"):
        with query_counter(LIMIT):
            visitor.get(path)
