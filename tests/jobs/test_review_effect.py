"""What a review would have cost last year: every line priced exactly as its order was, at the old and the new rate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from builders import (
    NOW,
    Scene,
    accept,
    allocate,
    edition,
    framework_with_lot,
    look_again,
    member,
    open_offer,
    scene,
    unique,
)
from fixture_types import AT_MOST
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reviews_made import review
from sqlalchemy import insert, select, update

from portal.jobs.models import Offer, OrderLine
from portal.jobs.review_effect import Effect, effect_on_orders
from portal.jobs.states import OfferStatus
from portal.kernel.db import db, table_of, transaction
from portal.rates.models import Edition, Item
from portal.rates.reviews import queries
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.states import PriceRule

LATER = NOW + timedelta(days=30)
TEN_PER_CENT = RuleWanted(change_bp=1_000)


def effect(there: Scene, *rules: RuleWanted, now: object = LATER) -> Effect:
    look_again()
    db.session.expire_all()
    base = db.session.get_one(Edition, there.edition.id)
    made = review(base, *rules)
    return effect_on_orders(base.schedule_id, queries.preview_of(made), now=now)  # type: ignore[arg-type]


def set_lines(offer: Offer, *lines: Mapping[str, object]) -> None:
    """The lines of an order as they may have been frozen."""
    with transaction():
        db.session.execute(OrderLine.__table__.delete().where(OrderLine.offer_id == offer.id))
        known = db.session.scalars(select(Edition.id).order_by(Edition.id)).first()
        db.session.execute(
            insert(table_of(OrderLine)),
            [
                {
                    "offer_id": offer.id,
                    "position": position,
                    "description": "x",
                    "unit": "nr",
                    "quantity": Decimal(1),
                    "rate_pence": 1,
                    "rule": PriceRule.SCHEDULE_RATE,
                    "edition_id": known,
                    "adjustment_bp": 0,
                    "uplift_bp": 0,
                    "net_pence": 1,
                    "vat_bp": None,
                    "vat_pence": None,
                    "code": "RAIL01",
                    **line,
                }
                for position, line in enumerate(lines, start=1)
            ],
        )


def test_orders_are_priced_at_both_rates_with_their_own_adjustments(app: Flask) -> None:
    there = scene(members=1, adjustments=(-250,), capacity=9)
    there.accepted(lines={"LIFT01": "1", "RAIL01": "3"})
    there.accepted(lines={"RAIL01": "2.5"})

    found = effect(there, RuleWanted(code="RAIL01", change_bp=1_000))

    # 2094.00, 3 × 42.50 and 2.5 × 42.50, each less 2.5 %, then the same at 46.75.
    assert found.total.old_pence == 204_165 + 12_431 + 10_359
    assert found.total.new_pence == 204_165 + 13_674 + 11_395
    assert (found.total.orders, found.total.lines, found.all_lines) == (2, 3, 3)
    assert found.total.percent == "+1 %"
    assert [(cost.name, cost.orders, cost.difference_pence) for cost in found.work_types] == [
        (there.lot.work_types[0].work_type, 2, 2_279)
    ]
    assert [(cost.name, cost.lines) for cost in found.authorities] == [(there.authority.name, 3)]


def test_work_types_and_authorities_add_up_to_the_whole(app: Flask) -> None:
    there = scene(members=1, capacity=9)
    other = framework_with_lot(there.authority)
    member(other, areas=[there.authority])
    there.accepted()
    made = Scene(there.authority, other, there.edition).job(lines={"SHOWER01": "1"})
    allocate(made)
    accept(open_offer(made))

    found = effect(there, TEN_PER_CENT)

    assert [cost.old_pence for cost in found.work_types] == [537_500, 209_400]
    assert sum(cost.new_pence for cost in found.work_types) == found.total.new_pence == 821_590
    assert [cost.orders for cost in found.authorities] == [2]


def test_lines_whose_price_is_not_the_schedules_are_counted_apart(app: Flask) -> None:
    there = scene(members=1)
    offer = there.accepted()
    set_lines(
        offer,
        {"code": "RAIL01"},
        {"code": "RAIL01", "rule": PriceRule.OWN_RATE},
        {"code": "S1", "rule": PriceRule.STAR_RATE},
        {"code": "QUOTE", "rule": PriceRule.QUOTE},
        {"code": "MINIMUM-ORDER", "rule": PriceRule.MINIMUM_ORDER},
        {"code": "GONE"},
        {"code": "GONE"},
        {"code": "SHOWER01"},
    )
    with transaction():
        db.session.execute(
            update(Item).where(Item.code == "SHOWER01").values(withdrawn_on=date(2026, 6, 1), withdrawn_reason="Old")
        )

    found = effect(there, TEN_PER_CENT)

    assert (found.total.old_pence, found.total.new_pence) == (4_250, 4_675)
    assert found.apart == dict.fromkeys(
        (PriceRule.OWN_RATE, PriceRule.STAR_RATE, PriceRule.QUOTE, PriceRule.MINIMUM_ORDER), 1
    )
    assert found.gone == {"GONE": 2, "SHOWER01": 1}
    assert found.gone_codes == ["GONE", "SHOWER01"]
    assert found.all_lines == 8


def test_only_orders_of_this_schedule_accepted_in_the_last_twelve_months_count(app: Flask) -> None:
    there, elsewhere = scene(members=1, capacity=9), scene(members=1)
    old, kept, done, lost = (there.accepted() for _ in range(4))
    there.offered()
    elsewhere.accepted()
    with transaction():
        for offer, values in (
            (old, {"answered_at": LATER - timedelta(days=367)}),
            (kept, {"answered_at": LATER - timedelta(days=364)}),
            (done, {"status": OfferStatus.COMPLETED}),
            (lost, {"status": OfferStatus.FAILED_TO_START}),
        ):
            db.session.execute(update(Offer).where(Offer.id == offer.id).values(**values))

    found = effect(there, TEN_PER_CENT)

    assert (found.total.orders, found.total.old_pence) == (2, 2 * 209_400)
    assert (found.since, found.until) == (date(2025, 6, 4), date(2026, 6, 4))


def test_orders_of_an_earlier_edition_count_at_the_rates_of_the_base(app: Flask) -> None:
    there = scene(members=1)
    there.accepted()
    code = there.edition.schedule.code
    edition({"LIFT01": 300_000}, code, "Newer", date(2026, 6, 1))

    found = effect(there, TEN_PER_CENT)

    assert (found.total.old_pence, found.total.new_pence) == (300_000, 330_000)


def test_without_orders_there_is_nothing_to_compare(app: Flask) -> None:
    found = effect(scene(members=1), TEN_PER_CENT)

    assert (found.all_lines, found.total.percent, found.work_types) == (0, "–", [])


LINES = st.lists(
    st.tuples(
        st.sampled_from(["LIFT01", "SHOWER01", "RAIL01"]),
        st.integers(1, 10**6).map(lambda thousandths: Decimal(thousandths) / 1000),
        st.integers(-5_000, 5_000),
        st.sampled_from([0, 2_500, 3_333]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, change=st.integers(-9_000, 9_000))
def test_the_effect_is_what_plain_decimals_give(
    app: Flask, lines: list[tuple[str, Decimal, int, int]], change: int
) -> None:
    there = scene(members=1, items={"LIFT01": 209_400, "SHOWER01": 537_500, "RAIL01": 4_255})
    rates = {"LIFT01": 209_400, "SHOWER01": 537_500, "RAIL01": 4_255}
    edition_id = there.edition.id
    set_lines(
        there.accepted(),
        *(
            {
                "code": code,
                "quantity": quantity,
                "adjustment_bp": adjusted,
                "uplift_bp": uplift,
                "edition_id": edition_id,
            }
            for code, quantity, adjusted, uplift in lines
        ),
    )

    found = effect(there, RuleWanted(change_bp=change))

    def rounded(pence: Decimal) -> int:
        return int(pence.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def cost(rate: int, line: tuple[str, Decimal, int, int]) -> int:
        return rounded(line[1] * rate * (10_000 + line[2]) / 10_000 * (10_000 + line[3]) / 10_000)

    new = {code: rounded(Decimal(rate) * (10_000 + change) / 10_000) for code, rate in rates.items()}
    assert found.total.old_pence == sum(cost(rates[line[0]], line) for line in lines)
    assert found.total.new_pence == sum(cost(new[line[0]], line) for line in lines)


def test_a_hundred_thousand_lines_take_three_statements(app: Flask, query_counter: AT_MOST) -> None:
    there = scene(members=1)
    offer = there.accepted()
    edition_id = there.edition.id
    set_lines(
        offer,
        *(
            {
                "code": ("LIFT01", "RAIL01", "SHOWER01")[number % 3],
                "quantity": Decimal(number % 400 + 1) / 4,
                "adjustment_bp": number % 50,
                "edition_id": edition_id,
            }
            for number in range(100_000)
        ),
    )
    base = db.session.get_one(Edition, edition_id)
    preview = queries.preview_of(review(base, TEN_PER_CENT, name=unique("E")))
    schedule_id = base.schedule_id
    look_again()

    with query_counter(3):
        found = effect_on_orders(schedule_id, preview, now=LATER)

    assert found.total.lines == 100_000
    assert found.total.difference_pence > 0
