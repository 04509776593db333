"""Every route × every role and nobody: who gets in, who does not, and that nobody sees another organisation's record.

Routes are found in the URL map and filled with real records. A route with an argument that is not known here fails
until it is taught: a new page cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from builders import NOW, Scene, look_again, person, scene
from files_made import document, price_list, priced
from flask import Flask
from reviews_made import price_review_records
from strict_client import StrictClient
from werkzeug.routing import Rule

from portal.accounts.guard import PUBLIC, SIGNED_IN
from portal.accounts.models import Person
from portal.accounts.policy import OrganisationKind, Permission, Role, kind_for, may
from portal.analytics.models import Quote
from portal.framework.firms.joining import HOLDS, sealed
from portal.framework.firms.services import add_absence
from portal.framework.members.ranks import edition_on
from portal.framework.models import Review
from portal.framework.states import DocumentStatus, ReviewStatus
from portal.jobs.funding import record_declaration
from portal.jobs.funding_models import VatDeclaration
from portal.jobs.models import Job
from portal.kernel.db import db, transaction
from portal.rates.price_lists.reading import read_price_lists
from portal.rates.queries import items_by_code
from portal.rates.star_rates.services import ProposedRate, propose_star_rate
from portal.rates.vat import Declared
from portal.rates.work_templates.services import TemplateWanted, add_template

#: Files of the page shell and probes: they answer everybody and hold no record.
SHELL = {"web.static"}
SIGN_IN = "/sign-in"
#: Pages whose ``code`` is a contractor's; elsewhere it is a framework's.
CODE_OF_A_CONTRACTOR = {"contractor_list.one"}
#: Pages whose ``edition_id`` is an edition's of rates; elsewhere it is one of ranks.
EDITION_OF_RATES = "editions."
#: The works of a job that is no draft: they lead back to the job.
LEAD_BACK = {"builder.works", "builder.choose_template"}
#: What proxies may keep: the same for everybody, and without a cookie.
KEPT_BY_ANYBODY = {"guide_prices.document"}


@dataclass
class World:
    """Two authorities and two contractors with a record of each kind, and somebody of every role."""

    arguments: dict[str, object]
    others: dict[str, dict[str, object]] = field(default_factory=dict)
    people: dict[Role, Person] = field(default_factory=dict)


def framework_records(there: Scene) -> dict[str, object]:
    """What a framework has besides its lots: who takes part, ranks, a review."""
    home = there.lot.framework
    with transaction():
        review = Review(framework_id=home.id, due_on=NOW.date(), status=ReviewStatus.PLANNED)
        db.session.add(review)
    ranks = edition_on(there.lot.id, NOW.date())
    assert ranks is not None
    return {"participation_id": home.participations[0].id, "edition_id": ranks.id, "review_id": review.id}


@pytest.fixture
def world(app: Flask, fixed_clock: object) -> World:
    there = scene(members=1)
    offer = there.offered()
    elsewhere = scene(members=1)
    foreign = elsewhere.offered()
    of_own_firm, of_foreign_firm = firm_records(there, app), firm_records(elsewhere, app)
    made = World(
        arguments={
            "reference": offer.job.reference,
            "offer_id": offer.id,
            "lot_id": there.lot.id,
            "code": there.lot.framework.code,
            "schedule_code": there.edition.schedule.code,
            "edition_name": there.edition.name,
            "position": 1,
            "filename": "manifest.json",
            "token": sealed("new@newcomer.example", key=app.config["SECRET_KEY"], until=NOW + HOLDS),
            "declaration_id": declaration_for(offer.job).id,
            "rates_edition_id": there.edition.id,
            "list_id": ready_list(app, there),
            "kind": "csv",
            **of_own_firm,
            **framework_records(there),
            **rate_records(there),
            **price_review_records(there, app.config["PORTAL"].uploads),
        },
        others={
            "jobs": {"reference": foreign.job.reference, "offer_id": foreign.id, "position": 1},
            "builder": {"reference": foreign.job.reference, "position": 1},
            "star_rates": rate_records(elsewhere),
            "quotations": {"reference": foreign.job.reference},
            "funding": {"reference": foreign.job.reference, "declaration_id": declaration_for(foreign.job).id},
            "change_prices": {"reference": foreign.job.reference},
            "offers": {"offer_id": foreign.id},
            "firm": of_foreign_firm,
            "firm_documents": of_foreign_firm,
            "leaving": of_foreign_firm,
            "firm_rates": of_foreign_firm,
            "price_requests": price_review_records(elsewhere, app.config["PORTAL"].uploads),
        },
    )
    own_contractor = there.members[0].contractor.organisation
    with transaction():
        for number in range(8):
            db.session.add(
                Quote(
                    reference=f"Q-{number}",
                    authority_id=there.authority.id,
                    contractor_id=there.members[0].contractor_id,
                    work_type=there.lot.name,
                    quoted_on=NOW.date(),
                    quantity=Decimal(1),
                    amount_pence=200_000 + 1_000 * number,
                )
            )
    for role in Role:
        home = own_contractor if kind_for(role) is OrganisationKind.CONTRACTOR else there.authority
        made.people[role] = person(role, home)
    return made


def rate_records(there: Scene) -> dict[str, object]:
    """What the scene's schedule has: an item, a template of works, a star rate of its authority."""
    schedule, officer = there.edition.schedule, "officer@authority-a.example"
    item = items_by_code(there.edition.id, ["LIFT01"])["LIFT01"]
    with transaction():
        template = add_template(
            schedule.code, TemplateWanted("Lift", "Stair lift", (("LIFT01", Decimal(1)),)), by=officer, now=NOW
        )
        star = propose_star_rate(
            schedule, there.authority, ProposedRate("Bespoke", "nr", 100, "Two quotes"), by=officer, now=NOW
        )
    return {"item_id": item.id, "template_id": template.id, "star_id": star.id}


def ready_list(app: Flask, there: Scene) -> int:
    """A price list for the scene's schedule that is read and waits to be published."""
    uploads = app.config["PORTAL"].uploads
    made = price_list(uploads, priced("LIFT01,Item,,,nr,1,,"), schedule=there.edition.schedule.code)
    read_price_lists(uploads, now=NOW)
    return made.id


def declaration_for(job: Job) -> VatDeclaration:
    """A client's declaration for a job."""
    with transaction():
        return record_declaration(
            job.id, Declared.DISABLED_PERSON, NOW.date(), "case file", by="officer@authority-a.example", now=NOW
        )


def firm_records(there: Scene, app: Flask) -> dict[str, object]:
    """What the scene's first firm has: its membership, a document that waits, and days away."""
    firm = there.members[0].contractor
    waiting = document(firm, app.config["PORTAL"].uploads, status=DocumentStatus.WAITING)
    with transaction():
        away = add_absence(firm.id, NOW.date(), NOW.date(), by=firm.email, now=NOW)
    return {
        "contractor_code": firm.organisation.code,
        "member_id": there.members[0].id,
        "document_id": waiting.id,
        "absence_id": away.id,
    }


def rules(app: Flask) -> Iterator[Rule]:
    """Every route but the shell's files."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in SHELL:
            yield rule


def address(app: Flask, rule: Rule, arguments: dict[str, object]) -> str:
    """The route's address with real records in it."""
    if rule.endpoint in CODE_OF_A_CONTRACTOR:
        arguments = {**arguments, "code": arguments["contractor_code"]}
    if rule.endpoint.startswith(EDITION_OF_RATES):
        arguments = {**arguments, "edition_id": arguments["rates_edition_id"]}
    unknown = rule.arguments - set(arguments)
    assert not unknown, f"{rule.rule} has {sorted(unknown)}: teach World a record for it"
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(
            rule.endpoint, {name: arguments[name] for name in rule.arguments}, force_external=False
        )
    return str(built)


def guard(app: Flask, rule: Rule) -> Permission | str:
    """What the route declares."""
    declared = getattr(app.view_functions[rule.endpoint], "portal_guard", None)
    assert declared is not None, f"{rule.rule} declares no permission"
    return declared


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def token(visitor: StrictClient) -> str:
    """A CSRF token of this visitor's session, as its own sign-out or sign-in form carries it."""
    for path in ("/", SIGN_IN):
        page = visitor.client.get(path).get_data(as_text=True)
        if 'name="csrf_token"' in page:
            return page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    raise AssertionError("no page of this visitor has a form")


def ask(visitor: StrictClient, method: str, path: str, with_token: str) -> int:
    answer = visitor.client.open(path, method=method, data={"csrf_token": with_token} if method == "POST" else None)
    answer.close()
    look_again()
    return answer.status_code


def test_every_route_declares_its_permission(app: Flask) -> None:
    for rule in rules(app):
        assert guard(app, rule) in {*Permission, PUBLIC, SIGNED_IN}, rule.rule


def test_every_permission_of_a_page_belongs_to_some_role(app: Flask) -> None:
    for rule in rules(app):
        declared = guard(app, rule)
        if isinstance(declared, Permission):
            assert [role for role in Role if may(role, declared)], f"nobody may open {rule.rule}"


def test_nobody_gets_in_without_signing_in(app: Flask, world: World) -> None:
    for rule in rules(app):
        path = address(app, rule, world.arguments)
        for method in methods(rule):
            visitor = StrictClient(app)
            answer = visitor.client.open(
                path, method=method, data={"csrf_token": token(visitor)} if method == "POST" else None
            )
            if guard(app, rule) == PUBLIC:
                assert answer.status_code in {200, 422}, f"{method} {path} answered {answer.status_code} to nobody"
            else:
                assert answer.status_code == 302, f"{method} {path} answered {answer.status_code} to nobody"
                assert answer.headers["Location"].startswith(SIGN_IN), f"{method} {path}"
            answer.close()


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_what_it_may_and_nothing_else(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient], role: Role
) -> None:
    visitor = sign_in(world.people[role])
    csrf = token(visitor)
    wrong = []
    # Signing out last; posts change the records, so they come after the reading.
    ordered = sorted(rules(app), key=lambda rule: (rule.endpoint == "accounts.sign_out", "POST" in methods(rule)))
    for rule in ordered:
        path = address(app, rule, world.arguments)
        declared = guard(app, rule)
        for method in methods(rule):
            status = ask(visitor, method, path, csrf)
            allowed = not isinstance(declared, Permission) or may(role, declared)
            if (status == 403) is allowed or status >= 500 or status in {400, 401}:
                wrong.append(f"{method} {path} answered {status} to a {role.value}; its guard is {declared}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", [Role.TECHNICAL_OFFICER, Role.CONTRACTOR])
def test_nobody_sees_or_changes_another_organisations_record(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient], role: Role
) -> None:
    visitor = sign_in(world.people[role])
    csrf = token(visitor)
    checked = 0
    for rule in rules(app):
        declared = guard(app, rule)
        foreign = world.others.get(rule.endpoint.split(".")[0])
        if foreign is None or not rule.arguments or not (isinstance(declared, Permission) and may(role, declared)):
            continue
        path = address(app, rule, foreign)
        for method in methods(rule):
            assert ask(visitor, method, path, csrf) == 404, f"{method} {path} is another organisation's"
            checked += 1
    assert checked >= 4


def test_an_offer_of_another_authoritys_job_is_not_reached_through_an_own_job(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient]
) -> None:
    visitor = sign_in(world.people[Role.TECHNICAL_OFFICER])
    csrf = token(visitor)
    mixed = {**world.arguments, "offer_id": world.others["jobs"]["offer_id"]}

    for rule in rules(app):
        if {"reference", "offer_id"} <= rule.arguments:
            assert ask(visitor, "POST", address(app, rule, mixed), csrf) == 404, rule.rule


@pytest.mark.parametrize("role", list(Role))
def test_lists_hold_only_what_is_theirs(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient], role: Role
) -> None:
    visitor = sign_in(world.people[role])
    foreign = str(world.others["jobs"]["reference"])
    across = role in {Role.PROCUREMENT, Role.FRAMEWORK_MANAGER, Role.AUDITOR}

    for path in ("/", "/jobs", "/offers", f"/jobs?reference={foreign}"):
        page = visitor.client.get(path).get_data(as_text=True)
        if not across:
            assert foreign not in page.replace(f'value="{foreign}"', ""), f"{path} shows a {role.value} {foreign}"


@pytest.mark.parametrize("role", list(Role))
def test_every_page_that_a_role_may_open_is_in_order(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient], role: Role
) -> None:
    visitor = sign_in(world.people[role])
    for rule in rules(app):
        declared = guard(app, rule)
        if "GET" not in methods(rule) or rule.endpoint == "accounts.sign_in":
            continue
        if isinstance(declared, Permission) and may(role, declared) and rule.endpoint not in LEAD_BACK:
            visitor.get(address(app, rule, world.arguments))


def test_a_post_without_a_token_is_refused_everywhere(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient]
) -> None:
    visitors = {role: sign_in(who) for role, who in world.people.items()}
    for rule in rules(app):
        if "POST" not in methods(rule):
            continue
        declared = guard(app, rule)
        role = next((each for each in Role if isinstance(declared, Permission) and may(each, declared)), Role.AUDITOR)
        path = address(app, rule, world.arguments)
        assert ask(visitors[role], "POST", path, "") == 400, f"POST {path} without a token"
        assert ask(visitors[role], "POST", path, "made up") == 400, f"POST {path} with a token made up"


def test_every_answer_carries_the_protections(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient]
) -> None:
    visitor = sign_in(world.people[Role.AUDITOR])
    for rule in rules(app):
        if "GET" not in methods(rule):
            continue
        path = address(app, rule, world.arguments)
        answer = visitor.client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "unsafe" not in policy, path
        assert "*" not in policy, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["X-Frame-Options"] == "DENY", path
        assert answer.headers["Referrer-Policy"] == "same-origin", path
        if rule.endpoint in KEPT_BY_ANYBODY:
            assert "Set-Cookie" not in answer.headers, path
        else:
            assert "no-store" in answer.headers["Cache-Control"], path
        answer.close()


def test_an_address_that_was_never_a_page_says_so_kindly(client: StrictClient) -> None:
    page = client.get("/no/such/page", status=404)

    assert page.h1
    assert "Traceback" not in page.body


# What comes in through addresses and forms ----------------------------------------------------------------------------

TOO_LARGE = "99999999999999999999"
ODD_PATHS = [
    f"/offers/{TOO_LARGE}",
    f"/framework/lots/{TOO_LARGE}",
    f"/framework/members/{TOO_LARGE}",
    f"/framework/documents/{TOO_LARGE}",
    "/framework/contractors/%00",
    "/jobs/%00",
    "/jobs/a%00b/ranking",
    "/rates/%00/%00",
    "/jobs/" + "x" * 3_000,
]
ODD_QUERIES = [
    f"/jobs?after={TOO_LARGE}",
    "/jobs?after=-1",
    "/jobs?after=x",
    "/jobs?reference=%00",
    "/jobs?reference=%F0%9F%98%80",
    "/jobs?status=lost",
    f"/audit?before={TOO_LARGE}",
    "/framework/contractors?words=%00",
    "/framework/contractors?words=%F0%9F%98%80%25_&page=-1",
    f"/framework/contractors?page={TOO_LARGE}",
    f"/framework/documents?page={TOO_LARGE}",
    "/audit?subject=%00",
    f"/rates/stars?before={TOO_LARGE}",
    "/rates/stars?status=lost",
    f"/outbox?before={TOO_LARGE}",
    f"/offers?before={TOO_LARGE}",
    "/sign-in?next=https://elsewhere.example/",
]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_an_odd_address_is_not_found_and_breaks_nothing(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient], path: str
) -> None:
    for role in (Role.CONTRACTOR, Role.AUDITOR):
        assert sign_in(world.people[role]).client.get(path).status_code in {400, 403, 404}


@pytest.mark.parametrize("query", ODD_QUERIES)
def test_an_odd_query_breaks_nothing(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient], query: str
) -> None:
    for role in (Role.CONTRACTOR, Role.AUDITOR):
        assert sign_in(world.people[role]).client.get(query).status_code in {200, 302, 400, 403, 404}


def test_odd_words_in_the_catalogue_break_nothing(
    app: Flask, world: World, sign_in: Callable[[Person], StrictClient]
) -> None:
    visitor = sign_in(world.people[Role.AUDITOR])
    base = f"/rates/{world.arguments['schedule_code']}/{world.arguments['edition_name']}"
    for words in ("%00", "%25", "_", "%5C", "'%20OR%201=1", "%F0%9F%98%80"):
        assert visitor.client.get(f"{base}?words={words}&trade={words}&after={words}").status_code in {200, 400}


@pytest.mark.parametrize("email", ["\0", "a\0@b.example", "x" * 5_000, "%", "ünï@b.example"])
def test_an_odd_sign_in_is_refused_and_breaks_nothing(client: StrictClient, email: str) -> None:
    visitor = client.client
    sent = {"csrf_token": token(client), "email": email, "password": "\0 whatever"}

    assert visitor.post("/sign-in", data=sent).status_code in {400, 422}
