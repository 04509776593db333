"""Price reviews: start one, its rules, what it would change, propose, decide."""

from __future__ import annotations

from math import ceil

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.terms.forms import put_fault
from portal.kernel import clock
from portal.kernel.clock import date_text
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken
from portal.kernel.paging import row_id
from portal.rates.queries import schedules, trades
from portal.rates.reviews import queries, review_rules, services
from portal.rates.reviews.forms import RejectForm, ReviewDatesForm, ReviewForm, RuleForm, rule_as_entered
from portal.rates.reviews.models import PriceReview, ReviewRule
from portal.rates.reviews.rules import scope_text, way_text

bp = Blueprint("price_reviews", __name__, template_folder="templates", url_prefix="/rates/reviews")

#: How many composites the page of a review names.
COMPOSITES = 20


@bp.get("")
@requires(Permission.SEE_RATES)
def listed() -> ResponseReturnValue:
    """Every review, the newest first."""
    after = request.args.get("after", type=row_id)
    found = queries.reviews(queries.PAGE + 1, after)
    return render_template(
        "price_reviews/listed.html", reviews=found[: queries.PAGE], more=len(found) > queries.PAGE
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.PUBLISH_RATES)
def new() -> ResponseReturnValue:
    """Start a review of a schedule."""
    form = ReviewForm()
    form.schedule_code.choices = [SelectChoice(each.code, f"{each.code}, {each.name}") for each in schedules()]
    if form.validate_on_submit():
        try:
            with transaction():
                review = services.start_review(
                    form.schedule_code.data, form.wanted(), by=signed_in_person().email, now=clock.now()
                )
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "schedule_code")
        else:
            flash("The review is started. Now say how the rates change.", "success")
            return redirect(url_for(".one", price_review_id=review.id))
    return render_template("price_reviews/new.html", form=form, review=None), 422 if form.is_submitted() else 200


@bp.get("/<int:price_review_id>")
@requires(Permission.SEE_RATES)
def one(price_review_id: int) -> ResponseReturnValue:
    """One review: its rules, what they change by trade, composites, and what to do next."""
    return review_page(queries.review_by_id(price_review_id), RejectForm(formdata=None))


def review_page(review: PriceReview, form: RejectForm, status: int = 200) -> ResponseReturnValue:
    """The page of a review; the form may hold what was wrong."""
    person = signed_in_person()
    found = queries.preview_of(review)
    used = found.used
    rules = [(row, rule := queries.rule_of(row), scope_text(rule.scope), way_text(rule)) for row in review.rules]
    return render_template(
        "price_reviews/one.html",
        review=review,
        preview=found,
        rules=[(row, scope, way, used.get(rule.scope, 0)) for row, rule, scope, way in rules],
        composites=found.composites[:COMPOSITES],
        open_requests=queries.open_requests(review.schedule_id),
        may_publish=person.may(Permission.PUBLISH_RATES),
        own=review.proposed_by == person.email,
        not_second=services.why_not_second(review, person.email),
        shown=queries.shown(review),
        form=form,
    ), status


@bp.get("/<int:price_review_id>/items")
@requires(Permission.SEE_RATES)
def items(price_review_id: int) -> ResponseReturnValue:
    """Every item with its old and new rate and the rule that counts, the largest difference first."""
    review = queries.review_by_id(price_review_id)
    changes = queries.preview_of(review).by_size
    pages = max(ceil(len(changes) / queries.PAGE), 1)
    page = min(request.args.get("page", 1, type=row_id), pages)
    shown = changes[(page - 1) * queries.PAGE : page * queries.PAGE]
    return render_template(
        "price_reviews/items.html", review=review, changes=shown, count=len(changes), page=page, pages=pages
    )


@bp.route("/<int:price_review_id>/edit", methods=["GET", "POST"])
@requires(Permission.PUBLISH_RATES)
def edit(price_review_id: int) -> ResponseReturnValue:
    """Another name, day or note for a draft."""
    review = queries.review_by_id(price_review_id)
    form = ReviewDatesForm(obj=review)
    if form.validate_on_submit():
        try:
            with transaction():
                services.change_review(
                    price_review_id, form.wanted(), by=signed_in_person().email, now=clock.now()
                )
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "edition_name")
        else:
            flash("The review is changed.", "success")
            return redirect(url_for(".one", price_review_id=price_review_id))
    return render_template("price_reviews/new.html", form=form, review=review), 422 if form.is_submitted() else 200


# Rules ----------------------------------------------------------------------------------------------------------------


@bp.route("/<int:price_review_id>/rules/new", methods=["GET", "POST"])
@requires(Permission.PUBLISH_RATES)
def add_rule(price_review_id: int) -> ResponseReturnValue:
    """A new rule of a draft."""
    return rule_page(queries.review_by_id(price_review_id), None)


@bp.route("/<int:price_review_id>/rules/<int:rule_id>", methods=["GET", "POST"])
@requires(Permission.PUBLISH_RATES)
def change_rule(price_review_id: int, rule_id: int) -> ResponseReturnValue:
    """Change a rule of a draft."""
    review = queries.review_by_id(price_review_id)
    rule = next((each for each in review.rules if each.id == rule_id), None)
    if rule is None:
        raise NotFound("The review has no such rule.")
    return rule_page(review, rule)


def rule_page(review: PriceReview, rule: ReviewRule | None) -> ResponseReturnValue:
    """The form of a rule, and saving it."""
    form = RuleForm() if rule is None else RuleForm(data=rule_as_entered(rule))
    form.offer(
        trades(review.base_id), [(each.index.code, each.index.name) for each in queries.indices()]
    )
    if form.validate_on_submit():
        try:
            with transaction():
                review_rules.set_rule(
                    review.id,
                    form.wanted(),
                    by=signed_in_person().email,
                    now=clock.now(),
                    rule_id=None if rule is None else rule.id,
                )
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "applies_to")
        else:
            flash("The rule is saved.", "success")
            return redirect(url_for(".one", price_review_id=review.id))
    return render_template(
        "price_reviews/rule.html", form=form, review=review, rule=rule
    ), 422 if form.is_submitted() else 200


@bp.post("/<int:price_review_id>/rules/<int:rule_id>/remove")
@requires(Permission.PUBLISH_RATES)
def remove_rule(price_review_id: int, rule_id: int) -> ResponseReturnValue:
    """Take a rule out of a draft."""
    with transaction():
        review_rules.remove_rule(price_review_id, rule_id, by=signed_in_person().email, now=clock.now())
    flash("The rule is removed.", "success")
    return redirect(url_for(".one", price_review_id=price_review_id))


# Decisions ------------------------------------------------------------------------------------------------------------


@bp.post("/<int:price_review_id>/propose")
@requires(Permission.PUBLISH_RATES)
def propose(price_review_id: int) -> ResponseReturnValue:
    """Put a draft before a second person."""
    with transaction():
        services.propose_review(
            price_review_id, by=signed_in_person().email, now=clock.now(), against=request.form.get("against", "")
        )
    flash("The review is proposed. Somebody else must approve it.", "success")
    return redirect(url_for(".one", price_review_id=price_review_id))


@bp.post("/<int:price_review_id>/draft")
@requires(Permission.PUBLISH_RATES)
def draft(price_review_id: int) -> ResponseReturnValue:
    """Take a proposal back."""
    with transaction():
        services.return_to_draft(price_review_id, by=signed_in_person().email, now=clock.now())
    flash("The review is a draft again.", "success")
    return redirect(url_for(".one", price_review_id=price_review_id))


@bp.post("/<int:price_review_id>/approve")
@requires(Permission.PUBLISH_RATES)
def approve(price_review_id: int) -> ResponseReturnValue:
    """Say yes: the new edition is written."""
    with transaction():
        edition = services.approve_review(
            price_review_id, by=signed_in_person().email, now=clock.now(), against=request.form.get("against", "")
        )
    flash(
        f"The review is approved. {edition.name} is in force from {date_text(edition.starts_on)}, and the contractors "
        "are told.",
        "success",
    )
    return redirect(url_for(".one", price_review_id=price_review_id))


@bp.post("/<int:price_review_id>/reject")
@requires(Permission.PUBLISH_RATES)
def reject(price_review_id: int) -> ResponseReturnValue:
    """Say no, and why."""
    form = RejectForm()
    if not form.validate_on_submit():
        return review_page(queries.review_by_id(price_review_id), form, 422)
    with transaction():
        services.reject_review(
            price_review_id, reason=form.reason.data, by=signed_in_person().email, now=clock.now()
        )
    flash("The review is rejected. The rates stay as they are.", "success")
    return redirect(url_for(".one", price_review_id=price_review_id))


@bp.post("/<int:price_review_id>/drop")
@requires(Permission.PUBLISH_RATES)
def drop(price_review_id: int) -> ResponseReturnValue:
    """End a review that nobody wants any more."""
    with transaction():
        services.drop_review(price_review_id, by=signed_in_person().email, now=clock.now())
    flash("The review is dropped. The rates stay as they are.", "success")
    return redirect(url_for(".one", price_review_id=price_review_id))
