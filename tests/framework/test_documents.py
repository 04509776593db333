"""Documents handed in, checked by a person, reminded of and expired: only what was verified counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from builders import NOW, OFFICER, TODAY, authority, code_of, framework_with_lot, look_again, member, person
from files_made import document, pdf_bytes
from flask import Flask
from sqlalchemy import select

from portal.accounts.policy import Role
from portal.config import Settings
from portal.framework.documents.files import check_file
from portal.framework.documents.services import (
    hand_in_document,
    kinds_asked,
    reject_document,
    speak_of_documents,
    verify_document,
    withdraw_document,
)
from portal.framework.member_models import Contractor, ContractorDocument, Member
from portal.framework.members.services import set_member_status
from portal.framework.roster import Roster
from portal.framework.states import DOCUMENT_MOVES, DocumentStatus, MemberStatus
from portal.kernel.audit import AuditEvent, broken_links
from portal.kernel.db import db, transaction
from portal.kernel.errors import NotFound, RuleBroken, WrongState
from portal.kernel.outbox import Notice

KIND = "ssip"
MANAGER = "manager@lead.example"


@pytest.fixture
def place(app: Flask) -> Member:
    """A member of a lot that requires one kind of document; it holds none."""
    where = authority()
    person(Role.FRAMEWORK_MANAGER, where, MANAGER)
    return member(framework_with_lot(where, requirements=[KIND]), areas=[where])


@pytest.fixture
def firm(place: Member) -> Contractor:
    return place.contractor


@pytest.fixture
def uploads(settings: Settings) -> Path:
    return settings.uploads


def at(day: date) -> datetime:
    """Ten in the morning of a day, in London."""
    return NOW + (day - TODAY)


def lapses(place: Member, on: date = TODAY) -> tuple[str, ...]:
    """Why the member gets no offers on a day."""
    look_again()
    roster = Roster([place.lot_id], on)
    return roster.members[place.lot_id][0].lapses(roster.lots[place.lot_id].required, on)


def told(email: str) -> list[str]:
    """The subjects of what was sent to an address, in order."""
    look_again()
    return list(db.session.scalars(select(Notice.subject).where(Notice.recipient == email).order_by(Notice.id)))


def speak(day: date) -> tuple[int, int]:
    """What the clock says on a day: reminders, lapses."""
    with transaction():
        done = speak_of_documents(now=at(day))
    return done.reminded, done.lapsed


# Handing in and deciding ----------------------------------------------------------------------------------------------


def test_a_document_counts_from_its_verification_and_not_before(place: Member, firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads, kind=KIND, status=DocumentStatus.WAITING)
    assert lapses(place) == (f"{KIND} is missing",)

    with transaction():
        verify_document(made.id, by=OFFICER, now=NOW)

    assert lapses(place) == ()
    assert lapses(place, TODAY - timedelta(days=1)) == (f"{KIND} is missing",)
    assert lapses(place, made.expires_on) == ()
    assert lapses(place, made.expires_on + timedelta(days=1))
    assert told(firm.email) == ["Verified: SSIP health and safety assessment"]


def test_a_person_may_correct_what_the_firm_wrote(firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads, status=DocumentStatus.WAITING)

    with transaction():
        verify_document(made.id, by=OFFICER, now=NOW, expires_on=date(2026, 8, 1), cover_pence=200_000_000)

    assert (made.expires_on, made.cover_pence) == (date(2026, 8, 1), 200_000_000)


def test_a_rejected_document_never_counts_and_its_firm_hears_why(
    place: Member, firm: Contractor, uploads: Path
) -> None:
    made = document(firm, uploads, kind=KIND, status=DocumentStatus.WAITING)

    with transaction():
        reject_document(made.id, reason="It is somebody else’s.", by=OFFICER, now=NOW)

    assert lapses(place) == (f"{KIND} is missing",)
    assert "It is somebody else’s." in db.session.scalars(select(Notice.body).order_by(Notice.id.desc())).all()[0]


def test_a_rejection_needs_a_reason(firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads, status=DocumentStatus.WAITING)

    with pytest.raises(RuleBroken, match="reason"), transaction():
        reject_document(made.id, reason=" ", by=OFFICER, now=NOW)


def test_nobody_verifies_what_they_handed_in(firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads, status=DocumentStatus.WAITING)

    with pytest.raises(RuleBroken, match="handed in themselves"), transaction():
        verify_document(made.id, by=firm.email, now=NOW)


def test_an_expired_document_is_neither_taken_nor_verified(firm: Contractor, uploads: Path) -> None:
    yesterday = TODAY - timedelta(days=1)
    with pytest.raises(RuleBroken, match="expired on 4 May 2026"):
        document(firm, uploads, expires_on=yesterday)
    assert list(uploads.iterdir()) == []

    made = document(firm, uploads, expires_on=TODAY, status=DocumentStatus.WAITING)
    with pytest.raises(RuleBroken, match="expired"), transaction():
        verify_document(made.id, by=OFFICER, now=at(TODAY + timedelta(days=1)))


def test_the_very_same_file_twice_is_refused_until_it_was_turned_down(firm: Contractor, uploads: Path) -> None:
    file = check_file("certificate.pdf", pdf_bytes())

    def hand_in(stored_name: str) -> ContractorDocument:
        with transaction():
            return hand_in_document(
                firm.id, KIND, date(2027, 1, 1), file=file, stored_name=stored_name, by=firm.email, now=NOW
            )

    first = hand_in("a" * 64)
    with pytest.raises(RuleBroken, match="You handed in this very file on 5 May 2026"):
        hand_in("b" * 64)
    with transaction():
        reject_document(first.id, reason="Not signed.", by=OFFICER, now=NOW)

    assert hand_in("c" * 64).status is DocumentStatus.WAITING


@pytest.mark.parametrize("status", list(DocumentStatus))
@pytest.mark.parametrize("wanted", [DocumentStatus.VERIFIED, DocumentStatus.REJECTED, DocumentStatus.WITHDRAWN])
def test_a_document_moves_only_as_the_table_says(
    firm: Contractor, uploads: Path, status: DocumentStatus, wanted: DocumentStatus
) -> None:
    made = document(firm, uploads, status=status)

    def move() -> None:
        with transaction():
            found = db.session.get_one(ContractorDocument, made.id)
            if wanted is DocumentStatus.VERIFIED:
                verify_document(made.id, by=OFFICER, now=NOW)
            elif wanted is DocumentStatus.REJECTED:
                reject_document(made.id, reason="No.", by=OFFICER, now=NOW)
            else:
                withdraw_document(found, reason="No.", by=OFFICER, now=NOW)

    if wanted in DOCUMENT_MOVES[status]:
        move()
    else:
        with pytest.raises(WrongState):
            move()
    look_again()
    assert db.session.get_one(ContractorDocument, made.id).status is (
        wanted if wanted in DOCUMENT_MOVES[status] else status
    )


def test_a_withdrawn_document_counts_no_more_and_stays_readable(place: Member, firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads, kind=KIND)
    tomorrow = TODAY + timedelta(days=1)

    with transaction():
        withdraw_document(db.session.get_one(ContractorDocument, made.id), reason="Sold.", by=OFFICER, now=at(tomorrow))

    assert lapses(place, tomorrow) == (f"{KIND} is missing",)
    assert lapses(place, TODAY) == ()


def test_an_unknown_document_is_not_found(firm: Contractor) -> None:
    with pytest.raises(NotFound), transaction():
        verify_document(4_711, by=OFFICER, now=NOW)


def test_every_step_leaves_its_audit_event(firm: Contractor, uploads: Path) -> None:
    for status in (DocumentStatus.VERIFIED, DocumentStatus.REJECTED, DocumentStatus.WITHDRAWN):
        document(firm, uploads, status=status)
    look_again()

    actions = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.subject == f"contractor:{firm.organisation.code}")
    ).all()
    assert [each for each in actions if each.startswith("document")] == [
        "document handed in",
        "document verified",
        "document handed in",
        "document rejected",
        "document handed in",
        "document withdrawn",
    ]
    assert list(broken_links()) == []


# The clock ------------------------------------------------------------------------------------------------------------


def test_its_firm_is_reminded_sixty_thirty_and_seven_days_before_and_both_are_told_after(
    place: Member, firm: Contractor, uploads: Path
) -> None:
    last = TODAY + timedelta(days=100)
    document(firm, uploads, kind=KIND, expires_on=last)
    title = "SSIP health and safety assessment"

    spoke = {
        before: speak(last - timedelta(days=before)) for before in (99, 61, 60, 59, 31, 30, 8, 7, 1, 0, -1, -2, -30)
    }

    assert [before for before, said in spoke.items() if said == (1, 0)] == [60, 30, 7]
    assert [before for before, said in spoke.items() if said == (0, 1)] == [-1]
    assert told(firm.email)[1:] == [f"Expires on 13 August 2026: {title}"] * 3 + [f"Expired: {title}"]
    assert told(MANAGER) == [f"Lapsed: {code_of(place)}"]


def test_the_clock_says_each_thing_once_however_often_it_looks(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=100))
    day = TODAY + timedelta(days=101)

    assert [speak(day) for _ in range(3)] == [(0, 1), (0, 0), (0, 0)]


def test_a_clock_that_stood_still_reminds_once_and_not_of_every_missed_day(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=100))

    assert speak(TODAY + timedelta(days=95)) == (1, 0)
    assert speak(TODAY + timedelta(days=96)) == (0, 0)


def test_nothing_is_said_of_a_document_that_a_newer_one_replaced(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=10))
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=400))

    assert speak(TODAY + timedelta(days=5)) == (0, 0)
    assert speak(TODAY + timedelta(days=11)) == (0, 0)


def test_a_renewal_that_nobody_has_checked_replaces_nothing(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=10))
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=400), status=DocumentStatus.WAITING)

    assert speak(TODAY + timedelta(days=11)) == (0, 1)


def test_nothing_is_said_of_a_document_that_no_lot_requires(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind="trustmark", expires_on=TODAY + timedelta(days=10))

    assert speak(TODAY + timedelta(days=11)) == (0, 0)


def test_nothing_is_said_to_a_firm_that_has_left(place: Member, firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=10))
    with transaction():
        set_member_status(place, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW)

    assert speak(TODAY + timedelta(days=11)) == (0, 0)


def test_a_firm_hears_of_its_lots_and_whether_they_require_a_kind_or_only_ask(firm: Contractor) -> None:
    assert kinds_asked(firm.id) == {KIND: True}
