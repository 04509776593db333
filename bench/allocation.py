"""Allocating 1,000 jobs among 200 members, against bare inserts of the same rows."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert

from bench.measure import Figure, fresh_app, paired, seconds
from portal.accounts.policy import OrganisationKind
from portal.accounts.services import add_organisation
from portal.framework.members.contractor_file import ContractorFile, ContractorRow
from portal.framework.members.contractor_import import import_contractors
from portal.framework.states import Priority
from portal.jobs.job_file import NewJob, WantedLine
from portal.jobs.services import allocate_jobs
from portal.jobs.specification import specify_jobs
from portal.kernel.db import db, transaction
from portal.kernel.working_time import Nation
from portal.rates.models import Edition, Item, Schedule

NOW = datetime(2026, 5, 5, 9, tzinfo=UTC)
JOBS = 1_000
MEMBERS = 200
#: Everything that an allocation writes.
WRITTEN = ("decision", "place", "offer", "notice", "audit_event")


def build(database: Path, jobs: int = JOBS, members: int = MEMBERS) -> None:
    """A database with ``jobs`` waiting and ``members`` in their lot; every second member works elsewhere."""
    with fresh_app() as (_, made):
        with transaction():
            for code in ("A", "B"):
                add_organisation(code, f"Authority {code}", OrganisationKind.AUTHORITY, by="bench", now=NOW)
            schedule = Schedule(code="BENCH", name="Bench")
            db.session.add(schedule)
            db.session.flush()
            edition = Edition(
                schedule_id=schedule.id,
                name="1",
                starts_on=date(2026, 4, 1),
                item_count=3,
                source="bench",
                created_at=NOW,
            )
            db.session.add(edition)
            db.session.flush()
            db.session.execute(
                insert(Item),
                [
                    {
                        "edition_id": edition.id,
                        "code": f"I{n}",
                        "description": f"Item {n}",
                        "long_description": "",
                        "trade": "Any",
                        "unit": "nr",
                        "rate_pence": 12_345 * (n + 1),
                        "smv": None,
                        "composite": False,
                    }
                    for n in range(3)
                ],
            )
            rows = [
                ContractorRow(
                    n,
                    f"C{n:04d}",
                    f"Firm {n}",
                    f"firm{n}@example.org",
                    "",
                    "",
                    True,
                    ("Ramp",),
                    ("A",) if n % 2 else ("B",),
                    n + 1,
                    n % 7 * 50 - 150,
                    jobs // members * 3,
                    None,
                    {"public-liability": date(2027, 5, 5), "electrical": date(2027, 1, 1)},
                )
                for n in range(members)
            ]
            import_contractors(
                ContractorFile("bench", rows, ("public-liability", "electrical"), []),
                framework_code=None,
                create=True,
                by="bench",
                now=NOW,
            )
            specify_jobs(
                [
                    NewJob(
                        f"J{n:06d}",
                        "A",
                        "Ramp",
                        list(Priority)[n % 3],
                        "RG1 2AB",
                        "",
                        "",
                        "",
                        None,
                        tuple(WantedLine(f"I{i}", Decimal(i + 1)) for i in range(3)),
                    )
                    for n in range(jobs)
                ],
                edition,
                source="bench",
                by="bench",
                now=NOW,
            )
        db.session.remove()
        db.engine.dispose()
        shutil.copy(made, database)


def ours(template: Path, result: Path | None = None) -> float:
    """Seconds to allocate every waiting job, commit included; ``result`` keeps the database that comes out."""
    with fresh_app(template) as (_, database):

        def work() -> None:
            with transaction():
                allocate_jobs(None, by="bench", now=NOW, nation=Nation.ENGLAND_AND_WALES)

        taken = seconds(work)
        if result is not None:
            db.session.remove()
            db.engine.dispose()
            shutil.copy(database, result)
        return taken


def rows_written(template: Path, result: Path) -> dict[str, list[tuple[object, ...]]]:
    """The rows that are in ``result`` and not in ``template``, by table."""
    before, after = sqlite3.connect(template), sqlite3.connect(result)
    rows = {}
    for table in WRITTEN:
        had = before.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
        order = "decision_id, position" if table == "place" else "id"
        rows[table] = after.execute(f"SELECT * FROM {table} ORDER BY {order} LIMIT -1 OFFSET {had}").fetchall()  # noqa: S608
    before.close()
    after.close()
    return rows


def bare(template: Path, rows: dict[str, list[tuple[object, ...]]]) -> float:
    """Seconds to insert the same rows with ``executemany`` and commit."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "bare.db"
        shutil.copy(template, database)
        connection = sqlite3.connect(database)
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;")

        def work() -> None:
            for table, written in rows.items():
                marks = ", ".join("?" * len(written[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", written)  # noqa: S608 - our own names
            connection.commit()

        taken = seconds(work)
        connection.close()
        return taken


def figures() -> list[Figure]:
    """The ratio, over the very rows that an allocation writes."""
    with tempfile.TemporaryDirectory() as folder:
        template, result = Path(folder) / "waiting.db", Path(folder) / "allocated.db"
        build(template)
        ours(template, result)
        rows = rows_written(template, result)
        assert len(rows["offer"]) == JOBS, json.dumps({table: len(each) for table, each in rows.items()})  # noqa: S101
        total = sum(map(len, rows.values()))
        return [
            paired(
                f"allocating {JOBS:,} jobs among {MEMBERS} members ÷ bare inserts ({total:,} rows)",
                8.0,
                lambda: ours(template),
                lambda: bare(template, rows),
            )
        ]
