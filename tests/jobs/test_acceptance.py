"""An offer is accepted while its framework, the authority's access to it and the membership hold, and not after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from builders import NATION, NOW, TODAY, Scene, accept, authority, look_again, person, scene
from flask import Flask
from sqlalchemy import select

from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.framework.models import Framework, Participation
from portal.framework.terms.services import add_participation
from portal.jobs import services
from portal.jobs.models import Job, Offer
from portal.jobs.offering import Allocated
from portal.jobs.standing import change_terms
from portal.jobs.states import DeclineReason, JobStatus, OfferStatus
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import RuleBroken
from portal.kernel.outbox import Notice

MANAGER = "manager@county.example"
LATER = NOW + timedelta(hours=2)


def home(there: Scene) -> Framework:
    return db.session.get_one(Framework, there.lot.framework_id)


def end_framework(there: Scene) -> None:
    home(there).starts_on, home(there).ends_on = TODAY - timedelta(days=400), TODAY


def end_access(there: Scene) -> None:
    db.session.scalars(select(Participation).where(Participation.framework_id == home(there).id)).one().to_on = TODAY


def lower_cap(there: Scene) -> None:
    home(there).value_cap_pence = 209_399


def keep_cap(there: Scene) -> None:
    home(there).value_cap_pence = 209_400


def move_band(there: Scene) -> None:
    there.lot.value_to_pence = 100_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (end_framework, "the framework ended on 5 May 2026"),
        (end_access, "has no access to the framework on 5 May 2026"),
        (lower_cap, "the framework's value cap £2,093.99 would be passed: £0.00 are spent or committed"),
    ],
)
def test_an_offer_cannot_be_accepted_once_nothing_may_be_called_off_and_says_what_comes_next(
    app: Flask, change: Callable[[Scene], None], reason: str
) -> None:
    there = scene(2)
    offer = there.offered()
    with transaction():
        change(there)

    with pytest.raises(RuleBroken, match=reason) as refused:
        accept(offer, now=LATER)

    assert "the offer lapses by itself on" in str(refused.value)
    look_again()
    assert db.session.get_one(Offer, offer.id).status is OfferStatus.SENT


@pytest.mark.parametrize("change", [keep_cap, move_band])
def test_what_the_offer_met_when_it_was_sent_does_not_speak_against_it_later(
    app: Flask, change: Callable[[Scene], None]
) -> None:
    there = scene(1)
    offer = there.offered()
    with transaction():
        change(there)

    assert accept(offer, now=LATER).status is OfferStatus.ACCEPTED


@pytest.mark.parametrize("way", ["declined", "taken back", "lapsed"])
def test_after_a_refused_acceptance_the_job_comes_back_to_the_officer(app: Flask, way: str) -> None:
    there = scene(2)
    person(Role.TECHNICAL_OFFICER, there.authority)
    offer = there.offered()
    with transaction():
        end_framework(there)
    with pytest.raises(RuleBroken):
        accept(offer, now=LATER)

    with transaction():
        if way == "declined":
            services.decline_offer(
                offer.id, reason_code=DeclineReason.NO_CAPACITY, reason="", by="a firm", now=LATER, nation=NATION
            )
        elif way == "taken back":
            services.withdraw_offer(offer.id, reason="It ended", by=MANAGER, now=LATER, nation=NATION)
        else:
            services.lapse_due_offers(now=offer.answer_by, nation=NATION)

    look_again()
    job = db.session.get_one(Job, offer.job_id)
    assert job.status is JobStatus.EXHAUSTED
    assert db.session.scalars(select(Notice).where(Notice.subject == f"Nobody left: {job.reference}")).all()
    assert list(everything_off()) == []


def terms(there: Scene, areas: list[str], adjustment_bp: int = 0) -> Allocated:
    with transaction():
        return change_terms(
            there.members[0].id, areas=areas, adjustment_bp=adjustment_bp, by=MANAGER, now=LATER, nation=NATION
        )


def test_when_a_member_leaves_an_area_its_open_offers_there_go_on(app: Flask) -> None:
    there = scene(2)
    order, offer = there.accepted(), there.offered()
    other = authority()
    with transaction():
        add_participation(home(there), other, by=MANAGER, now=NOW)

    done = terms(there, [other.code])

    reference = offer.job.reference
    assert done.offered == {reference: there.members[1].contractor.organisation.code}
    look_again()
    assert db.session.get_one(Offer, offer.id).status is OfferStatus.WITHDRAWN
    assert db.session.get_one(Offer, order.id).status is OfferStatus.ACCEPTED
    assert [event.action for event in events_on(f"job:{reference}")][-2:] == ["offer withdrawn", "offer sent"]
    assert list(everything_off()) == []


@pytest.mark.parametrize("district", [False, True])
def test_offers_in_the_areas_that_are_left_stay_and_keep_their_price(app: Flask, district: bool) -> None:
    there = scene(2)
    offer = there.offered()

    done = terms(there, ["RG1"] if district else [there.authority.code], adjustment_bp=5_000)

    assert (done.offered, done.exhausted) == ({}, [])
    assert accept(offer, now=LATER).price_pence == 209_400
