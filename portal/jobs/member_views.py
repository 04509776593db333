"""One membership: where it stands and why, what it lacks, and the steps that may come next."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.documents.queries import papers
from portal.framework.firms.queries import authorities_to_serve
from portal.framework.listing.queries import membership_by_id, membership_on
from portal.framework.member_models import Member
from portal.framework.members.ranks import SharedRank
from portal.framework.members.services import standing_now
from portal.framework.roster import Roster
from portal.framework.states import MEMBER_MOVES, MemberStatus
from portal.framework.terms.forms import put_fault
from portal.jobs import standing
from portal.jobs.member_forms import (
    AdmitForm,
    CheckForm,
    ReinstateForm,
    ReleaseForm,
    RemoveForm,
    StepForm,
    SuspendForm,
    TermsForm,
)
from portal.jobs.offering import Allocated
from portal.jobs.queries import member_load
from portal.jobs.states import OfferStatus
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import NotFound, RuleBroken, WrongState

bp = Blueprint("members", __name__, template_folder="templates", url_prefix="/framework/members")

#: The forms by the endpoint that takes them, in the order in which a page offers them.
STEPS: dict[str, type[StepForm]] = {
    "check": CheckForm,
    "admit": AdmitForm,
    "reinstate": ReinstateForm,
    "suspend": SuspendForm,
    "release": ReleaseForm,
    "remove": RemoveForm,
}
ENDED = (MemberStatus.RELEASED, MemberStatus.REMOVED)


def possible(current: MemberStatus) -> list[str]:
    """The steps that may follow where a membership stands; applying again is the contractor's own."""
    steps = [step for step, form in STEPS.items() if form.status in MEMBER_MOVES[current]]
    # The same move by two names: who was checked is admitted, who was suspended is reinstated.
    other = "reinstate" if current is MemberStatus.CHECKING else "admit"
    return [step for step in steps if step != other]


def step_form(step: str, *, sent: bool = False) -> StepForm:
    """The form of a step, its fields told apart from those of the others on the page."""
    form = STEPS[step]
    return form(prefix=f"{step}-") if sent else form(prefix=f"{step}-", formdata=None)


def page(
    member: Member, step: str = "", form: StepForm | None = None, terms: TermsForm | None = None, status: int = 200
) -> ResponseReturnValue:
    """The page of a membership; the form of ``step``, or ``terms``, may hold what was wrong."""
    today = clock.local_date(clock.now())
    roster = Roster([member.lot_id], today)
    listed = next((each for each in roster if each.member_id == member.id), None)
    if listed is None:
        raise NotFound("There is no such membership.")
    membership = membership_on(listed, roster.lots[member.lot_id], today)
    forms = {each: step_form(each) for each in possible(listed.standing.status)}
    if form is not None:
        if step == "admit" and membership.lacks:
            # The page has no form for it then.
            raise RuleBroken(f"This contractor cannot be admitted yet: {'; '.join(membership.lacks)}.")
        forms[step] = form
    suspension = forms.get("suspend")
    if isinstance(suspension, SuspendForm) and listed.standing.status is MemberStatus.SUSPENDED:
        suspension.change(listed.standing.reason, listed.until_on, entered=form is suspension)
    may_manage, load = signed_in_person().may(Permission.MANAGE_FRAMEWORK), member_load(member.id)
    if may_manage and terms is None and listed.standing.status not in ENDED:
        terms = TermsForm.of(member, listed.bands, authorities_to_serve(member.lot, today))
    return render_template(
        "members/one.html",
        member=member,
        firm=member.contractor.organisation,
        membership=membership,
        listed=listed,
        papers=papers(member.lot.requirements, member.contractor.documents, today),
        open_offers=load[OfferStatus.SENT],
        running_orders=load[OfferStatus.ACCEPTED],
        may_manage=may_manage,
        forms=forms,
        terms=terms,
        wrong=step,
        form=form or (terms if terms and terms.errors else None),
        today=today,
    ), status


@bp.get("/<int:member_id>")
@requires(Permission.SEE_FRAMEWORK)
def one(member_id: int) -> ResponseReturnValue:
    """A contractor in a lot: standing, rank, terms, documents, history, and what may be done."""
    return page(membership_by_id(member_id))


def take_step(member_id: int, step: str) -> ResponseReturnValue:
    """Move a membership as the form of ``step`` says."""
    member, now = membership_by_id(member_id), clock.now()
    current = standing_now(member_id, clock.local_date(now))
    if current is None or step not in possible(current.status):
        status = "not there" if current is None else current.status.value
        raise WrongState(f"This membership is {status} now; that step no longer applies.")
    form = step_form(step, sent=True)
    if not form.validate_on_submit():
        return page(member, step, form, status=422)
    try:
        with transaction():
            done = standing.change_standing(
                member_id,
                form.status,
                reason=form.reason.data or "",
                by=signed_in_person().email,
                now=now,
                nation=current_app.config["PORTAL"].nation,
                until_on=form.until_on.data if isinstance(form, SuspendForm) else None,
                rank=form.rank.data if isinstance(form, AdmitForm) else None,
                share_bp=form.share.data if isinstance(form, AdmitForm) else None,
            )
    except (RuleBroken, SharedRank) as broken:
        place = form.until_on if isinstance(form, SuspendForm) else form.rank if isinstance(form, AdmitForm) else None
        (form.reason if place is None else place).errors = [str(broken)]
        return page(membership_by_id(member_id), step, form, status=422)
    changes = current.status is MemberStatus.SUSPENDED and form.status is MemberStatus.SUSPENDED
    flash("The suspension is changed; the contractor is told." if changes else form.says, "success")
    tell_of_passed_on(done)
    return redirect(url_for(".one", member_id=member_id))


def tell_of_passed_on(done: Allocated) -> None:
    """Say what became of the jobs that were on offer."""
    if done.offered:
        flash(f"Passed on to the next member: {', '.join(sorted(done.offered))}.", "information")
    if done.exhausted:
        flash(f"Nobody is left for {', '.join(sorted(done.exhausted))}; the officers are told.", "warning")


@bp.post("/<int:member_id>/check")
@requires(Permission.MANAGE_FRAMEWORK)
def check(member_id: int) -> ResponseReturnValue:
    """Start checking an application."""
    return take_step(member_id, "check")


@bp.post("/<int:member_id>/admit")
@requires(Permission.MANAGE_FRAMEWORK)
def admit(member_id: int) -> ResponseReturnValue:
    """Admit somebody who was checked."""
    return take_step(member_id, "admit")


@bp.post("/<int:member_id>/suspend")
@requires(Permission.MANAGE_FRAMEWORK)
def suspend(member_id: int) -> ResponseReturnValue:
    """Suspend a member; its open offers go to the next ones."""
    return take_step(member_id, "suspend")


@bp.post("/<int:member_id>/reinstate")
@requires(Permission.MANAGE_FRAMEWORK)
def reinstate(member_id: int) -> ResponseReturnValue:
    """End a suspension."""
    return take_step(member_id, "reinstate")


@bp.post("/<int:member_id>/release")
@requires(Permission.MANAGE_FRAMEWORK)
def release(member_id: int) -> ResponseReturnValue:
    """Let a member go on its own request; its open offers go to the next ones."""
    return take_step(member_id, "release")


@bp.post("/<int:member_id>/remove")
@requires(Permission.MANAGE_FRAMEWORK)
def remove(member_id: int) -> ResponseReturnValue:
    """Remove a member, or turn an application down."""
    return take_step(member_id, "remove")


@bp.post("/<int:member_id>/terms")
@requires(Permission.MANAGE_FRAMEWORK)
def change_terms(member_id: int) -> ResponseReturnValue:
    """Change where a member works and at which adjustment; open offers elsewhere go to the next members."""
    member = membership_by_id(member_id)
    form = TermsForm(prefix="terms-")
    form.offer(member, authorities_to_serve(member.lot, clock.local_date(clock.now())))
    if not form.validate_on_submit() or form.adjustment.data is None:
        return page(member, terms=form, status=422)
    try:
        with transaction():
            done = standing.change_terms(
                member_id,
                areas=form.chosen,
                adjustment_bp=form.adjustment.data,
                bands=form.bands.data,
                by=signed_in_person().email,
                now=clock.now(),
                nation=current_app.config["PORTAL"].nation,
            )
    except (RuleBroken, SharedRank) as broken:
        put_fault(form, broken, "areas")
        return page(membership_by_id(member_id), terms=form, status=422)
    flash("The terms are changed. New offers follow them.", "success")
    tell_of_passed_on(done)
    return redirect(url_for(".one", member_id=member_id))
