"""Set and remove the rules of a draft. The values of an index are copied into the rule, so that it keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from portal.framework.faults import TakenTerm, WrongTerm
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.money import shown
from portal.rates.models import Item
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.reviews import queries
from portal.rates.reviews.models import IndexMonth, PriceIndex, PriceReview, ReviewRule
from portal.rates.reviews.rules import month_text, scope_text
from portal.rates.reviews.services import locked_draft, note_hand, record

#: A change beyond these, in basis points, is a slip of the finger.
MOST_CHANGE, LEAST_CHANGE = 100_000, -10_000


@dataclass(frozen=True, slots=True)
class RuleWanted:
    """A rule as somebody states it: for a trade, an item, or (both empty) for all; by an index between two months, by a
    percentage, or to a new rate; floor and cap in basis points."""

    trade: str = ""
    code: str = ""
    index_code: str = ""
    from_month: date | None = None
    to_month: date | None = None
    change_bp: int | None = None
    new_rate_pence: int | None = None
    floor_bp: int | None = None
    cap_bp: int | None = None


def set_rule(
    review_id: int, wanted: RuleWanted, *, by: str, now: datetime, rule_id: int | None = None, replace: bool = False
) -> ReviewRule:
    """A new rule of a draft; or the rule ``rule_id`` changed; or, with ``replace``, in place of one for the same scope.

    Raises ``WrongTerm`` for what cannot be, ``TakenTerm`` for a second rule of one scope, ``WrongState`` for a review
    that is no draft, ``NotFound`` for a rule that is not the review's.
    """
    review = locked_draft(review_id)
    _check_scope(review, wanted)
    _check_change(wanted)
    same = db.session.scalar(
        select(ReviewRule).where(
            ReviewRule.review_id == review.id, ReviewRule.trade == wanted.trade, ReviewRule.code == wanted.code
        )
    )
    rule = _rule_in(review, rule_id) if rule_id is not None else same if replace else None
    if same is not None and same is not rule:
        scope = scope_text((wanted.trade, wanted.code))
        raise TakenTerm(
            f"{scope}: there is a rule already; change that one.",
            "code" if wanted.code else "trade" if wanted.trade else "applies_to",
        )
    index, values = _index_values(wanted)
    if rule is None:
        rule = ReviewRule(review_id=review.id)
        review.rules.append(rule)
    rule.trade, rule.code = wanted.trade, wanted.code
    rule.index_id, rule.index = (index.id, index) if index else (None, None)
    rule.from_month, rule.to_month = (wanted.from_month, wanted.to_month) if index else (None, None)
    rule.from_value, rule.to_value = values
    rule.change_bp, rule.new_rate_pence = wanted.change_bp, wanted.new_rate_pence
    rule.floor_bp, rule.cap_bp = wanted.floor_bp, wanted.cap_bp
    note_hand(review, by)
    db.session.flush()
    record("price review rule set", review, by=by, now=now, **_as_data(rule))
    return rule


def remove_rule(review_id: int, rule_id: int, *, by: str, now: datetime) -> None:
    """Take a rule out of a draft."""
    review = locked_draft(review_id)
    rule = _rule_in(review, rule_id)
    record("price review rule removed", review, by=by, now=now, trade=rule.trade, code=rule.code)
    review.rules.remove(rule)
    note_hand(review, by)


def rule_for_scope(review_id: int, trade: str, code: str) -> ReviewRule:
    """A review's rule for a trade, an item or all, or ``NotFound``."""
    rule = db.session.scalar(
        select(ReviewRule).where(
            ReviewRule.review_id == review_id, ReviewRule.trade == trade, ReviewRule.code == code
        )
    )
    if rule is None:
        raise NotFound(f"{scope_text((trade, code))}: the review has no such rule.")
    return rule


def _rule_in(review: PriceReview, rule_id: int) -> ReviewRule:
    for rule in review.rules:
        if rule.id == rule_id:
            return rule
    raise NotFound("The review has no such rule.")


def check_known(review: PriceReview, trade: str, code: str) -> None:
    """``WrongTerm`` for an item or a trade that the base edition does not have, or that is withdrawn by the day."""
    if code:
        item = db.session.scalar(select(Item).where(Item.edition_id == review.base_id, Item.code == code))
        if item is None:
            raise WrongTerm(
                f"{code} is not an item of {review.schedule.code}, edition {review.base.name}; look it up in the "
                "catalogue.",
                "code",
            )
        if item.withdrawn_on is not None and item.withdrawn_on <= review.starts_on:
            raise WrongTerm(f"{code} is withdrawn by the day of the new edition; its rate stays.", "code")
    elif trade and not queries.has_trade(review.base_id, trade):
        edition = f"{review.schedule.code}, edition {review.base.name}"
        raise WrongTerm(f"No item of {edition}, has the trade {trade}.", "trade")


def _check_scope(review: PriceReview, wanted: RuleWanted) -> None:
    if wanted.trade and wanted.code:
        raise WrongTerm("A rule is for a trade or for an item, not for both.", "applies_to")
    if wanted.new_rate_pence is not None and not wanted.code:
        raise WrongTerm("A new rate is for one item; enter its code.", "code")
    check_known(review, wanted.trade, wanted.code)


def _check_change(wanted: RuleWanted) -> None:
    ways = (wanted.index_code or None, wanted.change_bp, wanted.new_rate_pence)
    if sum(way is not None for way in ways) != 1:
        raise WrongTerm("Choose one way to change the rates: an index, a percentage, or a new rate.", "way")
    for term in ("change_bp", "floor_bp", "cap_bp"):
        points = getattr(wanted, term)
        if points is not None and not LEAST_CHANGE < points <= MOST_CHANGE:
            raise WrongTerm("A change must lie above −100 % and not above 1,000 %.", term)
    if wanted.floor_bp is not None and wanted.cap_bp is not None and wanted.cap_bp < wanted.floor_bp:
        raise WrongTerm("The cap must not lie below the floor.", "cap_bp")
    if wanted.new_rate_pence is not None and not 0 <= wanted.new_rate_pence <= MOST_RATE_PENCE:
        raise WrongTerm(f"The new rate must lie between £0 and {shown(MOST_RATE_PENCE)}.", "new_rate_pence")


def _index_values(wanted: RuleWanted) -> tuple[PriceIndex | None, tuple[Decimal | None, Decimal | None]]:
    """The index of a rule with its values of the two months; nothing for a rule without an index."""
    if not wanted.index_code:
        return None, (None, None)
    index = db.session.scalar(select(PriceIndex).where(PriceIndex.code == wanted.index_code.strip().upper()))
    if index is None:
        raise WrongTerm(f"There is no price index {wanted.index_code}; bring it in first.", "index_code")
    for term, month in (("from_month", wanted.from_month), ("to_month", wanted.to_month)):
        if month is None:
            raise WrongTerm("Enter the month, such as April 2026.", term)
    if wanted.from_month and wanted.to_month and wanted.to_month <= wanted.from_month:
        raise WrongTerm("The second month must come after the first.", "to_month")
    values: dict[date | None, Decimal] = dict(
        db.session.execute(
            select(IndexMonth.month, IndexMonth.value).where(
                IndexMonth.index_id == index.id, IndexMonth.month.in_([wanted.from_month, wanted.to_month])
            )
        ).all()
    )
    for term, month in (("from_month", wanted.from_month), ("to_month", wanted.to_month)):
        if month not in values:
            assert month is not None  # noqa: S101 - looked at above
            raise WrongTerm(
                f"{index.code} has no value for {month_text(month)}; bring it in, or enter another month.", term
            )
    return index, (values[wanted.from_month], values[wanted.to_month])


def _as_data(rule: ReviewRule) -> dict[str, object]:
    """A rule as an audit event keeps it."""
    return {
        "trade": rule.trade,
        "code": rule.code,
        "index": rule.index.code if rule.index else None,
        "from_month": rule.from_month and rule.from_month.isoformat(),
        "to_month": rule.to_month and rule.to_month.isoformat(),
        "from_value": rule.from_value and str(rule.from_value),
        "to_value": rule.to_value and str(rule.to_value),
        "change_bp": rule.change_bp,
        "new_rate_pence": rule.new_rate_pence,
        "floor_bp": rule.floor_bp,
        "cap_bp": rule.cap_bp,
    }
