"""Procurement: a price list with other headers is refused, handed in again, looked at, published and downloaded."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, Screen, Visitor
from builders import edition, look_again, person
from flask import Flask
from journey_steps import fill_date, keep, sign_in
from openpyxl import Workbook
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import select

from portal.accounts.policy import Role
from portal.config import Settings
from portal.kernel import clock
from portal.kernel.db import db
from portal.rates.models import Edition
from portal.rates.price_lists.reading import read_price_lists

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
HEADERS = ("Ref. number", "What it is", "Measured by", "Price 2027")


@pytest.fixture
def reader(app: Flask, settings: Settings) -> Iterator[None]:
    """A worker that reads what waits, as soon as it waits."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            with app.app_context():
                read_price_lists(settings.uploads, now=clock.now())

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def workbook(path: Path, *rows: tuple[object, ...]) -> Path:
    """A supplier's own list: three lines of title, then headers that nobody else uses."""
    book = Workbook()
    page = book.active
    assert page is not None
    for row in (("Prices of the county",), ("from April 2027",), (), HEADERS, *rows):
        page.append(row)
    book.save(path)
    return path


def hand_in(desk: Visitor, file: Path) -> None:
    """The form, with the headers of this list."""
    desk.fill("Price list", file)
    desk.fill("Name of the edition", "2027")
    fill_date(desk, date(2027, 4, 1))
    desk.unfold("The columns have other names")
    for label, header in zip(
        ("Header of the codes", "Header of the descriptions", "Header of the units", "Header of the rates"),
        HEADERS,
        strict=True,
    ):
        desk.fill(label, header)
    desk.press("Hand the list in")


def waits_until(desk: Visitor, text: str) -> None:
    """The page asks again by itself until the list is read."""
    WebDriverWait(desk.driver, 30).until(lambda _: text in desk.text)
    desk.check_page()


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_list_from_a_refusal_to_an_edition(
    live_server: str, visit: Visit, reader: None, tmp_path: Path, screen: Screen
) -> None:
    edition({"LIFT01": 209_400, "RAIL01": 4_250}, schedule="SOR", name="2026")
    lift = ("LIFT01", "Item LIFT01", "nr", 2200)
    bad = workbook(tmp_path / "prices.xlsx", lift, ("RAMP01", "Timber ramp", "m", "TBC"), ("RAIL01", "", "nr", 42.5))
    good = workbook(tmp_path / "prices 2.xlsx", lift, ("RAMP01", "Timber ramp", "m", 120.5))
    desk = visit(live_server, screen)
    sign_in(desk, person(Role.PROCUREMENT))

    desk.goto("/rates")
    desk.follow("Price lists: hand one in, see what it changes, publish it")
    desk.follow("Hand a price list in")
    desk.press("Hand the list in", status=422)
    hand_in(desk, bad)
    waits_until(desk, "2 problems")
    assert "Sheet “Sheet”, row 6" in desk.text
    assert "TBC" in desk.text
    keep(desk, f"price-list-refused-{screen.name}")

    desk.follow("hand it in again")
    hand_in(desk, good)
    waits_until(desk, "Changes against SOR 2026")
    for said in ("£2,094.00", "£2,200.00", "+£106.00", "RAMP01", "No longer in the list", "Price 2027"):
        assert said in desk.text
    keep(desk, f"price-list-changes-{screen.name}")
    desk.press("Publish the edition")
    assert "The edition 2027 of SOR is published." in desk.text

    look_again()
    made = db.session.scalars(select(Edition).where(Edition.name == "2027")).one()
    link = desk.driver.find_element(By.LINK_TEXT, "CSV").get_attribute("href")
    text = desk.driver.execute_async_script(
        "fetch(arguments[0]).then((answer) => answer.text()).then(arguments[1])", link
    )
    assert [(row["code"], row["rate"]) for row in csv.DictReader(StringIO(text.removeprefix("\ufeff")))] == [
        ("LIFT01", "2200.00"),
        ("RAMP01", "120.50"),
    ]
    desk.goto(f"/rates/editions/{made.id}/changes")
    desk.goto(f"/rates/editions/{made.id}/composites")
    desk.goto(f"/rates/editions/{made.id}/withdraw?code=RAMP01")
    desk.goto("/rates/lists")
    desk.goto("/rates")
