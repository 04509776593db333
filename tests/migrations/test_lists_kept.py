"""A contractor list from before the histories comes through the upgrade as it stood, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from databases import Shelf, app_on, settings_for
from flask import Flask
from sqlalchemy import MetaData, Table, select

from portal.framework.roster import Roster
from portal.framework.states import MemberStatus
from portal.jobs.models import Job
from portal.kernel.db import db

NOW = datetime(2026, 5, 5, 9, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def before(shelf: Shelf, tmp_path: Path) -> Iterator[Flask]:
    """The portal on a database of the revision before the histories, with a small list and one job."""
    with shelf.copy(migrated=False) as url, app_on(settings_for(tmp_path, url)) as app:
        flask_migrate.upgrade(revision="0006")
        write(
            organisation=[
                {"id": 1, "code": "A", "name": "Authority A", "kind": "authority"},
                {"id": 2, "code": "C1", "name": "Contractor 1", "kind": "contractor"},
                {"id": 3, "code": "C2", "name": "Contractor 2", "kind": "contractor"},
            ],
            framework=[{"id": 1, "code": "ADAPT", "name": "Framework"}],
            participation=[{"id": 7, "framework_id": 1, "authority_id": 1}],
            lot=[lot()],
            contractor=[contractor(1, 2), contractor(2, 3)],
            contractor_document=[
                {"id": 5, "contractor_id": 1, "kind": "public-liability", "expires_on": date(2027, 1, 1)}
            ],
            member=[
                {"id": 3, "lot_id": 1, "contractor_id": 1, "rank": 2, "adjustment_bp": -250} | state("active", ""),
                {"id": 4, "lot_id": 1, "contractor_id": 2, "rank": 1, "adjustment_bp": 0}
                | state("suspended", "A claim is open"),
            ],
            member_area=[{"id": 9, "member_id": 3, "authority_id": 1}, {"id": 10, "member_id": 4, "authority_id": 1}],
            schedule=[{"id": 1, "code": "S", "name": "S", "currency": "GBP"}],
            edition=[edition()],
            job=[job()],
        )
        yield app


def lot() -> dict[str, Any]:
    windows = {f"{what}_{priority}": 5 for what in ("answer_hours", "start_days") for priority in PRIORITIES}
    return {
        "id": 1,
        "framework_id": 1,
        "name": "Lifts",
        "work_type": "Stair lift",
        "method": "ranked-cascade",
        "value_from_pence": 0,
        "works_days": 14,
        **windows,
    }


PRIORITIES = ("hospital_discharge", "priority", "routine")


def contractor(number: int, organisation: int) -> dict[str, Any]:
    return {
        "id": number,
        "organisation_id": organisation,
        "email": f"office@c{number}.example",
        "phone": "",
        "postcode": "RG1 1AA",
        "sme": True,
        "capacity": 3,
    }


def state(status: str, reason: str) -> dict[str, Any]:
    return {"status": status, "status_reason": reason}


def edition() -> dict[str, Any]:
    return {
        "id": 1,
        "schedule_id": 1,
        "name": "1",
        "starts_on": date(2026, 4, 1),
        "item_count": 0,
        "source": "",
        "created_at": NOW,
    }


def job() -> dict[str, Any]:
    texts = dict.fromkeys(("client", "address", "client_phone", "specified_by"), "")
    return {
        "id": 1,
        "reference": "DFG-1",
        "authority_id": 1,
        "lot_id": 1,
        "edition_id": 1,
        "priority": "routine",
        "status": "specified",
        "postcode": "RG1 2AB",
        "value_pence": 100,
        "specified_at": NOW,
        "since": NOW,
        **texts,
    }


def write(**rows: list[dict[str, Any]]) -> None:
    with db.engine.connect().execution_options(portal_writes=True) as connection:
        for name, each in rows.items():
            connection.execute(Table(name, MetaData(), autoload_with=connection).insert(), each)
        connection.commit()


def read(name: str, *columns: str) -> list[tuple[Any, ...]]:
    db.session.rollback()
    table = Table(name, MetaData(), autoload_with=db.session.connection())
    found = db.session.execute(select(*(table.c[column] for column in columns)).order_by(table.c.id)).all()
    db.session.rollback()
    return [tuple(row) for row in found]


def test_standing_ranks_areas_and_documents_are_what_they_were(before: Flask) -> None:
    flask_migrate.upgrade()
    db.session.rollback()

    first, second = Roster([1], TODAY).members[1]

    assert (first.code, first.rank, first.standing.status, first.standing.reason) == (
        "C2",
        1,
        MemberStatus.SUSPENDED,
        "A claim is open",
    )
    assert (second.code, second.rank, second.standing.status) == ("C1", 2, MemberStatus.ACTIVE)
    assert (second.adjustment_bp, second.areas) == (-250, frozenset({"A"}))
    assert [(each.kind, each.expires_on) for each in second.evidence] == [("public-liability", date(2027, 1, 1))]
    assert Roster([1], TODAY).lots[1].access == {"A": [(None, None)]}
    assert db.session.scalars(select(Job.work_type)).all() == ["Stair lift"]


def test_new_rows_get_numbers_of_their_own_after_the_upgrade(before: Flask) -> None:
    flask_migrate.upgrade()

    write(
        participation=[{"framework_id": 1, "authority_id": 1, "from_on": date(2030, 1, 1), "lead": False}],
        member_area=[{"member_id": 3, "district": "RG1"}],
    )

    assert [number for (number,) in read("participation", "id")] == [7, 8]
    assert [number for (number,) in read("member_area", "id")] == [9, 10, 11]


def test_the_step_back_gives_the_list_as_it_stands(before: Flask) -> None:
    flask_migrate.upgrade()

    flask_migrate.downgrade(revision="0006")

    assert read("member", "id", "rank", "status", "status_reason") == [
        (3, 2, "active", ""),
        (4, 1, "suspended", "A claim is open"),
    ]
    assert read("contractor_document", "id", "kind", "expires_on") == [(5, "public-liability", date(2027, 1, 1))]
    assert read("member_area", "id", "member_id", "authority_id") == [(9, 3, 1), (10, 4, 1)]
    assert read("lot", "work_type") == [("Stair lift",)]
