"""The contractor list searched: by words, lot, area, trade, standing, size and distance, on any day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from time import perf_counter

import pytest
from builders import NOW, OFFICER, TODAY, authority, code_of, framework, framework_with_lot, look_again, member
from fixture_types import AT_MOST
from flask import Flask
from sqlalchemy import insert

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.listing.places import Place, PlaceFile, import_places
from portal.framework.listing.queries import (
    COLUMNS,
    Search,
    Shown,
    choices,
    contractor_by_code,
    find,
    memberships_of,
    rows,
)
from portal.framework.member_models import (
    Contractor,
    ContractorDocument,
    ContractorTrade,
    Member,
    MemberArea,
    MemberEvent,
    RankEdition,
    RankPlace,
)
from portal.framework.members.services import set_member_status
from portal.framework.models import Lot
from portal.framework.states import DocumentStatus, MemberStatus
from portal.kernel.db import db, table_of, transaction
from portal.kernel.errors import NotFound, RuleBroken

LATER = date(2027, 5, 1)


def found(on: date = TODAY, **wanted: object) -> list[str]:
    """The codes that a search finds."""
    look_again()
    return sorted(entry.code for entry in find(Search(on=on, **wanted)).entries)  # type: ignore[arg-type]


def test_each_filter_keeps_what_fits(app: Flask) -> None:
    first, second = authority(), authority()
    home, other = framework(first, second), framework(first)
    lifts = framework_with_lot(within=home)
    ramps = framework_with_lot(within=other)
    member(lifts, areas=[first, second], code="BOTH")
    member(ramps, areas=[first], code="BOTH", rank=1)
    only = member(lifts, areas=[second], code="ONLY")
    with transaction():
        only.contractor.trades = [ContractorTrade(trade="Lifts")]
        only.contractor.sme = False

    assert found() == ["BOTH", "ONLY"]
    assert found(framework=other.code) == ["BOTH"]
    assert found(lot_id=lifts.id) == ["BOTH", "ONLY"]
    assert found(lot_id=ramps.id, framework=home.code) == []
    assert found(area=first.code) == ["BOTH"]
    assert found(area=second.code) == ["BOTH", "ONLY"]
    assert found(trade="Lifts") == ["ONLY"]
    assert found(sme=True) == ["BOTH"]
    assert found(words="contractor only") == ["ONLY"]
    assert found(words="only both") == []
    assert found(status=Shown.NOWHERE) == []
    offered = choices()
    assert {code for code, _ in offered.areas} == {first.code, second.code}
    assert offered.trades == ["Lifts"]


def test_only_memberships_that_fit_are_shown_with_a_contractor(app: Flask) -> None:
    where = authority()
    home = framework(where)
    lifts, ramps = framework_with_lot(within=home), framework_with_lot(within=home)
    one = member(lifts, ramps, areas=[where], rank=1)
    with transaction():
        set_member_status(one, MemberStatus.SUSPENDED, reason="A claim", by=OFFICER, now=NOW, until_on=LATER)

    (entry,) = find(Search(on=TODAY, status=Shown.SUSPENDED)).entries

    (membership,) = entry.memberships
    assert (membership.lot.name, membership.reason, membership.listed.until_on) == (lifts.name, "A claim", LATER)
    assert len(find(Search(on=TODAY)).entries[0].memberships) == 2


def test_standing_follows_the_day_asked_for(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where, requirements=["gas"])
    one = member(lot, areas=[where], documents={"gas": TODAY + timedelta(days=20)})
    with transaction():
        set_member_status(
            one, MemberStatus.SUSPENDED, reason="x", by=OFFICER, now=NOW, until_on=TODAY + timedelta(days=5)
        )

    for days, shown in ((-1, Shown.ACTIVE), (0, Shown.SUSPENDED), (4, Shown.SUSPENDED), (5, Shown.ACTIVE)):
        assert found(TODAY + timedelta(days=days), status=shown), days
    assert found(TODAY + timedelta(days=20), status=Shown.ACTIVE)
    assert found(TODAY + timedelta(days=21), status=Shown.LAPSED)
    (entry,) = find(Search(on=TODAY + timedelta(days=5))).entries
    assert entry.memberships[0].listed.since == TODAY + timedelta(days=5)


def test_distance_sorts_the_nearest_first_and_names_whom_nobody_can_place(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    for code, postcode in (("FAR", "AL1 1AA"), ("NEAR", "RG1 9ZZ"), ("NEXT", "RG2 0AA"), ("LOST", "ZE1 0AA")):
        one = member(lot, areas=[where], code=code)
        with transaction():
            one.contractor.postcode = postcode
    with transaction():
        places = [("RG1", "51.4543", "-0.9781"), ("RG2", "51.42", "-0.96"), ("AL1", "51.75", "-0.33")]
        import_places(
            PlaceFile(
                "p.csv",
                [Place(2, name, Decimal(latitude), Decimal(longitude)) for name, latitude, longitude in places],
                [],
            ),
            by=OFFICER,
            now=NOW,
        )

    def near(within: int | None) -> tuple[list[str], list[str]]:
        result = find(Search(on=TODAY, near="rg1 2ab", within=within))
        return [each.code for each in result.entries], [each.code for each in result.unplaced]

    assert near(5) == (["NEAR", "NEXT"], ["LOST"])
    assert near(40) == (["NEAR", "NEXT", "FAR"], ["LOST"])
    assert near(None) == (["NEAR", "NEXT", "FAR"], ["LOST"])
    for postcode in ("", "nowhere", "SW1A 1AA"):
        with pytest.raises(RuleBroken):
            find(Search(on=TODAY, near=postcode, within=5))


def test_rows_for_a_file_are_one_for_each_membership(app: Flask) -> None:
    where = authority()
    home = framework(where)
    one = member(
        framework_with_lot(within=home), framework_with_lot(within=home), areas=[where], rank=3, adjustment_bp=-250
    )

    made = [dict(zip(COLUMNS, row, strict=True)) for row in rows(find(Search(on=TODAY)).entries, TODAY, TODAY)]

    assert [each["code"] for each in made] == [code_of(one)] * 2
    assert made[0]["adjustment_percent"] == "-2.5"
    assert made[0]["areas"] == where.code
    assert {each["rank"] for each in made} == {3}
    assert {each["on"] for each in made} == {TODAY}
    past = dict(zip(COLUMNS, next(rows(find(Search(on=TODAY)).entries, TODAY, date(2026, 6, 1))), strict=True))
    assert (past["code"], past["adjustment_percent"]) == (code_of(one), None)


def test_a_contractor_is_read_by_its_code(app: Flask) -> None:
    where = authority()
    one = member(framework_with_lot(where), areas=[where])

    firm = contractor_by_code(code_of(one))

    assert [each.listed.member_id for each in memberships_of(firm, TODAY)] == [one.id]
    assert memberships_of(firm, date(1999, 12, 31)) == []
    with pytest.raises(NotFound):
        contractor_by_code("nobody")


def thousand(lots: list[Lot], where: Organisation) -> None:
    """1,000 contractors, members of every lot, written at once."""
    start, count = 10_000, 1_000
    lot_ids = [lot.id for lot in lots]
    with transaction():
        db.session.execute(
            insert(table_of(Organisation)),
            [
                {"id": start + n, "code": f"T{n:04}", "name": f"Firm {n:04}", "kind": OrganisationKind.CONTRACTOR}
                for n in range(count)
            ],
        )
        db.session.execute(
            insert(table_of(Contractor)),
            [
                {
                    "id": start + n,
                    "organisation_id": start + n,
                    "email": f"t{n}@firm.example",
                    "phone": "",
                    "postcode": f"RG{n % 9 + 1} 1AA",
                    "sme": bool(n % 2),
                    "capacity": 5,
                    "company_number": "",
                    "social_value": "",
                }
                for n in range(count)
            ],
        )
        db.session.execute(
            insert(table_of(ContractorDocument)),
            [
                {
                    "contractor_id": start + n,
                    "kind": "gas",
                    "expires_on": LATER,
                    "status": DocumentStatus.VERIFIED,
                    "counts_from": date(2026, 1, 1),
                    "reason": "",
                    "added_by": OFFICER,
                    "added_at": NOW,
                    "file_name": "",
                    "media_type": "",
                    "sha256": "",
                }
                for n in range(count)
            ],
        )
        for at, lot_id in enumerate(lot_ids):
            first = start + at * count
            ids = [first + n for n in range(count)]
            db.session.execute(
                insert(table_of(Member)),
                [
                    {"id": each, "lot_id": lot_id, "contractor_id": start + n, "adjustment_bp": 0}
                    for n, each in enumerate(ids)
                ],
            )
            db.session.execute(
                insert(table_of(MemberArea)),
                [{"member_id": each, "authority_id": where.id, "district": ""} for each in ids],
            )
            db.session.execute(
                insert(table_of(MemberEvent)),
                [
                    {
                        "member_id": each,
                        "status": MemberStatus.ACTIVE,
                        "from_on": date(2026, 1, 1),
                        "reason": "",
                        "decided_by": OFFICER,
                        "decided_at": NOW,
                    }
                    for each in ids
                ],
            )
            edition = RankEdition(lot_id=lot_id, starts_on=date(2026, 1, 1), note="", made_by=OFFICER, made_at=NOW)
            db.session.add(edition)
            db.session.flush()
            db.session.execute(
                insert(table_of(RankPlace)),
                [{"edition_id": edition.id, "member_id": each, "rank": n + 1} for n, each in enumerate(ids)],
            )


def test_a_thousand_contractors_take_few_statements_and_little_time(app: Flask, query_counter: AT_MOST) -> None:
    where = authority()
    home = framework(where)
    lots = [framework_with_lot(within=home, requirements=["gas"]) for _ in range(3)]
    thousand(lots, where)
    look_again()

    started = perf_counter()
    with query_counter(6):
        result = find(Search(on=TODAY, status=Shown.ACTIVE, area=where.code, words="firm"))
    took = perf_counter() - started

    assert len(result.entries) == 1_000
    assert sum(len(each.memberships) for each in result.entries) == 3_000
    assert took < 5
