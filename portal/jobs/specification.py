"""Specify jobs: price their lines from the edition in force and freeze the rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.members.services import access_of
from portal.framework.models import Framework, Lot, LotWorkType
from portal.framework.queries import lots_called_off
from portal.framework.rules import district_of
from portal.framework.terms.lots import add_lot
from portal.framework.terms.services import DEFAULT_FRAMEWORK, add_framework, add_participation
from portal.jobs.job_file import NewJob
from portal.jobs.line_rates import Rates, check_lines, checked_quantity, currency_fault, value_fault
from portal.jobs.models import Job, JobLine
from portal.jobs.states import JobStatus
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash, InputRefused, Problem, RuleBroken, WrongState
from portal.rates.basket import MOST
from portal.rates.models import Edition, Item, StarRate
from portal.rates.pricing import price_line


@dataclass(slots=True)
class Specified:
    """How many jobs were specified, and what was made for them."""

    jobs: int = 0
    lots: int = 0
    authorities: int = 0


def specify_jobs(
    jobs: Sequence[NewJob], edition: Edition, *, source: str, by: str, now: datetime, create: bool = False
) -> Specified:
    """Write ``jobs`` with their lines at the rates of ``edition``; all or nothing.

    ``source`` names the file or page in problems. Without ``create`` an unknown authority or work type is a problem.
    Raises ``InputRefused`` with every problem.
    """
    if (fault := currency_fault(edition)) is not None:
        raise InputRefused([Problem(source, fault)])
    problems: list[Problem] = []
    done = Specified()
    rates = Rates(edition, {line.code for job in jobs for line in job.lines}, local_date(now))
    taken = set(db.session.scalars(select(Job.reference).where(Job.reference.in_([job.reference for job in jobs]))))
    authorities = _authorities(jobs, create=create, source=source, problems=problems, done=done, by=by, now=now)
    shelves = _lots(jobs, authorities, create=create, done=done, by=by, now=now)
    job_rows: list[dict[str, Any]] = []
    line_rows: list[list[dict[str, Any]]] = []
    for job in jobs:
        if job.reference in taken:
            problems.append(Problem(source, f"There is a job {job.reference} already.", job.row, "reference"))
        authority = authorities.get(job.authority)
        rated = []
        for line in job.lines:
            try:
                rated.append(rates.of(line.code, None if authority is None else authority.id))
            except RuleBroken as broken:
                problems.append(Problem(source, str(broken), job.row, "lines"))
        if len(rated) < len(job.lines) or authority is None:
            continue
        nets = [
            price_line(line.quantity, rate.rate_pence).net_pence for line, rate in zip(job.lines, rated, strict=True)
        ]
        value = sum(nets)
        if (fault := value_fault(value)) is not None:
            problems.append(Problem(source, fault, job.row, "lines"))
            continue
        lot = _lot_for(shelves.get((authority.id, job.work_type), []), value, district_of(job.postcode))
        if lot is None:
            known = sorted({work_type for area, work_type in shelves if area == authority.id})
            problems.append(
                Problem(
                    source,
                    f"No lot of {authority.name} takes the work type {job.work_type} at this value; "
                    f"its lots take {', '.join(known) or 'nothing yet'}. Correct it, or set the "
                    "lot up first (--create makes one).",
                    job.row,
                    "work_type",
                )
            )
            continue
        job_rows.append(
            {
                "reference": job.reference,
                "authority_id": authority.id,
                "lot_id": lot.id,
                "work_type": job.work_type,
                "edition_id": edition.id,
                "priority": job.priority,
                "status": JobStatus.SPECIFIED,
                "client": job.client,
                "address": job.address,
                "client_phone": job.client_phone,
                "postcode": job.postcode,
                "required_start": job.required_start,
                "value_pence": value,
                "out_of_hours": job.out_of_hours,
                "specified_by": by,
                "specified_at": now,
                "since": now,
            }
        )
        line_rows.append(
            [
                {
                    "position": position,
                    "code": line.code,
                    "description": rate.description,
                    "unit": rate.unit,
                    "quantity": line.quantity,
                    "rate_pence": rate.rate_pence,
                    "net_pence": net,
                    "rule": rate.rule,
                    "vat_bp": rate.vat_bp,
                }
                for position, (line, rate, net) in enumerate(zip(job.lines, rated, nets, strict=True), start=1)
            ]
        )
        audit.record(
            "job specified",
            f"job:{job.reference}",
            at=now,
            actor=by,
            value_pence=value,
            edition=edition.name,
            lot=lot.name,
            priority=job.priority.value,
        )
    if problems:
        raise InputRefused(problems)
    ids = db.session.scalars(insert(Job).returning(Job.id, sort_by_parameter_order=True), job_rows).all()
    db.session.execute(
        insert(JobLine),
        [{"job_id": job_id, **line} for job_id, lines in zip(ids, line_rows, strict=True) for line in lines],
    )
    done.jobs = len(job_rows)
    return done


def _authorities(
    jobs: Sequence[NewJob],
    *,
    create: bool,
    source: str,
    problems: list[Problem],
    done: Specified,
    by: str,
    now: datetime,
) -> dict[str, Organisation]:
    codes = {job.authority for job in jobs}
    known = {
        organisation.code: organisation
        for organisation in db.session.scalars(
            select(Organisation).where(Organisation.code.in_(codes), Organisation.kind == OrganisationKind.AUTHORITY)
        )
    }
    for job in jobs:
        if job.authority in known:
            continue
        if create:
            known[job.authority] = Organisation(
                code=job.authority, name=f"Authority {job.authority}", kind=OrganisationKind.AUTHORITY
            )
            db.session.add(known[job.authority])
            db.session.flush()
            audit.record("organisation added", f"organisation:{job.authority}", at=now, actor=by, kind="authority")
            done.authorities += 1
        else:
            problems.append(
                Problem(
                    source,
                    f"There is no authority with the code {job.authority}; correct it, or repeat "
                    "with --create to make it.",
                    job.row,
                    "authority",
                )
            )
    return known


Shelves = dict[tuple[int, str], list[Lot]]


def _lots(
    jobs: Sequence[NewJob],
    authorities: dict[str, Organisation],
    *,
    create: bool,
    done: Specified,
    by: str,
    now: datetime,
) -> Shelves:
    """The lots that each authority can call off today, by work type; made where ``create`` says so."""
    shelves: Shelves = {}
    for authority in authorities.values():
        for lot in lots_called_off(authority.id, local_date(now)):
            if _covers(lot, authority.code):
                for each in lot.work_types:
                    shelves.setdefault((authority.id, each.work_type), []).append(lot)
    if not create:
        return shelves
    for job in jobs:
        authority = authorities[job.authority]
        if (authority.id, job.work_type) in shelves:
            continue
        framework = db.session.scalar(select(Framework).order_by(Framework.id).limit(1)) or add_framework(
            DEFAULT_FRAMEWORK, f"Adaptations framework {DEFAULT_FRAMEWORK}", None, None, by=by, now=now
        )
        made = db.session.scalar(
            select(Lot)
            .join(LotWorkType, LotWorkType.lot_id == Lot.id)
            .where(Lot.framework_id == framework.id, LotWorkType.work_type == job.work_type)
            .order_by(Lot.id)
            .limit(1)
        )
        if made is None:
            made = add_lot(framework, job.work_type, by=by, now=now)
            done.lots += 1
        # An authority that has left is not let in again by a list of jobs; its lots are looked for in vain.
        if authority.code not in access_of(framework.id):
            add_participation(framework, authority, by=by, now=now)
        elif made.id not in {lot.id for lot in lots_called_off(authority.id, local_date(now))}:
            continue
        shelves[authority.id, job.work_type] = [made]
    return shelves


def _covers(lot: Lot, authority: str) -> bool:
    """Whether a lot can cover jobs of an authority: it is not limited, or to this one, or to districts."""
    return not lot.areas or any(area.authority is None or area.authority.code == authority for area in lot.areas)


def _lot_for(lots: Sequence[Lot], value_pence: int, district: str = "") -> Lot | None:
    """The lot whose areas and value band hold the job; with a single lot, that one (what does not fit is then a
    reason, not a riddle)."""
    if len(lots) == 1:
        return lots[0]
    return next(
        (
            lot
            for lot in lots
            if (not lot.areas or any(area.authority or area.district == district for area in lot.areas))
            and lot.value_from_pence <= value_pence
            and (lot.value_to_pence is None or value_pence < lot.value_to_pence)
        ),
        None,
    )


def _lots_taking(authority: Organisation, work_type: str, *, by: str, now: datetime) -> list[Lot]:
    """The lots that one authority can call off for a work type today."""
    shelves = _lots([], {authority.code: authority}, create=False, done=Specified(), by=by, now=now)
    return shelves.get((authority.id, work_type), [])


def draft_job(job: NewJob, edition: Edition, *, by: str, now: datetime) -> Job:
    """A draft without lines, at the rates of ``edition``; its lines are added one by one.

    Raises ``Clash`` for a reference in use and ``RuleBroken`` when no lot of the authority takes the work type or the
    rates are not in pounds.
    """
    if (fault := currency_fault(edition)) is not None:
        raise RuleBroken(fault)
    if db.session.scalar(select(Job.id).where(Job.reference == job.reference)) is not None:
        raise Clash(f"There is a job {job.reference} already.")
    authority = db.session.scalar(
        select(Organisation).where(Organisation.code == job.authority, Organisation.kind == OrganisationKind.AUTHORITY)
    )
    lots = [] if authority is None else _lots_taking(authority, job.work_type, by=by, now=now)
    if authority is None or not lots:
        raise RuleBroken(f"No lot of {job.authority} takes the work type {job.work_type}; set the lot up first.")
    draft = Job(
        reference=job.reference,
        authority_id=authority.id,
        lot_id=lots[0].id,
        work_type=job.work_type,
        edition_id=edition.id,
        priority=job.priority,
        status=JobStatus.DRAFT,
        client=job.client,
        address=job.address,
        client_phone=job.client_phone,
        postcode=job.postcode,
        required_start=job.required_start,
        value_pence=0,
        out_of_hours=job.out_of_hours,
        specified_by=by,
        specified_at=now,
        since=now,
    )
    db.session.add(draft)
    db.session.flush()
    audit.record("job drafted", f"job:{job.reference}", at=now, actor=by, edition=edition.name)
    return draft


def lock_draft(job_id: int) -> Job:
    """A draft, locked until the transaction ends; ``WrongState`` for a job that is none."""
    job = db.session.scalars(
        select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if job.status is not JobStatus.DRAFT:
        raise WrongState(f"The job {job.reference} is {job.status.value}; its lines can no longer be changed.")
    return job


def lines_on(job: Job) -> list[JobLine]:
    """The lines of a job in their order."""
    return list(db.session.scalars(select(JobLine).where(JobLine.job_id == job.id).order_by(JobLine.position)))


def put_on(job: Job, lines: list[JobLine], code: str, quantity: Decimal, rate: Item | StarRate) -> JobLine:
    """Put ``quantity`` of an item on a draft; the same item again adds up."""
    line = next((line for line in lines if line.code == code), None)
    if line is None:
        line = JobLine(
            job_id=job.id,
            position=max((line.position for line in lines), default=0) + 1,
            code=code,
            description=rate.description,
            unit=rate.unit,
            quantity=Decimal(0),
            rate_pence=rate.rate_pence,
            rule=rate.rule,
            vat_bp=rate.vat_bp,
        )
        db.session.add(line)
        lines.append(line)
    if line.quantity + quantity >= MOST:
        raise RuleBroken(f"{code} would come to {line.quantity + quantity} on this job; it must stay below {MOST:,}.")
    line.quantity += quantity
    line.net_pence = price_line(line.quantity, line.rate_pence).net_pence
    return line


def settle(job: Job, lines: Sequence[JobLine], *, by: str, now: datetime) -> None:
    """Give a draft the value of its lines, and the lot whose value band holds it where there is one: what is said of
    who could take it rests on both. ``RuleBroken`` for a value that is too large, before anything is written."""
    value_pence = sum(line.net_pence for line in lines)
    if (fault := value_fault(value_pence)) is not None:
        raise RuleBroken(fault)
    job.value_pence = value_pence
    authority = db.session.get_one(Organisation, job.authority_id)
    lot = _lot_for(_lots_taking(authority, job.work_type, by=by, now=now), job.value_pence, job.district)
    if lot is not None:
        job.lot_id = lot.id


def add_line(job_id: int, code: str, quantity: Decimal, *, by: str, now: datetime) -> JobLine:
    """Add ``quantity`` of an item to a draft, at the rate of the draft's edition; the same item again adds up.

    Raises ``WrongState`` for a job that is no draft, ``RuleBroken`` for an unknown item, a quantity that is not above 0
    with at most three decimals, or a job that would be worth too much.
    """
    job = lock_draft(job_id)
    rate = Rates(db.session.get_one(Edition, job.edition_id), [code], local_date(now)).of(code, job.authority_id)
    lines = lines_on(job)
    line = put_on(job, lines, code, checked_quantity(quantity), rate)
    settle(job, lines, by=by, now=now)
    audit.record("line added", f"job:{job.reference}", at=now, actor=by, code=code, quantity=format(quantity, "f"))
    return line


def remove_line(job_id: int, position: int, *, by: str, now: datetime) -> None:
    """Take a line off a draft; ``RuleBroken`` when there is no such line."""
    job = lock_draft(job_id)
    lines = lines_on(job)
    line = next((line for line in lines if line.position == position), None)
    if line is None:
        raise RuleBroken("This line was taken off already.")
    db.session.delete(line)
    settle(job, [each for each in lines if each is not line], by=by, now=now)
    audit.record("line removed", f"job:{job.reference}", at=now, actor=by, code=line.code)


def finish_specification(job_id: int, *, by: str, now: datetime) -> Job:
    """Close the specification: the job waits for allocation, in the lot whose value band holds it.

    Raises ``RuleBroken`` for a job without lines, with one that is withdrawn by now, or a value that no lot takes.
    """
    job = lock_draft(job_id)
    lines = lines_on(job)
    if not lines:
        raise RuleBroken("Add at least one item before you finish; a job without works cannot be offered.")
    check_lines(job, lines, local_date(now))
    authority = db.session.get_one(Organisation, job.authority_id)
    lot = _lot_for(_lots_taking(authority, job.work_type, by=by, now=now), job.value_pence, job.district)
    if lot is None:
        raise RuleBroken("No lot takes a job of this value; ask the framework manager for one.")
    job.lot_id, job.status, job.specified_by, job.specified_at, job.since = lot.id, JobStatus.SPECIFIED, by, now, now
    audit.record("job specified", f"job:{job.reference}", at=now, actor=by, value_pence=job.value_pence, lot=lot.name)
    return job
