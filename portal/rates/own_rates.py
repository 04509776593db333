"""Members' own rates for codes: which one holds on a day, and how they are agreed, from a day on, for new offers only.

What has begun is never changed: an own rate ends by a row that says so, and offers and orders keep the rates that they
were made with.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select

from portal.framework.faults import WrongTerm
from portal.framework.member_models import Member
from portal.framework.members.services import lock_member, standing_now
from portal.framework.states import ENDED
from portal.kernel import audit
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import db
from portal.kernel.errors import WrongState
from portal.kernel.money import shown
from portal.rates.models import Item, MemberRate
from portal.rates.queries import editions_in_force

#: The largest rate, in pence.
MOST_PENCE = 100_000_000


def rate_in_force(day: date) -> ColumnElement[bool]:
    """The condition that a row is the member's last word on its code on ``day``; a rate of ``None`` says: none."""
    other = MemberRate.__table__.alias()
    latest = (
        select(func.max(other.c.starts_on))
        .where(other.c.member_id == MemberRate.member_id, other.c.code == MemberRate.code, other.c.starts_on <= day)
        .correlate(MemberRate)
        .scalar_subquery()
    )
    return MemberRate.starts_on == latest


@dataclass(frozen=True, slots=True)
class OwnRate:
    """A member's own rate for a code on the days ``[starts_on, ends_on)``; an open end is ``None``."""

    code: str
    rate_pence: int
    starts_on: date
    ends_on: date | None
    agreed_by: str

    def holds(self, day: date) -> bool:
        """Whether it holds on ``day``."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


def own_rates_of(member_id: int) -> list[OwnRate]:
    """Every own rate that a member has, had or will have, by code, the latest first."""
    rows = list(
        db.session.scalars(
            select(MemberRate)
            .where(MemberRate.member_id == member_id)
            .order_by(MemberRate.code, MemberRate.starts_on.desc())
        )
    )
    found = []
    for place, row in enumerate(rows):
        later = rows[place - 1] if place and rows[place - 1].code == row.code else None
        if row.rate_pence is not None:
            found.append(
                OwnRate(row.code, row.rate_pence, row.starts_on, later.starts_on if later else None, row.agreed_by)
            )
    return found


def items_priced(codes: Collection[str], day: date) -> dict[str, Item]:
    """The items with these codes of the editions in force on ``day``; one that is withdrawn by then is not among them.

    A code of several schedules stands for the first of them, by the schedule's code.
    """
    editions = editions_in_force(day)
    order = {edition.id: place for place, edition in enumerate(editions)}
    items = db.session.scalars(select(Item).where(Item.edition_id.in_(order), Item.code.in_(codes)))
    found: dict[str, Item] = {}
    for item in sorted(items, key=lambda item: order[item.edition_id]):
        if item.withdrawn_on is None or item.withdrawn_on > day:
            found.setdefault(item.code, item)
    return found


def agree_own_rate(member_id: int, code: str, rate_pence: int, starts_on: date, *, by: str, now: datetime) -> None:
    """Let a member have its own rate in pence for ``code`` from ``starts_on``, in place of the schedule's rate.

    A rate that was to start on the same day and has not begun is replaced. Raises ``WrongTerm`` for a day in the past,
    a code that no schedule in force that day has, a rate that nobody can mean, or a day that has begun with another
    rate; ``WrongState`` for a membership that has ended.
    """
    member = lock_for_rates(member_id, now)
    code = code.strip()
    check_day(starts_on, now)
    check_rate(rate_pence)
    if code not in items_priced([code], starts_on):
        raise WrongTerm(unknown_code(code, starts_on), "code")
    _write(member, {code: rate_pence}, starts_on, by=by, now=now)
    _note("own rate agreed", member, starts_on, by=by, now=now, code=code, rate_pence=rate_pence)


def end_own_rate(member_id: int, code: str, ends_on: date, *, by: str, now: datetime) -> None:
    """Let a member's own rate for ``code`` end: ``ends_on`` is the first day at the schedule's rate again.

    Raises ``WrongTerm`` for a day in the past or without a rate that would hold then.
    """
    member = lock_for_rates(member_id, now)
    code = code.strip()
    check_day(ends_on, now)
    if not any(each.code == code and each.holds(ends_on) for each in own_rates_of(member_id)):
        raise WrongTerm(f"There is no own rate for {code} that would hold on {date_text(ends_on)}.", "code")
    _write(member, {code: None}, ends_on, by=by, now=now)
    _note("own rate ended", member, ends_on, by=by, now=now, code=code)


def agree_own_rates(
    member_id: int, rates: Sequence[tuple[str, int]], starts_on: date, *, source: str, by: str, now: datetime
) -> None:
    """As ``agree_own_rate`` for a checked list of codes and rates in pence, from the file ``source``."""
    member = lock_for_rates(member_id, now)
    check_day(starts_on, now)
    _write(member, dict(rates), starts_on, by=by, now=now)
    _note("own rates agreed", member, starts_on, by=by, now=now, rates=len(rates), file=source)


def lock_for_rates(member_id: int, now: datetime) -> Member:
    """The membership, locked as allocation locks it; ``WrongState`` for one that has ended."""
    member = lock_member(member_id)
    current = standing_now(member_id, local_date(now))
    if current is None or current.status in ENDED:
        raise WrongState("This membership has ended; its own rates stay as they were.")
    return member


def check_day(day: date, now: datetime) -> None:
    """``WrongTerm`` for a day in the past."""
    if day < local_date(now):
        raise WrongTerm(f"{date_text(day)} is in the past; own rates change today or later.", "starts_on")


def check_rate(rate_pence: int) -> None:
    """``WrongTerm`` for a rate that nobody can mean."""
    if not 0 < rate_pence <= MOST_PENCE:
        raise WrongTerm(f"A rate lies above £0 and not above {shown(MOST_PENCE)}; look at it again.", "rate")


def unknown_code(code: str, day: date) -> str:
    """That nobody can have an own rate for ``code`` from ``day`` on."""
    return (
        f"{code} is not an item of a schedule of rates in force on {date_text(day)}, or is withdrawn by then; look it "
        "up in the catalogue."
    )


def _write(member: Member, rates: dict[str, int | None], day: date, *, by: str, now: datetime) -> None:
    standing = {
        row.code: row
        for row in db.session.scalars(
            select(MemberRate)
            .where(MemberRate.member_id == member.id, MemberRate.starts_on == day, MemberRate.code.in_(rates))
            .execution_options(populate_existing=True)
        )
    }
    begun = sorted(code for code in standing if day <= local_date(now))
    if begun:
        more = f" (and {len(begun) - 1} more)" if len(begun) > 1 else ""
        raise WrongTerm(
            f"What holds for {begun[0]}{more} from {date_text(day)} has begun and is not changed; choose a later day.",
            "starts_on",
        )
    for code, rate_pence in rates.items():
        row = standing.get(code)
        if row is None:
            row = MemberRate(member_id=member.id, code=code, starts_on=day)
            db.session.add(row)
        row.rate_pence, row.agreed_by, row.agreed_at = rate_pence, by, now
    db.session.flush()


def _note(action: str, member: Member, day: date, *, by: str, now: datetime, **data: object) -> None:
    audit.record(
        action,
        f"contractor:{member.contractor.organisation.code}",
        at=now,
        actor=by,
        lot=member.lot.name,
        from_on=day.isoformat(),
        **data,
    )
