"""Read schedules, editions and items."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from itertools import islice

from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.rates.models import Edition, Item, Schedule, StarRate
from portal.rates.states import StarRateStatus

#: How many values stand in one statement.
PORTION = 5_000


def schedules() -> list[Schedule]:
    """Every schedule with its editions, the newest edition first."""
    return list(db.session.scalars(select(Schedule).options(selectinload(Schedule.editions)).order_by(Schedule.code)))


def edition_in_force(on: date, schedule_code: str | None = None) -> Edition:
    """The edition of a schedule that holds on ``on``: the one that started last.

    Without a code, the one schedule in pounds. Raises ``NotFound`` when there is none, or more than one schedule.
    """
    if schedule_code is None:
        codes = list(db.session.scalars(select(Schedule.code).where(Schedule.currency == "GBP").limit(2)))
        if len(codes) != 1:
            raise NotFound(
                "There is no schedule of rates in pounds yet; import one with `portal rates import`."
                if not codes
                else "There is more than one schedule of rates; name one with --schedule CODE."
            )
        schedule_code = codes[0]
    edition = db.session.scalar(
        select(Edition)
        .join(Schedule)
        .where(Schedule.code == schedule_code, Edition.starts_on <= on)
        .order_by(Edition.starts_on.desc())
        .limit(1)
    )
    if edition is None:
        raise NotFound(f"No edition of the schedule {schedule_code} is in force on {on.isoformat()}.")
    return edition


def editions_in_force(on: date) -> list[Edition]:
    """The edition that holds on ``on`` of every schedule in pounds, by the schedule's code."""
    latest = (
        select(Edition.schedule_id, func.max(Edition.starts_on).label("starts_on"))
        .where(Edition.starts_on <= on)
        .group_by(Edition.schedule_id)
        .subquery()
    )
    return list(
        db.session.scalars(
            select(Edition)
            .join(latest, (latest.c.schedule_id == Edition.schedule_id) & (latest.c.starts_on == Edition.starts_on))
            .join(Schedule, Schedule.id == Edition.schedule_id)
            .where(Schedule.currency == "GBP")
            .order_by(Schedule.code)
        )
    )


def edition_for(schedule_code: str, edition_name: str) -> Edition:
    """One edition by name, or ``NotFound``."""
    edition = db.session.scalar(
        select(Edition).join(Schedule).where(Schedule.code == schedule_code, Edition.name == edition_name)
    )
    if edition is None:
        raise NotFound(f"The schedule {schedule_code} has no edition {edition_name}.")
    return edition


def portions(values: Collection[str]) -> Iterator[list[str]]:
    """Some values in portions that a statement can carry."""
    following = iter(values)
    while some := list(islice(following, PORTION)):
        yield some


def items_by_code(edition_id: int, codes: Collection[str]) -> dict[str, Item]:
    """The items of an edition with these codes. One statement for every 5,000 of them."""
    return {
        item.code: item
        for some in portions(codes)
        for item in db.session.scalars(select(Item).where(Item.edition_id == edition_id, Item.code.in_(some)))
    }


def star_rates_by_code(schedule_id: int, codes: Collection[str], on: date) -> dict[tuple[int | None, str], StarRate]:
    """The approved star rates with these codes that hold on a day, by authority and code."""
    return {
        (star.authority_id, star.code): star
        for star in db.session.scalars(
            select(StarRate).where(
                StarRate.schedule_id == schedule_id,
                StarRate.code.in_(codes),
                StarRate.status == StarRateStatus.APPROVED,
                StarRate.from_on <= on,
                or_(StarRate.to_on.is_(None), StarRate.to_on > on),
            )
        )
    }


def trades(edition_id: int) -> list[str]:
    """The trades of an edition."""
    return list(
        db.session.scalars(
            select(Item.trade).where(Item.edition_id == edition_id, Item.trade != "").distinct().order_by(Item.trade)
        )
    )


def common_works(edition_ids: Collection[int], on: date) -> list[Item]:
    """The composite items of some editions that are not withdrawn by the day ``on``: whole jobs at one price."""
    return list(
        db.session.scalars(
            select(Item)
            .where(
                Item.edition_id.in_(edition_ids),
                Item.composite,
                or_(Item.withdrawn_on.is_(None), Item.withdrawn_on > on),
            )
            .order_by(Item.trade, Item.code)
        )
    )
