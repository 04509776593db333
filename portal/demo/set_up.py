"""What a county has before its first job: authorities, people, the framework, the schedule and the contractor list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from sqlalchemy import insert, select, update

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind, Role
from portal.accounts.services import add_organisation, add_person
from portal.analytics.models import Quote
from portal.demo import SCHEDULE_FILE
from portal.demo.calibration import DemoPrice
from portal.demo.contractors import COLUMNS, FIRMS
from portal.demo.county import AUTHORITIES, WorkType
from portal.framework.firms.services import change_details, details_of
from portal.framework.member_models import Contractor, ContractorDocument
from portal.framework.members.contractor_file import read_contractors
from portal.framework.members.contractor_import import import_contractors
from portal.framework.states import ContractingParty
from portal.framework.terms.lots import Asked, LotTermsWanted, add_lot
from portal.framework.terms.services import DEFAULT_FRAMEWORK, add_framework, add_participation, set_lead
from portal.kernel import audit
from portal.kernel.db import db
from portal.rates.schedule_file import read_schedule
from portal.rates.services import import_edition
from portal.tables import write_csv

#: Who acts where nobody of the county could have.
DEMONSTRATION = "the demonstration"
PASSWORD = "adaptations-demo-1"  # noqa: S105  (printed with every sign-in; there is nothing behind it)
SCHEDULE = "ADAPTATIONS"
HOME = AUTHORITIES[0]
#: One sign-in for each role that serves an authority; the contractor's is made when it is known who has work.
STAFF: Mapping[Role, str] = MappingProxyType(
    {
        Role.TECHNICAL_OFFICER: f"officer@authority-{HOME.lower()}.example",
        Role.PROCUREMENT: f"procurement@authority-{HOME.lower()}.example",
        Role.FRAMEWORK_MANAGER: f"manager@authority-{HOME.lower()}.example",
        Role.AUDITOR: f"auditor@authority-{HOME.lower()}.example",
        Role.ADMINISTRATOR: f"administrator@authority-{HOME.lower()}.example",
    }
)
FRAMEWORK_YEARS = 4
#: What insurances cover, in pence: agreed for every lot.
COVERS: Mapping[str, int] = MappingProxyType({"public-liability": 5_000_000_00, "employers-liability": 10_000_000_00})
#: The districts whose firms count as local, of the ten that the county's firms are in.
LOCAL_AREAS = "ZZ1 ZZ2 ZZ3 ZZ4 ZZ5 ZZ6 ZZ7"
TRADES: Mapping[WorkType, tuple[str, ...]] = MappingProxyType(
    {
        WorkType.STAIR_LIFT: ("Electrical", "Lift engineer"),
        WorkType.LEVEL_ACCESS_SHOWER: ("Electrical", "Plumbing", "Tiling"),
        WorkType.RAMP: ("Groundworks", "Metalwork"),
        WorkType.DOOR_WIDENING: ("Building", "Carpentry"),
        WorkType.HOIST_AND_TRACK: ("Carpentry", "Lift engineer"),
        WorkType.MINOR_WORKS: ("Carpentry",),
        WorkType.KITCHEN: ("Carpentry", "Plumbing"),
    }
)
INSURANCES = ("employers-liability", "public-liability")
#: Lots whose works always touch the electrical installation, or may.
ELECTRICAL = frozenset(
    {
        WorkType.STAIR_LIFT,
        WorkType.LEVEL_ACCESS_SHOWER,
        WorkType.DOOR_WIDENING,
        WorkType.HOIST_AND_TRACK,
        WorkType.KITCHEN,
    }
)


def set_up_county(rows: Sequence[Mapping[str, str]], *, first_day: date, now: datetime) -> None:
    """Make everything that is there before ``first_day``, as at ``now``; ``rows`` are the contractor list.

    The framework runs for four years from the April before the one that precedes ``first_day``, so that it is in
    force for the year that follows and beyond; the schedule's edition holds from the last 1 April before
    ``first_day``.
    """
    april = last_april(first_day)
    for code in AUTHORITIES:
        add_organisation(code, f"Authority {code}", OrganisationKind.AUTHORITY, by=DEMONSTRATION, now=now)
    for role, email in STAFF.items():
        add_person(
            email,
            role=role,
            organisation_code=HOME,
            password=PASSWORD,
            by=DEMONSTRATION,
            now=now,
            name=role.value.replace("-", " ").capitalize(),
        )
    framework = add_framework(
        DEFAULT_FRAMEWORK,
        "Home adaptations framework",
        april.replace(year=april.year - 1),
        april.replace(year=april.year - 1 + FRAMEWORK_YEARS),
        review_months=12,
        local_areas=LOCAL_AREAS,
        # The client orders the works, with the grant: what a disabled person commissions carries no VAT.
        contracting_party=ContractingParty.APPLICANT,
        by=STAFF[Role.FRAMEWORK_MANAGER],
        now=now,
    )
    for work_type in WorkType:
        requirements = (*INSURANCES, "electrical") if work_type in ELECTRICAL else INSURANCES
        terms = LotTermsWanted(work_type.value, (work_type.value,), documents=asked_for(requirements))
        add_lot(framework, work_type.value, terms=terms, by=STAFF[Role.FRAMEWORK_MANAGER], now=now)
    for authority in db.session.scalars(select(Organisation).where(Organisation.kind == OrganisationKind.AUTHORITY)):
        access = add_participation(framework, authority, by=STAFF[Role.FRAMEWORK_MANAGER], now=now)
        if authority.code == HOME:
            set_lead(access.id, by=STAFF[Role.FRAMEWORK_MANAGER], now=now)
    import_edition(
        read_schedule(SCHEDULE_FILE),
        schedule_code=SCHEDULE,
        schedule_name="Adaptations schedule of rates",
        edition_name=f"{april.year}/{(april.year + 1) % 100:02}",
        starts_on=april,
        by=STAFF[Role.FRAMEWORK_MANAGER],
        now=now,
    )
    list_contractors([{**row, "accepts_from": ""} for row in rows], now=now)
    state_trades(now=now)


def list_contractors(rows: Sequence[Mapping[str, str]], *, now: datetime) -> None:
    """Bring the contractor list in as a council would: from a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "contractors.csv"
        write_csv(path, COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
        import_contractors(
            read_contractors(path),
            framework_code=DEFAULT_FRAMEWORK,
            create=False,
            by=STAFF[Role.FRAMEWORK_MANAGER],
            now=now,
        )

    # The file has no column for it: what the insurances cover was agreed for all.
    for kind, pence in COVERS.items():
        db.session.execute(
            update(ContractorDocument)
            .where(ContractorDocument.kind == kind, ContractorDocument.cover_pence.is_(None))
            .values(cover_pence=pence)
            .execution_options(synchronize_session=False)
        )


def asked_for(kinds: Sequence[str]) -> dict[str, Asked]:
    """The kinds of document as a lot requires them, insurances with the agreed cover."""
    return {kind: Asked(minimum_pence=COVERS.get(kind)) for kind in kinds}


def state_trades(*, now: datetime) -> None:
    """Let each firm state the trades that its work takes."""
    firms_known = {each.organisation.code: each for each in db.session.scalars(select(Contractor))}
    for firm in FIRMS:
        contractor = firms_known[firm.code]
        trades = tuple(sorted({trade for lot in firm.lots for trade in TRADES[lot]}))
        change_details(
            contractor.id, replace(details_of(contractor), trades=trades), by=STAFF[Role.FRAMEWORK_MANAGER], now=now
        )


def last_april(day: date) -> date:
    """The last 1 April on or before ``day``: councils issue their rates with the financial year."""
    april = date(day.year, 4, 1)
    return april if april <= day else april.replace(year=day.year - 1)


def file_quotes(prices: Sequence[DemoPrice], *, now: datetime) -> None:
    """Keep ``prices`` as quotes, with one audit event for all of them."""
    authorities = dict(db.session.execute(select(Organisation.code, Organisation.id)).all())
    contractors = dict(
        db.session.execute(
            select(Organisation.code, Contractor.id).join(Contractor, Contractor.organisation_id == Organisation.id)
        ).all()
    )
    db.session.execute(
        insert(Quote),
        [
            {
                "reference": price.reference,
                "authority_id": authorities[price.authority],
                "contractor_id": contractors[price.contractor],
                "work_type": price.work_type.value,
                "quoted_on": price.priced_on,
                "quantity": price.quantity,
                "amount_pence": price.amount_pence,
            }
            for price in prices
        ],
    )
    audit.record("quotes filed", "quotes:demonstration", at=now, actor=STAFF[Role.PROCUREMENT], quotes=len(prices))
