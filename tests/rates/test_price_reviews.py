"""Reviews of a schedule: what a draft may be, two people, the edition that comes of it, and who is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import NOW, OFFICER, authority, framework_with_lot, look_again, member, scene
from flask import Flask
from reviews_made import (
    APRIL_25,
    APRIL_26,
    BEGINS,
    ITEMS,
    MANAGER,
    PROCUREMENT,
    by_cpi,
    cpi,
    later_edition,
    review,
    schedule,
)
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.checks import everything_off
from portal.framework.members import services as members
from portal.framework.states import MemberStatus
from portal.kernel.audit import AuditEvent, events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, InputRefused, NotFound, PortalError, RuleBroken, WrongState
from portal.kernel.outbox import Notice
from portal.rates.models import Edition
from portal.rates.price_lists.queries import items_of
from portal.rates.reviews import indices, queries, review_rules, services
from portal.rates.reviews.index_file import MOST_MONTHS, read_index
from portal.rates.reviews.models import PriceIndex, PriceReview, ReviewRule
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.states import REVIEW_MOVES, ReviewState

ALL = RuleWanted(change_bp=500)
STEPS: dict[str, tuple[Callable[[int], object], ReviewState]] = {
    "propose": (lambda number: services.propose_review(number, by=PROCUREMENT, now=NOW), ReviewState.PROPOSED),
    "draft": (lambda number: services.return_to_draft(number, by=PROCUREMENT, now=NOW), ReviewState.DRAFT),
    "approve": (lambda number: services.approve_review(number, by=MANAGER, now=NOW), ReviewState.APPROVED),
    "reject": (
        lambda number: services.reject_review(number, reason="Too much", by=MANAGER, now=NOW),
        ReviewState.REJECTED,
    ),
    "drop": (lambda number: services.drop_review(number, by=PROCUREMENT, now=NOW), ReviewState.DROPPED),
}


def step(name: str, number: int) -> object:
    with transaction():
        return STEPS[name][0](number)


def rates_of(edition: Edition) -> dict[str, int]:
    return {row.code: row.rate_pence for row in items_of(edition.id)}


def stands(number: int) -> PriceReview:
    look_again()
    db.session.expire_all()
    return db.session.get_one(PriceReview, number)


def fault_of(work: Callable[[], object], kind: type[PortalError] = RuleBroken) -> PortalError:
    with pytest.raises(kind) as refused, transaction():
        work()
    return refused.value


# From draft to edition ------------------------------------------------------------------------------------------------


def test_an_approved_review_is_an_edition_with_everything_but_the_rates_as_it_was(app: Flask, tmp_path: Path) -> None:
    cpi(tmp_path)
    base = schedule()
    made = review(
        base,
        by_cpi(cap_bp=300),
        RuleWanted(trade="Rails", change_bp=-200),
        RuleWanted(code="LIFT01", new_rate_pence=220_000),
        proposed=True,
    )

    edition = step("approve", made.id)

    assert isinstance(edition, Edition)
    new, old = list(items_of(edition.id)), list(items_of(base.id))
    assert rates_of(edition) == {"LAS01": 61_800, "LIFT01": 220_000, "OLD01": 9_000, "RAIL01": 4_165, "TRAY01": 46_350}
    assert [row._replace(rate_pence=0) for row in new] == [row._replace(rate_pence=0) for row in old]
    assert {row.code: row for row in new}["LAS01"].parts == ITEMS[4].parts
    assert (edition.name, edition.starts_on, edition.item_count) == ("2026b", BEGINS, 5)
    assert rates_of(base) == {row.code: row.rate_pence for row in ITEMS}
    after = stands(made.id)
    assert (after.status, after.edition_id, after.decided_by) == (ReviewState.APPROVED, edition.id, MANAGER)
    assert list(everything_off()) == []


def test_every_step_leaves_an_audit_event_without_free_text(app: Flask) -> None:
    base = schedule()
    with transaction():
        made = services.start_review(
            base.schedule.code, services.ReviewWanted("2026b", BEGINS, "Because of steel"), by=PROCUREMENT, now=NOW
        )
    with transaction():
        rule = review_rules.set_rule(made.id, ALL, by=PROCUREMENT, now=NOW)
    with transaction():
        review_rules.remove_rule(made.id, rule.id, by=PROCUREMENT, now=NOW)
    with transaction():
        review_rules.set_rule(made.id, ALL, by=PROCUREMENT, now=NOW)
    for name in ("propose", "draft", "propose", "reject"):
        step(name, made.id)

    events = events_on(f"price-review:{made.id}")

    assert [event.action.removeprefix("price review ") for event in events] == [
        "started",
        "rule set",
        "rule removed",
        "rule set",
        "proposed",
        "back to draft",
        "proposed",
        "rejected",
    ]
    assert "steel" not in str([event.data for event in events])
    assert "Too much" not in str([event.data for event in events])


@pytest.mark.parametrize("state", list(ReviewState))
@pytest.mark.parametrize("name", list(STEPS))
def test_every_step_from_every_state_goes_or_is_refused(app: Flask, state: ReviewState, name: str) -> None:
    made = review(schedule(), ALL)
    if state is not ReviewState.DRAFT:
        if state is not ReviewState.DROPPED:
            step("propose", made.id)
        if state is not ReviewState.PROPOSED:
            step({"approved": "approve", "rejected": "reject", "dropped": "drop"}[state.value], made.id)

    target = STEPS[name][1]
    if target in REVIEW_MOVES[state]:
        step(name, made.id)
        assert stands(made.id).status is target
    else:
        fault_of(lambda: STEPS[name][0](made.id), WrongState)
        assert stands(made.id).status is state


def test_whoever_proposed_decides_nothing(app: Flask) -> None:
    made = review(schedule(), ALL, proposed=True)

    approving = fault_of(lambda: services.approve_review(made.id, by=PROCUREMENT, now=NOW))
    rejecting = fault_of(lambda: services.reject_review(made.id, reason="No", by=PROCUREMENT, now=NOW))

    assert "somebody else" in str(approving)
    assert "somebody else" in str(rejecting)
    assert stands(made.id).status is ReviewState.PROPOSED


def test_the_database_holds_two_people_apart(app: Flask) -> None:
    made = review(schedule(), ALL, proposed=True)

    with pytest.raises((Clash, IntegrityError)), transaction():
        db.session.execute(update(PriceReview).where(PriceReview.id == made.id).values(decided_by=PROCUREMENT))


def test_whoever_took_it_back_and_proposes_again_is_the_one_who_may_not_approve(app: Flask) -> None:
    made = review(schedule(), ALL, proposed=True)
    with transaction():
        services.return_to_draft(made.id, by=MANAGER, now=NOW)
    with transaction():
        services.propose_review(made.id, by=MANAGER, now=NOW)

    fault_of(lambda: services.approve_review(made.id, by=MANAGER, now=NOW))
    with transaction():
        services.approve_review(made.id, by=OFFICER, now=NOW)

    assert stands(made.id).status is ReviewState.APPROVED


def test_a_proposed_review_cannot_be_changed(app: Flask) -> None:
    made = review(schedule(), ALL, proposed=True)
    rule = made.rules[0].id

    fault_of(lambda: review_rules.set_rule(made.id, ALL, by=MANAGER, now=NOW, rule_id=rule), WrongState)
    fault_of(lambda: review_rules.remove_rule(made.id, rule, by=MANAGER, now=NOW), WrongState)
    wanted = services.ReviewWanted("Other", BEGINS)
    fault_of(lambda: services.change_review(made.id, wanted, by=MANAGER, now=NOW), WrongState)


@pytest.mark.parametrize("rules", [(), (RuleWanted(change_bp=0),)])
def test_a_review_that_changes_nothing_is_not_proposed(app: Flask, rules: tuple[RuleWanted, ...]) -> None:
    made = review(schedule(), *rules)

    assert "No rate would change" in str(fault_of(lambda: STEPS["propose"][0](made.id)))


# What it rests on -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "term", "words"),
    [
        (services.ReviewWanted("2026", BEGINS), "edition_name", "called 2026 already"),
        (services.ReviewWanted(" ", BEGINS), "edition_name", "1 to 200"),
        (services.ReviewWanted("x" * 201, BEGINS), "edition_name", "1 to 200"),
        (services.ReviewWanted("2026b", APRIL_26), "starts_on", "has passed"),
        (services.ReviewWanted("2026b", NOW.date() - timedelta(days=1)), "starts_on", "has passed"),
        (services.ReviewWanted("2026b", BEGINS, "x" * 1001), "note", "at most 1,000"),
    ],
)
def test_a_review_with_an_impossible_name_or_day_is_refused(
    app: Flask, wanted: services.ReviewWanted, term: str, words: str
) -> None:
    base = schedule()

    refused = fault_of(
        lambda: services.start_review(base.schedule.code, wanted, by=PROCUREMENT, now=NOW), PortalError
    )

    assert words in str(refused)
    assert getattr(refused, "term", None) == term
    assert db.session.scalars(select(PriceReview)).all() == []


def test_a_review_before_the_first_edition_has_no_rates_to_review(app: Flask) -> None:
    base = schedule()
    with transaction():
        db.session.execute(update(Edition).where(Edition.id == base.id).values(starts_on=date(2026, 9, 1)))

    refused = fault_of(
        lambda: services.start_review(
            base.schedule.code, services.ReviewWanted("2026b", BEGINS), by=PROCUREMENT, now=NOW
        )
    )

    assert "no rates to review" in str(refused)


def test_today_is_no_past_day(app: Flask) -> None:
    made = review(schedule(), ALL, starts_on=NOW.date(), proposed=True)

    step("approve", made.id)

    assert stands(made.id).status is ReviewState.APPROVED


def test_a_second_review_of_a_schedule_waits_for_the_first(app: Flask) -> None:
    base, other = schedule(), schedule()
    made = review(base, ALL)
    review(other, ALL)
    wanted = services.ReviewWanted("2027", BEGINS)

    refused = fault_of(
        lambda: services.start_review(base.schedule.code, wanted, by=PROCUREMENT, now=NOW), Clash
    )
    step("drop", made.id)

    assert "under way" in str(refused)
    assert review(base, ALL).status is ReviewState.DRAFT
    fault_of(lambda: services.start_review("NONE", wanted, by=PROCUREMENT, now=NOW), NotFound)


def test_a_review_rests_on_the_latest_edition_before_its_day(app: Flask) -> None:
    base = schedule()
    between = later_edition(base, date(2026, 6, 1))
    later_edition(base, date(2026, 8, 1), "After")

    made = review(base, ALL)

    assert made.base_id == between.id


def test_an_edition_that_came_between_stops_the_approval_until_the_review_rests_on_it(app: Flask) -> None:
    base = schedule()
    made = review(base, ALL, proposed=True)
    between = later_edition(base, date(2026, 6, 1))

    refused = fault_of(lambda: services.approve_review(made.id, by=MANAGER, now=NOW))
    step("draft", made.id)
    with transaction():
        services.change_review(made.id, services.ReviewWanted("2026b", BEGINS), by=PROCUREMENT, now=NOW)
    step("propose", made.id)
    edition = step("approve", made.id)

    assert "Between" in str(refused)
    assert stands(made.id).base_id == between.id
    assert isinstance(edition, Edition)
    assert rates_of(edition) == {"LIFT01": 1_050}


def test_a_name_or_a_day_taken_meanwhile_stops_the_approval(app: Flask) -> None:
    base, other = schedule(), schedule()
    named, dated = review(base, ALL, proposed=True), review(other, ALL, proposed=True)
    later_edition(base, date(2027, 4, 1), "2026b")
    later_edition(other, BEGINS)

    fault_of(lambda: services.approve_review(named.id, by=MANAGER, now=NOW), Clash)
    fault_of(lambda: services.approve_review(dated.id, by=MANAGER, now=NOW), Clash)

    assert stands(named.id).status is ReviewState.PROPOSED


def test_a_day_that_has_passed_stops_the_approval(app: Flask) -> None:
    made = review(schedule(), ALL, proposed=True)
    late = NOW + timedelta(days=90)

    refused = fault_of(lambda: services.approve_review(made.id, by=MANAGER, now=late))

    assert "has passed" in str(refused)


# Rules ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "term"),
    [
        (RuleWanted(code="NONE", change_bp=1), "code"),
        (RuleWanted(code="OLD01", change_bp=1), "code"),
        (RuleWanted(trade="Roofs", change_bp=1), "trade"),
        (RuleWanted(trade="Lifts", code="LIFT01", change_bp=1), "applies_to"),
        (RuleWanted(new_rate_pence=100), "code"),
        (RuleWanted(), "way"),
        (RuleWanted(change_bp=1, index_code="CPI"), "way"),
        (RuleWanted(change_bp=-10_000), "change_bp"),
        (RuleWanted(change_bp=100_001), "change_bp"),
        (RuleWanted(change_bp=1, floor_bp=200, cap_bp=100), "cap_bp"),
        (RuleWanted(change_bp=1, floor_bp=-10_000), "floor_bp"),
        (RuleWanted(code="LIFT01", new_rate_pence=-1), "new_rate_pence"),
        (RuleWanted(index_code="RPI", from_month=APRIL_25, to_month=APRIL_26), "index_code"),
        (RuleWanted(index_code="CPI", to_month=APRIL_26), "from_month"),
        (RuleWanted(index_code="CPI", from_month=APRIL_26, to_month=APRIL_25), "to_month"),
        (RuleWanted(index_code="CPI", from_month=date(2020, 4, 1), to_month=APRIL_26), "from_month"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_field_it_is_about(
    app: Flask, tmp_path: Path, wanted: RuleWanted, term: str
) -> None:
    cpi(tmp_path)
    made = review(schedule())

    refused = fault_of(lambda: review_rules.set_rule(made.id, wanted, by=PROCUREMENT, now=NOW))

    assert getattr(refused, "term", None) == term
    assert db.session.scalars(select(ReviewRule)).all() == []


def test_there_is_one_rule_for_each_scope_unless_it_is_replaced(app: Flask) -> None:
    made = review(schedule(), ALL, RuleWanted(trade="Rails", change_bp=100))

    fault_of(lambda: review_rules.set_rule(made.id, ALL, by=PROCUREMENT, now=NOW), Clash)
    rails = next(rule.id for rule in stands(made.id).rules if rule.trade)
    fault_of(lambda: review_rules.set_rule(made.id, ALL, by=PROCUREMENT, now=NOW, rule_id=rails), Clash)
    with transaction():
        review_rules.set_rule(made.id, RuleWanted(change_bp=700), by=PROCUREMENT, now=NOW, replace=True)

    assert [(rule.trade, rule.change_bp) for rule in stands(made.id).rules] == [("", 700), ("Rails", 100)]


def test_a_rule_changes_its_way_and_scope_in_place(app: Flask, tmp_path: Path) -> None:
    cpi(tmp_path)
    made = review(schedule(), by_cpi(cap_bp=300))
    wanted = RuleWanted(code="LIFT01", new_rate_pence=1_000)

    with transaction():
        review_rules.set_rule(made.id, wanted, by=PROCUREMENT, now=NOW, rule_id=made.rules[0].id)

    (rule,) = stands(made.id).rules
    assert (rule.code, rule.new_rate_pence, rule.index_id, rule.values, rule.cap_bp) == (
        "LIFT01",
        1_000,
        None,
        None,
        None,
    )


def test_a_review_keeps_the_index_values_it_used(app: Flask, tmp_path: Path) -> None:
    cpi(tmp_path)
    made = review(schedule(), by_cpi())

    cpi(tmp_path, "month,value\n2026-04,200\n2026-05,201\n")

    assert "135.9" in queries.preview_of(stands(made.id)).changes[0].reason
    assert [value for _, value in queries.months_of(queries.index_by_code("cpi"))][:2] == [201, 200]


# Who is told ----------------------------------------------------------------------------------------------------------


def test_members_active_on_the_day_are_told_once_each_and_without_rates(app: Flask) -> None:
    where = authority()
    lots = [framework_with_lot(where), framework_with_lot(where)]
    both = member(lots[0], areas=[where])
    gone = member(lots[1], areas=[where])
    back = member(lots[1], areas=[where])
    out = member(lots[1], areas=[where])
    base = schedule()
    look_again()
    with transaction():
        for each, status, until in (
            (gone, MemberStatus.RELEASED, None),
            (back, MemberStatus.SUSPENDED, date(2026, 6, 1)),
            (out, MemberStatus.SUSPENDED, date(2026, 12, 1)),
        ):
            members.add_event(each, status, reason="Asked", by=OFFICER, now=NOW, until_on=until)
    made = review(base, ALL, proposed=True)

    step("approve", made.id)

    told = {notice.recipient: notice for notice in db.session.scalars(select(Notice)) if "New rates" in notice.subject}
    assert sorted(told) == sorted([both.contractor.email, back.contractor.email])
    notice = told[both.contractor.email]
    assert "1 July 2026" in notice.subject
    assert "2026b" in notice.body
    assert "/firm/rates" in notice.body
    assert not any(rate in notice.body for rate in ("£", "2,198", "5 %"))


def test_orders_and_jobs_keep_their_rates(app: Flask) -> None:
    there = scene(members=1)
    order, waiting = there.accepted(), there.job()
    base = db.session.get_one(Edition, there.edition.id)
    made = review(base, ALL, proposed=True)
    before = order.price_pence, waiting.value_pence

    step("approve", made.id)
    look_again()
    db.session.expire_all()

    assert (order.price_pence, waiting.value_pence) == before
    assert waiting.edition_id == base.id
    assert list(everything_off()) == []


# At the same moment ---------------------------------------------------------------------------------------------------


def test_two_approvals_at_once_are_one_edition(app: Flask) -> None:
    base = schedule()
    made = review(base, ALL, proposed=True)
    number, code = made.id, base.schedule.code
    people = ["one@authority-a.example", "two@authority-a.example", "three@authority-a.example"]
    gate, results = threading.Barrier(len(people)), []

    def approve(by: str) -> None:
        with app.app_context():
            gate.wait(timeout=20)
            try:
                with transaction():
                    results.append(services.approve_review(number, by=by, now=NOW).name)
            except (WrongState, Clash) as refused:
                results.append(type(refused).__name__)

    threads = [threading.Thread(target=approve, args=(by,)) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    look_again()
    db.session.expire_all()

    assert results.count("2026b") == 1
    assert len(results) == len(people)
    names = db.session.scalars(select(Edition.name).join(Edition.schedule).where(Edition.schedule.has(code=code)))
    assert sorted(names) == ["2026", "2026b"]
    assert len([event for event in db.session.scalars(select(AuditEvent)) if "approved" in event.action]) == 1
    assert list(everything_off()) == []


# Indices --------------------------------------------------------------------------------------------------------------


def read(folder: Path, text: str) -> dict[date, object]:
    path = folder / "index.csv"
    path.write_text(text, encoding="utf-8")
    return dict(read_index(path, NOW.date()).months)


def test_later_files_add_months_and_correct_values(app: Flask, tmp_path: Path) -> None:
    cpi(tmp_path, "month,value\n2025-04,131.2\n2026-04,135.9\n")

    path = tmp_path / "more.csv"
    path.write_text("month,value\n2026-03,135.125\n2026-04,136\n2025-04,131.200\n", encoding="utf-8")
    with transaction():
        change = indices.import_index(read_index(path, NOW.date()), code="cpi", by=PROCUREMENT, now=NOW)

    assert (change.added, change.corrected, change.same) == (1, 1, 1)
    assert [(f"{month:%Y-%m}", str(value)) for month, value in queries.months_of(change.index)] == [
        ("2026-04", "136"),
        ("2026-03", "135.125"),
        ("2025-04", "131.2"),
    ]
    event = events_on("price-index:CPI")[-1]
    assert (event.data["added"], event.data["corrected"]) == (1, 1)
    assert db.session.scalars(select(PriceIndex.name)).all() == ["Consumer prices"]


@pytest.mark.parametrize(("code", "name", "term"), [("", "N", "code"), ("a/b", "N", "code"), ("CPI", " ", "name")])
def test_an_index_needs_a_code_and_a_name(app: Flask, tmp_path: Path, code: str, name: str, term: str) -> None:
    path = tmp_path / "index.csv"
    path.write_text("month,value\n2026-04,136\n", encoding="utf-8")
    file = read_index(path, NOW.date())

    refused = fault_of(lambda: indices.import_index(file, code=code, name=name, by=PROCUREMENT, now=NOW))

    assert getattr(refused, "term", None) == term


@pytest.mark.parametrize(
    ("rows", "row", "words"),
    [
        ("2026-03,135\n2026-03,136", 3, "row 2"),
        ("2026-03,0", 2, "above 0"),
        ("2026-03,-1.5", 2, ""),
        ("2026-03,TBC", 2, ""),
        ("2026-03,131.2345", 2, "at most 3"),
        ("2026-06,136", 2, "has not begun"),
        ("spring,136", 2, ""),
        (",136", 2, "month"),
        ("2026-03,", 2, "value"),
        ("2026-03,99999999", 2, ""),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_the_remedy(tmp_path: Path, rows: str, row: int, words: str) -> None:
    with pytest.raises(InputRefused) as refused:
        read(tmp_path, f"month,value\n{rows}\n")

    (problem, *_) = refused.value.problems
    assert problem.row == row, problem
    assert words in problem.message
    assert len(problem.message.split()) > 4


def test_a_month_twice_with_the_same_value_counts_once(tmp_path: Path) -> None:
    assert len(read(tmp_path, "month,value\n2026-03,135\n2026-03,135.0\n")) == 1


def test_three_decimals_everywhere_are_no_thousands(tmp_path: Path) -> None:
    assert [str(value) for value in read(tmp_path, "month,value\n2026-03,135.125\n2026-04,136.250\n").values()] == [
        "135.125",
        "136.25",
    ]
    with pytest.raises(InputRefused, match="problem"):
        read(tmp_path, 'month,value\n2026-03,"135,125"\n2026-04,"136,250"\n')


def test_this_month_is_no_future_month(tmp_path: Path) -> None:
    assert read(tmp_path, "month,value\n2026-05,135\n")


def test_ten_thousand_rows_are_no_index_of_months(tmp_path: Path) -> None:
    rows = "\n".join(f"{1900 + number % 120}-{number % 12 + 1:02},{100 + number}" for number in range(10_000))

    with pytest.raises(InputRefused) as refused:
        read(tmp_path, f"month,value\n{rows}\n")

    assert len(refused.value.problems) == 1
    assert f"{MOST_MONTHS:,}" in str(refused.value.problems[0])


def test_a_change_of_name_only_keeps_the_review(app: Flask) -> None:
    made = review(schedule(), ALL)
    wanted = replace(services.ReviewWanted("2026b", BEGINS), edition_name="Summer", note="For the summer")

    with transaction():
        services.change_review(made.id, wanted, by=PROCUREMENT, now=NOW)

    after = stands(made.id)
    assert (after.edition_name, after.note, len(after.rules)) == ("Summer", "For the summer", 1)
