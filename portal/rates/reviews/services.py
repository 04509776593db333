"""Review the rates of a schedule: start, rules, propose; a second person approves, and a new edition is written.

Every service locks the schedule first, then its review: an import and a review of one schedule wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.framework.faults import TakenTerm, WrongTerm
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.kernel.money import shown
from portal.rates.models import Edition, Schedule
from portal.rates.price_lists.queries import edition_before
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.reviews import notices, queries
from portal.rates.reviews.models import PriceReview, ReviewRule
from portal.rates.reviews.preview import Preview
from portal.rates.services import edition_fault, taken_faults, write_edition
from portal.rates.states import REVIEW_MOVES, ReviewState

LONGEST_NAME, LONGEST_TEXT = 200, 1000
#: How many items a refusal names.
NAMED = 10
STATE_TEXT = {
    ReviewState.DRAFT: "a draft",
    ReviewState.PROPOSED: "proposed",
    ReviewState.APPROVED: "approved",
    ReviewState.REJECTED: "rejected",
    ReviewState.DROPPED: "dropped",
}


@dataclass(frozen=True, slots=True)
class ReviewWanted:
    """What a new edition is called, the day from which it is in force, and a note for whoever approves it."""

    edition_name: str
    starts_on: date
    note: str = ""


def start_review(schedule_code: str, wanted: ReviewWanted, *, by: str, now: datetime) -> PriceReview:
    """A draft of a review, resting on the edition that is the latest before the effective day.

    Raises ``NotFound`` for an unknown schedule, ``WrongTerm`` and ``TakenTerm`` for a name or a day that cannot be or
    is taken, ``Clash`` while another review of the schedule is under way.
    """
    schedule = db.session.scalar(select(Schedule).where(Schedule.code == schedule_code).with_for_update())
    if schedule is None:
        raise NotFound(f"There is no schedule {schedule_code}.")
    other = db.session.scalar(
        select(PriceReview).where(
            PriceReview.schedule_id == schedule.id, PriceReview.status.in_(queries.UNDER_WAY)
        )
    )
    if other is not None:
        raise Clash(
            f"A review of {schedule.code} is under way already, to become {other.edition_name}. Two at a time would "
            "each rest on rates that the other changes; finish or drop that one first."
        )
    wanted = checked(wanted)
    base = possible_base(schedule, wanted, local_date(now))
    review = PriceReview(
        schedule_id=schedule.id,
        schedule=schedule,
        base_id=base.id,
        base=base,
        edition_name=wanted.edition_name,
        starts_on=wanted.starts_on,
        note=wanted.note,
        status=ReviewState.DRAFT,
        made_by=by,
        made_at=now,
        hands=[by],
    )
    db.session.add(review)
    db.session.flush()
    record("price review started", review, by=by, now=now, base=base.name)
    return review


def change_review(review_id: int, wanted: ReviewWanted, *, by: str, now: datetime) -> PriceReview:
    """Another name, day or note for a draft; it rests on the latest edition before the day again.

    Raises as ``start_review`` does, and ``WrongState`` for a review that is no draft.
    """
    review = locked_draft(review_id)
    wanted = checked(wanted)
    base = possible_base(review.schedule, wanted, local_date(now))
    review.base_id, review.base = base.id, base
    review.edition_name, review.starts_on, review.note = wanted.edition_name, wanted.starts_on, wanted.note
    note_hand(review, by)
    record("price review changed", review, by=by, now=now, base=base.name)
    return review


def propose_review(review_id: int, *, by: str, now: datetime, against: str | None = None) -> PriceReview:
    """Put a draft before a second person.

    ``against`` is what ``queries.shown`` said when it was looked at; ``None``: as it stands now. Raises ``Clash`` when
    it has changed since, ``RuleBroken`` when no rate would change or one would be too high, and otherwise as
    ``start_review`` does when it cannot become an edition any more.
    """
    review = locked(review_id)
    check_move(review, ReviewState.PROPOSED)
    check_as_shown(review, against)
    check_still_possible(review, local_date(now))
    found = queries.preview_of(review)
    check_rates(found)
    if not found.up + found.down:
        raise RuleBroken("No rate would change. Add a rule that changes at least one item, then propose the review.")
    review.status = ReviewState.PROPOSED
    review.proposed_by, review.proposed_at = by, now
    record("price review proposed", review, by=by, now=now, up=found.up, down=found.down, same=found.same)
    return review


def return_to_draft(review_id: int, *, by: str, now: datetime) -> PriceReview:
    """Take a proposal back, to change it; whoever proposes it next is the one who may not approve it."""
    review = locked(review_id)
    check_move(review, ReviewState.DRAFT)
    review.status = ReviewState.DRAFT
    review.proposed_by = review.proposed_at = None
    record("price review back to draft", review, by=by, now=now)
    return review


def reject_review(review_id: int, *, reason: str, by: str, now: datetime) -> PriceReview:
    """A second person says no, and why; contractors whose requests were in it are told."""
    review = locked(review_id)
    check_move(review, ReviewState.REJECTED)
    if review.proposed_by == by:
        raise RuleBroken(
            "You proposed this review, so somebody else must decide on it. You can take it back to a draft, or drop it."
        )
    review.decision_reason = checked_text(reason, "reason", "Give the reason; it is kept with the review.")
    review.status = ReviewState.REJECTED
    review.decided_by, review.decided_at = by, now
    record("price review rejected", review, by=by, now=now)
    notices.tell_of_the_end(review, now=now)
    return review


def drop_review(review_id: int, *, by: str, now: datetime) -> PriceReview:
    """End a review that nobody wants any more; contractors whose requests were in it are told."""
    review = locked(review_id)
    check_move(review, ReviewState.DROPPED)
    review.status = ReviewState.DROPPED
    record("price review dropped", review, by=by, now=now)
    notices.tell_of_the_end(review, now=now)
    return review


def approve_review(review_id: int, *, by: str, now: datetime, against: str | None = None) -> Edition:
    """A second person says yes: the new edition is written, and the members who work at its day are told.

    Everything is looked at again: the name and the day are free, the day has not passed, and the base is still the
    latest edition before it. ``against`` as in ``propose_review``. Raises ``Clash`` when the proposal has changed since
    it was looked at, ``RuleBroken`` for whoever proposed it or had a hand in it, and for a rate that is too high,
    ``WrongState`` for a review that is not proposed (any more), and otherwise as ``start_review`` does.
    """
    review = locked(review_id)
    check_move(review, ReviewState.APPROVED)
    if (why := why_not_second(review, by)) is not None:
        raise RuleBroken(why)
    check_as_shown(review, against)
    check_still_possible(review, local_date(now))
    found = queries.preview_of(review)
    check_rates(found)
    edition = write_edition(
        review.schedule,
        found.reviewed_items(),
        name=review.edition_name,
        starts_on=review.starts_on,
        source=f"price review {review.id} of {review.base.name}"[:255],
        because="edition from a price review",
        by=by,
        now=now,
    )
    review.status, review.edition_id, review.edition = ReviewState.APPROVED, edition.id, edition
    review.decided_by, review.decided_at = by, now
    told = notices.tell_of_new_rates(review, now=now)
    record(
        "price review approved",
        review,
        by=by,
        now=now,
        base=review.base.name,
        proposed_by=review.proposed_by,
        up=found.up,
        down=found.down,
        same=found.same,
        contractors_told=told,
    )
    return edition


# What several services ask --------------------------------------------------------------------------------------------


def locked(review_id: int) -> PriceReview:
    """The review with its rules and its schedule, locked until the transaction ends, as they stand now."""
    schedule_id = db.session.scalar(select(PriceReview.schedule_id).where(PriceReview.id == review_id))
    if schedule_id is None:
        raise NotFound("There is no such price review.")
    db.session.execute(select(Schedule.id).where(Schedule.id == schedule_id).with_for_update())
    return db.session.scalars(
        select(PriceReview)
        .where(PriceReview.id == review_id)
        .with_for_update(of=PriceReview)
        .options(selectinload(PriceReview.rules).joinedload(ReviewRule.index))
        .execution_options(populate_existing=True)
    ).one()


def locked_draft(review_id: int) -> PriceReview:
    """A review that can be changed, locked; ``WrongState`` for one that is no draft."""
    review = locked(review_id)
    if review.status is not ReviewState.DRAFT:
        raise WrongState(
            f"This review is {STATE_TEXT[review.status]}. Only a draft can be changed"
            + ("; take it back to a draft first." if review.status is ReviewState.PROPOSED else ".")
        )
    return review


def check_move(review: PriceReview, state: ReviewState) -> None:
    """``WrongState`` when the review cannot go to ``state`` from where it stands."""
    if state not in REVIEW_MOVES[review.status]:
        raise WrongState(f"This review is {STATE_TEXT[review.status]} and cannot become {STATE_TEXT[state]}.")


def note_hand(review: PriceReview, by: str) -> None:
    """Remember who had a hand in what a review would make of the rates, whatever others do to it afterwards."""
    if by not in review.hands:
        review.hands = [*review.hands, by]


def why_not_second(review: PriceReview, by: str) -> str | None:
    """Why somebody cannot approve a review, in a sentence; ``None`` when nothing of it is theirs."""
    if review.proposed_by == by:
        did = "proposed this review"
    elif review.made_by == by:
        did = "started this review"
    elif by in review.hands:
        did = "set, changed or removed something in this review: its name, its day or a rule"
    else:
        return None
    return f"You {did}. Nobody approves what they had a hand in, so somebody else must approve it."


def check_as_shown(review: PriceReview, against: str | None) -> None:
    """``Clash`` when a review is not what somebody looked at (any more)."""
    if against is not None and against != queries.shown(review):
        raise Clash("The proposal has changed since you looked; look at it again.")


def check_rates(found: Preview) -> None:
    """``RuleBroken`` when a rate would be higher than an item can have."""
    high = [each.item.code for each in found.changes if each.new_pence > MOST_RATE_PENCE and not each.withdrawn]
    if high:
        more = f" and {len(high) - NAMED:,} more" if len(high) > NAMED else ""
        raise RuleBroken(
            f"The new rate would lie above {shown(MOST_RATE_PENCE)}, the highest that a rate can be, for "
            f"{', '.join(high[:NAMED])}{more}. Set a rule of their own for them, or a lower change."
        )


def check_still_possible(review: PriceReview, today: date) -> None:
    """Whether a review can still become an edition; raises as ``possible_base``, and ``RuleBroken`` when another
    edition has come between its base and its day."""
    wanted = ReviewWanted(review.edition_name, review.starts_on, review.note)
    base = possible_base(review.schedule, wanted, today)
    if base.id != review.base_id:
        raise RuleBroken(
            f"The edition {base.name} starts on {date_text(base.starts_on)}, after {review.base.name} on which this "
            "review rests. Take the review back to a draft and save its name and day again; it then rests on "
            f"{base.name}."
        )


def possible_base(schedule: Schedule, wanted: ReviewWanted, today: date) -> Edition:
    """The edition that the new one would take over from; ``WrongTerm`` or ``TakenTerm`` when there can be no such."""
    if wanted.starts_on < today:
        raise WrongTerm(
            f"{date_text(wanted.starts_on)} has passed; new rates start today or later. Enter another day.", "starts_on"
        )
    for term, fault in taken_faults(schedule.code, wanted.edition_name, wanted.starts_on):
        raise TakenTerm(fault, term)
    base = edition_before(schedule.code, wanted.starts_on)
    if base is None:
        raise WrongTerm(
            f"No edition of {schedule.code} starts before {date_text(wanted.starts_on)}, so there are no rates to "
            "review; enter a later day.",
            "starts_on",
        )
    return base


def checked(wanted: ReviewWanted) -> ReviewWanted:
    """The texts of a review without idle space; ``WrongTerm`` for one that is missing or too long."""
    name = " ".join(wanted.edition_name.split())
    if (fault := edition_fault(name)) is not None:
        raise WrongTerm(fault, "edition_name")
    return ReviewWanted(name, wanted.starts_on, checked_text(wanted.note, "note"))


def checked_text(text: str, term: str, needed: str = "") -> str:
    """``text`` without idle space; ``WrongTerm`` when it is ``needed`` and missing, or too long."""
    text = " ".join(text.split())
    if needed and not text:
        raise WrongTerm(needed, term)
    if len(text) > LONGEST_TEXT:
        raise WrongTerm(f"The {term} has {len(text):,} characters; at most {LONGEST_TEXT:,} fit.", term)
    return text


def record(action: str, review: PriceReview, *, by: str, now: datetime, **data: object) -> None:
    """The audit event of a step of a review."""
    audit.record(
        action,
        f"price-review:{review.id}",
        at=now,
        actor=by,
        schedule=review.schedule.code,
        edition=review.edition_name,
        starts_on=review.starts_on.isoformat(),
        **data,
    )
