"""A membership's page, documents to verify, and the contractor list, as staff use them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO, StringIO

import pytest
from builders import (
    NOW,
    OFFICER,
    TODAY,
    Scene,
    authority,
    code_of,
    framework,
    framework_with_lot,
    look_again,
    member,
    person,
    scene,
    standing_of,
)
from fixture_types import AT_MOST, Clock
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select
from strict_client import StrictClient

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind, Role
from portal.framework.documents.files import CheckedFile
from portal.framework.documents.services import hand_in_document
from portal.framework.listing.places import Place, PlaceFile, import_places
from portal.framework.member_models import Contractor, ContractorDocument, Member, MemberEvent
from portal.framework.members.services import apply_for_lot, set_member_status
from portal.framework.models import Lot
from portal.framework.states import DocumentStatus, MemberStatus
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.outbox import Notice

LATER = date(2027, 5, 1)
SignIn = Callable[[Person], StrictClient]


def contractor(code: str, name: str = "", postcode: str = "RG2 0AA", **columns: object) -> Contractor:
    """A firm that has registered and is a member nowhere yet."""
    with transaction():
        home = Organisation(code=code, name=name or f"Contractor {code}", kind=OrganisationKind.CONTRACTOR)
        firm = Contractor(
            organisation=home,
            email=f"office@{code.lower()}.example",
            phone="",
            postcode=postcode,
            sme=True,
            capacity=3,
            **columns,
        )
        db.session.add(firm)
    return firm


def applied(lot: Lot, area: Organisation, code: str = "NEW1") -> Member:
    """A new firm's application."""
    firm = contractor(code)
    with transaction():
        return apply_for_lot(firm.id, lot.id, areas=[area.code], adjustment_bp=0, by="x@new.example", now=NOW)


def handed_in(
    firm_id: int, kind: str = "gas", expires_on: date = LATER, by: str = "x@new.example", **values: int | None
) -> int:
    """A document that waits to be verified; its id."""
    content = f"%PDF- {firm_id} {kind} {expires_on} {by}".encode()
    file = CheckedFile(f"{kind}.pdf", "application/pdf", content)
    with transaction():
        document = hand_in_document(
            firm_id, kind, expires_on, file=file, stored_name=file.sha256, by=by, now=NOW, **values
        )
        return document.id


@pytest.fixture
def manager(app: Flask, sign_in: SignIn) -> StrictClient:
    return sign_in(person(Role.FRAMEWORK_MANAGER, email="manager@county.example"))


@pytest.fixture
def auditor(app: Flask, sign_in: SignIn) -> StrictClient:
    return sign_in(person(Role.AUDITOR))


# A membership ---------------------------------------------------------------------------------------------------------


def buttons(page: object) -> set[str]:
    return {
        " ".join(button.get_text().split())
        for button in page.soup.select("main form button")  # type: ignore[attr-defined]
    }


def test_a_suspension_is_changed_from_what_it_was(manager: StrictClient) -> None:
    (only,) = scene(members=1).members
    with transaction():
        set_member_status(
            only, MemberStatus.SUSPENDED, reason="A claim is open", by=OFFICER, now=NOW, until_on=date(2026, 6, 1)
        )

    page = manager.get(f"/framework/members/{only.id}")
    assert "Change the suspension" in buttons(page)
    page.submit("Change the suspension", {"Day": "15"})

    look_again()
    last = db.session.scalars(select(MemberEvent).order_by(MemberEvent.id.desc())).first()
    assert last is not None
    assert (last.status, last.reason, last.until_on) == (
        MemberStatus.SUSPENDED,
        "A claim is open",
        date(2026, 6, 15),
    )
    refused = manager.get(f"/framework/members/{only.id}").submit(
        "Change the suspension", {"Why is the member suspended?": ""}, status=422
    )
    assert "Give the reason" in refused.text
    assert "Change the suspension" in buttons(refused)


def test_an_applicant_is_checked_and_admitted_once_its_documents_are_verified(manager: StrictClient) -> None:
    where = authority()
    lot = framework_with_lot(where, requirements=["gas"])
    member(lot, areas=[where], rank=1)
    made = applied(lot, where)
    address = f"/framework/members/{made.id}"

    page = manager.get(address)
    assert buttons(page) == {"Start checking", "Release", "Remove", "Change the terms"}
    page = manager.follow(page.submit("Start checking"))
    assert "Admit" not in buttons(page)
    assert "Gas Safe registration: is missing" in page.text
    refused = manager.post(f"{address}/admit", {"csrf_token": page.soup.select_one("[name=csrf_token]")["value"]}, 422)
    assert "gas is missing" in refused.text
    assert standing_of(made) is MemberStatus.CHECKING

    document = handed_in(made.contractor_id)
    page = manager.get(address).click("Verify the waiting one")
    manager.follow(page.submit("Verify the document"))
    page = manager.get(address)
    terms = {"Rank (optional)": "2", "Share of the work in per cent (optional)": "25"}
    page = manager.follow(page.submit("Admit", terms))

    assert "Admitted" in page.text
    assert standing_of(made) is MemberStatus.ACTIVE
    assert "Rank today 2" in page.text
    assert "25 %" in page.text
    assert db.session.get_one(ContractorDocument, document).decided_by == "manager@county.example"


def test_the_page_shows_every_step_with_who_when_and_why(manager: StrictClient) -> None:
    there = scene(1)
    address = f"/framework/members/{there.members[0].id}"

    page = manager.get(address).submit(
        "Suspend",
        {"Why is the member suspended?": "A claim is open", "Day": "1", "Month": "6", "Year": "2026"},
    )
    page = manager.follow(page)

    assert "Suspended since 5 May 2026, ends by itself on 1 June 2026: A claim is open" in page.text
    history = page.text.split("History")[1]
    assert "Suspended from 5 May 2026 by manager@county.example" in history
    assert "listed in contractors.csv" in history
    assert "Active from 1 January 2000" in history
    assert buttons(page) == {"Reinstate", "Change the suspension", "Release", "Remove", "Change the terms"}


def test_a_suspension_that_ended_by_itself_reads_as_active_since_then(
    manager: StrictClient, fixed_clock: Clock
) -> None:
    there = scene(1)
    with transaction():
        set_member_status(
            there.members[0], MemberStatus.SUSPENDED, reason="A claim", by=OFFICER, now=NOW, until_on=date(2026, 5, 8)
        )
    fixed_clock.at = NOW + timedelta(days=4)

    page = manager.get(f"/framework/members/{there.members[0].id}")

    assert "Active since 8 May 2026: the suspension ended on 8 May 2026" in page.text
    assert {"Suspend", "Release"} <= buttons(page)


@pytest.mark.parametrize(
    ("step", "values", "sentence"),
    [
        ("suspend", {}, "Give the reason; the contractor reads it"),
        ("suspend", {"suspend-reason": "x", "suspend-until_on": ["5", "5", "2026"]}, "must end after today"),
        ("suspend", {"suspend-reason": "x", "suspend-until_on": ["31", "2", "2026"]}, "Enter the day as numbers"),
        ("suspend", {"suspend-reason": "x" * 501}, "at most 500 characters"),
        ("remove", {}, "Give the reason; the contractor reads it"),
        ("terms", {"terms-adjustment": "-100"}, "Enter the adjustment in per cent"),
        ("terms", {"terms-adjustment": "2"}, "Choose at least one area"),
        ("terms", {"terms-adjustment": "2", "terms-districts": "RG1 nowhere"}, "NOWHERE is neither an authority"),
    ],
)
def test_a_step_that_cannot_be_taken_says_so_and_changes_nothing(
    manager: StrictClient, step: str, values: dict[str, object], sentence: str
) -> None:
    there = scene(1)
    address = f"/framework/members/{there.members[0].id}"
    token = manager.get(address).soup.select_one("[name=csrf_token]")["value"]

    page = manager.post(f"{address}/{step}", {"csrf_token": token, **values}, 422)

    assert sentence in page.text
    assert page.title.startswith("Error: ")
    assert page.soup.select_one("details[open]") is not None
    assert standing_of(there.members[0]) is MemberStatus.ACTIVE
    assert [each.code for each in db.session.get_one(Member, there.members[0].id).areas] == [there.authority.code]


def test_whoever_was_second_is_told(manager: StrictClient) -> None:
    there = scene(1)
    stale = manager.get(f"/framework/members/{there.members[0].id}")
    with transaction():
        set_member_status(there.members[0], MemberStatus.REMOVED, reason="Gone", by=OFFICER, now=NOW)

    page = stale.submit("Release", status=409)

    assert "This membership is removed now; that step no longer applies." in page.text


def test_a_release_passes_open_offers_on_and_says_so(manager: StrictClient) -> None:
    there = scene(2)
    offer = there.offered()
    look_again()
    reference = offer.job.reference
    address = f"/framework/members/{there.members[0].id}"
    assert "1 offer" in manager.get(address).text

    page = manager.follow(manager.get(address).submit("Release"))

    assert f"Passed on to the next member: {reference}." in page.text
    assert buttons(page) == set()
    assert "0 offers" in page.text


def test_terms_change_with_an_audit_event(manager: StrictClient) -> None:
    first, second = authority(), authority()
    lot = framework_with_lot(first, second)
    one = member(lot, areas=[first], rank=1)
    page = manager.get(f"/framework/members/{one.id}")

    manager.follow(
        page.submit(
            "Change the terms",
            {
                second.name: True,
                "Postcode districts (optional)": "rg1, rg2",
                "Adjustment on the schedule’s rates, in per cent": "-2.5",
            },
        )
    )

    look_again()
    changed = db.session.get_one(Member, one.id)
    assert changed.adjustment_bp == -250
    assert {each.code for each in changed.areas} == {first.code, second.code, "RG1", "RG2"}
    event = events_on(f"contractor:{code_of(changed)}")[-1]
    assert (event.action, event.data["was_adjustment_bp"]) == ("member terms changed", 0)


def test_new_areas_cannot_bring_two_members_of_one_rank_together(manager: StrictClient) -> None:
    first, second = authority(), authority()
    lot = framework_with_lot(first, second)
    one = member(lot, areas=[first], rank=1)
    member(lot, areas=[second], rank=1)
    page = manager.get(f"/framework/members/{one.id}")

    refused = page.submit("Change the terms", {second.name: True}, status=422)

    assert "would share rank 1" in refused.text
    look_again()
    assert [each.code for each in db.session.get_one(Member, one.id).areas] == [first.code]


def test_staff_who_do_not_manage_read_and_are_offered_nothing(auditor: StrictClient) -> None:
    there = scene(1, requirements=["gas"], documents={"gas": LATER})

    page = auditor.get(f"/framework/members/{there.members[0].id}")

    assert buttons(page) == set()
    assert "What next" not in page.text
    assert "Gas Safe registration required Verified" in page.text


# Documents to verify --------------------------------------------------------------------------------------------------


def test_documents_wait_oldest_first_and_are_verified_as_they_read(
    manager: StrictClient, fixed_clock: Clock, query_counter: AT_MOST
) -> None:
    there = scene(2, requirements=["public-liability"])
    ids = [
        handed_in(each.contractor_id, "public-liability", cover_pence=100_000_000) for each in reversed(there.members)
    ]
    look_again()
    with query_counter(12):
        page = manager.get("/framework/documents")
    assert [row[1] for row in page.rows()[:2]] == [f"Contractor {code_of(each)}" for each in reversed(there.members)]
    assert "Is missing: no new job is offered. A new one waits" in page.text

    page = page.click(f"Public liability insurance of Contractor {code_of(there.members[1])}")
    page = manager.follow(
        page.submit(
            "Verify the document",
            {
                "Day": "30",
                "Month": "4",
                "Year": "2027",
                "Amount covered, in pounds, as the document says": "2,000,000",
            },
        )
    )

    assert "is verified" in page.text
    look_again()
    document = db.session.get_one(ContractorDocument, ids[0])
    assert (document.status, document.expires_on, document.cover_pence) == (
        DocumentStatus.VERIFIED,
        date(2027, 4, 30),
        200_000_000,
    )


def test_a_rejected_document_tells_its_contractor_why(manager: StrictClient) -> None:
    there = scene(1)
    document = handed_in(there.members[0].contractor_id)
    page = manager.get(f"/framework/documents/{document}")

    assert "Give the reason" in page.submit("Do not accept it", status=422).text
    manager.follow(page.submit("Do not accept it", {"Why can it not be accepted?": "The second page is missing"}))

    look_again()
    assert db.session.get_one(ContractorDocument, document).status is DocumentStatus.REJECTED
    notice = db.session.scalars(select(Notice).order_by(Notice.id.desc())).first()
    assert notice is not None
    assert "The second page is missing" in notice.body


def test_a_verified_document_is_withdrawn_with_a_reason_that_both_sides_read(manager: StrictClient) -> None:
    there = scene(1, requirements=["gas"])
    document = handed_in(there.members[0].contractor_id)
    assert "Withdraw the document" not in buttons(manager.get(f"/framework/documents/{document}"))
    manager.get(f"/framework/documents/{document}").submit("Verify the document")
    page = manager.get(f"/framework/documents/{document}")

    assert "Give the reason; the contractor reads it" in page.submit("Withdraw the document", status=422).text
    page = manager.follow(
        page.submit("Withdraw the document", {"Why must it not count any more?": "Gas Safe struck them off"})
    )

    assert "counts no more; the contractor is told why" in page.text
    page = manager.get(f"/framework/documents/{document}")
    assert "Withdrawn by manager@county.example: Gas Safe struck them off" in page.text
    assert "Withdraw the document" not in buttons(page)
    notices = db.session.scalars(select(Notice).where(Notice.subject.like("Withdrawn%")).order_by(Notice.id)).all()
    assert "Gas Safe struck them off" in notices[0].body
    assert [each.recipient for each in notices][1:] == ["manager@county.example"]


def test_two_who_withdraw_one_document_are_one_decision(manager: StrictClient) -> None:
    document = handed_in(scene(1).members[0].contractor_id)
    manager.get(f"/framework/documents/{document}").submit("Verify the document")
    stale = manager.get(f"/framework/documents/{document}")
    stale.submit("Withdraw the document", {"Why must it not count any more?": "Cancelled"})

    page = stale.submit("Withdraw the document", {"Why must it not count any more?": "Cancelled"}, status=409)

    assert "This document is withdrawn already" in page.text


def test_nobody_verifies_what_they_handed_in_themselves(manager: StrictClient) -> None:
    there = scene(1)
    document = handed_in(there.members[0].contractor_id, by="manager@county.example")

    page = manager.get(f"/framework/documents/{document}")

    assert "somebody else must verify it" in page.text
    assert "Verify the document" not in buttons(page)
    token = page.soup.select_one("[name=csrf_token]")["value"]
    values = {"csrf_token": token, "verify-expires_on": ["1", "5", "2027"]}
    refused = manager.post(f"/framework/documents/{document}/verify", values, 422)
    assert "Nobody verifies a document that they handed in themselves." in refused.text


@pytest.mark.parametrize(
    ("kind", "day", "cover", "sentence"),
    [
        ("gas", ["", "", ""], "", "Enter the last day on which it holds"),
        ("gas", ["4", "5", "2026"], "", "The document expired on 4 May 2026"),
        ("gas", ["1", "5", "2062"], "", "look at the year"),
        ("public-liability", ["1", "5", "2027"], "", "Enter the amount that the insurance covers"),
        ("public-liability", ["1", "5", "2027"], "much", "Enter an amount in pounds"),
    ],
)
def test_a_verification_that_cannot_be_says_so(
    manager: StrictClient, kind: str, day: list[str], cover: str, sentence: str
) -> None:
    document = handed_in(scene(1).members[0].contractor_id, kind)
    token = manager.get(f"/framework/documents/{document}").soup.select_one("[name=csrf_token]")["value"]

    page = manager.post(
        f"/framework/documents/{document}/verify",
        {"csrf_token": token, "verify-expires_on": day, "verify-cover": cover},
        422,
    )

    assert sentence in page.text
    look_again()
    assert db.session.get_one(ContractorDocument, document).status is DocumentStatus.WAITING


def test_two_who_decide_on_one_document_are_one_decision(manager: StrictClient) -> None:
    document = handed_in(scene(1).members[0].contractor_id)
    stale = manager.get(f"/framework/documents/{document}")
    stale.submit("Verify the document")

    page = stale.submit("Do not accept it", {"Why can it not be accepted?": "Blurred"}, status=409)

    assert "This document is verified already" in page.text


def test_a_manager_sees_who_gets_no_offers_and_who_soon_will_not(
    manager: StrictClient, fixed_clock: Clock, query_counter: AT_MOST
) -> None:
    where = authority()
    lot = framework_with_lot(where, requirements=["gas"])
    gone = member(lot, areas=[where], documents={"gas": date(2026, 5, 4)})
    soon = member(lot, areas=[where], documents={"gas": TODAY + timedelta(days=60)})
    fine = member(lot, areas=[where], documents={"gas": TODAY + timedelta(days=61)})
    suspended = member(lot, areas=[where])
    with transaction():
        set_member_status(suspended, MemberStatus.SUSPENDED, reason="x", by=OFFICER, now=NOW)

    page = manager.get("/framework/documents")

    lapsed, expiring = page.text.split("Expires within 60 days")
    assert code_of(gone) in lapsed
    assert "Expired on 4 May 2026: no new job is offered" in lapsed
    assert code_of(soon) in expiring
    for nobody in (fine, suspended):
        assert code_of(nobody) not in page.text
    front = manager.get("/")
    assert "1 contractor without offers" in front.text


def test_many_waiting_documents_come_in_pages(auditor: StrictClient, query_counter: AT_MOST) -> None:
    there = scene(2)
    for number in range(25):
        handed_in(there.members[number % 2].contractor_id, expires_on=LATER + timedelta(days=number))
    look_again()

    with query_counter(12):
        page = auditor.get("/framework/documents")
    assert len([row for row in page.rows() if "Gas Safe" in row[0]]) == 20
    assert len([row for row in page.click("Next page").rows() if "Gas Safe" in row[0]]) == 5
    assert "Verify the document" not in buttons(page.click("Next page"))


# The contractor list --------------------------------------------------------------------------------------------------


def names(page: object) -> list[str]:
    return [row[0] for row in page.rows()]  # type: ignore[attr-defined]


@pytest.fixture
def three(app: Flask) -> Scene:
    return scene(3, requirements=["gas"], documents={"gas": LATER})


def test_the_list_is_searched_by_name_and_code(auditor: StrictClient, three: Scene) -> None:
    page = auditor.get("/framework/contractors")
    assert len(names(page)) == 3

    page = page.submit("Show", {"Name or code": f"contractor {code_of(three.members[1]).lower()}"})

    assert names(page) == [f"Contractor {code_of(three.members[1])} {code_of(three.members[1])} · SME"]
    assert "No contractor fits" in page.submit("Show", {"Name or code": "nobody"}).text


def test_who_was_on_the_list_on_another_day_and_why(auditor: StrictClient, three: Scene, fixed_clock: Clock) -> None:
    left = NOW + timedelta(days=10)
    with transaction():
        set_member_status(three.members[0], MemberStatus.RELEASED, reason="Retires", by=OFFICER, now=left)
    fixed_clock.at = NOW + timedelta(days=30)

    page = auditor.get("/framework/contractors?on=2026-05-14")
    assert [row[2].split()[0] for row in page.rows()] == ["Active"] * 3
    assert "The list as it stood on 14 May 2026" in page.text
    assert "Listed in contractors.csv" in page.text
    page = page.click("Today’s list")

    assert "since 15 May 2026: Retires" in page.text
    assert [row[2].split()[0] for row in page.rows()] == ["Released", "Active", "Active"]
    assert names(auditor.get("/framework/contractors?on=1999-12-31", 422)) == []
    assert names(auditor.get("/framework/contractors?on=2026-05-04")) == names(page)[:1]


def test_lapsed_members_are_found_as_such(auditor: StrictClient, three: Scene) -> None:
    member(three.lot, areas=[three.authority], documents={"gas": date(2026, 5, 4)}, code="LATE")

    page = auditor.get("/framework/contractors?status=lapsed")

    assert len(names(page)) == 1
    assert "Gas Safe registration expired on 4 May 2026" in page.text
    assert len(names(auditor.get("/framework/contractors?status=active"))) == 3


def test_distance_counts_whoever_nobody_can_place(auditor: StrictClient, three: Scene) -> None:
    with transaction():
        import_places(
            PlaceFile(
                "p.csv",
                [Place(2, "RG2", 51.42, -0.96), Place(3, "RG1", 51.45, -0.97)],
                [],  # type: ignore[arg-type]
            ),
            by=OFFICER,
            now=NOW,
        )
        three.members[0].contractor.postcode = "ZE1 0AA"

    page = auditor.get("/framework/contractors?near=RG1+2AB&within=5")

    assert len(names(page)) == 2
    assert "1 more contractor would fit but for the distance" in page.text
    assert [row[2] for row in page.rows()] == ["2.1", "2.1"]
    for near, sentence in [
        ("nowhere", "is not a postcode"),
        ("SW1A 1AA", "Where SW1A lies is not known here"),
        ("", "Enter the postcode from which"),
    ]:
        assert sentence in auditor.get(f"/framework/contractors?near={near}&within=5", 422).text
        assert auditor.client.get(f"/framework/contractors.csv?near={near}&within=5").status_code == 422


@pytest.mark.parametrize("query", ["on=2026-13-01", "on=0001-01-01", "on=x", "lot=9999", "status=lost", "within=7"])
def test_an_odd_question_is_answered_kindly(auditor: StrictClient, three: Scene, query: str) -> None:
    assert auditor.get(f"/framework/contractors?{query}", 422).soup.select_one(".govuk-error-summary")


def test_files_of_the_list_hold_no_formula(auditor: StrictClient, three: Scene) -> None:
    with transaction():
        three.members[0].contractor.organisation.name = "=cmd()"

    text = auditor.client.get(f"/framework/contractors.csv?words={code_of(three.members[0])}")
    book = auditor.client.get(f"/framework/contractors.xlsx?words={code_of(three.members[0])}")

    (row,) = csv.DictReader(StringIO(text.get_data().decode("utf-8-sig")))
    assert row["name"] == "'=cmd()"
    assert (row["lot"], row["status"], row["rank"]) == (three.lot.name, "active", "1")
    assert "attachment" in text.headers["Content-Disposition"]
    sheet = load_workbook(BytesIO(book.get_data())).active
    assert sheet is not None
    assert sheet["B2"].value == "'=cmd()"
    assert sheet["B2"].data_type == "s"


def test_one_contractor_shows_all_that_is_known(auditor: StrictClient) -> None:
    there = scene(1, requirements=["gas"], documents={"gas": LATER})
    with transaction():
        there.lot.framework.local_areas = "RG"
        there.members[0].contractor.accepts_from = date(2026, 6, 1)

    page = auditor.get(f"/framework/contractors/{code_of(there.members[0])}")

    for fact in (
        f"Local for {there.lot.framework.code}",
        "Can start from 1 June 2026",
        "Small or medium (SME)",
        "Gas Safe registration Verified",
        "1 May 2027",
        there.lot.name,
    ):
        assert fact in page.text
    auditor.get("/framework/contractors/nobody", 404)


def test_a_firm_without_membership_is_found_where_it_is(auditor: StrictClient) -> None:
    contractor("ALONE")

    assert names(auditor.get("/framework/contractors")) == []
    page = auditor.get("/framework/contractors?status=nowhere")

    assert names(page) == ["Contractor ALONE ALONE · SME"]
    assert "This contractor has not applied for any lot." in page.click("Contractor ALONE").text


def test_the_pages_take_few_statements_whatever_the_number_of_contractors(
    auditor: StrictClient, query_counter: AT_MOST
) -> None:
    where = authority()
    home = framework(where)
    lots = [framework_with_lot(within=home, requirements=["gas"]) for _ in range(3)]
    for rank in range(1, 60):
        member(*lots, areas=[where], rank=rank, documents={"gas": LATER})
    one = member(*lots, areas=[where], rank=60, documents={"gas": LATER})
    code, home_lot = code_of(one), lots[0].id
    look_again()

    for path in (
        "/framework/contractors",
        f"/framework/contractors?lot={home_lot}&status=active&sme=yes&page=2",
        "/framework/contractors.csv",
        f"/framework/contractors/{code}",
        f"/framework/members/{one.id}",
    ):
        with query_counter(12):
            auditor.client.get(path)
