"""Reviews: planned within the term, opened, closed; while one is open, and only then, an open framework admits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from builders import NOW, OFFICER, TODAY, authority, framework_with_lot, look_again, member, standing_of
from flask import Flask

from portal.framework.faults import TakenTerm, WrongTerm
from portal.framework.member_models import Member
from portal.framework.members.rank_queries import editions_made_in
from portal.framework.members.ranks import RankWanted, publish_ranks, ranks_on
from portal.framework.members.services import admit_member, apply_for_lot, set_member_status
from portal.framework.models import Framework, Lot, Review
from portal.framework.rules import next_review, why_not_admitted
from portal.framework.states import REVIEW_MOVES, FrameworkKind, MemberStatus, Regime, ReviewStatus
from portal.framework.terms.reviews import (
    close_review,
    lots_in_review,
    move_review,
    open_review,
    plan_review,
    review_by_id,
    reviews_of,
    since_last_review,
    suggested_review,
)
from portal.framework.terms.services import FrameworkTerms as Terms
from portal.framework.terms.services import add_participation, change_framework, create_framework, terms_of
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import NotFound, RuleBroken, WrongState

START, END = date(2025, 4, 1), date(2029, 4, 1)
OPEN = Terms("County framework", START, END, review_months=12)
PLANNED = date(2026, 6, 1)
AGREEMENT = FrameworkKind.FRAMEWORK_AGREEMENT
BEFORE = START - timedelta(days=1)


def made(terms: Terms = OPEN) -> Framework:
    """A framework of these terms that one authority may call off."""
    where = authority()
    with transaction():
        home = create_framework("COUNTY", terms, by=OFFICER, now=NOW)
        add_participation(home, where, by=OFFICER, now=NOW)
        return home


def plan(home: Framework, day: date = PLANNED) -> Review:
    with transaction():
        return plan_review(home.id, day, by=OFFICER, now=NOW)


def opened(home: Framework, day: date = PLANNED) -> Review:
    review = plan(home, day)
    with transaction():
        return open_review(review.id, by=OFFICER, now=NOW)


def checked(lot: Lot) -> Member:
    """An applicant who is being checked: a firm that is a member of a lot elsewhere."""
    where = lot.framework.participations[0].authority
    firm = member(framework_with_lot(where), areas=[where])
    with transaction():
        newcomer = apply_for_lot(firm.contractor_id, lot.id, areas=[where.code], adjustment_bp=0, by=OFFICER, now=NOW)
        set_member_status(newcomer, MemberStatus.CHECKING, reason="", by=OFFICER, now=NOW)
        return newcomer


# Planning -------------------------------------------------------------------------------------------------------------


def test_a_review_is_planned_opened_and_closed_and_each_step_is_recorded(app: Flask) -> None:
    home = made()
    review = opened(home)
    with transaction():
        close_review(review.id, " Two new members ", by=OFFICER, now=NOW + timedelta(days=3))

    look_again()
    found = review_by_id(review.id)
    assert (found.status, found.note) == (ReviewStatus.CLOSED, "Two new members")
    assert (found.due_on, found.opened_on, found.closed_on) == (PLANNED, TODAY, TODAY + timedelta(days=3))
    assert [each.action for each in events_on("framework:COUNTY")][-3:] == [
        "review planned",
        "review opened",
        "review closed",
    ]


@pytest.mark.parametrize(
    ("terms", "day", "words"),
    [
        (OPEN, END, "within the framework’s term"),
        (OPEN, date(2031, 1, 1), "within the framework’s term"),
        (replace(OPEN, starts_on=date(2026, 9, 1)), PLANNED, "within the framework’s term"),
        (OPEN, TODAY - timedelta(days=1), "in the past"),
        (replace(OPEN, regime=Regime.CLOSED), PLANNED, "A closed framework takes no new members"),
        (replace(OPEN, starts_on=None), PLANNED, "State the framework’s start"),
        (replace(OPEN, kind=FrameworkKind.QUOTATIONS, quotes_needed=3), PLANNED, "Only a framework agreement"),
        (replace(OPEN, kind=FrameworkKind.DIRECT_CONTRACT, guaranteed_jobs=1), PLANNED, "Only a framework agreement"),
    ],
)
def test_a_review_that_cannot_be_is_refused(app: Flask, terms: Terms, day: date, words: str) -> None:
    home = made(terms)

    with pytest.raises(WrongTerm, match=words) as refused:
        plan(home, day)

    assert refused.value.term == "due_on"
    look_again()
    assert not reviews_of(home.id)


def test_a_day_has_one_review(app: Flask) -> None:
    home = made()
    plan(home)
    second = plan(home, date(2026, 7, 1))

    with pytest.raises(TakenTerm, match="a review on 1 June 2026 already"):
        plan(home)
    with pytest.raises(TakenTerm), transaction():
        move_review(second.id, PLANNED, by=OFFICER, now=NOW)
    with transaction():
        move_review(second.id, date(2026, 8, 1), by=OFFICER, now=NOW)

    look_again()
    assert [each.due_on for each in reviews_of(home.id)] == [PLANNED, date(2026, 8, 1)]


ACTIONS = {
    "open": ReviewStatus.OPEN,
    "close": ReviewStatus.CLOSED,
}


@pytest.mark.parametrize("action", list(ACTIONS))
@pytest.mark.parametrize("status", list(ReviewStatus))
def test_a_review_moves_as_the_table_says_and_no_other_way(app: Flask, status: ReviewStatus, action: str) -> None:
    home = made()
    with transaction():
        review = Review(framework_id=home.id, due_on=PLANNED, status=status)
        db.session.add(review)

    def act() -> None:
        with transaction():
            if action == "open":
                open_review(review.id, by=OFFICER, now=NOW)
            else:
                close_review(review.id, "done", by=OFFICER, now=NOW)

    if ACTIONS[action] in REVIEW_MOVES[status]:
        act()
        assert review_by_id(review.id).status is ACTIONS[action]
    else:
        with pytest.raises(WrongState):
            act()
        look_again()
        assert review_by_id(review.id).status is status


def test_only_a_planned_review_is_moved_and_one_is_open_at_a_time(app: Flask) -> None:
    home = made()
    first, second = opened(home), plan(home, date(2026, 7, 1))

    with pytest.raises(WrongState, match="its day stays"), transaction():
        move_review(first.id, date(2026, 8, 1), by=OFFICER, now=NOW)
    with pytest.raises(WrongState, match="close it first"), transaction():
        open_review(second.id, by=OFFICER, now=NOW)
    with pytest.raises(NotFound), transaction():
        open_review(999, by=OFFICER, now=NOW)


def test_no_review_opens_before_the_start_or_after_the_end(app: Flask) -> None:
    home = made(replace(OPEN, starts_on=date(2026, 6, 1)))
    review = plan(home, date(2026, 6, 2))

    with pytest.raises(WrongTerm, match="starts on 1 June 2026"), transaction():
        open_review(review.id, by=OFFICER, now=NOW)
    with pytest.raises(WrongTerm, match="ended on 1 April 2029"), transaction():
        open_review(review.id, by=OFFICER, now=NOW.replace(year=2029))


def test_a_note_has_an_end(app: Flask) -> None:
    review = opened(made())

    with pytest.raises(WrongTerm, match="at most 1,000") as refused, transaction():
        close_review(review.id, "x" * 1001, by=OFFICER, now=NOW)
    assert refused.value.term == "note"


def test_terms_that_leave_a_review_outside_are_refused(app: Flask) -> None:
    home = made()
    review = plan(home, date(2028, 6, 1))
    terms = terms_of(home)

    with pytest.raises(WrongTerm, match="move it first") as refused, transaction():
        change_framework(home.id, replace(terms, ends_on=date(2028, 6, 1)), by=OFFICER, now=NOW)
    assert refused.value.term == "ends_on"
    with transaction():
        open_review(review.id, by=OFFICER, now=NOW)
    with pytest.raises(WrongTerm, match="open or closed, can no longer be changed"), transaction():
        change_framework(home.id, replace(terms, regime=Regime.CLOSED), by=OFFICER, now=NOW)


# The next one ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("months", "last", "today", "expected"),
    [
        (12, None, date(2025, 6, 1), date(2026, 4, 1)),
        (12, None, date(2026, 4, 1), date(2026, 4, 1)),
        (12, None, date(2026, 4, 2), date(2027, 4, 1)),
        (6, date(2026, 5, 31), TODAY, date(2026, 11, 30)),
        (12, None, date(2028, 4, 2), None),
        (None, None, TODAY, None),
    ],
)
def test_the_interval_suggests_the_next_review(
    months: int | None, last: date | None, today: date, expected: date | None
) -> None:
    assert next_review(START, END, months, last, today) == expected


def test_nothing_is_suggested_while_a_review_is_planned(app: Flask) -> None:
    home = made()
    assert suggested_review(home, reviews_of(home.id), TODAY) == date(2027, 4, 1)
    plan(home)
    assert suggested_review(home, reviews_of(home.id), TODAY) is None


# Admission ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "regime", "starts_on", "reviews", "today", "admitted"),
    [
        (AGREEMENT, Regime.CLOSED, START, (), BEFORE, True),
        (AGREEMENT, Regime.CLOSED, START, (), START, False),
        (AGREEMENT, Regime.CLOSED, START, (ReviewStatus.OPEN,), TODAY, False),
        (AGREEMENT, Regime.CLOSED, None, (), TODAY, True),
        (AGREEMENT, Regime.OPEN, START, (), TODAY, True),
        (AGREEMENT, Regime.OPEN, START, (ReviewStatus.PLANNED,), BEFORE, True),
        (AGREEMENT, Regime.OPEN, START, (ReviewStatus.PLANNED,), START, False),
        (AGREEMENT, Regime.OPEN, START, (ReviewStatus.CLOSED,), TODAY, False),
        (AGREEMENT, Regime.OPEN, START, (ReviewStatus.CLOSED, ReviewStatus.OPEN), TODAY, True),
        (AGREEMENT, Regime.OPEN, None, (ReviewStatus.PLANNED,), TODAY, True),
        (FrameworkKind.DIRECT_CONTRACT, Regime.CLOSED, START, (), TODAY, True),
        (FrameworkKind.QUOTATIONS, Regime.CLOSED, START, (), TODAY, True),
    ],
)
def test_who_is_admitted_when(
    *,
    kind: FrameworkKind,
    regime: Regime,
    starts_on: date | None,
    reviews: tuple[ReviewStatus, ...],
    today: date,
    admitted: bool,
) -> None:
    assert (why_not_admitted(kind, regime, starts_on, reviews, today) is None) is admitted


def test_an_open_framework_admits_while_its_review_is_open(app: Flask) -> None:
    home = made()
    newcomer = checked(framework_with_lot(within=home))
    review = plan(home)

    with pytest.raises(RuleBroken, match="open the review first"), transaction():
        admit_member(newcomer, reason="", by=OFFICER, now=NOW)
    assert standing_of(newcomer) is MemberStatus.CHECKING
    with transaction():
        open_review(review.id, by=OFFICER, now=NOW)
    with transaction():
        admit_member(newcomer, reason="", by=OFFICER, now=NOW)

    assert standing_of(newcomer) is MemberStatus.ACTIVE


def test_a_closed_framework_admits_nobody_once_it_runs(app: Flask) -> None:
    home = made()
    newcomer = checked(framework_with_lot(within=home))
    # The application came while the framework was open.
    with transaction():
        home.regime = Regime.CLOSED

    with pytest.raises(RuleBroken, match="is closed and started on 1 April 2025"), transaction():
        admit_member(newcomer, reason="", by=OFFICER, now=NOW)

    assert standing_of(newcomer) is MemberStatus.CHECKING
    assert not ranks_on(newcomer.lot_id, TODAY)


# What the page shows --------------------------------------------------------------------------------------------------


def test_a_review_shows_who_applies_who_left_since_the_last_one_and_its_ranks(app: Flask) -> None:
    home = made()
    lot = framework_with_lot(within=home)
    where = home.participations[0].authority
    stays, early, late = (member(lot, areas=[where], rank=rank) for rank in (1, 2, 3))
    earlier = NOW - timedelta(days=200)
    with transaction():
        set_member_status(early, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW)
    with transaction():
        past = Review(
            framework_id=home.id,
            due_on=earlier.date(),
            status=ReviewStatus.CLOSED,
            opened_on=TODAY + timedelta(days=1),
            closed_on=TODAY + timedelta(days=2),
        )
        db.session.add(past)
    then = NOW + timedelta(days=5)
    with transaction():
        set_member_status(late, MemberStatus.REMOVED, reason="Left the trade", by=OFFICER, now=then)
    newcomer = checked(lot)
    review = opened(home)

    since = since_last_review(review, reviews_of(home.id))
    assert since == TODAY + timedelta(days=1)
    (found,) = lots_in_review(home.id, since, then.date())
    assert [each.member_id for each in found.applicants] == [newcomer.id]
    assert [each.member_id for each in found.leavers] == [late.id]
    assert found.members == 1
    with transaction():
        publish_ranks(lot.id, then.date(), {stays.id: RankWanted(1)}, by=OFFICER, now=then, review_id=review.id)
    assert [each.lot_id for each in editions_made_in(review.id)] == [lot.id]


def test_ranks_come_from_an_open_review_of_their_own_framework(app: Flask) -> None:
    home = made()
    lot = framework_with_lot(within=home)
    where = home.participations[0].authority
    only = member(lot, areas=[where], rank=1)
    elsewhere = framework_with_lot(where)
    there = member(elsewhere, areas=[where], rank=1)
    review = plan(home)

    with pytest.raises(WrongTerm, match="is planned, not open"), transaction():
        publish_ranks(lot.id, TODAY, {only.id: RankWanted(1)}, by=OFFICER, now=NOW, review_id=review.id)
    with pytest.raises(NotFound), transaction():
        publish_ranks(elsewhere.id, TODAY, {there.id: RankWanted(1)}, by=OFFICER, now=NOW, review_id=review.id)
