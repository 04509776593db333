"""Star rates: the list, one, propose, decide, withdraw."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms.fields.choices import SelectChoice

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.terms.forms import put_fault
from portal.kernel import clock
from portal.kernel.audit import events_on
from portal.kernel.db import transaction
from portal.kernel.errors import RuleBroken, WrongState
from portal.kernel.paging import row_id
from portal.rates.models import StarRate
from portal.rates.queries import editions_in_force
from portal.rates.star_rates import queries, services
from portal.rates.star_rates.forms import ApproveForm, ProposeForm, ReasonForm
from portal.rates.star_rates.services import ProposedRate
from portal.rates.states import StarRateStatus

bp = Blueprint("star_rates", __name__, template_folder="templates", url_prefix="/rates/stars")
STATES = {each.value: each for each in StarRateStatus}


@bp.get("")
@requires(Permission.SEE_RATES)
def listed() -> ResponseReturnValue:
    """Star rates of this person's authority, or of all; the newest first."""
    status = STATES.get(request.args.get("status", ""))
    before = request.args.get("before", type=row_id)
    stars = queries.star_rates_seen_by(signed_in_person(), status, before, queries.PAGE + 1)
    return render_template(
        "star_rates/listed.html",
        stars=stars[: queries.PAGE],
        more=len(stars) > queries.PAGE,
        status=status,
        statuses=list(StarRateStatus),
        today=clock.local_date(clock.now()),
    )


@bp.route("/propose", methods=["GET", "POST"])
@requires(Permission.SPECIFY_JOB)
def propose() -> ResponseReturnValue:
    """Propose a star rate for the own authority."""
    person, form, now = signed_in_person(), ProposeForm(), clock.now()
    schedules = {each.schedule.code: each.schedule for each in editions_in_force(clock.local_date(now))}
    form.schedule.choices = [SelectChoice(code, schedule.name) for code, schedule in schedules.items()]
    if form.validate_on_submit():
        wanted = ProposedRate(
            form.description.data,
            form.unit.data,
            form.rate_pence.data,
            form.reason.data,
            form.trade.data or "",
            int(form.vat_bp.data),
        )
        try:
            with transaction():
                star = services.propose_star_rate(
                    services.schedule_named(form.schedule.data), person.organisation, wanted, by=person.email, now=now
                )
        except RuleBroken as fault:
            put_fault(form, fault, "description")
        else:
            flash(f"{star.code} is proposed. Those who publish rates have been told.", "success")
            return redirect(url_for(".one", star_id=star.id))
    return render_template("star_rates/propose.html", form=form), 422 if form.is_submitted() else 200


@bp.get("/<int:star_id>")
@requires(Permission.SEE_RATES)
def one(star_id: int) -> ResponseReturnValue:
    """One star rate, and what can be decided about it."""
    return star_page(own(star_id))


@bp.post("/<int:star_id>/approve")
@requires(Permission.PUBLISH_RATES)
def approve(star_id: int) -> ResponseReturnValue:
    """Approve a proposal for some days."""
    star, form = own(star_id), ApproveForm()
    if form.validate_on_submit():
        try:
            with transaction():
                services.approve_star_rate(
                    star.id, form.from_on.data, form.to_on.data, by=signed_in_person().email, now=clock.now()
                )
        except RuleBroken as fault:
            put_fault(form, fault, "from_on")
        else:
            flash("The star rate is approved.", "success")
            return redirect(url_for(".one", star_id=star.id))
    refuse_unless(star, StarRateStatus.PROPOSED)
    return star_page(star, approve=form), 422


@bp.post("/<int:star_id>/reject")
@requires(Permission.PUBLISH_RATES)
def reject(star_id: int) -> ResponseReturnValue:
    """Reject a proposal with a reason."""
    star, form = own(star_id), ReasonForm()
    if not form.validate_on_submit():
        refuse_unless(star, StarRateStatus.PROPOSED)
        return star_page(star, reject=form), 422
    with transaction():
        services.reject_star_rate(star.id, form.reason.data, by=signed_in_person().email, now=clock.now())
    flash("The star rate is rejected.", "success")
    return redirect(url_for(".one", star_id=star.id))


@bp.post("/<int:star_id>/withdraw")
@requires(Permission.PUBLISH_RATES)
def withdraw(star_id: int) -> ResponseReturnValue:
    """Take an approved rate out of use."""
    star, form = own(star_id), ReasonForm(says="Withdraw the star rate")
    if not form.validate_on_submit():
        refuse_unless(star, StarRateStatus.APPROVED)
        return star_page(star, reject=form), 422
    with transaction():
        services.withdraw_star_rate(star.id, form.reason.data, by=signed_in_person().email, now=clock.now())
    flash("The star rate is withdrawn; no new line takes it.", "success")
    return redirect(url_for(".one", star_id=star.id))


@bp.post("/<int:star_id>/take-back")
@requires(Permission.SPECIFY_JOB)
def take_back(star_id: int) -> ResponseReturnValue:
    """Take a proposal of the own authority back."""
    star = own(star_id)
    with transaction():
        services.take_back_proposal(star.id, by=signed_in_person().email, now=clock.now())
    flash("The proposal is taken back.", "success")
    return redirect(url_for(".one", star_id=star.id))


def own(star_id: int) -> StarRate:
    """A star rate that this person may see; ``NotFound`` for any other."""
    return queries.star_rate_for(signed_in_person(), star_id)


def refuse_unless(star: StarRate, status: StarRateStatus) -> None:
    """``WrongState`` when the page would not hold the form that was sent."""
    if star.status is not status:
        raise WrongState(f"The star rate {star.code} is {star.status.value}, not {status.value}.")


def star_page(star: StarRate, *, approve: FlaskForm | None = None, reject: FlaskForm | None = None) -> str:
    """A star rate with its forms; the one that was sent carries its errors."""
    today = clock.local_date(clock.now())
    approved = star.status is StarRateStatus.APPROVED
    says = "Withdraw the star rate" if approved else "Reject the star rate"
    return render_template(
        "star_rates/one.html",
        star=star,
        events=list(reversed(events_on(f"star-rate:{star.code}"))),
        own_proposal=star.proposed_by == signed_in_person().email,
        today=today,
        approve_form=approve or ApproveForm(formdata=None, from_on=today),
        reason_form=reject or ReasonForm(formdata=None, says=says),
        form=approve or reject,
    )
