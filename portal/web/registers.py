"""The audit events and the outbox, to be read."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.firms.joining import without_links
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db
from portal.kernel.outbox import Notice
from portal.kernel.paging import row_id

bp = Blueprint("registers", __name__)
PAGE = 50


def before() -> int | None:
    """Where the page starts: below this number."""
    return request.args.get("before", type=row_id)


@bp.get("/audit")
@requires(Permission.SEE_AUDIT)
def audit_events() -> ResponseReturnValue:
    """Audit events, the latest first; by subject when one is asked for."""
    subject = request.args.get("subject", "").strip()
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(PAGE + 1)
    if subject:
        query = query.where(AuditEvent.subject == subject)
    if (start := before()) is not None:
        query = query.where(AuditEvent.id < start)
    events = list(db.session.scalars(query))
    return render_template("registers/audit.html", events=events[:PAGE], more=len(events) > PAGE, subject=subject)


@bp.get("/outbox")
@requires(Permission.SEE_OUTBOX)
def outbox() -> ResponseReturnValue:
    """Notices, the latest first, with what became of each.

    Whoever may make accounts sees the links that make one; an auditor reads what was sent and acts on none of it.
    """
    query = select(Notice).order_by(Notice.id.desc()).limit(PAGE + 1)
    if (start := before()) is not None:
        query = query.where(Notice.id < start)
    notices = list(db.session.scalars(query))
    acts = signed_in_person().may(Permission.MANAGE_PEOPLE)
    return render_template(
        "registers/outbox.html",
        notices=notices[:PAGE],
        bodies=[each.body if acts else without_links(each.body) for each in notices],
        more=len(notices) > PAGE,
    )
