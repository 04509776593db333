"""Offers, as the contractor sees them: on a phone, on site."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.jobs import queries, services
from portal.jobs.forms import AcceptForm, DeclineForm, StartedForm
from portal.jobs.models import Offer
from portal.jobs.order_prices import OrderPrice, declarations_of, declared_now, of_offer, of_order
from portal.jobs.ordering import VatChanged
from portal.jobs.states import ORDERED, DeclineReason, OfferStatus
from portal.kernel import clock
from portal.kernel.clock import date_text
from portal.kernel.db import transaction
from portal.kernel.errors import RuleBroken
from portal.kernel.paging import row_id

bp = Blueprint("offers", __name__, template_folder="templates", url_prefix="/offers")
PAGE = 20
PAST = (
    OfferStatus.COMPLETED,
    OfferStatus.DECLINED,
    OfferStatus.EXPIRED,
    OfferStatus.WITHDRAWN,
    OfferStatus.FAILED_TO_START,
)


@bp.get("")
@requires(Permission.SEE_OFFERS)
def listed() -> ResponseReturnValue:
    """The contractor's offers: open, accepted, past."""
    person = signed_in_person()
    past = queries.offers_of(person, PAST, PAGE + 1, request.args.get("before", type=row_id))
    return render_template(
        "offers/listed.html",
        open_offers=queries.offers_of(person, [OfferStatus.SENT], 100),
        orders=queries.offers_of(person, [OfferStatus.ACCEPTED], 100),
        past=past[:PAGE],
        more=len(past) > PAGE,
        now=clock.now(),
    )


def page(offer: Offer, accept: AcceptForm | None = None, status: int = 200) -> ResponseReturnValue:
    """The page of one offer. Client and full address only once the order is the contractor's."""
    ordered = offer.status in ORDERED
    return render_template(
        "offers/one.html",
        offer=offer,
        job=offer.job,
        ordered=ordered,
        now=clock.now(),
        price=own_price(offer),
        form=accept or AcceptForm(formdata=None),
        day_form=StartedForm(formdata=None, on=clock.local_date(clock.now())),
    ), status


def own_price(offer: Offer) -> OrderPrice | None:
    """What an open offer or an order pays its contractor, line by line; nothing for an offer that is over."""
    if offer.status in ORDERED:
        return of_order(offer, queries.order_lines(offer), to_contractor=True)
    if offer.status is OfferStatus.SENT:
        return of_offer(offer, declared_now(declarations_of(offer.job_id)), to_contractor=True)
    return None


@bp.get("/<int:offer_id>")
@requires(Permission.SEE_OFFERS)
def one(offer_id: int) -> ResponseReturnValue:
    """One offer, or the order that it became."""
    return page(queries.offer_for(signed_in_person(), offer_id))


@bp.post("/<int:offer_id>/accept")
@requires(Permission.ANSWER_OFFER)
def accept(offer_id: int) -> ResponseReturnValue:
    """Accept with a start date. A late date is asked about once: it passes the job on."""
    person = signed_in_person()
    offer = queries.offer_for(person, offer_id)
    form = AcceptForm()
    if not form.validate_on_submit():
        # Nothing can be changed in a hidden field: its fault is mended by pressing the button again.
        form.submit.errors, form.shown_pence.errors = form.shown_pence.errors, ()
        return page(offer, form, 422)
    late = offer.status is OfferStatus.SENT and form.start_on.data > offer.start_by
    if late and form.confirm_late.data != form.start_on.data.isoformat():
        return render_template("offers/late.html", offer=offer, job=offer.job, form=form)
    try:
        with transaction():
            answered = services.accept_offer(
                offer.id,
                start_on=form.start_on.data,
                by=person.email,
                now=clock.now(),
                nation=current_app.config["PORTAL"].nation,
                shown_pence=int(form.shown_pence.data),
            )
    except VatChanged as changed:
        form.submit.errors = [str(changed)]
        return page(queries.offer_for(person, offer_id), form, 409)
    except RuleBroken as broken:
        form.start_on.errors = [str(broken)]
        return page(queries.offer_for(person, offer_id), form, 422)
    if answered.status is OfferStatus.ACCEPTED:
        flash(f"The job is yours. You start on {date_text(form.start_on.data)}.", "success")
    else:
        flash("Thank you for saying so. The job has gone to the next contractor.", "information")
    return redirect(url_for(".one", offer_id=offer_id))


@bp.route("/<int:offer_id>/decline", methods=["GET", "POST"])
@requires(Permission.ANSWER_OFFER)
def decline(offer_id: int) -> ResponseReturnValue:
    """Decline with a reason."""
    person = signed_in_person()
    offer = queries.offer_for(person, offer_id)
    form = DeclineForm()
    if not form.validate_on_submit():
        return render_template(
            "offers/decline.html", offer=offer, job=offer.job, form=form
        ), 422 if form.is_submitted() else 200
    try:
        with transaction():
            services.decline_offer(
                offer.id,
                reason_code=DeclineReason(form.reason_code.data),
                reason=form.reason.data or "",
                by=person.email,
                now=clock.now(),
                nation=current_app.config["PORTAL"].nation,
            )
    except RuleBroken as broken:
        form.reason.errors = [str(broken)]
        return render_template("offers/decline.html", offer=offer, job=offer.job, form=form), 422
    flash("You declined the job. It has gone to the next contractor.", "information")
    return redirect(url_for(".listed"))


@bp.post("/<int:offer_id>/started")
@requires(Permission.ANSWER_OFFER)
def started(offer_id: int) -> ResponseReturnValue:
    """Record that the works began."""
    person = signed_in_person()
    offer = queries.offer_for(person, offer_id)
    form = StartedForm()
    if not form.validate_on_submit():
        raise RuleBroken("Enter the day on which the works began, such as 27 3 2027.")
    with transaction():
        services.record_started(offer.id, on=form.on.data, by=person.email, now=clock.now())
    flash("The start is recorded.", "success")
    return redirect(url_for(".one", offer_id=offer_id))
