"""The verbs on frameworks, lots, members, documents and lists: each once done and once refused, with one document."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, TODAY, Scene, code_of, look_again, scene, unique
from builders import authority as an_authority
from click.testing import Result
from fixture_types import Clock
from flask import Flask
from openpyxl import load_workbook
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import func, select, update

from portal.cli import main
from portal.framework.documents.files import check_file
from portal.framework.documents.services import hand_in_document
from portal.framework.member_models import ContractorDocument, Member
from portal.framework.models import Framework
from portal.jobs.models import Offer
from portal.jobs.states import OfferStatus
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.rates.models import Item

Portal = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fixed_clock")


def document(result: Result) -> Any:
    """The one JSON document on stdout."""
    return json.loads(result.stdout)


def refused(portal: Portal, *words: str | Path, said: str) -> None:
    """The verb ends with exit 1, says so on stderr, and leaves no trace."""
    before = db.session.scalar(select(func.count()).select_from(AuditEvent))
    result = portal(*words, code=1)
    assert said in result.stderr, result.stderr
    assert result.stdout == ""
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == before


def framework_code(there: Scene) -> str:
    look_again()
    return db.session.scalars(select(Framework.code).where(Framework.id == there.lot.framework_id)).one()


@pytest.fixture
def there(app: Flask) -> Scene:
    return scene(members=3)


# Frameworks -----------------------------------------------------------------------------------------------------------

ADD = ("frameworks", "add", "ADAPT", "--name", "Home adaptations")


def test_a_framework_is_added_with_all_its_terms(portal: Portal, app: Flask) -> None:
    made = document(
        portal(
            *ADD,
            *("--from", "2026-04-01", "--to", "2030-04-01", "--kind", "framework-agreement", "--regime", "closed"),
            *("--party", "applicant", "--cap", "2500000.50", "--review-months", "12", "--local-areas", "al, sg5"),
            "--json",
        )
    )

    assert made == document(portal("frameworks", "show", "ADAPT", "--json"))
    assert (made["from"], made["to"], made["regime"]) == ("2026-04-01", "2030-04-01", "closed")
    assert (made["contracting_party"], made["value_cap"], made["local_areas"]) == (
        "applicant",
        "2500000.50",
        ["AL", "SG5"],
    )
    assert [each["code"] for each in document(portal("frameworks", "list", "--json"))] == ["ADAPT"]
    assert "ADAPT" in portal("frameworks", "list").stdout
    assert "value cap: 2500000.50" in portal("frameworks", "show", "ADAPT").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-04-01", "--to", "2026-04-01"), "must come after the start"),
        (("--from", "2026-04-01", "--to", "2036-04-01"), "at most 8 years"),
        (("--kind", "quotations"), "two or three quotes"),
        (("--kind", "direct-contract"), "guarantees a minimum"),
    ],
)
def test_terms_that_no_framework_can_have_are_refused(
    portal: Portal, app: Flask, words: tuple[str, ...], said: str
) -> None:
    refused(portal, *ADD, *words, said=said)


def test_an_unknown_framework_is_said(portal: Portal, app: Flask) -> None:
    for verb in ("show", "use"):
        refused(portal, "frameworks", verb, "NOWHERE", said="There is no framework with the code NOWHERE.")


@pytest.mark.parametrize(
    "words",
    [
        (*ADD, "--cap", "much"),
        (*ADD, "--cap", "-1"),
        (*ADD, "--from", "soon"),
        ("frameworks", "add", "ADAPT"),
        ("lots", "add", "ADAPT", "Ramp", "--answer-hours", "often=4"),
        ("lots", "add", "ADAPT", "Ramp", "--requires", "ssip=much"),
        ("members", "apply", "C1", "--lot", "Ramp", "--area", "A", "--adjustment", "a bit"),
    ],
)
def test_wrong_usage_is_exit_2(portal: Portal, app: Flask, words: tuple[str, ...]) -> None:
    assert "Error:" in portal(*words, code=2).stderr


def test_a_framework_is_extended_with_a_reason(portal: Portal, app: Flask) -> None:
    portal(*ADD, "--from", "2026-04-01", "--to", "2030-04-01")

    done = document(
        portal("frameworks", "extend", "ADAPT", "--to", "2031-04-01", "--reason", "Re-procurement", "--json")
    )

    assert done == {"code": "ADAPT", "was": "2030-04-01", "to": "2031-04-01", "reason": "Re-procurement"}
    refused(
        portal, "frameworks", "extend", "ADAPT", "--to", "2031-04-01", "--reason", "x", said="must come after 1 April"
    )


def test_a_decision_beyond_the_cap_is_recorded(portal: Portal, app: Flask) -> None:
    portal(*ADD, "--cap", "1000")

    done = document(
        portal("frameworks", "cap-decision", "ADAPT", "--up-to", "1500", "--reason", "Winter pressures", "--json")
    )

    assert done == {"code": "ADAPT", "up_to": "1500.00", "reason": "Winter pressures"}
    refused(
        portal,
        "frameworks",
        "cap-decision",
        "ADAPT",
        "--up-to",
        "1500",
        "--reason",
        "x",
        said="up to £1,500.00 already",
    )


def test_authorities_join_lead_and_leave(portal: Portal, app: Flask) -> None:
    first = an_authority().code
    portal(*ADD)

    joined = document(portal("frameworks", "join", "ADAPT", first, "--from", "2026-04-01", "--lead", "--json"))
    left = document(portal("frameworks", "leave", "ADAPT", first, "--on", "2026-09-01", "--json"))

    assert joined == {"framework": "ADAPT", "code": first, "from": "2026-04-01", "to": None, "lead": True}
    assert (left["to"], left["lead"]) == ("2026-09-01", True)
    refused(portal, "frameworks", "join", "ADAPT", first, "--from", "2026-05-01", said="the new one overlaps it")
    refused(portal, "frameworks", "leave", "ADAPT", first, "--on", "2026-05-01", said="is in the past")
    refused(portal, "frameworks", "join", "ADAPT", "NOBODY", said="There is no authority with the code NOBODY.")
    refused(
        portal, "frameworks", "leave", "ADAPT", an_authority().code, "--on", "2026-09-01", said="does not take part"
    )


def test_use_tells_spend_guarantee_and_shares(portal: Portal, there: Scene) -> None:
    there.accepted()
    code = framework_code(there)
    with transaction():
        db.session.execute(update(Framework).where(Framework.code == code).values(value_cap_pence=250_000))

    seen = document(portal("frameworks", "use", code, "--from", "2026-05-01", "--to", "2026-05-31", "--json"))

    assert seen["spend"] == {
        "done": "0.00",
        "ordered": "2094.00",
        "on_offer": "0.00",
        "used": "2094.00",
        "value_cap": "2500.00",
        "limit": "2500.00",
        "percent": "83.8",
        "warning": 75,
        "stopped": False,
    }
    assert seen["guarantee"] == []
    assert [(each["code"], each["share_percent"]) for each in seen["share"]["members"]] == [
        (code_of(each), share) for each, share in zip(there.members, ("100.0", "0.0", "0.0"), strict=True)
    ]
    assert "83.8 % of £2,500.00" in portal("frameworks", "use", code, "--lot", there.lot.name).stdout
    refused(portal, "frameworks", "use", code, "--from", "2026-05-31", "--to", "2026-05-01", said="cannot come before")
    refused(portal, "frameworks", "use", code, "--lot", "Nothing", said="There is no lot Nothing in the framework")


def test_reviews_are_planned_opened_and_closed(portal: Portal, app: Flask) -> None:
    portal(*ADD, "--from", "2026-04-01", "--to", "2030-04-01")

    planned = document(portal("reviews", "plan", "ADAPT", "--on", "2027-04-01", "--json"))
    opened = document(portal("reviews", "open", "ADAPT", "--json"))
    closed = document(portal("reviews", "close", "ADAPT", "--note", "Two entered", "--json"))

    assert [each["status"] for each in (planned, opened, closed)] == ["planned", "open", "closed"]
    assert document(portal("reviews", "list", "ADAPT", "--json")) == [closed]
    assert closed["note"] == "Two entered"
    refused(portal, "reviews", "plan", "ADAPT", "--on", "2026-01-01", said="is in the past")
    refused(portal, "reviews", "open", "ADAPT", said="has no review that is planned")
    refused(portal, "reviews", "open", "ADAPT", "--due", "2028-01-01", said="has no review on 1 January 2028")
    refused(portal, "reviews", "close", "ADAPT", said="has no review that is open")


# Lots -----------------------------------------------------------------------------------------------------------------


def test_a_lot_is_added_with_all_its_terms(portal: Portal, app: Flask) -> None:
    where = an_authority().code
    portal(*ADD)
    portal("frameworks", "join", "ADAPT", where)

    made = document(
        portal(
            *("lots", "add", "ADAPT", "Ramps", "--work-type", "Ramp", "--work-type", "Step", "--area", where),
            *("--area", "RG1", "--value-from", "100", "--value-to", "5000", "--requires", "public-liability=5000000"),
            *("--requires", "ssip", "--asks", "trustmark", "--capacity-rule", "this-lot"),
            *("--answer-hours", "routine=24", "--start-days", "hospital-discharge=3", "--works-days", "10", "--json"),
        )
    )

    assert made == {
        "framework": "ADAPT",
        "name": "Ramps",
        "method": "ranked-cascade",
        "work_types": ["Ramp", "Step"],
        "areas": [where, "RG1"],
        "value_from": "100.00",
        "value_to": "5000.00",
        "capacity_rule": "this-lot",
        "answer_hours": {"hospital-discharge": 4, "priority": 8, "routine": 24},
        "start_days": {"hospital-discharge": 3, "priority": 15, "routine": 30},
        "works_days": 10,
        "minimum_order": "0.00",
        "out_of_hours_percent": "0",
        "documents": [
            {"kind": "public-liability", "required": True, "least_cover": "5000000.00"},
            {"kind": "ssip", "required": True, "least_cover": None},
            {"kind": "trustmark", "required": False, "least_cover": None},
        ],
    }
    assert document(portal("lots", "list", "ADAPT", "--json")) == [made]
    assert "below £5000.00" in portal("lots", "list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ADAPT", "Ramps", "--value-from", "5", "--value-to", "5"), "must end above its beginning"),
        (("ADAPT", "Ramps", "--area", "Nowhere"), "neither an authority nor a postcode district"),
        (("ADAPT", "Ramps", "--answer-hours", "routine=0"), "working hours from 1"),
        (("ADAPT", "Ramps", "--requires", "ssip", "--asks", "ssip"), "both required and only asked for"),
        (("OTHER", "Ramps"), "There is no framework"),
    ],
)
def test_a_lot_that_cannot_be_is_refused(portal: Portal, app: Flask, words: tuple[str, ...], said: str) -> None:
    portal(*ADD)

    refused(portal, "lots", "add", *words, said=said)


def ranks(there: Scene, path: Path, *places: str, header: str = "code,rank,share_percent") -> Path:
    path.write_text("\n".join([header, *places]) + "\n", encoding="utf-8")
    return path


def test_ranks_are_set_from_a_file(portal: Portal, there: Scene, tmp_path: Path) -> None:
    first, second, third = map(code_of, there.members)
    file = ranks(there, tmp_path / "ranks.csv", f"{first},3,20", f"{second},1,50", f"{third},2,30")

    done = document(
        portal("lots", "ranks", framework_code(there), there.lot.name, file, "--from", "2026-06-01", "--json")
    )

    assert [(each["code"], each["share_percent"]) for each in done["ranks"]] == [
        (second, "50"),
        (third, "30"),
        (first, "20"),
    ]
    listed = document(portal("members", "list", "--lot", there.lot.name, "--on", "2026-06-01", "--json"))
    assert [each["code"] for each in listed] == [second, third, first]
    before = document(portal("members", "list", "--lot", there.lot.name, "--json"))
    assert [each["code"] for each in before] == [first, second, third]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("{0},1,", "{1},1,", "{2},3,"), "ranks.csv, row 3, column rank: {0} and {1} would share rank 1"),
        (("{0},1,", "{1},2,"), "{2} would have none"),
        (("{0},1,", "{1},2,", "{2},3,", "X,4,"), "row 5, column code: X is not a member"),
        (("{0},1,", "{0},2,", "{1},3,", "{2},4,"), "row 3, column code: {0} stands in row 2 already"),
        (("{0},0,", "{1},2,", "{2},3,"), "row 2, column rank"),
        (("{0},1,60", "{1},2,60", "{2},3,"), "at most 100 %"),
        ((), "ranks.csv"),
    ],
)
def test_ranks_that_cannot_hold_are_refused_whole(
    portal: Portal, there: Scene, tmp_path: Path, rows: tuple[str, ...], said: str
) -> None:
    codes = [code_of(each) for each in there.members]
    file = ranks(there, tmp_path / "ranks.csv", *(row.format(*codes) for row in rows))
    place = ("lots", "ranks", framework_code(there), there.lot.name, file)

    refused(portal, *place, "--from", "2026-06-01", said=said.format(*codes))


def test_ranks_do_not_begin_in_the_past(portal: Portal, there: Scene, tmp_path: Path) -> None:
    file = ranks(there, tmp_path / "ranks.csv", *(f"{code_of(each)},{n}," for n, each in enumerate(there.members, 1)))
    place = ("lots", "ranks", framework_code(there), there.lot.name, file)

    refused(portal, *place, "--from", "2026-05-04", said="is in the past")


# Members --------------------------------------------------------------------------------------------------------------


def step(portal: Portal, verb: str, code: str, there: Scene, *words: str) -> Any:
    return document(portal("members", verb, code, "--lot", there.lot.name, *words, "--json"))


def test_a_membership_takes_every_step_and_all_can_be_told(portal: Portal, there: Scene, fixed_clock: Clock) -> None:
    code = code_of(there.members[0])

    assert step(portal, "release", code, there)["status"] == "released"
    applied = step(portal, "apply", code, there, "--area", there.authority.code, "--adjustment=-2.5")
    assert applied == {"code": code, "lot": there.lot.name, "status": "applied", "passed_on": [], "nobody_left": []}
    assert step(portal, "check", code, there)["status"] == "checking"
    assert step(portal, "admit", code, there, "--rank", "9", "--reason", "All in order")["status"] == "active"
    assert step(portal, "suspend", code, there, "--reason", "A claim", "--until", "2026-06-01")["status"] == "suspended"
    assert step(portal, "reinstate", code, there)["status"] == "active"
    assert step(portal, "remove", code, there, "--reason", "Ceased trading")["status"] == "removed"

    told = document(portal("members", "history", code, "--json"))
    assert [each["status"] for each in told] == [
        *("active", "released", "applied", "checking", "active", "suspended", "active", "removed"),
    ]
    assert (told[5]["reason"], told[5]["until"]) == ("A claim", "2026-06-01")
    assert "suspended until 2026-06-01: A claim" in portal("members", "history", code).stdout
    assert db.session.get_one(Member, there.members[0].id).adjustment_bp == -250


def test_who_is_suspended_has_its_open_offers_passed_on(portal: Portal, there: Scene) -> None:
    offer = there.offered()

    done = step(portal, "suspend", code_of(there.members[0]), there, "--reason", "A claim")

    look_again()
    assert done["passed_on"] == [offer.job.reference]
    assert db.session.get_one(Offer, offer.id).status is OfferStatus.WITHDRAWN


def test_a_suspension_is_changed_by_the_same_verb(portal: Portal, there: Scene) -> None:
    code = code_of(there.members[0])
    step(portal, "suspend", code, there, "--reason", "A claim")

    step(portal, "suspend", code, there, "--reason", "Settled soon", "--until", "2026-06-01")

    last = document(portal("members", "history", code, "--json"))[-1]
    assert (last["status"], last["until"], last["reason"]) == ("suspended", "2026-06-01", "Settled soon")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "{0}", "--lot", "{lot}"), "it cannot become checking"),
        (("admit", "{0}", "--lot", "{lot}"), "it cannot become active"),
        (("reinstate", "{0}", "--lot", "{lot}"), "it cannot become active"),
        (("suspend", "{0}", "--lot", "{lot}"), "Give the reason"),
        (("suspend", "{0}", "--lot", "{lot}", "--reason", "x", "--until", "2026-05-05"), "must end after today"),
        (("remove", "{0}", "--lot", "{lot}"), "Give the reason"),
        (("release", "NOBODY", "--lot", "{lot}"), "NOBODY has no membership of the lot"),
        (("release", "{0}", "--lot", "Nothing"), "There is no lot Nothing."),
        (("release", "{0}", "--lot", "{lot}", "--framework", "NONE"), "There is no framework"),
        (("apply", "{0}", "--lot", "{lot}", "--area", "{area}"), "a member of the lot"),
        (("apply", "NOBODY", "--lot", "{lot}", "--area", "{area}"), "There is no contractor NOBODY."),
        (("history", "NOBODY"), "There is no contractor NOBODY."),
        (("list", "--lot", "Nothing"), "There is no lot Nothing."),
        (("list", "--framework", "NONE"), "There is no framework"),
    ],
)
def test_steps_that_cannot_be_taken_are_refused(
    portal: Portal, there: Scene, words: tuple[str, ...], said: str
) -> None:
    given = {"lot": there.lot.name, "area": there.authority.code}
    filled = [word.format(*map(code_of, there.members), **given) for word in words]

    refused(portal, "members", *filled, said=said)


def test_a_lot_that_two_frameworks_have_must_be_told_apart(portal: Portal, there: Scene) -> None:
    portal(*ADD)
    portal("lots", "add", "ADAPT", there.lot.name)

    refused(portal, "members", "release", code_of(there.members[0]), "--lot", there.lot.name, said="--framework")
    assert step(portal, "release", code_of(there.members[0]), there, "--framework", framework_code(there))


def test_the_list_of_a_day_says_who_was_on_it_and_why(portal: Portal, app: Flask, fixed_clock: Clock) -> None:
    there = scene(members=2, requirements=["ssip"], documents={"ssip": TODAY + timedelta(days=9)})
    first, second = map(code_of, there.members)
    fixed_clock.at = NOW + timedelta(days=5)
    step(portal, "suspend", first, there, "--reason", "A claim is open")
    fixed_clock.at = NOW + timedelta(days=20)

    now = document(portal("members", "list", "--lot", there.lot.name, "--json"))
    then = document(portal("members", "list", "--lot", there.lot.name, "--on", "2026-05-06", "--json"))

    assert [(each["code"], each["status"], each["reason"]) for each in now] == [
        (first, "suspended", "A claim is open"),
        (second, "lapsed", "ssip expired on 14 May 2026"),
    ]
    assert [each["status"] for each in then] == ["active", "active"]
    only = portal("members", "list", "--status", "suspended", "--framework", framework_code(there)).stdout
    assert first in only
    assert second not in only


# Documents ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pdf"
    canvas = Canvas(str(path), invariant=True)
    canvas.drawString(72, 720, "Certificate")
    canvas.save()
    return path


def handed_in(there: Scene, file: Path) -> int:
    """A document that the contractor itself handed in online."""
    with transaction():
        return hand_in_document(
            there.members[0].contractor_id,
            "ssip",
            TODAY + timedelta(days=300),
            file=check_file(file.name, file.read_bytes()),
            stored_name=unique("stored"),
            by="office@firm.example",
            now=NOW,
        ).id


def test_a_document_is_handed_in_and_waits(portal: Portal, there: Scene, certificate: Path) -> None:
    code = code_of(there.members[0])

    made = document(
        portal(
            *("documents", "add", code, "public-liability", certificate, "--expires", "2027-05-01"),
            *("--cover", "5000000", "--json"),
        )
    )

    assert (made["status"], made["cover"], made["file"]) == ("waiting", "5000000.00", "certificate.pdf")
    assert document(portal("documents", "list", "--waiting", "--json")) == [made]
    assert "covers £5000000.00" in portal("documents", "list", "--contractor", code).stdout
    refused(portal, "documents", "verify", str(made["id"]), said="Nobody verifies a document that they handed in")


def test_a_document_is_verified_or_rejected(portal: Portal, there: Scene, certificate: Path) -> None:
    good = handed_in(there, certificate)

    verified = document(portal("documents", "verify", str(good), "--expires", "2027-01-31", "--json"))

    assert (verified["status"], verified["expires"]) == ("verified", "2027-01-31")
    refused(portal, "documents", "reject", str(good), "--reason", "Unreadable", said="it cannot become rejected")
    bad = handed_in(there, certificate)
    done = document(portal("documents", "reject", str(bad), "--reason", "Unreadable", "--json"))
    assert (done["status"], done["reason"]) == ("rejected", "Unreadable")
    assert document(portal("documents", "list", "--waiting", "--json")) == []
    far = handed_in(there, certificate)
    refused(portal, "documents", "verify", str(far), "--expires", "9999-12-31", said="look at the year")
    refused(portal, "documents", "withdraw", str(far), "--reason", "Cancelled", said="waits to be verified")
    done = document(portal("documents", "withdraw", str(good), "--reason", "Cancelled", "--json"))
    assert (done["status"], done["reason"]) == ("withdrawn", "Cancelled")
    refused(portal, "documents", "verify", "999999", said="There is no such document.")


def test_a_file_that_is_no_document_is_refused_and_not_kept(
    portal: Portal, there: Scene, tmp_path: Path, certificate: Path
) -> None:
    code, text = code_of(there.members[0]), tmp_path / "certificate.txt"
    text.write_text("Trust me", encoding="utf-8")

    for file, words, said in (
        (text, ("--expires", "2027-05-01"), "not a PDF, JPEG or PNG"),
        (tmp_path / "missing.pdf", ("--expires", "2027-05-01"), "cannot be read"),
        (certificate, ("--expires", "2026-05-04"), "expired on 4 May 2026"),
    ):
        refused(portal, "documents", "add", code, "ssip", file, *words, said=said)
    refused(portal, "documents", "list", "--contractor", "NOBODY", said="There is no contractor NOBODY.")
    assert db.session.scalar(select(func.count()).select_from(ContractorDocument)) == 0


# Lists in and out -----------------------------------------------------------------------------------------------------


def test_the_contractor_list_is_written_as_csv_and_xlsx(portal: Portal, there: Scene, tmp_path: Path) -> None:
    text, book = tmp_path / "list.csv", tmp_path / "list.XLSX"

    done = document(portal("contractors", "export", text, "--lot", there.lot.name, "--json"))
    portal("contractors", "export", book)

    assert done == {"file": str(text), "on": "2026-05-05", "rows": 3}
    with text.open(encoding="utf-8-sig", newline="") as file:
        assert [row["code"] for row in csv.DictReader(file)] == sorted(code_of(each) for each in there.members)
    sheet = load_workbook(book, read_only=True).active
    assert sheet is not None
    assert len(list(sheet.iter_rows())) == 4
    refused(portal, "contractors", "export", tmp_path / "list.pdf", said="must end in .csv or .xlsx")
    refused(portal, "contractors", "export", tmp_path / "no" / "list.csv", said="cannot be written")


def test_places_are_brought_in(portal: Portal, app: Flask, tmp_path: Path) -> None:
    good, bad = tmp_path / "places.csv", tmp_path / "bad.csv"
    good.write_text("district,latitude,longitude\nRG1,51.455,-0.969\nRG2,51.43,-0.95\n", encoding="utf-8")
    bad.write_text("district,latitude,longitude\nRG1,0,-0.969\n", encoding="utf-8")

    assert document(portal("places", "import", good, "--json")) == {"rows": 2, "added": 2, "moved": 0}
    refused(portal, "places", "import", bad, said="row 2, column latitude")


def test_guide_prices_are_one_document(portal: Portal, there: Scene) -> None:
    with transaction():
        db.session.execute(update(Item).where(Item.code == "LIFT01").values(composite=True))

    seen = document(portal("guide-prices", "--json"))

    assert [(each["code"], each["price"]) for each in seen["works"]] == [("LIFT01", "2094.00")]
    assert seen["starts"][0]["contractors_within_10_working_days"] == 3
    assert "earliest start 2026-05-06" in portal("guide-prices").stdout


def test_every_verb_has_a_help_text(portal: Portal, app: Flask) -> None:
    for group in ("frameworks", "reviews", "lots", "members", "documents", "places", "contractors"):
        commands = main.commands[group].commands  # type: ignore[attr-defined]
        for name, command in commands.items():
            assert command.help, f"{group} {name}"
            assert portal(group, name, "--help").stdout.startswith("Usage:")
