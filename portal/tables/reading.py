"""Records out of a file: every wanted column as values, every doubt as a problem with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import compress
from pathlib import Path
from typing import Any, cast

from portal.kernel.errors import Problem
from portal.kernel.rows import many_rows
from portal.tables import cells, sheets
from portal.tables.cells import NO_EVIDENCE, Column, Evidence, Values, Writing
from portal.tables.dates import DateOrder
from portal.tables.fields import NUMERIC, Field, fold
from portal.tables.files import MAX_BYTES, Kind, Source, open_source, refusal
from portal.tables.grid import Grid, Row
from portal.tables.heading import Heading
from portal.tables.locating import check_map, find_table
from portal.tables.mapping import NO_MAPPING, Mapping
from portal.tables.numbers import quoted
from portal.tables.pdf_pages import Progress
from portal.tables.problems import MOST_PROBLEMS, Faults

_TOTALS = frozenset(
    {"total", "totals", "subtotal", "sum", "suma", "summe", "somme", "gesamt", "gesamtsumme", "zwischensumme"}
)
# What else may stand in the cell that calls a row a total: "Grand total incl. VAT", "Total carried forward".
_BESIDE_TOTALS = frozenset(
    {"grand", "sub", "net", "gross", "excluding", "including", "excl", "incl", "ex", "inc", "vat", "tax", "iva", "tva"}
    | {
        "mwst",
        "price",
        "cost",
        "amount",
        "general",
        "all",
        "items",
        "page",
        "carried",
        "brought",
        "forward",
        "of",
        "in",
    }
    | {"gbp", "eur", "importe", "presupuesto"}
)


@dataclass(slots=True)
class Reading:
    """What was read. Rows with a problem are in ``problems`` and not in ``records``.

    ``problems`` are the first thousands; ``more_problems`` is how many there are besides, ``bad_rows`` how many rows
    have any.

    ``records`` are tuples ``(row, *values)`` with the values in the order of the fields; ``row`` is the number a
    person sees (line of a CSV, row of a sheet; for PDF the rows of all its tables numbered through, ``pages`` has
    page and row on the page). ``columns`` gives each field's header text, ``unused`` the headers that stand for no
    field, ``set_aside`` the rows left out on purpose (totals, repeated headers), each with its reason.
    """

    file: str
    sheet: str | None
    header_row: int
    columns: dict[str, str]
    unused: tuple[str, ...]
    records: list[tuple[Any, ...]]
    problems: list[Problem]
    set_aside: list[tuple[int, str]]
    pages: dict[int, tuple[int, int]] = field(default_factory=dict)
    more_problems: int = 0
    bad_rows: int = 0

    def problem(self, row: int | None, message: str, field_name: str | None = None) -> Problem:
        """A problem of the record ``row``, with the file's own sheet, page and header; for the caller's rules."""
        page, on_page = self.pages.get(row, (None, row)) if row is not None else (None, None)
        column = self.columns.get(field_name, field_name) if field_name is not None else None
        return Problem(self.file, message, row=on_page, column=column, sheet=self.sheet, page=page)


def read_records(
    path: str | Path,
    fields: Sequence[Field],
    mapping: Mapping = NO_MAPPING,
    *,
    max_bytes: int = MAX_BYTES,
    table: str | None = None,
    progress: Progress | None = None,
) -> Reading:
    """The records of the CSV, XLSX, XLS or PDF list at ``path``, with the columns ``fields``.

    ``table`` names the sheet, before what the map says. ``progress`` is called with how much is done and of how much:
    as the pages of a PDF are read, and once at the end for other kinds.

    What is wrong with single rows is in the reading's problems; ``InputRefused`` is raised when the file as a whole
    cannot be used: missing, empty, too large, of another kind, damaged, without its required columns, or with a
    column, sheet or map that leaves a choice open.
    """
    check_map(fields, mapping)
    source = open_source(path, max_bytes)
    grid, heading = find_table(source, fields, mapping, table, progress)
    reading = _Reader(source, grid, heading, fields, mapping).read()
    if progress is not None and source.kind is not Kind.PDF:
        progress(1, 1)
    return reading


class _Reader:
    """One pass over the rows below a header; works on columns, and on single rows only where something is odd."""

    def __init__(self, source: Source, grid: Grid, heading: Heading, fields: Sequence[Field], mapping: Mapping) -> None:
        self.source, self.grid, self.heading, self.fields, self.mapping = source, grid, heading, fields, mapping
        # By row number: what stands too far right.
        self.too_wide = Faults()
        self.set_aside = list(grid.set_aside)
        self.numbers: list[int] = []
        self.wanted: list[tuple[Field, str | None, int | None]] = []
        for each in fields:
            if each.prefix:
                self.wanted += [(each, rest, at) for rest, at in heading.prefixed.get(each.name, {}).items()]
            else:
                self.wanted.append((each, None, heading.columns.get(each.name)))
        used = {at for _, _, at in self.wanted}
        self.unwanted: dict[int, list[object]] = {at: [] for at in range(len(heading.headers)) if at not in used}

    def read(self) -> Reading:
        """Everything below the header."""
        columns = self._columns()
        self._mark(columns)
        columns = self._without_set_aside(columns)
        if not self.numbers:
            row = self.grid.numbers[self.heading.index]
            page, on_page = self.grid.pages[row] if self.grid.pages else (None, row)
            raise refusal(
                self.source.name,
                "There are no rows below the header; save the list again, and check that its rows are in it.",
                row=on_page,
                sheet=self.grid.sheet,
                page=page,
            )
        for (wanted, _, _), column in zip(self.wanted, columns, strict=True):
            cells.clean(column, wanted.longest)
        self._fill_defaults(columns)
        writings = self._writings(columns)
        values = [
            cells.read_values(wanted, column, writing)
            for (wanted, _, _), column, writing in zip(self.wanted, columns, writings, strict=True)
        ]
        return self._reading(columns, values)

    def _columns(self) -> list[Column]:
        """The wanted columns as texts; uneven rows are evened out, too wide ones noted."""
        width = len(self.heading.headers)
        columns = [Column() for _ in self.wanted]
        places = [(at, column) for (_, _, at), column in zip(self.wanted, columns, strict=True) if at is not None]
        numbers: list[int] = []
        for batch in self.grid.batches(self.heading.index + 1):
            rows, row_numbers = batch if set(map(len, batch[0])) == {width} else self._evened(*batch, width)
            if not rows:
                continue
            numbers.extend(row_numbers)
            turned = list(zip(*rows, strict=True))
            for at, unwanted in self.unwanted.items():
                unwanted.extend(turned[at])
            for place, column in places:
                if not self.grid.all_text:
                    column.add_cells(turned[place])
                elif self.source.kind is Kind.PDF:
                    # A cell of a PDF breaks its lines where the column is narrow; the breaks mean nothing.
                    column.add_texts(" ".join(str(text).split()) for text in turned[place])
                else:
                    column.add_texts(
                        cast(tuple[str, ...], turned[place]), marked=self.grid.marked, controls=self.grid.controls
                    )
        self.numbers = numbers
        for (_, _, index), column in zip(self.wanted, columns, strict=True):
            if index is None:
                column.add_texts([""] * len(numbers))
        return columns

    def _evened(self, rows: Sequence[Row], numbers: Sequence[int], width: int) -> tuple[list[Row], list[int]]:
        """``rows`` with ``width`` cells each; lines without any cell are left out."""
        even: list[Row] = []
        kept: list[int] = []
        for number, row in zip(numbers, rows, strict=True):
            if not row:
                continue
            if len(row) > width and any(str(cell).strip() for cell in row[width:]):
                self.too_wide[number] = (
                    f"The row has {len(row)} cells, but the header has {width}; put a cell that holds the delimiter in "
                    'quotation marks ("…"), or delete what stands too far right.'
                )
            kept.append(number)
            even.append(row if len(row) == width else [*row[:width], *[""] * (width - len(row))])
        return even, kept

    def _without_set_aside(self, columns: list[Column]) -> list[Column]:
        """Leave out empty rows, repeated headers and totals."""
        present = [
            (each, at, column) for (each, _, at), column in zip(self.wanted, columns, strict=True) if at is not None
        ]
        required = [each for each in present if each[0].must_be_filled] or present[:1]
        suspects: set[int] = set()
        for _, _, column in required:
            if column.blanks:
                suspects.update(at for at, text in enumerate(column.texts) if not text)
        _, first_at, code = required[0]
        header = self.heading.headers[first_at]
        if header in code.texts:
            suspects.update(at for at, text in enumerate(code.texts) if text == header)
        dropped: set[int] = set()
        for at in sorted(suspects):
            cells_here = {index: column.texts[at] for _, index, column in present}
            reason = self._reason_to_leave_out(cells_here, code.texts[at], at)
            if reason is not None:
                dropped.add(at)
                if reason:
                    self.set_aside.append((self.numbers[at], reason))
        return self._kept(columns, dropped) if dropped else columns

    def _reason_to_leave_out(self, wanted_cells: dict[int, str], code: str, at: int) -> str | None:
        """Why row ``at`` is no record: a sentence, or nothing at all for an empty row; ``None`` if it is one."""
        others = {index: str(cells_here[at] or "") for index, cells_here in self.unwanted.items()}
        in_order = sorted((others | wanted_cells).items())
        first = next((text.strip() for _, text in in_order if text.strip()), "")
        if not any(wanted_cells.values()):
            return "The row holds nothing in the wanted columns." if first else ""
        if all(fold(text) == fold(self.heading.headers[index]) for index, text in wanted_cells.items() if text):
            return "The row repeats the header."
        words = [word for word in fold(first).split() if not word.isdigit()]
        is_total = bool(_TOTALS.intersection(words)) and all(
            word in _TOTALS or word in _BESIDE_TOTALS for word in words
        )
        return "The row is a total, not an item." if is_total and code in {"", first} else None

    def _kept(self, columns: list[Column], dropped: set[int]) -> list[Column]:
        """The columns without the rows ``dropped``."""
        size = len(self.numbers)
        keep = [at not in dropped for at in range(size)]
        moved = {old: new for new, old in enumerate(compress(range(size), keep))}
        self.numbers = list(compress(self.numbers, keep))
        return [
            Column(
                list(compress(column.texts, keep)),
                {moved[at] for at in column.exact if at in moved},
                column.faults.moved(moved),
                column.odd,
                column.blanks,
                column.longest,
            )
            for column in columns
        ]

    def _mark(self, columns: list[Column]) -> None:
        """Bring in what a workbook's values do not show: formulas, errors, percent formats."""
        by_index = {
            at: (wanted, column) for (wanted, _, at), column in zip(self.wanted, columns, strict=True) if at is not None
        }
        percents = {at for at, (wanted, _) in by_index.items() if wanted.kind == "percent"}
        if self.source.kind is Kind.XLS:
            for at in percents:
                _refuse_fractions(by_index[at][1])
            return
        if self.source.kind is not Kind.XLSX or not self.numbers:
            return
        marks = sheets.marks_of(self.source, self.grid, set(by_index), percents, self.numbers[0])
        place = {number: at for at, number in enumerate(self.numbers)}
        for (row, index), error in marks.errors.items():
            here = place.get(row)
            if here is not None:
                column = by_index[index][1]
                column.texts[here] = error or "#ERROR"
                column.faults[here] = cells.spreadsheet_error(column.texts[here])
        for row, index in marks.formulas:
            here = place.get(row)
            if here is not None:
                column = by_index[index][1]
                column.texts[here] = column.texts[here] or "="
                column.faults[here] = (
                    "The cell holds a formula, not a value; copy the column, paste it as values, and save again."
                )
        for row, index in marks.percents:
            here = place.get(row)
            if here is not None and index in percents and here in by_index[index][1].exact:
                texts = by_index[index][1].texts
                texts[here] = format(Decimal(texts[here]) * 100, "f")

    def _fill_defaults(self, columns: list[Column]) -> None:
        """Put the map's defaults into empty cells."""
        for (wanted, _, _), column in zip(self.wanted, columns, strict=True):
            default = self.mapping.defaults.get(wanted.name)
            if default is None or not column.blanks:
                continue
            for at, text in enumerate(column.texts):
                if not text:
                    column.texts[at] = default.strip()
                    # A default is written with a point, whatever the file does.
                    column.exact.add(at)

    def _writings(self, columns: list[Column]) -> list[Writing]:
        """How each column is written. A column that proves nothing follows the others, if they agree."""
        options = self.mapping.options
        evidence = [
            cells.decimal_evidence(column) if wanted.kind in NUMERIC else NO_EVIDENCE
            for (wanted, _, _), column in zip(self.wanted, columns, strict=True)
        ]
        ways = {each.verdict for each in evidence if each.verdict is not None}
        common = ".,"[ways.pop()] if len(ways) == 1 and not any(each.contradicts for each in evidence) else None
        writings = []
        for (wanted, _, _), column, each in zip(self.wanted, columns, evidence, strict=True):
            if wanted.kind in NUMERIC:
                own = None if each.verdict is None else ".,"[each.verdict]
                writings.append(
                    Writing(options.decimal or own or common, stated=options.decimal is not None, evidence=each)
                )
            elif wanted.kind in {"date", "month"}:
                writings.append(_date_writing(cells.date_evidence(column), options.date_order))
            else:
                writings.append(Writing())
        return writings

    def _reading(self, columns: list[Column], values: list[Values]) -> Reading:
        pages = self.grid.pages or {}
        # (row number, order of the column, sentence, header)
        notes: list[tuple[int, int, str, str | None]] = []
        for order, ((wanted, _, at), column) in enumerate(zip(self.wanted, columns, strict=True)):
            header = self.heading.headers[at] if at is not None else wanted.name
            notes += [(self.numbers[row], order, fault, header) for row, fault in column.faults.named()]
        notes += [(number, len(self.wanted), fault, None) for number, fault in self.too_wide.named()]
        count = len(self.grid.problems) + len(self.too_wide) + sum(len(column.faults) for column in columns)
        problems = self.grid.problems[:MOST_PROBLEMS]
        for number, _, message, column_name in sorted(notes, key=lambda note: note[:2])[
            : MOST_PROBLEMS - len(problems)
        ]:
            page, row = pages.get(number, (None, number))
            problems.append(
                Problem(self.source.name, message, row=row, column=column_name, sheet=self.grid.sheet, page=page)
            )
        good = self._good(columns) if count else None
        with many_rows():
            rows = zip(self.numbers, *self._by_field(values), strict=True)
            records = list(rows if good is None else compress(rows, good))
        row = self.grid.numbers[self.heading.index]
        headers = self.heading.headers
        return Reading(
            file=self.source.name,
            sheet=self.grid.sheet,
            header_row=pages.get(row, (0, row))[1],
            columns={name: headers[at] for name, at in self.heading.columns.items()},
            unused=self.heading.unused(),
            records=records,
            problems=problems,
            set_aside=sorted(self.set_aside),
            pages=pages,
            more_problems=count - len(problems),
            bad_rows=good.count(0) if good is not None else 0,
        )

    def _good(self, columns: Sequence[Column]) -> bytearray:
        """For each row whether it is without a problem."""
        good = bytearray(b"\1") * len(self.numbers)
        for column in columns:
            for at in column.faults.places():
                good[at] = 0
        if self.too_wide:
            for at, number in enumerate(self.numbers):
                if number in self.too_wide:
                    good[at] = 0
        return good

    def _by_field(self, values: list[Values]) -> list[Values]:
        """One list of values for each field; those of a prefix gathered into a dict for each row."""
        size = len(self.numbers)
        gathered: dict[str, Values] = {each.name: [{} for _ in range(size)] for each in self.fields if each.prefix}
        plain: dict[str, Values] = {}
        for (wanted, rest, _), column in zip(self.wanted, values, strict=True):
            if rest is None:
                plain[wanted.name] = column
                continue
            for row, value in enumerate(column):
                if value is not None:
                    gathered[wanted.name][row][rest] = value
        return [gathered[each.name] if each.prefix else plain[each.name] for each in self.fields]


def _refuse_fractions(column: Column) -> None:
    """XLS does not say whether 0.05 stands for 5 % or for 0.05 %, so it is not guessed."""
    for at in column.exact:
        if 0 < abs(Decimal(column.texts[at])) < 1:
            column.faults[at] = (
                f"{quoted(column.texts[at])} can be a fraction shown as a percentage, or a percentage below one; save "
                "the file as .xlsx, or write the percentage as text, such as 5%."
            )


def _date_writing(evidence: Evidence, stated: str | None) -> Writing:
    if stated is not None:
        return Writing(order=DateOrder(stated), stated=True, evidence=evidence)
    # Nothing proven: the day comes first, as everywhere in the United Kingdom.
    order = DateOrder.MONTH_FIRST if evidence.verdict == 1 else DateOrder.DAY_FIRST
    return Writing(order=order, evidence=evidence)
