"""Read people and organisations."""

from __future__ import annotations

from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind, Role
from portal.kernel.db import db


def technical_officers(authority_id: int) -> list[str]:
    """The addresses of an authority's enabled technical officers."""
    return list(
        db.session.scalars(
            select(Person.email)
            .where(Person.organisation_id == authority_id, Person.role == Role.TECHNICAL_OFFICER, Person.enabled)
            .order_by(Person.email)
        )
    )


def framework_managers() -> list[str]:
    """The addresses of the enabled framework managers: they hear what nobody else is there to hear."""
    return list(
        db.session.scalars(
            select(Person.email).where(Person.role == Role.FRAMEWORK_MANAGER, Person.enabled).order_by(Person.email)
        )
    )


def organisations(kind: OrganisationKind | None = None) -> list[Organisation]:
    """Organisations by code, of one kind or all."""
    query = select(Organisation).order_by(Organisation.code)
    return list(db.session.scalars(query if kind is None else query.where(Organisation.kind == kind)))
