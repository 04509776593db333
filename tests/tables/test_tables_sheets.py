"""Reading workbooks: values, and what values alone do not say."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from portal.kernel.errors import InputRefused, Problem
from portal.tables import Field, Mapping, Reading, read_records

FIELDS = (Field("code", "text"), Field("rate", "money"))
Fill = Callable[[Workbook], None]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Reading]:
    def read_workbook(
        fill: Fill, fields: tuple[Field, ...] = FIELDS, mapping: str = "", table: str | None = None
    ) -> Reading:
        workbook = Workbook()
        fill(workbook)
        path = tmp_path / "list.xlsx"
        workbook.save(path)
        (tmp_path / "map.toml").write_text(mapping, encoding="utf-8")
        return read_records(path, fields, Mapping.read(tmp_path / "map.toml"), table=table)

    return read_workbook


def rows(*lines: tuple[object, ...]) -> Fill:
    def fill(workbook: Workbook) -> None:
        for line in lines:
            workbook.worksheets[0].append(line)

    return fill


def sheets(**tables: list[tuple[object, ...]]) -> Fill:
    def fill(workbook: Workbook) -> None:
        workbook.remove(workbook.worksheets[0])
        for name, lines in tables.items():
            sheet = workbook.create_sheet(name)
            for line in lines:
                sheet.append(line)

    return fill


def refused(call: Callable[..., Reading], *arguments: object, **named: object) -> Problem:
    with pytest.raises(InputRefused) as refusal:
        call(*arguments, **named)
    (problem,) = refusal.value.problems
    return problem


def test_numbers_texts_dates_and_flags_of_a_sheet_are_read_exactly(read: Callable[..., Reading]) -> None:
    fields = (*FIELDS, Field("from", "date"), Field("sme", "flag"), Field("note", "text"))
    reading = read(
        rows(
            ("code", "rate", "from", "sme", "note"),
            (7, 70.44, date(2026, 5, 31), True, 2.5),
            ("A", "£1,234.50", datetime.combine(date(2026, 5, 1), time()), "no", "x"),
        ),
        fields,
    )
    assert reading.records == [
        (2, "7", 7044, date(2026, 5, 31), True, "2.5"),
        (3, "A", 123450, date(2026, 5, 1), False, "x"),
    ]
    assert reading.sheet == "Sheet"


def test_rows_are_the_sheets_own_even_below_titles_and_gaps(read: Callable[..., Reading]) -> None:
    def fill(workbook: Workbook) -> None:
        sheet = workbook.worksheets[0]
        sheet["C3"], sheet["D3"], sheet["C7"], sheet["D7"] = "code", "rate", "A", 1.5

    assert read(fill).records == [(7, "A", 150)]


def test_a_formula_in_a_wanted_column_is_a_problem_and_elsewhere_not(read: Callable[..., Reading]) -> None:
    reading = read(rows(("code", "rate", "note"), ("A", 1.5, "=1+1"), ("B", "=1+1", "x"), ("C", 2.5, "x")))
    (problem,) = reading.problems
    assert (problem.row, problem.column, problem.sheet) == (3, "rate", "Sheet")
    assert "paste it as values" in problem.message
    assert [record[0] for record in reading.records] == [2, 4]


def test_an_array_formula_is_found_in_every_cell_that_it_fills(read: Callable[..., Reading]) -> None:
    def fill(workbook: Workbook) -> None:
        rows(("code", "rate"), ("A", 1), ("B", 2), ("C", 3))(workbook)
        workbook.worksheets[0]["B3"] = ArrayFormula("B3:B4", "=A1:A2")

    assert [problem.row for problem in read(fill).problems] == [3, 4]


def test_a_formula_in_a_total_row_does_not_matter(read: Callable[..., Reading]) -> None:
    reading = read(rows(("code", "note", "rate"), ("A", "x", 1.5), (None, "Total", "=SUM(C2:C2)")))
    assert (reading.problems, reading.set_aside) == ([], [(3, "The row is a total, not an item.")])


def test_an_error_value_is_a_problem_even_in_an_optional_column(read: Callable[..., Reading]) -> None:
    def fill(workbook: Workbook) -> None:
        rows(("code", "rate"), ("A", 1.5))(workbook)
        cell = workbook.worksheets[0]["B2"]
        cell.value, cell.data_type = "#REF!", "e"

    (problem,) = read(fill, (FIELDS[0], Field("rate", "money", required=False))).problems
    assert (problem.row, problem.column) == (2, "rate")
    assert '"#REF!" is an error of the spreadsheet' in problem.message


def test_a_percentage_is_read_as_it_is_shown(read: Callable[..., Reading]) -> None:
    def fill(workbook: Workbook) -> None:
        rows(("code", "percent"), ("A", -0.025), ("B", 0.05), ("C", 5), ("D", "5%"))(workbook)
        workbook.worksheets[0]["B2"].number_format = "0.0%"
        workbook.worksheets[0]["B3"].number_format = '"plus "0.00%'

    reading = read(fill, (FIELDS[0], Field("percent", "percent")))
    assert [record[2] for record in reading.records] == [-250, 500, 500, 500]


def test_a_typed_number_and_a_spreadsheet_number_that_look_alike_are_kept_apart(read: Callable[..., Reading]) -> None:
    fields = (FIELDS[0], Field("quantity", "decimal"))
    reading = read(rows(("code", "quantity"), ("A", "1.234"), ("B", 1.234), ("C", "1,5")), fields)
    assert [str(record[2]) for record in reading.records] == ["1234", "1.234", "1.5"]


GOOD = [("code", "rate"), ("A", 1.5)]


def test_the_sheet_whose_header_fits_is_read(read: Callable[..., Reading]) -> None:
    reading = read(sheets(Notes=[("Prices of May",)], Prices=GOOD, Codes=[("code",), ("A",)]))
    assert (reading.sheet, len(reading.records)) == ("Prices", 1)


def test_two_sheets_that_fit_are_refused_until_one_is_named(read: Callable[..., Reading]) -> None:
    fill = sheets(May=GOOD, June=[("code", "rate"), ("B", 2.5)])
    problem = refused(read, fill)
    assert "2 sheets have the wanted columns: May, June" in problem.message
    assert 'sheet = "May"' in problem.message
    assert read(fill, mapping='[options]\nsheet = "June"').records == [(2, "B", 250)]
    assert read(fill, table="June").records == [(2, "B", 250)]


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(read: Callable[..., Reading]) -> None:
    assert "the sheets are May" in refused(read, sheets(May=GOOD), table="June").message


def test_a_hidden_sheet_is_not_read_unless_named(read: Callable[..., Reading]) -> None:
    def fill(workbook: Workbook) -> None:
        sheets(May=GOOD, Old=GOOD)(workbook)
        workbook["Old"].sheet_state = "hidden"

    assert read(fill).sheet == "May"
    assert read(fill, table="Old").sheet == "Old"


def test_a_missing_column_is_named_with_its_sheet_and_row(read: Callable[..., Reading]) -> None:
    problem = refused(read, sheets(May=[("Prices",), ("code", "cost each"), ("A", 1)]))
    assert (problem.sheet, problem.row, problem.column) == ("May", 2, "rate")


def test_an_empty_workbook_is_refused(read: Callable[..., Reading]) -> None:
    assert "holds no rows" in refused(read, rows()).message


def test_a_sheet_with_one_cell_far_out_is_refused_before_it_fills_the_memory(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    def fill(workbook: Workbook) -> None:
        rows(*GOOD)(workbook)
        workbook.worksheets[0]["XFD1048576"] = "x"

    assert "reaches over millions of cells" in refused(read, fill).message


def test_a_workbook_whose_xml_declares_entities_is_refused(tmp_path: Path) -> None:
    workbook = Workbook()
    rows(*GOOD, ("B", "=1+1"))(workbook)
    buffer = BytesIO()
    workbook.save(buffer)
    path = tmp_path / "entities.xlsx"
    with zipfile.ZipFile(buffer) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "xl/styles.xml":
                content = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + content
            after.writestr(name, content)
    assert "declares entities" in refused(read_records, path, FIELDS).message


def test_a_workbook_is_known_by_its_content_whatever_its_name(tmp_path: Path, read: Callable[..., Reading]) -> None:
    read(rows(*GOOD))
    renamed = (tmp_path / "list.xlsx").rename(tmp_path / "list.csv")
    assert read_records(renamed, FIELDS).records == [(2, "A", 150)]
