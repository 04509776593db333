"""Rows into files that a spreadsheet opens without running anything in them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import TextIOBase, TextIOWrapper
from pathlib import Path
from typing import IO, BinaryIO, cast

from openpyxl import Workbook

# A spreadsheet takes a text that begins so for a formula. One that begins with apostrophes before such a
# character gets one more, so that reading (``cells.clean``) gives back exactly what was written.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def harmless(cell: object) -> object:
    """``cell`` as it may stand in a spreadsheet: numbers, dates and flags as they are, texts never a formula."""
    if cell is None:
        return ""
    if isinstance(cell, str) and _DANGEROUS.match(cell):
        return f"'{cell}"
    return cell


def write_csv(
    target: str | Path | IO[str] | IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write ``header`` and ``rows`` as CSV, UTF-8 with a byte-order mark (Excel needs it), to a path or an open file.

    Real numbers stay numbers, dates become ISO dates, ``None`` an empty cell; texts are made ``harmless``. Money is
    the caller's to write as text (``"4058.00"``); a text that is a plain negative number stays a number.
    """
    if isinstance(target, str | Path):
        with Path(target).open("w", encoding="utf-8-sig", newline="") as file:
            _write_rows(file, header, rows)
    elif isinstance(target, TextIOBase):
        _write_rows(target, header, rows)
    else:
        wrapped = TextIOWrapper(cast(BinaryIO, target), encoding="utf-8-sig", newline="", write_through=True)
        _write_rows(wrapped, header, rows)
        wrapped.flush()
        wrapped.detach()


def _write_rows(file: IO[str] | TextIOBase, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(file)
    writer.writerow([harmless(cell) for cell in header])
    writer.writerows([_plain(cell) for cell in row] for row in rows)


_NEGATIVE = re.compile(r"-[0-9]{1,15}(?:\.[0-9]+)?")


def _plain(cell: object) -> object:
    if isinstance(cell, str) and _NEGATIVE.fullmatch(cell):
        return cell
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return harmless(cell)


def write_xlsx(
    target: str | Path | IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]], *, sheet: str = "List"
) -> None:
    """Write ``header`` and ``rows`` as an XLSX workbook with one sheet; the header stays in sight when scrolling.

    Texts are stored as texts, never as formulas, and are made ``harmless`` besides, so that a later export to CSV is
    safe too. Characters that XML cannot hold are left out.
    """
    workbook = Workbook(write_only=True)
    page = workbook.create_sheet(sheet[:31])
    page.freeze_panes = "A2"
    page.append([_storable(cell) for cell in header])
    for row in rows:
        page.append([_storable(cell) for cell in row])
    workbook.save(target)


def _storable(cell: object) -> object:
    safe = harmless(cell)
    if isinstance(safe, str):
        return _NOT_IN_XML.sub("", safe)
    if isinstance(safe, datetime) and safe.tzinfo is not None:
        # A workbook knows no time zones.
        return safe.isoformat()
    return safe
