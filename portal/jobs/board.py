"""The facts that allocation decides on, loaded once for a batch and kept up to date as capacity is used up."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Organisation
from portal.framework.models import Contractor, ContractorDocument, Lot, Member, MemberArea
from portal.framework.states import Priority
from portal.jobs.allocation import LotFacts, MemberFacts, Windows, basis, order_key
from portal.jobs.models import Job, Offer, offer_is
from portal.jobs.states import OPEN, OfferStatus
from portal.kernel.db import db

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

    def changed(self, **facts: Any) -> Card:
        """The same member with some facts changed."""
        now = replace(self.facts, **facts)
        return replace(self, facts=now, basis=basis_text(now))


def basis_text(facts: MemberFacts) -> str:
    """A member's facts as they are stored with its place."""
    return json.dumps(basis(facts), ensure_ascii=False)


class Board:
    """Lots, members and loads for a batch of jobs. Loading locks the contractors, so that capacity cannot be
    given twice by two officers at once; a handful of statements, whatever the number of members."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        lot_ids = sorted({job.lot_id for job in jobs})
        self.lots: dict[int, Lot] = {
            lot.id: lot
            for lot in db.session.scalars(
                select(Lot)
                .where(Lot.id.in_(lot_ids))
                .options(joinedload(Lot.framework), selectinload(Lot.requirements))
                .execution_options(populate_existing=True)
            )
        }
        self.lot_facts = {lot_id: lot_facts(lot) for lot_id, lot in self.lots.items()}
        self.loads = self._lock_and_load(lot_ids)
        self.cards = self._cards(lot_ids)
        self.earlier = self._earlier([job.id for job in jobs])

    def _lock_and_load(self, lot_ids: list[int]) -> Counter[int]:
        contractors = select(Member.contractor_id).where(Member.lot_id.in_(lot_ids))
        db.session.execute(
            select(Contractor.id).where(Contractor.id.in_(contractors)).order_by(Contractor.id).with_for_update()
        ).all()
        return Counter(
            dict(
                db.session.execute(
                    select(Offer.contractor_id, func.count())
                    .where(offer_is(*sorted(OPEN)), Offer.contractor_id.in_(contractors))
                    .group_by(Offer.contractor_id)
                ).all()
            )
        )

    def _cards(self, lot_ids: list[int]) -> dict[int, dict[str, Card]]:
        areas: defaultdict[int, set[str]] = defaultdict(set)
        for member_id, code in db.session.execute(
            select(MemberArea.member_id, Organisation.code)
            .join(Organisation, Organisation.id == MemberArea.authority_id)
            .join(Member, Member.id == MemberArea.member_id)
            .where(Member.lot_id.in_(lot_ids))
        ):
            areas[member_id].add(code)
        documents: defaultdict[int, dict[str, date]] = defaultdict(dict)
        contractors = select(Member.contractor_id).where(Member.lot_id.in_(lot_ids))
        for contractor_id, kind, expires_on in db.session.execute(
            select(ContractorDocument.contractor_id, ContractorDocument.kind, ContractorDocument.expires_on)
            .where(ContractorDocument.contractor_id.in_(contractors))
            .order_by(ContractorDocument.kind)
        ):
            documents[contractor_id][kind] = expires_on
        cards: defaultdict[int, dict[str, Card]] = defaultdict(dict)
        rows = db.session.execute(
            select(
                Member.id.label("member_id"),
                Member.lot_id,
                Member.rank,
                Member.status,
                Member.status_reason,
                Member.adjustment_bp,
                Contractor.id.label("contractor_id"),
                Contractor.email,
                Contractor.capacity,
                Contractor.accepts_from,
                Organisation.code,
            )
            .join(Contractor, Contractor.id == Member.contractor_id)
            .join(Organisation, Organisation.id == Contractor.organisation_id)
            .where(Member.lot_id.in_(lot_ids))
        )
        for row in rows:
            facts = MemberFacts(
                row.code,
                row.rank,
                row.status,
                row.status_reason,
                frozenset(areas[row.member_id]),
                row.adjustment_bp,
                row.capacity,
                self.loads[row.contractor_id],
                row.accepts_from,
                documents[row.contractor_id],
            )
            cards[row.lot_id][row.code] = Card(row.member_id, row.contractor_id, row.email, facts, basis_text(facts))
        # In the order of the cascade, so that ranking them again for each job finds them sorted.
        return {
            lot_id: {card.facts.code: card for card in sorted(each.values(), key=lambda card: order_key(card.facts))}
            for lot_id, each in cards.items()
        }

    def _earlier(self, job_ids: list[int]) -> dict[int, dict[int, str]]:
        earlier: defaultdict[int, dict[int, str]] = defaultdict(dict)
        for job_id, member_id, status in db.session.execute(
            select(Offer.job_id, Offer.member_id, Offer.status).where(Offer.job_id.in_(job_ids)).order_by(Offer.id)
        ):
            if status in EARLIER_WORDS:
                earlier[job_id][member_id] = EARLIER_WORDS[status]
        return dict(earlier)

    def members_for(self, job: Job) -> dict[str, Card]:
        """The members of the job's lot as they stand now, by contractor code."""
        cards = self.cards.get(job.lot_id, {})
        earlier = self.earlier.get(job.id)
        if not earlier:
            return cards
        return cards | {
            code: card.changed(earlier=earlier[card.member_id])
            for code, card in cards.items()
            if card.member_id in earlier
        }

    def take(self, card: Card) -> None:
        """Use up one job's worth of the contractor's capacity, in every lot it is a member of."""
        self.loads[card.contractor_id] += 1
        code = card.facts.code
        for cards in self.cards.values():
            if code in cards:
                cards[code] = cards[code].changed(load=self.loads[card.contractor_id])


def lot_facts(lot: Lot) -> LotFacts:
    """A lot as the rule sees it."""
    return LotFacts(
        lot.name,
        lot.value_from_pence,
        lot.value_to_pence,
        tuple(requirement.kind for requirement in lot.requirements),
        lot.works_days,
        lot.framework.starts_on,
        lot.framework.ends_on,
    )


def windows(lot: Lot, priority: Priority) -> Windows:
    """The lot's windows for one priority."""
    by_priority = {
        Priority.HOSPITAL_DISCHARGE: Windows(lot.answer_hours_hospital_discharge, lot.start_days_hospital_discharge),
        Priority.PRIORITY: Windows(lot.answer_hours_priority, lot.start_days_priority),
        Priority.ROUTINE: Windows(lot.answer_hours_routine, lot.start_days_routine),
    }
    return by_priority[priority]
