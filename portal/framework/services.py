"""Change the contractor list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.contractor_file import ContractorFile, ContractorRow
from portal.framework.models import (
    Contractor,
    ContractorDocument,
    Framework,
    Lot,
    LotRequirement,
    Member,
    MemberArea,
    Participation,
)
from portal.framework.states import MEMBER_MOVES, MemberStatus, Method
from portal.kernel import audit
from portal.kernel.db import db
from portal.kernel.errors import InputRefused, NotFound, Problem, WrongState

DEFAULT_FRAMEWORK = "ADAPT"


@dataclass(slots=True)
class Imported:
    """How many of each were added or changed."""

    rows: int = 0
    contractors: int = 0
    members: int = 0
    lots: int = 0
    authorities: int = 0


def framework_by_code(code: str) -> Framework:
    """The framework, or ``NotFound``."""
    framework = db.session.scalar(select(Framework).where(Framework.code == code))
    if framework is None:
        raise NotFound(f"There is no framework with the code {code}.")
    return framework


def add_framework(
    code: str, name: str, starts_on: date | None, ends_on: date | None, *, by: str, now: datetime
) -> Framework:
    """A new framework in force ``[starts_on, ends_on)``; a date not known yet is ``None`` and limits nothing."""
    framework = Framework(code=code, name=name, starts_on=starts_on, ends_on=ends_on)
    db.session.add(framework)
    db.session.flush()
    audit.record(
        "framework added",
        f"framework:{code}",
        at=now,
        actor=by,
        starts_on=starts_on and starts_on.isoformat(),
        ends_on=ends_on and ends_on.isoformat(),
    )
    return framework


def add_lot(framework: Framework, name: str, *, requirements: Iterable[str], by: str, now: datetime) -> Lot:
    """A ranked-cascade lot for the work type ``name``, with the documents its members must hold."""
    lot = Lot(framework_id=framework.id, name=name, work_type=name, method=Method.RANKED_CASCADE)
    lot.requirements = [LotRequirement(kind=kind) for kind in sorted(set(requirements))]
    db.session.add(lot)
    db.session.flush()
    audit.record(
        "lot added", f"framework:{framework.code}", at=now, actor=by, lot=name, requires=sorted(set(requirements))
    )
    return lot


def require_documents(lot: Lot, kinds: Iterable[str], *, by: str, now: datetime) -> None:
    """Let ``lot`` require these kinds of document of its members too, from now on."""
    more = sorted(set(kinds) - {requirement.kind for requirement in lot.requirements})
    if more:
        lot.requirements += [LotRequirement(kind=kind) for kind in more]
        audit.record("documents required", f"framework:{lot.framework.code}", at=now, actor=by, lot=lot.name, more=more)


def add_participation(framework: Framework, authority: Organisation) -> None:
    """Let ``authority`` call off ``framework``, once."""
    known = select(Participation.id).where(
        Participation.framework_id == framework.id, Participation.authority_id == authority.id
    )
    if db.session.scalar(known) is None:
        db.session.add(Participation(framework_id=framework.id, authority_id=authority.id))


def import_contractors(
    file: ContractorFile, *, framework_code: str | None, create: bool, by: str, now: datetime
) -> Imported:
    """Put the contractors of ``file`` on the list; all or nothing.

    A contractor or membership that is there already takes the file's values. Without ``create`` an unknown
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
    contractors = _contractors_for(file, problems, done, by=by, now=now)
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
    for row in file.rows:
        contractor = contractors[row.code]
        for lot_name in row.lots:
            lot = lots[lot_name]
            _put_member(row, lot, contractor, known, [areas[code] for code in row.areas], by=by, now=now)
            done.members += 1
    db.session.flush()
    problems += _rank_clashes(file, lots)
    if problems:
        raise InputRefused(problems)
    return done


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
    taking_part = set(
        db.session.scalars(select(Participation.authority_id).where(Participation.framework_id == framework.id))
    )
    for authority in known.values():
        if authority.id in taking_part or authority.kind is not OrganisationKind.AUTHORITY:
            continue
        if create:
            db.session.add(Participation(framework_id=framework.id, authority_id=authority.id))
        else:
            row = next(row for row in file.rows if authority.code in row.areas)
            problems.append(
                Problem(
                    file.name,
                    f"{authority.name} does not take part in {framework.code}; leave the area "
                    "out, or repeat with --create to let it take part.",
                    row.row,
                    "areas",
                )
            )
    return known


def _contractors_for(
    file: ContractorFile, problems: list[Problem], done: Imported, *, by: str, now: datetime
) -> dict[str, Contractor]:
    codes = {row.code for row in file.rows}
    organisations = {
        organisation.code: organisation
        for organisation in db.session.scalars(select(Organisation).where(Organisation.code.in_(codes)))
    }
    contractors = {
        contractor.organisation.code: contractor
        for contractor in db.session.scalars(
            select(Contractor)
            .join(Contractor.organisation)
            .where(Organisation.code.in_(codes))
            .options(selectinload(Contractor.documents))
        )
    }
    seen: set[str] = set()
    for row in file.rows:
        if row.code in seen:
            continue
        seen.add(row.code)
        organisation = organisations.get(row.code)
        if organisation is None:
            organisation = Organisation(code=row.code, name=row.name, kind=OrganisationKind.CONTRACTOR)
            db.session.add(organisation)
            db.session.flush()
        elif organisation.kind is not OrganisationKind.CONTRACTOR:
            problems.append(
                Problem(
                    file.name, f"{row.code} is the code of an authority; give the contractor another.", row.row, "code"
                )
            )
            continue
        organisation.name = row.name
        contractor = contractors.get(row.code)
        if contractor is None:
            contractor = contractors[row.code] = Contractor(organisation=organisation)
            db.session.add(contractor)
        contractor.email, contractor.phone, contractor.postcode = row.email, row.phone, row.postcode
        contractor.sme, contractor.capacity, contractor.accepts_from = row.sme, row.capacity, row.accepts_from
        held = {document.kind: document for document in contractor.documents}
        for kind, expires_on in row.documents.items():
            if kind in held:
                held[kind].expires_on = expires_on
            else:
                contractor.documents.append(ContractorDocument(kind=kind, expires_on=expires_on))
        # An empty cell under a document's header says that the contractor holds none.
        for kind in set(file.document_kinds) - set(row.documents):
            if kind in held:
                contractor.documents.remove(held[kind])
        done.contractors += 1
        audit.record(
            "contractor listed",
            f"contractor:{row.code}",
            at=now,
            actor=by,
            file=file.name,
            row=row.row,
            capacity=row.capacity,
            documents={k: d.isoformat() for k, d in row.documents.items()},
        )
    db.session.flush()
    return contractors


def _put_member(
    row: ContractorRow,
    lot: Lot,
    contractor: Contractor,
    known: dict[tuple[int, int], Member],
    areas: list[Organisation],
    *,
    by: str,
    now: datetime,
) -> None:
    member = known.get((lot.id, contractor.id))
    if member is None:
        member = Member(lot_id=lot.id, contractor_id=contractor.id, status=MemberStatus.ACTIVE)
        known[lot.id, contractor.id] = member
        db.session.add(member)
    member.rank, member.adjustment_bp = row.rank, row.adjustment_bp
    served = {area.authority_id: area for area in member.areas}
    wanted = {authority.id for authority in areas}
    member.areas = [area for authority_id, area in served.items() if authority_id in wanted] + [
        MemberArea(authority_id=authority_id) for authority_id in sorted(wanted - set(served))
    ]
    audit.record(
        "member listed",
        f"contractor:{row.code}",
        at=now,
        actor=by,
        lot=lot.name,
        rank=row.rank,
        adjustment_bp=row.adjustment_bp,
        areas=sorted(row.areas),
    )


def _rank_clashes(file: ContractorFile, lots: dict[str, Lot]) -> list[Problem]:
    """Members of the file that now share a rank, in one lot and area, with a member listed before."""
    rows = (
        select(Member.lot_id, Member.rank, MemberArea.authority_id, Organisation.code)
        .join(MemberArea, MemberArea.member_id == Member.id)
        .join(Contractor, Contractor.id == Member.contractor_id)
        .join(Organisation, Organisation.id == Contractor.organisation_id)
        .where(
            Member.lot_id.in_([lot.id for lot in lots.values()]),
            Member.status.in_([MemberStatus.ACTIVE, MemberStatus.SUSPENDED]),
        )
        .order_by(Organisation.code)
    )
    holders: dict[tuple[int, int, int], list[str]] = {}
    for lot_id, rank, authority_id, code in db.session.execute(rows):
        holders.setdefault((lot_id, rank, authority_id), []).append(code)
    names = {lot.id: lot.name for lot in lots.values()}
    places = {row.code: row.row for row in file.rows}
    clashes = sorted(
        {(names[lot_id], rank, tuple(codes)) for (lot_id, rank, _), codes in holders.items() if len(codes) > 1}
    )
    return [
        Problem(
            file.name,
            f"{' and '.join(codes)} would share rank {rank} in lot {lot}; give each member a rank of its own.",
            next((places[c] for c in codes if c in places), None),
            "rank",
        )
        for lot, rank, codes in clashes
    ]


def set_member_status(member: Member, status: MemberStatus, *, reason: str, by: str, now: datetime) -> None:
    """Move a membership to ``status`` with a reason; ``WrongState`` when that move does not exist."""
    db.session.refresh(member, with_for_update=True)
    if status not in MEMBER_MOVES[member.status]:
        raise WrongState(f"This membership is {member.status.value}; it cannot become {status.value}.")
    audit.record(
        f"member {status.value}",
        f"contractor:{member.contractor.organisation.code}",
        at=now,
        actor=by,
        lot=member.lot.name,
        was=member.status.value,
        reason=reason,
    )
    member.status, member.status_reason = status, reason
