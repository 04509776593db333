"""Damaged files: only a refusal or a reading ever comes out, whatever happened to the bytes."""

import random
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from portal.kernel.errors import InputRefused
from portal.tables import Field, Reading, read_records

FIELDS = (
    Field("code", "text"),
    Field("description", "text"),
    Field("rate", "money"),
    Field("quantity", "decimal", required=False),
    Field("from", "date", required=False),
    Field("percent", "percent", required=False),
)
HEADER = ("code", "description", "rate", "quantity", "from", "percent")
LINES = [
    ("A1", "Grab rail, 600 mm", "12.50", "1.5", "2026-05-31", "-2.5"),
    ("A2", 'Ramp "modular"', "1,234.50", "2", "01/06/2026", "5%"),
    ("A3", "Façade\nrepair", "0.99", "", "", ""),
    ("", "Total", "1247.99", "", "", ""),
]
SPITEFUL = (
    b"\0",
    b"=1+1",
    b'"',
    b"\xff",
    b"1e9",
    b"\r",
    b"\n\n",
    b";",
    b"\xc2\x85",
    b"-",
    b",,,,",
    b"#REF!",
    b"\xef\xbb\xbf",
    b"<f>",
)


def good_csv() -> bytes:
    quoted = [",".join('"{}"'.format(cell.replace('"', '""')) for cell in line) for line in (HEADER, *LINES)]
    return "\r\n".join(quoted).encode()


def good_xlsx() -> bytes:
    workbook = Workbook()
    for line in (HEADER, *LINES, ("A4", "Lift", 2094.5, 3, "=1+1", 0.05)):
        workbook.worksheets[0].append(line)
    buffer = BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(changed)) if changed else 0
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[at:]
            case 2:
                del changed[at : at + chance.randint(1, 40)]
            case 3:
                changed[at:at] = chance.choice(SPITEFUL)
            case 4:
                changed[at:at] = changed[at : at + chance.randint(1, 200)]
            case 5:
                before, after = chance.choice(
                    [(b",", b";"), (b'"', b""), (b".", b","), (b"rate", b"rat"), (b"\n", b"\r")]
                )
                changed = bytearray(bytes(changed).replace(before, after))
    return bytes(changed)


def with_a_damaged_part(data: bytes, chance: random.Random) -> bytes:
    """The workbook with the XML of one of its parts damaged, packed soundly again."""
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as before, zipfile.ZipFile(buffer, "w") as after:
        victim = chance.choice(
            [name for name in before.namelist() if "sheet1" in name or "workbook" in name or "styles" in name]
        )
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, damaged(content, chance) if name == victim else content)
    return buffer.getvalue()


def outcome(path: Path) -> Reading | InputRefused:
    try:
        return read_records(path, FIELDS)
    except InputRefused as refusal:
        return refusal


@pytest.mark.parametrize(("kind", "good"), [("csv", good_csv()), ("xlsx", good_xlsx())])
@pytest.mark.parametrize("seed", range(0, 400, 100))
def test_a_damaged_file_is_read_or_refused_but_never_breaks(tmp_path: Path, kind: str, good: bytes, seed: int) -> None:
    path = tmp_path / f"list.{kind}"
    for number in range(seed, seed + 100):
        path.write_bytes(damaged(good, random.Random(number)))
        result = outcome(path)
        for problem in result.problems:
            assert problem.file == path.name
            assert problem.message.endswith((".", ")"))
        if isinstance(result, Reading):
            assert all(isinstance(record[3], int) and record[3] >= 0 for record in result.records)
            assert not {record[0] for record in result.records} & {problem.row for problem in result.problems}


@pytest.mark.parametrize("seed", range(0, 200, 50))
def test_a_workbook_with_a_damaged_part_is_read_or_refused_but_never_breaks(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "list.xlsx"
    good = good_xlsx()
    for number in range(seed, seed + 50):
        path.write_bytes(with_a_damaged_part(good, random.Random(number)))
        result = outcome(path)
        assert isinstance(result, Reading) or result.problems


def test_the_undamaged_files_are_read(tmp_path: Path) -> None:
    for kind, good in (("csv", good_csv()), ("xlsx", good_xlsx())):
        path = tmp_path / f"list.{kind}"
        path.write_bytes(good)
        result = outcome(path)
        assert isinstance(result, Reading)
        assert [record[3] for record in result.records] == [1250, 123450, 99]
