"""A benchmark of price files, and its JSON document."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from portal.analytics import outliers
from portal.analytics.benchmark import PASSES, PriceBenchmark
from portal.analytics.outliers import STATUSES, Status
from portal.analytics.price_file import Prices, read_prices
from portal.kernel.money import half_up, pounds, shown
from portal.tables import Mapping

MONEY_COLUMNS = (
    "median", "mean", "minimum", "maximum", "lower_quartile", "upper_quartile", "median_low", "median_high",
)  # fmt: skip
INTERVAL_LEVEL = 0.95
SMALLEST_SHOWN = 0.001
METHOD = (
    "Natural logarithms of the price of one. Groups show their raw median, mean, range and quartiles, and an interval "
    "of the median from binomial ranks. A price is scored against its group's centre and spread, both estimated "
    "without what lies far off and drawn towards the other groups of the same kind as far as the group is small. "
    "A group is scored by its median against the median of its kind's group medians."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One price and what is said about it. ``median``, ``price``: pence, half up; ``None`` where there is none."""

    file: str
    row: int
    reference: str | None
    contractor: str | None
    by: dict[str, str | None]
    price: int | None
    status: Status
    ratio: float | None
    z: float | None
    n: int
    median: int | None
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """The line as it stands in the JSON document."""
        return {
            "file": self.file,
            "row": self.row,
            "reference": self.reference,
            "contractor": self.contractor,
            "by": self.by,
            "price": None if self.price is None else pounds(self.price),
            "status": self.status.value,
            "ratio": self.ratio,
            "z": self.z,
            "n": self.n,
            "median": None if self.median is None else pounds(self.median),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """One group and what is said about it. ``money``: pence, half up, by ``MONEY_COLUMNS`` (``None``: no interval)."""

    by: dict[str, str]
    n: int
    money: dict[str, int | None]
    index: float
    z: float
    peers: int
    status: Status
    reason: str

    @property
    def name(self) -> str:
        """``Stair lift, A``: how the group is called in sentences."""
        return ", ".join(self.by.values())

    def as_dict(self) -> dict[str, Any]:
        """The group as it stands in the JSON document."""
        money = {name: None if pence is None else pounds(pence) for name, pence in self.money.items()}
        low, high = money.pop("median_low"), money.pop("median_high")
        interval = None if low is None or high is None else [low, high]
        return {
            "by": self.by, "n": self.n, **money, "median_interval": interval, "index": self.index, "index_z": self.z,
            "peers": self.peers, "status": self.status.value, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """Prices, what was learned from them, and a verdict on each. ``assessed`` has a row per row of ``prices.frame``."""

    prices: Prices
    benchmark: PriceBenchmark
    assessed: pd.DataFrame

    @property
    def labels(self) -> tuple[str, ...]:
        """The grouping columns as they were asked for."""
        return tuple(grouping.label for grouping in self.prices.by)

    def method(self) -> dict[str, Any]:
        """How it was done, with every threshold used."""
        found = self.benchmark
        kinds = [grouping.label for grouping in self.prices.by if grouping.says_what]
        return {
            "description": METHOD, "by": list(self.labels), "kind": kinds, "compares": self.prices.bases,
            "flag_z": found.review_z, "review_z": found.review_z, "outside_z": found.outside_z,
            "review_ratio": found.review_ratio, "minimum_n": found.min_n, "minimum_groups": found.min_groups,
            "prior_df": found.prior_df, "reweight_at": found.reweight_at, "reweight_passes": PASSES,
            "minimum_scale": found.minimum_scale, "mad_factor": outliers.MAD_FACTOR,
            "median_variance_factor": outliers.MEDIAN_VARIANCE, "interval_level": INTERVAL_LEVEL,
            "conformal_n": found.conformal_n, "conformal_level": found.conformal_level,
            "conformal_used": False, "spread": rounded(found.spread_),
        }  # fmt: skip

    def groups(self) -> Iterator[Group]:
        """Every group, in the order of its names."""
        frame = self.benchmark.groups_
        names = frame[list(self.prices.by_columns)].itertuples(index=False, name=None)
        money = zip(*(frame[name].to_numpy() for name in MONEY_COLUMNS), strict=True)
        rest = frame[["n", "index", "index_z", "peers", "status"]].itertuples(index=False, name=None)
        for values, amounts, (n, index, z, peers, status) in zip(names, money, rest, strict=True):
            by = dict(zip(self.labels, map(str, values), strict=True))
            pence = dict(zip(MONEY_COLUMNS, map(whole_pence, amounts), strict=True))
            reason = self._group_reason(by, Status(status), n=n, index=index, z=z, peers=peers)
            yield Group(
                by=by, n=int(n), money=pence, index=rounded(index), z=rounded(z), peers=int(peers),
                status=Status(status), reason=reason,
            )  # fmt: skip

    def lines(self, *statuses: Status) -> Iterator[Line]:
        """Every price in the order of the files, or only those of the ``statuses``."""
        frame, found = self.prices.frame, self.assessed
        if statuses:
            chosen = found["status"].isin([status.value for status in statuses]).to_numpy()
            frame, found = frame[chosen], found[chosen]
        # Lists of plain values: a million lines would feel every pandas object.
        about = (frame[name].tolist() for name in ("file", "row", "reference", "contractor", "stated", "reason"))
        verdicts = (found[name].tolist() for name in ("ratio", "z", "n", "median"))
        words = [STATUSES[code] for code in found["status"].cat.codes.tolist()]
        places = zip(*(frame[name].astype(object).tolist() for name in self.prices.by_columns), strict=True)
        for file, row, reference, contractor, price, reason, ratio, z, n, median, status, values in zip(
            *about, *verdicts, words, places, strict=True
        ):
            by = dict(zip(self.labels, map(_text, values), strict=True))
            stated, middle = whole_pence(price), whole_pence(median)
            sentence = reason
            if stated is not None and middle is not None and status is not Status.SET_ASIDE:
                peers = ", ".join(map(str, by.values()))
                sentence = self._line_reason(peers, status, price=stated, ratio=ratio, z=z, n=n, median=middle)
            yield Line(
                file, row, _text(reference), _text(contractor), by, stated, status, _number(ratio), _number(z), n,
                middle, sentence,
            )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Rows read, prices compared, lines set aside, problems; and how many lines have which status."""
        by_status = self.assessed["status"].value_counts()
        aside = int(by_status.get(Status.SET_ASIDE, 0))
        return {
            "read": self.prices.read, "used": len(self.assessed) - aside, "set_aside": aside,
            "problems": len(self.prices.problems), "left_out": self.prices.left_out,
            **{each.value: int(by_status.get(each.value, 0)) for each in Status if each is not Status.SET_ASIDE},
        }  # fmt: skip

    def as_document(self) -> dict[str, Any]:
        """The JSON document of ``portal benchmark --json``; strict JSON: ``None`` where there is no number."""
        return {
            "method": self.method(),
            "groups": [group.as_dict() for group in self.groups()],
            "lines": [line.as_dict() for line in self.lines()],
            "problems": [problem.as_dict() for problem in self.prices.problems],
            "counts": self.counts(),
        }

    def _line_reason(
        self, peers: str, status: Status, *, price: int, ratio: float, z: float, n: int, median: int
    ) -> str:
        if status is Status.TOO_FEW:
            return (
                f"There {_are(n, 'price')} in {peers}; at least {self.benchmark.min_n} are needed to compare, so "
                "nothing is said about this one."
            )
        compared = (
            f"{shown(price)} is {times(ratio)} the median of {shown(median)} of {n} prices ({peers}): "
            f"{outliers.WORDS[status]}"
        )
        found = self.benchmark
        if status is Status.OUTSIDE:
            return f"{compared}; its score of {z:.2f} lies beyond {found.outside_z}."
        if status is Status.REVIEW:
            return (
                f"{compared}; its score of {z:.2f} lies beyond {found.review_z}, and it is at least "
                f"{found.review_ratio} times from the median."
            )
        return f"{compared} (score {z:.2f})."

    def _group_reason(self, by: dict[str, str], status: Status, *, n: int, index: float, z: float, peers: int) -> str:
        found = self.benchmark
        if status is Status.TOO_FEW:
            return f"There {_are(n, 'price')}; at least {found.min_n} are needed to compare."
        if peers < found.min_groups:
            return (
                f"Fewer than {found.min_groups} groups of its kind have enough prices, so there is too little to "
                "compare the group itself with."
            )
        kind = ", ".join(by[g.label] for g in self.prices.by if g.says_what) or "all prices"
        sentence = f"Its median is {times(index)} the median of the group medians of {kind}: {outliers.WORDS[status]}"
        if status is Status.USUAL:
            return f"{sentence} (score {z:.2f} among {peers} groups)."
        limit = found.outside_z if status is Status.OUTSIDE else found.review_z
        return (
            f"{sentence}; its score of {z:.2f} among {peers} groups lies beyond {limit}, and it is at least "
            f"{found.review_ratio} times from the middle."
        )


def benchmark_prices(prices: Prices, **thresholds: Any) -> BenchmarkResult:
    """Benchmark prices that have been read. ``thresholds`` are parameters of ``PriceBenchmark``."""
    benchmark = PriceBenchmark(by=prices.by_columns, kind=prices.kind_columns, **thresholds)
    return BenchmarkResult(prices, benchmark, benchmark.fit_assess(prices.frame))


def benchmark_files(
    paths: Sequence[str | Path], by: str | Sequence[str] | None = None, mapping: Mapping | None = None
) -> BenchmarkResult:
    """Benchmark the prices in files, without a database: see ``price_file.read_prices``. Raises ``InputRefused``."""
    return benchmark_prices(read_prices(paths, by, mapping))


def whole_pence(pence: float) -> int | None:
    """A float of pence, half up; ``None`` for NaN."""
    if not math.isfinite(pence):
        return None
    # Most prices are whole pence; only medians, means and prices of one out of several need rounding.
    return int(pence) if float(pence).is_integer() else half_up(Decimal(repr(float(pence))))


def times(ratio: float) -> str:
    """``1.42 times``; small parts keep two digits that tell something."""
    if ratio < SMALLEST_SHOWN:
        return f"less than {SMALLEST_SHOWN} times"
    return f"{ratio:,.2f} times" if ratio >= 0.1 else f"{ratio:.2g} times"


def rounded(number: float, digits: int = 4) -> float:
    """``number`` with as many significant digits as mean anything."""
    return float(f"{float(number):.{digits}g}")


def _number(number: float, digits: int = 4) -> float | None:
    return rounded(number, digits) if math.isfinite(number) else None


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) and cell else None


def _are(count: int, thing: str) -> str:
    return f"is only one {thing}" if count == 1 else f"are only {count} {thing}s"
