"""How money, percentages, quantities and times are written on pages. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.framework.states import DOCUMENT_KINDS, document_title
from portal.kernel import money
from portal.kernel.clock import LOCAL

NONE_GIVEN = "–"


def pounds(pence: int | None) -> str:
    """``405800`` (integer pence) → ``£4,058.00``; nothing → a dash."""
    return NONE_GIVEN if pence is None else money.shown(pence)


def adjustment(basis_points: int | None) -> str:
    """``250`` (basis points) → ``+2.5 %``, ``-250`` → ``−2.5 %``, ``0`` → ``0 %``; nothing → a dash."""
    if basis_points is None:
        return NONE_GIVEN
    sign = {True: "+", False: "−"}[basis_points > 0] if basis_points else ""
    return f"{sign}{money.percent(abs(basis_points))} %"


def uk_date(day: date | None) -> str:
    """A date, or the local date of an instant → ``3 May 2026``; nothing → a dash.

    Raises ``ValueError`` for a naive instant: nobody can say which day that is.
    """
    if day is None:
        return NONE_GIVEN
    if isinstance(day, datetime):
        day = _local(day)
    return f"{day.day} {day:%B %Y}"


def uk_datetime(instant: datetime | None) -> str:
    """An instant → ``3 May 2026, 4:55pm`` in the United Kingdom; nothing → a dash. Raises as ``uk_date`` does."""
    if instant is None:
        return NONE_GIVEN
    local = _local(instant)
    return f"{uk_date(local)}, {local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def iso(moment: date | datetime) -> str:
    """A date or instant for the ``datetime`` attribute of ``<time>``."""
    return moment.isoformat()


def quantity(amount: Decimal | int | None) -> str:
    """``Decimal("1250.500")`` → ``1,250.5``: no idle zeros, thousands set apart; nothing → a dash."""
    if amount is None:
        return NONE_GIVEN
    text = f"{Decimal(amount):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, one: str, several: str | None = None) -> str:
    """``1, "job"`` → ``1 job``; ``2000, "job"`` → ``2,000 jobs``; ``several`` for irregular words."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def reason(text: str) -> str:
    """A reason as a page says it, its document by its title: ``public-liability is missing`` → ``Public liability
    insurance is missing``."""
    first, space, rest = text.partition(" ")
    return f"{document_title(first)}{space}{rest}" if first in DOCUMENT_KINDS else text[:1].upper() + text[1:]


def details(data: dict[str, Any]) -> str:
    """What an event carries, in one line: ``{"to": "C1", "because": "declined"}`` → ``"to C1; because declined"``."""
    return "; ".join(
        f"{name.replace('_', ' ')} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in data.items()
        if value not in (None, "", [], {})
    )


def _local(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant must know its time zone before it can be shown")
    return instant.astimezone(LOCAL)


FILTERS: dict[str, Callable[..., str]] = {
    "pounds": pounds,
    "adjustment": adjustment,
    "uk_date": uk_date,
    "uk_datetime": uk_datetime,
    "iso": iso,
    "quantity": quantity,
    "counted": counted,
    "details": details,
    "reason": reason,
    "decimal_money": money.pounds,
}
