"""An edition written as a file and brought in again is the same edition, whatever kind of file it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, OFFICER, edition, unique
from click.testing import Result
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.kernel.db import db, transaction
from portal.kernel.errors import RuleBroken
from portal.rates import exporting
from portal.rates.exporting import write_edition_file
from portal.rates.models import Component, Edition, Item
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.schedule_file import ScheduleFile, read_schedule
from portal.rates.services import import_edition
from portal.tables import Kind
from portal.tables.cells import in_one_form
from portal.tables.pdf_writing import _font

Records = list[tuple[Any, ...]]
ENDING = {Kind.CSV: "csv", Kind.XLSX: "xlsx", Kind.XLS: "xls", Kind.PDF: "pdf"}
COMPARED = (
    "code",
    "description",
    "long_description",
    "trade",
    "unit",
    "rate_pence",
    "smv",
    "composite",
    "vat_bp",
    "withdrawn_on",
    "withdrawn_reason",
    "words",
)


def contents(made: Edition) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Every column of an edition's items in their order, and every component."""
    db.session.rollback()
    items = db.session.execute(
        select(*(getattr(Item, name) for name in COMPARED)).where(Item.edition_id == made.id).order_by(Item.id)
    )
    part = aliased(Item)
    components = db.session.execute(
        select(Item.code, part.code, Component.quantity)
        .join_from(Component, Item, Item.id == Component.composite_id)
        .join(part, part.id == Component.part_id)
        .where(Item.edition_id == made.id)
        .order_by(Component.id)
    )
    return [tuple(row) for row in items], [tuple(row) for row in components]


def brought_in(file: ScheduleFile) -> Edition:
    with transaction():
        return import_edition(
            file,
            schedule_code=unique("SOR"),
            edition_name="2026",
            starts_on=date(2026, 4, 1),
            by=OFFICER,
            now=NOW,
        )


def there_and_back(made: Edition, kind: Kind, folder: Path) -> Edition:
    """``made`` as a file, and the edition that this file makes."""
    path = folder / f"list.{ENDING[kind]}"
    write_edition_file(made, kind, path)
    read = read_schedule(path)
    assert read.problems == []
    return brought_in(read)


def listed(*records: Sequence[Any]) -> ScheduleFile:
    """A price list out of the columns of ``schedule_file.FIELDS``."""
    return ScheduleFile("list.csv", [(row, *record) for row, record in enumerate(records, 2)], {}, [], [])


def item(code: str, description: str = "Grab rail", rate: int = 1250, **more: Any) -> tuple[Any, ...]:
    """One record."""
    return (
        code,
        description,
        more.get("long_description"),
        more.get("trade"),
        more.get("unit", "nr"),
        rate,
        more.get("smv"),
        more.get("composite"),
        more.get("components"),
        more.get("vat"),
        more.get("withdrawn"),
        more.get("withdrawn_reason"),
    )


AWKWARD = listed(
    item("007", "Total", vat=0),
    item("1e3", "Façade, “fini” à neuf; £5 per m² ½ day", unit="m²", smv=Decimal("0.125")),
    item("3-4", 'The 5" pipe, said "so"', trade="Plumbing & heating"),
    item("=SUM(A1)", "=1+1", long_description="'=1"),
    item("+44", "-5", trade="@home"),
    item("'x", "' apostrophe", long_description="'"),
    item("-5", "1,234.50", unit="1.234"),
    item("TRUE", "no", composite=True, rate=0),
    item("31/01/2026", "2026-01-31", withdrawn=date(2026, 2, 28), withdrawn_reason="Replaced by 007; see there"),
    item("_x0041_", "_x000D_ is no line break", vat=500),
    item("code", "description", unit="unit", trade="trade"),
    item("W" * 64, "w" * 400, unit="u" * 40, trade="t" * 200),
    item("LONG", "x", long_description=("Words of all lengths " * 190).strip()),
    item("WORD", "x", long_description="y" * 400),
    item("BIG", "x", rate=MOST_RATE_PENCE, smv=Decimal("999999.999")),
    item("SUM", "Wet room", components="007*1;1e3*4.125;3-4*0.001;-5*999999.999", smv=Decimal(1000)),
)


@pytest.mark.parametrize("kind", list(Kind))
def test_awkward_texts_codes_and_numbers_come_back_as_they_were(app: Flask, tmp_path: Path, kind: Kind) -> None:
    made = brought_in(AWKWARD)
    assert contents(there_and_back(made, kind, tmp_path)) == contents(made)


@cache
def letters_of_the_font() -> list[str]:
    """Every character that the PDF's font can show and a list can hold."""
    return [
        chr(code)
        for code in sorted(_font().face.charToGlyph)
        if 0x20 < code <= 0xFFFF and not 0x7F <= code <= 0x9F and not 0xD800 <= code <= 0xDFFF
    ]


def texts(letters: st.SearchStrategy[str], longest: int, least: int = 1) -> st.SearchStrategy[str]:
    """Texts as an import keeps them: in one form, no spreadsheet errors, not too long."""
    word = st.one_of(
        st.text(letters, min_size=1, max_size=14),
        st.sampled_from(
            ["Total", "=1", "-5", "'", "'=x", "1e3", "£12", "m²", '"', ",", ";", "*", "007", "+", "@", "é"]
        ),
    )
    words = st.lists(word, min_size=least, max_size=12)
    return (
        words.map(lambda each: in_one_form([" ".join(each).strip()])[0][:longest].strip())
        .filter(lambda text: len(text) >= least)
        .filter(lambda text: not text.startswith("#"))
    )


def lists_of(letters: st.SearchStrategy[str]) -> st.SearchStrategy[Records]:
    """A few items with every column, the last one made of some of the others."""
    quantity = st.integers(1, 999_999_999).map(lambda thousandths: Decimal(thousandths) / 1000)
    withdrawn = st.one_of(
        st.just((None, None)), st.tuples(st.dates(date(1900, 1, 1), date(2199, 12, 31)), texts(letters, 500))
    )
    record = st.tuples(
        texts(letters, 64).filter(lambda code: ";" not in code),
        texts(letters, 400),
        texts(letters, 4_000, 0),
        texts(letters, 200, 0),
        texts(letters, 40),
        st.integers(0, MOST_RATE_PENCE),
        st.one_of(st.none(), quantity),
        st.booleans(),
        st.just(""),
        st.sampled_from([0, 500, 2000]),
        withdrawn,
    )
    plain = st.lists(record, min_size=1, max_size=6, unique_by=lambda each: each[0])
    return st.tuples(plain, st.lists(quantity, min_size=6, max_size=6)).map(lambda made: _with_composite(*made))


def _with_composite(records: Records, quantities: list[Decimal]) -> Records:
    whole = [(*record[:10], *record[10]) for record in records]
    parts = ";".join(f"{record[0]}*{quantity:f}" for record, quantity in zip(whole[1:], quantities, strict=False))
    return [(*whole[0][:8], parts, *whole[0][9:]), *whole[1:]]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_any_edition_comes_back_from_a_pdf_as_it_was(
    app: Flask, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    records = data.draw(lists_of(st.sampled_from(letters_of_the_font())))
    made = brought_in(listed(*records))
    assert contents(there_and_back(made, Kind.PDF, tmp_path_factory.mktemp("pdf"))) == contents(made)


ANY_LETTER = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from([Kind.CSV, Kind.XLSX, Kind.XLS]), lists_of(ANY_LETTER))
def test_any_edition_comes_back_from_a_spreadsheet_as_it_was(
    app: Flask, tmp_path_factory: pytest.TempPathFactory, kind: Kind, records: Records
) -> None:
    made = brought_in(listed(*records))
    assert contents(there_and_back(made, kind, tmp_path_factory.mktemp("sheet"))) == contents(made)


# What a format cannot hold --------------------------------------------------------------------------------------------


def refusal(made: Edition, kind: Kind, path: Path) -> str:
    """Why an edition is not written; nothing of it is."""
    with pytest.raises(RuleBroken) as refused:
        write_edition_file(made, kind, path)
    assert not path.exists()
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a lift \N{WHEELCHAIR SYMBOL} \N{ELEVATOR}", "(U+1F6D7) cannot be shown in a PDF"),
        ("漢字", "(U+6F22) cannot be shown in a PDF; write the list as XLSX or CSV"),
    ],
)
def test_a_text_that_a_pdf_cannot_show_is_refused_with_the_remedy(
    app: Flask, tmp_path: Path, text: str, why: str
) -> None:
    made = brought_in(listed(item("A", long_description=text)))
    assert why in refusal(made, Kind.PDF, tmp_path / "list.pdf")
    assert contents(there_and_back(made, Kind.XLSX, tmp_path)) == contents(made)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_list_longer_than_a_format_is_refused_with_the_remedy(app: Flask, tmp_path: Path) -> None:
    made = edition({f"A{number:05d}": 100 for number in range(65_536)})
    assert "more than 65,535 rows" in refusal(made, Kind.XLS, tmp_path / "list.xls")
    assert "write it as XLSX or CSV" in refusal(made, Kind.XLS, tmp_path / "list.xls")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_pdf_of_more_pages_than_are_read_is_refused_with_the_remedy(app: Flask, tmp_path: Path) -> None:
    tall = {"long_description": ("many words " * 360).strip()}
    made = brought_in(listed(*(item(f"A{number:05d}", **tall) for number in range(13_000))))
    assert "longer than 2,000 pages" in refusal(made, Kind.PDF, tmp_path / "list.pdf")


@pytest.mark.parametrize(("kind", "why"), [(Kind.XLSX, "holds 32,767"), (Kind.XLS, "holds 32,767")])
def test_a_composite_of_more_parts_than_a_cell_holds_is_refused_with_the_remedy(
    app: Flask, tmp_path: Path, kind: Kind, why: str
) -> None:
    codes = [f"{number:04d}{'X' * 50}" for number in range(1_100)]
    whole = [item("SUM", components=";".join(f"{code}*1" for code in codes[:500])), *(item(code) for code in codes)]
    made = brought_in(listed(*whole))
    with transaction():
        ids = {code: item_id for item_id, code in db.session.execute(
            select(Item.id, Item.code).where(Item.edition_id == made.id))}  # fmt: skip
        db.session.add_all(Component(ids["SUM"], ids[code], Decimal(1)) for code in codes[500:])
    assert why in refusal(made, kind, tmp_path / f"list.{ENDING[kind]}")


# The verb -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Kind))
def test_the_verb_writes_what_the_verb_brings_in(portal: Callable[..., Result], tmp_path: Path, kind: Kind) -> None:
    made = edition({"LAS010": 120_00, "007": 5})
    path = tmp_path / f"list.{ENDING[kind]}"
    schedule = made.schedule.code
    shown = portal("rates", "export", path, "--schedule", schedule, "--edition", made.name, "--json")
    assert json.loads(shown.stdout) == {"file": str(path), "schedule": schedule, "edition": made.name, "items": 2}
    portal("rates", "import", path, "--schedule", "AGAIN", "--edition", "1", "--from", "2026-04-01")
    again = db.session.scalars(select(Edition).where(Edition.name == "1")).one()
    assert contents(again) == contents(made)


def test_the_verb_does_not_write_over_a_file_unless_told_to(portal: Callable[..., Result], tmp_path: Path) -> None:
    made = edition()
    words = ("rates", "export", tmp_path / "list.csv", "--schedule", made.schedule.code, "--edition", made.name)
    (tmp_path / "list.csv").write_text("mine", encoding="utf-8")
    assert "write over it with --force" in portal(*words, code=1).stderr
    assert (tmp_path / "list.csv").read_text(encoding="utf-8") == "mine"
    portal(*words, "--force")
    assert read_schedule(tmp_path / "list.csv").problems == []


def test_the_verb_refuses_an_ending_that_is_no_list_and_an_edition_that_is_not_there(
    portal: Callable[..., Result], tmp_path: Path
) -> None:
    made = edition()
    schedule = made.schedule.code
    refused = portal("rates", "export", tmp_path / "a.docx", "--schedule", schedule, "--edition", made.name, code=1)
    assert "must end in .csv, .xlsx, .xls, .pdf" in refused.stderr
    refused = portal("rates", "export", tmp_path / "a.csv", "--schedule", schedule, "--edition", "none", code=1)
    assert "has no edition none" in refused.stderr
    refused = portal(
        "rates", "export", tmp_path / "no" / "a.csv", "--schedule", schedule, "--edition", made.name, code=1
    )
    assert "cannot be written" in refused.stderr


@pytest.mark.parametrize(
    ("kind", "items", "said"),
    [(Kind.XLS, 65_536, "65,535 rows"), (Kind.XLSX, 1_048_576, "1,048,575 rows"), (Kind.PDF, 90_000, "2,000 pages")],
)
def test_a_list_too_long_for_its_format_is_refused_by_its_count_before_it_is_read(
    app: Flask, tmp_path: Path, kind: Kind, items: int, said: str
) -> None:
    made = edition()
    # Counted alone: reading the items would find three of them, and write them.
    made.item_count = items

    with db.session.no_autoflush, pytest.raises(RuleBroken, match=said):
        write_edition_file(made, kind, tmp_path / "list")

    assert not (tmp_path / "list").exists()


def test_two_lists_are_written_at_once_and_a_third_is_told_to_come_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = edition()
    monkeypatch.setattr(exporting, "PATIENCE_SECONDS", 0.05)
    with exporting._turns:
        write_edition_file(made, Kind.CSV, tmp_path / "second.csv")
        with exporting._turns, pytest.raises(RuleBroken, match="try again in a minute"):
            write_edition_file(made, Kind.CSV, tmp_path / "third.csv")

    assert write_edition_file(made, Kind.CSV, tmp_path / "third.csv") == made.item_count
