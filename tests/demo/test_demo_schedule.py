"""The invented adaptations schedule: what a council would expect to find in it, and that it adds up."""

from __future__ import annotations

import csv
import re
from decimal import Decimal

import pytest

from portal.demo import SCHEDULE_FILE
from portal.rates.schedule_file import read_schedule

HEADERS = ["code", "description", "long_description", "trade", "unit", "rate", "smv", "composite", "components", "vat"]
UNITS = {"nr", "m", "m2", "hr"}
FAMILIES = {
    "SUR",
    "STL",
    "LAS",
    "RMP",
    "RAL",
    "DOR",
    "HOI",
    "KIT",
    "WCB",
    "TFL",
    "SLF",
    "ACC",
    "EXT",
    "ELE",
    "PLU",
    "PLA",
    "FLO",
    "DEC",
    "ASB",
    "FEE",
    "PRE",
}

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with SCHEDULE_FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def by_code(rows: list[Row]) -> dict[str, Row]:
    return {row["code"]: row for row in rows}


def parts_of(row: Row) -> list[tuple[str, Decimal]]:
    pairs = [part.split("*") for part in row["components"].split(";")]
    return [(code, Decimal(quantity)) for code, quantity in pairs]


def test_the_headers_are_those_of_the_interface() -> None:
    with SCHEDULE_FILE.open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == HEADERS


def test_there_are_about_150_items(rows: list[Row]) -> None:
    assert 140 <= len(rows) <= 175


def test_no_code_and_no_description_stands_twice(rows: list[Row]) -> None:
    assert len({row["code"] for row in rows}) == len(rows)
    assert len({row["description"].casefold() for row in rows}) == len(rows)


def test_every_code_belongs_to_a_known_family_and_every_family_has_an_item(rows: list[Row]) -> None:
    assert all(re.fullmatch(r"[A-Z]{3}-\d{3}", row["code"]) for row in rows)
    assert {row["code"][:3] for row in rows} == FAMILIES


def test_rates_are_positive_pounds_and_pence_and_units_are_known(rows: list[Row]) -> None:
    for row in rows:
        assert re.fullmatch(r"\d+\.\d\d", row["rate"]), row["code"]
        assert Decimal(row["rate"]) > 0, row["code"]
        assert row["unit"] in UNITS, row["code"]
        assert re.fullmatch(r"\d+", row["smv"]), row["code"]


def test_every_item_says_what_it_is_and_how_it_is_measured(rows: list[Row]) -> None:
    for row in rows:
        assert row["description"], row["code"]
        assert row["trade"], row["code"]
        assert re.search(r"(Measured|Added once) .+\.$", row["long_description"]), row["code"]


def test_no_cell_would_run_as_a_formula_in_a_spreadsheet(rows: list[Row]) -> None:
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")]


def test_only_composites_have_components_and_these_are_plain_items_each_once(
    rows: list[Row], by_code: dict[str, Row]
) -> None:
    for row in rows:
        assert (row["composite"] == "yes") == bool(row["components"]), row["code"]
        if row["composite"] == "yes":
            codes = [code for code, _ in parts_of(row)]
            assert len(set(codes)) == len(codes), row["code"]
            assert {by_code[code]["composite"] for code in codes} == {"no"}, row["code"]


def test_a_composite_costs_within_a_tenth_of_its_parts(rows: list[Row], by_code: dict[str, Row]) -> None:
    composites = [row for row in rows if row["composite"] == "yes"]
    assert len(composites) >= 20
    for row in composites:
        parts = sum(Decimal(by_code[code]["rate"]) * quantity for code, quantity in parts_of(row))
        assert Decimal("0.9") <= Decimal(row["rate"]) / parts <= Decimal("1.1"), row["code"]


def test_a_composite_takes_as_long_as_its_parts(rows: list[Row], by_code: dict[str, Row]) -> None:
    for row in rows:
        if row["composite"] == "yes":
            parts = sum(Decimal(by_code[code]["smv"]) * quantity for code, quantity in parts_of(row))
            assert abs(Decimal(row["smv"]) - parts) < 1, row["code"]


def test_parts_counted_singly_have_whole_quantities(rows: list[Row], by_code: dict[str, Row]) -> None:
    for row in rows:
        if row["composite"] == "yes":
            broken = [
                code
                for code, quantity in parts_of(row)
                if by_code[code]["unit"] == "nr" and quantity != quantity.to_integral_value()
            ]
            assert broken == [], row["code"]


def test_the_survey_that_a_contractor_does_for_an_officer_is_there(by_code: dict[str, Row]) -> None:
    assert by_code["SUR-001"]["description"].startswith("Technical survey")


@pytest.mark.parametrize(("code", "least", "most"), [("STL-001", 1_600, 2_400), ("LAS-001", 4_100, 5_700)])
def test_the_commonest_composites_cost_what_the_county_pays(
    by_code: dict[str, Row], code: str, least: int, most: int
) -> None:
    assert least <= Decimal(by_code[code]["rate"]) <= most


def test_it_reads_as_a_schedule_file_without_a_problem(rows: list[Row]) -> None:
    reading = read_schedule(SCHEDULE_FILE)
    assert reading.problems == []
    assert [record[1] for record in reading.records] == [row["code"] for row in rows]
