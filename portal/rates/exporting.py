"""An edition as a file, in the columns that an import reads: what was exported imports to the same edition.

CSV, XLSX, XLS or PDF; the texts are written so that no spreadsheet runs or changes them.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from sqlalchemy import select

from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.errors import RuleBroken
from portal.kernel.money import percent, pounds
from portal.rates.models import Component, Edition, Item
from portal.rates.price_lists.handed_in import short_name
from portal.rates.schedule_file import FIELDS
from portal.tables import Kind, write_csv, write_xls, write_xlsx
from portal.tables.pdf_writing import MOST_PDF_ROWS, too_many_pages, write_pdf
from portal.tables.writing import MOST_XLS_ROWS, MOST_XLSX_ROWS, too_many_rows

#: How long a list waits until others are written, in seconds.
PATIENCE_SECONDS = 10
# Few at a time in each process: a long list takes a gigabyte and a processor for a minute.
_turns = threading.BoundedSemaphore(2)
# What stands in no file's name, here or there.
_NOT_ON_DISK = re.compile(r'[/\\:*?"<>|]')

COLUMNS = tuple(field.name for field in FIELDS)
#: How each kind of list is called on disk.
ENDINGS = {".csv": Kind.CSV, ".xlsx": Kind.XLSX, ".xls": Kind.XLS, ".pdf": Kind.PDF}


def write_edition_file(edition: Edition, kind: Kind, target: str | Path | IO[bytes]) -> int:
    """Write all items of ``edition`` as a price list of ``kind`` to a path or an open binary file.

    The columns are those of ``schedule_file.FIELDS``, the order is the edition's own. Returns the number of items.
    Raises ``RuleBroken`` with the remedy for an edition that the format cannot hold: more than 65,535 items in XLS,
    more than 2,000 pages in PDF, a text too long for a cell, a character that a PDF cannot show; and when other lists
    are being written. Nothing has been written then.
    """
    _refuse_long(edition.item_count, kind)
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise RuleBroken("The portal is busy writing other lists; try again in a minute.")
    try:
        made, count = _made(edition, kind)
    finally:
        _turns.release()
    if isinstance(target, str | Path):
        Path(target).write_bytes(made.getvalue())
    else:
        target.write(made.getvalue())
    return count


def download_name(edition: Edition, kind: Kind) -> str:
    """What the file of an edition is called on disk, whatever the edition is called."""
    name = _NOT_ON_DISK.sub("-", f"{edition.schedule.code}-{edition.name}")
    return short_name(f"{name}.{kind.value.lower()}")


def _refuse_long(items: int, kind: Kind) -> None:
    """Refuse, before anything is read, what the format cannot hold."""
    if kind is Kind.XLS and items >= MOST_XLS_ROWS:
        raise too_many_rows(MOST_XLS_ROWS, "XLS", "XLSX or CSV")
    if kind is Kind.XLSX and items >= MOST_XLSX_ROWS:
        raise too_many_rows(MOST_XLSX_ROWS, "XLSX", "CSV")
    if kind is Kind.PDF and items > MOST_PDF_ROWS:
        raise too_many_pages()


def _made(edition: Edition, kind: Kind) -> tuple[BytesIO, int]:
    """The file in memory, and the number of its items."""
    rows = list(item_lines(edition))
    made = BytesIO()
    match kind:
        case Kind.CSV:
            write_csv(made, COLUMNS, rows)
        case Kind.XLSX:
            write_xlsx(made, COLUMNS, rows, sheet="Rates")
        case Kind.XLS:
            write_xls(made, COLUMNS, rows, sheet="Rates")
        case Kind.PDF:
            write_pdf(made, COLUMNS, rows, title=title_of(edition))
    return made, len(rows)


def title_of(edition: Edition) -> str:
    """What stands above the table on each page of a PDF."""
    return f"{edition.schedule.name}, {edition.name}: in force from {date_text(edition.starts_on)}"


def item_lines(edition: Edition) -> Iterator[tuple[object, ...]]:
    """The items of an edition in its own order, as rows in the order of ``COLUMNS``."""
    parts = _parts(edition.id)
    items = db.session.execute(
        select(
            Item.id,
            Item.code,
            Item.description,
            Item.long_description,
            Item.trade,
            Item.unit,
            Item.rate_pence,
            Item.smv,
            Item.composite,
            Item.vat_bp,
            Item.withdrawn_on,
            Item.withdrawn_reason,
        )
        .where(Item.edition_id == edition.id)
        .order_by(Item.id)
    )
    for item in items:
        yield (
            item.code,
            item.description,
            item.long_description,
            item.trade,
            item.unit,
            pounds(item.rate_pence),
            item.smv,
            "yes" if item.composite else "no",
            parts.get(item.id, ""),
            percent(item.vat_bp),
            item.withdrawn_on,
            item.withdrawn_reason,
        )


def _parts(edition_id: int) -> dict[int, str]:
    """What each composite is made of, by its id: ``CODE*QTY; CODE*QTY``, so that a narrow column can break it."""
    parts: dict[int, list[str]] = defaultdict(list)
    found = db.session.execute(
        select(Component.composite_id, Item.code, Component.quantity)
        .join(Item, Item.id == Component.part_id)
        .where(Item.edition_id == edition_id)
        .order_by(Component.id)
    )
    for composite_id, code, quantity in found:
        parts[composite_id].append(f"{code}*{quantity:f}")
    return {composite_id: "; ".join(each) for composite_id, each in parts.items()}
