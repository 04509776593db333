"""Audit events: append-only, chained by hash, written in the same transaction as the change.

Each event's hash is SHA-256 over the hash before it and the event's own canonical text, so nobody alters,
drops or re-orders one unnoticed. The database refuses UPDATE and DELETE besides (see the migration).
``audit_head`` is one row, locked last in each transaction: the chain is as serial as it must be, for no
longer than the final insert takes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Document, Id, Instant, before_commit, db

GENESIS = "0" * 64


class AuditEvent(Base):
    """One thing that was decided or done, by whom, when and to what."""

    __tablename__ = "audit_event"

    id: Mapped[Id]
    at: Mapped[Instant]
    actor: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(300), index=True)
    data: Mapped[Document]
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last link of the chain; always exactly one row, made by the migration."""

    __tablename__ = "audit_head"

    id: Mapped[Id]
    last_id: Mapped[int]
    last_hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class Pending:
    """An event waiting for the end of its transaction."""

    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]


def record(action: str, subject: str, *, at: datetime, actor: str, **data: Any) -> None:
    """Say that ``actor`` did ``action`` to ``subject`` (such as ``job:DFG-1``) in the open transaction.

    ``data`` holds plain values that JSON can carry (codes, numbers, ISO dates); nothing about a client.
    """
    if not db.session.info.get("portal_transaction"):
        raise RuntimeError("an audit event belongs inside transaction()")
    db.session.info.setdefault("audit", []).append(Pending(at.astimezone(UTC), actor, action, subject, data))


def link(before: str, event_id: int, event: Pending) -> str:
    """The hash of ``event`` as number ``event_id`` after the event whose hash is ``before``."""
    text = json.dumps(
        [event_id, event.at.isoformat(timespec="microseconds"), event.actor, event.action, event.subject, event.data],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


@before_commit
def write_pending() -> None:
    """Append this transaction's events to the chain."""
    pending: list[Pending] = db.session.info.pop("audit", [])
    if not pending:
        return
    head = db.session.execute(select(AuditHead.last_id, AuditHead.last_hash).with_for_update()).one()
    number, last = head.last_id, head.last_hash
    rows = []
    for event in pending:
        number += 1
        last = link(last, number, event)
        rows.append(
            {
                "id": number,
                "at": event.at,
                "actor": event.actor,
                "action": event.action,
                "subject": event.subject,
                "data": event.data,
                "hash": last,
            }
        )
    db.session.execute(insert(AuditEvent), rows)
    db.session.execute(update(AuditHead).values(last_id=number, last_hash=last))


def broken_links() -> Iterator[str]:
    """Read the whole chain and say, a sentence each, where it does not hold."""
    last, number = GENESIS, 0
    query = select(AuditEvent).order_by(AuditEvent.id).execution_options(yield_per=2000)
    for event in db.session.scalars(query):
        number += 1
        if event.id != number:
            yield f"Audit event {number} is missing: the next one kept is {event.id}."
            number = event.id
        if event.hash != link(last, number, Pending(event.at, event.actor, event.action, event.subject, event.data)):
            yield f"Audit event {number} ({event.action} on {event.subject}) does not match its hash."
        last = event.hash
    head = db.session.execute(select(AuditHead.last_id, AuditHead.last_hash)).one()
    if (head.last_id, head.last_hash) != (number, last):
        yield f"The audit chain ends at event {number}, but event {head.last_id} was the last one written."


def events_on(subject: str) -> list[AuditEvent]:
    """What happened to ``subject``, oldest first."""
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.subject == subject).order_by(AuditEvent.id)))
