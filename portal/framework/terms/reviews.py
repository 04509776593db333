"""Reviews of a framework: planned for a day, opened, closed. While one is open, new members can be admitted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.framework.faults import TakenTerm, WrongTerm
from portal.framework.models import Framework, Lot, Review
from portal.framework.roster import Listed, Roster
from portal.framework.rules import holds, next_review, why_no_reviews
from portal.framework.states import REVIEW_MOVES, MemberStatus, ReviewStatus
from portal.framework.terms.services import lock_framework
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound, WrongState

#: Longest note on a review, in characters.
LONGEST_NOTE = 1000
APPLICANTS = frozenset({MemberStatus.APPLIED, MemberStatus.CHECKING})
LEAVERS = frozenset({MemberStatus.RELEASED, MemberStatus.REMOVED})


# Verbs ----------------------------------------------------------------------------------------------------------------


def plan_review(framework_id: int, due_on: date, *, by: str, now: datetime) -> Review:
    """Plan a re-opening of an open framework for ``due_on``, a day from today within its term.

    Raises ``WrongTerm`` for a framework without re-openings or a day outside, ``TakenTerm`` for a day that has one.
    """
    framework = lock_framework(framework_id)
    _check_day(framework, due_on, local_date(now))
    review = Review(framework_id=framework.id, framework=framework, due_on=due_on, status=ReviewStatus.PLANNED)
    db.session.add(review)
    db.session.flush()
    audit.record("review planned", f"framework:{framework.code}", at=now, actor=by, due_on=due_on.isoformat())
    return review


def move_review(review_id: int, due_on: date, *, by: str, now: datetime) -> Review:
    """Put a planned review on another day; raises as ``plan_review`` does, ``WrongState`` once it was opened."""
    review = lock_review(review_id)
    if review.status is not ReviewStatus.PLANNED:
        raise WrongState(f"The review of {date_text(review.due_on)} is {review.status.value}; its day stays.")
    _check_day(review.framework, due_on, local_date(now), but=review.id)
    was, review.due_on = review.due_on, due_on
    audit.record(
        "review moved",
        f"framework:{review.framework.code}",
        at=now,
        actor=by,
        was=was.isoformat(),
        due_on=due_on.isoformat(),
    )
    return review


def open_review(review_id: int, *, by: str, now: datetime) -> Review:
    """Open a planned review: from now on applicants can be admitted.

    Raises ``WrongState`` for one that is not planned or while another is open, ``WrongTerm`` when the framework has
    not started, has ended, or has become one without re-openings.
    """
    review = lock_review(review_id)
    framework, today = review.framework, local_date(now)
    if fault := why_no_reviews(framework.kind, framework.regime, framework.starts_on):
        raise WrongTerm(fault, "due_on")
    if framework.starts_on is not None and today < framework.starts_on:
        raise WrongTerm(
            f"The framework starts on {date_text(framework.starts_on)}; until then it admits contractors anyway.",
            "due_on",
        )
    if framework.ends_on is not None and framework.ends_on <= today:
        raise WrongTerm(f"The framework ended on {date_text(framework.ends_on)}.", "due_on")
    other = next((each for each in framework.reviews if each.status is ReviewStatus.OPEN), None)
    if other is not None and other.id != review.id:
        raise WrongState(f"The review of {date_text(other.due_on)} is still open; close it first.")
    _move(review, ReviewStatus.OPEN)
    review.opened_on = today
    audit.record("review opened", f"framework:{framework.code}", at=now, actor=by, due_on=review.due_on.isoformat())
    return review


def close_review(review_id: int, note: str, *, by: str, now: datetime) -> Review:
    """Close an open review with a ``note`` on its outcome; applicants then wait for the next one."""
    review = lock_review(review_id)
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise WrongTerm(f"The note has {len(note):,} characters; at most {LONGEST_NOTE:,} fit.", "note")
    _move(review, ReviewStatus.CLOSED)
    review.closed_on, review.note = local_date(now), note
    audit.record(
        "review closed",
        f"framework:{review.framework.code}",
        at=now,
        actor=by,
        due_on=review.due_on.isoformat(),
        note=note,
    )
    return review


def lock_review(review_id: int) -> Review:
    """The review as it is now, its framework locked; ``NotFound`` without one."""
    framework_id = db.session.scalar(select(Review.framework_id).where(Review.id == review_id))
    if framework_id is None:
        raise NotFound("There is no such review.")
    lock_framework(framework_id)
    return db.session.scalars(
        select(Review).where(Review.id == review_id).execution_options(populate_existing=True)
    ).one()


def _move(review: Review, status: ReviewStatus) -> None:
    if status not in REVIEW_MOVES[review.status]:
        raise WrongState(
            f"The review of {date_text(review.due_on)} is {review.status.value}; it cannot become {status.value}."
        )
    review.status = status


def _check_day(framework: Framework, due_on: date, today: date, *, but: int | None = None) -> None:
    if fault := why_no_reviews(framework.kind, framework.regime, framework.starts_on):
        raise WrongTerm(fault, "due_on")
    if due_on < today:
        raise WrongTerm(f"{date_text(due_on)} is in the past; plan the review for today or later.", "due_on")
    if not holds((framework.starts_on, framework.ends_on), due_on):
        start = date_text(framework.starts_on) if framework.starts_on else "the beginning"
        end = f" and before its end {date_text(framework.ends_on)}" if framework.ends_on else ""
        raise WrongTerm(f"The review must lie within the framework’s term: from {start}{end}.", "due_on")
    if any(each.due_on == due_on and each.id != but for each in framework.reviews):
        raise TakenTerm(f"There is a review on {date_text(due_on)} already.", "due_on")


# What pages show ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LotInReview:
    """A lot as a review looks at it: who applies, and who has left since the review before."""

    lot: Lot
    applicants: list[Listed]
    leavers: list[Listed]
    members: int


def review_by_id(review_id: int) -> Review:
    """A review with its framework; ``NotFound`` without one."""
    review = db.session.scalar(select(Review).where(Review.id == review_id).options(joinedload(Review.framework)))
    if review is None:
        raise NotFound("There is no such review.")
    return review


def reviews_of(framework_id: int) -> list[Review]:
    """A framework's reviews by day."""
    return list(db.session.scalars(select(Review).where(Review.framework_id == framework_id).order_by(Review.due_on)))


def suggested_review(framework: Framework, reviews: list[Review], today: date) -> date | None:
    """The day that the framework's review interval suggests for the next re-opening; ``None`` when one is planned."""
    if why_no_reviews(framework.kind, framework.regime, framework.starts_on) is not None:
        return None
    if any(each.status is not ReviewStatus.CLOSED for each in reviews):
        return None
    last = max((each.due_on for each in reviews), default=None)
    return next_review(framework.starts_on, framework.ends_on, framework.review_months, last, today)


def since_last_review(review: Review, reviews: list[Review]) -> date | None:
    """The day from which leavers are of interest: the opening of the review before, or the framework's start."""
    before = [each for each in reviews if each.due_on < review.due_on and each.opened_on is not None]
    return before[-1].opened_on if before else review.framework.starts_on


def lots_in_review(framework_id: int, since: date | None, today: date) -> list[LotInReview]:
    """Each lot of a framework with its applicants and those who have left from the day ``since`` on."""
    lot_ids = list(db.session.scalars(select(Lot.id).where(Lot.framework_id == framework_id).order_by(Lot.name)))
    roster = Roster(lot_ids, today)
    return [
        LotInReview(
            roster.lots[lot_id].lot,
            [each for each in roster.members[lot_id] if each.standing.status in APPLICANTS],
            [
                each
                for each in roster.members[lot_id]
                if each.standing.status in LEAVERS and (since is None or each.since >= since)
            ],
            sum(each.standing.status not in APPLICANTS | LEAVERS for each in roster.members[lot_id]),
        )
        for lot_id in lot_ids
    ]
