"""How a price review changes a rate: by an index, by a percentage, to a new rate; with floor and cap. Pure and exact.

A change is a fraction of the old rate. It is held between the rule's floor and cap, and the new rate is rounded once,
half up to the penny. The most particular rule of an item counts: its own, then its trade's, then the one for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from portal.kernel import money

#: What a rule is for: (trade, code); both empty: every item.
Scope = tuple[str, str]

BASIS = 10_000
ALL: Scope = ("", "")


class Reviewed(Protocol):
    """What a rule needs to know of an item."""

    @property
    def code(self) -> str: ...

    @property
    def trade(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ByIndex:
    """From the value of one month to that of another, as they stood when the rule was made."""

    code: str
    from_month: date
    from_value: Decimal
    to_month: date
    to_value: Decimal


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: exactly one of ``by_index``, ``change_bp`` (basis points) and ``new_rate_pence`` says how rates change.

    ``floor_bp`` and ``cap_bp`` are the least and the most that a rate changes, in basis points. ``ratio`` is the change
    before them; a new rate has none of its own, because it depends on the old one. ``factor`` is what a rate is
    multiplied by, floor and cap in it, as numerator and denominator.
    """

    trade: str = ""
    code: str = ""
    by_index: ByIndex | None = None
    change_bp: int | None = None
    new_rate_pence: int | None = None
    floor_bp: int | None = None
    cap_bp: int | None = None
    ratio: Fraction | None = field(init=False)
    factor: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        if sum(way is not None for way in (self.by_index, self.change_bp, self.new_rate_pence)) != 1:
            raise ValueError("a rule changes rates in exactly one way")
        ratio = None
        if self.by_index is not None:
            ratio = Fraction(self.by_index.to_value) / Fraction(self.by_index.from_value) - 1
        elif self.change_bp is not None:
            ratio = Fraction(self.change_bp, BASIS)
        object.__setattr__(self, "ratio", ratio)
        # Worked out once: a schedule has a hundred thousand items.
        object.__setattr__(self, "factor", None if ratio is None else (1 + held(ratio, self)).as_integer_ratio())

    @property
    def scope(self) -> Scope:
        """What the rule is for."""
        return self.trade, self.code


def by_scope(rules: Iterable[Rule]) -> dict[Scope, Rule]:
    """Rules by what they are for; there is one for each scope."""
    return {rule.scope: rule for rule in rules}


def rule_for(item: Reviewed, rules: Mapping[Scope, Rule]) -> Rule | None:
    """The rule that counts for an item: its own, its trade's, or the one for all; ``None`` when there is none."""
    return rules.get(("", item.code)) or (rules.get((item.trade, "")) if item.trade else None) or rules.get(ALL)


def wanted_change(rate_pence: int, rule: Rule) -> Fraction | None:
    """The change before floor and cap, as a fraction of the old rate; ``None`` for a new rate in place of £0, which is
    no share of it."""
    if rule.ratio is not None:
        return rule.ratio
    return Fraction((rule.new_rate_pence or 0) - rate_pence, rate_pence) if rate_pence else None


def held(change: Fraction, rule: Rule) -> Fraction:
    """A change, held between the rule's floor and cap."""
    if rule.cap_bp is not None:
        change = min(change, Fraction(rule.cap_bp, BASIS))
    if rule.floor_bp is not None:
        change = max(change, Fraction(rule.floor_bp, BASIS))
    return change


def reviewed_rate(rate_pence: int, rule: Rule) -> int:
    """The new rate in pence: the old one and its change, held between floor and cap, rounded once, half up.

    A rate of £0 stays £0 under a percentage; a new rate takes its place as it stands.
    """
    if rule.factor is not None:
        times, over = rule.factor
        return (2 * rate_pence * times + over) // (2 * over)
    change = wanted_change(rate_pence, rule)
    if change is None:
        return rule.new_rate_pence or 0
    return half_up(rate_pence * (1 + held(change, rule)))


def half_up(amount: Fraction) -> int:
    """``amount``, which is not below 0, as a whole number; a half goes up."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def explained(rate_pence: int, rule: Rule | None) -> str:
    """Why a rate becomes what it becomes: ``CPI 131.2 (April 2025) to 135.9 (April 2026): +3.58 %, capped at 3 %``."""
    if rule is None:
        return "No rule: the rate stays"
    change = wanted_change(rate_pence, rule)
    words = way_text(rule)
    if change is None:
        return f"{words} in place of £0.00"
    if rule.change_bp is None:
        words = f"{words}: {change_text(change)}"
    return words + _bound_text(change, rule)


def _bound_text(change: Fraction, rule: Rule) -> str:
    kept = held(change, rule)
    if kept < change:
        return f", capped at {percent_text(rule.cap_bp or 0)}"
    if kept > change:
        return f", held at the floor of {percent_text(rule.floor_bp or 0)}"
    return ""


def way_text(rule: Rule) -> str:
    """How a rule changes rates, without its floor and cap."""
    if (index := rule.by_index) is not None:
        return (
            f"{index.code} {value_text(index.from_value)} ({month_text(index.from_month)}) to "
            f"{value_text(index.to_value)} ({month_text(index.to_month)})"
        )
    if rule.change_bp is not None:
        return f"A change of {change_text(Fraction(rule.change_bp, BASIS))}"
    return f"A new rate of {money.shown(rule.new_rate_pence or 0)}"


def scope_text(scope: Scope) -> str:
    """What a rule is for, as people say it."""
    trade, code = scope
    return f"Item {code}" if code else f"Trade {trade}" if trade else "All items"


def month_text(month: date) -> str:
    """``2026-04-01`` → ``April 2026``."""
    return f"{month:%B %Y}"


def value_text(value: Decimal) -> str:
    """An index value without idle noughts."""
    return format(value.normalize() + Decimal(0), "f")


def change_text(change: Fraction) -> str:
    """A fraction as a percentage with sign and at most two decimals: ``0.03582…`` → ``+3.58 %``; ``0`` → ``0 %``."""
    return percent_text(basis_points(change), signed=True)


def basis_points(change: Fraction) -> int:
    """A fraction in basis points, rounded half away from 0."""
    points = half_up(abs(change) * BASIS)
    return points if change >= 0 else -points


def percent_text(points: int, *, signed: bool = False) -> str:
    """Basis points as people write them: ``300`` → ``3 %``, or ``+3 %`` when ``signed``; ``-250`` → ``−2.5 %``."""
    sign = "−" if points < 0 else "+" if signed and points else ""
    return f"{sign}{money.percent(abs(points))} %"
