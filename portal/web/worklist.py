"""The front page: what needs whom who is signed in, first."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission, Role
from portal.framework.documents import queries as paperwork
from portal.framework.firms import queries as firm_queries
from portal.framework.queries import all_lot_ids
from portal.framework.roster import Roster
from portal.jobs import queries
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel import clock

bp = Blueprint("worklist", __name__)

#: A group shows this many; the list behind its link shows the rest.
SHOWN = 10


@bp.get("/")
@requires(Permission.SEE_WORKLIST)
def home() -> ResponseReturnValue:
    """The worklist of this person's role."""
    person = signed_in_person()
    now = clock.now()
    if person.role is Role.CONTRACTOR:
        firm = firm_queries.firm_if_listed(person)
        memberships = [] if firm is None else firm_queries.memberships_of(firm, clock.local_date(now))
        return render_template(
            "worklist/contractor.html",
            open_needs=firm_queries.open_needs(memberships),
            on_no_lot=firm is not None and all(each.ended for each in memberships),
            unsettled=[each for each in memberships if each.unsettled],
            open_offers=queries.offers_of(person, [OfferStatus.SENT], SHOWN),
            orders=queries.offers_of(person, [OfferStatus.ACCEPTED], SHOWN),
            now=now,
        )
    if not person.may(Permission.SEE_JOBS):
        return render_template("worklist/administrator.html")
    return render_template(
        "worklist/officer.html",
        exhausted=queries.waiting_jobs(person, JobStatus.EXHAUSTED, SHOWN + 1),
        specified=queries.waiting_jobs(person, JobStatus.SPECIFIED, SHOWN + 1),
        open_offers=queries.open_offers(person, SHOWN + 1),
        accepted=queries.waiting_jobs(person, JobStatus.ACCEPTED, SHOWN + 1),
        manages=framework_to_do(now) if person.may(Permission.MANAGE_FRAMEWORK) else None,
        shown=SHOWN,
        now=now,
    )


def framework_to_do(now: datetime) -> paperwork.ToDo:
    """What waits for whoever manages the framework."""
    return paperwork.to_do(Roster(all_lot_ids(), clock.local_date(now)))
