"""An order keeps what it was made with, whatever is published, agreed, declared or withdrawn before and after."""

from __future__ import annotations

from dataclasses import replace
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
    edition,
    look_again,
    open_offer,
    scene,
    unique,
)
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from portal.checks import everything_off
from portal.framework.models import Framework
from portal.framework.states import ContractingParty, VariationRates
from portal.framework.terms.lots import change_lot, terms_of_lot
from portal.framework.terms.services import change_framework, terms_of
from portal.jobs import services
from portal.jobs.funding import record_declaration, record_funding, withdraw_declaration
from portal.jobs.funding_models import VatDeclaration
from portal.jobs.models import Job, Offer, OrderLine
from portal.jobs.order_prices import of_offer, of_order
from portal.jobs.ordering import declarations_on
from portal.jobs.queries import order_lines
from portal.jobs.standing import change_terms
from portal.jobs.states import DeclineReason, OfferStatus
from portal.kernel.db import db, transaction
from portal.kernel.errors import PortalError
from portal.rates.models import Schedule, StarRate
from portal.rates.own_rates import agree_own_rate, end_own_rate
from portal.rates.services import withdraw_item
from portal.rates.star_rates.services import ProposedRate, approve_star_rate, propose_star_rate, withdraw_star_rate
from portal.rates.states import PriceRule
from portal.rates.vat import Declared

ITEMS = {"LIFT01": 209_400, "RAIL01": 4_250, "SHOWER01": 537_533}
VAT = {"SHOWER01": 0, "RAIL01": 500}


def priced_scene(members: int = 2) -> Scene:
    """A scene whose client commissions, with a band, an own rate, a minimum order and an uplift."""
    there = scene(
        members, adjustments=[-250] * members, items=ITEMS, vat=VAT, minimum_order_pence=25_000, out_of_hours_bp=2_000
    )
    with transaction():
        there.lot.framework.contracting_party = ContractingParty.APPLICANT
    for each in there.members:
        own_terms(there, each.id, adjustment_bp=-250, bands=[(500_000, -725)])
        with transaction():
            agree_own_rate(each.id, "RAIL01", 3_999, TODAY, schedule=there.edition.schedule.code, by=OFFICER, now=NOW)
    return there


def own_terms(there: Scene, member_id: int, *, adjustment_bp: int, bands: list[tuple[int, int]]) -> None:
    with transaction():
        change_terms(
            member_id,
            areas=[there.authority.code],
            adjustment_bp=adjustment_bp,
            bands=bands,
            by=OFFICER,
            now=NOW,
            nation=NATION,
        )


def lines_of(offer: Offer) -> list[OrderLine]:
    look_again()
    return order_lines(db.session.get_one(Offer, offer.id))


def test_an_order_is_the_offer_written_out_on_its_terms(app: Flask) -> None:
    there = priced_scene()
    job = there.job(lines={"LIFT01": "1.5", "RAIL01": "2.5", "SHOWER01": "1"}, out_of_hours=True)
    with transaction():
        record_declaration(job.id, Declared.DISABLED_PERSON, TODAY, "case file", by=OFFICER, now=NOW)
    allocate(job)
    offer = open_offer(job)

    accept(offer)

    lift, rail, shower = lines_of(offer)
    # £2,094.00 × 1.5 × 92.75 % × 120 %; £39.99 × 2.5 × 120 %, without the adjustment; £5,375.33 × 92.75 % × 120 %.
    assert [(line.rule, line.net_pence, line.vat_bp) for line in (lift, rail, shower)] == [
        (PriceRule.SCHEDULE_RATE, 349_593, 2_000),
        (PriceRule.OWN_RATE, 11_997, 2_000),
        (PriceRule.SCHEDULE_RATE, 598_274, 0),
    ]
    assert (lift.adjustment_bp, rail.adjustment_bp, lift.uplift_bp) == (-725, 0, 2_000)
    assert offer.price_pence == sum(line.net_pence for line in (lift, rail, shower))
    assert (offer.band_pence, offer.own_rates) == (500_000, {"RAIL01": 3_999})
    assert list(everything_off()) == []


def test_an_order_below_the_minimum_gets_a_line_that_says_so(app: Flask) -> None:
    there = priced_scene()

    offer = there.accepted(lines={"RAIL01": "2"})

    rail, filling = lines_of(offer)
    assert (filling.rule, filling.code, filling.net_pence) == (
        PriceRule.MINIMUM_ORDER,
        "MINIMUM-ORDER",
        25_000 - rail.net_pence,
    )
    assert offer.price_pence == 25_000
    assert "minimum order of £250.00" in of_order(offer, [rail, filling]).lines[1].explanation
    assert list(everything_off()) == []


@pytest.mark.parametrize("party", list(ContractingParty))
def test_the_zero_rate_needs_a_client_who_commissions_and_the_declaration(app: Flask, party: ContractingParty) -> None:
    there = priced_scene(1)
    with transaction():
        db.session.get_one(Framework, there.lot.framework_id).contracting_party = party
    with_it, without = there.job(lines={"SHOWER01": "1"}), there.job(lines={"SHOWER01": "1"})
    with transaction():
        record_declaration(with_it.id, Declared.DISABLED_PERSON, TODAY, "case file", by=OFFICER, now=NOW)
    allocate(with_it, without)
    orders = [accept(open_offer(job)) for job in (with_it, without)]

    rates = [lines_of(order)[0].vat_bp for order in orders]

    assert rates == [0 if party is ContractingParty.APPLICANT else 2_000, 2_000]


def test_an_offer_shows_the_very_lines_that_its_order_has(app: Flask) -> None:
    there = priced_scene()
    job = there.job(lines={"LIFT01": "1", "RAIL01": "3.333", "SHOWER01": "0.5"}, out_of_hours=True)
    with transaction():
        record_declaration(job.id, Declared.OVER_60, TODAY, "case file", by=OFFICER, now=NOW)
    allocate(job)
    offer = open_offer(job)
    before = of_offer(offer, declarations_on(job.id))
    accept(offer)
    look_again()
    offer = db.session.get_one(Offer, offer.id)

    after = of_order(offer, order_lines(offer))

    assert after.lines == before.lines
    assert after.total_pence == before.total_pence


# No order ever changes price ------------------------------------------------------------------------------------------


class Prices(RuleBasedStateMachine):
    """Officers and contractors make orders; meanwhile everything that prices works is changed."""

    @initialize()
    def begin(self) -> None:
        self.there = priced_scene()
        self.now = NOW
        self.known: dict[tuple[str, int], Any] = {}
        self.numbers = 0

    def tomorrow(self) -> None:
        self.now += timedelta(days=1)

    @property
    def today(self) -> date:
        return self.now.date()

    def attempt(self, work: Any) -> None:
        """Do something that may be refused by a rule: refused or not, no price may change."""
        try:
            with transaction():
                work()
        except PortalError:
            db.session.rollback()

    @rule(
        lines=st.dictionaries(
            st.sampled_from(sorted(ITEMS)), st.integers(1, 4_000).map(lambda n: str(Decimal(n) / 1000)), min_size=1
        ),
        out_of_hours=st.booleans(),
    )
    def specify_and_offer(self, lines: dict[str, str], out_of_hours: bool) -> None:
        try:
            job = self.there.job(lines=lines, out_of_hours=out_of_hours, now=self.now)
        except PortalError:
            db.session.rollback()
            return
        allocate(job, now=self.now)

    @rule(which=st.integers(0, 5), yes=st.booleans())
    def answer(self, which: int, yes: bool) -> None:
        offers = list(db.session.scalars(select(Offer).where(Offer.status == OfferStatus.SENT).order_by(Offer.id)))
        if not offers:
            return
        offer = offers[which % len(offers)]
        self.attempt(
            lambda: (
                services.accept_offer(offer.id, start_on=self.today, by="firm", now=self.now, nation=NATION)
                if yes
                else services.decline_offer(
                    offer.id, reason_code=DeclineReason.PRICE, reason="", by="firm", now=self.now, nation=NATION
                )
            )
        )

    @rule(rates=st.lists(st.integers(1, 10**6), min_size=3, max_size=3))
    def publish_an_edition(self, rates: list[int]) -> None:
        self.tomorrow()
        self.there.edition = edition(
            dict(zip(ITEMS, rates, strict=True)),
            schedule=self.there.edition.schedule.code,
            name=unique("edition "),
            starts_on=self.today,
            vat=VAT,
        )

    @rule(which=st.integers(0, 1), adjustment=st.integers(-5_000, 5_000), band=st.integers(1, 10**6))
    def change_adjustments(self, which: int, adjustment: int, band: int) -> None:
        own_terms(self.there, self.there.members[which].id, adjustment_bp=adjustment, bands=[(band, -adjustment)])

    @rule(which=st.integers(0, 1), code=st.sampled_from(sorted(ITEMS)), rate=st.integers(0, 10**6))
    def agree_or_end_an_own_rate(self, which: int, code: str, rate: int) -> None:
        member_id, schedule = self.there.members[which].id, self.there.edition.schedule.code
        if rate:
            self.attempt(
                lambda: agree_own_rate(member_id, code, rate, self.today, schedule=schedule, by=OFFICER, now=self.now)
            )
        else:
            self.attempt(lambda: end_own_rate(member_id, code, self.today, schedule=schedule, by=OFFICER, now=self.now))

    @rule(minimum=st.integers(0, 10**6), uplift=st.integers(0, 20_000))
    def change_the_lot(self, minimum: int, uplift: int) -> None:
        look_again()
        lot = self.there.lot
        terms = replace(terms_of_lot(lot), minimum_order_pence=minimum, out_of_hours_bp=uplift)
        self.attempt(lambda: change_lot(lot.id, terms, by=OFFICER, now=self.now))

    @rule(party=st.sampled_from(list(ContractingParty)), rates=st.sampled_from(list(VariationRates)))
    def change_the_framework(self, party: ContractingParty, rates: VariationRates) -> None:
        look_again()
        framework = self.there.lot.framework
        terms = replace(terms_of(framework), contracting_party=party, variation_rates=rates)
        self.attempt(lambda: change_framework(framework.id, terms, by=OFFICER, now=self.now))

    @rule(which=st.integers(0, 5), kind=st.sampled_from(list(Declared)), withdraw=st.booleans())
    def declare_or_withdraw(self, which: int, kind: Declared, withdraw: bool) -> None:
        jobs = list(db.session.scalars(select(Job).order_by(Job.id)))
        if not jobs:
            return
        job = jobs[which % len(jobs)]
        standing = db.session.scalars(
            select(VatDeclaration).where(VatDeclaration.job_id == job.id, VatDeclaration.withdrawn_at.is_(None))
        ).first()
        self.now += timedelta(seconds=1)
        if withdraw and standing is not None:
            self.attempt(lambda: withdraw_declaration(job.id, standing.id, by=OFFICER, now=self.now))
        else:
            self.attempt(lambda: record_declaration(job.id, kind, self.today, "file", by=OFFICER, now=self.now))
        self.attempt(lambda: record_funding(job.id, contribution_pence=100, agreed_pence=0, by=OFFICER, now=self.now))

    @precondition(lambda self: self.numbers < 2)
    @rule(code=st.sampled_from(sorted(ITEMS)))
    def withdraw_an_item(self, code: str) -> None:
        self.numbers += 1
        self.attempt(
            lambda: withdraw_item(
                self.there.edition.id, code, self.today, reason="no longer made", by=OFFICER, now=self.now
            )
        )

    @rule(rate=st.integers(1, 10**6))
    def agree_and_withdraw_a_star_rate(self, rate: int) -> None:
        schedule = db.session.get_one(Schedule, self.there.edition.schedule_id)
        wanted = ProposedRate("Ramp of steel", "nr", rate, "not in the schedule", "Access", 0)
        made: list[StarRate] = []
        self.attempt(
            lambda: made.append(propose_star_rate(schedule, self.there.authority, wanted, by=OFFICER, now=self.now))
        )
        star_id, code = made[0].id, made[0].code
        self.attempt(lambda: approve_star_rate(star_id, self.today, None, by="second@authority.example", now=self.now))
        self.specify_and_offer({code: "1.5", "LIFT01": "0.1"}, out_of_hours=False)
        self.attempt(lambda: withdraw_star_rate(star_id, "agreed in error", by=OFFICER, now=self.now))

    @invariant()
    def no_price_has_changed(self) -> None:
        if not hasattr(self, "there"):
            return
        look_again()
        seen: dict[tuple[str, int], Any] = {}
        for offer in db.session.scalars(select(Offer)):
            seen["offer", offer.id] = (
                offer.price_pence,
                offer.adjustment_bp,
                offer.own_rates,
                offer.uplift_bp,
                offer.minimum_pence,
            )
            if offer.status is OfferStatus.SENT:
                assert of_offer(offer, declarations_on(offer.job_id)).net_pence == offer.price_pence
            lines = order_lines(offer)
            if lines:
                assert sum(line.net_pence for line in lines) == offer.price_pence
                seen["order", offer.id] = [
                    (
                        line.code,
                        line.description,
                        line.quantity,
                        line.rate_pence,
                        line.rule,
                        line.edition_id,
                        line.adjustment_bp,
                        line.uplift_bp,
                        line.net_pence,
                        line.vat_bp,
                        line.vat_pence,
                        line.vat_why,
                    )
                    for line in lines
                ]
        for key, values in self.known.items():
            assert seen[key] == values, key
        self.known = seen

    def teardown(self) -> None:
        assert list(everything_off()) == []


def test_no_order_and_no_open_offer_ever_changes_its_price(app: Flask) -> None:
    run_state_machine_as_test(
        Prices,
        settings=settings(
            max_examples=5,
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
