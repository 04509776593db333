"""Make editions of a schedule: out of a price list, or out of items that somebody has decided on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import insert, select

from portal.kernel import audit
from portal.kernel.db import QUANTITY_STEP, db, insert_rows, table_of
from portal.kernel.errors import InputRefused, Problem
from portal.rates.models import Component, Edition, Item, Schedule
from portal.rates.schedule_file import ItemRow, ScheduleFile, item_rows
from portal.rates.search_words import search_words, vocabulary


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
    return write_edition(
        schedule,
        item_rows(file.records),
        name=edition_name,
        starts_on=starts_on,
        source=file.name,
        because="edition imported",
        by=by,
        now=now,
    )


def write_edition(
    schedule: Schedule,
    items: Sequence[ItemRow],
    *,
    name: str,
    starts_on: date,
    source: str,
    because: str,
    by: str,
    now: datetime,
) -> Edition:
    """A new edition of ``schedule`` (locked by the caller) with its items, the words it is searched by, and an audit
    event that says ``because``. Every edition comes to be here."""
    edition = Edition(
        schedule_id=schedule.id,
        name=name,
        starts_on=starts_on,
        item_count=len(items),
        source=source,
        created_at=now,
    )
    db.session.add(edition)
    db.session.flush()
    _write_items(items, edition.id)
    audit.record(
        because,
        f"schedule:{schedule.code}",
        at=now,
        actor=by,
        edition=name,
        starts_on=starts_on.isoformat(),
        items=len(items),
        file=source,
    )
    return edition


def _write_items(items: Sequence[ItemRow], edition_id: int) -> None:
    words = search_words([item.code for item in items], [item.description for item in items])
    insert_rows(
        "item",
        (
            "edition_id",
            "code",
            "description",
            "long_description",
            "trade",
            "unit",
            "rate_pence",
            "smv",
            "composite",
            "vat_bp",
            "withdrawn_on",
            "withdrawn_reason",
            "words",
        ),
        [
            (
                edition_id,
                item.code,
                item.description,
                item.long_description,
                item.trade,
                item.unit,
                item.rate_pence,
                None if item.smv is None else int(item.smv / QUANTITY_STEP),
                item.composite,
                item.vat_bp,
                item.withdrawn_on and item.withdrawn_on.isoformat(),
                item.withdrawn_reason,
                found,
            )
            for item, found in zip(items, words, strict=True)
        ],
    )
    insert_rows("catalogue_word", ("edition_id", "word"), [(edition_id, word) for word in sorted(vocabulary(words))])
    made_of = [(item.code, item.parts) for item in items if item.parts]
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
