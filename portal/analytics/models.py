"""Prices that were quoted or paid, as they came in."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Code, Id, Pence, Quantity, reference_to


class Quote(Base):
    """A contractor's price for one job of an authority, excluding VAT."""

    __tablename__ = "quote"
    __table_args__ = (
        CheckConstraint("amount_pence >= 0", name="amount_not_negative"),
        CheckConstraint("quantity > 0", name="quantity_above_zero"),
        Index("ix_quote_work_type_quoted_on", "work_type", "quoted_on"),
    )

    id: Mapped[Id]
    reference: Mapped[Code] = mapped_column(index=True)
    authority_id: Mapped[int] = reference_to("organisation")
    contractor_id: Mapped[int] = reference_to("contractor")
    work_type: Mapped[str] = mapped_column(String(120))
    quoted_on: Mapped[date] = mapped_column(Date)
    quantity: Mapped[Quantity]
    amount_pence: Mapped[Pence]
