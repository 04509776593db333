"""The pages of price lists and editions: handed in, looked at, published; composites, changes, files, withdrawals."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO, StringIO

import pytest
from builders import NOW, OFFICER, TODAY, edition, look_again, person, unique
from files_made import price_list, priced
from fixture_types import AT_MOST, Clock
from flask import Flask
from sqlalchemy import func, select
from strict_client import Page, StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.config import Settings
from portal.kernel.db import db, transaction
from portal.rates.models import Edition, Item
from portal.rates.price_lists import services
from portal.rates.price_lists.kept import kept_list
from portal.rates.price_lists.models import PriceList
from portal.rates.price_lists.reading import read_price_lists
from portal.rates.states import PriceListStatus

SignIn = Callable[[Person], StrictClient]


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> StrictClient:
    """Somebody of procurement."""
    return sign_in(person(Role.PROCUREMENT))


def send(
    desk: StrictClient, content: str | bytes = "", name: str = "prices.csv", status: int = 302, **entered: object
) -> Page:
    """Hand a list in through the form."""
    page = desk.get("/rates/lists/new")
    raw = content.encode() if isinstance(content, str) else content
    values = {"Price list": (BytesIO(raw), name), "Name of the edition": "2027", "Day": "1", "Month": "4"}
    return page.submit("Hand the list in", {**values, "Year": "2027", **entered}, status)


def the_list() -> PriceList:
    """The latest list."""
    look_again()
    db.session.expire_all()
    found = db.session.scalars(select(PriceList).order_by(PriceList.id.desc())).first()
    assert found is not None
    return found


def test_a_list_goes_from_the_form_to_an_edition(desk: StrictClient, settings: Settings) -> None:
    there = edition({"LIFT01": 209_400, "RAIL01": 4_250}, schedule="SOR", name="2026")
    empty = desk.get("/rates/lists")
    assert "Nobody has handed a price list in yet." in empty.text

    sent = send(desk, priced("LIFT01,Item LIFT01,,Lifts,nr,2303.40,,", "NEW1,A ramp,,Ramps,m,120.00,,"))
    waiting = desk.follow(sent)
    assert "The list will be read within a minute." in waiting.text
    assert waiting.click("Look again").h1 == waiting.h1

    read_price_lists(settings.uploads, now=NOW)
    ready = desk.get(waiting.path)
    assert ["Rate goes up", "1"] in ready.rows()
    assert ["LIFT01", "Item LIFT01", "nr", "£2,094.00", "£2,303.40", "+£209.40", "+10 %"] in ready.rows()
    assert ["NEW1", "A ramp", "m", "£120.00"] in ready.rows()
    assert ["RAIL01", "Item RAIL01", "nr", "£42.50"] in ready.rows()
    assert ["Rate", "rate"] in ready.rows()
    assert "It replaces 2026, in force from 1 April 2026." in ready.text

    published = desk.follow(ready.submit("Publish the edition"))
    assert published.h1.endswith("SOR, 2027")
    assert [row[0] for row in published.rows()] == ["LIFT01", "NEW1"]
    changes = published.click("What it changed")
    assert ["No longer in the list", "1"] in changes.rows()
    assert "Published" in desk.get(waiting.path).text
    overview = desk.get("/rates")
    assert [row[3] for row in overview.rows()] == ["To come", "In force"]
    assert there.item_count == 2


def test_the_form_says_at_its_fields_what_is_wrong(desk: StrictClient) -> None:
    edition(schedule="SOR", name="2026")

    empty = desk.get("/rates/lists/new").submit("Hand the list in", status=422)
    no_list = send(desk, b"\x89PNG\r\n\x1a\n", status=422)
    taken = send(desk, priced("A,Item,,,nr,1,,"), status=409, **{"Name of the edition": "2026"})
    reserved = send(
        desk,
        priced("A,Item,,,nr,1,,"),
        status=422,
        Schedule="A new schedule",
        **{"Code of the new schedule": "reviews"},
    )

    both = send(desk, priced("A,Item,,,nr,1,,"), status=422, **{"Code of the new schedule": "OTHER"})

    assert "Choose “A new schedule” to make the schedule OTHER" in both.text
    for said in ("Choose the file", "Enter a name for the edition", "Enter the day from which"):
        assert said in empty.text
    assert "PNG picture" in no_list.text
    assert "is called 2026 already" in taken.text
    assert "reviews is the name of a page" in reserved.text
    assert db.session.scalar(select(func.count()).select_from(PriceList)) == 0


def test_a_second_list_for_a_schedule_is_refused_naming_the_first(desk: StrictClient, settings: Settings) -> None:
    edition(schedule="SOR")
    send(desk, priced("A,Item,,,nr,1,,"), name="first.csv")

    second = send(desk, priced("A,Item,,,nr,1,,"), status=409, **{"Name of the edition": "2028"})

    assert "The list first.csv for the edition 2027 of SOR waits to be read." in second.text
    assert len(list(settings.uploads.iterdir())) == 1


def test_how_far_the_reader_is_stands_on_the_page(desk: StrictClient, settings: Settings, fixed_clock: Clock) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    with transaction():
        services.take_up(now=NOW)
        services.note_progress(handed.id, 40, 1_200, now=NOW)

    page = desk.get(f"/rates/lists/{handed.id}")
    fixed_clock.at = NOW + timedelta(minutes=5)
    later = desk.get(f"/rates/lists/{handed.id}")

    assert "40 of 1,200 parts are read." in page.text
    region = page.soup.select_one("[data-look-again]")
    assert region is not None
    assert region["aria-live"] == "polite"
    assert "has stopped. It is read again from the start" in later.text


def test_a_refused_list_shows_where_and_what_and_gives_the_problems_as_a_file(
    desk: StrictClient, settings: Settings
) -> None:
    edition(schedule="SOR")
    send(desk, priced("A,Item,,,nr,TBC,,", "B,Item,,,,2.00,,", *(f"C{each},Item,,,nr,-5,," for each in range(70))))
    read_price_lists(settings.uploads, now=NOW)
    path = f"/rates/lists/{the_list().id}"

    page = desk.get(path)
    answer = desk.client.get(f"{path}/problems.csv")

    assert "72 problems" in page.text
    assert "These are the first 50 of 72" in page.text
    assert page.rows()[0][:2] == ["Row 2", "rate"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    written = list(csv.DictReader(StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(written) == 72
    assert (written[1]["row"], written[1]["column"]) == ("3", "unit")
    # It can be handed in again at once: what is refused is not under way.
    send(desk, priced("A,Item,,,nr,1,,"))


def test_the_file_comes_back_as_it_was_handed_in(desk: StrictClient, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"), name="Preise ü.csv")

    answer = desk.client.get(f"/rates/lists/{handed.id}/file")
    (settings.uploads / handed.stored_name).write_text("something else")
    changed = desk.client.get(f"/rates/lists/{handed.id}/file")

    assert answer.get_data() == priced("A,Item,,,nr,1,,").encode()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    assert changed.status_code == 404


def test_changes_that_are_many_are_shown_in_part_and_whole_on_pages(desk: StrictClient, settings: Settings) -> None:
    before = edition({f"C{each:03}": 1_000 for each in range(130)})
    handed = price_list(
        settings.uploads,
        priced(*(f"C{each:03},Item C{each:03},,Lifts,nr,{10 + each / 100:.2f},," for each in range(130))),
        schedule=before.schedule.code,
    )
    read_price_lists(settings.uploads, now=NOW)

    page = desk.get(f"/rates/lists/{handed.id}")
    every = page.click("See all of: Rate goes up")
    last = desk.get(f"/rates/lists/{handed.id}?show=up&page=3")

    assert ["Rate goes up", "129"] in page.rows()
    assert "These are the first 20 of 129." in page.text
    assert [row[0] for row in every.rows()][:2] == ["C129", "C128"]
    assert len(last.rows()) == 29
    assert last.click("All changes").path.endswith(f"/rates/lists/{handed.id}")


def test_a_list_is_not_published_when_the_page_shows_changes_against_another_edition(
    desk: StrictClient, settings: Settings
) -> None:
    before = edition({"A": 100}, name="before")
    code = before.schedule.code
    handed = price_list(settings.uploads, priced("A,Item A,,Lifts,nr,2.00,,"), schedule=code)
    read_price_lists(settings.uploads, now=NOW)
    page = desk.get(f"/rates/lists/{handed.id}")
    edition({"A": 150}, schedule=code, name="meanwhile", starts_on=date(2026, 12, 1))

    again = page.submit("Publish the edition", status=409)

    assert "it is meanwhile, in force from 1 December 2026 now" in again.text
    assert ["A", "Item A", "nr", "£1.50", "£2.00", "+£0.50", "+33.33 %"] in again.rows()
    assert desk.follow(again.submit("Publish the edition")).h1.endswith("2027")


def test_a_list_is_dropped_and_a_dropped_list_stays_so(desk: StrictClient, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item A,,Lifts,nr,2.00,,"), schedule=unique("S"))
    page = desk.get(f"/rates/lists/{handed.id}")

    listed = desk.follow(page.submit("Drop the list"))
    again = page.submit("Drop the list", status=409)

    assert "is dropped. Nothing was published." in listed.text
    assert "was dropped, so it cannot be dropped" in again.text
    assert the_list().status is PriceListStatus.DROPPED


def test_what_was_read_and_is_gone_is_said_on_the_page(desk: StrictClient, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item A,,Lifts,nr,2.00,,"), schedule=unique("S"))
    read_price_lists(settings.uploads, now=NOW)
    (settings.uploads / f"{handed.stored_name}.csv").unlink()

    page = desk.get(f"/rates/lists/{handed.id}", status=409)

    assert "Drop the list, and hand its file in again." in page.text


@pytest.mark.parametrize("role", [Role.TECHNICAL_OFFICER, Role.AUDITOR])
def test_others_see_editions_and_no_price_lists(app: Flask, sign_in: SignIn, role: Role) -> None:
    there = edition()
    visitor = sign_in(person(role))

    overview = visitor.get("/rates")
    catalogue = visitor.get(f"/rates/{there.schedule.code}/{there.name}")

    assert "Price lists" not in overview.text
    assert "Withdraw an item" not in catalogue.text
    assert visitor.client.get("/rates/lists").status_code == 403
    assert catalogue.click("Composites beside their parts").h1


# Editions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "starts"), [("csv", b"\xef\xbb\xbfcode,"), ("xlsx", b"PK"), ("xls", b"\xd0\xcf"), ("pdf", b"%PDF-")]
)
def test_an_edition_is_downloaded_in_every_kind(desk: StrictClient, kind: str, starts: bytes) -> None:
    there = edition(schedule="SOR", name="2026/27")

    answer = desk.client.get(f"/rates/editions/{there.id}/export/{kind}")

    assert answer.status_code == 200
    assert answer.get_data().startswith(starts)
    assert f"filename=SOR-2026-27.{kind}" in answer.headers["Content-Disposition"]


def test_a_kind_or_an_edition_that_is_not_there_is_not_found(desk: StrictClient) -> None:
    there = edition()

    for path in (f"{there.id}/export/docx", f"{there.id + 9}/export/csv", f"{there.id + 9}/composites"):
        assert desk.client.get(f"/rates/editions/{path}").status_code == 404


def published(settings: Settings, content: str) -> Edition:
    """An edition out of the text of a list."""
    handed = price_list(settings.uploads, content, schedule=unique("S"))
    read_price_lists(settings.uploads, now=NOW)
    look_again()
    file = kept_list(settings.uploads, handed)
    with transaction():
        return services.publish(handed.id, file, against=None, by=OFFICER, now=NOW)


def test_composites_stand_beside_their_parts_those_to_look_at_first(desk: StrictClient, settings: Settings) -> None:
    there = published(
        settings,
        priced("A,Tray,,,nr,100.00,,", "EVEN,Shower,,,nr,200.00,A*2,", "DEAR,Wet room,,,nr,400.00,A*3.5,"),
    )

    page = desk.get(f"/rates/editions/{there.id}/composites")
    none = desk.get(f"/rates/editions/{edition().id}/composites")

    assert "2 composites with parts, 1 to look at." in page.text
    assert page.rows() == [
        ["DEAR Wet room", "£400.00", "£350.00", "+£50.00", "+14.29 %", "Look at it"],
        ["EVEN Shower", "£200.00", "£200.00", "None", "0 %", "–"],
    ]
    assert "This edition has no composites." in none.text


def test_the_first_edition_has_nothing_to_be_compared_with(desk: StrictClient) -> None:
    page = desk.get(f"/rates/editions/{edition().id}/changes")

    assert "This is the first edition of its schedule" in page.text


def test_an_item_is_withdrawn_with_a_reason(desk: StrictClient) -> None:
    there = edition()
    edition(schedule=there.schedule.code, name="next", starts_on=date(2027, 1, 1))
    path = f"/rates/editions/{there.id}/withdraw"
    day = {"Day": str(TODAY.day), "Month": str(TODAY.month), "Year": str(TODAY.year)}

    empty = desk.get(path).submit("Withdraw the item", status=422)
    unknown = desk.get(path).submit(
        "Withdraw the item", {"Code of the item": "NONE", "Reason": "Gone", **day}, status=422
    )
    past = desk.get(f"{path}?code=LIFT01").submit(
        "Withdraw the item", {"Reason": "Gone", **day, "Year": "2025"}, status=422
    )
    done = desk.follow(desk.get(f"{path}?code=LIFT01").submit("Withdraw the item", {"Reason": "No longer made", **day}))
    again = desk.get(f"{path}?code=LIFT01").submit("Withdraw the item", {"Reason": "Gone", **day}, status=409)

    assert "Give the reason" in empty.text
    assert "There is no item NONE in this edition." in unknown.text
    assert "can be withdrawn from 5 May 2026 on" in past.text
    assert "Item LIFT01" in past.text
    assert "LIFT01 is withdrawn from 5 May 2026." in done.text
    assert "The edition next, in force from 1 January 2027, still has LIFT01." in done.text
    assert "is withdrawn already" in again.text
    look_again()
    item = db.session.scalars(select(Item).where(Item.edition_id == there.id, Item.code == "LIFT01")).one()
    assert (item.withdrawn_on, item.withdrawn_reason) == (TODAY, "No longer made")


# What they cost -------------------------------------------------------------------------------------------------------


def test_pages_of_lists_and_editions_take_few_statements(
    desk: StrictClient, settings: Settings, query_counter: AT_MOST
) -> None:
    before = edition({f"C{each:03}": 1_000 for each in range(200)})
    for _ in range(60):
        made = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
        with transaction():
            services.drop(made.id, by=OFFICER, now=NOW)
    handed = price_list(settings.uploads, priced("C001,Item,,,nr,1,,"), schedule=before.schedule.code)
    read_price_lists(settings.uploads, now=NOW)
    of_edition = f"/rates/editions/{before.id}"
    look_again()

    for path in (
        "/rates/lists",
        "/rates/lists/new",
        f"/rates/lists/{handed.id}",
        f"/rates/lists/{handed.id}?show=gone",
        f"{of_edition}/composites",
        f"{of_edition}/changes",
        f"{of_edition}/withdraw?code=C001",
        f"{of_edition}/export/csv",
    ):
        with query_counter(12):
            assert desk.client.get(path).status_code == 200
