"""Editions of ranks as the framework manager publishes and reads them; how they are written is in ``membership``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from portal.framework.faults import WrongTerm
from portal.framework.member_models import Contractor, Member, RankEdition, RankPlace
from portal.framework.membership import RankWanted, lock_lot, set_ranks
from portal.framework.models import Lot, Review
from portal.framework.states import ReviewStatus
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound

#: Longest note on an edition, in characters.
LONGEST_NOTE = 500


def publish_ranks(
    lot_id: int,
    starts_on: date,
    ranks: Mapping[int, RankWanted],
    *,
    by: str,
    now: datetime,
    note: str = "",
    review_id: int | None = None,
) -> RankEdition:
    """A new edition of a lot's ranks from ``starts_on``, by member id; made in an open review when one is named.

    Every member must have a place; applicants who are being checked may have one, which holds once they are admitted.
    Raises ``NotFound`` for an unknown lot or a review of another framework, ``WrongTerm`` for a day in the past, a
    note that is too long or a review that is not open, and what ``membership.set_ranks`` raises.
    """
    if db.session.get(Lot, lot_id) is None:
        raise NotFound("There is no such lot.")
    lot = lock_lot(lot_id)
    if starts_on < local_date(now):
        raise WrongTerm(
            f"{date_text(starts_on)} is in the past: ranks that have been in force are not changed.", "starts_on"
        )
    ends_on = lot.framework.ends_on
    if ends_on is not None and ends_on <= starts_on:
        raise WrongTerm(f"The framework ends on {date_text(ends_on)}; choose an earlier day.", "starts_on")
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE:
        raise WrongTerm(f"The note has {len(note)} characters; at most {LONGEST_NOTE} fit.", "note")
    if review_id is not None:
        review = db.session.scalar(
            select(Review).where(Review.id == review_id, Review.framework_id == lot.framework_id)
        )
        if review is None:
            raise NotFound("There is no such review.")
        if review.status is not ReviewStatus.OPEN:
            raise WrongTerm(
                f"The review of {date_text(review.due_on)} is {review.status.value}, not open.", "starts_on"
            )
    return set_ranks(lot, starts_on, ranks, by=by, now=now, note=note, review_id=review_id)


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
