"""The contractor list as it stands on a day: lots with their terms, members with standing, rank, areas, evidence.

Three statements, whatever the number of lots and members. Allocation, the pages and the checks all read it here, so
that "who was on the list on 3 May, and why" and "who may be offered this job" cannot differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Row,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import joinedload

from portal.accounts.models import Organisation
from portal.framework.member_models import (
    Absence,
    Contractor,
    ContractorDocument,
    Member,
    MemberArea,
    MemberBand,
    MemberEvent,
    RankEdition,
    RankPlace,
)
from portal.framework.models import CapDecision, Lot, LotArea, LotRequirement, Participation
from portal.framework.rules import Evidence, Period, Requirement, Standing, earliest_start, last_good_day, standing
from portal.framework.states import MemberStatus
from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.money import shown


@dataclass(frozen=True, slots=True)
class LotTerms:
    """A lot's terms on the roster's day.

    ``areas`` are codes of authorities and postcode districts; empty means every authority. ``access`` holds each
    authority's periods by its code. ``cap_pence`` is the value cap, or what a decision allows beyond it.
    """

    lot: Lot
    required: tuple[Requirement, ...]
    areas: frozenset[str]
    access: dict[str, list[Period]]
    cap_pence: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A member as the list shows it on the roster's day. Members whose history begins later are not listed."""

    member_id: int
    lot_id: int
    contractor_id: int
    code: str
    name: str
    email: str
    phone: str
    postcode: str
    sme: bool
    capacity: int
    month_limit_pence: int | None
    accepts_from: date | None
    adjustment_bp: int
    # Its adjustments for jobs of more value: (from pence, basis points).
    bands: tuple[tuple[int, int], ...]
    standing: Standing
    since: date
    rank: int | None
    share_bp: int | None
    areas: frozenset[str]
    evidence: tuple[Evidence, ...]
    absences: tuple[tuple[date, date], ...]
    # The day on which a suspension ends by itself.
    until_on: date | None = None

    @property
    def active(self) -> bool:
        """Whether the membership itself is in order; documents are looked at apart."""
        return self.standing.status is MemberStatus.ACTIVE

    def lapses(self, required: Collection[Requirement], day: date) -> tuple[str, ...]:
        """Why its required documents do not hold on ``day``; empty when they do."""
        reasons = []
        for each in required:
            last = last_good_day(each.kind, each.minimum_pence, self.evidence, day)
            if last is not None and last >= day:
                continue
            if last is not None:
                reasons.append(f"{each.kind} expired on {date_text(last)}")
            elif last_good_day(each.kind, None, self.evidence, day) is not None:
                reasons.append(f"{each.kind} does not cover {shown(each.minimum_pence or 0)}")
            else:
                reasons.append(f"{each.kind} is missing")
        return tuple(reasons)

    def can_start(self, today: date) -> date:
        """The first day on which it can start work."""
        return earliest_start(today, self.accepts_from, self.absences)


class Roster:
    """The list on ``day``: ``lots`` by id, and ``members`` of each lot in rank order, those without a rank last.

    With ``lock`` the frameworks and contractors stay locked until the transaction ends, so that neither capacity nor
    the value cap is given twice.
    """

    def __init__(self, lot_ids: Collection[int], day: date, *, lock: bool = False) -> None:
        self.day = day
        lots = self._lots(lot_ids, lock)
        members = db.session.execute(self._members(lot_ids, lock)).all()
        facts = self._facts(lots, lot_ids)
        self.lots = {lot.id: self._terms(lot, facts) for lot in lots}
        self.members: dict[int, list[Listed]] = {lot.id: [] for lot in lots}
        for row in members:
            self.members[row.lot_id].append(self._listed(row, facts, day))
        for each in self.members.values():
            each.sort(key=lambda one: (one.rank is None, one.rank or 0, one.code))

    def __iter__(self) -> Iterator[Listed]:
        """Every member of every lot."""
        for members in self.members.values():
            yield from members

    @staticmethod
    def _lots(lot_ids: Collection[int], lock: bool) -> list[Lot]:
        query = (
            select(Lot)
            .where(Lot.id.in_(lot_ids))
            .options(joinedload(Lot.framework, innerjoin=True))
            .order_by(Lot.id)
            # What a page has read of a lot stays read; behind a lock it is read again.
            .execution_options(populate_existing=lock)
        )
        # Not against new rows that refer to a framework: only against another decision on its value cap.
        return list(db.session.scalars(query.with_for_update(key_share=True) if lock else query).unique())

    def _members(self, lot_ids: Collection[int], lock: bool) -> Select[*tuple[Any, ...]]:
        latest = (
            select(func.max(MemberEvent.id))
            .where(MemberEvent.member_id == Member.id, MemberEvent.from_on <= self.day)
            .correlate(Member)
            .scalar_subquery()
        )
        query = (
            select(
                Member.id.label("member_id"),
                Member.lot_id,
                Member.adjustment_bp,
                Contractor.id.label("contractor_id"),
                Organisation.code,
                Organisation.name,
                Contractor.email,
                Contractor.phone,
                Contractor.postcode,
                Contractor.sme,
                Contractor.capacity,
                Contractor.month_limit_pence,
                Contractor.accepts_from,
                MemberEvent.status,
                MemberEvent.reason,
                MemberEvent.from_on,
                MemberEvent.until_on,
                RankPlace.rank,
                RankPlace.share_bp,
            )
            .join(Contractor, Contractor.id == Member.contractor_id)
            .join(Organisation, Organisation.id == Contractor.organisation_id)
            .join(MemberEvent, MemberEvent.id == latest)
            .outerjoin(RankEdition, and_(RankEdition.lot_id == Member.lot_id, in_force(self.day)))
            .outerjoin(RankPlace, and_(RankPlace.edition_id == RankEdition.id, RankPlace.member_id == Member.id))
            .where(Member.lot_id.in_(lot_ids))
            .order_by(Contractor.id)
        )
        return query.with_for_update(of=Contractor) if lock else query

    def _facts(self, lots: list[Lot], lot_ids: Collection[int]) -> dict[tuple[str, int], list[Row[Any]]]:
        """Everything that lots and members have several of, in one statement: rows by what they are and whose."""
        frameworks = {lot.framework_id for lot in lots}
        contractors = select(Member.contractor_id).where(Member.lot_id.in_(lot_ids))
        found: defaultdict[tuple[str, int], list[Row[Any]]] = defaultdict(list)
        statement = union_all(
            fact("requirement", LotRequirement.lot_id, LotRequirement.kind, number=LotRequirement.minimum_pence).where(
                LotRequirement.lot_id.in_(lot_ids), LotRequirement.required, held_on(LotRequirement, self.day)
            ),
            fact("lot area", LotArea.lot_id, area_code(LotArea.district))
            .outerjoin(Organisation, Organisation.id == LotArea.authority_id)
            .where(LotArea.lot_id.in_(lot_ids)),
            fact("access", Participation.framework_id, Organisation.code, Participation.from_on, Participation.to_on)
            .join(Organisation, Organisation.id == Participation.authority_id)
            .where(Participation.framework_id.in_(frameworks)),
            fact("allowed", CapDecision.framework_id, number=func.max(CapDecision.allowed_pence))
            .where(CapDecision.framework_id.in_(frameworks))
            .group_by(CapDecision.framework_id),
            fact("area", MemberArea.member_id, area_code(MemberArea.district))
            .join(Member, Member.id == MemberArea.member_id)
            .outerjoin(Organisation, Organisation.id == MemberArea.authority_id)
            .where(Member.lot_id.in_(lot_ids), held_on(MemberArea, self.day)),
            fact("band", MemberBand.member_id, number=MemberBand.from_pence, second=MemberBand.adjustment_bp)
            .join(Member, Member.id == MemberBand.member_id)
            .where(Member.lot_id.in_(lot_ids)),
            fact(
                "document",
                ContractorDocument.contractor_id,
                ContractorDocument.kind,
                ContractorDocument.expires_on,
                ContractorDocument.counts_from,
                number=ContractorDocument.cover_pence,
            ).where(ContractorDocument.contractor_id.in_(contractors), counting(self.day)),
            fact("absence", Absence.contractor_id, None, Absence.from_on, Absence.to_on).where(
                Absence.contractor_id.in_(contractors), Absence.to_on > self.day
            ),
        )
        for row in db.session.execute(statement):
            found[row.what, row.owner].append(row)
        return found

    @staticmethod
    def _terms(lot: Lot, facts: dict[tuple[str, int], list[Row[Any]]]) -> LotTerms:
        access: defaultdict[str, list[Period]] = defaultdict(list)
        for row in facts.get(("access", lot.framework_id), ()):
            access[row.text].append((row.day_a, row.day_b))
        cap = lot.framework.value_cap_pence
        allowed = [row.number for row in facts.get(("allowed", lot.framework_id), ())]
        return LotTerms(
            lot,
            tuple(
                Requirement(row.text, row.number)
                for row in sorted(facts.get(("requirement", lot.id), ()), key=lambda row: row.text)
            ),
            frozenset(row.text for row in facts.get(("lot area", lot.id), ())),
            dict(access),
            None if cap is None else max([cap, *allowed]),
        )

    @staticmethod
    def _listed(row: Row[Any], facts: dict[tuple[str, int], list[Row[Any]]], day: date) -> Listed:
        contractor = row.contractor_id
        ended = row.until_on is not None and row.until_on <= day
        return Listed(
            row.member_id,
            row.lot_id,
            contractor,
            row.code,
            row.name,
            row.email,
            row.phone,
            row.postcode,
            row.sme,
            row.capacity,
            row.month_limit_pence,
            row.accepts_from,
            row.adjustment_bp,
            tuple(sorted((each.number, each.second) for each in facts.get(("band", row.member_id), ()))),
            standing(row.status, row.reason, row.until_on, day),
            row.until_on if ended else row.from_on,
            row.rank,
            row.share_bp,
            frozenset(each.text for each in facts.get(("area", row.member_id), ())),
            tuple(
                Evidence(each.text, each.day_a, each.number, each.day_b, None)
                for each in sorted(facts.get(("document", contractor), ()), key=lambda each: (each.text, each.day_a))
            ),
            tuple(sorted((each.day_a, each.day_b) for each in facts.get(("absence", contractor), ()))),
            None if ended else row.until_on,
        )


def in_force(day: date) -> ColumnElement[bool]:
    """The condition that an edition of ranks is the one in force on ``day``."""
    other = RankEdition.__table__.alias()
    latest = (
        select(func.max(other.c.starts_on))
        .where(other.c.lot_id == RankEdition.lot_id, other.c.starts_on <= day)
        .correlate(RankEdition)
        .scalar_subquery()
    )
    return RankEdition.starts_on == latest


def held_on(dated: type[LotRequirement] | type[MemberArea], day: date) -> ColumnElement[bool]:
    """The condition that a row with a period ``[from_on, to_on)`` held on ``day``."""
    return and_(
        or_(dated.from_on.is_(None), dated.from_on <= day), or_(dated.to_on.is_(None), dated.to_on > day)
    )


def counting(day: date) -> ColumnElement[bool]:
    """The condition that a document counts as evidence on ``day``, whether or not it has expired."""
    return and_(
        ContractorDocument.counts_from <= day,
        or_(ContractorDocument.counts_to.is_(None), ContractorDocument.counts_to > day),
    )


def area_code(district: Any) -> ColumnElement[str]:
    """The code of an area: of its authority (joined as ``Organisation``), or the postcode district."""
    return case((district == "", Organisation.code), else_=district)


def fact(
    what: str,
    owner: Any,
    text: Any = None,
    day_a: Any = None,
    day_b: Any = None,
    *,
    number: Any = None,
    second: Any = None,
) -> Select[Any]:
    """One branch of a statement that reads several kinds of rows at once."""
    return select(
        literal(what, String).label("what"),
        owner.label("owner"),
        cast(null(), String).label("text") if text is None else text.label("text"),
        cast(null(), Date).label("day_a") if day_a is None else day_a.label("day_a"),
        cast(null(), Date).label("day_b") if day_b is None else day_b.label("day_b"),
        cast(null() if number is None else number, BigInteger).label("number"),
        cast(null() if second is None else second, BigInteger).label("second"),
    )
