"""Pages about price reviews: indices, reviews with their rules and effects, and contractors' requests."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from builders import Scene, look_again, person, scene
from files_made import pdf_bytes
from fixture_types import AT_MOST
from flask import Flask
from reviews_made import BEGINS, ITEMS, by_cpi, cpi, request, review, schedule
from sqlalchemy import select
from strict_client import Page, StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.kernel.db import db
from portal.kernel.outbox import Notice
from portal.rates.models import Edition
from portal.rates.reviews import index_views
from portal.rates.reviews.models import PriceRequest, PriceReview, ReviewRule
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.states import RequestStatus, ReviewState

SignIn = Callable[[Person], StrictClient]
DAY = {"Day": str(BEGINS.day), "Month": str(BEGINS.month), "Year": str(BEGINS.year)}
LIMIT = 12


@pytest.fixture
def base(app: Flask, fixed_clock: object) -> Edition:
    return schedule()


@pytest.fixture
def desk(sign_in: SignIn, base: Edition) -> StrictClient:
    """Procurement at its desk."""
    return sign_in(person(Role.PROCUREMENT))


def only(model: type) -> object:
    look_again()
    db.session.expire_all()
    return db.session.scalars(select(model)).one()


def upload(desk: StrictClient, text: str, status: int = 302, name: str = "cpi.csv", **fields: str) -> Page:
    page = desk.get("/rates/indices")
    token = page.soup.select_one("main form input[name=csrf_token]")
    assert token is not None
    sent = {"csrf_token": token["value"], "code": "CPI", "name": "Consumer prices", **fields}
    return desk.post("/rates/indices", {**sent, "file": (BytesIO(text.encode()), name)}, status)


# Indices --------------------------------------------------------------------------------------------------------------


def test_an_index_comes_in_is_shown_newest_first_and_goes_out_again(desk: StrictClient) -> None:
    assert "No index is here yet" in desk.get("/rates/indices").text

    page = desk.follow(upload(desk, "month,value\n2025-04,131.2\n2026-04,135.9\n"))
    csv = desk.client.get("/rates/indices/CPI/months.csv")

    assert page.rows() == [["April 2026", "135.9"], ["April 2025", "131.2"]]
    assert "2 new, 0 corrected, 0 as they were" in page.text
    assert csv.get_data().decode("utf-8-sig").splitlines() == ["month,value", "2026-04,135.9", "2025-04,131.2"]
    assert "attachment" in csv.headers["Content-Disposition"]
    assert desk.get("/rates/indices").rows()[0][:3] == ["CPI", "Consumer prices", "2"]


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("month,value\n2026-04,-1\n", "cpi.csv", "row 2"),
        ("month,value\n2031-04,1\n", "cpi.csv", "has not begun"),
        ("nothing\n", "cpi.csv", "month"),
        ("", "cpi.csv", "empty"),
        ("month,value\n2026-04,1\n", "cpi.pdf", "CSV, XLSX or XLS"),
        ("x" * 1_100, "cpi.csv", "too large"),
    ],
)
def test_a_bad_index_is_refused_at_its_field(
    desk: StrictClient, monkeypatch: pytest.MonkeyPatch, text: str, name: str, says: str
) -> None:
    monkeypatch.setattr(index_views, "LARGEST", 1_000)

    page = upload(desk, text, 422, name)

    assert says in page.text
    assert desk.get("/rates/indices/CPI", 404)


def test_many_problems_of_a_file_are_named_up_to_ten(desk: StrictClient) -> None:
    rows = "".join(f"{1990 + number}-01,-1\n" for number in range(30))

    page = upload(desk, f"month,value\n{rows}", 422)

    assert "And 20 more" in page.text


# A review -------------------------------------------------------------------------------------------------------------


def start(desk: StrictClient) -> Page:
    form = desk.get("/rates/reviews").click("Start a review")
    return desk.follow(form.submit("Start the review", {"Name of the new edition": "2026b", **DAY}))


def test_a_review_goes_from_its_start_to_the_new_edition(
    desk: StrictClient, base: Edition, sign_in: SignIn, tmp_path: Path
) -> None:
    cpi(tmp_path)
    page = start(desk)
    assert "There is no rule yet" in page.text

    rule = page.click("Add a rule").submit(
        "Save the rule",
        {
            "All items": True,
            "By an index between two months": True,
            "Index": "CPI, Consumer prices",
            "From the month": "April 2025",
            "To the month": "04/2026",
            "Cap in per cent (optional)": "3",
        },
    )
    page = desk.follow(rule)
    items = page.click("Every item with its old and new rate")
    proposed = desk.follow(page.submit("Propose the review"))

    assert "4 rates up, 0 down, 1 unchanged" in page.text
    assert items.rows()[0][3:] == [
        "£2,094.00",
        "£2,156.82",
        "£62.82 (+3 %)",
        "CPI 131.2 (April 2025) to 135.9 (April 2026): +3.58 %, capped at 3 %",
    ]
    assert "You proposed this review" in proposed.text
    assert "Approve the new rates" not in proposed.text
    number = only(PriceReview).id  # type: ignore[attr-defined]
    manager = sign_in(person(Role.FRAMEWORK_MANAGER))
    approved = manager.follow(manager.get(f"/rates/reviews/{number}").submit("Approve the new rates"))
    assert "in force from 1 July 2026" in approved.text
    assert "£2,156.82" in approved.click("See the edition 2026b").text
    assert "£2,094.00" in approved.click("2026").text


def test_the_one_who_proposed_is_refused_whatever_is_sent(desk: StrictClient, base: Edition) -> None:
    page = start(desk)
    page = page.click("Add a rule").submit(
        "Save the rule",
        {"One item": True, "Code of the item": "RAIL01", "To a new rate, for one item": True, "New rate": "45"},
    )
    page = desk.follow(desk.follow(page).submit("Propose the review"))
    token = page.soup.select_one("main form input[name=csrf_token]")
    assert token is not None

    desk.post(f"{page.path}/approve", {"csrf_token": token["value"]}, 422)
    desk.post(f"{page.path}/reject", {"csrf_token": token["value"], "reason": "No"}, 422)

    assert only(PriceReview).status is ReviewState.PROPOSED  # type: ignore[attr-defined]


def test_a_page_that_shows_an_older_proposal_approves_nothing(
    desk: StrictClient, base: Edition, sign_in: SignIn
) -> None:
    number = review(base, RuleWanted(change_bp=100), proposed=True).id
    manager = sign_in(person(Role.FRAMEWORK_MANAGER))
    seen = manager.get(f"/rates/reviews/{number}")
    draft = desk.follow(desk.get(seen.path).submit("Take it back to a draft"))
    rule = draft.click("All items").submit("Save the rule", {"Change in per cent": "900"})
    desk.follow(desk.follow(rule).submit("Propose the review"))

    refused = seen.submit("Approve the new rates", status=409)

    assert "The proposal has changed since you looked" in refused.text
    assert only(PriceReview).status is ReviewState.PROPOSED  # type: ignore[attr-defined]
    again = manager.get(seen.path)
    assert "+900 %" in again.text
    manager.follow(again.submit("Approve the new rates"))


def test_a_draft_that_another_changed_meanwhile_is_not_proposed(
    desk: StrictClient, base: Edition, sign_in: SignIn
) -> None:
    seen = desk.get(f"/rates/reviews/{review(base, RuleWanted(change_bp=100)).id}")
    other = sign_in(person(Role.FRAMEWORK_MANAGER))
    other.get(seen.path).click("All items").submit("Save the rule", {"Change in per cent": "9"})

    assert "look at it again" in seen.submit("Propose the review", status=409).text


def test_who_set_a_rule_is_told_why_they_cannot_approve(desk: StrictClient, base: Edition, sign_in: SignIn) -> None:
    number = review(base, RuleWanted(change_bp=100)).id
    manager = sign_in(person(Role.FRAMEWORK_MANAGER))
    page = manager.get(f"/rates/reviews/{number}")
    page.click("All items").submit("Save the rule", {"Change in per cent": "9"})
    desk.get(page.path).submit("Propose the review")

    page = manager.get(page.path)

    assert "Nobody approves what they had a hand in" in page.text
    assert "Approve the new rates" not in page.text
    assert "Reject the review" in page.soup.get_text()
    other = sign_in(person(Role.FRAMEWORK_MANAGER))
    other.follow(other.get(page.path).submit("Approve the new rates"))


def test_a_review_is_rejected_with_a_reason_only(desk: StrictClient, base: Edition) -> None:
    number = review(base, RuleWanted(change_bp=100), proposed=True).id
    page = desk.get(f"/rates/reviews/{number}")

    refused = page.submit("Reject the review", status=422)
    rejected = desk.follow(refused.submit("Reject the review", {"Why is it not approved?": "Too much at once"}))

    assert "Give the reason" in refused.text
    assert "Too much at once" in rejected.text


def test_a_draft_is_changed_taken_back_and_dropped(desk: StrictClient, base: Edition) -> None:
    page = start(desk)
    path = page.path
    page = desk.follow(page.click("Change name").submit("Save", {"Name of the new edition": "Summer", "Day": "2"}))
    page = desk.follow(page.click("Add a rule").submit(
        "Save the rule",
        {"The items of a trade": True, "Trade": "Rails", "By a percentage": True, "Change in per cent": "2.5"},
    ))
    page = desk.follow(page.click("Trade Rails").submit("Save the rule", {"Change in per cent": "−2"}))
    assert only(ReviewRule).change_bp == -200  # type: ignore[attr-defined]
    page = desk.follow(page.submit("Propose the review"))
    page = desk.follow(page.submit("Take it back to a draft"))
    page = desk.follow(page.submit("Remove the rule: Trade Rails"))
    page.submit("Propose the review", status=422)
    dropped = desk.follow(desk.get(path).submit("Drop the review"))

    assert "Summer" in dropped.h1
    assert "It came to nothing" in dropped.text
    assert only(PriceReview).starts_on.day == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Choose which rates change"),
        ({"All items": True, "By a percentage": True}, "Enter the change in per cent"),
        ({"All items": True, "By a percentage": True, "Change in per cent": "1.234"}, "two decimals"),
        ({"All items": True, "By an index between two months": True}, "Choose the index"),
        ({"All items": True, "To a new rate, for one item": True, "New rate": "4"}, "A new rate is for one item"),
        ({"One item": True, "By a percentage": True, "Change in per cent": "1"}, "Enter the code of the item"),
        (
            {"One item": True, "Code of the item": "NONE", "By a percentage": True, "Change in per cent": "1"},
            "NONE is not an item",
        ),
        ({"The items of a trade": True, "By a percentage": True, "Change in per cent": "1"}, "Choose the trade"),
        (
            {
                "All items": True,
                "By a percentage": True,
                "Change in per cent": "1",
                "Floor in per cent (optional)": "3",
                "Cap in per cent (optional)": "2",
            },
            "must not lie below the floor",
        ),
    ],
)
def test_a_rule_that_cannot_be_says_what_to_do(desk: StrictClient, values: dict[str, str | bool], says: str) -> None:
    form = start(desk).click("Add a rule")

    refused = form.submit("Save the rule", values, status=422)

    assert says in refused.text
    assert refused.title.startswith("Error: ")
    look_again()
    assert db.session.scalars(select(ReviewRule)).all() == []


def test_a_second_review_and_a_taken_name_are_refused_on_the_form(desk: StrictClient, base: Edition) -> None:
    form = desk.get("/rates/reviews/new")
    named = form.submit("Start the review", {"Name of the new edition": "2026", **DAY}, status=422)
    review(base, RuleWanted(change_bp=100))
    second = form.submit("Start the review", {"Name of the new edition": "2027", **DAY}, status=422)

    assert "called 2026 already" in named.text
    assert "under way already" in second.text


def test_the_effect_on_last_years_orders_is_for_those_who_see_every_authority(app: Flask, sign_in: SignIn) -> None:
    there = scene(members=1)
    there.accepted(lines={"LIFT01": "1", "RAIL01": "2"})
    number = review(there.edition, RuleWanted(change_bp=1_000)).id

    auditor = sign_in(person(Role.AUDITOR))
    page = auditor.get(f"/rates/reviews/{number}").click("The effect on last year’s orders")
    officer = sign_in(person(Role.TECHNICAL_OFFICER, there.authority))

    assert "£217.90 (+10 %)" in page.text
    assert [there.authority.name, "1", "2", "£2,179.00", "£2,396.90", "£217.90", "+10 %"] in page.rows()
    assert "last year’s orders" not in officer.get(f"/rates/reviews/{number}").text
    officer.get(f"/rates/reviews/{number}/effect", 403)


def test_pages_of_reviews_take_few_statements(
    desk: StrictClient, base: Edition, query_counter: AT_MOST, tmp_path: Path
) -> None:
    cpi(tmp_path)
    number = review(base, by_cpi(), *[RuleWanted(code=each.code, change_bp=100) for each in ITEMS[:3]]).id
    of_one = [f"/rates/reviews/{number}{each}" for each in ("", "/items", "/effect", "/rules/new", "/edit")]
    look_again()

    others = ("/rates/reviews", "/rates/reviews/new", "/rates/indices", "/rates/indices/CPI", "/rates/requests")
    for path in (*others, *of_one):
        with query_counter(LIMIT):
            desk.get(path)


# Requests -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def there(app: Flask, fixed_clock: object) -> Scene:
    return scene(members=2)


def ask(phone: StrictClient, status: int = 302, **values: object) -> Page:
    page = phone.get("/firm/price-requests").click("Ask for another rate")
    sent = {
        "csrf_token": page.soup.select_one("main form input[name=csrf_token]")["value"],  # type: ignore[index]
        "schedule_code": page.soup.select_one("[name=schedule_code]")["value"],  # type: ignore[index]
        "applies_to": "item",
        "code": "LIFT01",
        "asked_bp": "4.5",
        "reason": "Steel costs more.",
        **values,
    }
    return phone.post("/firm/price-requests/new", sent, status)


def test_a_contractor_asks_with_evidence_and_staff_take_it_up(there: Scene, sign_in: SignIn) -> None:
    firm = there.members[0].contractor.organisation
    phone, desk = sign_in(person(Role.CONTRACTOR, firm)), sign_in(person(Role.FRAMEWORK_MANAGER))
    content = pdf_bytes()

    sent = phone.follow(ask(phone, file=(BytesIO(content), "prices.pdf")))
    asked = desk.get("/rates/requests").click("Item LIFT01")
    assert "Start a review" in asked.text
    review(there.edition)
    asked = desk.get(asked.path)
    evidence = desk.client.get(f"{asked.path}/evidence")
    taken = desk.follow(asked.submit("Take it up into 2026b"))
    own = phone.get("/firm/price-requests")
    mine = phone.client.get(own.soup.select_one("main a[href$=evidence]")["href"])  # type: ignore[index,arg-type]

    assert "waits for an answer" in sent.text
    assert evidence.get_data() == mine.get_data() == content
    assert evidence.headers["Content-Disposition"].startswith("attachment")
    assert evidence.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in evidence.headers["Cache-Control"]
    assert "Item LIFT01" in taken.text
    assert "taken up by a review that is under way" in own.text


def test_another_firm_sees_nothing_of_a_request(there: Scene, sign_in: SignIn, app: Flask) -> None:
    asked = request(there.members[0].contractor, there.edition, app.config["PORTAL"].uploads, reason="Confidential")
    other = sign_in(person(Role.CONTRACTOR, there.members[1].contractor.organisation))

    assert "Confidential" not in other.get("/firm/price-requests").text
    other.get(f"/firm/price-requests/{asked.id}/evidence", 404)
    other.get("/rates/requests", 403)
    other.get(f"/rates/requests/{asked.id}", 403)
    other.get("/rates/reviews", 403)


def test_a_contractor_withdraws_and_reads_a_refusal(there: Scene, sign_in: SignIn) -> None:
    phone = sign_in(person(Role.CONTRACTOR, there.members[0].contractor.organisation))
    ask(phone)
    page = phone.follow(phone.get("/firm/price-requests").submit("Withdraw it : Item LIFT01"))
    assert "You withdrew it" in page.text
    ask(phone)
    desk = sign_in(person(Role.PROCUREMENT))
    asked = desk.get("/rates/requests?status=open").click("Item LIFT01")

    asked.submit("Refuse the request", status=422)
    asked.submit("Refuse the request", {"Why is it refused?": "The index fell."})

    assert "The index fell." in phone.get("/firm/price-requests").text
    assert any("The index fell." in notice.body for notice in db.session.scalars(select(Notice)))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"code": ""}, "Enter the code of the item"),
        ({"code": "NONE"}, "NONE is not an item"),
        ({"applies_to": "trade"}, "Choose the trade"),
        ({"applies_to": ""}, "Choose whether it is about"),
        ({"asked_bp": "lots"}, "two decimals"),
        ({"asked_bp": ""}, "Enter the change"),
        ({"asked_bp": "0"}, "other than 0"),
        ({"reason": ""}, "Give the reason"),
        ({"file": b"MZ program"}, "is not a PDF, JPEG or PNG"),
    ],
)
def test_what_cannot_be_asked_says_what_to_do(
    there: Scene, sign_in: SignIn, app: Flask, values: dict[str, object], says: str
) -> None:
    phone = sign_in(person(Role.CONTRACTOR, there.members[0].contractor.organisation))
    # A file is read once, and the values are those of both engines.
    sent = {name: (BytesIO(each), "prices.pdf") if isinstance(each, bytes) else each for name, each in values.items()}

    page = ask(phone, 422, **sent)

    assert says in page.text
    look_again()
    assert db.session.scalars(select(PriceRequest)).all() == []
    uploads = app.config["PORTAL"].uploads
    assert not uploads.exists() or not list(uploads.iterdir())


def test_a_request_for_a_trade_is_taken(there: Scene, sign_in: SignIn) -> None:
    phone = sign_in(person(Role.CONTRACTOR, there.members[0].contractor.organisation))

    page = phone.follow(ask(phone, applies_to="trade", code="", trade="Lifts"))

    assert "Trade Lifts: +4.5 %" in page.text
    assert only(PriceRequest).status is RequestStatus.OPEN  # type: ignore[attr-defined]
