"""The ranks of a lot's members, in editions that start on a day: the old ones stay readable."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import selectinload

from portal.framework.faults import WrongTerm
from portal.framework.member_models import Member, MemberEvent, RankEdition, RankPlace
from portal.framework.models import Lot, Review
from portal.framework.rules import standing
from portal.framework.states import MemberStatus, ReviewStatus
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db, table_of
from portal.kernel.errors import Clash, NotFound, RuleBroken
from portal.kernel.money import percent

#: Who is on the list in the narrow sense: these hold a rank that nobody else may have.
LISTED = frozenset({MemberStatus.ACTIVE, MemberStatus.SUSPENDED})
#: Who may be given a place: besides those listed, applicants who are being checked.
PLACED = LISTED | {MemberStatus.CHECKING}
#: No list ranks further down than this.
MOST_RANK = 100_000


#: Longest note on an edition, in characters.
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class RankWanted:
    """A rank from 1 (the first), and a share of the work in basis points where shares are agreed."""

    rank: int
    share_bp: int | None = None


class SharedRank(Clash):
    """Two members would hold one rank where both work; ``codes`` are theirs."""

    def __init__(self, first: str, second: str, rank: int, lot: str) -> None:
        self.codes = tuple(sorted((first, second)))
        super().__init__(
            f"{' and '.join(self.codes)} would share rank {rank} in lot {lot}; give each member a rank of its own."
        )


def code_of(member: Member) -> str:
    """The contractor's code."""
    return member.contractor.organisation.code


def lock_lot(lot_id: int) -> Lot:
    """The lot, locked: its ranks have one writer."""
    return db.session.scalars(
        select(Lot)
        .where(Lot.id == lot_id)
        .with_for_update(of=Lot, key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def edition_on(lot_id: int, day: date) -> RankEdition | None:
    """The edition of ranks in force on ``day``."""
    return db.session.scalar(
        select(RankEdition)
        .where(RankEdition.lot_id == lot_id, RankEdition.starts_on <= day)
        .order_by(RankEdition.starts_on.desc())
        .limit(1)
        .options(selectinload(RankEdition.places))
        .execution_options(populate_existing=True)
    )


def later_editions(lot_id: int, day: date) -> list[date]:
    """The days after ``day`` on which new editions of ranks start."""
    return list(
        db.session.scalars(
            select(RankEdition.starts_on)
            .where(RankEdition.lot_id == lot_id, RankEdition.starts_on > day)
            .order_by(RankEdition.starts_on)
        )
    )


def ranks_on(lot_id: int, day: date) -> dict[int, RankWanted]:
    """Rank and share by member id as they hold on ``day``."""
    edition = edition_on(lot_id, day)
    return {} if edition is None else {p.member_id: RankWanted(p.rank, p.share_bp) for p in edition.places}


def places_held(lot_id: int, day: date) -> dict[int, RankWanted]:
    """``ranks_on`` without what memberships that ended have left behind: the place of somebody who was released or
    removed counts no more, nor does it while they apply again, unless the edition was made since."""
    edition = edition_on(lot_id, day)
    if edition is None:
        return {}
    stand = standings_of(lot_id, day)
    applications = (
        select(MemberEvent.member_id, MemberEvent.decided_at)
        .join(Member, Member.id == MemberEvent.member_id)
        .where(Member.lot_id == lot_id, MemberEvent.status == MemberStatus.APPLIED)
        .order_by(MemberEvent.id)
    )
    applied = {step.member_id: step.decided_at for step in db.session.execute(applications)}
    return {
        place.member_id: RankWanted(place.rank, place.share_bp)
        for place in edition.places
        if stand.get(place.member_id) in PLACED
        and (stand[place.member_id] in LISTED or applied[place.member_id] <= edition.made_at)
    }


def set_ranks(
    lot: Lot,
    starts_on: date,
    ranks: Mapping[int, RankWanted],
    *,
    by: str,
    now: datetime,
    note: str = "",
    review_id: int | None = None,
    everyone: bool = True,
) -> RankEdition:
    """A new edition of the lot's ranks from ``starts_on``, today or later; one that starts that day is replaced.

    ``ranks`` maps member ids to their places. With ``everyone`` each member who is active or suspended must have one.
    Raises ``RuleBroken`` for a day in the past, a member left out or of another lot, a rank below 1, shares that come
    to more than 100 %, and ``SharedRank`` for two members with one rank in one area; with ``everyone`` applicants who
    are being checked count as members there.
    """
    if starts_on < local_date(now):
        raise RuleBroken(f"{date_text(starts_on)} is in the past: ranks that have been in force are not changed.")
    return write_ranks(lot, starts_on, ranks, by=by, now=now, note=note, review_id=review_id, everyone=everyone)


def write_ranks(
    lot: Lot,
    starts_on: date,
    ranks: Mapping[int, RankWanted],
    *,
    by: str,
    now: datetime,
    note: str = "",
    review_id: int | None = None,
    everyone: bool = False,
) -> RankEdition:
    """``set_ranks`` for any day: the first list of a lot may hold since before it was brought in."""
    members = members_of_lot(lot.id)
    _check_places(lot, ranks, members, starts_on, everyone=everyone)
    edition = edition_from(lot.id, starts_on)
    if edition is None:
        edition = RankEdition(lot_id=lot.id, starts_on=starts_on)
        db.session.add(edition)
    edition.note, edition.made_by, edition.made_at, edition.review_id = note, by, now, review_id
    edition.places = []
    db.session.flush()
    if ranks:
        db.session.execute(
            insert(table_of(RankPlace)),
            [
                {"edition_id": edition.id, "member_id": member_id, "rank": place.rank, "share_bp": place.share_bp}
                for member_id, place in ranks.items()
            ],
        )
    db.session.expire(edition, ["places"])
    audit.record(
        "ranks set",
        f"framework:{lot.framework.code}",
        at=now,
        actor=by,
        lot=lot.name,
        starts_on=starts_on.isoformat(),
        ranks={code_of(members[member_id]): place.rank for member_id, place in ranks.items()},
    )
    return edition


def edition_from(lot_id: int, starts_on: date) -> RankEdition | None:
    """The edition of ranks that starts on this very day."""
    return db.session.scalar(
        select(RankEdition).where(RankEdition.lot_id == lot_id, RankEdition.starts_on == starts_on)
    )


def add_place(lot: Lot, starts_on: date, member: Member, place: RankWanted, *, by: str, now: datetime) -> None:
    """Give one member a place in the edition that starts on a day. Its note, its maker and its review stay; without
    such an edition the ranks in force are carried into a new one. Raises as ``set_ranks`` does."""
    edition = edition_from(lot.id, starts_on)
    places = places_held(lot.id, starts_on) | {member.id: place}
    if edition is None:
        write_ranks(lot, starts_on, places, by=by, now=now, note=f"{code_of(member)} admitted")
        return
    _check_places(lot, places, members_of_lot(lot.id), starts_on, everyone=False)
    mine = next((each for each in edition.places if each.member_id == member.id), None)
    if mine is None:
        edition.places.append(RankPlace(member_id=member.id, rank=place.rank, share_bp=place.share_bp))
    else:
        mine.rank, mine.share_bp = place.rank, place.share_bp
    db.session.flush()
    audit.record(
        "rank given",
        f"framework:{lot.framework.code}",
        at=now,
        actor=by,
        lot=lot.name,
        starts_on=starts_on.isoformat(),
        member=code_of(member),
        rank=place.rank,
        share_bp=place.share_bp,
    )


def _check_places(
    lot: Lot, ranks: Mapping[int, RankWanted], members: Mapping[int, Member], starts_on: date, *, everyone: bool
) -> None:
    """Refuse ranks that no edition can have. Whoever has left by ``starts_on`` holds neither a rank nor a share."""
    if strangers := set(ranks) - set(members):
        raise RuleBroken(f"{len(strangers)} of these members are not members of the lot {lot.name}.")
    stand = standings_of(lot.id, starts_on)
    if everyone:
        left_out = [
            code_of(members[each]) for each in sorted(members) if stand.get(each) in LISTED and each not in ranks
        ]
        if left_out:
            raise RuleBroken(f"Give a rank to every member; {', '.join(left_out)} would have none.")
    if any(not 1 <= place.rank <= MOST_RANK for place in ranks.values()):
        raise RuleBroken(f"A rank is a whole number from 1 to {MOST_RANK:,}.")
    if (shares := sum(p.share_bp or 0 for m, p in ranks.items() if stand.get(m) in PLACED)) > 10_000:
        raise RuleBroken(f"The shares come to {percent(shares)} %; together they can be at most 100 %.")
    refuse_shared_ranks(lot, ranks, members, starts_on, PLACED if everyone else LISTED)


def members_of_lot(lot_id: int) -> dict[int, Member]:
    """Every membership of a lot by its id, whatever its standing, with its areas and contractor."""
    return {
        member.id: member
        for member in db.session.scalars(
            select(Member)
            .where(Member.lot_id == lot_id)
            .options(selectinload(Member.areas), selectinload(Member.contractor))
        )
    }


def standings_of(lot_id: int, day: date) -> dict[int, MemberStatus]:
    """Where each member of a lot stands on ``day``, by member id."""
    latest = (
        select(func.max(MemberEvent.id))
        .join(Member, Member.id == MemberEvent.member_id)
        .where(Member.lot_id == lot_id, MemberEvent.from_on <= day)
        .group_by(MemberEvent.member_id)
    )
    return {
        event.member_id: standing(event.status, event.reason, event.until_on, day).status
        for event in db.session.scalars(select(MemberEvent).where(MemberEvent.id.in_(latest)))
    }


def refuse_shared_ranks(
    lot: Lot,
    ranks: Mapping[int, RankWanted],
    members: Mapping[int, Member],
    day: date,
    among: Collection[MemberStatus] = LISTED,
) -> None:
    """``SharedRank`` when two members who stand at one of ``among`` would share a rank in one area; the contractor's
    code breaks ties of members who never meet."""
    listed = standings_of(lot.id, day)
    holders: dict[tuple[int, str], str] = {}
    for member_id, place in ranks.items():
        if listed.get(member_id) not in among:
            continue
        for area in members[member_id].areas:
            other = holders.setdefault((place.rank, area.code), code_of(members[member_id]))
            if other != code_of(members[member_id]):
                raise SharedRank(other, code_of(members[member_id]), place.rank, lot.name)


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
    note that is too long or a review that is not open, and what ``set_ranks`` raises.
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
