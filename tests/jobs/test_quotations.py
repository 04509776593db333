"""Work bought by quotations: the lowest quote gets the job at its price; a direction does without missing ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from builders import (
    NATION,
    NOW,
    OFFICER,
    TODAY,
    accept,
    allocate,
    authority,
    code_of,
    edition,
    job,
    look_again,
    member,
    open_offer,
    person,
    scene,
    unique,
)
from flask import Flask
from sqlalchemy import select
from strict_client import StrictClient

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.framework.member_models import Member
from portal.framework.models import Lot
from portal.framework.states import FrameworkKind, MemberStatus
from portal.framework.terms.lots import add_lot
from portal.framework.terms.services import add_framework, add_participation
from portal.jobs import services
from portal.jobs.models import Direction, Estimate, Job, OrderLine
from portal.jobs.queries import decisions_on
from portal.jobs.quotations import MOST_PENCE, decide_without_quotes, quotations_for, record_estimate
from portal.jobs.standing import change_standing
from portal.jobs.states import DeclineReason, JobStatus
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.rates.models import Edition


@dataclass
class Buying:
    """An authority that buys by quotations, a lot with three members, and rates."""

    authority: Organisation
    lot: Lot
    edition: Edition
    members: list[Member]

    def job(self) -> Job:
        """A specified job that waits for its quotes."""
        return job(self.authority, self.lot, self.edition)

    def quote(self, of: Job, number: int, amount_pence: int) -> Estimate:
        """Keep the quote of one of the members."""
        with transaction():
            return record_estimate(of.id, self.members[number].id, amount_pence, TODAY, by=OFFICER, now=NOW)


@pytest.fixture
def buying(app: Flask) -> Buying:
    where = authority()
    with transaction():
        framework = add_framework(
            unique("QT"), "Quotations", None, None, kind=FrameworkKind.QUOTATIONS, quotes_needed=2, by=OFFICER, now=NOW
        )
        add_participation(framework, where, by=OFFICER, now=NOW)
        lot = add_lot(framework, unique("Ramp "), by=OFFICER, now=NOW)
    members = [member(lot, areas=[where], rank=rank) for rank in (1, 2, 3)]
    return Buying(where, lot, edition(), members)


def direct(of: Job, reason: str = "Only one firm makes this lift.") -> Direction:
    with transaction():
        return decide_without_quotes(of.id, reason=reason, by=OFFICER, now=NOW)


def reasons(of: Job) -> list[str]:
    look_again()
    return [reason for place in decisions_on(of)[0].places for reason in place.reasons]


def status_of(made: Job) -> JobStatus:
    look_again()
    return db.session.get_one(Job, made.id).status


# The rule, with what was recorded ---------------------------------------------------------------------------------


def test_a_job_is_not_offered_on_one_of_two_quotes(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 0, 180_000)

    done = allocate(made)

    assert done.exhausted == [made.reference]
    assert "1 of 2 quotes are in, and nobody has decided to do without the others" in reasons(made)


def test_with_the_direction_one_quote_is_enough(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 1, 180_000)
    direct(made)

    allocate(made)

    assert open_offer(made).member_id == buying.members[1].id


def test_a_job_that_found_nobody_is_offered_once_the_missing_quote_is_in(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 0, 180_000)
    allocate(made)
    assert status_of(made) is JobStatus.EXHAUSTED

    buying.quote(made, 2, 175_000)
    allocate(made)

    assert open_offer(made).price_pence == 175_000


def test_the_lowest_quote_gets_the_job_at_its_price_and_the_order_freezes_it(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 0, 190_000)
    buying.quote(made, 2, 171_250)

    allocate(made)
    offer = open_offer(made)
    accept(offer)

    assert (offer.member_id, offer.price_pence) == (buying.members[2].id, 171_250)
    (line,) = db.session.scalars(select(OrderLine).where(OrderLine.offer_id == offer.id))
    assert (line.code, line.rate_pence, line.net_pence) == ("QUOTE", 171_250, 171_250)
    assert list(everything_off()) == []


def test_equal_quotes_go_by_the_contractors_code(buying: Buying) -> None:
    made = buying.job()
    for number in (2, 1):
        buying.quote(made, number, 180_000)
    first = min((buying.members[1], buying.members[2]), key=code_of)

    allocate(made)

    assert open_offer(made).member_id == first.id


def test_when_the_lowest_declines_the_next_lowest_is_offered_at_its_own_price(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 0, 190_000)
    buying.quote(made, 1, 170_000)
    allocate(made)
    lowest = open_offer(made)

    with transaction():
        services.decline_offer(
            lowest.id, reason_code=DeclineReason.NO_CAPACITY, reason="", by="a firm", now=NOW, nation=NATION
        )

    following = open_offer(made)
    assert (following.member_id, following.price_pence) == (buying.members[0].id, 190_000)
    assert list(everything_off()) == []


# What is refused --------------------------------------------------------------------------------------------------


def test_a_second_amount_corrects_the_first_and_both_can_be_told(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 0, 180_000)

    buying.quote(made, 0, 18_000)

    assert [each.amount_pence for each in db.session.scalars(select(Estimate))] == [18_000]
    events = [event for event in events_on(f"job:{made.reference}") if event.action.startswith("quote")]
    assert [(event.action, event.data["was_pence"], event.data["amount_pence"]) for event in events] == [
        ("quote recorded", None, 180_000),
        ("quote corrected", 180_000, 18_000),
    ]


def test_a_quote_stands_once_the_job_was_offered(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 0, 180_000)
    buying.quote(made, 1, 190_000)
    allocate(made)
    with pytest.raises(WrongState, match="while a job waits"):
        buying.quote(made, 0, 170_000)
    for _ in range(2):
        with transaction():
            services.decline_offer(
                open_offer(made).id, reason_code=DeclineReason.PRICE, reason="", by="a firm", now=NOW, nation=NATION
            )
    assert status_of(made) is JobStatus.EXHAUSTED

    with pytest.raises(WrongState, match="quotes stand as they were"):
        buying.quote(made, 0, 170_000)

    buying.quote(made, 2, 195_000)
    allocate(made)
    assert open_offer(made).price_pence == 195_000


def test_only_active_members_of_the_lot_quote(buying: Buying) -> None:
    made, stranger = buying.job(), scene(members=1).members[0]
    with transaction():
        change_standing(
            buying.members[0].id, MemberStatus.SUSPENDED, reason="A claim", by=OFFICER, now=NOW, nation=NATION
        )

    with pytest.raises(RuleBroken, match="is suspended"):
        buying.quote(made, 0, 180_000)
    with pytest.raises(RuleBroken, match="Only members of the lot"), transaction():
        record_estimate(made.id, stranger.id, 180_000, TODAY, by=OFFICER, now=NOW)


@pytest.mark.parametrize("amount", [0, -1, MOST_PENCE + 1])
def test_an_amount_that_nobody_means_is_refused(buying: Buying, amount: int) -> None:
    with pytest.raises(RuleBroken, match="above £0"):
        buying.quote(buying.job(), 0, amount)


def test_a_quote_from_tomorrow_is_refused(buying: Buying) -> None:
    made = buying.job()
    with pytest.raises(RuleBroken, match="has not come yet"), transaction():
        record_estimate(made.id, buying.members[0].id, 1, TODAY + timedelta(days=1), by=OFFICER, now=NOW)


def test_a_quote_cannot_have_come_before_the_job_was_specified(buying: Buying) -> None:
    made = buying.job()
    wrong = "was specified on 5 May 2026; no quote for it can have come before"
    with pytest.raises(RuleBroken, match=wrong), transaction():
        record_estimate(made.id, buying.members[0].id, 1_000, TODAY - timedelta(days=1), by=OFFICER, now=NOW)


def test_a_late_quote_is_taken_once_nobody_is_left_and_not_while_the_job_is_on_offer(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 0, 180_000)
    buying.quote(made, 1, 190_000)
    allocate(made)
    with pytest.raises(WrongState, match="while a job waits"):
        buying.quote(made, 2, 100_000)
    for _ in range(2):
        with transaction():
            services.decline_offer(
                open_offer(made).id, reason_code=DeclineReason.PRICE, reason="", by="a firm", now=NOW, nation=NATION
            )
    third, later = buying.members[2], NOW + timedelta(days=3)

    with transaction():
        record_estimate(made.id, third.id, 170_000, TODAY + timedelta(days=2), by=OFFICER, now=later)

    allocate(made, now=later)
    assert open_offer(made).member_id == third.id


def test_a_job_of_a_framework_takes_no_quotes(app: Flask) -> None:
    there = scene(members=1)
    made = there.job()

    with pytest.raises(RuleBroken, match="is not bought by quotations"), transaction():
        record_estimate(made.id, there.members[0].id, 1, TODAY, by=OFFICER, now=NOW)
    with pytest.raises(RuleBroken, match="is not bought by quotations"), transaction():
        decide_without_quotes(made.id, reason="x", by=OFFICER, now=NOW)
    with pytest.raises(NotFound), transaction():
        record_estimate(0, there.members[0].id, 1, TODAY, by=OFFICER, now=NOW)


def test_a_direction_is_given_once_with_a_reason_and_only_for_missing_quotes(buying: Buying) -> None:
    made, complete = buying.job(), buying.job()
    buying.quote(complete, 0, 1_000)
    buying.quote(complete, 1, 2_000)

    with pytest.raises(RuleBroken, match="Give the reason"):
        direct(made, " ")
    with pytest.raises(RuleBroken, match="All 2 quotes are in"):
        direct(complete)
    direct(made)
    with pytest.raises(Clash, match="decided already"):
        direct(made)
    # Free text stays out of the events, which are for ever.
    assert "Only one firm" not in str([event.data for event in events_on(f"job:{made.reference}")])


def test_the_quotes_of_a_job_are_listed_lowest_first(buying: Buying) -> None:
    made = buying.job()
    buying.quote(made, 1, 190_000)
    buying.quote(made, 2, 180_000)
    look_again()

    seen = quotations_for(db.session.get_one(Job, made.id), TODAY)

    assert [each.member.code for each in seen.quoted] == [code_of(buying.members[number]) for number in (2, 1, 0)]
    assert (seen.received, seen.missing, seen.ready) == (2, 0, True)


# The page ---------------------------------------------------------------------------------------------------------


def test_an_officer_records_quotes_and_offers_the_job_to_the_lowest(
    buying: Buying, fixed_clock: object, sign_in: Callable[[Person], StrictClient]
) -> None:
    made = buying.job()
    officer = sign_in(person(Role.TECHNICAL_OFFICER, buying.authority))
    page = officer.get(f"/jobs/{made.reference}").click("the quotes that are in, and those that are missing")
    name, other = (f"{each.contractor.organisation.name} ({code_of(each)})" for each in buying.members[:2])

    refused = page.submit("Record the quote", {"Member": name, "Amount": "a lot"}, status=422)
    assert "Enter an amount in pounds" in refused.text
    page = officer.follow(page.submit("Record the quote", {"Member": name, "Amount": "£1,850.50"}))
    assert "1 of 2 quotes is in" in page.text
    empty = page.submit("Do without the missing quotes", {}, status=422)
    assert "Give the reason" in empty.text
    page = officer.follow(
        page.submit("Do without the missing quotes", {"Why the job goes ahead without them": "A discharge waits."})
    )
    assert "A discharge waits." in page.text
    page = officer.follow(page.submit("Record the quote", {"Member": other, "Amount": "1700"}))
    assert [row[2] for row in page.rows()] == ["£1,700.00", "£1,850.50", "None yet"]
    officer.follow(page.submit("Offer the job to the lowest quote"))

    look_again()
    assert open_offer(made).price_pence == 170_000
    assert "stand as they were" not in officer.get(f"/jobs/{made.reference}/quotes").text


def test_another_authoritys_job_and_readers(
    buying: Buying, fixed_clock: object, sign_in: Callable[[Person], StrictClient]
) -> None:
    made = buying.job()
    reader, stranger = sign_in(person(Role.AUDITOR)), sign_in(person(Role.TECHNICAL_OFFICER))

    assert "A technical officer of" in reader.get(f"/jobs/{made.reference}/quotes").text
    stranger.get(f"/jobs/{made.reference}/quotes", status=404)


def test_a_job_of_a_framework_says_that_it_needs_no_quotes(
    app: Flask, fixed_clock: object, sign_in: Callable[[Person], StrictClient]
) -> None:
    there = scene(members=1)
    made = there.job()
    officer = sign_in(person(Role.TECHNICAL_OFFICER, there.authority))

    assert "is not bought by quotations" in officer.get(f"/jobs/{made.reference}/quotes").text
    assert "bought by quotations" not in officer.get(f"/jobs/{made.reference}").text
