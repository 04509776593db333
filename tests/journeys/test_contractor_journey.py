"""A new contractor, on a phone: applies, is checked and admitted, gets an offer, loses offers with an expired document,
hands in the new one and gets offers again; the framework manager at a desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, Visitor
from builders import (
    NOW,
    PASSWORD,
    allocate,
    authority,
    edition,
    framework_with_lot,
    job,
    look_again,
    member,
    open_offer,
    person,
)
from files_made import pdf_bytes
from fixture_types import Clock
from journey_steps import fill_date, keep, link_in_mail, sign_in
from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.config import Settings
from portal.framework.models import Lot
from portal.jobs.models import Job
from portal.jobs.queries import decisions_on
from portal.kernel.db import db
from portal.kernel.outbox import Notice
from portal.rates.models import Edition
from portal.tick import tick

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
EMAIL = "office@newcomer.example"
EXPIRES = date(2026, 8, 31)


def hand_in(visitor: Visitor, file: Path, expires_on: date) -> None:
    """Hand an insurance certificate in."""
    visitor.goto("/firm/documents")
    visitor.goto("/firm/documents/new")
    visitor.fill("What is it?", "Public liability insurance")
    fill_date(visitor, expires_on)
    visitor.fill("Amount covered, in pounds", "5,000,000")
    visitor.fill("File", file)
    visitor.press("Hand it in")
    assert "is handed in" in visitor.text


def verify(visitor: Visitor) -> None:
    """Verify the one document that waits, as it was stated."""
    visitor.goto("/framework/documents")
    visitor.follow("Public liability insurance of Newcomer Ltd")
    visitor.press("Verify the document")


def told(since: datetime) -> dict[str, str]:
    """Who was written to since, and about what last."""
    look_again()
    query = select(Notice.recipient, Notice.subject).where(Notice.queued_at >= since).order_by(Notice.id)
    return dict(db.session.execute(query).all())


@dataclass(frozen=True)
class Scene:
    """An authority with a stair lift lot, its other member, rates, and the framework manager."""

    where: Organisation
    lot: Lot
    rates: Edition
    manager: Person
    settings: Settings

    def allocated(self, reference: str, at: datetime) -> Job:
        """A stair lift that has just been allocated."""
        made = job(self.where, self.lot, self.rates, reference=reference, now=at)
        allocate(made, now=at)
        look_again()
        return made


@pytest.fixture
def there(app: object, settings: Settings) -> Scene:
    """The scene of the journey."""
    where = authority("A")
    lot = framework_with_lot(where, work_type="Stair lift", requirements=("public-liability",))
    member(lot, areas=[where], rank=9, code="OTHER", documents={"public-liability": date(2030, 1, 1)})
    manager = person(Role.FRAMEWORK_MANAGER, where, "manager@authority-a.example")
    return Scene(where, lot, edition(), manager, settings)


def applies(phone: Visitor) -> None:
    """Make an account, and apply for the lot."""
    phone.goto("/sign-in")
    phone.goto("/apply")
    phone.press("Send me a link", status=422)
    phone.fill("Email address", EMAIL)
    phone.press("Send me a link")
    assert f"We have sent a link to {EMAIL}" in phone.text
    phone.goto(link_in_mail(EMAIL))
    phone.press("Make the account", status=422)
    assert "Enter the company’s name" in phone.text
    for label, value in (
        ("Company name", "Newcomer Ltd"),
        ("Company number (optional)", "01234567"),
        ("Your name", "Newcomer’s office"),
        ("Telephone number", "01632 960001"),
        ("Postcode of your office or yard", "rg2 0aa"),
        ("How many jobs can you do at once?", "3"),
        ("Choose a password", PASSWORD),
    ):
        phone.fill(label, value)
    phone.choose("Yes")
    phone.press("Make the account")
    assert "Your account is made" in phone.text
    phone.goto("/firm/apply")
    phone.choose("Stair lift")
    phone.press("Continue")
    phone.choose("Authority A")
    phone.fill("Your adjustment on the schedule’s rates", "-2.5")
    phone.press("Send the application")
    assert "Your application for Stair lift is sent" in phone.text


def hands_in_the_wrong_file(phone: Visitor, file: Path) -> None:
    """A file that is not what its name says."""
    file.write_bytes(b"GIF89a not a certificate")
    phone.goto("/firm/documents/new")
    keep(phone, "contractor-hands-in")
    phone.fill("What is it?", "Public liability insurance")
    fill_date(phone, EXPIRES)
    phone.fill("Amount covered, in pounds", "5,000,000")
    phone.fill("File", file)
    phone.press("Hand it in", status=422)
    assert f"{file.name} is not a PDF, JPEG or PNG file" in phone.text


def is_admitted(desk: Visitor, there: Scene) -> None:
    """Verified, checked and admitted, first of the lot."""
    sign_in(desk, there.manager)
    verify(desk)
    desk.goto(f"/framework/lots/{there.lot.id}")
    desk.follow("Newcomer Ltd")
    desk.unfold("Start checking the application")
    desk.press("Start checking")
    desk.unfold("Admit to the lot")
    desk.fill("Rank (optional)", "1")
    desk.press("Admit")
    assert "Admitted. Jobs can be offered from now on." in desk.text
    keep(desk, "manager-member")


def gets_its_first_offer(phone: Visitor, there: Scene) -> None:
    """Offered and accepted."""
    offer = open_offer(there.allocated("DFG-1", NOW))
    assert offer.member.contractor.email == EMAIL
    phone.goto("/")
    phone.follow("Stair lift in")
    fill_date(phone, offer.start_by)
    phone.press("Accept the job")
    assert "The job is yours" in phone.text


def gets_no_offer_and_both_are_told(there: Scene, at: datetime) -> None:
    """The day after the document's last good day."""
    assert tick(there.settings, now=at)["documents_lapsed"] == 1
    subjects = told(at)
    assert "Expired: Public liability insurance" in subjects[EMAIL]
    assert subjects[there.manager.email].startswith("Lapsed: ")
    passed = there.allocated("DFG-2", at)
    assert open_offer(passed).member.contractor.organisation.code == "OTHER"
    reasons = [reason for place in decisions_on(passed)[0].places for reason in place.reasons]
    assert any("public-liability expires on 31 August 2026" in reason for reason in reasons)


def test_a_new_contractor_from_application_to_renewed_document(
    live_server: str, visit: Visit, fixed_clock: Clock, there: Scene, tmp_path: Path
) -> None:
    phone, desk = visit(live_server, PHONE), visit(live_server, DESKTOP)
    certificate, renewed = tmp_path / "certificate.pdf", tmp_path / "renewed.pdf"
    certificate.write_bytes(pdf_bytes("Public liability, £5,000,000"))
    renewed.write_bytes(pdf_bytes("Public liability, renewed"))

    applies(phone)
    hands_in_the_wrong_file(phone, tmp_path / "photo.pdf")
    hand_in(phone, certificate, EXPIRES)
    assert set(told(NOW)) >= {EMAIL, there.manager.email}
    is_admitted(desk, there)
    gets_its_first_offer(phone, there)

    fixed_clock.at = datetime(2026, 9, 1, 9, tzinfo=UTC)
    gets_no_offer_and_both_are_told(there, fixed_clock.at)
    phone.goto("/")
    assert "expired" in phone.text.lower()
    keep(phone, "contractor-expired")
    desk.goto("/framework/documents")
    assert "no new job is offered" in desk.text

    hand_in(phone, renewed, date(2027, 8, 31))
    verify(desk)
    fixed_clock.at += timedelta(hours=1)
    assert open_offer(there.allocated("DFG-3", fixed_clock.at)).member.contractor.email == EMAIL
    phone.goto("/")
    assert "DFG-3" in phone.text
    assert list(everything_off()) == []
