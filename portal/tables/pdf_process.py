"""Reads the ruled tables of some pages of a PDF, through pdfplumber; run as a process of its own.

A damaged or spiteful PDF can make its reader ask for gigabytes, or never end. So that this is never the web server or
the worker, ``pdf_pages`` starts this file with a limit on memory and time, once for each core. It imports nothing of
the portal, to start fast. Arguments: which reader this is, counted from 0, and how many there are. The PDF stands in
the file that is standard input.

Prints one JSON document a line: ``{"pages": how many the PDF has, "first", "step": which of them it reads}``, then for
each of those ``{"page", "rows", "text": whether it has any}``. What cannot be read ends it with
``{"page": which or null, "fault"}``.
"""

from __future__ import annotations

import gc
import json
import os
import struct
import sys
import zlib
from io import BytesIO

import pdfplumber
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS_TO_OPEN, CPU_SECONDS_A_PAGE = 60, 1
#: Fewer pages are read by the first reader alone: they take less time than it takes to open the PDF twice.
WORTH_SHARING = 5
# The reader documents no exceptions of its own for damaged files: they surface as whatever the damage led to.
BREAKS = (
    PDFException, PSException, PdfminerException, MalformedPDFException, struct.error, zlib.error, ValueError,
    TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, NotImplementedError, OSError, EOFError,
    RecursionError,
)  # fmt: skip


def limit_memory() -> None:
    """Bound the memory, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def limit_time(pages: int) -> None:
    """Bound the processor time that opening and reading ``pages`` may take, where the system can."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return
    seconds = CPU_SECONDS_TO_OPEN + CPU_SECONDS_A_PAGE * pages
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def share(reader: int, readers: int, pages: int) -> range:
    """The pages, counted from 1, that one of ``readers`` reads; dealt in turn, so that all have as much to do."""
    if pages < WORTH_SHARING:
        reader, readers = (0, 1) if reader == 0 else (pages, 1)
    return range(1 + reader, pages + 1, readers)


def page_rows(page: pdfplumber.page.Page) -> list[list[str]]:
    """The rows of every ruled table on ``page``, top to bottom."""
    return [[cell or "" for cell in row] for table in page.extract_tables() for row in table]


def say(found: dict[str, object]) -> None:
    """Print one line, at once: the parent counts them."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def read(data: bytes, reader: int, readers: int) -> None:
    """Read and print the pages of this reader's share."""
    number: int | None = None
    try:
        with pdfplumber.open(BytesIO(data)) as document:
            pages = document.pages
            mine = share(reader, readers, len(pages))
            say({"pages": len(pages), "first": mine.start, "step": mine.step})
            limit_time(len(mine))
            for number in mine:
                page = pages[number - 1]
                say({"page": number, "rows": page_rows(page), "text": bool(page.chars)})
                page.close()
    except (MemoryError, *BREAKS) as fault:
        say({"page": number, "fault": why(fault)})


def why(fault: BaseException) -> str:
    """The reason in a few words; a lack of memory may stand behind what the reader made of it."""
    behind: BaseException | None = fault
    while behind is not None:
        if isinstance(behind, MemoryError):
            return "it takes more memory than any list needs"
        behind = behind.__cause__ or behind.__context__
    return " ".join(str(fault).split())[:120] or type(fault).__name__


def main(arguments: list[str]) -> None:
    """Read this reader's share of the PDF that is standard input."""
    limit_memory()
    limit_time(0)
    # What is here already stays; looking through it for garbage again and again takes a tenth of the time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    data = os.pread(sys.stdin.fileno(), os.fstat(sys.stdin.fileno()).st_size, 0)
    read(data, int(arguments[0]), int(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
