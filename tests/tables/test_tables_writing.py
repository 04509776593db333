"""Writing lists that run nothing, and come back as they were."""

import csv
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from portal.tables import Field, read_records, write_csv, write_xlsx

DANGEROUS = ["=1+1", "+1 more", "-a", "@SUM", "\tx", "\rx", "'=1"]


@pytest.mark.parametrize("cell", DANGEROUS)
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(cell: str) -> None:
    file = StringIO()
    write_csv(file, ["a"], [[cell]])
    assert next(csv.reader(StringIO(file.getvalue().split("\n", 1)[1], newline=""))) == [f"'{cell}"]
    book = BytesIO()
    write_xlsx(book, ["a"], [[cell]])
    written = load_workbook(book).worksheets[0]["A2"]
    assert written.data_type in {"s", "inlineStr"}
    assert str(written.value).startswith("'")


def test_real_numbers_and_dates_stay_what_they_are() -> None:
    file = StringIO()
    write_csv(file, ["a", "b", "c", "d", "e"], [[-5, Decimal("-2.50"), "-12.50", date(2026, 5, 31), None]])
    assert file.getvalue().splitlines()[1] == "-5,-2.50,-12.50,2026-05-31,"
    book = BytesIO()
    write_xlsx(book, ["a"], [[-5]])
    assert load_workbook(book).worksheets[0]["A2"].value == -5


def test_a_csv_on_disk_or_in_a_binary_file_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["é"], [["x"]])
    binary = BytesIO()
    write_csv(binary, ["é"], [["x"]])
    assert (tmp_path / "a.csv").read_bytes() == binary.getvalue() == "\ufeffé\r\nx\r\n".encode()


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs", "Cn"]), min_size=1, max_size=20
)
FIELDS = (Field("code", "text"), Field("rate", "money"))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.builds(str.__add__, st.sampled_from(["", "=", "+", "-", "@", "'=", "''@"]), TEXT), st.integers(0, 10**9)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_was_written_is_read_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]]
) -> None:
    rows = [
        (f"x{code}" if code.lstrip("'").startswith("#") or code.lower() == "code" else code, pence)
        for code, pence in rows
    ]
    folder = tmp_path_factory.mktemp("written")
    lines = [(code, f"{pence // 100}.{pence % 100:02d}") for code, pence in rows]
    write_csv(folder / "a.csv", ["code", "rate"], lines)
    write_xlsx(folder / "a.xlsx", ["code", "rate"], lines)
    for name in ("a.csv", "a.xlsx"):
        reading = read_records(folder / name, FIELDS)
        assert reading.problems == []
        assert [record[1:] for record in reading.records] == rows
