"""What a firm does for itself: make its account, apply, keep its details, availability and documents."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from portal.accounts.models import Person
from portal.accounts.policy import OrganisationKind, Role
from portal.accounts.queries import framework_managers
from portal.accounts.services import add_numbered_organisation, add_person, clean_email
from portal.framework import notices
from portal.framework.documents import services as documents
from portal.framework.documents.files import CheckedFile
from portal.framework.member_models import Absence, Contractor, ContractorDocument, ContractorTrade, Member
from portal.framework.members import services as membership
from portal.framework.members.services import lock_contractor
from portal.framework.rules import overlapping
from portal.framework.states import COVER_KINDS, DocumentStatus
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import Clash, NotFound, RuleBroken, WrongState
from portal.kernel.outbox import queue_notice

LONGEST_TRADE, MOST_TRADES = 80, 30
LONGEST_SOCIAL_VALUE = 4_000
#: Nobody states more days away than this; years are slips of the finger.
LONGEST_ABSENCE_DAYS = 400
MOST_ABSENCES = 60
#: The letter of codes that firms get when they make their own account.
LETTER = "F"
COMPANY_NUMBER = re.compile(r"[A-Z0-9]{2}[0-9]{5}[A-Z0-9]")


@dataclass(frozen=True, slots=True)
class FirmDetails:
    """What a firm says of itself. ``capacity`` is jobs at once; ``month_limit_pence`` is the value of work in a
    calendar month that it takes at most, in pence (``None``: not limited)."""

    email: str
    phone: str
    postcode: str
    sme: bool
    capacity: int
    month_limit_pence: int | None = None
    trades: tuple[str, ...] = ()
    social_value: str = ""


@dataclass(frozen=True, slots=True)
class NewFirm:
    """What a firm states to make its account: the company, who signs in, and its details."""

    company: str
    contact: str
    password: str
    details: FirmDetails
    company_number: str = ""


def add_firm(wanted: NewFirm, *, now: datetime) -> Person:
    """A new firm with an account for the person who applies. It is a member of nothing yet.

    The address must be proven before: what is said of a company number is for its own people only. Raises ``Clash``
    for an e-mail address or company number that is known already, ``RuleBroken`` for values that cannot be.
    """
    details = checked_details(wanted.details)
    company, contact = " ".join(wanted.company.split()), " ".join(wanted.contact.split())
    if not company or not contact:
        raise RuleBroken("Enter the company’s name and the name of whom we can ask.")
    number = clean_company_number(wanted.company_number)
    if db.session.scalar(select(Person.id).where(Person.email == details.email)) is not None:
        raise Clash(f"Somebody signs in with {details.email} already. Sign in instead.")
    if number and db.session.scalar(select(Contractor.id).where(Contractor.company_number == number)) is not None:
        raise Clash(
            f"A firm with the company number {number} is on the list already; ask the framework manager to let you in."
        )
    organisation = add_numbered_organisation(
        company, OrganisationKind.CONTRACTOR, letter=LETTER, by=details.email, now=now
    )
    firm = Contractor(organisation_id=organisation.id, organisation=organisation, company_number=number)
    _put(firm, details)
    db.session.add(firm)
    db.session.flush()
    audit.record(
        "contractor registered",
        f"contractor:{organisation.code}",
        at=now,
        actor=details.email,
        company_number=number,
        **stated(details, plain(details)),
    )
    return add_person(
        details.email,
        role=Role.CONTRACTOR,
        organisation_code=organisation.code,
        password=wanted.password,
        by=details.email,
        now=now,
        name=contact,
    )


def clean_company_number(text: str) -> str:
    """A company number in its one form of eight characters; empty when there is none.

    Companies House writes ``01234567``, or ``SC123456`` with a prefix; leading noughts are often left out.
    """
    number = re.sub(r"[\s.-]", "", text).upper()
    if number.isascii() and number.isdigit():
        number = number.zfill(8)
    if number and (not COMPANY_NUMBER.fullmatch(number) or not number.strip("0")):
        raise RuleBroken("Enter the company number as Companies House writes it, such as 01234567 or SC123456.")
    return number


def checked_details(details: FirmDetails) -> FirmDetails:
    """``details`` in their normal form; ``RuleBroken`` says what cannot be."""
    social_value = details.social_value.strip()
    if len(social_value) > LONGEST_SOCIAL_VALUE:
        raise RuleBroken(
            f"The social value statement has {len(social_value):,} characters; at most {LONGEST_SOCIAL_VALUE:,} fit."
        )
    if details.capacity < 0:
        raise RuleBroken("The number of jobs at once cannot be below 0.")
    if details.month_limit_pence is not None and details.month_limit_pence < 0:
        raise RuleBroken("The value of work in a month cannot be below £0.")
    return FirmDetails(
        clean_email(details.email),
        " ".join(details.phone.split()),
        details.postcode,
        details.sme,
        details.capacity,
        details.month_limit_pence,
        clean_trades(details.trades),
        social_value,
    )


def clean_trades(trades: Iterable[str]) -> tuple[str, ...]:
    """Trades, each once whatever its capitals; ``RuleBroken`` for too long or too many ones."""
    found: dict[str, str] = {}
    for trade in (" ".join(each.split()) for each in trades):
        if len(trade) > LONGEST_TRADE:
            raise RuleBroken(f"The trade {trade[:20]}… has {len(trade)} characters; at most {LONGEST_TRADE} fit.")
        if trade:
            found.setdefault(trade.casefold(), trade)
    if len(found) > MOST_TRADES:
        raise RuleBroken(f"You named {len(found)} trades; name the {MOST_TRADES} that matter most.")
    return tuple(found.values())


def change_details(contractor_id: int, wanted: FirmDetails, *, by: str, now: datetime) -> Contractor:
    """Change how to reach a firm, how much work it takes, its trades and its social value statement."""
    details = checked_details(wanted)
    firm = lock_contractor(contractor_id)
    before = plain(details_of(firm))
    changed = [name for name, value in plain(details).items() if value != before[name]]
    if changed:
        _put(firm, details)
        _record("contractor changed", firm, by=by, now=now, **stated(details, changed))
    return firm


def details_of(firm: Contractor) -> FirmDetails:
    """A firm's details as values."""
    return FirmDetails(
        firm.email,
        firm.phone,
        firm.postcode,
        firm.sme,
        firm.capacity,
        firm.month_limit_pence,
        tuple(each.trade for each in firm.trades),
        firm.social_value,
    )


def plain(details: FirmDetails) -> dict[str, Any]:
    """Details by their names, as values that can be compared."""
    return {
        "email": details.email,
        "phone": details.phone,
        "postcode": details.postcode,
        "sme": details.sme,
        "capacity": details.capacity,
        "month_limit_pence": details.month_limit_pence,
        "trades": sorted(details.trades),
        "social_value": details.social_value,
    }


def stated(details: FirmDetails, changed: Collection[str]) -> dict[str, Any]:
    """What the audit keeps of changed details: their names, and the values of those that decide who is offered work.
    Addresses, telephone numbers and what a firm writes may have to be forgotten one day; an audit event stays."""
    decisive = {"capacity": details.capacity, "month_limit_pence": details.month_limit_pence}
    return {"changed": sorted(changed), **{name: value for name, value in decisive.items() if name in changed}}


def _put(firm: Contractor, details: FirmDetails) -> None:
    kept = {each.trade: each for each in firm.trades}
    firm.email, firm.phone, firm.postcode = details.email, details.phone, details.postcode
    firm.sme, firm.capacity, firm.month_limit_pence = details.sme, details.capacity, details.month_limit_pence
    firm.social_value = details.social_value
    firm.trades = [kept.get(each) or ContractorTrade(trade=each) for each in details.trades]


def _record(action: str, firm: Contractor, *, by: str, now: datetime, **data: Any) -> None:
    audit.record(action, f"contractor:{firm.organisation.code}", at=now, actor=by, **data)


# Applying -------------------------------------------------------------------------------------------------------------


def apply_for_lot(
    contractor_id: int,
    lot_id: int,
    *,
    areas: Collection[str],
    adjustment_bp: int,
    social_value: str,
    by: str,
    now: datetime,
) -> Member:
    """Apply for a lot and tell both sides. ``areas`` are codes of authorities and postcode districts, the adjustment
    is in basis points; the social value statement replaces the firm's.

    Raises as ``membership.apply_for_lot`` does: ``Clash`` for an application sent twice.
    """
    member = membership.apply_for_lot(contractor_id, lot_id, areas=areas, adjustment_bp=adjustment_bp, by=by, now=now)
    firm = db.session.get_one(Contractor, contractor_id)
    statement = social_value.strip()
    if len(statement) > LONGEST_SOCIAL_VALUE:
        raise RuleBroken(
            f"The social value statement has {len(statement):,} characters; at most {LONGEST_SOCIAL_VALUE:,} fit."
        )
    if statement != firm.social_value:
        firm.social_value = statement
        _record("contractor changed", firm, by=by, now=now, changed=["social_value"])
    queue_notice(firm.email, *notices.application_sent(member), at=now)
    for email in framework_managers():
        queue_notice(email, *notices.application_received(member), at=now)
    return member


# Availability ---------------------------------------------------------------------------------------------------------


def set_accepts_from(contractor_id: int, day: date | None, *, by: str, now: datetime) -> Contractor:
    """Say from which day a firm can start new work; ``None``: at any time. ``RuleBroken`` for a day in the past."""
    firm = lock_contractor(contractor_id)
    if day is not None and day < local_date(now):
        raise RuleBroken(f"{date_text(day)} is in the past. Enter today or a later day, or leave it empty.")
    if day != firm.accepts_from:
        firm.accepts_from = day
        _record("availability changed", firm, by=by, now=now, accepts_from=day.isoformat() if day else "at any time")
    return firm


def add_absence(contractor_id: int, first_day: date, last_day: date, *, by: str, now: datetime) -> Absence:
    """Days away from ``first_day`` to ``last_day``, both included: no work starts on them.

    Kept half-open. Raises ``RuleBroken`` for an end before the start or days that are over, ``Clash`` for days that
    overlap others.
    """
    firm = lock_contractor(contractor_id)
    if last_day < first_day:
        raise RuleBroken(f"The last day away cannot come before the first, {date_text(first_day)}.")
    if last_day < local_date(now):
        raise RuleBroken("These days are over. Enter days to come.")
    if (last_day - first_day).days >= LONGEST_ABSENCE_DAYS:
        raise RuleBroken(
            f"Days away can be at most {LONGEST_ABSENCE_DAYS} in a row. If you take no work at all, "
            "set the number of jobs at once to 0."
        )
    period = (first_day, last_day + timedelta(days=1))
    if (other := overlapping(period, [(each.from_on, each.to_on) for each in firm.absences])) is not None:
        begins, ends = other[0] or first_day, (other[1] or last_day) - timedelta(days=1)
        raise Clash(f"You are away from {date_text(begins)} to {date_text(ends)} already; these days overlap them.")
    if sum(each.to_on > local_date(now) for each in firm.absences) >= MOST_ABSENCES:
        raise RuleBroken(f"At most {MOST_ABSENCES} times away can stand here. Take off some that you no longer need.")
    absence = Absence(contractor_id=firm.id, from_on=period[0], to_on=period[1])
    firm.absences.append(absence)
    db.session.flush()
    _record("days away added", firm, by=by, now=now, from_on=period[0].isoformat(), to_on=period[1].isoformat())
    return absence


def remove_absence(contractor_id: int, absence_id: int, *, by: str, now: datetime) -> None:
    """Take days away off again; ``NotFound`` also for another firm's."""
    firm = lock_contractor(contractor_id)
    absence = next((each for each in firm.absences if each.id == absence_id), None)
    if absence is None:
        raise NotFound("There are no such days away.")
    firm.absences.remove(absence)
    _record(
        "days away removed",
        firm,
        by=by,
        now=now,
        from_on=absence.from_on.isoformat(),
        to_on=absence.to_on.isoformat(),
    )


# Documents ------------------------------------------------------------------------------------------------------------


def hand_in_document(
    contractor_id: int,
    kind: str,
    expires_on: date,
    *,
    file: CheckedFile,
    stored_name: str,
    by: str,
    now: datetime,
    cover_pence: int | None = None,
) -> ContractorDocument:
    """Hand in a document; an insurance must say what it covers, in pence, and nothing else does.

    Raises as ``documents.hand_in_document`` does.
    """
    if kind in COVER_KINDS and cover_pence is None:
        raise RuleBroken("Enter the amount that the insurance covers.")
    return documents.hand_in_document(
        contractor_id,
        kind,
        expires_on,
        file=file,
        stored_name=stored_name,
        by=by,
        now=now,
        cover_pence=cover_pence if kind in COVER_KINDS else None,
    )


def withdraw_waiting_document(contractor_id: int, document_id: int, *, by: str, now: datetime) -> ContractorDocument:
    """Take back a document that nobody has checked yet.

    Raises ``NotFound`` also for another firm's document, ``WrongState`` for one that was decided on.
    """
    document = documents.lock_document(document_id)
    if document.contractor_id != contractor_id:
        raise NotFound("There is no such document.")
    if document.status is not DocumentStatus.WAITING:
        raise WrongState(f"This document is {document.status.value} already; only one that waits can be taken back.")
    documents.withdraw_document(document, reason="taken back before it was checked", by=by, now=now)
    return document
