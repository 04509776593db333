"""The worklist says how much waits, and the list behind each figure holds as much."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from builders import NOW, PASSWORD, TODAY, code_of, framework_with_lot, member, person, scene
from fixture_types import Clock
from flask import Flask
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.firms.services import FirmDetails, NewFirm, add_firm
from portal.kernel.db import transaction

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def manager(app: Flask, sign_in: Callable[[Person], StrictClient]) -> StrictClient:
    return sign_in(person(Role.FRAMEWORK_MANAGER))


def test_contractors_without_offers_are_those_of_the_list_behind_the_figure(
    app: Flask, fixed_clock: Clock, manager: StrictClient
) -> None:
    there = scene(members=1, requirements=["gas"], documents={"gas": YESTERDAY})
    late = code_of(there.members[0])
    # Two lots, one contractor.
    second = framework_with_lot(there.authority, requirements=["gas"])
    member(second, areas=[there.authority], code=late, rank=1, documents={"gas": YESTERDAY})
    # Nobody is offered anything on a framework that has ended or has not begun, whatever their documents.
    ended = framework_with_lot(there.authority, requirements=["gas"], ends_on=TODAY)
    member(ended, areas=[there.authority], code="ENDED", rank=1, documents={"gas": YESTERDAY})
    coming = framework_with_lot(there.authority, requirements=["gas"], starts_on=TODAY + timedelta(days=1))
    member(coming, areas=[there.authority], code="COMING", rank=1, documents={"gas": YESTERDAY})

    worklist = manager.get("/")
    behind = worklist.click("1 contractor without offers: a document lapsed")

    assert "1 contractor" in behind.text
    assert late in behind.text
    assert not any(f"Contractor {code}" in behind.text for code in ("ENDED", "COMING"))
    assert "Lapsed" not in manager.get("/framework/contractors/ENDED").text


def test_a_firm_on_no_lot_is_led_to_its_application(
    app: Flask, fixed_clock: Clock, sign_in: Callable[[Person], StrictClient]
) -> None:
    details = FirmDetails("office@newcomer.example", "01632 960001", "RG1 2AB", sme=True, capacity=1)
    with transaction():
        newcomer = add_firm(NewFirm("Newcomer Ltd", "The office", PASSWORD, details), now=NOW)

    worklist = sign_in(newcomer).get("/")

    assert "you are a member of no lot" in worklist.text
    assert worklist.click("Apply for a lot").h1 == "Which lot do you apply for?"
