"""Read the price lists that wait, in the background.

Each list is read outside of any transaction; what the reader says of it (taken up, how far, ready or refused) is a
short transaction each. A reader that was killed leaves a list that another begins again; reading twice changes nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import structlog

from portal.framework.documents.files import is_whole
from portal.kernel.db import transaction
from portal.kernel.errors import InputRefused, Problem
from portal.rates.price_lists import services
from portal.rates.price_lists.kept import Overtaken, forget, forget_drafts, keep, kept_beside
from portal.rates.price_lists.models import PriceList
from portal.rates.price_lists.queries import price_list_by_id, states_of
from portal.rates.schedule_file import ScheduleFile, read_schedule
from portal.rates.states import PriceListStatus
from portal.tables import Mapping
from portal.tables.mapping import Options

log = structlog.get_logger()

READER = services.READER
#: Key of the sheet's name among the columns that somebody named: no field is called so.
SHEET = "sheet"
#: The reader is seen at most so often, in seconds.
BEAT_SECONDS = 1.0
# What the reader of files says to people at a command line, and where a page has it.
_MAP_FILE = re.compile(r" in a map file given with --map(?:,|:)? ?")
ON_PAGE = " under “The columns have other names” when you hand the list in again: "

# One list at a time in each process: others of its threads stay free for what is due.
_turn = threading.Lock()


class NotWanted(Exception):
    """The list was dropped while it was being read."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A list that is being read, apart from the session."""

    id: int
    file_name: str
    stored_name: str
    sha256: str
    schedule_code: str
    edition_name: str
    columns: dict[str, str]

    @classmethod
    def of(cls, found: PriceList) -> Taken:
        """The values of a list's row."""
        return cls(
            found.id,
            found.file_name,
            found.stored_name,
            found.sha256,
            found.schedule_code,
            found.edition_name,
            dict(found.columns),
        )


def read_price_lists(uploads: Path, *, now: datetime) -> int:
    """Read every list that waits or whose reader has stopped, one after another; how many were read.

    Nothing when another thread of this process is reading already.
    """
    if not _turn.acquire(blocking=False):
        return 0
    try:
        started, count = monotonic(), 0

        def moment() -> datetime:
            return now + timedelta(seconds=monotonic() - started)

        while True:
            with transaction():
                found = services.take_up(now=moment())
                taken = Taken.of(found) if found else None
            if taken is None:
                sweep(uploads)
                return count
            count += _read(taken, uploads, moment)
    finally:
        _turn.release()


def _read(taken: Taken, uploads: Path, moment: Callable[[], datetime]) -> bool:
    """Read one list and say what came of it; whether somebody still wanted to know."""
    try:
        found = _outcome(taken, uploads, _Beats(taken.id, moment))
    except (NotWanted, Overtaken):
        return False
    with transaction():
        if isinstance(found, Refused):
            wanted = services.note_refused(taken.id, found.problems, found.more, by=READER, now=moment())
        else:
            wanted = services.note_ready(taken.id, found.file, found.sha256, by=READER, now=moment())
    if not wanted:
        _forget_what_nobody_wants(taken, uploads)
    return wanted


def sweep(uploads: Path) -> None:
    """Let go of what was left beside uploads by a reader that was killed, or by a crash between a commit and its
    sequel. What a reader is drafting now stays."""
    names = kept_beside(uploads)
    if not names:
        return
    with transaction():
        states = states_of(names)
    for name, status in states.items():
        if status is PriceListStatus.READY:
            forget_drafts(uploads, name)
        elif status is not PriceListStatus.READING:
            forget(uploads, name)


def _forget_what_nobody_wants(taken: Taken, uploads: Path) -> None:
    """Let go of what was read of a list that was dropped meanwhile. Another reader's stays: it is the same."""
    with transaction():
        dropped = price_list_by_id(taken.id).status is PriceListStatus.DROPPED
    if dropped:
        forget(uploads, taken.stored_name)


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong with a list, and how many problems there are besides."""

    problems: list[Problem]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What a list holds; it lies beside its upload, in a file of this SHA-256."""

    file: ScheduleFile
    sha256: str


def _outcome(taken: Taken, uploads: Path, beats: _Beats) -> Refused | Kept:
    """What is wrong with the list, or what it holds; then it lies beside its upload."""
    # Of an earlier reader, which was killed.
    forget(uploads, taken.stored_name)
    try:
        if not is_whole(uploads, taken.stored_name, taken.sha256):
            return Refused(
                [Problem(taken.file_name, "The file is not there any more. Drop this list, and hand it in again.")]
            )
        file = _schedule_file(taken, uploads, beats)
        problems = list(file.problems)
        if not problems and not file.records:
            problems = [Problem(file.name, "There is no item in this list; the rows below the header are empty.")]
        if problems:
            return Refused(for_pages(problems), file.more_problems)
        return Kept(file, keep(uploads, taken.stored_name, file.records))
    except InputRefused as refused:
        return Refused(for_pages(refused.problems), refused.more)
    except (NotWanted, Overtaken):
        raise
    except Exception:
        # A fault of ours must not be met again every minute, and the person must not wait for ever.
        log.exception("a price list cannot be read", price_list=taken.id)
        return Refused(
            [
                Problem(
                    taken.file_name,
                    "The portal failed to read this file; the fault has been recorded. Save the list as CSV UTF-8, and "
                    "hand that in.",
                )
            ]
        )


def _schedule_file(taken: Taken, uploads: Path, beats: _Beats) -> ScheduleFile:
    """The list read under the name that its file came with, which is how problems call it."""
    columns = dict(taken.columns)
    sheet = columns.pop(SHEET, None)
    mapping = Mapping("The columns have other names", columns, {}, Options(sheet=sheet))
    with TemporaryDirectory(prefix="price-list-") as folder:
        named = Path(folder) / taken.file_name
        named.symlink_to((uploads / taken.stored_name).resolve())
        return read_schedule(named, mapping, progress=beats)


class _Beats:
    """Says that the reader is alive and how far it is; called by the reader of files for every part."""

    def __init__(self, list_id: int, moment: Callable[[], datetime]) -> None:
        self.list_id, self.moment = list_id, moment
        self.last = monotonic()

    def __call__(self, done: int, parts: int) -> None:
        if monotonic() - self.last < BEAT_SECONDS:
            return
        with transaction():
            wanted = services.note_progress(self.list_id, done, parts, now=self.moment())
        self.last = monotonic()
        if not wanted:
            raise NotWanted


def for_pages(problems: Iterable[Problem]) -> list[Problem]:
    """Problems whose remedy is a map file at the command line, with the remedy that a page has."""
    return [replace(problem, message=_MAP_FILE.sub(ON_PAGE, problem.message)) for problem in problems]
