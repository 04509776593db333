"""Who gets the job: every reason, the order, the tie-break, and that the same facts give the same ranking."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.framework.states import MemberStatus, Priority
from portal.jobs.allocation import (
    JobFacts,
    LotFacts,
    MemberFacts,
    Windows,
    answer_by,
    basis,
    inputs,
    lot_reasons,
    member_reasons,
    next_member,
    rank,
    start_by,
    stored_facts,
    stored_member,
)
from portal.kernel.working_time import Nation
from portal.rates.pricing import Work, WorksPrices

TODAY = date(2026, 5, 5)
START_BY = date(2026, 6, 1)
ENGLAND = Nation.ENGLAND_AND_WALES
JOB = JobFacts("A", 209_400, START_BY)
LOT = LotFacts("Stair lift", 0, None, ("gas-safe", "public-liability"), 14, None, None)
GOOD = MemberFacts(
    code="C1",
    rank=1,
    status=MemberStatus.ACTIVE,
    status_reason="",
    areas=frozenset({"A", "B"}),
    adjustment_bp=-250,
    capacity=2,
    load=1,
    accepts_from=None,
    documents={"gas-safe": date(2027, 1, 1), "public-liability": date(2026, 6, 15)},
)

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
members = st.builds(
    MemberFacts,
    code=st.text("ABC123", min_size=1, max_size=4),
    rank=st.integers(1, 4),
    status=st.sampled_from(list(MemberStatus)),
    status_reason=st.sampled_from(["", "insurance claim open"]),
    areas=st.frozensets(st.sampled_from("ABCD")),
    adjustment_bp=st.integers(-9_999, 5_000),
    capacity=st.integers(0, 3),
    load=st.integers(0, 3),
    accepts_from=st.none() | days,
    documents=st.dictionaries(st.sampled_from(["gas-safe", "public-liability", "other"]), days),
    earlier=st.sampled_from(["", "declined", "failed to start"]),
)
lots = st.builds(
    LotFacts,
    name=st.just("Ramp"),
    value_from_pence=st.integers(0, 300_000),
    value_to_pence=st.none() | st.integers(300_001, 600_000),
    required_documents=st.lists(st.sampled_from(["gas-safe", "public-liability"]), unique=True).map(tuple),
    works_days=st.integers(0, 60),
    framework_starts_on=st.none() | days,
    framework_ends_on=st.none() | days,
)
jobs = st.builds(JobFacts, area=st.sampled_from("ABCD"), value_pence=st.integers(0, 700_000), start_by=days)
lists_of_members = st.lists(members, unique_by=lambda member: member.code, max_size=8)


def test_a_member_with_everything_in_order_has_no_reason_against_it() -> None:
    assert member_reasons(GOOD, JOB, LOT, TODAY) == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"earlier": "declined"}, "declined this job before"),
        ({"status": MemberStatus.APPLIED}, "membership is applied"),
        ({"status": MemberStatus.CHECKING}, "membership is checking"),
        (
            {"status": MemberStatus.SUSPENDED, "status_reason": "a claim is open"},
            "membership is suspended: a claim is open",
        ),
        ({"status": MemberStatus.RELEASED}, "membership is released"),
        ({"status": MemberStatus.REMOVED}, "membership is removed"),
        ({"areas": frozenset("B")}, "does not work in area A"),
        ({"load": 2}, "at capacity: 2 of 2 jobs"),
        ({"load": 0, "capacity": 0}, "at capacity: 0 of 0 jobs"),
        ({"accepts_from": date(2026, 6, 2)}, "can start from 2 June 2026, after 1 June 2026"),
        ({"documents": {"public-liability": date(2027, 1, 1)}}, "gas-safe is missing"),
        (
            {"documents": {"gas-safe": date(2027, 1, 1), "public-liability": date(2026, 6, 14)}},
            "public-liability expires on 14 June 2026, before the works would end on 15 June 2026",
        ),
    ],
)
def test_each_reason_keeps_a_member_out_and_says_why(changes: dict[str, object], reason: str) -> None:
    assert member_reasons(replace(GOOD, **changes), JOB, LOT, TODAY) == (reason,)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"accepts_from": START_BY},
        {"load": 1, "capacity": 2},
        # Good to the very day on which the works would end.
        {"documents": {"gas-safe": date(2026, 6, 15), "public-liability": date(2026, 6, 15)}},
    ],
)
def test_a_member_at_the_edge_is_still_in(changes: dict[str, object]) -> None:
    assert member_reasons(replace(GOOD, **changes), JOB, LOT, TODAY) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value_from_pence": 209_401}, "the job's value £2,094.00 is below the lot's £2,094.01"),
        ({"value_to_pence": 209_400}, "the job's value £2,094.00 reaches the lot's limit £2,094.00"),
        ({"framework_starts_on": date(2026, 5, 6)}, "the framework starts on 6 May 2026"),
        ({"framework_ends_on": TODAY}, "the framework ended on 5 May 2026"),
    ],
)
def test_each_reason_of_the_lot_keeps_everybody_out(changes: dict[str, object], reason: str) -> None:
    lot = replace(LOT, **changes)  # type: ignore[arg-type]

    assert lot_reasons(JOB, lot, TODAY) == (reason,)
    assert [place.reasons for place in rank(JOB, lot, [GOOD, replace(GOOD, code="C2")], TODAY)] == [(reason,)] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"value_from_pence": 209_400},
        {"value_to_pence": 209_401},
        {"framework_starts_on": TODAY},
        {"framework_ends_on": date(2026, 5, 6)},
    ],
)
def test_a_lot_holds_from_its_lower_bound_to_before_its_upper(changes: dict[str, object]) -> None:
    assert lot_reasons(JOB, replace(LOT, **changes), TODAY) == ()  # type: ignore[arg-type]


def test_every_reason_is_given_not_only_the_first() -> None:
    hopeless = replace(
        GOOD,
        earlier="declined",
        status=MemberStatus.SUSPENDED,
        areas=frozenset(),
        load=9,
        accepts_from=date(2027, 1, 1),
        documents={},
    )

    assert len(member_reasons(hopeless, JOB, LOT, TODAY)) == 7


def test_members_stand_in_rank_order_and_codes_break_ties() -> None:
    crowd = [replace(GOOD, code=code, rank=place) for code, place in [("C9", 1), ("B2", 2), ("C1", 1), ("A1", 2)]]

    ranking = rank(JOB, LOT, crowd, TODAY)

    assert [(place.position, place.member.code) for place in ranking] == [(1, "C1"), (2, "C9"), (3, "A1"), (4, "B2")]


def test_the_first_without_a_reason_is_next() -> None:
    crowd = [
        replace(GOOD, code="C1", rank=1, load=2),
        replace(GOOD, code="C2", rank=2, earlier="declined"),
        replace(GOOD, code="C3", rank=3),
        replace(GOOD, code="C4", rank=4),
    ]

    chosen = next_member(rank(JOB, LOT, crowd, TODAY))

    assert chosen is not None
    assert chosen.member.code == "C3"


def test_nobody_is_next_where_nobody_may() -> None:
    assert next_member(rank(JOB, LOT, [replace(GOOD, load=2)], TODAY)) is None
    assert next_member([]) is None


@given(jobs, lots, lists_of_members, st.randoms(use_true_random=False), days)
def test_the_order_in_which_members_come_changes_nothing(job, lot, crowd, shuffler, today) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(crowd)
    shuffler.shuffle(shuffled)

    assert rank(job, lot, shuffled, today) == rank(job, lot, crowd, today)


@given(jobs, lots, lists_of_members, days)
def test_every_member_has_one_place_and_nobody_with_a_reason_is_chosen(job, lot, crowd, today) -> None:  # type: ignore[no-untyped-def]
    ranking = rank(job, lot, crowd, today)

    assert [place.position for place in ranking] == list(range(1, len(crowd) + 1))
    assert {place.member.code for place in ranking} == {member.code for member in crowd}
    chosen = next_member(ranking)
    assert (chosen is None) == all(place.reasons for place in ranking)
    if chosen is not None:
        member = chosen.member
        assert member.status is MemberStatus.ACTIVE
        assert job.area in member.areas
        assert member.load < member.capacity
        assert lot.value_from_pence <= job.value_pence
        assert lot.value_to_pence is None or job.value_pence < lot.value_to_pence
        ends = job.start_by + timedelta(days=lot.works_days)
        assert all(member.documents[kind] >= ends for kind in lot.required_documents)


@given(jobs, lots, lists_of_members, days, st.sampled_from(list(Priority)))
def test_what_is_stored_as_json_gives_the_same_ranking_again(job, lot, crowd, today, priority) -> None:  # type: ignore[no-untyped-def]
    job = replace(job, cap_pence=300_000, prices=WorksPrices([Work("X", Decimal(1), job.value_pence)]))
    ranking = rank(job, lot, crowd, today)

    kept = json.loads(
        json.dumps(inputs(job, lot, priority=priority, today=today, required=today, windows=Windows(8, 5)))
    )
    places = json.loads(json.dumps([[place.member.code, basis(place.member)] for place in ranking]))

    again_job, again_lot, again_today = stored_facts(kept)
    assert (again_job, again_lot, again_today) == (job, lot, today)
    assert rank(again_job, again_lot, [stored_member(*place) for place in places], again_today) == ranking


SENT = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)
WINDOWS = Windows(answer_hours=16, start_days=30)


def test_the_time_to_answer_is_in_working_hours() -> None:
    assert answer_by(SENT, WINDOWS, ENGLAND) == datetime(2026, 5, 7, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("required", "last_day"),
    [
        # Kept wherever an answer can come in time, be it on the last day.
        (date(2026, 7, 1), date(2026, 7, 1)),
        (date(2026, 5, 7), date(2026, 5, 7)),
        # Past by the time of an answer: the lot's window, 30 working days with a bank holiday among them.
        (date(2026, 5, 6), date(2026, 6, 17)),
        (date(2020, 1, 1), date(2026, 6, 17)),
        (None, date(2026, 6, 17)),
    ],
)
def test_the_last_day_to_start_is_the_required_one_where_it_can_be_kept(required: date | None, last_day: date) -> None:
    assert start_by(required, SENT, WINDOWS, ENGLAND) == last_day
