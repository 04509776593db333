"""Who could take a draft as it stands, when, and at which price: the rule of allocation, asked without deciding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from portal.framework.rules import earliest_start
from portal.framework.states import MemberStatus
from portal.jobs.allocation import JobFacts, LotFacts, MemberFacts, price_for, rank, start_by
from portal.jobs.board import Board, windows
from portal.jobs.models import Job
from portal.jobs.ordering import works_of
from portal.kernel.working_time import Nation

#: Members in these states are counted; others have left the lot, or have not come into it yet.
COUNTED = frozenset({MemberStatus.ACTIVE, MemberStatus.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Prospect:
    """A member of the lot, in the order of the rule: why it could not take the job (empty when it could), the first
    day on which it could start, and the price in pence excluding VAT; ``None`` where it is bought by quotations."""

    code: str
    name: str
    reasons: tuple[str, ...]
    can_start: date
    price_pence: int | None

    @property
    def able(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Prospects:
    """The members of the lot that the draft's value falls in."""

    lot: str
    start_by: date
    members: tuple[Prospect, ...]
    by_quotes: bool

    @property
    def able(self) -> tuple[Prospect, ...]:
        """Those who could take the job now, the first in turn first."""
        return tuple(member for member in self.members if member.able)


def prospects_for(job: Job, now: datetime, nation: Nation) -> Prospects:
    """Who could take a draft with the lines that it has. Locks nothing and writes nothing; four statements."""
    board = Board([job], now, lock=False)
    lot, facts = board.lots[job.lot_id], board.lot_facts[job.lot_id]
    by = start_by(job.required_start, now, windows(lot, job.priority), nation)
    # VAT is the same with every member, so it does not matter for who it is and what it costs.
    prices = board.works(job, works_of(job.lines, frozenset(), commissions=False))
    job_facts = board.job_facts(job, by, prices)
    members = [card.facts for card in board.members_for(job, prices).values() if card.facts.status in COUNTED]
    by_quotes = facts.quotes_needed is not None
    if by_quotes:
        # Nobody can have given a quote for works that are not settled.
        job_facts = replace(job_facts, direction=True)
        members = [replace(each, quote_pence=job.value_pence) for each in members]
    names = {each.code: each.name for each in board.roster.members[job.lot_id]}
    return Prospects(
        lot.name,
        by,
        tuple(
            Prospect(
                each.member.code,
                names[each.member.code],
                each.reasons,
                earliest_start(board.today, each.member.accepts_from, each.member.absences),
                price(each.member, job_facts, facts),
            )
            for each in rank(job_facts, facts, members, board.today)
        ),
        by_quotes,
    )


def price(member: MemberFacts, job: JobFacts, lot: LotFacts) -> int | None:
    """What the job costs at a member's terms; nothing before it has given its quote."""
    return None if lot.quotes_needed is not None else price_for(member, job, lot)
