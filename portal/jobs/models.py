"""Jobs, their lines, the decisions about who gets them, and the offers that follow."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    literal,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.framework.member_models import Member
from portal.framework.models import WORK_TYPE, Lot
from portal.framework.rules import district_of
from portal.framework.states import Priority
from portal.jobs.states import DeclineReason, JobStatus, OfferStatus
from portal.kernel.db import (
    Base,
    BasisPoints,
    Code,
    Id,
    Instant,
    JsonText,
    Pence,
    Quantity,
    not_negative,
    reference_to,
    state_column,
)
from portal.rates.models import Edition
from portal.rates.states import PriceRule
from portal.rates.vat import STANDARD


class Job(Base):
    """Works for one client of one authority. What identifies the client stays out of every contractor's sight
    until the order is theirs."""

    __tablename__ = "job"
    __table_args__ = (
        not_negative("value_pence"),
        Index("ix_job_authority_id_id", "authority_id", "id"),
        # Worklists: the most urgent first. The priorities' names sort by urgency (a test holds them to it).
        Index("ix_job_authority_id_status_priority_id", "authority_id", "status", "priority", "id"),
        Index("ix_job_status_priority_id", "status", "priority", "id"),
    )

    id: Mapped[Id]
    reference: Mapped[Code] = mapped_column(unique=True)
    authority_id: Mapped[int] = reference_to("organisation", index=False)
    lot_id: Mapped[int] = reference_to("lot")
    work_type: Mapped[str] = mapped_column(String(WORK_TYPE))
    # The edition whose rates the lines froze.
    edition_id: Mapped[int] = reference_to("edition")
    priority: Mapped[Priority] = state_column(Priority)
    status: Mapped[JobStatus] = state_column(JobStatus)
    client: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(400))
    client_phone: Mapped[str] = mapped_column(String(40))
    postcode: Mapped[str] = mapped_column(String(10))
    required_start: Mapped[date | None] = mapped_column(Date)
    # At the schedule's rates, excluding VAT: what value bands and limits are held against.
    value_pence: Mapped[Pence]
    # The works are done outside working hours, at the lot's uplift.
    out_of_hours: Mapped[bool] = mapped_column(Boolean, default=False)
    specified_by: Mapped[str] = mapped_column(String(254))
    specified_at: Mapped[Instant]
    # When the job last came to stand where it stands: worklists show the longest wait first.
    since: Mapped[Instant]

    authority: Mapped[Organisation] = relationship(innerjoin=True)
    lot: Mapped[Lot] = relationship(innerjoin=True)
    edition: Mapped[Edition] = relationship(innerjoin=True)
    lines: Mapped[list[JobLine]] = relationship(back_populates="job", order_by="JobLine.position")
    offers: Mapped[list[Offer]] = relationship(back_populates="job", order_by="Offer.id")

    @property
    def district(self) -> str:
        """The outward part of the postcode: as much of the place as a contractor sees before accepting."""
        return district_of(self.postcode)


class JobLine(Base):
    """One item of a specification with its rate as it stood when the job was specified."""

    __tablename__ = "job_line"
    __table_args__ = (
        UniqueConstraint("job_id", "position"),
        CheckConstraint("quantity > 0", name="quantity_above_zero"),
        CheckConstraint("vat_bp IN (0, 500, 2000)", name="vat_rate"),
        not_negative("rate_pence"),
    )

    id: Mapped[Id]
    job_id: Mapped[int] = reference_to("job", index=False)
    position: Mapped[int]
    code: Mapped[Code]
    description: Mapped[str] = mapped_column(String(400))
    unit: Mapped[str] = mapped_column(String(40))
    quantity: Mapped[Quantity]
    rate_pence: Mapped[Pence]
    net_pence: Mapped[Pence]
    # The schedule's rate or a star rate, and the lowest VAT rate that the item can carry.
    rule: Mapped[PriceRule] = state_column(PriceRule, default=PriceRule.SCHEDULE_RATE)
    vat_bp: Mapped[BasisPoints] = mapped_column(default=STANDARD)

    job: Mapped[Job] = relationship(back_populates="lines")


class Decision(Base):
    """One run of the allocation rule over a job: its inputs and what it chose. Never changed."""

    __tablename__ = "decision"

    id: Mapped[Id]
    job_id: Mapped[int] = reference_to("job")
    decided_at: Mapped[Instant]
    decided_by: Mapped[str] = mapped_column(String(254))
    because: Mapped[str] = mapped_column(String(200))
    rule_version: Mapped[str] = mapped_column(String(40))
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    chosen_member_id: Mapped[int | None] = reference_to("member", index=False)

    places: Mapped[list[Place]] = relationship(order_by="Place.position")

    @property
    def start_by(self) -> date:
        """The last day to start that the decision reckoned with."""
        return date.fromisoformat(self.inputs["start_by"])

    @property
    def missed_start(self) -> date | None:
        """The client's required date, when it could no longer be kept."""
        required = self.inputs["required_start"]
        return date.fromisoformat(required) if required and required != self.inputs["start_by"] else None


class Place(Base):
    """One member's place in a decision: its reasons, and the facts they rest on."""

    __tablename__ = "place"

    decision_id: Mapped[int] = reference_to("decision", index=False, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    member_id: Mapped[int] = reference_to("member", index=False)
    member_code: Mapped[Code]
    eligible: Mapped[bool] = mapped_column(Boolean)
    reasons: Mapped[list[str]] = mapped_column(JsonText)
    basis: Mapped[dict[str, Any]] = mapped_column(JsonText)


class Offer(Base):
    """The job put to one member, at a price that holds, with a deadline to answer and a date to start by."""

    __tablename__ = "offer"
    __table_args__ = (
        # Held by the database, whatever happens at once: one live offer a job, one acceptance a job.
        Index(
            "uq_offer_live",
            "job_id",
            unique=True,
            sqlite_where=text("status = 'sent'"),
            postgresql_where=text("status = 'sent'"),
        ),
        Index(
            "uq_offer_accepted",
            "job_id",
            unique=True,
            sqlite_where=text("status IN ('accepted', 'completed')"),
            postgresql_where=text("status IN ('accepted', 'completed')"),
        ),
        Index(
            "ix_offer_due", "answer_by", sqlite_where=text("status = 'sent'"), postgresql_where=text("status = 'sent'")
        ),
        Index(
            "ix_offer_authority_due",
            "authority_id",
            "answer_by",
            sqlite_where=text("status = 'sent'"),
            postgresql_where=text("status = 'sent'"),
        ),
        Index(
            "ix_offer_start_due",
            "start_by",
            sqlite_where=text("status = 'accepted'"),
            postgresql_where=text("status = 'accepted'"),
        ),
        Index(
            "ix_offer_open",
            "contractor_id",
            sqlite_where=text("status IN ('sent', 'accepted')"),
            postgresql_where=text("status IN ('sent', 'accepted')"),
        ),
        Index("ix_offer_contractor_id_id", "contractor_id", "id"),
        # What a framework has spent and committed, and what a contractor was given this month.
        Index(
            "ix_offer_committed",
            "member_id",
            "status",
            "price_pence",
            sqlite_where=text("status IN ('sent', 'accepted', 'completed')"),
            postgresql_where=text("status IN ('sent', 'accepted', 'completed')"),
        ),
        Index("ix_offer_contractor_id_sent_at", "contractor_id", "sent_at"),
        not_negative("price_pence"),
        CheckConstraint(
            "status NOT IN ('accepted', 'completed') OR start_on IS NOT NULL", name="accepted_with_a_start"
        ),
    )

    id: Mapped[Id]
    job_id: Mapped[int] = reference_to("job")
    # The job's authority, kept here as well so that an officer's open offers are one index range.
    authority_id: Mapped[int] = reference_to("organisation", index=False)
    member_id: Mapped[int] = reference_to("member")
    contractor_id: Mapped[int] = reference_to("contractor", index=False)
    decision_id: Mapped[int] = reference_to("decision")
    status: Mapped[OfferStatus] = state_column(OfferStatus)
    sent_at: Mapped[Instant]
    answer_by: Mapped[Instant]
    start_by: Mapped[date] = mapped_column(Date)
    # The member's terms as they were when it was made: they price the order, whatever changes meanwhile.
    adjustment_bp: Mapped[BasisPoints]
    own_rates: Mapped[dict[str, int]] = mapped_column(JsonText, default=dict)
    uplift_bp: Mapped[BasisPoints] = mapped_column(default=0)
    minimum_pence: Mapped[Pence] = mapped_column(default=0)
    # From which value at schedule rates on the adjustment holds; 0: it is the usual one.
    band_pence: Mapped[Pence] = mapped_column(default=0)
    price_pence: Mapped[Pence]
    # Whether the price is the member's quote; else the lines at its adjustment. An order is written out accordingly.
    quoted: Mapped[bool] = mapped_column(Boolean, default=False)
    answered_at: Mapped[Instant | None]
    answered_by: Mapped[str | None] = mapped_column(String(254))
    start_on: Mapped[date | None] = mapped_column(Date)
    reason_code: Mapped[DeclineReason | None] = state_column(DeclineReason)
    reason: Mapped[str] = mapped_column(Text, default="")
    started_on: Mapped[date | None] = mapped_column(Date)

    job: Mapped[Job] = relationship(back_populates="offers", innerjoin=True)
    member: Mapped[Member] = relationship(innerjoin=True)


class OrderLine(Base):
    """A line of an accepted order: item, edition, rate, adjustment, VAT and price as they were, for good.

    Orders from before VAT was worked out have none.
    """

    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("(vat_bp IS NULL) = (vat_pence IS NULL)", name="vat_with_its_rate"),)

    offer_id: Mapped[int] = reference_to("offer", index=False, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[Code]
    description: Mapped[str] = mapped_column(String(400))
    unit: Mapped[str] = mapped_column(String(40))
    quantity: Mapped[Quantity]
    rate_pence: Mapped[Pence]
    rule: Mapped[PriceRule] = state_column(PriceRule)
    edition_id: Mapped[int] = reference_to("edition")
    adjustment_bp: Mapped[BasisPoints]
    uplift_bp: Mapped[BasisPoints] = mapped_column(default=0)
    net_pence: Mapped[Pence]
    vat_bp: Mapped[BasisPoints | None]
    vat_pence: Mapped[Pence | None]
    # Why the rate was that, by the declarations and the contracting party of the moment; never shown to contractors.
    vat_why: Mapped[str] = mapped_column(String(200), default="")

    edition: Mapped[Edition] = relationship()


class Estimate(Base):
    """A quote that a member gave for a job where work is bought by quotations; in pence, excluding VAT."""

    __tablename__ = "estimate"
    __table_args__ = (
        UniqueConstraint("job_id", "member_id"),
        CheckConstraint("amount_pence > 0", name="amount_above_zero"),
    )

    id: Mapped[Id]
    job_id: Mapped[int] = reference_to("job", index=False)
    member_id: Mapped[int] = reference_to("member", index=False)
    amount_pence: Mapped[Pence]
    received_on: Mapped[date] = mapped_column(Date)
    recorded_by: Mapped[str] = mapped_column(String(254))
    recorded_at: Mapped[Instant]

    member: Mapped[Member] = relationship(innerjoin=True)


class Direction(Base):
    """The decision to do without the missing quotes for one job, with its reason."""

    __tablename__ = "direction"
    __table_args__ = (UniqueConstraint("job_id"),)

    id: Mapped[Id]
    job_id: Mapped[int] = reference_to("job", index=False)
    reason: Mapped[str] = mapped_column(String(500))
    decided_by: Mapped[str] = mapped_column(String(254))
    decided_at: Mapped[Instant]


def offer_is(*statuses: OfferStatus) -> ColumnElement[bool]:
    """A condition on an offer's status, written into the statement and in the order in which the indexes name the
    states: SQLite uses a partial index only for the very words of its condition."""
    in_order = sorted(statuses, key=list(OfferStatus).index)
    written = [literal(status, Offer.status.type, literal_execute=True) for status in in_order]
    return Offer.status == written[0] if len(written) == 1 else Offer.status.in_(written)
