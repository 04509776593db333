"""What must always hold of schedules, their editions and what was decided about rates; ``portal check`` asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from portal.framework.documents.files import is_whole
from portal.kernel.db import db
from portal.rates.models import Component, Edition, Item, Schedule
from portal.rates.price_lists.kept import kept_path
from portal.rates.price_lists.models import PriceList
from portal.rates.reviews.models import PriceRequest, PriceReview
from portal.rates.states import PriceListStatus


def faults(uploads: Path | None = None) -> Iterator[str]:
    """A sentence for everything that is off; kept files are looked at in the folder ``uploads``."""
    yield from _counts()
    yield from _components()
    yield from _searchable()
    yield from _reviews()
    if uploads is not None:
        yield from _evidence(uploads)
        yield from _lists(uploads)


def _counts() -> Iterator[str]:
    """An edition has as many items as were written: none was added or taken away later."""
    there = select(Item.edition_id, func.count().label("lines")).group_by(Item.edition_id).subquery()
    for schedule, name, said, found in db.session.execute(
        select(Schedule.code, Edition.name, Edition.item_count, func.coalesce(there.c.lines, 0))
        .join(Schedule, Schedule.id == Edition.schedule_id)
        .outerjoin(there, there.c.edition_id == Edition.id)
        .where(Edition.item_count != func.coalesce(there.c.lines, 0))
        .order_by(Edition.id)
    ):
        yield f"The edition {name} of {schedule} was made with {said} items and has {found}."


def _components() -> Iterator[str]:
    """A composite is made of items of its own edition, and never of itself, through however many others."""
    composite, part = aliased(Item), aliased(Item)
    parts: dict[int, list[int]] = {}
    codes: dict[int, str] = {}
    for component, whole, made_from in db.session.execute(
        select(Component, composite, part)
        .join(composite, composite.id == Component.composite_id)
        .join(part, part.id == Component.part_id)
    ):
        codes[whole.id] = whole.code
        parts.setdefault(component.composite_id, []).append(component.part_id)
        if whole.edition_id != made_from.edition_id:
            yield f"{whole.code} is made of {made_from.code}, which is an item of another edition."
    for item, made_of in parts.items():
        waiting, seen = list(made_of), set[int]()
        while waiting:
            piece = waiting.pop()
            if piece == item:
                yield f"{codes[item]} is a part of itself."
                break
            if piece not in seen:
                seen.add(piece)
                waiting += parts.get(piece, [])


def _searchable() -> Iterator[str]:
    """Every item can be found: it has words, and on SQLite a row in the table that is searched."""
    silent = db.session.scalar(select(func.count()).select_from(Item).where(Item.words == ""))
    if silent:
        yield f"{silent} items have no words, so that nobody finds them in the catalogue."
    if db.session.get_bind().dialect.name == "sqlite":
        missing = db.session.scalar(
            text("SELECT count(*) FROM item WHERE id NOT IN (SELECT rowid FROM item_fts)")
        )
        if missing:
            yield f"Items missing in the catalogue's index: {missing}."


def _reviews() -> Iterator[str]:
    """An approved review became an edition of its own schedule, on the day that it said."""
    for review in db.session.scalars(select(PriceReview).where(PriceReview.edition_id.is_not(None))):
        edition = review.edition
        if edition is None or (edition.schedule_id, edition.starts_on) != (review.schedule_id, review.starts_on):
            yield f"The price review {review.id} was approved, but its edition is not the one that it proposed."


def _evidence(uploads: Path) -> Iterator[str]:
    """Every request for another rate that came with evidence still has its file, as it was."""
    for number, stored, digest in db.session.execute(
        select(PriceRequest.id, PriceRequest.stored_name, PriceRequest.sha256)
        .where(PriceRequest.stored_name.is_not(None))
        .order_by(PriceRequest.id)
    ):
        if not is_whole(uploads, stored or "", digest):
            yield f"The evidence of the price request {number} is missing or was altered."


def _lists(uploads: Path) -> Iterator[str]:
    """Every price list that was handed in still has its file, and one that is ready also what was read of it."""
    for number, stored, digest, status, kept in db.session.execute(
        select(PriceList.id, PriceList.stored_name, PriceList.sha256, PriceList.status, PriceList.kept_sha256).order_by(
            PriceList.id
        )
    ):
        if not is_whole(uploads, stored, digest):
            yield f"The file of the price list {number} is missing or was altered."
        if status is PriceListStatus.READY and not is_whole(uploads, kept_path(uploads, stored).name, kept or ""):
            yield f"What was read of the price list {number} is missing or was altered; drop it, and hand it in again."
