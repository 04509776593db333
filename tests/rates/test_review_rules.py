"""How a review changes a rate: exact, held between floor and cap, one rounding half up; and what it says about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rates.reviews.preview import preview
from portal.rates.reviews.rules import ByIndex, Rule, by_scope, change_text, explained, reviewed_rate, rule_for
from portal.rates.schedule_file import ItemRow

RATES = st.integers(0, 10**9)
CHANGES = st.integers(-9_999, 100_000)
BOUNDS = st.none() | st.integers(-9_999, 100_000)
VALUES = st.integers(1, 10**9).map(lambda thousandths: Decimal(thousandths) / 1000)
APRIL, LATER = date(2025, 4, 1), date(2026, 4, 1)


def index(before: str | Decimal, after: str | Decimal) -> ByIndex:
    return ByIndex("CPI", APRIL, Decimal(before), LATER, Decimal(after))


def recomputed(rate: int, change: Decimal, floor_bp: int | None, cap_bp: int | None) -> int:
    """The new rate in plain decimals of many digits; nothing of the code under test."""
    with localcontext() as context:
        context.prec = 100
        if cap_bp is not None:
            change = min(change, Decimal(cap_bp) / 10_000)
        if floor_bp is not None:
            change = max(change, Decimal(floor_bp) / 10_000)
        # A quotient may be endless: the last of its digits must not decide over a half.
        almost = (rate * (1 + change)).quantize(Decimal("1e-60"))
        return int(almost.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def bounds(one: int | None, other: int | None) -> tuple[int | None, int | None]:
    """A floor that is not above its cap."""
    return (min(one, other), max(one, other)) if one is not None and other is not None else (one, other)


@given(RATES, CHANGES, BOUNDS, BOUNDS)
def test_a_percentage_gives_what_plain_decimals_give(
    rate: int, change: int, one: int | None, other: int | None
) -> None:
    floor_bp, cap_bp = bounds(one, other)

    new = reviewed_rate(rate, Rule(change_bp=change, floor_bp=floor_bp, cap_bp=cap_bp))

    assert new == recomputed(rate, Decimal(change) / 10_000, floor_bp, cap_bp)


@given(RATES, VALUES, VALUES, BOUNDS, BOUNDS)
def test_an_index_gives_what_plain_decimals_give(
    rate: int, before: Decimal, after: Decimal, one: int | None, other: int | None
) -> None:
    floor_bp, cap_bp = bounds(one, other)

    new = reviewed_rate(rate, Rule(by_index=index(before, after), floor_bp=floor_bp, cap_bp=cap_bp))

    with localcontext() as context:
        context.prec = 100
        change = after / before - 1
    assert new == recomputed(rate, change, floor_bp, cap_bp)


@given(st.integers(1, 10**9), RATES, BOUNDS, BOUNDS)
def test_a_new_rate_is_held_between_floor_and_cap(rate: int, wanted: int, one: int | None, other: int | None) -> None:
    floor_bp, cap_bp = bounds(one, other)

    new = reviewed_rate(rate, Rule(code="A", new_rate_pence=wanted, floor_bp=floor_bp, cap_bp=cap_bp))

    least = None if floor_bp is None else recomputed(rate, Decimal(floor_bp) / 10_000, None, None)
    most = None if cap_bp is None else recomputed(rate, Decimal(cap_bp) / 10_000, None, None)
    assert least is None or new >= least
    assert most is None or new <= most
    if (least is None or wanted > least) and (most is None or wanted < most):
        assert new == wanted


@given(RATES, CHANGES)
def test_a_rate_never_falls_below_nothing(rate: int, change: int) -> None:
    assert reviewed_rate(rate, Rule(change_bp=change)) >= 0


@pytest.mark.parametrize(
    ("rate", "rule", "new"),
    [
        (50, Rule(change_bp=100), 51),  # 50.5 goes up
        (50, Rule(change_bp=99), 50),
        (150, Rule(change_bp=-100), 149),  # 148.5 goes up as well
        (0, Rule(change_bp=500), 0),
        (0, Rule(code="A", new_rate_pence=1_250, cap_bp=300), 1_250),
        (10_000, Rule(by_index=index("131.2", "135.9")), 10_358),
        (10_000, Rule(by_index=index("131.2", "135.9"), cap_bp=300), 10_300),
        (10_000, Rule(by_index=index("135.9", "131.2"), floor_bp=0), 10_000),
        (10_000, Rule(by_index=index("135.9", "131.2")), 9_654),
    ],
)
def test_known_rates_come_out_as_worked_by_hand(rate: int, rule: Rule, new: int) -> None:
    assert reviewed_rate(rate, rule) == new


@dataclass(frozen=True)
class Named:
    """Code and trade of an item."""

    code: str
    trade: str


def test_the_most_particular_rule_counts() -> None:
    everything, lifts, one = Rule(change_bp=100), Rule(trade="Lifts", change_bp=200), Rule(code="L1", change_bp=300)
    rules = by_scope([everything, lifts, one])

    assert rule_for(Named("L1", "Lifts"), rules) is one
    assert rule_for(Named("L2", "Lifts"), rules) is lifts
    assert rule_for(Named("B1", "Bathrooms"), rules) is everything
    assert rule_for(Named("B1", ""), rules) is everything
    assert rule_for(Named("B1", ""), by_scope([lifts, one])) is None


@pytest.mark.parametrize(
    ("rate", "rule", "words"),
    [
        (10_000, Rule(by_index=index("131.2", "135.9")), "CPI 131.2 (April 2025) to 135.9 (April 2026): +3.58 %"),
        (
            10_000,
            Rule(by_index=index("131.2", "135.9"), cap_bp=300),
            "CPI 131.2 (April 2025) to 135.9 (April 2026): +3.58 %, capped at 3 %",
        ),
        (
            10_000,
            Rule(by_index=index("135.90", "131.200"), floor_bp=0),
            "CPI 135.9 (April 2025) to 131.2 (April 2026): −3.46 %, held at the floor of 0 %",
        ),
        (10_000, Rule(change_bp=250), "A change of +2.5 %"),
        (10_000, Rule(change_bp=-250, floor_bp=-100), "A change of −2.5 %, held at the floor of −1 %"),
        (12_000, Rule(code="A", new_rate_pence=12_500), "A new rate of £125.00: +4.17 %"),
        (12_000, Rule(code="A", new_rate_pence=12_500, cap_bp=400), "A new rate of £125.00: +4.17 %, capped at 4 %"),
        (0, Rule(code="A", new_rate_pence=12_500), "A new rate of £125.00 in place of £0.00"),
        (10_000, None, "No rule: the rate stays"),
    ],
)
def test_every_new_rate_says_why(rate: int, rule: Rule | None, words: str) -> None:
    assert explained(rate, rule) == words


def test_a_rule_changes_rates_in_exactly_one_way() -> None:
    with pytest.raises(ValueError, match="exactly one way"):
        Rule()
    with pytest.raises(ValueError, match="exactly one way"):
        Rule(change_bp=100, new_rate_pence=100)


def item(code: str, rate: int, trade: str = "Lifts", **more: object) -> ItemRow:
    return ItemRow(code, f"Item {code}", "", trade, "nr", rate, None, bool(more.get("parts")), **more)  # type: ignore[arg-type]


def test_a_preview_counts_compares_and_leaves_withdrawn_items_alone() -> None:
    items = [
        item("A", 10_000),
        item("B", 333, trade="Bathrooms"),
        item("C", 5_000, withdrawn_on=LATER, withdrawn_reason="No longer made"),
        item("W", 20_000, trade="Bathrooms", parts=(("A", Decimal("1.5")), ("B", Decimal(2)))),
    ]
    rules = by_scope([Rule(change_bp=1_000), Rule(trade="Bathrooms", change_bp=-100), Rule(code="W", change_bp=0)])

    found = preview(items, rules, LATER)

    assert [change.new_pence for change in found.changes] == [11_000, 330, 5_000, 20_000]
    assert (found.up, found.down, found.same) == (1, 1, 2)
    assert [(each.trade, each.items, each.mean) for each in found.trades] == [
        ("Bathrooms", 2, "−0.45 %"),
        ("Lifts", 2, "+5 %"),
    ]
    (whole,) = found.composites
    assert (whole.parts_old_pence, whole.parts_new_pence, whole.apart_pence) == (15_666, 17_160, 2_840)
    assert [change.item.code for change in found.by_size] == ["A", "B", "C", "W"]
    assert found.changes[2].reason == "Withdrawn by the day of the new edition: the rate stays"
    assert found.used == {("", ""): 1, ("Bathrooms", ""): 1, ("", "W"): 1}
    assert [each._replace(rate_pence=0) for each in found.reviewed_items()] == [
        each._replace(rate_pence=0) for each in items
    ]


def test_an_item_that_is_withdrawn_after_the_day_is_reviewed() -> None:
    later = item("A", 10_000, withdrawn_on=date(2026, 6, 1), withdrawn_reason="No longer made")

    assert preview([later], by_scope([Rule(change_bp=100)]), LATER).changes[0].new_pence == 10_100


@pytest.mark.parametrize(("parts", "of", "text"), [(1, 3, "+33.33 %"), (0, 1, "0 %"), (-1, 8, "−12.5 %")])
def test_percentages_read_as_people_write_them(parts: int, of: int, text: str) -> None:
    assert change_text(Fraction(parts, of)) == text
