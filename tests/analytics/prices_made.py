"""Prices made to measure for the tests of analytics."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import norm

HERTFORDSHIRE = {
    "Stair lift": {"A": 2094, "B": 2072, "C": 2107, "D": 4058, "E": 2898},
    "Level-access shower": {"A": 5375, "B": 5677, "C": 5275, "D": 4140, "E": 4098},
}
#: Published means over all jobs, and the range, in pounds.
MEANS = {"Stair lift": 3188, "Level-access shower": 5094}
RANGES = {"Stair lift": (1600, 5200), "Level-access shower": (3281, 13721)}
#: How many jobs each authority had is not published. These make the mean over jobs possible: dear authorities had more.
JOBS = {
    "Stair lift": {"A": 15, "B": 15, "C": 15, "D": 41, "E": 31},
    "Level-access shower": {"A": 31, "B": 25, "C": 31, "D": 21, "E": 21},
}
#: Which authority has the dearest and the cheapest job, and what no other job goes beyond.
EXTREMES = {"Stair lift": ("D", "B", 5180), "Level-access shower": ("B", "E", 9000)}
FACTORS = (2.0, 3.0, 1 / 3, 10.0, 0.1)


def hertfordshire_jobs() -> pd.DataFrame:
    """Jobs in whole pounds with exactly the published medians, ranges and means over jobs."""
    rows = []
    for work_type, medians in HERTFORDSHIRE.items():
        lowest, highest = RANGES[work_type]
        dearest, cheapest, most = EXTREMES[work_type]
        prices = {
            authority: [
                min(max(price, lowest + 20), most) for price in spread_around(median, JOBS[work_type][authority])
            ]
            for authority, median in medians.items()
        }
        prices[dearest][-1], prices[cheapest][0] = highest, lowest
        _meet_mean(prices, medians, MEANS[work_type], (lowest + 20, most))
        rows += [(work_type, authority, price) for authority, each in prices.items() for price in each]
    return pd.DataFrame(rows, columns=["work_type", "authority", "price"]).astype({"price": float})


def spread_around(median: int, count: int, sigma: float = 0.18) -> list[int]:
    """``count`` (odd) prices that lie like a lognormal distribution around ``median``."""
    return [round(median * math.exp(sigma * float(norm.ppf((at + 0.5) / count)))) for at in range(count)]


def _meet_mean(prices, medians, mean, limits):
    """Move prices by a pound at a time, each on its side of its authority's median, until the mean is exact."""
    missing = mean * sum(map(len, prices.values())) - sum(map(sum, prices.values()))
    step = 1 if missing > 0 else -1
    while missing:
        moved = False
        for authority, each in prices.items():
            for at in range(1, len(each) - 1):
                price, median = each[at] + step, medians[authority]
                stays = at != len(each) // 2 and (price >= median) == (each[at] >= median)
                if missing and stays and limits[0] <= price <= limits[1]:
                    each[at], missing, moved = price, missing - step, True
        if not moved:
            raise AssertionError("these numbers of jobs do not allow the published mean")


def lognormal_prices(
    rng: np.random.Generator, groups: int, n: int, sigma: float = 0.25, apart: float = 0.15
) -> pd.DataFrame:
    """``groups`` authorities with ``n`` prices each around 2,500, their medians ``apart`` (in ln price)."""
    centre = math.log(2500) + rng.normal(0, apart, groups)
    prices = np.exp(centre[:, None] + rng.normal(0, sigma, (groups, n)))
    return pd.DataFrame({
        "work_type": "Ramp",
        "authority": np.repeat([f"Authority {at:02d}" for at in range(groups)], n),
        "price": prices.ravel(),
    })  # fmt: skip


def with_errors(rng: np.random.Generator, frame: pd.DataFrame, share: float = 0.05) -> tuple[pd.DataFrame, np.ndarray]:
    """The frame with a ``share`` of its prices multiplied by one of ``FACTORS``; and each row's factor (1: none)."""
    factors = np.where(rng.random(len(frame)) < share, rng.choice(FACTORS, len(frame)), 1.0)
    return frame.assign(price=frame["price"] * factors), factors
