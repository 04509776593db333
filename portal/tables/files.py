"""What a file is, by its content; and refusing what no reader could use."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from pathlib import Path

from portal.kernel.errors import InputRefused, Problem

MEBIBYTE = 1024 * 1024
MAX_BYTES = 50 * MEBIBYTE
# A sheet of a million honest cells unpacks to some 60 MB; far beyond that, a file means harm.
MAX_UNPACKED = 512 * MEBIBYTE
AS_SPREADSHEET = "Save the list as CSV UTF-8 or as an Excel workbook (.xlsx), and send that."


class Kind(Enum):
    """The kinds of file that can be read."""

    CSV = "CSV"
    XLSX = "XLSX"
    XLS = "XLS"
    PDF = "PDF"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that has been read into memory. ``name`` is its base name, as problems show it."""

    name: str
    kind: Kind
    data: bytes


_OTHER_KINDS = (
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"BM", "a bitmap picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "a database"),
    (b"{\\rtf", "a rich-text document"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<head", b"<?xml", b"<meta")


def refusal(
    file: str,
    message: str,
    *,
    row: int | None = None,
    column: str | None = None,
    sheet: str | None = None,
    page: int | None = None,
) -> InputRefused:
    """The refusal of a whole file for one reason."""
    return InputRefused([Problem(file, message, row=row, column=column, sheet=sheet, page=page)])


def open_source(path: str | Path, max_bytes: int = MAX_BYTES) -> Source:
    """The file at ``path``, at most ``max_bytes`` long, with its kind told from its content.

    Raises ``InputRefused`` with the remedy for what is missing, empty, too large or of another kind.
    """
    path = Path(path)
    name = path.name or str(path)

    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise refusal(name, "This is a folder, not a file; name one file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise refusal(name, "This is not an ordinary file; save the list as a file first.")
        if status.st_size > max_bytes:
            raise refusal(name, _too_large(status.st_size, max_bytes))
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise refusal(name, "There is no such file; check its name and folder.") from None
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "its name is not a file's name"
        raise refusal(name, f"The file cannot be read ({reason}); check its name and who may read it.") from None
    return source_of(name, data, max_bytes)


def source_of(name: str, data: bytes, max_bytes: int = MAX_BYTES) -> Source:
    """The same for a file that is in memory already, called ``name``."""
    if len(data) > max_bytes:
        raise refusal(name, _too_large(len(data), max_bytes))
    return Source(name, _kind_of(name, Path(name).suffix.lower(), data), data)


def _too_large(size: int, max_bytes: int) -> str:
    return (
        f"The file is {size / MEBIBYTE:,.0f} MiB large, but at most {max_bytes / MEBIBYTE:,.0f} MiB are read; "
        "split it into several files, or ask the portal's administrator to raise the limit."
    )


def _kind_of(name: str, suffix: str, data: bytes) -> Kind:
    """The kind that the content of the file shows."""
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start and not data.removeprefix(b"\xef\xbb\xbf").strip():
        raise refusal(name, "The file is empty; save the list again, and check that its rows are in it.")
    if data.startswith(b"PK\x03\x04"):
        return _kind_of_zip(name, data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _kind_of_compound(name, data)
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    for magic, what in _OTHER_KINDS:
        if data.startswith(magic):
            raise refusal(name, f"The file is {what}, not a list. {AS_SPREADSHEET}")
    if start.lower().startswith(_MARKUP):
        raise refusal(
            name, f"The file is a web page or XML, whatever its name says. Open it in a spreadsheet. {AS_SPREADSHEET}"
        )
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise refusal(name, f"The file is not text: it holds a NUL byte in line {line}. {AS_SPREADSHEET}", row=line)
    if suffix in {".xlsx", ".xlsm", ".xls", ".pdf"}:
        raise refusal(
            name,
            f"The file is named {suffix} but its content is not of that kind; it may be damaged. "
            f"Open and save it again, or name it .csv if it is CSV text.",
        )
    return Kind.CSV


def _kind_of_zip(name: str, data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as fault:
        raise refusal(name, f"The file is damaged ({fault}). Open it in a spreadsheet. {AS_SPREADSHEET}") from None
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        what = next((what for part, what in _IN_ZIP if any(part in each for each in names)), "a ZIP archive")
        raise refusal(name, f"The file is {what}, not an Excel workbook. {AS_SPREADSHEET}")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise refusal(
            name,
            f"The workbook unpacks to {unpacked / MEBIBYTE:,.0f} MiB, far more than a list needs; "
            "copy the list alone into a new workbook, and send that.",
        )
    return Kind.XLSX


_IN_ZIP = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("content.xml", "an OpenDocument file"),
)


def _kind_of_compound(name: str, data: bytes) -> Kind:
    """XLS shares its container with old Word documents, mails and encrypted workbooks."""
    for stream, message in (
        ("EncryptedPackage", f"The workbook is locked with a password. Remove the password. {AS_SPREADSHEET}"),
        ("WordDocument", f"The file is a Word document, not a list. {AS_SPREADSHEET}"),
        ("PowerPoint Document", f"The file is a PowerPoint presentation, not a list. {AS_SPREADSHEET}"),
    ):
        if stream.encode("utf-16-le") in data:
            raise refusal(name, message)
    return Kind.XLS
