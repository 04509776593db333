"""Contractors' requests for another rate: what may be asked, evidence, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, Scene, look_again, scene
from files_made import pdf_bytes
from flask import Flask
from reviews_made import BEGINS, MANAGER, PROCUREMENT, review, schedule
from sqlalchemy import select

from portal.framework.documents.files import check_file, kept, kept_content
from portal.framework.member_models import Contractor
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, NotFound, PortalError, RuleBroken, WrongState
from portal.kernel.outbox import Notice
from portal.rates.models import Edition
from portal.rates.reviews import queries, requests, services
from portal.rates.reviews.models import PriceRequest
from portal.rates.reviews.requests import RequestWanted
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.states import REQUEST_MOVES, RequestStatus

REASON = "Stainless steel costs more since March."


@pytest.fixture
def rates(app: Flask) -> Edition:
    return schedule()


@pytest.fixture
def there(app: Flask) -> Scene:
    return scene(members=2)


def firm(there: Scene, number: int = 0) -> Contractor:
    look_again()
    return there.members[number].contractor


def wanted(rates: Edition, **more: object) -> RequestWanted:
    known: dict[str, object] = {"trade": "", "code": "RAIL01", "asked_bp": 450, "reason": REASON} | more
    return RequestWanted(rates.schedule.code, **known)  # type: ignore[arg-type]


def ask(contractor: Contractor, request: RequestWanted, **more: object) -> PriceRequest:
    with transaction():
        return requests.make_request(contractor.id, request, by=contractor.email, now=NOW, **more)  # type: ignore[arg-type]


def fault_of(work: Callable[[], object], kind: type[PortalError]) -> PortalError:
    with pytest.raises(kind) as refused, transaction():
        work()
    return refused.value


def stands(asked: PriceRequest) -> PriceRequest:
    look_again()
    db.session.expire_all()
    return db.session.get_one(PriceRequest, asked.id)


def mail_to(contractor: Contractor) -> list[Notice]:
    return list(db.session.scalars(select(Notice).where(Notice.recipient == contractor.email).order_by(Notice.id)))


def test_a_request_for_an_item_is_looked_up_in_the_edition_in_force(there: Scene, rates: Edition) -> None:
    asked = ask(firm(there), wanted(rates, code=" rail01 "))

    assert (asked.code, asked.trade, asked.asked_bp, asked.status) == ("RAIL01", "", 450, RequestStatus.OPEN)
    (event,) = events_on(f"price-request:{asked.id}")
    assert event.action == "price request made"
    assert "steel" not in str(event.data)


@pytest.mark.parametrize(
    ("more", "term"),
    [
        ({"code": "NONE"}, "code"),
        ({"code": "OLD01"}, "code"),
        ({"code": "", "trade": "Roofs"}, "trade"),
        ({"code": ""}, "applies_to"),
        ({"trade": "Rails"}, "applies_to"),
        ({"asked_bp": 0}, "asked_bp"),
        ({"asked_bp": -10_000}, "asked_bp"),
        ({"asked_bp": 100_001}, "asked_bp"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 1_001}, "reason"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_field(
    there: Scene, rates: Edition, more: dict[str, object], term: str
) -> None:
    contractor = firm(there)

    refused = fault_of(
        lambda: requests.make_request(contractor.id, wanted(rates, **more), by="x", now=NOW), RuleBroken
    )

    assert getattr(refused, "term", None) == term
    assert db.session.scalars(select(PriceRequest)).all() == []


def test_the_same_is_asked_once_while_it_waits(there: Scene, rates: Edition) -> None:
    first, second = firm(there), firm(there, 1)
    asked = ask(first, wanted(rates))
    ask(second, wanted(rates))

    fault_of(lambda: requests.make_request(first.id, wanted(rates), by="x", now=NOW), Clash)
    with transaction():
        requests.withdraw_request(first.id, asked.id, by=first.email, now=NOW)

    assert ask(first, wanted(rates)).status is RequestStatus.OPEN


def test_nobody_floods_the_list(there: Scene, rates: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST_OPEN", 1)
    contractor = firm(there)
    asked = ask(contractor, wanted(rates))

    fault_of(lambda: requests.make_request(contractor.id, wanted(rates, code="TRAY01"), by="x", now=NOW), RuleBroken)
    monkeypatch.setattr(requests, "MOST_A_DAY", 1)
    with transaction():
        requests.withdraw_request(contractor.id, asked.id, by="x", now=NOW)
    fault_of(lambda: requests.make_request(contractor.id, wanted(rates), by="x", now=NOW), RuleBroken)

    with transaction():
        requests.make_request(contractor.id, wanted(rates), by="x", now=NOW + timedelta(days=2))


def test_evidence_lies_with_the_request(there: Scene, rates: Edition, tmp_path: Path) -> None:
    file, contractor = check_file("prices.pdf", pdf_bytes()), firm(there)

    with kept(tmp_path, file) as stored:
        asked = ask(contractor, wanted(rates), file=file, stored_name=stored)

    assert (asked.file_name, asked.media_type, asked.size_bytes) == ("prices.pdf", "application/pdf", len(file.content))
    assert kept_content(tmp_path, asked.stored_name or "", asked.sha256) == file.content


def test_a_request_that_fails_leaves_no_file(there: Scene, rates: Edition, tmp_path: Path) -> None:
    file, contractor = check_file("prices.pdf", pdf_bytes()), firm(there)

    with pytest.raises(RuleBroken), kept(tmp_path, file) as stored:
        ask(contractor, wanted(rates, code="NONE"), file=file, stored_name=stored)

    assert list(tmp_path.iterdir()) == []


def test_nobody_withdraws_or_reads_anothers_request(there: Scene, rates: Edition) -> None:
    asked, other = ask(firm(there), wanted(rates)), firm(there, 1)

    fault_of(lambda: requests.withdraw_request(other.id, asked.id, by=other.email, now=NOW), NotFound)

    with pytest.raises(NotFound):
        queries.own_request(other.id, asked.id)
    assert queries.requests_of(other.id) == []


def test_a_refusal_gives_its_reason_to_the_contractor(there: Scene, rates: Edition) -> None:
    contractor = firm(there)
    asked = ask(contractor, wanted(rates))

    refused = fault_of(lambda: requests.refuse_request(asked.id, reason=" ", by=MANAGER, now=NOW), RuleBroken)
    with transaction():
        requests.refuse_request(asked.id, reason="The index fell.", by=MANAGER, now=NOW)

    assert "Give the reason" in str(refused)
    assert (stands(asked).status, asked.decided_by) == (RequestStatus.REFUSED, MANAGER)
    assert "The index fell." in mail_to(contractor)[-1].body


def test_a_request_is_taken_up_as_a_rule_that_the_reviewer_may_change(there: Scene, rates: Edition) -> None:
    contractor = firm(there)
    asked = ask(contractor, wanted(rates))
    made = review(rates)

    with transaction():
        _, ruled = requests.take_up_request(asked.id, by=MANAGER, now=NOW)

    db.session.expire_all()
    (rule,) = queries.review_by_id(made.id).rules
    assert ruled
    assert (rule.code, rule.change_bp) == ("RAIL01", 450)
    assert (stands(asked).status, asked.review_id) == (RequestStatus.TAKEN_UP, made.id)
    told = mail_to(contractor)[-1]
    assert "taken up" in told.subject
    assert "4.5" not in told.body


def test_a_rule_that_stands_there_stays_when_a_request_is_taken_up(there: Scene, rates: Edition) -> None:
    asked = ask(firm(there), wanted(rates, code="", trade="Rails"))
    made = review(rates, RuleWanted(trade="Rails", change_bp=100))

    with transaction():
        _, ruled = requests.take_up_request(asked.id, by=MANAGER, now=NOW)

    db.session.expire_all()
    assert not ruled
    assert [rule.change_bp for rule in queries.review_by_id(made.id).rules] == [100]
    assert stands(asked).status is RequestStatus.TAKEN_UP


def test_without_a_draft_nothing_is_taken_up(there: Scene, rates: Edition) -> None:
    asked = ask(firm(there), wanted(rates))

    fault_of(lambda: requests.take_up_request(asked.id, by=MANAGER, now=NOW), WrongState)
    review(rates, RuleWanted(change_bp=100), proposed=True)
    fault_of(lambda: requests.take_up_request(asked.id, by=MANAGER, now=NOW), WrongState)

    assert stands(asked).status is RequestStatus.OPEN
    fault_of(lambda: requests.take_up_request(99_999, by=MANAGER, now=NOW), NotFound)


@pytest.mark.parametrize("status", [each for each in RequestStatus if not REQUEST_MOVES[each]])
def test_an_answered_request_stays_answered(there: Scene, rates: Edition, status: RequestStatus) -> None:
    contractor = firm(there)
    asked = ask(contractor, wanted(rates))
    review(rates)
    steps: dict[RequestStatus, Callable[[], object]] = {
        RequestStatus.TAKEN_UP: lambda: requests.take_up_request(asked.id, by=MANAGER, now=NOW),
        RequestStatus.REFUSED: lambda: requests.refuse_request(asked.id, reason="No", by=MANAGER, now=NOW),
        RequestStatus.WITHDRAWN: lambda: requests.withdraw_request(contractor.id, asked.id, by="x", now=NOW),
    }
    with transaction():
        steps[status]()

    for step in steps.values():
        fault_of(step, WrongState)

    assert stands(asked).status is status


@pytest.mark.parametrize("ends", ["reject", "drop"])
def test_contractors_hear_when_the_review_that_took_their_request_up_ends_without_new_rates(
    there: Scene, rates: Edition, ends: str
) -> None:
    contractor, other = firm(there), firm(there, 1)
    asked = ask(contractor, wanted(rates))
    made = review(rates)
    with transaction():
        requests.take_up_request(asked.id, by=MANAGER, now=NOW)
    with transaction():
        services.propose_review(made.id, by=PROCUREMENT, now=NOW)

    with transaction():
        if ends == "reject":
            services.reject_review(made.id, reason="Secret reason", by=MANAGER, now=NOW)
        else:
            services.drop_review(made.id, by=MANAGER, now=NOW)

    told = mail_to(contractor)[-1]
    assert "ended without new rates" in told.body
    assert "Secret" not in told.body
    assert mail_to(other) == []
    assert queries.requests_of(contractor.id)[0][1].starts_on == BEGINS  # type: ignore[union-attr]
