"""Working time backwards: when things must have happened for the present to look as it does. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from portal.kernel.clock import LOCAL
from portal.kernel.working_time import CLOSES, OPENS, Nation, is_working_day


def at_local(day: date, at: time) -> datetime:
    """``at`` on the local clock of ``day``, in UTC."""
    return datetime.combine(day, at, tzinfo=LOCAL).astimezone(UTC)


def last_office_instant(now: datetime, nation: Nation) -> datetime:
    """``now`` in working hours, otherwise the end of the last ones before it (UTC)."""
    local = now.astimezone(LOCAL)
    day = local.date()
    if is_working_day(day, nation) and local.time() >= CLOSES:
        return at_local(day, CLOSES)
    if is_working_day(day, nation) and local.time() > OPENS:
        return now.astimezone(UTC)
    return at_local(previous_working_day(day, nation), CLOSES)


def previous_working_day(day: date, nation: Nation) -> date:
    """The last working day before ``day``."""
    day -= timedelta(days=1)
    while not is_working_day(day, nation):
        day -= timedelta(days=1)
    return day


def working_minutes_before(instant: datetime, minutes: int, nation: Nation) -> datetime:
    """The instant ``minutes`` working minutes before ``instant``, which lies within working hours or at their end."""
    local = instant.astimezone(LOCAL)
    day, at = local.date(), local.time().replace(tzinfo=None)
    left = timedelta(minutes=minutes)
    while (since_opening := datetime.combine(day, at) - datetime.combine(day, OPENS)) < left:
        left -= since_opening
        day, at = previous_working_day(day, nation), CLOSES
    return at_local(day, (datetime.combine(day, at) - left).time())


def working_days_between(first: date, end: date, nation: Nation) -> list[date]:
    """The working days of ``[first, end)``."""
    every = (first + timedelta(days=days) for days in range((end - first).days))
    return [day for day in every if is_working_day(day, nation)]
