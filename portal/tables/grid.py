"""Rows of cells as they stand in a file, before anybody asks what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from portal.kernel.errors import Problem

Cell = object
Row = Sequence[Cell]
Batch = tuple[Sequence[Row], Sequence[int]]
BATCH_ROWS = 200


@dataclass(slots=True)
class Grid:
    """One table of a file: a sheet, the whole of a CSV, or the tables of a PDF one after the other.

    ``rows`` are all of them, or the first ones; then ``more`` gives the rest in batches, so that a long file never
    stands in memory as rows. ``numbers[i]`` is the number of ``rows[i]`` as a person counts: the line it begins on,
    or the sheet's row.
    ``pages`` gives, for PDF, the page and the row on that page of each number.
    ``all_text``: every cell is a str. ``controls``: a cell may hold a control character. ``marked``: a cell may hold
    ``=``, ``'`` or ``#``. ``special``: the sheet's XML may have formulas or
    errors in it. (False is a promise that lets a reader skip the search.)
    """

    rows: list[Row]
    numbers: Sequence[int]
    more: Iterator[Batch] = field(default_factory=lambda: iter(()))
    sheet: str | None = None
    pages: dict[int, tuple[int, int]] | None = None
    all_text: bool = True
    controls: bool = True
    marked: bool = True
    special: bool = True
    problems: list[Problem] = field(default_factory=list)
    set_aside: list[tuple[int, str]] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell is not None and str(cell).strip() for row in self.rows for cell in row)

    def batches(self, start: int) -> Iterator[Batch]:
        """The rows from the index ``start`` on, with their numbers; in batches small enough for the cache."""
        for at in range(start, len(self.rows), BATCH_ROWS):
            yield self.rows[at : at + BATCH_ROWS], self.numbers[at : at + BATCH_ROWS]
        yield from self.more
