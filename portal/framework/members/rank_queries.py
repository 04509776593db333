"""Editions of ranks as pages show them: with the days between which each holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from portal.framework.member_models import Contractor, Member, RankEdition, RankPlace
from portal.kernel.db import db
from portal.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class EditionLine:
    """An edition in the list of a lot's editions; ``ends_on`` is the day on which the next one starts."""

    id: int
    starts_on: date
    ends_on: date | None
    note: str
    made_by: str
    made_at: datetime
    review_id: int | None
    members: int

    def in_force(self, day: date) -> bool:
        """Whether these are the ranks on ``day``."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


def editions_of(lot_id: int) -> list[EditionLine]:
    """A lot's editions of ranks, the newest first."""
    rows = db.session.execute(
        select(RankEdition, func.count(RankPlace.member_id))
        .outerjoin(RankPlace, RankPlace.edition_id == RankEdition.id)
        .where(RankEdition.lot_id == lot_id)
        .group_by(RankEdition.id)
        .order_by(RankEdition.starts_on.desc())
    )
    lines: list[EditionLine] = []
    following: date | None = None
    for edition, members in rows:
        lines.append(
            EditionLine(
                edition.id,
                edition.starts_on,
                following,
                edition.note,
                edition.made_by,
                edition.made_at,
                edition.review_id,
                members,
            )
        )
        following = edition.starts_on
    return lines


def edition_by_id(lot_id: int, edition_id: int) -> RankEdition:
    """One edition of a lot with its members and their contractors; ``NotFound`` for one of another lot."""
    edition = db.session.scalar(
        select(RankEdition)
        .where(RankEdition.id == edition_id, RankEdition.lot_id == lot_id)
        .options(
            selectinload(RankEdition.places)
            .joinedload(RankPlace.member)
            .joinedload(Member.contractor)
            .joinedload(Contractor.organisation)
        )
    )
    if edition is None:
        raise NotFound("There is no such edition of ranks.")
    return edition


def editions_made_in(review_id: int) -> list[RankEdition]:
    """The editions of ranks that came out of a review, by lot."""
    return list(db.session.scalars(select(RankEdition).where(RankEdition.review_id == review_id)))
