"""XLSX and XLS workbooks into rows, through python-calamine.

XLSX is looked at twice: once for its values, once in its XML for what values do not show (see ``ooxml``).
The old XLS format gives no such second look: formulas come as their last result, and errors as empty cells. It is read
in a process of its own, because a damaged one can take any amount of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from portal.tables import ooxml, xls_process
from portal.tables.files import AS_SPREADSHEET, Kind, Source, refusal
from portal.tables.grid import Grid, Row

XLS_SECONDS = 90
_DAMAGED = f"The workbook is damaged. Open it in a spreadsheet, and save it again. {AS_SPREADSHEET}"
_LOCKED = f"The workbook is locked with a password. Remove the password. {AS_SPREADSHEET}"


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    """What the workbook reader cannot make sense of comes out as ``InputRefused``."""
    try:
        yield
    except PasswordError:
        raise refusal(source.name, _LOCKED) from None
    except (CalamineError, OSError, ValueError, OverflowError, UnicodeError) as fault:
        raise refusal(source.name, f"{_DAMAGED} (The reader says: {fault}.)") from None
    except BaseException as fault:
        # The reader is written in Rust; a broken promise inside it surfaces as a panic, outside Exception.
        if type(fault).__module__ != "pyo3_runtime":
            raise
        raise refusal(source.name, _DAMAGED) from None


def read_grids(source: Source, sheet: str | None) -> list[Grid]:
    """The visible sheets of a workbook that hold anything; with ``sheet`` only that one, visible or not."""
    grids = _read_xls(source, sheet) if source.kind is Kind.XLS else _read_xlsx(source, sheet)
    return [grid for grid in grids if not grid.is_empty()]


def _grid(name: str, rows: Sequence[Row]) -> Grid:
    return Grid(list(rows), range(1, len(rows) + 1), sheet=name, all_text=False)


def _check_name(source: Source, sheet: str | None, names: Sequence[str]) -> None:
    if sheet is not None and sheet not in names:
        raise refusal(
            source.name,
            f"There is no sheet named {sheet}; the sheets are {', '.join(names)}. "
            'Correct sheet = "…" under [options] in the map file.',
            sheet=sheet,
        )


def _read_xlsx(source: Source, sheet: str | None) -> list[Grid]:
    with _readable(source):
        workbook = CalamineWorkbook.from_filelike(BytesIO(source.data))
        known = [each for each in workbook.sheets_metadata if each.typ is SheetTypeEnum.WorkSheet]
    _check_name(source, sheet, [each.name for each in known])
    visible = [each.name for each in known if each.visible is SheetVisibleEnum.Visible]
    names = visible if sheet is None else [sheet]
    special = _survey(source, names)
    grids = []
    for name in names:
        with _readable(source):
            rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        grid = _grid(name, rows)
        grid.special = special[name]
        grids.append(grid)
    return grids


def _read_xls(source: Source, sheet: str | None) -> list[Grid]:
    """The sheets of an old workbook, read in a process of its own (see ``xls_process``)."""
    script = Path(xls_process.__file__)
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the sheet's name is one argument, never a command
            [sys.executable, "-I", str(script), *([] if sheet is None else [sheet])],
            input=source.data,
            capture_output=True,
            timeout=XLS_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise refusal(source.name, f"{_DAMAGED} (Reading it took too long.)") from None
    if done.returncode == xls_process.LOCKED:
        raise refusal(source.name, _LOCKED)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace") if done.returncode == xls_process.UNREADABLE else "it gave up"
        raise refusal(source.name, f"{_DAMAGED} (The reader says: {' '.join(reason.split())[:120]}.)")
    found = json.loads(done.stdout, object_hook=_dated)
    _check_name(source, sheet, found["names"])
    return [_grid(each["name"], each["rows"]) for each in found["sheets"]]


def _dated(value: dict[str, Any]) -> object:
    """A JSON object of ``xls_process``: a date, or one of its own tables."""
    if set(value) != {"date"}:
        return value
    return datetime.fromisoformat(value["date"]) if "T" in value["date"] else date.fromisoformat(value["date"])


def _survey(source: Source, names: list[str]) -> dict[str, bool]:
    """Whether each sheet has formulas or errors in it; refuses a sheet that would not fit into memory."""
    special: dict[str, bool] = {}
    with ooxml.opened(source) as archive:
        parts = ooxml.read_workbook(archive).sheets
        for name in names:
            cells, special[name] = ooxml.survey(archive, parts[name])
            if cells > ooxml.MAX_CELLS:
                raise _boundless(source, name)
    return special


def _boundless(source: Source, sheet: str) -> Exception:
    return refusal(
        source.name,
        "The sheet reaches over millions of cells, because something stands far out in it. "
        "Delete the empty rows and columns, or copy the list alone into a new workbook.",
        sheet=sheet,
    )


def marks_of(source: Source, grid: Grid, columns: set[int], percents: set[int], first_row: int) -> ooxml.Marks:
    """Formulas, errors and percent formats among the wanted ``columns`` of a sheet, from ``first_row`` on.

    ``percents`` are the columns in which a percent format matters. XLS has none to give.
    """
    if source.kind is not Kind.XLSX or grid.sheet is None:
        return ooxml.Marks()
    with ooxml.opened(source) as archive:
        workbook = ooxml.read_workbook(archive)
        part = workbook.sheets.get(grid.sheet, "")
        if not part:
            raise zipfile.BadZipFile(f"the sheet {grid.sheet} has no part of its own")
        if not grid.special and not (percents and workbook.percent_styles):
            return ooxml.Marks()
        with archive.open(part) as stream:
            return ooxml.find_marks(stream, columns, first_row, workbook.percent_styles)
