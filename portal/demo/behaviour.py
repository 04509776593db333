"""How the demonstration's contractors behave: what they answer, when, and how long their works take. Pure.

The shares are plausible, not published. They are shares of offers, not of jobs: a job that is declined is offered
again, to somebody else.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from portal.demo.county import WorkType
from portal.jobs.states import DeclineReason
from portal.kernel.clock import local_date
from portal.kernel.working_time import Nation, add_working_days, add_working_hours, is_working_day, next_working_day


class Response(StrEnum):
    """What becomes of an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    SILENCE = "silence"
    TOO_LATE = "too-late"
    NO_START = "no-start"


class Mood(StrEnum):
    """How the members take a certain job, where that is part of the demonstration."""

    USUAL = "usual"
    UNWANTED = "unwanted"
    WANTED_LATER = "wanted-later"
    UNDECIDED = "undecided"


#: Of a hundred offers.
RESPONSES: Mapping[Response, int] = MappingProxyType(
    {
        Response.ACCEPT: 72,
        Response.DECLINE: 10,
        Response.SILENCE: 8,
        Response.TOO_LATE: 6,
        Response.NO_START: 4,
    }
)
#: Whoever is asked after so many others says yes: otherwise a year would leave a heap of jobs that nobody took.
PATIENCE = 2

#: Why contractors say no, of a hundred; and in their words.
DECLINES: Mapping[DeclineReason, tuple[int, tuple[str, ...]]] = MappingProxyType(
    {
        DeclineReason.NO_CAPACITY: (
            46,
            (
                "Both teams are booked for the next weeks.",
                "A fitter is off sick and we cannot cover the work.",
            ),
        ),
        DeclineReason.OUTSIDE_SKILLS: (
            14,
            (
                "Part of this is work that we are not trained for.",
                "The survey shows structural work that we do not do.",
            ),
        ),
        DeclineReason.PRICE: (
            12,
            (
                "The rates do not cover the access to this property.",
                "Our supplier's price has gone up since we tendered.",
            ),
        ),
        DeclineReason.SITE: (
            20,
            (
                "There is nowhere to park a van within carrying distance.",
                "Too far from our other work this month.",
            ),
        ),
        DeclineReason.OTHER: (8, ("Our office is closed for the week in which the works would begin.",)),
    }
)

#: Working days on site, at the least and at the most.
WORKS: Mapping[WorkType, tuple[int, int]] = MappingProxyType(
    {
        WorkType.STAIR_LIFT: (1, 1),
        WorkType.LEVEL_ACCESS_SHOWER: (4, 8),
        WorkType.RAMP: (2, 5),
        WorkType.DOOR_WIDENING: (1, 3),
        WorkType.HOIST_AND_TRACK: (1, 3),
        WorkType.MINOR_WORKS: (1, 1),
        WorkType.KITCHEN: (5, 9),
    }
)


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer at all."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no, with why, at an instant (UTC)."""

    at: datetime
    reason_code: DeclineReason
    reason: str


@dataclass(frozen=True, slots=True)
class Promise:
    """A yes at an instant (UTC) with a day to start, which may be later than the job can wait; ``kept`` or not."""

    at: datetime
    start_on: date
    kept: bool = True


Answer = Silence | Refusal | Promise


def plan_answer(
    rng: random.Random,
    *,
    sent_at: datetime,
    answer_by: datetime,
    start_by: date,
    asked_before: int,
    nation: Nation,
    mood: Mood = Mood.USUAL,
    not_before: date | None = None,
) -> Answer:
    """The answer to an offer that went out at ``sent_at``; always before ``answer_by``.

    ``asked_before`` counts the offers that this job had already. ``not_before`` is the earliest day that an accepted
    start may be, for a job in the mood ``WANTED_LATER``.
    """
    if mood is Mood.UNDECIDED:
        return Silence()
    if mood is Mood.UNWANTED:
        return _declined(rng, answer_instant(rng, sent_at, answer_by, nation, soon=True))
    response = Response.ACCEPT
    if mood is Mood.USUAL and asked_before < PATIENCE:
        response = rng.choices(list(RESPONSES), list(RESPONSES.values()))[0]
    if response is Response.SILENCE:
        return Silence()
    at = answer_instant(rng, sent_at, answer_by, nation)
    if response is Response.DECLINE:
        return _declined(rng, at)
    if response is Response.TOO_LATE:
        late = next_working_day(start_by + timedelta(days=rng.randint(2, 20)), nation)
        return Promise(at, late)
    earliest = next_working_day(local_date(at), nation)
    if not_before is not None and mood is Mood.WANTED_LATER:
        earliest = max(earliest, not_before)
    return Promise(at, start_day(rng, earliest, start_by, nation), kept=response is Response.ACCEPT)


def _declined(rng: random.Random, at: datetime) -> Refusal:
    code = rng.choices(list(DECLINES), [share for share, _ in DECLINES.values()])[0]
    return Refusal(at, code, rng.choice(DECLINES[code][1]))


def answer_instant(
    rng: random.Random, sent_at: datetime, answer_by: datetime, nation: Nation, *, soon: bool = False
) -> datetime:
    """An instant in working time, or within the hour after closing, after ``sent_at`` and before ``answer_by``.

    ``soon``: within the first quarter of the hours that there are.
    """
    hours = 1
    while add_working_hours(sent_at, hours + 1, nation) <= answer_by:
        hours += 1
    chosen = rng.randrange(max(1, hours // 4) if soon else hours)
    # Less than a whole hour more, so that the deadline is never reached.
    return add_working_hours(sent_at, chosen, nation) + timedelta(minutes=rng.randint(1, 58))


def start_day(rng: random.Random, earliest: date, latest: date, nation: Nation) -> date:
    """A working day in the first half of ``earliest`` to ``latest``; ``latest`` when no working day lies there."""
    days = [
        day
        for offset in range((latest - earliest).days + 1)
        if is_working_day(day := earliest + timedelta(days=offset), nation)
    ]
    return rng.choice(days[: max(1, (len(days) + 1) // 2)]) if days else latest


def last_day_of_works(rng: random.Random, work_type: WorkType, started_on: date, nation: Nation) -> date:
    """The working day on which works that began on ``started_on`` are complete."""
    least, most = WORKS[work_type]
    return add_working_days(started_on, rng.randint(least, most) - 1, nation)
