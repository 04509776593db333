"""The facts that allocation decides on, loaded once for a batch and kept up to date as capacity is used up.

Four statements, whatever the number of jobs and members: three of the roster, one of what offers have used up.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Row, Select, func, select, union_all

from portal.accounts.models import Organisation
from portal.framework.member_models import Member
from portal.framework.models import Lot
from portal.framework.roster import Listed, LotTerms, Roster, fact
from portal.framework.rules import last_good_day
from portal.framework.states import CapacityRule, FrameworkKind, Priority
from portal.jobs.allocation import JobFacts, LotFacts, MemberFacts, Windows, basis, order_key
from portal.jobs.models import Direction, Estimate, Job, JobLine, Offer, offer_is
from portal.jobs.states import OPEN, OfferStatus
from portal.kernel.clock import LOCAL, local_date
from portal.kernel.db import db
from portal.rates.models import Edition, MemberRate
from portal.rates.own_rates import rate_in_force
from portal.rates.pricing import Work, WorksPrices, band_adjustment

#: Offers that spend or commit money: on offer, ordered, done.
COMMITTED = (OfferStatus.ACCEPTED, OfferStatus.COMPLETED, OfferStatus.SENT)
EARLIER_WORDS = {
    OfferStatus.DECLINED: "declined",
    OfferStatus.EXPIRED: "did not answer in time for",
    OfferStatus.WITHDRAWN: "had an offer withdrawn for",
    OfferStatus.FAILED_TO_START: "failed to start",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A member as the board knows it: the facts, their stored text, and the ids to write rows with."""

    member_id: int
    contractor_id: int
    email: str
    facts: MemberFacts
    basis: str
    # What prices it: its adjustments for jobs of more value, and its own rates in pence by schedule and code.
    bands: tuple[tuple[int, int], ...] = ()
    own_rates: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    def changed(self, **facts: Any) -> Card:
        """The same member with some facts changed."""
        now = replace(self.facts, **facts)
        return replace(self, facts=now, basis=basis_text(now))


def basis_text(facts: MemberFacts) -> str:
    """A member's facts as they are stored with its place."""
    return json.dumps(basis(facts), ensure_ascii=False)


class Board:
    """Lots, members and loads for a batch of jobs as at ``now``. Loading locks the frameworks and contractors, so that
    neither capacity nor the value cap can be given twice by two officers at once."""

    def __init__(self, jobs: Sequence[Job], now: datetime, *, lock: bool = True) -> None:
        self.today = local_date(now)
        self.roster = Roster({job.lot_id for job in jobs}, self.today, lock=lock)
        self.lots: dict[int, Lot] = {lot_id: terms.lot for lot_id, terms in self.roster.lots.items()}
        self.lot_facts = {lot_id: lot_facts(terms) for lot_id, terms in self.roster.lots.items()}
        self.used: Counter[int] = Counter()
        self.loads: Counter[int] = Counter()
        self.lot_loads: Counter[int] = Counter()
        self.months: Counter[int] = Counter()
        self.authorities: dict[int, str] = {}
        self.earlier: defaultdict[int, dict[int, str]] = defaultdict(dict)
        self.estimates: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self.directions: set[int] = set()
        self.schedules: dict[int, int] = {}
        self.own_rates: defaultdict[int, defaultdict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self._read_offers(jobs)
        self.cards = {
            lot_id: {
                card.facts.code: card
                for card in sorted((self._card(each) for each in members), key=lambda card: order_key(card.facts))
            }
            for lot_id, members in self.roster.members.items()
        }

    def _read_offers(self, jobs: Sequence[Job]) -> None:
        """What offers have used up, and what is known of the jobs themselves, in one statement."""
        job_ids = [job.id for job in jobs]
        members = select(Member.id).where(Member.lot_id.in_(list(self.lots)))
        contractors = select(Member.contractor_id).where(Member.lot_id.in_(list(self.lots)))
        capped = {terms.lot.framework_id for terms in self.roster.lots.values() if terms.cap_pence is not None}
        spent = (
            fact("used", Lot.framework_id, number=func.sum(Offer.price_pence))
            .select_from(Offer)
            .join(Member, Member.id == Offer.member_id)
            .join(Lot, Lot.id == Member.lot_id)
            .where(offer_is(*COMMITTED), Lot.framework_id.in_(capped))
            .group_by(Lot.framework_id)
        )
        limited = {each.contractor_id for each in self.roster if each.month_limit_pence is not None}
        branches: list[Select[Any]] = [
            fact("authority", Organisation.id, Organisation.code).where(
                Organisation.id.in_({job.authority_id for job in jobs})
            ),
            fact("load", Offer.contractor_id, number=func.count())
            .where(offer_is(*OPEN), Offer.contractor_id.in_(contractors))
            .group_by(Offer.contractor_id),
            fact("month", Offer.contractor_id, number=func.sum(Offer.price_pence))
            .where(
                Offer.contractor_id.in_(limited),
                Offer.sent_at >= month_start(self.today),
                Offer.status.in_(COMMITTED),
            )
            .group_by(Offer.contractor_id),
            fact("earlier", Offer.job_id, Offer.status, number=Offer.member_id).where(
                Offer.job_id.in_(job_ids), Offer.status.in_(list(EARLIER_WORDS))
            ),
            fact("schedule", Job.id, number=Edition.schedule_id)
            .join(Edition, Edition.id == Job.edition_id)
            .where(Job.id.in_(job_ids)),
            fact(
                "own rate",
                MemberRate.member_id,
                MemberRate.code,
                number=MemberRate.rate_pence,
                second=MemberRate.schedule_id,
            ).where(
                MemberRate.member_id.in_(members),
                MemberRate.schedule_id.in_(
                    select(Edition.schedule_id).where(Edition.id.in_({job.edition_id for job in jobs}))
                ),
                MemberRate.code.in_(select(JobLine.code).where(JobLine.job_id.in_(job_ids))),
                MemberRate.rate_pence.is_not(None),
                rate_in_force(self.today),
            ),
        ]
        if capped:
            branches.append(spent)
        if any(facts.capacity_rule is CapacityRule.THIS_LOT for facts in self.lot_facts.values()):
            branches.append(
                fact("lot load", Offer.member_id, number=func.count())
                .where(offer_is(*OPEN), Offer.member_id.in_(members))
                .group_by(Offer.member_id)
            )
        if any(facts.quotes_needed is not None for facts in self.lot_facts.values()):
            branches.append(
                fact("estimate", Estimate.job_id, number=Estimate.amount_pence, second=Estimate.member_id).where(
                    Estimate.job_id.in_(job_ids)
                )
            )
            branches.append(fact("direction", Direction.job_id).where(Direction.job_id.in_(job_ids)))
        for row in db.session.execute(union_all(*branches)):
            self._keep(row)

    def _keep(self, row: Row[Any]) -> None:
        """One thing that is known of offers, jobs or members."""
        match row.what:
            case "authority":
                self.authorities[row.owner] = row.text
            case "load":
                self.loads[row.owner] = row.number
            case "lot load":
                self.lot_loads[row.owner] = row.number
            case "month":
                self.months[row.owner] = row.number
            case "earlier":
                self.earlier[row.owner][row.number] = EARLIER_WORDS[OfferStatus(row.text)]
            case "used":
                self.used[row.owner] = row.number
            case "estimate":
                self.estimates[row.owner][row.second] = row.number
            case "own rate":
                self.own_rates[row.owner][row.second][row.text] = row.number
            case "schedule":
                self.schedules[row.owner] = row.number
            case "direction":
                self.directions.add(row.owner)

    def _card(self, each: Listed) -> Card:
        lot = self.lot_facts[each.lot_id]
        facts = MemberFacts(
            each.code,
            each.rank,
            each.standing.status,
            each.standing.reason,
            each.areas,
            each.adjustment_bp,
            each.capacity,
            self._load(each.contractor_id, each.member_id, lot),
            each.accepts_from,
            documents=self._documents(each, lot),
            absences=each.absences,
            month_limit_pence=each.month_limit_pence,
            month_pence=self.months[each.contractor_id] if each.month_limit_pence is not None else 0,
            short_cover=self._short_cover(each, lot),
        )
        own: Mapping[int, Mapping[str, int]] = self.own_rates.get(each.member_id, {})
        return Card(each.member_id, each.contractor_id, each.email, facts, basis_text(facts), each.bands, own)

    def _load(self, contractor_id: int, member_id: int, lot: LotFacts) -> int:
        if lot.capacity_rule is CapacityRule.THIS_LOT:
            return self.lot_loads[member_id]
        return self.loads[contractor_id]

    def _documents(self, each: Listed, lot: LotFacts) -> dict[str, date]:
        """The last good day by kind, of the documents that cover enough."""
        days = {
            kind: last_good_day(kind, lot.covers.get(kind), each.evidence, self.today)
            for kind in sorted({document.kind for document in each.evidence})
        }
        return {kind: day for kind, day in days.items() if day is not None}

    @staticmethod
    def _short_cover(each: Listed, lot: LotFacts) -> dict[str, int]:
        """The best cover by kind, where a document is there but covers less than the lot asks for."""
        best: dict[str, int] = {}
        for document in each.evidence:
            best[document.kind] = max(best.get(document.kind, 0), document.cover_pence or 0)
        return {kind: best[kind] for kind, least in lot.covers.items() if kind in best and best[kind] < least}

    def works(self, job: Job, works: Sequence[Work]) -> WorksPrices:
        """What a job's works cost by a member's terms, with what its lot says of small orders and late hours."""
        lot = self.lots[job.lot_id]
        return WorksPrices(works, lot.out_of_hours_bp if job.out_of_hours else 0, lot.minimum_order_pence)

    def job_facts(self, job: Job, start_by: date, prices: WorksPrices) -> JobFacts:
        """A job as the rule sees it now, with what its works cost."""
        terms = self.roster.lots[job.lot_id]
        area = self.authorities[job.authority_id]
        return JobFacts(
            area,
            job.value_pence,
            start_by,
            job.district,
            tuple(terms.access.get(area, ())),
            self.used[terms.lot.framework_id],
            terms.cap_pence,
            len(self.estimates[job.id]),
            job.id in self.directions,
            prices,
        )

    def members_for(self, job: Job, prices: WorksPrices) -> dict[str, Card]:
        """The members of the job's lot as they stand now, on their terms for these works, by contractor code."""
        cards, earlier = self.cards.get(job.lot_id, {}), self.earlier.get(job.id, {})
        # Quotes count where work is bought by quotations now, whatever else is in the batch.
        by_quotes = self.lot_facts[job.lot_id].quotes_needed is not None
        estimates = self.estimates.get(job.id, {}) if by_quotes else {}
        changed = {
            code: card.changed(earlier=earlier.get(card.member_id, ""), quote_pence=estimates.get(card.member_id))
            for code, card in cards.items()
            if card.member_id in earlier or card.member_id in estimates
        }
        schedule_id = self.schedules[job.id]
        for code, card in cards.items():
            own_rates = card.own_rates.get(schedule_id)
            if card.bands or own_rates:
                adjustment = band_adjustment(card.facts.adjustment_bp, card.bands, job.value_pence)
                key = prices.key(adjustment, own_rates)
                own = key if key != str(adjustment) else ""
                changed[code] = changed.get(code, card).changed(adjustment_bp=adjustment, price_key=own)
        return cards | changed if changed else cards

    def take(self, card: Card, job: Job, price_pence: int) -> None:
        """Use up one job's worth of the contractor's capacity in every lot it is a member of, and its price of the
        value cap and the month."""
        self.used[self.lots[job.lot_id].framework_id] += price_pence
        self.loads[card.contractor_id] += 1
        self.lot_loads[card.member_id] += 1
        self.months[card.contractor_id] += price_pence
        code = card.facts.code
        for lot_id, cards in self.cards.items():
            if code not in cards:
                continue
            known = cards[code]
            limited = known.facts.month_limit_pence is not None
            cards[code] = known.changed(
                load=self._load(card.contractor_id, known.member_id, self.lot_facts[lot_id]),
                month_pence=self.months[card.contractor_id] if limited else 0,
            )


def month_start(today: date) -> datetime:
    """The first instant of the calendar month, in the United Kingdom."""
    return datetime.combine(today.replace(day=1), time(0), LOCAL).astimezone(UTC)


def lot_facts(terms: LotTerms) -> LotFacts:
    """A lot as the rule sees it."""
    lot, framework = terms.lot, terms.lot.framework
    return LotFacts(
        lot.name,
        lot.value_from_pence,
        lot.value_to_pence,
        tuple(each.kind for each in terms.required),
        lot.works_days,
        framework.starts_on,
        framework.ends_on,
        terms.areas,
        {each.kind: each.minimum_pence for each in terms.required if each.minimum_pence},
        lot.capacity_rule,
        framework.quotes_needed if framework.kind is FrameworkKind.QUOTATIONS else None,
    )


def windows(lot: Lot, priority: Priority) -> Windows:
    """The lot's windows for one priority."""
    by_priority = {
        Priority.HOSPITAL_DISCHARGE: Windows(lot.answer_hours_hospital_discharge, lot.start_days_hospital_discharge),
        Priority.PRIORITY: Windows(lot.answer_hours_priority, lot.start_days_priority),
        Priority.ROUTINE: Windows(lot.answer_hours_routine, lot.start_days_routine),
    }
    return by_priority[priority]
