"""The transport department's lettings, one row per bidder and pay item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from portal.analytics.document import benchmark_files

BIDS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "bids"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not BIDS.is_dir(), reason=f"the real bid files are missing: {BIDS} is not there"),
]


@pytest.fixture(scope="module")
def rows():
    header, *rows = CalamineWorkbook.from_path(BIDS / "indot_2024-03-20.xls").get_sheet_by_index(0).to_python()
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture(scope="module", params=["Pay Item", None])
def document(request):
    result = benchmark_files([BIDS / "indot_2024-03-20.xls"], request.param)
    return json.loads(json.dumps(result.as_document(), allow_nan=False))


def test_every_row_is_read_and_placeholders_of_one_dollar_are_set_aside(document, rows):
    placeholders = [at for at, row in enumerate(rows, 2) if row["Unit"] == "$" and row["Unit Price"] == 1]

    assert document["counts"]["read"] == len(rows) == 445
    assert [line["row"] for line in document["lines"] if line["status"] == "set-aside"] == placeholders
    assert document["counts"]["set_aside"] == len(placeholders) == 60


def test_the_unit_price_is_compared_by_pay_item(document, rows):
    by_item = {}
    for row in rows:
        if row["Unit"] != "$":
            by_item.setdefault(row["Pay Item"], []).append(row["Unit Price"])

    groups = {next(iter(group["by"].values())): group for group in document["groups"]}

    assert set(groups) == set(by_item)
    for item, prices in by_item.items():
        assert groups[item]["n"] == len(prices)
        assert float(groups[item]["minimum"]) == pytest.approx(min(prices), abs=0.005)
        assert float(groups[item]["mean"]) == pytest.approx(sum(prices) / len(prices), abs=0.006)


def test_small_groups_say_nothing_and_penny_bids_are_flagged(document):
    for line in document["lines"]:
        if line["status"] not in {"set-aside", "too-few"}:
            assert line["n"] >= 5
        if line["status"] == "too-few":
            assert line["n"] < 5
    flagged = {line["row"] for line in document["lines"] if line["status"] == "outside"}
    # Asphalt for tack coat at one cent, where others ask about 540 dollars.
    assert {98, 263} <= flagged


def test_repeated_rows_are_said():
    document = benchmark_files([BIDS / "indot_2023-04-05.xls"], "Pay Item").as_document()

    assert [(problem["row"], "row 11" in problem["message"]) for problem in document["problems"]] == [(12, True)]
    assert document["counts"]["used"] == 22


def test_bidders_can_be_compared_within_a_pay_item(rows):
    document = benchmark_files([BIDS / "indot_2024-03-20.xls"], "Pay Item, Bidder Name").as_document()

    assert {tuple(group["by"]) for group in document["groups"]} == {("Pay Item", "Bidder Name")}
    assert document["method"]["kind"] == ["Pay Item"]
