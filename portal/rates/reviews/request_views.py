"""Requests for other rates: contractors make, follow and withdraw their own; staff read, refuse, or take them up."""

from __future__ import annotations

from contextlib import nullcontext
from io import BytesIO

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.config import Settings
from portal.framework.documents.files import MEGABYTE, CheckedFile, check_file, kept, kept_content
from portal.framework.firms.queries import firm_of
from portal.framework.terms.forms import put_fault
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken
from portal.kernel.paging import row_id
from portal.rates.models import Edition
from portal.rates.queries import editions_in_force, trades
from portal.rates.reviews import queries, requests
from portal.rates.reviews.forms import ITEM, TRADE, RefuseForm, RequestForm
from portal.rates.reviews.models import PriceRequest
from portal.rates.reviews.rules import scope_text
from portal.rates.states import RequestStatus

bp = Blueprint("price_requests", __name__, template_folder="templates", url_prefix="/firm/price-requests")
#: What staff see of all contractors' requests.
staff = Blueprint("asked_rates", __name__, template_folder="templates", url_prefix="/rates/requests")

FIRM = Permission.MANAGE_OWN_FIRM


def settings() -> Settings:
    """The settings of this portal."""
    found: Settings = current_app.config["PORTAL"]
    return found


def subject(asked: PriceRequest) -> str:
    """What a request is about."""
    return scope_text((asked.trade, asked.code))


# The contractor's own -------------------------------------------------------------------------------------------------


@bp.get("")
@requires(FIRM)
def listed() -> ResponseReturnValue:
    """The firm's own requests and what became of them."""
    firm = firm_of(signed_in_person())
    return render_template("price_requests/listed.html", requests=queries.requests_of(firm.id), subject=subject)


@bp.route("/new", methods=["GET", "POST"])
@requires(FIRM)
def new() -> ResponseReturnValue:
    """Ask for another rate. Evidence is kept before the row that names it, and goes again when that fails."""
    person, now = signed_in_person(), clock.now()
    firm = firm_of(person)
    editions = editions_in_force(clock.local_date(now))
    form = RequestForm(schedule_code=request.args.get("schedule"))
    form.offer([(each.schedule.code, each.schedule.name) for each in editions], trades_of(editions))
    if not form.validate_on_submit():
        return new_page(form, editions, 422 if form.is_submitted() else 200)
    wanted = requests.RequestWanted(
        form.schedule_code.data,
        form.trade.data if form.applies_to.data == TRADE else "",
        form.code.data if form.applies_to.data == ITEM else "",
        form.asked_bp.data,
        form.reason.data,
    )
    try:
        file = sent_evidence(form)
        with kept(settings().uploads, file) if file else nullcontext() as stored_name, transaction():
            requests.make_request(
                firm.id, wanted, by=person.email, now=now, file=file, stored_name=stored_name
            )
    except (RuleBroken, Clash) as refused:
        put_fault(form, refused, "file" if form.file.data else "reason")
        return new_page(form, editions, 422)
    flash("Your request is sent. You get an email when it is answered.", "success")
    return redirect(url_for(".listed"))


def trades_of(editions: list[Edition]) -> list[str]:
    """The trades of some editions."""
    return sorted({trade for each in editions for trade in trades(each.id)})


def new_page(form: RequestForm, editions: list[Edition], status: int) -> ResponseReturnValue:
    """The page on which a contractor asks for another rate."""
    largest = f"{settings().largest_document / MEGABYTE:g}"
    return render_template("price_requests/new.html", form=form, editions=editions, largest_mb=largest), status


def sent_evidence(form: RequestForm) -> CheckedFile | None:
    """The file of a form, if there is one, read no further than a document may be large."""
    sent, largest = form.file.data, settings().largest_document
    if not sent:
        return None
    try:
        return check_file(sent.filename or "", sent.stream.read(largest + 1), largest)
    finally:
        sent.close()


@bp.get("/<int:request_id>/evidence")
@requires(FIRM)
def evidence(request_id: int) -> ResponseReturnValue:
    """The evidence of one of the firm's own requests."""
    return as_attachment(queries.own_request(firm_of(signed_in_person()).id, request_id))


@bp.post("/<int:request_id>/withdraw")
@requires(FIRM)
def withdraw(request_id: int) -> ResponseReturnValue:
    """Take a request back that nobody has answered yet."""
    person = signed_in_person()
    firm = firm_of(person)
    with transaction():
        asked = requests.withdraw_request(firm.id, request_id, by=person.email, now=clock.now())
    flash(f"{subject(asked)}: your request is withdrawn.", "success")
    return redirect(url_for(".listed"))


# Staff ----------------------------------------------------------------------------------------------------------------


@staff.get("", endpoint="listed")
@requires(Permission.SEE_RATES)
def all_listed() -> ResponseReturnValue:
    """All contractors' requests, those that wait first."""
    page, named = request.args.get("page", 1, type=row_id), request.args.get("status", "")
    status = RequestStatus(named) if named in set(RequestStatus) else None
    found = queries.requests(page, status)
    return render_template(
        "asked_rates/listed.html",
        requests=found[: queries.PAGE],
        more=len(found) > queries.PAGE,
        page=page,
        status=status,
        statuses=list(RequestStatus),
        subject=subject,
    )


@staff.get("/<int:request_id>")
@requires(Permission.SEE_RATES)
def one(request_id: int) -> ResponseReturnValue:
    """One request, and what to say about it."""
    return request_page(queries.request_by_id(request_id), RefuseForm(formdata=None))


def request_page(asked: PriceRequest, form: RefuseForm, status: int = 200) -> ResponseReturnValue:
    """The page of a request; the form may hold what was wrong."""
    return render_template(
        "asked_rates/one.html",
        asked=asked,
        subject=subject(asked),
        draft=queries.draft_of(asked.schedule_id) if asked.status is RequestStatus.OPEN else None,
        may_publish=signed_in_person().may(Permission.PUBLISH_RATES),
        form=form,
    ), status


@staff.get("/<int:request_id>/evidence", endpoint="evidence")
@requires(Permission.SEE_RATES)
def any_evidence(request_id: int) -> ResponseReturnValue:
    """The evidence of any contractor's request."""
    return as_attachment(queries.request_by_id(request_id))


@staff.post("/<int:request_id>/refuse")
@requires(Permission.PUBLISH_RATES)
def refuse(request_id: int) -> ResponseReturnValue:
    """Say no, and why."""
    form = RefuseForm()
    if not form.validate_on_submit():
        return request_page(queries.request_by_id(request_id), form, 422)
    with transaction():
        asked = requests.refuse_request(
            request_id, reason=form.reason.data, by=signed_in_person().email, now=clock.now()
        )
    flash(f"{subject(asked)}: the request is refused; the contractor is told why.", "success")
    return redirect(url_for(".listed"))


@staff.post("/<int:request_id>/take-up")
@requires(Permission.PUBLISH_RATES)
def take_up(request_id: int) -> ResponseReturnValue:
    """Take the request up into the draft of its schedule."""
    with transaction():
        review, ruled = requests.take_up_request(request_id, by=signed_in_person().email, now=clock.now())
    flash(
        "The request is taken up, and the contractor is told. "
        + (
            "A rule with the change asked for is in the review; change it there."
            if ruled
            else "The review has a rule for it already, which stays as it is."
        ),
        "success",
    )
    return redirect(url_for("price_reviews.one", price_review_id=review.id))


def as_attachment(asked: PriceRequest) -> ResponseReturnValue:
    """The evidence under its own name and type, never shown in the page; ``NotFound`` when there is none."""
    content = None
    if asked.stored_name is not None:
        content = kept_content(settings().uploads, asked.stored_name, asked.sha256)
        if content is None:
            current_app.logger.error("The evidence of price request %s is missing or has changed.", asked.id)
    if content is None:
        raise NotFound("There is no such file.")
    answer = send_file(BytesIO(content), mimetype=asked.media_type, as_attachment=True, download_name=asked.file_name)
    answer.cache_control.no_store = True
    return answer
