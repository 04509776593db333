"""Price indices: what is there, bring months in, look at them, take them along as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.documents.files import MEGABYTE, clean_name
from portal.framework.terms.forms import put_fault
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, InputRefused, Problem, RuleBroken
from portal.kernel.paging import row_id
from portal.rates.reviews import indices, queries
from portal.rates.reviews.forms import IndexForm
from portal.rates.reviews.index_file import IndexFile, read_index
from portal.rates.reviews.rules import month_text, value_text
from portal.tables import write_csv

bp = Blueprint("price_indices", __name__, template_folder="templates", url_prefix="/rates/indices")

LARGEST = MEGABYTE
#: What a form may bring in; a list in a PDF goes through the command line.
ENDINGS = (".csv", ".xlsx", ".xls", ".txt")
#: How many problems of a file are named.
SHOWN = 10


@bp.get("")
@requires(Permission.SEE_RATES)
def listed() -> ResponseReturnValue:
    """Every index, and the form to bring one in."""
    return list_page(IndexForm(formdata=None))


def list_page(form: IndexForm, status: int = 200, problems: Sequence[Problem] = ()) -> ResponseReturnValue:
    """The indices; the form may hold what was wrong, ``problems`` are those of a file."""
    may_publish = signed_in_person().may(Permission.PUBLISH_RATES)
    return render_template(
        "price_indices/listed.html",
        indices=queries.indices(),
        form=form,
        problems=problems[:SHOWN],
        more=max(len(problems) - SHOWN, 0),
        may_publish=may_publish,
        month_text=month_text,
    ), status


@bp.post("")
@requires(Permission.PUBLISH_RATES)
def bring_in() -> ResponseReturnValue:
    """Bring months of an index in, all or nothing."""
    form, now = IndexForm(), clock.now()
    if not form.validate_on_submit():
        return list_page(form, 422)
    try:
        file = sent_index(form.file.data)
        with transaction():
            change = indices.import_index(
                file, code=form.code.data, name=form.name.data or "", by=signed_in_person().email, now=now
            )
    except InputRefused as refused:
        count = len(refused.problems)
        form.file.errors = [
            str(refused.problems[0])
            if count == 1
            else f"The file has {count:,} problems, listed below; nothing was changed. Mend them and send it again"
        ]
        return list_page(form, 422, refused.problems if count > 1 else ())
    except (RuleBroken, Clash) as fault:
        put_fault(form, fault, "file")
        return list_page(form, 422)
    flash(
        f"{change.index.code}: {change.added} new, {change.corrected} corrected, {change.same} as they were.", "success"
    )
    return redirect(url_for(".one", index_code=change.index.code))


def sent_index(sent: FileStorage) -> IndexFile:
    """The index in a file that somebody sent, read no further than it may be large."""
    name = clean_name(sent.filename or "")
    if not name.lower().endswith(ENDINGS):
        sent.close()
        raise RuleBroken(f"{name} is not a CSV, XLSX or XLS file by its name; save the table as one of these.")
    try:
        content = sent.stream.read(LARGEST + 1)
    finally:
        sent.close()
    if len(content) > LARGEST:
        raise RuleBroken(f"{name} is too large for a table of months; at most 1 MB. Keep the months and values only.")
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return read_index(path, clock.local_date(clock.now()))


@bp.get("/<index_code>")
@requires(Permission.SEE_RATES)
def one(index_code: str) -> ResponseReturnValue:
    """The months of an index, the newest first."""
    index, page = queries.index_by_code(index_code), request.args.get("page", 1, type=row_id)
    months = queries.months_of(index, page)
    return render_template(
        "price_indices/one.html",
        index=index,
        months=months[: queries.PAGE],
        page=page,
        more=len(months) > queries.PAGE,
        month_text=month_text,
        value_text=value_text,
    )


@bp.get("/<index_code>/months.csv")
@requires(Permission.SEE_RATES)
def months(index_code: str) -> ResponseReturnValue:
    """The months of an index as a file that can be brought in again."""
    index, written = queries.index_by_code(index_code), BytesIO()
    rows = [(f"{month:%Y-%m}", value_text(value)) for month, value in queries.months_of(index)]
    write_csv(written, ("month", "value"), rows)
    written.seek(0)
    answer = send_file(written, mimetype="text/csv", as_attachment=True, download_name=f"{index.code}.csv")
    answer.cache_control.no_store = True
    return answer
