"""What a firm sees of itself: its memberships with what each asks for, its documents, the lots it may apply for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Organisation, Person
from portal.framework.member_models import Contractor, ContractorDocument, Member, MemberArea
from portal.framework.members.services import access_of, why_no_applications
from portal.framework.models import Framework, Lot, LotArea, LotRequirement
from portal.framework.rules import REMINDERS, Evidence, Standing, Step, last_good_day, standing_on
from portal.framework.states import MEMBER_MOVES, DocumentStatus, MemberStatus, ReviewStatus, document_title
from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.errors import NotAllowed, NotFound
from portal.kernel.money import shown

#: Standings that have come to an end; whoever stands there may apply again.
ENDED = frozenset(status for status, moves in MEMBER_MOVES.items() if MemberStatus.APPLIED in moves)
#: Standings of somebody who is not admitted yet.
APPLYING = frozenset({MemberStatus.APPLIED, MemberStatus.CHECKING})


class NeedState(StrEnum):
    """How a document that a lot asks for stands."""

    VERIFIED = "verified"
    EXPIRES_SOON = "expires-soon"
    WAITING = "waiting"
    MISSING = "missing"
    REJECTED = "rejected"
    EXPIRED = "expired"
    COVERS_TOO_LITTLE = "covers-too-little"


#: States in which the firm must do something.
OPEN_NEEDS = frozenset(NeedState) - {NeedState.VERIFIED, NeedState.WAITING}


@dataclass(frozen=True, slots=True)
class Need:
    """A kind of document that a lot asks for, and how it stands; ``words`` are a sentence for the firm.

    ``holds`` says whether it lets offers through today.
    """

    kind: str
    required: bool
    minimum_pence: int | None
    state: NeedState
    words: str
    holds: bool

    @property
    def title(self) -> str:
        """What the document is called."""
        return document_title(self.kind)

    @property
    def needs_the_firm(self) -> bool:
        """Whether the firm must hand one in."""
        return self.required and self.state in OPEN_NEEDS


@dataclass(frozen=True, slots=True)
class Membership:
    """A firm's place in a lot, as it stands on a day."""

    member: Member
    standing: Standing
    since: date
    until_on: date | None
    needs: tuple[Need, ...]

    @property
    def ended(self) -> bool:
        """Whether it was released or removed."""
        return self.standing.status in ENDED

    @property
    def applying(self) -> bool:
        """Whether it is an application that nobody has decided on."""
        return self.standing.status in APPLYING

    @property
    def unsettled(self) -> bool:
        """Whether it is neither in order nor over: an application, or a suspension."""
        return self.applying or self.standing.status is MemberStatus.SUSPENDED

    @property
    def offers_stop(self) -> bool:
        """Whether an active member gets no offers because a required document does not hold."""
        return self.standing.status is MemberStatus.ACTIVE and any(
            each.required and not each.holds for each in self.needs
        )


def firm_if_listed(person: Person) -> Contractor | None:
    """The firm that ``person`` works for, with its documents; ``None`` for one that is on no contractor list."""
    return db.session.scalar(
        select(Contractor)
        .where(Contractor.organisation_id == person.organisation_id)
        .options(selectinload(Contractor.documents))
    )


def firm_of(person: Person) -> Contractor:
    """The firm that ``person`` works for; ``NotAllowed`` for an organisation that is on no contractor list."""
    firm = firm_if_listed(person)
    if firm is None:
        raise NotAllowed(
            "Your organisation is not on the contractor list yet. Ask the framework manager to put it there."
        )
    return firm


def memberships_of(firm: Contractor, on: date) -> list[Membership]:
    """A firm's memberships and applications with what each asks for, those that go on before those that ended."""
    members = db.session.scalars(
        select(Member)
        .where(Member.contractor_id == firm.id)
        .options(
            joinedload(Member.lot).joinedload(Lot.framework),
            joinedload(Member.lot).selectinload(Lot.requirements),
            selectinload(Member.areas),
            selectinload(Member.bands),
            selectinload(Member.events),
        )
        .order_by(Member.id)
    )
    found = []
    for member in members.unique():
        steps = [each for each in member.events if each.from_on <= on]
        stands = standing_on([Step(each.status, each.from_on, each.until_on, each.reason) for each in steps], on)
        if stands is None:
            continue
        last = steps[-1]
        until = last.until_on if stands.status is MemberStatus.SUSPENDED else None
        needs = [need_for(each, firm.documents, on) for each in member.lot.requirements]
        needs.sort(key=lambda each: (not each.needs_the_firm, not each.required, each.title))
        found.append(Membership(member, stands, last.from_on, until, tuple(needs)))
    return sorted(found, key=lambda each: (each.ended, each.member.lot.framework.name, each.member.lot.name))


def membership_of(firm: Contractor, member_id: int, on: date) -> Membership:
    """One of the firm's memberships; ``NotFound`` also for another firm's."""
    found = next((each for each in memberships_of(firm, on) if each.member.id == member_id), None)
    if found is None:
        raise NotFound("There is no such membership.")
    return found


def need_for(asked: LotRequirement, documents: Iterable[ContractorDocument], on: date) -> Need:
    """How what a lot asks for stands on a day among a firm's documents; by the rule that allocation goes by."""
    own = [each for each in documents if each.kind == asked.kind and each.status is not DocumentStatus.WITHDRAWN]
    evidence = [
        Evidence(each.kind, each.expires_on, each.cover_pence, each.counts_from, each.counts_to) for each in own
    ]
    last = last_good_day(asked.kind, asked.minimum_pence, evidence, on)
    if last is not None and last >= on:
        state, words = _held(last, any(each.status is DocumentStatus.WAITING for each in own), on)
        return Need(asked.kind, asked.required, asked.minimum_pence, state, words, holds=True)
    anyhow = last_good_day(asked.kind, None, evidence, on)
    state, words = _lacking(asked, own, anyhow, on)
    return Need(asked.kind, asked.required, asked.minimum_pence, state, words, holds=False)


def _held(last: date, waiting: bool, on: date) -> tuple[NeedState, str]:
    """State and words of a document that holds until ``last``."""
    words = f"It holds until {date_text(last)}."
    if (last - on).days > REMINDERS[0]:
        return NeedState.VERIFIED, words
    if waiting:
        return NeedState.WAITING, f"{words} The new one waits to be checked."
    return NeedState.EXPIRES_SOON, f"It expires on {date_text(last)}. Hand in the next one."


def _lacking(
    asked: LotRequirement, own: list[ContractorDocument], anyhow: date | None, on: date
) -> tuple[NeedState, str]:
    """State and words of a document that does not hold; one that covers too little is good until ``anyhow``."""
    newest = max(own, key=lambda each: each.id, default=None)
    if any(each.status is DocumentStatus.WAITING for each in own):
        return NeedState.WAITING, "It waits to be checked."
    if newest is not None and newest.status is DocumentStatus.REJECTED:
        return NeedState.REJECTED, f"It could not be accepted: {newest.reason}"
    if anyhow is not None and anyhow < on:
        return NeedState.EXPIRED, f"It expired on {date_text(anyhow)}. Hand in the new one."
    if anyhow is not None:
        return NeedState.COVERS_TOO_LITTLE, f"What you hold does not cover {shown(asked.minimum_pence or 0)}."
    return NeedState.MISSING, "Hand it in." if asked.required else "Asked for, not required."


def open_needs(memberships: Iterable[Membership]) -> list[tuple[Need, list[str]]]:
    """What a firm must hand in, once per kind, each with the lots that it belongs to."""
    found: dict[str, tuple[Need, list[str]]] = {}
    for membership in memberships:
        for need in () if membership.ended else membership.needs:
            if need.needs_the_firm:
                found.setdefault(need.kind, (need, []))[1].append(membership.member.lot.name)
    return sorted(found.values(), key=lambda each: (each[0].holds, each[0].title))


# Documents ------------------------------------------------------------------------------------------------------------


def document_of(firm: Contractor, document_id: int) -> ContractorDocument:
    """One of the firm's documents; ``NotFound`` also for another firm's."""
    document = db.session.get(ContractorDocument, document_id)
    if document is None or document.contractor_id != firm.id:
        raise NotFound("There is no such document.")
    return document


def document_by_id(document_id: int) -> ContractorDocument:
    """Any firm's document, for staff; ``NotFound`` without one."""
    document = db.session.get(ContractorDocument, document_id)
    if document is None:
        raise NotFound("There is no such document.")
    return document


@dataclass(frozen=True, slots=True)
class Shelf:
    """A firm's documents of one kind: those that count, wait or were turned down, and those that are history.

    ``minimum_pence`` is the most that any of its lots wants covered.
    """

    kind: str
    asked_by: tuple[str, ...]
    required: bool
    minimum_pence: int | None
    current: tuple[ContractorDocument, ...]
    past: tuple[ContractorDocument, ...]

    @property
    def title(self) -> str:
        """What the kind is called."""
        return document_title(self.kind)


def shelves_of(firm: Contractor, memberships: Sequence[Membership], on: date) -> list[Shelf]:
    """A firm's documents by kind: those that its lots ask for first, required before asked for."""
    asked: dict[str, list[str]] = {}
    required: set[str] = set()
    minima: dict[str, int] = {}
    for membership in memberships:
        for need in () if membership.ended else membership.needs:
            asked.setdefault(need.kind, []).append(membership.member.lot.name)
            if need.required:
                required.add(need.kind)
            if need.minimum_pence:
                minima[need.kind] = max(minima.get(need.kind, 0), need.minimum_pence)
    found = []
    for kind in {*asked, *(each.kind for each in firm.documents)}:
        own = sorted((each for each in firm.documents if each.kind == kind), key=lambda each: -each.id)
        current = [each for each in own if is_current(each, own, on)]
        found.append(
            Shelf(
                kind,
                tuple(dict.fromkeys(asked.get(kind, ()))),
                kind in required,
                minima.get(kind),
                tuple(current),
                tuple(each for each in own if each not in current),
            )
        )
    return sorted(found, key=lambda each: (not each.required, not each.asked_by, each.title))


def is_current(document: ContractorDocument, own: Iterable[ContractorDocument], on: date) -> bool:
    """Whether a document still matters: not withdrawn, and not replaced by a newer one of its kind (``own``)."""
    if document.status is DocumentStatus.WITHDRAWN:
        return False
    if document.status is DocumentStatus.WAITING:
        return True
    newer = [each for each in own if each.id > document.id and each.status is not DocumentStatus.WITHDRAWN]
    if document.status is DocumentStatus.VERIFIED and document.expires_on >= on:
        return not any(
            each.status is DocumentStatus.VERIFIED and each.expires_on >= document.expires_on for each in newer
        )
    return not any(each.status is not DocumentStatus.REJECTED for each in newer)


# Applying -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot that a firm may apply for; ``again`` when it was a member or applied before."""

    lot: Lot
    again: bool
    next_review_on: date | None


def open_lots(firm: Contractor, on: date) -> list[OpenLot]:
    """The lots that a firm may apply for: of frameworks that have not ended, where it has no place now."""
    standings = {each.member.lot_id: each.standing.status for each in memberships_of(firm, on)}
    lots = db.session.scalars(
        select(Lot)
        .join(Framework, Framework.id == Lot.framework_id)
        .where((Framework.ends_on.is_(None)) | (Framework.ends_on > on))
        .options(
            joinedload(Lot.framework).selectinload(Framework.reviews),
            selectinload(Lot.requirements),
            selectinload(Lot.work_types),
            selectinload(Lot.areas),
        )
        .order_by(Framework.name, Lot.name)
    )
    return [
        OpenLot(lot, lot.id in standings, next_review(lot.framework, on))
        for lot in lots.unique()
        if (lot.id not in standings or standings[lot.id] in ENDED) and not why_no_applications(lot.framework, on)
    ]


def next_review(framework: Framework, on: date) -> date | None:
    """The next day on which new members are taken in, where one is planned."""
    return next(
        (each.due_on for each in framework.reviews if each.status is ReviewStatus.PLANNED and each.due_on >= on), None
    )


def authorities_to_serve(lot: Lot, on: date) -> list[Organisation]:
    """The authorities in which a member of the lot can work, by name: those that call it off now or later."""
    periods = access_of(lot.framework_id)
    calling = {code for code, each in periods.items() if any(to_on is None or to_on > on for _, to_on in each)}
    limited = {code_of_area(area) for area in lot.areas}
    if limited and limited <= set(periods):
        calling &= limited
    return list(
        db.session.scalars(select(Organisation).where(Organisation.code.in_(calling)).order_by(Organisation.name))
    )


def code_of_area(area: LotArea | MemberArea) -> str:
    """The authority's code, or the postcode district."""
    return area.authority.code if area.authority else area.district
