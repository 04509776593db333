"""The states of a framework and of a membership, and what may follow what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class FrameworkKind(StrEnum):
    """How work is bought. All three can stand beside each other."""

    #: A procured list; each job is called off in turn. Commits no spend.
    FRAMEWORK_AGREEMENT = "framework-agreement"
    #: One or few contractors, set prices, a guaranteed minimum of work each month.
    DIRECT_CONTRACT = "direct-contract"
    #: No framework: two or three quotes each time.
    QUOTATIONS = "quotations"


class Regime(StrEnum):
    """Whether new members may enter while the framework runs: at most 4 years closed, at most 8 open."""

    CLOSED = "closed"
    OPEN = "open"


class ContractingParty(StrEnum):
    """Who orders the works: it changes VAT, and whose standing orders hold."""

    AUTHORITY = "authority"
    APPLICANT = "applicant"


class VariationRates(StrEnum):
    """At which rates a change to the works of an order is priced: those of the order, or those of the day."""

    ORDER_EDITION = "order-edition"
    EDITION_IN_FORCE = "edition-in-force"


class CapacityRule(StrEnum):
    """Which open jobs count against a contractor's number of jobs at once."""

    ALL_WORK = "all-work"
    THIS_LOT = "this-lot"
    NOT_LIMITED = "not-limited"


class ReviewStatus(StrEnum):
    """A re-opening: planned for a date, held, over."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"


class DocumentStatus(StrEnum):
    """A document counts only once a person has verified it."""

    WAITING = "waiting"
    VERIFIED = "verified"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class MemberStatus(StrEnum):
    """Where a membership stands. *Lapsed* is not a state: it follows from an expired document, by itself."""

    APPLIED = "applied"
    CHECKING = "checking"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RELEASED = "released"
    REMOVED = "removed"


class Method(StrEnum):
    """How a lot's jobs go to its members."""

    RANKED_CASCADE = "ranked-cascade"


class Priority(StrEnum):
    """How soon a job matters, the most urgent first; each has its own answer window and start time.

    The values sort by urgency, which lets an index serve worklists; a new one must keep that.
    """

    HOSPITAL_DISCHARGE = "hospital-discharge"
    PRIORITY = "priority"
    ROUTINE = "routine"


MEMBER_MOVES: dict[MemberStatus, frozenset[MemberStatus]] = {
    MemberStatus.APPLIED: frozenset({MemberStatus.CHECKING, MemberStatus.REMOVED, MemberStatus.RELEASED}),
    MemberStatus.CHECKING: frozenset({MemberStatus.ACTIVE, MemberStatus.REMOVED, MemberStatus.RELEASED}),
    MemberStatus.ACTIVE: frozenset({MemberStatus.SUSPENDED, MemberStatus.RELEASED, MemberStatus.REMOVED}),
    # A suspension may be given another reason or another end.
    MemberStatus.SUSPENDED: frozenset(
        {MemberStatus.ACTIVE, MemberStatus.SUSPENDED, MemberStatus.RELEASED, MemberStatus.REMOVED}
    ),
    MemberStatus.RELEASED: frozenset({MemberStatus.APPLIED}),
    MemberStatus.REMOVED: frozenset({MemberStatus.APPLIED}),
}

#: A membership that is over; who held it may apply again.
ENDED = frozenset({MemberStatus.RELEASED, MemberStatus.REMOVED})

DOCUMENT_MOVES: dict[DocumentStatus, frozenset[DocumentStatus]] = {
    DocumentStatus.WAITING: frozenset({DocumentStatus.VERIFIED, DocumentStatus.REJECTED, DocumentStatus.WITHDRAWN}),
    DocumentStatus.VERIFIED: frozenset({DocumentStatus.WITHDRAWN}),
    DocumentStatus.REJECTED: frozenset(),
    DocumentStatus.WITHDRAWN: frozenset(),
}

REVIEW_MOVES: dict[ReviewStatus, frozenset[ReviewStatus]] = {
    ReviewStatus.PLANNED: frozenset({ReviewStatus.OPEN}),
    ReviewStatus.OPEN: frozenset({ReviewStatus.CLOSED}),
    ReviewStatus.CLOSED: frozenset(),
}

#: The usual kinds of document by the code that files and lots call them; a lot may ask for others besides.
DOCUMENT_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "public-liability": "Public liability insurance",
        "employers-liability": "Employers’ liability insurance",
        "ssip": "SSIP health and safety assessment",
        "gas": "Gas Safe registration",
        "electrical": "Electrical competence scheme",
        "trustmark": "TrustMark registration",
        "dbs": "DBS statement",
        "asbestos": "Asbestos awareness training",
    }
)
#: Kinds that state how much they cover, in pence.
COVER_KINDS = frozenset({"public-liability", "employers-liability"})


def document_title(kind: str) -> str:
    """What a kind of document is called on pages."""
    return DOCUMENT_KINDS.get(kind) or kind.replace("-", " ").capitalize()
