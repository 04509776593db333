"""Bring a price list in as an edition of a schedule."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import insert, select

from portal.kernel import audit
from portal.kernel.db import QUANTITY_STEP, db, insert_rows, table_of
from portal.kernel.errors import InputRefused, Problem
from portal.rates.models import Component, Edition, Item, Schedule
from portal.rates.schedule_file import ScheduleFile, parse_components


def check_edition(file: ScheduleFile, schedule_code: str, edition_name: str, starts_on: date) -> list[Problem]:
    """Everything that would keep ``file`` from becoming this edition: its rows, and what is there already."""
    problems = list(file.problems)
    if not file.records and not problems:
        problems.append(Problem(file.name, "There is no item in this list; the rows below the header are empty."))
    for name, text, longest in (("schedule", schedule_code, 64), ("edition", edition_name, 200)):
        if not text.strip() or len(text) > longest:
            problems.append(Problem(file.name, f"The name of the {name} must have 1 to {longest} characters."))
    taken = db.session.scalars(
        select(Edition)
        .join(Schedule)
        .where(Schedule.code == schedule_code, (Edition.name == edition_name) | (Edition.starts_on == starts_on))
    )
    for edition in taken:
        same = f"is called {edition.name}" if edition.name == edition_name else f"starts on {starts_on.isoformat()}"
        problems.append(
            Problem(
                file.name,
                f"An edition of {schedule_code} {same} already; an edition is never "
                "overwritten. Choose another name and start date.",
            )
        )
    return problems


def import_edition(
    file: ScheduleFile,
    *,
    schedule_code: str,
    edition_name: str,
    starts_on: date,
    by: str,
    now: datetime,
    schedule_name: str | None = None,
    currency: str = "GBP",
) -> Edition:
    """A new edition from ``file``, in force from ``starts_on`` until the next one starts; all or nothing.

    Makes the schedule when it is new. Raises ``InputRefused`` with every problem.
    """
    problems = check_edition(file, schedule_code, edition_name, starts_on)
    if not (len(currency) == 3 and currency.isalpha()):
        problems.append(Problem(file.name, f"{currency} is not a currency; write its three letters, such as GBP."))
    if problems:
        raise InputRefused(problems)
    schedule = db.session.scalar(select(Schedule).where(Schedule.code == schedule_code).with_for_update())
    if schedule is None:
        schedule = Schedule(code=schedule_code, name=schedule_name or schedule_code, currency=currency)
        db.session.add(schedule)
        db.session.flush()
    edition = Edition(
        schedule_id=schedule.id,
        name=edition_name,
        starts_on=starts_on,
        item_count=len(file.records),
        source=file.name,
        created_at=now,
    )
    db.session.add(edition)
    db.session.flush()
    _write_items(file, edition.id)
    audit.record(
        "edition imported",
        f"schedule:{schedule_code}",
        at=now,
        actor=by,
        edition=edition_name,
        starts_on=starts_on.isoformat(),
        items=len(file.records),
        file=file.name,
    )
    return edition


def _write_items(file: ScheduleFile, edition_id: int) -> None:
    insert_rows(
        "item",
        ("edition_id", "code", "description", "long_description", "trade", "unit", "rate_pence", "smv", "composite"),
        [
            (
                edition_id,
                code,
                description,
                long_description or "",
                trade or "",
                unit,
                rate,
                None if smv is None else int(smv / QUANTITY_STEP),
                bool(composite or parts),
            )
            for _, code, description, long_description, trade, unit, rate, smv, composite, parts in file.records
        ],
    )
    made_of = [(record[1], parse_components(record[9])) for record in file.records if record[9]]
    if made_of:
        ids = dict(db.session.execute(select(Item.code, Item.id).where(Item.edition_id == edition_id)).all())
        db.session.execute(
            insert(table_of(Component)),
            [
                {"composite_id": ids[code], "part_id": ids[part], "quantity": quantity}
                for code, parts in made_of
                for part, quantity in parts
            ],
        )
