"""The effect of a price review on last year's orders; it shows what every authority spends, so not to everybody."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.jobs.review_effect import effect_on_orders
from portal.kernel import clock
from portal.rates.reviews import queries

bp = Blueprint("review_effect", __name__, template_folder="templates")

RULE_TEXT = {
    "own-rate": "A member’s own rate",
    "star-rate": "A star rate",
    "quote": "A quote for the whole job",
    "minimum-order": "To the minimum order of the lot",
}


@bp.get("/rates/reviews/<int:price_review_id>/effect")
@requires(Permission.SEE_ANALYTICS)
def page(price_review_id: int) -> ResponseReturnValue:
    """The cost of the last twelve months' orders at the old and at the new rates; of the twelve months before the
    decision, where it has been taken."""
    review = queries.review_by_id(price_review_id)
    effect = effect_on_orders(review.schedule_id, queries.preview_of(review), now=review.decided_at or clock.now())
    return render_template("review_effect/page.html", review=review, effect=effect, rule_text=RULE_TEXT)
