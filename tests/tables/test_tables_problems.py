"""A file with more bad cells than anybody can read is told in bounds: the first problems, and how many there are."""

from __future__ import annotations

from pathlib import Path

from portal.rates.schedule_file import read_schedule
from portal.tables import Field, read_records
from portal.tables.problems import MOST_PROBLEMS, Faults

FIELDS = (Field("code", "text"), Field("rate", "money"))


def written(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(lines))
    return path


def test_of_thousands_of_bad_cells_the_first_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    bad = [f"A{number},TBC" for number in range(MOST_PROBLEMS + 1_234)]

    reading = read_records(written(tmp_path, "code,rate", "FIRST,1.00", *bad, "LAST,2.00"), FIELDS)

    assert (len(reading.problems), reading.more_problems, reading.bad_rows) == (5_000, 1_234, 6_234)
    assert [record[1:] for record in reading.records] == [("FIRST", 100), ("LAST", 200)]
    assert [problem.row for problem in reading.problems] == list(range(3, 5_003))


def test_rows_that_are_too_wide_are_counted_in_the_same_way(tmp_path: Path) -> None:
    reading = read_records(written(tmp_path, "code,rate", "A,1.00", *["B,1.00,x"] * 6_000), FIELDS)

    assert (len(reading.problems), reading.more_problems, len(reading.records)) == (5_000, 1_000, 1)


def test_what_is_wrong_between_rows_is_counted_besides(tmp_path: Path) -> None:
    lines = ["code,description,unit,rate", *["A,Item,nr,1.00"] * 7_001]

    read = read_schedule(written(tmp_path, *lines))

    assert (len(read.problems), read.more_problems) == (5_000, 2_000)


def test_faults_know_every_place_and_name_the_first_thousands() -> None:
    faults = Faults()
    for at in range(0, 20_000, 2):
        faults[at] = f"first {at}"
    faults.add(2, "another")
    faults.add(12_000, "another")
    faults[4] = "changed"

    moved = faults.moved({at: at // 2 for at in range(20_000)})

    assert (len(faults), faults.more, len(list(faults.named()))) == (10_000, 5_000, 5_000)
    assert dict(faults.named())[2] == "first 2"
    assert dict(faults.named())[4] == "changed"
    assert (12_000 in faults, 12_001 in faults, 30_000 in faults) == (True, False, False)
    assert sorted(faults.places()) == list(range(0, 20_000, 2))
    assert sorted(moved.places()) == list(range(10_000))
