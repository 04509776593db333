"""The benchmark's formulas, its properties, and the published figures."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prices_made import HERTFORDSHIRE, MEANS, RANGES, hertfordshire_jobs, lognormal_prices
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from portal.analytics.benchmark import PriceBenchmark, encode

FLAGS = {"review", "outside"}
some_prices = st.lists(
    st.tuples(st.sampled_from(["Ramp", "Rail"]), st.sampled_from("ABC"), st.integers(100, 1_000_000)),
    min_size=1,
    max_size=60,
)


def frame_of(rows):
    return pd.DataFrame(rows, columns=["work_type", "authority", "price"])


def one_group(prices):
    return frame_of([("Ramp", "A", price) for price in prices])


def statuses(frame, **parameters):
    return list(PriceBenchmark(**parameters).fit_assess(frame)["status"])


# The published figures


@pytest.fixture(scope="module")
def jobs():
    return hertfordshire_jobs()


def test_the_published_medians_come_out_exactly(jobs):
    groups = PriceBenchmark().fit(jobs).groups_

    medians = {(row.work_type, row.authority): row.median for row in groups.itertuples()}
    assert medians == {(work, who): price for work, each in HERTFORDSHIRE.items() for who, price in each.items()}


def test_the_ratios_of_the_authorities_medians_come_out_as_published(jobs):
    groups = PriceBenchmark().fit(jobs).groups_.set_index(["work_type", "authority"])["index"].round(2)

    assert list(groups.loc["Stair lift"]) == [0.99, 0.98, 1.00, 1.93, 1.38]
    assert list(groups.loc["Level-access shower"]) == [1.02, 1.08, 1.00, 0.78, 0.78]


def test_the_mean_over_jobs_is_not_the_mean_of_medians(jobs):
    groups = PriceBenchmark().fit(jobs).groups_

    over_jobs = jobs.groupby("work_type")["price"].mean()
    of_medians = groups.groupby("work_type")["median"].mean().round()
    assert dict(over_jobs) == MEANS
    # 2,646 is published; of the showers' published medians the mean is 4,913.
    assert dict(of_medians) == {"Stair lift": 2646, "Level-access shower": 4913}
    whole = PriceBenchmark(by=("work_type",), kind=("work_type",)).fit(jobs).groups_.set_index("work_type")
    assert {kind: (row.minimum, row.maximum) for kind, row in whole.iterrows()} == RANGES


def test_only_the_authority_that_stands_apart_is_flagged(jobs):
    groups = PriceBenchmark().fit(jobs).groups_

    flagged = groups[groups["status"].isin(FLAGS)]
    assert [(row.work_type, row.authority) for row in flagged.itertuples()] == [("Stair lift", "D")]


def test_a_dear_shower_is_flagged_in_every_authority(jobs):
    for authority in "ABCDE":
        elsewhere = jobs.copy()
        old = elsewhere.index[elsewhere["price"] == 13721]
        elsewhere.loc[old, "authority"] = authority

        lines = PriceBenchmark().fit_assess(elsewhere)

        assert lines.loc[old, "status"].iloc[0] in FLAGS, authority


def test_a_dear_stair_lift_is_flagged_where_lifts_are_cheap_and_not_where_they_are_dear(jobs):
    benchmark = PriceBenchmark().fit(jobs)
    asked = frame_of([("Stair lift", authority, 5200) for authority in "ABCDE"])

    found = dict(zip("ABCDE", benchmark.assess(asked)["status"], strict=True))

    assert {found[authority] for authority in "ABC"} <= FLAGS
    assert found["D"] == "usual"


def test_not_every_job_of_the_authority_apart_is_flagged(jobs):
    lines = PriceBenchmark().fit_assess(jobs)

    there = lines[(jobs["work_type"] == "Stair lift") & (jobs["authority"] == "D")]
    assert set(there["status"]) == {"usual"}


# The formulas, computed again without vectors


def plain_benchmark(frame, *, min_n=5, min_groups=3, prior=10.0, cut=2.5, least=0.05):  # noqa: PLR0915
    """The module's account in plain Python, group by group: {(kind, group): (centre, reach)}."""
    groups = {}
    for kind, who, price in frame[["work_type", "authority", "price"]].itertuples(index=False):
        groups.setdefault((kind, who), []).append(math.log(price))
    kinds = sorted({kind for kind, _ in groups})

    def mad(values, centre):
        return 1.4826 * statistics.median([abs(value - centre) for value in values])

    at = {key: statistics.median(values) for key, values in groups.items()}
    residuals = {
        kind: [
            abs(value - at[key]) * math.sqrt(len(values) / (len(values) - 1))
            for key, values in groups.items() if key[0] == kind and len(values) > 1 for value in values
        ]
        for kind in kinds
    }  # fmt: skip
    everything = [each for kind in kinds for each in residuals[kind]]
    overall = 0.0
    if everything:
        overall = 1.4826 * statistics.median(everything) or 1.2533 * statistics.fmean(everything)
    pooled = {kind: (1.4826 * statistics.median(residuals[kind])) ** 2 if residuals[kind] else 0.0 for kind in kinds}
    own = {key: mad(values, at[key]) ** 2 for key, values in groups.items()}
    freedom = {key: len(values) - 1.0 for key, values in groups.items()}
    doubt = {key: 1.57 / len(values) for key, values in groups.items()}
    overall **= 2

    def shrink():
        result = {}
        floor = max(overall, least**2)
        for kind in kinds:
            mine = [key for key in groups if key[0] == kind]
            weight = sum(freedom[key] for key in mine)
            wide = (prior * floor + weight * pooled[kind]) / (prior + weight) if pooled[kind] > 0 else floor
            wide = max(wide, least**2)
            v = {key: wide * doubt[key] for key in mine}
            solid = [key for key in mine if len(groups[key]) >= min_n]
            between, target = 0.0, 0.0
            if solid:
                if len(solid) > 1:
                    mean = statistics.fmean([at[key] for key in solid])
                    spread = sum((at[key] - mean) ** 2 for key in solid) / (len(solid) - 1)
                    between = max(spread - statistics.fmean([v[key] for key in solid]), 0.0)
                weights = {key: 1 / (between + v[key]) for key in solid}
                target = sum(weights[key] * at[key] for key in solid) / sum(weights.values())
            for key in mine:
                b = between / (between + v[key]) if len(solid) >= min_groups else 1.0
                s2 = own[key] if own[key] > 0 else wide
                scale2 = max((prior * wide + freedom[key] * s2) / (prior + freedom[key]), least**2)
                result[key] = (b * at[key] + (1 - b) * target, math.sqrt(scale2 + b * v[key]))
        return result

    narrowed = 1 - 2 * cut * norm.pdf(cut) / (2 * norm.cdf(cut) - 1)
    found = shrink()
    for _ in range(2):
        squares = {}
        for key, values in groups.items():
            centre, reach = found[key]
            kept = [value for value in values if abs(value - centre) <= cut * reach]
            if len(kept) >= 2:
                at[key] = statistics.fmean(kept)
            mean = statistics.fmean(kept) if kept else 0.0
            squares[key] = sum((value - mean) ** 2 for value in kept)
            freedom[key] = max(len(kept) - 1.0, 0.0)
            doubt[key] = 1 / max(len(kept), 1)
            own[key] = squares[key] / max(freedom[key], 1) / narrowed
        for kind in kinds:
            mine = [key for key in groups if key[0] == kind]
            total = sum(freedom[key] for key in mine)
            pooled[kind] = sum(squares[key] for key in mine) / total / narrowed if total else 0.0
        overall = sum(squares.values()) / max(sum(freedom.values()), 1) / narrowed
        found = shrink()
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_vectorised_scores_are_those_of_the_plain_formulas(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 14, 8)
    rows = [
        (f"Kind {at % 2}", f"Authority {at}", float(round(2000 * math.exp(rng.normal(0.1 * at, 0.3)), 2)))
        for at, size in enumerate(sizes) for _ in range(size)
    ]  # fmt: skip
    rows[0] = (*rows[0][:2], rows[0][2] * 10)
    frame = frame_of(rows)

    groups = PriceBenchmark().fit(frame).groups_

    expected = plain_benchmark(frame)
    for row in groups.itertuples():
        centre, reach = expected[row.work_type, row.authority]
        assert row.centre == pytest.approx(centre, rel=1e-6)
        assert row.reach == pytest.approx(reach, rel=1e-4)


def test_what_is_shown_is_raw(jobs):
    groups = PriceBenchmark().fit(jobs).groups_

    for row in groups.itertuples():
        prices = jobs[(jobs["work_type"] == row.work_type) & (jobs["authority"] == row.authority)]["price"]
        assert row.n == len(prices)
        assert (row.minimum, row.maximum) == (prices.min(), prices.max())
        assert row.mean == pytest.approx(prices.mean())
        assert (row.lower_quartile, row.upper_quartile) == pytest.approx(tuple(prices.quantile([0.25, 0.75])))


# Properties


@settings(max_examples=60, deadline=None)
@given(some_prices, st.sampled_from([0.01, 0.37, 1.2, 7.0, 100.0, 12345.678]))
def test_multiplying_all_prices_changes_no_status(rows, factor):
    frame = frame_of(rows)

    assert statuses(frame) == statuses(frame.assign(price=frame["price"] * factor))


@settings(max_examples=60, deadline=None)
@given(some_prices, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_verdict(rows, random):
    frame = frame_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)

    shuffled = PriceBenchmark().fit_assess(frame.iloc[order])

    straight = PriceBenchmark().fit_assess(frame)
    assert list(shuffled["status"].sort_index()) == list(straight["status"])
    assert shuffled["z"].sort_index().to_numpy() == pytest.approx(straight["z"].to_numpy(), nan_ok=True, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(some_prices)
@example([("Ramp", "A", 100)])
@example([("Ramp", "A", 100)] * 9)
def test_every_number_is_finite_wherever_something_is_said(rows):
    benchmark = PriceBenchmark()

    lines = benchmark.fit_assess(frame_of(rows))

    assert np.isfinite(lines[["n", "median", "ratio"]].to_numpy(dtype=float)).all()
    judged = lines["status"] != "too-few"
    assert np.isfinite(lines.loc[judged, "z"]).all()
    assert lines.loc[~judged, "z"].isna().all()
    numbers = benchmark.groups_.drop(columns=["work_type", "authority", "status", "median_low", "median_high"])
    assert np.isfinite(numbers.to_numpy(dtype=float)).all()


def test_all_prices_equal_are_all_usual():
    assert statuses(one_group([250_000] * 12)) == ["usual"] * 12


def test_four_tens_and_a_penny_more_are_all_usual():
    assert statuses(one_group([1000, 1000, 1000, 1000, 1001])) == ["usual"] * 5


def test_a_gross_error_among_tied_prices_is_still_seen():
    assert statuses(one_group([1000] * 9 + [10_000])) == ["usual"] * 9 + ["outside"]


def test_a_group_without_spread_borrows_it_from_its_kind():
    rng = np.random.default_rng(4)
    rows = [("Ramp", who, float(price)) for who in "BCD" for price in 2500 * np.exp(rng.normal(0, 0.25, 20))]
    tied = [("Ramp", "A", 2500.0)] * 11 + [("Ramp", "A", 3100.0)]

    lines = PriceBenchmark().fit_assess(frame_of(tied + rows))

    assert lines["status"].iloc[11] == "usual"


@pytest.mark.parametrize("seed", range(20))
def test_a_mostly_tied_group_flags_no_price_near_its_median(seed):
    rng = np.random.default_rng(seed)
    frame = one_group([2000.0] * 12 + list(2000 * np.exp(rng.normal(0, 0.15, 8))))

    lines = PriceBenchmark().fit_assess(frame)

    near = lines["ratio"].between(1 / 1.16, 1.16)
    assert set(lines.loc[near, "status"]) == {"usual"}


def test_a_price_with_vat_on_top_is_seen_among_tied_prices():
    assert statuses(one_group([1000.0] * 20 + [1200.0]))[-1] == "outside"


def test_a_single_price_is_too_few_to_compare():
    assert statuses(one_group([1000])) == ["too-few"]


def test_four_prices_are_too_few_and_five_are_enough():
    assert set(statuses(one_group([1000, 1100, 900, 50_000]))) == {"too-few"}
    assert "too-few" not in statuses(one_group([1000, 1100, 900, 1050, 50_000]))


@pytest.mark.parametrize("price", [0.0, -5.0, math.nan, math.inf])
def test_what_is_no_price_is_set_aside_and_counts_nowhere(price):
    benchmark = PriceBenchmark()

    lines = benchmark.fit_assess(one_group([1000.0, 1100.0, 900.0, 1050.0, 980.0, price]))

    assert list(lines["status"]) == ["usual"] * 5 + ["set-aside"]
    assert benchmark.groups_["n"].item() == 5
    assert lines["group"].iloc[-1] == -1


def test_a_price_without_a_group_is_set_aside():
    frame = frame_of([("Ramp", "A", 1000)] * 6 + [("Ramp", None, 1000)])

    assert statuses(frame)[-1] == "set-aside"


def test_no_usable_price_at_all_gives_no_group_and_no_error():
    benchmark = PriceBenchmark()

    lines = benchmark.fit_assess(one_group([0.0, 0.0]))

    assert list(lines["status"]) == ["set-aside"] * 2
    assert len(benchmark.groups_) == 0


# Authorities


def test_when_every_authority_differs_honestly_none_is_called_apart():
    flagged = 0
    for seed in range(200):
        frame = lognormal_prices(np.random.default_rng(seed), groups=10, n=20, apart=0.2)
        flagged += PriceBenchmark().fit(frame).groups_["status"].isin(FLAGS).sum()

    # With medians 20 % apart, 4 % of authorities lie 1.5 times from the middle by nature.
    assert flagged / 2000 <= 0.015


def test_an_authority_at_twice_the_others_is_called_apart():
    found = 0
    for seed in range(100):
        frame = lognormal_prices(np.random.default_rng(seed), groups=10, n=20, apart=0.05)
        frame.loc[frame["authority"] == "Authority 03", "price"] *= 2
        groups = PriceBenchmark().fit(frame).groups_
        found += set(groups.loc[groups["status"].isin(FLAGS), "authority"]) == {"Authority 03"}

    assert found >= 95


def test_of_two_authorities_nobody_can_say_which_stands_apart():
    frame = frame_of([("Ramp", "A", 1000.0 + at) for at in range(9)] + [("Ramp", "B", 9000.0 + at) for at in range(9)])

    assert list(PriceBenchmark().fit(frame).groups_["status"]) == ["usual", "usual"]


def test_a_small_difference_between_large_authorities_is_not_flagged():
    frame = lognormal_prices(np.random.default_rng(1), groups=5, n=2000, sigma=0.1, apart=0.0)
    frame.loc[frame["authority"] == "Authority 03", "price"] *= 1.2

    assert set(PriceBenchmark().fit(frame).groups_["status"]) == {"usual"}


# Price levels, new prices, conformal thresholds


def test_prices_of_dear_years_are_compared_at_one_price_level():
    prices = [1000, 1020, 980, 1010, 990, 1000, 1015]
    frame = frame_of([("Ramp", "A", price * level) for level in (1.0, 2.0) for price in prices])
    frame["level"] = [1.0] * 7 + [2.0] * 7
    benchmark = PriceBenchmark(index="level")

    lines = benchmark.fit_assess(frame)

    assert set(lines["status"]) == {"usual"}
    assert lines["ratio"].max() < 1.05
    assert benchmark.groups_["median"].item() == statistics.median(frame["price"])


def test_a_new_price_of_an_unknown_group_is_too_few_to_compare():
    benchmark = PriceBenchmark().fit(one_group([1000, 1100, 900, 1050, 980]))

    lines = benchmark.assess(frame_of([("Ramp", "Z", 900_000), ("Ramp", "A", 1000), ("Ramp", "A", 0)]))

    assert list(lines["status"]) == ["too-few", "usual", "set-aside"]
    assert list(lines["n"]) == [0, 5, 0]


def test_the_conformal_threshold_is_the_ranked_score_of_history():
    frame = lognormal_prices(np.random.default_rng(8), groups=3, n=300)
    benchmark = PriceBenchmark()

    lines = benchmark.fit_assess(frame)

    for at, row in enumerate(benchmark.groups_.itertuples()):
        scores = sorted(abs(lines.loc[lines["group"] == at, "z"]))
        assert row.threshold == pytest.approx(scores[math.ceil(301 * 0.99) - 1])


def test_below_a_hundred_prices_there_is_no_conformal_threshold():
    frame = lognormal_prices(np.random.default_rng(8), groups=3, n=99)

    assert set(PriceBenchmark().fit(frame).groups_["threshold"]) == {0.0}


def test_new_prices_of_a_heavy_tailed_kind_are_flagged_at_most_as_often_as_promised():
    rng = np.random.default_rng(21)
    flags = []
    for _ in range(40):
        log_prices = rng.standard_t(3, 900) * 0.2
        frame = one_group(np.exp(log_prices))
        benchmark = PriceBenchmark().fit(frame.iloc[:400])
        flags.append(benchmark.assess(frame.iloc[400:])["status"].isin(FLAGS).mean())

    assert np.mean(flags) <= 0.011


# Groups, and scikit-learn's manner


@settings(max_examples=50, deadline=None)
@given(some_prices)
def test_groups_are_numbered_in_the_order_of_their_names(rows):
    frame = frame_of(rows)

    codes, groups = encode(frame, ("work_type", "authority"))

    expected = sorted({(row[0], row[1]) for row in rows})
    assert list(groups.itertuples(index=False, name=None)) == expected
    assert [expected[code] for code in codes] == [(row[0], row[1]) for row in rows]


def test_categories_and_texts_give_the_same_groups():
    frame = lognormal_prices(np.random.default_rng(2), groups=4, n=9)

    plain = PriceBenchmark().fit(frame).groups_
    categorical = PriceBenchmark().fit(frame.astype({"work_type": "category", "authority": "category"})).groups_

    pd.testing.assert_frame_equal(plain, categorical, check_dtype=False)


def test_the_estimator_only_stores_its_parameters_and_can_be_cloned():
    benchmark = PriceBenchmark(min_n=7, review_z=2.5)

    copy = clone(benchmark)

    assert copy.get_params() == benchmark.get_params()
    assert not hasattr(copy, "groups_")


def test_nothing_can_be_asked_before_fitting():
    with pytest.raises(NotFittedError):
        PriceBenchmark().assess(one_group([1000]))


def test_predictions_and_scores_follow_the_convention_of_outlier_detectors():
    frame = one_group([1000, 1100, 900, 1050, 980, 1020, 20_000])
    benchmark = PriceBenchmark()

    assert list(benchmark.fit_predict(frame)) == [1] * 6 + [-1]
    assert list(benchmark.fit(frame).predict(frame)) == [1] * 6 + [-1]
    assert int(np.argmin(benchmark.score_samples(frame))) == 6


@pytest.mark.parametrize(
    "wrong",
    [{"by": ()}, {"kind": ("colour",)}, {"min_n": 1}, {"review_ratio": 1.0}, {"outside_z": 2.0}, {"prior_df": 0.0},
     {"minimum_scale": 0.0}, {"conformal_level": 1.0}],
)  # fmt: skip
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        PriceBenchmark(**wrong).fit(one_group([1000] * 5))
