"""Set frameworks up and change them: terms, extensions, decisions on the value cap, who takes part."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import OrganisationKind, Permission
from portal.accounts.queries import organisations
from portal.config import Settings
from portal.framework.rules import Longest
from portal.framework.terms import services
from portal.framework.terms.forms import (
    CapForm,
    EndParticipationForm,
    ExtendForm,
    NewFrameworkForm,
    ParticipationForm,
    TermsForm,
    put_fault,
    terms_as_entered,
)
from portal.framework.terms.queries import cap_decisions_of, framework_in_full, participation_of
from portal.kernel import clock
from portal.kernel.clock import date_text
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken
from portal.kernel.money import shown

bp = Blueprint("manage", __name__, template_folder="templates", url_prefix="/framework")


def longest() -> Longest:
    """How many years a framework may run here."""
    settings: Settings = current_app.config["PORTAL"]
    return settings.longest


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def new() -> ResponseReturnValue:
    """A new framework, direct contract or list for quotations."""
    form = NewFrameworkForm()
    if not form.validate_on_submit():
        return terms_page(form), 422 if form.is_submitted() else 200
    code = form.code.data.strip()
    try:
        with transaction():
            services.create_framework(
                code, form.terms(), by=signed_in_person().email, now=clock.now(), longest=longest()
            )
    except (RuleBroken, Clash) as fault:
        put_fault(form, fault, "name")
        return terms_page(form), 422
    flash("The framework is there. Add the authorities that take part, then its lots.", "success")
    return redirect(url_for("framework.one", code=code))


@bp.route("/<code>/edit", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def edit(code: str) -> ResponseReturnValue:
    """Change a framework's terms."""
    framework, now = framework_in_full(code), clock.now()
    form = TermsForm(data=terms_as_entered(services.terms_of(framework)))
    name, started = framework.name, services.has_started(framework, clock.local_date(now))
    if not form.validate_on_submit():
        return terms_page(form, code, name, started=started), 422 if form.is_submitted() else 200
    try:
        with transaction():
            services.change_framework(
                framework.id, form.terms(), by=signed_in_person().email, now=now, longest=longest()
            )
    except (RuleBroken, Clash) as fault:
        put_fault(form, fault, "name")
        return terms_page(form, code, name, started=started), 422
    flash("The terms are changed.", "success")
    return redirect(url_for("framework.one", code=code))


def terms_page(form: NewFrameworkForm, code: str | None = None, name: str = "", *, started: bool = False) -> str:
    """The page around the terms of a new framework, or of the one with ``code``, which may have started."""
    return render_template(
        "framework/terms.html", form=form, code=code, name=name, started=started, longest=longest()
    )


@bp.route("/<code>/extend", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def extend(code: str) -> ResponseReturnValue:
    """Move a framework's end to a later day, with a reason."""
    framework = framework_in_full(code)
    form = ExtendForm()
    if form.validate_on_submit():
        try:
            with transaction():
                services.extend_framework(
                    framework.id,
                    form.until.data,
                    reason=form.reason.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                    longest=longest(),
                )
        except RuleBroken as fault:
            put_fault(form, fault, "until")
        else:
            flash(f"The framework runs until {date_text(form.until.data)} now.", "success")
            return redirect(url_for("framework.one", code=code))
    page = render_template("framework/extend.html", form=form, framework=framework, longest=longest())
    return page, 422 if form.is_submitted() else 200


@bp.route("/<code>/cap-decision", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def decide_on_cap(code: str) -> ResponseReturnValue:
    """Record a decision to call off beyond the value cap."""
    framework = framework_in_full(code)
    form = CapForm()
    if form.validate_on_submit():
        try:
            with transaction():
                services.decide_on_cap(
                    framework.id,
                    form.allowed_pence.data,
                    reason=form.reason.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                )
        except RuleBroken as fault:
            put_fault(form, fault, "allowed_pence")
        else:
            flash(f"Call-offs may go up to {shown(form.allowed_pence.data)} now.", "success")
            return redirect(url_for("framework.one", code=code))
    page = render_template(
        "framework/cap.html", form=form, framework=framework, decisions=cap_decisions_of(framework.id)
    )
    return page, 422 if form.is_submitted() else 200


# Who takes part -------------------------------------------------------------------------------------------------------


@bp.route("/<code>/authorities/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def add_authority(code: str) -> ResponseReturnValue:
    """Let an authority call the framework off."""
    framework = framework_in_full(code)
    authorities = organisations(OrganisationKind.AUTHORITY)
    form = ParticipationForm()
    form.authority.choices = [
        SelectChoice("", "Choose an authority"),
        *(SelectChoice(each.code, each.name) for each in authorities),
    ]
    if form.validate_on_submit():
        authority = next(each for each in authorities if each.code == form.authority.data)
        try:
            with transaction():
                services.add_participation(
                    framework,
                    authority,
                    from_on=form.from_on.data,
                    to_on=form.to_on.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                )
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "from_on")
        else:
            flash(f"{authority.name} takes part.", "success")
            return redirect(url_for("framework.one", code=code))
    page = render_template("framework/authority.html", form=form, framework=framework)
    return page, 422 if form.is_submitted() else 200


@bp.route("/<code>/authorities/<int:participation_id>/end", methods=["GET", "POST"])
@requires(Permission.MANAGE_FRAMEWORK)
def end_authority(code: str, participation_id: int) -> ResponseReturnValue:
    """Let an authority's access end."""
    participation = participation_of(code, participation_id)
    form = EndParticipationForm()
    if form.validate_on_submit():
        try:
            with transaction():
                services.end_participation(
                    participation.id, form.to_on.data, by=signed_in_person().email, now=clock.now()
                )
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "to_on")
        else:
            flash(f"The access of {participation.authority.name} ends on {date_text(form.to_on.data)}.", "success")
            return redirect(url_for("framework.one", code=code))
    page = render_template("framework/end_authority.html", form=form, participation=participation)
    return page, 422 if form.is_submitted() else 200


@bp.post("/<code>/authorities/<int:participation_id>/lead")
@requires(Permission.MANAGE_FRAMEWORK)
def lead(code: str, participation_id: int) -> ResponseReturnValue:
    """Let an authority lead the framework."""
    participation = participation_of(code, participation_id)
    with transaction():
        services.set_lead(participation.id, by=signed_in_person().email, now=clock.now())
    flash(f"{participation.authority.name} leads the framework.", "success")
    return redirect(url_for("framework.one", code=code))
