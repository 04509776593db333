"""What was read of a price list, kept beside its upload as a CSV in the portal's own columns.

So that preview and publication never read a PDF again. The CSV is written under a name of its own and then put in its
place: there is a whole one or none, however often a reader begins.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from portal.framework.documents.files import is_whole
from portal.kernel import money
from portal.kernel.errors import InputRefused, Problem
from portal.rates.exporting import COLUMNS
from portal.rates.price_lists.models import PriceList
from portal.rates.schedule_file import FIELDS, ScheduleFile, read_schedule
from portal.tables import write_csv


class Overtaken(Exception):
    """Another reader has begun again meanwhile, and swept away what this one had drafted."""


def kept_path(uploads: Path, stored_name: str) -> Path:
    """Where the CSV of an upload lies."""
    return uploads / f"{stored_name}.csv"


def keep(uploads: Path, stored_name: str, records: Sequence[tuple[Any, ...]]) -> str:
    """Keep the records of a price list; the SHA-256 of the file that holds them.

    Raises ``ValueError`` when what is kept does not read as what was read, ``Overtaken`` when another reader has begun
    again meanwhile.
    """
    place = kept_path(uploads, stored_name)
    drafted = uploads / f"{stored_name}.{secrets.token_hex(8)}"
    try:
        descriptor = os.open(drafted, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as target:
            write_csv(target, COLUMNS, (_cells(record) for record in records))
            target.flush()
            os.fsync(target.fileno())
        if not drafted.exists():
            raise Overtaken
        again = read_schedule(drafted)
        if again.problems or [each[1:] for each in again.records] != [
            tuple(map(_filled, each[1:])) for each in records
        ]:
            raise ValueError(f"what was kept of {stored_name} does not read as what was read")
        sha256 = hashlib.sha256(drafted.read_bytes()).hexdigest()
        os.replace(drafted, place)
        return sha256
    except FileNotFoundError:
        raise Overtaken from None
    finally:
        with suppress(FileNotFoundError):
            drafted.unlink()


def _filled(value: Any) -> Any:
    return None if value == "" else value


def _cells(record: tuple[Any, ...]) -> list[object]:
    """A record as it stands in the CSV."""
    return [_cell(field.kind, value) for field, value in zip(FIELDS, record[1:], strict=True)]


def _cell(kind: str, value: Any) -> object:
    if value is None:
        return ""
    match kind:
        case "money":
            return money.pounds(value)
        case "percent":
            return money.percent(value)
        case "flag":
            return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value


def kept_list(uploads: Path, found: PriceList) -> ScheduleFile:
    """A list as it was read, under the name of the file that was handed in.

    Raises ``InputRefused`` when it is not there any more, or is not what was read.
    """
    place = kept_path(uploads, found.stored_name)
    if not is_whole(uploads, place.name, found.kept_sha256 or ""):
        raise _lost(found.file_name)
    try:
        read = read_schedule(place)
    except InputRefused:
        raise _lost(found.file_name) from None
    if read.problems or len(read.records) != found.item_count:
        raise _lost(found.file_name)
    return replace(read, name=found.file_name)


def _lost(name: str) -> InputRefused:
    message = (
        "What was read of this list is not there any more, or was altered. Drop the list, and hand its file in again."
    )
    return InputRefused([Problem(name, message)])


def forget(uploads: Path, stored_name: str) -> None:
    """Let go of what was read, and of what a reader that was killed had drafted: it has become an edition, or
    nothing."""
    for each in uploads.glob(f"{stored_name}.*"):
        each.unlink(missing_ok=True)


def forget_drafts(uploads: Path, stored_name: str) -> None:
    """Let go of what a reader that was killed had drafted."""
    for each in uploads.glob(f"{stored_name}.*"):
        if each != kept_path(uploads, stored_name):
            each.unlink(missing_ok=True)


def kept_beside(uploads: Path) -> set[str]:
    """The stored names of the uploads that have anything beside them: every other file's name is without a dot."""
    return {each.name.partition(".")[0] for each in uploads.glob("*.*")}
