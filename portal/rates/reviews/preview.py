"""What a review would do: every item's old and new rate, what that means by trade, and composites against their parts.

Pure: items and rules in, values out; money in pence, exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from portal.kernel import money
from portal.rates.reviews.rules import Rule, Scope, basis_points, change_text, explained, reviewed_rate, rule_for
from portal.rates.schedule_file import ItemRow

#: Changes are added up in so many parts of the old rate; for showing means only.
_PARTS = 100_000_000


class Change(NamedTuple):
    """An item, its new rate in pence, and the rule that made it; ``None`` when none counts."""

    item: ItemRow
    new_pence: int
    rule: Rule | None
    withdrawn: bool = False

    @property
    def difference_pence(self) -> int:
        """By how much the rate changes."""
        return self.new_pence - self.item.rate_pence

    @property
    def percent(self) -> str:
        """By how much, in per cent; a dash where the old rate was £0."""
        return ratio_text(self.item.rate_pence, self.new_pence)

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        if self.withdrawn:
            return "Withdrawn by the day of the new edition: the rate stays"
        return explained(self.item.rate_pence, self.rule)


@dataclass(frozen=True, slots=True)
class TradeChange:
    """The items of a trade: how many go up, down or stay, and the mean of their changes in basis points."""

    trade: str
    up: int
    down: int
    same: int
    mean_bp: int | None

    @property
    def items(self) -> int:
        """How many items there are."""
        return self.up + self.down + self.same

    @property
    def mean(self) -> str:
        """The mean change in per cent; a dash when every old rate was £0."""
        return "–" if self.mean_bp is None else change_text(Fraction(self.mean_bp, 10_000))


@dataclass(frozen=True, slots=True)
class CompositeChange:
    """A composite with its parts: its price and the sum of them, at the old and at the new rates, in pence."""

    change: Change
    parts_old_pence: int
    parts_new_pence: int

    @property
    def apart_pence(self) -> int:
        """What the composite costs beyond its parts at the new rates."""
        return self.change.new_pence - self.parts_new_pence


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that a review would change."""

    changes: Sequence[Change]
    trades: Sequence[TradeChange]
    composites: Sequence[CompositeChange]

    @property
    def up(self) -> int:
        """How many rates go up."""
        return sum(trade.up for trade in self.trades)

    @property
    def down(self) -> int:
        """How many rates go down."""
        return sum(trade.down for trade in self.trades)

    @property
    def same(self) -> int:
        """How many rates stay as they are."""
        return sum(trade.same for trade in self.trades)

    @property
    def used(self) -> dict[Scope, int]:
        """How many items each rule counts for."""
        counts: dict[Scope, int] = {}
        for change in self.changes:
            if change.rule is not None:
                counts[change.rule.scope] = counts.get(change.rule.scope, 0) + 1
        return counts

    @property
    def by_size(self) -> list[Change]:
        """The items that change, the largest difference first, then those that stay; by code where they are alike."""
        return sorted(self.changes, key=lambda each: (-abs(each.difference_pence), each.item.code))

    def reviewed_items(self) -> list[ItemRow]:
        """The items as the new edition has them: all as they are but for their rates."""
        return [change.item._replace(rate_pence=change.new_pence) for change in self.changes]


def preview(items: Iterable[ItemRow], rules: Mapping[Scope, Rule], starts_on: date) -> Preview:
    """What ``rules`` make of ``items``; those withdrawn by ``starts_on`` stay as they are."""
    changes = [_change(item, rules, starts_on) for item in items]
    return Preview(changes, trade_changes(changes), composite_changes(changes))


def _change(item: ItemRow, rules: Mapping[Scope, Rule], starts_on: date) -> Change:
    if item.withdrawn_on is not None and item.withdrawn_on <= starts_on:
        return Change(item, item.rate_pence, None, withdrawn=True)
    rule = rule_for(item, rules)
    return Change(item, item.rate_pence if rule is None else reviewed_rate(item.rate_pence, rule), rule)


def trade_changes(changes: Iterable[Change]) -> list[TradeChange]:
    """Counts and mean changes by trade, in the order of their names."""
    sums: dict[str, list[int]] = {}
    for each in changes:
        up, down, same, measured, parts = range(5)
        of = sums.setdefault(each.item.trade, [0, 0, 0, 0, 0])
        difference, old = each.difference_pence, each.item.rate_pence
        of[up if difference > 0 else down if difference < 0 else same] += 1
        if old:
            of[measured] += 1
            of[parts] += difference * _PARTS // old
    return [
        TradeChange(
            trade, up, down, same, basis_points(Fraction(parts, measured * _PARTS)) if measured else None
        )
        for trade, (up, down, same, measured, parts) in sorted(sums.items())
    ]


def composite_changes(changes: Iterable[Change]) -> list[CompositeChange]:
    """The composites whose parts are known, the one furthest from the sum of its parts first."""
    by_code = {change.item.code: change for change in changes}
    found = [
        CompositeChange(
            change,
            _sum([(by_code[part].item.rate_pence, quantity) for part, quantity in change.item.parts]),
            _sum([(by_code[part].new_pence, quantity) for part, quantity in change.item.parts]),
        )
        for change in by_code.values()
        if change.item.parts
    ]
    return sorted(found, key=lambda each: (-abs(each.apart_pence), each.change.item.code))


def _sum(parts: Iterable[tuple[int, Decimal]]) -> int:
    """So many of each, in pence, rounded once."""
    return money.half_up(sum((rate * quantity for rate, quantity in parts), Decimal(0)))


def ratio_text(old_pence: int, new_pence: int) -> str:
    """The change from one amount to another in per cent; a dash where there was nothing before."""
    return change_text(Fraction(new_pence - old_pence, old_pence)) if old_pence else "–"
