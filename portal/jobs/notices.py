"""What the portal writes to people about offers. No client data: a reference, a district, dates."""

from __future__ import annotations

from datetime import date, datetime

from portal.jobs.models import Job
from portal.jobs.states import OfferStatus
from portal.kernel.clock import date_text, local_text
from portal.kernel.outbox import notice_row


def offer_notice(job: Job, email: str, answer_by: datetime, start_by: date, *, at: datetime) -> dict[str, object]:
    """To the contractor: a job is offered to you."""
    body = (
        f"The job {job.reference} in {job.district} is offered to you.\n\n"
        f"Answer by {local_text(answer_by)}. The works must start by {date_text(start_by)}.\n"
        "Sign in to see the works and the price, and to accept or decline.\n\n"
        "Without an answer in time the job goes to the next contractor; that is not counted as a refusal.\n"
    )
    return notice_row(email, f"Job offered: {job.reference}", body, at=at)


TAKEN_AWAY = {
    OfferStatus.EXPIRED: "No answer came in time, so the job has gone on to the next contractor. "
    "This is not counted as a refusal.",
    OfferStatus.WITHDRAWN: "The officer has taken the offer back.",
    OfferStatus.FAILED_TO_START: "No start was recorded by the last day to start, so the order has ended and the job "
    "goes to the next contractor. Do not start the works; if they have begun, call the authority at once.",
}


def taken_away_notice(job: Job, email: str, outcome: OfferStatus, *, at: datetime) -> dict[str, object]:
    """To the contractor: an offer or order is no longer yours."""
    return notice_row(
        email, f"No longer yours: {job.reference}", f"Job {job.reference}. {TAKEN_AWAY[outcome]}\n", at=at
    )


def failed_notice(job: Job, officer: str, contractor: str, *, at: datetime) -> dict[str, object]:
    """To the officer: a contractor did not start."""
    body = f"{contractor} recorded no start on the job {job.reference} in time. The job goes to the next member.\n"
    return notice_row(officer, f"Not started: {job.reference}", body, at=at)


def accepted_notice(job: Job, officer: str, start_on: date, *, at: datetime) -> dict[str, object]:
    """To the officer: the job is accepted."""
    return notice_row(
        officer,
        f"Accepted: {job.reference}",
        f"The job {job.reference} is accepted. Works start on {date_text(start_on)}.\n",
        at=at,
    )


def exhausted_notice(job: Job, officer: str, *, at: datetime) -> dict[str, object]:
    """To the officer: nobody is left."""
    return notice_row(
        officer,
        f"Nobody left: {job.reference}",
        f"No member of the lot can take the job {job.reference}.\n\n"
        "Sign in to see each member's reason, and decide how the works go on.\n",
        at=at,
    )
