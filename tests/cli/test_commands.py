"""The command line: exit codes, one JSON document, every refusal with its place, nothing changed when refused."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, authority, look_again, person, scene
from click.testing import Result
from databases import Shelf
from flask import Flask
from sqlalchemy import func, select, text

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import Role
from portal.accounts.services import person_for
from portal.checks import everything_off
from portal.config import Settings
from portal.framework.member_models import Contractor, Member, RankPlace
from portal.framework.models import Framework, Lot, LotWorkType
from portal.jobs.models import Offer
from portal.jobs.states import OfferStatus
from portal.kernel.audit import AuditEvent
from portal.kernel.db import Base, db, transaction
from portal.rates.models import Item

Portal = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
RATES = (
    "code,description,long_description,trade,unit,rate,components\n"
    "LIFT01,Stair lift,,Lifts,nr,2094.00,\n"
    "RAIL01,Grab rail,,Rails,nr,42.50,\n"
    "LAS01,Level-access shower,,Bathrooms,nr,5375.00,RAIL01*2\n"
)
CONTRACTORS = (
    "code,name,email,phone,postcode,sme,lots,areas,rank,adjustment_percent,capacity,accepts_from,"
    "document:public-liability\n"
    "C1,Contractor 1,office@c1.example,01632 960001,RG1 1AA,yes,Stair lift;Ramp,A;B,1,-2.5,3,,2030-01-01\n"
    "C2,Contractor 2,office@c2.example,01632 960002,RG1 1AB,no,Stair lift,A,2,0,3,2026-01-01,2030-01-01\n"
)
JOBS = (
    "reference,authority,work_type,priority,postcode,client,required_start,lines\n"
    "DFG-1,A,Stair lift,priority,RG1 2AB,Client 0412,,LIFT01*1\n"
    "DFG-2,B,Ramp,,rg12ab,,2027-01-31,RAIL01*2.5;LIFT01*1\n"
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


def document(result: Result) -> dict:  # type: ignore[type-arg]
    """The one JSON document on stdout."""
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def rows_written() -> dict[str, int]:
    look_again()
    return {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


Write = Callable[[str, str], Path]


@pytest.fixture
def county(portal: Portal, write: Write) -> None:
    """Rates, contractors and jobs brought in by the command line alone."""
    portal(
        "rates", "import", write("rates.csv", RATES), "--schedule", "SOR", "--edition", "2026", "--from", "2026-04-01"
    )
    portal("contractors", "import", write("contractors.csv", CONTRACTORS), "--create")
    portal("jobs", "import", write("jobs.csv", JOBS))


# The path, by verbs only ----------------------------------------------------------------------------------------------


def test_a_council_gets_from_its_lists_to_an_order(portal: Portal, write: Write, county: None) -> None:
    done = document(portal("jobs", "allocate", "--all", "--at", "2026-05-05T09:00:00Z", "--json"))
    assert done == {
        "offered": [{"reference": "DFG-1", "member": "C1"}, {"reference": "DFG-2", "member": "C1"}],
        "exhausted": [],
    }
    shown = document(portal("jobs", "show", "DFG-1", "--json"))
    assert {"reference", "status", "lines", "price", "ranking", "offers", "events"} <= set(shown)
    assert (shown["reference"], shown["status"], shown["price"]) == ("DFG-1", "allocating", "2094.00")
    assert {"member", "position", "eligible", "reasons", "basis"} == set(shown["ranking"][0])
    assert [(place["member"], place["position"], place["eligible"]) for place in shown["ranking"]] == [
        ("C1", 1, True),
        ("C2", 2, True),
    ]
    (offer,) = shown["offers"]
    assert {"id", "member", "status", "sent_at", "answer_by", "start_by", "reason"} <= set(offer)
    assert (offer["sent_at"], offer["answer_by"]) == ("2026-05-05T09:00:00Z", "2026-05-06T09:00:00Z")

    answered = document(
        portal(
            "offers",
            "answer",
            str(offer["id"]),
            "decline",
            "--reason",
            "No fitter",
            "--at",
            "2026-05-05T10:00Z",
            "--json",
        )
    )
    assert answered == {"id": offer["id"], "status": "declined", "reason": "No fitter"}
    second = document(portal("jobs", "show", "DFG-1", "--json"))["offers"][1]
    assert second["member"] == "C2"
    portal("offers", "answer", str(second["id"]), "accept", "--start", "2026-05-12", "--at", "2026-05-05T11:00Z")

    shown = document(portal("jobs", "show", "DFG-1", "--json"))
    assert (shown["status"], shown["offers"][1]["start_on"]) == ("accepted", "2026-05-12")
    assert [event["action"] for event in shown["events"]] == [
        "job specified",
        "offer sent",
        "offer declined",
        "offer sent",
        "offer accepted",
    ]
    assert document(portal("check", "--json")) == {"ok": True, "problems": []}
    assert "accepted" in portal("jobs", "show", "DFG-1").stdout


def test_a_tick_says_what_it_did_and_does_it_once(portal: Portal, county: None) -> None:
    portal("jobs", "allocate", "DFG-1", "--at", "2026-05-05T09:00Z")

    first = document(portal("tick", "--at", "2026-05-06T09:00:00Z", "--json"))
    second = document(portal("tick", "--at", "2026-05-06T09:00:00Z", "--json"))

    assert (first["lapsed"], first["offered"]) == (1, 1)
    assert not any(second.values())
    assert document(portal("jobs", "show", "DFG-1", "--json"))["offers"][0]["status"] == "expired"
    assert "lapsed: 0" in portal("tick", "--at", "2026-05-06T09:00:00Z").stdout


def test_an_instant_without_a_zone_is_the_local_time(portal: Portal, county: None) -> None:
    portal("jobs", "allocate", "DFG-1", "--at", "2026-05-05T10:00")

    assert document(portal("jobs", "show", "DFG-1", "--json"))["offers"][0]["sent_at"] == "2026-05-05T09:00:00Z"


def test_nobody_left_is_said_and_is_no_error(portal: Portal, county: None) -> None:
    with transaction():
        db.session.execute(text("UPDATE contractor SET capacity = 0"))

    result = portal("jobs", "allocate", "DFG-1")

    assert "nobody can take it" in result.stdout
    assert document(portal("jobs", "show", "DFG-1", "--json"))["status"] == "exhausted"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("jobs", "show", "NO-SUCH"), "There is no job NO-SUCH."),
        (("jobs", "allocate", "NO-SUCH"), "There is no job NO-SUCH."),
        (("offers", "answer", "4711", "accept", "--start", "2026-05-12"), "There is no such offer."),
        (("offers", "answer", "4711", "decline", "--reason", "x"), "There is no such offer."),
        (("jobs", "import", "nowhere.csv"), "nowhere.csv"),
        (("contractors", "import", "nowhere.csv"), "nowhere.csv"),
        (
            ("rates", "import", "nowhere.csv", "--schedule", "S", "--edition", "E", "--from", "2026-01-01"),
            "nowhere.csv",
        ),
        (("rates", "price", "nowhere.csv", "--schedule", "S", "--on", "2026-01-01"), "nowhere.csv"),
        (("users", "add", "a@b.example", "--role", "auditor", "--organisation", "NONE"), "no organisation"),
    ],
)
def test_a_refusal_is_a_sentence_on_stderr_and_exit_1(portal: Portal, words: tuple[str, ...], said: str) -> None:
    before = rows_written()

    result = portal(*words, code=1)

    assert said in result.stderr
    assert result.stdout == ""
    assert rows_written() == before


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("jobs", "allocate"),
        ("jobs", "allocate", "DFG-1", "--all"),
        ("jobs", "allocate", "--all", "--at", "yesterday"),
        ("offers", "answer", "x", "accept", "--start", "2026-05-12"),
        ("offers", "answer", "99999999999999999999", "accept", "--start", "2026-05-12"),
        ("offers", "answer", "1"),
        ("offers", "answer", "1", "accept"),
        ("offers", "answer", "1", "accept", "--start", "12/05/2026"),
        ("offers", "answer", "1", "decline"),
        ("rates", "import", "x.csv"),
        ("users", "add", "a@b.example", "--role", "king", "--organisation", "A"),
        ("tick", "--at", "soon"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_how(portal: Portal, words: tuple[str, ...]) -> None:
    result = portal(*words, code=2)

    assert "Usage:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_check_that_finds_something_exits_1_with_one_document(portal: Portal, county: None) -> None:
    with transaction():
        db.session.execute(text("UPDATE job SET value_pence = value_pence + 1 WHERE reference = 'DFG-1'"))

    found = document(portal("check", "--json", code=1))

    assert found["ok"] is False
    assert any("DFG-1" in problem for problem in found["problems"])
    assert "DFG-1" in portal("check", code=1).stderr


# Rates ----------------------------------------------------------------------------------------------------------------


def importing(path: Path, *more: str) -> tuple[str | Path, ...]:
    return ("rates", "import", path, "--schedule", "SOR", "--edition", "2026", "--from", "2026-04-01", *more)


def test_rates_are_checked_without_writing_and_then_written(portal: Portal, write: Write) -> None:
    path, before = write("rates.csv", RATES), rows_written()

    checked = document(portal(*importing(path, "--check", "--json")))
    assert (checked["items"], checked["written"], checked["problems"]) == (3, False, [])
    assert rows_written() == before
    written = document(portal(*importing(path, "--json")))

    assert written["written"] is True
    assert db.session.scalar(select(func.count()).select_from(Item)) == 3
    assert "called 2026 already" in portal(*importing(path), code=1).stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("LIFT01,Again,,Lifts,nr,1.00,", "stands in row 2 already"),
        ("X1,Item,,,nr,-1.00,", "rate"),
        ("X1,Item,,,nr,abc,", "rate"),
        ("X1,Item,,,,1.00,", "unit"),
        ("X1,Item,,,nr,1.00,NONE*1", "not an item of this list"),
        ("X1,Item,,,nr,1.00,X1*1", "part of itself"),
        ("X1,Item,,,nr,1.00,LIFT01", "not written CODE*QUANTITY"),
        ("X1,Item,,,nr,1.00,LIFT01*0", "above 0"),
        ("X1,Item,,,nr,1.00,LIFT01*NaN", "above 0"),
        ("X1,Item,,,nr,1.00,LIFT01*0.0001", "three decimals"),
        ("X" * 65 + ",Item,,,nr,1.00,", "at most 64 fit"),
        ("X1," + "d" * 401 + ",,,nr,1.00,", "at most 400 fit"),
        ("X1,Item,,,nr,99999999999999999999.00,", "rate"),
    ],
)
def test_a_bad_rate_is_refused_with_its_row_and_nothing_is_written(
    portal: Portal, write: Write, line: str, said: str
) -> None:
    path, before = write("rates.csv", RATES + line + "\n"), rows_written()

    result = portal(*importing(path), code=1)

    assert "row 5" in result.stderr
    assert said in result.stderr
    assert rows_written() == before
    problems = document(portal(*importing(path, "--check", "--json"), code=1))["problems"]
    assert problems[0]["row"] == 5


def test_a_basket_is_priced_as_the_order_would_be(portal: Portal, write: Write, county: None) -> None:
    basket = write("basket.csv", "code,quantity\nLIFT01,1\nRAIL01,2.5\n")

    plain = document(portal("rates", "price", basket, "--schedule", "SOR", "--on", "2026-05-05", "--json"))
    adjusted = document(
        portal("rates", "price", basket, "--schedule", "SOR", "--on", "2026-05-05", "--member", "C1", "--json")
    )

    assert (plain["total"], adjusted["total"], adjusted["adjustment_percent"]) == ("2200.25", "2145.24", "-2.5")
    assert adjusted["lines"][1] == {
        "code": "RAIL01",
        "description": "Grab rail",
        "unit": "nr",
        "quantity": "2.5",
        "rate": "42.50",
        "net": "103.59",
        "rule": "schedule-rate",
        "edition": f"SOR {adjusted['edition']}",
        "adjustment_percent": "-2.5",
        "uplift_percent": "0",
        "vat_percent": "20",
        "vat": "20.72",
        "explanation": (
            f"2.5 nr at £42.50, the rate of SOR {adjusted['edition']}; −2.5 %, the adjustment; £103.59 before VAT, "
            "rounded half up from £103.59375; VAT 20 %, £20.72, the standard rate: no relief exists for this item."
        ),
    }
    assert adjusted["totals"] == {"net": "2145.24", "vat": "429.05", "total": "2574.29"}


@pytest.mark.parametrize(
    ("line", "options", "said"),
    [
        ("NONE,1", ("--on", "2026-05-05"), "not an item"),
        ("LIFT01,0", ("--on", "2026-05-05"), "above 0"),
        ("LIFT01,1.0001", ("--on", "2026-05-05"), "three decimals"),
        ("LIFT01,1", ("--on", "2026-03-31"), "No edition"),
        ("LIFT01,1", ("--on", "2026-05-05", "--member", "C9"), "no member C9"),
    ],
)
@pytest.mark.usefixtures("county")
def test_a_basket_that_cannot_be_priced_is_refused(
    portal: Portal, write: Write, line: str, options: tuple[str, ...], said: str
) -> None:
    basket = write("basket.csv", f"code,quantity\n{line}\n")

    assert said in portal("rates", "price", basket, "--schedule", "SOR", *options, code=1).stderr


# Contractors ----------------------------------------------------------------------------------------------------------


def contractor_row(**changes: str) -> str:
    """A header and one good row, with changes."""
    names = CONTRACTORS.splitlines()[0].split(",")
    good = dict(zip(names, next(csv.reader([CONTRACTORS.splitlines()[1]])), strict=True))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerow([{**good, **changes}[name] for name in names])
    return out.getvalue()


def test_the_list_with_create_makes_what_it_names(portal: Portal, write: Write) -> None:
    done = document(portal("contractors", "import", write("c.csv", CONTRACTORS), "--create", "--json"))

    assert (done["rows"], done["contractors"], done["members"], done["lots"], done["authorities"]) == (2, 2, 3, 2, 2)
    assert {"lot": "Ramp", "authority": "Authority B"} not in done["unserved"]
    assert {"lot": "Stair lift", "authority": "Authority B"} not in done["unserved"]
    assert db.session.scalars(select(Framework.code)).all() == ["ADAPT"]
    assert sorted(db.session.scalars(select(Lot.name))) == ["Ramp", "Stair lift"]
    assert db.session.scalars(select(Organisation.code).where(Organisation.kind == "authority")).all() == ["A", "B"]


def test_the_same_list_again_changes_values_and_adds_nothing(portal: Portal, write: Write) -> None:
    portal("contractors", "import", write("c.csv", CONTRACTORS), "--create")
    before = {name: count for name, count in rows_written().items() if name not in {"audit_event"}}

    portal("contractors", "import", write("c.csv", CONTRACTORS.replace("-2.5,3", "-4,7")))

    after = rows_written()
    assert {name: after[name] for name in before} == before
    assert db.session.scalars(select(Contractor.capacity).order_by(Contractor.id)).all() == [7, 3]
    assert sorted(db.session.scalars(select(Member.adjustment_bp))) == [-400, -400, 0]


def test_without_create_everything_unknown_is_a_problem_with_its_row(portal: Portal, write: Write) -> None:
    before = rows_written()
    assert "no framework with the code" in portal("contractors", "import", write("c.csv", CONTRACTORS), code=1).stderr
    assert rows_written() == before
    portal("contractors", "import", write("c.csv", CONTRACTORS), "--create")

    stranger = contractor_row(code="C7", rank="9", lots="Stair lift;Hoist", areas="A;Z")
    before = rows_written()
    refused = portal("contractors", "import", write("c.csv", stranger), code=1).stderr

    assert "row 2, column lots: There is no lot called Hoist in ADAPT; it has Ramp, Stair lift." in refused
    assert "row 2, column areas: There is no authority with the code Z" in refused
    assert rows_written() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": ""}, "column code"),
        ({"code": "A"}, "A is the code of an authority; give the contractor another."),
        ({"areas": "A;C1"}, "C1 is a contractor, not an authority"),
        ({"lots": ";"}, "There is no lot in this cell"),
        ({"areas": " ; "}, "There is no area in this cell"),
        ({"rank": "0"}, "column rank"),
        ({"rank": "first"}, "column rank"),
        ({"rank": "2", "code": "C5"}, "would share rank 2 in lot Stair lift"),
        ({"capacity": "-1"}, "column capacity"),
        ({"capacity": "99999999999"}, "column capacity"),
        ({"rank": "99999999999"}, "column rank"),
        ({"adjustment_percent": "-100"}, "leaves no price"),
        ({"adjustment_percent": "99999999999"}, "column adjustment_percent"),
        ({"accepts_from": "31/02/2026"}, "column accepts_from"),
        ({"document:public-liability": "soon"}, "document:public-liability"),
        ({"sme": "perhaps"}, "column sme"),
        ({"email": "office at c1"}, "column email"),
        ({"email": "two\nlines@c1.example"}, "column email"),
        ({"email": "x" * 250 + "@c1.example"}, "column email"),
        ({"code": "C" * 65}, "column code"),
        ({"name": "N" * 201}, "column name"),
        ({"phone": "1" * 41}, "column phone"),
        ({"postcode": "RG1 1AA RG1 1AB"}, "column postcode"),
        ({"lots": "L" * 121}, "column lots"),
        ({"areas": "Z" * 65}, "column areas"),
        ({"name": "Contractor\0 1"}, "row 2"),
    ],
)
def test_a_bad_contractor_is_refused_with_its_row_and_column(
    portal: Portal, write: Write, changes: dict[str, str], said: str
) -> None:
    portal("contractors", "import", write("c.csv", CONTRACTORS), "--create")
    before = rows_written()

    result = portal("contractors", "import", write("bad.csv", contractor_row(**changes)), "--create", code=1)

    assert said in result.stderr
    assert "bad.csv" in result.stderr
    assert rows_written() == before


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (
            "C1,Contractor 1,office@c1.example,01632 960001,RG1 1AA,yes,Stair lift,C,4,0,3,,2030-01-01",
            "member of Stair lift",
        ),
        ("C1,Another name,office@c1.example,01632 960001,RG1 1AA,yes,Hoist,A,4,0,3,,2030-01-01", "with another name"),
        ("C1,Contractor 1,office@c1.example,01632 960001,RG1 1AA,yes,Hoist,A,4,0,9,,2030-01-01", "capacity"),
        ("C1,Contractor 1,office@c1.example,01632 960001,RG1 1AA,yes,Hoist,A,4,0,3,,2031-01-01", "document"),
        ("C9,Contractor 9,office@c9.example,01632 960009,RG1 1AA,yes,Stair lift,A,2,0,3,,2030-01-01", "has rank 2"),
    ],
)
def test_rows_that_disagree_are_refused(portal: Portal, write: Write, second: str, said: str) -> None:
    before = rows_written()

    refused = portal("contractors", "import", write("c.csv", CONTRACTORS + second + "\n"), "--create", code=1).stderr

    assert said in refused
    assert "row 4" in refused
    assert rows_written() == before


def test_an_area_left_out_of_the_next_list_is_given_up(portal: Portal, write: Write) -> None:
    portal("contractors", "import", write("c.csv", CONTRACTORS), "--create")

    portal("contractors", "import", write("c.csv", CONTRACTORS.replace(",A;B,", ",B,")))

    ramp = db.session.scalars(select(Member).join(Member.lot).where(Lot.name == "Ramp")).one()
    assert [area.authority.code for area in ramp.areas] == ["B"]


def test_a_price_beyond_what_can_be_kept_is_refused(portal: Portal, write: Write) -> None:
    dear = RATES + "DEAR01,Dear item,,,nr,9999999999999.99,\n"
    before = rows_written()
    refused = portal(*importing(write("rates.csv", dear)), code=1)

    assert "row 5, column rate" in refused.stderr
    assert rows_written() == before


def test_rank_may_differ_by_lot_in_rows_of_their_own(portal: Portal, write: Write) -> None:
    more = "C1,Contractor 1,office@c1.example,01632 960001,RG1 1AA,yes,Hoist,A,4,0,3,,2030-01-01\n"

    portal("contractors", "import", write("c.csv", CONTRACTORS + more), "--create")

    ranks = db.session.execute(
        select(Lot.name, RankPlace.rank).join(RankPlace.member).join(Member.lot).where(RankPlace.rank != 2)
    ).all()
    assert sorted(map(tuple, ranks)) == [("Hoist", 4), ("Ramp", 1), ("Stair lift", 1)]


# Jobs -----------------------------------------------------------------------------------------------------------------


def test_jobs_are_specified_at_the_edition_in_force(portal: Portal, county: None) -> None:
    shown = document(portal("jobs", "show", "DFG-2", "--json"))

    assert shown["price"] == "2200.25"
    assert (shown["priority"], shown["required_start"], shown["work_type"]) == ("routine", "2027-01-31", "Ramp")
    assert [(line["code"], line["quantity"], line["net"]) for line in shown["lines"]] == [
        ("RAIL01", "2.5", "106.25"),
        ("LIFT01", "1", "2094.00"),
    ]
    assert shown["edition"] == {"schedule": "SOR", "name": "2026"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("DFG-1,A,Stair lift,,RG1 2AB,,,LIFT01*1", "There is a job DFG-1 already."),
        (",A,Stair lift,,RG1 2AB,,,LIFT01*1", "column reference"),
        ("DFG 9,A,Stair lift,,RG1 2AB,,,LIFT01*1", "The reference DFG 9 may hold"),
        ("DFG-9,Z,Stair lift,,RG1 2AB,,,LIFT01*1", "no authority with the code Z"),
        ("DFG-9,C1,Stair lift,,RG1 2AB,,,LIFT01*1", "no authority with the code C1"),
        ("DFG-9,A,Hoist,,RG1 2AB,,,LIFT01*1", "its lots take Ramp, Stair lift"),
        ("DFG-9,A,Stair lift,asap,RG1 2AB,,,LIFT01*1", "“asap” is not a priority"),
        ("DFG-9,A,Stair lift,,RG1,,,LIFT01*1", "not a full postcode"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,soon,LIFT01*1", "column required_start"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,,", "column lines"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,,;", "There is no line"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,,LIFT01", "CODE*QUANTITY"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,,LIFT01*x", "is not a quantity"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,,LIFT01*-1", "above 0"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,,LIFT01*1;LIFT01*2", "named twice"),
        ("DFG-9,A,Stair lift,,RG1 2AB,,,NONE*1", "NONE is not an item of SOR"),
        ("DFG-9,A,Stair lift,,RG1 2AB," + "n" * 201 + ",,LIFT01*1", "column client"),
        ("DFG-9," + "Z" * 65 + ",Stair lift,,RG1 2AB,,,LIFT01*1", "column authority"),
        ("DFG-9,A," + "W" * 121 + ",,RG1 2AB,,,LIFT01*1", "column work_type"),
    ],
)
def test_a_bad_job_is_refused_with_its_row(portal: Portal, write: Write, county: None, row: str, said: str) -> None:
    path, before = write("bad.csv", JOBS.splitlines()[0] + "\n" + row + "\n"), rows_written()

    result = portal("jobs", "import", path, code=1)

    assert "bad.csv, row 2" in result.stderr
    assert said in result.stderr
    assert rows_written() == before


@pytest.mark.parametrize("reference", ["new", "X/works", "X/ranking", "X/allocate", "X/lines", "X/specified"])
def test_a_reference_that_would_hide_a_page_is_refused(
    portal: Portal, write: Write, county: None, reference: str
) -> None:
    path = write("bad.csv", f"{JOBS.splitlines()[0]}\n{reference},A,Stair lift,,RG1 2AB,,,LIFT01*1\n")

    assert "column reference" in portal("jobs", "import", path, code=1).stderr


def test_a_reference_with_a_slash_is_fine(portal: Portal, write: Write, county: None) -> None:
    path = write("j.csv", f"{JOBS.splitlines()[0]}\n2026/DFG/0412,A,Stair lift,,RG1 2AB,,,LIFT01*1\n")

    portal("jobs", "import", path)

    assert document(portal("jobs", "show", "2026/DFG/0412", "--json"))["status"] == "specified"


def test_jobs_with_create_make_authority_and_lot(portal: Portal, write: Write) -> None:
    portal(*importing(write("rates.csv", RATES)))

    done = document(portal("jobs", "import", write("jobs.csv", JOBS), "--create", "--json"))

    assert done == {"jobs": 2, "lots": 2, "authorities": 2}
    assert sorted(db.session.scalars(select(LotWorkType.work_type))) == ["Ramp", "Stair lift"]


def test_jobs_without_any_rates_say_what_to_do(portal: Portal, write: Write) -> None:
    assert "portal rates import" in portal("jobs", "import", write("jobs.csv", JOBS), code=1).stderr


# People ---------------------------------------------------------------------------------------------------------------


def test_a_person_is_added_with_a_password_made_for_them(portal: Portal) -> None:
    code = authority().code

    made = document(
        portal(
            "users",
            "add",
            "Officer@Authority-A.example",
            "--role",
            "technical-officer",
            "--organisation",
            code,
            "--json",
        )
    )

    assert made["email"] == "officer@authority-a.example"
    assert person_for("officer@authority-a.example", made["password"]) is not None
    assert person_for("officer@authority-a.example", "another password") is None
    assert made["password"] not in repr(db.session.execute(select(AuditEvent.data)).all())


def test_a_password_may_come_in_by_standard_input_and_is_not_shown(portal: Portal) -> None:
    words = ("users", "add", "a@b.example", "--role", "auditor", "--organisation", authority().code, "--password-stdin")

    assert "has at least 12 characters" in portal(*words, typed="short\n", code=1).stderr
    result = portal(*words, typed="correct horse battery\n")

    assert "correct horse" not in result.stdout + result.stderr
    assert person_for("a@b.example", "correct horse battery") is not None


def test_people_are_refused_who_do_not_fit(portal: Portal) -> None:
    council, firm = authority().code, person(Role.CONTRACTOR).organisation.code
    before = rows_written()

    for words, said in (
        (("a@b.example", "--role", "contractor", "--organisation", council), "belongs to an organisation of the kind"),
        (("a@b.example", "--role", "auditor", "--organisation", firm), "belongs to an organisation of the kind"),
        (("nobody", "--role", "auditor", "--organisation", council), "not an e-mail address"),
    ):
        assert said in portal("users", "add", *words, code=1).stderr
    portal("users", "add", "a@b.example", "--role", "auditor", "--organisation", council)
    assert (
        "already"
        in portal("users", "add", "A@b.example", "--role", "auditor", "--organisation", council, code=1).stderr
    )

    assert rows_written()["person"] == before["person"] + 1
    assert db.session.scalar(select(func.count()).select_from(Person)) == before["person"] + 1


# As a program of its own ----------------------------------------------------------------------------------------------


def run(url: str, instance: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PORTAL_INSTANCE": str(instance), "PORTAL_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "portal", *words],
        cwd=instance,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_database_is_made_once_and_again_without_harm(shelf: Shelf, tmp_path: Path) -> None:
    with shelf.copy(migrated=False) as url:
        before = run(url, tmp_path, "check")
        first = run(url, tmp_path, "init")
        second = run(url, tmp_path, "init")
        check = run(url, tmp_path, "check", "--json")

    assert (before.returncode, before.stdout) == (1, "")
    assert "portal init" in before.stderr
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert json.loads(check.stdout) == {"ok": True, "problems": []}


def test_programs_that_answer_the_same_offer_at_once_are_one_answer(
    shelf: Shelf, settings: Settings, tmp_path: Path, app: Flask
) -> None:
    offer = scene().offered()
    words = (
        "offers",
        "answer",
        str(offer.id),
        "accept",
        "--start",
        "2026-05-12",
        "--at",
        (NOW + timedelta(hours=1)).isoformat(),
    )
    environment = {
        **os.environ,
        "PORTAL_INSTANCE": str(tmp_path),
        "PORTAL_DATABASE_URL": settings.database_url,
        "PYTHONPATH": str(ROOT),
    }

    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "portal", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [program.communicate(timeout=120) for program in programs]

    assert sorted(program.returncode for program in programs) == [0, 1, 1], said
    look_again()
    assert db.session.scalars(select(Offer.status)).all() == [OfferStatus.ACCEPTED]
    assert list(everything_off()) == []
