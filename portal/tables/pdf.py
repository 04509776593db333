"""The ruled tables of a PDF into rows, page by page.

Each page's tables follow one another; a header repeated on every page is set aside later, as in any list.
"""

from __future__ import annotations

from portal.kernel.errors import Problem
from portal.tables.files import AS_SPREADSHEET, Source, refusal
from portal.tables.grid import Grid
from portal.tables.pdf_pages import Progress, read_pages


def read_grid(source: Source, progress: Progress | None = None) -> Grid:
    """All ruled tables of the PDF as one grid, rows numbered through; ``pages`` has each row's page and place on it.

    ``progress`` is called as pages are read. Raises ``InputRefused`` when no page has text (a scan), or none has a
    table.
    """
    grid = Grid([], [], pages={})
    pages = read_pages(source, progress)
    blank: list[int] = []
    without_table: list[int] = []
    for number, page in enumerate(pages, 1):
        if not page.has_text:
            blank.append(number)
        elif not page.rows:
            without_table.append(number)
        _append(grid, number, page.rows)
    if len(blank) == len(pages):
        raise refusal(
            source.name,
            "The PDF has no text, only pictures of pages, so nothing can be read from it. "
            "Export the list as a spreadsheet, or run text recognition (OCR) over the PDF first.",
        )
    if not grid.rows:
        raise refusal(source.name, f"No table with ruled lines was found in the PDF. {AS_SPREADSHEET}")
    grid.problems = [
        Problem(
            source.name,
            "This page has no text, only a picture, so its rows cannot be read; run text recognition (OCR) over "
            "the PDF, or export the list as a spreadsheet.",
            page=number,
        )
        for number in blank
    ]
    last = len(grid.rows)
    grid.set_aside = [(last, f"Page {number} has text but no table with ruled lines; nothing was read from it.")
                      for number in without_table]  # fmt: skip
    return grid


def _append(grid: Grid, page: int, rows: list[list[str]]) -> None:
    start = len(grid.rows)
    grid.rows.extend(rows)
    grid.numbers = range(1, len(grid.rows) + 1)
    if grid.pages is not None:
        grid.pages.update({start + at: (page, at) for at in range(1, len(rows) + 1)})
