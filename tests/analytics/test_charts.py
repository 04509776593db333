"""The pictures of prices."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from portal.analytics.charts import MOST_GROUPS, ChartGroup, describe, distribution_png, distribution_svg

SVG = "{http://www.w3.org/2000/svg}"


def group(name="A", count=20, apart=False, flagged=(), highest=3000.0):
    prices = np.linspace(200_000, highest * 100, count)
    statuses = ["usual"] * count
    for at, status in flagged:
        statuses[at] = status
    return ChartGroup(name, prices, statuses, float(np.median(prices)), (210_000, 280_000), (220_000, 270_000), apart)


def test_the_picture_is_wellformed_and_has_a_title_and_a_description_first():
    svg = ET.fromstring(distribution_svg("Stair lift", [group()]))  # noqa: S314 - our own text

    assert svg.attrib["role"] == "img"
    assert [child.tag for child in svg][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert svg[0].text == "Prices: Stair lift"
    assert "A: 20 prices, median £2,500 (95 % interval £2,200 to £2,700), none for review." in (svg[1].text or "")


def test_text_stays_text():
    svg = distribution_svg("Stair lift", [group()])

    assert "A (n = 20)" in svg
    assert "£2,000" in svg


def test_the_same_prices_give_the_same_bytes():
    groups = [group(), group("B", flagged=[(3, "review"), (19, "outside")])]

    assert distribution_svg("Ramp", groups) == distribution_svg("Ramp", groups)
    assert distribution_png("Ramp", groups) == distribution_png("Ramp", groups)


def test_flags_differ_by_shape_and_are_in_the_legend_only_when_there():
    plain = distribution_svg("Ramp", [group()])
    flagged = distribution_svg("Ramp", [group(flagged=[(3, "review"), (19, "outside")])])

    assert "for review" not in plain.split("</desc>")[1]
    assert "outside the usual range, for review" in flagged.split("</desc>")[1]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a & b", "costs $5 and $6", 'with "quotes"'])
def test_names_from_files_are_only_ever_text(name):
    svg = distribution_svg(name, [group(name)])

    assert "<script>" not in svg
    assert name in "".join(ET.fromstring(svg).itertext())  # noqa: S314


def test_a_wide_range_of_prices_and_a_single_price_can_be_drawn():
    wide = group(highest=90_000.0)
    single = ChartGroup("S", np.array([100.0]), ["too-few"], 100.0, (100.0, 100.0), None, False)

    assert "too few to compare" in distribution_svg("Rail", [wide, single])


def test_groups_beyond_the_picture_are_said():
    text = describe("Ramp", [group(str(at)) for at in range(MOST_GROUPS + 1)])

    assert f"in {MOST_GROUPS + 1} groups" in text
    assert f"The first {MOST_GROUPS} groups are drawn." in text


def test_a_group_that_stands_apart_is_said_in_the_description():
    assert "stands apart from the other groups" in describe("Ramp", [group(apart=True)])


def test_a_large_group_is_thinned_but_never_its_flags():
    many = group(count=50_000, flagged=[(49_999, "outside")])

    svg = distribution_svg("Ramp", [many])

    assert len(svg) < 400_000
    assert "an even selection is drawn, and every flag" in svg
