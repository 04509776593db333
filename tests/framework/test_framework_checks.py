"""What ``portal check`` says of a contractor list that somebody changed behind the services' back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, OFFICER, TODAY, Scene, authority, code_of, framework_with_lot, look_again, member, scene
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select, update

from portal.checks import everything_off
from portal.config import Settings
from portal.framework.checks import faults
from portal.framework.documents.files import CheckedFile, kept
from portal.framework.documents.services import hand_in_document
from portal.framework.member_models import MemberEvent, RankEdition, RankPlace
from portal.framework.members.services import set_member_status
from portal.framework.models import Participation
from portal.framework.states import MemberStatus
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused


@pytest.fixture
def there(app: Flask) -> Scene:
    return scene(2)


def sentences(uploads: Path | None = None) -> list[str]:
    look_again()
    return list(faults(TODAY, uploads))


def event(member_id: int, status: MemberStatus, days: int = 0, until: int | None = None) -> None:
    """An event written past the services."""
    with transaction():
        db.session.add(
            MemberEvent(
                member_id=member_id,
                status=status,
                from_on=TODAY + timedelta(days=days),
                until_on=None if until is None else TODAY + timedelta(days=until),
                reason="",
                decided_by=OFFICER,
                decided_at=NOW,
            )
        )


def test_a_list_kept_by_the_services_is_in_order(there: Scene) -> None:
    with transaction():
        set_member_status(
            there.members[0], MemberStatus.SUSPENDED, reason="x", by=OFFICER, now=NOW, until_on=TODAY + timedelta(2)
        )
    # It ended by itself on the second day, so it may begin anew.
    with transaction():
        set_member_status(there.members[0], MemberStatus.SUSPENDED, reason="x", by=OFFICER, now=NOW + timedelta(days=3))

    assert sentences() == []
    assert list(everything_off()) == []


def test_a_membership_without_history_is_named(there: Scene) -> None:
    with transaction():
        db.session.execute(delete(MemberEvent).where(MemberEvent.member_id == there.members[0].id))

    (said,) = sentences()
    assert said == f"The membership of {code_of(there.members[0])} in the lot {there.lot.name} has no history."


def test_a_history_that_goes_back_or_makes_a_move_that_does_not_exist_is_named(there: Scene) -> None:
    first, second = there.members
    event(first.id, MemberStatus.REMOVED)
    event(first.id, MemberStatus.APPLIED, days=-1)
    event(second.id, MemberStatus.SUSPENDED, until=3)
    event(second.id, MemberStatus.ACTIVE, days=4)

    back, again = sentences()

    assert "goes back in time: applied from 4 May 2026 follows removed from 5 May 2026" in back
    assert "from active to active on 9 May 2026" in again


def test_a_history_that_begins_in_the_middle_is_named(there: Scene) -> None:
    with transaction():
        db.session.execute(
            update(MemberEvent)
            .where(MemberEvent.member_id == there.members[0].id)
            .values(status=MemberStatus.SUSPENDED)
        )

    assert any("begins as suspended" in each for each in sentences())


def test_two_members_of_one_rank_are_named_only_where_they_meet(app: Flask) -> None:
    first, second = authority(), authority()
    lot = framework_with_lot(first, second)
    one = member(lot, areas=[first], rank=1)
    member(lot, areas=[second], rank=1)
    assert sentences() == []
    two = member(lot, areas=[first], rank=2)

    with transaction():
        db.session.execute(update(RankPlace).where(RankPlace.member_id == two.id).values(rank=1))

    (said,) = sentences()
    assert said.startswith(f"{code_of(one)} and {code_of(two)} share rank 1 of the lot {lot.name} in {first.code}")


def test_shares_beyond_all_the_work_are_named(there: Scene) -> None:
    with transaction():
        edition = db.session.scalars(select(RankEdition.id).order_by(RankEdition.id.desc())).first()
        db.session.execute(update(RankPlace).where(RankPlace.edition_id == edition).values(share_bp=6_000))

    (said,) = sentences()
    assert "come to 120 %, more than all the work" in said


def test_periods_of_one_authority_that_overlap_are_named(there: Scene) -> None:
    with transaction():
        db.session.add(
            Participation(
                framework_id=there.lot.framework_id, authority_id=there.authority.id, from_on=TODAY, to_on=None
            )
        )

    (said,) = sentences()
    assert f"The authority {there.authority.code} takes part in" in said


def test_a_kept_file_that_is_missing_or_altered_is_named(there: Scene, tmp_path: Path) -> None:
    files = []
    for kind in ("gas", "ssip"):
        file = CheckedFile(f"{kind}.pdf", "application/pdf", f"%PDF- {kind}".encode())
        with kept(tmp_path, file) as stored, transaction():
            hand_in_document(
                there.members[0].contractor_id, kind, TODAY, file=file, stored_name=stored, by="x@y.example", now=NOW
            )
        files.append(tmp_path / stored)
    assert sentences(tmp_path) == []

    files[0].unlink()
    files[1].write_bytes(b"something else")

    assert sentences() == []
    missing, altered = sentences(tmp_path)
    assert "Gas Safe registration" in missing
    assert "SSIP health and safety assessment" in altered


def test_the_verb_looks_at_the_files_too(there: Scene, settings: Settings, portal: Callable[..., Result]) -> None:
    portal("check", code=0)
    file = CheckedFile("gas.pdf", "application/pdf", b"%PDF- gas")
    with kept(settings.uploads, file) as stored, transaction():
        hand_in_document(
            there.members[0].contractor_id, "gas", TODAY, file=file, stored_name=stored, by="x@y.example", now=NOW
        )
    (settings.uploads / stored).unlink()

    assert "is missing or was altered" in portal("check", code=1).stderr


def test_a_list_that_only_moves_areas_cannot_bring_two_of_one_rank_together(app: Flask) -> None:
    first, second = authority(), authority()
    lot = framework_with_lot(first, second)
    one = member(lot, areas=[first], rank=1)
    member(lot, areas=[second], rank=1)

    with pytest.raises(InputRefused) as refused:
        member(lot, areas=[first, second], rank=1, code=code_of(one))

    assert "would share rank 1" in str(refused.value.problems[0])
    assert sentences() == []
