"""What decides who pays for a job and at which VAT: the client's declarations, contribution and agreed top-up.

Contractors never see any of it but the VAT rates that follow.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Id, Instant, Pence, not_negative, reference_to, state_column
from portal.rates.vat import Declared


class VatDeclaration(Base):
    """A client's signed declaration that allows a lower VAT rate on a job; kept for good, withdrawn if it was wrong.

    ``kept_at`` says where the signed paper is. Nothing about the client's condition is stored here.
    """

    __tablename__ = "vat_declaration"
    __table_args__ = (
        Index(
            "uq_vat_declaration_now",
            "job_id",
            "kind",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn_by_somebody"),
    )

    id: Mapped[Id]
    job_id: Mapped[int] = reference_to("job")
    kind: Mapped[Declared] = state_column(Declared)
    signed_on: Mapped[date] = mapped_column(Date)
    kept_at: Mapped[str] = mapped_column(String(200))
    recorded_by: Mapped[str] = mapped_column(String(254))
    recorded_at: Mapped[Instant]
    withdrawn_by: Mapped[str | None] = mapped_column(String(254))
    withdrawn_at: Mapped[Instant | None]


class Funding(Base):
    """The client's assessed contribution to a job and the top-up that is agreed, in pence; the grant pays the rest."""

    __tablename__ = "funding"
    __table_args__ = (not_negative("contribution_pence"), not_negative("agreed_pence"))

    job_id: Mapped[int] = reference_to("job", index=False, primary_key=True)
    contribution_pence: Mapped[Pence]
    agreed_pence: Mapped[Pence]
    recorded_by: Mapped[str] = mapped_column(String(254))
    recorded_at: Mapped[Instant]
