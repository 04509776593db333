"""Which table of a file is meant, and whether its header and the map can be used at all."""

from __future__ import annotations

from collections.abc import Sequence

from portal.kernel.errors import InputRefused, Problem
from portal.tables import cells, csv_text, pdf, sheets
from portal.tables.cells import Column, Writing
from portal.tables.fields import Field
from portal.tables.files import Kind, Source, refusal
from portal.tables.grid import Grid
from portal.tables.heading import SEARCHED_ROWS, Heading, find_heading
from portal.tables.mapping import Mapping
from portal.tables.numbers import quoted
from portal.tables.pdf_pages import Progress


def check_map(fields: Sequence[Field], mapping: Mapping) -> None:
    """Refuse keys of the map that name no field, and defaults that their field could not hold."""
    names = {wanted.name: wanted for wanted in fields if not wanted.prefix}
    prefixes = tuple(wanted.name for wanted in fields if wanted.prefix)
    problems = []
    listed = ", ".join([*names, *(f"{prefix}…" for prefix in prefixes)])
    for key in mapping.columns:
        if key not in names and not (prefixes and key.startswith(prefixes)):
            problems.append(Problem(mapping.file, f"There is no field {key}; the fields are {listed}.", column=key))
    for key, text in mapping.defaults.items():
        if key not in names:
            message = f"There is no field {key} to give a default to; the fields are {listed}."
            problems.append(Problem(mapping.file, message, column=key))
            continue
        column = Column(exact={0})
        column.add_texts([text])
        cells.clean(column)
        cells.read_values(names[key], column, Writing("."))
        problems += [
            Problem(mapping.file, f"The default cannot be used. {fault}", column=key)
            for _, fault in column.faults.named()
        ]
    if problems:
        raise InputRefused(problems)


def find_table(
    source: Source, fields: Sequence[Field], mapping: Mapping, table: str | None, progress: Progress | None = None
) -> tuple[Grid, Heading]:
    """The one table of the file that has the wanted columns, and its header."""
    grids = _grids(source, fields, mapping, table or mapping.options.sheet, progress)
    if not grids or all(grid.is_empty() for grid in grids):
        raise refusal(source.name, "The file holds no rows; save the list again, and check that its rows are in it.")
    found = [(grid, heading) for grid in grids if (heading := find_heading(grid, fields, mapping)) is not None]
    fitting = [(grid, heading) for grid, heading in found if heading.complete]
    if len(fitting) > 1:
        names = [grid.sheet or "" for grid, _ in fitting]
        raise refusal(
            source.name,
            f"{len(fitting)} sheets have the wanted columns: {', '.join(names)}. Say which one is meant in a map file "
            f'given with --map: sheet = "{names[0]}" under [options].',
        )
    if not found:
        raise _no_header(source, grids, fields, mapping)
    grid, heading = fitting[0] if fitting else max(found, key=lambda each: each[1].matched)
    problems = _heading_problems(source, grid, heading, mapping)
    if problems:
        raise InputRefused(problems)
    return grid, heading


def _grids(
    source: Source, fields: Sequence[Field], mapping: Mapping, sheet: str | None, progress: Progress | None
) -> list[Grid]:
    match source.kind:
        case Kind.CSV:
            return [csv_text.read_grid(source, fields, mapping)]
        case Kind.PDF:
            return [pdf.read_grid(source, progress)]
        case Kind.XLSX | Kind.XLS:
            return sheets.read_grids(source, sheet)


def _no_header(source: Source, grids: list[Grid], fields: Sequence[Field], mapping: Mapping) -> InputRefused:
    required = [wanted.name for wanted in fields if wanted.must_be_filled] or [wanted.name for wanted in fields]
    if mapping.options.header_row is not None:
        message = (
            f"The header was to be in row {mapping.options.header_row}, but that row names none of the wanted columns "
            f"({', '.join(required)}). Correct header_row under [options]."
        )
        return refusal(mapping.file, message, column="header_row")
    first = next((row for grid in grids for row in grid.rows if any(str(cell).strip() for cell in row)), [])
    shown = ", ".join(quoted(str(cell)) for cell in list(first)[:12] if str(cell).strip())
    return refusal(
        source.name,
        f"No header was found in the first {SEARCHED_ROWS} rows: none of them names any of the wanted columns "
        f"({', '.join(required)}); the first row holds {shown}. Put the columns' names in one row above the list, or "
        f'name its headers in a map file given with --map, such as {required[0]} = "Header".',
        sheet=grids[0].sheet if len(grids) == 1 else None,
    )


def _heading_problems(source: Source, grid: Grid, heading: Heading, mapping: Mapping) -> list[Problem]:
    """Why the header cannot be used, if so."""
    number = grid.numbers[heading.index]
    page, row = grid.pages[number] if grid.pages else (None, number)
    listed = ", ".join(header for header in heading.headers if header)

    def at_header(message: str, column: str) -> Problem:
        return Problem(source.name, message, row=row, column=column, sheet=grid.sheet, page=page)

    problems = [
        Problem(
            mapping.file, f"There is no column {quoted(header)} in {source.name}; its columns are {listed}.", column=key
        )
        for key, header in heading.unknown.items()
    ]
    spare = next(iter(heading.unused()), "Header")
    for wanted in heading.missing:
        problems.append(
            at_header(
                f"The column {wanted.name} is missing; the headers found are {listed}. Name one of them {wanted.name}, "
                f'or say which it is in a map file given with --map, such as {wanted.name} = "{spare}".',
                wanted.name,
            )
        )
    for name, headers in heading.clashes.items():
        remedy = "Give each column its own header."
        if len(set(headers)) > 1:
            remedy = f'Say which is meant in a map file given with --map, such as {name} = "{headers[0]}".'
        problems.append(at_header(f"{len(headers)} columns fit {name}: {', '.join(headers)}. {remedy}", name))
    for header, names in heading.doubles.items():
        problems.append(
            at_header(
                f"The column {header} fits {' and '.join(names)}. Say which is meant in a map file given with --map, "
                f'such as {names[0]} = "{header}".',
                header,
            )
        )
    return problems
