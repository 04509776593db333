"""What a sheet's XML knows and its values do not say: formulas, errors, percent formats, and how far it reaches.

The workbook reader hands out cached values only: a formula looks like its last result, an error like an empty
cell, and 5 % like 0.05. All three would be read wrongly and silently.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO
from xml.parsers import expat

from portal.tables.files import Source, refusal

# More cells than this in one sheet's rectangle would not fit into memory, however few are filled.
MAX_CELLS = 20_000_000
_CHUNK = 1024 * 1024
_CELL_AT = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_PREFIXED_FORMULA = re.compile(rb"<\w+:f[\s/>]")
_PERCENT_FORMATS = {9, 10}
_TAIL = 64


@dataclass(slots=True)
class Marks:
    """Cells, by (row from 1, column from 0), that are not what their value looks like."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    percents: set[tuple[int, int]] = field(default_factory=set)


@dataclass(slots=True)
class Workbook:
    """Where the parts of a workbook stand in its archive."""

    sheets: dict[str, str]
    percent_styles: set[int]


def column_index(letters: str) -> int:
    """``"A"`` → 0, ``"AA"`` → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


@contextmanager
def opened(source: Source) -> Iterator[zipfile.ZipFile]:
    """The workbook's archive; what is damaged in it comes out as ``InputRefused``."""
    try:
        with zipfile.ZipFile(BytesIO(source.data)) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, EOFError, KeyError, ValueError,
            NotImplementedError, RuntimeError) as fault:  # fmt: skip
        raise refusal(
            source.name, f"The workbook is damaged ({fault}). Open it in a spreadsheet and save it again as .xlsx."
        ) from None


def read_workbook(archive: zipfile.ZipFile) -> Workbook:
    """The parts of each sheet by its name, and the cell styles that show percentages."""
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            targets[attributes.get("Id", "")] = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))[
                1:
            ]

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            identity = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            sheets[attributes.get("name", "")] = targets.get(identity, "")

    _walk(archive, "xl/_rels/workbook.xml.rels", relation)
    _walk(archive, "xl/workbook.xml", sheet)
    return Workbook(sheets, _percent_styles(archive))


def _percent_styles(archive: zipfile.ZipFile) -> set[int]:
    formats = set(_PERCENT_FORMATS)
    styles: set[int] = set()
    state = {"inside": False, "count": 0}

    def style(tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt" and "%" in attributes.get("formatCode", ""):
            formats.add(int(attributes.get("numFmtId", "-1")))
        elif tag in {"cellXfs", "cellStyleXfs", "cellStyles", "dxfs"}:
            state["inside"] = tag == "cellXfs"
        elif tag == "xf" and state["inside"]:
            if int(attributes.get("numFmtId", "0")) in formats:
                styles.add(state["count"])
            state["count"] += 1

    if "xl/styles.xml" in archive.namelist():
        _walk(archive, "xl/styles.xml", style)
    return styles


def _walk(archive: zipfile.ZipFile, part: str, start: Callable[[str, dict[str, str]], None]) -> None:
    with archive.open(part) as stream:
        parser = _parser()

        def started(tag: str, attributes: dict[str, str]) -> None:
            start(tag.rpartition(":")[2], attributes)

        parser.StartElementHandler = started
        parser.ParseFile(stream)


def _parser() -> expat.XMLParserType:
    """An XML parser that refuses documents which declare entities: no workbook needs them, and bombs are made so."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise ValueError("its XML declares entities")

    parser.EntityDeclHandler = refuse
    return parser


def survey(archive: zipfile.ZipFile, part: str) -> tuple[int, bool]:
    """How many cells the rectangle of the sheet in ``part`` has, and whether formulas or errors are in it.

    A quick look over the raw bytes, before anything is built from them.
    """
    columns: set[bytes] = set()
    last_row = 0
    special = False
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            found = _CELL_AT.findall(window)
            columns.update({letters for letters, _ in found})
            if found:
                # Rows stand in order in honest sheets; in others the largest is what counts.
                last_row = max(last_row, *map(int, {row for _, row in found}))
            special = special or _is_special(window)
            tail = window[-_TAIL:]
    widest = max((column_index(letters.decode()) for letters in columns), default=0) + 1
    return last_row * widest, special


def _is_special(xml: bytes) -> bool:
    """Whether a formula, or a cell whose type is an error, stands in ``xml``."""
    if b't="e"' in xml or b"t='e'" in xml or b"<f>" in xml or b"<f " in xml or b"<f/" in xml:
        return True
    return b":f" in xml and _PREFIXED_FORMULA.search(xml) is not None


def find_marks(stream: IO[bytes], columns: set[int], first_row: int, percent_styles: set[int]) -> Marks:
    """The marks of the cells in ``columns`` (from 0) from ``first_row`` (from 1) on."""
    marks = Marks()
    place = {"row": 0, "column": -1}
    ranges: list[tuple[int, int, int, int]] = []
    error: list[str] | None = None

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal error
        name = tag.rpartition(":")[2]
        if name == "c":
            address = _ADDRESS.fullmatch(attributes.get("r", ""))
            if address:
                place["column"], place["row"] = column_index(address[1]), int(address[2])
            else:
                place["column"] += 1
            if place["row"] < first_row or place["column"] not in columns:
                return
            at = (place["row"], place["column"])
            if attributes.get("t") == "e":
                marks.errors[at], error = "", []
            elif int(attributes.get("s", "0")) in percent_styles:
                marks.percents.add(at)
        elif name == "row":
            place["row"] = int(attributes.get("r", place["row"] + 1))
            place["column"] = -1
        elif name == "f":
            if place["row"] >= first_row and place["column"] in columns:
                marks.formulas.add((place["row"], place["column"]))
            # An array formula stands in its first cell only, and fills the range it names.
            if attributes.get("t") in {"array", "dataTable"} and "ref" in attributes:
                corners = _ADDRESS.findall(attributes["ref"])
                if len(corners) == 2:
                    (left, top), (right, bottom) = corners
                    ranges.append((int(top), int(bottom), column_index(left), column_index(right)))

    def end(tag: str) -> None:
        nonlocal error
        if error is not None and tag.rpartition(":")[2] == "c":
            marks.errors[place["row"], place["column"]] = "".join(error).strip()
            error = None

    def text(content: str) -> None:
        if error is not None:
            error.append(content)

    parser = _parser()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.ParseFile(stream)
    for top, bottom, left, right in ranges:
        # A range may claim a whole column; only rows that exist can be asked about, so the span is kept bounded.
        for row in range(max(top, first_row), min(bottom, place["row"]) + 1):
            marks.formulas.update((row, column) for column in columns if left <= column <= right)
    return marks
