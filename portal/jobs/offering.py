"""Offer jobs to their next members: run the rule, and write decisions, places, offers and notices in bulk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, select, update

from portal.accounts.queries import framework_managers, technical_officers
from portal.jobs import allocation
from portal.jobs.board import Board, Card, windows
from portal.jobs.models import Decision, Job, JobLine, Offer
from portal.jobs.notices import exhausted_notice, offer_notice
from portal.jobs.states import JOB_MOVES, JobStatus, OfferStatus
from portal.kernel import audit
from portal.kernel.db import db, insert_rows, table_of
from portal.kernel.errors import WrongState
from portal.kernel.outbox import Notice
from portal.kernel.working_time import Nation
from portal.rates.pricing import Terms, Work, band_reached
from portal.rates.states import PriceRule

#: Jobs decided on, or offers closed, at a time: bounds the memory and the length of a transaction of the clock.
CHUNK = 500


@dataclass(slots=True)
class Allocated:
    """What an allocation did: offers sent by job reference → contractor code, and jobs that nobody is left for."""

    offered: dict[str, str] = field(default_factory=dict)
    exhausted: list[str] = field(default_factory=list)


def offer_next(jobs: Sequence[Job], *, because: str, by: str, now: datetime, nation: Nation) -> Allocated:
    """Decide for each of ``jobs`` (locked by the caller) in their order and write what follows, in chunks."""
    done = Allocated()
    for start in range(0, len(jobs), CHUNK):
        _offer_chunk(jobs[start : start + CHUNK], done, because=because, by=by, now=now, nation=nation)
    return done


def _offer_chunk(jobs: Sequence[Job], done: Allocated, *, because: str, by: str, now: datetime, nation: Nation) -> None:
    board = Board(jobs, now)
    today = board.today
    lines = lines_of(jobs)
    decisions: list[dict[str, Any]] = []
    places: list[list[tuple[Any, ...]]] = []
    chosen: list[tuple[Card | None, date, int, Terms]] = []
    for job in jobs:
        lot, facts = board.lots[job.lot_id], board.lot_facts[job.lot_id]
        window = windows(lot, job.priority)
        start_by = allocation.start_by(job.required_start, now, window, nation)
        prices = board.works(job, lines[job.id])
        job_facts = board.job_facts(job, start_by, prices)
        cards = board.members_for(job, prices)
        ranking = allocation.rank(job_facts, facts, [card.facts for card in cards.values()], today)
        # Kept before the load grows: the facts as they were decided on.
        places.append(
            [
                (
                    ranked.position,
                    (card := cards[ranked.member.code]).member_id,
                    ranked.member.code,
                    ranked.eligible,
                    reasons_text(ranked.reasons),
                    card.basis,
                )
                for ranked in ranking
            ]
        )
        first = allocation.next_member(ranking)
        winner = cards[first.member.code] if first else None
        # Where quotes are needed nobody is chosen without one.
        price = (allocation.price_for(winner.facts, job_facts, facts) or 0) if winner else 0
        chosen.append((winner, start_by, price, prices.terms(winner.facts.terms_key) if winner else Terms()))
        if winner:
            board.take(winner, job, price)
        decisions.append(
            {
                "job_id": job.id,
                "decided_at": now,
                "decided_by": by,
                "because": because,
                "rule_version": allocation.RULE_VERSION,
                "inputs": allocation.inputs(
                    job_facts, facts, priority=job.priority, today=today, required=job.required_start, windows=window
                ),
                "chosen_member_id": winner and winner.member_id,
            }
        )
    decision_ids = db.session.scalars(
        insert(Decision).returning(Decision.id, sort_by_parameter_order=True), decisions
    ).all()
    insert_rows(
        "place",
        ("decision_id", "position", "member_id", "member_code", "eligible", "reasons", "basis"),
        [(decision_id, *place) for decision_id, each in zip(decision_ids, places, strict=True) for place in each],
    )
    offers: list[dict[str, Any]] = []
    notices: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for job, decision_id, (winner, start_by, price, terms) in zip(jobs, decision_ids, chosen, strict=True):
        status = JobStatus.ALLOCATING if winner else JobStatus.EXHAUSTED
        if status not in JOB_MOVES[job.status]:
            raise WrongState(f"A job that is {job.status.value} cannot become {status.value}.")
        moved.append({"id": job.id, "status": status, "since": now})
        if winner is None:
            done.exhausted.append(job.reference)
            notices += [exhausted_notice(job, email, at=now) for email in officers_of(job)]
            audit.record("nobody left", f"job:{job.reference}", at=now, actor=by, because=because)
            continue
        done.offered[job.reference] = winner.facts.code
        answer_by = allocation.answer_by(now, windows(board.lots[job.lot_id], job.priority), nation)
        offers.append(
            {
                "job_id": job.id,
                "authority_id": job.authority_id,
                "member_id": winner.member_id,
                "contractor_id": winner.contractor_id,
                "decision_id": decision_id,
                "status": OfferStatus.SENT,
                "sent_at": now,
                "answer_by": answer_by,
                "start_by": start_by,
                "adjustment_bp": terms.adjustment_bp,
                "own_rates": json.dumps(terms.own_rates),
                "uplift_bp": terms.uplift_bp,
                "minimum_pence": terms.minimum_pence,
                "band_pence": band_reached(winner.bands, job.value_pence),
                "price_pence": price,
                "quoted": board.lot_facts[job.lot_id].quotes_needed is not None,
                "reason": "",
            }
        )
        notices.append(offer_notice(job, winner.email, answer_by, start_by, at=now))
        audit.record(
            "offer sent",
            f"job:{job.reference}",
            at=now,
            actor=by,
            to=winner.facts.code,
            because=because,
            answer_by=answer_by.isoformat(),
            start_by=start_by.isoformat(),
            price_pence=price,
        )
    if offers:
        db.session.execute(insert(table_of(Offer)), offers)
    if notices:
        db.session.execute(insert(table_of(Notice)), notices)
    db.session.execute(update(Job), moved)


@lru_cache(maxsize=4096)
def reasons_text(reasons: tuple[str, ...]) -> str:
    """Reasons as they are stored; the same few are stored over and over."""
    return json.dumps(reasons, ensure_ascii=False)


def officers_of(job: Job) -> list[str]:
    """Who hears about a job: whoever specified it, else the authority's officers, else the framework managers."""
    officers = technical_officers(job.authority_id)
    if job.specified_by in officers:
        return [job.specified_by]
    return officers or framework_managers()


def lines_of(jobs: Sequence[Job]) -> dict[int, list[Work]]:
    """The lines of every job as they are priced, in their order."""
    lines: dict[int, list[Work]] = {job.id: [] for job in jobs}
    for job_id, code, quantity, rate, rule in db.session.execute(
        select(JobLine.job_id, JobLine.code, JobLine.quantity, JobLine.rate_pence, JobLine.rule)
        .where(JobLine.job_id.in_(lines))
        .order_by(JobLine.job_id, JobLine.position)
    ):
        lines[job_id].append(Work(code, quantity, rate, rule is PriceRule.STAR_RATE))
    return lines
