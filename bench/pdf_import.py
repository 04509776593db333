"""Reading a price list of 60 pages, against pdfplumber's own table extraction of the same pages in one process."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pdfplumber

from bench.measure import Figure, paired, seconds
from portal.rates.schedule_file import read_schedule
from portal.tables.pdf_writing import write_pdf

PAGES, ITEMS = 60, 1_400
HEADER = ("code", "description", "long_description", "trade", "unit", "rate")
WORDS = (
    *("supply", "fix", "remove", "make", "good", "door", "frame", "tray", "level", "access", "shower", "rail", "ramp"),
    *(
        "timber",
        "concrete",
        "including",
        "all",
        "fixings",
        "sealant",
        "and",
        "screed",
        "manufacturer's",
        "instructions",
    ),
)


def write_list(path: Path) -> None:
    """An invented, ruled price list with a repeated header."""
    rng = random.Random(11)  # noqa: S311 - invented prices
    rows = [
        (
            f"LAS{number:05d}",
            " ".join(rng.choices(WORDS, k=8)),
            " ".join(rng.choices(WORDS, k=36)),
            rng.choice(("Plumbing", "Carpentry", "Electrical works")),
            rng.choice(("nr", "m", "m2")),
            f"{rng.randrange(100, 900_000) / 100:.2f}",
        )
        for number in range(ITEMS)
    ]
    write_pdf(path, HEADER, rows, title="Schedule of rates")


@contextmanager
def on_cores(wanted: int) -> Iterator[None]:
    """This process and those that it starts keep to so many cores."""
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(all_cores)[:wanted]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def ours(path: Path, cores: int) -> float:
    """Seconds to read and check the list."""

    def work() -> None:
        read = read_schedule(path)
        assert len(read.records) == ITEMS  # noqa: S101
        assert not read.problems  # noqa: S101

    with on_cores(cores):
        return seconds(work)


def bare(path: Path, cores: int) -> float:
    """Seconds for pdfplumber to extract the tables of all pages."""

    def work() -> None:
        with pdfplumber.open(path) as document:
            for page in document.pages:
                page.extract_tables()
                page.close()

    with on_cores(cores):
        return seconds(work)


def figures() -> list[Figure]:
    """The ratio on one core, and on two where there are two."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.pdf"
        write_list(path)
        with pdfplumber.open(path) as document:
            pages = len(document.pages)
        assert pages >= PAGES, f"only {pages} pages"  # noqa: S101
        name = f"reading a PDF of {pages} pages ÷ pdfplumber's own, "
        found = [paired(name + "one core", 1.3, lambda: ours(path, 1), lambda: bare(path, 1), pairs=3)]
        if len(os.sched_getaffinity(0)) > 1:
            found.append(paired(name + "two cores", 1.0, lambda: ours(path, 2), lambda: bare(path, 2), pairs=3))
    return found
