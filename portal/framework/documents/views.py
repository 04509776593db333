"""Documents: a firm hands its own in and takes them back; firm and staff download them as attachments."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.config import Settings
from portal.framework.documents.files import CheckedFile, check_file, kept, kept_content
from portal.framework.firms import queries
from portal.framework.firms import services as firms
from portal.framework.firms.forms import DocumentForm
from portal.framework.member_models import Contractor, ContractorDocument
from portal.framework.states import document_title
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken

bp = Blueprint("firm_documents", __name__, template_folder="templates", url_prefix="/firm/documents")
#: What staff see of any firm's documents.
staff = Blueprint("documents", __name__, template_folder="templates", url_prefix="/framework/documents")

FIRM = Permission.MANAGE_OWN_FIRM
MEGABYTE = 1024 * 1024


def settings() -> Settings:
    """The settings of this portal."""
    found: Settings = current_app.config["PORTAL"]
    return found


def shelves(firm: Contractor) -> list[queries.Shelf]:
    """The firm's documents by kind, as of today."""
    today = clock.local_date(clock.now())
    return queries.shelves_of(firm, queries.memberships_of(firm, today), today)


@bp.get("")
@requires(FIRM)
def listed() -> ResponseReturnValue:
    """The firm's documents by kind, with what each waits for."""
    firm = queries.firm_of(signed_in_person())
    return render_template("firm/documents.html", shelves=shelves(firm), today=clock.local_date(clock.now()))


@bp.route("/new", methods=["GET", "POST"])
@requires(FIRM)
def hand_in() -> ResponseReturnValue:
    """Hand a document in. Its file is kept before the row that names it, and goes again when that fails."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    form = DocumentForm(kind=request.args.get("kind"))
    asked = [shelf for shelf in shelves(firm) if shelf.asked_by]
    form.offer([shelf.kind for shelf in asked])
    if not form.validate_on_submit():
        return hand_in_page(form, asked, 422 if form.is_submitted() else 200)
    try:
        file = sent_file(form)
        with kept(settings().uploads, file) as stored_name, transaction():
            firms.hand_in_document(
                firm.id,
                form.kind.data,
                form.expires_on.data,
                file=file,
                stored_name=stored_name,
                by=person.email,
                now=clock.now(),
                cover_pence=form.cover.data,
            )
    except (RuleBroken, Clash) as refused:
        place = form.expires_on if getattr(refused, "term", "") == "expires_on" else form.file
        place.errors = [str(refused)]
        return hand_in_page(form, asked, 409 if isinstance(refused, Clash) else 422)
    flash(f"{document_title(form.kind.data)} is handed in. It counts once somebody has checked it.", "success")
    return redirect(url_for(".listed"))


def sent_file(form: DocumentForm) -> CheckedFile:
    """The file of a form, read no further than a document may be large; ``RuleBroken`` for what is no document."""
    largest = settings().largest_document
    sent = form.file.data
    try:
        return check_file(sent.filename or "", sent.stream.read(largest + 1), largest)
    finally:
        sent.close()


def hand_in_page(form: DocumentForm, asked: list[queries.Shelf], status: int) -> ResponseReturnValue:
    """The page on which a document is handed in, with what the firm's lots want covered."""
    return render_template(
        "firm/hand_in.html",
        form=form,
        covers=[shelf for shelf in asked if shelf.minimum_pence],
        largest_mb=f"{settings().largest_document / MEGABYTE:g}",
    ), status


@bp.get("/<int:document_id>")
@requires(FIRM)
def download(document_id: int) -> ResponseReturnValue:
    """The file of one of the firm's own documents."""
    firm = queries.firm_of(signed_in_person())
    return as_attachment(queries.document_of(firm, document_id), url_for(".listed"))


@bp.post("/<int:document_id>/withdraw")
@requires(FIRM)
def withdraw(document_id: int) -> ResponseReturnValue:
    """Take a document back that nobody has checked yet."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    with transaction():
        document = firms.withdraw_waiting_document(firm.id, document_id, by=person.email, now=clock.now())
    flash(f"{document_title(document.kind)} is taken back.", "success")
    return redirect(url_for(".listed"))


@staff.get("/<int:document_id>/file")
@requires(Permission.SEE_FRAMEWORK)
def file(document_id: int) -> ResponseReturnValue:
    """The file of any firm's document, for staff."""
    return as_attachment(queries.document_by_id(document_id), url_for("framework.overview"))


def as_attachment(document: ContractorDocument, back: str) -> ResponseReturnValue:
    """The document's file under its own name and type; a page that says so when there is none, or not this one."""
    content = None
    if document.stored_name is not None:
        content = kept_content(settings().uploads, document.stored_name, document.sha256)
        if content is None:
            current_app.logger.error("The file of document %s is missing or has changed.", document.id)
    if content is None:
        return render_template("firm/no_file.html", document=document, back=back), 404
    answer = send_file(
        BytesIO(content), mimetype=document.media_type, as_attachment=True, download_name=document.file_name
    )
    answer.cache_control.no_store = True
    return answer
