"""A contractor list that is brought in again: what it may change, and what the portal knows better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import (
    NATION,
    NOW,
    OFFICER,
    TODAY,
    Scene,
    authority,
    code_of,
    framework_with_lot,
    look_again,
    member,
    person,
    scene,
    standing_of,
)
from click.testing import Result
from files_made import document as handed_in
from flask import Flask
from sqlalchemy import select

from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.config import Settings
from portal.framework.member_models import Contractor, ContractorDocument, Member
from portal.framework.members.contractor_file import ContractorFile, ContractorRow, read_contractors
from portal.framework.members.contractor_import import import_contractors
from portal.framework.members.listed_firms import Imported
from portal.framework.members.ranks import ranks_on
from portal.framework.members.services import apply_for_lot, lacking_documents
from portal.framework.models import Framework, Lot
from portal.framework.states import DocumentStatus, MemberStatus, Regime
from portal.jobs.standing import change_standing
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused

LATE, EARLY = date(2027, 5, 1), date(2026, 5, 20)
KIND = "public-liability"
REQUIRED_ONLY = frozenset({"code", "name", "email", "lots", "areas", "rank", "capacity"})


def row_of(there: Member, lot: Lot, *areas: str, **changes: object) -> ContractorRow:
    """A row as a list has it that knows the firm's name, address and rank only."""
    firm = there.contractor
    row = ContractorRow(
        2, code_of(there), firm.organisation.name, firm.email, "", "", False, (lot.name,), areas, 1, 0, 5, None, {}
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def bring_in(
    lot: Lot, *rows: ContractorRow, kinds: tuple[str, ...] = (), columns: frozenset[str] | None = None
) -> Imported:
    """Bring rows in as a list."""
    code = db.session.get_one(Framework, lot.framework_id).code
    file = ContractorFile("old.csv", list(rows), kinds, [], columns)
    with transaction():
        done = import_contractors(file, framework_code=code, create=False, by=OFFICER, now=NOW)
    look_again()
    return done


def papers(firm_id: int) -> list[tuple[DocumentStatus, date, bool]]:
    """The firm's documents: state, last day, whether there is a file."""
    look_again()
    return [
        (each.status, each.expires_on, each.stored_name is not None)
        for each in db.session.scalars(
            select(ContractorDocument)
            .where(ContractorDocument.contractor_id == firm_id)
            .order_by(ContractorDocument.id)
        )
    ]


# Documents ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", [EARLY, None])
def test_a_list_leaves_a_document_that_was_handed_in(app: Flask, settings: Settings, says: date | None) -> None:
    there = scene(members=1, requirements=[KIND])
    (only,) = there.members
    handed_in(only.contractor, settings.uploads, kind=KIND, expires_on=LATE)

    done = bring_in(
        there.lot,
        row_of(only, there.lot, there.authority.code, documents={KIND: says} if says else {}),
        kinds=(KIND,),
    )

    assert papers(only.contractor_id) == [(DocumentStatus.VERIFIED, LATE, True)]
    assert lacking_documents(only, TODAY) == ()
    (kept,) = done.kept
    assert kept.startswith(f"Row 2: {code_of(only)} keeps Public liability insurance, which")
    assert "1 May 2027" in kept
    assert list(everything_off()) == []


def test_a_list_adds_a_later_day_beside_a_document_that_was_handed_in(app: Flask, settings: Settings) -> None:
    there = scene(members=1, requirements=[KIND])
    (only,) = there.members
    handed_in(only.contractor, settings.uploads, kind=KIND, expires_on=EARLY)

    done = bring_in(
        there.lot, row_of(only, there.lot, there.authority.code, documents={KIND: LATE}), kinds=(KIND,)
    )

    assert papers(only.contractor_id) == [
        (DocumentStatus.VERIFIED, EARLY, True),
        (DocumentStatus.VERIFIED, LATE, False),
    ]
    assert done.kept == []


def test_an_older_list_does_not_take_a_later_day_back(app: Flask) -> None:
    there = scene(members=1, documents={KIND: LATE})
    (only,) = there.members

    done = bring_in(
        there.lot, row_of(only, there.lot, there.authority.code, documents={KIND: EARLY}), kinds=(KIND,)
    )

    assert papers(only.contractor_id) == [(DocumentStatus.VERIFIED, LATE, False)]
    assert "expires on 1 May 2027; the list says 20 May 2026, which is earlier" in done.kept[0]


def test_a_newer_list_replaces_what_a_list_brought_in(app: Flask) -> None:
    there = scene(members=1, documents={KIND: EARLY})
    (only,) = there.members

    done = bring_in(
        there.lot, row_of(only, there.lot, there.authority.code, documents={KIND: LATE}), kinds=(KIND,)
    )

    assert papers(only.contractor_id) == [
        (DocumentStatus.WITHDRAWN, EARLY, False),
        (DocumentStatus.VERIFIED, LATE, False),
    ]
    assert done.kept == []


def test_an_empty_cell_takes_back_everything_that_lists_brought_in(app: Flask, settings: Settings) -> None:
    there = scene(members=1)
    (only,) = there.members
    handed_in(only.contractor, settings.uploads, kind=KIND, expires_on=EARLY)
    for last_day in (LATE, LATE + timedelta(days=30)):
        with transaction():
            db.session.add(
                ContractorDocument(
                    contractor_id=only.contractor_id,
                    kind=KIND,
                    expires_on=last_day,
                    status=DocumentStatus.VERIFIED,
                    counts_from=TODAY,
                    added_by=OFFICER,
                    added_at=NOW,
                )
            )

    bring_in(there.lot, row_of(only, there.lot, there.authority.code), kinds=(KIND,))

    assert [status for status, _, filed in papers(only.contractor_id) if not filed] == [DocumentStatus.WITHDRAWN] * 2
    assert papers(only.contractor_id)[0] == (DocumentStatus.VERIFIED, EARLY, True)


# The firm -------------------------------------------------------------------------------------------------------------


def test_a_list_does_not_speak_of_columns_that_it_has_not(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    only = member(lot, areas=[where], rank=1, adjustment_bp=-250, accepts_from=date(2026, 7, 1))

    bring_in(lot, row_of(only, lot, where.code, capacity=9), columns=REQUIRED_ONLY)

    firm = db.session.get_one(Contractor, only.contractor_id)
    assert (firm.phone, firm.postcode, firm.sme) == ("01632 960000", "RG2 0AA", True)
    assert (firm.accepts_from, firm.capacity) == (date(2026, 7, 1), 9)
    assert db.session.get_one(Member, only.id).adjustment_bp == -250


def test_an_empty_cell_still_empties(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    only = member(lot, areas=[where], rank=1, adjustment_bp=-250, accepts_from=date(2026, 7, 1))

    bring_in(lot, row_of(only, lot, where.code))

    firm = db.session.get_one(Contractor, only.contractor_id)
    assert (firm.phone, firm.postcode, firm.sme, firm.accepts_from) == ("", "", False, None)
    assert db.session.get_one(Member, only.id).adjustment_bp == 0


def test_a_new_firm_of_a_short_list_has_the_usual_values(app: Flask) -> None:
    there = scene(members=1)
    stranger = row_of(there.members[0], there.lot, there.authority.code, code="NEW1", rank=2, email="n@new.example")

    bring_in(there.lot, stranger, columns=REQUIRED_ONLY)

    firm = db.session.scalars(select(Contractor).where(Contractor.email == "n@new.example")).one()
    assert (firm.phone, firm.postcode, firm.sme, firm.accepts_from) == ("", "", False, None)


def test_a_file_knows_its_columns_and_what_a_map_adds(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("code,name,email,lots,areas,rank,capacity\nC1,One,a@b.example,Ramp,A,1,3\n", encoding="utf-8")

    read = read_contractors(path)

    assert read.columns == REQUIRED_ONLY
    assert not read.speaks_of("phone")
    assert ContractorFile("x", [], (), []).speaks_of("phone")


def test_whoever_signs_in_keeps_its_own_address(app: Flask) -> None:
    there = scene(members=2)
    signs_in, silent = there.members
    person(Role.CONTRACTOR, signs_in.contractor.organisation)
    own = signs_in.contractor.email

    done = bring_in(
        there.lot,
        row_of(signs_in, there.lot, there.authority.code, email="stale@old.example"),
        row_of(silent, there.lot, there.authority.code, row=3, rank=2, email="fresh@new.example"),
    )

    assert db.session.get_one(Contractor, signs_in.contractor_id).email == own
    assert db.session.get_one(Contractor, silent.contractor_id).email == "fresh@new.example"
    assert done.kept == [f"Row 2: {code_of(signs_in)} keeps its own e-mail address; the list has another."]


def test_the_audit_names_what_a_list_changed_and_not_how_to_reach_anybody(app: Flask) -> None:
    there = scene(members=1)
    (only,) = there.members
    row = row_of(only, there.lot, there.authority.code, phone="01632 960999", postcode="RG2 0AA", sme=True)

    bring_in(there.lot, row)
    bring_in(there.lot, row)

    first, second = [each for each in events_on(f"contractor:{code_of(only)}") if each.action == "contractor listed"][
        -2:
    ]
    assert first.data["changed"] == ["phone"]
    assert second.data["changed"] == []
    assert "960999" not in str(first.data)


# Memberships ----------------------------------------------------------------------------------------------------------


def closed(there: Scene) -> None:
    """The framework is closed and has started."""
    with transaction():
        home = db.session.get_one(Framework, there.lot.framework_id)
        home.regime, home.starts_on = Regime.CLOSED, date(2025, 1, 1)


def test_a_closed_framework_takes_nobody_new_by_a_list(app: Flask) -> None:
    there = scene(members=1)
    closed(there)
    (only,) = there.members
    stranger = row_of(only, there.lot, there.authority.code, code="NEW1", row=3, rank=2)

    with pytest.raises(InputRefused) as refused:
        bring_in(there.lot, row_of(only, there.lot, there.authority.code, capacity=9), stranger)

    (problem,) = refused.value.problems
    assert (problem.row, problem.column) == (3, "lots")
    assert "is closed and started on 1 January 2025: it takes no new members" in problem.message
    look_again()
    assert [code_of(each) for each in db.session.scalars(select(Member))] == [code_of(only)]
    bring_in(there.lot, row_of(only, there.lot, there.authority.code, capacity=9))
    assert db.session.get_one(Contractor, only.contractor_id).capacity == 9


def test_the_first_list_of_a_closed_framework_is_brought_in(app: Flask) -> None:
    there = scene(members=0)
    closed(there)

    only = member(there.lot, areas=[there.authority], rank=1)

    assert standing_of(only) is MemberStatus.ACTIVE


@pytest.mark.parametrize("ended", [MemberStatus.RELEASED, MemberStatus.REMOVED])
def test_whoever_left_does_not_come_back_by_a_list(app: Flask, ended: MemberStatus) -> None:
    there = scene(members=2)
    gone, stays = there.members
    with transaction():
        change_standing(gone.id, ended, reason="At the review", by=OFFICER, now=NOW, nation=NATION)

    done = bring_in(
        there.lot,
        row_of(gone, there.lot, there.authority.code, adjustment_bp=500),
        row_of(stays, there.lot, there.authority.code, row=3, rank=2),
    )

    assert standing_of(gone) is ended
    assert db.session.get_one(Member, gone.id).adjustment_bp == 0
    assert done.members == 1
    assert done.unchanged == [
        f"Row 2: {code_of(gone)} was {ended.value} from the lot {there.lot.name}; the list does not change that."
    ]


def test_a_list_neither_admits_an_applicant_nor_changes_its_tender(app: Flask) -> None:
    there = scene(members=1)
    elsewhere = member(framework_with_lot(there.authority), areas=[there.authority], rank=1)
    with transaction():
        applicant = apply_for_lot(
            elsewhere.contractor_id, there.lot.id, areas=[there.authority.code], adjustment_bp=-300, by="x", now=NOW
        )

    done = bring_in(there.lot, row_of(applicant, there.lot, there.authority.code, rank=5))

    assert standing_of(applicant) is MemberStatus.APPLIED
    assert db.session.get_one(Member, applicant.id).adjustment_bp == -300
    assert applicant.id not in ranks_on(there.lot.id, TODAY)
    assert "has applied for the lot" in done.unchanged[0]


@pytest.mark.usefixtures("fixed_clock")
def test_the_verb_says_what_stayed(app: Flask, tmp_path: Path, portal: Callable[..., Result]) -> None:
    there = scene(members=2, documents={KIND: LATE})
    gone, stays = there.members
    with transaction():
        change_standing(gone.id, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW, nation=NATION)
    look_again()
    home = db.session.get_one(Framework, there.lot.framework_id).code
    path = tmp_path / "old.csv"
    path.write_text(
        f"code,name,email,lots,areas,rank,capacity,document:{KIND}\n"
        + "".join(
            f"{code_of(each)},N,{each.contractor.email},{there.lot.name},{there.authority.code},{rank},5,{EARLY}\n"
            for rank, each in enumerate((gone, stays), 1)
        ),
        encoding="utf-8",
    )

    said = portal("contractors", "import", path, "--framework", home).stdout

    assert f"Kept: Row 3: {code_of(stays)} keeps Public liability insurance" in said
    assert f"Unchanged: Row 2: {code_of(gone)} was released" in said
