"""A job as the JSON document of the interface: lines, price, ranking with every reason, offers, events."""

from __future__ import annotations

from typing import Any

from portal.jobs.models import Decision, Job, Offer
from portal.jobs.order_prices import (
    OrderPrice,
    PricedAs,
    at_schedule_rates,
    declarations_of,
    declared_now,
    standing_price,
)
from portal.jobs.queries import decisions_on
from portal.kernel.audit import events_on
from portal.kernel.money import percent, pounds


def iso(instant: Any) -> str | None:
    """An instant or a date in ISO 8601; instants are UTC and end in Z."""
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")


def job_document(job: Job) -> dict[str, Any]:
    """Everything the portal knows of ``job``, money as decimal strings in pounds, excluding VAT where nothing else is
    said. ``order`` holds the lines of the accepted order (``frozen``), or of the order that the open offer would be;
    ``totals`` are those of what stands: order, offer, or the lines at schedule rates. Beside an accepted order
    ``lines`` have no VAT: it is the order's, and nothing of it changes.
    """
    decisions = decisions_on(job)
    declarations = declarations_of(job.id)
    standing = standing_price(job, declarations)
    ordered = standing.priced_as is PricedAs.ORDER
    return {
        "reference": job.reference,
        "status": job.status.value,
        "authority": job.authority.code,
        "work_type": job.work_type,
        "priority": job.priority.value,
        "required_start": iso(job.required_start),
        "edition": {"schedule": job.edition.schedule.code, "name": job.edition.name},
        "out_of_hours": job.out_of_hours,
        "lines": price_document(at_schedule_rates(job, None if ordered else declared_now(declarations))),
        "price": pounds(job.value_pence),
        "order": None
        if standing.priced_as is PricedAs.SCHEDULE_RATES
        else {
            "frozen": ordered,
            "lines": price_document(standing),
            **sums_of(standing),
        },
        "totals": sums_of(standing),
        "ranking": _ranking(decisions[0]) if decisions else [],
        "decisions": [
            {
                "decided_at": iso(decision.decided_at),
                "decided_by": decision.decided_by,
                "because": decision.because,
                "rule_version": decision.rule_version,
                "inputs": decision.inputs,
                "ranking": _ranking(decision),
            }
            for decision in decisions
        ],
        "offers": [_offer(offer) for offer in job.offers],
        "events": [
            {"id": event.id, "at": iso(event.at), "actor": event.actor, "action": event.action, "data": event.data}
            for event in events_on(f"job:{job.reference}")
        ],
    }


def price_document(price: OrderPrice) -> list[dict[str, Any]]:
    """Priced lines; VAT is null in orders from before it was worked out, and in lines beside an order."""
    return [
        {
            "position": line.position,
            "code": line.code,
            "description": line.description,
            "unit": line.unit,
            "quantity": format(line.quantity, "f"),
            "rate": pounds(line.rate_pence),
            "net": pounds(line.net_pence),
            "rule": line.rule.value,
            "edition": line.edition,
            "adjustment_percent": percent(line.adjustment_bp),
            "uplift_percent": percent(line.uplift_bp),
            "vat_percent": None if line.vat_bp is None else percent(line.vat_bp),
            "vat": None if line.vat_pence is None else pounds(line.vat_pence),
            "explanation": line.explanation,
        }
        for line in price.lines
    ]


def sums_of(price: OrderPrice) -> dict[str, str | None]:
    """What lines come to; VAT and the total with it are null where VAT was not worked out."""
    return {
        "net": pounds(price.net_pence),
        "vat": pounds(price.vat_pence) if price.with_vat else None,
        "total": pounds(price.total_pence) if price.with_vat else None,
    }


def _ranking(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "member": place.member_code,
            "position": place.position,
            "eligible": place.eligible,
            "reasons": place.reasons,
            "basis": place.basis,
        }
        for place in decision.places
    ]


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "id": offer.id,
        "member": offer.member.contractor.organisation.code,
        "status": offer.status.value,
        "sent_at": iso(offer.sent_at),
        "answer_by": iso(offer.answer_by),
        "start_by": iso(offer.start_by),
        "answered_at": iso(offer.answered_at),
        "start_on": iso(offer.start_on),
        "started_on": iso(offer.started_on),
        "reason_code": offer.reason_code and offer.reason_code.value,
        "reason": offer.reason,
        "adjustment_bp": offer.adjustment_bp,
        "price": pounds(offer.price_pence),
    }
