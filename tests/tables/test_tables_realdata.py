"""The real files of the shared data, read in place."""

import random
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from portal.kernel.errors import InputRefused
from portal.tables import Field, Mapping, Reading, read_records, words

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the shared data are not there: {DATA} is missing"),
]
SCHEDULE = (
    Field("code", "text", words=words.CODE),
    Field("description", "text", words=words.DESCRIPTION),
    Field("long_description", "text", required=False, words=words.LONG_DESCRIPTION, default=""),
    Field("trade", "text", required=False, words=words.TRADE, default=""),
    Field("unit", "text", words=words.UNIT),
    Field("rate", "money", words=words.RATE),
    Field("date", "month", words=words.DATE),
)
BIDS = (
    Field("code", "text", words=words.CODE),
    Field("description", "text", words=words.DESCRIPTION),
    Field("quantity", "decimal", words=words.QUANTITY),
    Field("unit", "text", words=words.UNIT),
    Field("rate", "money", words=words.RATE),
    Field("date", "date", words=words.DATE),
    Field("contractor", "text", words=words.CONTRACTOR),
    Field("amount", "money", words=words.AMOUNT),
)


def test_the_andalusian_price_bank_is_read_without_a_map() -> None:
    reading = read_records(DATA / "sor" / "andalucia_maintenance.csv", SCHEDULE)
    assert reading.columns == {
        "code": "Código",
        "description": "Resumen",
        "long_description": "Texto",
        "trade": "Capítulo",
        "unit": "Ud",
        "rate": "Precio",
        "date": "Fecha",
    }
    assert len(reading.records) == 287
    assert [(problem.row, problem.column) for problem in reading.problems] == [(136, "Ud")]
    row, code, _, _, _, unit, rate, month = reading.records[0]
    assert (row, code, unit, rate, month) == (2, "06RLA01000", "m2", 7044, date(2021, 12, 1))


def test_a_default_of_the_map_brings_in_the_item_without_a_unit(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[defaults]\nunit = "u"\n', encoding="utf-8")
    reading = read_records(DATA / "sor" / "andalucia_maintenance.csv", SCHEDULE, Mapping.read(tmp_path / "map.toml"))
    assert (len(reading.records), reading.problems) == (288, [])


@pytest.mark.parametrize(("name", "lines"), [("indot_2024-03-20.xls", 445), ("indot_2023-04-05.xls", 22)])
def test_the_lettings_are_read_and_every_line_multiplies_out(name: str, lines: int) -> None:
    reading = read_records(DATA / "bids" / name, BIDS)
    assert (len(reading.records), reading.problems) == (lines, [])
    for _, _, _, quantity, _, rate, _, _, amount in reading.records:
        assert abs(quantity * rate - amount) <= Decimal("0.5")


def test_american_dates_that_prove_themselves_are_read() -> None:
    reading = read_records(DATA / "bids" / "indot_2024-03-20.xls", BIDS)
    assert {record[6] for record in reading.records} == {date(2024, 3, 20)}


def test_the_bid_tabulation_with_a_price_for_each_bidder_is_not_taken_for_a_plain_list() -> None:
    with pytest.raises(InputRefused) as refusal:
        read_records(DATA / "bids" / "PDX_2024D045.xlsx", BIDS[:5], table="Bid Tabulation")
    (problem,) = refusal.value.problems
    assert (problem.sheet, problem.row, problem.column) == ("Bid Tabulation", 7, "rate")
    assert "5 columns fit rate" in problem.message


def outcome(path: Path) -> Reading | InputRefused:
    try:
        return read_records(path, SCHEDULE[:2])
    except InputRefused as refusal:
        return refusal


@pytest.mark.parametrize(
    "name", ["bids/indot_2023-04-05.xls", "quotes/plumber_issue-140-example.pdf", "sor/andalucia_maintenance.csv"]
)
def test_a_damaged_real_file_is_read_or_refused_but_never_breaks(tmp_path: Path, name: str) -> None:
    good = (DATA / name).read_bytes()
    path = tmp_path / Path(name).name
    for seed in range(40):
        chance = random.Random(seed)
        changed = bytearray(good)
        for _ in range(chance.randint(1, 30)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed[: chance.choice([len(changed), chance.randrange(len(changed))])])
        result = outcome(path)
        assert isinstance(result, Reading) or result.problems
