"""Price indices, reviews of a schedule's rates with their rules, and contractors' requests for another rate."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.framework.member_models import Contractor
from portal.kernel.db import (
    Base,
    BasisPoints,
    Code,
    Id,
    Instant,
    JsonText,
    Name,
    Pence,
    Quantity,
    not_negative,
    reference_to,
    state_column,
)
from portal.rates.models import Edition, Schedule
from portal.rates.states import RequestStatus, ReviewState


class PriceIndex(Base):
    """A table of index values by month, such as the CPI, that somebody has brought in."""

    __tablename__ = "price_index"

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    source: Mapped[str] = mapped_column(String(255))
    updated_by: Mapped[str] = mapped_column(String(254))
    updated_at: Mapped[Instant]

    months: Mapped[list[IndexMonth]] = relationship(order_by="IndexMonth.month", cascade="all, delete-orphan")


class IndexMonth(Base):
    """The value of an index for the month that begins on ``month``."""

    __tablename__ = "index_month"
    __table_args__ = (CheckConstraint("value > 0", name="value_above_zero"),)

    index_id: Mapped[int] = reference_to("price_index", index=False, primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    value: Mapped[Quantity]


class PriceReview(Base):
    """A new edition in the making: the rates of a base edition, changed by rules, in force from ``starts_on``.

    Whoever proposed it does not decide on it, and nobody in ``hands`` approves it: they started it, or set, changed or
    removed something of it. Once approved, ``edition_id`` is the edition that came of it.
    """

    __tablename__ = "price_review"
    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="decided_by_another"),
        CheckConstraint("(status = 'approved') = (edition_id IS NOT NULL)", name="approved_with_its_edition"),
        CheckConstraint("status NOT IN ('proposed', 'approved') OR proposed_by IS NOT NULL", name="proposed_by_one"),
        # One at a time: two reviews of one schedule would each rest on rates that the other changes.
        Index(
            "uq_price_review_under_way",
            "schedule_id",
            unique=True,
            sqlite_where=text("status IN ('draft', 'proposed')"),
            postgresql_where=text("status IN ('draft', 'proposed')"),
        ),
    )

    id: Mapped[Id]
    schedule_id: Mapped[int] = reference_to("schedule")
    base_id: Mapped[int] = reference_to("edition", index=False)
    edition_name: Mapped[Name]
    starts_on: Mapped[date] = mapped_column(Date)
    status: Mapped[ReviewState] = state_column(ReviewState)
    note: Mapped[str] = mapped_column(String(1000), default="")
    made_by: Mapped[str] = mapped_column(String(254))
    made_at: Mapped[Instant]
    hands: Mapped[list[str]] = mapped_column(JsonText, default=list)
    proposed_by: Mapped[str | None] = mapped_column(String(254))
    proposed_at: Mapped[Instant | None]
    decided_by: Mapped[str | None] = mapped_column(String(254))
    decided_at: Mapped[Instant | None]
    decision_reason: Mapped[str] = mapped_column(String(1000), default="")
    edition_id: Mapped[int | None] = reference_to("edition", index=False)

    schedule: Mapped[Schedule] = relationship(lazy="joined", innerjoin=True)
    base: Mapped[Edition] = relationship(foreign_keys=[base_id])
    edition: Mapped[Edition | None] = relationship(foreign_keys=[edition_id])
    rules: Mapped[list[ReviewRule]] = relationship(order_by="ReviewRule.id", cascade="all, delete-orphan")


class ReviewRule(Base):
    """How the rates of a whole schedule, a trade or one item change: by an index between two months, by a fixed
    percentage, or to a new rate; never by less than the floor or more than the cap, in basis points.

    The most particular rule counts: item, then trade, then all. The index values are kept as they were.
    """

    __tablename__ = "review_rule"
    __table_args__ = (
        UniqueConstraint("review_id", "trade", "code"),
        CheckConstraint("trade = '' OR code = ''", name="trade_or_item"),
        CheckConstraint(
            "CASE WHEN from_value IS NULL THEN 0 ELSE 1 END + CASE WHEN change_bp IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN new_rate_pence IS NULL THEN 0 ELSE 1 END = 1",
            name="one_way_to_change",
        ),
        CheckConstraint(
            "(index_id IS NULL) = (from_value IS NULL) AND (from_value IS NULL) = (to_value IS NULL)"
            " AND (from_value IS NULL) = (from_month IS NULL) AND (from_value IS NULL) = (to_month IS NULL)",
            name="index_with_its_values",
        ),
        CheckConstraint("new_rate_pence IS NULL OR code <> ''", name="new_rate_of_one_item"),
        CheckConstraint("change_bp > -10000", name="change_keeps_a_price"),
        CheckConstraint("floor_bp > -10000", name="floor_keeps_a_price"),
        CheckConstraint("cap_bp >= floor_bp", name="cap_above_floor"),
        not_negative("new_rate_pence"),
    )

    id: Mapped[Id]
    review_id: Mapped[int] = reference_to("price_review", index=False)
    trade: Mapped[str] = mapped_column(String(200), default="")
    code: Mapped[str] = mapped_column(String(64), default="")
    index_id: Mapped[int | None] = reference_to("price_index", index=False)
    from_month: Mapped[date | None] = mapped_column(Date)
    to_month: Mapped[date | None] = mapped_column(Date)
    from_value: Mapped[Quantity | None]
    to_value: Mapped[Quantity | None]
    change_bp: Mapped[BasisPoints | None]
    new_rate_pence: Mapped[Pence | None]
    floor_bp: Mapped[BasisPoints | None]
    cap_bp: Mapped[BasisPoints | None]

    index: Mapped[PriceIndex | None] = relationship()

    @property
    def values(self) -> tuple[Decimal, Decimal] | None:
        """The index values from and to, for a rule by index."""
        return None if self.from_value is None or self.to_value is None else (self.from_value, self.to_value)


class PriceRequest(Base):
    """A contractor's request for another rate of one item or a whole trade, with its reason and evidence.

    Taken up by a review, refused with a reason, or withdrawn. ``stored_name`` is the random name under which the
    evidence lies in the uploads folder.
    """

    __tablename__ = "price_request"
    __table_args__ = (
        CheckConstraint("(trade = '') <> (code = '')", name="trade_or_item"),
        CheckConstraint("asked_bp > -10000", name="asked_keeps_a_price"),
        CheckConstraint("status <> 'refused' OR decision_reason <> ''", name="refused_with_a_reason"),
        CheckConstraint("(status = 'taken-up') = (review_id IS NOT NULL)", name="taken_up_by_a_review"),
        UniqueConstraint("stored_name"),
        Index("ix_price_request_contractor_id", "contractor_id"),
        Index("ix_price_request_schedule_id_status", "schedule_id", "status"),
    )

    id: Mapped[Id]
    schedule_id: Mapped[int] = reference_to("schedule", index=False)
    contractor_id: Mapped[int] = reference_to("contractor", index=False)
    trade: Mapped[str] = mapped_column(String(200), default="")
    code: Mapped[str] = mapped_column(String(64), default="")
    asked_bp: Mapped[BasisPoints]
    reason: Mapped[str] = mapped_column(String(1000))
    stored_name: Mapped[str | None] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200), default="")
    media_type: Mapped[str] = mapped_column(String(40), default="")
    size_bytes: Mapped[int | None] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    status: Mapped[RequestStatus] = state_column(RequestStatus)
    made_by: Mapped[str] = mapped_column(String(254))
    made_at: Mapped[Instant]
    decided_by: Mapped[str | None] = mapped_column(String(254))
    decided_at: Mapped[Instant | None]
    decision_reason: Mapped[str] = mapped_column(String(1000), default="")
    review_id: Mapped[int | None] = reference_to("price_review", index=False)

    schedule: Mapped[Schedule] = relationship(lazy="joined", innerjoin=True)
    contractor: Mapped[Contractor] = relationship()
