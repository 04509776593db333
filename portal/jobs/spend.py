"""What frameworks have spent and committed: against their value caps, and month by month for direct contracts."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Select, func, select

from portal.accounts.queries import framework_managers
from portal.framework.member_models import Member
from portal.framework.models import Framework, Lot
from portal.framework.rules import Month, cap_level, guarantee_months, months_between, share_of
from portal.framework.terms.services import allowed_beyond
from portal.jobs.board import COMMITTED
from portal.jobs.models import Offer, offer_is
from portal.jobs.states import OfferStatus
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.money import shown
from portal.kernel.outbox import queue_notice

#: Who acts when nobody does: the clock.
CLOCK = "the portal"
HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Spend:
    """What a framework has used, in pence: done, ordered and not done yet, and on offer.

    ``limit_pence`` is its value cap, or what a decision allows beyond it; ``None`` without a cap.
    """

    done_pence: int
    ordered_pence: int
    offered_pence: int
    cap_pence: int | None
    limit_pence: int | None

    @property
    def used_pence(self) -> int:
        """Spent and committed: everything that an allocation counts."""
        return self.done_pence + self.ordered_pence + self.offered_pence

    @property
    def percent(self) -> Decimal | None:
        """What is used, in per cent of the cap."""
        return None if self.cap_pence is None else share_of(self.used_pence, self.cap_pence)

    @property
    def level(self) -> int:
        """The warning that stands: 75, 90 or 100 per cent, or 0."""
        return cap_level(self.used_pence, self.cap_pence)

    @property
    def stopped(self) -> bool:
        """Whether no new call-off is possible without a recorded decision."""
        return self.limit_pence is not None and self.used_pence >= self.limit_pence


def used_by(framework_ids: Collection[int]) -> Select[int, OfferStatus, int]:
    """What frameworks have used, by framework and status of the offers, in pence; read from one index."""
    return (
        select(Lot.framework_id, Offer.status, func.sum(Offer.price_pence))
        .select_from(Offer)
        .join(Member, Member.id == Offer.member_id)
        .join(Lot, Lot.id == Member.lot_id)
        .where(offer_is(*COMMITTED), Lot.framework_id.in_(framework_ids))
        .group_by(Lot.framework_id, Offer.status)
    )


def _used(framework_ids: Collection[int]) -> dict[tuple[int, OfferStatus], int]:
    rows = db.session.execute(used_by(framework_ids))
    return {(framework_id, status): int(pence) for framework_id, status, pence in rows}


def _spend(framework: Framework, used: dict[tuple[int, OfferStatus], int]) -> Spend:
    cap = framework.value_cap_pence
    return Spend(
        used.get((framework.id, OfferStatus.COMPLETED), 0),
        used.get((framework.id, OfferStatus.ACCEPTED), 0),
        used.get((framework.id, OfferStatus.SENT), 0),
        cap,
        None if cap is None else max([cap, *allowed_beyond(framework.id)]),
    )


def spend_of(framework: Framework) -> Spend:
    """What one framework has used."""
    return _spend(framework, _used([framework.id]))


def guarantee(framework: Framework, today: date) -> list[Month]:
    """The months of a direct contract from its start to today, with what was ordered and what is short; newest first.

    Orders count in the month in which they were accepted. A month that the contract covers in part owes its part by
    days: value rounded half up to the penny, jobs rounded down to whole ones. The day of the end is not covered. The
    running month stands there with all that it owes by its end. Empty for other kinds, and before the start.
    """
    if (
        framework.starts_on is None
        or framework.starts_on > today
        or not (framework.guaranteed_jobs or framework.guaranteed_pence)
    ):
        return []
    last = today if framework.ends_on is None else min(today, framework.ends_on - timedelta(days=1))
    ordered: dict[date, tuple[int, int]] = {}
    rows = db.session.execute(
        select(Offer.answered_at, Offer.price_pence)
        .join(Member, Member.id == Offer.member_id)
        .join(Lot, Lot.id == Member.lot_id)
        .where(Lot.framework_id == framework.id, offer_is(OfferStatus.ACCEPTED, OfferStatus.COMPLETED))
    )
    for answered_at, pence in rows:
        if answered_at is not None:
            month = local_date(answered_at).replace(day=1)
            count, value = ordered.get(month, (0, 0))
            ordered[month] = count + 1, value + pence
    found = []
    for month in months_between(framework.starts_on, last):
        part = _part_covered(month, framework.starts_on, framework.ends_on)
        jobs, value = int((framework.guaranteed_jobs or 0) * part), int((framework.guaranteed_pence or 0) * part + HALF)
        found += guarantee_months([month], ordered, jobs, value)
    return found[::-1]


def _part_covered(month: date, starts_on: date, ends_on: date | None) -> Fraction:
    """How much of a calendar month the period from ``starts_on`` to before ``ends_on`` covers, by days."""
    days = monthrange(month.year, month.month)[1]
    after = month + timedelta(days=days)
    covered = min(ends_on or after, after) - max(starts_on, month)
    return Fraction(covered.days, days)


def warn_of_caps(*, now: datetime) -> int:
    """Tell the framework managers, once each, of every framework that has come to 75, 90 or 100 % of its value cap.

    Returns how many were told of. A level that is no longer reached may be told of again.
    """
    frameworks = list(
        db.session.scalars(
            select(Framework)
            .where(Framework.value_cap_pence.is_not(None))
            .order_by(Framework.id)
            .with_for_update(skip_locked=True, key_share=True)
            .execution_options(populate_existing=True)
        )
    )
    if not frameworks:
        return 0
    used = _used([framework.id for framework in frameworks])
    warned = 0
    for framework in frameworks:
        spend = _spend(framework, used)
        if spend.level > framework.cap_warned:
            warned += 1
            audit.record(
                "value cap warning",
                f"framework:{framework.code}",
                at=now,
                actor=CLOCK,
                level=spend.level,
                used_pence=spend.used_pence,
            )
            for email in framework_managers():
                queue_notice(email, *_cap_notice(framework, spend), at=now)
        framework.cap_warned = spend.level
    return warned


def _cap_notice(framework: Framework, spend: Spend) -> tuple[str, str]:
    stopped = (
        "No new job can be called off without a recorded decision.\n"
        if spend.stopped
        else "At 100 % no new job can be called off without a recorded decision.\n"
    )
    return (
        f"Value cap at {spend.percent} %: {framework.code}",
        f"{framework.name} has spent or committed {shown(spend.used_pence)} of its value cap "
        f"{shown(spend.cap_pence or 0)}.\n\n{stopped}",
    )
