"""Contractors, their memberships with their history and ranks, their documents and days away."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.framework.models import DISTRICT, Lot, one_area, one_now
from portal.framework.states import DocumentStatus, MemberStatus
from portal.kernel.db import Base, BasisPoints, Code, Id, Instant, Pence, not_negative, reference_to, state_column


class Contractor(Base):
    """A firm: how to reach it, how much work it takes, and from when it can start."""

    __tablename__ = "contractor"
    __table_args__ = (
        UniqueConstraint("organisation_id"),
        not_negative("capacity"),
        not_negative("month_limit_pence"),
        Index(
            "uq_contractor_company_number",
            "company_number",
            unique=True,
            sqlite_where=text("company_number <> ''"),
            postgresql_where=text("company_number <> ''"),
        ),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = reference_to("organisation", index=False)
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40))
    postcode: Mapped[str] = mapped_column(String(10))
    company_number: Mapped[str] = mapped_column(String(20), default="")
    sme: Mapped[bool] = mapped_column(Boolean)
    # Jobs at once, and the value of work in a calendar month, in pence (null: not limited).
    capacity: Mapped[int] = mapped_column(Integer)
    month_limit_pence: Mapped[Pence | None]
    accepts_from: Mapped[date | None] = mapped_column(Date)
    social_value: Mapped[str] = mapped_column(Text, default="")

    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)
    documents: Mapped[list[ContractorDocument]] = relationship(
        back_populates="contractor", order_by="ContractorDocument.kind, ContractorDocument.id"
    )
    trades: Mapped[list[ContractorTrade]] = relationship(order_by="ContractorTrade.trade", cascade="all, delete-orphan")
    absences: Mapped[list[Absence]] = relationship(order_by="Absence.from_on", cascade="all, delete-orphan")


class ContractorTrade(Base):
    """A trade that a contractor works in."""

    __tablename__ = "contractor_trade"

    contractor_id: Mapped[int] = reference_to("contractor", index=False, primary_key=True)
    trade: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)


class Absence(Base):
    """Days ``[from_on, to_on)`` on which a contractor starts no work."""

    __tablename__ = "absence"
    __table_args__ = (CheckConstraint("to_on > from_on", name="to_after_from"),)

    id: Mapped[Id]
    contractor_id: Mapped[int] = reference_to("contractor")
    from_on: Mapped[date] = mapped_column(Date)
    to_on: Mapped[date] = mapped_column(Date)


class ContractorDocument(Base):
    """A document that a contractor handed in, or that a list says it holds; good up to and including ``expires_on``.

    It counts as evidence on the days ``[counts_from, counts_to)``: from the day somebody verified it until the day
    it was withdrawn. Rows are never deleted: what counted on 3 May can be told years later. ``stored_name`` is the
    random name under which the file lies in the uploads folder; a document known from a list only has none.
    """

    __tablename__ = "contractor_document"
    __table_args__ = (
        CheckConstraint("status <> 'verified' OR counts_from IS NOT NULL", name="verified_counts"),
        CheckConstraint("counts_to >= counts_from", name="counts_to_after_from"),
        CheckConstraint("status <> 'verified' OR counts_to IS NULL", name="verified_still_counts"),
        not_negative("cover_pence"),
        Index("ix_contractor_document_contractor_id_kind", "contractor_id", "kind"),
        UniqueConstraint("stored_name"),
    )

    id: Mapped[Id]
    contractor_id: Mapped[int] = reference_to("contractor", index=False)
    kind: Mapped[Code]
    expires_on: Mapped[date] = mapped_column(Date)
    # What an insurance covers, in pence.
    cover_pence: Mapped[Pence | None]
    status: Mapped[DocumentStatus] = state_column(DocumentStatus)
    counts_from: Mapped[date | None] = mapped_column(Date)
    counts_to: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(500), default="")
    decided_by: Mapped[str | None] = mapped_column(String(254))
    added_by: Mapped[str] = mapped_column(String(254))
    added_at: Mapped[Instant]
    stored_name: Mapped[str | None] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200), default="")
    media_type: Mapped[str] = mapped_column(String(40), default="")
    size_bytes: Mapped[int | None]
    sha256: Mapped[str] = mapped_column(String(64), default="")

    contractor: Mapped[Contractor] = relationship(back_populates="documents")


class Member(Base):
    """A contractor's membership of a lot, with its tendered adjustment on the schedule's rates.

    Where it stands on a day follows from its events, and its rank from the edition of ranks in force: see ``roster``.
    """

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("lot_id", "contractor_id"),
        CheckConstraint("adjustment_bp > -10000", name="adjustment_keeps_a_price"),
    )

    id: Mapped[Id]
    lot_id: Mapped[int] = reference_to("lot", index=False)
    contractor_id: Mapped[int] = reference_to("contractor")
    adjustment_bp: Mapped[BasisPoints]

    lot: Mapped[Lot] = relationship()
    contractor: Mapped[Contractor] = relationship()
    # Where it works now; where it worked on another day is in the roster.
    areas: Mapped[list[MemberArea]] = relationship(
        primaryjoin="and_(Member.id == MemberArea.member_id, MemberArea.to_on.is_(None))",
        order_by="MemberArea.id",
        viewonly=True,
    )
    events: Mapped[list[MemberEvent]] = relationship(order_by="MemberEvent.id")
    bands: Mapped[list[MemberBand]] = relationship(order_by="MemberBand.from_pence", cascade="all, delete-orphan")


class MemberBand(Base):
    """A member's adjustment for jobs from ``from_pence`` at schedule rates on, in place of its usual one."""

    __tablename__ = "member_band"
    __table_args__ = (
        CheckConstraint("from_pence > 0", name="from_above_zero"),
        CheckConstraint("adjustment_bp > -10000", name="adjustment_keeps_a_price"),
    )

    member_id: Mapped[int] = reference_to("member", index=False, primary_key=True)
    from_pence: Mapped[Pence] = mapped_column(primary_key=True)
    adjustment_bp: Mapped[BasisPoints]


class MemberEvent(Base):
    """One step in the history of a membership: from the day ``from_on`` it stands at ``status``. Never changed.

    A suspension with an ``until_on`` ends by itself on that day. Events of a membership follow each other in time.
    """

    __tablename__ = "member_event"
    __table_args__ = (
        Index("ix_member_event_member_id_id", "member_id", "id"),
        CheckConstraint(
            "until_on IS NULL OR (status = 'suspended' AND until_on > from_on)", name="until_ends_a_suspension"
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference_to("member", index=False)
    status: Mapped[MemberStatus] = state_column(MemberStatus)
    from_on: Mapped[date] = mapped_column(Date)
    until_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(500), default="")
    decided_by: Mapped[str] = mapped_column(String(254))
    decided_at: Mapped[Instant]


class MemberArea(Base):
    """An authority or postcode district in which the member works for this lot, on the days ``[from_on, to_on)``;
    null is without bound."""

    __tablename__ = "member_area"
    __table_args__ = (
        one_area(),
        CheckConstraint("to_on > from_on", name="to_after_from"),
        Index("ix_member_area_member_id", "member_id"),
        one_now("member_area", "member_id", "authority_id"),
        one_now("member_area", "member_id", "district", " AND district <> ''"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference_to("member", index=False)
    authority_id: Mapped[int | None] = reference_to("organisation")
    district: Mapped[str] = mapped_column(String(DISTRICT), default="")
    from_on: Mapped[date | None] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)

    authority: Mapped[Organisation | None] = relationship(lazy="joined")

    @property
    def code(self) -> str:
        """What files and reasons call the area: the authority's code, or the district."""
        return self.authority.code if self.authority else self.district


class RankEdition(Base):
    """The ranks of a lot's members from a day on, until the next edition starts. The old ones stay readable."""

    __tablename__ = "rank_edition"
    __table_args__ = (UniqueConstraint("lot_id", "starts_on"),)

    id: Mapped[Id]
    lot_id: Mapped[int] = reference_to("lot", index=False)
    starts_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(500), default="")
    made_by: Mapped[str] = mapped_column(String(254))
    made_at: Mapped[Instant]
    review_id: Mapped[int | None] = reference_to("review", index=False)

    places: Mapped[list[RankPlace]] = relationship(
        order_by="RankPlace.rank, RankPlace.member_id", cascade="all, delete-orphan"
    )


class RankPlace(Base):
    """A member's rank in an edition, and its share of the work in basis points where shares are agreed."""

    __tablename__ = "rank_place"
    __table_args__ = (
        CheckConstraint("rank > 0", name="rank_from_one"),
        CheckConstraint("share_bp BETWEEN 0 AND 10000", name="share"),
    )

    edition_id: Mapped[int] = reference_to("rank_edition", index=False, primary_key=True)
    member_id: Mapped[int] = reference_to("member", primary_key=True)
    rank: Mapped[int]
    share_bp: Mapped[BasisPoints | None]

    member: Mapped[Member] = relationship()
