"""How many planted errors are found, how many honest prices are flagged; the figures are printed."""

from __future__ import annotations

import numpy as np
import pytest
from prices_made import lognormal_prices, with_errors

from portal.analytics.benchmark import PriceBenchmark

SEEDS = 20
AUTHORITIES = 200


def fresh_seeds():
    return np.random.SeedSequence().generate_state(SEEDS)


def flags(frame):
    return PriceBenchmark().fit_assess(frame)["status"].isin(["review", "outside"]).to_numpy()


def measured(n, seeds, groups=AUTHORITIES):
    """Mean precision and recall with 5 % errors, share caught of ×10 and ÷10, share flagged of clean prices."""
    precision, recall, slips, clean = [], [], [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        frame = lognormal_prices(rng, groups, n)
        spoilt, factors = with_errors(rng, frame)
        found, wrong = flags(spoilt), factors != 1
        precision.append((found & wrong).sum() / found.sum())
        recall.append((found & wrong).sum() / wrong.sum())
        tens = (factors == 10) | (factors == 0.1)
        slips.append(found[tens].mean())
        clean.append(flags(frame).mean())
    return np.mean(precision), np.mean(recall), np.mean(slips), np.mean(clean)


def test_with_twenty_prices_a_group_most_planted_errors_are_found_and_few_flags_are_wrong(record_property):
    seeds = fresh_seeds()

    precision, recall, slips, clean = measured(20, seeds)

    print(f"n=20: precision {precision:.3f}, recall {recall:.3f}, x10 and /10 {slips:.3f}, clean {clean:.4f}")  # noqa: T201
    record_property("planted_errors", f"{precision:.3f}/{recall:.3f}")
    assert precision >= 0.85, seeds
    assert recall >= 0.80, seeds
    assert slips >= 0.95, seeds


@pytest.mark.parametrize("n", [10, 20, 50, 500])
def test_at_most_one_in_a_hundred_honest_prices_is_flagged(n):
    seeds = fresh_seeds()
    groups = max(5000 // n, 5)

    share = np.mean([flags(lognormal_prices(np.random.default_rng(seed), groups, n)).mean() for seed in seeds])

    assert share <= 0.01, seeds


@pytest.mark.parametrize(
    ("n", "precision_before", "recall_before"), [(5, 0.67, 0.72), (10, 0.84, 0.77), (50, 0.86, 0.78), (500, 0.90, 0.80)]
)
def test_other_group_sizes_hold_their_level_too(n, precision_before, recall_before):
    precision, recall, slips, clean = measured(n, range(8), groups=max(2000 // n, 5))

    print(f"n={n}: precision {precision:.3f}, recall {recall:.3f}, x10 and /10 {slips:.3f}, clean {clean:.4f}")  # noqa: T201
    assert precision >= precision_before
    assert recall >= recall_before
    assert slips >= 0.95
