"""The verbs that change what is there: each once good and once refused, with nothing written then."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

from builders import TODAY, authority, edition, framework_with_lot, job, member, scene
from click.testing import Result
from fixture_types import Clock
from flask import Flask
from sqlalchemy import select

from portal.framework.member_models import Contractor
from portal.framework.models import Lot, Participation
from portal.framework.roster import Roster
from portal.framework.states import CapacityRule, FrameworkKind
from portal.jobs.models import Direction, Estimate, Offer
from portal.kernel.db import db, transaction

Portal = Callable[..., Result]


def firm() -> Contractor:
    db.session.expire_all()
    return db.session.scalars(select(Contractor)).one()


def test_terms_of_a_framework_change_one_by_one_and_an_authority_leads(portal: Portal, fixed_clock: Clock) -> None:
    lot = framework_with_lot(authority("A"), starts_on=date(2026, 1, 1), ends_on=date(2029, 1, 1))
    code = lot.framework.code

    portal("frameworks", "change", code, "--name", "County", "--local-areas", "al sg5", "--review-months", "12")
    portal("frameworks", "lead", code, "A")
    refused = portal("frameworks", "change", code, "--to", "2033-01-01", code=1)

    db.session.expire_all()
    assert (lot.framework.name, lot.framework.local_areas, lot.framework.review_months) == ("County", "AL SG5", 12)
    assert lot.framework.ends_on == date(2029, 1, 1)
    assert "xtend" in refused.stderr
    assert db.session.scalars(select(Participation.lead)).all() == [True]


def test_a_lot_keeps_what_is_not_named(portal: Portal, fixed_clock: Clock) -> None:
    lot = framework_with_lot(authority(), requirements=("public-liability", "gas"), works_days=9)
    code, name = lot.framework.code, lot.name

    options = ("--requires", "ssip", "--asks", "dbs", "--without", "gas", "--answer-hours", "routine=20")
    portal("lots", "change", code, name, *options, "--capacity-rule", "this-lot")
    portal("lots", "change", code, name, "--works-days", "0", code=1)

    db.session.expire_all()
    found = db.session.get_one(Lot, lot.id)
    assert {each.kind: each.required for each in found.requirements} == {
        "public-liability": True,
        "ssip": True,
        "dbs": False,
    }
    assert (found.works_days, found.answer_hours_routine, found.answer_hours_priority) == (9, 20, 8)
    assert found.capacity_rule is CapacityRule.THIS_LOT


def test_a_members_terms_change(portal: Portal, fixed_clock: Clock) -> None:
    first, second = authority("A"), authority("B")
    lot = framework_with_lot(first, second)
    member(lot, areas=[first], code="C1", adjustment_bp=100)

    portal("members", "terms", "C1", "--lot", lot.name, "--area", "B", "--area", "RG1")
    portal("members", "terms", "C1", "--lot", lot.name, "--adjustment", "-2.5")
    portal("members", "terms", "C1", "--lot", lot.name, "--area", "NOWHERE", code=1)

    db.session.expire_all()
    (listed,) = Roster([lot.id], TODAY).members[lot.id]
    assert (listed.areas, listed.adjustment_bp) == ({"B", "RG1"}, -250)


def test_a_firms_details_and_availability_change(portal: Portal, fixed_clock: Clock) -> None:
    where = authority()
    member(framework_with_lot(where), areas=[where], code="C1", capacity=5)

    portal("contractors", "details", "C1", "--month-limit", "20000", "--not-sme", "--trade", "Lifts", "--capacity", "0")
    portal("contractors", "available", "C1", "--from", "2026-06-01")
    portal("contractors", "away", "C1", "--first", "2026-07-01", "--last", "2026-07-14")
    portal("contractors", "away", "C1", "--first", "2026-07-14", "--last", "2026-07-20", code=1)
    portal("contractors", "away", "C1", "--first", "2026-07-02", "--last", "2026-07-14", "--remove", code=1)
    portal("contractors", "available", "C1", "--from", "2026-05-04", code=1)

    found = firm()
    assert (found.month_limit_pence, found.sme, found.capacity) == (2_000_000, False, 0)
    assert [each.trade for each in found.trades] == ["Lifts"]
    assert found.accepts_from == date(2026, 6, 1)
    assert [(each.from_on, each.to_on) for each in found.absences] == [(date(2026, 7, 1), date(2026, 7, 15))]

    portal("contractors", "away", "C1", "--first", "2026-07-01", "--last", "2026-07-14", "--remove")
    portal("contractors", "available", "C1")

    assert (firm().absences, firm().accepts_from) == ([], None)


def test_quotes_and_the_direction_to_do_without(app: Flask, portal: Portal, fixed_clock: Clock) -> None:
    where = authority()
    lot = framework_with_lot(where)
    with transaction():
        lot.framework.kind, lot.framework.quotes_needed = FrameworkKind.QUOTATIONS, 2
    member(lot, areas=[where], code="C1")
    job(where, lot, edition(), reference="DFG-1")

    portal("jobs", "quote", "DFG-1", "C1", "--amount", "1950.50")
    portal("jobs", "quote", "DFG-1", "C1", "--amount", "0", code=1)
    portal("jobs", "direct", "DFG-1", "--reason", " ", code=1)
    portal("jobs", "direct", "DFG-1", "--reason", "Only one firm makes it")
    portal("jobs", "direct", "DFG-1", "--reason", "Again", code=1)

    db.session.expire_all()
    assert db.session.scalars(select(Estimate.amount_pence)).all() == [195_050]
    assert db.session.scalars(select(Direction.reason)).all() == ["Only one firm makes it"]
    assert "offered to C1" in portal("jobs", "allocate", "DFG-1").stdout


def test_bands_the_minimum_order_and_the_uplift_change(portal: Portal, fixed_clock: Clock) -> None:
    where = authority()
    lot = framework_with_lot(where)
    member(lot, areas=[where], code="C1", adjustment_bp=-250)

    portal("members", "terms", "C1", "--lot", lot.name, "--band", "5000=-7.25", "--band", "2500=+1")
    portal("members", "terms", "C1", "--lot", lot.name, "--adjustment", "-3")
    portal("lots", "change", lot.framework.code, lot.name, "--minimum-order", "250", "--out-of-hours", "20")
    portal("frameworks", "change", lot.framework.code, "--variation-rates", "edition-in-force")
    for wrong in (("--band", "0=1"), ("--band", "5000=-100"), ("--band", "5000=1", "--band", "5000=2")):
        portal("members", "terms", "C1", "--lot", lot.name, *wrong, code=1)
    portal("members", "terms", "C1", "--lot", lot.name, "--band", "5000", code=2)
    portal("members", "terms", "C1", "--lot", lot.name, "--band", "5000=1", "--no-bands", code=2)
    portal("lots", "change", lot.framework.code, lot.name, "--out-of-hours", "201", code=1)

    db.session.expire_all()
    (listed,) = Roster([lot.id], TODAY).members[lot.id]
    assert (listed.adjustment_bp, listed.bands) == (-300, ((250_000, 100), (500_000, -725)))
    found = db.session.get_one(Lot, lot.id)
    assert (found.minimum_order_pence, found.out_of_hours_bp) == (25_000, 2_000)
    assert found.framework.variation_rates.value == "edition-in-force"
    portal("members", "terms", "C1", "--lot", lot.name, "--no-bands")
    assert Roster([lot.id], TODAY).members[lot.id][0].bands == ()


def test_a_change_to_an_order_is_priced_and_a_job_shows_its_prices(
    portal: Portal, tmp_path: Path, fixed_clock: Clock
) -> None:
    there = scene(1, adjustments=[-250])
    order = there.accepted(lines={"LIFT01": "1"})
    reference = db.session.get_one(Offer, order.id).job.reference
    path = tmp_path / "change.csv"
    path.write_text("code,quantity\nRAIL01,2\n", encoding="utf-8")

    changed = json.loads(portal("jobs", "price-change", reference, path, "--json").stdout)
    told = portal("jobs", "price-change", reference, path).stdout
    shown = json.loads(portal("jobs", "show", reference, "--json").stdout)
    portal("jobs", "price-change", there.job().reference, path, code=1)

    assert (changed["totals"], changed["rates"]) == (
        {"net": "82.88", "vat": "16.57", "total": "99.45"},
        "order-edition",
    )
    assert "Total with VAT\t99.45" in told
    (line,) = shown["order"]["lines"]
    assert (line["rule"], line["adjustment_percent"], line["vat_percent"], line["net"], line["vat"]) == (
        "schedule-rate",
        "-2.5",
        "20",
        "2041.65",
        "408.33",
    )
    assert shown["order"]["frozen"] is True
    assert shown["totals"] == {"net": "2041.65", "vat": "408.33", "total": "2449.98"}
    assert "the rate of" in line["explanation"]
