"""Bad price lists in every format: read as a person would read them, or refused with row and remedy; never half."""

from __future__ import annotations

import csv
import random
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
import xlwt
from builders import NOW, OFFICER, unique
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select

from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused
from portal.rates.models import CatalogueWord, Component, Edition, Item, Schedule
from portal.rates.schedule_file import read_schedule
from portal.rates.services import import_edition
from portal.tables import Mapping
from portal.tables.pdf_writing import write_pdf

Rows = Sequence[Sequence[Any]]
HEADER = ("code", "description", "unit", "rate")
GOOD = ("A1", "Grab rail, 600 mm", "nr", "10.00")
TABLES = (Schedule, Edition, Item, Component, CatalogueWord, AuditEvent)


# Files ----------------------------------------------------------------------------------------------------------------


def csv_of(rows: Rows) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def xlsx_of(*sheets: Rows, fill: Callable[[Workbook], None] | None = None) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        page = book.create_sheet()
        for row in rows:
            page.append(list(row))
    if fill:
        fill(book)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def xls_of(*sheets: Rows) -> bytes:
    book = xlwt.Workbook()
    for number, rows in enumerate(sheets, 1):
        page = book.add_sheet(f"Sheet{number}")
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                page.write(at, column, cell)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def pdf_of(rows: Rows) -> bytes:
    made = BytesIO()
    width = max(map(len, rows))
    first, *others = [[*row, *[""] * (width - len(row))] for row in rows]
    write_pdf(made, [str(cell) for cell in first], others)
    return made.getvalue()


FILES: dict[str, Callable[[Rows], bytes]] = {"csv": csv_of, "xlsx": xlsx_of, "xls": xls_of, "pdf": pdf_of}
every_format = pytest.mark.parametrize("kind", FILES)


# Bringing them in -----------------------------------------------------------------------------------------------------


def counted() -> dict[str, int]:
    db.session.rollback()
    return {table.__tablename__: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES}


def brought_in(path: Path, mapping: Mapping | None = None) -> Edition:
    with transaction():
        return import_edition(
            read_schedule(path, mapping),
            schedule_code=unique("SOR"),
            edition_name="2026",
            starts_on=date(2026, 4, 1),
            by=OFFICER,
            now=NOW,
        )


class Bench:
    """Files of one kind brought into the test's database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rates(self, kind: str, data: bytes) -> list[tuple[str, int]]:
        """The codes and rates that the file makes."""
        path = self.folder / f"list.{kind}"
        path.write_bytes(data)
        made = brought_in(path)
        db.session.rollback()
        found = select(Item.code, Item.rate_pence).where(Item.edition_id == made.id).order_by(Item.id)
        return [(code, rate) for code, rate in db.session.execute(found)]

    def refusal(self, kind: str, data: bytes) -> InputRefused:
        """Why the file is refused; nothing is written."""
        path = self.folder / f"list.{kind}"
        path.write_bytes(data)
        before = counted()
        with pytest.raises(InputRefused) as refused:
            brought_in(path)
        assert counted() == before
        return refused.value


@pytest.fixture
def bench(app: Flask, tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# The cells of the issue -----------------------------------------------------------------------------------------------


@every_format
@pytest.mark.parametrize(
    ("written", "pence"),
    [("1,234.50", 123_450), ("£12", 1_200), ("£1,234.50", 123_450), ("12", 1_200), ("1 234.50", 123_450)],
)
def test_a_rate_is_read_as_a_person_reads_it(bench: Bench, kind: str, written: str, pence: int) -> None:
    rows = [HEADER, GOOD, ("A2", "Ramp", "nr", written)]
    assert bench.rates(kind, FILES[kind](rows)) == [("A1", 1000), ("A2", pence)]


@every_format
def test_a_column_with_decimal_commas_is_read_with_decimal_commas(bench: Bench, kind: str) -> None:
    rows = [HEADER, (*GOOD[:3], "10,00"), ("A2", "Ramp", "nr", "1.234,50")]
    assert bench.rates(kind, FILES[kind](rows)) == [("A1", 1000), ("A2", 123_450)]


@every_format
@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("1.234,50", "write the whole column in one way"),
        ("12.345", "at most 2 are allowed here; round it yourself"),
        ("-5", "is negative, but only 0.00 or more is allowed; correct the figure"),
        ("#REF!", "is an error of the spreadsheet; mend the formula there"),
        ("1e3", "is in scientific notation, which hides digits; write the number out in full"),
        ("TBC", "write a figure such as 12.50, or leave the row out until it is known"),
        ("", "needs an amount, such as 12.50"),
        ("(5.00)", "write it with a minus sign or without one"),
        ("9" * 30, "is too large to be an amount"),
    ],
)
def test_a_rate_that_is_none_is_refused_with_its_row_and_the_remedy(
    bench: Bench, kind: str, written: str, why: str
) -> None:
    rows = [HEADER, GOOD, ("A2", "Ramp", "nr", "11.00"), ("A3", "Lift", "nr", written)]
    (problem,) = bench.refusal(kind, FILES[kind](rows)).problems
    assert (problem.row, problem.column) == (4, "rate")
    assert why in problem.message


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
@pytest.mark.parametrize(
    ("number", "why"), [(-5, "is negative"), (12.345, "at most 2 are allowed"), (1e15, "too larg")]
)
def test_a_number_of_a_workbook_that_is_no_rate_is_refused(bench: Bench, kind: str, number: float, why: str) -> None:
    (problem,) = bench.refusal(kind, FILES[kind]([HEADER, GOOD, ("A2", "Ramp", "nr", number)])).problems
    assert (problem.row, problem.column, why in problem.message) == (3, "rate", True)


def test_an_error_of_a_workbook_is_refused_with_its_row(bench: Bench) -> None:
    def error(book: Workbook) -> None:
        cell = book.worksheets[0]["D3"]
        cell.value, cell.data_type = "#REF!", "e"

    (problem,) = bench.refusal("xlsx", xlsx_of([HEADER, GOOD, ("A2", "Ramp", "nr", 1)], fill=error)).problems
    assert (problem.row, problem.column) == (3, "rate")
    # XLS shows an error as an empty cell; that is refused as well.
    book = xlwt.Workbook()
    page = book.add_sheet("Rates")
    for at, row in enumerate([HEADER, GOOD, GOOD]):
        for column, cell in enumerate(row[:3] if at == 2 else row):
            page.write(at, column, cell)
    page.row(2).set_cell_error(3, "#REF!")
    made = BytesIO()
    book.save(made)
    assert bench.refusal("xls", made.getvalue()).problems[0].row == 3


# Tables that are not just a table -------------------------------------------------------------------------------------


@every_format
def test_three_title_rows_above_the_header_are_passed_over(bench: Bench, kind: str) -> None:
    titles = [("Framework for adaptations",), ("Schedule of rates 2026",), ("Prices exclude VAT",)]
    rows = [[*title, "", "", ""] for title in titles]
    assert bench.rates(kind, FILES[kind]([*rows, HEADER, GOOD])) == [("A1", 1000)]


@pytest.mark.parametrize("kind", ["csv", "xls", "pdf"])
def test_a_header_over_two_rows_is_read(bench: Bench, kind: str) -> None:
    rows = [("code", "Item", "", "rate"), ("", "description", "unit", ""), GOOD]
    assert bench.rates(kind, FILES[kind](rows)) == [("A1", 1000)]


def test_a_header_of_merged_cells_is_read(bench: Bench) -> None:
    def merge(book: Workbook) -> None:
        for cells in ("A1:A2", "B1:C1", "D1:D2"):
            book.worksheets[0].merge_cells(cells)

    rows = [("code", "Item", "", "rate"), ("", "description", "unit", ""), GOOD]
    assert bench.rates("xlsx", xlsx_of(rows, fill=merge)) == [("A1", 1000)]


@pytest.mark.parametrize("sheets_of", [xlsx_of, xls_of])
def test_of_two_sheets_the_list_is_read_and_two_lists_are_refused_by_name(
    bench: Bench, sheets_of: Callable[..., bytes]
) -> None:
    kind = "xlsx" if sheets_of is xlsx_of else "xls"
    notes = [("Notes",), ("Prices hold for a year",)]
    assert bench.rates(kind, sheets_of(notes, [HEADER, GOOD])) == [("A1", 1000)]
    (problem,) = bench.refusal(kind, sheets_of([HEADER, GOOD], [HEADER, GOOD])).problems
    assert "2 sheets have the wanted columns" in problem.message
    assert "Say which one is meant" in problem.message


@every_format
@pytest.mark.parametrize("total", [("", "Total", "", "21.00"), ("Total", "", "", "21.00"), ("Grand total", "", "", "")])
def test_a_total_row_is_no_item(bench: Bench, kind: str, total: tuple[str, ...]) -> None:
    rows = [HEADER, GOOD, ("A2", "Ramp", "nr", "11.00"), total]
    assert bench.rates(kind, FILES[kind](rows)) == [("A1", 1000), ("A2", 1100)]


@every_format
def test_an_item_called_total_is_an_item(bench: Bench, kind: str) -> None:
    assert bench.rates(kind, FILES[kind]([HEADER, ("Total", "Total", "nr", "1.00")])) == [("Total", 100)]


def test_the_header_on_every_page_of_a_pdf_is_no_item(bench: Bench) -> None:
    rows = [HEADER, *((f"A{number:03d}", "Grab rail", "nr", "10.00") for number in range(200))]
    found = bench.rates("pdf", pdf_of(rows))
    assert found == [(f"A{number:03d}", 1000) for number in range(200)]


@every_format
def test_a_code_given_twice_is_refused_with_both_rows(bench: Bench, kind: str) -> None:
    rows = [HEADER, GOOD, ("A2", "Ramp", "nr", "11.00"), (*GOOD[:3], "12.00")]
    (problem,) = bench.refusal(kind, FILES[kind](rows)).problems
    assert (problem.row, problem.column) == (4, "code")
    assert "The code A1 stands in row 2 already; give each code once" in problem.message


@every_format
@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        (("A1*1", "", ""), ["A1"]),
        (("A2*1", "A3*2", "A1*1"), ["A1", "A2", "A3"]),
        (("A2*1", "A3*1", "A2*1"), ["A2", "A3"]),
    ],
)
def test_a_composite_that_holds_itself_is_refused(
    bench: Bench, kind: str, parts: tuple[str, ...], wrong: list[str]
) -> None:
    rows = [(*HEADER, "components"), *((f"A{at}", "Room", "nr", "1.00", each) for at, each in enumerate(parts, 1))]
    problems = bench.refusal(kind, FILES[kind](rows)).problems
    assert [problem.row for problem in problems] == [int(code[1]) + 1 for code in wrong]
    assert all("is a part of itself; a composite cannot contain itself" in problem.message for problem in problems)


@every_format
@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ("B9*1", "The component B9 is not an item of this list; add it or correct the code"),
        ("A1", "is not written CODE*QUANTITY"),
        ("A1*many", "is not a quantity; write a number"),
        ("A1*1e400", "must be above 0 and below 1,000,000"),
        ("A1*NaN", "must be above 0 and below 1,000,000"),
        ("A1*0.0001", "has more than three decimals"),
        ("A1*1;A1*2", "is named twice; add the quantities up"),
    ],
)
def test_parts_that_cannot_be_are_refused_with_the_remedy(bench: Bench, kind: str, parts: str, why: str) -> None:
    rows = [(*HEADER, "components"), (*GOOD, ""), ("A2", "Room", "nr", "1.00", parts)]
    (problem,) = bench.refusal(kind, FILES[kind](rows)).problems
    assert (problem.row, problem.column, why in problem.message) == (3, "components", True)


@every_format
def test_the_texts_of_a_list_are_brought_into_one_form(bench: Bench, kind: str) -> None:
    rows = [HEADER, ("A  1", "Cafe\u0301 \u00a0 \ufb01tting\tof  a rail", " nr ", "10.00")]
    assert bench.rates(kind, FILES[kind](rows)) == [("A 1", 1000)]
    assert db.session.scalars(select(Item.description)).all() == ["Caf\u00e9 fitting of a rail"]


# Generated ones -------------------------------------------------------------------------------------------------------

WHOLE_HEADER = (
    *("code", "description", "long_description", "trade", "unit", "rate", "smv", "composite", "components", "vat"),
    *("withdrawn", "withdrawn_reason"),
)
WHOLE = [
    ("LAS1", "Tray", "Level-access tray", "Plumbing", "nr", "120.00", "30", "no", "", "0", "", ""),
    ("LAS2", "Façade £", "", "Walls", "m²", "1,234.50", "", "no", "", "5", "2027-01-01", "Replaced"),
    ("LAS3", "Wet room", "", "", "nr", "999.00", "", "yes", "LAS1*1;LAS2*2.125", "20", "", ""),
]
ODD_CELLS = (
    *("", " ", "=1+1", "#REF!", "1e999", "-0", "9" * 400, "(" * 200, "[" * 3000, "'", '"', ";;;", "*", "LAS1*1", "NaN"),
    *(
        "\u202e",
        "\u00ad",
        "x" * 5_000,
        "0x1F",
        "TBC",
        "½",
        "٣",
        "2027-02-30",
        "31/12/99",
        "yes",
        "None",
        "💷",
        "\ufffd",
    ),
)
BYTES = (b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\x1b", b"\r", b"\n\n", b"\xc2\x85", b"(((", b"<<", b"]]>", b"&a;")


def with_odd_cells(chance: random.Random) -> list[list[Any]]:
    """The good list with some of its cells, rows or columns changed."""
    rows = [list(row) for row in (WHOLE_HEADER, *WHOLE)]
    for _ in range(chance.randint(1, 4)):
        row = chance.choice(rows)
        match chance.randrange(7):
            case 0 | 1 | 2:
                row[chance.randrange(len(row))] = chance.choice(ODD_CELLS)
            case 3:
                one, other = chance.sample(range(len(WHOLE_HEADER)), 2)
                for each in rows:
                    each[one], each[other] = each[other], each[one]
            case 4:
                rows.insert(chance.randrange(len(rows)), list(row))
            case 5:
                one, other = chance.sample(range(len(row)), 2)
                row[one], row[other] = row[other], row[one]
            case 6:
                row[chance.randrange(len(row))] = chance.choice(WHOLE)[chance.randrange(len(row))]
    return rows


def damaged(data: bytes, chance: random.Random) -> bytes:
    """``data`` with a few bytes changed, lost, doubled or put in."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed)) if changed else 0
        match chance.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[at : at + chance.randint(1, 300)]
            case 2:
                changed[at:at] = chance.choice(BYTES) * chance.choice((1, 1, 500))
            case 3:
                changed[at:at] = changed[at : at + chance.randint(1, 500)]
            case 4:
                del changed[max(at, len(changed) // 2) :]
    return bytes(changed)


def with_damaged_member(data: bytes, chance: random.Random) -> bytes:
    """A workbook with one of its parts damaged or left out, packed soundly again."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as before, zipfile.ZipFile(made, "w") as after:
        victim = chance.choice(before.namelist())
        for name in before.namelist():
            if name != victim:
                after.writestr(name, before.read(name))
            elif chance.random() < 0.8:
                after.writestr(name, damaged(before.read(name), chance))
    return made.getvalue()


def malformed(kind: str, seed: int) -> bytes:
    """A list of ``kind`` that something is wrong with, the same for the same seed."""
    chance = random.Random(f"{kind} {seed}")
    rows = with_odd_cells(chance) if chance.random() < 0.6 else [WHOLE_HEADER, *WHOLE]
    if kind == "pdf":
        rows = [["" if "💷" in str(cell) else str(cell)[:500] for cell in row] for row in rows]
    data = FILES[kind](rows)
    if kind == "csv" and chance.random() < 0.3:
        return data.decode().encode(chance.choice(["utf-16", "cp1252", "utf-8-sig", "utf-16-be", "cp037"]), "replace")
    if kind == "xlsx" and chance.random() < 0.6:
        return with_damaged_member(data, chance)
    return damaged(data, chance) if chance.random() < 0.8 else data


def one_by_one(kind: str, seeds: range, folder: Path) -> int:
    """Bring in every one of these files; returns how many were refused. Nothing of a refused one is written."""
    refused = 0
    path = folder / f"list.{kind}"
    for seed in seeds:
        path.write_bytes(malformed(kind, seed))
        before = counted()
        try:
            made = brought_in(path)
        except InputRefused:
            assert counted() == before, f"{kind}, seed {seed}: something was written"
            refused += 1
        except Exception as fault:
            raise AssertionError(f"{kind}, seed {seed}: {fault!r}") from fault
        else:
            after = counted()
            assert after["item"] - before["item"] == made.item_count > 0, f"{kind}, seed {seed}"
            assert after["edition"] - before["edition"] == 1, f"{kind}, seed {seed}"
    return refused


@pytest.mark.parametrize("start", range(0, 260, 65))
def test_malformed_csv_lists_are_read_or_refused_and_never_half(app: Flask, tmp_path: Path, start: int) -> None:
    assert one_by_one("csv", range(start, start + 65), tmp_path) > 20


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("kind", "files"), [("xlsx", 200), ("xls", 60), ("pdf", 40)])
def test_malformed_workbooks_and_pdfs_are_read_or_refused_and_never_half(
    app: Flask, tmp_path: Path, kind: str, files: int
) -> None:
    assert one_by_one(kind, range(files), tmp_path) > files // 4
