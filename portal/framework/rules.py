"""The rules of the contractor list: who stands where on a day, who can start when, how far a framework may go.

Pure functions over values: no database, no Flask, no clock.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.framework.states import FrameworkKind, MemberStatus, Regime, ReviewStatus
from portal.kernel.clock import date_text

#: Shares of the value cap, in per cent, at which procurement is warned.
CAP_WARNINGS = (75, 90, 100)
#: Days before a document expires on which its holder is reminded.
REMINDERS = (60, 30, 7)
#: After the reminders: an applicant's document has run out; a member gets no offers for want of one.
RAN_OUT, LAPSED = 0, -1
EARTH_MILES = 3958.8
POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) ?([0-9][A-Z]{2})")
POSTCODE_DISTRICT = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?")

Period = tuple[date | None, date | None]


# Standing -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One event in the history of a membership: from ``from_on`` it is ``status``, a suspension until ``until_on``."""

    status: MemberStatus
    from_on: date
    until_on: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a membership stands on a day, and why."""

    status: MemberStatus
    reason: str


def standing(status: MemberStatus, reason: str, until_on: date | None, day: date) -> Standing:
    """The standing on ``day`` that follows from the last step before it: a suspension ends by itself."""
    if status is MemberStatus.SUSPENDED and until_on is not None and day >= until_on:
        return Standing(MemberStatus.ACTIVE, f"the suspension ended on {date_text(until_on)}")
    return Standing(status, reason)


def standing_on(steps: Iterable[Step], day: date) -> Standing | None:
    """The standing on ``day`` from the whole history (in order); ``None`` before it began."""
    last = None
    for step in steps:
        if step.from_on <= day:
            last = step
    return None if last is None else standing(last.status, last.reason, last.until_on, day)


# Documents ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document as allocation sees it: its last good day, what it covers (pence), the days on which it counts."""

    kind: str
    expires_on: date
    cover_pence: int | None
    counts_from: date | None
    counts_to: date | None

    def counts_on(self, day: date) -> bool:
        """Whether it was verified, and not withdrawn, on ``day``."""
        return (
            self.counts_from is not None
            and self.counts_from <= day
            and (self.counts_to is None or day < self.counts_to)
        )


@dataclass(frozen=True, slots=True)
class Requirement:
    """A kind of document a lot asks for, and the least cover in pence (``None``: any)."""

    kind: str
    minimum_pence: int | None = None


def last_good_day(kind: str, minimum_pence: int | None, held: Iterable[Evidence], day: date) -> date | None:
    """The latest last good day among the documents of ``kind`` that count on ``day`` and cover enough."""
    return max(
        (
            each.expires_on
            for each in held
            if each.kind == kind and each.counts_on(day) and (minimum_pence or 0) <= (each.cover_pence or 0)
        ),
        default=None,
    )


def reminder_stage(last_day: date, today: date) -> int | None:
    """The reminder that is due on ``today`` for a document good until ``last_day``: 60, 30 or 7 (days before)."""
    return min((before for before in REMINDERS if (last_day - today).days <= before), default=None)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said last of a document: a reminder by its days or ``RAN_OUT`` or ``LAPSED``, of which last good day
    (``None``: none that covers enough), and when."""

    stage: int
    last_day: date | None
    said_on: date


def is_news(said: Said | None, stage: int, last_day: date | None) -> bool:
    """Whether what is so now was not said since the document last held. The more urgent stages are the lower ones."""
    if said is None or stage < said.stage:
        return True
    if stage > RAN_OUT:
        # It holds, but until another day than the one that was spoken of.
        return last_day != said.last_day
    # It did not hold when that was said; did it in between?
    return last_day is not None and last_day >= said.said_on


# Availability ---------------------------------------------------------------------------------------------------------


def earliest_start(today: date, accepts_from: date | None, absences: Iterable[tuple[date, date]]) -> date:
    """The first day on which a contractor can start: not before ``accepts_from``, not on a day away ``[from, to)``."""
    day = max(today, accepts_from or today)
    for from_on, to_on in sorted(absences):
        if from_on <= day < to_on:
            day = to_on
    return day


def overlapping(period: Period, others: Iterable[Period]) -> Period | None:
    """The first of ``others`` that shares a day with ``period``; all are half-open, ``None`` is unbounded."""
    first, end = period[0] or date.min, period[1] or date.max
    return next(
        (other for other in others if first < (other[1] or date.max) and (other[0] or date.min) < end),
        None,
    )


def holds(period: Period, day: date) -> bool:
    """Whether ``day`` lies in the half-open ``period``."""
    return (period[0] is None or period[0] <= day) and (period[1] is None or day < period[1])


# Frameworks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Longest:
    """The years that a framework may run: set in the environment, because the law may change."""

    closed_years: int = 4
    open_years: int = 8

    def years(self, regime: Regime) -> int:
        """The years for a regime."""
        return self.closed_years if regime is Regime.CLOSED else self.open_years


def years_after(day: date, years: int) -> date:
    """The same day ``years`` later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def months_after(day: date, months: int) -> date:
    """The same day ``months`` later; where that month is too short, its last day."""
    number = day.month - 1 + months
    year, month = day.year + number // 12, number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def too_long(
    kind: FrameworkKind, regime: Regime, starts_on: date | None, ends_on: date | None, longest: Longest
) -> str | None:
    """Why these dates are not possible, as a sentence; ``None`` when they are."""
    if starts_on is None or ends_on is None:
        return None
    if ends_on <= starts_on:
        return f"The end {date_text(ends_on)} must come after the start {date_text(starts_on)}."
    if kind is not FrameworkKind.FRAMEWORK_AGREEMENT:
        return None
    latest = years_after(starts_on, longest.years(regime))
    if ends_on > latest:
        return (
            f"A framework that is {regime.value} runs for at most {longest.years(regime)} years: "
            f"from {date_text(starts_on)} until {date_text(latest)} at the latest."
        )
    return None


def cap_level(used_pence: int, cap_pence: int | None) -> int:
    """The highest warning, in per cent of the cap, that ``used_pence`` has reached; 0 below the first."""
    if cap_pence is None:
        return 0
    return max((level for level in CAP_WARNINGS if used_pence * 100 >= cap_pence * level), default=0)


def share_of(part: int, whole: int) -> Decimal | None:
    """``part`` of ``whole`` in per cent, to a tenth; ``None`` of nothing."""
    return None if whole == 0 else (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"))


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month of a direct contract: what was ordered against what was guaranteed."""

    first_day: date
    jobs: int
    pence: int
    jobs_short: int
    pence_short: int


def months_between(first: date, last: date) -> list[date]:
    """The first day of each calendar month from the one of ``first`` to the one of ``last``."""
    count = (last.year - first.year) * 12 + last.month - first.month
    return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count + 1)]


def guarantee_months(
    months: Sequence[date], ordered: dict[date, tuple[int, int]], jobs: int | None, pence: int | None
) -> list[Month]:
    """Each month's orders (count, value in pence, by the month's first day) against the guaranteed minimum."""
    found = []
    for month in months:
        count, value = ordered.get(month, (0, 0))
        found.append(Month(month, count, value, max((jobs or 0) - count, 0), max((pence or 0) - value, 0)))
    return found


# Re-openings ----------------------------------------------------------------------------------------------------------


def why_no_reviews(kind: FrameworkKind, regime: Regime, starts_on: date | None) -> str | None:
    """Why a framework has no re-openings, as a sentence; ``None`` when it has."""
    if kind is not FrameworkKind.FRAMEWORK_AGREEMENT:
        return "Only a framework agreement has re-openings; this one admits contractors at any time."
    if regime is Regime.CLOSED:
        return "A closed framework takes no new members once it has started, so it has no re-openings."
    if starts_on is None:
        return "State the framework’s start in its terms first; until then it admits contractors at any time."
    return None


def why_not_admitted(
    kind: FrameworkKind, regime: Regime, starts_on: date | None, reviews: Collection[ReviewStatus], today: date
) -> str | None:
    """Why nobody can be admitted today, as a sentence; ``None`` when somebody can.

    A closed framework takes nobody once it has started. An open one with re-openings (``reviews``) takes members
    before it starts and while a re-opening is open; without any, at any time. So do direct contracts, quotations, and
    frameworks whose start nobody stated.
    """
    if kind is not FrameworkKind.FRAMEWORK_AGREEMENT or starts_on is None or today < starts_on:
        return None
    if regime is Regime.CLOSED:
        return f"This framework is closed and started on {date_text(starts_on)}: it takes no new members."
    if reviews and ReviewStatus.OPEN not in reviews:
        return "This framework takes new members while one of its reviews is open; open the review first."
    return None


def next_review(
    starts_on: date | None, ends_on: date | None, months: int | None, last: date | None, today: date
) -> date | None:
    """The next re-opening that the interval of ``months`` suggests, counted from the ``last`` one or the start.

    Today at the earliest, and within the term; ``None`` without an interval, a start, or room before the end.
    """
    if months is None or starts_on is None:
        return None
    count, first = 1, last or starts_on
    while (day := months_after(first, months * count)) < today:
        count += 1
    return day if holds((starts_on, ends_on), day) else None


# Places ---------------------------------------------------------------------------------------------------------------


def clean_postcode(text: str) -> str | None:
    """``"sw1a1aa"`` → ``"SW1A 1AA"``, or ``None`` for what is not a full postcode."""
    found = POSTCODE.fullmatch(" ".join(text.upper().split()))
    return f"{found[1]} {found[2]}" if found else None


def district_of(postcode: str) -> str:
    """The outward part of a postcode: ``"RG1 2AB"`` → ``"RG1"``, and ``"RG12AB"`` too."""
    text = postcode.strip().upper()
    return text.split(" ")[0] if " " in text else text[:-3]


def is_local(postcode: str, local_areas: str) -> bool:
    """Whether a firm at ``postcode`` counts as local: ``local_areas`` names areas (``AL``) and districts (``SG5``)."""
    district = district_of(postcode)
    area = re.match(r"[A-Z]*", district)
    names = {district, area.group() if area else ""} - {""}
    return not names.isdisjoint(local_areas.upper().split())


def miles_between(first: tuple[float, float], second: tuple[float, float]) -> float:
    """The great-circle distance in miles between two points (latitude, longitude in degrees), by the haversine formula.

    Source: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984), 159.
    """
    (lat1, lon1), (lat2, lon2) = ((math.radians(a), math.radians(b)) for a, b in (first, second))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_MILES * math.asin(min(1.0, math.sqrt(half)))
