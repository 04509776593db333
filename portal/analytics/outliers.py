"""The words for a price and for a group: usual, for review, outside the usual range, too few, set aside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from portal.analytics.groups import Flags, Floats, Ints, sort_within

#: How far a median of n normal values scatters: variance ≈ π/2 · σ²/n.
MEDIAN_VARIANCE = 1.57
#: Makes the median absolute deviation of normal values their standard deviation.
MAD_FACTOR = 1.4826
#: A ratio that should equal the limit may miss it by the last bits of a float.
ROUNDING = 1e-9


class Status(StrEnum):
    """What is said about a price or a group."""

    USUAL = "usual"
    REVIEW = "review"
    OUTSIDE = "outside"
    TOO_FEW = "too-few"
    SET_ASIDE = "set-aside"


STATUSES = tuple(Status)
CODES = {status: code for code, status in enumerate(STATUSES)}

#: How a status reads in a report. Neutral on purpose: a statistic sees distance, never intent.
WORDS = {
    Status.USUAL: "usual",
    Status.REVIEW: "for review",
    Status.OUTSIDE: "outside the usual range, for review",
    Status.TOO_FEW: "too few to compare",
    Status.SET_ASIDE: "set aside",
}


def far_apart(ratio: Floats, limit: float) -> Flags:
    """Whether ``ratio`` is at least ``limit`` or at most one ``limit``-th. NaN is not."""
    edge = limit * (1 - ROUNDING)
    return (ratio >= edge) | (ratio <= 1 / edge)


def line_codes(
    z: Floats, ratio: Floats, review_z: float | Floats, outside_z: float | Floats, review_ratio: float
) -> npt.NDArray[np.int8]:
    """Codes of ``STATUSES`` for prices with score ``z`` and ``ratio`` to their group's median.

    Beyond ``outside_z``: outside. Beyond ``review_z`` and far enough from the median by ``review_ratio``: for review.
    The second condition keeps prices that are statistically rare but close in pounds from being queried.
    """
    distance = np.abs(z)
    codes = np.zeros(len(z), dtype=np.int8)
    codes[(distance > review_z) & far_apart(ratio, review_ratio)] = CODES[Status.REVIEW]
    codes[distance > outside_z] = CODES[Status.OUTSIDE]
    return codes


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """Groups against the other groups of their kind: ``index`` (1 = the median of medians), score ``z``, status codes,
    and ``peers``, the number of groups of the kind that have enough prices (the group itself included)."""

    index: Floats
    z: Floats
    codes: npt.NDArray[np.int8]
    peers: npt.NDArray[np.int64]


def compare_groups(
    medians: Floats,
    sizes: Ints,
    scales: Floats,
    kinds: Ints,
    *,
    min_n: int,
    min_groups: int,
    prior_df: float,
    review_z: float,
    outside_z: float,
    review_ratio: float,
) -> GroupComparison:
    """Which groups (authorities) stand apart from the others of their kind (work type).

    All arrays have one entry per group: ``medians`` of the prices, ``sizes``, ``scales`` (spread of a single price's
    logarithm, in ``l = ln price``), ``kinds`` (0, 1, …).

    M is the median of the kind's group medians and index = median / M. With d = ln(index):

    - sampling variance of a group's log median: v = 1.57 · scale² / n;
    - spread between the groups beyond chance: t² = max((1.4826 · median|d|)² · G/(G − 1) − mean(v), 0), the moment
      estimate of DerSimonian & Laird (1986) with the median deviation in place of the variance, so that a group
      which stands apart does not hide itself; drawn towards the file's pooled t² with the weight of ``prior_df``;
    - z = d / √(t² + v + 1.57 · (t² + mean(v)) / G): the additive over-dispersion score for comparing institutions
      (Spiegelhalter, *Handling over-dispersion of performance indicators*, 2005), with M's own uncertainty.

    A group is flagged only when the index, too, is at least ``review_ratio`` or at most one ``review_ratio``-th:
    with many prices every small difference is beyond chance. ``min_n``: below it the group is too few to compare.
    In a kind with fewer than ``min_groups`` such groups nobody can say which one stands apart: none is flagged.
    """
    kind_count = int(kinds.max()) + 1 if len(kinds) else 0
    index = medians / sort_within(kinds, medians, kind_count).medians()[kinds]
    enough = sizes >= min_n
    variances = MEDIAN_VARIANCE * scales**2 / sizes
    counts = np.bincount(kinds[enough], minlength=kind_count)
    compared = counts >= min_groups
    solid = enough & compared[kinds]
    _, places = np.unique(kinds[solid], return_inverse=True)
    distances = sort_within(places, np.abs(np.log(index[solid])), int(compared.sum()))
    chance, between = np.zeros(kind_count), np.zeros(kind_count)
    chance[compared] = np.bincount(places, variances[solid]) / distances.sizes
    total = (MAD_FACTOR * distances.medians()) ** 2 * distances.sizes / (distances.sizes - 1)
    between[compared] = np.maximum(total - chance[compared], 0.0)
    freedom = np.where(compared, counts - 1.0, 0.0)
    pooled = float((freedom * between).sum() / freedom.sum()) if compared.any() else 0.0
    between = (prior_df * pooled + freedom * between) / (prior_df + freedom)
    its = kinds[solid]
    centre = MEDIAN_VARIANCE * (between[its] + chance[its]) / counts[its]
    z = np.zeros(len(medians))
    z[solid] = np.log(index[solid]) / np.sqrt(between[its] + variances[solid] + centre)
    apart = far_apart(index, review_ratio)
    codes = np.zeros(len(medians), dtype=np.int8)
    codes[(np.abs(z) > review_z) & apart] = CODES[Status.REVIEW]
    codes[(np.abs(z) > outside_z) & apart] = CODES[Status.OUTSIDE]
    codes[~enough] = CODES[Status.TOO_FEW]
    return GroupComparison(index, z, codes, counts[kinds])
