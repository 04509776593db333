"""The file of a price list as it comes in: a list by its content, under a name that any folder can hold."""

from __future__ import annotations

from portal.framework.documents.files import CheckedFile, clean_name
from portal.framework.faults import WrongTerm
from portal.kernel.errors import InputRefused
from portal.tables.files import MAX_BYTES, Kind, source_of

#: How long a file's name can be on disk, in bytes.
LONGEST_BYTES = 200
MEDIA_TYPES = {
    Kind.CSV: "text/csv",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.XLS: "application/vnd.ms-excel",
    Kind.PDF: "application/pdf",
}


def checked_list(name: str, content: bytes) -> CheckedFile:
    """The file as it may be kept: CSV, XLSX, XLS or PDF by its content, of at most 50 MB.

    Raises ``WrongTerm`` (``file``) with what is wrong and what to do. Whether it holds a price list is found out later.
    """
    name = short_name(name)
    try:
        source = source_of(name, content, MAX_BYTES)
    except InputRefused as refused:
        raise WrongTerm(refused.problems[0].message, "file") from None
    return CheckedFile(name, MEDIA_TYPES[source.kind], content)


def short_name(name: str) -> str:
    """A file's own name, its ending kept, short enough for a folder: a letter can take four bytes there."""
    name = clean_name(name)
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    ending = ending.encode()[:20].decode(errors="ignore")
    return stem.encode()[: LONGEST_BYTES - 21].decode(errors="ignore") + dot + ending
