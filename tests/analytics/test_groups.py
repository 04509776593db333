"""Order statistics of many groups at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.analytics.groups import interval_ranks, sort_within

groups_of_values = st.lists(st.lists(st.integers(1, 50).map(float), min_size=1, max_size=30), min_size=1, max_size=12)


def sorted_groups(groups):
    codes = np.concatenate([np.full(len(group), at) for at, group in enumerate(groups)])
    values = np.concatenate([np.array(group) for group in groups])
    shuffled = np.random.default_rng(len(values)).permutation(len(values))
    return sort_within(codes[shuffled], values[shuffled], len(groups))


@given(groups_of_values)
def test_medians_quartiles_and_sums_are_those_of_each_group_alone(groups):
    data = sorted_groups(groups)

    assert data.medians() == pytest.approx([np.median(group) for group in groups])
    for q in (0.25, 0.75):
        assert data.quantiles(q) == pytest.approx([np.quantile(group, q) for group in groups])
    assert data.sums(data.values) == pytest.approx([sum(group) for group in groups])


@given(groups_of_values)
def test_median_deviations_are_found_without_sorting_them(groups):
    data = sorted_groups(groups)

    deviations = data.median_deviations(data.medians())

    assert deviations == pytest.approx([np.median(np.abs(np.array(group) - np.median(group))) for group in groups])


@given(groups_of_values, st.floats(-10, 60))
def test_the_kth_nearest_value_is_the_kth_smallest_distance(groups, centre):
    data = sorted_groups(groups)
    ranks = np.array([(len(group) + 1) // 2 for group in groups])

    found = data.nearest(np.full(len(groups), centre), ranks)

    expected = [
        sorted(abs(value - centre) for value in group)[rank - 1] for group, rank in zip(groups, ranks, strict=True)
    ]
    assert found == pytest.approx(expected)


def test_more_groups_than_sixteen_bits_count_are_sorted_as_well():
    codes = np.repeat(np.arange(70_000), 3)
    values = np.tile([3.0, 1.0, 2.0], 70_000)

    data = sort_within(codes, values, 70_000)

    assert (data.medians() == 2.0).all()
    assert (data.at_rank(np.ones(70_000, dtype=int)) == 1.0).all()


@pytest.mark.parametrize(("n", "lower", "upper"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)])
def test_the_median_interval_has_the_published_ranks(n, lower, upper):
    rank = int(interval_ranks(np.array([n]))[0])

    assert (rank, n + 1 - rank) == (lower, upper)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_there_is_no_median_interval_below_six_prices(n):
    assert interval_ranks(np.array([n]))[0] == 0


def test_the_interval_covers_the_median_at_least_as_often_as_it_says():
    rng = np.random.default_rng(11)

    for n in (6, 13, 40):
        rank = int(interval_ranks(np.array([n]))[0])
        samples = np.sort(rng.normal(size=(20_000, n)), axis=1)
        covered = (samples[:, rank - 1] <= 0) & (samples[:, n - rank] >= 0)
        assert covered.mean() >= 0.945
