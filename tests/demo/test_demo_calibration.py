"""The invented prices meet the published figures exactly, whatever the seed."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.demo.calibration import (
    COLUMNS,
    FEWEST_JOBS,
    FIGURES,
    MINOR_WORKS_LIMIT,
    SLIP_FACTORS,
    DemoPrice,
    Slip,
    demo_prices,
    pounds_about,
)
from portal.demo.contractors import members_of
from portal.demo.county import AUTHORITIES, WorkType

YEAR_END = date(2026, 3, 31)
HERTS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "herts" / "table2.csv"
PUBLISHED_MEDIANS = {
    WorkType.STAIR_LIFT: {"A": 2_094, "B": 2_072, "C": 2_107, "D": 4_058, "E": 2_898},
    WorkType.LEVEL_ACCESS_SHOWER: {"A": 5_375, "B": 5_677, "C": 5_275, "D": 4_140, "E": 4_098},
}
PUBLISHED_RANGE = {WorkType.STAIR_LIFT: (1_600, 5_200), WorkType.LEVEL_ACCESS_SHOWER: (3_281, 13_721)}
PUBLISHED_MEAN = {WorkType.STAIR_LIFT: 3_188, WorkType.LEVEL_ACCESS_SHOWER: 5_094}
PUBLISHED_RATIOS = {
    WorkType.STAIR_LIFT: [".99", ".98", "1.00", "1.93", "1.38"],
    WorkType.LEVEL_ACCESS_SHOWER: ["1.02", "1.08", "1.00", ".78", ".78"],
}

any_year = given(seed=st.integers(0, 2**32), jobs=st.integers(FEWEST_JOBS, 40))
few_examples = settings(max_examples=20, deadline=None)


def pence_by_authority(prices: list[DemoPrice], work_type: WorkType) -> dict[str, list[int]]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for price in prices:
        if price.work_type is work_type:
            groups[price.authority].append(price.amount_pence)
    return groups


def medians(prices: list[DemoPrice], work_type: WorkType) -> dict[str, float]:
    return {authority: median(pence) for authority, pence in pence_by_authority(prices, work_type).items()}


@few_examples
@any_year
def test_the_published_medians_come_out_exactly(seed: int, jobs: int) -> None:
    prices = demo_prices(random.Random(seed), jobs, YEAR_END)
    for work_type, published in PUBLISHED_MEDIANS.items():
        found = medians(prices, work_type)
        assert {authority: found[authority] for authority in published} == {
            authority: pounds * 100 for authority, pounds in published.items()
        }


@few_examples
@any_year
def test_the_published_mean_and_range_come_out_exactly(seed: int, jobs: int) -> None:
    prices = demo_prices(random.Random(seed), jobs, YEAR_END)
    for work_type, (lowest, highest) in PUBLISHED_RANGE.items():
        pence = [price.amount_pence for price in prices if price.work_type is work_type]
        assert (min(pence), max(pence)) == (lowest * 100, highest * 100)
        assert sum(pence) == PUBLISHED_MEAN[work_type] * 100 * len(pence)


@few_examples
@any_year
def test_the_authorities_without_figures_lie_between_the_others(seed: int, jobs: int) -> None:
    prices = demo_prices(random.Random(seed), jobs, YEAR_END)
    for work_type, published in PUBLISHED_MEDIANS.items():
        found = medians(prices, work_type)
        others = [found[authority] for authority in "FGHIJ"]
        assert min(published.values()) * 100 <= min(others)
        assert max(others) <= max(published.values()) * 100


@few_examples
@any_year
def test_the_ratios_to_the_median_of_all_ten_medians_are_the_published_ones(seed: int, jobs: int) -> None:
    prices = demo_prices(random.Random(seed), jobs, YEAR_END)
    for work_type, ratios in PUBLISHED_RATIOS.items():
        found = medians(prices, work_type)
        middle = median(found.values())
        assert [f"{found[authority] / middle:.2f}".removeprefix("0") for authority in "ABCDE"] == ratios


def test_the_highest_stair_lift_stands_where_lifts_are_cheap_and_where_they_are_not() -> None:
    groups = pence_by_authority(demo_prices(random.Random(5), 12, YEAR_END), WorkType.STAIR_LIFT)
    assert [authority for authority in AUTHORITIES if 520_000 in groups[authority]] == ["A", "D"]


@pytest.mark.realdata
def test_the_medians_are_those_of_the_published_table() -> None:
    if not HERTS.exists():
        pytest.skip(f"The published table is missing: {HERTS}")
    prices = demo_prices(random.Random(2), 20, YEAR_END)
    with HERTS.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 10
    for row in table:
        found = medians(prices, WorkType(row["work_type"]))[row["authority"]]
        assert found == Decimal(row["median_pounds"]) * 100


def test_the_same_seed_gives_the_same_year() -> None:
    first = demo_prices(random.Random(3), 8, YEAR_END)
    assert demo_prices(random.Random(3), 8, YEAR_END) == first
    assert demo_prices(random.Random(4), 8, YEAR_END) != first


def test_every_group_of_weight_one_has_the_number_asked_for_and_larger_authorities_a_multiple() -> None:
    prices = demo_prices(random.Random(1), 9, YEAR_END)
    for work_type in WorkType:
        weights = FIGURES[work_type].weights if work_type in FIGURES else {}
        sizes = {authority: len(pence) for authority, pence in pence_by_authority(prices, work_type).items()}
        assert sizes == {authority: 9 * weights.get(authority, 1) for authority in AUTHORITIES}


def test_slips_are_one_in_twenty_five_of_every_kind_and_never_in_a_published_work_type() -> None:
    prices = demo_prices(random.Random(1), 20, YEAR_END)
    planted = [price for price in prices if price.planted is not None]
    by_type = {work_type: sum(price.work_type is work_type for price in planted) for work_type in WorkType}
    assert by_type == {work_type: 0 if work_type in FIGURES else 8 for work_type in WorkType}
    assert {price.planted for price in planted} == set(Slip)


def test_a_slip_is_a_whole_pound_price_times_its_factor() -> None:
    for price in demo_prices(random.Random(6), 20, YEAR_END):
        factor = Decimal(1) if price.planted is None else SLIP_FACTORS[price.planted]
        assert price.amount_pence / factor % 100 == 0


def test_minor_works_stay_within_their_limit_unless_a_slip_was_made() -> None:
    # Enough draws that some would lie above the limit if nothing held them back.
    for seed in range(8):
        for price in demo_prices(random.Random(seed), 80, YEAR_END):
            if price.work_type is WorkType.MINOR_WORKS and price.planted is None:
                assert 0 < price.amount_pence <= MINOR_WORKS_LIMIT * 100


def test_prices_are_dated_on_weekdays_of_the_year_in_order_with_references_of_their_own() -> None:
    prices = demo_prices(random.Random(1), 8, YEAR_END)
    days = [price.priced_on for price in prices]
    assert days == sorted(days)
    assert YEAR_END - timedelta(days=364) <= days[0]
    assert days[-1] <= YEAR_END
    assert all(day.weekday() < 5 for day in days)
    assert len({price.reference for price in prices}) == len(prices)


def test_each_price_is_from_a_contractor_who_serves_the_work_type_there() -> None:
    for price in demo_prices(random.Random(1), 8, YEAR_END):
        assert price.contractor in members_of(price.work_type, price.authority)


def test_a_written_price_has_the_columns_of_the_interface_and_does_not_tell_what_was_planted() -> None:
    slip = DemoPrice("Q-00001", "A", WorkType.RAMP, "C01", YEAR_END, Decimal(1), 385_050, Slip.DOUBLED)
    assert tuple(slip.as_row()) == COLUMNS
    assert slip.as_row() == {
        "reference": "Q-00001",
        "authority": "A",
        "work_type": "Ramp",
        "contractor": "C01",
        "date": "2026-03-31",
        "quantity": "1",
        "amount": "3850.50",
    }


def test_too_few_jobs_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        demo_prices(random.Random(1), FEWEST_JOBS - 1, YEAR_END)


@few_examples
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(4, 60),
    middle=st.integers(20, 9_000),
    spread=st.floats(0.05, 0.3),
    low=st.booleans(),
    high=st.booleans(),
)
def test_pounds_about_a_median_have_that_median_and_hold_their_extremes(
    *, seed: int, count: int, middle: int, spread: float, low: bool, high: bool
) -> None:
    bounds = (middle // 2, middle * 2)
    extremes = [bounds[0]] * low + [bounds[1]] * high

    prices = pounds_about(random.Random(seed), count, middle, spread=spread, bounds=bounds, extremes=extremes)

    assert len(prices) == count
    assert median(prices) == middle
    assert (min(prices) == bounds[0]) == low
    assert (max(prices) == bounds[1]) == high
