"""Schedules of rates, their editions and items; star rates, members' own rates, and templates of works.

Price reviews and lists that are being brought in have models of their own (``reviews``, ``price_lists``).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.framework.models import WORK_TYPE
from portal.kernel.db import (
    Base,
    BasisPoints,
    Code,
    Id,
    Instant,
    Name,
    Pence,
    Quantity,
    not_negative,
    reference_to,
    state_column,
)
from portal.rates.search_words import search_words
from portal.rates.states import PriceRule, StarRateStatus
from portal.rates.vat import STANDARD


def _words(context: DefaultExecutionContext) -> str:
    """The words of an item that is written one by one; the import works them out for all of its items at once."""
    values = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return search_words([values["code"]], [values["description"]])[0]


class Schedule(Base):
    """A schedule of rates, issued in dated editions, in one currency."""

    __tablename__ = "schedule"

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    currency: Mapped[str] = mapped_column(String(3), default="GBP")

    editions: Mapped[list[Edition]] = relationship(back_populates="schedule", order_by="Edition.starts_on.desc()")


class Edition(Base):
    """One dated issue of a schedule.

    It has no end of its own: it holds from ``starts_on`` until the next edition starts. Two editions therefore
    cannot overlap, and the unique constraint keeps two from starting on one day.
    """

    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("schedule_id", "starts_on"), UniqueConstraint("schedule_id", "name"))

    id: Mapped[Id]
    schedule_id: Mapped[int] = reference_to("schedule", index=False)
    name: Mapped[Name]
    starts_on: Mapped[date] = mapped_column(Date)
    item_count: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Instant]

    schedule: Mapped[Schedule] = relationship(back_populates="editions", lazy="joined", innerjoin=True)


class Item(Base):
    """One pre-priced item of an edition. Nothing of it changes but that it can be withdrawn."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("edition_id", "code"),
        not_negative("rate_pence"),
        CheckConstraint("smv >= 0", name="smv_not_negative"),
        CheckConstraint("vat_bp IN (0, 500, 2000)", name="vat_rate"),
        CheckConstraint("withdrawn_on IS NULL OR withdrawn_reason <> ''", name="withdrawn_with_a_reason"),
        Index("ix_item_edition_id_trade", "edition_id", "trade"),
        # Searched besides by ``words``: an FTS5 table fed by triggers on SQLite, a GIN index on PostgreSQL (0008).
    )

    id: Mapped[Id]
    edition_id: Mapped[int] = reference_to("edition", index=False)
    code: Mapped[Code]
    description: Mapped[str] = mapped_column(String(400))
    long_description: Mapped[str] = mapped_column(Text)
    trade: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(40))
    rate_pence: Mapped[Pence]
    smv: Mapped[Quantity | None]
    composite: Mapped[bool] = mapped_column(Boolean)
    # The lowest VAT rate that the item can carry, where a declaration allows it; in basis points.
    vat_bp: Mapped[BasisPoints] = mapped_column(default=STANDARD)
    # From this day on it is on no new job.
    withdrawn_on: Mapped[date | None] = mapped_column(Date)
    withdrawn_reason: Mapped[str] = mapped_column(String(500), default="")
    # Code and description as the catalogue is searched: see ``search_words``.
    words: Mapped[str] = mapped_column(Text, default=_words)

    components: Mapped[list[Component]] = relationship(
        back_populates="composite", foreign_keys="Component.composite_id", order_by="Component.id"
    )

    #: Where a line takes its rate from.
    rule = PriceRule.SCHEDULE_RATE


class Component(Base):
    """A part of a composite item: so many of another item of the same edition."""

    __tablename__ = "component"
    __table_args__ = (
        UniqueConstraint("composite_id", "part_id"),
        CheckConstraint("composite_id <> part_id", name="not_its_own_part"),
    )

    id: Mapped[Id]
    composite_id: Mapped[int] = reference_to("item", index=False)
    part_id: Mapped[int] = reference_to("item")
    quantity: Mapped[Quantity]

    composite: Mapped[Item] = relationship(back_populates="components", foreign_keys=[composite_id])
    part: Mapped[Item] = relationship(foreign_keys=[part_id])

    def __init__(self, composite_id: int, part_id: int, quantity: Decimal) -> None:
        self.composite_id, self.part_id, self.quantity = composite_id, part_id, quantity


class CatalogueWord(Base):
    """A word of an edition's descriptions: what a word with a typing error may have meant."""

    __tablename__ = "catalogue_word"

    edition_id: Mapped[int] = reference_to("edition", index=False, primary_key=True)
    word: Mapped[str] = mapped_column(String(40), primary_key=True)


class StarRate(Base):
    """An agreed rate for something that is not in the schedule; used on jobs of its authority once approved.

    One person proposes it with a reason, another approves it. In force ``[from_on, to_on)``; until it is approved it
    has no first day.
    """

    __tablename__ = "star_rate"
    __table_args__ = (
        UniqueConstraint("schedule_id", "code"),
        not_negative("rate_pence"),
        CheckConstraint("vat_bp IN (0, 500, 2000)", name="vat_rate"),
        CheckConstraint("to_on > from_on", name="to_after_from"),
        CheckConstraint("status <> 'approved' OR from_on IS NOT NULL", name="approved_from_a_day"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="decided_by_another"),
        Index("ix_star_rate_status", "status"),
    )

    id: Mapped[Id]
    schedule_id: Mapped[int] = reference_to("schedule", index=False)
    authority_id: Mapped[int] = reference_to("organisation")
    code: Mapped[Code]
    description: Mapped[str] = mapped_column(String(400))
    trade: Mapped[str] = mapped_column(String(200), default="")
    unit: Mapped[str] = mapped_column(String(40))
    rate_pence: Mapped[Pence]
    vat_bp: Mapped[BasisPoints] = mapped_column(default=STANDARD)
    reason: Mapped[str] = mapped_column(String(1000))
    status: Mapped[StarRateStatus] = state_column(StarRateStatus)
    from_on: Mapped[date | None] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)
    proposed_by: Mapped[str] = mapped_column(String(254))
    proposed_at: Mapped[Instant]
    decided_by: Mapped[str | None] = mapped_column(String(254))
    decided_at: Mapped[Instant | None]
    decision_reason: Mapped[str] = mapped_column(String(1000), default="")

    #: Where a line takes its rate from.
    rule = PriceRule.STAR_RATE

    schedule: Mapped[Schedule] = relationship(lazy="joined", innerjoin=True)
    authority: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)


class MemberRate(Base):
    """A member's own rate for a code of a schedule, from ``starts_on`` until its next one starts; ``None`` ends it.

    It takes the place of the schedule's rate and of the adjustment. Rows are never changed once they have begun.
    """

    __tablename__ = "member_rate"
    __table_args__ = (not_negative("rate_pence"),)

    member_id: Mapped[int] = reference_to("member", index=False, primary_key=True)
    schedule_id: Mapped[int] = reference_to("schedule", primary_key=True)
    code: Mapped[Code] = mapped_column(primary_key=True)
    starts_on: Mapped[date] = mapped_column(Date, primary_key=True)
    rate_pence: Mapped[Pence | None]
    agreed_by: Mapped[str] = mapped_column(String(254))
    agreed_at: Mapped[Instant]

    schedule: Mapped[Schedule] = relationship()


class WorkTemplate(Base):
    """The usual items of a kind of works ("Level-access shower, standard"); fills a specification.

    Its lines name codes, not items, so that it outlives an edition.
    """

    __tablename__ = "work_template"
    __table_args__ = (UniqueConstraint("schedule_id", "name"),)

    id: Mapped[Id]
    schedule_id: Mapped[int] = reference_to("schedule", index=False)
    name: Mapped[Name]
    work_type: Mapped[str] = mapped_column(String(WORK_TYPE))

    schedule: Mapped[Schedule] = relationship(lazy="joined", innerjoin=True)
    lines: Mapped[list[WorkTemplateLine]] = relationship(
        order_by="WorkTemplateLine.position", cascade="all, delete-orphan"
    )


class WorkTemplateLine(Base):
    """So many of one code."""

    __tablename__ = "work_template_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_above_zero"),)

    template_id: Mapped[int] = reference_to("work_template", index=False, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[Code]
    quantity: Mapped[Quantity]
