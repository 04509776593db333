"""Frameworks as their own pages show them: terms, who takes part, extensions, decisions, lots and what they lack."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.models import CapDecision, Framework, FrameworkExtension, Lot, Participation
from portal.framework.queries import able_members, bare_areas
from portal.framework.roster import Roster
from portal.framework.rules import holds
from portal.framework.states import MemberStatus
from portal.kernel.db import db
from portal.kernel.errors import NotFound

APPLICANTS = frozenset({MemberStatus.APPLIED, MemberStatus.CHECKING})


@dataclass(frozen=True, slots=True)
class LotState:
    """How a lot stands on a day: whether its framework is in force, members who are active, those of them whose
    documents have lapsed, applicants, and the areas in which nobody could be offered a job."""

    in_force: bool
    active: int
    lapsed: int
    applicants: int
    unserved: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether a job would find nobody at all."""
        return self.in_force and self.active == self.lapsed

    @property
    def bare(self) -> tuple[str, ...]:
        """Where a job would find nobody although the lot has members."""
        return self.unserved if self.in_force and not self.empty else ()


def lot_states(roster: Roster, names: dict[str, str]) -> dict[int, LotState]:
    """The state of each lot of ``roster``; areas by the ``names`` of authorities."""
    found = {}
    for lot_id, terms in roster.lots.items():
        members, framework = roster.members[lot_id], terms.lot.framework
        active = sum(each.active for each in members)
        found[lot_id] = LotState(
            holds((framework.starts_on, framework.ends_on), roster.day),
            active,
            active - len(able_members(roster, lot_id)),
            sum(each.standing.status in APPLICANTS for each in members),
            tuple(names.get(code, code) for code in bare_areas(roster, lot_id)),
        )
    return found


def authority_names() -> dict[str, str]:
    """The names of all authorities by code."""
    query = select(Organisation.code, Organisation.name).where(Organisation.kind == OrganisationKind.AUTHORITY)
    return dict(db.session.execute(query).all())


def framework_in_full(code: str) -> Framework:
    """A framework with its lots, reviews and participating authorities; ``NotFound`` without one."""
    framework = db.session.scalar(
        select(Framework)
        .where(Framework.code == code)
        .options(
            selectinload(Framework.lots).selectinload(Lot.work_types),
            selectinload(Framework.participations).joinedload(Participation.authority),
            selectinload(Framework.reviews),
        )
    )
    if framework is None:
        raise NotFound("There is no such framework.")
    return framework


def participation_of(code: str, participation_id: int) -> Participation:
    """An authority's access to the framework ``code``; ``NotFound`` for one of another framework."""
    found = db.session.scalar(
        select(Participation)
        .join(Framework, Framework.id == Participation.framework_id)
        .where(Participation.id == participation_id, Framework.code == code)
        .options(joinedload(Participation.authority), joinedload(Participation.framework))
    )
    if found is None:
        raise NotFound("There is no such participation.")
    return found


def extensions_of(framework_id: int) -> list[FrameworkExtension]:
    """A framework's extensions, the newest first."""
    return list(
        db.session.scalars(
            select(FrameworkExtension)
            .where(FrameworkExtension.framework_id == framework_id)
            .order_by(FrameworkExtension.id.desc())
        )
    )


def cap_decisions_of(framework_id: int) -> list[CapDecision]:
    """The decisions to call off beyond a framework's value cap, the newest first."""
    return list(
        db.session.scalars(
            select(CapDecision).where(CapDecision.framework_id == framework_id).order_by(CapDecision.id.desc())
        )
    )


def in_order(framework: Framework) -> list[Participation]:
    """Who takes part, by name and time; the lead authority first."""
    periods: defaultdict[int, list[Participation]] = defaultdict(list)
    for each in framework.participations:
        periods[each.authority_id].append(each)
    groups = sorted(periods.values(), key=lambda group: (not any(each.lead for each in group), group[0].authority.name))
    return [each for group in groups for each in sorted(group, key=lambda one: (one.from_on or date.min, one.id))]
