"""Set frameworks up and change them: terms, who takes part, lots, extensions, decisions on the value cap."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.faults import TakenTerm, WrongTerm, checked_reason, refuse_overlap
from portal.framework.models import (
    CapDecision,
    Framework,
    FrameworkExtension,
    Participation,
)
from portal.framework.rules import Longest, holds, overlapping, too_long
from portal.framework.states import (
    ContractingParty,
    FrameworkKind,
    Regime,
    ReviewStatus,
    VariationRates,
)
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import NotFound, RuleBroken
from portal.kernel.money import shown

DEFAULT_FRAMEWORK = "ADAPT"
#: Longest list of local areas, in characters.
LOCAL_AREAS = 400
#: A code stands in addresses: one path segment, and none of the words that the portal's own pages begin with.
FRAMEWORK_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PAGE_WORDS = frozenset(
    {
        "absences",
        "applications",
        "apply",
        "areas",
        "availability",
        "contractors",
        "documents",
        "list",
        "lots",
        "members",
        "new",
        "participations",
        "ranks",
        "reviews",
        "use",
    }
)


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
    # At which rates a change to the works of an order is priced.
    variation_rates: VariationRates = VariationRates.ORDER_EDITION


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
    if code.lower().split(".")[0] in PAGE_WORDS:
        raise WrongTerm(f"The word {code} belongs to a page of the portal; choose another code.", "code")
    if not FRAMEWORK_CODE.fullmatch(code):
        raise WrongTerm(
            "A code has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.",
            "code",
        )
    if db.session.scalar(select(Framework.code).where(func.lower(Framework.code) == code.lower())) is not None:
        raise TakenTerm(f"There is a framework with the code {code} already.", "code")
    wanted = checked_terms(FrameworkTerms(name, starts_on, ends_on, **terms), longest or Longest())
    framework = Framework(code=code)
    _put_terms(framework, wanted)
    db.session.add(framework)
    db.session.flush()
    audit.record("framework added", f"framework:{code}", at=now, actor=by, **plain(wanted))
    return framework


def create_framework(
    code: str, terms: FrameworkTerms, *, by: str, now: datetime, longest: Longest | None = None
) -> Framework:
    """``add_framework`` from whole terms."""
    stated = {each.name: getattr(terms, each.name) for each in fields(FrameworkTerms)}
    return add_framework(code, stated.pop("name"), by=by, now=now, longest=longest, **stated)


def change_framework(
    framework_id: int, terms: FrameworkTerms, *, by: str, now: datetime, longest: Longest | None = None
) -> Framework:
    """Change a framework's terms. Once it has started, its end is moved later by ``extend_framework`` only, and more
    than the value cap is allowed by ``decide_on_cap`` only, each with a reason.

    Raises ``WrongTerm`` for terms that no framework can have, and for what is settled once it has started.
    """
    framework = lock_framework(framework_id)
    checked = checked_terms(terms, longest or Longest())
    was, today = terms_of(framework), local_date(now)
    if has_started(framework, today):
        _keep_settled(was, checked, today)
    _keep_reviews(framework, checked)
    before = plain(was)
    changed = {name: value for name, value in plain(checked).items() if value != before[name]}
    _put_terms(framework, checked)
    if changed:
        audit.record("framework changed", f"framework:{framework.code}", at=now, actor=by, **changed)
    return framework


def has_started(framework: Framework, today: date) -> bool:
    """Whether a framework's first day has come: its start, kind and regime are settled from then on."""
    return framework.starts_on is not None and framework.starts_on <= today


def _keep_settled(was: FrameworkTerms, wanted: FrameworkTerms, today: date) -> None:
    """Refuse what a framework that has started may no longer change; what was not stated yet may be stated."""
    since = f"This framework started on {date_text(was.starts_on)}" if was.starts_on else ""
    for term, what in (("starts_on", "start"), ("kind", "kind"), ("regime", "regime, open or closed,")):
        if getattr(wanted, term) != getattr(was, term):
            raise WrongTerm(f"{since}: its {what} can no longer be changed.", term)
    if was.ends_on is not None and (wanted.ends_on is None or wanted.ends_on > was.ends_on):
        raise WrongTerm(f"{since}: extend it, with a reason, instead of moving its end.", "ends_on")
    if wanted.ends_on is not None and wanted.ends_on != was.ends_on and wanted.ends_on < today:
        raise WrongTerm(f"{date_text(wanted.ends_on)} is in the past; the framework ends today or later.", "ends_on")
    cap = was.value_cap_pence
    if cap is not None and (wanted.value_cap_pence is None or wanted.value_cap_pence > cap):
        raise WrongTerm(
            f"{since}: its value cap of {shown(cap)} is neither raised nor taken away in its terms. Record the "
            "decision to call off beyond it, with the reason.",
            "value_cap_pence",
        )


def _keep_reviews(framework: Framework, terms: FrameworkTerms) -> None:
    """Refuse dates outside which a re-opening that is planned or open would lie."""
    for review in framework.reviews:
        if review.status is ReviewStatus.CLOSED:
            continue
        if not holds((terms.starts_on, terms.ends_on), review.due_on):
            raise WrongTerm(
                f"The review of {date_text(review.due_on)} would lie outside these dates; move it first.",
                "ends_on" if terms.ends_on is not None and terms.ends_on <= review.due_on else "starts_on",
            )


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
        raise WrongTerm("Give the framework a name.", "name")
    if fault := too_long(terms.kind, terms.regime, terms.starts_on, terms.ends_on, longest):
        raise WrongTerm(fault, "ends_on")
    if terms.value_cap_pence is not None and terms.value_cap_pence <= 0:
        raise WrongTerm("The value cap must be above £0; leave it empty when there is none.", "value_cap_pence")
    if terms.review_months is not None and not 1 <= terms.review_months <= 120:
        raise WrongTerm("The review interval is a number of months from 1 to 120.", "review_months")
    if terms.kind is FrameworkKind.QUOTATIONS and terms.quotes_needed not in {2, 3}:
        raise WrongTerm("Say whether two or three quotes are needed for each job.", "quotes_needed")
    guaranteed = (terms.guaranteed_jobs or 0, terms.guaranteed_pence or 0)
    if terms.kind is FrameworkKind.DIRECT_CONTRACT and not any(guaranteed):
        raise WrongTerm(
            "A direct contract guarantees a minimum of jobs or of value a month; state one.", "guaranteed_jobs"
        )
    if min(guaranteed) < 0:
        raise WrongTerm(
            "A guaranteed minimum cannot be below 0.", "guaranteed_jobs" if guaranteed[0] < 0 else "guaranteed_pence"
        )
    if len(terms.local_areas) > LOCAL_AREAS:
        raise WrongTerm(f"The local areas have at most {LOCAL_AREAS} characters.", "local_areas")
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
        raise WrongTerm("This framework has no end yet; state it in its terms first.", "until")
    if was <= today:
        raise WrongTerm(f"The framework ended on {date_text(was)}; what has ended is not extended.", "until")
    if until <= was:
        raise WrongTerm(f"The new end must come after {date_text(was)}.", "until")
    if fault := too_long(framework.kind, framework.regime, framework.starts_on, until, longest or Longest()):
        raise WrongTerm(fault, "until")
    reason = _stated_reason(reason)
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
    )
    return extension


def decide_on_cap(framework_id: int, allowed_pence: int, *, reason: str, by: str, now: datetime) -> CapDecision:
    """Record the decision to call off beyond the value cap, up to ``allowed_pence`` in all.

    Raises ``RuleBroken`` when there is no cap, or the decision would not go beyond what is allowed already.
    """
    framework = lock_framework(framework_id)
    if framework.value_cap_pence is None:
        raise WrongTerm("This framework has no value cap, so there is nothing to decide.", "allowed_pence")
    limit = max([framework.value_cap_pence, *allowed_beyond(framework.id)])
    if allowed_pence <= limit:
        raise WrongTerm(f"Call-offs may go up to {shown(limit)} already; the decision must name more.", "allowed_pence")
    decision = CapDecision(
        framework_id=framework.id,
        allowed_pence=allowed_pence,
        reason=_stated_reason(reason),
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
    )
    return decision


def _stated_reason(reason: str) -> str:
    """The reason of a decision on a framework, without idle space."""
    if not reason.strip():
        raise WrongTerm("Give the reason; it is kept with the framework.", "reason")
    try:
        return checked_reason(reason, needed=True)
    except RuleBroken as fault:
        raise WrongTerm(str(fault), "reason") from fault


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
        raise WrongTerm(f"{authority.name} is a contractor; only authorities take part.", "authority")
    periods = [
        (first, end)
        for first, end in db.session.execute(
            select(Participation.from_on, Participation.to_on).where(
                Participation.framework_id == framework.id, Participation.authority_id == authority.id
            )
        )
    ]
    if from_on is not None and to_on is not None and to_on <= from_on:
        raise WrongTerm(f"The end {date_text(to_on)} must come after the start {date_text(from_on)}.", "to_on")
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
        raise WrongTerm(f"The end must come after the start {date_text(found.from_on)}.", "to_on")
    if to_on < local_date(now):
        raise WrongTerm(f"{date_text(to_on)} is in the past; access ends today or later.", "to_on")
    others = [
        (each.from_on, each.to_on)
        for each in framework.participations
        if each.authority_id == found.authority_id and each.id != found.id
    ]
    if overlapping((found.from_on, to_on), others):
        raise TakenTerm(f"{found.authority.name} comes back before that day; choose an earlier one.", "to_on")
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
