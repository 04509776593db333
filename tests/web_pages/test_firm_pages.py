"""A firm's own pages: it makes its account, applies, keeps its details and documents, and leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from builders import (
    NOW,
    OFFICER,
    PASSWORD,
    TODAY,
    Scene,
    authority,
    framework_with_lot,
    look_again,
    member,
    person,
    scene,
    standing_of,
)
from files_made import document, pdf_bytes, picture_bytes
from fixture_types import AT_MOST, Clock
from flask import Flask
from journey_steps import link_in_mail
from sqlalchemy import func, select
from strict_client import Page, StrictClient

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import Role
from portal.config import MEGABYTE, Settings
from portal.framework.firms import joining
from portal.framework.firms import services as firms
from portal.framework.member_models import Absence, Contractor, ContractorDocument, Member
from portal.framework.members.services import set_member_status
from portal.framework.states import DocumentStatus, MemberStatus
from portal.jobs.models import Offer
from portal.jobs.states import OfferStatus
from portal.kernel.db import db, transaction
from portal.kernel.outbox import Notice

SignIn = Callable[[Person], StrictClient]
ANSWERS = {
    "Company name": "Northbridge Adaptations Ltd",
    "Company number (optional)": "1234567",
    "Telephone number": "01632 960001",
    "Postcode of your office or yard": "rg12ab",
    "Yes": True,
    "Trades (optional)": "Stair lifts, bathrooms",
    "How many jobs can you do at once?": "0",
    "Most value of work in a month (optional)": "£20,000",
    "Your name": "The office",
    "Choose a password": PASSWORD,
}
EMAIL, SEND = "office@northbridge.example", "Send me a link"
VALID, ADJUSTMENT = "Last day on which it is valid", "Your adjustment on the schedule’s rates"
DISTRICTS = "Postcode districts (optional)"
IN_A_YEAR = TODAY + timedelta(days=365)


@pytest.fixture
def there(app: Flask, fixed_clock: Clock) -> Scene:
    """A lot with two members; the first is the firm of these tests."""
    return scene(members=2, requirements=["public-liability", "ssip"])


@pytest.fixture
def firm(there: Scene) -> Contractor:
    return there.members[0].contractor


@pytest.fixture
def visitor(firm: Contractor, sign_in: SignIn) -> StrictClient:
    """Somebody of the firm, signed in."""
    return sign_in(person(Role.CONTRACTOR, firm.organisation))


def day(prefix: str, on: date) -> dict[str, str]:
    """The three boxes of a date."""
    return {
        f"{prefix}: Day": str(on.day),
        f"{prefix}: Month": str(on.month),
        f"{prefix}: Year": str(on.year),
    }


def count(model: type) -> int:
    look_again()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# The account ----------------------------------------------------------------------------------------------------------


def link_to_join(client: StrictClient, email: str = EMAIL) -> str:
    """Ask for a link, and read it out of the mail."""
    client.get("/apply").submit(SEND, {"Email address": email})
    return link_in_mail(email)


def test_a_firm_makes_its_account_and_lands_on_its_own_page(client: StrictClient) -> None:
    asked = client.get("/sign-in").click("Apply to join the framework")
    sent = client.follow(asked.submit(SEND, {"Email address": "Office@northbridge.example"}))
    assert f"We have sent a link to {EMAIL}; it holds for 24 hours" in sent.text
    assert count(Organisation) == count(Contractor) == count(Person) == 0

    form = client.get(link_in_mail(EMAIL))
    assert form.soup.select_one("#email")["value"] == EMAIL
    page = form.submit("Make the account", ANSWERS)

    assert page.location == "/firm"
    landed = client.follow(page)
    assert "Your account is made" in landed.text
    assert "You are a member of no lot" in landed.text
    assert "0: no job is offered to you" in landed.text
    look_again()
    made = db.session.scalars(select(Contractor)).one()
    assert (made.email, made.postcode, made.company_number) == (EMAIL, "RG1 2AB", "01234567")
    assert (made.capacity, made.month_limit_pence) == (0, 2_000_000)
    assert client.get("/apply", 302).location == "/firm"
    assert client.get(link_in_mail(EMAIL), 302).location == "/firm"


def test_nobody_learns_from_the_first_page_who_has_an_account(app: Flask, there: Scene) -> None:
    known = person(Role.AUDITOR).email
    pages = {}
    for email in (known, "nobody@newcomer.example"):
        visitor = StrictClient(app)
        sent = visitor.get("/apply").submit(SEND, {"Email address": email})
        pages[email] = (sent.location, visitor.follow(sent).text.replace(email, "ADDRESS"))

    assert len(set(pages.values())) == 1
    assert link_in_mail(known) == "/sign-in"
    assert link_in_mail("nobody@newcomer.example").startswith("/apply/")


def test_asking_costs_the_same_whoever_has_an_account(
    app: Flask, client: StrictClient, there: Scene, query_counter: AT_MOST
) -> None:
    known = person(Role.AUDITOR).email
    statements = []
    for email in ("first@newcomer.example", known, "second@newcomer.example"):
        page = client.get("/apply")
        look_again()
        with query_counter(20) as ran:
            page.submit(SEND, {"Email address": email})
        statements.append([statement.split()[0] for statement in ran])

    assert statements[1] == statements[2]


def test_the_address_comes_from_the_link_alone(client: StrictClient) -> None:
    form = client.get(link_to_join(client))
    token = form.soup.select_one("input[name=csrf_token]")
    filled = {
        "csrf_token": token["value"],
        "company": "Northbridge",
        "contact": "The office",
        "email": "victim@elsewhere.example",
        "password": PASSWORD,
        "phone": "01632 960001",
        "postcode": "RG1 2AB",
        "sme": "yes",
        "capacity": "1",
    }

    client.post(form.path, filled)

    look_again()
    assert list(db.session.scalars(select(Person.email))) == [EMAIL]


@pytest.mark.parametrize("spoilt", ["x", "{0}x", "x.{0}", "{0}.{0}", "%00", "é"])
def test_a_link_that_was_not_sent_opens_nothing(client: StrictClient, spoilt: str) -> None:
    path = link_to_join(client).removeprefix("/apply/")

    assert client.client.get(f"/apply/{spoilt.format(path)}").status_code in {400, 404}


def test_a_link_of_another_portal_opens_nothing(client: StrictClient) -> None:
    forged = joining.sealed(EMAIL, key="another secret key", until=NOW + timedelta(hours=1))

    client.get(f"/apply/{forged}", 404)


def test_a_link_holds_for_a_day(client: StrictClient, fixed_clock: Clock) -> None:
    path = link_to_join(client)
    fixed_clock.at = NOW + timedelta(hours=23, minutes=59)
    form = client.get(path)

    fixed_clock.at = NOW + timedelta(hours=24)
    over = client.get(path, 410)
    form.submit("Make the account", ANSWERS, status=410)

    assert "This link held for 24 hours" in over.text
    assert over.click("Ask for a new link").path == "/apply"
    assert count(Person) == 0


def test_a_link_makes_one_account(app: Flask, client: StrictClient) -> None:
    path = link_to_join(client)
    second = StrictClient(app)
    form = second.get(path)
    client.get(path).submit("Make the account", ANSWERS)

    for over in (second.get(path, 410), form.submit("Make the account", ANSWERS, status=410)):
        assert "This link was used; sign in" in over.text
        assert over.click("sign in").path == "/sign-in"
    assert count(Organisation) == count(Contractor) == count(Person) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [("", "Enter your email address"), ("kim at northbridge", "in the right form"), ("x" * 255, "at most 254")],
)
def test_an_address_that_cannot_be_is_said(client: StrictClient, asked: str, said: str) -> None:
    page = client.get("/apply").submit(SEND, {"Email address": asked}, status=422)

    assert said in page.text
    assert count(Notice) == 0


def test_the_link_leads_to_the_address_of_the_portal_whatever_the_request_says(app: Flask, there: Scene) -> None:
    settings: Settings = app.config["PORTAL"]
    for address, expected in ((None, "http://odd.example/apply/"), ("https://f.example", "https://f.example/apply/")):
        app.config["PORTAL"] = replace(settings, address=address)
        visitor = app.test_client()
        body = visitor.get("/apply", base_url="http://odd.example").get_data(as_text=True)
        token = body.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        visitor.post("/apply", data={"csrf_token": token, "email": EMAIL}, base_url="http://odd.example")
        look_again()
        latest = db.session.scalars(select(Notice).order_by(Notice.id.desc())).first()
        assert latest is not None
        assert expected in latest.body


def test_an_administrator_sees_the_link_in_the_outbox_and_an_auditor_does_not(
    client: StrictClient, sign_in: SignIn
) -> None:
    path = link_to_join(client)

    assert path in sign_in(person(Role.ADMINISTRATOR)).get("/outbox").text
    seen = sign_in(person(Role.AUDITOR)).get("/outbox").text
    assert path not in seen
    assert "/apply/…" in seen


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Company name": ""}, "Enter the company’s name"),
        ({"Company name": "x" * 201}, "at most 200 characters"),
        ({"Company number (optional)": "12 34 56 78 9"}, "as Companies House writes it"),
        ({"Postcode of your office or yard": "RG1"}, "Enter a full postcode"),
        ({"Telephone number": ""}, "Enter the telephone number"),
        ({"Choose a password": "short"}, "must have 12 characters or more"),
        ({"How many jobs can you do at once?": "many"}, "Enter a whole number"),
        ({"How many jobs can you do at once?": ""}, "Enter how many jobs"),
        ({"Most value of work in a month (optional)": "-1"}, "cannot be below £0"),
        ({"Trades (optional)": "x" * 81}, "at most 80 fit"),
        ({"Your name": " "}, "Enter your name"),
    ],
)
def test_a_mistake_is_said_and_nothing_is_made(client: StrictClient, changed: dict[str, str], said: str) -> None:
    form = client.get(link_to_join(client))
    page = form.submit("Make the account", {**ANSWERS, **changed}, status=422)

    assert said in page.text
    assert page.title.startswith("Error: ")
    assert count(Organisation) == count(Contractor) == count(Person) == 0


def test_a_company_number_that_is_taken_is_said_once_the_address_is_proven(app: Flask, client: StrictClient) -> None:
    client.get(link_to_join(client)).submit("Make the account", ANSWERS)
    second = StrictClient(app)

    form = second.get(link_to_join(second, "lee@northbridge.example"))
    refused = form.submit("Make the account", ANSWERS, status=409)

    said = refused.soup.select_one("#company_number-error")
    assert said is not None
    assert "is on the list already; ask the framework manager" in said.get_text()
    assert count(Organisation) == count(Contractor) == count(Person) == 1


def test_one_address_is_written_to_five_times_an_hour(app: Flask, client: StrictClient) -> None:
    for spelt in (EMAIL, f" {EMAIL}", EMAIL.upper(), EMAIL, EMAIL):
        client.get("/apply").submit(SEND, {"Email address": spelt})

    StrictClient(app).get("/apply").submit(SEND, {"Email address": EMAIL}, status=429)
    client.get("/apply").submit(SEND, {"Email address": "other@northbridge.example"})


def test_one_place_asks_for_twenty_links_an_hour_whatever_it_mistypes(client: StrictClient) -> None:
    page = client.get("/apply")
    for number in range(20):
        page.submit(SEND, {"Email address": f"firm{number}@newcomer.example"})
    page.submit(SEND, {"Email address": "one@newcomer.example"}, status=429)

    assert count(Notice) == 20


def test_too_many_tries_from_one_place_are_put_off(client: StrictClient) -> None:
    page = client.get(link_to_join(client))
    for _ in range(30):
        page.submit("Make the account", status=422)

    page.submit("Make the account", status=429)


def test_errors_come_in_the_order_of_the_page(client: StrictClient) -> None:
    page = client.get(link_to_join(client)).submit("Make the account", status=422)

    order = [str(link["href"]) for link in page.soup.select(".govuk-error-summary a")]
    assert order[:2] == ["#company", "#phone"]
    assert order[-1] == "#password"


def test_staff_who_open_the_door_for_firms_are_led_back(app: Flask, sign_in: SignIn) -> None:
    assert sign_in(person(Role.AUDITOR)).get("/apply", 302).location == "/"


def test_an_account_of_no_listed_firm_is_told_whom_to_ask(app: Flask, sign_in: SignIn) -> None:
    visitor = sign_in(person(Role.CONTRACTOR))

    visitor.get("/")
    for path in ("", "/apply", "/details", "/availability", "/documents", "/documents/new"):
        assert "Ask the framework manager to put it there" in visitor.get(f"/firm{path}", 403).text


# Where the firm stands ------------------------------------------------------------------------------------------------


def test_the_firm_sees_its_place_and_what_is_missing(there: Scene, visitor: StrictClient) -> None:
    page = visitor.get("/firm")

    assert there.lot.name in page.text
    assert "You are a member, but no job is offered to you until every required document holds" in page.text
    assert page.text.count("Missing") == 2
    assert page.click("Public liability insurance : hand in").h1 == "Hand in a document"


def test_the_firm_sees_why_it_is_suspended_and_until_when(there: Scene, visitor: StrictClient) -> None:
    until = TODAY + timedelta(days=20)
    with transaction():
        set_member_status(
            there.members[0], MemberStatus.SUSPENDED, reason="A claim is open.", by=OFFICER, now=NOW, until_on=until
        )

    for path in ("/", "/firm"):
        page = visitor.get(path)
        assert "Suspended" in page.text
        assert "The suspension ends by itself on 25 May 2026." in page.text
    assert "Reason: A claim is open." in visitor.get("/firm").text


def test_the_worklist_says_first_what_the_membership_needs(
    there: Scene, firm: Contractor, settings: Settings, visitor: StrictClient
) -> None:
    document(firm, settings.uploads, expires_on=TODAY + timedelta(days=59))
    document(firm, settings.uploads, kind="ssip", status=DocumentStatus.REJECTED)

    text = visitor.get("/").text

    assert "It expires on 3 July 2026. Hand in the next one." in text
    assert "It could not be accepted: The name of the company cannot be read." in text
    assert text.index("Your firm") < text.index("No job is offered to you at the moment")


def test_a_firm_in_order_finds_nothing_about_itself_on_its_worklist(
    there: Scene, firm: Contractor, settings: Settings, visitor: StrictClient
) -> None:
    for kind in ("public-liability", "ssip"):
        document(firm, settings.uploads, kind=kind, expires_on=IN_A_YEAR)

    assert "Your firm" not in visitor.get("/").text
    assert "Jobs can be offered to you." in visitor.get("/firm").text


def test_pages_of_a_firm_take_few_statements(
    there: Scene, firm: Contractor, settings: Settings, visitor: StrictClient, query_counter: AT_MOST
) -> None:
    for _ in range(4):
        member(framework_with_lot(there.authority, requirements=["ssip"]), areas=[there.authority], code=None)
        document(firm, settings.uploads)
    more = [framework_with_lot(within=there.lot.framework, requirements=["ssip", "gas"]) for _ in range(6)]
    for lot in more:
        with transaction():
            firms.apply_for_lot(
                firm.id,
                lot.id,
                areas=[there.authority.code],
                adjustment_bp=0,
                social_value="",
                by=firm.email,
                now=NOW,
            )
    look_again()

    for path in ("/", "/firm", "/firm/documents", "/firm/documents/new", "/firm/availability", "/firm/details"):
        with query_counter(14):
            visitor.get(path)


# Applying -------------------------------------------------------------------------------------------------------------


def test_the_firm_applies_for_a_lot(there: Scene, firm: Contractor, visitor: StrictClient) -> None:
    lot = framework_with_lot(there.authority, requirements=["gas"])

    form = visitor.get("/firm").click("Apply for a lot").submit("Continue", {lot.name: True})
    answers = {
        there.authority.name: True,
        DISTRICTS: "rg1, RG2",
        ADJUSTMENT: "−2.5 %",
        "Social value statement (optional)": "Two apprentices a year.",
    }
    done = form.submit("Send the application", answers)

    assert "Gas Safe registration" in form.text
    page = visitor.follow(done)
    assert f"Your application for {lot.name} is sent." in page.text
    assert "waits to be checked" in page.text
    look_again()
    made = db.session.scalars(select(Member).where(Member.lot_id == lot.id)).one()
    assert (made.adjustment_bp, {area.code for area in made.areas}) == (-250, {there.authority.code, "RG1", "RG2"})
    assert "Application sent" in visitor.get("/").text


def test_an_application_sent_again_is_told_so(there: Scene, firm: Contractor, visitor: StrictClient) -> None:
    lot = framework_with_lot(there.authority)
    form = visitor.get(f"/firm/apply?lot={lot.id}")
    answers = {there.authority.name: True, ADJUSTMENT: "0"}
    form.submit("Send the application", answers)
    before = count(Member)

    again = form.submit("Send the application", answers, status=409)

    assert "You have applied for this lot already" in again.text
    assert count(Member) == before
    visitor.get(f"/firm/apply?lot={there.lot.id}", 409)
    visitor.get("/firm/apply?lot=99999", 409)
    assert lot.name not in visitor.get("/firm/apply?lot=x").text


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({ADJUSTMENT: "0"}, "Choose at least one area"),
        (
            {DISTRICTS: "RG1", ADJUSTMENT: ""},
            "Enter your adjustment",
        ),
        (
            {DISTRICTS: "RG1", ADJUSTMENT: "x"},
            "in per cent, such as",
        ),
        ({DISTRICTS: "RG1", ADJUSTMENT: "-100"}, "above −100 %"),
        ({DISTRICTS: "RG1", ADJUSTMENT: "1.234"}, "in per cent"),
        (
            {DISTRICTS: "ANYWHERE", ADJUSTMENT: "1"},
            "write it like RG1",
        ),
        (
            {
                DISTRICTS: "RG1",
                ADJUSTMENT: "1",
                "Social value statement (optional)": "x" * 4_001,
            },
            "at most 4,000 characters",
        ),
    ],
)
def test_a_mistake_in_an_application_is_said(
    there: Scene, visitor: StrictClient, answers: dict[str, str], said: str
) -> None:
    lot = framework_with_lot(there.authority)
    before = count(Member)

    page = visitor.get(f"/firm/apply?lot={lot.id}").submit("Send the application", answers, status=422)

    assert said in page.text
    assert count(Member) == before


def test_choosing_no_lot_is_said(there: Scene, visitor: StrictClient) -> None:
    framework_with_lot(there.authority)
    page = visitor.get("/firm/apply")
    token = page.soup.find("input", attrs={"name": "csrf_token"})

    refused = visitor.post("/firm/apply", {"csrf_token": token["value"]}, 422)

    assert "Choose the lot that you apply for" in refused.text


# Details and availability ---------------------------------------------------------------------------------------------


def test_the_firm_changes_its_details(firm: Contractor, visitor: StrictClient) -> None:
    page = visitor.get("/firm/details")
    assert page.soup.find("input", attrs={"name": "capacity"})["value"] == "5"

    done = page.submit(
        "Save", {"How many jobs can you do at once?": "7", "Trades (optional)": "Ramps; ramps, Showers", "No": True}
    )

    text = visitor.follow(done).text
    assert "Your details are saved." in text
    assert "Ramps, Showers" in text
    look_again()
    changed = db.session.get_one(Contractor, firm.id)
    assert (changed.capacity, changed.sme, changed.phone) == (7, False, "01632 960000")


def test_the_firm_says_from_when_it_can_start(firm: Contractor, visitor: StrictClient) -> None:
    page = visitor.get("/firm/availability")
    assert "You can start new work at once." in page.text

    page.submit("Save the earliest start", day("Earliest start", TODAY + timedelta(days=27)))
    page = visitor.get("/firm/availability")

    assert "1 June 2026" in page.text
    page.submit("Save the earliest start", {f"Earliest start: {part}": "" for part in ("Day", "Month", "Year")})
    assert "You can start new work at once." in visitor.get("/firm/availability").text


def test_the_firm_goes_away_and_comes_back_sooner(firm: Contractor, visitor: StrictClient) -> None:
    first, last = TODAY, TODAY + timedelta(days=6)
    page = visitor.get("/firm/availability")

    page.submit("Add the days away", {**day("First day away", first), **day("Last day away", last)})
    page = visitor.get("/firm/availability")

    assert page.rows()[0][:2] == ["5 May 2026", "11 May 2026"]
    assert "the first day on which you can start new work is 12 may 2026" in page.text.lower()
    kept = db.session.scalars(select(Absence)).one()
    assert (kept.from_on, kept.to_on) == (first, last + timedelta(days=1))
    page.submit("Take off the days away from 5 May 2026")
    assert "You have named no days away." in visitor.get("/firm/availability").text


@pytest.mark.parametrize(
    ("first", "last", "status", "said"),
    [
        (TODAY + timedelta(days=5), TODAY, 422, "cannot come before the first"),
        (TODAY - timedelta(days=5), TODAY - timedelta(days=1), 422, "These days are over"),
        (TODAY + timedelta(days=2), TODAY + timedelta(days=9), 409, "these days overlap them"),
        (date(1026, 5, 5), TODAY, 422, "The year must lie between"),
    ],
)
def test_days_away_that_cannot_be_are_said(
    visitor: StrictClient, first: date, last: date, status: int, said: str
) -> None:
    page = visitor.get("/firm/availability")
    soon = TODAY + timedelta(days=3)
    page.submit("Add the days away", {**day("First day away", soon), **day("Last day away", soon)})

    refused = page.submit("Add the days away", {**day("First day away", first), **day("Last day away", last)}, status)

    assert said in refused.text
    assert count(Absence) == 1


def test_an_earliest_start_in_the_past_is_said(visitor: StrictClient) -> None:
    page = visitor.get("/firm/availability").submit(
        "Save the earliest start", day("Earliest start", TODAY - timedelta(days=1)), status=422
    )

    assert "4 May 2026 is in the past" in page.text


# Documents ------------------------------------------------------------------------------------------------------------


CERTIFICATE = (pdf_bytes(), "certificate.pdf")
COVERED = "Amount covered, in pounds"


def hand_in(
    visitor: StrictClient, content: bytes, name: str, *, status: int = 302, changed: Mapping[str, str] | None = None
) -> Page:
    """Hand a document in through its form."""
    answers = {
        "What is it?": "Public liability insurance",
        **day(VALID, IN_A_YEAR),
        COVERED: "5,000,000",
        **(changed or {}),
        "File": (BytesIO(content), name),
    }
    return visitor.get("/firm/documents/new").submit("Hand it in", answers, status)  # type: ignore[arg-type]


def test_the_firm_hands_a_document_in_and_gets_it_back_as_it_was(
    firm: Contractor, settings: Settings, visitor: StrictClient
) -> None:
    content = pdf_bytes()

    page = visitor.follow(hand_in(visitor, content, "Police d’assurance.pdf"))

    assert "Public liability insurance is handed in." in page.text
    assert "Waiting to be checked" in page.text
    made = db.session.scalars(select(ContractorDocument)).one()
    assert (made.status, made.cover_pence, made.expires_on) == (DocumentStatus.WAITING, 500_000_000, IN_A_YEAR)
    answer = visitor.get(f"/firm/documents/{made.id}").response
    assert answer.data == content
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''Police%20d%E2%80%99assurance.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_photograph_is_taken_too(visitor: StrictClient) -> None:
    hand_in(visitor, picture_bytes("JPEG"), "photo.JPG")

    assert db.session.scalars(select(ContractorDocument.media_type)).one() == "image/jpeg"


@pytest.mark.parametrize(
    ("file", "changed", "said"),
    [
        ((b"<html>", "page.pdf"), {}, "is not a PDF, JPEG or PNG file"),
        ((b"", "empty.pdf"), {}, "is empty; choose the file again"),
        ((pdf_bytes(), "certificate.png"), {}, "is a PDF file by its content"),
        (CERTIFICATE, {"What is it?": "Choose"}, "Choose what the document is"),
        (CERTIFICATE, {COVERED: ""}, "Enter the amount that the insurance covers"),
        (CERTIFICATE, {COVERED: "0"}, "Enter the amount that the insurance covers"),
        (CERTIFICATE, {COVERED: "lots"}, "Enter an amount in pounds"),
        (CERTIFICATE, day(VALID, date(2026, 5, 4)), "expired on 4 May 2026"),
        (CERTIFICATE, {f"{VALID}: Day": "45"}, "Enter the day as numbers"),
    ],
)
def test_a_document_that_cannot_be_taken_is_said_and_leaves_no_file(
    settings: Settings, visitor: StrictClient, file: tuple[bytes, str], changed: dict[str, str], said: str
) -> None:
    page = hand_in(visitor, *file, status=422, changed=changed)

    assert said in page.text
    assert count(ContractorDocument) == 0
    assert not settings.uploads.exists() or list(settings.uploads.iterdir()) == []


def test_a_form_without_a_file_is_said(visitor: StrictClient) -> None:
    page = visitor.get("/firm/documents/new?kind=gas").submit("Hand it in", status=422)

    assert "Choose the file" in page.text


def test_the_same_file_twice_is_said_and_kept_once(settings: Settings, visitor: StrictClient) -> None:
    content = pdf_bytes()
    hand_in(visitor, content, "certificate.pdf")

    page = hand_in(visitor, content, "renamed.pdf", status=422)

    assert "You handed in this very file on 5 May 2026; it is waiting." in page.text
    assert len(list(settings.uploads.iterdir())) == count(ContractorDocument) == 1


def test_a_file_beyond_the_limit_that_is_set_is_refused(app: Flask, visitor: StrictClient) -> None:
    app.config["PORTAL"] = replace(app.config["PORTAL"], largest_document=MEGABYTE // 4)

    page = hand_in(visitor, b"%PDF-" + bytes(MEGABYTE // 4), "large.pdf", status=422)

    assert "large.pdf is too large; a document may have 0.25 MB at most." in page.text
    assert "A PDF, JPEG or PNG of at most 0.25 MB." in page.text


def test_a_document_is_taken_back_while_it_waits(firm: Contractor, settings: Settings, visitor: StrictClient) -> None:
    waiting = document(firm, settings.uploads, status=DocumentStatus.WAITING)
    decided = document(firm, settings.uploads, kind="gas")

    page = visitor.get("/firm/documents")
    done = page.submit("Take it back : certificate.pdf")

    assert "Earlier ones" in visitor.follow(done).text
    look_again()
    assert db.session.get_one(ContractorDocument, waiting.id).status is DocumentStatus.WITHDRAWN
    token = page.soup.find("input", attrs={"name": "csrf_token"})["value"]
    visitor.post(f"/firm/documents/{decided.id}/withdraw", {"csrf_token": token}, 409)
    visitor.post(f"/firm/documents/{waiting.id}/withdraw", {"csrf_token": token}, 409)


def test_documents_are_seen_by_their_firm_and_staff_only(
    there: Scene, firm: Contractor, settings: Settings, visitor: StrictClient, sign_in: SignIn
) -> None:
    own = document(firm, settings.uploads)
    other = document(there.members[1].contractor, settings.uploads)

    visitor.get(f"/firm/documents/{own.id}")
    visitor.get(f"/firm/documents/{other.id}", 404)
    visitor.get(f"/framework/documents/{own.id}/file", 403)
    for role in (Role.FRAMEWORK_MANAGER, Role.TECHNICAL_OFFICER, Role.AUDITOR, Role.PROCUREMENT):
        staff = sign_in(person(role, there.authority))
        for each in (own, other):
            answer = staff.get(f"/framework/documents/{each.id}/file").response
            assert answer.mimetype == "application/pdf"
            assert "attachment" in answer.headers["Content-Disposition"]
        staff.get("/framework/documents/99999/file", 404)
        staff.get(f"/firm/documents/{own.id}", 403)


def test_a_file_that_is_gone_or_changed_is_said_and_never_given(
    firm: Contractor, settings: Settings, visitor: StrictClient
) -> None:
    made = document(firm, settings.uploads)
    stored = settings.uploads / str(made.stored_name)

    stored.write_bytes(b"<script>alert(1)</script>")
    changed = visitor.get(f"/firm/documents/{made.id}", 404)
    stored.unlink()
    gone = visitor.get(f"/firm/documents/{made.id}", 404)

    for page in (changed, gone):
        assert "its file is missing or is not the one that was handed in" in page.text


def test_a_document_known_from_a_list_has_no_file_to_show(app: Flask, fixed_clock: Clock, sign_in: SignIn) -> None:
    where = authority()
    lot = framework_with_lot(where, requirements=["ssip"])
    listed = member(lot, areas=[where], documents={"ssip": IN_A_YEAR}).contractor
    visitor = sign_in(person(Role.CONTRACTOR, listed.organisation))
    made = db.session.scalars(select(ContractorDocument)).one()

    assert "Known from a list; there is no file" in visitor.get("/firm/documents").text
    assert "no file was handed in" in visitor.get(f"/firm/documents/{made.id}", 404).text


# Leaving --------------------------------------------------------------------------------------------------------------


def test_a_firm_leaves_a_lot_at_once_and_its_open_offer_goes_on(
    app: Flask, fixed_clock: Clock, sign_in: SignIn
) -> None:
    there = scene(members=2)
    order, offer = there.accepted(), there.offered()
    leaver = there.members[0]
    visitor = sign_in(person(Role.CONTRACTOR, leaver.contractor.organisation))

    question = visitor.get("/firm").click(f"Leave the lot {there.lot.name}")
    assert standing_of(leaver) is MemberStatus.ACTIVE
    done = question.submit("Leave this lot")

    assert "without any penalty: your running orders go on as agreed" in question.text
    assert "go to the next contractor" in question.text
    assert "you may apply again at any time" in question.text
    assert f"You have left the lot {there.lot.name}." in visitor.follow(done).text
    assert standing_of(leaver) is MemberStatus.RELEASED
    assert db.session.get_one(Offer, order.id).status is OfferStatus.ACCEPTED
    following = db.session.scalars(
        select(Offer).where(Offer.job_id == offer.job_id, Offer.status == OfferStatus.SENT)
    ).one()
    assert following.member_id == there.members[1].id
    question.submit("Leave this lot", status=409)
    assert "has ended already" in visitor.get(f"/firm/memberships/{leaver.id}/release").text
    assert there.lot.name in visitor.get("/firm/apply").text
    again = visitor.get(f"/firm/apply?lot={there.lot.id}")
    assert again.soup.find("input", attrs={"name": "areas", "checked": True})["value"] == there.authority.code


def test_an_application_is_taken_back(there: Scene, firm: Contractor, visitor: StrictClient) -> None:
    lot = framework_with_lot(there.authority)
    with transaction():
        made = firms.apply_for_lot(
            firm.id, lot.id, areas=["RG1"], adjustment_bp=0, social_value="", by=firm.email, now=NOW
        )

    question = visitor.get("/firm").click(f"Take back your application for {lot.name}")
    done = question.submit("Take the application back")

    assert f"Your application for {lot.name} is taken back." in visitor.follow(done).text
    assert standing_of(made) is MemberStatus.RELEASED


def test_nobody_leaves_for_another_firm(there: Scene, visitor: StrictClient) -> None:
    other = there.members[1].id

    visitor.get(f"/firm/memberships/{other}/release", 404)
    token = visitor.get("/firm/details").soup.find("input", attrs={"name": "csrf_token"})["value"]
    visitor.post(f"/firm/memberships/{other}/release", {"csrf_token": token}, 404)

    assert standing_of(there.members[1]) is MemberStatus.ACTIVE
