"""What the items of an edition cost at one member: its own rate, or the schedule's with its adjustment. Its own alone:
nothing here knows of another member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.framework.member_models import Contractor, Member
from portal.framework.models import Lot
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.money import percent, pounds
from portal.rates.member_terms import MemberTerms
from portal.rates.models import Edition, Item
from portal.rates.pricing import Work, price_work

CSV_HEADER = (
    "code",
    "description",
    "trade",
    "unit",
    "schedule_rate",
    "own_rate",
    "adjustment_percent",
    "rate",
)
#: Rows of a download read at a time.
BATCH = 5_000


class Priced(Protocol):
    """An item as a list shows it."""

    @property
    def code(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def trade(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def rate_pence(self) -> int: ...


@dataclass(frozen=True, slots=True)
class FirmRate:
    """An item at a member: its own rate in pence if it has one, and what a unit comes to at it, excluding VAT."""

    item: Priced
    own_pence: int | None
    adjustment_bp: int
    rate_pence: int


def firm_rates(items: Iterable[Priced], terms: MemberTerms, value_pence: int) -> Iterator[FirmRate]:
    """``items`` at a member on its terms for a job of ``value_pence`` at schedule rates; one unit, in hours."""
    on_terms = terms.for_job(value_pence)
    for item in items:
        line = price_work(Work(item.code, Decimal(1), item.rate_pence), on_terms)
        yield FirmRate(item, on_terms.own_rates.get(item.code), line.adjustment_bp, line.net_pence)


def memberships_of(organisation_id: int) -> list[Member]:
    """The memberships and applications of a contractor, by framework and lot."""
    return list(
        db.session.scalars(
            select(Member)
            .join(Contractor, Contractor.id == Member.contractor_id)
            .where(Contractor.organisation_id == organisation_id)
            .options(joinedload(Member.lot).joinedload(Lot.framework))
            .order_by(Member.id)
        )
    )


def membership_of(organisation_id: int, member_id: int) -> Member:
    """One of a contractor's own memberships; ``NotFound`` also for another's."""
    found = next((each for each in memberships_of(organisation_id) if each.id == member_id), None)
    if found is None:
        raise NotFound("There is no such membership.")
    return found


def items_on(edition: Edition, day: date) -> Iterator[Item]:
    """Every item of an edition that is not withdrawn by ``day``, by code."""
    return db.session.scalars(
        select(Item)
        .where(Item.edition_id == edition.id, Item.withdrawn_on.is_(None) | (Item.withdrawn_on > day))
        .order_by(Item.code)
        .execution_options(yield_per=BATCH)
    )


def plain_row(rate: FirmRate) -> Sequence[object]:
    """A row of the download, as ``CSV_HEADER`` names it."""
    return (
        rate.item.code,
        rate.item.description,
        rate.item.trade,
        rate.item.unit,
        pounds(rate.item.rate_pence),
        None if rate.own_pence is None else pounds(rate.own_pence),
        percent(rate.adjustment_bp),
        pounds(rate.rate_pence),
    )
