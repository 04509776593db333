"""Members' own rates for codes: which one holds on a day, and how they are agreed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, func, select

from portal.rates.models import MemberRate


def rate_in_force(day: date) -> ColumnElement[bool]:
    """The condition that a row is the member's last word on its code on ``day``; a rate of ``None`` says: none."""
    other = MemberRate.__table__.alias()
    latest = (
        select(func.max(other.c.starts_on))
        .where(
            other.c.member_id == MemberRate.member_id, other.c.code == MemberRate.code, other.c.starts_on <= day
        )
        .correlate(MemberRate)
        .scalar_subquery()
    )
    return MemberRate.starts_on == latest
