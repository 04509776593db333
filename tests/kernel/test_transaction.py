"""``transaction()``: one unit of work, whole or not at all, never nested."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from builders import NOW, authority, look_again, scene, unique
from flask import Flask
from sqlalchemy import func, insert, select, text

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.accounts.services import add_organisation
from portal.jobs.models import JobLine
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, RuleBroken
from portal.kernel.outbox import Notice, queue_notice

pytestmark = pytest.mark.usefixtures("app")
OFFICER = "officer@authority-a.example"


def organisation(code: str) -> Organisation:
    return Organisation(code=code, name=code, kind=OrganisationKind.AUTHORITY)


def count() -> int:
    look_again()
    return db.session.scalar(select(func.count()).select_from(Organisation)) or 0


def test_transactions_do_not_nest() -> None:
    with pytest.raises(RuntimeError, match="does not nest"), transaction(), transaction():
        pass

    with transaction():
        db.session.add(organisation("A"))
    assert count() == 1


def test_changes_made_outside_are_a_fault_of_the_program() -> None:
    db.session.add(organisation("A"))

    with pytest.raises(RuntimeError, match="outside transaction"), transaction():
        pass

    assert count() == 0


def test_an_error_takes_everything_back_also_what_was_flushed() -> None:
    def write_and_stop() -> None:
        with transaction():
            db.session.add(organisation("A"))
            db.session.flush()
            queue_notice("officer@authority-a.example", "Subject", "Body", at=NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()

    assert count() == 0
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 0


def test_a_broken_constraint_is_a_clash_and_the_session_goes_on() -> None:
    authority("A")

    with pytest.raises(Clash, match="nothing was saved"), transaction():
        db.session.add_all([organisation("B"), organisation("A")])
    with transaction():
        db.session.add(organisation("C"))

    assert count() == 2


def test_what_was_read_before_is_read_again_inside() -> None:
    known = authority("A")
    with db.engine.connect().execution_options(portal_writes=True) as other:
        other.execute(text("UPDATE organisation SET name = 'Renamed'"))
        other.commit()

    with transaction():
        assert known.name == "Renamed"


def test_a_taken_code_is_said_kindly_before_the_constraint_speaks() -> None:
    code = authority().code

    with pytest.raises(Clash, match=f"code {code} already"), transaction():
        add_organisation(code, "Again", OrganisationKind.AUTHORITY, by=OFFICER, now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO organisation (code, name, kind) VALUES ('A', 'A', 'charity')",
        "INSERT INTO contractor (organisation_id, email, phone, postcode, sme, capacity) "
        "VALUES (4711, '', '', '', true, 1)",
        "UPDATE lot SET value_from_pence = -1",
        "UPDATE lot SET value_from_pence = 5, value_to_pence = 5",
        "UPDATE rank_place SET rank = 0",
        "UPDATE rank_place SET share_bp = 10001",
        "UPDATE member_event SET until_on = '2030-01-01'",
        "UPDATE member_area SET district = 'RG1'",
        "UPDATE member_area SET from_on = '2026-05-05', to_on = '2026-05-05'",
        "UPDATE participation SET from_on = '2026-05-05', to_on = '2026-05-05'",
        "UPDATE framework SET value_cap_pence = 0",
        "UPDATE member SET adjustment_bp = -10000",
        "UPDATE contractor SET capacity = -1",
        "UPDATE framework SET starts_on = '2026-01-02', ends_on = '2026-01-02'",
        "UPDATE item SET rate_pence = -1",
        "UPDATE job_line SET quantity = 0",
        "UPDATE job SET status = 'lost'",
        "UPDATE job SET value_pence = -1",
        "UPDATE offer SET status = 'accepted'",
    ],
)
def test_the_database_keeps_what_must_hold_whoever_asks(statement: str) -> None:
    scene(members=1).offered()

    with pytest.raises(Clash), transaction():
        db.session.execute(text(statement))


def test_an_instant_without_a_zone_never_gets_in(app: Flask) -> None:
    with pytest.raises(Exception, match="must know its time zone"), transaction():
        queue_notice("x@example", "Subject", "Body", at=datetime(2026, 5, 5))  # noqa: DTZ001


@pytest.mark.parametrize("quantity", ["0.001", "1", "4.5", "1000", "999999.999"])
def test_a_quantity_comes_back_exactly_as_it_went_in(quantity: str) -> None:
    job = scene(members=0, items={"RAIL01": 1}).job(lines={"RAIL01": quantity})

    look_again()
    (line,) = db.session.scalars(select(JobLine).where(JobLine.job_id == job.id))
    assert line.quantity == Decimal(quantity)
    assert format(line.quantity, "f") == quantity


def test_a_quantity_finer_than_a_thousandth_never_gets_in() -> None:
    job = scene(members=0).job()

    with pytest.raises(Exception, match="three decimals"), transaction():
        db.session.execute(
            insert(JobLine).values(
                job_id=job.id,
                position=9,
                code="X",
                description="X",
                unit="nr",
                quantity=Decimal("0.0001"),
                rate_pence=1,
                net_pence=1,
            )
        )


def test_readers_do_not_wait_for_a_writer() -> None:
    authority(unique("A"))
    before = count()

    with transaction():
        db.session.add(organisation("B"))
        db.session.flush()
        with db.engine.connect() as other:
            assert other.scalar(select(func.count()).select_from(Organisation)) == before


def test_a_rule_broken_inside_takes_everything_back() -> None:
    def write_and_refuse() -> None:
        with transaction():
            db.session.add(organisation("A"))
            raise RuleBroken("No.")

    with pytest.raises(RuleBroken):
        write_and_refuse()

    assert count() == 0
