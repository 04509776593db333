"""A whole column of cells into values: fast where the cells are plain, one by one where they are not.

A column is a list of texts. What cannot be read becomes a fault, a sentence at its index; its value is ``None``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.kernel.money import percent, pounds
from portal.tables import dates, numbers
from portal.tables.dates import DateOrder
from portal.tables.fields import LONGEST_TEXT, NUMERIC, Field, fold
from portal.tables.grid import Cell
from portal.tables.numbers import CellError, Convention, quoted, written
from portal.tables.problems import Faults

Values = list[Any]

# Half of a surrogate pair is no character at all, and no database keeps it.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BYTES = bytes(code for code in range(32) if code not in b"\t\n\r") + b"\x7f"
_HARMLESS = re.compile(r"'+[=+\-@\t\r]")
_POINT_PENCE = re.compile(r"(?:[0-9]{1,12}\.[0-9]{2}\n)++")
_COMMA_PENCE = re.compile(r"(?:[0-9]{1,12},[0-9]{2}\n)++")
# Two or three letters drawn as one; they come from printed matter, and nobody types them.
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_YES = frozenset({"yes", "y", "true", "1", "x", "sí", "si", "oui", "ja"})
_NO = frozenset({"no", "n", "false", "0", "non", "nein"})


@dataclass(slots=True)
class Column:
    """The cells of one column as stripped texts.

    ``exact``: indexes of a spreadsheet's own numbers, written with a point. ``odd``: some text begins as a formula,
    an error or an apostrophe does, or has a control character in it, so that ``clean`` must look at each.
    ``blanks``: some text may be empty.
    ``longest`` is the length of the longest text; ``two_decimals`` the decimal mark when every text is a plain amount
    with two decimals after it.
    """

    texts: list[str] = field(default_factory=list)
    exact: set[int] = field(default_factory=set)
    faults: Faults = field(default_factory=Faults)
    odd: bool = False
    blanks: bool = False
    longest: int = 0
    two_decimals: str | None = None

    def add_texts(self, cells: Iterable[str], *, marked: bool = True, controls: bool = True) -> None:
        """Append cells that are all texts.

        Without ``marked`` none has ``=``, ``'`` or ``#`` in it; without ``controls`` none has a control character.
        """
        texts = list(map(str.strip, cells))
        self._look_at(texts, marked=marked, controls=controls)
        self.texts += texts

    def _look_at(self, texts: list[str], *, marked: bool, controls: bool) -> None:
        """Note what is unusual about ``texts``; batch by batch, while they are still in the processor's cache."""
        self.longest = max(self.longest, max(map(len, texts), default=0))
        self.blanks = self.blanks or "" in texts
        if self.odd or not (marked or controls):
            return
        joined = "\n".join(("", *texts))
        if "\n=" in joined or "\n'" in joined or "\n#" in joined:
            self.odd = True
        elif controls:
            # Dropping bytes is many times faster than looking for them with a pattern.
            raw = joined.encode(errors="surrogatepass")
            self.odd = len(raw.translate(None, _CONTROL_BYTES)) != len(raw) or (
                len(raw) != len(joined) and _CONTROL.search(joined) is not None
            )

    def add_cells(self, cells: Iterable[Cell]) -> None:
        """Append cells of a spreadsheet; its numbers, dates and flags are written out as texts."""
        texts: list[str] = []
        start = len(self.texts)
        for cell in cells:
            if isinstance(cell, str):
                texts.append(cell.strip().replace("\r\n", "\n"))
            elif cell is None:
                texts.append("")
            elif isinstance(cell, bool):
                texts.append("true" if cell else "false")
            elif isinstance(cell, int | float):
                self.exact.add(start + len(texts))
                texts.append(written(cell))
            elif isinstance(cell, datetime):
                midnight = not (cell.hour or cell.minute or cell.second)
                texts.append(cell.date().isoformat() if midnight else cell.isoformat(sep=" ", timespec="seconds"))
            else:
                texts.append(cell.isoformat() if isinstance(cell, date) else str(cell))
        self._look_at(texts, marked=True, controls=True)
        self.texts += texts


def clean(column: Column, longest: int = LONGEST_TEXT) -> None:
    """Find what no cell may hold (formulas, errors, controls, endless text); undo what made exports harmless."""
    if column.odd:
        _clean_each(column)
    _refuse_long(column, max(longest, LONGEST_TEXT))


def _clean_each(column: Column) -> None:
    texts = column.texts
    for at, text in enumerate(texts):
        if text.startswith("="):
            column.faults[at] = (
                f"{quoted(text)} is a formula, not a value; copy the column, paste it as values, and save again."
            )
        elif text.startswith("#") and numbers.is_spreadsheet_error(text):
            column.faults[at] = spreadsheet_error(text)
        elif control := _CONTROL.search(text):
            column.faults[at] = (
                f"The cell holds the invisible control character U+{ord(control[0]):04X}; delete it or retype the cell."
            )
        elif text.startswith("'") and _HARMLESS.match(text):
            texts[at] = text[1:]


def spreadsheet_error(text: str) -> str:
    """The sentence about a cell that shows a spreadsheet's error."""
    return f"{quoted(text)} is an error of the spreadsheet; mend the formula there, and paste the result as a value."


def _refuse_long(column: Column, longest: int) -> None:
    if column.longest <= longest:
        return
    for at, text in enumerate(column.texts):
        if len(text) > longest:
            column.faults[at] = (
                f"The text is {len(text):,} characters long, but at most {longest:,} are kept; shorten it."
            )


def in_one_form(texts: list[str]) -> list[str]:
    """``texts`` in the one form that every kind of file can carry, so that a list is the same whatever it came as.

    Runs of spaces, tabs and line breaks become one space; letters drawn as one (ﬁ) are written as two; an accent is
    part of its letter (Unicode's form C).
    """
    joined = "\n".join(texts)
    plain = joined.isascii() and not ("  " in joined or "\t" in joined or "\r" in joined)
    if plain and joined.count("\n") == max(0, len(texts) - 1):
        return texts
    return [" ".join(unicodedata.normalize("NFC", text.translate(_LIGATURES)).split()) for text in texts]


# The decimal mark and the order of dates, by evidence


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many cells of a column prove each of two ways of writing, and one cell that does."""

    counts: tuple[int, int]
    samples: tuple[str, str]

    @property
    def verdict(self) -> int | None:
        """0 or 1, the way that alone is proven or by most; ``None`` if nothing is, or both alike."""
        first, second = self.counts
        return None if first == second else int(second > first)

    @property
    def contradicts(self) -> bool:
        """Whether both ways are proven."""
        return min(self.counts) > 0


NO_EVIDENCE = Evidence((0, 0), ("", ""))


def decimal_evidence(column: Column) -> Evidence:
    """What a column of numbers proves: way 0 is the decimal point, way 1 the decimal comma."""
    texts = column.texts
    if not column.exact and texts:
        joined = "\n".join(texts) + "\n"
        if _POINT_PENCE.fullmatch(joined):
            column.two_decimals = "."
            return Evidence((len(texts), 0), (texts[0], ""))
        if _COMMA_PENCE.fullmatch(joined):
            column.two_decimals = ","
            return Evidence((0, len(texts)), ("", texts[0]))
    return _evidence(column, _decimal_way)


def _decimal_way(text: str) -> int | None:
    if "," not in text and "." not in text:
        return None
    match numbers.convention(text):
        case Convention.POINT:
            return 0
        case Convention.COMMA:
            return 1
    return None


def date_evidence(column: Column) -> Evidence:
    """What a column of dates proves: way 0 is the day first, way 1 the month first."""
    return _evidence(column, _date_way)


def _date_way(text: str) -> int | None:
    order = dates.proves(text)
    return None if order is None else int(order is DateOrder.MONTH_FIRST)


def _evidence(column: Column, way_of: Callable[[str], int | None]) -> Evidence:
    counts = [0, 0]
    samples = ["", ""]
    texts = column.texts
    counted = Counter(texts if not column.exact else (t for at, t in enumerate(texts) if at not in column.exact))
    for text, times in counted.items():
        way = way_of(text)
        if way is not None:
            counts[way] += times
            samples[way] = samples[way] or text
    return Evidence((counts[0], counts[1]), (samples[0], samples[1]))


@dataclass(frozen=True, slots=True)
class Writing:
    """How a column is to be read. ``stated``: the map says so; ``mark`` and ``order`` are ``None`` when unknown."""

    mark: str | None = None
    order: DateOrder = DateOrder.DAY_FIRST
    stated: bool = False
    evidence: Evidence = NO_EVIDENCE


# Values


def read_values(wanted: Field, column: Column, writing: Writing) -> Values:
    """The values of the column's texts for the field ``wanted``; what cannot be read is added to ``column.faults``.

    Empty cells give the field's default, or a fault where the field is required.
    """
    values: Values
    if column.longest == 0 and not (wanted.must_be_filled or column.faults):
        # Most optional columns of most lists.
        return [None if wanted.prefix else wanted.default] * len(column.texts)
    if wanted.kind == "text":
        values = _texts(wanted, column)
    elif wanted.kind == "money" and (quick := _quick_pence(column, writing)) is not None:
        values = quick
    else:
        values = _each(column, _reader(wanted, column, writing))
    if column.blanks:
        _fill(wanted, column, values)
    _bounds(wanted, column, values)
    return values


def _fill(wanted: Field, column: Column, values: Values) -> None:
    for at, text in enumerate(column.texts):
        if text:
            continue
        values[at] = None if wanted.prefix else wanted.default
        if wanted.must_be_filled:
            column.faults.add(at, f"The cell is empty; {wanted.name} needs {_WANTED[wanted.kind]}.")


_WANTED = {
    "text": "a text",
    "money": "an amount, such as 12.50",
    "decimal": "a number, such as 2.5",
    "integer": "a whole number, such as 3",
    "percent": "a percentage, such as -2.5",
    "date": "a date, such as 2026-05-31",
    "month": "a month, such as 2026-05",
    "flag": "yes or no",
}


def _texts(wanted: Field, column: Column) -> Values:
    if wanted.one_form:
        column.texts = in_one_form(column.texts)
    if column.longest > wanted.longest:
        for at, text in enumerate(column.texts):
            if len(text) > wanted.longest:
                column.faults.add(
                    at, f"The text has {len(text):,} characters; at most {wanted.longest:,} fit. Shorten it."
                )
    if wanted.choices is None:
        return column.texts
    allowed = {fold(choice): choice for choice in wanted.choices}

    def choose(text: str) -> str:
        choice = allowed.get(fold(text))
        if choice is None:
            listed = ", ".join(wanted.choices[:12]) if wanted.choices else ""
            raise CellError(f"{quoted(text)} is not one of the values allowed; write one of: {listed}.")
        return choice

    return _each(column, lambda _, text: choose(text))


def _quick_pence(column: Column, writing: Writing) -> Values | None:
    """Pence of a column of nothing but plain amounts with two decimals; ``None`` if it is not one."""
    mark = column.two_decimals
    if mark is None or mark != writing.mark or column.exact or column.faults:
        return None
    pence = list(map(int, "\n".join(column.texts).replace(mark, "").split()))
    # A line break inside a cell would make two of one.
    return pence if len(pence) == len(column.texts) else None


Reader = Callable[[int, str], Any]


def _each(column: Column, read: Reader) -> Values:
    """Read every filled cell; equal texts are read once."""
    values: Values = []
    known: dict[str, Any] = {"": None}
    exact, faults = column.exact, column.faults
    for at, text in enumerate(column.texts):
        if text in known and at not in exact:
            values.append(known[text])
            continue
        value = None
        if at not in faults:
            try:
                value = read(at, text)
                # A typed "1.234" and a spreadsheet's own 1.234 are not always the same number.
                if at not in exact:
                    known[text] = value
            except CellError as fault:
                faults[at] = str(fault)
        values.append(value)
    return values


def _reader(wanted: Field, column: Column, writing: Writing) -> Reader:
    """The way to read one cell of the field ``wanted``."""
    if wanted.kind in NUMERIC:
        parse = _number_parser(wanted)
        return lambda at, text: parse(text, "." if at in column.exact else _mark(text, writing))
    if wanted.kind == "date":
        return lambda _, text: dates.parse_date(text, _order(text, writing))
    if wanted.kind == "month":
        return lambda _, text: dates.parse_month(text, _order(text, writing))
    return lambda _, text: _flag(text)


def _number_parser(wanted: Field) -> Callable[[str, str], Any]:
    match wanted.kind:
        case "money":
            return numbers.parse_money
        case "percent":
            return numbers.parse_percent
        case "integer":
            return numbers.parse_integer
    return lambda text, mark: numbers.parse_decimal(text, mark, wanted.places)


def _mark(text: str, writing: Writing) -> str:
    """The decimal mark to read ``text`` with; refuses a text whose meaning the column leaves open."""
    if "." not in text and "," not in text:
        return "."
    proven = numbers.convention(text)
    evidence = writing.evidence
    if proven is Convention.DOUBTFUL and (writing.mark is None or (evidence.contradicts and not writing.stated)):
        why = "the column is written both ways" if evidence.contradicts else "nothing in the file shows which is meant"
        raise CellError(
            f"{quoted(text)} can be read as thousands or as decimals, and {why}; write it without a thousands mark "
            'and with two decimals, or say decimal = "." or decimal = "," under [options] in a map file (--map).'
        )
    if evidence.contradicts and not writing.stated and proven in {Convention.POINT, Convention.COMMA}:
        way = int(proven is Convention.COMMA)
        if evidence.verdict != way:
            has, other = ("comma", "point") if way else ("point", "comma")
            raise CellError(
                f"{quoted(text)} is written with a decimal {has}, but {quoted(evidence.samples[1 - way])} in the same "
                f"column with a decimal {other}; write the whole column in one way."
            )
    return writing.mark or "."


def _order(text: str, writing: Writing) -> DateOrder:
    """The order to read ``text`` with; refuses a day that the column leaves open."""
    if writing.evidence.contradicts and not writing.stated:
        way = _date_way(text)
        if dates.depends_on_order(text) or (way is not None and way != writing.evidence.verdict):
            first, second = writing.evidence.samples
            raise CellError(
                f"{quoted(text)} cannot be told for sure: the column holds day-first dates ({first}) and month-first "
                f"dates ({second}); write every date as year-month-day, such as 2026-05-31."
            )
    return writing.order


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered in _YES:
        return True
    if lowered in _NO:
        return False
    raise CellError(f"{quoted(text)} is neither yes nor no; write yes or no.")


def _bounds(wanted: Field, column: Column, values: Values) -> None:
    """Find values below the least or above the largest allowed."""
    least: Any = wanted.least
    most: Any = wanted.maximum
    if least is None and most is None:
        return
    whole = not (column.blanks or column.faults)
    sample = values if whole else [value for value in values if value is not None]
    if not sample or ((least is None or min(sample) >= least) and (most is None or max(sample) <= most)):
        return
    for at, value in enumerate(values):
        if value is None or not column.texts[at]:
            continue
        shown = quoted(column.texts[at])
        if least is not None and value < least:
            kind = "is negative, but only" if least == 0 else "is too small; only"
            column.faults.add(
                at, f"{shown} {kind} {_shown(wanted, least)} or more is allowed; correct the figure."
            )
        elif most is not None and value > most:
            column.faults.add(
                at, f"{shown} is too large; only {_shown(wanted, most)} or less is allowed; correct it."
            )


def _shown(wanted: Field, bound: int | Decimal | date) -> str:
    if wanted.kind == "money" and isinstance(bound, int):
        return pounds(bound)
    if wanted.kind == "percent" and isinstance(bound, int):
        return percent(bound)
    return str(bound)
