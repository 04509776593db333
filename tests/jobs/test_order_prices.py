"""What lines cost for a member, in three statements; and what a change to an order would cost."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from builders import (
    NATION,
    NOW,
    OFFICER,
    TODAY,
    Scene,
    accept,
    allocate,
    authority,
    code_of,
    edition,
    framework,
    framework_with_lot,
    look_again,
    member,
    open_offer,
    scene,
)
from fixture_types import AT_MOST
from flask import Flask
from sqlalchemy import select, update

from portal.checks import everything_off
from portal.framework.models import Framework
from portal.framework.states import ContractingParty, VariationRates
from portal.jobs.document import job_document
from portal.jobs.funding import record_declaration, withdraw_declaration
from portal.jobs.line_prices import Taxed, one_membership, price_change, price_for_member
from portal.jobs.models import Offer, OrderLine
from portal.jobs.order_prices import PricedAs, declarations_of, of_offer, of_order, standing_price
from portal.jobs.queries import job_by_reference, order_lines
from portal.jobs.standing import change_terms
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused, NotFound, RuleBroken, WrongState
from portal.rates.basket import Basket
from portal.rates.models import Edition, Schedule
from portal.rates.own_rates import agree_own_rate
from portal.rates.star_rates.services import ProposedRate, approve_star_rate, propose_star_rate
from portal.rates.states import PriceRule
from portal.rates.vat import Declared

LINES = 200
MANY = {f"I{number:04}": 1_000 + number for number in range(LINES)}


def basket(**lines: str) -> Basket:
    return Basket("change.csv", [(row, code, Decimal(many)) for row, (code, many) in enumerate(lines.items(), start=2)])


def star_rate(there: Scene, rate_pence: int) -> str:
    """The code of an approved star rate of the scene's authority."""
    with transaction():
        schedule = db.session.get_one(Schedule, there.edition.schedule_id)
        wanted = ProposedRate("Ramp of steel", "nr", rate_pence, "not in the schedule")
        star = propose_star_rate(schedule, there.authority, wanted, by=OFFICER, now=NOW)
        approve_star_rate(star.id, TODAY, None, by="second@authority.example", now=NOW)
        return star.code


def own_terms(there: Scene, bands: list[tuple[int, int]], adjustment_bp: int = -250) -> None:
    with transaction():
        change_terms(
            there.members[0].id,
            areas=[there.authority.code],
            adjustment_bp=adjustment_bp,
            bands=bands,
            by=OFFICER,
            now=NOW,
            nation=NATION,
        )


def test_two_hundred_lines_are_priced_in_three_statements(app: Flask, query_counter: AT_MOST) -> None:
    there = scene(1, items=MANY, adjustments=[-250], minimum_order_pence=25_000)
    own_terms(there, [(100_000, -400), (900_000_000, -900)])
    for code in list(MANY)[:20]:
        with transaction():
            agree_own_rate(there.members[0].id, code, 777, TODAY, by=OFFICER, now=NOW)
    star = star_rate(there, 12_345)
    wanted = basket(**dict.fromkeys([*MANY, star], "2.5"))
    found = db.session.get_one(Edition, there.edition.id)
    member_id, authority_id = there.members[0].id, there.authority.id
    found.schedule.code  # noqa: B018  (read with the edition)

    with query_counter(3):
        priced = price_for_member(wanted, found, member_id, TODAY, authority_id=authority_id)

    rules = [line.rule for line in priced.price.lines]
    assert (rules.count(PriceRule.OWN_RATE), rules.count(PriceRule.STAR_RATE), len(rules)) == (20, 1, LINES + 1)
    assert priced.terms.adjustment_bp == -400
    assert "the adjustment for jobs from £1,000" in priced.price.lines[50].explanation


def test_lines_for_a_member_cost_what_its_offer_costs(app: Flask) -> None:
    there = scene(1, adjustments=[-250], minimum_order_pence=25_000, out_of_hours_bp=2_000)
    own_terms(there, [(500_000, -725)])
    with transaction():
        agree_own_rate(there.members[0].id, "RAIL01", 3_999, TODAY, by=OFFICER, now=NOW)
    for lines in ({"RAIL01": "2"}, {"LIFT01": "1.5", "RAIL01": "3"}, {"SHOWER01": "1.333", "RAIL01": "0.001"}):
        job = there.job(lines=lines, out_of_hours=True)
        allocate(job)
        offer = open_offer(job)

        priced = price_for_member(basket(**lines), there.edition, there.members[0].id, TODAY, out_of_hours=True)

        assert priced.price.net_pence == offer.price_pence
        assert [line.explanation for line in priced.price.lines] == [
            line.explanation for line in of_offer(offer, frozenset()).lines
        ]


def test_lines_without_a_rate_are_all_named_with_their_rows(app: Flask) -> None:
    there = scene(1)

    with pytest.raises(InputRefused) as refused:
        price_for_member(basket(LIFT01="1", NONE="1", NEITHER="2"), there.edition, None, TODAY)

    assert [problem.row for problem in refused.value.problems] == [3, 4]
    with pytest.raises(NotFound):
        price_for_member(basket(LIFT01="1"), there.edition, 999_999, TODAY)


def test_terms_that_differ_by_lot_need_the_lot(app: Flask) -> None:
    where = authority()
    home = framework(where)
    lifts, ramps = framework_with_lot(within=home), framework_with_lot(within=home)
    first = member(lifts, areas=[where], rank=1, adjustment_bp=-250)
    code = code_of(first)
    second = member(ramps, areas=[where], rank=1, adjustment_bp=-250, code=code)

    schedule = edition().schedule_id
    lift: dict[str, Any] = {"schedule_id": schedule, "codes": {"LIFT01"}, "on": TODAY}

    assert one_membership(code, None, None, **lift).member_id in {first.id, second.id}
    with transaction():
        agree_own_rate(second.id, "LIFT01", 100, TODAY, by=OFFICER, now=NOW)
    # The own rate counts where it touches the lines.
    assert one_membership(code, None, None, schedule_id=schedule, codes={"RAIL01"}, on=TODAY)
    with pytest.raises(RuleBroken, match="differ between"):
        one_membership(code, None, None, **lift)
    assert one_membership(code, ramps.name, home.code, **lift).member_id == second.id
    with pytest.raises(NotFound, match="no member"):
        one_membership(code, "No such lot", None, **lift)


def test_vat_follows_what_is_declared_and_who_commissions(app: Flask) -> None:
    rates = edition({"SHOWER01": 100_000, "RAIL01": 1_000}, vat={"SHOWER01": 0, "RAIL01": 500})
    lines = basket(SHOWER01="1", RAIL01="1")
    both = frozenset(Declared)

    def rate(declared: frozenset[Declared], *, commissions: bool) -> list[int | None]:
        priced = price_for_member(lines, rates, None, TODAY, taxed=Taxed(declared, commissions))
        return [line.vat_bp for line in priced.price.lines]

    assert rate(both, commissions=True) == [0, 500]
    assert rate(both, commissions=False) == [2_000, 500]
    assert rate(frozenset(), commissions=True) == [2_000, 2_000]


def test_what_a_job_costs_is_its_order_else_its_offer_else_its_lines(app: Flask) -> None:
    there = scene(1, adjustments=[-1_000])
    waiting, offered, ordered = there.job(), there.offered().job, there.accepted().job
    look_again()

    prices = [
        standing_price(found, declarations_of(found.id))
        for found in (job_by_reference(each.reference) for each in (waiting, offered, ordered))
    ]

    assert [price.priced_as for price in prices] == [PricedAs.SCHEDULE_RATES, PricedAs.OFFER, PricedAs.ORDER]
    assert [price.net_pence for price in prices] == [209_400, 188_460, 188_460]


def test_the_reason_for_a_frozen_rate_is_that_of_the_order(app: Flask) -> None:
    there = scene(1, vat={"RAIL01": 500})
    job = there.job(lines={"RAIL01": "1"})
    with transaction():
        declaration = record_declaration(job.id, Declared.OVER_60, TODAY, "case file", by=OFFICER, now=NOW)
    order = there.accepted(lines={"RAIL01": "1"})
    allocate(job)
    with_it = open_offer(job)
    accept(with_it)
    with transaction():
        withdraw_declaration(job.id, declaration.id, by=OFFICER, now=NOW + timedelta(days=1))
        record_declaration(order.job_id, Declared.OVER_60, TODAY, "file", by=OFFICER, now=NOW + timedelta(days=1))
    look_again()

    told = []
    for each in (with_it, order):
        offer = db.session.get_one(Offer, each.id)
        told.append(of_order(offer, order_lines(offer)).lines[0].explanation)

    assert "the reduced rate: a mobility aid" in told[0]
    assert "would need the client’s declaration" in told[1].replace("'", "’")


def test_the_reason_of_an_order_outlives_the_party_that_it_was_made_under(app: Flask) -> None:
    there = scene(1, vat={"SHOWER01": 0})
    job = there.job(lines={"SHOWER01": "1"})
    with transaction():
        record_declaration(job.id, Declared.DISABLED_PERSON, TODAY, "case file", by=OFFICER, now=NOW)
    allocate(job)
    order = accept(open_offer(job))
    with transaction():
        db.session.get_one(Framework, there.lot.framework_id).contracting_party = ContractingParty.APPLICANT
    look_again()
    offer = db.session.get_one(Offer, order.id)
    lines = order_lines(offer)

    told = of_order(offer, lines).lines[0].explanation
    to_contractor = of_order(offer, lines, to_contractor=True).lines[0].explanation

    assert lines[0].vat_why == (
        "the standard rate: the authority commissions the works, and only a client who does so has the zero rate"
    )
    assert told.endswith(f"VAT 20 %, £1,075.00, {lines[0].vat_why}.")
    assert to_contractor.endswith("VAT 20 %, £1,075.00, the standard rate.")


def test_a_declaration_of_the_moment_of_acceptance_gives_no_false_reason(app: Flask) -> None:
    there = scene(1, vat={"RAIL01": 500})
    order = there.accepted(lines={"RAIL01": "1"})
    with transaction():
        record_declaration(order.job_id, Declared.OVER_60, TODAY, "file", by=OFFICER, now=NOW)
    look_again()
    offer = db.session.get_one(Offer, order.id)

    (line,) = of_order(offer, order_lines(offer)).lines

    assert line.vat_bp == 2_000
    assert "5 % would need the client" in line.explanation


def test_an_order_from_before_reasons_were_kept_gives_none(app: Flask) -> None:
    there = scene(1)
    order = there.accepted(lines={"RAIL01": "1"})
    with transaction():
        db.session.execute(update(OrderLine).values(vat_why=""))
    look_again()
    offer = db.session.get_one(Offer, order.id)

    assert of_order(offer, order_lines(offer)).lines[0].explanation.endswith("; VAT 20 %, £8.50.")


def test_nothing_told_of_a_job_with_an_order_changes_afterwards(app: Flask) -> None:
    there = scene(1, adjustments=[-250], vat={"SHOWER01": 0, "RAIL01": 500}, minimum_order_pence=800_000)
    with transaction():
        there.lot.framework.contracting_party = ContractingParty.APPLICANT
    job = there.job(lines={"SHOWER01": "1", "RAIL01": "2"})
    with transaction():
        first = record_declaration(job.id, Declared.DISABLED_PERSON, TODAY, "case file", by=OFFICER, now=NOW)
    allocate(job)
    accept(open_offer(job))
    before = told_of(job.reference)
    later = NOW + timedelta(days=1)

    with transaction():
        framework = db.session.get_one(Framework, there.lot.framework_id)
        framework.contracting_party = ContractingParty.AUTHORITY
        framework.variation_rates = VariationRates.EDITION_IN_FORCE
        there.lot.minimum_order_pence, there.lot.out_of_hours_bp = 5_000_000, 4_000
        withdraw_declaration(job.id, first.id, by=OFFICER, now=later)
        record_declaration(job.id, Declared.OVER_60, TODAY, "case file", by=OFFICER, now=later)
    own_terms(there, [(1, 5_000)], adjustment_bp=5_000)
    edition({"SHOWER01": 9, "RAIL01": 9}, schedule=there.edition.schedule.code, name="June", starts_on=date(2026, 6, 1))

    after = told_of(job.reference)
    assert after == before
    # Only the order has VAT; the lines at schedule rates leave it to it.
    assert {(line["vat_percent"], line["vat"]) for line in after["lines"]} == {(None, None)}
    assert all("VAT is that of the order" in line["explanation"] for line in after["lines"])
    assert [line["vat_percent"] for line in after["order"]["lines"]] == ["0", "20", "20"]
    assert after["totals"]["total"] == after["order"]["total"]


def told_of(reference: str) -> dict[str, Any]:
    """A job's document without its events."""
    look_again()
    return {name: value for name, value in job_document(job_by_reference(reference)).items() if name != "events"}


def test_a_line_at_the_schedules_rate_that_has_an_own_rate_is_a_fault(app: Flask) -> None:
    there = scene(1)
    offer = there.accepted(lines={"RAIL01": "1"})
    assert list(everything_off()) == []
    with transaction():
        db.session.get_one(Offer, offer.id).own_rates = {"RAIL01": 4_250}
    look_again()

    assert [each for each in everything_off() if "not on the terms of its offer" in each] == [
        f"Line 1 of the order from offer {offer.id} is not on the terms of its offer."
    ]


# Changes to an order --------------------------------------------------------------------------------------------------


def changed_scene(rates: VariationRates) -> tuple[Scene, Offer]:
    """A running order of the rates of April; dearer rates hold from June, and nothing of the member is as it was."""
    there = scene(1, adjustments=[-1_000], minimum_order_pence=1_000_000)
    with transaction():
        db.session.get_one(Framework, there.lot.framework_id).variation_rates = rates
    order = there.accepted(lines={"LIFT01": "1"})
    edition(
        {"LIFT01": 300_000, "RAIL01": 9_000, "NEW01": 500},
        schedule=there.edition.schedule.code,
        name="June",
        starts_on=date(2026, 6, 1),
    )
    own_terms(there, [(1, 5_000)], adjustment_bp=5_000)
    return there, order


def test_a_change_is_priced_at_the_rates_of_the_order(app: Flask) -> None:
    _, order = changed_scene(VariationRates.ORDER_EDITION)
    look_again()
    job = job_by_reference(db.session.get_one(Offer, order.id).job.reference)
    later = NOW + timedelta(days=40)

    changed = price_change(job, basket(RAIL01="2"), now=later)

    # £42.50 × 2 × 90 %, and no minimum: the order has its own.
    assert (changed.price.net_pence, changed.at_order_rates) == (7_650, True)
    with pytest.raises(InputRefused, match="1 problem"):
        price_change(job, basket(NEW01="1"), now=later)


def test_a_change_is_priced_at_the_rates_of_the_day_where_the_framework_says_so(app: Flask) -> None:
    there, order = changed_scene(VariationRates.EDITION_IN_FORCE)
    later = NOW + timedelta(days=40)
    with transaction():
        agree_own_rate(there.members[0].id, "LIFT01", 100_000, later.date(), by=OFFICER, now=later)
    look_again()
    job = job_by_reference(db.session.get_one(Offer, order.id).job.reference)

    changed = price_change(job, basket(RAIL01="2", LIFT01="1", NEW01="1"), now=later)

    # £90.00 × 2 × 90 % at the order's adjustment; the own rate that holds on the day; £5.00 × 90 %.
    assert [line.net_pence for line in changed.price.lines] == [16_200, 100_000, 450]
    assert changed.edition.name == "June"


def test_a_change_needs_an_order_that_runs(app: Flask) -> None:
    there = scene(1)
    offer = there.offered()
    look_again()

    with pytest.raises(WrongState, match="no order that runs"):
        price_change(job_by_reference(db.session.get_one(Offer, offer.id).job.reference), basket(LIFT01="1"), now=NOW)


def test_nothing_is_written_when_a_change_is_priced(app: Flask) -> None:
    _, order = changed_scene(VariationRates.ORDER_EDITION)
    look_again()
    job = job_by_reference(db.session.get_one(Offer, order.id).job.reference)

    price_change(job, basket(RAIL01="2"), now=NOW + timedelta(days=1))

    assert not db.session.new
    assert not db.session.dirty
    assert len(list(db.session.scalars(select(Offer.id)))) == 1
