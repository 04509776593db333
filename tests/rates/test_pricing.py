"""What a line costs: quantity × rate, adjustment, VAT, one rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rates.pricing import price_line, total

QUANTITIES = st.integers(1, 999_999_999).map(lambda thousandths: Decimal(thousandths) / 1000)
RATES = st.integers(0, 10**9)
ADJUSTMENTS = st.integers(-9_999, 20_000)
VAT = st.sampled_from([0, 500, 2_000])


def rounded(exact: Fraction) -> int:
    """Half up by whole numbers only: nothing of the code under test."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


@given(QUANTITIES, RATES, ADJUSTMENTS, VAT)
def test_a_line_costs_what_whole_number_arithmetic_says(
    quantity: Decimal, rate: int, adjustment: int, vat: int
) -> None:
    line = price_line(quantity, rate, adjustment, vat)

    exact = Fraction(quantity) * rate * Fraction(10_000 + adjustment, 10_000)
    assert line.net_pence == rounded(exact)
    assert line.total_pence == rounded(exact * Fraction(10_000 + vat, 10_000))
    assert line.net_pence + line.vat_pence == line.total_pence


@given(QUANTITIES, st.integers(0, 10**7), st.integers(-9_999, 20_000))
def test_a_line_costs_what_plain_decimals_say(quantity: Decimal, rate: int, adjustment: int) -> None:
    exact = quantity * Decimal(rate) * (Decimal(100) + Decimal(adjustment) / 100) / 100

    assert price_line(quantity, rate, adjustment).net_pence == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("line", "net", "vat"),
    [
        (("1", 209_400, 0, 0), 209_400, 0),
        (("4.5", 1_999, -250, 0), 8_771, 0),
        (("0.5", 1, 0, 0), 1, 0),
        (("0.499", 1, 0, 0), 0, 0),
        # 0.25 × £0.10 at 20 % VAT: 2.5 p → 3 p net and 3 p altogether, so no VAT; not 3 p + 1 p.
        (("0.25", 10, 0, 2_000), 3, 0),
        (("3", 3_333, 1_250, 500), 11_249, 562),
        (("1", 100_000, -9_999, 0), 10, 0),
    ],
)
def test_lines_worked_out_by_hand(line: tuple[str, int, int, int], net: int, vat: int) -> None:
    quantity, *basis = line

    priced = price_line(Decimal(quantity), *basis)

    assert (priced.net_pence, priced.vat_pence) == (net, vat)


@given(st.lists(st.tuples(QUANTITIES, RATES, ADJUSTMENTS, VAT), max_size=8))
def test_a_total_is_the_sum_of_its_rounded_lines(parts: list[tuple[Decimal, int, int, int]]) -> None:
    lines = [price_line(*part) for part in parts]

    summed = total(lines)

    assert summed.net_pence == sum(line.net_pence for line in lines)
    assert summed.total_pence == sum(line.net_pence for line in lines) + sum(line.vat_pence for line in lines)


@given(QUANTITIES, RATES, ADJUSTMENTS)
def test_a_higher_adjustment_never_makes_a_line_cheaper(quantity: Decimal, rate: int, adjustment: int) -> None:
    assert price_line(quantity, rate, adjustment + 1).net_pence >= price_line(quantity, rate, adjustment).net_pence
