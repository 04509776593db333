"""Frameworks, who takes part in them, their lots, re-openings and spending decisions.

The contractors of a framework are in ``member_models``.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, CheckConstraint, Date, Float, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.framework.states import (
    CapacityRule,
    ContractingParty,
    FrameworkKind,
    Method,
    Regime,
    ReviewStatus,
    VariationRates,
)
from portal.kernel.db import Base, BasisPoints, Code, Id, Instant, Name, Pence, not_negative, reference_to, state_column

#: Longest work type and postcode district, in characters.
WORK_TYPE = 120
DISTRICT = 4


def one_area() -> CheckConstraint:
    """The CHECK that an area is an authority or a postcode district, never both."""
    return CheckConstraint("(authority_id IS NULL) <> (district = '')", name="authority_or_district")


def one_district(table: str, owner: str) -> Index:
    """Each postcode district once per ``owner``; authorities are kept apart by a unique constraint."""
    return Index(
        f"uq_{table}_district",
        owner,
        "district",
        unique=True,
        sqlite_where=text("district <> ''"),
        postgresql_where=text("district <> ''"),
    )


def one_now(table: str, owner: str, what: str, also: str = "") -> Index:
    """Each ``what`` once per ``owner`` among the rows that hold without end; ``also`` narrows the condition."""
    condition = text("to_on IS NULL" + also)
    return Index(
        f"uq_{table}_{what}", owner, what, unique=True, sqlite_where=condition, postgresql_where=condition
    )


class Framework(Base):
    """A procured list of contractors and terms, shared by its authorities; in force ``[starts_on, ends_on)``.

    A date that nobody has stated yet (a list imported with ``--create``) is null and limits nothing.
    """

    __tablename__ = "framework"
    __table_args__ = (
        CheckConstraint("ends_on > starts_on", name="ends_after_start"),
        CheckConstraint("value_cap_pence > 0", name="value_cap_above_zero"),
        CheckConstraint("review_months > 0", name="review_months_above_zero"),
        CheckConstraint("quotes_needed BETWEEN 1 AND 9", name="quotes_needed"),
        not_negative("guaranteed_jobs"),
        not_negative("guaranteed_pence"),
    )

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    kind: Mapped[FrameworkKind] = state_column(FrameworkKind, default=FrameworkKind.FRAMEWORK_AGREEMENT)
    regime: Mapped[Regime] = state_column(Regime, default=Regime.OPEN)
    contracting_party: Mapped[ContractingParty] = state_column(ContractingParty, default=ContractingParty.AUTHORITY)
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    value_cap_pence: Mapped[Pence | None]
    # The highest share of the cap, in per cent, that has been warned of.
    cap_warned: Mapped[int] = mapped_column(default=0)
    review_months: Mapped[int | None]
    # Quotations only: how many quotes each job needs.
    quotes_needed: Mapped[int | None]
    # Direct contracts only: the minimum of work each month.
    guaranteed_jobs: Mapped[int | None]
    guaranteed_pence: Mapped[Pence | None]
    # Postcode areas and districts whose firms count as local, separated by spaces: "AL SG5".
    local_areas: Mapped[str] = mapped_column(String(400), default="")
    # At which rates a change to the works of an order is priced.
    variation_rates: Mapped[VariationRates] = state_column(VariationRates, default=VariationRates.ORDER_EDITION)

    lots: Mapped[list[Lot]] = relationship(back_populates="framework", order_by="Lot.name")
    participations: Mapped[list[Participation]] = relationship(
        back_populates="framework", order_by="Participation.authority_id, Participation.id"
    )
    reviews: Mapped[list[Review]] = relationship(back_populates="framework", order_by="Review.due_on")


class Participation(Base):
    """An authority's access to a framework ``[from_on, to_on)``; an open end is null. Authorities are areas of lots.

    An authority that comes back has a second row; periods of one authority never overlap.
    """

    __tablename__ = "participation"
    __table_args__ = (
        CheckConstraint("to_on > from_on", name="to_after_from"),
        Index("ix_participation_framework_id_authority_id", "framework_id", "authority_id"),
        Index(
            "uq_participation_lead",
            "framework_id",
            unique=True,
            sqlite_where=text("lead"),
            postgresql_where=text("lead"),
        ),
    )

    id: Mapped[Id]
    framework_id: Mapped[int] = reference_to("framework", index=False)
    authority_id: Mapped[int] = reference_to("organisation")
    from_on: Mapped[date | None] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)
    # The authority that procured the framework and manages it for the others.
    lead: Mapped[bool] = mapped_column(Boolean, default=False)

    framework: Mapped[Framework] = relationship(back_populates="participations")
    authority: Mapped[Organisation] = relationship(innerjoin=True)


class FrameworkExtension(Base):
    """One extension of a framework's end, with its reason."""

    __tablename__ = "framework_extension"
    __table_args__ = (CheckConstraint("becomes > was", name="later_end"),)

    id: Mapped[Id]
    framework_id: Mapped[int] = reference_to("framework")
    was: Mapped[date] = mapped_column(Date)
    becomes: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(500))
    decided_by: Mapped[str] = mapped_column(String(254))
    decided_at: Mapped[Instant]


class CapDecision(Base):
    """A recorded decision to call off beyond the value cap, up to ``allowed_pence`` in all."""

    __tablename__ = "cap_decision"
    __table_args__ = (CheckConstraint("allowed_pence > 0", name="allowed_above_zero"),)

    id: Mapped[Id]
    framework_id: Mapped[int] = reference_to("framework")
    allowed_pence: Mapped[Pence]
    reason: Mapped[str] = mapped_column(String(500))
    decided_by: Mapped[str] = mapped_column(String(254))
    decided_at: Mapped[Instant]


class Review(Base):
    """A re-opening of the framework: applicants are evaluated, leavers released, ranks set anew."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("framework_id", "due_on"),)

    id: Mapped[Id]
    framework_id: Mapped[int] = reference_to("framework", index=False)
    due_on: Mapped[date] = mapped_column(Date)
    status: Mapped[ReviewStatus] = state_column(ReviewStatus)
    note: Mapped[str] = mapped_column(String(1000), default="")
    opened_on: Mapped[date | None] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)

    framework: Mapped[Framework] = relationship(back_populates="reviews")


class Lot(Base):
    """A part of the framework: work types × areas × a value band, a method, and its windows by priority.

    Answer windows are working hours; start windows are working days from the offer, used when a job names no
    required date. A lot without areas of its own covers every authority of its framework.
    """

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("framework_id", "name"),
        CheckConstraint("value_to_pence IS NULL OR value_to_pence > value_from_pence", name="value_band"),
        not_negative("value_from_pence"),
        not_negative("minimum_order_pence"),
        CheckConstraint("out_of_hours_bp BETWEEN 0 AND 20000", name="out_of_hours"),
    )

    id: Mapped[Id]
    framework_id: Mapped[int] = reference_to("framework", index=False)
    name: Mapped[Name]
    method: Mapped[Method] = state_column(Method)
    capacity_rule: Mapped[CapacityRule] = state_column(CapacityRule, default=CapacityRule.ALL_WORK)
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
    # The least that an order comes to, excluding VAT, and what is added to rates for work out of hours.
    minimum_order_pence: Mapped[Pence] = mapped_column(default=0)
    out_of_hours_bp: Mapped[BasisPoints] = mapped_column(default=0)

    framework: Mapped[Framework] = relationship(back_populates="lots")
    work_types: Mapped[list[LotWorkType]] = relationship(order_by="LotWorkType.work_type", cascade="all, delete-orphan")
    areas: Mapped[list[LotArea]] = relationship(order_by="LotArea.id", cascade="all, delete-orphan")
    # What the lot asks for now; what it asked for on another day is in the roster.
    requirements: Mapped[list[LotRequirement]] = relationship(
        primaryjoin="and_(Lot.id == LotRequirement.lot_id, LotRequirement.to_on.is_(None))",
        order_by="LotRequirement.kind",
        viewonly=True,
    )


class LotWorkType(Base):
    """A work type that a lot takes."""

    __tablename__ = "lot_work_type"

    lot_id: Mapped[int] = reference_to("lot", index=False, primary_key=True)
    work_type: Mapped[str] = mapped_column(String(WORK_TYPE), primary_key=True, index=True)


class LotArea(Base):
    """An authority or postcode district that a lot is limited to."""

    __tablename__ = "lot_area"
    __table_args__ = (UniqueConstraint("lot_id", "authority_id"), one_area(), one_district("lot_area", "lot_id"))

    id: Mapped[Id]
    lot_id: Mapped[int] = reference_to("lot", index=False)
    authority_id: Mapped[int | None] = reference_to("organisation")
    district: Mapped[str] = mapped_column(String(DISTRICT), default="")

    authority: Mapped[Organisation | None] = relationship(lazy="joined")


class LotRequirement(Base):
    """A kind of document that the lot asks of its members: required, or only asked for; with a minimum cover.

    Asked for on the days ``[from_on, to_on)``; null is without bound. Rows are never changed once they have held: a
    later requirement says nothing about who could be offered work before it.
    """

    __tablename__ = "lot_requirement"
    __table_args__ = (
        not_negative("minimum_pence"),
        CheckConstraint("to_on > from_on", name="to_after_from"),
        Index("ix_lot_requirement_lot_id", "lot_id"),
        one_now("lot_requirement", "lot_id", "kind"),
    )

    id: Mapped[Id]
    lot_id: Mapped[int] = reference_to("lot", index=False)
    kind: Mapped[Code]
    required: Mapped[bool] = mapped_column(Boolean, default=True)
    minimum_pence: Mapped[Pence | None]
    from_on: Mapped[date | None] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)


class PostcodeDistrict(Base):
    """Where a postcode district lies, for distances; from a list that the authority brings in."""

    __tablename__ = "postcode_district"
    __table_args__ = (
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
    )

    district: Mapped[str] = mapped_column(String(DISTRICT), primary_key=True)
    latitude: Mapped[float] = mapped_column(Float)
    longitude: Mapped[float] = mapped_column(Float)
