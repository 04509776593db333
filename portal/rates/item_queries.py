"""Read what the catalogue shows besides hits: one item in full, and what an edition can be narrowed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import String, literal, select, union_all
from sqlalchemy.orm import joinedload, selectinload

from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.rates.models import Component, Edition, Item
from portal.rates.price_lists.diff import share
from portal.rates.pricing import price_line


@dataclass(frozen=True, slots=True)
class ItemInFull:
    """An item with its edition, the composites that it is a part of, and the same code in every edition of the
    schedule, the latest first."""

    item: Item
    edition: Edition
    part_of: Sequence[Component]
    history: Sequence[tuple[Edition, Item]]

    @property
    def parts(self) -> list[tuple[Component, int]]:
        """The parts of a composite, each with its price in pence, rounded by itself as a line would be."""
        return [
            (each, price_line(each.quantity, each.part.rate_pence).net_pence) for each in self.item.components
        ]

    @property
    def parts_pence(self) -> int:
        """What the parts come to."""
        return sum(price for _, price in self.parts)

    @property
    def over_pence(self) -> int:
        """How much more the composite costs than its parts; below 0: how much less."""
        return self.item.rate_pence - self.parts_pence

    @property
    def changes(self) -> list[tuple[Edition, Item, int | None]]:
        """The history with the change against the edition before, in basis points; ``None`` where nobody can say."""
        before = [*(item.rate_pence for _, item in self.history[1:]), None]
        return [
            (edition, item, None if was is None else share(item.rate_pence - was, was))
            for (edition, item), was in zip(self.history, before, strict=True)
        ]


def item_in_full(item_id: int) -> ItemInFull:
    """One item with everything about it, or ``NotFound``. Four statements."""
    row = db.session.execute(
        select(Item, Edition)
        .join(Edition, Edition.id == Item.edition_id)
        .where(Item.id == item_id)
        .options(selectinload(Item.components).joinedload(Component.part, innerjoin=True))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such item.")
    item, edition = row
    part_of = db.session.scalars(
        select(Component)
        .where(Component.part_id == item_id)
        .options(joinedload(Component.composite, innerjoin=True))
        .order_by(Component.composite_id)
    ).all()
    history = db.session.execute(
        select(Edition, Item)
        .join(Item, Item.edition_id == Edition.id)
        .where(Edition.schedule_id == edition.schedule_id, Item.code == item.code)
        .order_by(Edition.starts_on.desc())
    ).all()
    return ItemInFull(item, edition, part_of, [(when, then) for when, then in history])


def trades_and_units(edition_id: int) -> tuple[list[str], list[str]]:
    """The trades and the units of an edition. One statement."""
    branches = [
        select(literal(name, String).label("what"), column.label("text"))
        .where(Item.edition_id == edition_id, column != "")
        .distinct()
        for name, column in (("trade", Item.trade), ("unit", Item.unit))
    ]
    found: dict[str, list[str]] = {"trade": [], "unit": []}
    for what, text in db.session.execute(union_all(*branches)):
        found[what].append(text)
    return sorted(found["trade"]), sorted(found["unit"])
