"""Reading CSV lists: what a person would read, or a refusal with place and remedy."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from portal.kernel.errors import InputRefused, Problem
from portal.tables import Field, Mapping, Reading, read_records, words

FIELDS = (
    Field("code", "text", words=words.CODE),
    Field("description", "text", words=words.DESCRIPTION),
    Field("unit", "text", words=words.UNIT),
    Field("rate", "money", words=words.RATE),
)
Read = Callable[..., Reading]
HEADER = "code,description,unit,rate\n"
GOOD = HEADER + "A1,Grab rail,nr,12.50\nA2,Ramp,m2,100.00\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_text(
        text: str | bytes, mapping: str = "", fields: tuple[Field, ...] = FIELDS, name: str = "list.csv"
    ) -> Reading:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if not mapping:
            return read_records(path, fields)
        (tmp_path / "map.toml").write_text(mapping, encoding="utf-8")
        return read_records(path, fields, Mapping.read(tmp_path / "map.toml"))

    return read_text


def refused(call: Read, *arguments: object, **named: object) -> Problem:
    with pytest.raises(InputRefused) as refusal:
        call(*arguments, **named)
    assert len(refusal.value.problems) == 1
    return refusal.value.problems[0]


def only_problem(reading: Reading) -> Problem:
    assert len(reading.problems) == 1
    return reading.problems[0]


def test_a_plain_list_gives_records_with_their_rows(read: Read) -> None:
    reading = read(GOOD)
    assert reading.records == [(2, "A1", "Grab rail", "nr", 1250), (3, "A2", "Ramp", "m2", 10000)]
    assert (reading.file, reading.header_row, reading.problems) == ("list.csv", 1, [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read: Read, delimiter: str) -> None:
    text = (
        delimiter.join(["code", "description", "unit", "rate"])
        + "\n"
        + delimiter.join(["A1", '"a, b; c | d"', "nr", "12.50"])
    )
    assert read(text).records == [(2, "A1", "a, b; c | d", "nr", 1250)]


def test_a_delimiter_that_excel_hints_at_is_taken(read: Read) -> None:
    assert read("sep=;\ncode;description;unit;rate\nA1;Rail;nr;1,50\n").records == [(3, "A1", "Rail", "nr", 150)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_text_is_read_with_and_without_a_byte_order_mark(read: Read, encoding: str) -> None:
    reading = read((HEADER + "A1,Façade – 2 m²,nr,12.50\n").encode(encoding))
    assert reading.records == [(2, "A1", "Façade – 2 m²", "nr", 1250)]


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_line_endings_do_not_change_rows_or_texts(read: Read, ending: str) -> None:
    text = (HEADER + 'A1,"two\nlines",nr,1.50\n\nA2,Ramp,m2,2.50\n').replace("\n", ending)
    assert read(text).records == [(2, "A1", "two\nlines", "nr", 150), (5, "A2", "Ramp", "m2", 250)]


def test_windows_text_is_refused_with_row_column_and_both_remedies(read: Read) -> None:
    problem = refused(read, (HEADER + "A1,Rail,nr,1.00\nA2,Façade,nr,2.00\n").encode("cp1252"))
    assert (problem.row, problem.column) == (3, "description")
    assert "0xE7" in problem.message
    assert '"Façade"' in problem.message
    assert "CSV UTF-8" in problem.message
    assert 'encoding = "cp1252"' in problem.message


def test_windows_text_is_read_when_the_map_says_so(read: Read) -> None:
    reading = read((HEADER + "A1,Façade,nr,1.00\n").encode("cp1252"), '[options]\nencoding = "cp1252"')
    assert reading.records == [(2, "A1", "Façade", "nr", 100)]


def test_a_decimal_comma_is_read_when_the_column_proves_it(read: Read) -> None:
    reading = read("code;description;unit;rate\nA1;Rail;nr;70,44\nA2;Ramp;m2;1.234,50\nA3;Lift;nr;2.000\n")
    assert [record[4] for record in reading.records] == [7044, 123450, 200000]


def test_thousands_are_read_when_the_column_proves_a_decimal_point(read: Read) -> None:
    reading = read(HEADER + 'A1,Rail,nr,"1,234.50"\nA2,Ramp,m2,"2,000"\nA3,Lift,nr,£12\n')
    assert [record[4] for record in reading.records] == [123450, 200000, 1200]


def test_a_number_that_can_mean_two_things_is_a_problem_that_names_the_option(read: Read) -> None:
    reading = read(HEADER + "A1,Rail,nr,1.234\n")
    problem = only_problem(reading)
    assert (problem.row, problem.column) == (2, "rate")
    assert "decimal =" in problem.message
    assert reading.records == []


@pytest.mark.parametrize(("mark", "pence"), [(",", 123400)])
def test_the_map_settles_what_an_ambiguous_number_means(read: Read, mark: str, pence: int) -> None:
    reading = read(HEADER + "A1,Rail,nr,1.234\n", f'[options]\ndecimal = "{mark}"')
    assert reading.records[0][4] == pence


def test_a_column_without_evidence_follows_the_other_columns(read: Read) -> None:
    fields = (*FIELDS, Field("quantity", "decimal"))
    reading = read("code,description,unit,rate,quantity\nA1,Rail,nr,12.50,1.234\n", fields=fields)
    assert reading.records[0][5] == Decimal("1.234")


def test_a_column_written_both_ways_names_the_odd_rows(read: Read) -> None:
    reading = read("code;description;unit;rate\nA1;a;nr;12.50\nA2;b;nr;13.50\nA3;c;nr;70,44\nA4;d;nr;1.234\n")
    assert [(problem.row, problem.column) for problem in reading.problems] == [(4, "rate"), (5, "rate")]
    assert "decimal comma" in reading.problems[0].message
    assert [record[0] for record in reading.records] == [2, 3]


@pytest.mark.parametrize(
    ("cell", "words_of_it"),
    [
        ("-5", "is negative"),
        ("12.345678", "6 decimals"),
        ("#REF!", "error of the spreadsheet"),
        ("TBC", "leave the row out"),
        ("1e3", "scientific notation"),
        ("", "The cell is empty; rate needs an amount, such as 12.50"),
        ("=1+1", "is a formula"),
        ("\x07 1", "U+0007"),
    ],
)
def test_a_bad_rate_is_a_problem_with_row_column_and_remedy(read: Read, cell: str, words_of_it: str) -> None:
    reading = read(HEADER + f"A1,Rail,nr,1.50\nA2,Ramp,m2,{cell}\nA3,Lift,nr,2.50\n")
    problem = only_problem(reading)
    assert (problem.row, problem.column, problem.file) == (3, "rate", "list.csv")
    assert words_of_it in problem.message
    assert [record[0] for record in reading.records] == [2, 4]


def test_a_negative_amount_is_read_where_the_field_allows_it(read: Read) -> None:
    fields = (*FIELDS[:3], Field("rate", "money", minimum=-100_00))
    assert read(HEADER + "A1,Credit,nr,-5\n", fields=fields).records[0][4] == -500


def test_a_formula_in_a_column_nobody_wants_is_no_problem(read: Read) -> None:
    assert read("code,description,unit,rate,note\nA1,Rail,nr,1.50,=1+1\n").problems == []


def test_a_text_that_an_export_made_harmless_comes_back_as_it_was(read: Read) -> None:
    assert read(HEADER + "A1,'=SUM of parts,nr,1.50\nA2,'quoted',nr,1.50\n").records[0][2] == "=SUM of parts"


def test_a_text_of_over_four_thousand_characters_is_a_problem(read: Read) -> None:
    problem = only_problem(read(HEADER + f"A1,{'x' * 4001},nr,1.50\n"))
    assert (problem.row, problem.column) == (2, "description")
    assert "4,001 characters" in problem.message


def test_a_row_with_too_many_cells_is_a_problem(read: Read) -> None:
    problem = only_problem(read(HEADER + "A1,Rail,nr,1,50,00\nA2,Ramp,m2,2.00,,\n"))
    assert problem.row == 2
    assert "6 cells, but the header has 4" in problem.message


def test_a_row_with_too_few_cells_lacks_them(read: Read) -> None:
    problem = only_problem(read(HEADER + "A1,Rail\nA2,Ramp,m2,2.00\n".replace("A1,Rail", "A1,Rail,nr")))
    assert (problem.row, problem.column) == (2, "rate")


def test_a_quotation_mark_that_never_closes_is_refused_with_the_row_it_opens_in(read: Read) -> None:
    problem = refused(read, HEADER + 'A1,Rail,nr,1.00\nA2,"Ramp,m2,2.00\nA3,Lift,nr,3.00\n')
    assert problem.row == 3
    assert "never closed" in problem.message


def test_text_after_a_closing_quotation_mark_is_refused_with_its_row(read: Read) -> None:
    problem = refused(read, HEADER + 'A1,"12" pipe,nr,1.00\n')
    assert problem.row == 2
    assert 'twice ("")' in problem.message


def test_titles_empty_rows_repeated_headers_and_totals_are_left_out_and_counted(read: Read) -> None:
    text = (
        "Council price list,,,\n,,,\n" + HEADER + "A1,Rail,nr,1.50\n,,,\n" + HEADER + "A2,Ramp,m2,2.50\nTotal,,,4.00\n"
        ",Grand total incl. VAT,,4.80\n"
    )
    reading = read(text)
    assert [record[0] for record in reading.records] == [4, 7]
    assert [row for row, _ in reading.set_aside] == [6, 8, 9]
    assert (reading.header_row, reading.problems) == (3, [])


def test_an_item_called_total_something_is_not_taken_for_a_total(read: Read) -> None:
    reading = read(HEADER + "A1,Total hip support rail,nr,1.50\n,Total refurbishment,nr,2.00\n")
    assert len(reading.records) == 1
    assert only_problem(reading).row == 3


def test_a_header_on_two_rows_is_read_as_one(read: Read) -> None:
    reading = read("code,description,Price,\n,,unit,rate\nA1,Rail,nr,1.50\n")
    assert reading.records == [(3, "A1", "Rail", "nr", 150)]


def test_a_missing_column_is_named_with_the_headers_found_and_the_map(read: Read) -> None:
    problem = refused(read, "code,description,unit,Cost each\nA1,Rail,nr,1.50\n")
    assert (problem.row, problem.column) == (1, "rate")
    assert "code, description, unit, Cost each" in problem.message
    assert 'rate = "Cost each"' in problem.message
    assert "--map" in problem.message


def test_two_columns_that_fit_one_field_are_refused(read: Read) -> None:
    problem = refused(read, "code,description,unit,rate,Unit price\nA1,Rail,nr,1.50,2.00\n")
    assert problem.column == "rate"
    assert "2 columns fit rate: rate, Unit price" in problem.message


def test_one_column_that_fits_two_fields_is_refused(read: Read) -> None:
    fields = (Field("code", "text", words=("item",)), Field("description", "text", words=("item",)))
    assert "fits code and description" in refused(read, "item,x\nA1,1\n", fields=fields).message


def test_a_list_without_a_header_is_refused(read: Read) -> None:
    problem = refused(read, "A1,Rail,nr,1.50\nA2,Ramp,m2,2.50\n")
    assert "No header was found" in problem.message


def test_a_header_without_rows_is_refused(read: Read) -> None:
    assert "no rows below the header" in refused(read, HEADER).message


def test_the_map_names_columns_defaults_and_the_header_row(read: Read) -> None:
    mapping = 'rate = "Cost each"\n[defaults]\nunit = "nr"\n[options]\nheader_row = 2\n'
    reading = read("rate,unit\ncode,description,unit,Cost each\nA1,Rail,,1.50\nA2,Ramp,m2,2.50\n", mapping)
    assert reading.records == [(3, "A1", "Rail", "nr", 150), (4, "A2", "Ramp", "m2", 250)]


def test_a_default_stands_for_a_column_that_is_not_there(read: Read) -> None:
    reading = read("code,description,rate\nA1,Rail,1.50\n", '[defaults]\nunit = "nr"')
    assert reading.records == [(2, "A1", "Rail", "nr", 150)]


@pytest.mark.parametrize(
    ("mapping", "column", "words_of_it"),
    [
        ('price = "rate"', "price", "There is no field price"),
        ('rate = "Precio"', "rate", 'no column "Precio" in list.csv; its columns are code, description, unit, rate'),
        ("[defaults]\nrate = 'TBC'", "rate", "The default cannot be used"),
        ("[defaults]\nprice = 1", "price", "There is no field price"),
        ("[options]\nheader = 1", "header", "There is no option header"),
        ("[options]\ndecimal = ';'", "decimal", "must be"),
        ("[options]\nencoding = 'nonsense'", "encoding", "name of a text encoding"),
        ("[options]\nheader_row = 40", "header_row", "names none of the wanted columns"),
        ("rate = 5", "rate", "in quotes"),
        ("rate =", None, "not TOML"),
    ],
)
def test_a_wrong_map_is_refused_by_its_own_name_and_key(
    read: Read, mapping: str, column: str | None, words_of_it: str
) -> None:
    problem = refused(read, GOOD, mapping)
    assert (problem.file, problem.column) == ("map.toml", column)
    assert words_of_it in problem.message


def test_every_kind_of_field_is_read(read: Read) -> None:
    fields = (
        Field("code", "text"),
        Field("adjustment_percent", "percent"),
        Field("sme", "flag"),
        Field("capacity", "integer", required=False, default=1),
        Field("from", "date"),
        Field("month", "month"),
        Field("trade", "text", choices=("Joinery", "Plumbing")),
        Field("document:", "date", prefix=True),
    )
    text = (
        "code,adjustment_percent,sme,capacity,from,month,trade,document:public-liability,Document: SSIP\n"
        "C1,-2.5,yes,,31/05/2026,2026-05,JOINERY,2026-12-31,\n"
    )
    documents = {"public-liability": date(2026, 12, 31)}
    assert read(text, fields=fields).records == [
        (2, "C1", -250, True, 1, date(2026, 5, 31), date(2026, 5, 1), "Joinery", documents)
    ]


def test_dates_of_both_orders_in_one_column_are_refused_with_their_rows(read: Read) -> None:
    fields = (Field("code", "text"), Field("date", "date"))
    reading = read("code,date\nA,31/05/2026\nB,30/05/2026\nC,05/31/2026\nD,04/05/2026\nE,2026-05-04\n", fields=fields)
    assert [problem.row for problem in reading.problems] == [4, 5]


def test_american_dates_are_read_when_the_column_proves_them_or_the_map_says_so(read: Read) -> None:
    fields = (Field("code", "text"), Field("date", "date"))
    assert read("code,date\nA,05/31/2026\nB,05/04/2026\n", fields=fields).records[1][2] == date(2026, 5, 4)
    assert read("code,date\nB,05/04/2026\n", '[options]\ndate_order = "mdy"', fields).records[0][2] == date(2026, 5, 4)
    assert read("code,date\nB,05/04/2026\n", fields=fields).records[0][2] == date(2026, 4, 5)


def test_a_caller_adds_problems_at_the_same_place_and_header(read: Read) -> None:
    reading = read("code,description,unit,Unit price\nA1,Rail,nr,1.50\n")
    problem = reading.problem(2, "Too dear.", "rate")
    assert str(problem) == "list.csv, row 2, column Unit price: Too dear."
