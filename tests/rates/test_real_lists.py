"""The real price bank of the shared data, in every format: always the same edition."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import pytest
import xlwt
from builders import NOW, OFFICER, unique
from flask import Flask
from openpyxl import Workbook
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate
from sqlalchemy import func, select

from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused
from portal.rates.exporting import write_edition_file
from portal.rates.models import Edition, Item
from portal.rates.schedule_file import read_schedule
from portal.rates.services import import_edition
from portal.tables import Kind, Mapping

PRICE_BANK = Path(__file__).resolve().parents[3] / "shared" / "data" / "sor" / "andalucia_maintenance.csv"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not PRICE_BANK.is_file(), reason=f"the shared data are not there: {PRICE_BANK} is missing"),
]
#: The one item of the bank that has no unit.
WITHOUT_UNIT = 136
Rows = list[list[str]]


def bank() -> Rows:
    """The header and the rows of the price bank."""
    with PRICE_BANK.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file, delimiter=","))


def number(text: str) -> float:
    """A Spanish price as a workbook keeps it."""
    return float(text.replace(".", "").replace(",", "."))


def as_csv(path: Path, rows: Rows) -> None:
    path.write_bytes(PRICE_BANK.read_bytes())


def as_xlsx(path: Path, rows: Rows) -> None:
    """A workbook as a person keeps it: prices are numbers."""
    workbook = Workbook()
    price = rows[0].index("Precio")
    for at, row in enumerate(rows):
        workbook.worksheets[0].append([number(c) if at and n == price else c for n, c in enumerate(row)])
    workbook.save(path)


def as_xls(path: Path, rows: Rows) -> None:
    """The same in the old format."""
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Precios")
    price = rows[0].index("Precio")
    for at, row in enumerate(rows):
        for n, text in enumerate(row):
            sheet.write(at, n, number(text) if at and n == price else text)
    workbook.save(str(path))


def as_pdf(path: Path, rows: Rows) -> None:
    """A ruled table over many pages, its header repeated on each, as a word processor prints it."""
    registerFont(TTFont("Bank", str(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"))))
    small = ParagraphStyle("small", fontName="Bank", fontSize=6, leading=7.5)

    def cells(row: Sequence[str]) -> Iterable[Paragraph]:
        return [Paragraph(text.replace("&", "&amp;").replace("<", "&lt;"), small) for text in row]

    widths = {"Texto": 290, "Resumen": 130, "Código": 70, "Precio": 50, "Ud": 25}
    table = LongTable(
        [list(cells(row)) for row in rows],
        colWidths=[widths.get(header, 80) for header in rows[0]],
        repeatRows=1,
        splitByRow=1,
        style=[("GRID", (0, 0), (-1, -1), 0.5, "black")],
    )
    SimpleDocTemplate(str(path), pagesize=(1.3 * landscape(A4)[0], landscape(A4)[1])).build([table])


WRITERS: dict[str, Callable[[Path, Rows], None]] = {"csv": as_csv, "xlsx": as_xlsx, "xls": as_xls, "pdf": as_pdf}


def brought_in(path: Path, mapping: Mapping | None = None) -> Edition:
    with transaction():
        return import_edition(
            read_schedule(path, mapping),
            schedule_code=unique("BCCA"),
            edition_name="2021",
            starts_on=date(2021, 12, 1),
            by=OFFICER,
            now=NOW,
            currency="EUR",
        )


def items(made: Edition) -> list[tuple[Any, ...]]:
    names = ("code", "description", "long_description", "trade", "unit", "rate_pence", "smv", "composite", "words")
    return [
        tuple(row)
        for row in db.session.execute(
            select(*(getattr(Item, name) for name in names)).where(Item.edition_id == made.id).order_by(Item.id)
        )
    ]


@pytest.fixture
def unit_given(tmp_path: Path) -> Mapping:
    (tmp_path / "map.toml").write_text('[defaults]\nunit = "u"\n', encoding="utf-8")
    return Mapping.read(tmp_path / "map.toml")


@pytest.mark.parametrize("kind", WRITERS)
def test_the_item_without_a_unit_keeps_the_bank_out_in_every_format(app: Flask, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"bank.{kind}"
    WRITERS[kind](path, bank())
    with pytest.raises(InputRefused) as refused:
        brought_in(path)
    (problem,) = refused.value.problems
    assert (problem.column, "unit needs a text" in problem.message) == ("Ud", True)
    assert kind == "pdf" or problem.row == WITHOUT_UNIT
    assert db.session.scalar(select(func.count()).select_from(Item)) == 0


def test_the_bank_makes_one_edition_whatever_format_it_comes_in(
    app: Flask, tmp_path: Path, unit_given: Mapping
) -> None:
    made = {}
    for kind, write in WRITERS.items():
        write(tmp_path / f"bank.{kind}", bank())
        made[kind] = items(brought_in(tmp_path / f"bank.{kind}", unit_given))
    assert len(made["csv"]) == 288
    assert made["csv"][0][:2] == ("06RLA01000", bank()[1][bank()[0].index("Resumen")])
    for kind in ("xlsx", "xls", "pdf"):
        assert made[kind] == made["csv"], kind


def test_without_the_item_that_has_no_unit_the_bank_has_287_items(app: Flask, tmp_path: Path) -> None:
    rows = [row for number, row in enumerate(bank(), 1) if number != WITHOUT_UNIT]
    as_xlsx(tmp_path / "bank.xlsx", rows)
    as_xls(tmp_path / "bank.xls", rows)
    as_pdf(tmp_path / "bank.pdf", rows)
    one, *others = [items(brought_in(tmp_path / f"bank.{kind}")) for kind in ("xlsx", "xls", "pdf")]
    assert len(one) == 287
    assert others == [one, one]


@pytest.mark.parametrize("kind", list(Kind))
def test_the_bank_exported_comes_back_as_it_was(app: Flask, tmp_path: Path, unit_given: Mapping, kind: Kind) -> None:
    made = brought_in(PRICE_BANK, unit_given)
    target = BytesIO()
    assert write_edition_file(made, kind, target) == 288
    (tmp_path / "list").write_bytes(target.getvalue())
    assert items(brought_in(tmp_path / "list")) == items(made)
