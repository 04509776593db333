"""Star rates: proposed by one person, decided on by another, used on jobs of their authority while they hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from builders import NOW, OFFICER, TODAY, Scene, look_again, new_job, person, scene
from click.testing import Result
from fixture_types import Clock
from flask import Flask
from sqlalchemy import select
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.faults import WrongTerm
from portal.jobs.models import Job
from portal.jobs.specification import add_line, draft_job
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import NotAllowed, PortalError, RuleBroken, WrongState
from portal.kernel.outbox import Notice
from portal.rates.catalogue import Wanted, find
from portal.rates.models import StarRate
from portal.rates.star_rates import queries, services
from portal.rates.star_rates.services import ProposedRate
from portal.rates.states import STAR_RATE_MOVES, PriceRule, StarRateStatus

MANAGER = "manager@county.example"
WANTED = ProposedRate("Bespoke shower screen", "nr", 45_050, "Two quotes of April", "Plumbing", 0)
SignIn = Callable[[Person], StrictClient]
Portal = Callable[..., Result]


def proposed(there: Scene, wanted: ProposedRate = WANTED, by: str = OFFICER) -> StarRate:
    with transaction():
        return services.propose_star_rate(there.edition.schedule, there.authority, wanted, by=by, now=NOW)


def approved(there: Scene, from_on: date = TODAY, to_on: date | None = None) -> StarRate:
    star = proposed(there)
    with transaction():
        return services.approve_star_rate(star.id, from_on, to_on, by=MANAGER, now=NOW)


def notices() -> list[tuple[str, str]]:
    return [(each.recipient, each.subject) for each in db.session.scalars(select(Notice).order_by(Notice.id))]


def draft(there: Scene) -> Job:
    with transaction():
        return draft_job(new_job(there.authority, there.lot), there.edition, by=OFFICER, now=NOW)


def test_a_proposal_gets_a_code_and_those_who_publish_rates_are_told(app: Flask) -> None:
    there = scene()
    publisher = person(Role.PROCUREMENT)
    person(Role.AUDITOR)

    first, second = proposed(there), proposed(there)

    assert first.code == f"STAR-{first.id:04}"
    assert first.code != second.code
    assert first.status is StarRateStatus.PROPOSED
    assert notices() == [(publisher.email, f"Star rate to decide on: {star.code}") for star in (first, second)]
    (event,) = events_on(f"star-rate:{first.code}")
    assert event.data == {
        "schedule": there.edition.schedule.code,
        "authority": there.authority.code,
        "rate_pence": 45_050,
        "vat_bp": 0,
    }


@pytest.mark.parametrize(
    ("wrong", "term"),
    [
        ({"description": " "}, "description"),
        ({"description": "x" * 401}, "description"),
        ({"unit": ""}, "unit"),
        ({"unit": "x" * 41}, "unit"),
        ({"reason": ""}, "reason"),
        ({"rate_pence": 0}, "rate_pence"),
        ({"rate_pence": 100_000_001}, "rate_pence"),
        ({"vat_bp": 1_750}, "vat_bp"),
    ],
)
def test_a_proposal_that_cannot_be_says_what_is_wrong_with_it(app: Flask, wrong: dict[str, object], term: str) -> None:
    there = scene()

    with pytest.raises(WrongTerm) as refused:
        proposed(there, replace(WANTED, **wrong))  # type: ignore[arg-type]

    assert refused.value.term == term
    assert queries.star_rates_seen_by() == []


def test_who_proposed_never_decides(app: Flask) -> None:
    star = proposed(scene(), by=MANAGER)

    with pytest.raises(NotAllowed), transaction():
        services.approve_star_rate(star.id, TODAY, None, by=MANAGER, now=NOW)
    with pytest.raises(NotAllowed), transaction():
        services.reject_star_rate(star.id, "No", by=MANAGER, now=NOW)

    look_again()
    assert star.status is StarRateStatus.PROPOSED


def test_a_decision_is_told_to_whoever_proposed(app: Flask) -> None:
    there = scene()
    one, other = proposed(there), proposed(there)

    with transaction():
        services.approve_star_rate(one.id, TODAY, TODAY + timedelta(days=30), by=MANAGER, now=NOW)
        services.reject_star_rate(other.id, "The schedule has it", by=MANAGER, now=NOW)

    assert notices() == [(OFFICER, f"Star rate approved: {one.code}"), (OFFICER, f"Star rate rejected: {other.code}")]
    assert (other.decision_reason, other.decided_by) == ("The schedule has it", MANAGER)
    assert "The schedule has it" not in str([event.data for event in events_on(f"star-rate:{other.code}")])


@pytest.mark.parametrize(
    ("from_on", "to_on"), [(date(2026, 5, 4), None), (TODAY, TODAY), (date(2026, 6, 1), date(2026, 5, 6))]
)
def test_days_that_cannot_be_are_refused(app: Flask, from_on: date, to_on: date | None) -> None:
    star = proposed(scene())

    with pytest.raises(WrongTerm), transaction():
        services.approve_star_rate(star.id, from_on, to_on, by=MANAGER, now=NOW)

    look_again()
    assert star.status is StarRateStatus.PROPOSED


STEPS: dict[StarRateStatus, Callable[[int], StarRate]] = {
    StarRateStatus.APPROVED: lambda star: services.approve_star_rate(star, TODAY, None, by=MANAGER, now=NOW),
    StarRateStatus.REJECTED: lambda star: services.reject_star_rate(star, "No", by=MANAGER, now=NOW),
    StarRateStatus.WITHDRAWN: lambda star: services.withdraw_star_rate(star, "Gone", by=MANAGER, now=NOW),
}


@pytest.mark.parametrize("first", list(StarRateStatus))
@pytest.mark.parametrize("then", list(STEPS))
def test_every_step_from_every_state(app: Flask, first: StarRateStatus, then: StarRateStatus) -> None:
    star = proposed(scene())
    if first in STEPS:
        with transaction():
            STEPS[first](star.id)

    if then in STAR_RATE_MOVES[first]:
        with transaction():
            assert STEPS[then](star.id).status is then
        return
    with pytest.raises(WrongState), transaction():
        STEPS[then](star.id)


def test_only_a_proposal_is_taken_back(app: Flask) -> None:
    there = scene()
    star, decided = proposed(there), approved(there)

    with transaction():
        services.take_back_proposal(star.id, by=OFFICER, now=NOW)
    with pytest.raises(WrongState), transaction():
        services.take_back_proposal(decided.id, by=OFFICER, now=NOW)

    assert star.status is StarRateStatus.WITHDRAWN


def test_an_approved_rate_prices_a_line_of_its_authority_and_stays_there_when_it_is_withdrawn(app: Flask) -> None:
    there = scene()
    star, job = approved(there), draft(there)

    with transaction():
        line = add_line(job.id, star.code, Decimal(2), by=OFFICER, now=NOW)
        services.withdraw_star_rate(star.id, "Cheaper elsewhere", by=MANAGER, now=NOW)

    assert (line.rule, line.net_pence, line.vat_bp) == (PriceRule.STAR_RATE, 90_100, 0)
    with pytest.raises(RuleBroken, match="is not an item"), transaction():
        add_line(job.id, star.code, Decimal(1), by=OFFICER, now=NOW)


def test_a_rate_is_used_on_its_days_and_by_its_authority_only(app: Flask) -> None:
    there, elsewhere = scene(), scene()
    star = approved(there, TODAY + timedelta(days=1), TODAY + timedelta(days=3))
    schedule = there.edition.schedule_id

    found = [
        bool(queries.star_rates_in_force(schedule, there.authority.id, TODAY + timedelta(days=days)))
        for days in range(4)
    ]

    assert found == [False, True, True, False]
    assert queries.star_rates_in_force(schedule, elsewhere.authority.id, TODAY + timedelta(days=1)) == []
    assert star.to_on == TODAY + timedelta(days=3)


@pytest.mark.parametrize(
    ("wanted", "there_is"),
    [
        (Wanted(""), True),
        (Wanted("screen bespoke"), True),
        (Wanted("scr", trade="Plumbing"), True),
        (Wanted("scr", trade="Lifts"), False),
        (Wanted("", from_pence=45_051), False),
        (Wanted("", to_pence=45_049), False),
        (Wanted("star"), True),
        (Wanted("hoist"), False),
    ],
)
def test_star_rates_stand_beside_the_items_that_are_found(app: Flask, wanted: Wanted, there_is: bool) -> None:
    there = scene()
    star = approved(there)

    assert queries.beside(find(there.edition.id, wanted), wanted, [star]) == ([star] if there_is else [])


# On the pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def there(app: Flask, fixed_clock: Clock) -> Scene:
    return scene()


def test_an_officer_proposes_and_somebody_else_approves_on_the_pages(there: Scene, sign_in: SignIn) -> None:
    officer = sign_in(person(Role.TECHNICAL_OFFICER, there.authority))
    page = officer.get("/rates/stars").click("Propose a star rate")
    assert "Enter the rate" in page.submit("Propose the star rate", {}, status=422).text
    filled = {
        "Schedule of rates": there.edition.schedule.name,
        "What it is": "Bespoke screen",
        "Unit": "nr",
        "Rate": "£1,450.50",
        "0 %: an adaptation for a disabled person who commissions it": True,
        "Why the rate is right": "Two quotes",
    }
    made = officer.follow(page.submit("Propose the star rate", filled))
    assert "£1,450.50 per nr" in made.text
    assert "Approve" not in made.text

    manager = sign_in(person(Role.FRAMEWORK_MANAGER))
    page = manager.get(made.path)
    wrong = {"Holds from: Day": "1", "Holds from: Month": "5", "Holds from: Year": "2026"}
    assert "is in the past" in page.submit("Approve the star rate", wrong, status=422).text
    assert "Give the reason" in page.submit("Reject the star rate", {}, status=422).text
    done = manager.follow(page.submit("Approve the star rate", {}))

    assert "Approved" in done.text
    look_again()
    star = db.session.scalars(select(StarRate)).one()
    assert (star.status, star.from_on, star.to_on, star.vat_bp) == (StarRateStatus.APPROVED, TODAY, None, 0)
    withdrawn = manager.follow(done.submit("Withdraw the star rate", {"Reason": "Not needed"}))
    assert "Withdrawn" in withdrawn.text


def test_a_proposal_is_rejected_or_taken_back_on_the_pages(there: Scene, sign_in: SignIn) -> None:
    one, other = proposed(there), proposed(there)
    manager = sign_in(person(Role.PROCUREMENT))
    officer = sign_in(person(Role.TECHNICAL_OFFICER, there.authority))

    rejected = manager.follow(
        manager.get(f"/rates/stars/{one.id}").submit("Reject the star rate", {"Reason": "It is in the schedule"})
    )
    back = officer.follow(officer.get(f"/rates/stars/{other.id}").submit("Take the proposal back"))

    assert "It is in the schedule" in rejected.text
    assert "Withdrawn" in back.text


def test_officers_see_star_rates_of_their_authority_only_and_others_all(there: Scene, sign_in: SignIn) -> None:
    elsewhere = scene()
    own, foreign = proposed(there), proposed(elsewhere)
    officer = sign_in(person(Role.TECHNICAL_OFFICER, there.authority))

    assert [row[0] for row in officer.get("/rates/stars").rows()] == [own.code]
    officer.get(f"/rates/stars/{foreign.id}", status=404)
    for role in (Role.PROCUREMENT, Role.FRAMEWORK_MANAGER, Role.AUDITOR):
        seen = sign_in(person(role)).get("/rates/stars?status=proposed")
        assert [row[0] for row in seen.rows()] == [foreign.code, own.code]


# On the command line --------------------------------------------------------------------------------------------------

OPTIONS = ("--description", "Bespoke screen", "--unit", "nr", "--rate", "450.50", "--reason", "Two quotes")


def test_star_rates_are_agreed_on_the_command_line(there: Scene, portal: Portal) -> None:
    where = ("--schedule", there.edition.schedule.code, "--authority", there.authority.code)
    star, rejected = proposed(there), proposed(there)

    code = portal("rates", "stars", "propose", *where, *OPTIONS, "--vat", "5").stdout.strip()
    portal("rates", "stars", "approve", star.code, "--from", "2026-06-01", "--to", "2026-07-01")
    portal("rates", "stars", "reject", rejected.code, "--reason", "No")
    own = portal("rates", "stars", "approve", code, code=1)
    portal("rates", "stars", "withdraw", star.code, "--reason", "Over")

    assert "does not decide" in own.stderr
    listed = json.loads(portal("rates", "stars", "list", "--json").stdout)
    assert {each["code"]: each["status"] for each in listed} == {
        code: "proposed",
        star.code: "withdrawn",
        rejected.code: "rejected",
    }
    assert (listed[0]["rate"], listed[0]["vat_percent"]) == ("450.50", "5")
    assert code in portal("rates", "stars", "list", "--status", "proposed").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("propose", "--schedule", "NONE", "--authority", "NONE", *OPTIONS),
        ("approve", "STAR-9999"),
        ("reject", "STAR-9999", "--reason", "No"),
    ],
)
def test_a_verb_that_is_refused_says_why(there: Scene, portal: Portal, words: tuple[str, ...]) -> None:
    assert portal("rates", "stars", *words, code=1).stderr.strip().endswith(".")


def test_refusals_are_the_portals_own(app: Flask) -> None:
    with pytest.raises(PortalError), transaction():
        services.approve_star_rate(99, TODAY, None, by=MANAGER, now=NOW)
