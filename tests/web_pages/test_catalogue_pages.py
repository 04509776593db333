"""The catalogue on pages: the search with and without its script, one item, what the hits alone look like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from builders import NOW, OFFICER, TODAY, person, unique
from fixture_types import AT_MOST, Clock
from flask import Flask
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.kernel.db import db, transaction
from portal.rates.models import Edition, Item
from portal.rates.schedule_file import ScheduleFile
from portal.rates.services import import_edition

SignIn = Callable[[Person], StrictClient]


def written(
    schedule: str, name: str, starts_on: date, rows: list[tuple[object, ...]], currency: str = "GBP"
) -> Edition:
    """An edition of rows (code, description, trade, unit, rate, composite, components)."""
    records = [
        (row, code, description, f"{description}, complete.", trade, unit, rate, Decimal(45), *more, None, None, None)
        for row, (code, description, trade, unit, rate, *more) in enumerate(rows, start=2)
    ]
    with transaction():
        return import_edition(
            ScheduleFile("list.csv", records, {}, [], []),
            schedule_code=schedule,
            edition_name=name,
            starts_on=starts_on,
            by=OFFICER,
            now=NOW,
            currency=currency,
        )


@pytest.fixture
def rates(app: Flask, fixed_clock: Clock) -> Edition:
    schedule = unique("SOR")
    tray = ("LAS020", "Shower tray", "Plumbing", "nr", 40_000, None, None)
    written(schedule, "2025", date(2025, 4, 1), [tray])
    return written(
        schedule,
        "2026",
        date(2026, 4, 1),
        [
            ("LAS010", "Level-access shower, whole", "Plumbing", "nr", 60_000, True, "LAS020*1;LAS030*2.5"),
            ("LAS020", "Shower tray", "Plumbing", "nr", 42_000, None, None),
            ("LAS030", "Flooring for a shower", "Flooring", "m2", 8_000, None, None),
            *((f"X{number:03}", f"Fitting {number}", "Sundry", "m", number * 100, None, None) for number in range(60)),
        ],
    )


@pytest.fixture
def reader(rates: Edition, sign_in: SignIn) -> StrictClient:
    return sign_in(person(Role.AUDITOR))


def address(rates: Edition, query: str = "") -> str:
    return f"/rates/{rates.schedule.code}/{rates.name}{query}"


def item(rates: Edition, code: str) -> Item:
    return db.session.query(Item).filter_by(edition_id=rates.id, code=code).one()


def test_the_search_forgives_and_says_what_it_looked_for(rates: Edition, reader: StrictClient) -> None:
    page = reader.get(address(rates)).submit("Search", {"Words or code": "shwoer tray"})

    assert "Nothing holds “shwoer tray”; shown are results for “shower tray”." in page.text
    assert [row[0] for row in page.rows()] == ["LAS020"]


def test_hits_are_narrowed_by_trade_unit_and_rate(rates: Edition, reader: StrictClient) -> None:
    page = reader.get(address(rates))
    chosen = {"Trade": "Sundry", "Unit": "m", "Rate from": "£58", "Rate up to": "58.99"}

    assert [row[0] for row in page.submit("Search with these", chosen).rows()] == ["X058"]
    nothing = page.submit("Search", {"Words or code": "shower", "Trade": "Sundry"})
    assert "No item has all of these words and fits the trade, unit and rate" in nothing.text


@pytest.mark.parametrize("wrong", ["lots", "-1", "1.234", "1e9", "£"])
def test_a_rate_that_is_none_is_said_at_its_field(rates: Edition, reader: StrictClient, wrong: str) -> None:
    page = reader.get(address(rates)).submit("Search", {"Rate from": wrong}, status=422)

    assert page.title.startswith("Error")
    assert "There is a problem" in page.text


def test_page_by_page_every_item_comes_once(rates: Edition, reader: StrictClient) -> None:
    for query, several in (("", 63), ("?words=fitting", 60)):
        page = reader.get(address(rates, query))
        first = [row[0] for row in page.rows()]
        assert "and there are more" in page.text
        rest = [row[0] for row in page.click("More items").rows()]
        assert len(first) == 50
        assert len({*first, *rest}) == several == len(first + rest)


def test_the_script_gets_the_hits_alone_at_the_same_address(rates: Edition, reader: StrictClient) -> None:
    for words, said in (("shwoer", "shown are results for"), ("tray", "1 item."), ("zzz", "No item has all")):
        answer = reader.client.get(address(rates, f"?words={words}"), headers={"X-Portal-Part": "hits"})
        body = answer.get_data(as_text=True)

        assert answer.status_code == 200
        assert said in body
        assert "<html" not in body
        assert "data-say" in body
    wrong = reader.client.get(address(rates, "?price_from=x"), headers={"X-Portal-Part": "hits"})
    assert (wrong.status_code, "Correct the rate" in wrong.get_data(as_text=True)) == (422, True)


def test_the_hits_alone_are_for_those_who_may_see_the_page(app: Flask, rates: Edition, sign_in: SignIn) -> None:
    hits = {"X-Portal-Part": "hits"}

    assert StrictClient(app).client.get(address(rates), headers=hits).status_code == 302
    contractor = sign_in(person(Role.CONTRACTOR))
    assert contractor.client.get(address(rates), headers=hits).status_code == 403
    assert contractor.client.get(f"/rates/items/{item(rates, 'LAS010').id}").status_code == 403


ODD = ["%00", "%25", "%22%20OR%20words:a", "x" * 3_000, "%F0%9F%98%80", "%ED%A0%80", "'--", "%7C%26%21", "%C0%AE"]


@pytest.mark.parametrize("words", ODD)
def test_odd_words_break_nothing(rates: Edition, reader: StrictClient, words: str) -> None:
    for name in ("words", "trade", "unit", "price_from", "price_to", "after"):
        for headers in ({}, {"X-Portal-Part": "hits"}):
            answer = reader.client.get(address(rates, f"?{name}={words}"), headers=headers)
            assert answer.status_code in {200, 400, 422}, (name, words)


def test_an_item_shows_its_parts_their_sum_and_its_history(rates: Edition, reader: StrictClient) -> None:
    page = reader.get(address(rates, "?words=las010")).click("LAS010")

    assert "£600.00 per nr" in page.text
    assert "The parts come to £620.00. The whole job costs £20.00 less than its parts." in page.text
    tray = page.click("Shower tray")
    assert "A part of" in tray.text
    assert "Level-access shower, whole" in tray.text
    assert [row[0] for row in tray.rows()] == ["2026 this page", "2025"]
    assert "+5 %" in tray.text
    assert "£400.00 per nr" in tray.click("2025").text


def test_a_withdrawn_item_says_so(rates: Edition, reader: StrictClient) -> None:
    with transaction():
        gone = item(rates, "LAS030")
        gone.withdrawn_on, gone.withdrawn_reason = TODAY, "Replaced by vinyl"

    assert "Withdrawn on 5 May 2026: Replaced by vinyl" in reader.get(f"/rates/items/{gone.id}").text
    assert "Withdrawn" in reader.get(address(rates, "?words=flooring")).text


def test_a_schedule_in_another_currency_keeps_it(reader: StrictClient) -> None:
    euro = written(unique("SOR"), "2026", date(2026, 4, 1), [("A1", "Puerta", "", "u", 1_250, None, None)], "EUR")

    assert "12.50 EUR" in reader.get(address(euro)).text
    assert "12.50 EUR per u" in reader.get(f"/rates/items/{item(euro, 'A1').id}").text


def test_an_item_that_is_not_there_is_not_found(reader: StrictClient) -> None:
    reader.get("/rates/items/999999", status=404)


def test_the_pages_take_few_statements(rates: Edition, reader: StrictClient, query_counter: AT_MOST) -> None:
    paths = [address(rates, query) for query in ("", "?words=tray", "?words=zhower&trade=Plumbing")]
    paths.append(f"/rates/items/{item(rates, 'LAS010').id}")
    db.session.rollback()

    for path in paths:
        with query_counter(12):
            reader.get(path)


def test_the_overview_leads_to_templates_and_star_rates(rates: Edition, reader: StrictClient) -> None:
    overview = reader.get("/rates")

    assert overview.click("Star rates").h1 == "Star rates"
    assert overview.click("Templates of works").h1 == "Templates of works"


def test_the_catalogue_is_searched_on_the_command_line(rates: Edition, portal: Callable[..., object]) -> None:
    found = portal("rates", "find", "shwoer", "tray", "--schedule", rates.schedule.code, "--json")
    plain = portal("rates", "find", "shwoer", "--schedule", rates.schedule.code, "--limit", "1")
    nothing = portal("rates", "find", "zzzz", "--schedule", rates.schedule.code)

    assert '"meant": "shower tray"' in found.stdout  # type: ignore[attr-defined]
    assert plain.stdout.startswith("LAS010\t600.00\tnr")  # type: ignore[attr-defined]
    assert "No item" in nothing.stderr  # type: ignore[attr-defined]
