"""Reading the ruled tables of PDF lists."""

from pathlib import Path

import pytest
from PIL import Image

from portal.kernel.errors import InputRefused
from portal.tables import Field, read_records

FIELDS = (Field("code", "text"), Field("description", "text"), Field("rate", "money"))
HEADER = ("code", "description", "rate")
EDGES = (50, 150, 400, 500)
Rows = list[tuple[str, ...]]


def drawn(rows: Rows, note: str = "") -> bytes:
    """A page's drawing: every row ruled, every cell one line of text."""
    top, height = 780, 20
    bottom = top - height * len(rows)
    lines = [f"{x} {top} m {x} {bottom} l S" for x in EDGES] if rows else []
    lines += [
        f"{EDGES[0]} {top - height * at} m {EDGES[-1]} {top - height * at} l S" for at in range(len(rows) + 1) if rows
    ]
    texts = [
        f"BT /F1 9 Tf {EDGES[column] + 4} {top - height * at - 14} Td ({cell}) Tj ET"
        for at, row in enumerate(rows)
        for column, cell in enumerate(row)
    ]
    if note:
        texts.append(f"BT /F1 9 Tf 50 810 Td ({note}) Tj ET")
    return "\n".join(lines + texts).encode("cp1252")


def pdf_of(*drawings: bytes) -> bytes:
    """A whole PDF with one page for each drawing."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(drawings)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(drawings)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for at, drawing in enumerate(drawings):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * at} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing))
    data = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.pdf"


def test_a_list_over_two_pages_is_read_with_its_header_repeated(path: Path) -> None:
    first: Rows = [HEADER, ("A1", "Grab rail", "12.50"), ("A2", "Ramp", "1,234.50")]
    second: Rows = [HEADER, ("A3", "Stair lift", "£2,094.00")]
    path.write_bytes(pdf_of(drawn(first, "Price list"), drawn(second)))
    reading = read_records(path, FIELDS)
    assert [record[1:] for record in reading.records] == [
        ("A1", "Grab rail", 1250),
        ("A2", "Ramp", 123450),
        ("A3", "Stair lift", 209400),
    ]
    assert (reading.problems, reading.set_aside) == ([], [(4, "The row repeats the header.")])
    assert reading.pages[5] == (2, 2)


def test_a_problem_names_its_page_and_the_row_on_it(path: Path) -> None:
    path.write_bytes(pdf_of(drawn([HEADER, ("A1", "Rail", "1.50")]), drawn([HEADER, ("A2", "Ramp", "TBC")])))
    (problem,) = read_records(path, FIELDS).problems
    assert (problem.page, problem.row, problem.column) == (2, 2, "rate")


def test_a_caller_adds_a_problem_with_the_page(path: Path) -> None:
    path.write_bytes(pdf_of(drawn([HEADER, ("A1", "Rail", "1.50")]), drawn([HEADER, ("A2", "Ramp", "2.50")])))
    reading = read_records(path, FIELDS)
    assert str(reading.problem(4, "Too dear.", "rate")) == "list.pdf, page 2, row 2, column rate: Too dear."


def test_a_scan_without_text_is_refused_with_the_remedy(path: Path) -> None:
    Image.new("L", (200, 200), 255).save(path, "PDF")
    with pytest.raises(InputRefused, match="1 problem") as refusal:
        read_records(path, FIELDS)
    message = refusal.value.problems[0].message
    assert "only pictures of pages" in message
    assert "text recognition (OCR)" in message


def test_a_scanned_page_among_others_is_a_problem_of_that_page(path: Path) -> None:
    path.write_bytes(pdf_of(drawn([HEADER, ("A1", "Rail", "1.50")]), b""))
    reading = read_records(path, FIELDS)
    assert [(problem.page, problem.row) for problem in reading.problems] == [(2, None)]
    assert len(reading.records) == 1


def test_a_page_with_text_but_no_table_is_mentioned(path: Path) -> None:
    path.write_bytes(pdf_of(drawn([HEADER, ("A1", "Rail", "1.50")]), drawn([], "Terms and conditions")))
    assert "Page 2 has text but no table" in read_records(path, FIELDS).set_aside[0][1]


def test_text_without_any_table_is_refused(path: Path) -> None:
    path.write_bytes(pdf_of(drawn([], "Dear council")))
    with pytest.raises(InputRefused) as refusal:
        read_records(path, FIELDS)
    assert "No table with ruled lines" in refusal.value.problems[0].message
