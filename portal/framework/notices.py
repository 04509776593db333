"""What the portal writes to contractors and framework managers about membership and documents: (subject, body)."""

from __future__ import annotations

from collections.abc import Sequence

from portal.framework.member_models import ContractorDocument, Member
from portal.framework.states import MemberStatus, document_title
from portal.kernel.clock import date_text

Notice = tuple[str, str]


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
    MemberStatus.APPLIED: "has been received",
    MemberStatus.CHECKING: "is being checked",
    MemberStatus.ACTIVE: "is active: jobs can be offered to you",
    MemberStatus.SUSPENDED: "is suspended: no new job is offered to you, and your running orders go on",
    MemberStatus.RELEASED: "has ended on your request, without any penalty. Your running orders go on",
    MemberStatus.REMOVED: "has ended by a decision of the framework manager",
}


def standing_changed(member: Member, status: MemberStatus, reason: str, until: str = "") -> Notice:
    """To the contractor: your membership stands differently now."""
    lot = member.lot.name
    sentences = [f"Your membership of the lot {lot} {STANDING_WORDS[status]}."]
    if until:
        sentences.append(f"The suspension ends by itself on {until}.")
    if reason:
        sentences.append(f"Reason: {reason}")
    return f"Your membership: {lot}", "\n\n".join(sentences) + "\n"


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


def document_expires(document: ContractorDocument, lots: Sequence[str]) -> Notice:
    """To the contractor: hand in the next one in time."""
    title = document_title(document.kind)
    return (
        f"Expires on {date_text(document.expires_on)}: {title}",
        f"{title} expires on {date_text(document.expires_on)}. The lot{'s' if len(lots) > 1 else ''} "
        f"{', '.join(lots)} require{'' if len(lots) > 1 else 's'} it: without a new one no job can be offered to you "
        "whose works would end later.\n\nSign in to hand in the new document.\n",
    )


def document_lapsed(document: ContractorDocument, lots: Sequence[str]) -> Notice:
    """To the contractor: expired, no new offers."""
    title = document_title(document.kind)
    return (
        f"Expired: {title}",
        f"{title} expired on {date_text(document.expires_on)}. No new job is offered to you in {', '.join(lots)} "
        "until you hand in a new one and it is verified. Your running orders go on.\n",
    )


def contractor_lapsed(document: ContractorDocument, lots: Sequence[str]) -> Notice:
    """To the framework managers: who gets no offers now, and why."""
    title, name = document_title(document.kind), document.contractor.organisation.name
    return (
        f"Lapsed: {document.contractor.organisation.code}",
        f"{title} of {name} expired on {date_text(document.expires_on)}. No new job is offered to them in "
        f"{', '.join(lots)} until a new one is verified.\n",
    )
