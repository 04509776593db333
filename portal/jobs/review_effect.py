"""What a price review would have cost last year: the orders of twelve months at the base's rates and at the new ones.

The order lines of the schedule are grouped in the database by what gives a price (code, quantity, adjustment, uplift);
each group is priced once at the base's rate and once at the new one, exactly as an order is. Lines whose price does not
come from the schedule (own rates, star rates, quotes, minimum orders) are counted apart: a review does not touch them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select

from portal.accounts.models import Organisation
from portal.framework.rules import years_after
from portal.jobs.models import Job, Offer, OrderLine, offer_is
from portal.jobs.states import OfferStatus
from portal.kernel.clock import LOCAL, local_date
from portal.kernel.db import db
from portal.rates.models import Edition
from portal.rates.pricing import price_line
from portal.rates.reviews.preview import Preview, ratio_text
from portal.rates.states import PriceRule

#: How many codes that are gone are named.
NAMED = 20


class Rates(NamedTuple):
    """The rates of a code in pence: of the base, and as reviewed."""

    old_pence: int
    new_pence: int


@dataclass(slots=True)
class Cost:
    """What orders cost at the base's rates and at the new ones, in pence, excluding VAT."""

    name: str
    orders: int = 0
    lines: int = 0
    old_pence: int = 0
    new_pence: int = 0

    @property
    def difference_pence(self) -> int:
        """What the new rates cost more."""
        return self.new_pence - self.old_pence

    @property
    def percent(self) -> str:
        """The difference in per cent; a dash where nothing is priced."""
        return ratio_text(self.old_pence, self.new_pence)

    def add(self, lines: int, old_pence: int, new_pence: int) -> None:
        """Count so many lines with their costs."""
        self.lines += lines
        self.old_pence += old_pence
        self.new_pence += new_pence


@dataclass(slots=True)
class Effect:
    """The effect of a review on the orders accepted on the days ``[since, until]``.

    ``apart`` counts the lines that a review does not touch by where their price comes from; ``gone`` those priced from
    the schedule whose code is withdrawn or not in the base, by code.
    """

    since: date
    until: date
    total: Cost
    work_types: list[Cost]
    authorities: list[Cost]
    apart: dict[PriceRule, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)

    @property
    def gone_lines(self) -> int:
        """How many lines have a code that is gone."""
        return sum(self.gone.values())

    @property
    def gone_codes(self) -> list[str]:
        """Some of those codes, the most used first."""
        return sorted(self.gone, key=lambda code: (-self.gone[code], code))[:NAMED]

    @property
    def all_lines(self) -> int:
        """Every line of the basket, priced or not."""
        return self.total.lines + self.gone_lines + sum(self.apart.values())


def effect_on_orders(schedule_id: int, preview: Preview, *, now: datetime) -> Effect:
    """The effect of ``preview`` on the orders of ``schedule_id`` that were accepted in the twelve months until ``now``.
    Three statements, however many lines there are."""
    until = local_date(now)
    since = years_after(until, -1)
    begins = datetime.combine(since, time.min, LOCAL)
    basket = (
        OrderLine.edition_id.in_(select(Edition.id).where(Edition.schedule_id == schedule_id)),
        offer_is(OfferStatus.ACCEPTED, OfferStatus.COMPLETED),
        Offer.answered_at >= begins,
        Offer.answered_at <= now,
    )
    rates = {
        change.item.code: Rates(change.item.rate_pence, change.new_pence)
        for change in preview.changes
        if not change.withdrawn
    }
    work_types, authorities = _costs(basket)
    effect = Effect(since, until, Cost("All orders"), [], [], apart=_apart(basket))
    _price(effect, basket, rates, work_types, authorities)
    effect.total.orders = sum(cost.orders for cost in work_types.values())
    effect.work_types = _largest_first(work_types)
    effect.authorities = _largest_first(authorities)
    return effect


def _largest_first(costs: Mapping[object, Cost]) -> list[Cost]:
    return sorted(costs.values(), key=lambda cost: (-abs(cost.difference_pence), cost.name))


def _costs(basket: tuple[ColumnElement[bool], ...]) -> tuple[dict[object, Cost], dict[object, Cost]]:
    """Empty costs by work type and by authority, with the number of orders of each."""
    work_types: dict[object, Cost] = {}
    authorities: dict[object, Cost] = {}
    for work_type, authority_id, name, orders in db.session.execute(
        select(Job.work_type, Job.authority_id, Organisation.name, func.count(Offer.id.distinct()))
        .select_from(OrderLine)
        .join(Offer, Offer.id == OrderLine.offer_id)
        .join(Job, Job.id == Offer.job_id)
        .join(Organisation, Organisation.id == Job.authority_id)
        .where(*basket)
        .group_by(Job.work_type, Job.authority_id, Organisation.name)
    ):
        work_types.setdefault(work_type, Cost(work_type)).orders += orders
        authorities.setdefault(authority_id, Cost(name)).orders += orders
    return work_types, authorities


def _apart(basket: tuple[ColumnElement[bool], ...]) -> dict[PriceRule, int]:
    """How many lines do not take their price from the schedule, by where it comes from."""
    rows = db.session.execute(
        select(OrderLine.rule, func.count())
        .join(Offer, Offer.id == OrderLine.offer_id)
        .where(*basket, OrderLine.rule != PriceRule.SCHEDULE_RATE)
        .group_by(OrderLine.rule)
        .order_by(OrderLine.rule)
    )
    return dict(rows.all())


def _price(
    effect: Effect,
    basket: tuple[ColumnElement[bool], ...],
    rates: Mapping[str, Rates],
    work_types: Mapping[object, Cost],
    authorities: Mapping[object, Cost],
) -> None:
    """Price each group of like lines once at either rate, and add it up everywhere it belongs."""
    for work_type, authority_id, code, quantity, adjustment_bp, uplift_bp, lines in db.session.execute(
        select(
            Job.work_type,
            Job.authority_id,
            OrderLine.code,
            OrderLine.quantity,
            OrderLine.adjustment_bp,
            OrderLine.uplift_bp,
            func.count(),
        )
        .select_from(OrderLine)
        .join(Offer, Offer.id == OrderLine.offer_id)
        .join(Job, Job.id == Offer.job_id)
        .where(*basket, OrderLine.rule == PriceRule.SCHEDULE_RATE)
        .group_by(
            Job.work_type,
            Job.authority_id,
            OrderLine.code,
            OrderLine.quantity,
            OrderLine.adjustment_bp,
            OrderLine.uplift_bp,
        )
    ):
        rate = rates.get(code)
        if rate is None:
            effect.gone[code] = effect.gone.get(code, 0) + lines
            continue
        old, new = (
            lines * price_line(quantity, each, adjustment_bp, uplift_bp=uplift_bp).net_pence for each in rate
        )
        for cost in (effect.total, work_types[work_type], authorities[authority_id]):
            cost.add(lines, old, new)
