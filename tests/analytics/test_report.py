"""A benchmark written into a folder."""

from __future__ import annotations

import csv

import numpy as np
import pdfplumber
import pytest
from openpyxl import load_workbook
from prices_made import lognormal_prices

from portal.analytics import report
from portal.analytics.document import benchmark_files
from portal.analytics.report import write_report
from portal.kernel.errors import InputRefused


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("prices") / "prices.csv"
    frame = lognormal_prices(np.random.default_rng(4), groups=5, n=12, sigma=0.1)
    frame.loc[7, "price"] *= 10
    jobs = enumerate(frame.itertuples())
    lines = [f"J-{at},{job.authority},=Ramp <b>& co</b>,C01,{job.price:.2f}" for at, job in jobs]
    path.write_text("reference,authority,work_type,contractor,amount\n" + "\n".join(lines) + "\n", encoding="utf-8")
    # A cell that begins as a formula is refused; one made harmless with an apostrophe comes in as the text it was.
    path.write_text(path.read_text(encoding="utf-8").replace("=Ramp", "'=Ramp"), encoding="utf-8")
    return benchmark_files([path])


@pytest.fixture(scope="module")
def written(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "deep" / "folder"
    return folder, write_report(result, folder)


def test_every_promised_file_is_there(written):
    folder, done = written

    assert [path.name for path in done.files] == [
        "groups.csv", "lines.csv", "benchmark.xlsx", "chart-01-ramp-b-co-b.svg", "report.pdf",
    ]  # fmt: skip
    assert all(path.stat().st_size for path in done.files)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in done.files)


def test_the_csv_files_hold_every_group_and_line(written, result):
    folder, _ = written

    with (folder / "groups.csv").open(encoding="utf-8-sig", newline="") as file:
        groups = list(csv.DictReader(file))
    with (folder / "lines.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))

    document = result.as_document()
    assert [group["median"] for group in groups] == [group["median"] for group in document["groups"]]
    assert [line["status"] for line in lines] == [line["status"] for line in document["lines"]]
    assert [line["row"] for line in lines if line["status"] == "outside"] == ["9"]


def test_cells_that_begin_as_a_formula_are_made_harmless(written):
    folder, _ = written

    text = (folder / "lines.csv").read_text(encoding="utf-8-sig")
    sheet = load_workbook(folder / "benchmark.xlsx")["Lines"]

    assert ",=Ramp" not in text
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert [cell.value for cell in cells if str(cell.value).startswith("'=Ramp")]


def test_the_workbook_has_numbers_to_calculate_with(written):
    folder, _ = written

    workbook = load_workbook(folder / "benchmark.xlsx")

    assert workbook.sheetnames == ["Groups", "Lines", "Problems", "Method"]
    header = [cell.value for cell in workbook["Groups"][1]]
    assert isinstance(workbook["Groups"][2][header.index("median")].value, int | float)


def test_the_pdf_can_be_read_by_a_committee(written):
    folder, _ = written

    with pdfplumber.open(folder / "report.pdf") as pdf:
        text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())

    assert "Prices compared with others like them" in text
    assert "prices.csv, row 9, J-7, C01" in text
    assert "outside the usual range, for review" in text
    assert "Method" in text
    assert "<b>& co</b>" in text


def test_the_same_prices_give_the_same_report(result, written, tmp_path):
    folder, _ = written

    write_report(result, tmp_path)

    for name in ("groups.csv", "lines.csv", "chart-01-ramp-b-co-b.svg", "report.pdf"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_more_kinds_than_pictures_are_said(result, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MOST_CHARTS", 0)

    done = write_report(result, tmp_path)

    assert done.notes == ("Of 1 kinds, the 0 with most prices have a picture.",)
    assert not list(tmp_path.glob("*.svg"))


def test_a_folder_that_is_a_file_is_refused(result, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("here already", encoding="utf-8")

    with pytest.raises(InputRefused) as refused:
        write_report(result, taken)

    assert "--out" in refused.value.problems[0].message
