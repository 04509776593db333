"""Templates of works: made, changed, deleted and brought in; checked against the edition in force."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from builders import NOW, OFFICER, TODAY, Scene, edition, look_again, person, scene, unique
from click.testing import Result
from fixture_types import Clock
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import select
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.faults import TakenTerm, WrongTerm
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import NotFound
from portal.rates.models import Item, WorkTemplate, WorkTemplateLine
from portal.rates.queries import items_by_code
from portal.rates.work_templates import queries, services
from portal.rates.work_templates.services import TemplateWanted, lines_written

LINES = (("SHOWER01", Decimal(1)), ("RAIL01", Decimal("4.5")))
SignIn = Callable[[Person], StrictClient]
Portal = Callable[..., Result]


def wanted(name: str = "Shower, standard", lines: tuple[tuple[str, Decimal], ...] = LINES) -> TemplateWanted:
    return TemplateWanted(name, "Level-access shower", lines)


def made(schedule: str, **changes: object) -> WorkTemplate:
    with transaction():
        return services.add_template(schedule, wanted(**changes), by=OFFICER, now=NOW)  # type: ignore[arg-type]


def kept() -> list[tuple[str, list[tuple[str, Decimal]]]]:
    look_again()
    return [(each.name, [(line.code, line.quantity) for line in each.lines]) for each in queries.templates()]


def test_a_template_keeps_its_lines_in_their_order(app: Flask) -> None:
    code = edition().schedule.code

    template = made(code)

    assert kept() == [("Shower, standard", list(LINES))]
    assert [event.action for event in events_on(f"work-template:{template.id}")] == ["work template made"]


def test_a_template_is_changed_and_deleted(app: Flask) -> None:
    template = made(edition().schedule.code)

    with transaction():
        services.change_template(template.id, wanted("Lift", (("LIFT01", Decimal(1)),)), by=OFFICER, now=NOW)
    assert kept() == [("Lift", [("LIFT01", Decimal(1))])]
    with transaction():
        services.delete_template(template.id, by=OFFICER, now=NOW)

    assert kept() == []
    assert db.session.scalars(select(WorkTemplateLine)).all() == []
    with pytest.raises(NotFound), transaction():
        services.delete_template(template.id, by=OFFICER, now=NOW)


@pytest.mark.parametrize(
    ("changes", "term"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"lines": ()}, "lines"),
        ({"lines": (("NONE", Decimal(1)),)}, "lines"),
        ({"lines": tuple((f"X{number}", Decimal(1)) for number in range(201))}, "lines"),
    ],
)
def test_a_template_that_cannot_be_says_what_is_wrong(app: Flask, changes: dict[str, object], term: str) -> None:
    code = edition().schedule.code

    with pytest.raises(WrongTerm) as refused:
        made(code, **changes)

    assert refused.value.term == term
    assert kept() == []


def test_a_name_is_taken_once_in_a_schedule(app: Flask) -> None:
    one, other = edition().schedule.code, edition().schedule.code
    made(one)
    made(other)

    with pytest.raises(TakenTerm):
        made(one)


def test_a_withdrawn_item_is_on_no_template(app: Flask) -> None:
    rates = edition()
    with transaction():
        item = db.session.scalars(select(Item).where(Item.edition_id == rates.id, Item.code == "RAIL01")).one()
        item.withdrawn_on, item.withdrawn_reason = TODAY, "No longer made"

    with pytest.raises(WrongTerm, match="RAIL01 was withdrawn"):
        made(rates.schedule.code)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("SHOWER01*1\nRAIL01*4.5", LINES),
        ("SHOWER01 * 1 ; RAIL01*4.5;\r\n\r\n", LINES),
    ],
)
def test_lines_are_written_one_a_line_or_parted(text: str, lines: object) -> None:
    assert lines_written(text) == lines


@pytest.mark.parametrize("text", ["SHOWER01", "*1", "A*x", "A*0", "A*-1", "A*1.0001", "A*1e9", "A*1\nA*2", "A*NaN"])
def test_lines_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(WrongTerm, match="cannot be read"):
        lines_written(text)


def test_a_template_in_a_later_edition_says_what_is_not_there_any_more(app: Flask) -> None:
    schedule = unique("SOR")
    edition(schedule=schedule)
    template = made(schedule)
    later = edition({"SHOWER01": 1}, schedule=schedule, starts_on=date(2026, 5, 1))

    (shown,) = queries.in_edition([template], later, TODAY)

    assert shown.faults == [f"RAIL01 is not an item of {schedule}, edition {later.name}"]


# From files -----------------------------------------------------------------------------------------------------------

GOOD = "template,work_type,code,quantity\nShower,Bathroom,SHOWER01,1\nShower,Bathroom,RAIL01,4.5\nLift,Lifts,LIFT01,1\n"


@pytest.fixture
def schedule(app: Flask, fixed_clock: Clock) -> str:
    return edition().schedule.code


def written(folder: Path, text: str) -> Path:
    path = folder / "templates.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_templates_come_from_a_csv_and_are_listed(schedule: str, tmp_path: Path, portal: Portal) -> None:
    portal("rates", "templates", "import", written(tmp_path, GOOD), "--schedule", schedule)

    assert kept() == [("Shower", list(LINES)), ("Lift", [("LIFT01", Decimal(1))])]
    listed = json.loads(portal("rates", "templates", "list", "--json").stdout)
    assert listed[0]["lines"] == [{"code": "SHOWER01", "quantity": "1"}, {"code": "RAIL01", "quantity": "4.5"}]
    assert "Shower" in portal("rates", "templates", "list").stdout


def test_templates_come_from_a_workbook(schedule: str, tmp_path: Path, portal: Portal) -> None:
    book = Workbook()
    assert book.active is not None
    for row in ("template", "work type", "code", "quantity"), ("Shower", "Bathroom", "SHOWER01", 1):
        book.active.append(row)
    book.save(tmp_path / "templates.xlsx")

    portal("rates", "templates", "import", tmp_path / "templates.xlsx", "--schedule", schedule)

    assert kept() == [("Shower", [("SHOWER01", Decimal(1))])]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Shower,Bathroom,NONE,1", "row 5, column code: NONE is not an item"),
        ("Shower,Bathroom,LIFT01,0", "row 5, column quantity"),
        ("Shower,Bathroom,LIFT01,lots", "row 5, column quantity"),
        ("Shower,Lifts,LIFT01,1", "row 5, column work_type"),
        ("Shower,Bathroom,RAIL01,1", "row 5, column code: RAIL01 stands in row 3 already"),
        (",Bathroom,RAIL01,1", "row 5, column template"),
    ],
)
def test_one_wrong_row_keeps_every_template_out(
    schedule: str, tmp_path: Path, portal: Portal, row: str, said: str
) -> None:
    path = written(tmp_path, GOOD + row + "\n")

    refused = portal("rates", "templates", "import", path, "--schedule", schedule, code=1)

    assert said in refused.stderr
    assert kept() == []


def test_a_list_again_is_refused_whole(schedule: str, tmp_path: Path, portal: Portal) -> None:
    path = written(tmp_path, GOOD)
    portal("rates", "templates", "import", path, "--schedule", schedule)

    refused = portal("rates", "templates", "import", path, "--schedule", schedule, code=1)

    assert "There is a template Shower already" in refused.stderr
    assert len(kept()) == 2


def test_an_empty_list_and_an_unknown_schedule_are_refused(schedule: str, tmp_path: Path, portal: Portal) -> None:
    empty = written(tmp_path, GOOD.splitlines()[0] + "\n")
    assert portal("rates", "templates", "import", empty, "--schedule", schedule, code=1).stderr
    assert portal("rates", "templates", "import", written(tmp_path, GOOD), "--schedule", "NONE", code=1).stderr


# On the pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def there(app: Flask, fixed_clock: Clock) -> Scene:
    return scene()


def test_a_manager_makes_changes_and_deletes_a_template_on_the_pages(there: Scene, sign_in: SignIn) -> None:
    manager = sign_in(person(Role.FRAMEWORK_MANAGER))
    page = manager.get("/rates/templates").click("New template")
    filled = {
        "Schedule of rates": there.edition.schedule.name,
        "Name": "Shower, standard",
        "Work type": there.lot.name,
        "Items": "SHOWER01*1\nNONE*2",
    }
    assert "NONE is not an item" in page.submit("Save the template", filled, status=422).text

    made_ = manager.follow(page.submit("Save the template", {**filled, "Items": "SHOWER01*1\nRAIL01*4.5"}))
    assert "£5,566.25" in made_.text
    change = made_.click("Change the template")
    changed = manager.follow(change.submit("Save the template", {"Items": "SHOWER01*2"}))
    assert "£10,750.00" in changed.text
    assert "Ready" in manager.get("/rates/templates").text
    gone = manager.follow(changed.submit("Delete this template"))

    assert "There is no template yet" in gone.text
    assert kept() == []


def test_a_template_whose_items_are_gone_says_so_on_its_pages(there: Scene, sign_in: SignIn) -> None:
    template = made(there.edition.schedule.code)
    edition({"SHOWER01": 1}, schedule=there.edition.schedule.code, starts_on=date(2026, 5, 1))
    reader = sign_in(person(Role.AUDITOR))

    assert "1 item to replace" in reader.get("/rates/templates").text
    assert "RAIL01 is not an item" in reader.get(f"/rates/templates/{template.id}").text


@pytest.mark.parametrize(
    ("wanted_rows", "said"),
    [((20_100, 100), "at most 20,000 come in at once. Split it"), ((6_000, 6_000), "at most 200 items")],
)
def test_a_file_that_is_far_too_long_is_told_so_before_its_codes_are_looked_up(
    app: Flask, portal: Portal, tmp_path: Path, wanted_rows: tuple[int, int], said: str
) -> None:
    code = edition().schedule.code
    rows, a_template = wanted_rows
    lines = "".join(f"T{number // a_template},Showers,C{number},1\n" for number in range(rows))
    (tmp_path / "t.csv").write_text("template,work_type,code,quantity\n" + lines)

    refused = portal("rates", "templates", "import", tmp_path / "t.csv", "--schedule", code, code=1)

    assert said in refused.stderr
    assert refused.stderr.count("t.csv") == 1


def test_more_codes_than_one_statement_carries_are_looked_up_in_portions(app: Flask) -> None:
    there = edition({f"C{number}": 100 for number in range(40)})

    found = items_by_code(there.id, [f"C{number}" for number in range(260_000)])

    assert len(found) == 40
