"""Documents of contractors: handed in, verified or rejected by a person, withdrawn.

Only a verified document counts, from the day of its verification. What the clock says of them is in ``reminders``.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.accounts.queries import framework_managers
from portal.framework import notices
from portal.framework.documents import reminders
from portal.framework.documents.files import CheckedFile
from portal.framework.faults import WrongTerm, checked_reason
from portal.framework.member_models import Contractor, ContractorDocument
from portal.framework.members.services import lock_contractor
from portal.framework.rules import years_after
from portal.framework.states import DOCUMENT_MOVES, DocumentStatus
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken, WrongState
from portal.kernel.outbox import queue_notice

#: A document that holds for longer has a slip of the finger in its year.
LONGEST_YEARS = 20
#: Documents of one contractor that may wait at once, and that it may hand in within a day.
MOST_WAITING, MOST_A_DAY = 20, 40


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

    Raises ``RuleBroken`` for a document that has expired already or ends too many years ahead, a cover below £0, the
    same file handed in twice, and for too many documents that wait or came within a day.
    """
    contractor = lock_contractor(contractor_id)
    today = local_date(now)
    if not kind or len(kind) > 64:
        raise RuleBroken("Choose the kind of document.")
    if expires_on < today:
        raise WrongTerm(
            f"This document expired on {date_text(expires_on)}; hand in the one that is valid now.", "expires_on"
        )
    _refuse_far_year(expires_on, today)
    if cover_pence is not None and cover_pence <= 0:
        raise RuleBroken("The amount covered must be above £0.")
    _refuse_flood(contractor, now)
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


def _refuse_far_year(expires_on: date, today: date) -> None:
    if expires_on > years_after(today, LONGEST_YEARS):
        raise WrongTerm(
            f"A document holds for at most {LONGEST_YEARS} years from today, but this says "
            f"{date_text(expires_on)}; look at the year.",
            "expires_on",
        )


def _refuse_flood(contractor: Contractor, now: datetime) -> None:
    """Nobody fills the disk: so many documents wait at once, and so many come within 24 hours."""
    own = select(func.count()).where(ContractorDocument.contractor_id == contractor.id)
    waiting = db.session.scalar(own.where(ContractorDocument.status == DocumentStatus.WAITING)) or 0
    if waiting >= MOST_WAITING:
        raise RuleBroken(
            f"{waiting} documents wait to be checked already, and no more can wait at once; "
            "take back those that are not needed, or come back when some have been checked."
        )
    recent = own.where(
        ContractorDocument.added_at > now - timedelta(days=1), ContractorDocument.stored_name.is_not(None)
    )
    if (db.session.scalar(recent) or 0) >= MOST_A_DAY:
        raise RuleBroken(f"{MOST_A_DAY} documents were handed in within a day, and no more can be; try again tomorrow.")


def list_document(
    contractor: Contractor, kind: str, expires_on: date, *, since: date, source: str, by: str, now: datetime
) -> ContractorDocument:
    """A document that a list says the contractor holds: it counts ``since`` that day, without a file."""
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
    )
    db.session.add(document)
    db.session.flush()
    _record("document listed", document, by=by, now=now)
    return document


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
    ``RuleBroken`` for one that has expired or ends too many years ahead, ``WrongState`` for one that was decided on.
    """
    document = lock_document(document_id)
    today = local_date(now)
    expires = expires_on or document.expires_on
    if expires < today:
        raise RuleBroken(f"The document expired on {date_text(expires)}; reject it and ask for the valid one.")
    _refuse_far_year(expires, today)
    if by == document.added_by:
        raise RuleBroken("Nobody verifies a document that they handed in themselves.")
    _move(document, DocumentStatus.VERIFIED)
    document.expires_on = expires
    document.cover_pence = cover_pence if cover_pence is not None else document.cover_pence
    document.counts_from, document.decided_by = today, by
    _record("document verified", document, by=by, now=now, cover_pence=document.cover_pence)
    queue_notice(document.contractor.email, *notices.document_verified(document), at=now)
    return document


def reject_document(document_id: int, *, reason: str, by: str, now: datetime) -> ContractorDocument:
    """Say that a document does not hold, with the reason that its contractor reads."""
    document = lock_document(document_id)
    reason = checked_reason(reason, needed=True)
    _move(document, DocumentStatus.REJECTED)
    document.reason, document.decided_by = reason, by
    # The reason is free text and may name somebody: it stays with the document.
    _record("document rejected", document, by=by, now=now, reason_given=True)
    queue_notice(document.contractor.email, *notices.document_rejected(document), at=now)
    return document


def withdraw_document(document: ContractorDocument, *, reason: str, by: str, now: datetime) -> None:
    """Let a document count no more from today; it stays readable."""
    _move(document, DocumentStatus.WITHDRAWN)
    if document.counts_from is not None:
        document.counts_to = max(local_date(now), document.counts_from)
    document.reason, document.decided_by = reason[:500], by
    # The reason is free text and may name somebody: it stays with the document.
    _record("document withdrawn", document, by=by, now=now, reason_given=bool(document.reason))


def withdraw_verified_document(document_id: int, *, reason: str, by: str, now: datetime) -> ContractorDocument:
    """Let a verified document count no more from today, with the reason that its contractor reads.

    Both sides hear in which lots offers stop for want of it. One person may do it: it can only take away, every
    framework manager hears of it, and what replaces the document is verified anew. Raises ``WrongState`` for one that
    is not verified.
    """
    document = lock_document(document_id)
    reason = checked_reason(reason, needed=True)
    if document.status is DocumentStatus.WAITING:
        raise WrongState("This document waits to be verified; say that it is not accepted instead.")
    reminders.lock_look()
    today = local_date(now)
    before = {each.key for each in reminders.lacking(document.contractor_id, document.kind, today)}
    withdraw_document(document, reason=reason, by=by, now=now)
    db.session.flush()
    lost = [each for each in reminders.lacking(document.contractor_id, document.kind, today) if each.key not in before]
    reminders.note_said(lost, reminders.words_said({each.key for each in lost}), now)
    stopped = [each.lot for each in lost if each.member.active]
    applied = [each.lot for each in lost if not each.member.active]
    queue_notice(document.contractor.email, *notices.document_withdrawn(document, stopped, applied), at=now)
    for email in framework_managers():
        queue_notice(email, *notices.contractor_document_withdrawn(document, stopped), at=now)
    return document
