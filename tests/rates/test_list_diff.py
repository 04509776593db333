"""What a new list changes against an edition, and whether composites fit their parts: rules alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rates.price_lists.composites import composite_prices
from portal.rates.price_lists.diff import Differences, Kind, differences, share
from portal.rates.price_lists.shown import FIRST, PAGE, shown
from portal.rates.schedule_file import ItemRow


def item(code: str, rate: int = 10_000, **other: object) -> ItemRow:
    """An item with a rate in pence."""
    made = ItemRow(code, f"Item {code}", "", "Lifts", "nr", rate, None, False)
    return made._replace(**other)


def kinds(before: ItemRow, after: ItemRow) -> set[Kind]:
    """The kinds of the one change between two items."""
    (change,) = differences([before], [after]).changed
    return set(change.kinds)


def test_items_are_new_gone_dearer_cheaper_or_the_same() -> None:
    before = [item("A"), item("B"), item("C"), item("D")]
    after = [item("B", 12_000), item("C", 9_999), item("D"), item("E")]

    found = differences(before, after)

    assert [each.code for each in found.new] == ["E"]
    assert [each.code for each in found.gone] == ["A"]
    assert {each.code: (each.pence, each.share_bp) for each in found.changed} == {"B": (2_000, 2_000), "C": (-1, -1)}
    assert found.same == 1
    assert not found.nothing
    assert differences(before, before).nothing


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ({"rate_pence": 10_001}, Kind.UP),
        ({"rate_pence": 9_999}, Kind.DOWN),
        ({"unit": "m"}, Kind.UNIT),
        ({"description": "Another"}, Kind.DESCRIPTION),
        ({"long_description": "More of it"}, Kind.DESCRIPTION),
        ({"vat_bp": 0}, Kind.VAT),
        ({"composite": True}, Kind.PARTS),
        ({"parts": (("B", Decimal(1)),)}, Kind.PARTS),
        ({"trade": "Bathrooms"}, Kind.OTHER),
        ({"smv": Decimal(30)}, Kind.OTHER),
        ({"withdrawn_on": date(2026, 5, 1), "withdrawn_reason": "No longer made"}, Kind.OTHER),
    ],
)
def test_each_kind_of_change_is_told_apart(other: dict[str, object], kind: Kind) -> None:
    assert kinds(item("A"), item("A", **other)) == {kind}


def test_a_change_of_several_kinds_counts_in_each_of_them() -> None:
    found = differences([item("A")], [item("A", 5_000, unit="m", vat_bp=0)])

    assert found.changed[0].kinds == {Kind.DOWN, Kind.UNIT, Kind.VAT}
    assert {kind for kind, count in found.counts.items() if count} == {Kind.DOWN, Kind.UNIT, Kind.VAT}


def test_the_order_of_a_composites_parts_is_no_change() -> None:
    one, two = ("B", Decimal(1)), ("C", Decimal(2))

    found = differences([item("A", parts=(one, two))], [item("A", parts=(two, one))])

    assert found.nothing
    assert found.same == 1


def test_the_largest_changes_come_first_and_those_from_nothing_before_them() -> None:
    before = [item("A", 10_000), item("B", 100), item("C", 0), item("D", 1_000), item("E", 1_000)]
    after = [item("A", 11_000), item("B", 150), item("C", 5), item("D", 400), item("E", 1_600)]

    found = differences(before, after)

    assert [each.code for each in found.changes(Kind.UP)] == ["C", "E", "B", "A"]
    assert [each.code for each in found.largest] == ["C", "D", "E", "B", "A"]
    assert found.largest[0].share_bp is None


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 3, 3_333), (2, 3, 6_667), (1, 8, 1_250), (1, 80_000, 0), (1, 20_000, 1), (-1, 20_000, -1), (5, 0, None)],
)
def test_a_share_is_rounded_half_up_to_the_basis_point(part: int, whole: int, expected: int | None) -> None:
    assert share(part, whole) == expected


lists = st.dictionaries(st.sampled_from("ABCDEFGH"), st.integers(0, 500), max_size=8).map(
    lambda rates: [item(code, rate) for code, rate in rates.items()]
)


@given(lists, lists)
def test_the_changes_lead_from_the_one_list_to_the_other(before: list[ItemRow], after: list[ItemRow]) -> None:
    found = differences(before, after)

    made = {each.code: each for each in before}
    for gone in found.gone:
        del made[gone.code]
    made |= {each.code: each for each in found.new}
    made |= {change.code: change.after for change in found.changed}
    assert made == {each.code: each for each in after}
    assert found.same + len(found.changed) + len(found.new) == len(after)


# On a page ------------------------------------------------------------------------------------------------------------


def many(count: int) -> Differences:
    """So many new items, one of them dearer besides."""
    return differences([item("A")], [item("A", 20_000), *(item(f"N{number:04}") for number in range(count))])


def test_a_page_shows_the_first_of_each_kind_and_all_of_one_in_pages() -> None:
    found = many(PAGE + 3)

    every, one, second = shown(found, "", 1), shown(found, "new", 1), shown(found, "new", 2)

    assert [(kind, count) for kind, _, count in every.counts] == [(Kind.UP, 1), (Kind.NEW, PAGE + 3)]
    assert [len(table.rows) for table in every.tables] == [1, FIRST]
    assert (len(one.tables[0].rows), one.pages) == (PAGE, 2)
    assert [each.code for each in second.tables[0].rows] == ["N0050", "N0051", "N0052"]


@pytest.mark.parametrize(("asked", "page"), [("gone", 1), ("no such kind", 1), ("new", 999)])
def test_a_kind_or_page_that_is_not_there_shows_what_is(asked: str, page: int) -> None:
    found = shown(many(3), asked, page)

    assert found.page == 1
    assert found.tables


# Composites -----------------------------------------------------------------------------------------------------------


def test_a_composite_stands_beside_the_sum_of_its_parts_each_rounded_once() -> None:
    whole = item("W", 1_000, parts=(("P", Decimal("0.5")), ("Q", Decimal("2"))))

    (price,) = composite_prices([whole], {"P": 333, "Q": 400})

    # 166.5 pence is 167; with 800 it makes 967.
    assert (price.sum_pence, price.difference_pence, price.difference_bp, price.look) == (967, 33, 341, False)


def test_differences_beyond_ten_per_cent_come_first_whichever_way_they_go() -> None:
    one = (("P", Decimal(1)),)
    wholes = [item("EVEN", 1_000, parts=one), item("TEN", 1_100, parts=one), item("OVER", 1_101, parts=one)]
    wholes += [item("UNDER", 500, parts=one), item("NONE", 1_000)]

    prices = composite_prices(wholes, {"P": 1_000})

    assert [(each.code, each.look) for each in prices] == [
        ("UNDER", True),
        ("OVER", True),
        ("TEN", False),
        ("EVEN", False),
    ]


def test_parts_that_cost_nothing_are_worth_a_look_when_the_whole_costs_something() -> None:
    parts = (("P", Decimal(3)),)

    something, nothing = composite_prices([item("A", 1, parts=parts), item("B", 0, parts=parts)], {"P": 0})

    assert (something.code, something.difference_bp, something.look) == ("A", None, True)
    assert (nothing.code, nothing.look) == ("B", False)
