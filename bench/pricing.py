"""Pricing an order of 200 lines for a member: how many statements it takes, and its time beside the bare queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import event, select

from bench.measure import Figure, fresh_app, seconds
from portal.accounts.policy import OrganisationKind
from portal.accounts.services import add_organisation
from portal.framework.member_models import Member, MemberBand
from portal.framework.members.contractor_file import ContractorFile, ContractorRow
from portal.framework.members.contractor_import import import_contractors
from portal.jobs.line_prices import price_for_member
from portal.kernel.db import db, transaction
from portal.rates.basket import Basket
from portal.rates.member_terms import terms_of_member
from portal.rates.models import Edition, StarRate
from portal.rates.own_rates import agree_own_rates
from portal.rates.queries import edition_in_force, items_by_code, star_rates_by_code
from portal.rates.schedule_file import ScheduleFile
from portal.rates.services import import_edition
from portal.rates.states import StarRateStatus

NOW = datetime(2026, 5, 5, 9, tzinfo=UTC)
TODAY = date(2026, 5, 5)
LINES, ITEMS = 200, 5_000
STAR = "STAR-1"
TURNS = 5


def build() -> tuple[Basket, Edition, int, int]:
    """A member with bands and own rates, a catalogue, and 200 lines of it with a star rate among them."""
    with transaction():
        authority = add_organisation("A", "Authority A", OrganisationKind.AUTHORITY, by="bench", now=NOW)
        records = [
            (row, f"I{row:05}", f"Item {row}", None, "Any", "nr", 1_000 + row, None, None, None, None, None, None)
            for row in range(ITEMS)
        ]
        edition = import_edition(
            ScheduleFile("bench.csv", records, {}, [], []),
            schedule_code="BENCH",
            edition_name="1",
            starts_on=TODAY,
            by="bench",
            now=NOW,
        )
        row = ContractorRow(1, "C1", "Firm", "firm@example.org", "", "", True, ("Ramp",), ("A",), 1, -250, 5, None, {})
        import_contractors(
            ContractorFile("bench", [row], (), []), framework_code=None, create=True, by="bench", now=NOW
        )
        star = StarRate(
            schedule_id=edition.schedule_id,
            authority_id=authority.id,
            code=STAR,
            description="Star rate",
            unit="nr",
            rate_pence=12_345,
            reason="bench",
            status=StarRateStatus.APPROVED,
            from_on=TODAY,
            proposed_by="bench",
            proposed_at=NOW,
        )
        db.session.add(star)
    member_id = db.session.scalars(select(Member.id)).one()
    with transaction():
        db.session.add(MemberBand(member_id=member_id, from_pence=100_000, adjustment_bp=-400))
        own = [(f"I{row:05}", 777) for row in range(0, LINES, 5)]
        agree_own_rates(member_id, edition_in_force(TODAY, "BENCH"), own, TODAY, source="bench", by="bench", now=NOW)
    codes = [f"I{row:05}" for row in range(LINES - 1)] + [STAR]
    basket = Basket("bench.csv", [(row, code, Decimal("2.5")) for row, code in enumerate(codes, start=2)])
    return basket, edition_in_force(TODAY, "BENCH"), member_id, authority.id


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that run inside."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def figures() -> list[Figure]:
    """The number of statements; the time beside the same queries without any pricing is information."""
    with fresh_app():
        basket, edition, member_id, authority_id = build()
        codes = {code for _, code, _ in basket.lines}

        def ours() -> None:
            db.session.expunge_all()
            price_for_member(basket, found, member_id, TODAY, authority_id=authority_id)

        def bare() -> None:
            db.session.expunge_all()
            items_by_code(edition_id, codes)
            star_rates_by_code(schedule_id, codes, TODAY)
            terms_of_member(member_id, TODAY, edition.schedule_id, codes)

        edition_id, schedule_id, found = edition.id, edition.schedule_id, edition
        ours()
        with counted() as statements:
            ours()
        taken = [(seconds(ours), seconds(bare)) for _ in range(TURNS)]
        ratio = sorted(mine / other for mine, other in taken)[TURNS // 2]
        milliseconds = sorted(mine for mine, _ in taken)[TURNS // 2] * 1000
        return [
            Figure(
                f"pricing an order of {LINES} lines for a member",
                len(statements),
                3,
                "statements",
                f"{milliseconds:.0f} ms, {ratio:.2f} times the bare queries",
            )
        ]
