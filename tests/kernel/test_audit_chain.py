"""The audit chain: written with the change, kept by the database, broken by any tampering."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from builders import NOW, look_again
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from portal.kernel import audit
from portal.kernel.audit import AuditEvent, AuditHead, broken_links, events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash

pytestmark = pytest.mark.usefixtures("app")
TRIGGERS = ("audit_event_no_update", "audit_event_no_delete")


def record(*subjects: str, at: datetime = NOW) -> None:
    with transaction():
        for subject in subjects:
            audit.record("tested", subject, at=at, actor="officer@authority-a.example", amount=1, note="é “so” £")


def unlock(app: Flask) -> None:
    """What somebody with the whole database in hand can do: take the guards off."""
    with transaction():
        for trigger in TRIGGERS:
            table = "" if db.engine.dialect.name == "sqlite" else " ON audit_event"
            db.session.execute(text(f"DROP TRIGGER {trigger}{table}"))


def off() -> list[str]:
    look_again()
    return list(broken_links())


def test_an_empty_chain_holds() -> None:
    assert off() == []


def test_events_are_numbered_without_gaps_and_the_chain_holds() -> None:
    record("job:1", "job:2")
    record("job:1")

    assert db.session.scalars(select(AuditEvent.id).order_by(AuditEvent.id)).all() == [1, 2, 3]
    assert [event.id for event in events_on("job:1")] == [1, 3]
    assert off() == []


def test_an_instant_of_any_zone_is_chained_as_the_same_instant() -> None:
    record("job:1", at=NOW.astimezone(timezone(timedelta(hours=5))) + timedelta(microseconds=7))

    assert off() == []


def test_nothing_of_a_transaction_that_failed_is_in_the_chain() -> None:
    record("job:1")

    def record_and_fail() -> None:
        with transaction():
            audit.record("tested", "job:2", at=NOW, actor="officer@authority-a.example")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fail()
    record("job:3")

    assert [event.subject for event in db.session.scalars(select(AuditEvent).order_by(AuditEvent.id))] == [
        "job:1",
        "job:3",
    ]
    assert off() == []


def test_an_event_outside_a_transaction_is_a_fault_of_the_program() -> None:
    with pytest.raises(RuntimeError, match="inside transaction"):
        audit.record("tested", "job:1", at=NOW, actor="officer@authority-a.example")


@pytest.mark.parametrize(
    "statement",
    [
        update(AuditEvent).values(actor="somebody else"),
        delete(AuditEvent),
        delete(AuditEvent).where(AuditEvent.id == 1),
    ],
    ids=["update", "delete all", "delete one"],
)
def test_the_database_refuses_to_change_or_drop_an_event(statement) -> None:  # type: ignore[no-untyped-def]
    record("job:1")

    with pytest.raises((DBAPIError, Clash)), transaction():
        db.session.execute(statement)

    look_again()
    assert db.session.scalars(select(AuditEvent.actor)).all() == ["officer@authority-a.example"]
    assert off() == []


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_database_refuses_to_empty_the_table(engine: str) -> None:
    record("job:1")

    with pytest.raises(DBAPIError, match="never changed"), transaction():
        db.session.execute(text("TRUNCATE audit_event"))

    assert off() == []


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        (update(AuditEvent).where(AuditEvent.id == 2).values(actor="x"), "Audit event 2"),
        (update(AuditEvent).where(AuditEvent.id == 2).values(data={"amount": 2}), "Audit event 2"),
        (update(AuditEvent).where(AuditEvent.id == 2).values(at=NOW + timedelta(microseconds=1)), "Audit event 2"),
        (update(AuditEvent).where(AuditEvent.id == 2).values(hash="0" * 64), "Audit event 2"),
        (update(AuditEvent).where(AuditEvent.id == 3).values(id=9), "Audit event 3 is missing"),
        (delete(AuditEvent).where(AuditEvent.id == 2), "Audit event 2 is missing"),
        (delete(AuditEvent).where(AuditEvent.id == 3), "The audit chain ends at event 2, but event 3"),
        (delete(AuditEvent), "The audit chain ends at event 0"),
        (
            insert(AuditEvent).values(
                id=4, at=NOW, actor="x", action="forged", subject="job:1", data={}, hash="0" * 64
            ),
            "Audit event 4",
        ),
        (update(AuditHead).values(last_hash="0" * 64), "The audit chain ends at event 3"),
    ],
    ids=["actor", "data", "instant", "hash", "number", "middle", "last", "all", "forged", "head"],
)
def test_tampering_is_noticed_even_with_the_guards_off(app: Flask, tampering, found: str) -> None:  # type: ignore[no-untyped-def]
    record("job:1", "job:2", "job:3")
    unlock(app)

    with transaction():
        db.session.execute(tampering)

    assert any(sentence.startswith(found) for sentence in off()), off()


def test_two_events_that_change_places_are_noticed(app: Flask) -> None:
    record("job:1", "job:2")
    unlock(app)
    with transaction():
        for old, new in ((1, 3), (2, 1), (3, 2)):
            db.session.execute(update(AuditEvent).where(AuditEvent.id == old).values(id=new))

    assert len(off()) >= 2
