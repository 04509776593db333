"""Files as nobody meant them: whatever a list holds, it is taken whole or refused with sentences."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import NOW, OFFICER, edition, look_again
from flask import Flask
from sqlalchemy import func, select

from portal.checks import everything_off
from portal.framework.members.contractor_file import read_contractors
from portal.framework.members.contractor_import import import_contractors
from portal.jobs.job_file import read_jobs
from portal.jobs.specification import specify_jobs
from portal.kernel.db import Base, db, transaction
from portal.kernel.errors import InputRefused
from portal.rates.models import Edition

CONTRACTORS = [
    "code,name,email,phone,postcode,sme,lots,areas,rank,adjustment_percent,capacity,accepts_from,document:insurance",
    "C1,Contractor 1,office@c1.example,01632 960001,RG1 1AA,yes,Stair lift;Ramp,A;B,1,-2.5,3,,2030-01-01",
    "C2,Contractor 2,office@c2.example,01632 960002,RG1 1AB,no,Stair lift,A,2,0,3,2026-01-01,2030-01-01",
    "C3,Contractor 3,office@c3.example,01632 960003,RG1 1AC,no,Ramp,B,3,12.5,1,,2030-01-01",
]
JOBS = [
    "reference,authority,work_type,priority,postcode,client,required_start,lines,address,client_phone",
    "DFG-1,A,Stair lift,priority,RG1 2AB,Client 0412,,LIFT01*1,14 Elm Row,01632 960412",
    "DFG-2,B,Ramp,,rg12ab,,2027-01-31,RAIL01*2.5;LIFT01*1,,",
    "DFG-3,A,Ramp,hospital discharge,RG1 2AB,,,RAIL01*0.001,,",
]
ODD = [
    *("", " ", ";", ";;", "*", "0", "-1", "1e9", "1e400", "NaN", "Infinity", "-0", "٣", "½", "1,5", "1.000,50"),
    *("99999999999999999999999", "2147483648", "9223372036854775808", "0.0000001", "=1+1", "#REF!", "'1", "+1"),
    *("x" * 41, "x" * 121, "x" * 300, "x" * 5_000, "é" * 64, "😀", "\u202e", "\ufeff", "A\0B", "two\nlines"),
    *("2026-02-30", "0001-01-01", "9999-12-31", "31/12/2026", "45000", "yes", "maybe", "A", "C1", "DFG-1", "new"),
    *("LIFT01*1", "LIFT01*1;LIFT01*1", "LIFT01*999999.999", "LIFT01*1e5", "LIFT01*-0", "*1", "LIFT01*", "a@b"),
    *("%", "%s", "';--", "{{7*7}}", "</script>", "NULL", "None", "Stair lift", "STAIR LIFT ", "RG1 2AB", "SW1A1AA"),
    *("a/../b", '"', ",,,"),
]


def spoil(rows: list[list[str]], chance: random.Random) -> None:
    """Do one thing to the rows that nobody should: an odd cell mostly; a row twice, a row or cell lost, a cell more."""
    row = chance.randrange(len(rows))
    kind = chance.choices(["cell", "twice", "row lost", "cell lost", "cell more"], [6, 1, 1, 1, 1])[0]
    if kind == "cell":
        rows[row][chance.randrange(len(rows[row]))] = chance.choice(ODD)
    elif kind == "twice":
        rows.insert(row, list(rows[row]))
    elif kind == "row lost" and len(rows) > 1:
        del rows[row]
    elif kind == "cell lost" and len(rows[row]) > 1:
        del rows[row][chance.randrange(len(rows[row]))]
    else:
        rows[row].append(chance.choice(ODD))


def damaged(lines: list[str], chance: random.Random) -> bytes:
    """A good list with up to three things wrong, in some separator and encoding, now and then cut or garbled."""
    rows = list(csv.reader(lines))
    for _ in range(chance.randint(0, 3)):
        spoil(rows, chance)
    out = io.StringIO()
    csv.writer(out, delimiter=chance.choice(",,,,;\t|")).writerows(rows)
    data = out.getvalue().encode(chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]), "replace")
    if chance.random() < 0.1:
        at = chance.randrange(len(data))
        data = data[:at] + bytes(chance.randrange(256) for _ in range(3)) + data[at:]
    return data if chance.random() > 0.05 else data[: chance.randrange(len(data))]


def counts() -> dict[str, int]:
    look_again()
    return {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


def take_contractors(path: Path, create: bool) -> None:
    read = read_contractors(path)
    with transaction():
        import_contractors(read, framework_code=None, create=create, by=OFFICER, now=NOW)


def take_jobs(path: Path, create: bool) -> None:
    read = read_jobs(path)
    if read.problems:
        raise InputRefused(read.problems)
    with transaction():
        rates = db.session.scalars(select(Edition)).one()
        specify_jobs(read.jobs, rates, source=read.name, by=OFFICER, now=NOW, create=create)


def refusal_of(take: Callable[[Path, bool], None], path: Path, create: bool) -> InputRefused | None:
    """The refusal of a list, or ``None`` when it was taken; any other error goes through."""
    try:
        take(path, create)
    except InputRefused as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    ("take", "good"), [(take_contractors, CONTRACTORS), (take_jobs, JOBS)], ids=["contractors", "jobs"]
)
def test_a_damaged_list_is_taken_whole_or_refused_whole(
    app: Flask, tmp_path: Path, take: Callable[[Path, bool], None], good: list[str]
) -> None:
    edition()
    start = tmp_path / "start.csv"
    start.write_text("\n".join(CONTRACTORS), encoding="utf-8")
    take_contractors(start, True)
    chance = random.Random(20260505)
    refused = taken = 0

    for number in range(150):
        path = tmp_path / f"list{number}.csv"
        path.write_bytes(damaged([line.replace("DFG-", f"DFG-{number}-") for line in good], chance))
        before = counts()
        refusal = refusal_of(take, path, number % 2 == 0)
        if refusal is None:
            taken += 1
            assert counts() != before
            continue
        refused += 1
        assert refusal.problems
        assert all(problem.file == path.name and len(problem.message) > 15 for problem in refusal.problems)
        assert counts() == before, path.read_bytes()

    assert refused > 50
    assert taken > 5
    look_again()
    assert list(everything_off()) == []
