"""A year of invented prices, calibrated to the figures that ten authorities of one county published.

Published (Hertfordshire options paper, table 2): the medians of authorities A to E, and the mean over jobs, lowest
and highest price of all ten, for stair lifts and for level-access showers. These come out exactly, in whole pounds.
Not published, and assumed here:

- The medians of F to J lie between those of A to E, two on either side of the middle one and one upon it, so that
  the median of all ten medians is that of the five, and their ratios to it are the published ones too.
- A mean over jobs far above the mean of medians needs the dearest authority to do the most work. For stair lifts
  the authorities therefore differ in size (``weights``); for showers they need not.
- The last pounds to the published mean are found by two of the authorities F to J, whose medians are free within
  a range (``closing``).
- Which authority had the lowest and the highest price. The highest stair lift stands in A, where lifts are cheap,
  and in D, where they are not: one is unusual among its peers and the other is not.

The other work types are plausible only: lognormal prices with σ = 0.25, among them a known share of slips, which
are marked so that a test can count what a method finds. The two published work types hold no slips, since one
would break the published range.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from math import exp
from statistics import median
from types import MappingProxyType

from portal.demo.contractors import members_of
from portal.demo.county import AUTHORITIES, WorkType
from portal.kernel.money import half_up, pounds

COLUMNS = ("reference", "authority", "work_type", "contractor", "date", "quantity", "amount")
#: With fewer jobs there is no room for the extremes, the median and the mean at once.
FEWEST_JOBS = 8
#: One price in twenty-five of an unpublished work type is a slip.
SLIP_SHARE = Decimal("0.04")
MINOR_WORKS_LIMIT = 1_000
#: How authorities differ from each other, and prices within one, where nothing is published (σ of ln price).
BETWEEN_AUTHORITIES = 0.06
WITHIN_AUTHORITY = 0.25
_ATTEMPTS = 500


class Slip(StrEnum):
    """A mistake made in writing a price down."""

    TIMES_TEN = "times-ten"
    DIVIDED_BY_TEN = "divided-by-ten"
    DOUBLED = "doubled"
    VAT_INCLUDED = "vat-included"


SLIP_FACTORS: Mapping[Slip, Decimal] = MappingProxyType(
    {
        Slip.TIMES_TEN: Decimal(10),
        Slip.DIVIDED_BY_TEN: Decimal("0.1"),
        Slip.DOUBLED: Decimal(2),
        Slip.VAT_INCLUDED: Decimal("1.2"),
    }
)


@dataclass(frozen=True, slots=True)
class DemoPrice:
    """The price of one job. ``planted`` is for tests: the slip that was made, or ``None``; it is never written out."""

    reference: str
    authority: str
    work_type: WorkType
    contractor: str
    priced_on: date
    quantity: Decimal
    amount_pence: int
    planted: Slip | None = None

    def as_row(self) -> dict[str, str]:
        """The price as a row of the interface's prices file, keyed by ``COLUMNS``; the amount in pounds."""
        return {
            "reference": self.reference,
            "authority": self.authority,
            "work_type": self.work_type.value,
            "contractor": self.contractor,
            "date": self.priced_on.isoformat(),
            "quantity": str(self.quantity),
            "amount": pounds(self.amount_pence),
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """What is published, and assumed, of one work type; money in whole pounds.

    ``medians`` come out exactly. ``closing`` are the authorities that make the mean come out, each with the median
    to start from; their medians stay strictly inside ``closing_range``. ``weights`` multiply an authority's number
    of jobs. ``spread`` is the σ of ln price within an authority.
    """

    mean: int
    lowest: int
    highest: int
    medians: Mapping[str, int]
    closing: Mapping[str, int]
    closing_range: tuple[int, int]
    lowest_in: str
    highest_in: tuple[str, ...]
    spread: float
    weights: Mapping[str, int] = field(default_factory=dict)


FIGURES: Mapping[WorkType, Figures] = MappingProxyType(
    {
        WorkType.STAIR_LIFT: Figures(
            mean=3_188,
            lowest=1_600,
            highest=5_200,
            medians={"A": 2_094, "B": 2_072, "C": 2_107, "D": 4_058, "E": 2_898, "F": 2_085, "G": 2_099, "H": 2_107},
            closing={"I": 2_900, "J": 3_060},
            closing_range=(2_107, 4_058),
            lowest_in="B",
            highest_in=("A", "D"),
            spread=0.14,
            weights={"D": 9, "E": 2, "I": 2, "J": 2},
        ),
        WorkType.LEVEL_ACCESS_SHOWER: Figures(
            mean=5_094,
            lowest=3_281,
            highest=13_721,
            medians={"A": 5_375, "B": 5_677, "C": 5_275, "D": 4_140, "E": 4_098, "H": 5_275, "I": 5_380, "J": 5_450},
            closing={"F": 4_700, "G": 4_860},
            closing_range=(4_098, 5_275),
            lowest_in="E",
            highest_in=("A",),
            spread=0.12,
        ),
    }
)

#: Usual prices in whole pounds of the work types without published figures.
USUAL: Mapping[WorkType, int] = MappingProxyType(
    {
        WorkType.RAMP: 3_850,
        WorkType.DOOR_WIDENING: 1_850,
        WorkType.HOIST_AND_TRACK: 3_450,
        WorkType.MINOR_WORKS: 420,
        WorkType.KITCHEN: 5_900,
    }
)


@dataclass(frozen=True, slots=True)
class _Amount:
    authority: str
    work_type: WorkType
    pence: int
    planted: Slip | None = None


def demo_prices(rng: random.Random, jobs_per_group: int, year_end: date) -> list[DemoPrice]:
    """Prices of the 365 days that end with ``year_end``, oldest first.

    ``jobs_per_group`` (at least ``FEWEST_JOBS``) is the number of prices of each work type in an authority of weight
    one; larger authorities have a multiple of it (see ``Figures.weights``). Raises ``ValueError`` for fewer.
    """
    if jobs_per_group < FEWEST_JOBS:
        raise ValueError(
            f"{jobs_per_group} jobs a group are too few to meet the published figures; ask for at least {FEWEST_JOBS}."
        )
    amounts: list[_Amount] = []
    for work_type, figures in FIGURES.items():
        groups = _published_pounds(rng, jobs_per_group, figures)
        amounts += [
            _Amount(authority, work_type, price * 100) for authority in AUTHORITIES for price in groups[authority]
        ]
    for work_type, usual in USUAL.items():
        amounts += _plausible_amounts(rng, jobs_per_group, work_type, usual)
    year = [year_end - timedelta(days=days) for days in range(364, -1, -1)]
    office_days = [day for day in year if day.weekday() < 5]
    dated = sorted(((rng.choice(office_days), amount) for amount in amounts), key=lambda pair: pair[0])
    return [
        DemoPrice(
            f"Q-{number:05}",
            amount.authority,
            amount.work_type,
            _contractor(rng, amount),
            day,
            Decimal(1),
            amount.pence,
            amount.planted,
        )
        for number, (day, amount) in enumerate(dated, 1)
    ]


def _contractor(rng: random.Random, amount: _Amount) -> str:
    """A member of the lot in the area; the first ones of a list get more of the work."""
    codes = members_of(amount.work_type, amount.authority)
    return rng.choices(codes, [1 / place for place in range(1, len(codes) + 1)])[0]


def _published_pounds(rng: random.Random, jobs: int, figures: Figures) -> dict[str, list[int]]:
    """Prices by authority, in whole pounds, that meet every one of ``figures``."""
    for _ in range(_ATTEMPTS):
        groups = {}
        for authority, middle in figures.medians.items():
            extremes = [figures.lowest] * (authority == figures.lowest_in)
            extremes += [figures.highest] * (authority in figures.highest_in)
            groups[authority] = pounds_about(
                rng,
                jobs * figures.weights.get(authority, 1),
                middle,
                spread=figures.spread,
                bounds=(figures.lowest, figures.highest),
                extremes=extremes,
            )
        closing = _closing_pounds(rng, jobs, figures, sum(map(sum, groups.values())), sum(map(len, groups.values())))
        least, most = figures.closing_range
        if all(
            least < median(prices) < most and figures.lowest < min(prices) and max(prices) < figures.highest
            for prices in closing.values()
        ):
            return groups | closing
    raise ValueError(f"No prices were found that meet the mean of £{figures.mean:,} with {jobs} jobs a group.")


def pounds_about(
    rng: random.Random, count: int, middle: int, *, spread: float, bounds: tuple[int, int], extremes: list[int]
) -> list[int]:
    """``count`` whole pounds whose median is exactly ``middle``, ``extremes`` among them.

    The others lie strictly inside ``bounds``: as many below the median as above it, each side a half-lognormal with
    σ = ``spread``. For an even count the innermost two are set at equal distances from the median.
    """
    lowest, highest = bounds
    below = [
        _half(rng, middle, -spread, lowest, middle)
        for _ in range(count // 2 - sum(price < middle for price in extremes))
    ]
    above = [
        _half(rng, middle, spread, middle, highest)
        for _ in range(count // 2 - sum(price > middle for price in extremes))
    ]
    if count % 2:
        return [*below, middle, *above, *extremes]
    gap = min(abs(price - middle) for price in (*below, *above, *extremes))
    below[below.index(max(below))] = middle - gap
    above[above.index(min(above))] = middle + gap
    return [*below, *above, *extremes]


def _half(rng: random.Random, middle: int, signed_spread: float, over: int, under: int) -> int:
    """One price on one side of the median, strictly between ``over`` and ``under``."""
    while True:
        price = round(middle * exp(signed_spread * abs(rng.gauss(0, 1))))
        if over < price < under:
            return price


def _closing_pounds(rng: random.Random, jobs: int, figures: Figures, total: int, count: int) -> dict[str, list[int]]:
    """The prices of the closing authorities, given the ``total`` and ``count`` of all the others' prices."""
    drawn = [
        (authority, usual * exp(figures.spread * max(-2.0, min(2.0, rng.gauss(0, 1)))))
        for authority, usual in figures.closing.items()
        for _ in range(jobs * figures.weights.get(authority, 1))
    ]
    wanted = figures.mean * (count + len(drawn)) - total
    factor = wanted / sum(price for _, price in drawn)
    prices = [round(price * factor) for _, price in drawn]
    # What rounding left over is less than half a pound a price.
    left = wanted - sum(prices)
    for place in range(abs(left)):
        prices[place] += 1 if left > 0 else -1
    groups: dict[str, list[int]] = {authority: [] for authority in figures.closing}
    for (authority, _), price in zip(drawn, prices, strict=True):
        groups[authority].append(price)
    return groups


def _plausible_amounts(rng: random.Random, jobs: int, work_type: WorkType, usual: int) -> list[_Amount]:
    """Lognormal prices of one work type in every authority, with slips in ``SLIP_SHARE`` of them."""
    clean = []
    for authority in AUTHORITIES:
        level = usual * exp(rng.gauss(0, BETWEEN_AUTHORITIES))
        for _ in range(jobs):
            price = round(level * exp(rng.gauss(0, WITHIN_AUTHORITY)))
            while work_type is WorkType.MINOR_WORKS and price > MINOR_WORKS_LIMIT:
                price = round(level * exp(rng.gauss(0, WITHIN_AUTHORITY)))
            clean.append(_Amount(authority, work_type, price * 100))
    kinds = list(Slip)
    slips = {
        place: kinds[turn % len(kinds)]
        for turn, place in enumerate(rng.sample(range(len(clean)), half_up(SLIP_SHARE * len(clean))))
    }
    return [
        amount
        if (slip := slips.get(place)) is None
        else _Amount(amount.authority, work_type, half_up(amount.pence * SLIP_FACTORS[slip]), slip)
        for place, amount in enumerate(clean)
    ]
