"""``portal rates requests``: contractors' requests for another rate."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.frame import actor, iso, json_option, show_json, with_app
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.money import percent
from portal.rates.reviews import queries, requests
from portal.rates.reviews.models import PriceRequest


@click.group("requests")
def requests_() -> None:
    """Contractors' requests for another rate."""


def document(request: PriceRequest) -> dict[str, Any]:
    """A request as JSON."""
    return {
        "id": request.id,
        "schedule": request.schedule.code,
        "contractor": request.contractor.organisation.code,
        "code": request.code or None,
        "trade": request.trade or None,
        "asked_percent": percent(request.asked_bp),
        "reason": request.reason,
        "status": request.status.value,
        "made_at": iso(request.made_at),
        "decision_reason": request.decision_reason,
        "review": request.review_id,
    }


@requests_.command("list")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@json_option
@with_app
def list_(page: int, as_json: bool) -> None:
    """The requests, those that wait first."""
    found = [document(each) for each in queries.requests(page)[: queries.PAGE]]
    if as_json:
        show_json(found)
        return
    for each in found:
        click.echo(
            f"{each['id']}\t{each['contractor']}\t{each['code'] or each['trade']}\t{each['asked_percent']} %\t"
            f"{each['status']}"
        )


@requests_.command("refuse")
@click.argument("request", type=int)
@click.option("--reason", required=True, help="The contractor reads it.")
@with_app
def refuse_(request: int, reason: str) -> None:
    """Refuse a REQUEST (its number); the contractor is told."""
    with transaction():
        requests.refuse_request(request, reason=reason, by=actor(), now=clock.now())
    click.echo(f"The request {request} is refused.")


@requests_.command("take-up")
@click.argument("request", type=int)
@with_app
def take_up(request: int) -> None:
    """Take a REQUEST (its number) up into the review of its schedule that is a draft."""
    with transaction():
        review, made = requests.take_up_request(request, by=actor(), now=clock.now())
    rule = "it has a rule of its own now" if made else "a rule for it stood there already"
    click.echo(f"The request {request} is taken up into the review {review.id}; {rule}.")
