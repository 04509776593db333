"""The quotes of a job that is bought by quotations: who quoted what, and the direction to do without the others."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovSubmitInput, GovTextArea
from wtforms import SelectField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.fields import DayField, Needed, PoundsField
from portal.jobs import queries, quotations
from portal.jobs.models import Job
from portal.jobs.quotations import MOST_PENCE, WAITING, Quotations
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.money import shown

bp = Blueprint("quotations", __name__, template_folder="templates", url_prefix="/jobs")


def a_quote(_form: FlaskForm, field: PoundsField) -> None:
    """An amount that a quote can have."""
    if not 0 < (field.data or 0) <= MOST_PENCE:
        raise ValidationError(f"The amount must be above £0 and not above {shown(MOST_PENCE)}")


class EstimateForm(FlaskForm):  # type: ignore[misc]
    """A member's quote."""

    member = SelectField("Member", widget=GovSelect(), coerce=str, validators=[InputRequired("Choose the member")])
    amount = PoundsField(
        "Amount",
        validators=[Needed("Enter the amount of the quote"), a_quote],
        description="In pounds, for all the works of the job, excluding VAT.",
    )
    received_on = DayField(
        "Received on",
        validators=[Needed("Enter the day on which the quote arrived")],
        description="For example 27 3 2027.",
    )
    submit = SubmitField("Record the quote", widget=GovSubmitInput())


class DirectionForm(FlaskForm):  # type: ignore[misc]
    """Do without the missing quotes."""

    reason = TextAreaField(
        "Why the job goes ahead without them",
        widget=GovTextArea(),
        validators=[
            InputRequired("Give the reason; it is kept with the job"),
            Length(max=500, message="The reason has at most 500 characters"),
        ],
        description="Do not write about the client’s health or means.",
    )
    decide = SubmitField("Do without the missing quotes", widget=GovSubmitInput())


def own_job(reference: str) -> Job:
    """A job that this person may see; ``NotFound`` for any other."""
    return queries.job_by_reference(reference, signed_in_person())


def page(job: Job, form: EstimateForm | None = None, direction_form: DirectionForm | None = None) -> str:
    """The page, with a form that was refused or with fresh ones."""
    today = clock.local_date(clock.now())
    seen = quotations.quotations_for(job, today)
    estimate_form = form or EstimateForm(formdata=None, received_on=today)
    estimate_form.member.choices = member_choices(seen)
    return render_template(
        "jobs/quotes.html",
        job=job,
        seen=seen,
        waits=job.status in WAITING,
        estimate_form=estimate_form,
        direction_form=direction_form or DirectionForm(formdata=None),
        form=form or direction_form,
    )


def member_choices(seen: Quotations) -> list[SelectChoice]:
    """The members who can quote, with nobody chosen at first."""
    return [
        SelectChoice("", "Choose a member"),
        *(
            SelectChoice(str(each.member.member_id), f"{each.member.name} ({each.member.code})")
            for each in sorted(seen.quoted, key=lambda each: each.member.code)
            if each.member.active
        ),
    ]


@bp.get("/<path:reference>/quotes")
@requires(Permission.SEE_JOBS)
def listed(reference: str) -> ResponseReturnValue:
    """The members of the job's lot with their quotes, the lowest first."""
    return page(own_job(reference))


@bp.post("/<path:reference>/quotes")
@requires(Permission.ALLOCATE_JOB)
def record(reference: str) -> ResponseReturnValue:
    """Record a member's quote, or correct it while nothing has been offered."""
    job, form = own_job(reference), EstimateForm()
    form.member.choices = member_choices(quotations.quotations_for(job, clock.local_date(clock.now())))
    if not form.validate_on_submit():
        return page(job, form=form), 422
    amount_pence = form.amount.data or 0
    with transaction():
        quotations.record_estimate(
            job.id,
            int(form.member.data),
            amount_pence,
            form.received_on.data,
            by=signed_in_person().email,
            now=clock.now(),
        )
    flash(f"The quote of {shown(amount_pence)} is recorded.", "success")
    return redirect(url_for(".listed", reference=job.reference))


@bp.post("/<path:reference>/direction")
@requires(Permission.ALLOCATE_JOB)
def direct(reference: str) -> ResponseReturnValue:
    """Decide to do without the quotes that are missing."""
    job, form = own_job(reference), DirectionForm()
    if not form.validate_on_submit():
        return page(job, direction_form=form), 422
    with transaction():
        quotations.decide_without_quotes(job.id, reason=form.reason.data, by=signed_in_person().email, now=clock.now())
    flash("It is recorded that this job goes ahead without the missing quotes.", "success")
    return redirect(url_for(".listed", reference=job.reference))
