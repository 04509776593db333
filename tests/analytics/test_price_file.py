"""Prices from files into a frame."""

from __future__ import annotations

import math

import pytest

from portal.analytics.price_file import parse_by, read_prices
from portal.kernel.errors import InputRefused
from portal.tables import Mapping

HEADER = "reference,authority,work_type,contractor,date,quantity,amount"


@pytest.fixture
def write(tmp_path):
    def write(*lines, header=HEADER, name="prices.csv"):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write


def test_the_usual_file_groups_by_work_type_and_authority(write):
    path = write("J-1,A,Stair lift,C01,2026-01-05,1,2094.00", 'J-2,B,Stair lift,C02,2026-01-06,2,"4,144.00"')

    prices = read_prices([path])

    assert [grouping.label for grouping in prices.by] == ["work_type", "authority"]
    assert prices.kind_columns == ("by_0",)
    assert list(prices.frame["price"]) == [209_400, 207_200]
    assert list(prices.frame["row"]) == [2, 3]
    assert (prices.read, prices.problems) == (2, [])


def test_without_an_authority_the_work_type_alone_groups(write):
    prices = read_prices([write("Ramp,900", header="work_type,amount")])

    assert [grouping.label for grouping in prices.by] == ["work_type"]


def test_any_column_of_the_file_can_group(write):
    path = write("Ramp,North,900", "Ramp,South,950", header="work_type,District team,amount")

    prices = read_prices([path], "work_type,District team")

    assert list(prices.frame["by_1"]) == ["North", "South"]


def test_a_column_asked_for_by_its_header_is_still_known_for_what_it_is(write):
    path = write("101,Firm 1,5", header="Pay Item,Bidder Name,Unit Price")

    prices = read_prices([path], "Pay Item,Bidder Name")

    assert [grouping.says_what for grouping in prices.by] == [True, False]
    assert list(prices.frame["contractor"]) == ["Firm 1"]
    assert list(prices.frame["price"]) == [500]


def test_years_quarters_and_months_come_from_the_date(write):
    path = write("J-1,A,Ramp,C01,2026-05-05,1,900.00", "J-2,A,Ramp,C01,31/12/2025,1,900.00")

    prices = read_prices([path], "work_type,year,quarter,month")

    assert list(prices.frame["by_1"]) == ["2026", "2025"]
    assert list(prices.frame["by_2"]) == ["2026 Q2", "2025 Q4"]
    assert list(prices.frame["by_3"]) == ["2026-05", "2025-12"]


def test_a_rate_is_compared_before_an_amount(write):
    path = write("Rail,10,5.25,52.50", header="work_type,quantity,rate,amount")

    prices = read_prices([path])

    assert list(prices.frame["price"]) == [525]
    assert prices.bases == {"prices.csv": "rate"}


def test_a_blank_quantity_means_one(write):
    path = write("J-1,A,Ramp,C01,2026-01-05,,900.00")

    assert list(read_prices([path]).frame["price"]) == [90_000]


def test_the_same_name_in_other_capitals_is_the_same_group(write):
    path = write("Stair lift,900", "stair  Lift,950", header="work_type,amount")

    assert list(read_prices([path]).frame["by_0"]) == ["Stair lift", "Stair lift"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("Ramp,$,1,1.00,1.00", "holds the place"), ("Ramp,m,1,0,0", "The price is 0"), ("Ramp,m,0,,5", "quantity is 0")],
)
def test_lines_without_a_real_price_are_set_aside_with_a_reason(write, line, reason):
    path = write(line, header="work_type,unit,quantity,rate,amount")

    frame = read_prices([path]).frame

    assert math.isnan(frame["price"].item())
    assert reason in frame["reason"].item()


def test_an_amount_that_does_not_follow_from_quantity_and_rate_is_said_with_its_row(write):
    path = write("Rail,10,5.25,525.00", header="work_type,quantity,rate,amount")

    (problem,) = read_prices([path]).problems

    assert (problem.row, problem.column) == (2, "amount")
    assert "10 × 5.25 is £52.50" in problem.message
    assert "10 times" in problem.message


def test_the_same_line_with_a_reference_counts_once(write):
    line = "J-1,A,Ramp,C01,2026-01-05,1,900.00"

    prices = read_prices([write(line, line)])

    assert prices.frame["price"].notna().sum() == 1
    assert "row 2 already" in prices.problems[0].message


def test_the_same_line_without_a_reference_is_said_and_counts(write):
    line = ",A,Ramp,C01,2026-01-05,1,900.00"

    prices = read_prices([write(line, line)])

    assert prices.frame["price"].notna().sum() == 2
    assert "both count" in prices.problems[0].message


def test_the_same_file_given_twice_counts_once(write):
    line = "J-1,A,Ramp,C01,2026-01-05,1,900.00"
    first, second = write(line), write(line, name="again.csv")

    prices = read_prices([first, second])

    assert len(prices.frame) == 1
    assert "same file as prices.csv" in prices.problems[0].message


def test_several_files_stand_in_one_frame_with_their_own_rows(write):
    first = write("J-1,A,Ramp,C01,2026-01-05,1,900.00")
    second = write("J-2,B,Ramp,C01,2026-01-05,1,950.00", name="second.csv")

    frame = read_prices([first, second]).frame

    assert list(zip(frame["file"], frame["row"], strict=True)) == [("prices.csv", 2), ("second.csv", 2)]


@pytest.mark.parametrize(("amount", "said"), [("-5.00", "-5.00"), ("TBC", "TBC"), ("", "no price")])
def test_a_row_that_cannot_be_read_is_a_problem_and_the_others_stand(write, amount, said):
    path = write(f"J-1,A,Ramp,C01,2026-01-05,1,{amount}", "J-2,A,Ramp,C01,2026-01-05,1,900.00")

    prices = read_prices([path])

    assert [problem.row for problem in prices.problems] == [2]
    assert said in prices.problems[0].message
    assert prices.read == 2
    assert prices.frame["price"].notna().sum() == 1


def test_a_row_that_names_no_group_is_set_aside_and_said(write):
    path = write("J-1,,Ramp,C01,2026-01-05,1,900.00", "J-2,A,Ramp,C01,2026-01-05,1,950.00")

    prices = read_prices([path])

    assert prices.frame["price"].notna().tolist() == [False, True]
    assert (prices.problems[0].row, prices.problems[0].column) == (2, "authority")


def test_a_map_names_columns_that_are_not_recognised(write, tmp_path):
    path = write("Ramp,900", header="Sort of thing,What we paid")
    map_file = tmp_path / "map.toml"
    map_file.write_text('work_type = "Sort of thing"\namount = "What we paid"\n', encoding="utf-8")

    prices = read_prices([path], mapping=Mapping.read(map_file))

    assert list(prices.frame["price"]) == [90_000]


@pytest.mark.parametrize(
    ("header", "by", "said"),
    [
        ("work_type,colour", None, "There is no price"),
        ("work_type,amount", "work_type,shade", "There is no column shade"),
        ("colour,amount", None, "says what was bought"),
        ("work_type,amount", "work_type,year", "There is no column year"),
    ],
)
def test_a_file_without_what_is_needed_is_refused_with_the_remedy(write, header, by, said):
    with pytest.raises(InputRefused) as refused:
        read_prices([write("Ramp,5", header=header)], by)

    assert any(said in problem.message for problem in refused.value.problems)


@pytest.mark.parametrize("by", ["", "a,,b", "work_type,Work Type", ",".join("abcdefghi")])
def test_senseless_grouping_is_refused(by):
    with pytest.raises(InputRefused):
        parse_by(by)


def test_no_file_at_all_is_refused():
    with pytest.raises(InputRefused):
        read_prices([])
