"""What must always hold of jobs, offers and decisions; ``portal check`` asks it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.jobs import allocation
from portal.jobs.models import Decision, Job, JobLine, Offer, OrderLine, offer_is
from portal.jobs.ordering import priced_lines, works_of
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel.db import db
from portal.rates.pricing import price_line, total
from portal.rates.states import PriceRule

LIVE_OFFER = {
    JobStatus.ALLOCATING: OfferStatus.SENT,
    JobStatus.ACCEPTED: OfferStatus.ACCEPTED,
    JobStatus.STARTED: OfferStatus.ACCEPTED,
    JobStatus.COMPLETE: OfferStatus.COMPLETED,
}
STANDING = (OfferStatus.SENT, OfferStatus.ACCEPTED, OfferStatus.COMPLETED)


def faults() -> Iterator[str]:
    """A sentence for everything that is off."""
    yield from _offers_fit_their_jobs()
    yield from _totals_add_up()
    yield from _orders_keep_their_terms()
    yield from _open_offers_come_to_their_price()
    yield from _decisions_repeat()


def _offers_fit_their_jobs() -> Iterator[str]:
    standing = dict[str, list[OfferStatus]]()
    rows = db.session.execute(
        select(Job.reference, Job.status, Offer.status)
        .outerjoin(Offer, (Offer.job_id == Job.id) & Offer.status.in_(STANDING))
        .execution_options(yield_per=5_000)
    )
    states: dict[str, JobStatus] = {}
    for reference, job_status, offer_status in rows:
        states[reference] = job_status
        standing.setdefault(reference, [])
        if offer_status is not None:
            standing[reference].append(offer_status)
    for reference, found in standing.items():
        wanted = LIVE_OFFER.get(states[reference])
        if found != ([wanted] if wanted else []):
            yield (
                f"The job {reference} is {states[reference].value} but has the standing offers "
                f"{', '.join(status.value for status in found) or 'none'}."
            )


def _totals_add_up() -> Iterator[str]:
    sums = select(JobLine.job_id, func.sum(JobLine.net_pence).label("net")).group_by(JobLine.job_id).subquery()
    for reference, value, net in db.session.execute(
        select(Job.reference, Job.value_pence, sums.c.net)
        .outerjoin(sums, sums.c.job_id == Job.id)
        .where(Job.value_pence != func.coalesce(sums.c.net, 0))
    ):
        yield f"The job {reference} says {value} pence, its lines come to {net or 0}."
    ordered = (
        select(OrderLine.offer_id, func.sum(OrderLine.net_pence).label("net")).group_by(OrderLine.offer_id).subquery()
    )
    for offer_id, price, net in db.session.execute(
        select(Offer.id, Offer.price_pence, ordered.c.net)
        .join(ordered, ordered.c.offer_id == Offer.id)
        .where(Offer.price_pence != ordered.c.net)
    ):
        yield f"The offer {offer_id} was made at {price} pence, its order comes to {net}."
    lines = select(OrderLine).execution_options(yield_per=5_000)
    for line in db.session.scalars(lines):
        priced = price_line(line.quantity, line.rate_pence, line.adjustment_bp, line.vat_bp or 0, line.uplift_bp)
        # An order from before VAT was worked out has none.
        if priced.net_pence != line.net_pence or line.vat_pence not in (None, priced.vat_pence):
            yield f"Line {line.position} of the order from offer {line.offer_id} does not come to its own price."


def _orders_keep_their_terms() -> Iterator[str]:
    """Each line of an order stands on the terms of its offer."""
    rows = db.session.execute(
        select(OrderLine, Offer).join(Offer, Offer.id == OrderLine.offer_id).execution_options(yield_per=5_000)
    )
    for line, offer in rows:
        if line.rule in {PriceRule.SCHEDULE_RATE, PriceRule.STAR_RATE}:
            # A member's own rate comes before any other.
            own = line.code not in offer.own_rates
        else:
            own = line.rule is not PriceRule.OWN_RATE or offer.own_rates.get(line.code) == line.rate_pence
        adjusted = offer.adjustment_bp if line.rule is PriceRule.SCHEDULE_RATE else 0
        added = 0 if line.rule in {PriceRule.QUOTE, PriceRule.MINIMUM_ORDER} else offer.uplift_bp
        if not own or line.adjustment_bp != adjusted or line.uplift_bp != added:
            yield f"Line {line.position} of the order from offer {offer.id} is not on the terms of its offer."


def _open_offers_come_to_their_price() -> Iterator[str]:
    """An open offer is made at what the lines of its order would come to."""
    offers = (
        select(Offer)
        .where(offer_is(OfferStatus.SENT))
        .options(joinedload(Offer.job).selectinload(Job.lines))
        .execution_options(yield_per=500)
    )
    for offer in db.session.scalars(offers):
        # Net prices are the same at any VAT.
        net = total(priced_lines(offer, works_of(offer.job.lines, frozenset(), commissions=False))).net_pence
        if net != offer.price_pence:
            yield f"The offer {offer.id} was made at {offer.price_pence} pence, its lines come to {net}."


def _decisions_repeat() -> Iterator[str]:
    """Run the rule again on the stored facts: same facts, same ranking, same choice."""
    decisions = select(Decision).options(selectinload(Decision.places)).execution_options(yield_per=200)
    for decision in db.session.scalars(decisions):
        if decision.rule_version not in allocation.KNOWN_RULES:
            yield f"The decision {decision.id} was made by the rule {decision.rule_version}, which is not known here."
            continue
        job, lot, today = allocation.stored_facts(decision.inputs)
        members = [allocation.stored_member(place.member_code, place.basis) for place in decision.places]
        again = [
            (r.position, r.member.code, r.eligible, list(r.reasons)) for r in allocation.rank(job, lot, members, today)
        ]
        stored = [(p.position, p.member_code, p.eligible, list(p.reasons)) for p in decision.places]
        chosen = next((p.member_id for p in decision.places if p.eligible), None)
        if again != stored or chosen != decision.chosen_member_id:
            yield f"The decision {decision.id} does not come out the same from its own stored facts."
