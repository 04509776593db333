"""Price lists: handed in, taken up by a reader, found in order or refused, published as an edition, or dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from portal.framework.documents.files import CheckedFile
from portal.framework.faults import TakenTerm, WrongTerm
from portal.kernel import audit
from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, Problem, WrongState
from portal.rates.models import Edition, Schedule
from portal.rates.price_lists.models import PriceList
from portal.rates.price_lists.queries import edition_before, list_under_way, schedule_by_code
from portal.rates.schedule_file import ScheduleFile
from portal.rates.services import code_fault, edition_fault, import_edition, in_one_form, taken_faults
from portal.rates.states import PRICE_LIST_MOVES, PriceListStatus

#: A reader that has not been seen for so long has stopped; another begins again.
STOPPED_AFTER = timedelta(minutes=2)
#: So often a list is read before it is given up: a reader that dies of a list dies of it every time.
MOST_ATTEMPTS = 3
READER = "reader of price lists"
#: How many problems and rows set aside are kept with a list.
MOST_KEPT = 1_000
GIVEN_UP = (
    f"Reading this file was begun {MOST_ATTEMPTS} times and never came to its end: it takes more memory or time than "
    "the portal has. Save the list as CSV UTF-8, or split it into several files, and hand that in."
)
CALLED = {
    PriceListStatus.WAITING: "waits to be read",
    PriceListStatus.READING: "is being read",
    PriceListStatus.READY: "is ready to be published",
    PriceListStatus.REFUSED: "was refused",
    PriceListStatus.PUBLISHED: "is published",
    PriceListStatus.DROPPED: "was dropped",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is to become. ``columns`` maps fields to headers, ``sheet`` to the sheet, where they must be said.

    ``schedule_name`` and ``currency`` are for a schedule that is new; one that is there keeps its own.
    """

    schedule_code: str
    edition_name: str
    starts_on: date
    schedule_name: str = ""
    currency: str = "GBP"
    columns: Mapping[str, str] = field(default_factory=dict)


def _record(action: str, found: PriceList, *, by: str, now: datetime, **data: Any) -> None:
    audit.record(
        action,
        f"schedule:{found.schedule_code}",
        at=now,
        actor=by,
        price_list=found.id,
        edition=found.edition_name,
        starts_on=found.starts_on.isoformat(),
        **data,
    )


def hand_in(wanted: Wanted, file: CheckedFile, stored_name: str, *, by: str, now: datetime) -> PriceList:
    """A price list that waits to be read. Its file is kept under ``stored_name`` already.

    Raises ``WrongTerm`` or ``TakenTerm`` (``schedule_code``, ``currency``, ``edition_name``, ``starts_on``), and
    ``Clash`` naming the list under way when the schedule has one.
    """
    code, edition = in_one_form(wanted.schedule_code), in_one_form(wanted.edition_name)
    if (fault := code_fault(code)) is not None:
        raise WrongTerm(fault, "schedule_code")
    if (fault := edition_fault(edition)) is not None:
        raise WrongTerm(fault, "edition_name")
    schedule = schedule_by_code(code)
    currency = (schedule.currency if schedule else wanted.currency.strip().upper()) or "GBP"
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise WrongTerm("Write the currency's three letters, such as GBP.", "currency")
    name = schedule.name if schedule else in_one_form(wanted.schedule_name) or code
    if len(name) > 200:
        raise WrongTerm("The name of the schedule can have at most 200 characters.", "schedule_name")
    if not name.isprintable():
        raise WrongTerm(
            "The schedule's name has a character that cannot be seen; type the name instead of pasting it.",
            "schedule_name",
        )
    for term, fault in taken_faults(code, edition, wanted.starts_on):
        raise TakenTerm(fault, term)
    refuse_second(code)
    found = PriceList(
        schedule_code=code,
        schedule_name=name,
        currency=currency,
        edition_name=edition,
        starts_on=wanted.starts_on,
        file_name=file.name,
        stored_name=stored_name,
        size_bytes=len(file.content),
        sha256=file.sha256,
        columns={name: text for name, text in wanted.columns.items() if text},
        status=PriceListStatus.WAITING,
        uploaded_by=by,
        uploaded_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(found)
    except IntegrityError:
        # Two at the same moment: now the other can be named.
        refuse_second(code)
        raise
    _record("price list handed in", found, by=by, now=now, sha256=found.sha256)
    return found


def refuse_second(schedule_code: str) -> None:
    """``Clash`` when another list is on its way to become an edition of the schedule: one at a time."""
    other = list_under_way(schedule_code)
    if other is not None:
        raise Clash(
            f"The list {other.file_name} for the edition {other.edition_name} of {schedule_code} "
            f"{CALLED[other.status]}. A schedule takes one list at a time: publish or drop that one (list {other.id}) "
            "first."
        )


# What the reader does -------------------------------------------------------------------------------------------------


def take_up(*, now: datetime) -> PriceList | None:
    """The oldest list that waits to be read or whose reader has stopped, now being read; ``None`` when none does.

    One whose readers have stopped time and again is refused instead.
    """
    while (found := _next_to_read(now)) is not None:
        if found.attempts < MOST_ATTEMPTS:
            _move(found, PriceListStatus.READING)
            found.attempts += 1
            found.parts_done = found.parts = 0
            found.beat_at = now
            return found
        _refuse(found, [Problem(found.file_name, GIVEN_UP)], 0, by=READER, now=now)
        db.session.flush()
    return None


def _next_to_read(now: datetime) -> PriceList | None:
    return db.session.scalar(
        select(PriceList)
        .where(
            or_(
                PriceList.status == PriceListStatus.WAITING,
                (PriceList.status == PriceListStatus.READING) & (PriceList.beat_at < now - STOPPED_AFTER),
            )
        )
        .order_by(PriceList.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )

def note_progress(list_id: int, done: int, parts: int, *, now: datetime) -> bool:
    """Say that the reader is alive and how far it is; whether the list is still wanted."""
    parts = max(parts, 0)
    changed = db.session.execute(
        update(PriceList)
        .where(PriceList.id == list_id, PriceList.status == PriceListStatus.READING)
        .values(parts_done=min(max(done, 0), parts), parts=parts, beat_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def note_ready(list_id: int, file: ScheduleFile, kept_sha256: str, *, by: str, now: datetime) -> bool:
    """The list was read whole and lies beside its upload, in a file of this SHA-256. ``False`` when it is not being
    read any more."""
    found = _being_read(list_id)
    if found is None:
        return False
    _move(found, PriceListStatus.READY)
    found.item_count, found.kept_sha256 = len(file.records), kept_sha256
    # From here on: what was understood, no longer only what had to be said.
    found.columns = dict(file.columns)
    found.set_aside = set_aside_of(file)
    found.parts_done = found.parts
    _record("price list read", found, by=by, now=now, items=found.item_count, set_aside=len(file.set_aside))
    return True


def note_refused(list_id: int, problems: Sequence[Problem], more: int = 0, *, by: str, now: datetime) -> bool:
    """The list cannot become an edition, because of these problems and so many ``more``. ``False`` when it is not being
    read any more."""
    found = _being_read(list_id)
    if found is None:
        return False
    _refuse(found, problems, more, by=by, now=now)
    return True


def _refuse(found: PriceList, problems: Sequence[Problem], more: int, *, by: str, now: datetime) -> None:
    _move(found, PriceListStatus.REFUSED)
    found.problems = [problem.as_dict() for problem in problems[:MOST_KEPT]]
    found.problem_count = len(problems) + more
    _record("price list refused", found, by=by, now=now, problems=found.problem_count)


def set_aside_of(file: ScheduleFile) -> list[dict[str, Any]]:
    """The rows that were left out on purpose, as they are kept with the list."""
    return [{"row": row, "reason": reason} for row, reason in file.set_aside[:MOST_KEPT]]


def _being_read(list_id: int) -> PriceList | None:
    found = db.session.scalar(select(PriceList).where(PriceList.id == list_id).with_for_update())
    return found if found is not None and found.status is PriceListStatus.READING else None


# What a person decides ------------------------------------------------------------------------------------------------


def publish(list_id: int, file: ScheduleFile, *, against: int | None, by: str, now: datetime) -> Edition:
    """The list becomes an edition, all or nothing. ``file`` is what was read of it.

    ``against`` is the edition that its changes were shown against (``None``: there was none). Raises ``Clash`` when
    another edition would be replaced by now, ``WrongState`` when the list is not ready any more, ``InputRefused`` when
    the edition cannot be.
    """
    found = _locked(list_id)
    if found.status is not PriceListStatus.READY:
        raise WrongState(f"This list {CALLED[found.status]}, so it cannot be published.")
    # Locked, so that no other edition comes to be between this look and the writing.
    db.session.scalar(select(Schedule.id).where(Schedule.code == found.schedule_code).with_for_update())
    replaced = edition_before(found.schedule_code, found.starts_on)
    if (replaced.id if replaced else None) != against:
        now_in_force = f"{replaced.name}, in force from {date_text(replaced.starts_on)}" if replaced else "none"
        raise Clash(
            f"The edition that this list would replace has changed since you looked: it is {now_in_force} now. Nothing "
            "was published. Look at the changes against it, then publish."
        )
    edition = import_edition(
        file,
        schedule_code=found.schedule_code,
        schedule_name=found.schedule_name,
        currency=found.currency,
        edition_name=found.edition_name,
        starts_on=found.starts_on,
        by=by,
        now=now,
    )
    found.edition_id = edition.id
    _decide(found, PriceListStatus.PUBLISHED, by, now)
    _record("price list published", found, by=by, now=now, items=edition.item_count)
    return edition


def drop(list_id: int, *, by: str, now: datetime) -> PriceList:
    """The list becomes nothing. Raises ``WrongState`` when it is published or dropped already."""
    found = _locked(list_id)
    if PriceListStatus.DROPPED not in PRICE_LIST_MOVES[found.status]:
        raise WrongState(f"This list {CALLED[found.status]}, so it cannot be dropped.")
    was = found.status
    _decide(found, PriceListStatus.DROPPED, by, now)
    _record("price list dropped", found, by=by, now=now, was=was.value)
    return found


def _locked(list_id: int) -> PriceList:
    found = db.session.scalar(select(PriceList).where(PriceList.id == list_id).with_for_update())
    if found is None:
        raise NotFound(f"There is no price list {list_id}.")
    return found


def _decide(found: PriceList, status: PriceListStatus, by: str, now: datetime) -> None:
    _move(found, status)
    found.decided_by, found.decided_at = by, now


def _move(found: PriceList, status: PriceListStatus) -> None:
    if status not in PRICE_LIST_MOVES[found.status]:
        raise WrongState(f"This list {CALLED[found.status]}.")
    found.status = status
