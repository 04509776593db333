"""Schedules and their catalogue."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.kernel import clock
from portal.rates import queries

bp = Blueprint("rates", __name__, template_folder="templates")


@bp.get("/rates")
@requires(Permission.SEE_RATES)
def overview() -> ResponseReturnValue:
    """Every schedule and its editions."""
    return render_template("rates/overview.html", schedules=queries.schedules(), today=clock.local_date(clock.now()))


@bp.get("/rates/<schedule_code>/<path:edition_name>")
@requires(Permission.SEE_RATES)
def edition(schedule_code: str, edition_name: str) -> ResponseReturnValue:
    """The catalogue of one edition: search over code and description, by trade."""
    found = queries.edition_for(schedule_code, edition_name)
    words, trade = request.args.get("words", "").strip()[:100], request.args.get("trade", "")
    items = queries.found_items(found.id, words, trade, request.args.get("after", ""), queries.PAGE + 1)
    return render_template(
        "rates/edition.html",
        edition=found,
        items=items[: queries.PAGE],
        more=len(items) > queries.PAGE,
        words=words,
        trade=trade,
        trades=queries.trades(found.id),
    )
