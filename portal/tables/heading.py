"""Which row of a table is its header, and which column stands for which field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest

from portal.tables.fields import Field, fold
from portal.tables.grid import Grid, Row
from portal.tables.mapping import Mapping

SEARCHED_ROWS = 30
LONGEST_HEADER = 200


@dataclass(slots=True)
class Heading:
    """A header row, read. ``index`` is its place in the grid; ``columns`` and ``prefixed`` hold column indexes.

    ``clashes``: several columns fit one field. ``doubles``: one column fits several fields.
    ``unknown``: keys of the map whose header is not there.
    """

    index: int
    headers: list[str]
    columns: dict[str, int] = field(default_factory=dict)
    prefixed: dict[str, dict[str, int]] = field(default_factory=dict)
    clashes: dict[str, list[str]] = field(default_factory=dict)
    doubles: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    missing: list[Field] = field(default_factory=list)

    @property
    def matched(self) -> int:
        """How many wanted columns the row names."""
        return len(self.columns) + len(self.clashes) + len(self.doubles) + sum(map(len, self.prefixed.values()))

    @property
    def complete(self) -> bool:
        """Whether nothing required is missing, and nothing that the map names."""
        return not self.missing and not self.unknown

    def header_of(self, name: str) -> str | None:
        """The header text of the column that stands for the field ``name``."""
        return self.headers[self.columns[name]] if name in self.columns else None

    def unused(self) -> tuple[str, ...]:
        """The headers that stand for no field."""
        used = {*self.columns.values(), *(index for each in self.prefixed.values() for index in each.values())}
        return tuple(header for index, header in enumerate(self.headers) if header and index not in used)


@lru_cache(maxsize=512)
def _words(field: Field) -> frozenset[str]:
    return field.answers_to()


def header_texts(row: Row) -> list[str]:
    """The cells of ``row`` as headers: on one line, without surrounding space."""
    return [
        " ".join(str(cell).split()).strip("\ufeff")[:LONGEST_HEADER] if cell not in {"", None} else "" for cell in row
    ]


def match_headers(index: int, headers: list[str], fields: Sequence[Field], mapping: Mapping) -> Heading:
    """What the ``headers`` of row ``index`` stand for. A column that the map names stands for nothing else."""
    heading = Heading(index, headers)
    folded = [fold(header) for header in headers]
    mapped = _mapped(heading, folded, fields, mapping)
    taken: dict[int, list[str]] = {}
    for wanted in fields:
        if wanted.prefix:
            _match_prefix(heading, wanted, mapped)
            continue
        if wanted.name in mapping.columns:
            continue
        words = _words(wanted)
        fitting = [at for at, text in enumerate(folded) if text and text in words and at not in mapped]
        for at in fitting:
            taken.setdefault(at, []).append(wanted.name)
        if len(fitting) == 1:
            heading.columns[wanted.name] = fitting[0]
        elif fitting:
            heading.clashes[wanted.name] = [headers[at] for at in fitting]
    for at, names in taken.items():
        if len(names) > 1:
            # A header that is one field's very name is not in doubt.
            own = [name for name in names if fold(name) == folded[at]]
            losers = [name for name in names if name not in own]
            if not own:
                heading.doubles[headers[at]] = names
            for name in losers:
                if heading.columns.get(name) == at:
                    del heading.columns[name]
    doubled = {name for names in heading.doubles.values() for name in names}
    heading.missing = [
        wanted
        for wanted in fields
        if wanted.must_be_filled
        and wanted.name not in heading.columns
        and wanted.name not in heading.clashes
        and wanted.name not in doubled
        and wanted.name not in mapping.defaults
        and wanted.name not in heading.unknown
    ]
    return heading


def _mapped(heading: Heading, folded: list[str], fields: Sequence[Field], mapping: Mapping) -> set[int]:
    """Settle the columns that the map names; returns their indexes."""
    prefixes = [wanted.name for wanted in fields if wanted.prefix]
    mapped: set[int] = set()
    for key, header in mapping.columns.items():
        exact = [at for at, text in enumerate(heading.headers) if text == " ".join(header.split())]
        fitting = exact or [at for at, text in enumerate(folded) if text and text == fold(header)]
        prefix = next((each for each in prefixes if key.startswith(each)), None)
        mapped.update(fitting)
        if not fitting:
            heading.unknown[key] = header
        elif len(fitting) > 1:
            heading.clashes[key] = [heading.headers[at] for at in fitting]
        elif prefix is None:
            heading.columns[key] = fitting[0]
        else:
            heading.prefixed.setdefault(prefix, {})[key.removeprefix(prefix).strip()] = fitting[0]
    return mapped


def _match_prefix(heading: Heading, wanted: Field, mapped: set[int]) -> None:
    start = wanted.name.casefold()
    for at, header in enumerate(heading.headers):
        if at in mapped or not header.casefold().startswith(start):
            continue
        rest = header[len(start) :].strip()
        known = heading.prefixed.setdefault(wanted.name, {})
        if rest in known:
            heading.clashes[header] = [heading.headers[known[rest]], header]
        elif rest:
            known[rest] = at


def find_heading(grid: Grid, fields: Sequence[Field], mapping: Mapping) -> Heading | None:
    """The row among the first 30 that names most of the wanted columns; ``None`` when none names any.

    A header may stand on two rows (merged cells): then the lower row counts, with the upper one's text where the
    lower is empty. With ``header_row`` in the map only that row is asked.
    """
    wanted_row = mapping.options.header_row
    if wanted_row is not None:
        index = next((at for at, number in enumerate(grid.numbers) if number == wanted_row), None)
        return None if index is None else match_headers(index, header_texts(grid.rows[index]), fields, mapping)
    best: Heading | None = None
    above: list[str] = []
    for index, row in enumerate(grid.rows[:SEARCHED_ROWS]):
        headers = header_texts(row)
        heading = match_headers(index, headers, fields, mapping)
        if heading.matched and above and any(above):
            joined = [text or upper for text, upper in zip_longest(headers, above, fillvalue="")]
            both = match_headers(index, joined, fields, mapping)
            if both.matched > heading.matched:
                heading = both
        if heading.matched > (best.matched if best else 0):
            best = heading
        above = headers
    return best
