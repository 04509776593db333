"""Contractors' requests for another rate: made with evidence, withdrawn; refused, or taken up into a review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.framework.documents.files import CheckedFile
from portal.framework.faults import TakenTerm, WrongTerm
from portal.framework.members.services import lock_contractor
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken, WrongState
from portal.rates.models import Schedule
from portal.rates.queries import edition_in_force, items_by_code
from portal.rates.reviews import notices, queries
from portal.rates.reviews.models import PriceRequest, PriceReview, ReviewRule
from portal.rates.reviews.review_rules import LEAST_CHANGE, MOST_CHANGE, RuleWanted, check_known, set_rule
from portal.rates.reviews.rules import scope_text
from portal.rates.reviews.services import checked_text
from portal.rates.states import REQUEST_MOVES, RequestStatus

#: Requests of one contractor that may wait at once, and that it may make within a day.
MOST_OPEN, MOST_A_DAY = 20, 40
STATUS_TEXT = {
    RequestStatus.OPEN: "open",
    RequestStatus.TAKEN_UP: "taken up",
    RequestStatus.REFUSED: "refused",
    RequestStatus.WITHDRAWN: "withdrawn",
}


@dataclass(frozen=True, slots=True)
class RequestWanted:
    """What a contractor asks for: a change in basis points of one item's rate, or of a trade's."""

    schedule_code: str
    trade: str
    code: str
    asked_bp: int
    reason: str


def make_request(
    contractor_id: int,
    wanted: RequestWanted,
    *,
    by: str,
    now: datetime,
    file: CheckedFile | None = None,
    stored_name: str | None = None,
) -> PriceRequest:
    """A request, open until staff answer it; ``file`` is its evidence, kept under ``stored_name``.

    Raises ``WrongTerm`` for what cannot be asked, ``TakenTerm`` while the same is asked for already, ``NotFound`` for
    an unknown schedule, ``RuleBroken`` for too many requests.
    """
    contractor = lock_contractor(contractor_id)
    edition = edition_in_force(local_date(now), wanted.schedule_code)
    trade, code = wanted.trade.strip(), wanted.code.strip()
    if bool(trade) is bool(code):
        raise WrongTerm("Say whether you ask for one item or for a whole trade.", "applies_to")
    if code:
        code = _known_code(edition.id, code, f"{edition.schedule.name}, edition {edition.name}")
    elif not queries.has_trade(edition.id, trade):
        raise WrongTerm(f"No item of {edition.schedule.name} has the trade {trade}; choose another.", "trade")
    if not wanted.asked_bp or not LEAST_CHANGE < wanted.asked_bp <= MOST_CHANGE:
        raise WrongTerm("Ask for a change above −100 % and not above 1,000 %, other than 0.", "asked_bp")
    reason = checked_text(wanted.reason, "reason", "Give the reason; the reviewer reads it.")
    _refuse_second(contractor.id, edition.schedule_id, trade, code)
    _refuse_flood(contractor.id, now)
    request = PriceRequest(
        schedule_id=edition.schedule_id,
        schedule=edition.schedule,
        contractor_id=contractor.id,
        contractor=contractor,
        trade=trade,
        code=code,
        asked_bp=wanted.asked_bp,
        reason=reason,
        status=RequestStatus.OPEN,
        made_by=by,
        made_at=now,
    )
    if file is not None:
        request.stored_name, request.file_name, request.media_type = stored_name, file.name, file.media_type
        request.size_bytes, request.sha256 = len(file.content), file.sha256
    db.session.add(request)
    db.session.flush()
    _record("price request made", request, by=by, now=now, asked_bp=request.asked_bp, sha256=request.sha256)
    return request


def withdraw_request(contractor_id: int, request_id: int, *, by: str, now: datetime) -> PriceRequest:
    """Take a request back that nobody has answered yet; ``NotFound`` for another contractor's."""
    queries.own_request(contractor_id, request_id)
    request = _locked(request_id)
    _check_move(request, RequestStatus.WITHDRAWN)
    request.status = RequestStatus.WITHDRAWN
    _record("price request withdrawn", request, by=by, now=now)
    return request


def refuse_request(request_id: int, *, reason: str, by: str, now: datetime) -> PriceRequest:
    """Say no, and why; the contractor is told."""
    request = _locked(request_id)
    _check_move(request, RequestStatus.REFUSED)
    request.decision_reason = checked_text(reason, "reason", "Give the reason; the contractor reads it.")
    request.status = RequestStatus.REFUSED
    request.decided_by, request.decided_at = by, now
    _record("price request refused", request, by=by, now=now)
    notices.tell_refused(request, now=now)
    return request


def take_up_request(request_id: int, *, by: str, now: datetime) -> tuple[PriceReview, bool]:
    """Take a request up into the draft of its schedule: a rule with the asked percentage for that item or trade, which
    the reviewer may change. A rule that stands there already stays as it is. The contractor is told.

    Returns the review, and whether a rule was made. Raises ``WrongState`` without a draft, ``WrongTerm`` when the
    review's base does not have the item or trade.
    """
    schedule_id = db.session.scalar(select(PriceRequest.schedule_id).where(PriceRequest.id == request_id))
    db.session.execute(select(Schedule.id).where(Schedule.id == schedule_id).with_for_update())
    request = _locked(request_id)
    _check_move(request, RequestStatus.TAKEN_UP)
    review = queries.draft_of(request.schedule_id)
    if review is None:
        raise WrongState(
            f"No review of {request.schedule.code} is a draft at present. Start a review, then take the request up."
        )
    check_known(review, request.trade, request.code)
    scope = select(ReviewRule.id).where(
        ReviewRule.review_id == review.id, ReviewRule.trade == request.trade, ReviewRule.code == request.code
    )
    ruled = db.session.scalar(scope) is not None
    if not ruled:
        wanted = RuleWanted(trade=request.trade, code=request.code, change_bp=request.asked_bp)
        set_rule(review.id, wanted, by=by, now=now)
    request.status, request.review_id = RequestStatus.TAKEN_UP, review.id
    request.decided_by, request.decided_at = by, now
    _record("price request taken up", request, by=by, now=now, review=review.id)
    notices.tell_taken_up(request, now=now)
    return review, not ruled


def _locked(request_id: int) -> PriceRequest:
    """A request as it stands now, locked until the transaction ends; ``NotFound`` when there is none."""
    request = db.session.scalar(
        select(PriceRequest)
        .where(PriceRequest.id == request_id)
        .with_for_update(of=PriceRequest)
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotFound("There is no such request.")
    return request


def _check_move(request: PriceRequest, status: RequestStatus) -> None:
    if status not in REQUEST_MOVES[request.status]:
        raise WrongState(f"This request is {STATUS_TEXT[request.status]} already.")


def _known_code(edition_id: int, code: str, edition: str) -> str:
    """The code as the edition writes it: as it was given, or in capitals."""
    found = items_by_code(edition_id, {code, code.upper()})
    item = found.get(code) or found.get(code.upper())
    if item is None:
        raise WrongTerm(f"{code} is not an item of {edition}; look at your order or your rates for the code.", "code")
    if item.withdrawn_on is not None:
        raise WrongTerm(f"{item.code} is withdrawn from {date_text(item.withdrawn_on)}; its rate stays.", "code")
    return item.code


def _refuse_second(contractor_id: int, schedule_id: int, trade: str, code: str) -> None:
    same = db.session.scalar(
        select(PriceRequest).where(
            PriceRequest.contractor_id == contractor_id,
            PriceRequest.schedule_id == schedule_id,
            PriceRequest.trade == trade,
            PriceRequest.code == code,
            PriceRequest.status == RequestStatus.OPEN,
        )
    )
    if same is not None:
        raise TakenTerm(
            f"{scope_text((trade, code))}: you asked on {date_text(local_date(same.made_at))} already, and the request "
            "waits for an answer. Withdraw it to ask for something else.",
            "code" if code else "trade",
        )


def _refuse_flood(contractor_id: int, now: datetime) -> None:
    """Nobody fills the disk: so many requests wait at once, and so many come within 24 hours."""
    own = select(func.count()).where(PriceRequest.contractor_id == contractor_id)
    waiting = db.session.scalar(own.where(PriceRequest.status == RequestStatus.OPEN)) or 0
    if waiting >= MOST_OPEN:
        raise RuleBroken(f"{waiting} requests of yours wait for an answer; at most {MOST_OPEN} may wait at once.")
    if (db.session.scalar(own.where(PriceRequest.made_at > now - timedelta(days=1))) or 0) >= MOST_A_DAY:
        raise RuleBroken(f"You made {MOST_A_DAY} requests within a day; make more tomorrow.")


def _record(action: str, request: PriceRequest, *, by: str, now: datetime, **data: object) -> None:
    audit.record(
        action,
        f"price-request:{request.id}",
        at=now,
        actor=by,
        contractor=request.contractor.organisation.code,
        schedule=request.schedule.code,
        trade=request.trade,
        code=request.code,
        **data,
    )
