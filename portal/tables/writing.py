"""Rows into files that a spreadsheet opens without running anything in them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import TextIOBase, TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, BinaryIO, cast

# xlwt is written to no more, because the format it writes is frozen: every spreadsheet has opened its files for
# fifteen years. Nothing else writes XLS, and a council's older software asks for it.
import xlwt
from openpyxl import Workbook

from portal.kernel.errors import RuleBroken

#: What one cell of a workbook holds, and what one sheet of an XLS or XLSX workbook has, its header included.
LONGEST_CELL = 32_767
MOST_XLS_ROWS, MOST_XLSX_ROWS = 65_536, 1_048_576
# A spreadsheet takes a text that begins so for a formula. One that begins with apostrophes before such a
# character gets one more, so that reading (``cells.clean``) gives back exactly what was written.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# XLSX writes odd characters so; a text that looks like one of them has its first underscore written so.
_LIKE_AN_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


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


def as_text(cell: object) -> str:
    """``cell`` as it stands in a CSV."""
    return str(_plain(cell))


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
    safe too. Characters that XML cannot hold are left out. Raises ``RuleBroken`` for more rows than a sheet has, and
    for a text that is longer than a cell.
    """
    # Looked at before the workbook is begun: one that is begun and left leaves a file behind.
    stored = [[_escaped(_storable(cell)) for cell in row] for row in chain([header], rows)]
    if len(stored) > MOST_XLSX_ROWS:
        raise too_many_rows(MOST_XLSX_ROWS, "XLSX", "CSV")
    workbook = Workbook(write_only=True)
    page = workbook.create_sheet(sheet[:31])
    page.freeze_panes = "A2"
    for row in stored:
        page.append(row)
    workbook.save(target)


def write_xls(
    target: str | Path | IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]], *, sheet: str = "List"
) -> None:
    """Write ``header`` and ``rows`` as a workbook of the old kind (XLS), as ``write_xlsx`` does.

    Raises ``RuleBroken`` for more than 65,535 rows and for a text that is longer than a cell.
    """
    workbook = xlwt.Workbook(encoding="utf-8")
    page = workbook.add_sheet(sheet[:31])
    page.set_panes_frozen(True)
    page.set_horz_split_pos(1)
    plain, day, instant = xlwt.XFStyle(), xlwt.XFStyle(), xlwt.XFStyle()
    day.num_format_str, instant.num_format_str = "YYYY-MM-DD", "YYYY-MM-DD HH:MM:SS"
    for at, row in enumerate(chain([header], rows)):
        if at >= MOST_XLS_ROWS:
            raise too_many_rows(MOST_XLS_ROWS, "XLS", "XLSX or CSV")
        for column, cell in enumerate(row):
            stored = _storable(cell)
            if stored != "":
                style = instant if isinstance(stored, datetime) else day if isinstance(stored, date) else plain
                page.write(at, column, stored, style)
    workbook.save(str(target) if isinstance(target, Path) else target)


def _escaped(cell: object) -> object:
    return _LIKE_AN_ESCAPE.sub("_x005F_", cell) if isinstance(cell, str) and "_x" in cell else cell


def too_many_rows(rows: int, kind: str, other: str) -> RuleBroken:
    """The refusal of a list that is longer than the ``rows`` of a sheet, its header included."""
    return RuleBroken(f"The list has more than {rows - 1:,} rows, all that {kind} has room for; write it as {other}.")


def _storable(cell: object) -> object:
    safe = harmless(cell)
    if isinstance(safe, str):
        text = _NOT_IN_XML.sub("", safe)
        if len(text) > LONGEST_CELL:
            raise RuleBroken(
                f"A text of {len(text):,} characters ({text[:20]}…) is too long for a cell of a workbook, which holds "
                f"{LONGEST_CELL:,}; write the list as CSV."
            )
        return text
    if isinstance(safe, datetime) and safe.tzinfo is not None:
        # A workbook knows no time zones.
        return safe.isoformat()
    return safe
