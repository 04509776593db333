"""``portal rates index`` and ``portal rates reviews``: a review on the command line, and two people on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import NOW
from click.testing import Result
from fixture_types import Clock
from reviews_made import BEGINS, MANAGER, review, schedule
from sqlalchemy import select

from portal.cli.frame import actor
from portal.kernel.db import db, transaction
from portal.rates.models import Edition
from portal.rates.reviews import review_rules, services
from portal.rates.reviews.models import PriceReview
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.states import ReviewState

Portal = Callable[..., Result]
ALL = RuleWanted(change_bp=500)


def document(result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(result.stdout)
    return found


def state() -> ReviewState:
    db.session.expire_all()
    return db.session.scalars(select(PriceReview.status)).one()


@pytest.fixture
def index(portal: Portal, fixed_clock: Clock, tmp_path: Path) -> Path:
    path = tmp_path / "cpi.csv"
    path.write_text("month,value\n2025-04,131.2\n2026-04,135.9\n", encoding="utf-8")
    portal("rates", "index", "import", path, "--code", "cpi", "--name", "Consumer prices")
    return path


def test_an_index_comes_in_and_is_shown(portal: Portal, index: Path) -> None:
    again = document(portal("rates", "index", "import", index, "--code", "CPI", "--json"))
    shown = document(portal("rates", "index", "show", "CPI", "--json"))

    assert (again["added"], again["corrected"], again["same"]) == (0, 0, 2)
    assert shown["months"] == [{"month": "2026-04", "value": "135.9"}, {"month": "2025-04", "value": "131.2"}]
    assert json.loads(portal("rates", "index", "show", "--json").stdout)[0]["last"] == "2026-04"
    assert "2 months to April 2026" in portal("rates", "index", "show").stdout
    assert "2026-04\t135.9" in portal("rates", "index", "show", "cpi").stdout
    assert "no price index" in portal("rates", "index", "show", "RPI", code=1).stderr


def test_a_bad_index_is_refused_whole(portal: Portal, index: Path) -> None:
    index.write_text("month,value\n2026-03,135\n2026-04,-1\n", encoding="utf-8")

    refused = portal("rates", "index", "import", index, "--code", "CPI", code=1)

    assert "row 3" in refused.stderr
    assert len(document(portal("rates", "index", "show", "CPI", "--json"))["months"]) == 2  # type: ignore[arg-type]


def test_a_review_goes_from_start_to_proposal(portal: Portal, index: Path) -> None:
    code = schedule().schedule.code

    started = document(
        portal("rates", "reviews", "start", "--schedule", code, "--edition", "2026b", "--from", BEGINS, "--json")
    )
    number = started["id"]
    portal("rates", "reviews", "rule", number, "--change", "9")
    months = ("--from-month", "2025-04", "--to-month", "2026-04")
    portal("rates", "reviews", "rule", number, "--index", "CPI", *months, "--cap", "3", "--floor", "0")
    portal("rates", "reviews", "rule", number, "--item", "LIFT01", "--rate", "2200.50")
    portal("rates", "reviews", "rule", number, "--trade", "Rails", "--change", "-2")
    portal("rates", "reviews", "rule", number, "--trade", "Rails", "--remove")
    portal("rates", "reviews", "change", number, "--note", "Yearly review")
    shown = document(portal("rates", "reviews", "show", number, "--items", "--effect", "--json"))
    proposed = document(portal("rates", "reviews", "propose", number, "--json"))

    assert [(rule["item"], rule["floor_percent"], rule["cap_percent"]) for rule in shown["rules"]] == [  # type: ignore[attr-defined]
        (None, "0", "3"),
        ("LIFT01", None, None),
    ]
    assert shown["counts"] == {"up": 4, "down": 0, "unchanged": 1}
    assert shown["items"][0] == {  # type: ignore[index]
        "code": "LIFT01",
        "old_rate": "2094.00",
        "new_rate": "2200.50",
        "change": "+5.09 %",
        "reason": "A new rate of £2,200.50: +5.09 %",
    }
    assert shown["effect"]["total"]["at_base"] == "0.00"  # type: ignore[index]
    assert (proposed["status"], proposed["proposed_by"]) == ("proposed", actor())
    text = portal("rates", "reviews", "show", number, "--items", "--effect").stdout
    assert "capped at 3 %" in text
    assert "floor 0 %, cap 3 %" in text
    assert json.loads(portal("rates", "reviews", "list", "--json").stdout)[0]["edition"] == "2026b"
    assert "2026b" in portal("rates", "reviews", "list").stdout


def test_whoever_proposed_on_the_command_line_does_not_approve_there_whatever_the_environment_says(
    portal: Portal, fixed_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = review(schedule(), ALL).id
    portal("rates", "reviews", "propose", number)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")

    approving = portal("rates", "reviews", "approve", number, code=1)
    rejecting = portal("rates", "reviews", "reject", number, "--reason", "No", code=1)

    assert "somebody else" in approving.stderr
    assert "somebody else" in rejecting.stderr
    assert state() is ReviewState.PROPOSED


def test_the_command_line_approves_what_somebody_else_proposed(portal: Portal, fixed_clock: Clock) -> None:
    base = schedule()
    number = review(base, ALL, proposed=True).id

    approved = document(portal("rates", "reviews", "approve", number, "--json"))
    again = portal("rates", "reviews", "approve", number, code=1)

    assert (approved["status"], approved["decided_by"]) == ("approved", actor())
    assert "approved" in again.stderr
    assert sorted(db.session.scalars(select(Edition.name))) == ["2026", "2026b"]


def test_the_command_line_proposes_and_approves_no_other_than_was_shown(portal: Portal, fixed_clock: Clock) -> None:
    number = review(schedule(), ALL).id
    draft = document(portal("rates", "reviews", "show", number, "--json"))["against"]
    assert f"--against {draft}" in portal("rates", "reviews", "show", number).stdout
    with transaction():
        review_rules.set_rule(number, RuleWanted(change_bp=900), by=MANAGER, now=NOW, replace=True)

    proposing = portal("rates", "reviews", "propose", number, "--against", draft, code=1)
    with transaction():
        services.propose_review(number, by=MANAGER, now=NOW)
    approving = portal("rates", "reviews", "approve", number, "--against", draft, code=1)
    seen = document(portal("rates", "reviews", "show", number, "--json"))["against"]
    approved = document(portal("rates", "reviews", "approve", number, "--against", seen, "--json"))

    assert "look at it again" in proposing.stderr
    assert "look at it again" in approving.stderr
    assert approved["status"] == "approved"


def test_a_review_goes_back_is_rejected_or_dropped(portal: Portal, fixed_clock: Clock) -> None:
    base = schedule()
    first = review(base, ALL, proposed=True).id

    portal("rates", "reviews", "draft", first)
    assert state() is ReviewState.DRAFT
    with transaction():
        services.propose_review(first, by=MANAGER, now=NOW)
    portal("rates", "reviews", "reject", first, "--reason", "Too much")
    assert state() is ReviewState.REJECTED
    second = review(base, ALL).id
    assert "dropped" in portal("rates", "reviews", "drop", second).stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("show", "9999"), 1, "no such price review"),
        (("start", "--schedule", "NONE", "--edition", "x", "--from", "2026-07-01"), 1, "no schedule NONE"),
        (("start", "--schedule", "NONE", "--edition", "x", "--from", "1/7/26"), 2, "not a date"),
        (("rule", "1", "--change", "1.234"), 2, "not a percentage"),
        (("rule", "1", "--index", "CPI", "--from-month", "April"), 2, "not a month"),
        (("rule", "9999", "--change", "1"), 1, "no such price review"),
        (("rule", "9999", "--remove"), 1, "no such rule"),
    ],
)
def test_what_cannot_be_is_refused(
    portal: Portal, fixed_clock: Clock, words: tuple[str, ...], code: int, says: str
) -> None:
    assert says in portal("rates", "reviews", *words, code=code).stderr
