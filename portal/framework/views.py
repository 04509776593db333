"""The framework and its contractor list, to be read by staff."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.framework import queries
from portal.framework.roster import Roster
from portal.kernel import clock
from portal.kernel.errors import NotFound

bp = Blueprint("framework", __name__, template_folder="templates", url_prefix="/framework")


@bp.get("")
@requires(Permission.SEE_FRAMEWORK)
def overview() -> ResponseReturnValue:
    """Frameworks and their lots, with a warning where an area has nobody."""
    today = clock.local_date(clock.now())
    roster = Roster(queries.all_lot_ids(), today)
    return render_template(
        "framework/overview.html",
        frameworks=queries.frameworks(),
        counts={lot_id: sum(each.active for each in members) for lot_id, members in roster.members.items()},
        unserved=queries.unserved_areas(today, roster),
    )


@bp.get("/lots/<int:lot_id>")
@requires(Permission.SEE_FRAMEWORK)
def lot(lot_id: int) -> ResponseReturnValue:
    """The members of one lot in rank order, with documents and capacity."""
    found = queries.lot_by_id(lot_id)
    if found is None:
        raise NotFound("There is no such lot.")
    today = clock.local_date(clock.now())
    roster = Roster([lot_id], today)
    return render_template(
        "framework/lot.html",
        lot=found,
        members=roster.members[lot_id],
        required=roster.lots[lot_id].required,
        today=today,
    )
