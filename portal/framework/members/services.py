"""Change who is on the list: applications, admissions, suspensions, releases, and the ranks.

Every step is an event that stays: the standing on any day follows from them (``rules.standing_on``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.faults import checked_reason
from portal.framework.member_models import Contractor, Member, MemberArea, MemberEvent
from portal.framework.members.bands import bands_of, check_adjustment, checked_bands, put_bands
from portal.framework.members.ranks import (
    RankWanted,
    SharedRank,
    add_place,
    code_of,
    later_editions,
    lock_lot,
    members_of_lot,
    places_held,
    ranks_on,
    refuse_shared_ranks,
)
from portal.framework.models import Framework, Lot, Participation, Review
from portal.framework.roster import Roster
from portal.framework.rules import POSTCODE_DISTRICT, Standing, standing, why_not_admitted
from portal.framework.states import ENDED, MEMBER_MOVES, MemberStatus, ReviewStatus
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState


def lock_member(member_id: int) -> Member:
    """The membership, its contractor's row locked so that its history has one writer; ``NotFound`` without one."""
    member = db.session.scalar(select(Member).where(Member.id == member_id))
    if member is None:
        raise NotFound("There is no such membership.")
    lock_contractor(member.contractor_id)
    return member


def lock_contractor(contractor_id: int) -> Contractor:
    """The contractor as it is now, locked; allocation locks the same row."""
    return db.session.scalars(
        select(Contractor)
        .where(Contractor.id == contractor_id)
        .with_for_update(of=Contractor)
        .execution_options(populate_existing=True)
    ).one()


def last_event(member_id: int) -> MemberEvent | None:
    """The latest step in a membership's history."""
    return db.session.scalar(
        select(MemberEvent).where(MemberEvent.member_id == member_id).order_by(MemberEvent.id.desc()).limit(1)
    )


def standing_now(member_id: int, day: date) -> Standing | None:
    """Where a membership stands on ``day``, not before its last step; ``None`` without a history."""
    last = last_event(member_id)
    return None if last is None else standing(last.status, last.reason, last.until_on, day)


def ended_an_application(member_id: int) -> bool:
    """Whether the last step of a membership turned an application down or took it back."""
    latest = select(MemberEvent.status).where(MemberEvent.member_id == member_id).order_by(MemberEvent.id.desc())
    steps = list(db.session.scalars(latest.limit(2)))
    return len(steps) == 2 and steps[0] in ENDED and steps[1] in {MemberStatus.APPLIED, MemberStatus.CHECKING}


def add_event(
    member: Member,
    status: MemberStatus,
    *,
    reason: str,
    by: str,
    now: datetime,
    until_on: date | None = None,
    from_on: date | None = None,
) -> None:
    """Write a step that holds from ``from_on`` (default: today), with its audit event.

    The caller has asked whether it may be taken. The reason stays with the step: it may speak of people, and an audit
    event is never altered.
    """
    db.session.add(
        MemberEvent(
            member_id=member.id,
            status=status,
            from_on=from_on or local_date(now),
            until_on=until_on,
            reason=reason,
            decided_by=by,
            decided_at=now,
        )
    )
    audit.record(
        f"member {status.value}",
        f"contractor:{member.contractor.organisation.code}",
        at=now,
        actor=by,
        lot=member.lot.name,
        until=until_on and until_on.isoformat(),
    )
    db.session.flush()


def set_member_status(
    member: Member, status: MemberStatus, *, reason: str, by: str, now: datetime, until_on: date | None = None
) -> None:
    """Move a membership to ``status`` with a reason, from today.

    Raises ``WrongState`` when that move does not exist, ``RuleBroken`` for a suspension that ends before tomorrow, a
    missing reason for a suspension or removal, or a day before the last step.
    """
    member = lock_member(member.id)
    last, today = last_event(member.id), local_date(now)
    if last is None:
        raise WrongState("This membership has no history yet.")
    if today < last.from_on:
        raise RuleBroken(f"The last step was taken on {date_text(last.from_on)}; the next cannot come before it.")
    current = standing(last.status, last.reason, last.until_on, today).status
    if status not in MEMBER_MOVES[current]:
        raise WrongState(f"This membership is {current.value}; it cannot become {status.value}.")
    reason = checked_reason(reason, needed=status in {MemberStatus.SUSPENDED, MemberStatus.REMOVED})
    if until_on is not None and status is not MemberStatus.SUSPENDED:
        raise RuleBroken("Only a suspension has an end.")
    if until_on is not None and until_on <= today:
        raise RuleBroken(f"The suspension must end after today; {date_text(until_on)} does not.")
    add_event(member, status, reason=reason, by=by, now=now, until_on=until_on)


# Applications ---------------------------------------------------------------------------------------------------------


def apply_for_lot(
    contractor_id: int, lot_id: int, *, areas: Collection[str], adjustment_bp: int, by: str, now: datetime
) -> Member:
    """Apply for a lot: the codes of the areas wanted (authorities, postcode districts) and the tendered adjustment.

    Whoever was released or removed may apply again, once a day. Raises ``Clash`` for an application sent twice,
    ``RuleBroken`` for a second one on a day, areas that the lot does not cover, an adjustment that leaves no price, or
    a framework that takes nobody.
    """
    contractor = lock_contractor(contractor_id)
    lot = db.session.get(Lot, lot_id)
    if lot is None:
        raise NotFound("There is no such lot.")
    today = local_date(now)
    ends_on = lot.framework.ends_on
    if ends_on is not None and ends_on <= today:
        raise RuleBroken(f"The framework of the lot {lot.name} ended on {date_text(ends_on)}.")
    # Between re-openings an open framework takes applications, which wait for the next one.
    if closed := why_no_applications(lot.framework, today):
        raise RuleBroken(closed)
    check_adjustment(adjustment_bp)
    member = db.session.scalar(select(Member).where(Member.lot_id == lot_id, Member.contractor_id == contractor_id))
    before = None if member is None else standing_now(member.id, today)
    if before is not None and MemberStatus.APPLIED not in MEMBER_MOVES[before.status]:
        words = {
            MemberStatus.APPLIED: "You have applied for the lot {lot} already; the application waits to be checked.",
            MemberStatus.CHECKING: "Your application for the lot {lot} is being checked already.",
        }
        raise Clash(words.get(before.status, "You are a member of the lot {lot} already.").format(lot=lot.name))
    if member is not None and _applied_on(member.id, today):
        # Each application writes to every framework manager.
        raise RuleBroken(
            f"You applied for the lot {lot.name} today already. You can apply for it again from tomorrow."
        )
    if member is None:
        member = Member(lot_id=lot_id, contractor_id=contractor.id, adjustment_bp=adjustment_bp)
        db.session.add(member)
    member.adjustment_bp = adjustment_bp
    set_areas(member, lot, areas, today)
    db.session.flush()
    add_event(member, MemberStatus.APPLIED, reason="", by=by, now=now)
    return member


def _applied_on(member_id: int, day: date) -> bool:
    """Whether an application for this membership was made on ``day``."""
    applied = select(MemberEvent.id).where(
        MemberEvent.member_id == member_id, MemberEvent.status == MemberStatus.APPLIED, MemberEvent.from_on == day
    )
    return db.session.scalar(applied.limit(1)) is not None


def why_no_applications(framework: Framework, today: date) -> str | None:
    """Why this framework takes no applications, as a sentence: it is closed and has started; else ``None``."""
    return why_not_admitted(framework.kind, framework.regime, framework.starts_on, {ReviewStatus.OPEN}, today)


def set_areas(member: Member, lot: Lot, areas: Collection[str], today: date) -> None:
    """Let ``member`` work in ``areas``: codes of authorities that take part, or postcode districts.

    Raises ``RuleBroken`` for none, for an unknown one, for one outside the lot, and for an authority that has left.
    """
    wanted = list(dict.fromkeys(areas))
    if not wanted:
        raise RuleBroken("Choose at least one area to work in.")
    authorities = {
        organisation.code: organisation
        for organisation in db.session.scalars(
            select(Organisation).where(Organisation.code.in_(wanted), Organisation.kind == OrganisationKind.AUTHORITY)
        )
    }
    limited = {area.authority.code if area.authority else area.district for area in lot.areas}
    access = access_of(lot.framework_id)
    rows: list[tuple[Organisation | None, str]] = []
    for code in wanted:
        authority = authorities.get(code)
        if authority is None and not POSTCODE_DISTRICT.fullmatch(code):
            raise RuleBroken(f"{code} is neither an authority nor a postcode district such as RG1.")
        if authority is not None and not any(to_on is None or to_on > today for _, to_on in access.get(code, ())):
            raise RuleBroken(f"{authority.name} does not take part in this framework; leave that area out.")
        if limited and authority is not None and code not in limited and all(code in access for code in limited):
            raise RuleBroken(f"The lot {lot.name} does not cover {authority.name}; leave that area out.")
        rows.append((authority, "" if authority else code))
    put_areas(member, rows, today)


def put_areas(member: Member, wanted: Collection[tuple[Organisation | None, str]], today: date) -> None:
    """Let a member work in these areas from today, each an authority or a postcode district.

    Where it worked before keeps its days, so that a past day is told as it was; the areas of a new member are bounded
    by its history alone.
    """
    db.session.flush()
    now = {area.code: area for area in member.areas}
    codes = {authority.code if authority else district: (authority, district) for authority, district in wanted}
    ever = select(MemberArea.id).where(MemberArea.member_id == member.id).limit(1)
    from_on = None if db.session.scalar(ever) is None else today
    for code, area in now.items():
        if code in codes:
            continue
        if area.from_on == today:
            db.session.delete(area)
        else:
            area.to_on = today
    # The old rows give up their places before new ones take them.
    db.session.flush()
    db.session.add_all(
        MemberArea(
            member_id=member.id,
            authority_id=authority.id if authority else None,
            authority=authority,
            district=district,
            from_on=from_on,
        )
        for code, (authority, district) in codes.items()
        if code not in now
    )
    db.session.flush()
    db.session.expire(member, ["areas"])


def access_of(framework_id: int) -> dict[str, list[tuple[date | None, date | None]]]:
    """Each participating authority's periods ``[from, to)`` in a framework, by its code."""
    found: dict[str, list[tuple[date | None, date | None]]] = {}
    for code, from_on, to_on in db.session.execute(
        select(Organisation.code, Participation.from_on, Participation.to_on)
        .join(Organisation, Organisation.id == Participation.authority_id)
        .where(Participation.framework_id == framework_id)
        .order_by(Participation.id)
    ):
        found.setdefault(code, []).append((from_on, to_on))
    return found


def admit_member(
    member: Member, *, reason: str, by: str, now: datetime, rank: int | None = None, share_bp: int | None = None
) -> None:
    """Admit a checked applicant from today, with a rank (the next free one when none is named).

    The rank goes into the edition of ranks from today, a new one where none starts today, and into every edition that
    starts later; what these editions say of their making stays. Raises as ``set_member_status`` does, ``RuleBroken``
    while a document that the lot requires is not there and verified, and ``Clash`` for a rank that another member
    holds.
    """
    # Lots before contractors, as allocation locks them.
    lot = lock_lot(member.lot_id)
    today = local_date(now)
    if closed := why_nobody_enters(lot.framework, today):
        raise RuleBroken(closed)
    held = {day: places_held(lot.id, day) for day in [today, *later_editions(lot.id, today)]}
    set_member_status(member, MemberStatus.ACTIVE, reason=reason, by=by, now=now)
    if lacks := lacking_documents(member, today):
        raise RuleBroken(
            f"{member.contractor.organisation.name} cannot be admitted to the lot {lot.name} yet: {'; '.join(lacks)}. "
            "Each required document must be verified first."
        )
    for starts_on, places in held.items():
        placed = places.pop(member.id, None)
        stays = placed is not None and (rank is None or starts_on > today)
        # An edition that was made for a review has placed the applicant already.
        if placed is not None and stays and _is_free(lot, {**places, member.id: placed}, starts_on):
            continue
        last = max((place.rank for place in places.values()), default=0)
        # A later edition may have given the rank to somebody else: there the newcomer goes to the end.
        wanted = rank if rank is not None and starts_on == today else last + 1
        add_place(lot, starts_on, member, RankWanted(wanted, share_bp), by=by, now=now)


def _is_free(lot: Lot, places: Mapping[int, RankWanted], day: date) -> bool:
    """Whether no two members share a rank at these places."""
    try:
        refuse_shared_ranks(lot, places, members_of_lot(lot.id), day)
    except SharedRank:
        return False
    return True


def why_nobody_enters(framework: Framework, today: date) -> str | None:
    """Why this framework admits nobody today, as a sentence; ``None`` when it does (``rules.why_not_admitted``)."""
    reviews = set(db.session.scalars(select(Review.status).where(Review.framework_id == framework.id)))
    return why_not_admitted(framework.kind, framework.regime, framework.starts_on, reviews, today)


def lacking_documents(member: Member, day: date) -> tuple[str, ...]:
    """Which documents that its lot requires do not hold for a member on ``day``, and why."""
    roster = Roster([member.lot_id], day)
    listed = next(each for each in roster if each.member_id == member.id)
    return listed.lapses(roster.lots[member.lot_id].required, day)


def change_member_terms(
    member_id: int,
    *,
    areas: Collection[str],
    adjustment_bp: int,
    by: str,
    now: datetime,
    bands: Sequence[tuple[int, int]] | None = None,
) -> Member:
    """Let a membership serve ``areas`` (codes of authorities, postcode districts) at another adjustment from now on.

    ``bands`` are its adjustments for jobs of more value, ``(from pence at schedule rates, basis points)``; ``None``
    leaves them as they are. What was offered and ordered keeps its price. Raises ``WrongState`` for a membership that
    has ended, ``RuleBroken`` as ``set_areas``, ``check_adjustment`` and ``checked_bands`` do, and ``SharedRank`` when
    the rank is taken in a new area.
    """
    member = db.session.scalar(select(Member).where(Member.id == member_id))
    if member is None:
        raise NotFound("There is no such membership.")
    lot = lock_lot(member.lot_id)
    lock_contractor(member.contractor_id)
    # Read again behind the lock: somebody else may have changed it meanwhile.
    db.session.refresh(member)
    today = local_date(now)
    current = standing_now(member_id, today)
    if current is None or current.status in ENDED:
        raise WrongState("This membership has ended; its areas and its adjustment stay as they were.")
    check_adjustment(adjustment_bp)
    was_bands = bands_of(member)
    wanted = was_bands if bands is None else checked_bands(bands)
    was_areas, was_adjustment = sorted(area.code for area in member.areas), member.adjustment_bp
    set_areas(member, lot, areas, today)
    member.adjustment_bp = adjustment_bp
    put_bands(member, wanted)
    members = members_of_lot(lot.id)
    for starts_on in [today, *later_editions(lot.id, today)]:
        refuse_shared_ranks(lot, ranks_on(lot.id, starts_on), members, starts_on)
    audit.record(
        "member terms changed",
        f"contractor:{code_of(member)}",
        at=now,
        actor=by,
        lot=lot.name,
        areas=sorted(area.code for area in member.areas),
        adjustment_bp=adjustment_bp,
        was_areas=was_areas,
        was_adjustment_bp=was_adjustment,
        bands=wanted,
        was_bands=was_bands,
    )
    return member
