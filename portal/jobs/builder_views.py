"""Build the specification of a draft: the catalogue beside its lines, templates, and who could take it when."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.jobs import building, queries, specification
from portal.jobs.forms import FillForm, HoursForm, LineForm, QuantityForm
from portal.jobs.models import Job
from portal.jobs.prospects import prospects_for
from portal.jobs.states import JobStatus
from portal.jobs.views import nation
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import RuleBroken, WrongState
from portal.rates import catalogue_views
from portal.rates.star_rates.queries import beside, star_rates_in_force
from portal.rates.work_templates.queries import in_edition, templates

bp = Blueprint("builder", __name__, template_folder="templates", url_prefix="/jobs")
FOUND = 20
#: What an address of the page may carry from one search to the next step.
CARRIED = ("words", "trade", "unit", "price_from", "price_to", "after")


def draft_for(reference: str) -> Job:
    """A job that this person may specify; ``NotFound`` for any other."""
    return queries.draft_by_reference(reference, signed_in_person())


def back_to(job: Job, anchor: str) -> ResponseReturnValue:
    """The page of the draft again, with the search as it was."""
    carried: dict[str, Any] = {name: request.args[name] for name in CARRIED if request.args.get(name)}
    return redirect(url_for(".works", reference=job.reference, **carried, _anchor=anchor))


@bp.get("/<path:reference>/works")
@requires(Permission.SPECIFY_JOB)
def works(reference: str) -> ResponseReturnValue:
    """The specification of a draft: the catalogue beside its lines and running total."""
    job = draft_for(reference)
    if job.status is not JobStatus.DRAFT:
        return redirect(url_for("jobs.one", reference=job.reference))
    return works_page(job)


def works_page(job: Job, fault: str = "", about: str = "") -> ResponseReturnValue:
    """The page, or its hits alone; ``fault`` says why what was sent was refused, ``about`` is the id of its field."""
    now = clock.now()
    search = catalogue_views.search(job.edition_id, FOUND)
    stars = (
        beside(
            search.finding,
            search.wanted,
            star_rates_in_force(job.edition.schedule_id, job.authority_id, clock.local_date(now)),
        )
        if search.finding is not None
        else []
    )
    shown = {"job": job, "search": search, "stars": stars, "today": clock.local_date(now)}
    if catalogue_views.only_hits():
        return render_template("jobs/hits.html", **shown), search.status
    page = render_template(
        "jobs/works.html",
        **shown,
        form=search.form,
        fault=fault,
        about=about,
        prospects=prospects_for(job, now, nation()) if job.lines else None,
    )
    return page, 422 if fault else search.status


def said(form: FlaskForm) -> str:
    """The first thing that is wrong with a form, as a sentence."""
    return str(next(iter(form.errors.values()))[0]) + "."


@bp.post("/<path:reference>/lines")
@requires(Permission.SPECIFY_JOB)
def add_line(reference: str) -> ResponseReturnValue:
    """Add an item to a draft."""
    job, form = draft_for(reference), LineForm()
    if not form.validate_on_submit():
        return refused(job, said(form), "words")
    try:
        with transaction():
            line = specification.add_line(
                job.id, form.code.data, Decimal(form.quantity.data), by=signed_in_person().email, now=clock.now()
            )
    except RuleBroken as fault:
        return refused(job, str(fault), "words")
    flash(f"{line.description} is on the job.", "success")
    return back_to(job, "catalogue")


@bp.post("/<path:reference>/lines/<int:position>/quantity")
@requires(Permission.SPECIFY_JOB)
def change_quantity(reference: str, position: int) -> ResponseReturnValue:
    """Give a line another quantity."""
    job, form = draft_for(reference), QuantityForm()
    field = f"quantity-{position}"
    if not form.validate_on_submit():
        return refused(job, said(form), field)
    try:
        with transaction():
            line = building.change_quantity(
                job.id, position, Decimal(form.quantity.data), by=signed_in_person().email, now=clock.now()
            )
    except RuleBroken as fault:
        return refused(job, str(fault), field)
    flash(f"The quantity of {line.description} is changed.", "success")
    return back_to(job, "on-the-job")


@bp.post("/<path:reference>/lines/<int:position>/remove")
@requires(Permission.SPECIFY_JOB)
def remove_line(reference: str, position: int) -> ResponseReturnValue:
    """Take an item off a draft."""
    job = draft_for(reference)
    with transaction():
        specification.remove_line(job.id, position, by=signed_in_person().email, now=clock.now())
    return back_to(job, "on-the-job")


@bp.get("/<path:reference>/templates")
@requires(Permission.SPECIFY_JOB)
def choose_template(reference: str) -> ResponseReturnValue:
    """The templates that can fill a draft: what each would add, and what keeps it from doing so."""
    job = draft_for(reference)
    if job.status is not JobStatus.DRAFT:
        return redirect(url_for("jobs.one", reference=job.reference))
    return templates_page(job)


def templates_page(job: Job, fault: str = "") -> ResponseReturnValue:
    """The templates of the job's schedule, those of its work type first."""
    found = sorted(templates(job.edition.schedule_id), key=lambda each: each.work_type != job.work_type)
    return render_template(
        "jobs/templates.html",
        job=job,
        shown=in_edition(found, job.edition, clock.local_date(clock.now())),
        fault=fault,
    ), 422 if fault else 200


@bp.post("/<path:reference>/templates")
@requires(Permission.SPECIFY_JOB)
def fill(reference: str) -> ResponseReturnValue:
    """Add every item of a template, or nothing."""
    job, form = draft_for(reference), FillForm()
    if not form.validate_on_submit():
        refuse_unless_draft(job)
        return templates_page(job, "Choose a template.")
    try:
        with transaction():
            template = building.fill_from_template(
                job.id, int(form.template_id.data), by=signed_in_person().email, now=clock.now()
            )
    except RuleBroken as fault:
        return templates_page(draft_for(reference), str(fault))
    flash(f"The items of “{template.name}” are on the job.", "success")
    return back_to(job, "on-the-job")


@bp.post("/<path:reference>/hours")
@requires(Permission.SPECIFY_JOB)
def set_hours(reference: str) -> ResponseReturnValue:
    """Say whether the works are done outside working hours."""
    job, form = draft_for(reference), HoursForm()
    if not form.validate_on_submit():
        raise RuleBroken(said(form))
    with transaction():
        building.set_out_of_hours(
            job.id, form.out_of_hours.data == "yes", by=signed_in_person().email, now=clock.now()
        )
    return back_to(job, "on-the-job")


@bp.post("/<path:reference>/specified")
@requires(Permission.SPECIFY_JOB)
def finish(reference: str) -> ResponseReturnValue:
    """Close the specification of a draft."""
    job = draft_for(reference)
    try:
        with transaction():
            specification.finish_specification(job.id, by=signed_in_person().email, now=clock.now())
    except RuleBroken as fault:
        return refused(job, str(fault), "on-the-job")
    flash("The works are specified. The job can be allocated now.", "success")
    return redirect(url_for("jobs.one", reference=job.reference))


def refused(job: Job, fault: str, about: str) -> ResponseReturnValue:
    """The page again with what is wrong."""
    refuse_unless_draft(job)
    return works_page(draft_for(job.reference), fault, about)


def refuse_unless_draft(job: Job) -> None:
    """``WrongState`` for a job whose works are settled."""
    if job.status is not JobStatus.DRAFT:
        raise WrongState(f"The job {job.reference} is {job.status.value}; its lines can no longer be changed.")
