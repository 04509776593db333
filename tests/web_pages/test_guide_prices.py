"""Guide prices: public, printable, kept by anybody for some minutes, and silent about who the contractors are."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from browser import DESKTOP, PHONE, Screen, Visitor
from builders import NATION, NOW, OFFICER, TODAY, Scene, code_of, framework_with_lot, look_again, member, person, scene
from builders import edition as an_edition
from fixture_types import AT_MOST, Clock
from flask import Flask
from sqlalchemy import update
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.member_models import Absence, Contractor, RankPlace
from portal.framework.states import MemberStatus
from portal.jobs.guide_prices import Kept, starts
from portal.jobs.standing import change_standing
from portal.kernel.db import db, transaction
from portal.rates.models import Item

TOMORROW = TODAY + timedelta(days=1)
GOOD = {"public-liability": date(2027, 1, 1)}


def composite(*codes: str) -> None:
    """Let these items be whole jobs."""
    with transaction():
        db.session.execute(update(Item).where(Item.code.in_(codes)).values(composite=True))


@pytest.fixture
def there(app: Flask, fixed_clock: object) -> Scene:
    made = scene(members=2, capacity=1, requirements=["public-liability"], documents=GOOD)
    composite("LIFT01", "SHOWER01")
    return made


def start_of(made: Scene) -> tuple[date | None, int]:
    look_again()
    name = made.lot.work_types[0].work_type
    found = next(each for each in starts(TODAY, NATION) if each.work_type == name)
    return found.first_day, found.soon


def change(made: Scene, number: int, **columns: object) -> None:
    with transaction():
        contractor = db.session.get_one(Contractor, made.members[number].contractor_id)
        for name, value in columns.items():
            setattr(contractor, name, value)


# The page -------------------------------------------------------------------------------------------------------------


def test_anybody_reads_what_works_cost_and_how_soon_they_start(client: StrictClient, there: Scene) -> None:
    page = client.get("/guide-prices")

    assert ["Item LIFT01", "Lifts", "£2,094.00"] in page.rows()
    assert [there.lot.name, "6 May 2026", "2 contractors"] in page.rows()
    assert "RAIL01" not in page.text
    assert "exclude VAT" in page.text


def test_no_contractor_is_named_and_no_adjustment_shown(client: StrictClient, there: Scene) -> None:
    for path in ("/guide-prices", "/guide-prices.json"):
        text = client.client.get(path).get_data(as_text=True)
        assert not any(code_of(each) in text for each in there.members)
        assert "adjustment" not in text.casefold()


def test_the_same_comes_as_json(client: StrictClient, there: Scene) -> None:
    answer = client.client.get("/guide-prices.json")

    document = json.loads(answer.get_data())
    assert (answer.mimetype, document["vat"], document["on"]) == ("application/json", "excluded", "2026-05-05")
    assert {"code": "LIFT01", "description": "Item LIFT01", "trade": "Lifts", "unit": "nr", "price": "2094.00"} in (
        document["works"]
    )
    assert document["starts"] == [
        {
            "work_type": there.lot.name,
            "earliest_start": "2026-05-06",
            "contractors_within_10_working_days": 2,
        }
    ]


def test_an_empty_portal_says_that_nothing_is_there_yet(client: StrictClient) -> None:
    page = client.get("/guide-prices")

    assert "There are no guide prices yet." in page.text
    assert "no start can be given" in page.text


def test_visitors_whom_nobody_knows_get_a_page_that_proxies_may_keep(client: StrictClient, there: Scene) -> None:
    for path in ("/guide-prices", "/guide-prices.json"):
        answer = client.client.get(path)
        assert "public" in answer.headers["Cache-Control"]
        assert "max-age=300" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
    assert "Cookie" in client.client.get("/guide-prices").headers["Vary"]


def test_nobody_elses_proxy_keeps_the_page_with_a_name_on_it(
    there: Scene, sign_in: Callable[[Person], StrictClient]
) -> None:
    visitor = sign_in(person(Role.AUDITOR))

    answer = visitor.client.get("/guide-prices")
    document = visitor.client.get("/guide-prices.json")

    assert "no-store" in answer.headers["Cache-Control"]
    assert "public" not in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in document.headers
    assert "public" in document.headers["Cache-Control"]


def test_prices_are_those_of_the_edition_in_force(client: StrictClient, there: Scene) -> None:
    an_edition({"LIFT01": 300_000}, schedule=there.edition.schedule.code, starts_on=TODAY + timedelta(days=1))
    composite("LIFT01")

    assert ["Item LIFT01", "Lifts", "£2,094.00"] in client.get("/guide-prices").rows()


def test_it_takes_few_statements_whatever_the_number_of_members(
    client: StrictClient, there: Scene, query_counter: AT_MOST
) -> None:
    for rank in range(20, 40):
        member(there.lot, areas=[there.authority], rank=rank, documents=GOOD)
    look_again()

    with query_counter(7):
        client.get("/guide-prices")


def test_a_burst_of_visitors_is_worked_out_once(
    app: Flask, there: Scene, query_counter: AT_MOST
) -> None:
    gate, answers = threading.Barrier(8), []

    def visit(path: str) -> None:
        gate.wait(timeout=20)
        answers.append(app.test_client().get(path).status_code)

    visitors = [threading.Thread(target=visit, args=(path,)) for path in ("/guide-prices", "/guide-prices.json") * 4]
    with query_counter(7):
        for each in visitors:
            each.start()
        for each in visitors:
            each.join(timeout=60)

    assert answers == [200] * 8


def test_what_was_worked_out_is_kept_for_five_minutes_and_one_day(
    client: StrictClient, there: Scene, fixed_clock: Clock, query_counter: AT_MOST
) -> None:
    def price() -> str:
        return client.get("/guide-prices").rows()[0][2]

    def reprice(pence: int) -> None:
        with transaction():
            db.session.execute(update(Item).where(Item.code == "LIFT01").values(rate_pence=pence))

    assert price() == "£2,094.00"
    reprice(300_000)
    fixed_clock.at = NOW + timedelta(seconds=299)
    with query_counter(0):
        assert price() == "£2,094.00"
    assert "max-age=1," in client.client.get("/guide-prices").headers["Cache-Control"] + ","
    fixed_clock.at = NOW + timedelta(seconds=300)
    assert price() == "£3,000.00"

    fixed_clock.at = NOW.replace(hour=22, minute=58)
    assert price() == "£3,000.00"
    reprice(400_000)
    # Midnight in London.
    fixed_clock.at = NOW.replace(hour=23, minute=1)
    assert price() == "£4,000.00"
    # A clock that was set back makes nothing last longer.
    reprice(500_000)
    fixed_clock.at = NOW.replace(hour=23, minute=0)
    assert price() == "£5,000.00"


def test_what_fails_is_not_kept() -> None:
    kept: Kept[str] = Kept()

    def fail() -> str:
        raise ValueError("no database")

    with pytest.raises(ValueError, match="no database"):
        kept.value(fail, now=NOW)
    assert kept.value(lambda: "worked out", now=NOW).value == "worked out"
    assert kept.value(fail, now=NOW).value == "worked out"


# How soon -------------------------------------------------------------------------------------------------------------


def test_who_is_at_capacity_cannot_start(there: Scene) -> None:
    there.accepted()
    assert start_of(there) == (TOMORROW, 1)

    there.accepted()
    assert start_of(there) == (None, 0)


def test_who_is_away_starts_afterwards_on_a_working_day(there: Scene) -> None:
    # Away until Saturday 9 May; the second takes work from 1 June.
    change(there, 0, absences=[Absence(from_on=TODAY, to_on=date(2026, 5, 9))])
    change(there, 1, accepts_from=date(2026, 6, 1))

    assert start_of(there) == (date(2026, 5, 11), 1)


def test_a_bank_holiday_is_no_day_to_start(there: Scene) -> None:
    for number in (0, 1):
        change(there, number, accepts_from=date(2026, 5, 23))

    assert start_of(there)[0] == date(2026, 5, 26)


def test_ten_working_days_from_today_are_soon(there: Scene) -> None:
    change(there, 0, accepts_from=date(2026, 5, 19))
    change(there, 1, accepts_from=date(2026, 5, 20))

    # 5 May 2026 and ten working days: 19 May.
    assert start_of(there) == (date(2026, 5, 19), 1)


def test_a_document_that_would_not_hold_until_the_end_keeps_a_member_out(app: Flask, fixed_clock: object) -> None:
    short = scene(members=1, requirements=["ssip"], documents={"ssip": TOMORROW + timedelta(days=13)})
    enough = scene(members=1, requirements=["ssip"], documents={"ssip": TOMORROW + timedelta(days=14)})

    assert start_of(short) == (None, 0)
    assert start_of(enough) == (TOMORROW, 1)


def test_the_suspended_and_the_unranked_are_not_counted(there: Scene) -> None:
    with transaction():
        change_standing(
            there.members[0].id, MemberStatus.SUSPENDED, reason="A claim", by=OFFICER, now=NOW, nation=NATION
        )
        db.session.execute(RankPlace.__table__.delete().where(RankPlace.member_id == there.members[1].id))

    assert start_of(there) == (None, 0)


def test_a_month_that_is_full_starts_again_with_the_next(there: Scene) -> None:
    there.accepted()
    change(there, 0, capacity=5, month_limit_pence=209_400)
    with transaction():
        change_standing(
            there.members[1].id, MemberStatus.SUSPENDED, reason="A claim", by=OFFICER, now=NOW, nation=NATION
        )

    assert start_of(there)[0] == date(2026, 6, 1)


def test_a_contractor_with_two_lots_of_one_work_type_counts_once(app: Flask, fixed_clock: object) -> None:
    there = scene(members=1)
    work_type = there.lot.work_types[0].work_type
    second = framework_with_lot(there.authority, name="The same, dearer", work_type=work_type)
    member(second, areas=[there.authority], code=code_of(there.members[0]), rank=1)

    assert start_of(there) == (TOMORROW, 1)


def test_a_framework_out_of_force_starts_nothing(app: Flask, fixed_clock: object) -> None:
    there = scene(members=1)
    over = framework_with_lot(there.authority, starts_on=date(2020, 1, 1), ends_on=TODAY)
    member(over, areas=[there.authority], rank=1)
    look_again()

    assert [each.work_type for each in starts(TODAY, NATION)] == [there.lot.name]


@pytest.mark.browser
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_is_in_order_in_a_browser(
    there: Scene, live_server: str, visit: Callable[[str, Screen], Visitor], screen: Screen
) -> None:
    visitor = visit(live_server, screen)
    visitor.goto("/guide-prices")

    assert "Print this page" in visitor.text
    assert "2 contractors" in visitor.text
