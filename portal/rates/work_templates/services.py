"""Make, change and delete templates of works, one by one or from a file; every code must be in the edition in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from portal.framework.faults import TakenTerm, WrongTerm
from portal.framework.models import WORK_TYPE
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.errors import InputRefused, NotFound, Problem
from portal.rates.models import Edition, Schedule, WorkTemplate, WorkTemplateLine
from portal.rates.queries import edition_in_force
from portal.rates.schedule_file import parse_components
from portal.rates.work_templates.queries import faults_in
from portal.rates.work_templates.template_file import TemplateFile

MOST_LINES = 200
#: The most rows of a file of templates.
MOST_ROWS = 20_000
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class TemplateWanted:
    """A template as somebody states it: lines are (code, quantity)."""

    name: str
    work_type: str
    lines: tuple[tuple[str, Decimal], ...]


def lines_written(text: str) -> tuple[tuple[str, Decimal], ...]:
    """``"LAS010*1"``, one a line or parted by semicolons, as lines; ``WrongTerm`` says what is wrong with them."""
    try:
        return tuple(parse_components(text.replace("\r", "").replace("\n", ";")))
    except ValueError as fault:
        raise WrongTerm(f"The items cannot be read: {fault}.", "lines") from None


def add_template(schedule_code: str, wanted: TemplateWanted, *, by: str, now: datetime) -> WorkTemplate:
    """A new template of a schedule.

    Raises ``WrongTerm`` and ``TakenTerm`` with the name of the term that cannot be.
    """
    edition = _checked(schedule_code, wanted, now)
    template = WorkTemplate(schedule_id=edition.schedule_id, name=wanted.name, work_type=wanted.work_type)
    _write(template, wanted)
    _record("work template made", template, edition.schedule, by, now)
    return template


def change_template(template_id: int, wanted: TemplateWanted, *, by: str, now: datetime) -> WorkTemplate:
    """Another name, work type or lines; jobs that it has filled stay as they are. Raises as ``add_template`` does."""
    template = _locked(template_id)
    edition = _checked(template.schedule.code, wanted, now, but=template)
    template.name, template.work_type = wanted.name, wanted.work_type
    template.lines.clear()
    db.session.flush()
    _write(template, wanted)
    _record("work template changed", template, edition.schedule, by, now)
    return template


def delete_template(template_id: int, *, by: str, now: datetime) -> WorkTemplate:
    """Delete a template; jobs that it has filled stay as they are."""
    template = _locked(template_id)
    db.session.delete(template)
    _record("work template deleted", template, template.schedule, by, now)
    return template


def import_templates(file: TemplateFile, schedule_code: str, *, by: str, now: datetime) -> list[WorkTemplate]:
    """New templates from a list, all or nothing. Raises ``InputRefused`` with every problem."""
    problems = list(file.problems)
    if not file.templates and not problems:
        problems.append(Problem(file.name, "There is no template in this list; the rows below the header are empty."))
    rows = sum(len(template.lines) for template in file.templates)
    if rows > MOST_ROWS:
        problems = [
            Problem(
                file.name,
                f"The list has {rows:,} rows; at most {MOST_ROWS:,} come in at once. Split it into several files.",
            )
        ]
    # Before any code is looked up: a list of a hundred thousand codes under one name is no template.
    problems = problems or [
        _too_many(file.name, each.lines[MOST_LINES].row) for each in file.templates if len(each.lines) > MOST_LINES
    ]
    if problems:
        raise InputRefused(problems, file.more_problems)
    day = local_date(now)
    edition = edition_in_force(day, schedule_code)
    faults = faults_in({line.code for template in file.templates for line in template.lines}, edition, day)
    taken = {each.name for each in _of_schedule(edition.schedule_id)}
    for wanted in file.templates:
        if wanted.name in taken:
            problems.append(
                Problem(
                    file.name,
                    f"There is a template {wanted.name} already; choose another name, or delete that one first.",
                    wanted.lines[0].row,
                    "template",
                )
            )
        problems += [
            Problem(file.name, f"{faults[line.code]}; look it up in the catalogue.", line.row, "code")
            for line in wanted.lines
            if line.code in faults
        ]
    if problems:
        raise InputRefused(problems)
    made = []
    for each in file.templates:
        lines = tuple((line.code, line.quantity) for line in each.lines)
        template = WorkTemplate(schedule_id=edition.schedule_id, name=each.name, work_type=each.work_type)
        _write(template, TemplateWanted(each.name, each.work_type, lines))
        _record("work template made", template, edition.schedule, by, now)
        made.append(template)
    return made


def _too_many(file: str, row: int) -> Problem:
    return Problem(file, f"A template has at most {MOST_LINES} items; take some out.", row, "code")


def _locked(template_id: int) -> WorkTemplate:
    template = db.session.scalar(
        select(WorkTemplate)
        .where(WorkTemplate.id == template_id)
        .with_for_update(of=WorkTemplate)
        .execution_options(populate_existing=True)
    )
    if template is None:
        raise NotFound("There is no such template.")
    return template


def _of_schedule(schedule_id: int) -> Sequence[WorkTemplate]:
    return list(db.session.scalars(select(WorkTemplate).where(WorkTemplate.schedule_id == schedule_id)))


def _checked(
    schedule_code: str, wanted: TemplateWanted, now: datetime, *, but: WorkTemplate | None = None
) -> Edition:
    """The edition in force, when everything about the template is right."""
    if not wanted.name.strip() or len(wanted.name) > LONGEST_NAME:
        raise WrongTerm(f"The name must have 1 to {LONGEST_NAME} characters.", "name")
    if not wanted.work_type.strip() or len(wanted.work_type) > WORK_TYPE:
        raise WrongTerm(f"The work type must have 1 to {WORK_TYPE} characters.", "work_type")
    if not wanted.lines:
        raise WrongTerm("Give at least one item, such as LAS010*1.", "lines")
    if len(wanted.lines) > MOST_LINES:
        raise WrongTerm(f"A template has at most {MOST_LINES} items.", "lines")
    day = local_date(now)
    edition = edition_in_force(day, schedule_code)
    faults = faults_in({code for code, _ in wanted.lines}, edition, day)
    if faults:
        raise WrongTerm("; ".join(faults[code] for code in sorted(faults)) + ".", "lines")
    for other in _of_schedule(edition.schedule_id):
        if other.name == wanted.name and other is not but:
            raise TakenTerm(f"There is a template {wanted.name} already; choose another name.", "name")
    return edition


def _write(template: WorkTemplate, wanted: TemplateWanted) -> None:
    template.lines.extend(
        WorkTemplateLine(position=position, code=code, quantity=quantity)
        for position, (code, quantity) in enumerate(wanted.lines, start=1)
    )
    db.session.add(template)
    db.session.flush()


def _record(what: str, template: WorkTemplate, schedule: Schedule, by: str, now: datetime) -> None:
    audit.record(
        what,
        f"work-template:{template.id}",
        at=now,
        actor=by,
        schedule=schedule.code,
        work_type=template.work_type,
        codes=[line.code for line in template.lines],
    )
