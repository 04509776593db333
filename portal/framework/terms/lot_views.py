"""Set lots up and change them, and publish the ranks of their members."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework import queries
from portal.framework.members import rank_queries, ranks
from portal.framework.members.ranks import ranks_on
from portal.framework.models import Framework, Lot, Review
from portal.framework.roster import Listed, Roster
from portal.framework.states import COVER_KINDS, DOCUMENT_KINDS, MemberStatus
from portal.framework.terms import lots, reviews
from portal.framework.terms.forms import put_fault
from portal.framework.terms.lot_forms import LotTermsForm, RanksForm, lot_form, ranks_form
from portal.framework.terms.queries import framework_in_full
from portal.kernel import clock
from portal.kernel.clock import date_text
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken
from portal.kernel.paging import row_id

bp = Blueprint("lots", __name__, template_folder="templates", url_prefix="/framework")

#: Who has a place in an edition of ranks.
PLACED = frozenset({MemberStatus.ACTIVE, MemberStatus.SUSPENDED, MemberStatus.CHECKING})


def found_lot(lot_id: int) -> Lot:
    """The lot, or the answer that there is none."""
    found = queries.lot_by_id(lot_id)
    if found is None:
        raise NotFound("There is no such lot.")
    return found


@bp.route("/<code>/lots/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def new(code: str) -> ResponseReturnValue:
    """A new lot of a framework."""
    framework = framework_in_full(code)
    form = lot_form(framework, clock.local_date(clock.now()))
    if form.validate_on_submit():
        terms = form.terms()
        try:
            with transaction():
                made = lots.add_lot(framework, terms.name, terms=terms, by=signed_in_person().email, now=clock.now())
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "name")
        else:
            flash("The lot is there. It needs members before a job can be allocated.", "success")
            return redirect(url_for("framework.lot", lot_id=made.id))
    return terms_page(form, framework), 422 if form.is_submitted() else 200


@bp.route("/lots/<int:lot_id>/edit", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def edit(lot_id: int) -> ResponseReturnValue:
    """Change a lot's terms for the decisions to come."""
    lot = found_lot(lot_id)
    framework = framework_in_full(lot.framework.code)
    form = lot_form(framework, clock.local_date(clock.now()), lot)
    if form.validate_on_submit():
        try:
            with transaction():
                lots.change_lot(lot_id, form.terms(), by=signed_in_person().email, now=clock.now())
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "name")
        else:
            flash("The lot is changed. Decisions that were made keep the terms they rest on.", "success")
            return redirect(url_for("framework.lot", lot_id=lot_id))
    return terms_page(form, framework, lot), 422 if form.is_submitted() else 200


def terms_page(form: LotTermsForm, framework: Framework, lot: Lot | None = None) -> str:
    """The page around a lot's terms."""
    return render_template(
        "framework/lot_terms.html",
        form=form,
        framework=framework,
        lot=lot,
        kinds=DOCUMENT_KINDS,
        cover_kinds=COVER_KINDS,
    )


# Ranks ----------------------------------------------------------------------------------------------------------------


def placed_members(lot_id: int) -> list[Listed]:
    """Members on the list, in rank order, then applicants who are being checked."""
    members = Roster([lot_id], clock.local_date(clock.now())).members[lot_id]
    placed = [each for each in members if each.standing.status in PLACED]
    return sorted(placed, key=lambda each: each.standing.status is MemberStatus.CHECKING)


def review_asked_for(lot: Lot) -> Review | None:
    """The review that the new ranks come from, when the address names one of the lot's framework."""
    number = request.args.get("review", type=row_id)
    if number is None:
        return None
    review = reviews.review_by_id(number)
    if review.framework_id != lot.framework_id:
        raise NotFound("There is no such review.")
    return review


@bp.get("/lots/<int:lot_id>/ranks")
@requires(Permission.SEE_FRAMEWORK)
def ranks_of(lot_id: int) -> ResponseReturnValue:
    """A lot's editions of ranks, and the form for a new one."""
    lot, members = found_lot(lot_id), placed_members(lot_id)
    editions = rank_queries.editions_of(lot_id)
    standing = ranks_on(lot_id, editions[0].starts_on) if editions else {}
    return ranks_page(lot, members, ranks_form(members, standing))


@bp.post("/lots/<int:lot_id>/ranks")
@requires(Permission.MANAGE_FRAMEWORK)
def publish(lot_id: int) -> ResponseReturnValue:
    """A new edition of ranks from a day on."""
    lot, members = found_lot(lot_id), placed_members(lot_id)
    review = review_asked_for(lot)
    form = ranks_form(members, {})
    if form.validate_on_submit():
        try:
            with transaction():
                ranks.publish_ranks(
                    lot_id,
                    form.starts_on.data,
                    form.ranks(members),
                    by=signed_in_person().email,
                    now=clock.now(),
                    note=form.note.data or "",
                    review_id=review.id if review else None,
                )
        except (RuleBroken, Clash) as fault:
            form.put_rank_fault(fault, members)
        else:
            flash(f"The new ranks hold from {date_text(form.starts_on.data)}.", "success")
            if review:
                return redirect(url_for("reviews.one", review_id=review.id))
            return redirect(url_for(".ranks_of", lot_id=lot_id))
    return ranks_page(lot, members, form), 422


def ranks_page(lot: Lot, members: list[Listed], form: RanksForm) -> str:
    """The editions with the form for a new one."""
    return render_template(
        "framework/ranks.html",
        lot=lot,
        members=members,
        form=form,
        review=review_asked_for(lot),
        editions=rank_queries.editions_of(lot.id),
        today=clock.local_date(clock.now()),
    )
