"""What a firm does for itself, through the services: its account, applications, details, availability and documents."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from builders import (
    NATION,
    NOW,
    OFFICER,
    TODAY,
    authority,
    framework,
    framework_with_lot,
    look_again,
    member,
    person,
    scene,
    standing_of,
)
from files_made import document, pdf_bytes
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind, Role
from portal.accounts.services import add_organisation, person_for
from portal.checks import everything_off
from portal.config import Settings
from portal.framework.documents.files import check_file, kept
from portal.framework.firms import joining
from portal.framework.firms import services as firms
from portal.framework.firms.queries import NeedState, memberships_of, need_for, open_lots, open_needs, shelves_of
from portal.framework.firms.services import FirmDetails, NewFirm
from portal.framework.member_models import Absence, Contractor, ContractorDocument, Member, MemberEvent
from portal.framework.members.services import set_member_status
from portal.framework.models import Lot, LotRequirement
from portal.framework.rules import earliest_start
from portal.framework.states import DocumentStatus, MemberStatus, Regime
from portal.framework.terms.lots import Asked, LotTermsWanted, add_lot
from portal.framework.terms.services import end_participation
from portal.jobs.models import Offer
from portal.jobs.standing import change_standing
from portal.jobs.states import OfferStatus
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.kernel.outbox import Notice

DETAILS = FirmDetails(
    email="office@northbridge.example",
    phone="01632 960001",
    postcode="RG1 2AB",
    sme=True,
    capacity=4,
    trades=("Stair lifts",),
)
FIRM = NewFirm("Northbridge Adaptations Ltd", "The office", "three words apart", DETAILS, "01234567")
BY = DETAILS.email


def make_firm(wanted: NewFirm = FIRM) -> Person:
    with transaction():
        return firms.add_firm(wanted, now=NOW)


def firm_of(who: Person) -> Contractor:
    look_again()
    return db.session.scalars(select(Contractor).where(Contractor.organisation_id == who.organisation_id)).one()


def apply(
    firm: Contractor,
    lot: Lot,
    *areas: str,
    adjustment_bp: int = -250,
    social_value: str = "",
    now: datetime = NOW,
) -> Member:
    with transaction():
        return firms.apply_for_lot(
            firm.id, lot.id, areas=areas, adjustment_bp=adjustment_bp, social_value=social_value, by=BY, now=now
        )


def counted(*models: type) -> list[int]:
    look_again()
    return [db.session.scalar(select(func.count()).select_from(each)) or 0 for each in models]


def actions_on(firm: Contractor) -> list[str]:
    look_again()
    subject = f"contractor:{firm.organisation.code}"
    return list(
        db.session.scalars(select(AuditEvent.action).where(AuditEvent.subject == subject).order_by(AuditEvent.id))
    )


def at_once(app: Flask, *works: Callable[[], object]) -> list[object]:
    """Every work in a thread of its own, all let go together; results or refusals, in order.

    Works take numbers, not rows: a row belongs to the session of the test's own thread.
    """
    gate = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        with app.app_context():
            try:
                gate.wait(timeout=20)
                results[place] = work()
            except Exception as refused:  # noqa: BLE001 - looked at by the test
                results[place] = refused

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    look_again()
    return results


# The account ----------------------------------------------------------------------------------------------------------


def test_a_new_firm_can_sign_in_and_is_a_member_of_nothing(app: Flask) -> None:
    who = make_firm()

    firm = firm_of(who)
    assert who.role is Role.CONTRACTOR
    assert (who.name, firm.organisation.name) == ("The office", "Northbridge Adaptations Ltd")
    assert firm.organisation.kind is OrganisationKind.CONTRACTOR
    assert (firm.email, firm.company_number, firm.capacity) == (BY, "01234567", 4)
    assert [each.trade for each in firm.trades] == ["Stair lifts"]
    assert memberships_of(firm, TODAY) == []
    assert person_for(BY, "three words apart") is not None
    assert actions_on(firm) == ["contractor registered"]


def test_a_link_goes_to_an_address_without_an_account_and_the_way_to_sign_in_to_one_with(app: Flask) -> None:
    links = joining.Links("https://f.example/apply/sealed", "https://f.example/sign-in")
    with transaction():
        joining.send_link(" Office@northbridge.example", links, now=NOW)
    make_firm()
    with transaction():
        joining.send_link(BY, links, now=NOW)

    look_again()
    first, second = db.session.scalars(select(Notice).order_by(Notice.id))
    assert (first.recipient, second.recipient) == (BY, BY)
    assert links.make_account in first.body
    assert "24 hours" in first.body
    assert links.make_account not in second.body
    assert links.sign_in in second.body
    asked = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account link asked for")).all()
    assert [each.subject for each in asked] == [f"address:{BY}"] * 2
    assert not any("sealed" in str(each.data) for each in asked)


def test_what_is_sealed_is_opened_with_the_same_key_until_its_time(app: Flask) -> None:
    until = NOW + joining.HOLDS
    token = joining.sealed(BY, key="one key", until=until)

    assert joining.opened(token, key="one key") == (BY, until)
    for wrong, key in ((token, "another key"), (token[:-2], "one key"), ("", "one key"), ("é", "one key")):
        with pytest.raises(NotFound):
            joining.opened(wrong, key=key)


def test_codes_are_numbered_and_step_aside_for_one_that_a_list_has_taken(app: Flask) -> None:
    first = firm_of(make_firm()).organisation
    with transaction():
        add_organisation(f"F{first.id + 2:04}", "From a list", OrganisationKind.CONTRACTOR, by=OFFICER, now=NOW)

    second = firm_of(make_firm(replace(FIRM, details=replace(DETAILS, email="b@b.example"), company_number="")))

    assert first.code == f"F{first.id:04}"
    assert second.organisation.code == f"F{first.id + 2:04}-2"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (replace(FIRM, company_number="7654321"), "Somebody signs in with office@northbridge.example already"),
        (
            replace(FIRM, company_number="7654321", details=replace(DETAILS, email="OFFICE@NorthBridge.example")),
            "signs in with office@northbridge.example already",
        ),
        (
            replace(FIRM, details=replace(DETAILS, email="b@b.example")),
            "company number 01234567 is on the list already; ask the",
        ),
        (
            replace(FIRM, details=replace(DETAILS, email="b@b.example"), company_number=" 123 4567"),
            "company number 01234567 is on the list already; ask the",
        ),
    ],
)
def test_a_firm_that_is_known_is_told_so_and_nothing_is_written(app: Flask, wanted: NewFirm, said: str) -> None:
    make_firm()
    before = counted(Organisation, Contractor, Person, AuditEvent)

    with pytest.raises(Clash, match=said):
        make_firm(wanted)

    assert counted(Organisation, Contractor, Person, AuditEvent) == before


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (replace(FIRM, password="too short"), "at least 12 characters"),
        (replace(FIRM, company=" \t "), "Enter the company’s name"),
        (replace(FIRM, contact=""), "name of whom we can ask"),
        (replace(FIRM, company_number="12"), None),
        (replace(FIRM, company_number="ABC"), "Companies House"),
        (replace(FIRM, company_number="0"), "Companies House"),
        (replace(FIRM, company_number="123456789"), "Companies House"),
        (replace(FIRM, company_number="SC12345é"), "Companies House"),
        (replace(FIRM, details=replace(DETAILS, email="kim")), "not an e-mail address"),
        (replace(FIRM, details=replace(DETAILS, capacity=-1)), "below 0"),
        (replace(FIRM, details=replace(DETAILS, month_limit_pence=-1)), "below £0"),
        (replace(FIRM, details=replace(DETAILS, trades=("x" * 81,))), "at most 80 fit"),
        (replace(FIRM, details=replace(DETAILS, trades=tuple(f"trade {n}" for n in range(31)))), "the 30 that matter"),
        (replace(FIRM, details=replace(DETAILS, social_value="x" * 4_001)), "at most 4,000 fit"),
    ],
)
def test_values_that_cannot_be_are_refused_and_nothing_is_written(
    app: Flask, wanted: NewFirm, said: str | None
) -> None:
    if said is None:
        assert firm_of(make_firm(wanted)).company_number == "00000012"
        return
    with pytest.raises(RuleBroken, match=said):
        make_firm(wanted)

    assert counted(Organisation, Contractor, Person, AuditEvent) == [0, 0, 0, 0]


def test_the_same_firm_twice_at_one_moment_is_made_once(app: Flask) -> None:
    results = at_once(app, make_firm, make_firm, make_firm)

    assert sum(isinstance(each, Clash) for each in results) == 2, results
    assert counted(Organisation, Contractor, Person) == [1, 1, 1]
    assert list(everything_off()) == []


def test_two_firms_at_one_moment_get_a_code_each(app: Flask) -> None:
    other = replace(FIRM, company_number="SC123456", details=replace(DETAILS, email="lee@southbridge.example"))

    results = at_once(app, make_firm, lambda: make_firm(other))

    assert all(isinstance(each, Person) for each in results), results
    codes = db.session.scalars(select(Organisation.code)).all()
    assert len(set(codes)) == 2


# Applying -------------------------------------------------------------------------------------------------------------


def test_an_application_tells_the_firm_and_every_framework_manager(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    managers = {person(Role.FRAMEWORK_MANAGER, where).email for _ in range(2)}
    firm = firm_of(make_firm())

    made = apply(firm, lot, where.code, "RG1", social_value=" Two apprentices a year. ")

    assert standing_of(made) is MemberStatus.APPLIED
    assert (made.adjustment_bp, sorted(area.code for area in made.areas)) == (-250, sorted([where.code, "RG1"]))
    assert firm_of(db.session.scalars(select(Person).where(Person.email == BY)).one()).social_value == (
        "Two apprentices a year."
    )
    notices = db.session.execute(select(Notice.recipient, Notice.subject)).all()
    assert {each.recipient for each in notices} == {BY, *managers}
    assert len(notices) == 3
    assert actions_on(firm) == ["contractor registered", "member applied", "contractor changed"]


def test_an_application_sent_twice_is_kept_once(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    firm = firm_of(make_firm())
    apply(firm, lot, where.code)
    before = counted(Member, MemberEvent, Notice, AuditEvent)

    with pytest.raises(Clash, match="You have applied for the lot"):
        apply(firm, lot, where.code, adjustment_bp=500, social_value="Another.")

    assert counted(Member, MemberEvent, Notice, AuditEvent) == before
    assert [each.adjustment_bp for each in db.session.scalars(select(Member))] == [-250]


def test_a_double_click_on_an_application_is_kept_once(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    firm_id, lot_id, code = firm_of(make_firm()).id, lot.id, where.code

    def send() -> Member:
        with transaction():
            return firms.apply_for_lot(firm_id, lot_id, areas=[code], adjustment_bp=0, social_value="", by=BY, now=NOW)

    results = at_once(app, send, send)

    assert sum(isinstance(each, Member) for each in results) == 1, results
    assert sum(isinstance(each, Clash) for each in results) == 1, results
    assert counted(Member, MemberEvent, Notice) == [1, 1, 1]
    assert list(everything_off()) == []


@pytest.mark.parametrize("ended", [MemberStatus.RELEASED, MemberStatus.REMOVED])
def test_whoever_left_may_apply_again_with_other_terms(app: Flask, ended: MemberStatus) -> None:
    where = authority()
    lot = framework_with_lot(where)
    firm = firm_of(make_firm())
    first = apply(firm, lot, where.code)
    with transaction():
        set_member_status(first, ended, reason="For the test.", by=OFFICER, now=NOW)

    before = counted(MemberEvent, Notice, AuditEvent)
    with pytest.raises(RuleBroken, match=r"You applied for the lot .* today already"):
        apply(firm, lot, "RG2", adjustment_bp=100)
    assert counted(MemberEvent, Notice, AuditEvent) == before
    again = apply(firm, lot, "RG2", adjustment_bp=100, now=NOW + timedelta(days=1))

    assert again.id == first.id
    assert (again.adjustment_bp, [area.code for area in again.areas]) == (100, ["RG2"])
    assert standing_of(again, TODAY + timedelta(days=1)) is MemberStatus.APPLIED


def test_what_a_lot_cannot_take_is_refused_and_nothing_is_written(app: Flask) -> None:
    where, left, stranger = authority(), authority(), authority()
    home = framework(where, left)
    lot = framework_with_lot(within=home)
    over = framework_with_lot(where, ends_on=TODAY)
    with transaction():
        end_participation(home.participations[1].id, TODAY, by=OFFICER, now=NOW)
    firm = firm_of(make_firm())
    before = counted(Member, MemberEvent, Notice, AuditEvent)

    for areas, wanted, said in (
        ([], lot, "Choose at least one area"),
        ([left.code], lot, "does not take part"),
        ([stranger.code], lot, "does not take part"),
        (["NOWHERE"], lot, "neither an authority nor a postcode district"),
        ([where.code], over, "ended on"),
    ):
        with pytest.raises(RuleBroken, match=said):
            apply(firm, wanted, *areas)
    with pytest.raises(RuleBroken, match="adjustment"):
        apply(firm, lot, where.code, adjustment_bp=-10_000)
    with pytest.raises(RuleBroken, match="at most 4,000"):
        apply(firm, lot, where.code, social_value="x" * 4_001)

    assert counted(Member, MemberEvent, Notice, AuditEvent) == before


def test_lots_that_can_be_applied_for_are_those_without_a_place(app: Flask) -> None:
    where = authority()
    home = framework(where)
    free, applied, left = (framework_with_lot(within=home) for _ in range(3))
    framework_with_lot(where, ends_on=TODAY)
    firm = firm_of(make_firm())
    apply(firm, applied, where.code)
    gone = apply(firm, left, where.code)
    with transaction():
        set_member_status(gone, MemberStatus.RELEASED, reason="", by=BY, now=NOW)

    found = {each.lot.id: each.again for each in open_lots(firm_of_id(firm.id), TODAY)}

    assert found == {free.id: False, left.id: True}


def firm_of_id(firm_id: int) -> Contractor:
    look_again()
    return db.session.get_one(Contractor, firm_id)


# Details and availability ---------------------------------------------------------------------------------------------


def test_changed_details_are_told_to_the_audit_and_unchanged_ones_are_not(app: Flask) -> None:
    firm = firm_of(make_firm())

    with transaction():
        firms.change_details(firm.id, DETAILS, by=BY, now=NOW)
    assert "contractor changed" not in actions_on(firm)
    with transaction():
        firms.change_details(
            firm.id,
            replace(DETAILS, capacity=0, month_limit_pence=1_000_000, trades=("ramps", "Ramps ", "Stair  lifts")),
            by=BY,
            now=NOW,
        )

    found = firms.details_of(firm_of_id(firm.id))
    assert (found.capacity, found.month_limit_pence, set(found.trades)) == (0, 1_000_000, {"ramps", "Stair lifts"})
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "contractor changed")).one()
    assert event.data == {
        "changed": ["capacity", "month_limit_pence", "trades"],
        "capacity": 0,
        "month_limit_pence": 1_000_000,
    }


def test_the_audit_keeps_neither_telephone_numbers_nor_what_a_firm_or_a_manager_writes(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    firm = firm_of(make_firm())

    made = apply(firm, lot, where.code, social_value="My son fits rails.")
    with transaction():
        firms.change_details(
            firm.id, replace(DETAILS, phone="01632 960777", social_value="My daughter too."), by=BY, now=NOW
        )
        change_standing(
            made.id, MemberStatus.REMOVED, reason="A client complained", by=OFFICER, now=NOW, nation=NATION
        )

    look_again()
    said = str([event.data for event in db.session.scalars(select(AuditEvent))])
    for words in ("01632", "son fits", "daughter", "complained", "RG1 2AB"):
        assert words not in said
    assert db.session.scalars(select(MemberEvent.reason).order_by(MemberEvent.id)).all()[-1] == "A client complained"


@pytest.mark.parametrize(
    ("ended", "words"),
    [(MemberStatus.REMOVED, "has been turned down"), (MemberStatus.RELEASED, "has been taken back")],
)
def test_an_application_that_ended_is_not_spoken_of_as_a_membership(
    app: Flask, ended: MemberStatus, words: str
) -> None:
    where = authority()
    made = apply(firm_of(make_firm()), framework_with_lot(where), where.code)

    with transaction():
        change_standing(made.id, ended, reason="For the test.", by=OFFICER, now=NOW, nation=NATION)

    look_again()
    notice = db.session.scalars(select(Notice).order_by(Notice.id.desc())).first()
    assert notice is not None
    assert notice.subject == f"Your application: {made.lot.name}"
    assert f"Your application for the lot {made.lot.name} {words}" in notice.body
    assert "running orders" not in notice.body


def test_a_release_does_not_say_whose_wish_it_was(app: Flask) -> None:
    (only,) = scene(members=1).members

    with transaction():
        change_standing(only.id, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW, nation=NATION)

    look_again()
    (body,) = db.session.scalars(select(Notice.body))
    assert "has ended, without any penalty. Your running orders go on." in body
    assert "request" not in body


def test_the_earliest_start_is_set_and_taken_away(app: Flask) -> None:
    firm = firm_of(make_firm())
    day = TODAY + timedelta(days=9)

    for wanted in (day, day, None):
        with transaction():
            firms.set_accepts_from(firm.id, wanted, by=BY, now=NOW)
        assert firm_of_id(firm.id).accepts_from == wanted

    assert actions_on(firm).count("availability changed") == 2
    with pytest.raises(RuleBroken, match="in the past"), transaction():
        firms.set_accepts_from(firm.id, TODAY - timedelta(days=1), by=BY, now=NOW)


def away(firm: Contractor, first: int, last: int) -> Absence:
    """Days away, counted from today."""
    with transaction():
        return firms.add_absence(firm.id, TODAY + timedelta(days=first), TODAY + timedelta(days=last), by=BY, now=NOW)


def test_days_away_include_both_ends_and_are_kept_half_open(app: Flask) -> None:
    firm = firm_of(make_firm())

    made = away(firm, 0, 4)

    assert (made.from_on, made.to_on) == (TODAY, TODAY + timedelta(days=5))
    assert earliest_start(TODAY, None, [(made.from_on, made.to_on)]) == TODAY + timedelta(days=5)
    away(firm, 5, 5)
    assert counted(Absence) == [2]


@pytest.mark.parametrize(("first", "last"), [(10, 14), (12, 12), (5, 10), (14, 20), (5, 25)])
def test_days_away_that_overlap_are_refused(app: Flask, first: int, last: int) -> None:
    firm = firm_of(make_firm())
    away(firm, 10, 14)

    with pytest.raises(Clash, match="You are away from 15 May 2026 to 19 May 2026 already"):
        away(firm, first, last)

    assert counted(Absence) == [1]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(5, 4, "cannot come before the first"), (-9, -1, "are over"), (0, 400, "at most 400 in a row")],
)
def test_days_away_that_cannot_be_are_refused(app: Flask, first: int, last: int, said: str) -> None:
    firm = firm_of(make_firm())

    with pytest.raises(RuleBroken, match=said):
        away(firm, first, last)


def test_a_firm_takes_off_only_its_own_days_away(app: Flask) -> None:
    firm = firm_of(make_firm())
    other = firm_of(make_firm(replace(FIRM, company_number="", details=replace(DETAILS, email="b@b.example"))))
    made = away(firm, 0, 1)

    with pytest.raises(NotFound), transaction():
        firms.remove_absence(other.id, made.id, by=BY, now=NOW)
    with transaction():
        firms.remove_absence(firm.id, made.id, by=BY, now=NOW)

    assert counted(Absence) == [0]
    assert actions_on(firm)[-2:] == ["days away added", "days away removed"]


def test_the_same_days_away_twice_at_one_moment_are_kept_once(app: Flask) -> None:
    firm_id = firm_of(make_firm()).id

    def add() -> Absence:
        with transaction():
            return firms.add_absence(firm_id, TODAY, TODAY + timedelta(days=3), by=BY, now=NOW)

    results = at_once(app, add, add, add)

    assert sum(isinstance(each, Absence) for each in results) == 1, results
    assert counted(Absence) == [1]


# Documents ------------------------------------------------------------------------------------------------------------


def test_an_insurance_says_what_it_covers_and_other_documents_do_not(app: Flask, settings: Settings) -> None:
    firm = firm_of(make_firm())

    with pytest.raises(RuleBroken, match="amount that the insurance covers"):
        document(firm, settings.uploads, kind="public-liability", cover_pence=None)

    assert document(firm, settings.uploads, kind="gas", cover_pence=500).cover_pence is None
    assert counted(ContractorDocument) == [1]
    assert len(list(settings.uploads.iterdir())) == 1


def test_a_firm_takes_back_only_its_own_document_and_only_while_it_waits(app: Flask, settings: Settings) -> None:
    firm = firm_of(make_firm())
    other = firm_of(make_firm(replace(FIRM, company_number="", details=replace(DETAILS, email="b@b.example"))))
    waiting = document(firm, settings.uploads, status=DocumentStatus.WAITING)
    verified = document(firm, settings.uploads)

    with pytest.raises(NotFound), transaction():
        firms.withdraw_waiting_document(other.id, waiting.id, by=BY, now=NOW)
    with pytest.raises(WrongState, match="verified already"), transaction():
        firms.withdraw_waiting_document(firm.id, verified.id, by=BY, now=NOW)
    with transaction():
        firms.withdraw_waiting_document(firm.id, waiting.id, by=BY, now=NOW)

    assert waiting.status is DocumentStatus.WITHDRAWN


def test_every_row_has_its_file_and_every_file_its_row_also_when_transactions_fail(
    app: Flask, settings: Settings
) -> None:
    firm_id = firm_of(make_firm()).id
    files = [check_file("certificate.pdf", pdf_bytes()) for _ in range(6)]

    def hand_in(number: int) -> None:
        with kept(settings.uploads, files[number]) as stored_name, transaction():
            firms.hand_in_document(
                firm_id,
                "gas",
                date(2027, 1, 1),
                file=files[number],
                stored_name=stored_name,
                by=BY,
                now=NOW,
            )
            if number % 2:
                raise RuleBroken("Something later fails.")

    at_once(app, *[lambda number=number: hand_in(number) for number in range(6)])  # type: ignore[misc]

    stored = set(db.session.scalars(select(ContractorDocument.stored_name)))
    assert len(stored) == 3
    assert {each.name for each in settings.uploads.iterdir()} == stored


# What is missing ------------------------------------------------------------------------------------------------------


def held(
    kind: str = "ssip",
    *,
    days: int = 200,
    status: DocumentStatus = DocumentStatus.VERIFIED,
    cover: int | None = None,
    number: int = 1,
    since: date = TODAY,
) -> ContractorDocument:
    """A document that is good for so many days more."""
    return ContractorDocument(
        id=number,
        kind=kind,
        expires_on=TODAY + timedelta(days=days),
        cover_pence=cover,
        status=status,
        counts_from=since if status is DocumentStatus.VERIFIED else None,
        counts_to=None,
        reason="The stamp is missing." if status is DocumentStatus.REJECTED else "",
    )


W, R, D = DocumentStatus.WAITING, DocumentStatus.REJECTED, DocumentStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("documents", "state", "holds"),
    [
        ([], NeedState.MISSING, False),
        ([held("gas")], NeedState.MISSING, False),
        ([held(status=D)], NeedState.MISSING, False),
        ([held(days=61)], NeedState.VERIFIED, True),
        ([held(days=60)], NeedState.EXPIRES_SOON, True),
        ([held(days=0)], NeedState.EXPIRES_SOON, True),
        ([held(days=-1)], NeedState.EXPIRED, False),
        ([held(status=W)], NeedState.WAITING, False),
        ([held(status=R)], NeedState.REJECTED, False),
        ([held(days=-1), held(status=W, number=2)], NeedState.WAITING, False),
        ([held(days=10), held(status=W, number=2)], NeedState.WAITING, True),
        ([held(days=10), held(status=R, number=2)], NeedState.EXPIRES_SOON, True),
        ([held(days=-1), held(status=R, number=2)], NeedState.REJECTED, False),
        ([held(status=R), held(status=W, number=2)], NeedState.WAITING, False),
        ([held(status=R), held(number=2)], NeedState.VERIFIED, True),
        ([held(days=-1), held(number=2)], NeedState.VERIFIED, True),
    ],
)
def test_how_a_document_stands_in_a_lot(documents: list[ContractorDocument], state: NeedState, holds: bool) -> None:
    need = need_for(LotRequirement(kind="ssip", required=True), documents, TODAY)

    assert (need.state, need.holds) == (state, holds)
    assert need.needs_the_firm is (state not in {NeedState.VERIFIED, NeedState.WAITING})
    assert need.words.endswith(".")


def test_an_insurance_that_covers_too_little_is_told_apart_from_one_that_expired() -> None:
    asked = LotRequirement(kind="public-liability", required=True, minimum_pence=500)

    def state(*documents: ContractorDocument) -> NeedState:
        return need_for(asked, documents, TODAY).state

    assert state(held("public-liability", cover=499)) is NeedState.COVERS_TOO_LITTLE
    assert state(held("public-liability", cover=500)) is NeedState.VERIFIED
    assert state(held("public-liability", cover=499, days=-1)) is NeedState.EXPIRED
    assert state(held("public-liability", cover=500, days=-1)) is NeedState.EXPIRED


def test_what_a_lot_only_asks_for_never_needs_the_firm() -> None:
    need = need_for(LotRequirement(kind="gas", required=False), [], TODAY)

    assert not need.needs_the_firm
    assert need.words == "Asked for, not required."


def test_a_kind_that_several_lots_require_is_asked_for_once(app: Flask, settings: Settings) -> None:
    where = authority()
    home = framework(where)
    with transaction():
        for name, minimum in (("Lifts", 100), ("Ramps", 200)):
            terms = LotTermsWanted(
                name,
                (name,),
                documents={"public-liability": Asked(minimum_pence=minimum), "gas": Asked(required=False)},
            )
            add_lot(home, name, terms=terms, by=OFFICER, now=NOW)
    lots = list(db.session.scalars(select(Lot).order_by(Lot.name)))
    firm = member(*lots, areas=[where]).contractor
    document(firm, settings.uploads, kind="dbs", status=DocumentStatus.WAITING)
    look_again()
    firm = firm_of_id(firm.id)

    memberships = memberships_of(firm, TODAY)
    shelves = shelves_of(firm, memberships, TODAY)

    assert [(need.kind, names) for need, names in open_needs(memberships)] == [("public-liability", ["Lifts", "Ramps"])]
    assert [(each.kind, each.required, len(each.asked_by), len(each.current)) for each in shelves] == [
        ("public-liability", True, 2, 0),
        ("gas", False, 2, 0),
        ("dbs", False, 0, 1),
    ]
    assert shelves[0].minimum_pence == 200
    assert all(each.offers_stop for each in memberships)


def test_a_suspension_that_has_ended_is_shown_as_ended(app: Flask) -> None:
    place = scene(members=1).members[0]
    until = TODAY + timedelta(days=5)
    with transaction():
        set_member_status(place, MemberStatus.SUSPENDED, reason="A claim.", by=OFFICER, now=NOW, until_on=until)
    firm = firm_of_id(place.contractor_id)

    (during,) = memberships_of(firm, until - timedelta(days=1))
    (after,) = memberships_of(firm, until)

    assert (during.standing.status, during.until_on, during.unsettled) == (MemberStatus.SUSPENDED, until, True)
    assert (after.standing.status, after.until_on, after.unsettled) == (MemberStatus.ACTIVE, None, False)


# Leaving --------------------------------------------------------------------------------------------------------------


def test_leaving_keeps_orders_and_passes_open_offers_on(app: Flask) -> None:
    there = scene(members=2)
    order, offer = there.accepted(), there.offered()
    assert offer.member_id == there.members[0].id

    with transaction():
        change_standing(there.members[0].id, MemberStatus.RELEASED, reason="", by=BY, now=NOW, nation=NATION)

    look_again()
    assert db.session.get_one(Offer, order.id).status is OfferStatus.ACCEPTED
    assert db.session.get_one(Offer, offer.id).status is OfferStatus.WITHDRAWN
    following = db.session.scalars(
        select(Offer).where(Offer.job_id == offer.job_id, Offer.status == OfferStatus.SENT)
    ).one()
    assert following.member_id == there.members[1].id
    assert list(everything_off()) == []


def test_a_closed_framework_that_has_started_takes_no_applications(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where, starts_on=date(2026, 4, 1), ends_on=date(2029, 4, 1))
    with transaction():
        lot.framework.regime = Regime.CLOSED
    who = make_firm()
    firm = firm_of(who)

    with pytest.raises(RuleBroken, match="is closed and started on 1 April 2026"):
        apply(firm, lot, where.code)

    assert open_lots(firm_of(who), TODAY) == []
