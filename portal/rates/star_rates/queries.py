"""Read star rates: each person those of their authority, those who serve every authority all of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import or_, select

from portal.accounts.models import Person
from portal.accounts.policy import Permission, Role, may
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.rates.catalogue import Finding, Wanted, groups_in
from portal.rates.models import StarRate
from portal.rates.states import StarRateStatus

PAGE = 50


def publishers() -> list[str]:
    """The addresses of those who publish rates."""
    roles = [role for role in Role if may(role, Permission.PUBLISH_RATES)]
    return list(
        db.session.scalars(
            select(Person.email).where(Person.role.in_(roles), Person.enabled).order_by(Person.email)
        )
    )


def star_rates_seen_by(
    person: Person | None = None,
    status: StarRateStatus | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[StarRate]:
    """Star rates, the newest first; ``before`` is the id of the last of the page before."""
    query = select(StarRate).order_by(StarRate.id.desc()).limit(limit)
    if person is not None and person.authority_scope is not None:
        query = query.where(StarRate.authority_id == person.authority_scope)
    if status is not None:
        query = query.where(StarRate.status == status)
    if before is not None:
        query = query.where(StarRate.id < before)
    return list(db.session.scalars(query))


def star_rate_for(person: Person, star_id: int) -> StarRate:
    """One star rate; ``NotFound`` also for one of an authority whose rates this person does not see."""
    star = db.session.get(StarRate, star_id)
    if star is None or person.authority_scope not in (None, star.authority_id):
        raise NotFound("There is no such star rate.")
    return star


def star_rate_by_code(code: str) -> StarRate:
    """One star rate by its code."""
    star = db.session.scalar(select(StarRate).where(StarRate.code == code))
    if star is None:
        raise NotFound(f"There is no star rate {code}.")
    return star


def star_rates_in_force(schedule_id: int, authority_id: int, on: date) -> list[StarRate]:
    """The approved star rates that jobs of an authority can use on a day, by code."""
    return list(
        db.session.scalars(
            select(StarRate)
            .where(
                StarRate.schedule_id == schedule_id,
                StarRate.authority_id == authority_id,
                StarRate.status == StarRateStatus.APPROVED,
                StarRate.from_on <= on,
                or_(StarRate.to_on.is_(None), StarRate.to_on > on),
            )
            .order_by(StarRate.id)
        )
    )


def beside(finding: Finding, wanted: Wanted, stars: Iterable[StarRate]) -> list[StarRate]:
    """Those of ``stars`` that belong beside a page of the catalogue: they hold the words as typed, or, where no item
    does, with typing errors forgiven; and they pass the filters."""
    typed = Finding((), groups=groups_in(wanted.words))
    mend = not finding.items or bool(finding.meant)
    return [
        star
        for star in stars
        if typed.holds(star.code, star.description, mend=mend)
        and wanted.trade in ("", star.trade)
        and wanted.unit in ("", star.unit)
        and (wanted.from_pence is None or star.rate_pence >= wanted.from_pence)
        and (wanted.to_pence is None or star.rate_pence <= wanted.to_pence)
    ]
