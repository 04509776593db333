"""Reviews of a framework: plan, open, see who applies and who has left, close."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.members import rank_queries
from portal.framework.models import Framework, Review
from portal.framework.rules import why_no_reviews
from portal.framework.states import ReviewStatus
from portal.framework.terms import reviews
from portal.framework.terms.forms import CloseReviewForm, ReviewForm, put_fault
from portal.framework.terms.queries import framework_in_full
from portal.kernel import clock
from portal.kernel.clock import date_text
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken, WrongState

bp = Blueprint("reviews", __name__, template_folder="templates", url_prefix="/framework")


@bp.get("/<code>/reviews")
@requires(Permission.SEE_FRAMEWORK)
def listed(code: str) -> ResponseReturnValue:
    """A framework's reviews, and the form to plan the next."""
    framework = framework_in_full(code)
    today = clock.local_date(clock.now())
    form = ReviewForm(due_on=reviews.suggested_review(framework, framework.reviews, today))
    return list_page(framework, form)


@bp.post("/<code>/reviews")
@requires(Permission.MANAGE_FRAMEWORK)
def plan(code: str) -> ResponseReturnValue:
    """Plan a review for a day."""
    framework, form = framework_in_full(code), ReviewForm()
    if form.validate_on_submit():
        try:
            with transaction():
                reviews.plan_review(framework.id, form.due_on.data, by=signed_in_person().email, now=clock.now())
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "due_on")
        else:
            flash(f"The review is planned for {date_text(form.due_on.data)}.", "success")
            return redirect(url_for(".listed", code=code))
    return list_page(framework, form), 422


def list_page(framework: Framework, form: ReviewForm) -> str:
    """The reviews of a framework with the form to plan one."""
    today = clock.local_date(clock.now())
    return render_template(
        "framework/reviews.html",
        framework=framework,
        reviews=framework.reviews,
        why_none=why_no_reviews(framework.kind, framework.regime, framework.starts_on),
        suggested=reviews.suggested_review(framework, framework.reviews, today),
        form=form,
        today=today,
    )


@bp.get("/reviews/<int:review_id>")
@requires(Permission.SEE_FRAMEWORK)
def one(review_id: int) -> ResponseReturnValue:
    """One review: lot by lot who applies, who has left, and the ranks that came out of it."""
    review = reviews.review_by_id(review_id)
    return review_page(review, move=ReviewForm(formdata=None, due_on=review.due_on))


@bp.post("/reviews/<int:review_id>/open")
@requires(Permission.MANAGE_FRAMEWORK)
def open_(review_id: int) -> ResponseReturnValue:
    """Open a planned review."""
    with transaction():
        review = reviews.open_review(review_id, by=signed_in_person().email, now=clock.now())
    flash("The review is open: applicants can be admitted now.", "success")
    return redirect(url_for(".one", review_id=review.id))


@bp.post("/reviews/<int:review_id>/move")
@requires(Permission.MANAGE_FRAMEWORK)
def move(review_id: int) -> ResponseReturnValue:
    """Put a planned review on another day."""
    review, form = reviews.review_by_id(review_id), ReviewForm()
    if form.validate_on_submit():
        try:
            with transaction():
                reviews.move_review(review_id, form.due_on.data, by=signed_in_person().email, now=clock.now())
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "due_on")
        else:
            flash(f"The review is planned for {date_text(form.due_on.data)} now.", "success")
            return redirect(url_for(".one", review_id=review_id))
    refuse_unless(review, ReviewStatus.PLANNED)
    return review_page(review, move=form), 422


@bp.post("/reviews/<int:review_id>/close")
@requires(Permission.MANAGE_FRAMEWORK)
def close(review_id: int) -> ResponseReturnValue:
    """Close an open review."""
    review, form = reviews.review_by_id(review_id), CloseReviewForm()
    if form.validate_on_submit():
        try:
            with transaction():
                reviews.close_review(review_id, form.note.data, by=signed_in_person().email, now=clock.now())
        except RuleBroken as fault:
            put_fault(form, fault, "note")
        else:
            flash("The review is closed.", "success")
            return redirect(url_for(".one", review_id=review_id))
    refuse_unless(review, ReviewStatus.OPEN)
    return review_page(review, close_form=form), 422


def refuse_unless(review: Review, status: ReviewStatus) -> None:
    """``WrongState`` when the page would not hold the form that was sent."""
    if review.status is not status:
        raise WrongState(f"The review of {date_text(review.due_on)} is {review.status.value}, not {status.value}.")


def review_page(review: Review, *, move: ReviewForm | None = None, close_form: CloseReviewForm | None = None) -> str:
    """A review with its forms; the one that was sent carries its errors."""
    others = reviews.reviews_of(review.framework_id)
    since = reviews.since_last_review(review, others)
    sent = move if move is not None and move.errors else close_form
    return render_template(
        "framework/review.html",
        review=review,
        since=since,
        lots=reviews.lots_in_review(review.framework_id, since, clock.local_date(clock.now())),
        editions={each.lot_id: each for each in rank_queries.editions_made_in(review.id)},
        move=move or ReviewForm(formdata=None, due_on=review.due_on),
        close_form=close_form or CloseReviewForm(formdata=None),
        form=sent,
    )
