"""The JSON document of a benchmark, and its sentences."""

from __future__ import annotations

import json

import pytest
from prices_made import hertfordshire_jobs

from portal.analytics.document import benchmark_files, times, whole_pence

BLAME = ("overcharg", "excessive", "suspicious", "fraud", "rip", "too expensive", "cheat")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("prices") / "herts.csv"
    rows = ["reference,authority,work_type,contractor,date,quantity,amount"]
    jobs = hertfordshire_jobs()
    rows += [f"J-{at:04d},{job.authority},{job.work_type},C01,2025-05-01,1,{job.price:.2f}" for at, job in
             enumerate(jobs.itertuples(), 1)]  # fmt: skip
    rows += ["J-9001,A,Ramp,C01,2025-05-01,1,800.00", "J-9002,A,Stair lift,C01,2025-05-01,1,0.00",
             "J-9003,A,Stair lift,C01,2025-05-01,1,TBC"]  # fmt: skip
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return benchmark_files([path])


@pytest.fixture(scope="module")
def document(result):
    return json.loads(json.dumps(result.as_document(), allow_nan=False))


def test_the_document_has_the_promised_parts(document):
    assert set(document) == {"method", "groups", "lines", "problems", "counts"}
    assert {"by", "n", "median", "mean", "minimum", "maximum", "lower_quartile", "upper_quartile", "median_interval",
            "index", "status"} <= set(document["groups"][0])  # fmt: skip
    assert {"file", "row", "reference", "status", "ratio", "z", "n", "median", "reason"} <= set(document["lines"][0])
    assert {"file", "row", "column", "message"} <= set(document["problems"][0])


def test_money_is_a_decimal_string_in_pounds(document):
    group = next(each for each in document["groups"] if each["by"] == {"work_type": "Stair lift", "authority": "D"})

    assert group["median"] == "4058.00"
    assert all(isinstance(amount, str) for amount in group["median_interval"])
    assert (group["index"], group["status"]) == (1.926, "outside")


def test_every_threshold_used_is_named(document):
    used = document["method"]

    assert (used["flag_z"], used["outside_z"], used["review_ratio"], used["minimum_n"]) == (3.0, 3.5, 1.5, 5)
    assert used["by"] == ["work_type", "authority"]
    assert used["kind"] == ["work_type"]


def test_the_counts_add_up(document):
    counts = document["counts"]

    assert counts["read"] == 249 == len(document["lines"]) + 1
    assert counts["set_aside"] == 1
    assert counts["problems"] == len(document["problems"]) == 1
    assert counts["used"] == len(document["lines"]) - counts["set_aside"]
    assert sum(counts[status] for status in ("usual", "review", "outside", "too-few")) == counts["used"]


def test_too_few_says_so_and_scores_nothing(document):
    (line,) = [line for line in document["lines"] if line["status"] == "too-few"]

    assert (line["reference"], line["z"], line["n"], line["median"]) == ("J-9001", None, 1, "800.00")
    assert "at least 5 are needed" in line["reason"]
    group = next(each for each in document["groups"] if each["by"]["work_type"] == "Ramp")
    assert (group["status"], group["median_interval"]) == ("too-few", None)


def test_a_line_set_aside_says_why_and_keeps_its_price(document):
    (line,) = [line for line in document["lines"] if line["status"] == "set-aside"]

    assert (line["price"], line["median"], line["ratio"], line["z"]) == ("0.00", None, None, None)
    assert "The price is 0" in line["reason"]


def test_a_flag_names_peers_number_median_ratio_and_threshold(document):
    line = next(line for line in document["lines"] if line["price"] == "13721.00")

    assert line["status"] == "outside"
    beginning = "£13,721.00 is 2.42 times the median of £5,677.00 of 25 prices (Level-access shower, B)"
    assert line["reason"].startswith(beginning)
    assert "outside the usual range, for review" in line["reason"]
    assert "3.5" in line["reason"]


def test_nothing_in_the_document_blames_anybody(document):
    text = json.dumps(document).casefold()

    assert not [word for word in BLAME if f" {word}" in text]


def test_a_problem_says_where_it_is(document):
    (problem,) = document["problems"]

    assert problem["file"] == "herts.csv"
    assert problem["row"] == 250
    assert problem["column"] == "amount"


@pytest.mark.parametrize(
    ("pence", "whole"), [(209_400.0, 209_400), (209_400.5, 209_401), (0.4, 0), (float("nan"), None)]
)
def test_pence_are_rounded_half_up(pence, whole):
    assert whole_pence(pence) == whole


@pytest.mark.parametrize(
    ("ratio", "words"), [(1.4234, "1.42 times"), (0.0185, "0.018 times"), (0.00002, "less than 0.001 times")]
)
def test_ratios_are_said_with_digits_that_tell_something(ratio, words):
    assert times(ratio) == words
