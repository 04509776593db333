"""What works cost. Pure, exact, in one documented order.

For each line, in this order (domain.md, rule 5):

1. the rate: the member's own rate for the code, where it has one; else the agreed star rate, or the schedule's rate;
2. the adjustment: on the schedule's rate only, the percentage that the member tendered for the value band of the job
   (its value at schedule rates);
3. the uplift for work out of hours, on every rate;
4. VAT.

The product is rounded once, half up to the penny. The net is the same product without VAT, rounded the same way; the
VAT shown is what lies between the two, so that a line always adds up. A total below the lot's minimum order gets one
more line with the difference, at the highest VAT rate of the other lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from portal.kernel.money import BASIS, half_up
from portal.rates.states import PriceRule
from portal.rates.vat import STANDARD

#: What the line that fills a total up to the minimum order is called.
MINIMUM_CODE = "MINIMUM-ORDER"
ONE = Decimal(1)
#: The highest rate that an item can have, in pence: beyond it somebody slipped.
MOST_RATE_PENCE = 100_000_000


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line: pence, with the basis it came from; percentages in basis points."""

    quantity: Decimal
    rate_pence: int
    adjustment_bp: int
    vat_bp: int
    net_pence: int
    vat_pence: int
    uplift_bp: int = 0
    rule: PriceRule = PriceRule.SCHEDULE_RATE
    code: str = ""

    @property
    def total_pence(self) -> int:
        return self.net_pence + self.vat_pence


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of lines, in pence."""

    net_pence: int
    vat_pence: int

    @property
    def total_pence(self) -> int:
        return self.net_pence + self.vat_pence


@dataclass(frozen=True, slots=True)
class Work:
    """So many units of one code at an agreed rate in pence: the schedule's, or a star rate. ``vat_bp`` is the VAT rate
    that the line carries."""

    code: str
    quantity: Decimal
    rate_pence: int
    star: bool = False
    vat_bp: int = STANDARD


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a member does a job: its adjustment for the job's value band, its own rates by code in pence, the
    uplift when the works are out of hours, and the least that an order comes to."""

    adjustment_bp: int = 0
    own_rates: Mapping[str, int] = field(default_factory=dict)
    uplift_bp: int = 0
    minimum_pence: int = 0


def exact_pence(quantity: Decimal, rate_pence: int, adjustment_bp: int = 0, uplift_bp: int = 0) -> Decimal:
    """What a line comes to before VAT, in pence that are not rounded yet."""
    exact = quantity * rate_pence * (BASIS + adjustment_bp) / BASIS
    return exact * (BASIS + uplift_bp) / BASIS if uplift_bp else exact


def price_line(
    quantity: Decimal, rate_pence: int, adjustment_bp: int = 0, vat_bp: int = 0, uplift_bp: int = 0
) -> PricedLine:
    """Price ``quantity`` units at ``rate_pence`` with the member's adjustment, VAT and uplift, in basis points."""
    exact = exact_pence(quantity, rate_pence, adjustment_bp, uplift_bp)
    net = half_up(exact)
    gross = half_up(exact * (BASIS + vat_bp) / BASIS)
    return PricedLine(quantity, rate_pence, adjustment_bp, vat_bp, net, gross - net, uplift_bp)


def price_work(work: Work, terms: Terms) -> PricedLine:
    """Price one line on a member's terms."""
    own = terms.own_rates.get(work.code)
    if own is not None:
        rule, rate, adjustment = PriceRule.OWN_RATE, own, 0
    elif work.star:
        rule, rate, adjustment = PriceRule.STAR_RATE, work.rate_pence, 0
    else:
        rule, rate, adjustment = PriceRule.SCHEDULE_RATE, work.rate_pence, terms.adjustment_bp
    line = price_line(work.quantity, rate, adjustment, work.vat_bp, terms.uplift_bp)
    return PricedLine(
        line.quantity,
        rate,
        adjustment,
        line.vat_bp,
        line.net_pence,
        line.vat_pence,
        line.uplift_bp,
        rule,
        work.code,
    )


def price_order(works: Sequence[Work], terms: Terms) -> list[PricedLine]:
    """Every line of an order on a member's terms, and the one that fills it up to the minimum order if it is short."""
    lines = [price_work(work, terms) for work in works]
    short = terms.minimum_pence - total(lines).net_pence
    if lines and short > 0:
        vat_bp = max(line.vat_bp for line in lines)
        filled = price_line(ONE, short, 0, vat_bp)
        lines.append(
            PricedLine(
                ONE, short, 0, vat_bp, short, filled.vat_pence, rule=PriceRule.MINIMUM_ORDER, code=MINIMUM_CODE
            )
        )
    return lines


def total(lines: Iterable[PricedLine]) -> Total:
    """The sums of ``lines``; sums of whole pence, so nothing is rounded."""
    net = vat = 0
    for line in lines:
        net += line.net_pence
        vat += line.vat_pence
    return Total(net, vat)


def band_adjustment(adjustment_bp: int, bands: Sequence[tuple[int, int]], value_pence: int) -> int:
    """A member's adjustment for a job of ``value_pence`` at schedule rates.

    ``bands`` holds ``(from pence, basis points)``: from that value on it takes the place of ``adjustment_bp``.
    """
    reached = [band for band in bands if band[0] <= value_pence]
    return max(reached)[1] if reached else adjustment_bp


def band_reached(bands: Sequence[tuple[int, int]], value_pence: int) -> int:
    """From which value in pence on the adjustment of ``band_adjustment`` holds; 0 for the usual one."""
    return max((from_pence for from_pence, _ in bands if from_pence <= value_pence), default=0)


def quoted_lines(amount_pence: int, works: Sequence[Work]) -> Iterator[PricedLine]:
    """The lines of an order at a quote for all of ``works``: one for each VAT rate among them.

    The quote is shared out in proportion to the works' value at their own rates; what cannot be shared in whole pence
    goes with the highest VAT rate. Parts of nothing are left out.
    """
    values: dict[int, int] = {}
    for work in works:
        values[work.vat_bp] = values.get(work.vat_bp, 0) + price_line(work.quantity, work.rate_pence).net_pence
    rates = sorted(values) or [STANDARD]
    whole = sum(values.values())
    parts = {rate: amount_pence * values[rate] // whole if whole else 0 for rate in rates}
    parts[rates[-1]] += amount_pence - sum(parts.values())
    for rate in rates:
        if parts[rate]:
            line = price_line(ONE, parts[rate], 0, rate)
            yield PricedLine(
                ONE, parts[rate], 0, rate, line.net_pence, line.vat_pence, rule=PriceRule.QUOTE, code="QUOTE"
            )


class WorksPrices(dict[str, int]):
    """What works come to in pence, excluding VAT, by the key of a member's terms (``key``).

    A price is worked out when it is first asked for, once for all members on the same terms; what was asked for is
    kept, to be stored with the decision. Only terms that touch these works are in a key, which is the adjustment in
    basis points, and ``;CODE=pence`` for each own rate. ``-250``; ``-250;LAS010=12000``.
    """

    def __init__(self, works: Sequence[Work], uplift_bp: int = 0, minimum_pence: int = 0) -> None:
        super().__init__()
        self.uplift_bp, self.minimum_pence = uplift_bp, minimum_pence
        self._works = works
        self._codes = {work.code for work in works}
        # Terms with own rates, by their key; a key without any is the adjustment alone.
        self._own: dict[str, Terms] = {}

    def key(self, adjustment_bp: int, own_rates: Mapping[str, int] | None = None) -> str:
        """The key of a member's terms."""
        touched = {code: own_rates[code] for code in sorted(self._codes & own_rates.keys())} if own_rates else {}
        if not touched:
            return str(adjustment_bp)
        key = ";".join([str(adjustment_bp), *(f"{code}={rate}" for code, rate in touched.items())])
        self._own.setdefault(key, Terms(adjustment_bp, touched, self.uplift_bp, self.minimum_pence))
        return key

    def terms(self, key: str) -> Terms:
        """The terms that a key stands for."""
        return self._own.get(key) or Terms(int(key), {}, self.uplift_bp, self.minimum_pence)

    def __missing__(self, key: str) -> int:
        self[key] = total(price_order(self._works, self.terms(key))).net_pence
        return self[key]
