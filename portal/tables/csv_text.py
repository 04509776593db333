"""CSV text into rows: encoding, delimiter, quotes and line numbers."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from portal.kernel.errors import InputRefused
from portal.tables.fields import Field
from portal.tables.files import Source, refusal
from portal.tables.grid import BATCH_ROWS, Batch, Grid, Row
from portal.tables.heading import find_heading
from portal.tables.mapping import Mapping
from portal.tables.numbers import quoted

DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_BYTES = 64 * 1024
_SNIFFED_ROWS = 50
# The header stands in the first batch, which is read as rows.
FIRST_ROWS = 100
_UTF8_MARK = b"\xef\xbb\xbf"
# The control characters that no list needs; tab and line breaks may stand inside a cell.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r") + b"\x7f"
_LATE_CONTROLS = re.compile(rb"\xc2[\x80-\x9f]")
_UNDECODED = re.compile("[\udc80-\udcff]")


def read_grid(source: Source, fields: Sequence[Field], mapping: Mapping) -> Grid:
    """The rows of a CSV file, each numbered by the line it begins on.

    Raises ``InputRefused`` for text that cannot be decoded (with row, column and byte) and for broken quotes.
    """
    data = _as_utf8(source, mapping)
    if b"\r" in data:
        # Lines may end in either way; inside a cell, too, a break is one character.
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # Excel's own hint of the delimiter is a line of the file, but not of the list.
    hint = re.match(rb"sep=([,;\t|])\r?\n", data, re.IGNORECASE)
    delimiter = mapping.options.delimiter
    if delimiter is None:
        delimiter = hint[1].decode() if hint else _delimiter(data, fields, mapping)
    if not (data.isascii() or _is_utf8(data)):
        raise _undecodable(source.name, data, delimiter, fields, mapping)
    more = _batches(source.name, data, delimiter)
    rows, starts = next(more, ([], []))
    skipped = 1 if hint else 0
    marked = b"=" in data or b"'" in data or b"#" in data
    return Grid(list(rows[skipped:]), starts[skipped:], more, controls=_has_controls(data), marked=marked)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_controls(data: bytes) -> bool:
    """Whether a control character other than tab and line breaks is in the text."""
    if len(data.translate(None, _CONTROLS)) != len(data):
        return True
    return not data.isascii() and _LATE_CONTROLS.search(data) is not None


def _as_utf8(source: Source, mapping: Mapping) -> bytes:
    """The text of the file as UTF-8 without a byte-order mark; what is not declared otherwise is left as it is."""
    data = source.data
    encoding = mapping.options.encoding
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _transcoded(source, "utf-16", "it begins with the mark of UTF-16 text").encode()
    if data.startswith(_UTF8_MARK):
        return data[len(_UTF8_MARK) :]
    if encoding is None:
        return data
    return _transcoded(source, encoding, f'the map {mapping.file} says encoding = "{encoding}"').encode()


def _transcoded(source: Source, encoding: str, because: str) -> str:
    try:
        text = source.data.decode(encoding).removeprefix("\ufeff")
        text.encode()
    except UnicodeError as fault:
        start = fault.start if isinstance(fault, UnicodeDecodeError) else 0
        line = source.data.count(b"\n", 0, start) + 1
        raise refusal(
            source.name,
            f"The file cannot be read as {encoding} text ({because}), from its byte {start + 1} on. "
            f"Save it as CSV UTF-8, or name the encoding it really has under [options] in a map file.",
            row=line,
        ) from None
    if "\0" in text:
        raise refusal(source.name, "The file holds NUL characters, so it is not a list. Save it as CSV UTF-8.")
    return text


def _batches(file: str, data: bytes, delimiter: str, errors: str = "strict") -> Iterator[Batch]:
    """The records of the file in batches, with the number of the line each begins on."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors=errors, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    size = FIRST_ROWS
    line = 1
    while True:
        rows: list[Row] = []
        try:
            # extend keeps the rows before a fault, so that its line can be told.
            rows.extend(islice(reader, size))
        except csv.Error as fault:
            raise _broken(file, str(fault), _starts(rows, line)[-1], reader.line_num) from None
        if not rows:
            return
        following = reader.line_num + 1
        plain = following - line == len(rows)
        yield rows, range(line, following) if plain else _starts(rows, line)[:-1]
        line, size = following, BATCH_ROWS


def _starts(rows: Sequence[Row], line: int) -> list[int]:
    """The line each of ``rows`` begins on when the first begins on ``line``, and the line after the last."""
    starts = [line]
    for row in rows:
        starts.append(starts[-1] + 1 + sum(str(cell).count("\n") for cell in row))
    return starts


def _broken(file: str, fault: str, first: int, last: int) -> InputRefused:
    """The refusal of a record that begins on line ``first``, in the words of someone who sees the file."""
    if "field larger than field limit" in fault or "unexpected end of data" in fault:
        what = f"a quotation mark that opens in this row is never closed (read up to line {last})"
        remedy = 'Close it, or write a quotation mark that belongs to the text twice ("").'
    elif "expected after" in fault:
        what = f"text follows directly after a closing quotation mark in line {last}"
        remedy = 'Write a quotation mark that belongs to the text twice (""), and put the whole cell in quotes.'
    else:
        what = f"the row cannot be divided into cells ({fault})"
        remedy = "Open the file in a spreadsheet, and save it as CSV UTF-8 again."
    return refusal(file, f"The file cannot be read on: {what}. {remedy}", row=first)


def _delimiter(data: bytes, fields: Sequence[Field], mapping: Mapping) -> str:
    """The delimiter with which the first rows make most sense: headers recognised first, then even widths."""
    head = data[:_SNIFFED_BYTES].decode(errors="replace")
    if len(data) > _SNIFFED_BYTES:
        head = head[: head.rfind("\n") + 1] or head

    def sense(delimiter: str) -> tuple[int, bool, float, int]:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        rows = _first_rows(reader)
        heading = find_heading(Grid(list(rows), range(1, len(rows) + 1)), fields, mapping)
        widths = Counter(len(row) for row in rows if row)
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        return heading.matched if heading else 0, width > 1, count / max(1, widths.total()), width

    return max(DELIMITERS, key=sense)


def _first_rows(reader: Iterable[list[str]]) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if len(rows) == _SNIFFED_ROWS:
                break
    except csv.Error:
        # What is broken is reported by the full reading, with its place; the guess goes by the rows before.
        return rows
    return rows


def _undecodable(file: str, data: bytes, delimiter: str, fields: Sequence[Field], mapping: Mapping) -> InputRefused:
    """The refusal of bytes that are not UTF-8, saying where the first one stands and how it would read."""
    headers: list[str] = []
    for rows, starts in _batches(file, data, delimiter, errors="surrogateescape"):
        heading = None if headers else find_heading(Grid(list(rows), starts), fields, mapping)
        headers = heading.headers if heading else headers
        for number, row in zip(starts, rows, strict=True):
            for at, cell in enumerate(map(str, row)):
                undecoded = _UNDECODED.search(cell)
                if undecoded is not None:
                    byte = ord(undecoded[0]) - 0xDC00
                    as_windows = _as_windows(cell.encode("utf-8", "surrogateescape"))
                    message = (
                        f"The file is not UTF-8 text: the byte 0x{byte:02X} stands in this cell{as_windows}. Save the "
                        'file as CSV UTF-8, or say encoding = "cp1252" under [options] in a map file given with --map.'
                    )
                    return refusal(file, message, row=number, column=_column_name(headers, at))
    return refusal(file, "The file is not UTF-8 text. Save it as CSV UTF-8.")


def _as_windows(raw: bytes) -> str:
    try:
        return f", which would read {quoted(raw.decode('cp1252'))} as Windows-1252 text"
    except UnicodeDecodeError:
        return ""


def _column_name(headers: list[str], at: int) -> str:
    """The header of column ``at``, or its number where that cannot be shown."""
    if at < len(headers) and headers[at] and not _UNDECODED.search(headers[at]):
        return headers[at]
    return f"{at + 1}"
