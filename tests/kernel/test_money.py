"""Money: exact, one rounding, half up to the penny."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.money import half_up, percent, pounds, shown

PENCE = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999", 2), ("-0.5", -1), ("-2.4", -2), ("0", 0)]
)
def test_a_half_goes_away_from_zero(exact: str, rounded: int) -> None:
    assert half_up(Decimal(exact)) == rounded


@pytest.mark.parametrize(
    ("pence", "written", "read"),
    [(405_800, "4058.00", "£4,058.00"), (5, "0.05", "£0.05"), (-250, "-2.50", "−£2.50"), (0, "0.00", "£0.00")],
)
def test_money_is_written_one_way_for_files_and_one_for_people(pence: int, written: str, read: str) -> None:
    assert (pounds(pence), shown(pence)) == (written, read)


@given(PENCE)
def test_what_is_written_is_what_it_was(pence: int) -> None:
    assert Decimal(pounds(pence)) * 100 == pence
    assert Decimal(shown(pence).replace("−", "-").replace("£", "").replace(",", "")) * 100 == pence


@given(st.integers(-9_999, 100_000))
def test_percentages_are_written_without_idle_zeros_and_lose_nothing(basis_points: int) -> None:
    text = percent(basis_points)

    assert Decimal(text) * 100 == basis_points
    assert not ("." in text and text.endswith("0"))
    assert "E" not in text
