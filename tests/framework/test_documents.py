"""Documents handed in, checked by a person, reminded of and expired: only what was verified counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from builders import NOW, OFFICER, TODAY, authority, framework_with_lot, look_again, member, person
from files_made import document, pdf_bytes
from flask import Flask
from sqlalchemy import select

from portal.accounts.policy import Role
from portal.config import Settings
from portal.framework.documents.files import CheckedFile, check_file
from portal.framework.documents.reminders import speak_of_documents
from portal.framework.documents.services import (
    MOST_A_DAY,
    MOST_WAITING,
    hand_in_document,
    list_document,
    reject_document,
    verify_document,
    withdraw_document,
    withdraw_verified_document,
)
from portal.framework.member_models import Contractor, ContractorDocument, Member
from portal.framework.roster import Roster
from portal.framework.states import DOCUMENT_MOVES, DocumentStatus
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


def test_the_reason_of_a_decision_stays_with_the_document_and_out_of_the_audit(firm: Contractor, uploads: Path) -> None:
    rejected = document(firm, uploads, status=DocumentStatus.WAITING)
    verified = document(firm, uploads)
    with transaction():
        reject_document(rejected.id, reason="Client 0412’s name is on it.", by=OFFICER, now=NOW)
    with transaction():
        withdraw_verified_document(verified.id, reason="Client 0412’s name is on it.", by=OFFICER, now=NOW)

    look_again()
    events = db.session.scalars(select(AuditEvent)).all()
    decided = [event for event in events if event.action in ("document rejected", "document withdrawn")]
    assert [event.data["reason_given"] for event in decided] == [True, True]
    assert "Client 0412" not in str([event.data for event in events])
    assert "Client 0412" in db.session.get_one(ContractorDocument, rejected.id).reason


# Withdrawn after it was verified --------------------------------------------------------------------------------------


def withdraw(made: ContractorDocument, reason: str = "The insurer cancelled it.") -> None:
    with transaction():
        withdraw_verified_document(made.id, reason=reason, by=MANAGER, now=NOW)


def test_a_verified_document_is_withdrawn_and_both_sides_hear_which_offers_stop(
    place: Member, firm: Contractor, uploads: Path
) -> None:
    made = document(firm, uploads, kind=KIND)

    withdraw(made)

    assert lapses(place) == (f"{KIND} is missing",)
    bodies = {
        notice.recipient: notice.body
        for notice in db.session.scalars(select(Notice).where(Notice.subject.like("With%")))
    }
    lot = place.lot.name
    assert "Reason: The insurer cancelled it." in bodies[firm.email]
    assert f"No new job is offered to you in {lot}" in bodies[firm.email]
    assert "A job that is on offer to you cannot be accepted meanwhile." in bodies[firm.email]
    assert f"was withdrawn by {MANAGER}" in bodies[MANAGER]
    assert f"in {lot} until another is verified" in bodies[MANAGER]


def test_a_document_that_another_one_stands_in_for_is_withdrawn_without_alarm(
    place: Member, firm: Contractor, uploads: Path
) -> None:
    wrong = document(firm, uploads, kind=KIND, expires_on=date(2036, 5, 1))
    document(firm, uploads, kind=KIND, expires_on=date(2027, 5, 1))

    withdraw(wrong, "The year was read wrongly.")

    assert lapses(place) == ()
    assert (
        "Nothing else changes"
        in db.session.scalars(
            select(Notice.body).where(Notice.recipient == firm.email, Notice.subject.like("With%"))
        ).one()
    )


def test_a_withdrawn_document_can_be_handed_in_again_and_verified_rightly(
    place: Member, firm: Contractor, uploads: Path
) -> None:
    file = check_file("certificate.pdf", pdf_bytes())

    def verified(stored_name: str, expires_on: date) -> ContractorDocument:
        with transaction():
            made = hand_in_document(
                firm.id, KIND, date(2027, 1, 1), file=file, stored_name=stored_name, by=firm.email, now=NOW
            )
        with transaction():
            return verify_document(made.id, by=OFFICER, now=NOW, expires_on=expires_on)

    withdraw(verified("a" * 64, date(2036, 1, 1)), "It ends in 2027.")
    again = verified("b" * 64, date(2027, 1, 1))

    assert lapses(place) == ()
    assert lapses(place, again.expires_on + timedelta(days=1)) == (f"{KIND} expired on 1 January 2027",)


@pytest.mark.parametrize("status", [DocumentStatus.WAITING, DocumentStatus.REJECTED, DocumentStatus.WITHDRAWN])
def test_only_a_verified_document_is_withdrawn_by_staff(
    firm: Contractor, uploads: Path, status: DocumentStatus
) -> None:
    made = document(firm, uploads, status=status)

    with pytest.raises(WrongState):
        withdraw(made)


def test_a_withdrawal_needs_a_reason(firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads)

    with pytest.raises(RuleBroken, match="reason"):
        withdraw(made, "  ")


# Limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [date(9999, 12, 31), date(2062, 5, 1), date(2046, 5, 6)])
def test_a_year_that_cannot_be_is_questioned(firm: Contractor, uploads: Path, day: date) -> None:
    with pytest.raises(RuleBroken, match="look at the year"):
        document(firm, uploads, expires_on=day)

    made = document(firm, uploads, status=DocumentStatus.WAITING)
    with pytest.raises(RuleBroken, match="look at the year"), transaction():
        verify_document(made.id, by=OFFICER, now=NOW, expires_on=day)
    with transaction():
        assert verify_document(made.id, by=OFFICER, now=NOW, expires_on=date(2046, 5, 5)).counts_from == TODAY


def test_a_list_may_say_that_a_document_holds_for_ever(place: Member, firm: Contractor) -> None:
    with transaction():
        list_document(firm, KIND, date.max, since=TODAY, source="list.csv", by=OFFICER, now=NOW)

    assert lapses(place) == ()
    with transaction():
        assert speak_of_documents(now=NOW).seen == 0


def waiting(firm: Contractor, number: int, now: datetime = NOW) -> ContractorDocument:
    with transaction():
        return hand_in_document(
            firm.id,
            KIND,
            date(2027, 1, 1),
            file=CheckedFile("certificate.pdf", "application/pdf", b"%d" % number),
            stored_name=f"{number:064}",
            by=firm.email,
            now=now,
        )


def test_only_so_many_documents_of_a_firm_wait_at_once(firm: Contractor) -> None:
    made = [waiting(firm, number) for number in range(MOST_WAITING)]

    with pytest.raises(RuleBroken, match="20 documents wait to be checked already"):
        waiting(firm, 100, NOW + timedelta(days=3))
    with transaction():
        verify_document(made[0].id, by=OFFICER, now=NOW)
    assert waiting(firm, 101)


def test_only_so_many_documents_of_a_firm_come_within_a_day(firm: Contractor) -> None:
    for number in range(MOST_A_DAY):
        made = waiting(firm, number)
        with transaction():
            reject_document(made.id, reason="No.", by=OFFICER, now=NOW)

    with pytest.raises(RuleBroken, match="40 documents were handed in within a day"):
        waiting(firm, 100, NOW + timedelta(hours=23))
    assert waiting(firm, 101, NOW + timedelta(hours=24))
