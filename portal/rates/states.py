"""The states of what is decided about rates, the rules that give a price, and where it may go. Pure."""

from __future__ import annotations

from enum import StrEnum


class PriceRule(StrEnum):
    """Where the rate of a line came from."""

    SCHEDULE_RATE = "schedule-rate"
    OWN_RATE = "own-rate"
    STAR_RATE = "star-rate"
    QUOTE = "quote"
    MINIMUM_ORDER = "minimum-order"


class StarRateStatus(StrEnum):
    """Where a star rate stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class PriceListStatus(StrEnum):
    """Where a price list that was handed in stands."""

    WAITING = "waiting"
    READING = "reading"
    READY = "ready"
    REFUSED = "refused"
    PUBLISHED = "published"
    DROPPED = "dropped"


class ReviewState(StrEnum):
    """Where a price review stands."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    DROPPED = "dropped"


class RequestStatus(StrEnum):
    """Where a contractor's request for another rate stands."""

    OPEN = "open"
    TAKEN_UP = "taken-up"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STAR_RATE_MOVES: dict[StarRateStatus, frozenset[StarRateStatus]] = {
    StarRateStatus.PROPOSED: frozenset(
        {StarRateStatus.APPROVED, StarRateStatus.REJECTED, StarRateStatus.WITHDRAWN}
    ),
    StarRateStatus.APPROVED: frozenset({StarRateStatus.WITHDRAWN}),
    StarRateStatus.REJECTED: frozenset(),
    StarRateStatus.WITHDRAWN: frozenset(),
}

PRICE_LIST_MOVES: dict[PriceListStatus, frozenset[PriceListStatus]] = {
    PriceListStatus.WAITING: frozenset({PriceListStatus.READING, PriceListStatus.DROPPED}),
    # To itself: a reader that was stopped begins again.
    PriceListStatus.READING: frozenset(
        {PriceListStatus.READING, PriceListStatus.READY, PriceListStatus.REFUSED, PriceListStatus.DROPPED}
    ),
    PriceListStatus.READY: frozenset({PriceListStatus.PUBLISHED, PriceListStatus.DROPPED}),
    PriceListStatus.REFUSED: frozenset({PriceListStatus.DROPPED}),
    PriceListStatus.PUBLISHED: frozenset(),
    PriceListStatus.DROPPED: frozenset(),
}

REVIEW_MOVES: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.DRAFT: frozenset({ReviewState.PROPOSED, ReviewState.DROPPED}),
    # Back to a draft: whoever proposed it changes it again.
    ReviewState.PROPOSED: frozenset(
        {ReviewState.DRAFT, ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.DROPPED}
    ),
    ReviewState.APPROVED: frozenset(),
    ReviewState.REJECTED: frozenset(),
    ReviewState.DROPPED: frozenset(),
}

REQUEST_MOVES: dict[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.OPEN: frozenset({RequestStatus.TAKEN_UP, RequestStatus.REFUSED, RequestStatus.WITHDRAWN}),
    RequestStatus.TAKEN_UP: frozenset(),
    RequestStatus.REFUSED: frozenset(),
    RequestStatus.WITHDRAWN: frozenset(),
}
