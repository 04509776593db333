"""What lines cost that are not on a job: a basket for a member, and a change to the works of an order.

Lines for a member are priced in at most three statements, whatever their number: the items, the star rates where a code
is no item, and the member's terms.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.framework.member_models import Contractor, Member
from portal.framework.models import Framework, Lot
from portal.framework.states import ContractingParty, VariationRates
from portal.jobs.line_rates import Rates, currency_fault
from portal.jobs.models import Job
from portal.jobs.order_prices import (
    OrderPrice,
    PricedAs,
    declarations_of,
    declared_now,
    edition_text,
    shown_lines,
    standing_offer,
)
from portal.jobs.ordering import client_commissions, why_vat
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.errors import InputRefused, NotFound, Problem, RuleBroken, WrongState
from portal.rates.basket import Basket
from portal.rates.explaining import Basis
from portal.rates.member_terms import MemberTerms, terms_of_member, terms_of_members
from portal.rates.models import Edition, Item, StarRate
from portal.rates.pricing import Terms, Work, price_line, price_order
from portal.rates.queries import edition_in_force
from portal.rates.states import PriceRule
from portal.rates.vat import Declared, vat_rate


@dataclass(frozen=True, slots=True)
class Taxed:
    """What decides the VAT of lines: what is declared, and whether the client commissions the works."""

    declared: frozenset[Declared] = frozenset()
    client_commissions: bool = False


def rated_lines(basket: Basket, rates: Rates, authority_id: int | None) -> list[Item | StarRate]:
    """The rate of each line of ``basket``; ``InputRefused`` names every line that has none."""
    found: list[Item | StarRate] = []
    problems = []
    for row, code, _ in basket.lines:
        try:
            found.append(rates.of(code, authority_id))
        except RuleBroken as broken:
            problems.append(Problem(basket.name, str(broken), row, "code"))
    if problems:
        raise InputRefused(problems)
    return found


def price_lines(
    basket: Basket,
    rated: Sequence[Item | StarRate],
    edition: Edition,
    terms: Terms,
    taxed: Taxed,
    *,
    band_pence: int = 0,
    priced_as: PricedAs = PricedAs.OFFER,
) -> OrderPrice:
    """Lines at their rates on some terms, as an order would be."""
    works = [
        Work(
            code,
            quantity,
            rate.rate_pence,
            rate.rule is PriceRule.STAR_RATE,
            vat_rate(rate.vat_bp, taxed.declared, client_commissions=taxed.client_commissions),
        )
        for (_, code, quantity), rate in zip(basket.lines, rated, strict=True)
    ]
    named = {rate.code: (rate.description, rate.unit) for rate in rated}
    lowest = {rate.code: rate.vat_bp for rate in rated}
    basis = Basis(edition_text(edition), band_pence, terms.minimum_pence)
    why = why_vat(lowest, taxed.declared, commissions=taxed.client_commissions)
    lines = shown_lines(price_order(works, terms), named, basis, why)
    currency = edition.schedule.currency
    if currency != "GBP":
        # Explanations are written in pounds, as orders are; these are sums in the schedule's own currency.
        lines = tuple(replace(line, explanation=line.explanation.replace("£", f"{currency} ")) for line in lines)
    return OrderPrice(priced_as, lines)


def value_of(basket: Basket, rated: Sequence[Item | StarRate]) -> int:
    """What the lines come to at schedule rates, in pence: what value bands are held against."""
    return sum(
        price_line(quantity, rate.rate_pence).net_pence
        for (_, _, quantity), rate in zip(basket.lines, rated, strict=True)
    )


@dataclass(frozen=True, slots=True)
class PricedBasket:
    """What lines cost, and the terms that price them."""

    terms: Terms
    price: OrderPrice


def price_for_member(
    basket: Basket,
    edition: Edition,
    member_id: int | None,
    on: date,
    *,
    authority_id: int | None = None,
    out_of_hours: bool = False,
    taxed: Taxed | None = None,
) -> PricedBasket:
    """Lines as an order of a member made ``on`` a day would be; without a member at the schedule's rates.

    At most three statements. ``authority_id`` lets its star rates in. Raises ``InputRefused`` with every line that has
    no rate, ``NotFound`` for an unknown member, ``RuleBroken`` for a member at rates that are not in pounds.
    """
    if member_id is not None and (fault := currency_fault(edition)) is not None:
        raise RuleBroken(fault)
    codes = {code for _, code, _ in basket.lines}
    rated = rated_lines(basket, Rates(edition, codes, on), authority_id)
    member = MemberTerms() if member_id is None else terms_of_member(member_id, on, edition.schedule_id, codes)
    value = value_of(basket, rated)
    terms = member.for_job(value, out_of_hours=out_of_hours)
    price = price_lines(basket, rated, edition, terms, taxed or Taxed(), band_pence=member.band(value))
    return PricedBasket(terms, price)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The membership whose terms price a basket, and whether the client is the contractor's customer there."""

    member_id: int
    client_commissions: bool


def one_membership(
    code: str,
    lot_name: str | None,
    framework_code: str | None,
    *,
    schedule_id: int,
    codes: Collection[str],
    on: date,
) -> Chosen:
    """The membership of the contractor ``code`` in a lot, or any of them when all price these codes of a schedule
    alike.

    Raises ``NotFound`` for an unknown contractor or lot, ``RuleBroken`` when its lots differ and none is named.
    """
    query = (
        select(Member.id, Lot.name, Framework.code, Framework.contracting_party)
        .join(Lot, Lot.id == Member.lot_id)
        .join(Framework, Framework.id == Lot.framework_id)
        .join(Contractor, Contractor.id == Member.contractor_id)
        .join(Organisation, Organisation.id == Contractor.organisation_id)
        .where(Organisation.code == code)
        .order_by(Framework.code, Lot.name)
    )
    if lot_name:
        query = query.where(Lot.name == lot_name)
    if framework_code:
        query = query.where(Framework.code == framework_code)
    found = db.session.execute(query).all()
    if not found:
        where = f" in the lot {lot_name}" if lot_name else ""
        raise NotFound(f"There is no member {code}{where}.")
    terms = terms_of_members([each.id for each in found], on, schedule_id, codes)
    first = found[0]
    if any(
        terms[each.id] != terms[first.id] or each.contracting_party is not first.contracting_party for each in found
    ):
        raise RuleBroken(
            f"The terms of {code} differ between {', '.join(f'{each.name} ({each.code})' for each in found)}; name one "
            "with --lot, and with --framework where several have such a lot."
        )
    return Chosen(first.id, first.contracting_party is ContractingParty.APPLICANT)


# Changes to an order --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChangePrice:
    """What more works for an order would cost, and at which edition."""

    edition: Edition
    at_order_rates: bool
    price: OrderPrice


def price_change(job: Job, basket: Basket, *, now: datetime) -> ChangePrice:
    """Price lines as a change to the accepted order of ``job`` would be; writes nothing.

    The order's adjustment and uplift hold. Its edition and the member's own rates of the day of the offer hold too,
    unless the framework says that changes are priced at the rates in force. The minimum order is the order's own: a
    change is not filled up to it. VAT is as declared now. Raises ``WrongState`` without an accepted order and
    ``InputRefused`` with every line that has no rate.
    """
    offer = standing_offer(job)
    if offer is None or offer.status is not OfferStatus.ACCEPTED or job.status is JobStatus.COMPLETE:
        raise WrongState(f"The job {job.reference} has no order that runs; only the works of an order are changed.")
    framework = job.lot.framework
    at_order_rates = framework.variation_rates is VariationRates.ORDER_EDITION
    today = local_date(now)
    if at_order_rates:
        edition, items_on, own_on = job.edition, local_date(job.specified_at), local_date(offer.sent_at)
    else:
        edition, items_on, own_on = edition_in_force(today, job.edition.schedule.code), today, today
    codes = {code for _, code, _ in basket.lines}
    rated = rated_lines(basket, Rates(edition, codes, items_on), job.authority_id)
    own = dict(terms_of_member(offer.member_id, own_on, edition.schedule_id, codes).own_rates)
    if at_order_rates:
        # What the order holds itself is the last word, whatever was agreed later on the day of the offer.
        ordered = {line.code for line in job.lines}
        own = {code: rate for code, rate in own.items() if code not in ordered} | offer.own_rates
    price = price_lines(
        basket,
        rated,
        edition,
        Terms(offer.adjustment_bp, own, offer.uplift_bp),
        Taxed(declared_now(declarations_of(job.id)), client_commissions(framework)),
        band_pence=offer.band_pence,
        priced_as=PricedAs.CHANGE,
    )
    return ChangePrice(edition, at_order_rates, price)
