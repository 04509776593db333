"""What arithmetic sees before any statistic."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.analytics.arithmetic import (
    looks_like_known,
    per_unit,
    placeholder,
    product_differs,
    repeats,
    total_differs,
    unit_differs,
)
from portal.kernel.money import half_up

quantities = st.decimals("0.01", "9999", places=2)
rates = st.decimals("0.01", "9999", places=2)


@given(quantities, rates)
def test_an_amount_rounded_half_up_agrees_with_quantity_times_rate(quantity, rate):
    assert product_differs(quantity, rate, half_up(quantity * rate * 100)) is None


@given(quantities, rates, st.integers(2, 10_000))
def test_an_amount_more_than_a_penny_off_does_not_agree(quantity, rate, off):
    assert product_differs(quantity, rate, half_up(quantity * rate * 100) + off)


@pytest.mark.parametrize(
    ("amount", "guess"),
    [
        (100_000, "10 times"),
        (1_000, "a tenth of"),
        (1_000_000, "100 times"),
        (12_000, "VAT of 20 %"),
        (10_500, "VAT of 5 %"),
    ],
)
def test_a_wrong_amount_says_what_it_looks_like(amount, guess):
    sentence = product_differs(Decimal(4), Decimal(25), amount)

    assert sentence is not None
    assert sentence.startswith("4 × 25 is £100.00, but the amount says")
    assert guess in sentence


def test_lines_that_add_up_to_the_total_say_nothing():
    assert total_differs([481_223, 100], 481_323) is None


def test_lines_that_do_not_add_up_name_both_sums():
    sentence = total_differs([481_223, 100], 500_000)

    assert sentence is not None
    assert "£4,813.23" in sentence
    assert "£5,000.00" in sentence
    assert "£186.77" in sentence


@pytest.mark.parametrize(
    ("price", "words"),
    [(2_094_000, "10 times"), (20_940, "a tenth of"), (251_280, "VAT of 20 %"), (219_870, "VAT of 5 %")],
)
def test_a_price_that_is_a_slip_of_a_known_one_or_holds_vat_is_seen(price, words):
    sentence = looks_like_known(price, 209_400)

    assert sentence is not None
    assert words in sentence


@pytest.mark.parametrize("price", [209_400, 230_000, 418_800, 255_000, 0])
def test_a_price_that_merely_differs_is_left_to_statistics(price):
    assert looks_like_known(price, 209_400) is None


@pytest.mark.parametrize(("unit", "known"), [("m²", "m2"), ("Sq. M", "m2"), ("EA", "each"), ("No.", "nr"), ("LM", "m")])
def test_spellings_of_the_same_unit_do_not_differ(unit, known):
    assert unit_differs(unit, known) is None


@pytest.mark.parametrize(("unit", "known"), [("m", "m2"), ("", "m"), ("each", "m")])
def test_other_units_differ(unit, known):
    sentence = unit_differs(unit, known)

    assert sentence is not None
    assert known in sentence


@pytest.mark.parametrize(("price", "unit"), [("0", None), ("0.00", "m"), ("1", "$"), ("1.00", " £ "), ("1", "GBP")])
def test_placeholders_are_known(price, unit):
    assert placeholder(Decimal(price), unit)


@pytest.mark.parametrize(("price", "unit"), [("1", "m"), ("1", None), ("2", "$"), ("0.35", "L.F.")])
def test_small_prices_are_no_placeholders(price, unit):
    assert placeholder(Decimal(price), unit) is None


def test_repeated_lines_point_at_the_first():
    assert repeats([("A", 1), ("B", 1), ("A", 1), ("A", 1)]) == {2: 0, 3: 0}


def test_the_price_of_one_is_exact():
    assert per_unit(10_050, Decimal("0.5")) == Decimal(201)
