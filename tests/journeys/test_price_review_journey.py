"""A price review from the index to the new edition: procurement proposes, the framework manager approves, and a
contractor, who had asked for another rate on a phone, is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, Visitor
from builders import look_again, person, scene
from files_made import pdf_bytes
from flask import Flask
from journey_steps import fill_date, keep, sign_in
from reviews_made import BEGINS
from sqlalchemy import select

from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.kernel.db import db
from portal.kernel.outbox import Notice

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


def asks(phone: Visitor, folder: Path) -> None:
    """The contractor asks for another rate of an item, with a supplier's price list."""
    evidence = folder / "supplier.pdf"
    evidence.write_bytes(pdf_bytes("Price list"))
    phone.goto("/firm")
    phone.follow("See all requests for other rates")
    phone.follow("Ask for another rate")
    phone.press("Send the request", status=422)
    assert "Choose whether it is about" in phone.text
    phone.choose("One item")
    phone.fill("Code of the item", "RAIL01")
    phone.fill("Change that you ask for, in per cent", "6")
    phone.fill("Reason", "Stainless steel costs more since March.")
    phone.fill("Evidence (optional)", evidence)
    keep(phone, "price-request")
    phone.press("Send the request")
    assert "waits for an answer" in phone.text


def brings_in_an_index(desk: Visitor, folder: Path) -> None:
    """A file with a mistake, then a good one."""
    path = folder / "cpi.csv"
    path.write_text("month,value\n2025-04,131.2\n2026-04,-135.9\n", encoding="utf-8")
    desk.goto("/rates/indices")
    desk.fill("Code of the index", "CPI")
    desk.fill("Name", "Consumer prices index")
    desk.fill("File", path)
    desk.press("Bring the index in", status=422)
    assert "row 3" in desk.text
    path.write_text("month,value\n2025-04,131.2\n2026-04,135.9\n", encoding="utf-8")
    desk.fill("File", path)
    desk.press("Bring the index in")
    assert "135.9" in desk.text


def proposes(desk: Visitor) -> None:
    """A review by the index, capped; the request is taken up; the effect is looked at."""
    desk.goto("/rates/reviews")
    desk.follow("Start a review")
    desk.fill("Name of the new edition", "Summer 2026")
    fill_date(desk, BEGINS)
    desk.press("Start the review")
    desk.follow("Add a rule")
    desk.choose("All items")
    desk.choose("By an index between two months")
    desk.fill("Index", "CPI, Consumer prices index")
    desk.fill("From the month", "April 2025")
    desk.fill("To the month", "April 2026")
    desk.fill("Cap in per cent (optional)", "3")
    keep(desk, "price-review-rule")
    desk.press("Save the rule")
    desk.follow("1 request of contractors")
    desk.follow("Item RAIL01")
    desk.press("Take it up into Summer 2026")
    assert "A change of +6 %" in desk.text
    keep(desk, "price-review")
    desk.follow("Every item with its old and new rate")
    assert "capped at 3 %" in desk.text
    desk.follow("Back to the review")
    desk.follow("The effect on last year’s orders")
    assert "£62.82 (+3 %)" in desk.text
    keep(desk, "price-review-effect")
    desk.follow("Back to the review")
    desk.press("Propose the review")
    assert "You proposed this review" in desk.text


def approves(manager: Visitor, old: str) -> None:
    """The second person approves; both editions can be read."""
    manager.goto("/rates/reviews")
    manager.follow("Summer 2026")
    manager.press("Approve the new rates")
    assert "The review is approved" in manager.text
    manager.follow("See the edition Summer 2026")
    assert "£2,156.82" in manager.text
    manager.goto("/rates")
    manager.follow(old)
    assert "£2,094.00" in manager.text


def test_a_price_review_from_the_index_to_the_new_edition(
    app: Flask, live_server: str, visit: Visit, tmp_path: Path
) -> None:
    there = scene(members=1, capacity=9)
    there.accepted(lines={"LIFT01": "1"})
    firm = there.members[0].contractor
    contractor = person(Role.CONTRACTOR, firm.organisation)
    old = there.edition.name
    phone, desk, manager = visit(live_server, PHONE), visit(live_server, DESKTOP), visit(live_server, DESKTOP)
    sign_in(phone, contractor)
    sign_in(desk, person(Role.PROCUREMENT))
    sign_in(manager, person(Role.FRAMEWORK_MANAGER))

    asks(phone, tmp_path)
    brings_in_an_index(desk, tmp_path)
    proposes(desk)
    approves(manager, old)

    look_again()
    subjects = list(db.session.scalars(select(Notice.subject).where(Notice.recipient == firm.email)))
    assert any(subject.startswith("New rates from 1 July 2026") for subject in subjects)
    phone.goto("/firm/price-requests")
    assert "New rates hold from 1 July 2026" in phone.text
    phone.goto("/firm/rates")
    assert list(everything_off()) == []
