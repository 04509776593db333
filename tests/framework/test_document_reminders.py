"""What the clock says of documents: before they end, when offers stop, once, and to those whom it concerns."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from builders import NOW, OFFICER, TODAY, authority, code_of, framework_with_lot, look_again, member, person
from files_made import document
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.policy import Role
from portal.config import Settings
from portal.framework.documents import reminders
from portal.framework.documents.models import DocumentWord
from portal.framework.documents.reminders import speak_of_documents
from portal.framework.documents.services import withdraw_verified_document
from portal.framework.member_models import Contractor, Member
from portal.framework.members.services import apply_for_lot, set_member_status
from portal.framework.models import Framework, Lot
from portal.framework.states import DocumentStatus, MemberStatus
from portal.framework.terms.lots import require_documents
from portal.kernel.db import db, transaction
from portal.kernel.outbox import Notice

INSURANCE = "public-liability"
KIND, TITLE = "ssip", "SSIP health and safety assessment"
MANAGER = "manager@lead.example"


@pytest.fixture
def where(app: Flask) -> Organisation:
    found = authority()
    person(Role.FRAMEWORK_MANAGER, found, MANAGER)
    return found


@pytest.fixture
def place(where: Organisation) -> Member:
    """A member of a lot that requires one kind of document; it holds none."""
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


def after(days: int) -> date:
    return TODAY + timedelta(days=days)


def told(email: str) -> list[str]:
    """The subjects of what was sent to an address, in order."""
    look_again()
    return list(db.session.scalars(select(Notice.subject).where(Notice.recipient == email).order_by(Notice.id)))


def speak(day: date) -> tuple[int, int]:
    """What the clock says on a day: reminders, lapses."""
    with transaction():
        done = speak_of_documents(now=at(day))
    return done.reminded, done.lapsed


def stand(place: Member, status: MemberStatus, day: date = TODAY, until_on: date | None = None) -> None:
    with transaction():
        set_member_status(
            db.session.get_one(Member, place.id), status, reason="As asked.", by=OFFICER, now=at(day), until_on=until_on
        )


def applicant(lot: Lot, area: Organisation) -> Member:
    """A contractor of another lot who applies for ``lot``."""
    firm = member(framework_with_lot(area), areas=[area]).contractor
    with transaction():
        return apply_for_lot(firm.id, lot.id, areas=[area.code], adjustment_bp=0, by=firm.email, now=NOW)


def test_its_firm_is_reminded_sixty_thirty_and_seven_days_before_and_both_are_told_after(
    place: Member, firm: Contractor, uploads: Path
) -> None:
    last = TODAY + timedelta(days=100)
    document(firm, uploads, kind=KIND, expires_on=last)

    spoke = {
        before: speak(last - timedelta(days=before)) for before in (99, 61, 60, 59, 31, 30, 8, 7, 1, 0, -1, -2, -30)
    }

    assert [before for before, said in spoke.items() if said == (1, 0)] == [60, 30, 7]
    assert [before for before, said in spoke.items() if said == (0, 1)] == [-1]
    assert told(firm.email)[1:] == [f"Expires on 13 August 2026: {TITLE}"] * 3 + [f"Expired: {TITLE}"]
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


def test_nothing_is_said_to_a_firm_that_has_left(place: Member, firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=TODAY + timedelta(days=10))
    with transaction():
        set_member_status(place, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW)

    assert speak(TODAY + timedelta(days=11)) == (0, 0)


# What used to be missed -----------------------------------------------------------------------------------------------


def insured(where: Organisation, uploads: Path, held: dict[int, int]) -> Member:
    """A member of a lot that wants cover for £5m; it holds insurances by the days until their end, in pounds."""
    place = member(framework_with_lot(where, requirements=[INSURANCE]), areas=[where])
    with transaction():
        db.session.get_one(Lot, place.lot_id).requirements[0].minimum_pence = 500_000_000
    for days, pounds in held.items():
        document(place.contractor, uploads, kind=INSURANCE, expires_on=after(days), cover_pence=pounds * 100)
    return place


def test_a_document_that_covers_too_little_replaces_nothing(where: Organisation, uploads: Path) -> None:
    place = insured(where, uploads, {40: 5_000_000, 400: 1_000_000})

    assert [speak(after(days)) for days in (0, 33, 41, 42)] == [(1, 0), (1, 0), (0, 1), (0, 0)]
    assert told(place.contractor.email)[-1] == "Expired: Public liability insurance"
    assert told(MANAGER) == [f"Lapsed: {code_of(place)}"]


@pytest.mark.parametrize(("held", "head"), [({}, "Missing"), ({400: 1_000_000}, "Covers too little")])
def test_who_lacks_a_document_or_holds_one_that_covers_too_little_is_told_so(
    where: Organisation, uploads: Path, held: dict[int, int], head: str
) -> None:
    place = insured(where, uploads, held)

    assert [speak(TODAY), speak(after(1))] == [(0, 1), (0, 0)]
    assert told(place.contractor.email)[-1] == f"{head}: Public liability insurance"


def test_a_suspension_over_the_day_of_the_notice_hides_nothing_for_good(
    place: Member, firm: Contractor, uploads: Path
) -> None:
    document(firm, uploads, kind=KIND, expires_on=after(80))
    stand(place, MemberStatus.SUSPENDED, until_on=after(90))

    assert [speak(after(days)) for days in (20, 50, 75, 81, 89)] == [(0, 0)] * 5
    assert [speak(after(days)) for days in (90, 91)] == [(0, 1), (0, 0)]
    assert told(MANAGER) == [f"Lapsed: {code_of(place)}"]


def test_a_suspension_forgets_nothing_that_was_said(place: Member, firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=after(10))
    assert speak(after(11)) == (0, 1)

    stand(place, MemberStatus.SUSPENDED, after(12), until_on=after(20))

    assert [speak(after(days)) for days in (12, 15, 20)] == [(0, 0)] * 3


def test_a_requirement_that_a_lot_adds_is_told_to_the_members_who_lack_it(where: Organisation) -> None:
    place = member(framework_with_lot(where), areas=[where])
    assert speak(TODAY) == (0, 0)

    with transaction():
        require_documents(db.session.get_one(Lot, place.lot_id), [KIND], by=OFFICER, now=at(TODAY))

    assert speak(TODAY) == (0, 1)
    assert told(place.contractor.email) == [f"Missing: {TITLE}"]
    assert told(MANAGER) == [f"Lapsed: {code_of(place)}"]


def test_an_applicant_is_reminded_and_told_and_the_manager_hears_once_it_is_admitted(
    where: Organisation, uploads: Path
) -> None:
    place = applicant(framework_with_lot(where, requirements=[KIND]), where)
    firm = place.contractor
    assert speak(TODAY) == (0, 0)
    document(firm, uploads, kind=KIND, expires_on=after(20))
    stand(place, MemberStatus.CHECKING)

    assert [speak(after(days)) for days in (0, 13, 21, 22)] == [(1, 0), (1, 0), (0, 1), (0, 0)]
    assert told(firm.email)[-3:] == [f"Expires on 25 May 2026: {TITLE}"] * 2 + [f"Expired: {TITLE}"]
    assert [each for each in told(MANAGER) if each.startswith("Lapsed")] == []

    stand(place, MemberStatus.ACTIVE, after(23))
    assert speak(after(23)) == (0, 1)
    assert told(MANAGER)[-1] == f"Lapsed: {code_of(place)}"


def test_nobody_is_written_to_about_a_framework_that_has_ended(where: Organisation, uploads: Path) -> None:
    place = member(framework_with_lot(where, requirements=[KIND]), areas=[where])
    document(place.contractor, uploads, kind=KIND, expires_on=after(30))
    with transaction():
        home = db.session.get_one(Framework, place.lot.framework_id)
        home.starts_on, home.ends_on = date(2025, 1, 1), after(10)

    assert [speak(after(days)) for days in (9, 10, 23, 31)] == [(1, 0), (0, 0), (0, 0), (0, 0)]


def test_after_a_month_of_downtime_only_the_most_urgent_word_is_said(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=after(61))

    assert [speak(after(days)) for days in (1, 55, 56)] == [(1, 0), (1, 0), (0, 0)]
    assert told(firm.email)[1:] == [f"Expires on 5 July 2026: {TITLE}"] * 2


def test_a_renewal_starts_the_words_anew(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=after(5))
    assert [speak(after(days)) for days in (0, 6)] == [(1, 0), (0, 1)]

    document(firm, uploads, kind=KIND, expires_on=after(100))

    assert [speak(after(days)) for days in (6, 39, 40, 101, 102)] == [(0, 0), (0, 0), (1, 0), (0, 1), (0, 0)]


def test_a_renewal_that_lapsed_while_the_clock_stood_still_is_spoken_of(firm: Contractor, uploads: Path) -> None:
    document(firm, uploads, kind=KIND, expires_on=after(5))
    assert speak(after(6)) == (0, 1)

    document(firm, uploads, kind=KIND, expires_on=after(20))

    assert [speak(after(days)) for days in (21, 22)] == [(0, 1), (0, 0)]


def test_what_a_withdrawal_has_said_the_clock_does_not_repeat(firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads, kind=KIND)
    assert speak(TODAY) == (0, 0)
    with transaction():
        withdraw_verified_document(made.id, reason="Cancelled.", by=OFFICER, now=NOW)

    assert [speak(after(days)) for days in (0, 1)] == [(0, 0), (0, 0)]
    assert told(MANAGER) == [f"Withdrawn: {TITLE} of {firm.organisation.code}"]


def test_one_word_names_every_lot_and_one_notice_every_contractor(where: Organisation) -> None:
    home = framework_with_lot(where, requirements=[KIND])
    within = db.session.get_one(Framework, home.framework_id)
    both = [home, framework_with_lot(requirements=[KIND], within=within)]
    firms = [member(*both, areas=[where]) for _ in range(3)]

    assert speak(TODAY) == (0, 3)
    assert told(MANAGER) == ["Lapsed: 3 contractors"]
    for each in firms:
        body = db.session.scalars(select(Notice.body).where(Notice.recipient == each.contractor.email)).one()
        assert all(lot.name in body for lot in both)


def test_more_words_than_one_transaction_says_are_said_in_turn(
    where: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "CHUNK", 2)
    lot = framework_with_lot(where, requirements=[KIND])
    firms = [member(lot, areas=[where]) for _ in range(5)]

    assert [speak(TODAY) for _ in range(4)] == [(0, 2), (0, 2), (0, 1), (0, 0)]
    assert [len(told(each.contractor.email)) for each in firms] == [1] * 5


def test_an_idle_clock_reads_no_list(firm: Contractor, uploads: Path, query_counter: object) -> None:
    document(firm, uploads, kind=KIND, expires_on=after(20))
    speak(TODAY)
    speak(TODAY)

    with query_counter(6):  # type: ignore[operator]
        assert speak(TODAY) == (0, 0)


def test_two_clocks_at_once_tell_each_side_once(app: Flask, place: Member, firm: Contractor, uploads: Path) -> None:
    made = document(firm, uploads, kind=KIND, expires_on=after(10))
    look_again()
    gate = threading.Barrier(3)
    results: list[object] = []

    def look(withdrawing: bool) -> None:
        with app.app_context():
            gate.wait(timeout=20)
            try:
                with transaction():
                    if withdrawing:
                        withdraw_verified_document(made.id, reason="Cancelled.", by=OFFICER, now=at(after(11)))
                    else:
                        results.append(speak_of_documents(now=at(after(11))).seen)
            except Exception as fault:  # noqa: BLE001 - looked at below
                results.append(fault)

    threads = [threading.Thread(target=look, args=(number == 2,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(results) == [0, 1]  # type: ignore[type-var]
    assert [each for each in told(firm.email) if not each.startswith(("Verified", "Withdrawn"))] in (
        [f"Expired: {TITLE}"],
        [f"Missing: {TITLE}"],
    )
    assert [each for each in told(MANAGER) if each.startswith("Lapsed")] == [f"Lapsed: {code_of(place)}"]
    assert len(db.session.scalars(select(DocumentWord)).all()) == 1
