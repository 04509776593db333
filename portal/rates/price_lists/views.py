"""Price lists: handed in, watched while they are read, looked at, published or dropped."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.config import MAX_UPLOAD, MEGABYTE, Settings
from portal.framework.documents.files import CheckedFile, kept, kept_content
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, InputRefused, NotFound, RuleBroken
from portal.kernel.look import look_now
from portal.kernel.paging import row_id
from portal.rates.price_lists import queries, services
from portal.rates.price_lists.forms import PriceListForm
from portal.rates.price_lists.handed_in import checked_list
from portal.rates.price_lists.kept import forget, kept_list
from portal.rates.price_lists.models import PriceList
from portal.rates.price_lists.preview import Preview, preview
from portal.rates.price_lists.shown import shown
from portal.rates.schedule_file import FIELDS, item_rows
from portal.rates.states import PriceListStatus
from portal.rates.views import edition_url
from portal.tables import write_csv

bp = Blueprint("price_lists", __name__, template_folder="templates", url_prefix="/rates/lists")

PUBLISH = Permission.PUBLISH_RATES
#: Problems on the page; the file has all that were kept.
PROBLEMS = 50
FIELD_TITLES = {"smv": "Standard minutes", "vat": "VAT"}
PROBLEM_COLUMNS = ("sheet", "page", "row", "column", "message")


def settings() -> Settings:
    """The settings of this portal."""
    found: Settings = current_app.config["PORTAL"]
    return found


@bp.get("")
@requires(PUBLISH)
def listed() -> ResponseReturnValue:
    """Every list that was handed in, the newest first."""
    page = request.args.get("page", 1, type=row_id)
    found, pages = queries.price_lists(page)
    return render_template("price_lists/listed.html", lists=found, page=min(page, pages), pages=pages)


@bp.route("/new", methods=["GET", "POST"])
@requires(PUBLISH)
def hand_in() -> ResponseReturnValue:
    """Hand a price list in. Its file is kept before the row that names it, and goes again when that fails."""
    form = PriceListForm()
    form.offer(queries.all_schedules())
    if not form.validate_on_submit():
        return hand_in_page(form, 422 if form.is_submitted() else 200)
    try:
        sent = sent_file(form)
        with kept(settings().uploads, sent) as stored_name, transaction():
            found = services.hand_in(form.wanted(), sent, stored_name, by=signed_in_person().email, now=clock.now())
    except (RuleBroken, Clash) as refused:
        form.field_of(getattr(refused, "term", "schedule")).errors = [str(refused)]
        return hand_in_page(form, 409 if isinstance(refused, Clash) else 422)
    look_now()
    return redirect(url_for(".one", list_id=found.id))


def sent_file(form: PriceListForm) -> CheckedFile:
    """The file of a form; ``WrongTerm`` (``file``) for what is no list."""
    sent = form.file.data
    try:
        return checked_list(sent.filename or "", sent.stream.read(MAX_UPLOAD + 1))
    finally:
        sent.close()


def hand_in_page(form: PriceListForm, status: int) -> ResponseReturnValue:
    """The page on which a list is handed in."""
    return render_template("price_lists/new.html", form=form, largest_mb=MAX_UPLOAD // MEGABYTE), status


@bp.get("/<int:list_id>")
@requires(PUBLISH)
def one(list_id: int) -> ResponseReturnValue:
    """One list: how far it is, what is wrong with it, or what it would change."""
    return list_page(queries.price_list_by_id(list_id))


def list_page(found: PriceList, status: int = 200, fault: str = "") -> ResponseReturnValue:
    """The page of a list as it stands; ``fault`` says why what was asked for was not done."""
    seen: Preview | None = None
    if found.status is PriceListStatus.READY:
        try:
            seen = previewed(found)
        except InputRefused as refused:
            fault, status = refused.problems[0].message, 409
    now = clock.now()
    return render_template(
        "price_lists/one.html",
        found=found,
        seen=seen,
        changes=seen and shown(seen.differences, *asked()),
        fault=fault,
        problems=found.problems[:PROBLEMS],
        fields=[
            (FIELD_TITLES.get(field.name, field.name.replace("_", " ").capitalize()), header, field.required)
            for field in FIELDS
            for header in (found.columns.get(field.name),)
        ],
        became=found.edition_id and queries.edition_by_id(found.edition_id),
        stopped=found.beat_at is not None and found.beat_at < now - services.STOPPED_AFTER,
        today=clock.local_date(now),
    ), status


def asked() -> tuple[str, int]:
    """The kind of change that the address asks for, and the page of it."""
    return request.args.get("show", ""), request.args.get("page", 1, type=row_id)


def previewed(found: PriceList) -> Preview:
    """What a list that is ready would change."""
    read = kept_list(settings().uploads, found)
    return preview(item_rows(read.records), found.schedule_code, found.starts_on)


@bp.post("/<int:list_id>/publish")
@requires(PUBLISH)
def publish(list_id: int) -> ResponseReturnValue:
    """The list becomes an edition, if it would still change what was shown."""
    found = queries.price_list_by_id(list_id)
    try:
        read = kept_list(settings().uploads, found)
        with transaction():
            edition = services.publish(
                list_id,
                read,
                against=shown_against(request.form.get("against", "")),
                by=signed_in_person().email,
                now=clock.now(),
            )
    except (Clash, InputRefused) as refused:
        sentence = refused.problems[0].message if isinstance(refused, InputRefused) else str(refused)
        return list_page(queries.price_list_by_id(list_id), 409, sentence)
    forget(settings().uploads, found.stored_name)
    flash(f"The edition {edition.name} of {edition.schedule.code} is published.", "success")
    return redirect(edition_url(edition))


def shown_against(text: str) -> int | None:
    """The edition that the page showed the changes against; one that cannot be for what no page of ours sends."""
    if text == "none":
        return None
    try:
        return row_id(text)
    except ValueError:
        return 0


@bp.post("/<int:list_id>/drop")
@requires(PUBLISH)
def drop(list_id: int) -> ResponseReturnValue:
    """The list becomes nothing."""
    with transaction():
        found = services.drop(list_id, by=signed_in_person().email, now=clock.now())
    forget(settings().uploads, found.stored_name)
    flash(f"The list {found.file_name} is dropped. Nothing was published.", "success")
    return redirect(url_for(".listed"))


@bp.get("/<int:list_id>/problems.csv")
@requires(PUBLISH)
def problems(list_id: int) -> ResponseReturnValue:
    """What is wrong with a list, as a file to work through."""
    found = queries.price_list_by_id(list_id)
    target = BytesIO()
    write_csv(target, PROBLEM_COLUMNS, ([each.get(name) for name in PROBLEM_COLUMNS] for each in found.problems))
    return Response(
        target.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="problems-of-list-{found.id}.csv"'},
    )


@bp.get("/<int:list_id>/file")
@requires(PUBLISH)
def file(list_id: int) -> ResponseReturnValue:
    """The file as it was handed in, never opened by the browser."""
    found = queries.price_list_by_id(list_id)
    content = kept_content(settings().uploads, found.stored_name, found.sha256)
    if content is None:
        current_app.logger.error("The file of price list %s is missing or has changed.", found.id)
        raise NotFound("The file is not there any more.")
    answer = send_file(
        BytesIO(content), mimetype="application/octet-stream", as_attachment=True, download_name=found.file_name
    )
    answer.cache_control.no_store = True
    return answer
