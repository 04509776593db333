"""What editions and schedules can be called, at every entrance; and those that are called otherwise already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from builders import NOW, OFFICER, edition, look_again, person, schedule_file
from click.testing import Result
from files_made import price_list, priced
from flask import Flask
from sqlalchemy import update
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.config import Settings
from portal.framework.faults import WrongTerm
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused
from portal.rates.exporting import download_name
from portal.rates.models import Edition
from portal.rates.price_lists.reading import read_price_lists
from portal.rates.reviews.services import ReviewWanted, start_review
from portal.rates.services import code_fault, edition_fault
from portal.tables import Kind

BAD_NAMES = ("", ".", "..", "/", "2026/", "/2026", "a//b", "a/../b", "x\u202ey", "x\x07", "x\0", "x" * 201, "\ud800")
BAD_CODES = ("", ".", "..", "a/b", "S\u202e", "S\x1b", "S\0", "reviews", "x" * 65)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_cannot_stand_in_an_address_or_be_seen_is_refused_at_every_entrance(
    app: Flask, settings: Settings, name: str
) -> None:
    there = edition(name="2026")
    code = there.schedule.code

    assert edition_fault(name) is not None
    with pytest.raises(WrongTerm) as handed_in:
        price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=code, edition=name)
    with pytest.raises(InputRefused) as imported:
        edition(schedule=code, name=name or " ", starts_on=date(2027, 1, 1))
    with pytest.raises(WrongTerm) as reviewed, transaction():
        start_review(code, ReviewWanted(name, date(2027, 1, 1)), by=OFFICER, now=NOW)

    assert (handed_in.value.term, reviewed.value.term) == ("edition_name", "edition_name")
    assert str(handed_in.value) == str(reviewed.value) == imported.value.problems[0].message


@pytest.mark.parametrize("code", BAD_CODES)
def test_a_code_that_cannot_stand_in_an_address_or_be_seen_is_refused(
    app: Flask, settings: Settings, code: str
) -> None:
    assert code_fault(code) is not None
    with pytest.raises(WrongTerm) as refused:
        price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=code)

    assert refused.value.term == "schedule_code"


def test_the_name_of_a_schedule_that_cannot_be_seen_is_refused(portal: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(priced("A,Item,,,nr,1,,"))

    said = portal(
        "rates", "lists", "new", file, "--schedule", "S", "--name", "x\u202ey", "--edition", "E",
        "--from", "2027-01-01", code=1,
    )  # fmt: skip

    assert "cannot be seen" in said.stderr


def test_spaces_are_brought_into_one_form_so_that_no_two_look_alike(app: Flask, settings: Settings) -> None:
    made = edition(schedule=" SOR  9 ", name=" April\u00a0 2026\n")

    assert (made.schedule.code, made.name) == ("SOR 9", "April 2026")
    with pytest.raises(InputRefused, match="1 problem"):
        edition(schedule="SOR 9", name="April   2026", starts_on=date(2027, 1, 1))
    assert price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule="SOR  9").schedule_code == "SOR 9"


@pytest.mark.parametrize("name", ["2026/27", "a?b#c%2F", "Ålesund: 2026 – «two»", "...", "-"])
def test_names_that_people_use_open_under_their_own_address(
    app: Flask, sign_in: Callable[[Person], StrictClient], name: str
) -> None:
    made = edition(name=name)
    desk = sign_in(person(Role.FRAMEWORK_MANAGER))

    with app.test_request_context():
        address = app.jinja_env.globals["edition_url"](made)  # type: ignore[operator]
    assert address.startswith(f"/rates/{made.schedule.code}/")
    assert desk.get(address).text.count(name)
    assert desk.client.get(f"/rates/editions/{made.id}/export/csv").status_code == 200


@pytest.mark.parametrize("name", ["..", ".", "/", "a//b", "x\ny", "S\u202e", " 2026"])
def test_an_edition_that_has_such_a_name_already_opens_by_its_number(
    app: Flask, sign_in: Callable[[Person], StrictClient], name: str
) -> None:
    made = edition()
    with transaction():
        db.session.execute(update(Edition).where(Edition.id == made.id).values(name=name))
    look_again()
    desk = sign_in(person(Role.FRAMEWORK_MANAGER))

    assert f'href="/rates/editions/{made.id}"' in desk.client.get("/rates").get_data(as_text=True)
    for path in ("", "?words=lift", "/changes", "/composites", "/withdraw", "/export/csv", "/export/xlsx"):
        answer = desk.client.get(f"/rates/editions/{made.id}{path}")
        assert answer.status_code == 200, path
        if "export" in path:
            assert "\n" not in answer.headers["Content-Disposition"]


def test_the_file_of_an_edition_has_a_name_that_every_disk_takes(app: Flask) -> None:
    made = edition(schedule="SOR9")
    made.name = 'a/b\\c:d*"é\n\u202e' + "ü" * 180

    name = download_name(made, Kind.PDF)

    assert name.startswith("SOR9-a-b-c-d--é")
    assert name.endswith(".pdf")
    assert len(name.encode()) <= 200
    assert name.isprintable()


def test_codes_of_star_rates_are_the_portals_own(app: Flask, settings: Settings) -> None:
    handed = price_list(
        settings.uploads, priced("STAR-0001,Item,,,nr,1,,", "STAR-LIGHT,Lamp,,,nr,1,,"), schedule="S"
    )
    with pytest.raises(InputRefused) as refused:
        edition({"star-12x": 100, "A": 1})
    read_price_lists(settings.uploads, now=NOW)

    look_again()
    db.session.refresh(handed)
    assert [(each["row"], each["column"]) for each in handed.problems] == [(2, "code")]
    assert "give it another code" in handed.problems[0]["message"]
    assert [each.row for each in refused.value.problems] == [schedule_file({"star-12x": 1}).records[0][0]]
