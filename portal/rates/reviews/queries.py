"""Read price indices, reviews with what they would change, and contractors' requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.framework.member_models import Contractor
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.rates.models import Item
from portal.rates.price_lists.queries import items_of
from portal.rates.reviews.models import IndexMonth, PriceIndex, PriceRequest, PriceReview, ReviewRule
from portal.rates.reviews.preview import Preview, preview
from portal.rates.reviews.rules import ByIndex, Rule, by_scope, way_text
from portal.rates.states import RequestStatus, ReviewState

PAGE = 50
#: Reviews that can still come to something.
UNDER_WAY = (ReviewState.DRAFT, ReviewState.PROPOSED)


# Indices --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IndexListed:
    """An index as the list shows it: how many months it has, from which to which."""

    index: PriceIndex
    months: int
    first: date
    last: date


def indices() -> list[IndexListed]:
    """Every index by its code."""
    return [
        IndexListed(index, months, first, last)
        for index, months, first, last in db.session.execute(
            select(PriceIndex, func.count(), func.min(IndexMonth.month), func.max(IndexMonth.month))
            .join(IndexMonth, IndexMonth.index_id == PriceIndex.id)
            .group_by(PriceIndex.id)
            .order_by(PriceIndex.code)
        )
    ]


def index_by_code(code: str) -> PriceIndex:
    """An index, or ``NotFound``."""
    index = db.session.scalar(select(PriceIndex).where(PriceIndex.code == code.strip().upper()))
    if index is None:
        raise NotFound(f"There is no price index {code}; bring it in first.")
    return index


def months_of(index: PriceIndex, page: int | None = None) -> list[tuple[date, Decimal]]:
    """The months of an index with their values, the newest first; one page of them and a month, or all."""
    query = (
        select(IndexMonth.month, IndexMonth.value)
        .where(IndexMonth.index_id == index.id)
        .order_by(IndexMonth.month.desc())
    )
    if page is not None:
        query = query.limit(PAGE + 1).offset((page - 1) * PAGE)
    return [(month, value) for month, value in db.session.execute(query)]


# Reviews --------------------------------------------------------------------------------------------------------------


def reviews(limit: int = PAGE, after: int | None = None) -> list[PriceReview]:
    """Reviews, the newest first, with their base editions; those older than the review ``after``."""
    query = select(PriceReview).options(joinedload(PriceReview.base)).order_by(PriceReview.id.desc()).limit(limit)
    return list(db.session.scalars(query if after is None else query.where(PriceReview.id < after)))


def review_by_id(review_id: int) -> PriceReview:
    """A review with its editions and rules, or ``NotFound``."""
    review = db.session.scalar(
        select(PriceReview)
        .where(PriceReview.id == review_id)
        .options(
            joinedload(PriceReview.base),
            joinedload(PriceReview.edition),
            selectinload(PriceReview.rules).joinedload(ReviewRule.index),
        )
    )
    if review is None:
        raise NotFound("There is no such price review.")
    return review


def draft_of(schedule_id: int) -> PriceReview | None:
    """The review of a schedule that can take requests up: a draft."""
    return db.session.scalar(
        select(PriceReview).where(PriceReview.schedule_id == schedule_id, PriceReview.status == ReviewState.DRAFT)
    )


def rule_of(row: ReviewRule) -> Rule:
    """A kept rule as the rule that it is."""
    by_index = None
    if row.index is not None and row.values and row.from_month and row.to_month:
        by_index = ByIndex(row.index.code, row.from_month, row.values[0], row.to_month, row.values[1])
    return Rule(row.trade, row.code, by_index, row.change_bp, row.new_rate_pence, row.floor_bp, row.cap_bp)


def preview_of(review: PriceReview) -> Preview:
    """What a review would change, or has changed: its base edition and rules do not move once it is decided."""
    rules = by_scope(rule_of(row) for row in review.rules)
    return preview(items_of(review.base_id), rules, review.starts_on)


def shown(review: PriceReview) -> str:
    """What stands for all that a page shows of a review and that makes its rates: the base, the new edition's name and
    day, and the rules with their values. Two that are alike make the same edition."""
    rules = [(*rule.scope, way_text(rule), rule.floor_bp, rule.cap_bp) for rule in map(rule_of, review.rules)]
    what = [review.base_id, review.edition_name, review.starts_on.isoformat(), rules]
    return sha256(json.dumps(what).encode()).hexdigest()[:32]


def has_trade(edition_id: int, trade: str) -> bool:
    """Whether an edition has an item of a trade."""
    found = select(Item.id).where(Item.edition_id == edition_id, Item.trade == trade)
    return db.session.scalar(found.limit(1)) is not None


# Requests -------------------------------------------------------------------------------------------------------------


def _requests() -> Select[PriceRequest]:
    return select(PriceRequest).options(joinedload(PriceRequest.contractor))


def requests_of(contractor_id: int, limit: int = PAGE) -> list[tuple[PriceRequest, PriceReview | None]]:
    """A contractor's own requests, the newest first, each with the review that took it up."""
    own = list(
        db.session.scalars(
            select(PriceRequest)
            .where(PriceRequest.contractor_id == contractor_id)
            .order_by(PriceRequest.id.desc())
            .limit(limit)
        )
    )
    taken_up = {request.review_id for request in own if request.review_id is not None}
    by_id = {
        review.id: review for review in db.session.scalars(select(PriceReview).where(PriceReview.id.in_(taken_up)))
    }
    return [(request, by_id.get(request.review_id or 0)) for request in own]


def own_request(contractor_id: int, request_id: int) -> PriceRequest:
    """One of a contractor's own requests, or ``NotFound``."""
    found = db.session.scalar(
        _requests().where(PriceRequest.id == request_id, PriceRequest.contractor_id == contractor_id)
    )
    if found is None:
        raise NotFound("There is no such request.")
    return found


def requests(page: int, status: RequestStatus | None = None) -> list[PriceRequest]:
    """A page of requests and one more: those that wait before the others, then the newest first."""
    waits_first = case((PriceRequest.status == RequestStatus.OPEN, 0), else_=1)
    query = _requests().order_by(waits_first, PriceRequest.id.desc()).limit(PAGE + 1).offset((page - 1) * PAGE)
    return list(db.session.scalars(query if status is None else query.where(PriceRequest.status == status)))


def open_requests(schedule_id: int) -> int:
    """How many requests for a schedule wait for an answer."""
    return (
        db.session.scalar(
            select(func.count()).where(
                PriceRequest.schedule_id == schedule_id, PriceRequest.status == RequestStatus.OPEN
            )
        )
        or 0
    )


def request_by_id(request_id: int) -> PriceRequest:
    """Any contractor's request, or ``NotFound``; for staff."""
    found = db.session.scalar(_requests().where(PriceRequest.id == request_id))
    if found is None:
        raise NotFound("There is no such request.")
    return found


def contractors_taken_up(review_id: int) -> list[Contractor]:
    """The contractors whose requests a review has taken up."""
    return list(
        db.session.scalars(
            select(Contractor)
            .where(Contractor.id.in_(select(PriceRequest.contractor_id).where(PriceRequest.review_id == review_id)))
            .order_by(Contractor.id)
        )
    )
