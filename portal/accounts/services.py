"""Make organisations and people, and let people in."""

from __future__ import annotations

import secrets
from datetime import datetime
from itertools import count

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind, Role, kind_for
from portal.kernel import audit
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, RuleBroken

MINIMUM_PASSWORD = 12
_hasher = PasswordHasher()
# Checked when the address is unknown, so that the answer takes as long as for a known one.
_NOBODY = _hasher.hash(secrets.token_hex(16))


def add_organisation(code: str, name: str, kind: OrganisationKind, *, by: str, now: datetime) -> Organisation:
    """A new organisation; ``Clash`` when the code is taken."""
    if organisation_by_code(code) is not None:
        raise Clash(f"There is an organisation with the code {code} already.")
    organisation = Organisation(code=code, name=name, kind=kind)
    db.session.add(organisation)
    db.session.flush()
    audit.record("organisation added", f"organisation:{code}", at=now, actor=by, kind=kind.value)
    return organisation


def add_numbered_organisation(
    name: str, kind: OrganisationKind, *, letter: str, by: str, now: datetime
) -> Organisation:
    """A new organisation that nobody gave a code: ``letter`` and its own number, such as ``F0021``.

    The number is the database's, so two that are added at one moment never share a code.
    """
    organisation = Organisation(code=secrets.token_hex(16), name=name, kind=kind)
    db.session.add(organisation)
    db.session.flush()
    code = wanted = f"{letter}{organisation.id:04}"
    # A list may have brought in an organisation that is called so.
    for number in count(2):
        if organisation_by_code(code) is None:
            break
        code = f"{wanted}-{number}"
    organisation.code = code
    db.session.flush()
    audit.record("organisation added", f"organisation:{code}", at=now, actor=by, kind=kind.value)
    return organisation


def organisation_by_code(code: str) -> Organisation | None:
    """The organisation that files and commands call ``code``."""
    return db.session.scalar(select(Organisation).where(Organisation.code == code))


def clean_email(email: str) -> str:
    """The address in its one normal form, or ``RuleBroken`` with what is wrong with it."""
    try:
        checked = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise RuleBroken(f"{email} is not an e-mail address: {fault}") from fault
    return checked.normalized.lower()


def add_person(
    email: str, *, role: Role, organisation_code: str, password: str, by: str, now: datetime, name: str = ""
) -> Person:
    """A new person who signs in with ``email`` and ``password`` (at least 12 characters).

    Raises ``NotFound`` for an unknown organisation, ``Clash`` for an address in use, ``RuleBroken`` for a role
    that does not fit the organisation or a password that is too short.
    """
    email = clean_email(email)
    organisation = organisation_by_code(organisation_code)
    if organisation is None:
        raise NotFound(f"There is no organisation with the code {organisation_code}. See `portal users organisations`.")
    if organisation.kind is not kind_for(role):
        raise RuleBroken(
            f"The role {role.value} belongs to an organisation of the kind {kind_for(role).value}; "
            f"{organisation.name} is of the kind {organisation.kind.value}."
        )
    if len(password) < MINIMUM_PASSWORD:
        raise RuleBroken(f"A password has at least {MINIMUM_PASSWORD} characters.")
    if db.session.scalar(select(Person.id).where(Person.email == email)) is not None:
        raise Clash(f"Somebody signs in with {email} already.")
    person = Person(
        email=email,
        name=name or email,
        role=role,
        organisation_id=organisation.id,
        password_hash=_hasher.hash(password),
        enabled=True,
        created_at=now,
    )
    db.session.add(person)
    db.session.flush()
    audit.record("person added", f"person:{email}", at=now, actor=by, role=role.value, organisation=organisation.code)
    return person


def person_for(email: str, password: str) -> Person | None:
    """The enabled person whom ``email`` and ``password`` let in; takes the same time for an unknown address."""
    person = db.session.scalar(select(Person).where(Person.email == email.strip().lower()))
    try:
        _hasher.verify(person.password_hash if person else _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return None
    return person if person is not None and person.enabled else None


def end_sessions(person: Person, *, now: datetime) -> None:
    """Sign ``person`` out on every device: a session cookie that somebody kept opens nothing any more."""
    found = db.session.get_one(Person, person.id, with_for_update=True)
    found.session_stamp = secrets.token_hex(16)
    audit.record("signed out", f"person:{found.email}", at=now, actor=found.email)


def person_for_session(session_id: str) -> Person | None:
    """The person of a session cookie, unless disabled or signed out everywhere since."""
    number, _, stamp = session_id.partition(":")
    if not (number.isascii() and number.isdigit()):
        return None
    person = db.session.get(Person, int(number))
    if (
        person is None
        or not person.enabled
        or not secrets.compare_digest(person.session_stamp.encode(), stamp.encode())
    ):
        return None
    return person
