"""Lots set up and changed, and their ranks by edition; what is refused, with nothing half-written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from builders import NOW, OFFICER, TODAY, authority, code_of, framework, framework_with_lot, look_again, member
from fixture_types import AT_MOST
from flask import Flask
from sqlalchemy import func, select

from portal.framework.faults import TakenTerm, WrongTerm
from portal.framework.member_models import Member, RankEdition
from portal.framework.members.rank_queries import edition_by_id, editions_of
from portal.framework.members.ranks import RankWanted, SharedRank, publish_ranks, ranks_on
from portal.framework.members.services import admit_member, apply_for_lot, set_member_status
from portal.framework.models import Framework, Lot
from portal.framework.queries import lot_by_id
from portal.framework.states import CapacityRule, MemberStatus, Priority
from portal.framework.terms.lots import Asked, LotTermsWanted, add_lot, change_lot
from portal.framework.terms.services import end_participation
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import NotFound, RuleBroken

TOMORROW = TODAY + timedelta(days=1)
HOURS = {Priority.HOSPITAL_DISCHARGE: 2, Priority.PRIORITY: 4, Priority.ROUTINE: 8}
DAYS = {Priority.HOSPITAL_DISCHARGE: 3, Priority.PRIORITY: 10, Priority.ROUTINE: 20}


def terms(**changes: object) -> LotTermsWanted:
    """A lot for stair lifts, changed by keyword."""
    return replace(LotTermsWanted("Lifts", ("Stair lift",)), **changes)  # type: ignore[arg-type]


def added(home: Framework, wanted: LotTermsWanted) -> Lot:
    with transaction():
        return add_lot(home, wanted.name, terms=wanted, by=OFFICER, now=NOW)


def lots_there() -> int:
    look_again()
    return db.session.scalar(select(func.count()).select_from(Lot)) or 0


# Terms ----------------------------------------------------------------------------------------------------------------


def test_a_lot_keeps_everything_that_was_agreed(app: Flask) -> None:
    where = authority()
    home = framework(where)
    wanted = terms(
        work_types=("Stair lift", "Through-floor lift", "Stair lift", " "),
        areas=(where.code, "RG1", "RG1"),
        value_from_pence=100_000,
        value_to_pence=500_000,
        capacity_rule=CapacityRule.THIS_LOT,
        answer_hours=HOURS,
        start_days=DAYS,
        works_days=21,
        documents={"public-liability": Asked(minimum_pence=500_000_000), "dbs": Asked(required=False)},
    )

    number = added(home, wanted).id

    look_again()
    lot = lot_by_id(number)
    assert lot is not None
    assert [each.work_type for each in lot.work_types] == ["Stair lift", "Through-floor lift"]
    assert [(each.authority.code if each.authority else "", each.district) for each in lot.areas] == [
        (where.code, ""),
        ("", "RG1"),
    ]
    assert (lot.value_from_pence, lot.value_to_pence, lot.works_days) == (100_000, 500_000, 21)
    assert (lot.answer_hours_hospital_discharge, lot.answer_hours_routine, lot.start_days_priority) == (2, 8, 10)
    assert {each.kind: (each.required, each.minimum_pence) for each in lot.requirements} == {
        "dbs": (False, None),
        "public-liability": (True, 500_000_000),
    }


def test_a_changed_lot_lets_go_of_what_was_taken_off(app: Flask) -> None:
    first, second = authority(), authority()
    home = framework(first, second)
    number = added(home, terms(areas=(first.code, "RG1"), documents={"ssip": Asked(), "gas": Asked()})).id

    with transaction():
        change_lot(
            number,
            terms(name="Ramps", work_types=("Ramp",), areas=(second.code, "RG1"), documents={"gas": Asked(False)}),
            by=OFFICER,
            now=NOW,
        )

    look_again()
    lot = lot_by_id(number)
    assert lot is not None
    assert (lot.name, [each.work_type for each in lot.work_types]) == ("Ramps", ["Ramp"])
    assert {each.authority.code if each.authority else each.district for each in lot.areas} == {second.code, "RG1"}
    assert [(each.kind, each.required) for each in lot.requirements] == [("gas", False)]
    assert events_on(f"framework:{home.code}")[-1].action == "lot changed"


@pytest.mark.parametrize(
    ("changes", "term", "words"),
    [
        ({"name": " "}, "name", "Give the lot a name"),
        ({"work_types": ()}, "work_types", "at least one work type"),
        ({"work_types": (" ",)}, "work_types", "at least one work type"),
        ({"work_types": ("x" * 121,)}, "work_types", "at most 120"),
        ({"areas": ("Reading",)}, "districts", "neither an authority nor a postcode district"),
        ({"areas": ("RG1 2AB",)}, "districts", "neither"),
        ({"areas": ("rg1",)}, "districts", "neither"),
        ({"value_from_pence": 500, "value_to_pence": 500}, "value_to_pence", "above its beginning"),
        ({"value_from_pence": 500, "value_to_pence": 400}, "value_to_pence", "above its beginning"),
        ({"value_from_pence": -1}, "value_to_pence", "below £0"),
        ({"answer_hours": HOURS | {Priority.PRIORITY: 0}}, "answer_hours_priority", "from 1 to 400"),
        ({"start_days": DAYS | {Priority.ROUTINE: 401}}, "start_days_routine", "from 1 to 400"),
        ({"works_days": 0}, "works_days", "from 1 to 400"),
        ({"documents": {" ": Asked()}}, "own_required", "1 to 64"),
        ({"documents": {"ssip": Asked(True, -1)}}, "cover_ssip", "below £0"),
    ],
)
def test_terms_that_no_lot_can_have_are_refused_at_their_field(
    app: Flask, changes: dict[str, object], term: str, words: str
) -> None:
    home = framework(authority())
    kept = added(home, terms(name="Kept"))

    with pytest.raises(WrongTerm, match=words) as refused:
        added(home, terms(**changes))
    assert refused.value.term == term
    assert lots_there() == 1
    with pytest.raises(WrongTerm, match=words), transaction():
        change_lot(kept.id, terms(**changes), by=OFFICER, now=NOW)

    look_again()
    lot = lot_by_id(kept.id)
    assert lot is not None
    assert (lot.name, [each.work_type for each in lot.work_types], lot.areas) == ("Kept", ["Stair lift"], [])


def test_two_lots_of_a_framework_have_two_names(app: Flask) -> None:
    home, other = framework(authority()), framework(authority())
    added(home, terms())
    second = added(home, terms(name="Ramps"))

    with pytest.raises(TakenTerm, match="a lot called Lifts") as refused:
        added(home, terms(name=" Lifts "))
    assert refused.value.term == "name"
    with pytest.raises(TakenTerm), transaction():
        change_lot(second.id, terms(), by=OFFICER, now=NOW)
    assert added(other, terms()).id
    with transaction():
        assert change_lot(second.id, terms(name="Ramps"), by=OFFICER, now=NOW)


def test_an_authority_that_left_or_never_came_is_no_area(app: Flask) -> None:
    left, stranger = authority(), authority()
    home = framework(left, authority())
    kept = added(home, terms(areas=(left.code,)))
    with transaction():
        end_participation(home.participations[0].id, TODAY, by=OFFICER, now=NOW)

    for code, words in ((left.code, "has left this framework"), (stranger.code, "does not take part in")):
        with pytest.raises(WrongTerm, match=words) as refused:
            added(home, terms(name="More", areas=(code,)))
        assert refused.value.term == "authorities"
    with pytest.raises(WrongTerm, match="has left"), transaction():
        change_lot(kept.id, terms(areas=(left.code,), works_days=30), by=OFFICER, now=NOW)
    assert lots_there() == 1


# Ranks ----------------------------------------------------------------------------------------------------------------


def ranked(count: int = 3) -> tuple[Lot, list[Member]]:
    """A lot with members ranked from 1."""
    where = authority()
    lot = framework_with_lot(where)
    return lot, [member(lot, areas=[where], rank=rank) for rank in range(1, count + 1)]


def applicant(lot: Lot, firm_of: Member, *areas: str) -> Member:
    """The firm of another lot's member, being checked for this lot."""
    with transaction():
        made = apply_for_lot(firm_of.contractor_id, lot.id, areas=areas, adjustment_bp=0, by=OFFICER, now=NOW)
        set_member_status(made, MemberStatus.CHECKING, reason="", by=OFFICER, now=NOW)
        return made


def publish(lot: Lot, starts_on: date, ranks: Mapping[int, RankWanted], note: str = "") -> RankEdition:
    with transaction():
        return publish_ranks(lot.id, starts_on, ranks, by=OFFICER, now=NOW, note=note)


def reversed_ranks(members: list[Member]) -> dict[int, RankWanted]:
    return {each.id: RankWanted(rank) for rank, each in enumerate(reversed(members), start=1)}


def test_a_new_edition_holds_from_its_day_and_the_old_one_stays_readable(app: Flask) -> None:
    lot, members = ranked()

    made = publish(lot, TOMORROW, reversed_ranks(members), " Prices  of the review ")

    look_again()
    assert [ranks_on(lot.id, TODAY)[each.id].rank for each in members] == [1, 2, 3]
    assert [ranks_on(lot.id, TOMORROW)[each.id].rank for each in members] == [3, 2, 1]
    new, old = editions_of(lot.id)[:2]
    assert (new.id, new.note, new.members, new.ends_on) == (made.id, "Prices of the review", 3, None)
    assert old.ends_on == TOMORROW
    assert old.in_force(TODAY)
    assert not new.in_force(TODAY)
    assert [place.member_id for place in edition_by_id(lot.id, old.id).places] == [each.id for each in members]


def test_an_edition_belongs_to_its_lot(app: Flask) -> None:
    lot, members = ranked(1)
    other, _ = ranked(1)
    made = publish(lot, TOMORROW, reversed_ranks(members))

    with pytest.raises(NotFound):
        edition_by_id(other.id, made.id)
    with pytest.raises(RuleBroken, match="not members of the lot"):
        publish(other, TOMORROW, reversed_ranks(members))


@pytest.mark.parametrize(
    ("ranks", "words"),
    [
        ((1, 2, None), "Give a rank to every member"),
        ((0, 1, 2), "whole number from 1"),
        ((1, 2, 100_001), "whole number from 1"),
    ],
)
def test_ranks_that_cannot_be_are_refused_and_nothing_is_written(
    app: Flask, ranks: tuple[int | None, ...], words: str
) -> None:
    lot, members = ranked()
    wanted = {each.id: RankWanted(rank) for each, rank in zip(members, ranks, strict=True) if rank is not None}
    before = editions_of(lot.id)

    with pytest.raises(RuleBroken, match=words):
        publish(lot, TOMORROW, wanted)

    look_again()
    assert editions_of(lot.id) == before


def test_two_members_with_one_rank_are_named(app: Flask) -> None:
    lot, members = ranked()
    wanted = {each.id: RankWanted(rank) for each, rank in zip(members, (1, 2, 2), strict=True)}
    before = editions_of(lot.id)

    with pytest.raises(SharedRank, match="would share rank 2") as refused:
        publish(lot, TOMORROW, wanted)

    assert refused.value.codes == tuple(sorted(code_of(each) for each in members[1:]))
    look_again()
    assert editions_of(lot.id) == before


@pytest.mark.parametrize("shares", [(5_000, 5_001), (10_000, 1)])
def test_shares_above_the_whole_are_refused(app: Flask, shares: tuple[int, int]) -> None:
    lot, members = ranked(2)

    with pytest.raises(RuleBroken, match="at most 100 %"):
        publish(lot, TOMORROW, {each.id: RankWanted(n, shares[n - 1]) for n, each in enumerate(members, start=1)})
    assert publish(lot, TOMORROW, {each.id: RankWanted(n, 5_000) for n, each in enumerate(members, start=1)})


def test_ranks_start_today_or_later_and_before_the_framework_ends(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where, starts_on=date(2025, 4, 1), ends_on=date(2027, 4, 1))
    only = member(lot, areas=[where], rank=1)

    for day in (TODAY - timedelta(days=1), date(2027, 4, 1)):
        with pytest.raises(WrongTerm) as refused:
            publish(lot, day, {only.id: RankWanted(1)})
        assert refused.value.term == "starts_on"
    assert publish(lot, TODAY, {only.id: RankWanted(1)})


def test_an_applicant_who_is_being_checked_may_be_placed_but_not_on_a_members_rank(app: Flask) -> None:
    lot, members = ranked(2)
    where = lot.framework.participations[0].authority
    newcomer = applicant(lot, member(framework_with_lot(where), areas=[where]), where.code)
    wanted = {each.id: RankWanted(rank) for rank, each in enumerate(members, start=1)}

    with pytest.raises(SharedRank):
        publish(lot, TOMORROW, wanted | {newcomer.id: RankWanted(2)})
    publish(lot, TOMORROW, wanted | {newcomer.id: RankWanted(3, 1_000)})
    with transaction():
        admit_member(newcomer, reason="", by=OFFICER, now=NOW)

    assert ranks_on(lot.id, TODAY)[newcomer.id].rank == 3
    assert ranks_on(lot.id, TOMORROW)[newcomer.id] == RankWanted(3, 1_000)


def test_sixty_members_are_ranked_at_once_in_few_statements(app: Flask, query_counter: AT_MOST) -> None:
    lot, members = ranked(60)
    wanted, first = reversed_ranks(members), members[0].id

    with query_counter(20):
        publish(lot, TOMORROW, wanted)

    assert ranks_on(lot.id, TOMORROW)[first].rank == 60
