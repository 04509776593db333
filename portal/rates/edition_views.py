"""What an edition has besides its catalogue: its composites, its changes, its files; and items taken out of use."""

from __future__ import annotations

from io import BytesIO
from math import ceil

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.faults import WrongTerm
from portal.kernel import clock
from portal.kernel.clock import date_text
from portal.kernel.db import transaction
from portal.kernel.errors import NotFound, WrongState
from portal.kernel.paging import row_id
from portal.rates import services
from portal.rates.exporting import download_name, write_edition_file
from portal.rates.price_lists import queries
from portal.rates.price_lists.composites import composite_prices
from portal.rates.price_lists.diff import differences
from portal.rates.price_lists.forms import WithdrawForm
from portal.rates.price_lists.handed_in import MEDIA_TYPES
from portal.rates.price_lists.shown import shown
from portal.rates.views import edition_page, edition_url
from portal.tables.files import Kind

bp = Blueprint("editions", __name__, template_folder="templates", url_prefix="/rates/editions/<int:edition_id>")

PAGE = 50


@bp.get("")
@requires(Permission.SEE_RATES)
def one(edition_id: int) -> ResponseReturnValue:
    """The catalogue of an edition by its number, for one whose name cannot stand in an address."""
    return edition_page(queries.edition_by_id(edition_id))


@bp.get("/export/<kind>")
@requires(Permission.SEE_RATES)
def export(edition_id: int, kind: str) -> ResponseReturnValue:
    """The edition as a file that an import reads: csv, xlsx, xls or pdf."""
    edition = queries.edition_by_id(edition_id)
    wanted = Kind.__members__.get(kind.upper())
    if wanted is None:
        raise NotFound("An edition is there as csv, xlsx, xls and pdf.")
    target = BytesIO()
    write_edition_file(edition, wanted, target)
    target.seek(0)
    answer = send_file(
        target,
        mimetype=MEDIA_TYPES[wanted],
        as_attachment=True,
        download_name=download_name(edition, wanted),
    )
    answer.cache_control.no_store = True
    return answer


@bp.get("/composites")
@requires(Permission.SEE_RATES)
def composites(edition_id: int) -> ResponseReturnValue:
    """Every composite beside the sum of its parts, those that differ most first."""
    edition = queries.edition_by_id(edition_id)
    rows, rates, without_parts = queries.composite_rows(edition.id)
    prices = composite_prices(rows, rates)
    pages = max(ceil(len(prices) / PAGE), 1)
    page = min(request.args.get("page", 1, type=row_id), pages)
    return render_template(
        "rates/composites.html",
        edition=edition,
        prices=prices[(page - 1) * PAGE : page * PAGE],
        look=sum(each.look for each in prices),
        count=len(prices),
        without_parts=without_parts,
        page=page,
        pages=pages,
    )


@bp.get("/changes")
@requires(Permission.SEE_RATES)
def changes(edition_id: int) -> ResponseReturnValue:
    """What the edition changed against the one before it."""
    edition = queries.edition_by_id(edition_id)
    before = queries.edition_before(edition.schedule.code, edition.starts_on)
    found = differences(queries.items_of(before.id), queries.items_of(edition.id)) if before else None
    return render_template(
        "rates/changes.html",
        edition=edition,
        before=before,
        nothing=found is not None and found.nothing,
        changes=found and shown(found, request.args.get("show", ""), request.args.get("page", 1, type=row_id)),
    )


@bp.route("/withdraw", methods=["GET", "POST"])
@requires(Permission.PUBLISH_RATES)
def withdraw(edition_id: int) -> ResponseReturnValue:
    """Take an item out of use from a day on; ``?code=`` names it already."""
    edition = queries.edition_by_id(edition_id)
    form = WithdrawForm(code=request.args.get("code", ""))
    if not form.validate_on_submit():
        return withdraw_page(form, edition_id, 422 if form.is_submitted() else 200)
    code = form.code.data.strip()
    try:
        with transaction():
            services.withdraw_item(
                edition_id,
                code,
                form.from_on.data,
                reason=form.reason.data,
                by=signed_in_person().email,
                now=clock.now(),
            )
    except (NotFound, WrongState) as refused:
        form.code.errors = [str(refused)]
        return withdraw_page(form, edition_id, 409 if isinstance(refused, WrongState) else 422)
    except WrongTerm as refused:
        form[refused.term].errors = [str(refused)]
        return withdraw_page(form, edition_id, 422)
    flash(f"{code} is withdrawn from {date_text(form.from_on.data)}.", "success")
    for later in queries.later_editions_with(edition, code):
        flash(f"The edition {later.name}, in force from {date_text(later.starts_on)}, still has {code}.", "warning")
    return redirect(edition_url(edition, words=code))


def withdraw_page(form: WithdrawForm, edition_id: int, status: int) -> ResponseReturnValue:
    """The page on which an item is taken out of use, with the item when the form names one of this edition."""
    edition = queries.edition_by_id(edition_id)
    item = queries.item_of(edition_id, form.code.data.strip()) if form.code.data else None
    return render_template("rates/withdraw.html", form=form, edition=edition, item=item), status
