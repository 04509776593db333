"""Exact money: integer pence, integer basis points, one rounding, half up to the penny."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

WHOLE = Decimal(1)
BASIS = Decimal(10_000)


def half_up(pence: Decimal) -> int:
    """``pence`` as whole pence; a half goes away from zero."""
    return int(pence.quantize(WHOLE, rounding=ROUND_HALF_UP))


def pounds(pence: int) -> str:
    """``405800`` → ``"4058.00"``: the way money is written in JSON and CSV."""
    sign = "-" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}{whole}.{rest:02d}"


def shown(pence: int) -> str:
    """``405800`` → ``"£4,058.00"``: the way money is written for people."""
    sign = "−" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}£{whole:,}.{rest:02d}"


def percent(basis_points: int) -> str:
    """``-250`` → ``"-2.5"``: a percentage as it stands in files."""
    return format((Decimal(basis_points) / 100).normalize() + Decimal(0), "f")
