"""What a contractor list says of firms: how to reach them, how much they take, which documents they hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind
from portal.framework.documents.services import list_document, withdraw_document
from portal.framework.member_models import Contractor, ContractorDocument
from portal.framework.members.contractor_file import ContractorFile, ContractorRow
from portal.framework.models import Framework
from portal.framework.states import DocumentStatus, document_title
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import Problem

#: Before any list: what a first list says has held since then, when nobody stated the framework's start.
EVER = date(2000, 1, 1)
#: What a list may say of a firm besides its name, address and capacity: the columns of the same name.
OPTIONAL = ("phone", "postcode", "sme", "accepts_from")


@dataclass(slots=True)
class Imported:
    """How many of each were added or changed.

    ``kept`` says what the portal knows better than the list, ``unchanged`` which rows name somebody who is no member,
    in whole sentences.
    """

    rows: int = 0
    contractors: int = 0
    members: int = 0
    lots: int = 0
    authorities: int = 0
    kept: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


def put_contractors(
    file: ContractorFile, framework: Framework, problems: list[Problem], done: Imported, *, by: str, now: datetime
) -> dict[str, Contractor]:
    """The contractors of a list by their codes, with what the list says of them; what is wrong goes to ``problems``,
    what stays against the list to ``done``."""
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
    signing_in = set(
        db.session.scalars(
            select(Person.organisation_id).where(
                Person.organisation_id.in_([each.id for each in organisations.values()])
            )
        )
    )
    seen: set[str] = set()
    new: set[str] = set()
    for row in file.rows:
        if row.code in seen:
            continue
        seen.add(row.code)
        organisation = organisations.get(row.code)
        if organisation is None:
            organisation = Organisation(code=row.code, name=row.name, kind=OrganisationKind.CONTRACTOR)
            new.add(row.code)
            db.session.add(organisation)
            db.session.flush()
        elif organisation.kind is not OrganisationKind.CONTRACTOR:
            problems.append(
                Problem(
                    file.name, f"{row.code} is the code of an authority; give the contractor another.", row.row, "code"
                )
            )
            continue
        contractor = contractors.get(row.code)
        before = {} if contractor is None else _details(contractor)
        if contractor is None:
            contractor = contractors[row.code] = Contractor(organisation=organisation)
            db.session.add(contractor)
        organisation.name, contractor.capacity = row.name, row.capacity
        if before and organisation.id in signing_in and contractor.email != row.email:
            done.kept.append(f"Row {row.row}: {row.code} keeps its own e-mail address; the list has another.")
        else:
            contractor.email = row.email
        for name in OPTIONAL:
            if not before or file.speaks_of(name):
                setattr(contractor, name, getattr(row, name))
        db.session.flush()
        since = min(framework.starts_on or EVER, local_date(now)) if row.code in new else local_date(now)
        _put_documents(file, row, contractor, since, done.kept, by=by, now=now)
        done.contractors += 1
        audit.record(
            "contractor listed",
            f"contractor:{row.code}",
            at=now,
            actor=by,
            file=file.name,
            row=row.row,
            capacity=row.capacity,
            changed=sorted(name for name, value in _details(contractor).items() if before.get(name, ...) != value),
            documents={k: d.isoformat() for k, d in row.documents.items()},
        )
    db.session.flush()
    return contractors


def _details(contractor: Contractor) -> dict[str, object]:
    """What a list may say of a firm, by name."""
    names = ("email", "capacity", *OPTIONAL)
    return {"name": contractor.organisation.name, **{name: getattr(contractor, name) for name in names}}


def _put_documents(
    file: ContractorFile,
    row: ContractorRow,
    contractor: Contractor,
    since: date,
    kept: list[str],
    *,
    by: str,
    now: datetime,
) -> None:
    """What the list says a contractor holds counts ``since`` that day; an empty cell says that it holds none.

    Only what a list brought in is withdrawn by one: a document with a file was seen by a person. Nor does a list
    replace a document by one that expires earlier: it is an older list. ``kept`` says so.
    """
    verified = [each for each in contractor.documents if each.status is DocumentStatus.VERIFIED]
    for kind in sorted({*file.document_kinds, *row.documents}):
        expires_on = row.documents.get(kind)
        held = [each for each in verified if each.kind == kind]
        last = max((each.expires_on for each in held), default=None)
        if last is not None and (stays := _why_kept(held, last, expires_on)):
            kept.append(f"Row {row.row}: {row.code} keeps {document_title(kind)}, which {stays}.")
            if expires_on is not None:
                continue
        for document in held:
            if document.stored_name is None and document.expires_on != expires_on:
                withdraw_document(document, reason=f"not in {file.name}", by=by, now=now)
        if expires_on is not None and all(each.expires_on != expires_on for each in held):
            list_document(contractor, kind, expires_on, since=since, source=file.name, by=by, now=now)


def _why_kept(held: Collection[ContractorDocument], last: date, expires_on: date | None) -> str:
    """Why a list that says ``expires_on`` (``None``: nothing is held) does not have its way; empty when it has."""
    if expires_on is None:
        filed = [each.expires_on for each in held if each.stored_name is not None]
        return f"was handed in and expires on {date_text(max(filed))}; the list has none" if filed else ""
    if expires_on < last:
        return f"expires on {date_text(last)}; the list says {date_text(expires_on)}, which is earlier"
    return ""
