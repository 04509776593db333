"""The states of a membership and what may follow what. Pure."""

from __future__ import annotations

from enum import StrEnum


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
    MemberStatus.SUSPENDED: frozenset({MemberStatus.ACTIVE, MemberStatus.RELEASED, MemberStatus.REMOVED}),
    MemberStatus.RELEASED: frozenset({MemberStatus.APPLIED}),
    MemberStatus.REMOVED: frozenset({MemberStatus.APPLIED}),
}
