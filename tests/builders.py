"""Make what a test needs, through the real services, with sensible defaults and codes of its own.

Each builder writes in a transaction of its own. Nothing is shared: two calls give two different things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import select

from portal.accounts.models import Organisation, Person
from portal.accounts.policy import OrganisationKind, Role, kind_for
from portal.accounts.services import add_organisation, add_person
from portal.framework.member_models import Contractor, Member
from portal.framework.members.contractor_file import ContractorFile, ContractorRow
from portal.framework.members.contractor_import import import_contractors
from portal.framework.members.services import standing_now
from portal.framework.models import Framework, Lot
from portal.framework.states import MemberStatus, Priority
from portal.framework.terms.lots import Asked, LotTermsWanted, add_lot
from portal.framework.terms.services import add_framework, add_participation
from portal.jobs import services
from portal.jobs.job_file import NewJob, WantedLine
from portal.jobs.models import Job, Offer
from portal.jobs.specification import specify_jobs
from portal.jobs.states import OfferStatus
from portal.kernel.db import db, transaction
from portal.kernel.working_time import Nation
from portal.rates.models import Edition
from portal.rates.schedule_file import ScheduleFile
from portal.rates.services import import_edition

#: A Tuesday in summer, 10:00 on the clocks of London.
NOW = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
NATION = Nation.ENGLAND_AND_WALES
OFFICER = "officer@authority-a.example"
PASSWORD = "a password of some length"
CLIENT = "Client 0412"
ADDRESS = "14 Elm Row, Westham"
CLIENT_PHONE = "01632 960412"
POSTCODE = "RG1 2AB"
ITEMS: Mapping[str, int] = {"LIFT01": 209_400, "SHOWER01": 537_500, "RAIL01": 4_250}

_numbers = count(1)


def unique(stem: str) -> str:
    """``"A"`` → ``"A0007"``: a code that nothing else in this run has."""
    return f"{stem}{next(_numbers):04}"


def look_again() -> None:
    """Forget what this test's session has read: others have written since."""
    db.session.rollback()


def authority(code: str | None = None) -> Organisation:
    """A council."""
    code = code or unique("A")
    with transaction():
        return add_organisation(code, f"Authority {code}", OrganisationKind.AUTHORITY, by=OFFICER, now=NOW)


def framework(*authorities: Organisation, starts_on: date | None = None, ends_on: date | None = None) -> Framework:
    """A framework that the authorities may call off."""
    code = unique("FW")
    with transaction():
        made = add_framework(code, f"Framework {code}", starts_on, ends_on, by=OFFICER, now=NOW)
        for each in authorities:
            add_participation(made, each, by=OFFICER, now=NOW)
        return made


def framework_with_lot(
    *authorities: Organisation,
    work_type: str | None = None,
    name: str | None = None,
    requirements: Sequence[str] = (),
    within: Framework | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    **columns: int | None,
) -> Lot:
    """A lot of a framework of its own (or ``within`` one); ``columns`` set the lot's band and windows."""
    home = within or framework(*authorities, starts_on=starts_on, ends_on=ends_on)
    with transaction():
        kind = work_type or unique("Stair lift ")
        terms = LotTermsWanted(name or kind, (kind,), documents={each: Asked() for each in requirements})
        lot = add_lot(home, kind, terms=terms, by=OFFICER, now=NOW)
        for column, value in columns.items():
            setattr(lot, column, value)
        return lot


def member(
    *lots: Lot,
    areas: Sequence[Organisation],
    rank: int | None = None,
    code: str | None = None,
    capacity: int = 5,
    adjustment_bp: int = 0,
    accepts_from: date | None = None,
    documents: Mapping[str, date] | None = None,
) -> Member:
    """A contractor's membership of the lots, through the import; the membership of the first lot is returned."""
    number = next(_numbers)
    code = code or f"C{number:04}"
    row = ContractorRow(
        row=2,
        code=code,
        name=f"Contractor {code}",
        email=f"office@{code.lower()}.example",
        phone="01632 960000",
        postcode="RG2 0AA",
        sme=True,
        lots=tuple(lot.name for lot in lots),
        areas=tuple(area.code for area in areas),
        rank=rank or number,
        adjustment_bp=adjustment_bp,
        capacity=capacity,
        accepts_from=accepts_from,
        documents=dict(documents or {}),
    )
    home = db.session.get_one(Framework, lots[0].framework_id).code
    with transaction():
        import_contractors(
            ContractorFile("contractors.csv", [row], (), []), framework_code=home, create=False, by=OFFICER, now=NOW
        )
    return db.session.scalars(
        select(Member)
        .join(Contractor, Contractor.id == Member.contractor_id)
        .join(Organisation, Organisation.id == Contractor.organisation_id)
        .where(Organisation.code == code, Member.lot_id == lots[0].id)
    ).one()


def code_of(membership: Member) -> str:
    """The contractor's code."""
    return membership.contractor.organisation.code


def standing_of(membership: Member, on: date = TODAY) -> MemberStatus:
    """Where a membership stands on a day."""
    db.session.rollback()
    found = standing_now(membership.id, on)
    assert found is not None
    return found.status


def schedule_file(items: Mapping[str, int], vat: Mapping[str, int] | None = None) -> ScheduleFile:
    """A price list of items at rates in pence, as if read from a file; ``vat`` holds lower rates in basis points."""
    lowest = vat or {}
    records = [
        (row, code, f"Item {code}", None, "Lifts", "nr", rate, None, None, None, lowest.get(code), None, None)
        for row, (code, rate) in enumerate(items.items(), start=2)
    ]
    return ScheduleFile("rates.csv", records, {}, [], [])


def edition(
    items: Mapping[str, int] = ITEMS,
    schedule: str | None = None,
    name: str | None = None,
    starts_on: date = date(2026, 4, 1),
    vat: Mapping[str, int] | None = None,
) -> Edition:
    """An edition with items at rates in pence."""
    with transaction():
        return import_edition(
            schedule_file(items, vat),
            schedule_code=schedule or unique("SOR"),
            edition_name=name or unique("edition "),
            starts_on=starts_on,
            by=OFFICER,
            now=NOW,
        )


def new_job(
    where: Organisation,
    lot: Lot,
    *,
    reference: str | None = None,
    lines: Mapping[str, str] | None = None,
    priority: Priority = Priority.ROUTINE,
    required_start: date | None = None,
    out_of_hours: bool = False,
) -> NewJob:
    """A job as an officer states it."""
    return NewJob(
        reference=reference or unique("DFG-"),
        authority=where.code,
        work_type=lot.work_types[0].work_type,
        priority=priority,
        postcode=POSTCODE,
        client=CLIENT,
        address=ADDRESS,
        client_phone=CLIENT_PHONE,
        required_start=required_start,
        lines=tuple(WantedLine(code, Decimal(quantity)) for code, quantity in (lines or {"LIFT01": "1"}).items()),
        out_of_hours=out_of_hours,
    )


def job(
    where: Organisation,
    lot: Lot,
    rates: Edition,
    *,
    reference: str | None = None,
    lines: Mapping[str, str] | None = None,
    priority: Priority = Priority.ROUTINE,
    required_start: date | None = None,
    by: str = OFFICER,
    now: datetime = NOW,
    out_of_hours: bool = False,
) -> Job:
    """A specified job, waiting for allocation."""
    wanted = new_job(
        where,
        lot,
        reference=reference,
        lines=lines,
        priority=priority,
        required_start=required_start,
        out_of_hours=out_of_hours,
    )
    with transaction():
        specify_jobs([wanted], rates, source="jobs.csv", by=by, now=now)
    return db.session.scalars(select(Job).where(Job.reference == wanted.reference)).one()


def person(role: Role, organisation: Organisation | None = None, email: str | None = None) -> Person:
    """Somebody who signs in with ``PASSWORD``; without an organisation, of a new authority or contractor."""
    code = unique("O")
    with transaction():
        home = organisation or add_organisation(code, f"Organisation {code}", kind_for(role), by=OFFICER, now=NOW)
        return add_person(
            email or f"{role.value}@{unique('host')}.example",
            role=role,
            organisation_code=home.code,
            password=PASSWORD,
            by=OFFICER,
            now=NOW,
        )


@dataclass
class Scene:
    """An authority, a lot, its members in rank order and rates: enough to let jobs and offers."""

    authority: Organisation
    lot: Lot
    edition: Edition
    members: list[Member] = field(default_factory=list)

    def job(self, **wanted: object) -> Job:
        """A job of this authority for this lot; keywords as for ``job``."""
        return job(self.authority, self.lot, self.edition, **wanted)  # type: ignore[arg-type]

    def offered(self, *, now: datetime = NOW, **wanted: object) -> Offer:
        """A new job's first offer."""
        made = self.job(**wanted)
        allocate(made, now=now)
        return open_offer(made)

    def accepted(self, *, now: datetime = NOW, **wanted: object) -> Offer:
        """A new job's order: its first offer, accepted with a start in a week."""
        offer = self.offered(now=now, **wanted)
        return accept(offer, now=now)


def scene(
    members: int = 3,
    *,
    capacity: int = 5,
    adjustments: Sequence[int] = (),
    items: Mapping[str, int] = ITEMS,
    requirements: Sequence[str] = (),
    documents: Mapping[str, date] | None = None,
    vat: Mapping[str, int] | None = None,
    **columns: int | None,
) -> Scene:
    """A scene with so many equal members, ranked from 1."""
    where = authority()
    lot = framework_with_lot(where, requirements=requirements, **columns)
    made = Scene(where, lot, edition(items, vat=vat))
    for rank in range(1, members + 1):
        made.members.append(
            member(
                lot,
                areas=[where],
                rank=rank,
                capacity=capacity,
                adjustment_bp=adjustments[rank - 1] if adjustments else 0,
                documents=documents,
            )
        )
    return made


def allocate(*jobs: Job, now: datetime = NOW, by: str = OFFICER) -> services.Allocated:
    """Allocate jobs."""
    references = [each.reference for each in jobs]
    with transaction():
        return services.allocate_jobs(references, by=by, now=now, nation=NATION)


def open_offer(of: Job) -> Offer:
    """The one offer of a job that waits for an answer, as it stands now."""
    return db.session.scalars(select(Offer).where(Offer.job_id == of.id, Offer.status == OfferStatus.SENT)).one()


def accept(offer: Offer, *, start_on: date | None = None, now: datetime = NOW) -> Offer:
    """Accept an offer, by default with a start in a week."""
    with transaction():
        return services.accept_offer(
            offer.id,
            start_on=start_on or (now + timedelta(days=7)).date(),
            by="office@contractor.example",
            now=now,
            nation=NATION,
        )
