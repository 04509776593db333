"""The rules of the contractor list: standing, evidence, reminders, availability, periods, terms, caps, places."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.framework.rules import (
    CAP_WARNINGS,
    LAPSED,
    RAN_OUT,
    Evidence,
    Longest,
    Period,
    Said,
    Step,
    cap_level,
    district_of,
    earliest_start,
    guarantee_months,
    holds,
    is_local,
    is_news,
    last_good_day,
    miles_between,
    months_between,
    overlapping,
    reminder_stage,
    share_of,
    standing_on,
    too_long,
    years_after,
)
from portal.framework.states import FrameworkKind, MemberStatus, Regime

TODAY = date(2026, 5, 5)
LAST = TODAY - timedelta(days=2)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
edges = st.none() | days


def periods() -> st.SearchStrategy[Period]:
    return st.tuples(edges, edges).filter(lambda pair: pair[0] is None or pair[1] is None or pair[0] < pair[1])


# Standing -------------------------------------------------------------------------------------------------------------


def test_before_its_first_step_a_membership_stands_nowhere() -> None:
    assert standing_on([Step(MemberStatus.ACTIVE, TODAY)], TODAY - timedelta(days=1)) is None


def test_a_suspension_ends_by_itself_on_its_day_and_says_so() -> None:
    steps = [
        Step(MemberStatus.ACTIVE, TODAY),
        Step(MemberStatus.SUSPENDED, date(2026, 6, 1), date(2026, 7, 1), "A claim is open"),
    ]

    last_day, first_day = standing_on(steps, date(2026, 6, 30)), standing_on(steps, date(2026, 7, 1))

    assert last_day is not None
    assert (last_day.status, last_day.reason) == (MemberStatus.SUSPENDED, "A claim is open")
    assert first_day is not None
    assert (first_day.status, first_day.reason) == (MemberStatus.ACTIVE, "the suspension ended on 1 July 2026")


def test_the_last_of_several_steps_on_one_day_holds() -> None:
    steps = [Step(MemberStatus.APPLIED, TODAY), Step(MemberStatus.CHECKING, TODAY), Step(MemberStatus.ACTIVE, TODAY)]

    found = standing_on(steps, TODAY)

    assert found is not None
    assert found.status is MemberStatus.ACTIVE


# Documents ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts_from", "counts_to", "counts"),
    [
        (None, None, False),
        (TODAY, None, True),
        (TODAY + timedelta(days=1), None, False),
        (date(2026, 1, 1), TODAY, False),
        (date(2026, 1, 1), TODAY + timedelta(days=1), True),
    ],
)
def test_a_document_counts_from_its_verification_until_it_is_withdrawn(
    counts_from: date | None, counts_to: date | None, counts: bool
) -> None:
    held = [Evidence("gas", date(2027, 1, 1), None, counts_from, counts_to)]

    assert last_good_day("gas", None, held, TODAY) == (date(2027, 1, 1) if counts else None)


def test_only_a_document_that_covers_enough_is_looked_at() -> None:
    held = [
        Evidence("public-liability", date(2028, 1, 1), 100, TODAY, None),
        Evidence("public-liability", date(2027, 1, 1), 500, TODAY, None),
        Evidence("public-liability", date(2029, 1, 1), None, TODAY, None),
    ]

    assert last_good_day("public-liability", 500, held, TODAY) == date(2027, 1, 1)
    assert last_good_day("public-liability", 501, held, TODAY) is None
    assert last_good_day("public-liability", None, held, TODAY) == date(2029, 1, 1)
    assert last_good_day("gas", None, held, TODAY) is None


def test_a_document_is_spoken_of_at_sixty_thirty_and_seven_days() -> None:
    last = date(2026, 9, 30)
    stages = {before: reminder_stage(last, last - timedelta(days=before)) for before in (61, 60, 31, 30, 8, 7, 0)}

    assert stages == {61: None, 60: 60, 31: 60, 30: 30, 8: 30, 7: 7, 0: 7}
    assert reminder_stage(date.max, TODAY) is None


@pytest.mark.parametrize(
    ("said", "stage", "last", "news"),
    [
        (None, 60, LAST, True),
        ((60, LAST), 60, LAST, False),
        ((60, LAST), 30, LAST, True),
        ((7, LAST), 60, LAST + timedelta(days=50), True),
        ((7, LAST), LAPSED, LAST, True),
        ((7, LAST), RAN_OUT, LAST, True),
        ((RAN_OUT, LAST), LAPSED, LAST, True),
        ((LAPSED, LAST), LAPSED, LAST, False),
        ((LAPSED, LAST), LAPSED, None, False),
        ((LAPSED, None), LAPSED, TODAY - timedelta(days=1), False),
        ((LAPSED, LAST), LAPSED, TODAY, True),
        ((LAPSED, None), 7, TODAY + timedelta(days=3), True),
    ],
)
def test_a_thing_is_said_once_since_the_document_last_held(
    said: tuple[int, date | None] | None, stage: int, last: date | None, news: bool
) -> None:
    assert is_news(None if said is None else Said(*said, said_on=TODAY), stage, last) is news


# Availability and periods ---------------------------------------------------------------------------------------------


@given(accepts_from=edges, absences=st.lists(st.tuples(days, st.integers(1, 40)), max_size=6))
def test_the_earliest_start_is_the_first_day_on_which_nothing_keeps_the_firm(
    accepts_from: date | None, absences: list[tuple[date, int]]
) -> None:
    away = [(first, first + timedelta(days=length)) for first, length in absences]
    free = (
        day
        for n in range(2_000)
        if (day := TODAY + timedelta(days=n)) >= (accepts_from or TODAY)
        and not any(first <= day < end for first, end in away)
    )

    assert earliest_start(TODAY, accepts_from, away) == next(free)


@given(period=periods(), others=st.lists(periods(), max_size=4))
def test_periods_overlap_when_they_share_a_day(period: Period, others: list[Period]) -> None:
    year = [date(2025, 12, 31) + timedelta(days=n) for n in range(368)]
    shared = [other for other in others if any(holds(period, day) and holds(other, day) for day in year)]

    assert overlapping(period, others) == (shared[0] if shared else None)


# Terms ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "regime", "ends_on", "fault"),
    [
        (FrameworkKind.FRAMEWORK_AGREEMENT, Regime.CLOSED, date(2030, 5, 5), ""),
        (FrameworkKind.FRAMEWORK_AGREEMENT, Regime.CLOSED, date(2030, 5, 6), "at most 4 years"),
        (FrameworkKind.FRAMEWORK_AGREEMENT, Regime.OPEN, date(2034, 5, 5), ""),
        (FrameworkKind.FRAMEWORK_AGREEMENT, Regime.OPEN, date(2034, 5, 6), "at most 8 years"),
        (FrameworkKind.DIRECT_CONTRACT, Regime.CLOSED, date(2040, 1, 1), ""),
        (FrameworkKind.QUOTATIONS, Regime.CLOSED, TODAY, "must come after the start"),
        (FrameworkKind.FRAMEWORK_AGREEMENT, Regime.OPEN, TODAY, "must come after the start"),
        (FrameworkKind.FRAMEWORK_AGREEMENT, Regime.OPEN, None, ""),
    ],
)
def test_how_long_a_framework_may_run(kind: FrameworkKind, regime: Regime, ends_on: date | None, fault: str) -> None:
    said = too_long(kind, regime, TODAY, ends_on, Longest())

    assert (fault in said) if said and fault else (said is None and not fault)


def test_the_longest_run_is_a_setting() -> None:
    args = FrameworkKind.FRAMEWORK_AGREEMENT, Regime.CLOSED, TODAY, date(2031, 5, 5)

    assert too_long(*args, Longest()) is not None
    assert too_long(*args, Longest(closed_years=5)) is None


def test_a_leap_day_has_an_anniversary() -> None:
    assert years_after(date(2028, 2, 29), 4) == date(2032, 2, 29)
    assert years_after(date(2028, 2, 29), 5) == date(2033, 3, 1)


@pytest.mark.parametrize(
    ("used", "level"), [(0, 0), (7_499, 0), (7_500, 75), (8_999, 75), (9_000, 90), (10_000, 100), (99_999, 100)]
)
def test_a_value_cap_warns_at_its_levels(used: int, level: int) -> None:
    assert cap_level(used, 10_000) == level
    assert cap_level(used, None) == 0
    assert level in {0, *CAP_WARNINGS}


def test_a_share_of_nothing_is_none() -> None:
    assert share_of(5, 0) is None
    assert share_of(1, 3) == Decimal("33.3")


def test_a_guaranteed_minimum_is_held_against_each_month() -> None:
    months = months_between(date(2025, 11, 20), date(2026, 2, 3))
    ordered = {date(2025, 11, 1): (2, 500), date(2026, 1, 1): (4, 900)}

    found = guarantee_months(months, ordered, 3, 800)

    assert [each.first_day for each in found] == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    assert [(each.jobs_short, each.pence_short) for each in found] == [(1, 300), (3, 800), (0, 0), (3, 800)]


# Places ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("postcode", "district"),
    [("RG1 2AB", "RG1"), ("rg12ab", "RG1"), (" W1A 1AA ", "W1A"), ("EC1A1BB", "EC1A"), ("", "")],
)
def test_the_district_of_a_postcode(postcode: str, district: str) -> None:
    assert district_of(postcode) == district


@pytest.mark.parametrize(
    ("postcode", "local"),
    [("AL1 2AB", True), ("AL10 2AB", True), ("SG5 1AA", True), ("SG50 1AA", False), ("L1 2AB", False), ("", False)],
)
def test_who_is_local_follows_areas_and_districts(postcode: str, local: bool) -> None:
    assert is_local(postcode, "al SG5") is local


def test_nobody_is_local_where_no_area_is_named() -> None:
    assert not is_local("AL1 2AB", "")


def test_distances_are_those_of_the_globe() -> None:
    london, paris = (51.5074, -0.1278), (48.8566, 2.3522)

    assert miles_between(london, paris) == pytest.approx(213.5, abs=1)
    assert miles_between(london, london) == 0
    # A quarter of the equator.
    assert miles_between((0, 0), (0, 90)) == pytest.approx(6_218.4, abs=1)
