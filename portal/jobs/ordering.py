"""Write an accepted order out, line by line: item, edition, rate, adjustment and VAT as they are now, for good.

The offer holds the member's terms as they were when it was made, and the job's lines hold the rates as they were when
it was specified: whatever is published, agreed or withdrawn later changes no order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import insert, select

from portal.framework.models import Framework
from portal.framework.states import ContractingParty
from portal.jobs.funding_models import VatDeclaration
from portal.jobs.models import Job, JobLine, Offer, OrderLine
from portal.kernel.db import db, table_of
from portal.kernel.errors import Clash
from portal.rates.explaining import FILLING_WHY, vat_for_contractors, vat_of_part
from portal.rates.pricing import PricedLine, Terms, Work, price_order, quoted_lines, total
from portal.rates.states import PriceRule
from portal.rates.vat import STANDARD, Declared, vat_rate, vat_reason


class VatChanged(Clash):
    """An order would not come to the total with VAT that its contractor looked at."""


def declarations_on(job_id: int) -> frozenset[Declared]:
    """What the client of a job has declared, for lower VAT."""
    return frozenset(
        db.session.scalars(
            select(VatDeclaration.kind).where(VatDeclaration.job_id == job_id, VatDeclaration.withdrawn_at.is_(None))
        )
    )


def client_commissions(framework: Framework) -> bool:
    """Whether the client is the contractor's customer, which the zero rate of VAT needs."""
    return framework.contracting_party is ContractingParty.APPLICANT


def works_of(lines: Sequence[JobLine], declared: frozenset[Declared], *, commissions: bool) -> list[Work]:
    """A job's lines as they are priced, each with the VAT rate that it carries."""
    return [
        Work(
            line.code,
            line.quantity,
            line.rate_pence,
            line.rule is PriceRule.STAR_RATE,
            vat_rate(line.vat_bp, declared, client_commissions=commissions),
        )
        for line in lines
    ]


def terms_of(offer: Offer) -> Terms:
    """The terms on which an offer was made."""
    return Terms(offer.adjustment_bp, offer.own_rates, offer.uplift_bp, offer.minimum_pence)


def priced_lines(offer: Offer, works: Sequence[Work]) -> list[PricedLine]:
    """The lines of an offer with their prices: at the member's quote for all of them, or each on its terms."""
    return list(quoted_lines(offer.price_pence, works)) if offer.quoted else price_order(works, terms_of(offer))


#: Gives the reason for the VAT rate of a line.
WhyVat = Callable[[PricedLine], str]


def why_vat(
    lowest: Mapping[str, int], declared: Collection[Declared], *, commissions: bool, to_contractor: bool = False
) -> WhyVat:
    """The reasons for VAT rates; ``lowest`` holds the lowest rate that each item can carry, by code, and
    ``commissions`` says whether the client is the contractor's customer.

    A contractor is told the rate, never what the client has declared.
    """

    def why(line: PricedLine) -> str:
        if line.rule is PriceRule.MINIMUM_ORDER:
            return FILLING_WHY
        if to_contractor:
            return vat_for_contractors(line.vat_bp)
        if line.rule is PriceRule.QUOTE:
            return vat_of_part(line.vat_bp, lowest.values(), declared, client_commissions=commissions)
        return vat_reason(lowest.get(line.code, STANDARD), declared, client_commissions=commissions)

    return why


def freeze_order(offer: Offer, job: Job, shown_pence: int | None = None) -> None:
    """Write the lines of an order that has just been accepted.

    Raises ``VatChanged`` when ``shown_pence``, the total with VAT that was looked at, is not what it comes to.
    """
    declared, commissions = declarations_on(job.id), client_commissions(job.lot.framework)
    lines = priced_lines(offer, works_of(job.lines, declared, commissions=commissions))
    if shown_pence is not None and total(lines).total_pence != shown_pence:
        raise VatChanged(
            "The VAT of this job changed while you looked; the price before VAT is the same. Look at the total and "
            "accept again."
        )
    named, why = names_of(job), why_vat(lowest_rates(job), declared, commissions=commissions)
    rows = []
    for position, line in enumerate(lines, start=1):
        description, unit = named_line(line, named)
        rows.append(
            {
                "offer_id": offer.id,
                "position": position,
                "code": line.code,
                "description": description,
                "unit": unit,
                "quantity": line.quantity,
                "rate_pence": line.rate_pence,
                "rule": line.rule,
                "edition_id": job.edition_id,
                "adjustment_bp": line.adjustment_bp,
                "uplift_bp": line.uplift_bp,
                "net_pence": line.net_pence,
                "vat_bp": line.vat_bp,
                "vat_pence": line.vat_pence,
                "vat_why": why(line),
            }
        )
    db.session.execute(insert(table_of(OrderLine)), rows)


def lowest_rates(job: Job) -> dict[str, int]:
    """The lowest VAT rate that each item of a job can carry, by code."""
    return {line.code: line.vat_bp for line in job.lines}


def names_of(job: Job) -> dict[str, tuple[str, str]]:
    """What the items of a job are called, and their units, by code."""
    return {line.code: (line.description, line.unit) for line in job.lines}


def named_line(line: PricedLine, named: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """What a line is called, and its unit; ``named`` are the items of the specification."""
    if line.rule is PriceRule.MINIMUM_ORDER:
        return "To the minimum order of the lot", "order"
    if line.rule is PriceRule.QUOTE:
        items = "1 item" if len(named) == 1 else f"{len(named)} items"
        return f"The works as specified, {items}, at the price quoted", "job"
    return named[line.code]
