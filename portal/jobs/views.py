"""Jobs: the list, one job, its specification, its allocation."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind, Permission
from portal.accounts.queries import organisations
from portal.config import Settings
from portal.framework.queries import work_types_of
from portal.framework.states import Priority
from portal.jobs import queries, services, specification
from portal.jobs.forms import JobForm, StartedForm, WithdrawForm
from portal.jobs.job_file import NewJob
from portal.jobs.order_prices import declarations_of, standing_offer, standing_price
from portal.jobs.states import JobStatus
from portal.kernel import clock
from portal.kernel.audit import events_on
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken
from portal.kernel.paging import row_id
from portal.kernel.working_time import Nation
from portal.rates.queries import editions_in_force

bp = Blueprint("jobs", __name__, template_folder="templates", url_prefix="/jobs")


def nation() -> Nation:
    """The nation whose bank holidays count."""
    settings: Settings = current_app.config["PORTAL"]
    return settings.nation


@bp.get("")
@requires(Permission.SEE_JOBS)
def listed() -> ResponseReturnValue:
    """Jobs, the newest first, by state or by the beginning of the reference."""
    status = request.args.get("status", "")
    wanted = queries.JobFilter(
        JobStatus(status) if status in {each.value for each in JobStatus} else None,
        request.args.get("reference", "").strip()[:64],
        request.args.get("after", type=row_id),
    )
    jobs = queries.listed_jobs(signed_in_person(), wanted)
    return render_template(
        "jobs/listed.html",
        jobs=jobs[: queries.PAGE],
        more=len(jobs) > queries.PAGE,
        wanted=wanted,
        statuses=list(JobStatus),
    )


def own_authorities(person: Person) -> list[Organisation]:
    """The authorities for which this person may specify jobs."""
    return [
        organisation
        for organisation in organisations(OrganisationKind.AUTHORITY)
        if person.authority_scope in (None, organisation.id)
    ]


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.SPECIFY_JOB)
def new() -> ResponseReturnValue:
    """A new job: who and where."""
    person = signed_in_person()
    form = JobForm()
    authorities = own_authorities(person)
    form.authority.choices = [SelectChoice(organisation.code, organisation.name) for organisation in authorities]
    types = sorted(
        {
            work_type
            for organisation in authorities
            for work_type in work_types_of(organisation.id, clock.local_date(clock.now()))
        }
    )
    form.work_type.choices = [
        SelectChoice("", "Choose a work type"),
        *(SelectChoice(each, each) for each in types),
    ]
    now = clock.now()
    editions = {edition.schedule.code: edition for edition in editions_in_force(clock.local_date(now))}
    form.schedule.choices = [SelectChoice(code, edition.schedule.name) for code, edition in editions.items()]
    if not form.validate_on_submit():
        return render_template("jobs/new.html", form=form), 422 if form.is_submitted() else 200
    job = NewJob(
        form.reference.data,
        form.authority.data,
        form.work_type.data,
        Priority(form.priority.data),
        form.postcode.data,
        form.client.data or "",
        form.address.data,
        form.client_phone.data or "",
        form.required_start.data,
        (),
        out_of_hours=form.out_of_hours.data,
    )
    try:
        with transaction():
            draft = specification.draft_job(job, editions[form.schedule.data], by=person.email, now=now)
    except Clash as taken:
        form.reference.errors = [str(taken)]
        return render_template("jobs/new.html", form=form), 422
    return redirect(url_for("builder.works", reference=draft.reference))


@bp.get("/<path:reference>")
@requires(Permission.SEE_JOBS)
def one(reference: str) -> ResponseReturnValue:
    """One job: what, where, its price, its offers, what happened."""
    job = queries.job_by_reference(reference, signed_in_person())
    return render_template(
        "jobs/one.html",
        job=job,
        standing=standing_offer(job),
        price=standing_price(job, declarations_of(job.id)) if job.lines else None,
        now=clock.now(),
        names=queries.contractor_names([offer.contractor_id for offer in job.offers]),
        events=list(reversed(events_on(f"job:{job.reference}"))),
        day_form=StartedForm(formdata=None, on=clock.local_date(clock.now())),
        withdraw_form=WithdrawForm(formdata=None),
    )


@bp.get("/<path:reference>/ranking")
@requires(Permission.SEE_JOBS)
def ranking(reference: str) -> ResponseReturnValue:
    """Every decision on a job: every member in order, with each reason."""
    job = queries.job_by_reference(reference, signed_in_person())
    decisions = queries.decisions_on(job)
    return render_template("jobs/ranking.html", job=job, decisions=decisions, names=queries.member_names(decisions))


@bp.post("/<path:reference>/allocate")
@requires(Permission.ALLOCATE_JOB)
def allocate(reference: str) -> ResponseReturnValue:
    """Offer the job to the first eligible member."""
    person = signed_in_person()
    job = queries.job_by_reference(reference, person)
    with transaction():
        done = services.allocate_jobs(
            [job.reference], by=person.email, now=clock.now(), nation=nation(), authority_id=person.authority_scope
        )
    if done.exhausted:
        flash("Nobody can take this job now. The ranking gives each member’s reason.", "warning")
    else:
        flash("The job is offered to the first member who can take it.", "success")
    return redirect(url_for(".ranking", reference=job.reference))


@bp.post("/<path:reference>/offers/<int:offer_id>/withdraw")
@requires(Permission.ALLOCATE_JOB)
def withdraw(reference: str, offer_id: int) -> ResponseReturnValue:
    """Take an open offer back; the job goes to the next member."""
    offer = own_offer(reference, offer_id)
    form = WithdrawForm()
    if not form.validate_on_submit():
        raise RuleBroken("Give the reason for taking the offer back; it is kept with the job.")
    with transaction():
        services.withdraw_offer(
            offer, reason=form.reason.data, by=signed_in_person().email, now=clock.now(), nation=nation()
        )
    flash("The offer is taken back and the job has gone on.", "success")
    return redirect(url_for(".one", reference=reference))


@bp.post("/<path:reference>/offers/<int:offer_id>/started")
@requires(Permission.ALLOCATE_JOB)
def started(reference: str, offer_id: int) -> ResponseReturnValue:
    """Record that the works began."""
    return record_day(reference, offer_id, services.record_started, "The start is recorded.")


@bp.post("/<path:reference>/offers/<int:offer_id>/complete")
@requires(Permission.ALLOCATE_JOB)
def complete(reference: str, offer_id: int) -> ResponseReturnValue:
    """Record that the works are complete."""
    return record_day(reference, offer_id, services.record_complete, "The completion is recorded.")


def own_offer(reference: str, offer_id: int) -> int:
    """The id of an offer of one of this person's jobs; ``NotFound`` for any other."""
    job = queries.job_by_reference(reference, signed_in_person())
    return queries.offer_of(job, offer_id).id


def record_day(reference: str, offer_id: int, verb, said: str) -> ResponseReturnValue:  # type: ignore[no-untyped-def]
    """Record the day of a form with one of the services for it."""
    offer, form = own_offer(reference, offer_id), StartedForm()
    if not form.validate_on_submit():
        raise RuleBroken("Enter the day as numbers, such as 27 3 2027.")
    with transaction():
        verb(offer, on=form.on.data, by=signed_in_person().email, now=clock.now())
    flash(said, "success")
    return redirect(url_for(".one", reference=reference))
