"""Declarations for VAT, and who pays for a job: grant, contribution and top-up always come to its total."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders import NOW, OFFICER, TODAY, Scene, accept, allocate, look_again, open_offer, scene
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.checks import everything_off
from portal.config import read_settings
from portal.framework.faults import WrongTerm
from portal.framework.states import ContractingParty
from portal.jobs.funding import JobFunding, funding_of, record_declaration, record_funding, withdraw_declaration
from portal.jobs.funding_models import VatDeclaration
from portal.jobs.models import Job, OrderLine
from portal.jobs.queries import job_by_reference
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.rates.vat import Declared

CAP = 3_000_000


def commissioning(members: int = 1) -> Scene:
    """A scene whose client orders the works, with an item at the zero rate."""
    there = scene(members, items={"SHOWER01": 537_500, "LIFT01": 4_000_000}, vat={"SHOWER01": 0})
    with transaction():
        there.lot.framework.contracting_party = ContractingParty.APPLICANT
    return there


def declare(job: Job, kind: Declared = Declared.DISABLED_PERSON, **changes: object) -> VatDeclaration:
    given_values: dict[str, object] = {"signed_on": TODAY, "kept_at": "case file", "by": OFFICER, "now": NOW, **changes}
    with transaction():
        return record_declaration(job.id, kind, **given_values)  # type: ignore[arg-type]


def seen(job: Job, cap: int = CAP) -> JobFunding:
    look_again()
    return funding_of(job_by_reference(db.session.get_one(Job, job.id).reference), cap)


def test_a_declaration_changes_the_vat_of_the_order_to_come(app: Flask) -> None:
    job = commissioning().job(lines={"SHOWER01": "1"})
    before = seen(job).price.total_pence

    declared = declare(job)
    with_it = seen(job).price.total_pence
    with transaction():
        withdraw_declaration(job.id, declared.id, by=OFFICER, now=NOW)

    assert (before, with_it, seen(job).price.total_pence) == (645_000, 537_500, 645_000)


def test_an_order_keeps_its_vat_whatever_is_declared_later(app: Flask) -> None:
    there = commissioning()
    job = there.job(lines={"SHOWER01": "1"})
    allocate(job)
    accept(open_offer(job))

    declare(job, now=NOW + timedelta(days=1))

    assert seen(job).ordered
    assert seen(job).price.total_pence == 645_000
    assert list(everything_off()) == []


def test_what_cannot_be_declared_is_refused(app: Flask) -> None:
    job = commissioning().job(lines={"SHOWER01": "1"})
    declared = declare(job)

    with pytest.raises(Clash, match="recorded already"):
        declare(job)
    with pytest.raises(WrongTerm, match="has not come yet"):
        declare(job, Declared.OVER_60, signed_on=TODAY + timedelta(days=1))
    with pytest.raises(WrongTerm, match="where the signed paper"):
        declare(job, Declared.OVER_60, kept_at="  ")
    with pytest.raises(WrongTerm, match="at most 200"):
        declare(job, Declared.OVER_60, kept_at="x" * 201)
    with transaction():
        withdraw_declaration(job.id, declared.id, by=OFFICER, now=NOW)
    with pytest.raises(WrongState, match="withdrawn already"), transaction():
        withdraw_declaration(job.id, declared.id, by=OFFICER, now=NOW)
    other = commissioning().job(lines={"SHOWER01": "1"})
    with pytest.raises(NotFound), transaction():
        withdraw_declaration(other.id, declared.id, by=OFFICER, now=NOW)
    # Once withdrawn, it can be declared anew; both stay readable.
    declare(job)
    assert len(db.session.scalars(select(VatDeclaration).where(VatDeclaration.job_id == job.id)).all()) == 2


def test_events_hold_the_number_of_a_declaration_and_nothing_of_the_client(app: Flask) -> None:
    job = commissioning().job(lines={"SHOWER01": "1"})
    declared = declare(job)
    with transaction():
        record_funding(job.id, contribution_pence=123_456, agreed_pence=0, by=OFFICER, now=NOW)

        withdraw_declaration(job.id, declared.id, by=OFFICER, now=NOW)

    events = {event.action: event.data for event in events_on(f"job:{job.reference}")}

    assert events["declaration recorded"] == {"declaration": declared.id}
    assert events["declaration withdrawn"] == {"declaration": declared.id}
    assert events["funding recorded"] == {}


def test_what_is_over_the_cap_is_said_plainly(app: Flask) -> None:
    job = commissioning().job(lines={"LIFT01": "1"})
    with transaction():
        record_funding(job.id, contribution_pence=100_000, agreed_pence=1_000_000, by=OFFICER, now=NOW)

    found = seen(job)
    assert found.split is not None

    # £48,000 with VAT: £1,000 from the client, the grant to its cap, £17,000 to top up of which £10,000 are agreed.
    assert (found.split.contribution_pence, found.split.grant_pence, found.split.top_up_pence) == (
        100_000,
        3_000_000,
        1_700_000,
    )
    assert found.uncovered.startswith("£7,000.00 is not covered: the grant ends at its cap of £30,000.00.")


def test_an_order_from_before_vat_is_not_split(app: Flask) -> None:
    job = without_vat(commissioning())
    with transaction():
        record_funding(job.id, contribution_pence=100_000, agreed_pence=0, by=OFFICER, now=NOW)

    found = seen(job)

    # £40,000 before VAT say nothing of a cap that includes it.
    assert (found.split, found.uncovered) == (None, "")
    assert found.price.net_pence == 4_000_000


def without_vat(there: Scene) -> Job:
    """A job with an order as they were made before VAT was worked out."""
    job = there.accepted(lines={"LIFT01": "1"}).job
    with transaction():
        db.session.execute(update(OrderLine).values(vat_bp=None, vat_pence=None, vat_why=""))
    look_again()
    return db.session.get_one(Job, job.id)


def test_amounts_that_nobody_can_mean_are_refused(app: Flask) -> None:
    job = commissioning().job(lines={"SHOWER01": "1"})

    for contribution, agreed in ((-1, 0), (0, -1), (10**12, 0)):
        with pytest.raises(WrongTerm, match="between £0"), transaction():
            record_funding(job.id, contribution_pence=contribution, agreed_pence=agreed, by=OFFICER, now=NOW)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contribution=st.integers(0, 10**8),
    agreed=st.integers(0, 10**8),
    cap=st.integers(1, 10**7),
    lines=st.sampled_from([{"SHOWER01": "0.001"}, {"SHOWER01": "1.333"}, {"LIFT01": "3.1"}]),
)
def test_the_three_parts_always_come_to_the_total(
    app: Flask, contribution: int, agreed: int, cap: int, lines: dict[str, str]
) -> None:
    job = commissioning().job(lines=lines)
    with transaction():
        record_funding(job.id, contribution_pence=contribution, agreed_pence=agreed, by=OFFICER, now=NOW)

    found = seen(job, cap)
    assert found.split is not None

    parts = (found.split.grant_pence, found.split.contribution_pence, found.split.top_up_pence)
    assert sum(parts) == found.price.total_pence
    assert min(parts) >= 0
    assert found.split.grant_pence <= cap


# The cap --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "pence"), [("", 3_000_000), ("30000", 3_000_000), ("36000.50", 3_600_050), ("0.01", 1)]
)
def test_the_grant_cap_is_set_in_pounds(tmp_path: object, written: str, pence: int) -> None:
    found = read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_GRANT_CAP": written})

    assert found.grant_cap_pence == pence


@pytest.mark.parametrize("written", ["0", "-1", "30,000", "30000.5", "£30000", "much", "1e4", "٣٠٠"])
def test_a_grant_cap_that_is_none_stops_the_start(tmp_path: object, written: str) -> None:
    with pytest.raises(RuleBroken, match="PORTAL_GRANT_CAP is"):
        read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_GRANT_CAP": written})
