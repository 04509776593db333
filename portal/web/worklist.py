"""The front page: what needs whom who is signed in, first."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission, Role
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
        return render_template(
            "worklist/contractor.html",
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
        shown=SHOWN,
        now=now,
    )
