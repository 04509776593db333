"""What the portal writes to contractors about rates: new ones, and what became of their requests. No rates in mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from portal.framework.queries import all_lot_ids
from portal.framework.roster import Roster
from portal.kernel.clock import date_text
from portal.kernel.outbox import queue_notice
from portal.rates.reviews import queries
from portal.rates.reviews.models import PriceRequest, PriceReview
from portal.rates.reviews.rules import scope_text


def addresses(emails: Iterable[str]) -> list[str]:
    """Each address once, in order."""
    return sorted({email for email in emails if email})


def active_on(day: date) -> list[str]:
    """The addresses of the contractors with a membership that is active on ``day``."""
    roster = Roster(all_lot_ids(), day)
    return addresses(each.email for each in roster if each.active)


def tell_of_new_rates(review: PriceReview, *, now: datetime) -> int:
    """To every contractor that is an active member on the effective day: new rates, from when, and where to look.
    Returns how many are told."""
    told = active_on(review.starts_on)
    schedule = review.schedule
    subject = f"New rates from {date_text(review.starts_on)}: {schedule.name}"
    body = (
        f"The schedule of rates {schedule.name} ({schedule.code}) has a new edition, {review.edition_name}. It is in "
        f"force from {date_text(review.starts_on)}.\n\n"
        "Jobs that are specified from that day on are priced at it. Your orders, and jobs that are specified already, "
        "keep their rates.\n\n"
        "Sign in to see your rates: /firm/rates\n"
    )
    for email in told:
        queue_notice(email, subject, body, at=now)
    return len(told)


def tell_of_the_end(review: PriceReview, *, now: datetime) -> None:
    """To the contractors whose requests a review had taken up: it has ended without new rates."""
    for email in addresses(each.email for each in queries.contractors_taken_up(review.id)):
        queue_notice(
            email,
            f"The review of {review.schedule.name} has ended",
            f"The review of the schedule of rates {review.schedule.name} that took your request up has ended without "
            "new rates. The rates stay as they are.\n\nYou may ask again: sign in and see /firm/price-requests\n",
            at=now,
        )


def _subject(request: PriceRequest) -> str:
    return f"{scope_text((request.trade, request.code))} of {request.schedule.name}"


def tell_taken_up(request: PriceRequest, *, now: datetime) -> None:
    """To the contractor: a review looks at what was asked for."""
    queue_notice(
        request.contractor.email,
        f"Your request is taken up: {_subject(request)}",
        f"Your request for another rate of {request.schedule.name} ({scope_text((request.trade, request.code))}) is "
        "taken up by a review of the schedule. The review may come to another rate than you asked for.\n\n"
        "You are told when new rates are published. Sign in and see /firm/price-requests\n",
        at=now,
    )


def tell_refused(request: PriceRequest, *, now: datetime) -> None:
    """To the contractor: no, and why."""
    queue_notice(
        request.contractor.email,
        f"Your request is refused: {_subject(request)}",
        f"Your request for another rate of {request.schedule.name} ({scope_text((request.trade, request.code))}) is "
        f"refused.\n\nReason: {request.decision_reason}\n\nThe rate stays as it is.\n",
        at=now,
    )
