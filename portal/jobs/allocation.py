"""Who gets the job. Pure functions over values: no database, no Flask, no clock.

A ranked cascade: every member of the job's lot in rank order, the contractor's code as the tie-break, each with
the reasons that keep it from the job; the first without a reason is offered it. Where work is bought by quotations
the members' quotes for the job take the place of the ranks, the lowest first. The same facts always give the same
ranking, so a stored decision can be computed again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from portal.framework.rules import Period, earliest_start, holds
from portal.framework.states import CapacityRule, MemberStatus, Priority
from portal.kernel.clock import date_text, local_date
from portal.kernel.money import shown
from portal.kernel.working_time import Nation, add_working_days, add_working_hours

#: Stored with every decision; a change of the rule gets a new number.
RULE_VERSION = "ranked-cascade/4"
#: Decisions of these rules come out the same here: what a rule did not know yet, its facts do not hold.
KNOWN_RULES = frozenset({"ranked-cascade/1", "ranked-cascade/2", "ranked-cascade/3", RULE_VERSION})


@dataclass(frozen=True, slots=True)
class LotFacts:
    """What a lot asks of a job and a member. Bounds of the framework that nobody stated are ``None``.

    ``areas`` are codes of authorities and postcode districts that the lot is limited to; empty means none. ``covers``
    holds the least cover in pence by kind of document. ``quotes_needed`` is set where work is bought by quotations.
    """

    name: str
    value_from_pence: int
    value_to_pence: int | None
    required_documents: tuple[str, ...]
    works_days: int
    framework_starts_on: date | None
    framework_ends_on: date | None
    areas: frozenset[str] = frozenset()
    covers: Mapping[str, int] = field(default_factory=dict)
    capacity_rule: CapacityRule = CapacityRule.ALL_WORK
    quotes_needed: int | None = None


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What the rule needs to know of a job: the authority's code, its value in pence at schedule rates, its start.

    ``access`` holds the authority's periods on the framework; ``None`` means that nobody stated any. ``used_pence``
    is what the framework has spent and committed, ``cap_pence`` how far it may go. ``quotes`` counts the quotes that
    were given; ``direction`` says that somebody decided to do without the missing ones. ``prices`` holds what the
    works cost by the key of a member's terms (see ``WorksPrices``); ``None`` in what the first two rules stored, which
    held the value at schedule rates against the limits.
    """

    area: str
    value_pence: int
    start_by: date
    district: str = ""
    access: tuple[Period, ...] | None = None
    used_pence: int = 0
    cap_pence: int | None = None
    quotes: int = 0
    direction: bool = False
    prices: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the rule needs to know of a member at the moment of decision.

    ``load`` counts the open offers and running jobs that count by the lot's rule. ``documents`` holds the last good
    day by kind, ``short_cover`` the cover in pence of documents that hold but cover too little. ``month_pence`` is
    the work given in this calendar month, ``quote_pence`` its quote for this job. ``earlier`` says how this member
    already dealt with this very job (``"declined"``…), or is empty. ``adjustment_bp`` is the one for the job's value;
    ``price_key`` the key of its terms for this job, where it has rates of its own for these works.
    """

    code: str
    rank: int | None
    status: MemberStatus
    status_reason: str
    areas: frozenset[str]
    adjustment_bp: int
    capacity: int
    load: int
    accepts_from: date | None
    documents: Mapping[str, date]
    earlier: str = ""
    absences: tuple[tuple[date, date], ...] = ()
    month_limit_pence: int | None = None
    month_pence: int = 0
    short_cover: Mapping[str, int] = field(default_factory=dict)
    quote_pence: int | None = None
    price_key: str = ""

    @property
    def terms_key(self) -> str:
        """The key of its terms for this job: the adjustment alone, unless it has rates of its own."""
        return self.price_key or str(self.adjustment_bp)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One member's place in the ranking, and why it may or may not have the job."""

    position: int
    member: MemberFacts
    reasons: tuple[str, ...]

    @property
    def eligible(self) -> bool:
        return not self.reasons


def price_for(member: MemberFacts, job: JobFacts, lot: LotFacts) -> int | None:
    """What the job costs at a member, in pence: its quote, or the lines on its terms; ``None`` without a quote."""
    if job.prices is None:
        return job.value_pence
    return job.prices[member.terms_key] if lot.quotes_needed is None else member.quote_pence


def serves(areas: Collection[str], area: str, district: str) -> bool:
    """Whether codes of authorities and postcode districts cover a job in ``district`` of the authority ``area``."""
    return area in areas or district in areas


def term_reasons(job: JobFacts, lot: LotFacts, today: date) -> tuple[str, ...]:
    """Why nothing can be called off on a day: the framework's term, and the authority's access to it."""
    reasons = []
    if lot.framework_starts_on is not None and today < lot.framework_starts_on:
        reasons.append(f"the framework starts on {date_text(lot.framework_starts_on)}")
    if lot.framework_ends_on is not None and today >= lot.framework_ends_on:
        reasons.append(f"the framework ended on {date_text(lot.framework_ends_on)}")
    if job.access is not None and not any(holds(period, today) for period in job.access):
        reasons.append(f"{job.area} has no access to the framework on {date_text(today)}")
    return tuple(reasons)


def cap_reason(job: JobFacts, price_pence: int) -> str | None:
    """Why the framework's value cap keeps a job at this price out; ``None`` when it does not."""
    if job.cap_pence is None or job.used_pence + price_pence <= job.cap_pence:
        return None
    return (
        f"the framework's value cap {shown(job.cap_pence)} would be passed: {shown(job.used_pence)} are spent or "
        f"committed, and this job comes to {shown(price_pence)}"
    )


def lot_reasons(job: JobFacts, lot: LotFacts, today: date) -> tuple[str, ...]:
    """Why the lot as a whole cannot take the job: framework, access, area, value band, missing quotes."""
    reasons = list(term_reasons(job, lot, today))
    # The first two rules held one value against the cap for all members; since then each has its price.
    if job.prices is None and (reason := cap_reason(job, job.value_pence)):
        reasons.append(reason)
    if lot.areas and lot.areas.isdisjoint({job.area, job.district}):
        reasons.append(f"the lot does not cover area {job.area}" + (f", {job.district}" if job.district else ""))
    if job.value_pence < lot.value_from_pence:
        reasons.append(f"the job's value {shown(job.value_pence)} is below the lot's {shown(lot.value_from_pence)}")
    if lot.value_to_pence is not None and job.value_pence >= lot.value_to_pence:
        reasons.append(f"the job's value {shown(job.value_pence)} reaches the lot's limit {shown(lot.value_to_pence)}")
    if lot.quotes_needed is not None and job.quotes < lot.quotes_needed and not job.direction:
        reasons.append(
            f"{job.quotes} of {lot.quotes_needed} quotes are in, and nobody has decided to do without the others"
        )
    return tuple(reasons)


def member_reasons(member: MemberFacts, job: JobFacts, lot: LotFacts, today: date) -> tuple[str, ...]:
    """Every reason that keeps ``member`` from the job, in the order of the rules; empty means eligible."""
    reasons = []
    if member.earlier:
        reasons.append(f"{member.earlier} this job before")
    if member.status is not MemberStatus.ACTIVE:
        because = f": {member.status_reason}" if member.status_reason else ""
        reasons.append(f"membership is {member.status.value}{because}")
    elif member.rank is None and lot.quotes_needed is None:
        reasons.append("has no rank in the edition of ranks in force")
    if lot.quotes_needed is not None and member.quote_pence is None:
        reasons.append("has given no quote for this job")
    if not serves(member.areas, job.area, job.district):
        reasons.append(f"does not work in area {job.area}" + (f", {job.district}" if job.district else ""))
    if lot.capacity_rule is not CapacityRule.NOT_LIMITED and member.load >= member.capacity:
        where = " of this lot" if lot.capacity_rule is CapacityRule.THIS_LOT else ""
        reasons.append(f"at capacity: {member.load} of {member.capacity} jobs{where}")
    if job.cap_pence is not None or member.month_limit_pence is not None:
        reasons += _value_reasons(member, job, lot)
    first_day = earliest_start(today, member.accepts_from, member.absences)
    if first_day > job.start_by:
        reasons.append(f"can start from {date_text(first_day)}, after {date_text(job.start_by)}")
    works_end = job.start_by + timedelta(days=lot.works_days)
    for kind in lot.required_documents:
        expires = member.documents.get(kind)
        if expires is None and kind in member.short_cover:
            reasons.append(f"{kind} covers {shown(member.short_cover[kind])}, below {shown(lot.covers[kind])}")
        elif expires is None:
            reasons.append(f"{kind} is missing")
        elif expires < works_end:
            reasons.append(
                f"{kind} expires on {date_text(expires)}, before the works would end on {date_text(works_end)}"
            )
    return tuple(reasons)


def _value_reasons(member: MemberFacts, job: JobFacts, lot: LotFacts) -> Iterator[str]:
    """Why the framework's value cap or the member's month keep it from the job, at what the job costs at it."""
    price = price_for(member, job, lot)
    if price is None:
        return
    if job.prices is not None and (reason := cap_reason(job, price)):
        yield reason
    if member.month_limit_pence is not None and member.month_pence + price > member.month_limit_pence:
        yield (
            f"this month's work would come to {shown(member.month_pence + price)}, "
            f"more than its {shown(member.month_limit_pence)}"
        )


def order_key(member: MemberFacts) -> tuple[bool, int, str]:
    """The order of a ranked cascade: rank, then the contractor's code; those without a rank last."""
    return member.rank is None, member.rank or 0, member.code


def quote_key(member: MemberFacts) -> tuple[bool, int, str]:
    """The order of quotations: the lowest quote, then the contractor's code; those without a quote last."""
    return member.quote_pence is None, member.quote_pence or 0, member.code


def rank(job: JobFacts, lot: LotFacts, members: Sequence[MemberFacts], today: date) -> list[Ranked]:
    """Every member in order (``n log n`` in members), each with its reasons."""
    shared = lot_reasons(job, lot, today)
    in_order = sorted(members, key=order_key if lot.quotes_needed is None else quote_key)
    return [
        Ranked(position, member, shared + member_reasons(member, job, lot, today))
        for position, member in enumerate(in_order, start=1)
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
        "district": job.district,
        "access": None if job.access is None else [[_text(first), _text(end)] for first, end in job.access],
        "used_pence": job.used_pence,
        "cap_pence": job.cap_pence,
        "quotes": job.quotes,
        "direction": job.direction,
        # Every price that the rule asked for.
        "prices": None if job.prices is None else {key: job.prices[key] for key in sorted(job.prices)},
        "lot_areas": sorted(lot.areas),
        "covers": dict(lot.covers),
        "capacity_rule": lot.capacity_rule.value,
        "quotes_needed": lot.quotes_needed,
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
        "absences": [[first.isoformat(), end.isoformat()] for first, end in member.absences],
        "month_limit_pence": member.month_limit_pence,
        "month_pence": member.month_pence,
        "short_cover": dict(member.short_cover),
        "quote_pence": member.quote_pence,
        "price_key": member.price_key,
    }


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def stored_facts(stored: Mapping[str, Any]) -> tuple[JobFacts, LotFacts, date]:
    """What ``inputs`` stored, as facts again; what an earlier rule did not store is as if nobody had stated it."""
    access, prices = stored.get("access"), stored.get("prices")
    job = JobFacts(
        stored["area"],
        stored["value_pence"],
        date.fromisoformat(stored["start_by"]),
        stored.get("district", ""),
        None if access is None else tuple((_day(first), _day(end)) for first, end in access),
        stored.get("used_pence", 0),
        stored.get("cap_pence"),
        stored.get("quotes", 0),
        stored.get("direction", False),
        prices,
    )
    lot = LotFacts(
        stored["lot"],
        stored["value_from_pence"],
        stored["value_to_pence"],
        tuple(stored["required_documents"]),
        stored["works_days"],
        _day(stored["framework_starts_on"]),
        _day(stored["framework_ends_on"]),
        frozenset(stored.get("lot_areas", ())),
        stored.get("covers", {}),
        CapacityRule(stored.get("capacity_rule", CapacityRule.ALL_WORK)),
        stored.get("quotes_needed"),
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
        tuple((date.fromisoformat(first), date.fromisoformat(end)) for first, end in stored.get("absences", ())),
        stored.get("month_limit_pence"),
        stored.get("month_pence", 0),
        stored.get("short_cover", {}),
        stored.get("quote_pence"),
        stored.get("price_key", ""),
    )
