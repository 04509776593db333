"""Schedules of rates, their editions and items."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.kernel.db import Base, Code, Id, Instant, Name, Pence, Quantity, not_negative, reference_to


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
    """One pre-priced item of an edition."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("edition_id", "code"),
        not_negative("rate_pence"),
        CheckConstraint("smv >= 0", name="smv_not_negative"),
        Index("ix_item_edition_id_trade", "edition_id", "trade"),
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

    components: Mapped[list[Component]] = relationship(
        back_populates="composite", foreign_keys="Component.composite_id", order_by="Component.id"
    )


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
