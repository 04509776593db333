"""Who gets the job. Pure functions over values: no database, no Flask, no clock.

A ranked cascade: every member of the job's lot in rank order, the contractor's code as the tie-break, each with
the reasons that keep it from the job; the first without a reason is offered it. The same facts always give the
same ranking, so a stored decision can be computed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from portal.framework.states import MemberStatus, Priority
from portal.kernel.clock import date_text, local_date
from portal.kernel.money import shown
from portal.kernel.working_time import Nation, add_working_days, add_working_hours

#: Stored with every decision; a change of the rule gets a new number.
RULE_VERSION = "ranked-cascade/1"


@dataclass(frozen=True, slots=True)
class LotFacts:
    """What a lot asks of a job and a member. Bounds of the framework that nobody stated are ``None``."""

    name: str
    value_from_pence: int
    value_to_pence: int | None
    required_documents: tuple[str, ...]
    works_days: int
    framework_starts_on: date | None
    framework_ends_on: date | None


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What the rule needs to know of a job: the authority's code, its value in pence at schedule rates, its start."""

    area: str
    value_pence: int
    start_by: date


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the rule needs to know of a member at the moment of decision.

    ``load`` counts the contractor's open offers and running jobs. ``earlier`` says how this member already
    dealt with this very job (``"declined"``…), or is empty.
    """

    code: str
    rank: int
    status: MemberStatus
    status_reason: str
    areas: frozenset[str]
    adjustment_bp: int
    capacity: int
    load: int
    accepts_from: date | None
    documents: Mapping[str, date]
    earlier: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One member's place in the ranking, and why it may or may not have the job."""

    position: int
    member: MemberFacts
    reasons: tuple[str, ...]

    @property
    def eligible(self) -> bool:
        return not self.reasons


def lot_reasons(job: JobFacts, lot: LotFacts, today: date) -> tuple[str, ...]:
    """Why the lot as a whole cannot take the job: value band, or a framework not in force."""
    reasons = []
    if lot.framework_starts_on is not None and today < lot.framework_starts_on:
        reasons.append(f"the framework starts on {date_text(lot.framework_starts_on)}")
    if lot.framework_ends_on is not None and today >= lot.framework_ends_on:
        reasons.append(f"the framework ended on {date_text(lot.framework_ends_on)}")
    if job.value_pence < lot.value_from_pence:
        reasons.append(f"the job's value {shown(job.value_pence)} is below the lot's {shown(lot.value_from_pence)}")
    if lot.value_to_pence is not None and job.value_pence >= lot.value_to_pence:
        reasons.append(f"the job's value {shown(job.value_pence)} reaches the lot's limit {shown(lot.value_to_pence)}")
    return tuple(reasons)


def member_reasons(member: MemberFacts, job: JobFacts, lot: LotFacts) -> tuple[str, ...]:
    """Every reason that keeps ``member`` from the job, in the order of the rules; empty means eligible."""
    reasons = []
    if member.earlier:
        reasons.append(f"{member.earlier} this job before")
    if member.status is not MemberStatus.ACTIVE:
        because = f": {member.status_reason}" if member.status_reason else ""
        reasons.append(f"membership is {member.status.value}{because}")
    if job.area not in member.areas:
        reasons.append(f"does not work in area {job.area}")
    if member.load >= member.capacity:
        reasons.append(f"at capacity: {member.load} of {member.capacity} jobs")
    if member.accepts_from is not None and member.accepts_from > job.start_by:
        reasons.append(f"can start from {date_text(member.accepts_from)}, after {date_text(job.start_by)}")
    works_end = job.start_by + timedelta(days=lot.works_days)
    for kind in lot.required_documents:
        expires = member.documents.get(kind)
        if expires is None:
            reasons.append(f"{kind} is missing")
        elif expires < works_end:
            reasons.append(
                f"{kind} expires on {date_text(expires)}, before the works would end on {date_text(works_end)}"
            )
    return tuple(reasons)


def order_key(member: MemberFacts) -> tuple[int, str]:
    """The order of a ranked cascade: rank, then the contractor's code."""
    return member.rank, member.code


def rank(job: JobFacts, lot: LotFacts, members: Sequence[MemberFacts], today: date) -> list[Ranked]:
    """Every member in order (``n log n`` in members), each with its reasons."""
    shared = lot_reasons(job, lot, today)
    return [
        Ranked(position, member, shared + member_reasons(member, job, lot))
        for position, member in enumerate(sorted(members, key=order_key), start=1)
    ]


def next_member(ranking: Sequence[Ranked]) -> Ranked | None:
    """The first eligible member, or ``None``: nobody is left."""
    return next((ranked for ranked in ranking if ranked.eligible), None)


@dataclass(frozen=True, slots=True)
class Windows:
    """A lot's windows for one priority: working hours to answer, working days to start."""

    answer_hours: int
    start_days: int


def answer_by(sent_at: datetime, windows: Windows, nation: Nation) -> datetime:
    """The instant at which silence lapses the offer."""
    return add_working_hours(sent_at, windows.answer_hours, nation)


def start_by(required: date | None, sent_at: datetime, windows: Windows, nation: Nation) -> date:
    """The last day to start: the client's required date where it can still be kept.

    Without one, or when the answer itself may come only after that date, the lot's start window counts from now.
    """
    if required is not None and required >= local_date(answer_by(sent_at, windows, nation)):
        return required
    return add_working_days(local_date(sent_at), windows.start_days, nation)


def inputs(
    job: JobFacts, lot: LotFacts, *, priority: Priority, today: date, required: date | None, windows: Windows
) -> dict[str, Any]:
    """The facts of job and lot as plain values, to be stored with the decision."""
    return {
        "required_start": required and required.isoformat(),
        "answer_hours": windows.answer_hours,
        "start_days": windows.start_days,
        "area": job.area,
        "value_pence": job.value_pence,
        "start_by": job.start_by.isoformat(),
        "priority": priority.value,
        "today": today.isoformat(),
        "lot": lot.name,
        "value_from_pence": lot.value_from_pence,
        "value_to_pence": lot.value_to_pence,
        "required_documents": list(lot.required_documents),
        "works_days": lot.works_days,
        "framework_starts_on": lot.framework_starts_on and lot.framework_starts_on.isoformat(),
        "framework_ends_on": lot.framework_ends_on and lot.framework_ends_on.isoformat(),
    }


def basis(member: MemberFacts) -> dict[str, Any]:
    """The facts of a member as plain values, to be stored with its place."""
    return {
        "rank": member.rank,
        "status": member.status.value,
        "status_reason": member.status_reason,
        "areas": sorted(member.areas),
        "adjustment_bp": member.adjustment_bp,
        "capacity": member.capacity,
        "load": member.load,
        "accepts_from": member.accepts_from and member.accepts_from.isoformat(),
        "documents": {kind: day.isoformat() for kind, day in member.documents.items()},
        "earlier": member.earlier,
    }


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def stored_facts(stored: Mapping[str, Any]) -> tuple[JobFacts, LotFacts, date]:
    """What ``inputs`` stored, as facts again."""
    job = JobFacts(stored["area"], stored["value_pence"], date.fromisoformat(stored["start_by"]))
    lot = LotFacts(
        stored["lot"],
        stored["value_from_pence"],
        stored["value_to_pence"],
        tuple(stored["required_documents"]),
        stored["works_days"],
        _day(stored["framework_starts_on"]),
        _day(stored["framework_ends_on"]),
    )
    return job, lot, date.fromisoformat(stored["today"])


def stored_member(code: str, stored: Mapping[str, Any]) -> MemberFacts:
    """What ``basis`` stored, as facts again."""
    return MemberFacts(
        code,
        stored["rank"],
        MemberStatus(stored["status"]),
        stored["status_reason"],
        frozenset(stored["areas"]),
        stored["adjustment_bp"],
        stored["capacity"],
        stored["load"],
        _day(stored["accepts_from"]),
        {kind: date.fromisoformat(day) for kind, day in stored["documents"].items()},
        stored["earlier"],
    )
