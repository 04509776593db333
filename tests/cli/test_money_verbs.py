"""The verbs of funding, declarations, own rates and requests: each once good and once refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

from builders import TODAY, accept, code_of, scene
from click.testing import Result
from fixture_types import Clock
from reviews_made import request, review, schedule
from sqlalchemy import func, select, update

from portal.framework.states import ContractingParty
from portal.jobs.funding_models import Funding, VatDeclaration
from portal.jobs.models import OrderLine
from portal.kernel.db import db, transaction
from portal.rates.models import Item
from portal.rates.own_rates import own_rates_of
from portal.rates.reviews.models import PriceRequest
from portal.rates.states import RequestStatus

Portal = Callable[..., Result]
DECLARED = ("--kind", "disabled-person", "--signed", "2026-05-01", "--kept-at", "File")


def test_a_declaration_gives_the_order_its_vat_and_the_total_is_split(portal: Portal, fixed_clock: Clock) -> None:
    there = scene(1)
    with transaction():
        there.lot.framework.contracting_party = ContractingParty.APPLICANT
        for item in db.session.scalars(select(Item).where(Item.edition_id == there.edition.id)):
            item.vat_bp = 0
    offer = there.offered(lines={"SHOWER01": "10"})
    reference = offer.job.reference

    portal("jobs", "funding", "declare", reference, *DECLARED)
    portal("jobs", "funding", "set", reference, "--contribution", "1000", "--top-up", "20000")
    portal("jobs", "funding", "set", reference, "--contribution", "2000000", code=1)
    portal("jobs", "funding", "declare", reference, *DECLARED[:3], "2030-01-01", *DECLARED[4:], code=1)
    accept(offer)
    shown = json.loads(portal("jobs", "funding", "show", reference, "--json").stdout)

    db.session.expire_all()
    assert db.session.scalars(select(OrderLine.vat_bp)).all() == [0]
    assert {name: shown[name] for name in ("total", "grant", "contribution", "top_up", "uncovered")} == {
        "total": "53750.00",
        "grant": "30000.00",
        "contribution": "1000.00",
        "top_up": "22750.00",
        "uncovered": "2750.00",
    }
    assert [each["kind"] for each in shown["declarations"]] == ["disabled-person"]
    assert db.session.scalars(select(Funding.contribution_pence)).all() == [100_000]


def test_an_order_from_before_vat_is_shown_without_a_split(portal: Portal, fixed_clock: Clock) -> None:
    reference = scene(1).accepted(lines={"LIFT01": "20"}).job.reference
    with transaction():
        db.session.execute(update(OrderLine).values(vat_bp=None, vat_pence=None, vat_why=""))

    shown = json.loads(portal("jobs", "funding", "show", reference, "--json").stdout)
    told = portal("jobs", "funding", "show", reference).stdout

    split = ("total", "grant", "contribution", "top_up", "uncovered")
    assert {name: shown[name] for name in ("net", *split)} == {"net": "41880.00", **dict.fromkeys(split)}
    assert "before VAT\t41880.00" in told
    assert "cannot be said: this order is from before VAT was kept" in told
    assert "grant\t" not in told


def test_a_declaration_is_withdrawn_once(portal: Portal, fixed_clock: Clock) -> None:
    reference = scene(1).job().reference
    portal("jobs", "funding", "declare", reference, *DECLARED)
    number = str(db.session.scalar(select(VatDeclaration.id)))

    portal("jobs", "funding", "withdraw", reference, number)
    again = portal("jobs", "funding", "withdraw", reference, number, code=1)

    db.session.expire_all()
    assert "already" in again.stderr
    assert db.session.scalar(select(VatDeclaration.withdrawn_by)) is not None


def test_an_own_rate_is_set_and_ended(portal: Portal, fixed_clock: Clock) -> None:
    there = scene(1)
    of = ("--member", code_of(there.members[0]), "--lot", there.lot.name)

    portal("rates", "own", "set", "LIFT01", "1500.50", *of, "--from", "2026-05-05")
    portal("rates", "own", "end", "LIFT01", *of, "--from", "2026-06-01")
    portal("rates", "own", "set", "NOSUCH", "1", *of, "--from", "2026-05-05", code=1)

    db.session.expire_all()
    (rate,) = own_rates_of(there.members[0].id)
    assert (rate.code, rate.rate_pence, rate.starts_on, rate.ends_on) == ("LIFT01", 150_050, TODAY, date(2026, 6, 1))


def test_requests_are_listed_refused_and_taken_up(portal: Portal, fixed_clock: Clock, tmp_path: Path) -> None:
    rates = schedule()
    firm = scene(1, items={"X": 1}).members[0].contractor
    refused, taken = (request(firm, rates, tmp_path, code=code) for code in ("LIFT01", "RAIL01"))

    listed = json.loads(portal("rates", "requests", "list", "--json").stdout)
    portal("rates", "requests", "take-up", str(taken.id), code=1)
    review(rates)
    portal("rates", "requests", "refuse", str(refused.id), "--reason", "The market has not moved")
    portal("rates", "requests", "take-up", str(taken.id))

    db.session.expire_all()
    assert {each["code"] for each in listed} == {"LIFT01", "RAIL01"}
    assert db.session.scalars(select(PriceRequest.status).order_by(PriceRequest.id)).all() == [
        RequestStatus.REFUSED,
        RequestStatus.TAKEN_UP,
    ]
    assert db.session.scalar(select(func.count()).select_from(PriceRequest)) == 2
