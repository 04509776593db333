"""Who pays for a job and at which VAT: recorded by the officers of its authority, read by who sees its jobs, never by
contractors.
"""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.config import Settings
from portal.framework.terms.forms import put_fault
from portal.jobs import funding, queries
from portal.jobs.funding import DECLARED_WORDS
from portal.jobs.funding_forms import DeclarationForm, FundingForm
from portal.jobs.models import Job
from portal.jobs.ordering import client_commissions
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken
from portal.rates.vat import NEEDS, NO_ZERO_RATE, ZERO, Declared

bp = Blueprint("funding", __name__, template_folder="templates", url_prefix="/jobs")


def own_job(reference: str) -> Job:
    """A job of this person's authority; ``NotFound`` for any other."""
    return queries.job_by_reference(reference, signed_in_person())


def page(job: Job, declaration_form: DeclarationForm | None = None, funding_form: FundingForm | None = None) -> str:
    """The page, with a form that was refused or with fresh ones."""
    settings: Settings = current_app.config["PORTAL"]
    seen = funding.funding_of(job, settings.grant_cap_pence)
    refused: FlaskForm | None = declaration_form or funding_form
    return render_template(
        "jobs/funding.html",
        job=job,
        seen=seen,
        words=DECLARED_WORDS,
        records=signed_in_person().may(Permission.SPECIFY_JOB),
        declaration_form=declaration_form or DeclarationForm(formdata=None),
        funding_form=funding_form or FundingForm.of(seen.recorded),
        form=refused,
    )


@bp.get("/<path:reference>/funding")
@requires(Permission.SEE_JOBS)
def one(reference: str) -> ResponseReturnValue:
    """The total with VAT, how it is paid, and the client's declarations."""
    return page(own_job(reference))


@bp.post("/<path:reference>/funding")
@requires(Permission.SPECIFY_JOB)
def record(reference: str) -> ResponseReturnValue:
    """Record the client's contribution and the agreed top-up."""
    job, form = own_job(reference), FundingForm()
    if form.validate_on_submit():
        try:
            with transaction():
                funding.record_funding(
                    job.id,
                    contribution_pence=form.contribution.data,
                    agreed_pence=form.agreed.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                )
        except RuleBroken as broken:
            put_fault(form, broken, "contribution")
        else:
            flash("The funding is recorded.", "success")
            return redirect(url_for(".one", reference=reference))
    return page(own_job(reference), funding_form=form), 422


@bp.post("/<path:reference>/declarations")
@requires(Permission.SPECIFY_JOB)
def declare(reference: str) -> ResponseReturnValue:
    """Record a declaration of the client."""
    job, form = own_job(reference), DeclarationForm()
    if form.validate_on_submit():
        try:
            with transaction():
                funding.record_declaration(
                    job.id,
                    Declared(form.kind.data),
                    form.signed_on.data,
                    form.kept_at.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                )
        except (RuleBroken, Clash) as refused:
            put_fault(form, refused, "kind")
        else:
            flash(said("recorded", own_job(reference), Declared(form.kind.data)), "success")
            return redirect(url_for(".one", reference=reference))
    return page(own_job(reference), declaration_form=form), 422


@bp.post("/<path:reference>/declarations/<int:declaration_id>/withdraw")
@requires(Permission.SPECIFY_JOB)
def withdraw(reference: str, declaration_id: int) -> ResponseReturnValue:
    """Take a declaration back that was wrong."""
    job = own_job(reference)
    with transaction():
        declaration = funding.withdraw_declaration(job.id, declaration_id, by=signed_in_person().email, now=clock.now())
    flash(said("withdrawn", own_job(reference), declaration.kind), "success")
    return redirect(url_for(".one", reference=reference))


def said(what: str, job: Job, kind: Declared) -> str:
    """What became of a declaration, and what it changes."""
    if funding.has_order(job):
        return f"The declaration is {what}. The order that was accepted keeps its VAT."
    if kind is NEEDS[ZERO] and not client_commissions(job.lot.framework):
        return f"The declaration is {what}. It changes no VAT: {NO_ZERO_RATE}."
    return f"The declaration is {what}. The VAT of the order to come follows it."
