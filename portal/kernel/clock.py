"""The time, read once at the edge and passed in from there. Rules and services never ask for it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Europe/London")


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def local_date(instant: datetime) -> date:
    """The calendar date in the United Kingdom at ``instant``."""
    return instant.astimezone(LOCAL).date()


def local_text(instant: datetime) -> str:
    """``instant`` as a person in the United Kingdom writes it: ``Tue 5 May 2026, 4:55pm``."""
    local = instant.astimezone(LOCAL)
    hour = local.hour % 12 or 12
    return f"{local:%a} {local.day} {local:%b %Y}, {hour}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def date_text(day: date) -> str:
    """``day`` as a person writes it: ``5 May 2026``."""
    return f"{day.day} {day:%B %Y}"
