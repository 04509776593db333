"""Who may do what: permissions by role. Pure; the web asks it through ``guard``."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person does here. One role each."""

    TECHNICAL_OFFICER = "technical-officer"
    CONTRACTOR = "contractor"
    PROCUREMENT = "procurement"
    FRAMEWORK_MANAGER = "framework-manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class OrganisationKind(StrEnum):
    """A council that owns cases, or a firm that does the work."""

    AUTHORITY = "authority"
    CONTRACTOR = "contractor"


class Permission(StrEnum):
    """One thing a page or a verb lets a person do."""

    SEE_WORKLIST = "see-worklist"
    SEE_JOBS = "see-jobs"
    SPECIFY_JOB = "specify-job"
    ALLOCATE_JOB = "allocate-job"
    SEE_OFFERS = "see-offers"
    ANSWER_OFFER = "answer-offer"
    MANAGE_OWN_FIRM = "manage-own-firm"
    SEE_FRAMEWORK = "see-framework"
    MANAGE_FRAMEWORK = "manage-framework"
    SEE_RATES = "see-rates"
    PUBLISH_RATES = "publish-rates"
    SEE_ANALYTICS = "see-analytics"
    SEE_AUDIT = "see-audit"
    SEE_OUTBOX = "see-outbox"
    MANAGE_PEOPLE = "manage-people"


P = Permission
_STAFF = {P.SEE_WORKLIST, P.SEE_JOBS, P.SEE_FRAMEWORK, P.SEE_RATES}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.TECHNICAL_OFFICER: frozenset(_STAFF | {P.SPECIFY_JOB, P.ALLOCATE_JOB}),
    Role.CONTRACTOR: frozenset({P.SEE_WORKLIST, P.SEE_OFFERS, P.ANSWER_OFFER, P.MANAGE_OWN_FIRM}),
    Role.PROCUREMENT: frozenset(_STAFF | {P.SEE_ANALYTICS, P.PUBLISH_RATES, P.MANAGE_FRAMEWORK}),
    Role.FRAMEWORK_MANAGER: frozenset(_STAFF | {P.SEE_ANALYTICS, P.PUBLISH_RATES, P.MANAGE_FRAMEWORK}),
    Role.AUDITOR: frozenset(_STAFF | {P.SEE_ANALYTICS, P.SEE_AUDIT, P.SEE_OUTBOX}),
    Role.ADMINISTRATOR: frozenset({P.SEE_WORKLIST, P.SEE_AUDIT, P.SEE_OUTBOX, P.MANAGE_PEOPLE}),
}

#: Roles that serve every authority on the framework; a technical officer sees only their own authority's jobs.
ACROSS_AUTHORITIES = frozenset({Role.PROCUREMENT, Role.FRAMEWORK_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR})


def may(role: Role, permission: Permission) -> bool:
    """Whether people of ``role`` hold ``permission``."""
    return permission in PERMISSIONS[role]


def kind_for(role: Role) -> OrganisationKind:
    """The kind of organisation that people of ``role`` belong to."""
    return OrganisationKind.CONTRACTOR if role is Role.CONTRACTOR else OrganisationKind.AUTHORITY
