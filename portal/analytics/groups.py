"""Order statistics of many groups at once: sort once, then read off by position.

A group's values lie side by side and ascending, so that medians, quartiles and ranks of all groups are one look-up
each, whatever their number. Nothing here knows what a price is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

#: Codes up to here fit 16 bits, for which numpy sorts stably in linear time.
SIXTEEN_BITS = 1 << 16


@dataclass(frozen=True, slots=True)
class SortedGroups:
    """``values`` of every group side by side, ascending: ``sizes[g] >= 1`` of them from ``starts[g]`` on."""

    values: npt.NDArray[np.floating]
    starts: Counts
    sizes: Counts

    def spread_out(self, per_group: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """One value per group, repeated for each of its members."""
        return np.repeat(per_group, self.sizes)

    def at_rank(self, ranks: Ints) -> Floats:
        """The value of each group at its ``ranks`` (1 = smallest; one rank per group)."""
        picked: Floats = self.values[self.starts + ranks - 1].astype(np.float64, copy=False)
        return picked

    def medians(self) -> Floats:
        """The middle value of each group, or the mean of the two middle ones."""
        middle: Floats = (self.at_rank((self.sizes + 1) // 2) + self.at_rank(self.sizes // 2 + 1)) / 2
        return middle

    def quantiles(self, q: float) -> Floats:
        """Linear interpolation between neighbouring ranks, as ``numpy.quantile`` does by default (type 7)."""
        place = (self.sizes - 1) * q
        below = np.floor(place).astype(np.int64)
        low, high = self.at_rank(below + 1), self.at_rank(np.minimum(below + 2, self.sizes))
        between: Floats = low + (high - low) * (place - below)
        return between

    def nearest(self, centres: Floats, ranks: Ints) -> Floats:
        """The ``ranks``-th smallest distance to ``centres`` in each group (one of either per group).

        The k values nearest to a centre lie side by side in a sorted group, x_i … x_(i+k−1), at a distance of
        max(c − x_i, x_(i+k−1) − c). Along i the first falls and the second rises; bisection finds where they cross,
        for all groups together, without sorting the distances.
        """
        low, high = np.zeros_like(self.sizes), self.sizes - ranks
        while (open_ := low < high).any():
            middle = (low + high) // 2
            crossed = self.at_rank(middle + ranks) - centres >= centres - self.at_rank(middle + 1)
            high = np.where(open_ & crossed, middle, high)
            low = np.where(open_ & ~crossed, middle + 1, low)
        before = np.maximum(low - 1, 0)
        at, next_to = (
            np.maximum(centres - self.at_rank(place + 1), self.at_rank(place + ranks) - centres)
            for place in (low, before)
        )
        return np.maximum(np.minimum(at, next_to), 0.0)

    def median_deviations(self, medians: Floats) -> Floats:
        """The median distance of each group's values to its ``medians`` (MAD)."""
        lower, upper = self.nearest(medians, (self.sizes + 1) // 2), self.nearest(medians, self.sizes // 2 + 1)
        return (lower + upper) / 2

    def sums(self, values: npt.NDArray[np.generic]) -> Floats:
        """The sum over each group of ``values``, which stand in the order of ``self.values``."""
        if not len(self.starts):
            return np.zeros(0)
        total: Floats = np.add.reduceat(values, self.starts, dtype=np.float64)
        return total


def sort_within(codes: Ints, values: npt.NDArray[np.floating], groups: int) -> SortedGroups:
    """Sort ``values`` (no NaN) by group and size. ``codes`` are 0 … ``groups`` − 1, each used at least once."""
    sizes = np.bincount(codes, minlength=groups)
    starts = np.cumsum(sizes) - sizes
    if groups == 1:
        return SortedGroups(np.sort(values), starts, sizes)
    # Two plain sorts are quicker than one by two keys, and the second keeps what the first has put in order.
    # Places need 32 bits only, codes mostly 16: half the memory.
    order = np.argsort(values).astype(np.uint32)
    short = codes.astype(np.uint16 if groups <= SIXTEEN_BITS else np.uint32, copy=False)
    order = order[np.argsort(short[order], kind="stable")]
    return SortedGroups(values[order], starts, sizes)


def interval_ranks(sizes: Ints, level: float = 0.95) -> Counts:
    """The lower rank k of the median's interval for each group size; the upper is n + 1 − k; k is 0 if none exists.

    Distribution-free: k is the largest rank with P(Binomial(n, ½) < k) ≤ (1 − level) / 2, so that the values at ranks
    k and n + 1 − k enclose the median with at least ``level`` (Conover, *Practical Nonparametric Statistics*, 3.2).
    n = 6 gives 1, 10 gives 2, 20 gives 6, 50 gives 18, 100 gives 40; below 6 there is none.
    """
    distinct, where = np.unique(sizes, return_inverse=True)
    ranks = stats.binom.ppf((1 - level) / 2, distinct, 0.5).astype(np.int64)
    found: Counts = ranks[where]
    return found
