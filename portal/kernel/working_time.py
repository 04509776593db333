"""Deadlines in working hours of the right nation's calendar.

A working day is Monday to Friday, 9:00 to 17:00 in the United Kingdom's local time, bank holidays left out.
Bank holidays differ by nation and come from the ``holidays`` library, which follows proclamations.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays

from portal.kernel.clock import LOCAL

OPENS = time(9)
CLOSES = time(17)
DAY_HOURS = 8


class Nation(StrEnum):
    """The nation whose bank holidays count."""

    ENGLAND_AND_WALES = "england-and-wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"


_SUBDIVISION = {Nation.ENGLAND_AND_WALES: "ENG", Nation.SCOTLAND: "SCT", Nation.NORTHERN_IRELAND: "NIR"}


@lru_cache(maxsize=256)
def bank_holidays(nation: Nation, year: int) -> frozenset[date]:
    """The bank holidays of ``nation`` in ``year``."""
    return frozenset(holidays.country_holidays("GB", subdiv=_SUBDIVISION[nation], years=year))


def is_working_day(day: date, nation: Nation) -> bool:
    """Whether offices are open on ``day``."""
    return day.weekday() < 5 and day not in bank_holidays(nation, day.year)


def add_working_hours(start: datetime, hours: int, nation: Nation) -> datetime:
    """The instant ``hours`` working hours after ``start`` (UTC in, UTC out).

    A start outside working hours counts from the next opening. The sum is made on the local clock, so a
    day on which the clocks change is still eight working hours long.
    """
    if hours < 0:
        raise ValueError("a deadline does not lie before its start")
    local = start.astimezone(LOCAL)
    day = local.date()
    at = local.time().replace(tzinfo=None)
    if not is_working_day(day, nation) or at >= CLOSES:
        day, at = next_working_day(day, nation), OPENS
    at = max(at, OPENS)
    left = timedelta(hours=hours)
    while True:
        until_close = datetime.combine(day, CLOSES) - datetime.combine(day, at)
        if left <= until_close:
            end = datetime.combine(day, at) + left
            return end.replace(tzinfo=LOCAL).astimezone(UTC)
        left -= until_close
        day, at = next_working_day(day, nation), OPENS


def next_working_day(day: date, nation: Nation) -> date:
    """The first working day after ``day``."""
    following = day + timedelta(days=1)
    while not is_working_day(following, nation):
        following += timedelta(days=1)
    return following


def add_working_days(day: date, count: int, nation: Nation) -> date:
    """The working day ``count`` working days after ``day``."""
    for _ in range(count):
        day = next_working_day(day, nation)
    return day
