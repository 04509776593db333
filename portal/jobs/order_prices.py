"""What a job costs, line by line and with VAT, each line with its explanation: at schedule rates, as an offer, as an
order.

An order shows what was frozen with it, an offer the terms that it was made on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select

from portal.jobs import queries
from portal.jobs.funding_models import VatDeclaration
from portal.jobs.models import Job, Offer, OrderLine
from portal.jobs.ordering import (
    WhyVat,
    client_commissions,
    lowest_rates,
    named_line,
    names_of,
    priced_lines,
    why_vat,
    works_of,
)
from portal.jobs.states import ORDERED, OfferStatus
from portal.kernel.db import db
from portal.rates.explaining import Basis, explanation, vat_for_contractors
from portal.rates.models import Edition
from portal.rates.pricing import PricedLine, Terms, price_order
from portal.rates.states import PriceRule
from portal.rates.vat import Declared

#: What is said in place of VAT.
FROM_BEFORE = "VAT was not worked out for orders of that time"
BESIDE_AN_ORDER = "VAT is that of the order"


class PricedAs(StrEnum):
    """What a price is: of an order, of an offer that stands, or of the works at schedule rates."""

    ORDER = "order"
    OFFER = "offer"
    SCHEDULE_RATES = "schedule-rates"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A priced line as people read it: pence and basis points, and how it came about."""

    position: int
    code: str
    description: str
    unit: str
    quantity: Decimal
    rate_pence: int
    rule: PriceRule
    edition: str
    adjustment_bp: int
    uplift_bp: int
    net_pence: int
    #: ``None`` in orders from before VAT was worked out, and where the order beside the lines has it.
    vat_bp: int | None
    vat_pence: int | None
    explanation: str


@dataclass(frozen=True, slots=True)
class OrderPrice:
    """Lines and what they come to, in pence."""

    priced_as: PricedAs
    lines: tuple[ShownLine, ...]

    @property
    def net_pence(self) -> int:
        return sum(line.net_pence for line in self.lines)

    @property
    def vat_pence(self) -> int:
        return sum(line.vat_pence or 0 for line in self.lines)

    @property
    def total_pence(self) -> int:
        return self.net_pence + self.vat_pence

    @property
    def with_vat(self) -> bool:
        """Whether VAT was worked out for every line."""
        return all(line.vat_bp is not None for line in self.lines)


def shown_line(position: int, line: PricedLine, called: tuple[str, str], basis: Basis) -> ShownLine:
    """``line`` with the name of its item, its unit and its explanation; without VAT where ``basis`` says so."""
    description, unit = called
    return ShownLine(
        position,
        line.code,
        description,
        unit,
        line.quantity,
        line.rate_pence,
        line.rule,
        basis.edition,
        line.adjustment_bp,
        line.uplift_bp,
        line.net_pence,
        None if basis.no_vat else line.vat_bp,
        None if basis.no_vat else line.vat_pence,
        explanation(line, unit, basis),
    )


def shown_lines(
    lines: Sequence[PricedLine], named: Mapping[str, tuple[str, str]], basis: Basis, why_vat: WhyVat
) -> tuple[ShownLine, ...]:
    """``lines`` with the names of their items and their explanations."""
    return tuple(
        shown_line(position, line, named_line(line, named), replace(basis, vat_why=why_vat(line)))
        for position, line in enumerate(lines, start=1)
    )


def edition_text(edition: Edition) -> str:
    """An edition as an explanation names it: ``SOR 2026``."""
    return f"{edition.schedule.code} {edition.name}"


# The client's declarations --------------------------------------------------------------------------------------------


def declarations_of(job_id: int) -> list[VatDeclaration]:
    """Every declaration for a job, the latest first, those that were withdrawn among them."""
    return list(
        db.session.scalars(
            select(VatDeclaration).where(VatDeclaration.job_id == job_id).order_by(VatDeclaration.id.desc())
        )
    )


def declared_now(declarations: Collection[VatDeclaration]) -> frozenset[Declared]:
    """What is declared now."""
    return frozenset(each.kind for each in declarations if each.withdrawn_at is None)


# Prices of a job ------------------------------------------------------------------------------------------------------


def at_schedule_rates(job: Job, declared: Collection[Declared] | None) -> OrderPrice:
    """A job's lines as they were specified, with VAT as declared; ``None`` where an order has the VAT of the job."""
    commissions = client_commissions(job.lot.framework)
    given = frozenset(declared or ())
    lines = price_order(works_of(job.lines, given, commissions=commissions), Terms())
    basis = Basis(edition_text(job.edition), no_vat=BESIDE_AN_ORDER if declared is None else "")
    shown = shown_lines(lines, names_of(job), basis, why_vat(lowest_rates(job), given, commissions=commissions))
    # Lines of a draft can be taken off: the others keep their places.
    placed = [replace(each, position=line.position) for each, line in zip(shown, job.lines, strict=True)]
    return OrderPrice(PricedAs.SCHEDULE_RATES, tuple(placed))


def of_offer(offer: Offer, declared: Collection[Declared], *, to_contractor: bool = False) -> OrderPrice:
    """What the order would be if the offer were accepted now."""
    job = offer.job
    commissions = client_commissions(job.lot.framework)
    works = works_of(job.lines, frozenset(declared), commissions=commissions)
    basis = Basis(edition_text(job.edition), offer.band_pence, offer.minimum_pence)
    why = why_vat(lowest_rates(job), declared, commissions=commissions, to_contractor=to_contractor)
    return OrderPrice(PricedAs.OFFER, shown_lines(priced_lines(offer, works), names_of(job), basis, why))


def of_order(offer: Offer, lines: Sequence[OrderLine], *, to_contractor: bool = False) -> OrderPrice:
    """An order as it was frozen, with the reasons for its VAT; a contractor is told nothing of the client."""
    shown = []
    for line in lines:
        priced = PricedLine(
            line.quantity,
            line.rate_pence,
            line.adjustment_bp,
            line.vat_bp or 0,
            line.net_pence,
            line.vat_pence or 0,
            line.uplift_bp,
            line.rule,
            line.code,
        )
        basis = Basis(
            edition_text(line.edition),
            offer.band_pence,
            offer.minimum_pence,
            vat_for_contractors(priced.vat_bp) if to_contractor else line.vat_why,
            FROM_BEFORE if line.vat_bp is None else "",
        )
        shown.append(shown_line(line.position, priced, (line.description, line.unit), basis))
    return OrderPrice(PricedAs.ORDER, tuple(shown))


def standing_offer(job: Job) -> Offer | None:
    """The offer that stands: waiting for its answer, accepted, or done."""
    standing = (OfferStatus.SENT, *ORDERED)
    return next((offer for offer in job.offers if offer.status in standing), None)


def standing_price(job: Job, declarations: Collection[VatDeclaration]) -> OrderPrice:
    """What a job costs as it stands: its order, else its open offer, else its lines at schedule rates."""
    offer = standing_offer(job)
    if offer is None:
        return at_schedule_rates(job, declared_now(declarations))
    if offer.status in ORDERED:
        return of_order(offer, queries.order_lines(offer))
    return of_offer(offer, declared_now(declarations))
