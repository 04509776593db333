"""Lots: what each takes, where, in which value band, on which terms, and the documents it asks of its members."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.faults import TakenTerm, WrongTerm
from portal.framework.members.services import access_of
from portal.framework.models import DISTRICT, WORK_TYPE, Framework, Lot, LotArea, LotRequirement, LotWorkType
from portal.framework.rules import POSTCODE_DISTRICT
from portal.framework.states import CapacityRule, Method, Priority
from portal.framework.terms.services import lock_framework
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.money import shown

#: Working hours to answer and working days to start that a lot may ask for; days its works may take.
MOST_HOURS, MOST_DAYS = 400, 400
#: The largest minimum order in pence, and the largest uplift for work out of hours in basis points.
MOST_MINIMUM_PENCE, MOST_UPLIFT_BP = 10_000_000, 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """How a lot asks for a kind of document: required or only asked for, and the least cover in pence."""

    required: bool = True
    minimum_pence: int | None = None


@dataclass(frozen=True, slots=True)
class LotTermsWanted:
    """What a lot is to be. ``areas`` are codes of authorities and postcode districts; empty means every authority.

    ``answer_hours`` are working hours to answer, ``start_days`` working days to start, by priority.
    ``minimum_order_pence`` is the least that an order comes to, ``out_of_hours_bp`` what is added to rates for work out
    of hours.
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
    minimum_order_pence: int = 0
    out_of_hours_bp: int = 0


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
    lock_framework(framework.id)
    with db.session.no_autoflush:
        lot = Lot(framework_id=framework.id, framework=framework, method=Method.RANKED_CASCADE)
        _put_lot_terms(lot, wanted, local_date(now))
    db.session.add(lot)
    ask_for(lot, wanted.documents, None)
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
    _put_lot_terms(lot, terms, local_date(now))
    ask_for(lot, terms.documents, local_date(now))
    audit.record("lot changed", f"framework:{lot.framework.code}", at=now, actor=by, **plain_lot(terms))
    return lot


def terms_of_lot(lot: Lot) -> LotTermsWanted:
    """A lot's terms as values, as ``change_lot`` takes them."""

    def by_priority(window: str) -> dict[Priority, int]:
        return {each: getattr(lot, f"{window}_{each.name.lower()}") for each in Priority}

    return LotTermsWanted(
        lot.name,
        tuple(each.work_type for each in lot.work_types),
        tuple(each.authority.code if each.authority else each.district for each in lot.areas),
        lot.value_from_pence,
        lot.value_to_pence,
        lot.capacity_rule,
        by_priority("answer_hours"),
        by_priority("start_days"),
        lot.works_days,
        {each.kind: Asked(each.required, each.minimum_pence) for each in lot.requirements},
        lot.minimum_order_pence,
        lot.out_of_hours_bp,
    )


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
        "minimum_order_pence": terms.minimum_order_pence,
        "out_of_hours_bp": terms.out_of_hours_bp,
    }


def _put_lot_terms(lot: Lot, terms: LotTermsWanted, today: date) -> None:
    name = terms.name.strip()
    if not name:
        raise WrongTerm("Give the lot a name.", "name")
    other = select(Lot.id).where(Lot.framework_id == lot.framework_id, Lot.name == name, Lot.id != (lot.id or 0))
    with db.session.no_autoflush:
        if db.session.scalar(other) is not None:
            raise TakenTerm(f"There is a lot called {name} in this framework already.", "name")
        wanted = list(dict.fromkeys(each.strip() for each in terms.work_types if each.strip()))
        if not wanted:
            raise WrongTerm("Name at least one work type that the lot takes.", "work_types")
        if long := next((each for each in wanted if len(each) > WORK_TYPE), None):
            raise WrongTerm(
                f"The work type {long[:20]}… has {len(long)} characters; at most {WORK_TYPE} fit.", "work_types"
            )
        check_lot_numbers(terms)
        areas = _lot_areas(lot, terms.areas, today)
        lot.name, lot.capacity_rule = name, terms.capacity_rule
        lot.value_from_pence, lot.value_to_pence, lot.works_days = (
            terms.value_from_pence,
            terms.value_to_pence,
            terms.works_days,
        )
        lot.minimum_order_pence, lot.out_of_hours_bp = terms.minimum_order_pence, terms.out_of_hours_bp
        for priority in Priority:
            column = priority.value.replace("-", "_")
            setattr(lot, f"answer_hours_{column}", terms.answer_hours[priority])
            setattr(lot, f"start_days_{column}", terms.start_days[priority])
        kept = {each.work_type: each for each in lot.work_types}
        lot.work_types = [kept.get(each) or LotWorkType(work_type=each) for each in wanted]
        lot.areas = areas


def ask_for(lot: Lot, documents: Mapping[str, Asked], since: date | None) -> None:
    """Let the lot ask for these kinds of document from the day ``since`` (``None``: ever, for a lot that is new).

    What it asked for before keeps its days, so that a past day is told as it was.
    """
    db.session.flush()
    now = {each.kind: each for each in lot.requirements}
    for kind, requirement in now.items():
        how = documents.get(kind)
        if how is not None and (how.required, how.minimum_pence) == (requirement.required, requirement.minimum_pence):
            continue
        if since is None or requirement.from_on == since:
            db.session.delete(requirement)
        else:
            requirement.to_on = since
    # The old rows give up their places before new ones take them.
    db.session.flush()
    for kind, how in sorted(documents.items()):
        known = now.get(kind)
        if known is not None and (how.required, how.minimum_pence) == (known.required, known.minimum_pence):
            continue
        db.session.add(
            LotRequirement(
                lot_id=lot.id, kind=kind, required=how.required, minimum_pence=how.minimum_pence, from_on=since
            )
        )
    db.session.flush()
    db.session.expire(lot, ["requirements"])


def check_lot_numbers(terms: LotTermsWanted) -> None:
    """``RuleBroken`` for a value band or windows that no lot can have."""
    if terms.value_from_pence < 0 or (
        terms.value_to_pence is not None and terms.value_to_pence <= terms.value_from_pence
    ):
        raise WrongTerm("The value band must end above its beginning, and not begin below £0.", "value_to_pence")
    for priority, hours in terms.answer_hours.items():
        if not 1 <= hours <= MOST_HOURS:
            raise WrongTerm(
                f"The time to answer is a number of working hours from 1 to {MOST_HOURS}.",
                f"answer_hours_{priority.name.lower()}",
            )
    for priority, days in terms.start_days.items():
        if not 1 <= days <= MOST_DAYS:
            raise WrongTerm(
                f"The time to start is a number of working days from 1 to {MOST_DAYS}.",
                f"start_days_{priority.name.lower()}",
            )
    if not 1 <= terms.works_days <= MOST_DAYS:
        raise WrongTerm(f"The works take a number of days from 1 to {MOST_DAYS}.", "works_days")
    if not 0 <= terms.minimum_order_pence <= MOST_MINIMUM_PENCE:
        raise WrongTerm(
            f"The minimum order lies between £0 and {shown(MOST_MINIMUM_PENCE)}; £0 stands for none.",
            "minimum_order_pence",
        )
    if not 0 <= terms.out_of_hours_bp <= MOST_UPLIFT_BP:
        raise WrongTerm("The uplift for work out of hours lies between 0 and 200 %.", "out_of_hours_bp")
    for kind, asked in terms.documents.items():
        if not kind.strip() or len(kind) > 64:
            raise WrongTerm("The code of a kind of document has 1 to 64 characters.", "own_required")
        if asked.minimum_pence is not None and asked.minimum_pence < 0:
            raise WrongTerm("The least cover of a document cannot be below £0.", f"cover_{kind}")


def _lot_areas(lot: Lot, codes: Collection[str], today: date) -> list[LotArea]:
    kept = {each.authority.code if each.authority else each.district: each for each in lot.areas}
    authorities = {
        each.code: each
        for each in db.session.scalars(
            select(Organisation).where(Organisation.code.in_(codes), Organisation.kind == OrganisationKind.AUTHORITY)
        )
    }
    access = access_of(lot.framework_id)
    rows = []
    for code in dict.fromkeys(codes):
        authority = authorities.get(code)
        if authority is None and not (POSTCODE_DISTRICT.fullmatch(code) and len(code) <= DISTRICT):
            raise WrongTerm(f"{code} is neither an authority nor a postcode district such as RG1.", "districts")
        if authority is not None and not any(to_on is None or to_on > today for _, to_on in access.get(code, ())):
            gone = "has left" if code in access else "does not take part in"
            raise WrongTerm(f"{authority.name} {gone} this framework; leave that area out.", "authorities")
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
        asked = {each.kind: Asked(each.required, each.minimum_pence) for each in lot.requirements}
        ask_for(lot, asked | {kind: Asked() for kind in more}, local_date(now))
        audit.record("documents required", f"framework:{lot.framework.code}", at=now, actor=by, lot=lot.name, more=more)
