"""Searching the catalogue: words in any order and just begun, codes however written, typing errors, filters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date

import pytest
from builders import NOW, OFFICER, look_again, unique
from fixture_types import AT_MOST
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from portal.kernel.db import db, transaction
from portal.rates import catalogue
from portal.rates.catalogue import Finding, Wanted, find
from portal.rates.mending import near_words
from portal.rates.models import Edition, Item
from portal.rates.schedule_file import ScheduleFile
from portal.rates.search_words import code_word, vocabulary, words_in
from portal.rates.services import import_edition

#: Code, description, trade, unit, rate in pence.
LIST: Sequence[tuple[str, str, str, str, int]] = (
    ("LAS010", "Level-access shower tray, 1200 × 800", "Plumbing", "nr", 41_250),
    ("LAS020", "Electric shower, 9.5 kW, thermostatic", "Electrical", "nr", 38_500),
    ("LAS030", "Folding seat for a shower", "Plumbing", "nr", 12_000),
    ("RAIL-01", "Grab rail, fluted, 450 mm", "Joinery", "nr", 4_250),
    ("RAIL-02", "Handrail to stair, hardwood", "Joinery", "m", 3_100),
    ("RAMP001", "Concrete ramp to entrance door", "Groundworks", "m2", 18_000),
    ("RAMP002", "Modular ramp, aluminium, to suit LAS010", "Groundworks", "m", 52_000),
    ("STL.100", "Stair lift, straight", "Lifts", "nr", 209_400),
    ("stl.110", "Stair lift, curved, first floor", "Lifts", "nr", 415_000),
    ("DOOR7", "Widen door opening, make good plaster", "Building", "nr", 61_000),
    ("ÉCLAIR", "Café lighting – crème", "Electrical", "nr", 9_900),
)


def written(items: Sequence[tuple[str, str, str, str, int]]) -> Edition:
    """An edition of these items, through the import."""
    records = [
        (row, code, description, None, trade, unit, rate, *[None] * 6)
        for row, (code, description, trade, unit, rate) in enumerate(items, start=2)
    ]
    with transaction():
        return import_edition(
            ScheduleFile("list.csv", records, {}, [], []),
            schedule_code=unique("SOR"),
            edition_name="2026",
            starts_on=date(2026, 4, 1),
            by=OFFICER,
            now=NOW,
        )


@pytest.fixture
def edition(app: Flask) -> Edition:
    written([("OTHER1", "Level-access shower in another edition", "Plumbing", "nr", 1)])
    return written(LIST)


def codes(found: Finding) -> list[str]:
    return [item.code for item in found.items]


def searched(edition: Edition, words: str, limit: int = 50, **filters: object) -> Finding:
    return find(edition.id, Wanted(words, **filters), limit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("shower", ["LAS010", "LAS020", "LAS030"]),
        ("show lev", ["LAS010"]),
        ("LEVEL ACCESS", ["LAS010"]),
        ("level-access", ["LAS010"]),
        ("tray shower level", ["LAS010"]),
        ("s", ["stl.110", "STL.100", "LAS010", "LAS020", "LAS030", "RAIL-02", "RAMP002"]),
        ("stair lift", ["STL.100", "stl.110"]),
        ("9.5 kw", ["LAS020"]),
        ("cafe creme", ["ÉCLAIR"]),
        ("café", ["ÉCLAIR"]),
        ("shower ramp", []),
    ],
)
def test_every_word_is_the_beginning_of_a_word_of_the_item_in_any_order(
    edition: Edition, typed: str, expected: list[str]
) -> None:
    found = searched(edition, typed)

    assert sorted(codes(found)) == sorted(expected)
    assert found.meant == ""


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("LAS010", "LAS010"),
        ("las010", "LAS010"),
        ("las 010", "LAS010"),
        ("LAS-01O", "LAS010"),
        ("LASOIO", "LAS010"),
        ("1as0l0", "LAS010"),
        ("l.a.s/0.1.0", "LAS010"),
        ("rail01", "RAIL-01"),
        ("RA1L-0l", "RAIL-01"),
        ("stl100", "STL.100"),
        ("STL 110", "stl.110"),
        ("tray las-01O", "LAS010"),
        ("DOOR7", "DOOR7"),
        ("éclair", "ÉCLAIR"),
    ],
)
def test_a_code_is_found_however_it_is_written(edition: Edition, typed: str, first: str) -> None:
    assert codes(searched(edition, typed))[0] == first


def test_the_very_code_comes_first_then_codes_that_begin_so_then_the_list(app: Flask) -> None:
    edition = written(
        [
            ("A1", "Fitted to B1, or B10", "", "nr", 1),
            ("B10", "Something", "", "nr", 1),
            ("B1", "Something else", "", "nr", 1),
            ("B11", "Anything", "", "nr", 1),
            ("BAT", "Bat box", "", "nr", 1),
            ("C1", "Bat and bath", "", "nr", 1),
            ("BATH2", "Tub", "", "nr", 1),
            ("BATH", "Tub, small", "", "nr", 1),
        ]
    )

    assert codes(searched(edition, "b1")) == ["B1", "B10", "B11", "A1"]
    assert codes(searched(edition, "bath")) == ["BATH", "BATH2", "C1"]
    assert codes(searched(edition, "bat")) == ["BAT", "BATH2", "BATH", "C1"]


@pytest.mark.parametrize(
    ("typed", "meant", "expected"),
    [
        ("shwoer", "shower", ["LAS010", "LAS020", "LAS030"]),
        ("showr", "shower", ["LAS010", "LAS020", "LAS030"]),
        ("shoower tray", "shower tray", ["LAS010"]),
        ("hower", "shower", ["LAS010", "LAS020", "LAS030"]),
        ("zhower", "shower", ["LAS010", "LAS020", "LAS030"]),
        ("levle acess", "level access", ["LAS010"]),
        ("levle-access", "level access", ["LAS010"]),
        ("thermosattic", "thermostatic", ["LAS020"]),
        ("shwo", "show", ["LAS010", "LAS020", "LAS030"]),
        ("straght stair", "straight stair", ["STL.100"]),
    ],
)
def test_a_typing_error_is_mended_and_said(edition: Edition, typed: str, meant: str, expected: list[str]) -> None:
    found = searched(edition, typed)

    assert (found.meant, codes(found)) == (meant, expected)


@pytest.mark.parametrize("typed", ["xyzzy", "rxl", "sh0wer9", "qqqqqqqqqq shower", "concrete concertina"])
def test_what_is_near_nothing_finds_nothing(edition: Edition, typed: str) -> None:
    found = searched(edition, typed)

    assert (found.items, found.meant, found.more) == ((), "", False)


def test_a_word_that_is_there_but_not_with_the_others_is_taken_for_its_neighbours(app: Flask) -> None:
    edition = written([("A", "Form of timber", "", "nr", 1), ("B", "Pipe from tank", "", "nr", 1)])

    found = searched(edition, "form tank")

    assert codes(found) == ["B"]
    assert found.meant == "form or from tank"


def test_nearest_words_are_those_with_the_fewest_errors_and_each_stands_for_its_longer_forms() -> None:
    assert near_words("shwoer", ["shower", "showers", "tray"]) == ["shower"]
    assert near_words("rial", ["rail", "trial", "real", "railing"]) == ["rail", "real", "trial"]
    assert near_words("abcd", ["wxyz"]) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"trade": "Plumbing"}, ["LAS010", "LAS030"]),
        ({"unit": "m"}, []),
        ({"from_pence": 38_500}, ["LAS010", "LAS020"]),
        ({"to_pence": 38_500}, ["LAS020", "LAS030"]),
        ({"from_pence": 38_500, "to_pence": 38_500, "trade": "Electrical", "unit": "nr"}, ["LAS020"]),
    ],
)
def test_hits_are_narrowed_by_trade_unit_and_rate(
    edition: Edition, filters: dict[str, object], expected: list[str]
) -> None:
    assert codes(searched(edition, "shower", **filters)) == expected


def test_filters_alone_list_the_items_that_fit_by_code(edition: Edition) -> None:
    assert codes(searched(edition, "", trade="Groundworks", unit="m")) == ["RAMP002"]
    assert set(codes(searched(edition, ""))) == {code for code, *_ in LIST}


@pytest.mark.parametrize("words", ["", "st", "a", "las", "LAS0", "shwer", "ramp"])
def test_page_by_page_every_hit_comes_once_and_in_the_same_order(edition: Edition, words: str) -> None:
    together = searched(edition, words)
    after, paged = "", []
    for _ in LIST:
        page = find(edition.id, Wanted(words, after=after), 2)
        paged += codes(page)
        after = page.last
        if not page.more:
            break

    assert paged == codes(together)
    assert not searched(edition, words, limit=len(paged) or 1).more


def test_a_page_after_the_last_is_empty_and_not_mended(edition: Edition) -> None:
    assert searched(edition, "ramp", after="2-99999999").items == ()
    assert codes(searched(edition, "shwoer", after="3-0")) == ["LAS010", "LAS020", "LAS030"]


@pytest.mark.parametrize("after", ["x", "9-1", "2-99999999999999999999", "\0", "2-", "-1", "é", "2-٣"])
def test_a_made_up_page_key_breaks_nothing(edition: Edition, after: str) -> None:
    searched(edition, "shower", after=after)
    searched(edition, "", after=after)


HOSTILE = [
    "shower AND NOT OR NEAR(tray)",
    '"shower"',
    '"',
    "'",
    "shower*",
    "words:shower",
    "edition:1 OR words:a",
    "shower & !tray | <-> :*",
    "\0",
    "shower\0tray",
    "x" * 10_000,
    "shower " * 2_000,
    "!!! ??? ---",
    "%_\\",
    "🚿",
    "🚿 shower",
    "\ud800",
    "{}[]()^-+~",
    "١٢٣",
    "²",
    "ｓｈｏｗｅｒ",
    "'; DROP TABLE item; --",
]


@pytest.mark.parametrize("typed", HOSTILE)
def test_whatever_is_typed_is_never_an_error(edition: Edition, typed: str) -> None:
    found = searched(edition, typed, trade="'", unit='"')

    assert found.items == ()
    searched(edition, typed)


@given(typed=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_answered(edition: Edition, typed: str) -> None:
    found = searched(edition, typed)

    assert len(found.items) <= len(LIST)


# Every item is found -------------------------------------------------------------------------------------------------

VOCABULARY = tuple(sorted(vocabulary([" ".join(words_in(f"{code} {text}")) for code, text, *_ in LIST])))


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_item_is_found_by_any_beginnings_of_its_words_in_any_order(edition: Edition, data: st.DataObject) -> None:
    code, description, *_ = data.draw(st.sampled_from(LIST))
    words = words_in(f"{code} {description}")
    chosen = data.draw(st.permutations(words).map(lambda all_: all_[:12]))
    chosen = chosen[: data.draw(st.integers(1, len(chosen)))]
    typed = " ".join(word[: data.draw(st.integers(1, len(word)))] for word in chosen)

    found = searched(edition, typed)

    assert code in codes(found)
    assert found.meant == ""


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_item_is_found_in_spite_of_one_typing_error(edition: Edition, data: st.DataObject) -> None:
    code, description, *_ = data.draw(st.sampled_from(LIST))
    words = [word for word in words_in(description) if len(word) >= 4 and word.isalpha()]
    word = data.draw(st.sampled_from(words))
    wrong = data.draw(st.sampled_from(sorted(errors_in(word))))

    found = searched(edition, wrong)

    # Where the wrong word is no beginning of another one, the vocabulary decides.
    assert code in codes(found) or any(each.startswith(wrong) for each in VOCABULARY)


def errors_in(word: str) -> set[str]:
    """Words of four letters or more that are one typing error away."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    left_out = {word[:at] + word[at + 1 :] for at in range(len(word))}
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    wrong = {word[:at] + letter + word[at + 1 :] for at in range(len(word)) for letter in letters}
    added = {word[:at] + letter + word[at:] for at in range(len(word) + 1) for letter in letters}
    return {each for each in left_out | swapped | wrong | added if len(each) >= 4} - {word}


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_code_is_found_with_any_signs_and_any_noughts_and_ones(edition: Edition, data: st.DataObject) -> None:
    code, *_ = data.draw(st.sampled_from([each for each in LIST if each[0].isascii()]))
    confused = {"0": "0Oo", "o": "Oo0", "1": "1IlL", "i": "iI1", "l": "lL1"}
    typed = ""
    for sign in code_word(code).replace("0", "0"):
        typed += data.draw(st.sampled_from(confused.get(sign, sign.upper() + sign)))
        typed += data.draw(st.sampled_from(["", "", "-", ".", " ", "/"]))

    found = searched(edition, typed)

    # Without a digit, letters may also be words.
    assert code in codes(found) or not any(map(str.isdigit, typed))


# What it costs --------------------------------------------------------------------------------------------------------


def plan(words: str) -> str:
    """How the database answers a search, as it says itself."""
    statements: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    edition = db.session.query(Edition).order_by(Edition.id.desc()).first()
    assert edition is not None

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        find(edition.id, Wanted(words))
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    statement, parameters = next(each for each in statements if "item" in each[0])
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
    rows = db.session.connection().exec_driver_sql(explain + statement, parameters).all()  # type: ignore[arg-type]
    return "\n".join(str(tuple(row)) for row in rows)


@pytest.fixture
def large(app: Flask) -> Edition:
    """Items enough for an index to be worth it."""
    rng = random.Random(3)
    words = ["shower", "tray", "rail", "ramp", "door", "lift", "seat", "tap", "sink", "hob", "fan", "lamp"]
    return written([(f"X{n:05}", " ".join(rng.sample(words, 4)), "T", "nr", n) for n in range(3_000)])


@pytest.mark.parametrize("words", ["shower tray", "X00012", "tray", "ramp door seat"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sqlite_answers_from_the_search_table(large: Edition, words: str) -> None:
    said = plan(words)

    assert "SCAN item_fts VIRTUAL TABLE" in said
    assert "SEARCH item USING INTEGER PRIMARY KEY" in said
    assert "SCAN item\n" not in said + "\n"
    assert "SCAN item'" not in said


@pytest.mark.parametrize("words", ["shower tray", "X00012", "ramp door seat"])
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_postgresql_answers_from_the_index_of_words(large: Edition, words: str) -> None:
    with transaction():
        db.session.execute(text("SELECT gin_clean_pending_list('ix_item_words')"))
        db.session.execute(text("ANALYZE item"))
    # A few thousand items are read as fast without an index; whether the index can be used is the question here.
    db.session.execute(text("SET enable_seqscan = off"))

    said = plan(words)

    assert "ix_item_words" in said
    assert "Seq Scan on item" not in said
    db.session.execute(text("RESET enable_seqscan"))


@pytest.mark.parametrize(("words", "most"), [("", 1), ("shower", 1), ("LAS010", 1), ("shwoer", 3), ("zhower", 4)])
def test_a_search_takes_few_statements(edition: Edition, query_counter: AT_MOST, words: str, most: int) -> None:
    look_again()
    edition_id = edition.id

    with query_counter(most):
        find(edition_id, Wanted(words))


def test_an_item_written_by_itself_or_gone_is_as_the_search_says(edition: Edition) -> None:
    values = {"long_description": "", "trade": "", "unit": "nr", "rate_pence": 1, "composite": False, "smv": None}
    with transaction():
        db.session.add(Item(edition_id=edition.id, code="NEW1", description="Wet room former", **values))
    assert codes(searched(edition, "former")) == ["NEW1"]

    with transaction():
        db.session.delete(db.session.query(Item).filter_by(code="NEW1").one())

    assert codes(searched(edition, "former")) == []


def test_the_words_that_were_looked_for_tell_whether_another_text_holds_them(edition: Edition) -> None:
    found = searched(edition, "shwoer")

    assert found.holds("STAR-0001", "Bespoke shower screen")
    assert not found.holds("STAR-0002", "Bespoke hoist")
    assert Finding((), groups=catalogue.groups_in("star 0001")).holds("STAR-0001", "Bespoke")
