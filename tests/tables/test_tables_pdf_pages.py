"""PDFs read by several processes at once: the same rows, progress, and an end whatever the PDF does."""

import os
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pdfplumber
import psutil
import pytest
from reportlab.pdfgen.canvas import Canvas

from portal.kernel.errors import InputRefused
from portal.tables import Field, pdf_pages, pdf_process, read_records
from portal.tables.files import Kind, Source
from portal.tables.pdf_writing import write_pdf

FIELDS = (Field("code", "text"), Field("description", "text"), Field("rate", "money"))
WORDS = "Supply and fix a level-access tray with all fixings, sealant and making good of the floor. £5 per m². "


def price_list(items: int) -> bytes:
    """A ruled list with a text of its own for each item."""
    made = BytesIO()
    rows = [(f"A{at:04d}", WORDS * (1 + at % 5) + str(at * 7_919), f"{at}.50") for at in range(items)]
    write_pdf(made, [field.name for field in FIELDS], rows)
    return made.getvalue()


def source(data: bytes) -> Source:
    return Source("list.pdf", Kind.PDF, data)


def children() -> list[str]:
    """The reading processes that are left."""
    return [name for child in psutil.Process().children() for name in child.cmdline() if "pdf_process" in name]


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No process and no open file stays, however the reading ends."""
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    yield
    assert children() == []
    assert before == (len(os.listdir("/proc/self/fd")) if before else 0)


def test_several_readers_read_what_one_reads() -> None:
    data = price_list(160)
    assert len(data) > pdf_pages.WORTH_SHARING
    with pdfplumber.open(BytesIO(data)) as document:
        expected = [pdf_process.page_rows(page) for page in document.pages]
    assert len(expected) > 5
    assert [page.rows for page in pdf_pages.read_pages(source(data))] == expected


@pytest.mark.parametrize("pages", [0, 1, 4, 5, 6, 61])
@pytest.mark.parametrize("readers", [1, 2, 3, 4])
def test_every_page_is_dealt_once_and_all_have_as_much_to_do(pages: int, readers: int) -> None:
    shares = [pdf_process.share(reader, readers, pages) for reader in range(readers)]
    assert sorted(page for share in shares for page in share) == list(range(1, pages + 1))
    if pages >= pdf_process.WORTH_SHARING:
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    else:
        assert [len(share) for share in shares] == [pages, *[0] * (readers - 1)]


def test_progress_counts_the_pages_of_a_pdf_and_ends_at_one_of_one_for_other_kinds(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    (tmp_path / "list.pdf").write_bytes(price_list(100))
    read_records(tmp_path / "list.pdf", FIELDS, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(at, len(seen)) for at in range(1, len(seen) + 1)]
    assert len(seen) > 2
    (tmp_path / "list.csv").write_text("code,description,rate\nA,x,1.50\n", encoding="utf-8")
    seen.clear()
    read_records(tmp_path / "list.csv", FIELDS, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 1)]


def test_a_progress_that_gives_up_ends_the_readers() -> None:
    class GaveUp(Exception):
        """The caller wants no more."""

    def give_up(_done: int, _of: int) -> None:
        raise GaveUp

    with pytest.raises(GaveUp):
        pdf_pages.read_pages(source(price_list(260)), give_up)


def with_contents(content: bytes, filters: str, good: int = 1) -> bytes:
    """A PDF whose page after ``good`` empty ones has this content."""
    pages = [b"BT ET"] * good
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{3 + 2 * at} 0 R' for at in range(good + 1))}] /Count {good + 1} >>"
        .encode(),
    ]  # fmt: skip
    for at, page in enumerate([*pages, content]):
        objects.append(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R >>" % (4 + 2 * at))
        named = f"/Filter {filters}" if at == good else ""
        objects.append(f"<< /Length {len(page)} {named} >>\nstream\n".encode() + page + b"\nendstream")
    data, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return data + end % (len(objects) + 1, table, len(objects) + 1, len(data))


def bomb(size: int) -> bytes:
    """``size`` spaces, packed twice."""
    packing = zlib.compressobj(9)
    block = b" " * 1_000_000
    once = b"".join(packing.compress(block) for _ in range(size // len(block))) + packing.flush()
    return zlib.compress(once, 9)


def test_a_page_that_unpacks_to_gigabytes_is_refused_by_its_number() -> None:
    data = with_contents(bomb(1_200_000_000), "[/FlateDecode /FlateDecode]")
    with pytest.raises(InputRefused) as refused:
        pdf_pages.read_pages(source(data))
    (problem,) = refused.value.problems
    assert problem.page == 2
    assert "more memory than any list needs" in problem.message
    assert "Print it to a new PDF" in problem.message


def test_a_page_that_takes_for_ever_is_refused_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "SILENT_SECONDS", 3.0)
    data = with_contents(zlib.compress(b"0 0 m 9 9 l S\n" * 2_000_000), "/FlateDecode")
    with pytest.raises(InputRefused) as refused:
        pdf_pages.read_pages(source(data))
    (problem,) = refused.value.problems
    assert problem.page == 2
    assert "takes more time or memory than any list needs" in problem.message


def test_a_pdf_of_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = BytesIO()
    canvas = Canvas(made)
    for _ in range(pdf_pages.MOST_PAGES + 1):
        canvas.showPage()
    canvas.save()
    with pytest.raises(InputRefused) as refused:
        pdf_pages.read_pages(source(made.getvalue()))
    assert "has 2,001 pages, but at most 2,000 are read; split it" in refused.value.problems[0].message


def test_a_locked_pdf_is_refused_with_the_remedy() -> None:
    made = BytesIO()
    canvas = Canvas(made, encrypt="secret")
    canvas.drawString(100, 100, "Price list")
    canvas.save()
    with pytest.raises(InputRefused) as refused:
        pdf_pages.read_pages(source(made.getvalue()))
    assert "damaged or locked" in refused.value.problems[0].message
