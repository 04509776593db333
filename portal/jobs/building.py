"""Build the specification of a draft further: other quantities, the items of a template, works out of hours."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.jobs.line_rates import Rates, check_lines, checked_quantity
from portal.jobs.models import Job, JobLine
from portal.jobs.specification import lines_on, lock_draft, put_on, settle
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken
from portal.rates.models import Edition, WorkTemplate
from portal.rates.pricing import price_line
from portal.rates.work_templates.queries import faults_in


def change_quantity(job_id: int, position: int, quantity: Decimal, *, by: str, now: datetime) -> JobLine:
    """Give a line of a draft another quantity, at the rate that it has.

    Raises ``WrongState`` for a job that is no draft, ``RuleBroken`` for a line that is gone, one that is withdrawn by
    now, or a quantity that cannot be.
    """
    job = lock_draft(job_id)
    lines = lines_on(job)
    line = next((line for line in lines if line.position == position), None)
    if line is None:
        raise RuleBroken("This line was taken off already.")
    check_lines(job, [line], local_date(now))
    line.quantity = checked_quantity(quantity)
    line.net_pence = price_line(line.quantity, line.rate_pence).net_pence
    settle(job, lines, by=by, now=now)
    audit.record(
        "quantity changed", f"job:{job.reference}", at=now, actor=by, code=line.code, quantity=format(quantity, "f")
    )
    return line


def fill_from_template(job_id: int, template_id: int, *, by: str, now: datetime) -> WorkTemplate:
    """Put every item of a template on a draft, at the rates of the draft's edition; what is on it already adds up.

    Raises ``NotFound`` for a template of another schedule, and ``RuleBroken`` with every item that the edition does not
    have any more; nothing is added then.
    """
    job = lock_draft(job_id)
    edition = db.session.get_one(Edition, job.edition_id)
    template = db.session.scalar(
        select(WorkTemplate)
        .where(WorkTemplate.id == template_id, WorkTemplate.schedule_id == edition.schedule_id)
        .options(selectinload(WorkTemplate.lines))
    )
    if template is None:
        raise NotFound("There is no such template.")
    day, codes = local_date(now), [line.code for line in template.lines]
    faults = faults_in(codes, edition, day)
    if faults:
        raise RuleBroken(
            f"Nothing was added: {'; '.join(faults[code] for code in sorted(faults))}. Add the items one by one, or "
            "ask whoever keeps the templates to change this one."
        )
    rates, lines = Rates(edition, codes, day), lines_on(job)
    for wanted in template.lines:
        put_on(job, lines, wanted.code, wanted.quantity, rates.of(wanted.code, job.authority_id))
    settle(job, lines, by=by, now=now)
    audit.record("filled from a template", f"job:{job.reference}", at=now, actor=by, template=template.id, codes=codes)
    return template


def set_out_of_hours(job_id: int, out_of_hours: bool, *, by: str, now: datetime) -> Job:
    """Say whether the works of a draft are done outside working hours, at the lot's uplift."""
    job = lock_draft(job_id)
    if job.out_of_hours is not out_of_hours:
        job.out_of_hours = out_of_hours
        audit.record("hours changed", f"job:{job.reference}", at=now, actor=by, out_of_hours=out_of_hours)
    return job
