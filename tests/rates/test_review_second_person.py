"""The second person of a price review: they approve what they have seen, and nothing that they had a hand in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, look_again
from flask import Flask
from reviews_made import BEGINS, ITEMS, MANAGER, PROCUREMENT, cpi, review, schedule
from sqlalchemy import select

from portal.checks import everything_off
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, PortalError, RuleBroken
from portal.rates.models import Edition
from portal.rates.price_lists.queries import items_of
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.reviews import queries, review_rules, services
from portal.rates.reviews.models import PriceReview
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.schedule_file import ItemRow
from portal.rates.states import ReviewState

ALL = RuleWanted(change_bp=500)
SURVEYOR = "surveyor@authority-a.example"
CHANGED = "The proposal has changed since you looked; look at it again."


def stands(number: int) -> PriceReview:
    look_again()
    db.session.expire_all()
    return db.session.get_one(PriceReview, number)


def does(service: Callable[..., Any], number: int, *given: object, by: str, **more: object) -> Any:
    """One step in a transaction of its own."""
    with transaction():
        return service(number, *given, by=by, now=NOW, **more)


def refusal(kind: type[PortalError], service: Callable[..., object], number: int, *given: object, **more: str) -> str:
    with pytest.raises(kind) as refused:
        does(service, number, *given, **more)  # type: ignore[arg-type]
    return str(refused.value)


# What was seen --------------------------------------------------------------------------------------------------------


def take_back(number: int) -> None:
    does(services.return_to_draft, number, by=PROCUREMENT)


CHANGES: dict[str, Callable[[int], object]] = {
    "a rule": lambda number: does(
        review_rules.set_rule, number, RuleWanted(change_bp=90_000), by=PROCUREMENT, replace=True
    ),
    "a cap": lambda number: does(
        review_rules.set_rule, number, RuleWanted(change_bp=500, cap_bp=400), by=PROCUREMENT, replace=True
    ),
    "one rule more": lambda number: does(
        review_rules.set_rule, number, RuleWanted(code="LIFT01", new_rate_pence=1), by=PROCUREMENT
    ),
    "the name": lambda number: does(
        services.change_review, number, services.ReviewWanted("Other", BEGINS), by=PROCUREMENT
    ),
    "the day": lambda number: does(
        services.change_review, number, services.ReviewWanted("2026b", BEGINS.replace(day=2)), by=PROCUREMENT
    ),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_proposal_that_changed_since_it_was_shown_is_not_approved(app: Flask, change: str) -> None:
    number = review(schedule(), ALL, proposed=True).id
    seen = queries.shown(stands(number))

    take_back(number)
    CHANGES[change](number)
    does(services.propose_review, number, by=PROCUREMENT)

    assert refusal(Clash, services.approve_review, number, by=MANAGER, against=seen) == CHANGED
    assert stands(number).status is ReviewState.PROPOSED
    does(services.approve_review, number, by=MANAGER, against=queries.shown(stands(number)))


def test_a_draft_that_changed_since_it_was_shown_is_not_proposed(app: Flask) -> None:
    number = review(schedule(), ALL).id
    seen = queries.shown(stands(number))

    CHANGES["a rule"](number)

    assert refusal(Clash, services.propose_review, number, by=PROCUREMENT, against=seen) == CHANGED
    assert stands(number).status is ReviewState.DRAFT


def test_the_same_proposal_again_or_with_another_note_is_what_was_shown(app: Flask) -> None:
    number = review(schedule(), ALL, proposed=True).id
    seen = queries.shown(stands(number))

    take_back(number)
    does(services.change_review, number, services.ReviewWanted("2026b", BEGINS, "Steel"), by=PROCUREMENT)
    does(review_rules.set_rule, number, ALL, by=PROCUREMENT, replace=True)
    does(services.propose_review, number, by=PROCUREMENT)
    does(services.approve_review, number, by=MANAGER, against=seen)

    assert stands(number).status is ReviewState.APPROVED


def test_what_is_written_while_somebody_changes_the_proposal_is_what_was_seen_or_nothing(app: Flask) -> None:
    base = schedule()
    number, code = review(base, ALL, proposed=True).id, base.schedule.code
    seen = queries.shown(stands(number))
    gate, results = threading.Barrier(2), []

    def approve() -> None:
        does(services.approve_review, number, by=MANAGER, against=seen)
        results.append("approved")

    def change() -> None:
        take_back(number)
        CHANGES["a rule"](number)
        does(services.propose_review, number, by=PROCUREMENT)
        results.append("changed")

    def run(work: Callable[[], None]) -> None:
        with app.app_context():
            gate.wait(timeout=20)
            try:
                work()
            except PortalError as refused:
                results.append(type(refused).__name__)

    threads = [threading.Thread(target=run, args=(work,)) for work in (approve, change)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    look_again()
    db.session.expire_all()

    assert len(results) == 2
    written = db.session.scalar(select(Edition).where(Edition.name == "2026b", Edition.schedule.has(code=code)))
    assert (written is not None) == ("approved" in results)
    assert ("approved" in results) != ("changed" in results)
    if written is not None:
        assert [row.rate_pence for row in items_of(written.id)] == [219_870, 4_463, 47_250, 9_000, 63_000]
    assert list(everything_off()) == []


def test_an_approval_that_waits_for_a_change_sees_the_change(app: Flask) -> None:
    number = review(schedule(), ALL, proposed=True).id
    seen = queries.shown(stands(number))
    look_again()
    holds, waits, results = threading.Event(), threading.Event(), []

    def change() -> None:
        with app.app_context(), transaction():
            services.return_to_draft(number, by=PROCUREMENT, now=NOW)
            holds.set()
            waits.wait(timeout=20)
            review_rules.set_rule(number, RuleWanted(change_bp=90_000), by=PROCUREMENT, now=NOW, replace=True)
            services.propose_review(number, by=PROCUREMENT, now=NOW)

    def approve() -> None:
        with app.app_context():
            holds.wait(timeout=20)
            waits.set()
            results.append(refusal(Clash, services.approve_review, number, by=MANAGER, against=seen))

    threads = [threading.Thread(target=work) for work in (change, approve)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert results == [CHANGED]
    assert stands(number).status is ReviewState.PROPOSED


# Hands ----------------------------------------------------------------------------------------------------------------


def test_nobody_approves_a_rule_that_they_set_though_another_proposed_it(app: Flask) -> None:
    number = review(schedule(), ALL).id
    does(review_rules.set_rule, number, RuleWanted(code="LIFT01", change_bp=50_000), by=MANAGER)
    does(services.propose_review, number, by=PROCUREMENT)

    said = refusal(RuleBroken, services.approve_review, number, by=MANAGER)

    assert "set, changed or removed" in said
    assert "somebody else" in said
    does(services.approve_review, number, by=SURVEYOR)
    assert stands(number).decided_by == SURVEYOR


@pytest.mark.parametrize(
    "hand",
    [
        pytest.param(
            lambda number: does(review_rules.remove_rule, number, stands(number).rules[1].id, by=MANAGER),
            id="removed a rule",
        ),
        pytest.param(
            lambda number: does(
                review_rules.set_rule, number, RuleWanted(change_bp=700), by=MANAGER, rule_id=stands(number).rules[0].id
            ),
            id="changed a rule",
        ),
        pytest.param(
            lambda number: does(
                services.change_review, number, services.ReviewWanted("2026c", BEGINS), by=MANAGER
            ),
            id="changed the name",
        ),
    ],
)
def test_whoever_had_a_hand_in_it_does_not_approve_even_after_others_had_theirs(
    app: Flask, hand: Callable[[int], object]
) -> None:
    number = review(schedule(), ALL, RuleWanted(trade="Rails", change_bp=100)).id
    hand(number)
    does(review_rules.set_rule, number, RuleWanted(change_bp=300), by=SURVEYOR, replace=True)
    does(services.change_review, number, services.ReviewWanted("2026d", BEGINS), by=SURVEYOR)
    does(services.propose_review, number, by=PROCUREMENT)

    for by in (MANAGER, SURVEYOR):
        assert "set, changed or removed" in refusal(RuleBroken, services.approve_review, number, by=by)
    assert stands(number).status is ReviewState.PROPOSED


def test_whoever_started_it_does_not_approve_though_another_proposed_it(app: Flask) -> None:
    number = review(schedule(), ALL).id
    does(services.propose_review, number, by=MANAGER)

    assert "started" in refusal(RuleBroken, services.approve_review, number, by=PROCUREMENT)


# What is written ------------------------------------------------------------------------------------------------------


def test_the_new_edition_keeps_the_order_of_the_list(app: Flask) -> None:
    number = review(schedule(), ALL, proposed=True).id

    edition = does(services.approve_review, number, by=MANAGER)

    assert [row.code for row in items_of(edition.id)] == [row.code for row in ITEMS]
    assert [change.item.code for change in queries.preview_of(stands(number)).changes] == [row.code for row in ITEMS]


def item(code: str, rate_pence: int) -> ItemRow:
    return ItemRow(code, f"Item {code}", "", "Lifts", "nr", rate_pence, None, composite=False)


def test_no_rate_is_reviewed_beyond_the_largest_that_an_item_can_have(app: Flask) -> None:
    most = MOST_RATE_PENCE
    number = review(schedule(item("DEAR", most // 2 + 1), item("FAIR", most // 2)), RuleWanted(change_bp=10_000)).id

    said = refusal(RuleBroken, services.propose_review, number, by=PROCUREMENT)
    does(review_rules.set_rule, number, RuleWanted(code="DEAR", change_bp=0), by=PROCUREMENT)
    does(services.propose_review, number, by=PROCUREMENT)

    assert "DEAR" in said
    assert "FAIR" not in said
    edition = does(services.approve_review, number, by=MANAGER)
    assert [row.rate_pence for row in items_of(edition.id)] == [most // 2 + 1, most]


def test_a_new_rate_beyond_the_largest_is_refused_as_the_rule_is_set(app: Flask) -> None:
    number = review(schedule()).id
    wanted = RuleWanted(code="LIFT01", new_rate_pence=MOST_RATE_PENCE + 1)

    assert "The new rate" in refusal(RuleBroken, review_rules.set_rule, number, wanted, by=PROCUREMENT)


def test_the_name_of_a_file_is_kept_with_the_edition_and_not_in_the_log(app: Flask, tmp_path: Path) -> None:
    base, index = schedule(), cpi(tmp_path)

    events = list(db.session.scalars(select(AuditEvent).where(AuditEvent.action.endswith("imported"))))

    assert (base.source, index.source) == ("rates.csv", "cpi.csv")
    assert len(events) == 2
    assert ".csv" not in str([event.data for event in events])
