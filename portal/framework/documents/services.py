"""Documents of contractors: handed in, verified or rejected by a person, reminded of, expired.

Only a verified document counts, from the day of its verification. ``next_notice_on`` is a column, not a timer: the
tick looks for what is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.queries import framework_managers
from portal.framework import notices
from portal.framework.documents.files import CheckedFile
from portal.framework.faults import checked_reason
from portal.framework.member_models import Contractor, ContractorDocument, Member
from portal.framework.members.services import lock_contractor
from portal.framework.models import Lot, LotRequirement
from portal.framework.roster import Roster
from portal.framework.rules import next_notice
from portal.framework.states import DOCUMENT_MOVES, DocumentStatus, document_title
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken, WrongState
from portal.kernel.outbox import queue_notice

#: Who acts when nobody does: the clock.
CLOCK = "the portal"
#: Documents looked at by one transaction of the clock.
CHUNK = 200


def _record(action: str, document: ContractorDocument, *, by: str, now: datetime, **data: Any) -> None:
    audit.record(
        action,
        f"contractor:{document.contractor.organisation.code}",
        at=now,
        actor=by,
        document=document.id,
        kind=document.kind,
        expires_on=document.expires_on.isoformat(),
        **data,
    )


def hand_in_document(
    contractor_id: int,
    kind: str,
    expires_on: date,
    *,
    file: CheckedFile,
    stored_name: str,
    by: str,
    now: datetime,
    cover_pence: int | None = None,
) -> ContractorDocument:
    """A document with its file, waiting for somebody to verify it. The one it renews counts on until then.

    Raises ``RuleBroken`` for a document that has expired already, a cover below £0, or the same file handed in twice.
    """
    contractor = lock_contractor(contractor_id)
    today = local_date(now)
    if not kind or len(kind) > 64:
        raise RuleBroken("Choose the kind of document.")
    if expires_on < today:
        raise RuleBroken(f"This document expired on {date_text(expires_on)}; hand in the one that is valid now.")
    if cover_pence is not None and cover_pence <= 0:
        raise RuleBroken("The amount covered must be above £0.")
    twice = select(ContractorDocument).where(
        ContractorDocument.contractor_id == contractor.id,
        ContractorDocument.kind == kind,
        ContractorDocument.sha256 == file.sha256,
        ContractorDocument.expires_on == expires_on,
        ContractorDocument.status.in_([DocumentStatus.WAITING, DocumentStatus.VERIFIED]),
    )
    if (same := db.session.scalar(twice)) is not None:
        raise RuleBroken(
            f"You handed in this very file on {date_text(local_date(same.added_at))}; it is {same.status.value}."
        )
    document = ContractorDocument(
        contractor_id=contractor.id,
        contractor=contractor,
        kind=kind,
        expires_on=expires_on,
        cover_pence=cover_pence,
        status=DocumentStatus.WAITING,
        added_by=by,
        added_at=now,
        stored_name=stored_name,
        file_name=file.name,
        media_type=file.media_type,
        size_bytes=len(file.content),
        sha256=file.sha256,
    )
    db.session.add(document)
    db.session.flush()
    _record("document handed in", document, by=by, now=now, sha256=file.sha256)
    return document


def list_document(
    contractor: Contractor, kind: str, expires_on: date, *, since: date, source: str, by: str, now: datetime
) -> ContractorDocument:
    """A document that a list says the contractor holds: it counts ``since`` that day, without a file."""
    today = local_date(now)
    document = ContractorDocument(
        contractor_id=contractor.id,
        contractor=contractor,
        kind=kind,
        expires_on=expires_on,
        status=DocumentStatus.VERIFIED,
        counts_from=since,
        reason=f"listed in {source}"[:500],
        decided_by=by,
        added_by=by,
        added_at=now,
        next_notice_on=_first_notice(expires_on, today),
    )
    db.session.add(document)
    db.session.flush()
    _record("document listed", document, by=by, now=now)
    return document


def _first_notice(expires_on: date, today: date) -> date | None:
    """The day on which to speak of a document first: today when it has expired or soon will."""
    following = next_notice(expires_on, today)
    return today if following is None else following


def lock_document(document_id: int) -> ContractorDocument:
    """The document as it is now, its contractor locked; ``NotFound`` without one."""
    contractor_id = db.session.scalar(
        select(ContractorDocument.contractor_id).where(ContractorDocument.id == document_id)
    )
    if contractor_id is None:
        raise NotFound("There is no such document.")
    lock_contractor(contractor_id)
    return db.session.scalars(
        select(ContractorDocument)
        .where(ContractorDocument.id == document_id)
        .options(joinedload(ContractorDocument.contractor))
        .execution_options(populate_existing=True)
    ).one()


def _move(document: ContractorDocument, status: DocumentStatus) -> None:
    if status not in DOCUMENT_MOVES[document.status]:
        raise WrongState(f"This document is {document.status.value} already; it cannot become {status.value}.")
    document.status = status


def verify_document(
    document_id: int,
    *,
    by: str,
    now: datetime,
    expires_on: date | None = None,
    cover_pence: int | None = None,
) -> ContractorDocument:
    """Say that a person has looked at the document and it holds; it counts from today.

    ``expires_on`` and ``cover_pence`` correct what the contractor entered by what the document says. Raises
    ``RuleBroken`` for one that has expired, ``WrongState`` for one that was decided on.
    """
    document = lock_document(document_id)
    today = local_date(now)
    expires = expires_on or document.expires_on
    if expires < today:
        raise RuleBroken(f"The document expired on {date_text(expires)}; reject it and ask for the valid one.")
    if by == document.added_by:
        raise RuleBroken("Nobody verifies a document that they handed in themselves.")
    _move(document, DocumentStatus.VERIFIED)
    document.expires_on = expires
    document.cover_pence = cover_pence if cover_pence is not None else document.cover_pence
    document.counts_from, document.decided_by = today, by
    document.next_notice_on = _first_notice(expires, today)
    _record("document verified", document, by=by, now=now, cover_pence=document.cover_pence)
    queue_notice(document.contractor.email, *notices.document_verified(document), at=now)
    return document


def reject_document(document_id: int, *, reason: str, by: str, now: datetime) -> ContractorDocument:
    """Say that a document does not hold, with the reason that its contractor reads."""
    document = lock_document(document_id)
    reason = checked_reason(reason, needed=True)
    _move(document, DocumentStatus.REJECTED)
    document.reason, document.decided_by = reason, by
    _record("document rejected", document, by=by, now=now, reason=reason)
    queue_notice(document.contractor.email, *notices.document_rejected(document), at=now)
    return document


def withdraw_document(document: ContractorDocument, *, reason: str, by: str, now: datetime) -> None:
    """Let a document count no more from today; it stays readable."""
    _move(document, DocumentStatus.WITHDRAWN)
    if document.counts_from is not None:
        document.counts_to = max(local_date(now), document.counts_from)
    document.reason, document.decided_by, document.next_notice_on = reason[:500], by, None
    _record("document withdrawn", document, by=by, now=now, reason=document.reason)


# What the clock does --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reminded:
    """What was due: counts. ``seen`` counts documents looked at, also those that needed no word."""

    seen: int = 0
    reminded: int = 0
    lapsed: int = 0


def speak_of_documents(*, now: datetime) -> Reminded:
    """Remind of documents that expire soon and tell both sides of those that have; up to ``CHUNK`` of them.

    A document that a later one of its kind has replaced needs no word, nor does one that no lot of its contractor
    requires any more. Idempotent: each document's next day to speak of it moves on.
    """
    today = local_date(now)
    due = list(
        db.session.scalars(
            select(ContractorDocument)
            .where(ContractorDocument.next_notice_on <= today)
            .order_by(ContractorDocument.next_notice_on, ContractorDocument.id)
            .limit(CHUNK)
            .options(joinedload(ContractorDocument.contractor))
            .with_for_update(of=ContractorDocument, skip_locked=True)
            .execution_options(populate_existing=True)
        )
    )
    done = Reminded(seen=len(due))
    if not due:
        return done
    replaced = _replaced(due)
    required = _required_in(due, today)
    managers = framework_managers()
    for document in due:
        document.next_notice_on = next_notice(document.expires_on, today)
        lots = required.get((document.contractor_id, document.kind), [])
        if document.id in replaced or not lots:
            continue
        if document.expires_on < today:
            done.lapsed += 1
            _record("document lapsed", document, by=CLOCK, now=now, lots=lots)
            queue_notice(document.contractor.email, *notices.document_lapsed(document, lots), at=now)
            for email in managers:
                queue_notice(email, *notices.contractor_lapsed(document, lots), at=now)
        else:
            done.reminded += 1
            queue_notice(document.contractor.email, *notices.document_expires(document, lots), at=now)
    db.session.flush()
    return done


def _replaced(due: Iterable[ContractorDocument]) -> set[int]:
    """Which of ``due`` have a verified document of their kind that holds longer."""
    due = list(due)
    best: dict[tuple[int, str], tuple[date, int]] = {}
    for contractor_id, kind, expires_on, number in db.session.execute(
        select(
            ContractorDocument.contractor_id,
            ContractorDocument.kind,
            ContractorDocument.expires_on,
            ContractorDocument.id,
        ).where(
            ContractorDocument.contractor_id.in_({each.contractor_id for each in due}),
            ContractorDocument.status == DocumentStatus.VERIFIED,
        )
    ):
        best[contractor_id, kind] = max(best.get((contractor_id, kind), (date.min, 0)), (expires_on, number))
    return {
        each.id
        for each in due
        if each.status is not DocumentStatus.VERIFIED or best[each.contractor_id, each.kind][1] != each.id
    }


def _required_in(due: Iterable[ContractorDocument], today: date) -> dict[tuple[int, str], list[str]]:
    """The lots, by contractor and kind, in which an active member must hold the document."""
    contractors = {each.contractor_id for each in due}
    lot_ids = set(db.session.scalars(select(Member.lot_id).where(Member.contractor_id.in_(contractors))))
    kinds = {
        (lot_id, kind)
        for lot_id, kind in db.session.execute(
            select(LotRequirement.lot_id, LotRequirement.kind).where(
                LotRequirement.lot_id.in_(lot_ids), LotRequirement.required
            )
        )
    }
    roster = Roster(lot_ids, today)
    found: dict[tuple[int, str], list[str]] = {}
    for member in roster:
        if member.contractor_id not in contractors or not member.active:
            continue
        for lot_id, kind in sorted(kinds):
            if lot_id == member.lot_id:
                found.setdefault((member.contractor_id, kind), []).append(roster.lots[lot_id].lot.name)
    return found


def titles(kinds: Iterable[str]) -> list[tuple[str, str]]:
    """Kinds of document with what pages call them, by title."""
    return sorted(((kind, document_title(kind)) for kind in kinds), key=lambda pair: pair[1])


def kinds_asked(contractor_id: int) -> dict[str, bool]:
    """The kinds of document that a contractor's lots ask for: whether any requires it."""
    rows = db.session.execute(
        select(LotRequirement.kind, LotRequirement.required)
        .join(Lot, Lot.id == LotRequirement.lot_id)
        .join(Member, Member.lot_id == Lot.id)
        .where(Member.contractor_id == contractor_id)
    )
    asked: dict[str, bool] = {}
    for kind, required in rows:
        asked[kind] = asked.get(kind, False) or required
    return asked
