"""The invented contractor list, for any seed and any day."""

from __future__ import annotations

import csv
import random
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.demo.contractors import COLUMNS, DOCUMENT_KINDS, FIRMS, contractor_rows, members_of
from portal.demo.county import AUTHORITIES, WorkType
from portal.framework.members.contractor_file import read_contractors

TODAY = date(2026, 5, 5)

any_seed = given(seed=st.integers(0, 2**32), today=st.dates(date(2024, 1, 1), date(2035, 12, 31)))
few_examples = settings(max_examples=30, deadline=None)


def rows_for(seed: int, today: date = TODAY) -> list[dict[str, str]]:
    return contractor_rows(random.Random(seed), today)


def test_the_same_seed_and_day_give_the_same_list() -> None:
    assert rows_for(7) == rows_for(7)
    assert rows_for(7) != rows_for(8)


def test_there_are_twenty_firms_of_which_most_are_small() -> None:
    small = {row["code"]: row["sme"] for row in rows_for(1)}
    assert len(small) == 20
    assert Counter(small.values()) == {"yes": 17, "no": 3}


@few_examples
@any_seed
def test_a_rank_is_never_given_twice_in_a_lot_and_area(seed: int, today: date) -> None:
    given_ranks = Counter(
        (lot, area, row["rank"])
        for row in rows_for(seed, today)
        for lot in row["lots"].split(";")
        for area in row["areas"].split(";")
    )
    assert set(given_ranks.values()) == {1}


@few_examples
@any_seed
def test_every_lot_has_at_least_four_members_in_every_area_whose_documents_hold(seed: int, today: date) -> None:
    good_until = (today + timedelta(days=60)).isoformat()
    members: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows_for(seed, today):
        if all(row[f"document:{kind}"] >= good_until for kind in DOCUMENT_KINDS):
            for lot in row["lots"].split(";"):
                for area in row["areas"].split(";"):
                    members[lot, area].add(row["code"])
    assert min(len(members[lot, area]) for lot in WorkType for area in AUTHORITIES) >= 4


@few_examples
@any_seed
def test_adjustments_and_capacities_stay_in_their_ranges(seed: int, today: date) -> None:
    for row in rows_for(seed, today):
        assert Decimal("-6") <= Decimal(row["adjustment_percent"]) <= Decimal("7.5")
        assert 2 <= int(row["capacity"]) <= 12


def test_adjustments_are_mixed() -> None:
    adjustments = [Decimal(row["adjustment_percent"]) for row in rows_for(1)]
    assert min(adjustments) < 0 < max(adjustments)
    assert len(set(adjustments)) > 10


@few_examples
@any_seed
def test_some_documents_have_expired_end_soon_or_are_missing(seed: int, today: date) -> None:
    dates = {(row["code"], kind): row[f"document:{kind}"] for row in rows_for(seed, today) for kind in DOCUMENT_KINDS}
    soon = (today + timedelta(days=30)).isoformat()
    assert [key for key, day in dates.items() if not day] == [("C20", "electrical")]
    assert [key for key, day in dates.items() if day and day < today.isoformat()] == [("C15", "public-liability")]
    assert [key for key, day in dates.items() if today.isoformat() <= day <= soon] == [
        ("C11", "employers-liability"),
        ("C19", "electrical"),
    ]


def test_addresses_telephone_numbers_and_postcodes_can_reach_nobody() -> None:
    for row in rows_for(1):
        assert row["email"].endswith(".example")
        assert re.fullmatch(r"01632 960\d{3}|07700 900\d{3}", row["phone"])
        assert re.fullmatch(r"ZZ\d{1,2} \d[A-Z]{2}", row["postcode"])


def test_who_serves_a_lot_in_an_area_agrees_with_the_list() -> None:
    listed: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows_for(3):
        for lot in row["lots"].split(";"):
            for area in row["areas"].split(";"):
                listed[lot, area].add(row["code"])
    for lot in WorkType:
        for area in AUTHORITIES:
            assert set(members_of(lot, area)) == listed[lot, area]


def test_the_list_reads_as_a_contractors_file_without_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "contractors.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows_for(1))

    reading = read_contractors(path)

    assert reading.problems == []
    assert {row.code for row in reading.rows} == {firm.code for firm in FIRMS}
    assert set(reading.document_kinds) == set(DOCUMENT_KINDS)
