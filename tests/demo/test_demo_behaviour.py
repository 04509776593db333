"""What the demonstration's contractors may do, whatever they do: answers in time, starts on days that there are."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.demo.behaviour import (
    PATIENCE,
    WORKS,
    Mood,
    Promise,
    Refusal,
    Silence,
    last_day_of_works,
    plan_answer,
    start_day,
)
from portal.demo.county import WorkType
from portal.kernel.clock import local_date
from portal.kernel.working_time import Nation, add_working_days, add_working_hours, is_working_day

NATION = Nation.ENGLAND_AND_WALES
SENT = datetime(2026, 5, 5, 9, 30, tzinfo=UTC)

seeds = st.integers(0, 2**32)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def answer(
    seed: int,
    *,
    sent_at: datetime = SENT,
    hours: int = 16,
    days: int = 30,
    asked_before: int = 0,
    mood: Mood = Mood.USUAL,
    not_before: date | None = None,
) -> Silence | Refusal | Promise:
    return plan_answer(
        random.Random(seed),
        sent_at=sent_at,
        answer_by=add_working_hours(sent_at, hours, NATION),
        start_by=add_working_days(local_date(sent_at), days, NATION),
        asked_before=asked_before,
        nation=NATION,
        mood=mood,
        not_before=not_before,
    )


@given(seed=seeds, sent_at=instants, hours=st.sampled_from([4, 8, 16]), mood=st.sampled_from(Mood))
def test_an_answer_comes_after_the_offer_and_before_its_deadline(
    seed: int, sent_at: datetime, hours: int, mood: Mood
) -> None:
    given_answer = answer(seed, sent_at=sent_at, hours=hours, mood=mood)
    if not isinstance(given_answer, Silence):
        assert sent_at < given_answer.at < add_working_hours(sent_at, hours, NATION)


@given(seed=seeds, sent_at=instants)
def test_a_promised_start_is_a_working_day_after_the_answer(seed: int, sent_at: datetime) -> None:
    promise = answer(seed, sent_at=sent_at, asked_before=PATIENCE)
    assert isinstance(promise, Promise)
    assert is_working_day(promise.start_on, NATION)
    assert promise.start_on > local_date(promise.at)
    assert promise.start_on <= add_working_days(local_date(sent_at), 30, NATION)


def test_the_shares_of_answers_come_near_what_is_said() -> None:
    start_by = add_working_days(local_date(SENT), 30, NATION)
    counts: Counter[str] = Counter()
    for seed in range(4_000):
        match answer(seed):
            case Silence():
                counts["silence"] += 1
            case Refusal():
                counts["refusal"] += 1
            case Promise(start_on=day) if day > start_by:
                counts["too late"] += 1
            case Promise(kept=kept):
                counts["kept" if kept else "not kept"] += 1
    shares = {kind: 100 * number / 4_000 for kind, number in counts.items()}
    assert shares == pytest.approx({"kept": 72, "refusal": 10, "silence": 8, "too late": 6, "not kept": 4}, abs=2.5)


@given(seed=seeds)
def test_after_two_others_everybody_accepts_and_keeps_the_promise(seed: int) -> None:
    promise = answer(seed, asked_before=PATIENCE)
    assert isinstance(promise, Promise)
    assert promise.kept


@given(seed=seeds, asked_before=st.integers(0, 9))
def test_a_job_that_nobody_wants_is_declined_by_everybody_with_a_reason(seed: int, asked_before: int) -> None:
    refusal = answer(seed, asked_before=asked_before, mood=Mood.UNWANTED)
    assert isinstance(refusal, Refusal)
    assert refusal.reason.endswith(".")


@given(seed=seeds)
def test_a_job_that_is_wanted_later_starts_no_sooner_than_told(seed: int) -> None:
    day = date(2026, 5, 20)
    promise = answer(seed, mood=Mood.WANTED_LATER, not_before=day)
    assert isinstance(promise, Promise)
    assert promise.start_on >= day


def test_where_no_working_day_lies_between_the_last_day_is_taken() -> None:
    saturday = date(2026, 5, 9)
    assert start_day(random.Random(1), saturday, saturday + timedelta(days=1), NATION) == saturday + timedelta(days=1)


@given(seed=seeds, work_type=st.sampled_from(WorkType), started_on=st.dates(date(2025, 1, 1), date(2026, 12, 31)))
def test_works_last_as_many_working_days_as_their_kind_takes(seed: int, work_type: WorkType, started_on: date) -> None:
    least, most = WORKS[work_type]
    last = last_day_of_works(random.Random(seed), work_type, started_on, NATION)
    assert add_working_days(started_on, least - 1, NATION) <= last <= add_working_days(started_on, most - 1, NATION)
