"""Numbers as people write them, in both conventions."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tables.numbers import (
    CellError,
    Convention,
    convention,
    parse_decimal,
    parse_integer,
    parse_money,
    parse_percent,
    written,
)

PENCE = st.integers(min_value=0, max_value=10**13)


def with_decimal(pence: int, mark: str, group: str) -> str:
    whole, rest = divmod(pence, 100)
    return f"{whole:,}".replace(",", group) + f"{mark}{rest:02d}"


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("£12", 1200),
        (" 12 ", 1200),
        ("12.5", 1250),
        ("1,234.50", 123450),
        ("£ 1,234.50", 123450),
        ("1 234.50", 123450),
        ("1\u202f234.50", 123450),
        ("12.5000", 1250),
        (".5", 50),
        ("12 GBP", 1200),
        ("-5", -500),
        ("-£5.25", -525),
        ("£-5.25", -525),
    ],
)
def test_an_amount_with_a_decimal_point_is_read_to_the_penny(text: str, pence: int) -> None:
    assert parse_money(text) == pence


@pytest.mark.parametrize(
    ("text", "pence"), [("70,44", 7044), ("1.234,50", 123450), ("12,5 €", 1250), ("1.234", 123400), ("12", 1200)]
)
def test_an_amount_with_a_decimal_comma_is_read_to_the_penny(text: str, pence: int) -> None:
    assert parse_money(text, ",") == pence


@given(
    pence=PENCE,
    convention_of=st.sampled_from([(".", ","), (",", "."), (".", ""), (",", ""), (".", "\u00a0"), (",", "'")]),
)
def test_money_written_in_either_convention_comes_back_exactly(pence: int, convention_of: tuple[str, str]) -> None:
    mark, group = convention_of
    assert parse_money(with_decimal(pence, mark, group), mark) == pence


@given(pence=PENCE, mark=st.sampled_from([".", ","]))
def test_two_decimals_always_prove_the_decimal_mark(pence: int, mark: str) -> None:
    expected = Convention.POINT if mark == "." else Convention.COMMA
    assert convention(with_decimal(pence, mark, "")) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234", Convention.DOUBTFUL),
        ("1,234", Convention.DOUBTFUL),
        ("£1,234", Convention.POINT),
        ("1,234,567", Convention.POINT),
        ("1.234.567", Convention.COMMA),
        ("0.125", Convention.POINT),
        ("0,125", Convention.COMMA),
        ("1234.567", Convention.POINT),
        ("12", Convention.EITHER),
        ("1 234", Convention.EITHER),
        ("TBC", Convention.NONE),
    ],
)
def test_a_text_proves_one_convention_or_says_that_it_does_not(text: str, expected: Convention) -> None:
    assert convention(text) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12.345", "3 decimals"),
        ("#REF!", "error of the spreadsheet"),
        ("TBC", "leave the row out until it is known"),
        ("1e3", "scientific notation"),
        ("(12.00)", "brackets"),
        ("12,50", "decimal comma"),
        ("12/m2", "write only the figure"),
        ("1,23,456.00", "write only the figure"),
        ("£$5", "write only the figure"),
        ("--5", "write only the figure"),
        ("1234567890123456", "too large"),
        ("١٢", "write only the figure"),
    ],
)
def test_what_is_not_an_amount_is_refused_with_its_own_remedy(text: str, words: str) -> None:
    with pytest.raises(CellError, match="^.*" + words.replace("(", r"\(")):
        parse_money(text)


@given(st.text(max_size=30))
def test_any_text_at_all_gives_pence_or_a_whole_sentence(text: str) -> None:
    sentence = None
    pence = None
    try:
        pence = parse_money(text)
    except CellError as fault:
        sentence = str(fault)
    assert isinstance(pence, int) or (sentence is not None and sentence.endswith("."))


@given(st.decimals(min_value=-99999, max_value=99999, places=3))
def test_a_quantity_comes_back_as_the_same_decimal(quantity: Decimal) -> None:
    assert parse_decimal(str(quantity)) == quantity
    assert parse_decimal(str(quantity).replace(".", ","), ",") == quantity


@pytest.mark.parametrize(("text", "points"), [("2.5", 250), ("2.5%", 250), ("-2.5 %", -250), ("+3", 300), ("0.01", 1)])
def test_a_percentage_is_read_as_basis_points(text: str, points: int) -> None:
    assert parse_percent(text) == points


def test_a_whole_number_has_no_decimals() -> None:
    assert parse_integer("1,234") == 1234
    assert parse_integer("3.0") == 3
    with pytest.raises(CellError, match="no decimals are allowed"):
        parse_integer("3.5")


@pytest.mark.parametrize(
    ("number", "text"), [(70.44, "70.44"), (0.1 + 0.2, "0.3"), (1e21, "1" + "0" * 21), (5.0, "5"), (7, "7")]
)
def test_a_spreadsheet_number_is_written_as_it_was_typed(number: float, text: str) -> None:
    assert written(number) == text


@given(PENCE.filter(lambda pence: pence < 10**12))
def test_an_amount_kept_as_a_spreadsheet_number_comes_back_exactly(pence: int) -> None:
    assert parse_money(written(pence / 100)) == pence
