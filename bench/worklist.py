"""The officer's worklist with 100,000 jobs, against the same page with 1,000; and its SQL statements."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event, insert, select

from bench import allocation
from bench.allocation import NOW
from bench.measure import Figure, fresh_app, paired, seconds
from portal.accounts.policy import Role
from portal.accounts.services import add_person
from portal.framework.member_models import Member
from portal.framework.states import Priority
from portal.jobs.models import Decision, Job, Offer
from portal.jobs.states import JobStatus, OfferStatus
from portal.kernel.db import db, transaction

EMAIL, PASSWORD = "officer@bench.example", "a-bench-password"
STATES = (JobStatus.COMPLETE,) * 6 + (
    JobStatus.SPECIFIED,
    JobStatus.ALLOCATING,
    JobStatus.EXHAUSTED,
    JobStatus.ACCEPTED,
)
STANDING = {
    JobStatus.ALLOCATING: OfferStatus.SENT,
    JobStatus.ACCEPTED: OfferStatus.ACCEPTED,
    JobStatus.COMPLETE: OfferStatus.COMPLETED,
}
REQUESTS = 15


def build(database: Path, jobs: int) -> None:
    """A database with ``jobs`` in all states, offers where there would be some, and one officer."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        allocation.build(template, jobs=1, members=20)
        with fresh_app(template) as (_, made):
            with transaction():
                add_person(
                    EMAIL, role=Role.TECHNICAL_OFFICER, organisation_code="A", password=PASSWORD, by="bench", now=NOW
                )
                model = db.session.scalars(select(Job)).one()
                members = list(db.session.scalars(select(Member)))
                shared = {
                    column: getattr(model, column)
                    for column in (
                        "authority_id",
                        "lot_id",
                        "work_type",
                        "edition_id",
                        "postcode",
                        "value_pence",
                        "specified_by",
                        "client",
                        "address",
                        "client_phone",
                        "required_start",
                    )
                }
                rows = [
                    {
                        **shared,
                        "reference": f"W{n:06d}",
                        "priority": list(Priority)[n % 3],
                        "status": STATES[n % len(STATES)],
                        "specified_at": NOW,
                        "since": NOW,
                    }
                    for n in range(jobs)
                ]
                ids = list(db.session.scalars(insert(Job).returning(Job.id, sort_by_parameter_order=True), rows))
                decision = Decision(
                    job_id=model.id, decided_at=NOW, decided_by="bench", because="", rule_version="", inputs={}
                )
                db.session.add(decision)
                db.session.flush()
                offers = [
                    {
                        "job_id": job_id,
                        "authority_id": model.authority_id,
                        "member_id": (member := members[n % len(members)]).id,
                        "contractor_id": member.contractor_id,
                        "decision_id": decision.id,
                        "status": STANDING[row["status"]],
                        "sent_at": NOW,
                        "answer_by": NOW + timedelta(days=2, minutes=n),
                        "start_by": NOW.date(),
                        "adjustment_bp": 0,
                        "price_pence": 100,
                        "reason": "",
                        "start_on": NOW.date(),
                    }
                    for n, (job_id, row) in enumerate(zip(ids, rows, strict=True))
                    if row["status"] in STANDING
                ]
                db.session.execute(insert(Offer), offers)
            db.session.remove()
            db.engine.dispose()
            shutil.copy(made, database)


@contextmanager
def page(database: Path) -> Iterator[tuple[object, object]]:
    """``fetch()`` gets the worklist as the officer; ``count()`` how many SQL statements one fetch takes."""
    with fresh_app(database) as (app, _):
        client = app.test_client()
        client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})

        def fetch() -> None:
            answer = client.get("/")
            assert answer.status_code == 200  # noqa: S101
            assert b"W0" in answer.data  # noqa: S101

        def count() -> int:
            statements: list[str] = []

            def note(_c: object, _k: object, statement: str, *_: object) -> None:
                statements.append(statement)

            event.listen(db.engine, "before_cursor_execute", note)
            fetch()
            event.remove(db.engine, "before_cursor_execute", note)
            return len([statement for statement in statements if not statement.startswith("BEGIN")])

        fetch()
        yield fetch, count


def figures() -> list[Figure]:
    """The ratio of the page's times, and its statements."""
    with tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder) / "many.db", Path(folder) / "few.db"
        build(many, 100_000)
        build(few, 1_000)

        def median(database: Path) -> float:
            with page(database) as (fetch, _):
                return statistics.median(seconds(fetch) for _ in range(REQUESTS))

        ratio = paired("worklist with 100,000 jobs ÷ with 1,000", 1.5, lambda: median(many), lambda: median(few))
        with page(many) as (_, count):
            statements = count()
    return [ratio, Figure("  its SQL statements", statements, 12, "statements", "with 100,000 jobs")]
