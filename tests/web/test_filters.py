"""How values are written on pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web import filters


def test_pence_are_written_as_pounds_with_thousands_set_apart() -> None:
    assert filters.pounds(405800) == "£4,058.00"
    assert filters.pounds(-5) == "−£0.05"


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_no_penny_is_lost_when_money_is_written(pence: int) -> None:
    written = filters.pounds(pence).replace("£", "").replace(",", "").replace("−", "-")

    assert Decimal(written) * 100 == pence


@pytest.mark.parametrize(
    ("basis_points", "written"), [(250, "+2.5 %"), (-250, "−2.5 %"), (0, "0 %"), (1000, "+10 %"), (-5, "−0.05 %")]
)
def test_an_adjustment_always_shows_its_sign(basis_points: int, written: str) -> None:
    assert filters.adjustment(basis_points) == written


def test_an_instant_is_written_as_the_clock_on_the_wall_shows_it() -> None:
    summer, winter = datetime(2026, 5, 3, 15, 55, tzinfo=UTC), datetime(2026, 12, 3, 0, 5, tzinfo=UTC)

    assert filters.uk_datetime(summer) == "3 May 2026, 4:55pm"
    assert filters.uk_datetime(winter) == "3 December 2026, 12:05am"


def test_the_date_of_an_instant_is_the_local_one() -> None:
    just_before_midnight_utc = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)

    assert filters.uk_date(just_before_midnight_utc) == "1 July 2026"
    assert filters.uk_date(date(2026, 6, 30)) == "30 June 2026"


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        filters.uk_datetime(datetime(2026, 5, 3, 15, 55))  # noqa: DTZ001


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_a_quantity_keeps_its_value_and_drops_idle_zeros(amount: Decimal) -> None:
    written = filters.quantity(amount)

    assert Decimal(written.replace(",", "")) == amount
    assert "." not in written or not written.endswith(("0", "."))


@pytest.mark.parametrize("write", [filters.pounds, filters.adjustment, filters.uk_date, filters.uk_datetime])
def test_nothing_is_written_as_a_dash(write: object) -> None:
    assert callable(write)
    assert write(None) == "–"


def test_counts_agree_with_their_noun() -> None:
    assert filters.counted(1, "job") == "1 job"
    assert filters.counted(2000, "job") == "2,000 jobs"
    assert filters.counted(0, "reply", "replies") == "0 replies"


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("public-liability is missing", "Public liability insurance is missing"),
        ("ssip expired on 4 May 2026", "SSIP health and safety assessment expired on 4 May 2026"),
        ("at capacity: 5 of 5 jobs in hand", "At capacity: 5 of 5 jobs in hand"),
        ("", ""),
    ],
)
def test_a_reason_calls_a_document_by_its_title(kept: str, said: str) -> None:
    assert filters.reason(kept) == said
