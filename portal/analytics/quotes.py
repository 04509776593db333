"""Read quotes, without the statistics."""

from __future__ import annotations

from sqlalchemy import select

from portal.analytics.models import Quote
from portal.kernel.db import db


def work_types_quoted() -> list[str]:
    """The work types for which there are quotes."""
    return list(db.session.scalars(select(Quote.work_type).distinct().order_by(Quote.work_type)))
