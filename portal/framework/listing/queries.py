"""Search the contractor list as it stands on a day, and read one contractor of it.

The list is the ``Roster``, so what a page shows cannot differ from what allocation decides on. A handful of statements,
whatever the number of contractors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Organisation
from portal.framework.listing.places import district_in, miles_from
from portal.framework.member_models import Contractor, ContractorTrade, Member, MemberArea
from portal.framework.members.ranks import LISTED
from portal.framework.models import Framework, Lot
from portal.framework.roster import Listed, LotTerms, Roster
from portal.framework.rules import holds
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken
from portal.kernel.money import percent, pounds

#: Contractors on one page.
PAGE = 50
#: The bands of distance, in miles.
BANDS = (5, 10, 20, 40)


class Shown(StrEnum):
    """Where a membership stands, as a list is narrowed to it: *lapsed* is active without its required documents."""

    ACTIVE = "active"
    LAPSED = "lapsed"
    SUSPENDED = "suspended"
    APPLIED = "applied"
    CHECKING = "checking"
    RELEASED = "released"
    REMOVED = "removed"
    #: Contractors who are a member nowhere.
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Search:
    """What the list is narrowed to on the day ``on``. Empty values narrow nothing.

    ``area`` is the code of an authority or a postcode district, ``near`` a postcode, ``within`` miles from it.
    """

    on: date
    words: str = ""
    framework: str = ""
    lot_id: int | None = None
    area: str = ""
    trade: str = ""
    status: Shown | None = None
    sme: bool | None = None
    near: str = ""
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership as the list shows it: ``lacks`` says why its required documents do not hold on the day, ``in_force``
    whether its framework is, so that a document could cost it an offer."""

    listed: Listed
    lot: Lot
    lacks: tuple[str, ...]
    in_force: bool = True

    @property
    def shown(self) -> Shown:
        """Where it stands, lapses counted while the framework is in force, as ``documents.queries.attention`` does."""
        if self.listed.active and self.lacks and self.in_force:
            return Shown.LAPSED
        return Shown(self.listed.standing.status.value)

    @property
    def rank(self) -> int | None:
        """Its rank while it is on the list; who has left keeps a place in an edition that says nothing any more."""
        return self.listed.rank if self.listed.standing.status in LISTED else None

    @property
    def reason(self) -> str:
        """Why it stands there."""
        if self.shown is Shown.LAPSED:
            return "; ".join(self.lacks)
        return self.listed.standing.reason


@dataclass(frozen=True, slots=True)
class Entry:
    """A contractor on the list with those of its memberships that fit; ``miles`` from the postcode asked for."""

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
    memberships: tuple[Membership, ...]
    trades: tuple[str, ...] = ()
    miles: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The contractors that fit, by name, and those left out because nobody knows where their postcode lies."""

    entries: list[Entry] = field(default_factory=list)
    unplaced: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list can be narrowed to: frameworks and their lots, areas (code and name), trades."""

    frameworks: list[Framework]
    areas: list[tuple[str, str]]
    trades: list[str]


def find(search: Search) -> Found:
    """The contractors that fit ``search``, by name.

    Raises ``RuleBroken`` for a postcode that is none, or that lies in a district whose place is not known.
    """
    trades = _trades()
    entries = [
        entry
        for entry in (_nowhere(trades) if search.status is Shown.NOWHERE else _listed(search, trades))
        if _fits(entry, search)
    ]
    entries.sort(key=lambda each: (each.name.casefold(), each.code))
    if not search.near and search.within is None:
        return Found(entries)
    return _near(entries, search)


def _listed(search: Search, trades: Mapping[int, tuple[str, ...]]) -> Iterator[Entry]:
    """Everybody with a membership that fits, on the day asked for."""
    query = select(Lot.id)
    if search.framework:
        query = query.join(Framework, Framework.id == Lot.framework_id).where(Framework.code == search.framework)
    if search.lot_id is not None:
        query = query.where(Lot.id == search.lot_id)
    roster = Roster(list(db.session.scalars(query)), search.on)
    by_contractor: defaultdict[int, list[Membership]] = defaultdict(list)
    for lot_id, terms in roster.lots.items():
        for each in roster.members[lot_id]:
            membership = membership_on(each, terms, search.on)
            if _membership_fits(membership, terms, search):
                by_contractor[each.contractor_id].append(membership)
    for contractor_id, memberships in by_contractor.items():
        one = memberships[0].listed
        memberships.sort(key=lambda each: (each.lot.framework.code, each.lot.name))
        yield Entry(
            contractor_id,
            one.code,
            one.name,
            one.email,
            one.phone,
            one.postcode,
            one.sme,
            one.capacity,
            one.month_limit_pence,
            one.accepts_from,
            tuple(memberships),
            trades.get(contractor_id, ()),
        )


def membership_on(listed: Listed, terms: LotTerms, on: date) -> Membership:
    """A member of the roster of the day ``on``, as the list shows it."""
    framework = terms.lot.framework
    return Membership(
        listed,
        terms.lot,
        listed.lapses(terms.required, on),
        holds((framework.starts_on, framework.ends_on), on),
    )


def _nowhere(trades: Mapping[int, tuple[str, ...]]) -> Iterator[Entry]:
    """Contractors who have never applied anywhere."""
    somewhere = select(Member.id).where(Member.contractor_id == Contractor.id).exists()
    for each in db.session.scalars(select(Contractor).where(~somewhere)):
        yield Entry(
            each.id,
            each.organisation.code,
            each.organisation.name,
            each.email,
            each.phone,
            each.postcode,
            each.sme,
            each.capacity,
            each.month_limit_pence,
            each.accepts_from,
            (),
            trades.get(each.id, ()),
        )


def _membership_fits(membership: Membership, terms: LotTerms, search: Search) -> bool:
    if search.status is not None and membership.shown is not search.status:
        return False
    if not search.area:
        return True
    # A district is served by whoever works in it; an authority by whoever names it, where the lot covers it.
    return search.area in membership.listed.areas and (
        not terms.areas or search.area in terms.areas or not any(code in terms.access for code in terms.areas)
    )


def _fits(entry: Entry, search: Search) -> bool:
    text = f"{entry.name} {entry.code}".casefold()
    return (
        all(word in text for word in search.words.casefold().split())
        and (not search.trade or search.trade in entry.trades)
        and (search.sme is None or entry.sme is search.sme)
    )


def _near(entries: list[Entry], search: Search) -> Found:
    if not search.near:
        raise RuleBroken("Enter the postcode from which the distance is measured.")
    origin = district_in(search.near)
    if origin is None:
        raise RuleBroken(f"“{search.near}” is not a postcode; write one like RG1 2AB, or its first half, RG1.")
    miles = miles_from(origin, {entry.postcode for entry in entries})
    if miles is None:
        raise RuleBroken(f"Where {origin} lies is not known here; bring the list of postcode districts in first.")
    found = Found()
    for entry in entries:
        if entry.postcode not in miles:
            found.unplaced.append(entry)
        elif search.within is None or miles[entry.postcode] <= search.within:
            found.entries.append(replace(entry, miles=miles[entry.postcode]))
    found.entries.sort(key=lambda each: (each.miles or 0.0, each.name.casefold(), each.code))
    return found


def _trades() -> dict[int, tuple[str, ...]]:
    """The trades of every contractor."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for contractor_id, trade in db.session.execute(
        select(ContractorTrade.contractor_id, ContractorTrade.trade).order_by(ContractorTrade.trade)
    ):
        found[contractor_id].append(trade)
    return {contractor_id: tuple(trades) for contractor_id, trades in found.items()}


def choices() -> Choices:
    """What the list can be narrowed to."""
    areas = db.session.execute(
        select(Organisation.code, Organisation.name)
        .where(Organisation.id.in_(select(MemberArea.authority_id)))
        .union(select(MemberArea.district, MemberArea.district).where(MemberArea.district != ""))
    )
    return Choices(
        list(db.session.scalars(select(Framework).options(selectinload(Framework.lots)).order_by(Framework.code))),
        sorted(((code, name) for code, name in areas), key=lambda pair: pair[1]),
        list(db.session.scalars(select(ContractorTrade.trade).distinct().order_by(ContractorTrade.trade))),
    )


# To a file ------------------------------------------------------------------------------------------------------------

COLUMNS = (
    "code",
    "name",
    "email",
    "phone",
    "postcode",
    "sme",
    "trades",
    "capacity",
    "month_limit",
    "accepts_from",
    "miles",
    "framework",
    "lot",
    "status",
    "reason",
    "since",
    "until",
    "rank",
    "share_percent",
    "adjustment_percent",
    "areas",
    "documents_lacking",
    "on",
)


def rows(entries: list[Entry], on: date, today: date) -> Iterator[tuple[object, ...]]:
    """The list of the day ``on`` as rows under ``COLUMNS``: one for each membership, and one for a contractor without.

    Adjustments are known for today only; for another day their cells stay empty rather than wrong.
    """
    for entry in entries:
        firm = (
            entry.code,
            entry.name,
            entry.email,
            entry.phone,
            entry.postcode,
            "yes" if entry.sme else "no",
            "; ".join(entry.trades),
            entry.capacity,
            None if entry.month_limit_pence is None else pounds(entry.month_limit_pence),
            entry.accepts_from,
            None if entry.miles is None else round(entry.miles, 1),
        )
        if not entry.memberships:
            yield (*firm, *(None,) * (len(COLUMNS) - len(firm) - 1), on)
        for each in entry.memberships:
            listed = each.listed
            yield (
                *firm,
                each.lot.framework.code,
                each.lot.name,
                each.shown.value,
                each.reason,
                listed.since,
                listed.until_on,
                each.rank,
                None if listed.share_bp is None or each.rank is None else percent(listed.share_bp),
                percent(listed.adjustment_bp) if on == today else None,
                "; ".join(sorted(listed.areas)),
                "; ".join(each.lacks),
                on,
            )


# One contractor -------------------------------------------------------------------------------------------------------


def contractor_by_code(code: str) -> Contractor:
    """A contractor with its documents, trades and days away, or ``NotFound``."""
    contractor = db.session.scalar(
        select(Contractor)
        .join(Contractor.organisation)
        .where(Organisation.code == code)
        .options(selectinload(Contractor.documents), selectinload(Contractor.trades), selectinload(Contractor.absences))
    )
    if contractor is None:
        raise NotFound(f"There is no contractor {code}.")
    return contractor


def memberships_of(contractor: Contractor, on: date) -> list[Membership]:
    """Where a contractor is a member, or was, or has applied, as it stands on a day."""
    lot_ids = list(db.session.scalars(select(Member.lot_id).where(Member.contractor_id == contractor.id)))
    roster = Roster(lot_ids, on)
    found = [
        membership_on(each, roster.lots[each.lot_id], on)
        for each in roster
        if each.contractor_id == contractor.id
    ]
    return sorted(found, key=lambda each: (each.lot.framework.code, each.lot.name))


def membership_by_id(member_id: int) -> Member:
    """A membership with everything its page shows of it, or ``NotFound``."""
    member = db.session.scalar(
        select(Member)
        .where(Member.id == member_id)
        .options(
            joinedload(Member.contractor).selectinload(Contractor.documents),
            joinedload(Member.lot).joinedload(Lot.framework),
            joinedload(Member.lot).selectinload(Lot.requirements),
            joinedload(Member.lot).selectinload(Lot.areas),
            selectinload(Member.areas),
            selectinload(Member.events),
        )
    )
    if member is None:
        raise NotFound("There is no such membership.")
    return member
