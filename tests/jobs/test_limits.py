"""A framework's value cap and a contractor's month are held against what a job costs at each member: its lines at the
member's adjustment, or its quote; and what is stored of it comes out the same again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from builders import NOW, OFFICER, Scene, accept, allocate, code_of, look_again, open_offer, scene
from flask import Flask
from sqlalchemy import select
from test_quotations import Buying, buying

from portal.checks import everything_off
from portal.framework.member_models import Contractor
from portal.framework.models import Framework
from portal.framework.states import FrameworkKind
from portal.framework.terms.services import change_framework, decide_on_cap, terms_of
from portal.jobs.models import Decision, Job, Offer, OrderLine
from portal.jobs.queries import decisions_on
from portal.kernel.db import db, transaction
from portal.rates.pricing import Work, WorksPrices

__all__ = ["buying"]


def cap(there: Scene | Buying, pence: int | None) -> None:
    """Give the framework of the scene a value cap."""
    with transaction():
        db.session.get_one(Framework, there.lot.framework_id).value_cap_pence = pence


def limit_month(there: Scene | Buying, number: int, pence: int) -> None:
    with transaction():
        firm = db.session.get_one(Contractor, there.members[number].contractor_id)
        firm.month_limit_pence = pence


def reasons(of: Job) -> dict[str, list[str]]:
    look_again()
    return {place.member_code: place.reasons for place in decisions_on(of)[0].places}


def test_the_value_cap_counts_the_price_at_the_members_adjustment(app: Flask) -> None:
    there = scene(2, adjustments=[5_000, 0])
    cap(there, 220_000)
    made = there.job()

    allocate(made)

    first, second = there.members
    assert (open_offer(made).member_id, open_offer(made).price_pence) == (second.id, 209_400)
    assert reasons(made) == {
        code_of(first): [
            "the framework's value cap £2,200.00 would be passed: £0.00 are spent or committed, "
            "and this job comes to £3,141.00"
        ],
        code_of(second): [],
    }
    assert list(everything_off()) == []


def test_a_member_below_the_schedule_still_fits_under_the_cap(app: Flask) -> None:
    there = scene(2, adjustments=[0, -1_000])
    cap(there, 200_000)
    made = there.job()

    allocate(made)

    assert (open_offer(made).member_id, open_offer(made).price_pence) == (there.members[1].id, 188_460)
    assert list(everything_off()) == []


def test_each_offer_of_a_batch_uses_the_cap_up_by_its_price(app: Flask) -> None:
    there = scene(1, adjustments=[5_000])
    cap(there, 314_100 * 2)

    done = allocate(there.job(), there.job(), there.job())

    assert (len(done.offered), len(done.exhausted)) == (2, 1)
    assert sum(db.session.scalars(select(Offer.price_pence))) == 314_100 * 2
    assert list(everything_off()) == []


def test_a_decision_beyond_the_cap_lets_the_offer_go_out(app: Flask) -> None:
    there = scene(1, adjustments=[5_000])
    cap(there, 220_000)
    with transaction():
        decide_on_cap(there.lot.framework_id, 314_100, reason="The cabinet agreed", by=OFFICER, now=NOW)

    assert there.offered().price_pence == 314_100


def test_the_month_counts_the_price_at_the_members_adjustment(app: Flask) -> None:
    there = scene(2, adjustments=[5_000, 0])
    limit_month(there, 0, 220_000)
    limit_month(there, 1, 209_400 * 2)
    made = [there.job() for _ in range(3)]

    done = allocate(*made)

    assert set(done.offered.values()) == {code_of(there.members[1])}
    assert done.exhausted == [made[2].reference]
    assert reasons(made[0])[code_of(there.members[0])] == [
        "this month's work would come to £3,141.00, more than its £2,200.00"
    ]
    assert list(everything_off()) == []


def test_the_month_is_used_up_by_what_was_offered_in_the_same_batch(app: Flask) -> None:
    there = scene(1, adjustments=[5_000])
    limit_month(there, 0, 500_000)

    done = allocate(there.job(), there.job())

    assert (len(done.offered), len(done.exhausted)) == (1, 1)


def test_cap_and_month_count_the_quote(buying: Buying) -> None:
    cap(buying, 850_000)
    limit_month(buying, 0, 780_000)
    made = buying.job()
    for number, pence in enumerate([800_000, 840_000, 900_000]):
        buying.quote(made, number, pence)

    allocate(made)

    codes = [code_of(each) for each in buying.members]
    assert open_offer(made).price_pence == 840_000
    found = reasons(made)
    assert found[codes[0]] == ["this month's work would come to £8,000.00, more than its £7,800.00"]
    assert found[codes[1]] == []
    assert found[codes[2]] == [
        "the framework's value cap £8,500.00 would be passed: £0.00 are spent or committed, "
        "and this job comes to £9,000.00"
    ]
    assert list(everything_off()) == []


def test_who_has_given_no_quote_has_no_price_that_could_pass_a_cap(buying: Buying) -> None:
    cap(buying, 1_000)
    made = buying.job()
    buying.quote(made, 0, 800)
    buying.quote(made, 1, 900)

    allocate(made)

    assert open_offer(made).price_pence == 800
    assert reasons(made)[code_of(buying.members[2])] == ["has given no quote for this job"]


def test_prices_are_worked_out_once_for_each_adjustment_that_is_asked_for() -> None:
    prices = WorksPrices([Work("A", Decimal("1.5"), 333), Work("B", Decimal(1), 1)])

    assert prices["5000"] == 749 + 2
    assert dict(prices) == {"5000": 751}


@pytest.mark.parametrize("version", ["ranked-cascade/1", "ranked-cascade/2"])
def test_decisions_of_earlier_rules_come_out_the_same_as_they_were(app: Flask, version: str) -> None:
    """They held the job's value at schedule rates against cap and month, and the cap against the whole lot."""
    there = scene(2, adjustments=[5_000, 0])
    limit_month(there, 0, 200_000)
    made = there.job()
    allocate(made)
    cap_reason = (
        "the framework's value cap £2,000.00 would be passed: £0.00 are spent or committed, "
        "and this job comes to £2,094.00"
    )
    month_reason = "this month's work would come to £2,094.00, more than its £2,000.00"
    with transaction():
        decision = db.session.scalars(select(Decision)).one()
        decision.rule_version = version
        decision.inputs = {
            **{key: value for key, value in decision.inputs.items() if key != "prices"},
            "cap_pence": 200_000,
        }
        decision.chosen_member_id = None
        for place, found in zip(decision.places, ([cap_reason, month_reason], [cap_reason]), strict=True):
            place.eligible, place.reasons = False, found
    look_again()

    assert [each for each in everything_off() if "decision" in each.lower()] == []


def test_an_order_made_at_a_quote_stays_one_line_and_one_made_by_rates_stays_lines(buying: Buying) -> None:
    by_quote, by_rates = buying.job(), buying.job()
    for made in (by_quote, by_rates):
        buying.quote(made, 0, 190_000)
        buying.quote(made, 1, 195_000)
    allocate(by_quote)
    home = db.session.get_one(Framework, buying.lot.framework_id)
    terms = replace(terms_of(home), kind=FrameworkKind.FRAMEWORK_AGREEMENT, quotes_needed=None)
    with transaction():
        change_framework(home.id, terms, by=OFFICER, now=NOW)
    allocate(by_rates)

    for made in (by_quote, by_rates):
        accept(open_offer(made))

    look_again()
    orders = {
        offer.job_id: (offer.quoted, offer.price_pence, [line.code for line in lines_of(offer)])
        for offer in db.session.scalars(select(Offer))
    }
    assert orders == {by_quote.id: (True, 190_000, ["QUOTE"]), by_rates.id: (False, 209_400, ["LIFT01"])}
    assert list(everything_off()) == []


def test_an_offer_made_by_rates_can_be_accepted_when_the_framework_has_come_to_buy_by_quotations(app: Flask) -> None:
    there = scene(1)
    offer = there.offered()
    home = db.session.get_one(Framework, there.lot.framework_id)
    with transaction():
        terms = replace(terms_of(home), kind=FrameworkKind.QUOTATIONS, quotes_needed=2)
        change_framework(home.id, terms, by=OFFICER, now=NOW)

    accept(offer)

    look_again()
    assert [line.code for line in lines_of(offer)] == ["LIFT01"]


def lines_of(offer: Offer) -> list[OrderLine]:
    return list(db.session.scalars(select(OrderLine).where(OrderLine.offer_id == offer.id)))
