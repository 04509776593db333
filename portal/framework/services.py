"""Set frameworks up and change them: terms, who takes part, lots, extensions, decisions on the value cap."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.membership import checked_reason, refuse_overlap
from portal.framework.models import (
    DISTRICT,
    WORK_TYPE,
    CapDecision,
    Framework,
    FrameworkExtension,
    Lot,
    LotArea,
    LotRequirement,
    LotWorkType,
    Participation,
)
from portal.framework.rules import POSTCODE_DISTRICT, Longest, overlapping, too_long
from portal.framework.states import CapacityRule, ContractingParty, FrameworkKind, Method, Priority, Regime
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, RuleBroken
from portal.kernel.money import shown

DEFAULT_FRAMEWORK = "ADAPT"
#: Working hours to answer and working days to start that a lot may ask for; days its works may take.
MOST_HOURS, MOST_DAYS = 400, 400


@dataclass(frozen=True, slots=True)
class FrameworkTerms:
    """What a framework is agreed to be; dates half-open, money in pence. ``None`` means not stated."""

    name: str
    starts_on: date | None = None
    ends_on: date | None = None
    kind: FrameworkKind = FrameworkKind.FRAMEWORK_AGREEMENT
    regime: Regime = Regime.OPEN
    contracting_party: ContractingParty = ContractingParty.AUTHORITY
    value_cap_pence: int | None = None
    review_months: int | None = None
    quotes_needed: int | None = None
    guaranteed_jobs: int | None = None
    guaranteed_pence: int | None = None
    local_areas: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a lot asks for a kind of document: required or only asked for, and the least cover in pence."""

    required: bool = True
    minimum_pence: int | None = None


@dataclass(frozen=True, slots=True)
class LotTermsWanted:
    """What a lot is to be. ``areas`` are codes of authorities and postcode districts; empty means every authority.

    ``answer_hours`` are working hours to answer, ``start_days`` working days to start, by priority.
    """

    name: str
    work_types: tuple[str, ...]
    areas: tuple[str, ...] = ()
    value_from_pence: int = 0
    value_to_pence: int | None = None
    capacity_rule: CapacityRule = CapacityRule.ALL_WORK
    answer_hours: Mapping[Priority, int] = field(
        default_factory=lambda: {Priority.HOSPITAL_DISCHARGE: 4, Priority.PRIORITY: 8, Priority.ROUTINE: 16}
    )
    start_days: Mapping[Priority, int] = field(
        default_factory=lambda: {Priority.HOSPITAL_DISCHARGE: 5, Priority.PRIORITY: 15, Priority.ROUTINE: 30}
    )
    works_days: int = 14
    documents: Mapping[str, Asked] = field(default_factory=dict)


def framework_by_code(code: str) -> Framework:
    """The framework, or ``NotFound``."""
    framework = db.session.scalar(select(Framework).where(Framework.code == code))
    if framework is None:
        raise NotFound(f"There is no framework with the code {code}.")
    return framework


def lock_framework(framework_id: int) -> Framework:
    """The framework as it is now, locked."""
    framework = db.session.scalar(
        select(Framework)
        .where(Framework.id == framework_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if framework is None:
        raise NotFound("There is no such framework.")
    return framework


def add_framework(
    code: str,
    name: str,
    starts_on: date | None,
    ends_on: date | None,
    *,
    by: str,
    now: datetime,
    longest: Longest | None = None,
    **terms: Any,
) -> Framework:
    """A new framework in force ``[starts_on, ends_on)``; a date not known yet is ``None`` and limits nothing.

    ``terms`` are those of ``FrameworkTerms``. Raises ``Clash`` for a code in use, ``RuleBroken`` for terms that no
    framework can have.
    """
    if db.session.scalar(select(Framework.id).where(Framework.code == code)) is not None:
        raise Clash(f"There is a framework with the code {code} already.")
    wanted = checked_terms(FrameworkTerms(name, starts_on, ends_on, **terms), longest or Longest())
    framework = Framework(code=code)
    _put_terms(framework, wanted)
    db.session.add(framework)
    db.session.flush()
    audit.record("framework added", f"framework:{code}", at=now, actor=by, **plain(wanted))
    return framework


def change_framework(
    framework_id: int, terms: FrameworkTerms, *, by: str, now: datetime, longest: Longest | None = None
) -> Framework:
    """Change a framework's terms. Its end is moved later by ``extend_framework`` only, with a reason.

    Raises ``RuleBroken`` for terms that no framework can have, or a later end once the framework runs.
    """
    framework = lock_framework(framework_id)
    checked = checked_terms(terms, longest or Longest())
    was, today = terms_of(framework), local_date(now)
    running = was.starts_on is not None and was.starts_on <= today and was.ends_on is not None
    if running and (checked.ends_on is None or (was.ends_on is not None and checked.ends_on > was.ends_on)):
        raise RuleBroken("This framework is in force: extend it, with a reason, instead of changing its end.")
    before = plain(was)
    changed = {name: value for name, value in plain(checked).items() if value != before[name]}
    _put_terms(framework, checked)
    if changed:
        audit.record("framework changed", f"framework:{framework.code}", at=now, actor=by, **changed)
    return framework


def terms_of(framework: Framework) -> FrameworkTerms:
    """A framework's terms as values."""
    return FrameworkTerms(**{each.name: getattr(framework, each.name) for each in fields(FrameworkTerms)})


def plain(terms: FrameworkTerms) -> dict[str, Any]:
    """Terms as values that JSON can carry."""
    return {
        each.name: value.isoformat() if isinstance(value := getattr(terms, each.name), date) else value
        for each in fields(FrameworkTerms)
    }


def _put_terms(framework: Framework, terms: FrameworkTerms) -> None:
    for each in fields(FrameworkTerms):
        setattr(framework, each.name, getattr(terms, each.name))


def checked_terms(terms: FrameworkTerms, longest: Longest) -> FrameworkTerms:
    """``terms`` in their normal form; ``RuleBroken`` says what no framework can have."""
    if not terms.name.strip():
        raise RuleBroken("Give the framework a name.")
    if fault := too_long(terms.kind, terms.regime, terms.starts_on, terms.ends_on, longest):
        raise RuleBroken(fault)
    if terms.value_cap_pence is not None and terms.value_cap_pence <= 0:
        raise RuleBroken("The value cap must be above £0; leave it empty when there is none.")
    if terms.review_months is not None and not 1 <= terms.review_months <= 120:
        raise RuleBroken("The review interval is a number of months from 1 to 120.")
    if terms.kind is FrameworkKind.QUOTATIONS and terms.quotes_needed not in {2, 3}:
        raise RuleBroken("Say whether two or three quotes are needed for each job.")
    guaranteed = (terms.guaranteed_jobs or 0, terms.guaranteed_pence or 0)
    if terms.kind is FrameworkKind.DIRECT_CONTRACT and not any(guaranteed):
        raise RuleBroken("A direct contract guarantees a minimum of jobs or of value a month; state one.")
    if min(guaranteed) < 0:
        raise RuleBroken("A guaranteed minimum cannot be below 0.")
    quotations, direct = (terms.kind is each for each in (FrameworkKind.QUOTATIONS, FrameworkKind.DIRECT_CONTRACT))
    return replace(
        terms,
        name=terms.name.strip(),
        quotes_needed=terms.quotes_needed if quotations else None,
        guaranteed_jobs=terms.guaranteed_jobs if direct else None,
        guaranteed_pence=terms.guaranteed_pence if direct else None,
        local_areas=" ".join(terms.local_areas.upper().replace(",", " ").replace(";", " ").split()),
    )


def extend_framework(
    framework_id: int, until: date, *, reason: str, by: str, now: datetime, longest: Longest | None = None
) -> FrameworkExtension:
    """Move a framework's end to the later day ``until``, with a reason.

    Raises ``RuleBroken`` for a day that is not later, beyond what the regime allows, or after the framework ended.
    """
    framework = lock_framework(framework_id)
    was, today = framework.ends_on, local_date(now)
    if was is None:
        raise RuleBroken("This framework has no end yet; state it in its terms first.")
    if was <= today:
        raise RuleBroken(f"The framework ended on {date_text(was)}; what has ended is not extended.")
    if until <= was:
        raise RuleBroken(f"The new end must come after {date_text(was)}.")
    reason = checked_reason(reason, needed=True)
    if fault := too_long(framework.kind, framework.regime, framework.starts_on, until, longest or Longest()):
        raise RuleBroken(fault)
    extension = FrameworkExtension(
        framework_id=framework.id, was=was, becomes=until, reason=reason, decided_by=by, decided_at=now
    )
    framework.ends_on = until
    db.session.add(extension)
    audit.record(
        "framework extended",
        f"framework:{framework.code}",
        at=now,
        actor=by,
        was=was.isoformat(),
        becomes=until.isoformat(),
        reason=reason,
    )
    return extension


def decide_on_cap(framework_id: int, allowed_pence: int, *, reason: str, by: str, now: datetime) -> CapDecision:
    """Record the decision to call off beyond the value cap, up to ``allowed_pence`` in all.

    Raises ``RuleBroken`` when there is no cap, or the decision would not go beyond what is allowed already.
    """
    framework = lock_framework(framework_id)
    if framework.value_cap_pence is None:
        raise RuleBroken("This framework has no value cap, so there is nothing to decide.")
    limit = max([framework.value_cap_pence, *allowed_beyond(framework.id)])
    if allowed_pence <= limit:
        raise RuleBroken(f"Call-offs may go up to {shown(limit)} already; the decision must name more.")
    decision = CapDecision(
        framework_id=framework.id,
        allowed_pence=allowed_pence,
        reason=checked_reason(reason, needed=True),
        decided_by=by,
        decided_at=now,
    )
    db.session.add(decision)
    audit.record(
        "value cap decided",
        f"framework:{framework.code}",
        at=now,
        actor=by,
        allowed_pence=allowed_pence,
        reason=decision.reason,
    )
    return decision


def allowed_beyond(framework_id: int) -> list[int]:
    """What decisions have allowed beyond a framework's value cap, in pence."""
    return list(db.session.scalars(select(CapDecision.allowed_pence).where(CapDecision.framework_id == framework_id)))


# Who takes part -------------------------------------------------------------------------------------------------------


def add_participation(
    framework: Framework,
    authority: Organisation,
    *,
    by: str,
    now: datetime,
    from_on: date | None = None,
    to_on: date | None = None,
) -> Participation:
    """Let ``authority`` call off ``framework`` on the days ``[from_on, to_on)``.

    Raises ``Clash`` for a period that overlaps another of the same authority, ``RuleBroken`` for an end before the
    start or for a contractor.
    """
    lock_framework(framework.id)
    if authority.kind is not OrganisationKind.AUTHORITY:
        raise RuleBroken(f"{authority.name} is a contractor; only authorities take part.")
    periods = [
        (first, end)
        for first, end in db.session.execute(
            select(Participation.from_on, Participation.to_on).where(
                Participation.framework_id == framework.id, Participation.authority_id == authority.id
            )
        )
    ]
    refuse_overlap((from_on, to_on), periods, authority.name)
    participation = Participation(framework_id=framework.id, authority_id=authority.id, from_on=from_on, to_on=to_on)
    db.session.add(participation)
    db.session.flush()
    audit.record(
        "authority takes part",
        f"framework:{framework.code}",
        at=now,
        actor=by,
        authority=authority.code,
        from_on=from_on and from_on.isoformat(),
        to_on=to_on and to_on.isoformat(),
    )
    return participation


def end_participation(participation_id: int, to_on: date, *, by: str, now: datetime) -> Participation:
    """Let an authority's access end: ``to_on`` is the first day without it. Running orders go on.

    Raises ``RuleBroken`` for a day before its start or before today, ``NotFound`` without such a participation.
    """
    found = db.session.get(Participation, participation_id)
    if found is None:
        raise NotFound("There is no such participation.")
    framework = lock_framework(found.framework_id)
    if found.from_on is not None and to_on <= found.from_on:
        raise RuleBroken(f"The end must come after the start {date_text(found.from_on)}.")
    if to_on < local_date(now):
        raise RuleBroken(f"{date_text(to_on)} is in the past; access ends today or later.")
    others = [
        (each.from_on, each.to_on)
        for each in framework.participations
        if each.authority_id == found.authority_id and each.id != found.id
    ]
    if overlapping((found.from_on, to_on), others):
        raise Clash(f"{found.authority.name} comes back before that day; choose an earlier one.")
    found.to_on = to_on
    audit.record(
        "authority leaves",
        f"framework:{framework.code}",
        at=now,
        actor=by,
        authority=found.authority.code,
        to_on=to_on.isoformat(),
    )
    return found


def set_lead(participation_id: int, *, by: str, now: datetime) -> Participation:
    """Let one of the participating authorities lead the framework; ``RuleBroken`` for one that has left."""
    found = db.session.get(Participation, participation_id)
    if found is None:
        raise NotFound("There is no such participation.")
    framework = lock_framework(found.framework_id)
    if found.to_on is not None and found.to_on <= local_date(now):
        raise RuleBroken(f"{found.authority.name} has left the framework; it cannot lead it.")
    db.session.execute(update(Participation).where(Participation.framework_id == framework.id).values(lead=False))
    found.lead = True
    db.session.flush()
    audit.record("lead set", f"framework:{framework.code}", at=now, actor=by, authority=found.authority.code)
    return found


# Lots -----------------------------------------------------------------------------------------------------------------


def add_lot(
    framework: Framework,
    name: str,
    *,
    by: str,
    now: datetime,
    requirements: Iterable[str] = (),
    terms: LotTermsWanted | None = None,
) -> Lot:
    """A ranked-cascade lot: of ``terms``, or for the work type ``name`` with the documents its members must hold.

    Raises ``Clash`` for a name in use and ``RuleBroken`` for terms that no lot can have.
    """
    wanted = terms or LotTermsWanted(name, (name,), documents={kind: Asked() for kind in requirements})
    lot = Lot(framework_id=framework.id, framework=framework, method=Method.RANKED_CASCADE)
    _put_lot_terms(lot, wanted)
    db.session.add(lot)
    db.session.flush()
    audit.record("lot added", f"framework:{framework.code}", at=now, actor=by, **plain_lot(wanted))
    return lot


def change_lot(lot_id: int, terms: LotTermsWanted, *, by: str, now: datetime) -> Lot:
    """Change a lot's terms for the decisions to come; those that were made keep the facts they rest on."""
    lot = db.session.scalar(
        select(Lot)
        .where(Lot.id == lot_id)
        .options(selectinload(Lot.work_types), selectinload(Lot.areas), selectinload(Lot.requirements))
        .with_for_update(of=Lot, key_share=True)
        .execution_options(populate_existing=True)
    )
    if lot is None:
        raise NotFound("There is no such lot.")
    _put_lot_terms(lot, terms)
    db.session.flush()
    audit.record("lot changed", f"framework:{lot.framework.code}", at=now, actor=by, **plain_lot(terms))
    return lot


def plain_lot(terms: LotTermsWanted) -> dict[str, Any]:
    """A lot's terms as values that JSON can carry."""
    return {
        "lot": terms.name,
        "work_types": list(terms.work_types),
        "areas": list(terms.areas),
        "value_from_pence": terms.value_from_pence,
        "value_to_pence": terms.value_to_pence,
        "capacity_rule": terms.capacity_rule.value,
        "answer_hours": {priority.value: hours for priority, hours in terms.answer_hours.items()},
        "start_days": {priority.value: days for priority, days in terms.start_days.items()},
        "works_days": terms.works_days,
        "requires": {
            kind: (shown(asked.minimum_pence) if asked.minimum_pence else "required") if asked.required else "asked for"
            for kind, asked in terms.documents.items()
        },
    }


def _put_lot_terms(lot: Lot, terms: LotTermsWanted) -> None:
    name = terms.name.strip()
    if not name:
        raise RuleBroken("Give the lot a name.")
    other = select(Lot.id).where(Lot.framework_id == lot.framework_id, Lot.name == name, Lot.id != (lot.id or 0))
    with db.session.no_autoflush:
        if db.session.scalar(other) is not None:
            raise Clash(f"There is a lot called {name} in this framework already.")
        wanted = list(dict.fromkeys(each.strip() for each in terms.work_types if each.strip()))
        if not wanted:
            raise RuleBroken("Name at least one work type that the lot takes.")
        if long := next((each for each in wanted if len(each) > WORK_TYPE), None):
            raise RuleBroken(f"The work type {long[:20]}… has {len(long)} characters; at most {WORK_TYPE} fit.")
        check_lot_numbers(terms)
        lot.name, lot.capacity_rule = name, terms.capacity_rule
        lot.value_from_pence, lot.value_to_pence, lot.works_days = (
            terms.value_from_pence,
            terms.value_to_pence,
            terms.works_days,
        )
        for priority in Priority:
            column = priority.value.replace("-", "_")
            setattr(lot, f"answer_hours_{column}", terms.answer_hours[priority])
            setattr(lot, f"start_days_{column}", terms.start_days[priority])
        kept = {each.work_type: each for each in lot.work_types}
        lot.work_types = [kept.get(each) or LotWorkType(work_type=each) for each in wanted]
        lot.areas = _lot_areas(lot, terms.areas)
        asked = {each.kind: each for each in lot.requirements}
        lot.requirements = []
        for kind, how in sorted(terms.documents.items()):
            requirement = asked.get(kind) or LotRequirement(kind=kind)
            requirement.required, requirement.minimum_pence = how.required, how.minimum_pence
            lot.requirements.append(requirement)


def check_lot_numbers(terms: LotTermsWanted) -> None:
    """``RuleBroken`` for a value band or windows that no lot can have."""
    if terms.value_from_pence < 0 or (
        terms.value_to_pence is not None and terms.value_to_pence <= terms.value_from_pence
    ):
        raise RuleBroken("The value band must end above its beginning, and not begin below £0.")
    if not all(1 <= hours <= MOST_HOURS for hours in terms.answer_hours.values()):
        raise RuleBroken(f"The time to answer is a number of working hours from 1 to {MOST_HOURS}.")
    if not all(1 <= days <= MOST_DAYS for days in (*terms.start_days.values(), terms.works_days)):
        raise RuleBroken(f"The days to start, and those that the works take, are numbers from 1 to {MOST_DAYS}.")
    for kind, asked in terms.documents.items():
        if not kind.strip() or len(kind) > 64:
            raise RuleBroken("The code of a kind of document has 1 to 64 characters.")
        if asked.minimum_pence is not None and asked.minimum_pence < 0:
            raise RuleBroken("The least cover of a document cannot be below £0.")


def _lot_areas(lot: Lot, codes: Collection[str]) -> list[LotArea]:
    kept = {each.authority.code if each.authority else each.district: each for each in lot.areas}
    authorities = {
        each.code: each
        for each in db.session.scalars(
            select(Organisation).where(Organisation.code.in_(codes), Organisation.kind == OrganisationKind.AUTHORITY)
        )
    }
    rows = []
    for code in dict.fromkeys(codes):
        authority = authorities.get(code)
        if authority is None and not (POSTCODE_DISTRICT.fullmatch(code) and len(code) <= DISTRICT):
            raise RuleBroken(f"{code} is neither an authority nor a postcode district such as RG1.")
        rows.append(
            kept.get(code)
            or LotArea(
                authority_id=authority.id if authority else None,
                authority=authority,
                district="" if authority else code,
            )
        )
    return rows


def require_documents(lot: Lot, kinds: Iterable[str], *, by: str, now: datetime) -> None:
    """Let ``lot`` require these kinds of document of its members too, from now on."""
    more = sorted(set(kinds) - {requirement.kind for requirement in lot.requirements})
    if more:
        lot.requirements += [LotRequirement(kind=kind, required=True) for kind in more]
        audit.record("documents required", f"framework:{lot.framework.code}", at=now, actor=by, lot=lot.name, more=more)
