"""Prices against others like them: medians with intervals, shrunk robust scores, and what stands apart.

What is *shown* is raw: median, mean, range, quartiles, and the median's interval from binomial ranks. What *flags* is
shrunk, so that a small group borrows strength from its kind. A *group* is a combination of the ``by`` columns, such as
work type × authority; a *kind* is the part of it that says what was bought, such as the work type.

With l = ln(price / index at its date):

1. Start: each group's median and 1.4826·MAD of l; each kind's σw from its pooled residuals · √(n/(n − 1)).
2. Twice: leave out what scores beyond ``reweight_at``, and take the mean and the standard deviation of the rest
   (one-step reweighted estimates: Rousseeuw & Leroy, *Robust Regression and Outlier Detection*, 1987, chapter 4), the
   latter made right for the normal distribution's part that was kept. They waste less of a small group than
   median and MAD do, and a gross error still has no say in them.
3. Scale² = (10·σw² + d·s²)/(10 + d), d = kept − 1 (the shrinkage of Smyth, *Linear models and empirical Bayes methods*,
   2004, with prior degrees of freedom set, not learned). σw² itself leans on the whole file's in the same way, which
   matters only for kinds with a handful of prices. A spread of zero is no estimate: the next wider level is used, and
   ``minimum_scale`` is the least.
4. Location: v = σw²/kept, B = τ²/(τ² + v) with τ² the variance between the kind's group locations,
   m̃ = B·m + (1 − B)·μw, μw their mean weighted by 1/(τ² + v). τ² is not a robust estimate on
   purpose: where an authority stands apart it grows, and the authority's own prices then judge its jobs.
5. z = (l − m̃)/√(scale² + B·v).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from portal.analytics.groups import SIXTEEN_BITS, Counts, Flags, Floats, SortedGroups, interval_ranks, sort_within
from portal.analytics.outliers import CODES, MAD_FACTOR, MEDIAN_VARIANCE, STATUSES, Status, compare_groups, line_codes

#: Makes the mean absolute deviation of normal values their standard deviation; used where the MAD is zero because
#: more than half of the values are tied (Iglewicz & Hoaglin, 1993).
MEAN_DEVIATION_FACTOR = 1.2533
PASSES = 2
Codes = npt.NDArray[np.int32]


class PriceBenchmark(OutlierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """Learns what is usual in each group of prices, and says how far a price lies from it.

    Frames: one row per price, the columns named by ``by``, ``price`` (any currency unit, positive; NaN, infinite, zero
    or negative prices and rows with an empty ``by`` column are set aside) and, if given, ``index`` (the price level at
    the row's date, 1 = today's).

    Parameters: ``by`` the columns that make a group; ``kind`` those of them that say what was bought (default: none, so
    that all groups are compared with each other). ``min_n`` prices are needed to compare, ``min_groups`` groups to call
    one apart. ``review_z``, ``outside_z``, ``review_ratio``: see ``outliers.line_codes``. ``prior_df``: weight of the
    kind's spread against the group's own. ``reweight_at``: score beyond which a price has no say in location and
    spread. ``minimum_scale``: least spread of ln price (0.05: a price within 16 % of the centre is always usual,
    however tied the others are; one with 20 % VAT on top is not).
    From ``conformal_n`` prices on, *new* prices are judged by the ``conformal_level`` score of the history where
    that is above the fixed thresholds.

    Learned by ``fit``: ``groups_`` (a frame with one row per group, in the order of the ``by`` values),
    ``spread_`` (σ of the whole frame), ``n_features_in_`` and ``feature_names_in_``.
    """

    def __init__(
        self,
        by: Sequence[str] = ("work_type", "authority"),
        kind: Sequence[str] = ("work_type",),
        *,
        price: str = "price",
        index: str | None = None,
        min_n: int = 5,
        min_groups: int = 3,
        review_z: float = 3.0,
        outside_z: float = 3.5,
        review_ratio: float = 1.5,
        prior_df: float = 10.0,
        reweight_at: float = 2.5,
        minimum_scale: float = 0.05,
        conformal_n: int = 100,
        conformal_level: float = 0.99,
    ) -> None:
        self.by = by
        self.kind = kind
        self.price = price
        self.index = index
        self.min_n = min_n
        self.min_groups = min_groups
        self.review_z = review_z
        self.outside_z = outside_z
        self.review_ratio = review_ratio
        self.prior_df = prior_df
        self.reweight_at = reweight_at
        self.minimum_scale = minimum_scale
        self.conformal_n = conformal_n
        self.conformal_level = conformal_level

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's signature
        """Learn from the history ``X``. Take out first what is known to be wrong; what merely looks odd may stay."""
        self._learn(X)
        return self

    def assess(self, frame: pd.DataFrame) -> pd.DataFrame:
        """New prices against the history: one row per row of ``frame``, with its index.

        Columns: ``group`` (row of ``groups_``; −1 if set aside or of no known group), ``n``, ``median`` (of the raw
        prices), ``ratio``, ``z``, ``status`` (categorical, see ``outliers.Status``). ``ratio`` is NaN without a group,
        ``z`` also where the group is too small. Raises ``NotFittedError`` before ``fit``.
        """
        check_is_fitted(self, "groups_")
        prices = self._adjusted(frame)
        known = _index_of(self.groups_, self.by)
        codes = known.get_indexer(_index_of(frame, self.by)).astype(np.int32)
        codes[~_usable(prices)] = -1
        return self._lines(frame, prices, codes, new=True)

    def fit_assess(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Learn from ``frame`` and judge the same prices, as ``assess`` does, with the fixed thresholds only.

        A conformal threshold says how rare a *further* price would be; among the prices that it was taken from it would
        flag the same share whatever they are.
        """
        prices, codes = self._learn(frame)
        return self._lines(frame, prices, codes, new=False)

    def score_samples(self, frame: pd.DataFrame) -> Floats:
        """Minus |z|: the lower, the further from usual (scikit-learn's convention). NaN where nothing can be said."""
        scores: Floats = -np.abs(self.assess(frame)["z"].to_numpy())
        return scores

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """−1 where a price is for review or outside the usual range, else 1 (scikit-learn's convention)."""
        flagged = self.assess(frame)["status"].isin([Status.REVIEW, Status.OUTSIDE])
        return np.where(flagged, -1, 1)

    def fit_predict(self, X: pd.DataFrame, y: object = None) -> npt.NDArray[np.int64]:  # noqa: ARG002, N803
        """``predict`` for the prices learned from, with the fixed thresholds."""
        return np.where(self.fit_assess(X)["status"].isin([Status.REVIEW, Status.OUTSIDE]), -1, 1)

    def _check_parameters(self) -> None:
        if not self.by or not set(self.kind) <= set(self.by):
            raise ValueError("by must name at least one column, and kind only columns that by names.")
        if self.min_n < 2 or self.min_groups < 2:
            raise ValueError("min_n and min_groups must be at least 2.")
        if not (self.review_ratio > 1 and 0 < self.review_z <= self.outside_z):
            raise ValueError("review_ratio must be above 1, and review_z above 0 and not above outside_z.")
        if not (self.prior_df > 0 and self.reweight_at > 1 and self.minimum_scale > 0 and 0 < self.conformal_level < 1):
            raise ValueError(
                "prior_df and minimum_scale must be above 0, reweight_at above 1, conformal_level between 0 and 1."
            )

    def _adjusted(self, frame: pd.DataFrame) -> Floats:
        """The prices at one price level."""
        prices: Floats = frame[self.price].to_numpy(dtype=np.float64, na_value=np.nan)
        if self.index is None:
            return prices
        levels: Floats = frame[self.index].to_numpy(dtype=np.float64, na_value=np.nan)
        return prices / levels

    def _learn(self, frame: pd.DataFrame) -> tuple[Floats, Codes]:
        """Set what ``fit`` learns; returns the adjusted prices and each row's group."""
        self._check_parameters()
        prices = self._adjusted(frame)
        codes, groups = encode(frame, self.by, _usable(prices))
        kinds = encode(groups, self.kind)[0] if len(self.kind) else np.zeros(len(groups), dtype=np.int32)
        inside = codes >= 0
        everything = bool(inside.all())
        used = codes if everything else codes[inside]
        data = sort_within(used, prices if everything else prices[inside], len(groups))
        groups["kind"] = kinds
        groups["n"] = data.sizes
        if self.index is None:
            _describe(groups, data)
            groups["adjusted_median"] = groups["median"]
        else:
            raw = frame[self.price].to_numpy(dtype=np.float64)
            _describe(groups, sort_within(used, raw if everything else raw[inside], len(groups)))
            groups["adjusted_median"] = data.medians()
        np.log(data.values, out=data.values)
        fitted = self._fit_scores(data, kinds)
        groups["centre"], groups["scale"], groups["reach"] = fitted.centre, fitted.scale, fitted.reach
        self.spread_ = fitted.spread
        compared = compare_groups(
            groups["adjusted_median"].to_numpy(), data.sizes, fitted.scale, kinds, min_n=self.min_n,
            min_groups=self.min_groups, prior_df=self.prior_df, review_z=self.review_z, outside_z=self.outside_z,
            review_ratio=self.review_ratio,
        )  # fmt: skip
        groups["index"], groups["index_z"], groups["peers"] = compared.index, compared.z, compared.peers
        groups["status"] = _categories(compared.codes)
        groups["threshold"] = self._conformal(data, fitted)
        self.groups_ = groups
        self.feature_names_in_ = np.array([*self.by, self.price, *([self.index] if self.index else [])], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return prices, codes

    def _fit_scores(self, data: SortedGroups, kinds: Codes) -> _Scores:
        """Centre and reach (what one unit of z means) of each group. ``data`` holds l; ``kinds`` is per group."""
        count = int(kinds.max()) + 1 if len(kinds) else 0
        share_kept = 2 * stats.norm.cdf(self.reweight_at) - 1
        # Variance of the standard normal between −c and c: what is kept looks narrower than it is by this factor.
        narrowed = 1 - 2 * self.reweight_at * stats.norm.pdf(self.reweight_at) / share_kept

        start = _first_estimates(data, kinds, count)
        fitted, location = self._scores(data.sizes, kinds, start), start.location
        for _ in range(PASSES):
            off = data.values - data.spread_out(fitted.centre)
            kept = np.abs(off) <= data.spread_out(self.reweight_at * fitted.reach)
            off *= kept
            members, sums = data.sums(kept), data.sums(off)
            off *= off
            some = np.maximum(members, 1)
            squares = np.maximum(data.sums(off) - sums**2 / some, 0.0)
            location = np.where(members >= 2, fitted.centre + sums / some, location)
            freedom = np.maximum(members - 1, 0.0)
            weight = np.bincount(kinds, freedom, minlength=count)
            fitted = self._scores(data.sizes, kinds, _Estimates(
                location=location, uncertainty=1 / some, freedom=freedom,
                own=squares / np.maximum(freedom, 1) / narrowed,
                pooled=_ratio(np.bincount(kinds, squares, minlength=count), weight) / narrowed,
                overall=float(squares.sum() / max(freedom.sum(), 1) / narrowed),
            ))  # fmt: skip
        return fitted

    def _scores(self, sizes: Counts, kinds: Codes, raw: _Estimates) -> _Scores:
        """Steps 3 and 4 of the module's account: ``raw`` estimates drawn together."""
        least = self.minimum_scale**2
        overall = max(raw.overall, least)
        weight = np.bincount(kinds, raw.freedom, minlength=len(raw.pooled))
        lent = (self.prior_df * overall + weight * raw.pooled) / (self.prior_df + weight)
        # A kind whose prices are all tied says nothing about spread.
        of_kind = np.maximum(np.where(raw.pooled > 0, lent, overall), least)[kinds]
        own = np.where(raw.own > 0, raw.own, of_kind)
        variance = (self.prior_df * of_kind + raw.freedom * own) / (self.prior_df + raw.freedom)
        variance = np.maximum(variance, least)
        v = of_kind * raw.uncertainty
        centre, drawn = _shrink_locations(
            raw.location, v, kinds, solid=sizes >= self.min_n, count=len(raw.pooled), min_groups=self.min_groups
        )
        return _Scores(centre, np.sqrt(variance), np.sqrt(variance + drawn * v), float(np.sqrt(overall)))

    def _conformal(self, data: SortedGroups, fitted: _Scores) -> Floats:
        """The ⌈(n + 1)·level⌉-th smallest |z| of each group of ``conformal_n`` or more; 0 for the others.

        A further price like the group's own exceeds it with a probability of at most 1 − level, whatever the
        distribution (Vovk, Gammerman & Shafer, *Algorithmic Learning in a Random World*, 2005).
        """
        thresholds = np.zeros(len(data.sizes))
        large = np.flatnonzero(data.sizes >= self.conformal_n)
        if not len(large):
            return thresholds
        sizes = data.sizes[large]
        ranks = np.ceil((sizes + 1) * self.conformal_level - ROUNDING_UP).astype(np.int64)
        # The largest scores stand at the two ends of a sorted group, so only those few need sorting again.
        wanted = np.minimum(np.maximum(sizes - ranks + 1, 1), sizes)
        place = np.arange(int(wanted.sum())) - np.repeat(np.cumsum(wanted) - wanted, wanted)
        owner = np.repeat(np.arange(len(large)), wanted)
        low = data.starts[large][owner] + place
        high = (data.starts + data.sizes)[large][owner] - 1 - place
        owners = np.concatenate([owner, owner[low < high]])
        ends = np.concatenate([low, high[low < high]])
        group = large[owners]
        scores = sort_within(owners, np.abs(data.values[ends] - fitted.centre[group]) / fitted.reach[group], len(large))
        thresholds[large] = np.where(ranks > sizes, np.inf, scores.at_rank(np.maximum(scores.sizes - wanted + 1, 1)))
        return thresholds

    def _lines(self, frame: pd.DataFrame, prices: Floats, codes: Codes, *, new: bool) -> pd.DataFrame:
        groups = self.groups_
        if not len(groups):
            return _no_lines(frame)
        known = codes >= 0
        safe = np.where(known, codes, 0)
        n = groups["n"].to_numpy(dtype=np.int32)[safe]
        n[~known] = 0
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = prices / groups["adjusted_median"].to_numpy()[safe]
            z = np.log(prices)
        z -= groups["centre"].to_numpy()[safe]
        z /= groups["reach"].to_numpy()[safe]
        review: float | Floats = self.review_z
        outside: float | Floats = self.outside_z
        if new:
            threshold = groups["threshold"].to_numpy()[safe]
            review, outside = np.maximum(review, threshold), np.maximum(outside, threshold)
        few = known & (n < self.min_n)
        ratio[~known] = np.nan
        z[~known | few] = np.nan
        status = line_codes(z, ratio, review, outside, self.review_ratio)
        status[few] = CODES[Status.TOO_FEW]
        # A new price of a group that the history does not know has no peers at all.
        status[~known] = np.where(new & _usable(prices[~known]), CODES[Status.TOO_FEW], CODES[Status.SET_ASIDE])
        median = groups["median"].to_numpy()[safe]
        median[~known] = np.nan
        columns = {"group": codes, "n": n, "median": median, "ratio": ratio, "z": z, "status": _categories(status)}
        return pd.DataFrame(columns, index=frame.index, copy=False)


#: Keeps ⌈(n + 1)·level⌉ from going up because a product such as 300 × 0.99 comes out a last bit above 297.
ROUNDING_UP = 1e-9


@dataclass(frozen=True, slots=True)
class _Estimates:
    """Before shrinking. Per group: ``location``, its variance ``uncertainty`` in units of the kind's variance, the
    degrees of ``freedom`` and the variance (``own``) of its prices; ``pooled`` is per kind, ``overall`` of all."""

    location: Floats
    uncertainty: Floats
    freedom: Floats
    own: Floats
    pooled: Floats
    overall: float


@dataclass(frozen=True, slots=True)
class _Scores:
    """Per group: ``centre`` m̃, ``scale`` of one price, ``reach`` = √(scale² + B·v). ``spread``: σ of the frame."""

    centre: Floats
    scale: Floats
    reach: Floats
    spread: float


def encode(frame: pd.DataFrame, by: Sequence[str], usable: Flags | None = None) -> tuple[Codes, pd.DataFrame]:
    """Number the groups: each row's group (−1 where a ``by`` value is missing or the row not ``usable``), and a frame
    with the ``by`` values of groups 0, 1, … in their order (that of the categories, for a categorical column)."""
    combined = np.zeros(len(frame), dtype=np.int64)
    missing = np.zeros(len(frame), dtype=np.bool_) if usable is None else ~usable
    levels: list[pd.Index[Any]] = []
    for name in by:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, categories = column.cat.codes.to_numpy(), column.cat.categories
        else:
            codes, categories = pd.factorize(column, sort=True)
        levels.append(pd.Index(categories))
        missing |= codes < 0
        combined *= max(len(categories), 1)
        combined += codes
    combined[missing] = -1
    keys, numbers = _compact(combined, missing)
    values: dict[str, Any] = {}
    rest = keys
    for name, level in zip(reversed(by), reversed(levels), strict=True):
        rest, code = np.divmod(rest, max(len(level), 1))
        values[name] = level.take(code)
    return numbers, pd.DataFrame({name: values[name] for name in by})


def _compact(combined: npt.NDArray[np.int64], missing: Flags) -> tuple[npt.NDArray[np.int64], Codes]:
    """The distinct keys, ascending, and each row's place among them; −1 stays −1."""
    most = int(combined.max(initial=-1)) + 1
    if most > 4 * len(combined) + SPARE_KEYS:
        keys, numbers = np.unique(combined, return_inverse=True)
        if missing.any():
            return keys[1:], (numbers - 1).astype(np.int32)
        return keys, numbers.astype(np.int32)
    seen = np.zeros(most + 1, dtype=np.bool_)
    seen[combined] = True  # the key −1 lands in the last place, which no real key has
    seen[-1] = False
    places = np.cumsum(seen, dtype=np.int32) - np.int32(1)
    places[-1] = -1
    return np.flatnonzero(seen), places[combined]


#: A table of all possible keys is the quick way to number them as long as it is not much larger than the data.
SPARE_KEYS = 1 << 16


def _index_of(frame: pd.DataFrame, by: Sequence[str]) -> pd.Index[Any]:
    plain = frame[list(by)].astype(object)
    return pd.Index(plain[by[0]]) if len(by) == 1 else pd.MultiIndex.from_frame(plain)


def _usable(prices: Floats) -> Flags:
    return np.isfinite(prices) & (prices > 0)


def _categories(codes: npt.NDArray[np.int8]) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(codes, categories=pd.Index([status.value for status in STATUSES]))


def _no_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """Lines for a history without a single usable price."""
    nothing = np.full(len(frame), np.nan)
    status = _categories(np.full(len(frame), CODES[Status.SET_ASIDE], dtype=np.int8))
    codes = np.full(len(frame), -1, dtype=np.int32)
    columns = {"group": codes, "n": np.zeros_like(codes), "median": nothing, "ratio": nothing, "z": nothing}
    return pd.DataFrame({**columns, "status": status}, index=frame.index)


def _describe(groups: pd.DataFrame, data: SortedGroups) -> None:
    """What is shown of each group, from its raw prices. ``median_low`` and ``median_high`` are NaN below six prices."""
    groups["median"] = data.medians()
    groups["mean"] = data.sums(data.values) / data.sizes
    groups["minimum"] = data.at_rank(np.ones_like(data.sizes))
    groups["maximum"] = data.at_rank(data.sizes)
    groups["lower_quartile"] = data.quantiles(0.25)
    groups["upper_quartile"] = data.quantiles(0.75)
    ranks = interval_ranks(data.sizes)
    some = np.maximum(ranks, 1)
    groups["median_low"] = np.where(ranks > 0, data.at_rank(some), np.nan)
    groups["median_high"] = np.where(ranks > 0, data.at_rank(data.sizes + 1 - some), np.nan)


def _ratio(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> Floats:
    """``above / below``, 0 where there is nothing below."""
    shares: Floats = np.divide(above, below, out=np.zeros(len(above)), where=below > 0)
    return shares


def _first_estimates(data: SortedGroups, kinds: Codes, count: int) -> _Estimates:
    """Where to start from: medians; variances of each group (MAD), of each of the ``count`` kinds and of everything
    (pooled residuals)."""
    medians = data.medians()
    start = _Estimates(
        location=medians,
        uncertainty=MEDIAN_VARIANCE / data.sizes,
        freedom=(data.sizes - 1).astype(np.float64),
        own=(MAD_FACTOR * data.median_deviations(medians)) ** 2,
        pooled=np.zeros(count),
        overall=0.0,
    )
    # A price alone in its group has no residual; its nought would be taken for agreement.
    telling = data.sizes > 1
    if not telling.any():
        return start
    # Half the precision is plenty for a starting value, and half the memory.
    residuals = data.values.astype(np.float32)
    residuals -= data.spread_out(medians.astype(np.float32))
    np.abs(residuals, out=residuals)
    residuals *= data.spread_out(np.sqrt(data.sizes / np.maximum(data.sizes - 1, 1)).astype(np.float32))
    distinct, places = np.unique(kinds[telling], return_inverse=True)
    narrow = len(distinct) <= SIXTEEN_BITS
    of_group: npt.NDArray[np.integer] = np.zeros(len(kinds), dtype=np.uint16 if narrow else np.uint32)
    of_group[telling] = places
    owners = data.spread_out(of_group)
    if not telling.all():
        members = data.spread_out(telling)
        residuals, owners = residuals[members], owners[members]
    start.pooled[distinct] = (MAD_FACTOR * sort_within(owners, residuals, len(distinct)).medians()) ** 2
    deviation = MAD_FACTOR * float(np.median(residuals))
    if deviation == 0:
        deviation = MEAN_DEVIATION_FACTOR * float(residuals.mean(dtype=np.float64))
    return replace(start, overall=deviation**2)


def _shrink_locations(
    location: Floats, v: Floats, kinds: Codes, *, solid: Flags, count: int, min_groups: int
) -> tuple[Floats, Floats]:
    """m̃ and B of each group. Only ``solid`` groups (enough prices) tell how groups of a kind differ; where there are
    fewer than ``min_groups`` of them, nobody knows, and B is 1: each group stands for itself."""

    def summed(values: Floats) -> Floats:
        return np.bincount(kinds[solid], values[solid], minlength=count).astype(np.float64)

    members = np.bincount(kinds[solid], minlength=count).astype(np.float64)
    mean = _ratio(summed(location), members)
    between = _ratio(summed((location - mean[kinds]) ** 2), members - 1) - _ratio(summed(v), members)
    between = np.maximum(between, 0.0)
    weights = 1 / (between[kinds] + v)
    target = _ratio(summed(weights * location), summed(weights))
    drawn = np.where((members >= min_groups)[kinds], between[kinds] / (between[kinds] + v), 1.0)
    return drawn * location + (1 - drawn) * target[kinds], drawn
