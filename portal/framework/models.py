"""Frameworks, lots, contractors and their membership."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, CheckConstraint, Date, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.framework.states import MemberStatus, Method
from portal.kernel.db import Base, BasisPoints, Code, Id, Name, Pence, not_negative, reference_to, state_column


class Framework(Base):
    """A procured list of contractors and terms, shared by its authorities; in force ``[starts_on, ends_on)``.

    A date that nobody has stated yet (a list imported with ``--create``) is null and limits nothing.
    """

    __tablename__ = "framework"
    __table_args__ = (CheckConstraint("ends_on > starts_on", name="ends_after_start"),)

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)

    lots: Mapped[list[Lot]] = relationship(back_populates="framework", order_by="Lot.name")


class Participation(Base):
    """An authority that may call off the framework; authorities are the areas of its lots."""

    __tablename__ = "participation"
    __table_args__ = (UniqueConstraint("framework_id", "authority_id"),)

    id: Mapped[Id]
    framework_id: Mapped[int] = reference_to("framework", index=False)
    authority_id: Mapped[int] = reference_to("organisation")


class Lot(Base):
    """A part of the framework: a work type, a value band, a method, and its windows by priority.

    Answer windows are working hours; start windows are working days from the offer, used when a job names no
    required date.
    """

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("framework_id", "name"),
        CheckConstraint("value_to_pence IS NULL OR value_to_pence > value_from_pence", name="value_band"),
        not_negative("value_from_pence"),
    )

    id: Mapped[Id]
    framework_id: Mapped[int] = reference_to("framework", index=False)
    name: Mapped[Name]
    work_type: Mapped[str] = mapped_column(String(120), index=True)
    method: Mapped[Method] = state_column(Method)
    value_from_pence: Mapped[Pence] = mapped_column(default=0)
    value_to_pence: Mapped[Pence | None]
    answer_hours_hospital_discharge: Mapped[int] = mapped_column(default=4)
    answer_hours_priority: Mapped[int] = mapped_column(default=8)
    answer_hours_routine: Mapped[int] = mapped_column(default=16)
    start_days_hospital_discharge: Mapped[int] = mapped_column(default=5)
    start_days_priority: Mapped[int] = mapped_column(default=15)
    start_days_routine: Mapped[int] = mapped_column(default=30)
    # How long the works take at the most: documents must hold until then.
    works_days: Mapped[int] = mapped_column(default=14)

    framework: Mapped[Framework] = relationship(back_populates="lots")
    requirements: Mapped[list[LotRequirement]] = relationship(back_populates="lot", order_by="LotRequirement.kind")


class LotRequirement(Base):
    """A kind of document that every member of the lot must hold."""

    __tablename__ = "lot_requirement"
    __table_args__ = (UniqueConstraint("lot_id", "kind"),)

    id: Mapped[Id]
    lot_id: Mapped[int] = reference_to("lot", index=False)
    kind: Mapped[Code]

    lot: Mapped[Lot] = relationship(back_populates="requirements")


class Contractor(Base):
    """A firm: how to reach it, how many jobs it takes at once, and from when it can start work."""

    __tablename__ = "contractor"
    __table_args__ = (UniqueConstraint("organisation_id"), not_negative("capacity"))

    id: Mapped[Id]
    organisation_id: Mapped[int] = reference_to("organisation", index=False)
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40))
    postcode: Mapped[str] = mapped_column(String(10))
    sme: Mapped[bool] = mapped_column(Boolean)
    capacity: Mapped[int] = mapped_column(Integer)
    accepts_from: Mapped[date | None] = mapped_column(Date)

    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)
    documents: Mapped[list[ContractorDocument]] = relationship(
        back_populates="contractor", order_by="ContractorDocument.kind", cascade="all, delete-orphan"
    )


class ContractorDocument(Base):
    """A document a contractor holds, good up to and including ``expires_on``."""

    __tablename__ = "contractor_document"
    __table_args__ = (UniqueConstraint("contractor_id", "kind"),)

    id: Mapped[Id]
    contractor_id: Mapped[int] = reference_to("contractor", index=False)
    kind: Mapped[Code]
    expires_on: Mapped[date] = mapped_column(Date)

    contractor: Mapped[Contractor] = relationship(back_populates="documents")


class Member(Base):
    """A contractor admitted to a lot, with its rank and its tendered adjustment on the schedule's rates."""

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("lot_id", "contractor_id"),
        CheckConstraint("rank > 0", name="rank_from_one"),
        CheckConstraint("adjustment_bp > -10000", name="adjustment_keeps_a_price"),
    )

    id: Mapped[Id]
    lot_id: Mapped[int] = reference_to("lot", index=False)
    contractor_id: Mapped[int] = reference_to("contractor")
    rank: Mapped[int]
    adjustment_bp: Mapped[BasisPoints]
    status: Mapped[MemberStatus] = state_column(MemberStatus)
    status_reason: Mapped[str] = mapped_column(String(500), default="")

    lot: Mapped[Lot] = relationship()
    contractor: Mapped[Contractor] = relationship()
    areas: Mapped[list[MemberArea]] = relationship(order_by="MemberArea.authority_id", cascade="all, delete-orphan")


class MemberArea(Base):
    """An authority in which the member works for this lot."""

    __tablename__ = "member_area"
    __table_args__ = (UniqueConstraint("member_id", "authority_id"),)

    id: Mapped[Id]
    member_id: Mapped[int] = reference_to("member", index=False)
    authority_id: Mapped[int] = reference_to("organisation")

    authority: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)
