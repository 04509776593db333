"""The ruled tables of a PDF into rows, page by page, through pdfplumber.

Each page's tables follow one another; a header repeated on every page is set aside later, as in any list.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pdfplumber
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

from portal.kernel.errors import Problem
from portal.tables.files import AS_SPREADSHEET, Source, refusal
from portal.tables.grid import Grid

MOST_PAGES = 2_000
# Its remarks on odd fonts are for nobody who imports a list; whoever wants them configures logging.
logging.getLogger("pdfminer").addHandler(logging.NullHandler())
_UNMAPPED = "(cid:"


@contextmanager
def _readable(source: Source, page: int | None = None) -> Iterator[None]:
    """What the PDF reader stumbles over comes out as ``InputRefused``.

    It documents no exceptions of its own for damaged files: they surface as whatever the damage led to.
    """
    try:
        yield
    except (PDFException, PSException, PdfminerException, MalformedPDFException, struct.error, zlib.error, ValueError,
            TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, NotImplementedError, OSError,
            EOFError, RecursionError) as fault:  # fmt: skip
        reason = " ".join(str(fault).split())[:120] or type(fault).__name__
        raise refusal(
            source.name, f"The PDF is damaged or locked ({reason}). Print it to a new PDF, or {_LOWER}", page=page
        ) from None


_LOWER = AS_SPREADSHEET[0].lower() + AS_SPREADSHEET[1:]


def read_grid(source: Source) -> Grid:
    """All ruled tables of the PDF as one grid, rows numbered through; ``pages`` has each row's page and place on it.

    Raises ``InputRefused`` when no page has text (a scan), or none has a table.
    """
    grid = Grid([], [], pages={})
    blank: list[int] = []
    without_table: list[int] = []
    pages = 0
    with _readable(source):
        document = pdfplumber.open(BytesIO(source.data))
        pages = len(document.pages)
    if pages > MOST_PAGES:
        raise refusal(source.name, f"The PDF has {pages:,} pages, but at most {MOST_PAGES:,} are read; split it.")
    with document:
        for number, page in enumerate(document.pages, 1):
            with _readable(source, number):
                rows = page_rows(page)
                has_text = bool(page.chars)
                page.close()
            if not has_text:
                blank.append(number)
            elif not rows:
                without_table.append(number)
            _append(grid, number, rows)
    if len(blank) == pages:
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


def page_rows(page: pdfplumber.page.Page) -> list[list[str]]:
    """The rows of every ruled table on ``page``, top to bottom."""
    return [[cell or "" for cell in row] for table in page.extract_tables() for row in table]


def _append(grid: Grid, page: int, rows: list[list[str]]) -> None:
    start = len(grid.rows)
    grid.rows.extend(rows)
    grid.numbers = range(1, len(grid.rows) + 1)
    if grid.pages is not None:
        grid.pages.update({start + at: (page, at) for at in range(1, len(rows) + 1)})
