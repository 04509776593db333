"""What the clock has said of documents, so that it says each thing once, and when it last looked."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Integer
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Code, Id, Instant, reference_to


class DocumentWord(Base):
    """The last thing said about a kind of document that a membership needs; none while it holds for long.

    ``stage`` is days before the last good day (see ``rules.REMINDERS``), ``rules.RAN_OUT`` or ``rules.LAPSED``;
    ``last_day`` the last good day that was spoken of (null: there was no document that covers enough).
    """

    __tablename__ = "document_word"
    __table_args__ = (CheckConstraint("stage >= -1", name="stage"),)

    member_id: Mapped[int] = reference_to("member", index=False, primary_key=True)
    kind: Mapped[Code] = mapped_column(primary_key=True)
    stage: Mapped[int] = mapped_column(Integer)
    last_day: Mapped[date | None] = mapped_column(Date)
    said_at: Mapped[Instant]


class DocumentLook(Base):
    """The clock's last look at all documents: on which day, and after which audit event.

    Always exactly one row, made by the migration. Whoever says something of documents locks it first.
    """

    __tablename__ = "document_look"

    id: Mapped[Id]
    looked_on: Mapped[date | None] = mapped_column(Date)
    last_event: Mapped[int] = mapped_column(Integer)
