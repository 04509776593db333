"""Places in an edition of ranks: given to whoever is admitted, left behind by whoever leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

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
    scene,
)
from flask import Flask
from sqlalchemy import select

from portal.checks import everything_off
from portal.framework.member_models import Member, MemberEvent, RankEdition, RankPlace
from portal.framework.members.ranks import RankWanted, SharedRank, places_held, publish_ranks, ranks_on
from portal.framework.members.services import apply_for_lot
from portal.framework.models import Review
from portal.framework.states import MemberStatus, ReviewStatus
from portal.jobs.standing import change_standing
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.kernel.errors import RuleBroken

TOMORROW = TODAY + timedelta(days=1)
MANAGER = "manager@lead.example"


def move(
    there: Member,
    *steps: MemberStatus,
    now: datetime = NOW,
    rank: int | None = None,
    share_bp: int | None = None,
) -> None:
    """Take a membership from step to step; the rank and the share go with the last."""
    for step in steps:
        last = step is steps[-1]
        with transaction():
            change_standing(
                there.id,
                step,
                reason="At the review",
                by=OFFICER,
                now=now,
                nation=NATION,
                rank=rank if last else None,
                share_bp=share_bp if last else None,
            )


def applies(there: Scene, firm_of: Member | None = None, now: datetime = NOW) -> Member:
    """An application: of a firm from elsewhere, or of one that was a member."""
    where = authority()
    firm = firm_of or member(framework_with_lot(where), areas=[where], rank=1)
    with transaction():
        return apply_for_lot(
            firm.contractor_id, there.lot.id, areas=[there.authority.code], adjustment_bp=0, by="x", now=now
        )


def publish(there: Scene, places: dict[int, RankWanted], *, tomorrow: bool = False, review: bool = False) -> None:
    with transaction():
        number = None
        if review:
            found = Review(
                framework_id=there.lot.framework_id, due_on=TODAY, status=ReviewStatus.OPEN, opened_on=TODAY
            )
            db.session.add(found)
            db.session.flush()
            number = found.id
        publish_ranks(
            there.lot.id,
            TOMORROW if tomorrow else TODAY,
            places,
            by=MANAGER,
            now=NOW,
            note="From the review",
            review_id=number,
        )


def ranks(there: Scene, tomorrow: bool = False) -> dict[int, int]:
    look_again()
    return {number: place.rank for number, place in ranks_on(there.lot.id, TOMORROW if tomorrow else TODAY).items()}


@pytest.mark.parametrize("tomorrow", [False, True])
def test_whoever_is_admitted_joins_the_editions_of_a_review_as_they_were_made(app: Flask, tomorrow: bool) -> None:
    there = scene(members=1)
    (first,) = there.members
    publish(there, {first.id: RankWanted(1)}, tomorrow=tomorrow, review=True)
    newcomer = applies(there)

    move(newcomer, MemberStatus.CHECKING, MemberStatus.ACTIVE)

    edition = db.session.scalars(
        select(RankEdition).where(
            RankEdition.lot_id == there.lot.id, RankEdition.starts_on == (TOMORROW if tomorrow else TODAY)
        )
    ).one()
    assert (edition.note, edition.made_by, edition.review_id is not None) == ("From the review", MANAGER, True)
    assert ranks(there, tomorrow)[newcomer.id] == 2
    event = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.data["member"], event.data["rank"]) == ("rank given", code_of(newcomer), 2)


def test_a_share_that_somebody_left_behind_can_be_given_again(app: Flask) -> None:
    there = scene(members=2)
    leaver, stays = there.members
    publish(there, {leaver.id: RankWanted(1, 6_000), stays.id: RankWanted(2, 4_000)})
    newcomer = applies(there)
    move(newcomer, MemberStatus.CHECKING)
    with pytest.raises(RuleBroken, match="at most 100 %"):
        move(newcomer, MemberStatus.ACTIVE, share_bp=6_000)
    move(leaver, MemberStatus.RELEASED)

    move(newcomer, MemberStatus.ACTIVE, rank=1, share_bp=6_000)

    assert {number: place.share_bp for number, place in places_held(there.lot.id, TODAY).items()} == {
        stays.id: 4_000,
        newcomer.id: 6_000,
    }
    assert ranks(there)[newcomer.id] == 1
    assert list(everything_off()) == []


def test_shares_above_the_whole_are_found_by_the_check(app: Flask) -> None:
    there = scene(members=2)
    one, other = there.members
    publish(there, {one.id: RankWanted(1, 6_000), other.id: RankWanted(2, 4_000)})
    with transaction():
        for place in db.session.scalars(select(RankPlace).where(RankPlace.share_bp == 4_000)):
            place.share_bp = 4_001

    assert any("come to 100.01 %" in each for each in everything_off())


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(days=1)])
def test_whoever_comes_back_gets_a_rank_that_is_free(app: Flask, apart: timedelta) -> None:
    there = scene(members=2)
    back, stays = there.members
    publish(there, {back.id: RankWanted(1), stays.id: RankWanted(2)}, tomorrow=True)
    move(back, MemberStatus.RELEASED)
    publish(there, {stays.id: RankWanted(1)}, tomorrow=True)
    newcomer = applies(there)
    move(newcomer, MemberStatus.CHECKING, MemberStatus.ACTIVE, rank=1)
    later = NOW + apart

    applies(there, back, now=later)
    move(back, MemberStatus.CHECKING, MemberStatus.ACTIVE, now=later)

    found = ranks(there, tomorrow=True)
    assert sorted(found) == sorted({back.id, stays.id, newcomer.id})
    assert len(set(found.values())) == 3
    assert found[back.id] == 3
    assert list(everything_off()) == []


def test_whoever_comes_back_stands_behind_the_others_not_where_it_stood(app: Flask) -> None:
    there = scene(members=2)
    back, stays = there.members
    move(back, MemberStatus.RELEASED)
    later = NOW + timedelta(hours=1)

    applies(there, back, now=later)
    move(back, MemberStatus.CHECKING, MemberStatus.ACTIVE, now=later)

    assert ranks(there) == {stays.id: 2, back.id: 3}


def test_a_suspension_is_given_another_reason_and_end(app: Flask) -> None:
    there = scene(members=1)
    (only,) = there.members
    move(only, MemberStatus.SUSPENDED)

    with transaction():
        change_standing(
            only.id,
            MemberStatus.SUSPENDED,
            reason="The claim is settled soon",
            by=OFFICER,
            now=NOW,
            nation=NATION,
            until_on=TOMORROW,
        )

    look_again()
    last = db.session.scalars(select(MemberEvent).order_by(MemberEvent.id.desc())).first()
    assert last is not None
    assert (last.status, last.until_on, last.reason) == (
        MemberStatus.SUSPENDED,
        TOMORROW,
        "The claim is settled soon",
    )
    with pytest.raises(RuleBroken, match="Give the reason"), transaction():
        change_standing(only.id, MemberStatus.SUSPENDED, reason=" ", by=OFFICER, now=NOW, nation=NATION)
    assert list(everything_off()) == []


def test_two_who_stay_never_share_a_rank(app: Flask) -> None:
    there = scene(members=1)
    newcomer = applies(there)
    move(newcomer, MemberStatus.CHECKING)

    with pytest.raises(SharedRank):
        move(newcomer, MemberStatus.ACTIVE, rank=1)
