"""A firm's own pages, on a phone first: its account, where it stands, its details, availability and applications."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user

from portal.accounts.guard import public, requires, signed_in_person
from portal.accounts.policy import Permission, Role
from portal.accounts.services import clean_email
from portal.accounts.views import limiter
from portal.config import Settings
from portal.framework.firms import joining, queries
from portal.framework.firms import services as firms
from portal.framework.firms.forms import (
    NO,
    YES,
    AbsenceForm,
    AcceptsFromForm,
    ApplyForm,
    AskForm,
    DetailsForm,
    JoinForm,
)
from portal.framework.firms.queries import OpenLot
from portal.framework.member_models import Contractor
from portal.framework.rules import earliest_start
from portal.framework.states import document_title
from portal.kernel import audit, clock
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken
from portal.kernel.paging import row_id

bp = Blueprint("firm", __name__, template_folder="templates")
FIRM = Permission.MANAGE_OWN_FIRM


def asked_address() -> str:
    """The address that a link is asked for, however it is spelt: nobody fills somebody else's mailbox."""
    typed = request.form.get("email", "").strip()[:254]
    try:
        return f"apply:{clean_email(typed)}"
    except RuleBroken:
        return f"apply:{typed.lower()}"


def link_sent(response: Response) -> bool:
    """Whether the answer sent a link: mistyped addresses do not count against an hour's links."""
    return response.status_code == 302


@bp.route("/apply", methods=["GET", "POST"])
@public
@limiter.limit("5/hour", methods=["POST"], key_func=asked_address, deduct_when=link_sent)
@limiter.limit("20/hour", methods=["POST"], key_func=get_remote_address, deduct_when=link_sent)
@limiter.limit("30/minute", methods=["POST"])
def join() -> ResponseReturnValue:
    """Ask for the link to a new account. The answer is the same whoever has one already."""
    if current_user.is_authenticated:
        return led_back()
    form = AskForm()
    if not form.validate_on_submit():
        return render_template("firm/join.html", form=form), 422 if form.is_submitted() else 200
    now = clock.now()
    token = joining.sealed(form.email.data, key=secret_key(), until=now + joining.HOLDS)
    links = joining.Links(on_this_site(".make_account", token=token), on_this_site("accounts.sign_in"))
    with transaction():
        session["asked_for"] = joining.send_link(form.email.data, links, now=now)
    return redirect(url_for(".link_asked"))


@bp.get("/apply/sent")
@public
def link_asked() -> ResponseReturnValue:
    """What happens next."""
    return render_template("firm/link_sent.html", email=session.get("asked_for"))


@bp.route("/apply/<token>", methods=["GET", "POST"])
@public
@limiter.limit("30/minute", methods=["POST"])
def make_account(token: str) -> ResponseReturnValue:
    """Make an account for a firm that is not on any list yet, with the address of the link, and sign it in."""
    if current_user.is_authenticated:
        return led_back()
    now = clock.now()
    email, until = joining.opened(token, key=secret_key())
    used = joining.has_account(email)
    if used or now >= until:
        return link_over(used)
    form = JoinForm()
    if not form.validate_on_submit():
        return account_page(form, email, token, 422 if form.is_submitted() else 200)
    try:
        with transaction():
            person = firms.add_firm(
                firms.NewFirm(
                    form.company.data,
                    form.contact.data,
                    form.password.data,
                    details_in(form, email),
                    form.company_number.data or "",
                ),
                now=now,
            )
            audit.record("signed in", f"person:{person.email}", at=now, actor=person.email)
    except (Clash, RuleBroken) as refused:
        if joining.has_account(email):  # made a moment ago, by the same link
            return link_over(True)
        form.company_number.errors = [str(refused)]
        return account_page(form, email, token, 409 if isinstance(refused, Clash) else 422)
    session.clear()  # nothing planted before sign-in survives it
    session.permanent = True
    login_user(person)
    flash("Your account is made. Now apply for the lots that you want to work in.", "success")
    return redirect(url_for(".overview"))


def led_back() -> ResponseReturnValue:
    """To the own page of whoever is signed in."""
    return redirect(url_for(".overview" if current_user.role is Role.CONTRACTOR else "worklist.home"))


def account_page(form: JoinForm, email: str, token: str, status: int) -> ResponseReturnValue:
    """The form of a new account, its address fixed."""
    return render_template("firm/make_account.html", form=form, email=email, token=token), status


def link_over(used: bool) -> ResponseReturnValue:
    """The page of a link that was used, or held too long ago."""
    return render_template("firm/link_over.html", used=used), 410


def secret_key() -> str:
    """What links are sealed with."""
    settings: Settings = current_app.config["PORTAL"]
    return settings.secret_key


def on_this_site(endpoint: str, **values: Any) -> str:
    """The whole address of a page, for mail: as the portal's settings say or, without them, as the visitor came."""
    settings: Settings = current_app.config["PORTAL"]
    return urljoin(settings.address or request.host_url, url_for(endpoint, **values))


def details_in(form: DetailsForm, email: str) -> firms.FirmDetails:
    """What a form says of a firm whose address is ``email``."""
    return firms.FirmDetails(
        email,
        form.phone.data,
        form.postcode.data,
        form.sme.data == YES,
        form.capacity.data or 0,
        form.month_limit.data,
        form.trades.data,
        form.social_value.data or "",
    )


@bp.get("/firm")
@requires(FIRM)
def overview() -> ResponseReturnValue:
    """Where the firm stands: each membership and application with its reason, and what is missing."""
    firm = queries.firm_of(signed_in_person())
    today = clock.local_date(clock.now())
    memberships = queries.memberships_of(firm, today)
    return render_template(
        "firm/overview.html",
        firm=firm,
        details=firms.details_of(firm),
        memberships=[each for each in memberships if not each.ended],
        ended=[each for each in memberships if each.ended],
        can_start=earliest_start(today, firm.accepts_from, [(each.from_on, each.to_on) for each in firm.absences]),
        today=today,
    )


# Applying -------------------------------------------------------------------------------------------------------------


@bp.get("/firm/apply")
@requires(FIRM)
def apply() -> ResponseReturnValue:
    """Choose a lot; then where, at which adjustment, and why this firm."""
    firm = queries.firm_of(signed_in_person())
    found = wanted_lot(firm)
    if isinstance(found, list):
        return choose_lot(found)
    today = clock.local_date(clock.now())
    past = next(
        (each.member for each in queries.memberships_of(firm, today) if each.member.lot_id == found.lot.id), None
    )
    areas = [queries.code_of_area(area) for area in past.areas] if past else []
    form = ApplyForm(
        formdata=None,
        areas=areas,
        districts=tuple(area.district for area in past.areas if area.district) if past else (),
        adjustment=past.adjustment_bp if past else None,
        social_value=firm.social_value,
    )
    return application(found, form)


@bp.post("/firm/apply")
@requires(FIRM)
def send_application() -> ResponseReturnValue:
    """Send the application: both sides are told."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    found = wanted_lot(firm)
    if isinstance(found, list):
        return choose_lot(found, "Choose the lot that you apply for", 422)
    form = ApplyForm()
    form.offer(queries.authorities_to_serve(found.lot, clock.local_date(clock.now())))
    if not form.validate_on_submit():
        return application(found, form, 422)
    try:
        with transaction():
            firms.apply_for_lot(
                firm.id,
                found.lot.id,
                areas=[*form.areas.data, *form.districts.data],
                adjustment_bp=form.adjustment.data or 0,
                social_value=form.social_value.data or "",
                by=person.email,
                now=clock.now(),
            )
    except RuleBroken as broken:
        form.areas.errors = [str(broken)]
        return application(found, form, 422)
    flash(f"Your application for {found.lot.name} is sent. You get an e-mail with the decision.", "success")
    return redirect(url_for(".overview"))


def wanted_lot(firm: Contractor) -> OpenLot | list[OpenLot]:
    """The lot that the address names, or all that can be applied for when it names none.

    Raises ``Clash`` for a lot where the firm has a place already, or that takes nobody.
    """
    lots = queries.open_lots(firm, clock.local_date(clock.now()))
    lot_id = request.args.get("lot", type=row_id)
    if lot_id is None:
        return lots
    found = next((each for each in lots if each.lot.id == lot_id), None)
    if found is None:
        raise Clash("You have applied for this lot already, or are a member of it, or it takes no applications.")
    return found


def choose_lot(lots: list[OpenLot], fault: str = "", status: int = 200) -> ResponseReturnValue:
    """The page on which a firm chooses a lot."""
    return render_template("firm/choose_lot.html", lots=lots, fault=fault), status


def application(found: OpenLot, form: ApplyForm, status: int = 200) -> ResponseReturnValue:
    """The page of an application."""
    if form.areas.choices is None:
        form.offer(queries.authorities_to_serve(found.lot, clock.local_date(clock.now())))
    return render_template(
        "firm/apply.html",
        lot=found.lot,
        asked=[document_title(each.kind) for each in found.lot.requirements if each.required],
        next_review_on=found.next_review_on,
        form=form,
    ), status


# Details and availability ---------------------------------------------------------------------------------------------


@bp.route("/firm/details", methods=["GET", "POST"])
@requires(FIRM)
def details() -> ResponseReturnValue:
    """Change how to reach the firm, how much work it takes, its trades and its social value statement."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    now_known = firms.details_of(firm)
    form = DetailsForm(
        email=now_known.email,
        phone=now_known.phone,
        postcode=now_known.postcode,
        sme=YES if now_known.sme else NO,
        capacity=now_known.capacity,
        month_limit=now_known.month_limit_pence,
        trades=now_known.trades,
        social_value=now_known.social_value,
    )
    if not form.validate_on_submit():
        return render_template("firm/details.html", form=form, firm=firm), 422 if form.is_submitted() else 200
    with transaction():
        firms.change_details(firm.id, details_in(form, form.email.data), by=person.email, now=clock.now())
    flash("Your details are saved.", "success")
    return redirect(url_for(".overview"))


@bp.get("/firm/availability")
@requires(FIRM)
def availability() -> ResponseReturnValue:
    """From when the firm can start, and its days away."""
    return availability_page(queries.firm_of(signed_in_person()))


def availability_page(
    firm: Contractor,
    start: AcceptsFromForm | None = None,
    away: AbsenceForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The page on availability, with what was wrong in one of its two forms."""
    today = clock.local_date(clock.now())
    periods = [(each.from_on, each.to_on) for each in firm.absences]
    return render_template(
        "firm/availability.html",
        form=start if start and start.errors else away,
        start=start or AcceptsFromForm(formdata=None, accepts_from=firm.accepts_from),
        away=away or AbsenceForm(formdata=None),
        absences=[each for each in firm.absences if each.to_on > today],
        can_start=earliest_start(today, firm.accepts_from, periods),
        today=today,
    ), status


@bp.post("/firm/availability/start")
@requires(FIRM)
def set_start() -> ResponseReturnValue:
    """Set the earliest start, or take it away."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    form = AcceptsFromForm()
    if not form.validate_on_submit():
        return availability_page(firm, start=form, status=422)
    try:
        with transaction():
            firms.set_accepts_from(firm.id, form.accepts_from.data, by=person.email, now=clock.now())
    except RuleBroken as broken:
        form.accepts_from.errors = [str(broken)]
        return availability_page(queries.firm_of(person), start=form, status=422)
    flash("Your earliest start is saved.", "success")
    return redirect(url_for(".availability"))


@bp.post("/firm/availability/absences")
@requires(FIRM)
def add_absence() -> ResponseReturnValue:
    """Add days away."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    form = AbsenceForm()
    if not form.validate_on_submit():
        return availability_page(firm, away=form, status=422)
    try:
        with transaction():
            firms.add_absence(firm.id, form.first_day.data, form.last_day.data, by=person.email, now=clock.now())
    except (RuleBroken, Clash) as refused:
        form.last_day.errors = [str(refused)]
        status = 409 if isinstance(refused, Clash) else 422
        return availability_page(queries.firm_of(person), away=form, status=status)
    flash("Your days away are saved.", "success")
    return redirect(url_for(".availability"))


@bp.post("/firm/availability/absences/<int:absence_id>/remove")
@requires(FIRM)
def remove_absence(absence_id: int) -> ResponseReturnValue:
    """Take days away off again."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    with transaction():
        firms.remove_absence(firm.id, absence_id, by=person.email, now=clock.now())
    flash("The days away are taken off.", "success")
    return redirect(url_for(".availability"))
