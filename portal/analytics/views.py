"""Price variation, for procurement: what is usual for a work type, which authority and which quotes stand apart."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.analytics.quotes import work_types_quoted
from portal.kernel import clock
from portal.kernel.errors import NotFound

bp = Blueprint("analytics", __name__, template_folder="templates", url_prefix="/analytics")

#: What the page compares: quotes of this many days up to today.
PERIODS = {"365": 365, "730": 730, "all": None}


def variation() -> ModuleType:
    """The statistics behind these pages. They take seconds to load, so that the start does not wait for them."""
    from portal.analytics import variation as loaded  # noqa: PLC0415

    return loaded


def chosen() -> tuple[str | None, str]:
    """The work type and the period that the address asks for; the first work type without one."""
    types = work_types_quoted()
    wanted = request.args.get("work_type") or (types[0] if types else None)
    if wanted is not None and wanted not in types:
        raise NotFound(f"There are no quotes for {wanted}.")
    period = request.args.get("period", "all")
    return wanted, period if period in PERIODS else "all"


def since(period: str) -> object:
    """The first day of a period, or ``None`` for all quotes."""
    days = PERIODS[period]
    return None if days is None else clock.local_date(clock.now()) - timedelta(days=days)


@bp.get("")
@requires(Permission.SEE_ANALYTICS)
def overview() -> ResponseReturnValue:
    """Medians, spread and flags for one work type by authority, with a plot and the same as a table."""
    work_type, period = chosen()
    seen = None if work_type is None else variation().seen(work_type, since(period))
    return render_template(
        "analytics/overview.html", work_type=work_type, types=work_types_quoted(), period=period, seen=seen
    )


@bp.get("/chart.svg")
@requires(Permission.SEE_ANALYTICS)
def chart() -> ResponseReturnValue:
    """How the prices of a work type lie, as a picture."""
    work_type, period = chosen()
    picture = None if work_type is None else variation().picture(work_type, since(period))
    if picture is None:
        raise NotFound("There are no quotes in this period.")
    return Response(picture, mimetype="image/svg+xml")
