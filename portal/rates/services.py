"""Make editions of a schedule: out of a price list, or out of items that somebody has decided on; withdraw items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import repeat
from typing import Any

from sqlalchemy import insert, select

from portal.framework.faults import WrongTerm
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import QUANTITY_STEP, db, insert_rows, table_of
from portal.kernel.errors import InputRefused, NotFound, Problem, WrongState
from portal.kernel.rows import many_rows
from portal.rates.models import Component, Edition, Item, Schedule
from portal.rates.schedule_file import ItemRow, ScheduleFile, item_rows, own_code_fault
from portal.rates.search_index import words_indexed_at_once
from portal.rates.search_words import search_words, vocabulary

#: Words that stand in the addresses of our own pages where a schedule's code would stand.
NOT_CODES = frozenset({"lists", "reviews", "indices", "requests", "stars", "templates", "items", "editions", "import"})


def in_one_form(name: str) -> str:
    """A name or a code as it is kept: single spaces, none at its ends."""
    return " ".join(name.split())


def code_fault(schedule_code: str) -> str | None:
    """Why a schedule cannot have this code, in a sentence; ``None`` when it can, brought ``in_one_form``."""
    code = in_one_form(schedule_code)
    if not code or len(code) > 64:
        return "The name of the schedule must have 1 to 64 characters."
    if not code.isprintable():
        return "The schedule's code has a character that cannot be seen; type the code instead of pasting it."
    if code.lower() in NOT_CODES:
        return f"{code} is the name of a page of the portal, so a schedule cannot be called so; choose another code."
    if "/" in code or code in {".", ".."}:
        return "A schedule's code stands in addresses, so it cannot have a slash or be a dot; choose another code."
    return None


def edition_fault(edition_name: str) -> str | None:
    """Why an edition cannot have this name, in a sentence; ``None`` when it can, brought ``in_one_form``."""
    name = in_one_form(edition_name)
    if not name or len(name) > 200:
        return "The name of the edition must have 1 to 200 characters."
    if not name.isprintable():
        return "The edition's name has a character that cannot be seen; type the name instead of pasting it."
    # What a browser or a server would leave out of an address.
    if {"", ".", ".."}.intersection(name.split("/")):
        return (
            "An edition's name stands in addresses, so it cannot begin or end with a slash, have two in a row, or be "
            "made of dots; choose another name, such as 2026/27."
        )
    return None


def stands_in_addresses(edition: Edition) -> bool:
    """Whether an edition can be named in an address; one with an older name is shown by its number."""
    names = edition.schedule.code, edition.name
    return (
        code_fault(names[0]) is None and edition_fault(names[1]) is None and tuple(map(in_one_form, names)) == names
    )


def check_edition(file: ScheduleFile, schedule_code: str, edition_name: str, starts_on: date) -> list[Problem]:
    """Everything that would keep ``file`` from becoming this edition: its rows, and what is there already."""
    problems = list(file.problems)
    if not file.records and not problems:
        problems.append(Problem(file.name, "There is no item in this list; the rows below the header are empty."))
    # Whoever read the file has looked at its codes; items can come from elsewhere.
    if not problems:
        codes = ((record[0], own_code_fault(record[1])) for record in file.records)
        problems += [Problem(file.name, fault, row, "code") for row, fault in codes if fault is not None]
    names = [fault for fault in (code_fault(schedule_code), edition_fault(edition_name)) if fault is not None]
    # A name that cannot be is not looked for: no database takes half a character or a NUL.
    if not names:
        names = [fault for _, fault in taken_faults(in_one_form(schedule_code), in_one_form(edition_name), starts_on)]
    problems += [Problem(file.name, fault) for fault in names]
    return problems


def taken_faults(schedule_code: str, edition_name: str, starts_on: date) -> list[tuple[str, str]]:
    """For each edition of the schedule that has this name or first day already: which of them, and a sentence."""
    faults = []
    taken = db.session.scalars(
        select(Edition)
        .join(Schedule)
        .where(Schedule.code == schedule_code, (Edition.name == edition_name) | (Edition.starts_on == starts_on))
    )
    for edition in taken:
        called = edition.name == edition_name
        same = f"is called {edition.name}" if called else f"starts on {starts_on.isoformat()}"
        faults.append(
            (
                "edition_name" if called else "starts_on",
                f"An edition of {schedule_code} {same} already; an edition is never overwritten. Choose another name "
                "and start date.",
            )
        )
    return faults


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
    schedule_code, edition_name = in_one_form(schedule_code), in_one_form(edition_name)
    schedule = None
    if code_fault(schedule_code) is None:
        # Locked before it is looked at: of two imports at once the second sees what the first has made.
        schedule = db.session.scalar(select(Schedule).where(Schedule.code == schedule_code).with_for_update())
    problems = check_edition(file, schedule_code, edition_name, starts_on)
    if not (len(currency) == 3 and currency.isalpha()):
        problems.append(Problem(file.name, f"{currency} is not a currency; write its three letters, such as GBP."))
    if problems:
        raise InputRefused(problems, file.more_problems)
    if schedule is None:
        # Two that make one schedule at once: its unique code stops the second, and nothing of it stays.
        schedule = Schedule(code=schedule_code, name=schedule_name or schedule_code, currency=currency)
        db.session.add(schedule)
        db.session.flush()
    with many_rows():
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
    )
    return edition


def _write_items(items: Sequence[ItemRow], edition_id: int) -> None:
    """Write an edition's items column by column, because a list has a hundred thousand of them."""
    if not items:
        return
    values: Iterable[Any] = zip(*items, strict=True)
    codes, descriptions, long_ones, trades, units, rates, smvs, composites, vats, days, reasons, parts_of = values
    words = search_words(codes, descriptions)
    columns: dict[str, Iterable[object]] = {
        "edition_id": repeat(edition_id),
        "code": codes,
        "description": descriptions,
        "long_description": long_ones,
        "trade": trades,
        "unit": units,
        "rate_pence": rates,
        "composite": composites,
        "vat_bp": vats,
        "words": words,
    }
    # What no item has, the database fills in by itself.
    if smvs.count(None) < len(items):
        columns["smv"] = [None if smv is None else int(smv / QUANTITY_STEP) for smv in smvs]
    if any(days):
        columns |= {"withdrawn_on": [day and day.isoformat() for day in days], "withdrawn_reason": reasons}
    rows = list(zip(*columns.values(), strict=False))
    with words_indexed_at_once(edition_id, len(items)):
        insert_rows("item", tuple(columns), rows)
    insert_rows("catalogue_word", ("edition_id", "word"), [(edition_id, word) for word in sorted(vocabulary(words))])
    made_of = [(code, parts) for code, parts in zip(codes, parts_of, strict=True) if parts]
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


def withdraw_item(edition_id: int, code: str, from_on: date, *, reason: str, by: str, now: datetime) -> Item:
    """Take an item out of use: from the day ``from_on`` on it is on no new job. It stays readable, orders keep it.

    Raises ``NotFound``, ``WrongState`` when it is withdrawn already, ``WrongTerm`` (``from_on``, ``reason``) for a day
    that has passed or lies before the edition, and for a reason that is missing or too long.
    """
    item = db.session.scalar(
        select(Item).where(Item.edition_id == edition_id, Item.code == code).with_for_update()
    )
    if item is None:
        raise NotFound(f"There is no item {code} in this edition.")
    edition = db.session.get_one(Edition, edition_id)
    if item.withdrawn_on is not None:
        raise WrongState(f"{code} is withdrawn already, from {date_text(item.withdrawn_on)} on.")
    earliest = max(local_date(now), edition.starts_on)
    if from_on < earliest:
        raise WrongTerm(
            f"The item can be withdrawn from {date_text(earliest)} on: jobs of earlier days have it already, or the "
            "edition begins then.",
            "from_on",
        )
    reason = " ".join(reason.split())
    if not reason or len(reason) > 500:
        raise WrongTerm("Give the reason in at most 500 characters; whoever looks for the item reads it.", "reason")
    item.withdrawn_on, item.withdrawn_reason = from_on, reason
    audit.record(
        "item withdrawn",
        f"schedule:{edition.schedule.code}",
        at=now,
        actor=by,
        edition=edition.name,
        code=code,
        from_on=from_on.isoformat(),
    )
    return item
