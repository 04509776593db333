"""Documents to verify: a person says whether each holds; and whose documents have lapsed or soon will."""

from __future__ import annotations

from math import ceil

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework import queries
from portal.framework.documents import queries as paperwork
from portal.framework.documents import services as documents
from portal.framework.documents.forms import RejectForm, VerifyForm, WithdrawForm
from portal.framework.firms import queries as firm_queries
from portal.framework.member_models import ContractorDocument
from portal.framework.roster import Roster
from portal.framework.states import COVER_KINDS, document_title
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import RuleBroken
from portal.kernel.paging import row_id

bp = Blueprint("verification", __name__, template_folder="templates", url_prefix="/framework/documents")


@bp.get("")
@requires(Permission.SEE_FRAMEWORK)
def listed() -> ResponseReturnValue:
    """Documents that wait, the oldest first; below them who gets no offers for want of one, and who soon will not."""
    today = clock.local_date(clock.now())
    waiting = paperwork.waiting_count()
    pages = max(ceil(waiting / paperwork.PAGE), 1)
    page = min(request.args.get("page", 1, type=row_id), pages)
    attention = paperwork.attention(Roster(queries.all_lot_ids(), today))
    paperwork.mark_waiting([*attention.lapsed, *attention.expiring])
    return render_template(
        "verification/listed.html",
        waiting=waiting,
        documents=paperwork.waiting_documents(page),
        attention=attention,
        soon=paperwork.SOON_DAYS,
        page=page,
        pages=pages,
        today=today,
        document_title=document_title,
    )


@bp.get("/<int:document_id>")
@requires(Permission.SEE_FRAMEWORK)
def one(document_id: int) -> ResponseReturnValue:
    """One document, with what to say about it."""
    document = firm_queries.document_by_id(document_id)
    return page_of(document, VerifyForm.of(document), RejectForm(formdata=None))


def page_of(
    document: ContractorDocument,
    verify: VerifyForm,
    reject: RejectForm,
    status: int = 200,
    withdraw: WithdrawForm | None = None,
) -> ResponseReturnValue:
    """The page of one document; one of the forms may hold what was wrong."""
    person = signed_in_person()
    withdraw = withdraw or WithdrawForm(formdata=None)
    return render_template(
        "verification/one.html",
        document=document,
        title=document_title(document.kind),
        states_cover=document.kind in COVER_KINDS,
        own=document.added_by == person.email,
        may_decide=person.may(Permission.MANAGE_FRAMEWORK),
        lots=paperwork.lots_asking(document),
        verify=verify,
        reject=reject,
        withdraw=withdraw,
        form=next((form for form in (reject, withdraw) if form.errors), verify),
        today=clock.local_date(clock.now()),
    ), status


@bp.post("/<int:document_id>/verify")
@requires(Permission.MANAGE_FRAMEWORK)
def verify(document_id: int) -> ResponseReturnValue:
    """Say that the document holds, with its end and cover as they stand on it."""
    document, person = firm_queries.document_by_id(document_id), signed_in_person()
    form = VerifyForm(prefix="verify-")
    form.ask_for(document)
    if not form.validate_on_submit():
        return page_of(document, form, RejectForm(formdata=None), 422)
    try:
        with transaction():
            documents.verify_document(
                document_id,
                by=person.email,
                now=clock.now(),
                expires_on=form.expires_on.data,
                cover_pence=form.cover.data if form.cover else None,
            )
    except RuleBroken as broken:
        if document.added_by == person.email:
            # The page has no form for it then.
            raise
        form.expires_on.errors = [str(broken)]
        return page_of(firm_queries.document_by_id(document_id), form, RejectForm(formdata=None), 422)
    flash(f"{document_title(document.kind)} of {document.contractor.organisation.name} is verified.", "success")
    return redirect(url_for(".listed"))


@bp.post("/<int:document_id>/reject")
@requires(Permission.MANAGE_FRAMEWORK)
def reject(document_id: int) -> ResponseReturnValue:
    """Say that the document does not hold, and why."""
    document, person = firm_queries.document_by_id(document_id), signed_in_person()
    form = RejectForm()
    if not form.validate_on_submit():
        return page_of(document, VerifyForm.of(document), form, 422)
    with transaction():
        documents.reject_document(document_id, reason=form.reason.data, by=person.email, now=clock.now())
    flash(
        f"{document_title(document.kind)} of {document.contractor.organisation.name} is not accepted; "
        "the contractor is told why.",
        "success",
    )
    return redirect(url_for(".listed"))


@bp.post("/<int:document_id>/withdraw")
@requires(Permission.MANAGE_FRAMEWORK)
def withdraw(document_id: int) -> ResponseReturnValue:
    """Say that a verified document counts no more, and why."""
    document, person = firm_queries.document_by_id(document_id), signed_in_person()
    form = WithdrawForm()
    if not form.validate_on_submit():
        return page_of(document, VerifyForm.of(document), RejectForm(formdata=None), 422, withdraw=form)
    with transaction():
        documents.withdraw_verified_document(document_id, reason=form.reason.data, by=person.email, now=clock.now())
    flash(
        f"{document_title(document.kind)} of {document.contractor.organisation.name} counts no more; "
        "the contractor is told why.",
        "success",
    )
    return redirect(url_for(".listed"))
