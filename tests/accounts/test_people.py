"""People: sign-in, sessions, roles and what each may do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import NOW, OFFICER, PASSWORD, authority, look_again, person
from flask import Flask
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import ACROSS_AUTHORITIES, PERMISSIONS, OrganisationKind, Permission, Role, kind_for, may
from portal.accounts.services import add_person, clean_email, person_for, person_for_session
from portal.accounts.views import safe_next
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken


def test_every_role_has_its_permissions_and_every_permission_a_role() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert set().union(*PERMISSIONS.values()) == set(Permission)


def test_the_auditor_reads_and_changes_nothing() -> None:
    changing = {
        permission
        for permission in Permission
        if permission.value.split("-")[0] in {"specify", "allocate", "answer", "manage", "publish"}
    }
    assert len(changing) == 7
    assert not PERMISSIONS[Role.AUDITOR] & changing


def test_contractors_see_their_offers_and_their_own_firm_only() -> None:
    assert PERMISSIONS[Role.CONTRACTOR] == {
        Permission.SEE_WORKLIST,
        Permission.SEE_OFFERS,
        Permission.ANSWER_OFFER,
        Permission.MANAGE_OWN_FIRM,
    }


def test_nobody_but_a_contractor_answers_offers_and_no_administrator_sees_a_job() -> None:
    for permission in (Permission.ANSWER_OFFER, Permission.MANAGE_OWN_FIRM):
        assert [role for role in Role if may(role, permission)] == [Role.CONTRACTOR]
    assert not may(Role.ADMINISTRATOR, Permission.SEE_JOBS)


def test_those_who_serve_one_authority_are_the_technical_officer_and_the_contractor() -> None:
    assert set(Role) - ACROSS_AUTHORITIES == {Role.TECHNICAL_OFFICER, Role.CONTRACTOR}
    assert [role for role in Role if kind_for(role) is OrganisationKind.CONTRACTOR] == [Role.CONTRACTOR]


def test_an_address_signs_in_however_it_is_written(app: Flask) -> None:
    made = person(Role.AUDITOR, email="Auditor@Authority-A.example")

    assert made.email == "auditor@authority-a.example"
    assert person_for(" AUDITOR@authority-a.EXAMPLE ", PASSWORD) == made
    with pytest.raises(Clash, match="already"):
        person(Role.AUDITOR, email="auditor@AUTHORITY-A.example")


def test_neither_a_wrong_password_nor_a_disabled_person_gets_in(app: Flask) -> None:
    made = person(Role.AUDITOR)
    assert person_for(made.email, PASSWORD + "x") is None
    assert person_for("nobody@authority-a.example", PASSWORD) is None

    with transaction():
        made.enabled = False

    assert person_for(made.email, PASSWORD) is None


@pytest.mark.parametrize(
    "email", ["", "a", "a@", "@b", "a b@c.example", "a@b\n.example", "a@b@c", "a" * 300 + "@b.example"]
)
def test_what_is_no_address_is_refused_with_the_address_in_the_sentence(email: str) -> None:
    with pytest.raises(RuleBroken, match="is not an e-mail address"):
        clean_email(email)


def test_a_short_password_is_refused(app: Flask) -> None:
    code = authority().code

    with pytest.raises(RuleBroken, match="at least 12 characters"), transaction():
        add_person("a@b.example", role=Role.AUDITOR, organisation_code=code, password="short", by=OFFICER, now=NOW)


@pytest.mark.parametrize("session", ["", "x", "1", "1:", "99:abc", "1:0123456789abcdef0123456789abcdef", "²:x", "1:é"])
def test_a_session_that_nobody_was_given_is_nobody(app: Flask, session: str) -> None:
    person(Role.AUDITOR)

    assert person_for_session(session) is None


def test_a_new_stamp_signs_a_person_out_everywhere(app: Flask, sign_in: Callable[[Person], StrictClient]) -> None:
    made = person(Role.AUDITOR)
    first, second = sign_in(made), sign_in(made)
    first.get("/")

    with transaction():
        made.session_stamp = "another"

    for visitor in (first, second):
        assert visitor.client.get("/").status_code == 302


def test_a_disabled_person_is_out_at_the_next_click(app: Flask, sign_in: Callable[[Person], StrictClient]) -> None:
    made = person(Role.AUDITOR)
    visitor = sign_in(made)

    with transaction():
        made.enabled = False

    assert visitor.client.get("/").status_code == 302


def test_signing_out_ends_the_session(app: Flask, sign_in: Callable[[Person], StrictClient]) -> None:
    visitor = sign_in(person(Role.AUDITOR))

    assert visitor.get("/").submit("Sign out").location == "/sign-in"
    assert visitor.client.get("/").status_code == 302


def test_a_wrong_password_is_said_without_saying_which_is_wrong(app: Flask, client: StrictClient) -> None:
    made = person(Role.AUDITOR)
    look_again()
    said = [
        client.get("/sign-in").submit("Sign in", {"Email address": email, "Password": "not the password"}, 422).text
        for email in (made.email, "nobody@authority-a.example")
    ]

    assert said[0].replace(made.email, "") == said[1].replace("nobody@authority-a.example", "")
    assert "The email address or the password is not right" in said[0]


def test_guessing_a_password_is_slowed_down(app: Flask, client: StrictClient) -> None:
    made = person(Role.AUDITOR)
    page = client.get("/sign-in").body
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    sent = {"csrf_token": token, "email": made.email, "password": "a wrong password"}

    answers = [client.client.post("/sign-in", data=sent).status_code for _ in range(12)]

    assert answers == [422] * 10 + [429] * 2


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/jobs", "/jobs"),
        ("/jobs?status=accepted", "/jobs?status=accepted"),
        (None, "/"),
        ("", "/"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("/\t/elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("jobs", "/"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_after_sign_in_nobody_is_led_elsewhere(app: Flask, asked: str | None, led_to: str) -> None:
    with app.test_request_context():
        assert safe_next(asked) == led_to
