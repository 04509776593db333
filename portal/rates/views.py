"""Schedules, their catalogue, and the public guide prices."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.guard import public, requires
from portal.accounts.policy import Permission
from portal.kernel import clock
from portal.kernel.money import pounds
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


@bp.get("/guide-prices")
@public
def guide_prices() -> ResponseReturnValue:
    """What common works cost here, for anybody: the whole jobs of the schedules in force. Also as JSON."""
    today = clock.local_date(clock.now())
    in_force = queries.editions_in_force(today)
    works = queries.common_works([edition.id for edition in in_force])
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(
            {
                "editions": [
                    {"schedule": each.schedule.code, "edition": each.name, "from": each.starts_on.isoformat()}
                    for each in in_force
                ],
                "vat": "excluded",
                "works": [
                    {
                        "code": item.code,
                        "description": item.description,
                        "unit": item.unit,
                        "price": pounds(item.rate_pence),
                    }
                    for item in works
                ],
            }
        )
    return render_template("rates/guide_prices.html", editions=in_force, works=works)
