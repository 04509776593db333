"""Who pays for a job and at which VAT: the client's declarations, contribution and agreed top-up.

Whatever is recorded here changes the order to come; an order that was accepted keeps the VAT it was frozen with. Audit
events say that something was recorded, never what was declared nor an amount: those are the client's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from portal.framework.faults import WrongTerm
from portal.jobs.funding_models import Funding, VatDeclaration
from portal.jobs.models import Job
from portal.jobs.order_prices import OrderPrice, PricedAs, declarations_of, standing_offer, standing_price
from portal.jobs.states import ORDERED
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, WrongState
from portal.kernel.money import shown
from portal.rates.funding import Split, funding_split
from portal.rates.vat import Declared

#: Said in place of who pays.
CANNOT_BE_SAID = "cannot be said: this order is from before VAT was kept"
#: Longest words on where a paper is kept, in characters.
LONGEST_PLACE = 200
#: The largest contribution or top-up, in pence.
MOST_PENCE = 100_000_000
DECLARED_WORDS = {
    Declared.DISABLED_PERSON: "The works are for a disabled person",
    Declared.OVER_60: "The mobility aids are for somebody over 60",
}


@dataclass(frozen=True, slots=True)
class JobFunding:
    """What a page about the money of a job shows."""

    price: OrderPrice
    declarations: list[VatDeclaration]
    recorded: Funding | None
    #: ``None`` for an order from before VAT was kept: the cap holds for the total with VAT, which is not known.
    split: Split | None

    @property
    def ordered(self) -> bool:
        """Whether an order was accepted: its VAT stays."""
        return self.price.priced_as is PricedAs.ORDER

    @property
    def uncovered(self) -> str:
        """What nobody has agreed to pay, as a sentence; empty when everything is covered."""
        if self.split is None or not self.split.uncovered_pence:
            return ""
        return (
            f"{shown(self.split.uncovered_pence)} is not covered: the grant ends at its cap of "
            f"{shown(self.split.cap_pence)}. Agree a top-up, or change the works."
        )


def funding_of(job: Job, cap_pence: int) -> JobFunding:
    """A job's total with VAT and how it is paid, the grant up to ``cap_pence``."""
    declarations = declarations_of(job.id)
    price = standing_price(job, declarations)
    recorded = db.session.get(Funding, job.id)
    split = None
    if price.with_vat:
        split = funding_split(
            price.total_pence,
            contribution_pence=recorded.contribution_pence if recorded else 0,
            agreed_pence=recorded.agreed_pence if recorded else 0,
            cap_pence=cap_pence,
        )
    return JobFunding(price, declarations, recorded, split)


def has_order(job: Job) -> bool:
    """Whether an order was accepted, so that a declaration changes nothing of its VAT any more."""
    offer = standing_offer(job)
    return offer is not None and offer.status in ORDERED


def _lock(job_id: int) -> Job:
    """The job, locked: an acceptance locks it as well, so that an order is frozen before or after, never meanwhile."""
    job = db.session.scalar(
        select(Job).where(Job.id == job_id).with_for_update(of=Job).execution_options(populate_existing=True)
    )
    if job is None:
        raise NotFound("There is no such job.")
    return job


def record_declaration(
    job_id: int, kind: Declared, signed_on: date, kept_at: str, *, by: str, now: datetime
) -> VatDeclaration:
    """Keep that a client has signed a declaration for a lower VAT rate, and where the paper is.

    Raises ``Clash`` when one of the kind is there, ``WrongTerm`` for a day to come or without a place.
    """
    job = _lock(job_id)
    kept_at = " ".join(kept_at.split())
    if signed_on > local_date(now):
        raise WrongTerm(f"{date_text(signed_on)} has not come yet; enter the day on the declaration.", "signed_on")
    if not kept_at or len(kept_at) > LONGEST_PLACE:
        raise WrongTerm(f"Say where the signed paper is kept, in at most {LONGEST_PLACE} characters.", "kept_at")
    standing = select(VatDeclaration.id).where(
        VatDeclaration.job_id == job.id, VatDeclaration.kind == kind, VatDeclaration.withdrawn_at.is_(None)
    )
    if db.session.scalar(standing) is not None:
        raise Clash("This declaration is recorded already; withdraw it first if it is wrong.")
    declaration = VatDeclaration(
        job_id=job.id, kind=kind, signed_on=signed_on, kept_at=kept_at, recorded_by=by, recorded_at=now
    )
    db.session.add(declaration)
    db.session.flush()
    _note("declaration recorded", job, declaration, by=by, now=now)
    return declaration


def withdraw_declaration(job_id: int, declaration_id: int, *, by: str, now: datetime) -> VatDeclaration:
    """Take a declaration back that was wrong; it stays readable. ``WrongState`` when that was done already."""
    job = _lock(job_id)
    declaration = db.session.scalar(
        select(VatDeclaration)
        .where(VatDeclaration.id == declaration_id, VatDeclaration.job_id == job.id)
        .execution_options(populate_existing=True)
    )
    if declaration is None:
        raise NotFound("There is no such declaration.")
    if declaration.withdrawn_at is not None:
        raise WrongState("This declaration was withdrawn already.")
    declaration.withdrawn_by, declaration.withdrawn_at = by, now
    db.session.flush()
    _note("declaration withdrawn", job, declaration, by=by, now=now)
    return declaration


def _note(action: str, job: Job, declaration: VatDeclaration, *, by: str, now: datetime) -> None:
    # The number alone: events are for ever, and what a client has declared says what they are.
    audit.record(action, f"job:{job.reference}", at=now, actor=by, declaration=declaration.id)


def record_funding(job_id: int, *, contribution_pence: int, agreed_pence: int, by: str, now: datetime) -> Funding:
    """Keep the client's assessed contribution and the top-up that is agreed, in pence; the last word counts."""
    job = _lock(job_id)
    for pence, term in ((contribution_pence, "contribution"), (agreed_pence, "agreed")):
        if not 0 <= pence <= MOST_PENCE:
            raise WrongTerm(f"The amount lies between £0 and {shown(MOST_PENCE)}; look at it again.", term)
    funding = db.session.get(Funding, job.id, populate_existing=True) or Funding(job_id=job.id)
    funding.contribution_pence, funding.agreed_pence = contribution_pence, agreed_pence
    funding.recorded_by, funding.recorded_at = by, now
    db.session.add(funding)
    db.session.flush()
    # Without the amounts: events are for ever, and what somebody can pay is nobody else's.
    audit.record("funding recorded", f"job:{job.reference}", at=now, actor=by)
    return funding
