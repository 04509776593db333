"""Reads an old XLS workbook from standard input and prints its sheets as JSON; run as a process of its own.

A damaged XLS can make its reader ask for gigabytes at once, which ends the process that reads it. So that this is never
the web server or the worker, ``sheets`` starts this file with a limit on memory and time. It imports nothing of the
portal, to start fast. Arguments: the name of the only sheet wanted, or none for all visible ones.

Prints ``{"names": [every sheet], "sheets": [{"name", "rows"}]}``; a date stands as ``{"date": ISO text}``. Exit codes:
0 done, 3 locked with a password, 4 not readable (the reason on standard error); anything else means that it broke.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 60
MOST_CELLS = 5_000_000
LOCKED, UNREADABLE = 3, 4


def limit() -> None:
    """Bound memory and processor time, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def plain(cell: object) -> object:
    """``cell`` as JSON can carry it."""
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    return {"date": cell.isoformat()} if isinstance(cell, date | datetime) else str(cell)


def trimmed(row: Sequence[object]) -> list[object]:
    """``row`` without the empty cells at its end: one stray cell far out makes every row of a sheet as wide."""
    width = len(row)
    while width and row[width - 1] == "":
        width -= 1
    return [plain(cell) for cell in row[:width]]


def read(data: bytes, wanted: str | None) -> dict[str, object]:
    """The sheets of the workbook ``data``."""
    workbook = CalamineWorkbook.from_filelike(BytesIO(data))
    known = [each for each in workbook.sheets_metadata if each.typ is SheetTypeEnum.WorkSheet]
    sheets = []
    for each in known:
        if each.name == wanted or (wanted is None and each.visible is SheetVisibleEnum.Visible):
            table = workbook.get_sheet_by_name(each.name)
            if (table.total_height + 1) * (table.total_width + 1) > MOST_CELLS:
                raise CalamineError("a sheet reaches over millions of cells")
            rows = table.to_python(skip_empty_area=False)
            sheets.append({"name": each.name, "rows": [trimmed(row) for row in rows]})
    return {"names": [each.name for each in known], "sheets": sheets}


def main(arguments: list[str]) -> int:
    """Read, print, and say by the exit code how it went."""
    limit()
    try:
        found = read(sys.stdin.buffer.read(), arguments[0] if arguments else None)
    except PasswordError:
        return LOCKED
    except (CalamineError, OSError, ValueError, OverflowError) as fault:
        sys.stderr.write(str(fault))
        return UNREADABLE
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
