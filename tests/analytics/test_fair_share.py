"""Fair share: offers, orders and value by contractor against what was agreed, in words, as a picture and as rows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from builders import NATION, NOW, OFFICER, TODAY, Scene, accept, allocate, look_again, open_offer, scene
from fixture_types import AT_MOST
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.analytics.fair_share import (
    Basis,
    FairShare,
    Firm,
    Period,
    Seat,
    Sum,
    fair_share,
    last_year,
    lot_shares,
    shares,
)
from portal.analytics.share_chart import share_svg
from portal.analytics.share_report import CSV_HEADER, as_document, in_words, plain_row
from portal.framework.member_models import Contractor
from portal.framework.members.ranks import RankWanted, set_ranks
from portal.framework.models import Framework, Lot
from portal.framework.states import MemberStatus
from portal.jobs import services
from portal.jobs.standing import change_standing
from portal.jobs.states import DeclineReason, OfferStatus
from portal.kernel.db import db, transaction

SVG = "{http://www.w3.org/2000/svg}"
FIRMS = {number: Firm(f"C{number}", f"Contractor {number}", sme=number % 2 == 1, local=False) for number in range(1, 9)}


def ordered(contractor: int, lot: int, pence: int, offers: int = 1) -> Sum:
    return Sum(contractor, lot, OfferStatus.COMPLETED, offers, pence)


# The sums -------------------------------------------------------------------------------------------------------------


def test_agreed_shares_hold_where_there_are_any() -> None:
    seats = [Seat(1, 1, True, 6_000), Seat(2, 1, True, 3_000), Seat(3, 1, True, None)]

    assert lot_shares(seats) == {1: Fraction(3, 5), 2: Fraction(3, 10), 3: Fraction(0)}


def test_without_agreed_shares_the_active_members_split_a_lot_equally() -> None:
    seats = [Seat(1, 1, True, None), Seat(2, 1, True, None), Seat(3, 1, False, None)]

    assert lot_shares(seats) == {1: Fraction(1, 2), 2: Fraction(1, 2)}


def test_a_lot_in_which_nobody_is_active_has_no_shares() -> None:
    assert lot_shares([Seat(1, 1, False, None)]) == {}


def test_a_share_over_several_lots_weighs_each_lot_by_its_orders() -> None:
    # Contractor 1 has all of lot 1 and half of lot 2; lot 2 has three times the orders.
    seats = [Seat(1, 1, True, None), Seat(1, 2, True, None), Seat(2, 2, True, None)]
    sums = [ordered(1, 1, 100_000), ordered(2, 2, 300_000)]

    first, second = shares(FIRMS, seats, sums)

    assert (first.share, first.agreed, first.difference) == (Decimal("25.0"), Decimal("62.5"), Decimal("-37.5"))
    assert (second.share, second.agreed, second.difference) == (Decimal("75.0"), Decimal("37.5"), Decimal("37.5"))


def test_outcomes_are_told_apart_and_only_standing_orders_have_a_value() -> None:
    sums = [
        Sum(1, 1, OfferStatus.COMPLETED, 2, 500_000),
        Sum(1, 1, OfferStatus.FAILED_TO_START, 1, 250_000),
        Sum(1, 1, OfferStatus.DECLINED, 3, 700_000),
        Sum(1, 1, OfferStatus.EXPIRED, 1, 100_000),
        Sum(1, 1, OfferStatus.SENT, 1, 100_000),
    ]

    (share,) = shares(FIRMS, [Seat(1, 1, True, None)], sums)

    assert (share.offers, share.accepted, share.value_pence) == (8, 3, 500_000)
    assert share.count(OfferStatus.DECLINED) == 3
    assert plain_row(share, local_known=False) == (
        *("C1", "Contractor 1", 8, 3, 3, 1, 1, 0, 1),
        *("5000.00", Decimal("100.0"), Decimal("100.0"), Decimal("0.0"), "yes", ""),
    )
    assert len(CSV_HEADER) == len(plain_row(share, local_known=True))


def test_the_document_has_money_and_shares_as_decimal_strings() -> None:
    document = as_document(made(100_00, 300_00))

    assert (document["value"], document["local_percent"], document["basis"]) == ("400.00", None, {"Ramp": "equal"})
    second = document["members"][1]
    assert (second["value"], second["share_percent"], second["difference_points"]) == ("300.00", "75.0", "25.0")
    assert second["local"] is None


def test_without_orders_there_is_nothing_to_compare() -> None:
    first, second = shares(FIRMS, [Seat(1, 1, True, None), Seat(2, 2, True, None)], [])

    assert (first.share, first.agreed, first.difference, second.agreed) == (None, None, None, None)


def test_one_lot_shows_its_agreed_shares_even_without_orders() -> None:
    (share,) = shares(FIRMS, [Seat(1, 1, True, 2_500)], [])

    assert (share.share, share.agreed, share.difference) == (None, Decimal("25.0"), None)


def test_who_neither_is_active_nor_was_offered_anything_is_left_out() -> None:
    assert shares(FIRMS, [Seat(1, 1, False, None)], []) == []


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 3), st.integers(0, 10**9)), min_size=1, max_size=30))
def test_shares_and_equal_splits_both_come_to_the_whole(orders: list[tuple[int, int, int]]) -> None:
    sums = [ordered(contractor, lot, pence) for contractor, lot, pence in orders]
    seats = [Seat(contractor, lot, True, None) for contractor, lot in {(each[0], each[1]) for each in orders}]

    found = shares(FIRMS, seats, sums)

    assert sum(each.value_pence for each in found) == sum(pence for _, _, pence in orders)
    if any(pence for _, _, pence in orders):
        # Each is rounded to a tenth by itself.
        assert abs(sum(each.share or 0 for each in found) - 100) <= Decimal("0.05") * len(found)
        assert abs(sum(each.agreed or 0 for each in found) - 100) <= Decimal("0.05") * len(found)


# The query ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(app: Flask) -> Scene:
    """Three members: the first has two orders and declined one, the second has the declined one, the third nothing."""
    there = scene(members=3, capacity=9)
    there.accepted()
    there.accepted(lines={"SHOWER01": "1"})
    offer = there.offered(lines={"RAIL01": "10"})
    with transaction():
        services.decline_offer(
            offer.id, reason_code=DeclineReason.PRICE, reason="", by="a firm", now=NOW, nation=NATION
        )
    accept(open_offer(offer.job))
    look_again()
    return there


def framework_of(there: Scene) -> Framework:
    return db.session.get_one(Framework, there.lot.framework_id)


def test_a_frameworks_year_is_told_by_contractor(busy: Scene) -> None:
    seen = fair_share(framework_of(busy), last_year(TODAY))

    first, second, third = seen.shares
    assert (first.offers, first.accepted, first.value_pence) == (3, 2, 209_400 + 537_500)
    assert (second.offers, second.accepted, second.value_pence) == (1, 1, 42_500)
    assert (third.offers, third.share, third.agreed) == (0, Decimal("0.0"), Decimal("33.3"))
    assert seen.orders == 3
    assert seen.few
    assert seen.bases == {busy.lot.name: Basis.EQUAL}
    assert seen.local_pence is None
    assert seen.sme_share == Decimal("100.0")


def test_agreed_shares_are_those_of_the_last_day(busy: Scene) -> None:
    ids = [member.id for member in busy.members]
    with transaction():
        set_ranks(
            db.session.get_one(Lot, busy.lot.id),
            TODAY + timedelta(days=10),
            {ids[0]: RankWanted(1, 5_000), ids[1]: RankWanted(2, 5_000), ids[2]: RankWanted(3)},
            by=OFFICER,
            now=NOW,
        )
    look_again()
    framework = framework_of(busy)

    before = fair_share(framework, Period(TODAY, TODAY + timedelta(days=9)))
    after = fair_share(framework, Period(TODAY, TODAY + timedelta(days=10)))

    assert [each.agreed for each in before.shares] == [Decimal("33.3")] * 3
    assert [each.agreed for each in after.shares] == [Decimal("50.0"), Decimal("50.0"), Decimal("0.0")]
    assert after.bases == {busy.lot.name: Basis.AGREED}
    assert "agreed in the ranks" in after.basis_sentence


def test_offers_of_other_days_and_lots_do_not_count(busy: Scene) -> None:
    framework = framework_of(busy)

    assert fair_share(framework, Period(TODAY - timedelta(days=9), TODAY - timedelta(days=1))).value_pence == 0
    assert fair_share(framework, Period(TODAY, TODAY)).orders == 3
    assert fair_share(framework, Period(TODAY, TODAY), []).shares == ()


def test_a_day_is_the_day_in_the_united_kingdom(busy: Scene) -> None:
    # 23:30 in UTC on 4 May is the 5th in summer time.
    since, until = Period(date(2026, 5, 5), date(2026, 5, 5)).instants

    assert (since.isoformat(), until.isoformat()) == ("2026-05-04T23:00:00+00:00", "2026-05-05T23:00:00+00:00")


def test_the_year_before_a_leap_day_has_no_gap() -> None:
    assert last_year(date(2028, 2, 29)) == Period(date(2027, 3, 2), date(2028, 2, 29))
    assert last_year(date(2026, 5, 5)) == Period(date(2025, 5, 6), date(2026, 5, 5))


def test_local_firms_are_those_of_the_frameworks_areas(busy: Scene) -> None:
    with transaction():
        framework = framework_of(busy)
        framework.local_areas = "RG2 SG"
        db.session.get_one(Contractor, busy.members[1].contractor_id).postcode = "ZZ1 1AA"
    look_again()

    seen = fair_share(framework_of(busy), last_year(TODAY))

    assert [each.firm.local for each in seen.shares] == [True, False, True]
    assert seen.local_pence == 209_400 + 537_500


def test_who_left_keeps_its_orders_and_has_no_equal_share(busy: Scene) -> None:
    with transaction():
        change_standing(busy.members[0].id, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW, nation=NATION)
    look_again()

    first, second, _ = fair_share(framework_of(busy), last_year(TODAY)).shares

    assert (first.accepted, first.agreed, second.agreed) == (2, Decimal("0.0"), Decimal("50.0"))


def test_the_query_takes_six_statements_however_many_offers(busy: Scene, query_counter: AT_MOST) -> None:
    allocate(*[busy.job() for _ in range(12)])
    look_again()
    framework = framework_of(busy)

    with query_counter(6):
        fair_share(framework, last_year(TODAY))


# In words and pictures ------------------------------------------------------------------------------------------------


def made(*values: int, names: str = "Contractor") -> FairShare:
    firms = {number: replace(FIRMS[number], name=f"{names} {number}") for number in range(1, len(values) + 1)}
    seats = [Seat(number, 1, True, None) for number in firms]
    found = shares(firms, seats, [ordered(number, 1, pence) for number, pence in enumerate(values, 1) if pence])
    return FairShare(Period(TODAY, TODAY), tuple(found), {"Ramp": Basis.EQUAL}, len(values), sum(values), 0, None)


def test_the_picture_is_wellformed_and_says_what_it_shows() -> None:
    drawn = share_svg("Share of the work: Ramp", made(100, 300))
    svg = ET.fromstring(drawn)  # noqa: S314 - our own text

    assert svg.attrib["role"] == "img"
    assert [child.tag for child in svg][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert svg[0].text == "Share of the work: Ramp"
    assert svg[1].text == in_words(made(100, 300))
    assert "Contractor 2: 75.0 % of the value, equal split 50.0 %." in (svg[1].text or "")
    assert "C1 Contractor 1" in drawn


def test_the_same_shares_give_the_same_bytes() -> None:
    assert share_svg("A", made(100, 300, 20)) == share_svg("A", made(100, 300, 20))


def test_no_orders_are_a_picture_that_says_so() -> None:
    drawn = share_svg("A", made(0, 0))

    assert "No orders in this period" in drawn
    assert in_words(made(0)) == "There are no orders in this period, so there are no shares to draw."


@pytest.mark.parametrize("name", ["A & B <Ltd>", "$x^2$ Works", "A very long name of a firm that goes on and on"])
def test_any_name_can_be_drawn(name: str) -> None:
    ET.fromstring(share_svg(name, made(100, names=name)))  # noqa: S314 - our own text


def test_no_words_rank_anybody() -> None:
    text = f"{in_words(made(1, 2, 3))} {made(1, 2, 3).basis_sentence}".casefold()

    assert not any(word in text for word in ("best", "worst", "top", "poor", "winner", "over-", "under-"))
