"""The documents that lots ask for against those that contractors hold: what holds, what lapses, what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Organisation
from portal.framework.firms.queries import Need, need_for
from portal.framework.member_models import Contractor, ContractorDocument, Member
from portal.framework.models import Lot, LotRequirement
from portal.framework.roster import Roster
from portal.framework.rules import REMINDERS, Evidence, holds, last_good_day
from portal.framework.states import DocumentStatus, MemberStatus, document_title
from portal.kernel.db import db

#: Days before its end in which a document is shown as expiring: from its first reminder on.
SOON_DAYS = max(REMINDERS)
#: Waiting documents on one page.
PAGE = 20


@dataclass(frozen=True, slots=True)
class Paper:
    """One kind of document that a lot asks for, and how its member stands: ``document`` is the one that counts for
    longest, ``waiting`` one that nobody has verified yet."""

    need: Need
    document: ContractorDocument | None
    waiting: ContractorDocument | None


def papers(
    requirements: Iterable[LotRequirement], documents: Collection[ContractorDocument], today: date
) -> list[Paper]:
    """How a contractor's ``documents`` meet what a lot asks for on ``today``: the required kinds first, by title."""
    found = [_paper(each, documents, today) for each in requirements]
    return sorted(found, key=lambda paper: (not paper.need.required, paper.need.title))


def _paper(asked: LotRequirement, documents: Collection[ContractorDocument], today: date) -> Paper:
    own = [each for each in documents if each.kind == asked.kind]
    counting = [
        each
        for each in own
        if Evidence(each.kind, each.expires_on, each.cover_pence, each.counts_from, each.counts_to).counts_on(today)
    ]
    enough = [each for each in counting if (asked.minimum_pence or 0) <= (each.cover_pence or 0)]
    return Paper(
        need_for(asked, documents, today),
        max(enough or counting, key=lambda each: (each.expires_on, each.id), default=None),
        next((each for each in own if each.status is DocumentStatus.WAITING), None),
    )


# Who gets no offers, and why ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lapse:
    """A required document of a contractor that does not hold, or will not for long, and in which lots that matters.

    ``reason`` goes on where the kind's title ends: ``"expired on 3 May 2026"``. ``lots`` are (member id, lot's name).
    """

    code: str
    name: str
    kind: str
    reason: str
    last_day: date | None
    lots: list[tuple[int, str]] = field(default_factory=list)
    waiting_id: int | None = None

    @property
    def title(self) -> str:
        """What pages call the kind."""
        return document_title(self.kind)


@dataclass(frozen=True, slots=True)
class Attention:
    """What a framework manager must look at: lapsed and soon expiring documents of active members, by urgency."""

    lapsed: list[Lapse]
    expiring: list[Lapse]


def attention(roster: Roster) -> Attention:
    """The required documents of the roster's active members that do not hold on its day, or expire soon.

    Frameworks out of force are left out.
    """
    day = roster.day
    lapsed: dict[tuple[str, str, str], Lapse] = {}
    expiring: dict[tuple[str, str, str], Lapse] = {}
    for lot_id, terms in roster.lots.items():
        if not holds((terms.lot.framework.starts_on, terms.lot.framework.ends_on), day):
            continue
        for member in roster.members[lot_id]:
            if not member.active:
                continue
            for asked in terms.required:
                last = last_good_day(asked.kind, asked.minimum_pence, member.evidence, day)
                reasons = member.lapses([asked], day)
                if reasons:
                    reason, group = reasons[0].removeprefix(f"{asked.kind} "), lapsed
                elif last is not None and last <= day + timedelta(days=SOON_DAYS):
                    reason, group = "expires", expiring
                else:
                    continue
                key = (member.code, asked.kind, reason)
                lapse = group.setdefault(key, Lapse(member.code, member.name, asked.kind, reason, last))
                lapse.lots.append((member.member_id, terms.lot.name))
    return Attention(
        sorted(lapsed.values(), key=lambda each: (each.last_day is not None, each.last_day or day, each.code)),
        sorted(expiring.values(), key=lambda each: (each.last_day or day, each.code, each.kind)),
    )


def mark_waiting(lapses: Sequence[Lapse]) -> None:
    """Say at each lapse which document of that kind waits to be verified."""
    waiting = {
        (code, kind): document_id
        for code, kind, document_id in db.session.execute(
            select(Organisation.code, ContractorDocument.kind, ContractorDocument.id)
            .select_from(ContractorDocument)
            .join(Contractor, Contractor.id == ContractorDocument.contractor_id)
            .join(Organisation, Organisation.id == Contractor.organisation_id)
            .where(ContractorDocument.status == DocumentStatus.WAITING)
        )
    }
    for each in lapses:
        each.waiting_id = waiting.get((each.code, each.kind))


@dataclass(frozen=True, slots=True)
class ToDo:
    """How much waits for a framework manager: applications, documents, contractors who get no offers."""

    applied: int
    checking: int
    documents: int
    lapsed: int

    def __bool__(self) -> bool:
        return bool(self.applied or self.checking or self.documents or self.lapsed)


def to_do(roster: Roster) -> ToDo:
    """What waits for a framework manager on the roster's day."""
    standings = Counter(each.standing.status for each in roster)
    return ToDo(
        standings[MemberStatus.APPLIED],
        standings[MemberStatus.CHECKING],
        waiting_count(),
        len({each.code for each in attention(roster).lapsed}),
    )


# Documents that wait --------------------------------------------------------------------------------------------------


def waiting_count() -> int:
    """How many documents wait to be verified."""
    counted = db.session.scalar(
        select(func.count()).select_from(ContractorDocument).where(ContractorDocument.status == DocumentStatus.WAITING)
    )
    return counted or 0


def waiting_documents(page: int) -> list[ContractorDocument]:
    """A page of the documents that wait to be verified, the oldest first."""
    return list(
        db.session.scalars(
            select(ContractorDocument)
            .where(ContractorDocument.status == DocumentStatus.WAITING)
            .options(joinedload(ContractorDocument.contractor))
            .order_by(ContractorDocument.added_at, ContractorDocument.id)
            .offset((page - 1) * PAGE)
            .limit(PAGE)
        )
    )


def lots_asking(document: ContractorDocument) -> list[tuple[Member, LotRequirement]]:
    """The contractor's lots that ask for this kind of document, each with how it asks for it."""
    rows = db.session.execute(
        select(Member, LotRequirement)
        .join(LotRequirement, LotRequirement.lot_id == Member.lot_id)
        .where(
            Member.contractor_id == document.contractor_id,
            LotRequirement.kind == document.kind,
            LotRequirement.to_on.is_(None),
        )
        .options(joinedload(Member.lot).joinedload(Lot.framework))
        .order_by(Member.id)
    )
    return [(member, asked) for member, asked in rows]
