"""The differences of a list as a page shows them: counted by kind, each kind a table of which a part is shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from portal.rates.price_lists.diff import Change, Differences, Kind
from portal.rates.schedule_file import ItemRow

TITLES = {
    Kind.UP: "Rate goes up",
    Kind.DOWN: "Rate goes down",
    Kind.NEW: "New",
    Kind.GONE: "No longer in the list",
    Kind.UNIT: "Another unit",
    Kind.DESCRIPTION: "Another description",
    Kind.VAT: "Another VAT rate",
    Kind.PARTS: "Other parts",
    Kind.OTHER: "Another trade, other minutes, withdrawn or not",
}
#: Rows of each kind on the page of all kinds, and of one kind on a page of its own.
FIRST, PAGE = 20, 50


@dataclass(frozen=True, slots=True)
class Shown:
    """One kind of difference: how many there are, and the rows that this page shows."""

    kind: Kind
    title: str
    count: int
    rows: Sequence[Change] | Sequence[ItemRow]


@dataclass(frozen=True, slots=True)
class ShownDifferences:
    """What a page shows: every kind that occurs in ``counts``, tables for all of them or for the one chosen."""

    counts: list[tuple[Kind, str, int]]
    tables: list[Shown]
    chosen: Kind | None
    page: int
    pages: int
    same: int


def shown(found: Differences, chosen: str, page: int) -> ShownDifferences:
    """The first rows of every kind; or one page of the kind ``chosen``, when it is the name of one that occurs."""
    counts = found.counts
    there = [(kind, title, counts[kind]) for kind, title in TITLES.items() if counts[kind]]
    one = next((kind for kind, _, _ in there if kind.value == chosen), None)
    if one is None:
        tables = [Shown(kind, title, count, _rows(found, kind)[:FIRST]) for kind, title, count in there]
        return ShownDifferences(there, tables, None, 1, 1, found.same)
    pages = max(ceil(counts[one] / PAGE), 1)
    page = min(max(page, 1), pages)
    rows = _rows(found, one)[(page - 1) * PAGE : page * PAGE]
    return ShownDifferences(there, [Shown(one, TITLES[one], counts[one], rows)], one, page, pages, found.same)


def _rows(found: Differences, kind: Kind) -> Sequence[Change] | Sequence[ItemRow]:
    if kind in (Kind.NEW, Kind.GONE):
        return sorted(found.new if kind is Kind.NEW else found.gone, key=lambda item: item.code)
    return found.changes(kind)
