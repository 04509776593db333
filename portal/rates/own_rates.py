"""Members' own rates for codes of a schedule: which one holds on a day, and how they are agreed, from a day on, for new
offers only.

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
from portal.rates.models import Edition, Item, MemberRate, Schedule
from portal.rates.pricing import MOST_RATE_PENCE
from portal.rates.queries import editions_in_force, items_by_code


def rate_in_force(day: date) -> ColumnElement[bool]:
    """The condition that a row is the member's last word on its code on ``day``; a rate of ``None`` says: none."""
    other = MemberRate.__table__.alias()
    latest = (
        select(func.max(other.c.starts_on))
        .where(
            other.c.member_id == MemberRate.member_id,
            other.c.schedule_id == MemberRate.schedule_id,
            other.c.code == MemberRate.code,
            other.c.starts_on <= day,
        )
        .correlate(MemberRate)
        .scalar_subquery()
    )
    return MemberRate.starts_on == latest


@dataclass(frozen=True, slots=True)
class OwnRate:
    """A member's own rate for a code of a schedule (its code) on the days ``[starts_on, ends_on)``; an open end is
    ``None``."""

    schedule: str
    code: str
    rate_pence: int
    starts_on: date
    ends_on: date | None
    agreed_by: str

    def holds(self, day: date) -> bool:
        """Whether it holds on ``day``."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


@dataclass(frozen=True, slots=True)
class Period:
    """What holds for a code from a day on: a rate of its own in pence, or (``None``) the schedule's rate.

    Until ``ends_on``, when ``then_pence`` follows, which was agreed on ``agreed_on``; without an end, these are
    ``None``.
    """

    code: str
    rate_pence: int | None
    starts_on: date
    ends_on: date | None = None
    then_pence: int | None = None
    agreed_on: date | None = None

    def __str__(self) -> str:
        """The period as a sentence."""
        start = date_text(self.starts_on)
        if self.ends_on is None or self.agreed_on is None:
            return f"{'The schedule’s rate holds again' if self.rate_pence is None else 'The rate holds'} from {start}."
        what = "The schedule’s rate" if self.rate_pence is None else "The rate"
        then = "the schedule’s rate" if self.then_pence is None else shown(self.then_pence)
        return (
            f"{what} holds from {start} until {date_text(self.ends_on)}; then {then}, as agreed on "
            f"{date_text(self.agreed_on)}."
        )


def own_rates_of(member_id: int) -> list[OwnRate]:
    """Every own rate that a member has, had or will have, by schedule and code, the latest first."""
    rows = db.session.execute(
        select(Schedule.code, MemberRate)
        .join(Schedule, Schedule.id == MemberRate.schedule_id)
        .where(MemberRate.member_id == member_id)
        .order_by(Schedule.code, MemberRate.code, MemberRate.starts_on.desc())
    )
    found: list[OwnRate] = []
    later: MemberRate | None = None
    for schedule, row in rows:
        if later is not None and (later.schedule_id, later.code) != (row.schedule_id, row.code):
            later = None
        if row.rate_pence is not None:
            ends_on = later.starts_on if later is not None else None
            found.append(OwnRate(schedule, row.code, row.rate_pence, row.starts_on, ends_on, row.agreed_by))
        later = row
    return found


def schedules_priced() -> list[Schedule]:
    """The schedules that own rates can be agreed for, those in pounds, by code."""
    return list(db.session.scalars(select(Schedule).where(Schedule.currency == "GBP").order_by(Schedule.code)))


def edition_priced(day: date, schedule: str | None) -> Edition:
    """The edition in force on ``day`` of the schedule with this code; without a code, of the only one in pounds.

    Raises ``WrongTerm`` (``schedule``) when there is none, or when one must be named.
    """
    editions = editions_in_force(day)
    if schedule is None and len(editions) == 1:
        return editions[0]
    if schedule is None and editions:
        codes = ", ".join(edition.schedule.code for edition in editions)
        raise WrongTerm(
            f"Several schedules of rates are in force on {date_text(day)}: {codes}; name one of them.", "schedule"
        )
    found = next((edition for edition in editions if edition.schedule.code == schedule), None)
    if found is None:
        name = "" if schedule is None else f" {schedule}"
        raise WrongTerm(f"There is no schedule of rates{name} in pounds in force on {date_text(day)}.", "schedule")
    return found


def items_priced(edition: Edition, codes: Collection[str], day: date) -> dict[str, Item]:
    """The items of an edition with these codes; one that is withdrawn by ``day`` is not among them."""
    return {
        code: item
        for code, item in items_by_code(edition.id, codes).items()
        if item.withdrawn_on is None or item.withdrawn_on > day
    }


def agree_own_rate(
    member_id: int,
    code: str,
    rate_pence: int,
    starts_on: date,
    *,
    schedule: str | None = None,
    by: str,
    now: datetime,
) -> Period:
    """Let a member have its own rate in pence for ``code`` of a schedule from ``starts_on``, in place of the schedule's
    rate; what holds then, as it results from all that is agreed.

    ``schedule`` is a code; without one, the only schedule in pounds in force that day. A rate that was to start on the
    same day and has not begun is replaced; what is agreed for later stays. Raises ``WrongTerm`` for a day in the past,
    a schedule that is not in force, a code that it does not have, a rate that nobody can mean, or a day that has begun
    with another rate; ``WrongState`` for a membership that has ended.
    """
    member = lock_for_rates(member_id, now)
    code = code.strip()
    check_day(starts_on, now)
    check_rate(rate_pence)
    edition = edition_priced(starts_on, schedule)
    if code not in items_priced(edition, [code], starts_on):
        raise WrongTerm(unknown_code(code, edition, starts_on), "code")
    (period,) = _write(member, edition, {code: rate_pence}, starts_on, by=by, now=now)
    _note("own rate agreed", member, edition, starts_on, by=by, now=now, code=code, rate_pence=rate_pence)
    return period


def end_own_rate(
    member_id: int, code: str, ends_on: date, *, schedule: str | None = None, by: str, now: datetime
) -> Period:
    """Let a member's own rate for ``code`` end: ``ends_on`` is the first day at the schedule's rate again; until when
    that holds, as it results from all that is agreed.

    ``schedule`` as for ``agree_own_rate``. What is agreed for later stays. Raises ``WrongTerm`` for a day in the past
    or without a rate that would hold then.
    """
    member = lock_for_rates(member_id, now)
    code = code.strip()
    check_day(ends_on, now)
    edition = edition_priced(ends_on, schedule)
    of_schedule = edition.schedule.code
    standing = [each for each in own_rates_of(member_id) if (each.schedule, each.code) == (of_schedule, code)]
    if not any(each.holds(ends_on) for each in standing):
        raise WrongTerm(
            f"There is no own rate for {code} of {of_schedule} that would hold on {date_text(ends_on)}.", "code"
        )
    (period,) = _write(member, edition, {code: None}, ends_on, by=by, now=now)
    _note("own rate ended", member, edition, ends_on, by=by, now=now, code=code)
    return period


def agree_own_rates(
    member_id: int,
    edition: Edition,
    rates: Sequence[tuple[str, int]],
    starts_on: date,
    *,
    source: str,
    by: str,
    now: datetime,
) -> list[Period]:
    """As ``agree_own_rate`` for a checked list of codes of an edition and rates in pence, from the file ``source``."""
    member = lock_for_rates(member_id, now)
    check_day(starts_on, now)
    periods = _write(member, edition, dict(rates), starts_on, by=by, now=now)
    _note("own rates agreed", member, edition, starts_on, by=by, now=now, rates=len(rates), file=source)
    return periods


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
    if not 0 < rate_pence <= MOST_RATE_PENCE:
        raise WrongTerm(f"A rate lies above £0 and not above {shown(MOST_RATE_PENCE)}; look at it again.", "rate")


def unknown_code(code: str, edition: Edition, day: date) -> str:
    """That nobody can have an own rate for ``code`` of an edition from ``day`` on."""
    return (
        f"{code} is not an item of {edition.schedule.code} as it holds on {date_text(day)}, or is withdrawn by then; "
        "look it up in the catalogue."
    )


def _write(
    member: Member, edition: Edition, rates: dict[str, int | None], day: date, *, by: str, now: datetime
) -> list[Period]:
    """Write what holds from ``day`` on, and say until when each does."""
    standing: dict[str, MemberRate] = {}
    later: dict[str, list[MemberRate]] = {code: [] for code in rates}
    for row in db.session.scalars(
        select(MemberRate)
        .where(
            MemberRate.member_id == member.id,
            MemberRate.schedule_id == edition.schedule_id,
            MemberRate.starts_on >= day,
        )
        .order_by(MemberRate.starts_on)
        .execution_options(populate_existing=True)
    ):
        # Compared here: the codes of a file are more than a statement can carry.
        if row.code in rates and row.starts_on == day:
            standing[row.code] = row
        elif row.code in rates:
            later[row.code].append(row)
    begun = sorted(code for code in standing if day <= local_date(now))
    if begun:
        more = f" (and {len(begun) - 1} more)" if len(begun) > 1 else ""
        raise WrongTerm(
            f"What holds for {begun[0]}{more} from {date_text(day)} has begun and is not changed; choose a later day.",
            "starts_on",
        )
    for code, rate_pence in rates.items():
        written = standing.get(code)
        if written is None:
            written = MemberRate(
                member_id=member.id, schedule_id=edition.schedule_id, code=code, starts_on=day
            )
            db.session.add(written)
        written.rate_pence, written.agreed_by, written.agreed_at = rate_pence, by, now
    db.session.flush()
    return [_period(code, rate_pence, day, later[code]) for code, rate_pence in rates.items()]


def _period(code: str, rate_pence: int | None, day: date, later: Sequence[MemberRate]) -> Period:
    # The same again is no end.
    following = next((row for row in later if row.rate_pence != rate_pence), None)
    if following is None:
        return Period(code, rate_pence, day)
    return Period(
        code, rate_pence, day, following.starts_on, following.rate_pence, local_date(following.agreed_at)
    )


def _note(
    action: str, member: Member, edition: Edition, day: date, *, by: str, now: datetime, **data: object
) -> None:
    audit.record(
        action,
        f"contractor:{member.contractor.organisation.code}",
        at=now,
        actor=by,
        lot=member.lot.name,
        schedule=edition.schedule.code,
        from_on=day.isoformat(),
        **data,
    )
