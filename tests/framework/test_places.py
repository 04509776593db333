"""Postcode districts: read from a list, brought in all or nothing, and how far a firm is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from builders import NOW, OFFICER
from flask import Flask

from portal.framework.listing.places import (
    ImportedPlaces,
    district_in,
    import_places,
    miles_from,
    positions,
    read_places,
)
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused
from portal.tables import write_xlsx

GOOD = [("RG1", "51.4543", "-0.9781"), ("rg2", "51.4200", "-0.9600"), ("AL1", "51.7500", "-0.3300")]


def a_list(folder: Path, rows: list[tuple[str, ...]] = GOOD, header: str = "district,latitude,longitude") -> Path:
    path = folder / "districts.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def bring_in(path: Path) -> ImportedPlaces:
    with transaction():
        return import_places(read_places(path), by=OFFICER, now=NOW)


def test_a_list_is_brought_in_and_brought_in_again(app: Flask, tmp_path: Path) -> None:
    assert bring_in(a_list(tmp_path)) == ImportedPlaces(3, 3, 0)
    assert positions()["RG2"] == (51.42, -0.96)

    again = [("RG1", "51.4543", "-0.9781"), ("RG2", "51.5", "-0.96"), ("SG5", "51.96", "-0.28")]
    assert bring_in(a_list(tmp_path, again)) == ImportedPlaces(3, 1, 1)

    assert positions(["RG2", "AL1"]) == {"RG2": (51.5, -0.96), "AL1": (51.75, -0.33)}
    event = db.session.query(AuditEvent).order_by(AuditEvent.id.desc()).first()
    assert event is not None
    assert (event.action, event.data["file"]) == ("places imported", "districts.csv")


def test_a_workbook_and_other_headers_are_read(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "districts.xlsx"
    write_xlsx(path, ["Postcode", "Lat", "Long"], [["RG1", 51.4543, -0.9781], ["AL1", Decimal("51.75"), -0.33]])

    assert bring_in(path).added == 2
    assert positions()["RG1"] == (51.4543, -0.9781)


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (("RG1", "51.4", "-0.9"), "district", "RG1 stands in row 2 already"),
        (("rg1 ", "51.4", "-0.9"), "district", "RG1 stands in row 2 already"),
        (("nowhere", "51.4", "-0.9"), "district", "“nowhere” is not a postcode district"),
        (("123", "51.4", "-0.9"), "district", "“123” is not a postcode district"),
        (("", "51.4", "-0.9"), "district", ""),
        (("RG9", "-0.97", "51.45"), "latitude", "49"),
        (("RG9", "51.45", "51.45"), "longitude", "2.5"),
        (("RG9", "north", "-0.9"), "latitude", "north"),
        (("RG9", "", "-0.9"), "latitude", ""),
    ],
)
def test_a_row_that_cannot_be_refuses_the_whole_list(
    app: Flask, tmp_path: Path, row: tuple[str, ...], column: str, words: str
) -> None:
    path = a_list(tmp_path, [*GOOD, row])

    with pytest.raises(InputRefused) as refused:
        bring_in(path)

    problem = refused.value.problems[0]
    assert (problem.row, problem.column) == (5, column)
    assert words in problem.message
    assert positions() == {}


def test_a_list_without_its_columns_or_rows_is_refused(app: Flask, tmp_path: Path) -> None:
    for text in ("district,latitude\nRG1,51.4\n", "district,latitude,longitude\n", ""):
        path = tmp_path / "odd.csv"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputRefused):
            bring_in(path)
    assert positions() == {}


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("RG1 2AB", "RG1"),
        ("rg12ab", "RG1"),
        ("RG1", "RG1"),
        ("SW1A 1AA", "SW1A"),
        ("m1", "M1"),
        ("W1A", "W1A"),
        ("", None),
        ("RG", None),
        ("Reading", None),
        ("RG1 2AB; DROP", "RG1"),
    ],
)
def test_the_district_of_what_people_write(text: str, district: str | None) -> None:
    assert district_in(text) == district


def test_distance_is_measured_where_both_ends_are_known(app: Flask, tmp_path: Path) -> None:
    bring_in(a_list(tmp_path))

    miles = miles_from("RG1", ["RG1 2AB", "RG2 0AA", "AL1 1AA", "ZE1 0AA", ""])

    assert miles is not None
    assert {postcode: round(far) for postcode, far in miles.items()} == {"RG1 2AB": 0, "RG2 0AA": 2, "AL1 1AA": 35}
    assert miles_from("ZE1", ["RG1 2AB"]) is None
