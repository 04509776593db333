"""A price list that somebody handed in, from the upload to the edition that it became."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Code, Id, Instant, JsonText, Name, reference_to, state_column
from portal.rates.states import PriceListStatus


class PriceList(Base):
    """One uploaded file that is to become an edition. One at a time per schedule.

    ``stored_name`` is the file as it came, in the uploads folder; what was read lies beside it as a CSV in the
    portal's own columns, so that preview and publication never read a PDF again. ``columns`` maps fields to headers:
    what the person had to say of them and, once it is read, everything that was understood. ``beat_at`` is when the
    reader was last seen: one that stopped is followed by another, which begins again.
    """

    __tablename__ = "price_list"
    __table_args__ = (
        CheckConstraint("(status = 'published') = (edition_id IS NOT NULL)", name="published_with_its_edition"),
        CheckConstraint("parts_done >= 0 AND parts_done <= parts", name="parts_done"),
        Index(
            "uq_price_list_under_way",
            "schedule_code",
            unique=True,
            sqlite_where=text("status IN ('waiting', 'reading', 'ready')"),
            postgresql_where=text("status IN ('waiting', 'reading', 'ready')"),
        ),
        Index("ix_price_list_status", "status"),
    )

    id: Mapped[Id]
    schedule_code: Mapped[Code]
    schedule_name: Mapped[Name]
    currency: Mapped[str] = mapped_column(String(3), default="GBP")
    edition_name: Mapped[Name]
    starts_on: Mapped[date] = mapped_column(Date)
    file_name: Mapped[str] = mapped_column(String(200))
    stored_name: Mapped[str] = mapped_column(String(64), unique=True)
    size_bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    columns: Mapped[dict[str, str]] = mapped_column(JsonText, default=dict)
    status: Mapped[PriceListStatus] = state_column(PriceListStatus)
    # Pages or rows read, of how many.
    parts_done: Mapped[int] = mapped_column(Integer, default=0)
    parts: Mapped[int] = mapped_column(Integer, default=0)
    beat_at: Mapped[Instant | None]
    # How often a reader has begun.
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    item_count: Mapped[int | None] = mapped_column(Integer)
    # Of the CSV in which what was read is kept.
    kept_sha256: Mapped[str | None] = mapped_column(String(64))
    # Each as ``Problem.as_dict`` gives it; the first thousand, and how many there are.
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)
    problem_count: Mapped[int] = mapped_column(Integer, default=0)
    set_aside: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)
    uploaded_by: Mapped[str] = mapped_column(String(254))
    uploaded_at: Mapped[Instant]
    decided_by: Mapped[str | None] = mapped_column(String(254))
    decided_at: Mapped[Instant | None]
    edition_id: Mapped[int | None] = reference_to("edition", index=False)
