"""Fair share: what each contractor of a framework was offered, took and was worth in a period, against its share.

Offers count in the period in which they were sent, whatever became of them later. Six statements, whatever the number
of offers: three of the roster, and one each for lots, sums and firms. The sums are pure: rows in, values out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import func, select

from portal.accounts.models import Organisation
from portal.framework.member_models import Contractor, Member
from portal.framework.models import Framework, Lot
from portal.framework.roster import Roster
from portal.framework.rules import is_local, share_of, years_after
from portal.jobs.models import Offer
from portal.jobs.states import OfferStatus
from portal.kernel.clock import LOCAL, date_text
from portal.kernel.db import db
from portal.kernel.errors import RuleBroken

#: Offers that were accepted, whatever came after.
ACCEPTED = (OfferStatus.ACCEPTED, OfferStatus.COMPLETED, OfferStatus.FAILED_TO_START)
#: Offers that stand as orders: their value is what was spent and committed.
ORDERED = (OfferStatus.ACCEPTED, OfferStatus.COMPLETED)
#: With fewer orders one more or less moves every share by several points, and the page says so.
FEW_ORDERS = 20
TENTH = Decimal("0.1")


class Basis(StrEnum):
    """What a lot's shares rest on."""

    AGREED = "agreed"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Period:
    """The days ``[first, last]``, both counted."""

    first: date
    last: date

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The same as instants ``[from, to)``, in the United Kingdom."""
        return _midnight(self.first), _midnight(self.last + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), LOCAL).astimezone(UTC)


def period_of(first: date, last: date) -> Period:
    """The days from ``first`` to ``last``; ``RuleBroken`` when they end before they begin."""
    if last < first:
        raise RuleBroken(f"The last day {date_text(last)} cannot come before the first, {date_text(first)}.")
    return Period(first, last)


def last_year(today: date) -> Period:
    """The twelve months up to and including ``today``."""
    return Period(years_after(today, -1) + timedelta(days=1), today)


@dataclass(frozen=True, slots=True)
class Seat:
    """A membership at the end of the period: whose, of which lot, whether active, and its agreed share in basis
    points."""

    contractor_id: int
    lot_id: int
    active: bool
    share_bp: int | None


@dataclass(frozen=True, slots=True)
class Sum:
    """Offers of one membership with one outcome: how many, and their value in pence."""

    contractor_id: int
    lot_id: int
    status: OfferStatus
    offers: int
    pence: int


@dataclass(frozen=True, slots=True)
class Firm:
    """A contractor: its code and name, and what the reports by kind of firm go by."""

    code: str
    name: str
    sme: bool
    local: bool


@dataclass(frozen=True, slots=True)
class Share:
    """One contractor in the period.

    Counts are of offers. ``value_pence`` is what its orders come to, ``share`` their part of all orders in per cent,
    ``agreed`` the part that was agreed (or an equal one), ``difference`` the one less the other in percentage points;
    to a tenth, and ``None`` where there is nothing to compare.
    """

    firm: Firm
    outcomes: Mapping[OfferStatus, int]
    value_pence: int
    share: Decimal | None
    agreed: Decimal | None

    @property
    def offers(self) -> int:
        """All offers, whatever became of them."""
        return sum(self.outcomes.values())

    @property
    def accepted(self) -> int:
        """Offers accepted, also where the works then failed to start."""
        return sum(self.outcomes.get(status, 0) for status in ACCEPTED)

    def count(self, status: OfferStatus) -> int:
        """Offers with one outcome."""
        return self.outcomes.get(status, 0)

    @property
    def difference(self) -> Decimal | None:
        """The share less the agreed share, of the figures as they are shown."""
        return None if self.share is None or self.agreed is None else self.share - self.agreed


@dataclass(frozen=True, slots=True)
class FairShare:
    """A framework in a period: its contractors by code, and what they come to together.

    ``bases`` says of each lot by name what its shares rest on. ``local_pence`` is ``None`` where nobody has said which
    areas are local.
    """

    period: Period
    shares: tuple[Share, ...]
    bases: Mapping[str, Basis]
    orders: int
    value_pence: int
    sme_pence: int
    local_pence: int | None
    lots: Sequence[Lot] = field(default=(), compare=False)

    @property
    def sme_share(self) -> Decimal | None:
        """What small and medium-sized firms were given, in per cent of the value."""
        return share_of(self.sme_pence, self.value_pence)

    @property
    def local_share(self) -> Decimal | None:
        """What local firms were given, in per cent of the value."""
        return None if self.local_pence is None else share_of(self.local_pence, self.value_pence)

    @property
    def measure(self) -> str:
        """What the shares are held against, in a word or two: agreed shares, an equal split, or both by lot."""
        bases = set(self.bases.values())
        if bases == {Basis.AGREED}:
            return "Agreed share"
        return "Equal split" if Basis.AGREED not in bases else "Agreed or equal"

    @property
    def few(self) -> bool:
        """Whether there are so few orders that single ones move the shares by points."""
        return 0 < self.orders < FEW_ORDERS

    @property
    def basis_sentence(self) -> str:
        """What the agreed shares rest on, as a sentence."""
        equal = sorted(name for name, basis in self.bases.items() if basis is Basis.EQUAL)
        agreed = sorted(name for name, basis in self.bases.items() if basis is Basis.AGREED)
        several = (
            " A contractor’s share over several lots weighs its share of each lot by what the lot’s orders come to."
            if len(self.bases) > 1
            else ""
        )
        if not equal:
            return f"The shares are those agreed in the ranks in force on the last day.{several}"
        if not agreed:
            return (
                "No shares are agreed: each lot is taken to be split equally among its members who are active on the "
                f"last day.{several}"
            )
        return (
            f"The shares of {', '.join(agreed)} are those agreed in the ranks in force on the last day; no shares are "
            f"agreed for {', '.join(equal)}, taken to be split equally among the members who are active on that "
            f"day.{several}"
        )


# The sums -------------------------------------------------------------------------------------------------------------


def basis_of(seats: Iterable[Seat]) -> Basis:
    """Whether shares are agreed among the members of one lot."""
    return Basis.AGREED if any(seat.share_bp is not None for seat in seats) else Basis.EQUAL


def lot_shares(seats: Sequence[Seat]) -> dict[int, Fraction]:
    """The share of each member of one lot, by contractor: as agreed, or equal among those who are active."""
    if basis_of(seats) is Basis.AGREED:
        return {seat.contractor_id: Fraction(seat.share_bp or 0, 10_000) for seat in seats}
    active = [seat.contractor_id for seat in seats if seat.active]
    return {contractor_id: Fraction(1, len(active)) for contractor_id in active}


def expected_pence(seats: Iterable[Seat], sums: Iterable[Sum]) -> dict[int, Fraction]:
    """What each contractor would have had: its share of every lot's orders, in pence."""
    by_lot: defaultdict[int, list[Seat]] = defaultdict(list)
    for seat in seats:
        by_lot[seat.lot_id].append(seat)
    values: defaultdict[int, int] = defaultdict(int)
    for each in sums:
        if each.status in ORDERED:
            values[each.lot_id] += each.pence
    expected: defaultdict[int, Fraction] = defaultdict(Fraction)
    for lot_id, members in by_lot.items():
        for contractor_id, share in lot_shares(members).items():
            expected[contractor_id] += share * values[lot_id]
    return dict(expected)


def tenth(share: Fraction) -> Decimal:
    """A part of one in per cent, to a tenth, half up."""
    return (Decimal(share.numerator) * 100 / Decimal(share.denominator)).quantize(TENTH, ROUND_HALF_UP)


def shares(firms: Mapping[int, Firm], seats: Sequence[Seat], sums: Sequence[Sum]) -> list[Share]:
    """Each contractor's offers, value and share, by code; those who are neither active nor were offered anything are
    left out."""
    outcomes: defaultdict[int, dict[OfferStatus, int]] = defaultdict(dict)
    values: defaultdict[int, int] = defaultdict(int)
    for each in sums:
        mine = outcomes[each.contractor_id]
        mine[each.status] = mine.get(each.status, 0) + each.offers
        if each.status in ORDERED:
            values[each.contractor_id] += each.pence
    expected, whole = expected_pence(seats, sums), sum(values.values())
    one_lot = len({seat.lot_id for seat in seats}) == 1
    agreed_alone = lot_shares(seats) if one_lot else {}
    found = []
    there = set(outcomes) | {seat.contractor_id for seat in seats if seat.active}
    for contractor_id in sorted(there, key=lambda each: firms[each].code):
        agreed: Decimal | None = None
        if one_lot:
            agreed = tenth(agreed_alone.get(contractor_id, Fraction()))
        elif whole:
            agreed = tenth(expected.get(contractor_id, Fraction()) / whole)
        found.append(
            Share(
                firms[contractor_id],
                outcomes.get(contractor_id, {}),
                values.get(contractor_id, 0),
                tenth(Fraction(values.get(contractor_id, 0), whole)) if whole else None,
                agreed,
            )
        )
    return found


# The query ------------------------------------------------------------------------------------------------------------


def fair_share(framework: Framework, period: Period, lot_ids: Sequence[int] | None = None) -> FairShare:
    """How the work of a framework, or of some of its lots, fell to its contractors in ``period``."""
    lots = list(
        db.session.scalars(
            select(Lot)
            .where(Lot.framework_id == framework.id, *([] if lot_ids is None else [Lot.id.in_(lot_ids)]))
            .order_by(Lot.name)
        )
    )
    wanted = [lot.id for lot in lots]
    roster = Roster(wanted, period.last)
    seats = [Seat(each.contractor_id, each.lot_id, each.active, each.share_bp) for each in roster]
    sums = _sums(wanted, period)
    there = {seat.contractor_id for seat in seats} | {each.contractor_id for each in sums}
    firms = _firms(there, framework.local_areas)
    found = shares(firms, seats, sums)
    return FairShare(
        period,
        tuple(found),
        {lot.name: basis_of(seat for seat in seats if seat.lot_id == lot.id) for lot in lots},
        sum(each.count(status) for each in found for status in ORDERED),
        sum(each.value_pence for each in found),
        sum(each.value_pence for each in found if each.firm.sme),
        sum(each.value_pence for each in found if each.firm.local) if framework.local_areas else None,
        lots,
    )


def _sums(lot_ids: Sequence[int], period: Period) -> list[Sum]:
    since, until = period.instants
    return [
        Sum(contractor_id, lot_id, status, number, int(pence))
        for contractor_id, lot_id, status, number, pence in db.session.execute(
            select(Member.contractor_id, Member.lot_id, Offer.status, func.count(), func.sum(Offer.price_pence))
            .select_from(Offer)
            .join(Member, Member.id == Offer.member_id)
            .where(Member.lot_id.in_(lot_ids), Offer.sent_at >= since, Offer.sent_at < until)
            .group_by(Member.contractor_id, Member.lot_id, Offer.status)
        )
    ]


def _firms(contractor_ids: Iterable[int], local_areas: str) -> dict[int, Firm]:
    return {
        contractor_id: Firm(code, name, sme, is_local(postcode, local_areas))
        for contractor_id, code, name, sme, postcode in db.session.execute(
            select(Contractor.id, Organisation.code, Organisation.name, Contractor.sme, Contractor.postcode)
            .join(Organisation, Organisation.id == Contractor.organisation_id)
            .where(Contractor.id.in_(contractor_ids))
        )
    }
