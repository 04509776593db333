"""The states of a job and of an offer, and what may follow what. Pure."""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands."""

    DRAFT = "draft"
    SPECIFIED = "specified"
    ALLOCATING = "allocating"
    EXHAUSTED = "exhausted"
    ACCEPTED = "accepted"
    STARTED = "started"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


class OfferStatus(StrEnum):
    """Where an offer stands. Silence is not refusal: expired and declined are different outcomes."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FAILED_TO_START = "failed-to-start"
    COMPLETED = "completed"


class DeclineReason(StrEnum):
    """Why a contractor said no; free text goes beside it."""

    CANNOT_START_IN_TIME = "cannot-start-in-time"
    NO_CAPACITY = "no-capacity"
    OUTSIDE_SKILLS = "outside-skills"
    PRICE = "price"
    SITE = "site"
    OTHER = "other"


JOB_MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.DRAFT: frozenset({JobStatus.SPECIFIED, JobStatus.CANCELLED}),
    JobStatus.SPECIFIED: frozenset({JobStatus.ALLOCATING, JobStatus.EXHAUSTED, JobStatus.CANCELLED}),
    # To itself: the offer passes to the next member.
    JobStatus.ALLOCATING: frozenset(
        {JobStatus.ALLOCATING, JobStatus.ACCEPTED, JobStatus.EXHAUSTED, JobStatus.CANCELLED}
    ),
    # To itself: tried again, and still nobody.
    JobStatus.EXHAUSTED: frozenset({JobStatus.EXHAUSTED, JobStatus.ALLOCATING, JobStatus.CANCELLED}),
    JobStatus.ACCEPTED: frozenset({JobStatus.STARTED, JobStatus.ALLOCATING, JobStatus.EXHAUSTED, JobStatus.CANCELLED}),
    JobStatus.STARTED: frozenset({JobStatus.COMPLETE}),
    JobStatus.COMPLETE: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}

OFFER_MOVES: dict[OfferStatus, frozenset[OfferStatus]] = {
    OfferStatus.SENT: frozenset(
        {OfferStatus.ACCEPTED, OfferStatus.DECLINED, OfferStatus.EXPIRED, OfferStatus.WITHDRAWN}
    ),
    OfferStatus.ACCEPTED: frozenset({OfferStatus.FAILED_TO_START, OfferStatus.WITHDRAWN, OfferStatus.COMPLETED}),
    OfferStatus.DECLINED: frozenset(),
    OfferStatus.EXPIRED: frozenset(),
    OfferStatus.WITHDRAWN: frozenset(),
    OfferStatus.FAILED_TO_START: frozenset(),
    OfferStatus.COMPLETED: frozenset(),
}

#: Offers that became an order.
ORDERED = (OfferStatus.ACCEPTED, OfferStatus.COMPLETED)
#: Offers that a member still has to deal with: they count against its capacity.
OPEN = frozenset({OfferStatus.SENT, OfferStatus.ACCEPTED})
