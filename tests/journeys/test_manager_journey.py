"""A framework manager: sets a framework and a lot up, admits members, ranks them anew at a review, releases one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from browser import DESKTOP, Visitor
from builders import NOW, allocate, authority, edition, job, look_again, open_offer, person
from files_made import document
from fixture_types import Clock
from journey_steps import fill_date, keep, sign_in
from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.config import Settings
from portal.framework.firms import services as firms
from portal.framework.member_models import Contractor, Member
from portal.framework.models import Framework, Lot, Review
from portal.framework.roster import Roster
from portal.framework.states import MemberStatus
from portal.jobs.models import Offer
from portal.jobs.states import OfferStatus
from portal.kernel.db import db, transaction

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
REVIEW = date(2026, 7, 1)


def firm(name: str, lot: Lot, where: Organisation, uploads: Path, number: int) -> Member:
    """A firm that has applied for the lot, its insurance verified."""
    details = firms.FirmDetails(f"office@{name.lower()}.example", "01632 960000", "RG1 1AA", True, 3, None, (), "")
    with transaction():
        person = firms.add_firm(firms.NewFirm(name, "Office", "a password of some length", details, ""), now=NOW)
    contractor = db.session.scalars(
        select(Contractor).where(Contractor.organisation_id == person.organisation_id)
    ).one()
    document(contractor, uploads, expires_on=date(2028, 1, number))
    with transaction():
        return firms.apply_for_lot(
            contractor.id,
            lot.id,
            areas=[where.code],
            adjustment_bp=0,
            social_value="",
            by=person.email,
            now=NOW,
        )


def sets_up(desk: Visitor) -> None:
    """An open framework with a lot for stair lifts."""
    desk.goto("/framework")
    desk.goto("/framework/new")
    desk.press("Save the terms", status=422)
    desk.fill("Code", "COUNTY")
    desk.fill("Name", "Adaptations in the county")
    desk.choose("Framework agreement")
    fill_date(desk, date(2026, 4, 1), "Starts on")
    fill_date(desk, date(2034, 4, 2), "Ends on")
    desk.fill("Value cap in pounds (optional)", "2,000,000")
    desk.press("Save the terms", status=422)
    assert "at most 8 years" in desk.text
    fill_date(desk, date(2030, 4, 1), "Ends on")
    desk.press("Save the terms")
    desk.follow("Add an authority")
    desk.fill("Authority", "Authority A")
    desk.press("Add the authority")
    desk.follow("Add a lot")
    desk.fill("Name of the lot", "Stair lifts")
    desk.fill("Work types, one a line", "Stair lift")
    desk.choose("Required", "Public liability insurance")
    desk.press("Save the lot")
    assert "Stair lifts" in desk.heading
    assert "no member" in desk.text


def admits(desk: Visitor, lot: Lot, name: str, rank: str = "") -> None:
    """An applicant, with a rank or behind everybody else."""
    desk.goto(f"/framework/lots/{lot.id}")
    desk.follow(name)
    desk.unfold("Start checking the application")
    desk.press("Start checking")
    desk.unfold("Admit to the lot")
    desk.fill("Rank (optional)", rank)
    desk.press("Admit")
    assert "Admitted" in desk.text


def plans_and_opens_a_review(desk: Visitor, clock: Clock) -> Review:
    """Planned for July, opened on the day."""
    desk.goto("/framework/COUNTY/reviews")
    fill_date(desk, REVIEW)
    desk.press("Plan the review")
    review = db.session.scalars(select(Review)).one()
    clock.at = NOW + (REVIEW - NOW.date())
    desk.goto(f"/framework/reviews/{review.id}")
    desk.press("Open the review")
    return review


def ranks_anew(desk: Visitor, review: Review, names: tuple[str, ...], starts_on: date) -> None:
    """A new edition of ranks from a day on; one rank given twice is refused first."""
    desk.follow("Set new ranks")
    fill_date(desk, starts_on)
    for name in names:
        desk.fill(f"Rank of {name}", "1")
    desk.press("Publish the ranks", status=422)
    assert "would share rank 1" in desk.text
    for rank, name in enumerate(names, start=1):
        desk.fill(f"Rank of {name}", str(rank))
    keep(desk, "manager-ranks")
    desk.press("Publish the ranks")
    desk.goto(f"/framework/reviews/{review.id}")
    desk.fill("What the review came to", "One firm admitted, ranks from August by price.")
    desk.press("Close the review")


def in_order(lot: Lot, day: date) -> list[str]:
    """The names of the active members in rank order."""
    look_again()
    return [each.name for each in Roster([lot.id], day).members[lot.id] if each.active]


def test_a_framework_from_its_first_lot_to_a_release(
    live_server: str, visit: Visit, fixed_clock: Clock, settings: Settings
) -> None:
    where, rates = authority("A"), edition()
    desk = visit(live_server, DESKTOP)
    sign_in(desk, person(Role.FRAMEWORK_MANAGER, where))

    sets_up(desk)
    lot = db.session.scalars(select(Lot).join(Framework).where(Framework.code == "COUNTY")).one()
    firm("Early", lot, where, settings.uploads, 1)
    second = firm("Second", lot, where, settings.uploads, 2)
    admits(desk, lot, "Early", "1")
    admits(desk, lot, "Second", "2")
    review = plans_and_opens_a_review(desk, fixed_clock)
    firm("Late", lot, where, settings.uploads, 3)
    admits(desk, lot, "Late")
    desk.goto(f"/framework/reviews/{review.id}")
    starts_on = REVIEW + timedelta(days=31)
    ranks_anew(desk, review, ("Second", "Late", "Early"), starts_on)

    assert in_order(lot, starts_on - timedelta(days=1)) == ["Early", "Second", "Late"]
    assert in_order(lot, starts_on) == ["Second", "Late", "Early"]
    fixed_clock.at += timedelta(days=35)
    offered = job(where, lot, rates, reference="DFG-1", now=fixed_clock.at)
    allocate(offered, now=fixed_clock.at)
    look_again()
    assert open_offer(offered).member_id == second.id

    # Released: what it had not accepted goes on at once.
    desk.goto(f"/framework/members/{second.id}")
    desk.unfold("Release on the contractor’s request")
    desk.press("Release")
    assert "Released without penalty" in desk.text
    look_again()
    assert [each.status for each in db.session.scalars(select(Offer).order_by(Offer.id))] == [
        OfferStatus.WITHDRAWN,
        OfferStatus.SENT,
    ]
    assert in_order(lot, fixed_clock.at.date()) == ["Late", "Early"]
    desk.goto("/framework/contractors?on=2026-06-01")
    assert "Second" in desk.text
    keep(desk, "manager-contractors")
    standings = {each.name: each.standing.status for each in Roster([lot.id], date(2026, 6, 1))}
    assert standings == {"Early": MemberStatus.ACTIVE, "Second": MemberStatus.ACTIVE, "Late": MemberStatus.APPLIED}
    assert list(everything_off()) == []
