"""What the portal writes to contractors and framework managers about membership and documents: (subject, body)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from portal.framework.member_models import ContractorDocument, Member
from portal.framework.members.services import ended_an_application
from portal.framework.states import MemberStatus, document_title
from portal.kernel.clock import date_text

Notice = tuple[str, str]


def account_link(address: str) -> Notice:
    """To whoever wants to apply: the link that opens the form of a new account."""
    return (
        "Make your account",
        "Somebody asked to make an account for your firm with this email address. To go on, open this link:\n\n"
        f"{address}\n\n"
        "The link holds for 24 hours. If it was not you, do nothing: no account is made without the link.\n",
    )


def account_known(address: str) -> Notice:
    """To whoever wants to apply and has an account: where to sign in."""
    return (
        "You have an account",
        "Somebody asked to make an account with this email address. It has one already. Sign in here:\n\n"
        f"{address}\n\n"
        "If it was not you, do nothing: nothing has changed.\n",
    )


def application_received(member: Member) -> Notice:
    """To a framework manager: somebody applied."""
    name, lot = member.contractor.organisation.name, member.lot.name
    return (
        f"Application: {lot}",
        f"{name} applies for the lot {lot} of {member.lot.framework.name}.\n\nSign in to check the application.\n",
    )


def application_sent(member: Member) -> Notice:
    """To the contractor: your application has arrived."""
    return (
        f"Your application for {member.lot.name}",
        f"Your application for the lot {member.lot.name} of {member.lot.framework.name} has arrived.\n\n"
        "The framework manager checks it and your documents. You get an e-mail with the decision.\n",
    )


STANDING_WORDS = {
    MemberStatus.ACTIVE: "is active: jobs can be offered to you",
    MemberStatus.SUSPENDED: "is suspended: no new job is offered to you, and your running orders go on",
    MemberStatus.RELEASED: "has ended, without any penalty. Your running orders go on",
    MemberStatus.REMOVED: "has ended by a decision of the framework manager. Your running orders go on",
}
#: Who is no member yet reads of the application instead.
APPLICATION_WORDS = {
    MemberStatus.APPLIED: "has been received",
    MemberStatus.CHECKING: "is being checked",
    MemberStatus.RELEASED: "has been taken back",
    MemberStatus.REMOVED: "has been turned down by the framework manager",
}


def standing_changed(member: Member, status: MemberStatus, reason: str, until: str = "") -> Notice:
    """To the contractor: your membership, or your application, stands differently now; the step has been written."""
    lot = member.lot.name
    applies = status not in STANDING_WORDS or ended_an_application(member.id)
    what, of, words = (
        ("application", "for", APPLICATION_WORDS[status])
        if applies
        else ("membership", "of", STANDING_WORDS[status])
    )
    sentences = [f"Your {what} {of} the lot {lot} {words}."]
    if until:
        sentences.append(f"The suspension ends by itself on {until}.")
    if reason:
        sentences.append(f"Reason: {reason}")
    return f"Your {what}: {lot}", "\n\n".join(sentences) + "\n"


def document_verified(document: ContractorDocument) -> Notice:
    """To the contractor: the document holds."""
    title = document_title(document.kind)
    return f"Verified: {title}", f"{title} is verified. It holds until {date_text(document.expires_on)}.\n"


def document_rejected(document: ContractorDocument) -> Notice:
    """To the contractor: the document does not hold, and why."""
    title = document_title(document.kind)
    return (
        f"Not accepted: {title}",
        f"{title} could not be accepted.\n\nReason: {document.reason}\n\nSign in to hand in another.\n",
    )


def document_withdrawn(document: ContractorDocument, stopped: Sequence[str], applied: Sequence[str]) -> Notice:
    """To the contractor: the document counts no more, why, and in which lots offers stop for want of it."""
    title = document_title(document.kind)
    parts = [f"{title}, which was verified, counts no more from today.", f"Reason: {document.reason}"]
    if stopped:
        parts.append(
            f"No new job is offered to you in {', '.join(stopped)} until another is handed in and verified. A job "
            "that is on offer to you cannot be accepted meanwhile. Your running orders go on."
        )
    if applied:
        parts.append(f"Your application for {', '.join(applied)} needs another.")
    if not stopped and not applied:
        parts.append("Nothing else changes: no lot of yours lacks a document of this kind now that had one before.")
    parts.append("Sign in to hand in another.")
    return f"Withdrawn: {title}", "\n\n".join(parts) + "\n"


def contractor_document_withdrawn(document: ContractorDocument, stopped: Sequence[str]) -> Notice:
    """To the framework managers: who decided that, and who gets no offers now."""
    title, firm = document_title(document.kind), document.contractor.organisation
    told = f"{title} of {firm.name} was withdrawn by {document.decided_by} and counts no more from today.\n"
    if stopped:
        told += (
            f"\nNo new job is offered to them in {', '.join(stopped)} until another is verified. What is on offer to "
            "them cannot be accepted meanwhile.\n"
        )
    return f"Withdrawn: {title} of {firm.code}", told


def document_expires(title: str, last_day: date, lots: Sequence[str], applying: bool) -> Notice:
    """To the contractor: hand in the next one in time."""
    if applying:
        means = f"Your application for {', '.join(lots)} needs one that holds."
    else:
        means = (
            f"The lot{'s' if len(lots) > 1 else ''} {', '.join(lots)} require{'' if len(lots) > 1 else 's'} it: "
            "without a new one no job can be offered to you whose works would end later."
        )
    return (
        f"Expires on {date_text(last_day)}: {title}",
        f"{title} expires on {date_text(last_day)}. {means}\n\nSign in to hand in the new document.\n",
    )


def document_lapsed(title: str, reason: str, lots: Sequence[str], applying: bool) -> Notice:
    """To the contractor: it does not hold (``reason`` goes on where the title ends), so no new offers."""
    if applying:
        means = f"Your application for {', '.join(lots)} needs one that holds."
    else:
        means = (
            f"No new job is offered to you in {', '.join(lots)} until one that holds is handed in and verified. "
            "Your running orders go on."
        )
    heads = {"is missing": "Missing", "does not": "Covers too little"}
    head = next((head for start, head in heads.items() if reason.startswith(start)), "Expired")
    return f"{head}: {title}", f"{title} {reason}. {means}\n"


def contractors_lapsed(lapses: Sequence[tuple[str, str, str, str, Sequence[str]]]) -> Notice:
    """To the framework managers: who gets no offers now, and why: (code, name, title, reason, lots) of each."""
    codes = sorted({code for code, *_ in lapses})
    sentences = [
        f"{title} of {name} ({code}) {reason}. No new job is offered to them in {', '.join(lots)} until one that holds "
        "is verified."
        for code, name, title, reason, lots in lapses
    ]
    return f"Lapsed: {codes[0] if len(codes) == 1 else f'{len(codes)} contractors'}", "\n\n".join(sentences) + "\n"
