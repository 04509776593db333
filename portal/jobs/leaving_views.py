"""A firm leaves a lot on its own request: at once, without penalty.

Its open offers go to the next contractors, so this stands above the contractor list and the jobs.
"""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.firms import queries
from portal.framework.states import MemberStatus
from portal.jobs import standing
from portal.kernel import clock
from portal.kernel.db import transaction

bp = Blueprint("leaving", __name__, template_folder="templates", url_prefix="/firm/memberships")


@bp.get("/<int:member_id>/release")
@requires(Permission.MANAGE_OWN_FIRM)
def ask(member_id: int) -> ResponseReturnValue:
    """Say what leaving means, and ask once."""
    firm = queries.firm_of(signed_in_person())
    found = queries.membership_of(firm, member_id, clock.local_date(clock.now()))
    return render_template("leaving/ask.html", membership=found)


@bp.post("/<int:member_id>/release")
@requires(Permission.MANAGE_OWN_FIRM)
def leave(member_id: int) -> ResponseReturnValue:
    """Leave the lot, or take the application back."""
    person = signed_in_person()
    firm = queries.firm_of(person)
    found = queries.membership_of(firm, member_id, clock.local_date(clock.now()))
    with transaction():
        standing.change_standing(
            member_id,
            MemberStatus.RELEASED,
            reason="Asked for by the contractor.",
            by=person.email,
            now=clock.now(),
            nation=current_app.config["PORTAL"].nation,
        )
    lot = found.member.lot.name
    flash(
        f"Your application for {lot} is taken back." if found.applying else f"You have left the lot {lot}.", "success"
    )
    return redirect(url_for("firm.overview"))
