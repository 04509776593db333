"""The contractor list: searched, narrowed, on any day, as a page or a file; and one contractor of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO
from math import ceil

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.framework.listing import queries as contractor_list
from portal.framework.listing.forms import SearchForm
from portal.framework.listing.queries import COLUMNS, PAGE, Found
from portal.framework.rules import earliest_start, is_local
from portal.framework.states import document_title
from portal.kernel import clock
from portal.kernel.errors import RuleBroken
from portal.kernel.paging import row_id
from portal.tables import write_csv, write_xlsx

bp = Blueprint("contractor_list", __name__, template_folder="templates", url_prefix="/framework")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def asked(today: date) -> tuple[SearchForm, Found | None]:
    """The form as it came in the address, and what it finds; nothing when it is not in order."""
    form = SearchForm(request.args)
    form.offer(contractor_list.choices())
    if not form.validate():
        return form, None
    try:
        return form, contractor_list.find(form.search(today))
    except RuleBroken as broken:
        form.near.errors = [str(broken)]
        return form, None


@bp.get("/contractors")
@requires(Permission.SEE_FRAMEWORK)
def listed() -> ResponseReturnValue:
    """The list as it stands today, or stood on another day."""
    today = clock.local_date(clock.now())
    form, found = asked(today)
    entries = found.entries if found else []
    pages = max(ceil(len(entries) / PAGE), 1)
    page = min(request.args.get("page", 1, type=row_id), pages)
    narrowing = {name: value for name, value in request.args.items() if name in form and value}
    return render_template(
        "contractor_list/listed.html",
        form=form,
        found=found,
        entries=entries[(page - 1) * PAGE : page * PAGE],
        page=page,
        pages=pages,
        on=form.on.data or today,
        today=today,
        narrowing=narrowing,
        without_day=narrowing | {"on": None},
    ), 200 if found else 422


@bp.get("/contractors.csv")
@requires(Permission.SEE_FRAMEWORK)
def as_csv() -> ResponseReturnValue:
    """The same list as CSV."""
    return exported("csv", "text/csv; charset=utf-8", write_csv)


@bp.get("/contractors.xlsx")
@requires(Permission.SEE_FRAMEWORK)
def as_xlsx() -> ResponseReturnValue:
    """The same list as a workbook."""
    return exported("xlsx", XLSX, write_xlsx)


def exported(ending: str, media_type: str, write: Callable[..., None]) -> Response:
    """What the form in the address finds, as a file that is kept, never opened by the browser."""
    today = clock.local_date(clock.now())
    form, found = asked(today)
    if found is None:
        raise RuleBroken(next(str(errors[0]) for errors in form.errors.values()))
    target = BytesIO()
    write(target, COLUMNS, contractor_list.rows(found.entries, form.on.data or today, today))
    name = f"contractors-{(form.on.data or today).isoformat()}.{ending}"
    return Response(
        target.getvalue(),
        content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.get("/contractors/<path:code>")
@requires(Permission.SEE_FRAMEWORK)
def one(code: str) -> ResponseReturnValue:
    """One contractor: how to reach it, what it takes, its documents and where it is a member."""
    today = clock.local_date(clock.now())
    contractor = contractor_list.contractor_by_code(code)
    memberships = contractor_list.memberships_of(contractor, today)
    frameworks = {each.lot.framework.code: each.lot.framework for each in memberships}
    return render_template(
        "contractor_list/one.html",
        contractor=contractor,
        memberships=memberships,
        local={
            code: is_local(contractor.postcode, framework.local_areas)
            for code, framework in sorted(frameworks.items())
            if framework.local_areas
        },
        can_start=earliest_start(
            today, contractor.accepts_from, [(each.from_on, each.to_on) for each in contractor.absences]
        ),
        absences=[each for each in contractor.absences if each.to_on > today],
        today=today,
        document_title=document_title,
    )
