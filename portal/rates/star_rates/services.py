"""Agree star rates: propose one, approve or reject it, withdraw it. Who proposed one never decides on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.faults import WrongTerm
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import NotAllowed, NotFound, RuleBroken, WrongState
from portal.kernel.money import shown
from portal.kernel.outbox import queue_notice
from portal.rates.models import Schedule, StarRate
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.star_rates.queries import publishers
from portal.rates.states import STAR_RATE_MOVES, StarRateStatus
from portal.rates.vat import RATES, STANDARD

LONGEST = {"description": 400, "unit": 40, "trade": 200, "reason": 1_000}


@dataclass(frozen=True, slots=True)
class ProposedRate:
    """What somebody proposes: the rate in pence excluding VAT, the lowest VAT that the works can carry in basis
    points."""

    description: str
    unit: str
    rate_pence: int
    reason: str
    trade: str = ""
    vat_bp: int = STANDARD


def propose_star_rate(
    schedule: Schedule, authority: Organisation, wanted: ProposedRate, *, by: str, now: datetime
) -> StarRate:
    """Propose a rate for jobs of ``authority``; those who publish rates are told. The portal gives the code.

    Raises ``WrongTerm`` for what cannot be, with the name of the term.
    """
    texts = {name: " ".join(getattr(wanted, name).split()) for name in LONGEST}
    for name, text in texts.items():
        if not text and name != "trade":
            raise WrongTerm(f"Give the {name} of the star rate.", name)
        if len(text) > LONGEST[name]:
            raise WrongTerm(f"The {name} has {len(text)} characters; at most {LONGEST[name]:,} fit.", name)
    if not 0 < wanted.rate_pence <= MOST_RATE_PENCE:
        raise WrongTerm(f"The rate must be above £0 and not above {shown(MOST_RATE_PENCE)}.", "rate_pence")
    if wanted.vat_bp not in RATES:
        raise WrongTerm("The lowest VAT is 0, 5 or 20 %.", "vat_bp")
    if schedule.currency != "GBP":
        raise WrongTerm(f"Jobs are priced in pounds; {schedule.code} is in {schedule.currency}.", "schedule")
    if authority.kind is not OrganisationKind.AUTHORITY:
        raise WrongTerm(f"{authority.code} is no authority; star rates are agreed for one.", "authority")
    star = StarRate(
        schedule_id=schedule.id,
        authority_id=authority.id,
        # Nobody else can have it; its number stands in the code and is known once the row is there.
        code=f"STAR-{uuid4()}",
        rate_pence=wanted.rate_pence,
        vat_bp=wanted.vat_bp,
        status=StarRateStatus.PROPOSED,
        proposed_by=by,
        proposed_at=now,
        schedule=schedule,
        authority=authority,
        **texts,
    )
    db.session.add(star)
    db.session.flush()
    # No item can have such a code (``schedule_file.own_code_fault``).
    star.code = f"STAR-{star.id:04}"
    audit.record(
        "star rate proposed",
        f"star-rate:{star.code}",
        at=now,
        actor=by,
        schedule=schedule.code,
        authority=authority.code,
        rate_pence=star.rate_pence,
        vat_bp=star.vat_bp,
    )
    for email in publishers():
        if email != by:
            queue_notice(
                email,
                f"Star rate to decide on: {star.code}",
                f"{authority.name} proposes {shown(star.rate_pence)} per {star.unit} for “{star.description}”.\n\n"
                "Sign in to approve or reject it.\n",
                at=now,
            )
    return star


def _locked(star_id: int) -> StarRate:
    star = db.session.scalar(
        select(StarRate)
        .where(StarRate.id == star_id)
        .with_for_update(of=StarRate)
        .execution_options(populate_existing=True)
    )
    if star is None:
        raise NotFound("There is no such star rate.")
    return star


def _move(star: StarRate, status: StarRateStatus) -> None:
    if status not in STAR_RATE_MOVES[star.status]:
        raise WrongState(f"The star rate {star.code} is {star.status.value}; it cannot become {status.value}.")
    star.status = status


def _decide(star_id: int, status: StarRateStatus, reason: str, *, by: str, now: datetime) -> StarRate:
    """Take a decision on a proposal, by somebody else than proposed it."""
    star = _locked(star_id)
    if star.status is StarRateStatus.PROPOSED and star.proposed_by == by:
        raise NotAllowed("Whoever proposes a star rate does not decide on it; ask somebody else who publishes rates.")
    _move(star, status)
    star.decided_by, star.decided_at, star.decision_reason = by, now, reason
    return star


def approve_star_rate(star_id: int, from_on: date, to_on: date | None, *, by: str, now: datetime) -> StarRate:
    """Approve a proposal for the days ``[from_on, to_on)``; without ``to_on`` it has no end. Its proposer is told.

    Raises ``NotAllowed`` for whoever proposed it, ``WrongTerm`` for days that cannot be.
    """
    today = local_date(now)
    if from_on < today:
        raise WrongTerm(f"{date_text(from_on)} is in the past; a star rate holds from today or later.", "from_on")
    if to_on is not None and to_on <= from_on:
        raise WrongTerm(f"The end must come after the first day, {date_text(from_on)}.", "to_on")
    star = _decide(star_id, StarRateStatus.APPROVED, "", by=by, now=now)
    star.from_on, star.to_on = from_on, to_on
    audit.record(
        "star rate approved",
        f"star-rate:{star.code}",
        at=now,
        actor=by,
        from_on=from_on.isoformat(),
        to_on=to_on and to_on.isoformat(),
    )
    until = f" until {date_text(to_on)}" if to_on else ""
    _tell(star, "approved", f"It can be used on your authority’s jobs from {date_text(from_on)}{until}.", now)
    return star


def reject_star_rate(star_id: int, reason: str, *, by: str, now: datetime) -> StarRate:
    """Reject a proposal with a reason; its proposer is told. Raises as ``approve_star_rate`` does."""
    star = _decide(star_id, StarRateStatus.REJECTED, _checked(reason), by=by, now=now)
    audit.record("star rate rejected", f"star-rate:{star.code}", at=now, actor=by)
    _tell(star, "rejected", f"The reason: {star.decision_reason}", now)
    return star


def withdraw_star_rate(star_id: int, reason: str, *, by: str, now: datetime) -> StarRate:
    """Take a star rate out of use with a reason: no new line takes it; lines that have it keep it."""
    star = _locked(star_id)
    was, reason = star.status, _checked(reason)
    _move(star, StarRateStatus.WITHDRAWN)
    star.decision_reason = reason
    audit.record("star rate withdrawn", f"star-rate:{star.code}", at=now, actor=by, was=was.value)
    if star.proposed_by != by:
        _tell(star, "withdrawn", f"The reason: {reason}", now)
    return star


def take_back_proposal(star_id: int, *, by: str, now: datetime) -> StarRate:
    """Take a proposal back before anybody has decided; ``WrongState`` afterwards."""
    star = _locked(star_id)
    if star.status is not StarRateStatus.PROPOSED:
        raise WrongState(f"The star rate {star.code} is {star.status.value}; only a proposal can be taken back.")
    _move(star, StarRateStatus.WITHDRAWN)
    audit.record("star rate taken back", f"star-rate:{star.code}", at=now, actor=by)
    return star


def _checked(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise WrongTerm("Give the reason; it is kept with the star rate.", "reason")
    if len(reason) > LONGEST["reason"]:
        raise WrongTerm(f"The reason has {len(reason)} characters; at most {LONGEST['reason']:,} fit.", "reason")
    return reason


def _tell(star: StarRate, outcome: str, what: str, now: datetime) -> None:
    """A notice to whoever proposed it, where that is an address."""
    if "@" in star.proposed_by:
        queue_notice(
            star.proposed_by,
            f"Star rate {outcome}: {star.code}",
            f"The star rate {star.code} for “{star.description}” is {outcome}. {what}\n",
            at=now,
        )


def schedule_named(code: str) -> Schedule:
    """A schedule by its code, or ``RuleBroken``."""
    schedule = db.session.scalar(select(Schedule).where(Schedule.code == code))
    if schedule is None:
        raise RuleBroken(f"There is no schedule {code}; choose one that is there.")
    return schedule
