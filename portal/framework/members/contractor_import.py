"""Bring the contractor list in from a file: contractors, memberships, ranks and documents; all or nothing."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.member_models import Contractor, Member
from portal.framework.members.contractor_file import ContractorFile, ContractorRow
from portal.framework.members.listed_firms import EVER, Imported, put_contractors
from portal.framework.members.ranks import (
    LISTED,
    RankWanted,
    SharedRank,
    edition_on,
    later_editions,
    lock_lot,
    members_of_lot,
    places_held,
    refuse_shared_ranks,
    standings_of,
    write_ranks,
)
from portal.framework.members.services import access_of, add_event, put_areas, why_no_applications
from portal.framework.models import Framework, Lot
from portal.framework.rules import holds
from portal.framework.states import MemberStatus
from portal.framework.terms.lots import add_lot, require_documents
from portal.framework.terms.services import DEFAULT_FRAMEWORK, add_framework, add_participation
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.errors import InputRefused, Problem

#: What a list leaves as it is: who applies is admitted by a person, and who has left may apply again.
WORDS = {
    MemberStatus.APPLIED: "has applied for the lot {lot} and waits to be checked",
    MemberStatus.CHECKING: "has applied for the lot {lot} and is being checked",
    MemberStatus.RELEASED: "was released from the lot {lot}",
    MemberStatus.REMOVED: "was removed from the lot {lot}",
}


def import_contractors(
    file: ContractorFile, *, framework_code: str | None, create: bool, by: str, now: datetime
) -> Imported:
    """Put the contractors of ``file`` on the list; all or nothing.

    A contractor or membership that is there already takes the file's values where the file has the column. A list
    proves less than a document does: what somebody handed in stays, and so does a later last day; whoever signs in
    keeps its own e-mail address; whoever applies, or has left, is not (again) a member by being listed. A closed
    framework that has started takes a first list for each lot, and nobody new later. Without ``create`` an unknown
    framework, lot or area is a problem; with it, it is made: a ranked-cascade lot per name, requiring the kinds of
    document that the file's header names, and an authority per area. Raises ``InputRefused``.
    """
    problems = list(file.problems)
    if problems:
        raise InputRefused(problems)
    done = Imported(rows=len(file.rows))
    framework = _framework_for(framework_code, create=create, file=file.name, by=by, now=now)
    lots = _lots_for(file, framework, create=create, problems=problems, done=done, by=by, now=now)
    areas = _areas_for(file, framework, create=create, problems=problems, done=done, by=by, now=now)
    contractors = put_contractors(file, framework, problems, done, by=by, now=now)
    if problems:
        raise InputRefused(problems)
    known = {
        (member.lot_id, member.contractor_id): member
        for member in db.session.scalars(
            select(Member)
            .where(Member.lot_id.in_([lot.id for lot in lots.values()]))
            .options(selectinload(Member.areas))
        )
    }
    ranks: dict[str, dict[int, RankWanted]] = {}
    since = {name: _holds_since(lot, framework, local_date(now)) for name, lot in lots.items()}
    standings = {lot.id: standings_of(lot.id, local_date(now)) for lot in lots.values()}
    today = local_date(now)
    closed = why_no_applications(framework, today)
    begun = {lot.id for lot in lots.values() if edition_on(lot.id, today) or later_editions(lot.id, today)}
    adjusts = file.speaks_of("adjustment_percent")
    for row in file.rows:
        contractor = contractors[row.code]
        for lot_name in row.lots:
            lot = lots[lot_name]
            there = known.get((lot.id, contractor.id))
            if there is None and closed and lot.id in begun:
                problems.append(Problem(file.name, f"{closed} Leave the lot {lot_name} out.", row.row, "lots"))
                continue
            stands = None if there is None else standings[lot.id].get(there.id)
            if stands is not None and stands not in LISTED:
                words = WORDS[stands].format(lot=lot_name)
                done.unchanged.append(f"Row {row.row}: {row.code} {words}; the list does not change that.")
                continue
            served = [areas[code] for code in row.areas]
            member = _put_member(row, lot, contractor, known, served, adjusts=adjusts, by=by, now=now)
            if member.id not in standings[lot.id]:
                add_event(
                    member,
                    MemberStatus.ACTIVE,
                    reason=f"listed in {file.name}",
                    by=by,
                    now=now,
                    from_on=since[lot_name],
                )
            ranks.setdefault(lot_name, {})[member.id] = RankWanted(row.rank)
            done.members += 1
    db.session.flush()
    for lot_name in sorted(ranks):
        _rank(file, lots[lot_name], ranks[lot_name], since[lot_name], problems, by=by, now=now)
    if problems:
        raise InputRefused(problems)
    return done


def _holds_since(lot: Lot, framework: Framework, today: date) -> date:
    """From when a list holds: the first one of a lot since its framework began, or ever when nobody stated that."""
    if edition_on(lot.id, today) is not None:
        return today
    return min(framework.starts_on or EVER, today)


def _rank(
    file: ContractorFile,
    lot: Lot,
    ranks: dict[int, RankWanted],
    since: date,
    problems: list[Problem],
    *,
    by: str,
    now: datetime,
) -> None:
    """The file's ranks from ``since``, over those of the members it does not name; nothing when nothing changes."""
    lock_lot(lot.id)
    before = places_held(lot.id, since)
    after = before | {
        member_id: RankWanted(wanted.rank, before[member_id].share_bp if member_id in before else None)
        for member_id, wanted in ranks.items()
    }
    try:
        if after == before:
            # The areas may have changed: two who shared a rank without ever meeting may meet now.
            refuse_shared_ranks(lot, after, members_of_lot(lot.id), local_date(now))
            return
        write_ranks(lot, since, after, note=f"from {file.name}", by=by, now=now)
    except SharedRank as shared:
        rows = {row.code: row.row for row in file.rows}
        place = next((rows[code] for code in shared.codes if code in rows), None)
        problems.append(Problem(file.name, str(shared), place, "rank"))


def _framework_for(code: str | None, *, create: bool, file: str, by: str, now: datetime) -> Framework:
    if code is None:
        frameworks = list(db.session.scalars(select(Framework).limit(2)))
        if len(frameworks) == 1:
            return frameworks[0]
        if frameworks:
            raise InputRefused([Problem(file, "There is more than one framework; name one with --framework CODE.")])
        code = DEFAULT_FRAMEWORK
    framework = db.session.scalar(select(Framework).where(Framework.code == code))
    if framework is not None:
        return framework
    if not create:
        raise InputRefused(
            [
                Problem(
                    file,
                    f"There is no framework with the code {code}; check the code, or repeat with --create to make it.",
                )
            ]
        )
    return add_framework(code, f"Adaptations framework {code}", None, None, by=by, now=now)


def _lots_for(
    file: ContractorFile,
    framework: Framework,
    *,
    create: bool,
    problems: list[Problem],
    done: Imported,
    by: str,
    now: datetime,
) -> dict[str, Lot]:
    lots = {
        lot.name: lot
        for lot in db.session.scalars(
            select(Lot).where(Lot.framework_id == framework.id).options(selectinload(Lot.requirements))
        )
    }
    if create:
        for name in sorted({name for row in file.rows for name in row.lots} & set(lots)):
            require_documents(lots[name], file.document_kinds, by=by, now=now)
    for row in file.rows:
        for name in row.lots:
            if name in lots:
                continue
            if create:
                lots[name] = add_lot(framework, name, requirements=file.document_kinds, by=by, now=now)
                done.lots += 1
            else:
                problems.append(
                    Problem(
                        file.name,
                        f"There is no lot called {name} in {framework.code}; it has "
                        f"{', '.join(sorted(lots)) or 'none yet'}. Correct the name, or repeat with "
                        "--create to make it.",
                        row.row,
                        "lots",
                    )
                )
    return lots


def _areas_for(
    file: ContractorFile,
    framework: Framework,
    *,
    create: bool,
    problems: list[Problem],
    done: Imported,
    by: str,
    now: datetime,
) -> dict[str, Organisation]:
    codes = {code for row in file.rows for code in row.areas}
    known = {
        organisation.code: organisation
        for organisation in db.session.scalars(select(Organisation).where(Organisation.code.in_(codes)))
    }
    for row in file.rows:
        for code in row.areas:
            if code in known:
                if known[code].kind is not OrganisationKind.AUTHORITY:
                    problems.append(
                        Problem(
                            file.name,
                            f"{code} is a contractor, not an authority; an area is named by the code of its authority.",
                            row.row,
                            "areas",
                        )
                    )
            elif create:
                known[code] = Organisation(code=code, name=f"Authority {code}", kind=OrganisationKind.AUTHORITY)
                db.session.add(known[code])
                db.session.flush()
                audit.record("organisation added", f"organisation:{code}", at=now, actor=by, kind="authority")
                done.authorities += 1
            else:
                problems.append(
                    Problem(
                        file.name,
                        f"There is no authority with the code {code}; correct it, or repeat with --create to make it.",
                        row.row,
                        "areas",
                    )
                )
    access, today = access_of(framework.id), local_date(now)
    for authority in known.values():
        if authority.kind is not OrganisationKind.AUTHORITY:
            continue
        periods = access.get(authority.code, [])
        # Whoever is to join later may be listed now; whoever has left may not.
        if any(holds(period, today) or (period[0] is not None and period[0] > today) for period in periods):
            continue
        if create and not periods:
            add_participation(framework, authority, by=by, now=now)
        else:
            row = next(row for row in file.rows if authority.code in row.areas)
            problems.append(
                Problem(
                    file.name,
                    f"{authority.name} left {framework.code}; leave the area out, or let it take part again first."
                    if periods
                    else f"{authority.name} does not take part in {framework.code}; leave the area "
                    "out, or repeat with --create to let it take part.",
                    row.row,
                    "areas",
                )
            )
    return known


def _put_member(
    row: ContractorRow,
    lot: Lot,
    contractor: Contractor,
    known: dict[tuple[int, int], Member],
    areas: list[Organisation],
    *,
    adjusts: bool,
    by: str,
    now: datetime,
) -> Member:
    member = known.get((lot.id, contractor.id))
    is_new = member is None
    if member is None:
        member = Member(lot_id=lot.id, lot=lot, contractor_id=contractor.id, contractor=contractor)
        known[lot.id, contractor.id] = member
        db.session.add(member)
    if adjusts or is_new:
        member.adjustment_bp = row.adjustment_bp
    db.session.flush()
    # A list names authorities; the postcode districts that a member works in besides stay.
    districts = [area.district for area in member.areas if area.district]
    put_areas(member, [*((each, "") for each in areas), *((None, each) for each in districts)], local_date(now))
    audit.record(
        "member listed",
        f"contractor:{row.code}",
        at=now,
        actor=by,
        lot=lot.name,
        rank=row.rank,
        adjustment_bp=member.adjustment_bp,
        areas=sorted(row.areas),
    )
    return member
