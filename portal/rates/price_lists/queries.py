"""Read price lists, and the items that they are compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from math import ceil

from sqlalchemy import func, select
from sqlalchemy.orm import aliased, joinedload

from portal.framework.member_models import Contractor, Member
from portal.framework.models import Lot
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.rates.models import Component, Edition, Item, MemberRate, Schedule
from portal.rates.own_rates import rate_in_force
from portal.rates.price_lists.models import PriceList
from portal.rates.queries import portions
from portal.rates.schedule_file import ItemRow
from portal.rates.states import PriceListStatus

PAGE = 50
#: Rows that come from the database at a time.
AT_ONCE = 5_000
UNDER_WAY = (PriceListStatus.WAITING, PriceListStatus.READING, PriceListStatus.READY)


def price_lists(page: int) -> tuple[list[PriceList], int]:
    """One page of the lists that were handed in, the newest first, and how many pages there are."""
    lists = db.session.scalar(select(func.count()).select_from(PriceList)) or 0
    found = db.session.scalars(select(PriceList).order_by(PriceList.id.desc()).limit(PAGE).offset((page - 1) * PAGE))
    return list(found), max(ceil(lists / PAGE), 1)


def price_list_by_id(list_id: int) -> PriceList:
    """One list that was handed in, or ``NotFound``."""
    found = db.session.get(PriceList, list_id)
    if found is None:
        raise NotFound(f"There is no price list {list_id}.")
    return found


def states_of(stored_names: Collection[str]) -> dict[str, PriceListStatus]:
    """How the lists stand whose files are kept under these names."""
    found: dict[str, PriceListStatus] = {}
    for some in portions(stored_names):
        query = select(PriceList.stored_name, PriceList.status).where(PriceList.stored_name.in_(some))
        found |= dict(db.session.execute(query).all())
    return found


def list_under_way(schedule_code: str) -> PriceList | None:
    """The list that is to become the schedule's next edition, if there is one."""
    return db.session.scalar(
        select(PriceList).where(PriceList.schedule_code == schedule_code, PriceList.status.in_(UNDER_WAY))
    )


def schedule_by_code(code: str) -> Schedule | None:
    """A schedule, if there is one of that code."""
    return db.session.scalar(select(Schedule).where(Schedule.code == code))


def all_schedules() -> list[Schedule]:
    """Every schedule by code, without its editions."""
    return list(db.session.scalars(select(Schedule).order_by(Schedule.code)))


def edition_by_id(edition_id: int) -> Edition:
    """One edition, or ``NotFound``."""
    found = db.session.get(Edition, edition_id)
    if found is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return found


def edition_before(schedule_code: str, day: date) -> Edition | None:
    """The edition of a schedule that started last before ``day``: what one that starts then replaces."""
    return db.session.scalar(
        select(Edition)
        .join(Schedule)
        .where(Schedule.code == schedule_code, Edition.starts_on < day)
        .order_by(Edition.starts_on.desc())
        .limit(1)
    )


def edition_after(edition: Edition) -> Edition | None:
    """The edition that replaces another, if it is there already."""
    return db.session.scalar(
        select(Edition)
        .where(Edition.schedule_id == edition.schedule_id, Edition.starts_on > edition.starts_on)
        .order_by(Edition.starts_on)
        .limit(1)
    )


def later_editions_with(edition: Edition, code: str) -> list[Edition]:
    """Later editions in which an item of this code is in use."""
    return list(
        db.session.scalars(
            select(Edition)
            .join(Item, Item.edition_id == Edition.id)
            .where(
                Edition.schedule_id == edition.schedule_id,
                Edition.starts_on > edition.starts_on,
                Item.code == code,
                Item.withdrawn_on.is_(None),
            )
            .order_by(Edition.starts_on)
        )
    )


def item_of(edition_id: int, code: str) -> Item | None:
    """The item of an edition with this code."""
    return db.session.scalar(select(Item).where(Item.edition_id == edition_id, Item.code == code))


def items_of(edition_id: int) -> Iterator[ItemRow]:
    """The items of an edition as values, in the order in which they were written. Two statements."""
    parts = parts_of(edition_id)
    columns = (
        Item.code,
        Item.description,
        Item.long_description,
        Item.trade,
        Item.unit,
        Item.rate_pence,
        Item.smv,
        Item.composite,
        Item.vat_bp,
        Item.withdrawn_on,
        Item.withdrawn_reason,
    )
    query = select(*columns).where(Item.edition_id == edition_id).order_by(Item.id)
    for row in db.session.execute(query.execution_options(yield_per=AT_ONCE)):
        yield ItemRow(*row, parts=parts.get(row.code, ()))


def parts_of(edition_id: int) -> dict[str, tuple[tuple[str, Decimal], ...]]:
    """The parts of every composite of an edition, by its code."""
    composite, part = aliased(Item), aliased(Item)
    found: defaultdict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    for whole, piece, quantity in db.session.execute(
        select(composite.code, part.code, Component.quantity)
        .join(composite, composite.id == Component.composite_id)
        .join(part, part.id == Component.part_id)
        .where(composite.edition_id == edition_id)
        .order_by(Component.id)
    ):
        found[whole].append((piece, quantity))
    return {code: tuple(pieces) for code, pieces in found.items()}


def own_rates_for(codes: Collection[str], day: date, schedule_id: int) -> list[MemberRate]:
    """The rates of members' own for some codes of a schedule that hold on ``day`` or are agreed for later, by code and
    member."""
    if not codes:
        return []
    found = db.session.scalars(
        select(MemberRate)
        .where(
            MemberRate.schedule_id == schedule_id,
            MemberRate.rate_pence.is_not(None),
            rate_in_force(day) | (MemberRate.starts_on > day),
        )
        .order_by(MemberRate.code, MemberRate.member_id, MemberRate.starts_on)
    )
    # Compared here: the codes of a list are more than a statement can carry.
    return [each for each in found if each.code in codes]


def members_by_id(ids: Collection[int]) -> dict[int, Member]:
    """Members with their contractors and lots."""
    return {
        each.id: each
        for each in db.session.scalars(
            select(Member)
            .where(Member.id.in_(ids))
            .options(
                joinedload(Member.contractor).joinedload(Contractor.organisation),
                joinedload(Member.lot).joinedload(Lot.framework),
            )
        )
    }


def composite_rows(edition_id: int) -> tuple[list[ItemRow], dict[str, int], int]:
    """The composites of an edition that name their parts, the rates of the parts in pence, and how many composites name
    none. Two statements."""
    composite, part = aliased(Item), aliased(Item)
    wholes: dict[str, tuple[str, str, int]] = {}
    parts: defaultdict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    rates: dict[str, int] = {}
    for code, description, unit, rate, piece, piece_rate, quantity in db.session.execute(
        select(
            composite.code,
            composite.description,
            composite.unit,
            composite.rate_pence,
            part.code,
            part.rate_pence,
            Component.quantity,
        )
        .join(composite, composite.id == Component.composite_id)
        .join(part, part.id == Component.part_id)
        .where(composite.edition_id == edition_id)
        .order_by(Component.id)
    ):
        wholes[code] = (description, unit, rate)
        parts[code].append((piece, quantity))
        rates[piece] = piece_rate
    all_of_them = db.session.scalar(
        select(func.count()).select_from(Item).where(Item.edition_id == edition_id, Item.composite)
    )
    rows = [
        ItemRow(code, description, "", "", unit, rate, None, True, parts=tuple(parts[code]))
        for code, (description, unit, rate) in wholes.items()
    ]
    return rows, rates, (all_of_them or 0) - len(rows)
