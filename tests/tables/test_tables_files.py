"""Files that are not lists at all: each refused by what it is, with the remedy."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from portal.kernel.errors import InputRefused
from portal.tables import Field, read_records
from portal.tables.files import MEBIBYTE

FIELDS = (Field("code", "text"), Field("rate", "money"))


def message_for(path: Path, **named: int) -> str:
    with pytest.raises(InputRefused) as refusal:
        read_records(path, FIELDS, **named)
    (problem,) = refusal.value.problems
    assert problem.file == path.name
    return problem.message


def zipped(*names: str, content: bytes = b"x") -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\xef\xbb\xbf \r\n\n", "is empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "a PNG picture"),
        ("letter.docx", zipped("[Content_Types].xml", "word/document.xml"), "a Word document"),
        ("letter.csv", zipped("[Content_Types].xml", "word/document.xml"), "a Word document"),
        ("list.ods", zipped("content.xml"), "an OpenDocument file"),
        ("list.xlsb", zipped("xl/workbook.bin"), "a binary Excel workbook"),
        ("files.zip", zipped("a.csv"), "a ZIP archive"),
        ("nul.csv", b"code,rate\nA\0,1\n", "a NUL byte in line 2"),
        ("list.xlsx", b"code,rate\nA,1\n", "named .xlsx but its content is not of that kind"),
        ("broken.xlsx", b"PK\x03\x04" + b"\0" * 40, "damaged"),
        ("page.xls", b"<html><table><tr><td>code</td></tr></table></html>", "a web page"),
        ("locked.xlsx", COMPOUND + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "locked with a password"),
        ("old.xls", COMPOUND + b"\0" * 600 + "WordDocument".encode("utf-16-le"), "a Word document"),
        ("damaged.xls", COMPOUND + b"\0" * 600, "damaged"),
        ("damaged.pdf", b"%PDF-1.7\nnothing", "damaged"),
    ],
)
def test_a_file_of_the_wrong_kind_is_refused_by_what_it_is(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert words in message_for(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "no such file" in message_for(tmp_path / "none.csv")
    assert "a folder" in message_for(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "not an ordinary file" in message_for(tmp_path / "pipe.csv")


def test_sixty_megabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        # A hole in the file: as large as it says, without taking the space.
        file.truncate(60 * 1000 * 1000)
    message = message_for(path)
    assert "57 MiB large, but at most 50 MiB" in message
    assert "split it" in message


def test_the_limit_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"code,rate\nA,1\n")
    assert "at most" in message_for(path, max_bytes=10)


def test_a_zip_bomb_is_refused_by_its_unpacked_size(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", b"x")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            for _ in range(520):
                member.write(b"\0" * MEBIBYTE)
    assert path.stat().st_size < 5 * MEBIBYTE
    assert "unpacks to 520 MiB" in message_for(path)
