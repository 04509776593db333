"""From allocation to completion: who is offered what, at which price, until when, and who hears about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from builders import (
    ADDRESS,
    CLIENT,
    CLIENT_PHONE,
    NATION,
    NOW,
    OFFICER,
    POSTCODE,
    accept,
    allocate,
    authority,
    code_of,
    edition,
    framework,
    framework_with_lot,
    job,
    look_again,
    member,
    open_offer,
    person,
    scene,
)
from flask import Flask
from sqlalchemy import func, select, text

from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.framework.members.services import set_member_status
from portal.framework.states import MemberStatus, Priority
from portal.jobs import services
from portal.jobs.models import Decision, Job, Offer, OrderLine, Place
from portal.jobs.queries import decisions_on, order_lines
from portal.jobs.states import DeclineReason, JobStatus, OfferStatus
from portal.kernel import audit
from portal.kernel.audit import AuditEvent
from portal.kernel.db import Base, db, transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.kernel.outbox import Notice

BY = "office@contractor.example"
SOON = NOW + timedelta(hours=1)


def decline(offer: Offer, *, now=SOON, code=DeclineReason.NO_CAPACITY, reason="") -> Offer:  # type: ignore[no-untyped-def]
    with transaction():
        return services.decline_offer(offer.id, reason_code=code, reason=reason, by=BY, now=now, nation=NATION)


def notices() -> list[Notice]:
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def offers_on(made: Job) -> list[tuple[str, OfferStatus]]:
    look_again()
    return [
        (code_of(offer.member), offer.status)
        for offer in db.session.scalars(select(Offer).where(Offer.job_id == made.id).order_by(Offer.id))
    ]


@pytest.fixture(autouse=True)
def everything_holds(app: Flask):  # type: ignore[no-untyped-def]
    """Whatever a test here did, what must always hold does hold afterwards."""
    yield
    look_again()
    assert list(everything_off()) == []


def test_the_first_in_rank_is_offered_the_job_with_its_price_and_its_dates() -> None:
    there = scene(adjustments=[-250, 0, 0])

    offer = there.offered(lines={"LIFT01": "1", "RAIL01": "2.5"})

    assert offer.member_id == there.members[0].id
    # £2,094.00 and 2.5 × £42.50, each less 2.5 %, each rounded once: 204165 + 10359.375.
    assert offer.price_pence == 204_165 + 10_359
    assert offer.answer_by == NOW + timedelta(days=2)
    assert offer.start_by == date(2026, 6, 17)
    assert offer.job.status is JobStatus.ALLOCATING
    assert offer.job.value_pence == 209_400 + 10_625


def test_one_notice_leaves_for_one_offer_and_says_nothing_about_the_client() -> None:
    offer = scene().offered()

    (notice,) = notices()
    assert notice.recipient == offer.member.contractor.email
    assert offer.job.reference in notice.subject
    assert "RG1" in notice.body


def test_the_whole_life_of_a_job() -> None:
    there = scene()
    offer = there.accepted()
    assert (offer.status, offer.job.status, offer.start_on) == (
        OfferStatus.ACCEPTED,
        JobStatus.ACCEPTED,
        date(2026, 5, 12),
    )

    with transaction():
        services.record_started(offer.id, on=date(2026, 5, 12), by=BY, now=NOW + timedelta(days=7))
    with transaction():
        services.record_complete(offer.id, on=date(2026, 5, 14), by=BY, now=NOW + timedelta(days=9))

    look_again()
    assert (offer.status, offer.job.status) == (OfferStatus.COMPLETED, JobStatus.COMPLETE)
    actions = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.subject == f"job:{offer.job.reference}").order_by(AuditEvent.id)
    ).all()
    assert actions == ["job specified", "offer sent", "offer accepted", "works started", "works complete"]


def test_a_declined_job_goes_to_the_next_at_once_and_the_reason_stays() -> None:
    there = scene()
    offer = there.offered()

    decline(offer, code=DeclineReason.OTHER, reason="No scaffold before June")

    first, second, third = map(code_of, there.members)
    assert offers_on(offer.job) == [(first, OfferStatus.DECLINED), (second, OfferStatus.SENT)]
    assert (offer.reason_code, offer.reason) == (DeclineReason.OTHER, "No scaffold before June")
    latest = decisions_on(offer.job)[0]
    assert [(place.member_code, place.eligible, place.reasons) for place in latest.places] == [
        (first, False, ["declined this job before"]),
        (second, True, []),
        (third, True, []),
    ]
    assert latest.because == "declined: other"


def test_silence_lapses_at_the_deadline_to_the_minute() -> None:
    there = scene()
    offer = there.offered()

    with transaction():
        early = services.lapse_due_offers(now=offer.answer_by - timedelta(seconds=1), nation=NATION)
    with transaction():
        due = services.lapse_due_offers(now=offer.answer_by, nation=NATION)
    with transaction():
        again = services.lapse_due_offers(now=offer.answer_by, nation=NATION)

    assert (early.lapsed, due.lapsed, due.offered, again.lapsed) == (0, 1, 1, 0)
    assert [status for _, status in offers_on(offer.job)] == [OfferStatus.EXPIRED, OfferStatus.SENT]


def test_an_answer_at_the_deadline_is_too_late() -> None:
    offer = scene().offered()

    with pytest.raises(WrongState, match="time to answer ended"):
        accept(offer, now=offer.answer_by)
    with pytest.raises(WrongState, match="time to answer ended"):
        decline(offer, now=offer.answer_by)
    accept(offer, now=offer.answer_by - timedelta(seconds=1))


def test_an_answer_from_before_the_offer_is_refused() -> None:
    offer = scene().offered()

    with pytest.raises(RuleBroken, match="cannot be older"):
        accept(offer, now=NOW - timedelta(seconds=1))


def test_a_start_in_the_past_is_refused_and_today_is_not() -> None:
    offer = scene().offered()

    with pytest.raises(RuleBroken, match="in the past"):
        accept(offer, start_on=date(2026, 5, 4))
    assert accept(offer, start_on=date(2026, 5, 5)).status is OfferStatus.ACCEPTED


def test_a_start_too_late_passes_the_job_on_as_cannot_start_in_time() -> None:
    there = scene()
    offer = there.offered(required_start=date(2026, 5, 20))

    accept(offer, start_on=date(2026, 5, 21))

    assert [status for _, status in offers_on(offer.job)] == [OfferStatus.DECLINED, OfferStatus.SENT]
    assert (offer.reason_code, offer.start_on) == (DeclineReason.CANNOT_START_IN_TIME, date(2026, 5, 21))
    assert offer.reason == "Could start on 21 May 2026; the works must start by 20 May 2026."


def test_a_start_on_the_last_day_is_in_time() -> None:
    offer = scene().offered(required_start=date(2026, 5, 20))

    assert accept(offer, start_on=date(2026, 5, 20)).status is OfferStatus.ACCEPTED


def test_an_order_that_does_not_begin_in_time_fails_after_a_day_of_grace() -> None:
    there = scene()
    offer = there.offered(required_start=date(2026, 5, 21))
    accept(offer, start_on=date(2026, 5, 21))

    def fail(on: date) -> int:
        with transaction():
            return services.fail_late_starts(
                now=NOW.replace(year=on.year, month=on.month, day=on.day), nation=NATION
            ).failed_to_start

    # Friday is the day of grace; the weekend and the bank holiday Monday do not matter, Saturday is past it.
    assert [fail(date(2026, 5, 21)), fail(date(2026, 5, 22))] == [0, 0]
    assert fail(date(2026, 5, 23)) == 1
    assert [status for _, status in offers_on(offer.job)] == [OfferStatus.FAILED_TO_START, OfferStatus.SENT]
    assert db.session.scalars(select(OrderLine).where(OrderLine.offer_id == offer.id)).all()


def test_an_order_that_has_begun_never_fails_to_start() -> None:
    offer = scene().accepted()
    with transaction():
        services.record_started(offer.id, on=date(2026, 5, 5), by=BY, now=SOON)

    with transaction():
        ticked = services.fail_late_starts(now=NOW + timedelta(days=400), nation=NATION)

    assert ticked.failed_to_start == 0


@pytest.mark.parametrize(
    ("on", "now", "wrong"),
    [
        (date(2026, 5, 6), NOW, "has not come yet"),
        (date(2026, 5, 4), NOW, "before the order was accepted"),
    ],
)
def test_a_start_is_recorded_between_acceptance_and_today(on: date, now, wrong: str) -> None:  # type: ignore[no-untyped-def]
    offer = scene().accepted()

    with pytest.raises(RuleBroken, match=wrong), transaction():
        services.record_started(offer.id, on=on, by=BY, now=now)


@pytest.mark.parametrize(
    ("on", "wrong"), [(date(2026, 5, 5), "cannot end before"), (date(2026, 5, 8), "has not come yet")]
)
def test_completion_lies_between_the_start_and_today(on: date, wrong: str) -> None:
    offer = scene().accepted()
    with transaction():
        services.record_started(offer.id, on=date(2026, 5, 6), by=BY, now=NOW + timedelta(days=1))

    with pytest.raises(RuleBroken, match=wrong), transaction():
        services.record_complete(offer.id, on=on, by=BY, now=NOW + timedelta(days=2))


def test_an_offer_taken_back_goes_to_the_next_with_the_reason_kept() -> None:
    there = scene()
    offer = there.offered()

    with pytest.raises(RuleBroken, match="Give the reason"), transaction():
        services.withdraw_offer(offer.id, reason="  ", by=OFFICER, now=SOON, nation=NATION)
    with transaction():
        services.withdraw_offer(offer.id, reason="Wrong item specified", by=OFFICER, now=SOON, nation=NATION)

    assert [status for _, status in offers_on(offer.job)] == [OfferStatus.WITHDRAWN, OfferStatus.SENT]
    assert offer.reason == "Wrong item specified"


def test_other_as_a_reason_needs_words() -> None:
    offer = scene().offered()

    with pytest.raises(RuleBroken, match="few words"):
        decline(offer, code=DeclineReason.OTHER, reason=" ")


def test_an_unknown_offer_or_job_is_not_found() -> None:
    scene()

    with pytest.raises(NotFound), transaction():
        services.withdraw_offer(999, reason="x", by=OFFICER, now=NOW, nation=NATION)
    with pytest.raises(NotFound, match="NO-SUCH"), transaction():
        services.allocate_jobs(["NO-SUCH"], by=OFFICER, now=NOW, nation=NATION)


def test_when_nobody_is_left_the_officer_is_told_at_once() -> None:
    there = scene(members=1)
    person(Role.TECHNICAL_OFFICER, there.authority, email=OFFICER)
    person(Role.TECHNICAL_OFFICER, there.authority)
    offer = there.offered()

    decline(offer)

    look_again()
    assert offer.job.status is JobStatus.EXHAUSTED
    (told,) = [notice for notice in notices() if notice.recipient == OFFICER]
    assert told.subject == f"Nobody left: {offer.job.reference}"
    assert decisions_on(offer.job)[0].chosen_member_id is None


def test_with_no_officer_to_tell_the_framework_managers_hear_of_it() -> None:
    there = scene(members=1)
    manager = person(Role.FRAMEWORK_MANAGER)

    decline(there.offered())

    assert [notice.recipient for notice in notices() if notice.subject.startswith("Nobody left")] == [manager.email]


def test_whoever_loses_an_offer_or_an_order_is_told_and_so_is_the_officer_of_an_order() -> None:
    there = scene(members=3)
    officer = person(Role.TECHNICAL_OFFICER, there.authority)
    lost = there.offered()
    tick_at = lost.answer_by
    with transaction():
        services.lapse_due_offers(now=tick_at, nation=NATION)
    second = open_offer(lost.job)
    accept(second, start_on=second.start_by, now=tick_at)
    with transaction():
        services.fail_late_starts(now=tick_at + timedelta(days=120), nation=NATION)

    said = [(notice.recipient, notice.subject) for notice in notices()]
    firms = [offer.member.contractor.email for offer in (lost, second)]
    assert [who for who, subject in said if subject.startswith("No longer yours")] == firms
    assert officer.email in [who for who, subject in said if subject.startswith("Not started")]


def test_works_that_have_started_never_fail_to_start() -> None:
    there = scene(members=2)
    offer = there.offered()
    accept(offer, start_on=NOW.date())
    with transaction():
        services.record_started(offer.id, on=NOW.date(), by=OFFICER, now=NOW)

    with transaction():
        ticked = services.fail_late_starts(now=NOW + timedelta(days=400), nation=NATION)

    assert ticked.failed_to_start == 0
    look_again()
    assert offer.job.status is JobStatus.STARTED


def test_an_offer_whose_document_has_gone_meanwhile_cannot_be_accepted() -> None:
    there = scene(members=1, requirements=("public-liability",), documents={"public-liability": date(2030, 1, 1)})
    offer = there.offered()
    with transaction():
        offer.member.contractor.documents[0].expires_on = NOW.date()

    with pytest.raises(RuleBroken, match="public-liability expires"):
        accept(offer)


def test_a_job_from_a_file_tells_every_enabled_officer_of_its_authority() -> None:
    there = scene(members=0)
    officers = [person(Role.TECHNICAL_OFFICER, there.authority) for _ in range(2)]
    disabled, other = person(Role.TECHNICAL_OFFICER, there.authority), person(Role.TECHNICAL_OFFICER)
    with transaction():
        disabled.enabled = False

    allocate(there.job(by="command line (council)"))

    assert {notice.recipient for notice in notices()} == {officer.email for officer in officers}
    assert other.email not in {notice.recipient for notice in notices()}


def test_an_exhausted_job_can_be_tried_again_once_somebody_can_take_it() -> None:
    there = scene(members=1, capacity=1)
    first, second = there.offered(), there.job()
    assert allocate(second).exhausted == [second.reference]
    decline(first)

    assert list(allocate(second, now=SOON).offered) == [second.reference]


def test_trying_an_exhausted_job_again_in_vain_is_no_fault() -> None:
    there = scene(members=0)
    made = there.job()
    allocate(made)

    assert allocate(made, now=SOON).exhausted == [made.reference]
    assert len(decisions_on(made)) == 2


def test_capacity_is_used_up_within_a_batch_and_across_lots() -> None:
    where = authority()
    home = framework(where)
    lifts, ramps = framework_with_lot(within=home), framework_with_lot(within=home)
    rates = edition()
    big = member(lifts, ramps, areas=[where], rank=1, capacity=2)
    small = member(lifts, ramps, areas=[where], rank=2, capacity=1)
    jobs = [job(where, lot, rates) for lot in (lifts, ramps, lifts, ramps)]

    done = allocate(*jobs)

    assert Counter(done.offered.values()) == {code_of(big): 2, code_of(small): 1}
    assert len(done.exhausted) == 1
    last = decisions_on(next(each for each in jobs if each.reference in done.exhausted))[0]
    assert [place.reasons for place in last.places] == [["at capacity: 2 of 2 jobs"], ["at capacity: 1 of 1 jobs"]]


def test_capacity_is_free_again_after_completion_but_not_while_running() -> None:
    there = scene(members=1, capacity=1)
    order = there.accepted()
    waiting = there.job()
    assert allocate(waiting).exhausted
    with transaction():
        services.record_started(order.id, on=NOW.date(), by=BY, now=NOW)
    assert allocate(waiting).exhausted

    with transaction():
        services.record_complete(order.id, on=NOW.date(), by=BY, now=NOW)

    assert allocate(waiting).offered


def test_the_urgent_come_first_and_then_the_longest_wait() -> None:
    there = scene(members=1, capacity=3)
    wanted = [
        there.job(priority=Priority.ROUTINE, now=NOW - timedelta(days=9)),
        there.job(priority=Priority.PRIORITY, now=NOW - timedelta(days=1)),
        there.job(priority=Priority.PRIORITY, now=NOW - timedelta(days=2)),
        there.job(priority=Priority.HOSPITAL_DISCHARGE, now=NOW),
    ]

    done = allocate(*wanted)

    assert list(done.offered) == [wanted[3].reference, wanted[2].reference, wanted[1].reference]
    assert done.exhausted == [wanted[0].reference]


@pytest.mark.parametrize(
    ("priority", "deadline", "start"),
    [
        (Priority.HOSPITAL_DISCHARGE, NOW + timedelta(hours=4), date(2026, 5, 12)),
        (Priority.PRIORITY, NOW + timedelta(days=1), date(2026, 5, 27)),
        (Priority.ROUTINE, NOW + timedelta(days=2), date(2026, 6, 17)),
    ],
)
def test_each_priority_has_its_own_windows(priority: Priority, deadline, start: date) -> None:  # type: ignore[no-untyped-def]
    offer = scene().offered(priority=priority)

    assert (offer.answer_by, offer.start_by) == (deadline, start)


def test_all_waiting_jobs_are_allocated_but_not_exhausted_ones_again() -> None:
    there = scene(members=1, capacity=1)
    exhausted_first = [there.job(), there.job()]
    allocate(*exhausted_first)
    fresh = there.job()

    with transaction():
        done = services.allocate_jobs(None, by=OFFICER, now=SOON, nation=NATION)

    assert (done.offered, done.exhausted) == ({}, [fresh.reference])


def test_an_officer_cannot_allocate_another_authoritys_job() -> None:
    there, elsewhere = scene(), authority()
    made = there.job()

    with pytest.raises(NotFound), transaction():
        services.allocate_jobs([made.reference], by=OFFICER, now=NOW, nation=NATION, authority_id=elsewhere.id)


def test_a_suspended_member_is_passed_over_and_cannot_accept_what_it_was_offered() -> None:
    there = scene()
    offer = there.offered()
    with transaction():
        set_member_status(there.members[0], MemberStatus.SUSPENDED, reason="A claim is open", by=OFFICER, now=NOW)

    with pytest.raises(RuleBroken, match="suspended"):
        accept(offer)
    other = there.offered()

    assert other.member_id == there.members[1].id
    assert decisions_on(other.job)[0].places[0].reasons == ["membership is suspended: A claim is open"]


def test_a_document_that_ends_before_the_works_blocks_and_is_named() -> None:
    there = scene(requirements=["gas-safe"], documents={"gas-safe": date(2026, 6, 30)}, works_days=14)
    late, early = there.job(), there.job(required_start=date(2026, 6, 1))

    done = allocate(late, early)

    assert done.exhausted == [late.reference]
    assert list(done.offered) == [early.reference]
    assert decisions_on(late)[0].places[0].reasons == [
        "gas-safe expires on 30 June 2026, before the works would end on 1 July 2026"
    ]


def test_the_price_is_frozen_whatever_comes_later() -> None:
    there = scene(adjustments=[1_250, 0, 0])
    offer = there.accepted(lines={"LIFT01": "1", "RAIL01": "3"})
    before = (offer.price_pence, [(line.rate_pence, line.net_pence) for line in order_lines(offer)])

    edition({"LIFT01": 999_999, "RAIL01": 1}, schedule=there.edition.schedule.code, starts_on=date(2026, 5, 6))
    with transaction():
        there.members[0].adjustment_bp = 0

    look_again()
    assert (offer.price_pence, [(line.rate_pence, line.net_pence) for line in order_lines(offer)]) == before
    assert before == (235_575 + 14_344, [(209_400, 235_575), (4_250, 14_344)])
    assert [line.adjustment_bp for line in order_lines(offer)] == [1_250, 1_250]


def test_a_job_specified_before_a_new_edition_keeps_its_rates_when_it_is_allocated_after() -> None:
    there = scene()
    made = there.job()
    edition({"LIFT01": 999_999}, schedule=there.edition.schedule.code, starts_on=date(2026, 5, 6))

    allocate(made, now=NOW + timedelta(days=30))

    assert open_offer(made).price_pence == 209_400


def test_nothing_about_the_client_is_in_any_notice_or_event() -> None:
    there = scene(members=2)
    person(Role.TECHNICAL_OFFICER, there.authority)
    order = there.accepted()
    with transaction():
        services.record_started(order.id, on=NOW.date(), by=BY, now=NOW)
    refused = there.offered()
    decline(refused)
    with transaction():
        services.withdraw_offer(open_offer(refused.job).id, reason="Works changed", by=OFFICER, now=SOON, nation=NATION)

    said = [f"{notice.subject} {notice.body} {notice.recipient}" for notice in notices()]
    said += [f"{event.subject} {json.dumps(event.data)}" for event in db.session.scalars(select(AuditEvent))]
    said += [json.dumps([row.inputs for row in db.session.scalars(select(Decision))])]
    said += [json.dumps([row.basis for row in db.session.scalars(select(Place))])]

    assert len(said) > 10
    for secret in (CLIENT, ADDRESS, CLIENT_PHONE, POSTCODE, POSTCODE.replace(" ", ""), POSTCODE.split()[1]):
        assert not [line for line in said if secret in line], f"{secret} is told"


# Whole or not at all --------------------------------------------------------------------------------------------------


def everything_written() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    look_again()
    return {
        table.name: sorted((tuple(row) for row in db.session.execute(select(table))), key=repr)
        for table in Base.metadata.sorted_tables
    }


CHANGES: dict[str, Callable[[Offer, Job], object]] = {
    "allocate": lambda _offer, made: services.allocate_jobs([made.reference], by=OFFICER, now=NOW, nation=NATION),
    "accept": lambda offer, _: services.accept_offer(
        offer.id, start_on=date(2026, 5, 12), by=BY, now=NOW, nation=NATION
    ),
    "accept too late": lambda offer, _: services.accept_offer(
        offer.id, start_on=date(2027, 5, 12), by=BY, now=NOW, nation=NATION
    ),
    "decline": lambda offer, _: services.decline_offer(
        offer.id, reason_code=DeclineReason.SITE, reason="", by=BY, now=NOW, nation=NATION
    ),
    "withdraw": lambda offer, _: services.withdraw_offer(offer.id, reason="x", by=OFFICER, now=NOW, nation=NATION),
    "lapse": lambda offer, _: services.lapse_due_offers(now=offer.answer_by, nation=NATION),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_fault_at_the_very_end_leaves_nothing_behind(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = scene()
    offer, made = there.offered(), there.job()
    before = everything_written()

    def fail(*_: object) -> str:
        raise MemoryError

    with monkeypatch.context() as patched:
        # The audit chain is written last: by then everything else is.
        patched.setattr(audit, "link", fail)
        with pytest.raises(MemoryError), transaction():
            CHANGES[change](offer, made)

    assert everything_written() == before
    with transaction():
        CHANGES[change](db.session.get_one(Offer, offer.id), db.session.get_one(Job, made.id))
    assert everything_written() != before


def test_a_second_live_offer_or_acceptance_is_refused_by_the_database_itself() -> None:
    there = scene()
    offer = there.offered()
    copy = (
        "INSERT INTO offer (job_id, member_id, contractor_id, decision_id, status, sent_at, answer_by, start_by, "
        "adjustment_bp, price_pence, reason, start_on) SELECT job_id, member_id, contractor_id, decision_id, "
        "'{status}', sent_at, answer_by, start_by, adjustment_bp, price_pence, '', start_by FROM offer WHERE id = :id"
    )

    with pytest.raises(Clash), transaction():
        db.session.execute(text(copy.format(status="sent")), {"id": offer.id})
    accept(offer)
    for status in ("accepted", "completed"):
        with pytest.raises(Clash), transaction():
            db.session.execute(text(copy.format(status=status)), {"id": offer.id})

    look_again()
    assert db.session.scalar(select(func.count()).select_from(Offer)) == 1
