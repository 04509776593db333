"""The database: typed columns, and ``transaction()``, the only commit in the tree.

SQLite and PostgreSQL are both first-class. Instants are UTC-aware, money is integer pence, percentages are
integer basis points, quantities are exact decimals kept as integer thousandths.
"""

from __future__ import annotations

import enum
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import JSON, TypeDecorator

from portal.kernel.errors import Clash, RuleBroken

QUANTITY_STEP = Decimal("0.001")
BUSY_TIMEOUT_MS = 30_000
#: What PostgreSQL says when it ended one of two transactions that stood in each other's way.
LOST_RACES = {"40001", "40P01", "55P03"}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values going in, gives UTC-aware values out, on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must know its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite keeps the wall time only; what went in was UTC.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Thousandths(TypeDecorator[Decimal]):
    """An exact quantity with at most three decimals, kept as an integer so that SQLite cannot round it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = value / QUANTITY_STEP
        if scaled != scaled.to_integral_value():
            raise RuleBroken(f"The quantity {value} has more than three decimals.")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else (Decimal(value) * QUANTITY_STEP).normalize() + Decimal(0)


class JsonText(TypeDecorator[Any]):
    """A JSON value kept as its text. A ``str`` going in is that text already: bulk writers make it once."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


Id = Annotated[int, mapped_column(Integer, primary_key=True)]
Code = Annotated[str, mapped_column(String(64))]
Name = Annotated[str, mapped_column(String(200))]
LongText = Annotated[str, mapped_column(Text)]
Pence = Annotated[int, mapped_column(BigInteger)]
BasisPoints = Annotated[int, mapped_column(Integer)]
Instant = Annotated[datetime, mapped_column(UtcDateTime)]
Quantity = Annotated[Decimal, mapped_column(Thousandths)]
Document = Annotated[dict[str, Any], mapped_column(JSON)]


class Base(DeclarativeBase):
    """Names every constraint the same way on both engines, so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(
    model_class=Base,
    # What was loaded stays readable after a commit: views show it while they redirect.
    session_options={"expire_on_commit": False},
)


def reference_to(table: str, **options: Any) -> Any:
    """A foreign key column to ``table.id``; indexed, because every one of ours is searched by."""
    return mapped_column(ForeignKey(f"{table}.id"), index=options.pop("index", True), **options)


def state_column(states: type[enum.Enum], **options: Any) -> Any:
    """A column that holds one of ``states`` by its value, checked by the database as well."""
    return mapped_column(
        SqlEnum(
            states,
            values_callable=lambda members: [member.value for member in members],
            native_enum=False,
            create_constraint=True,
            name=states.__name__.lower(),
            length=40,
        ),
        **options,
    )


def not_negative(column: str) -> CheckConstraint:
    """The CHECK that ``column`` is zero or more."""
    return CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative")


def watch_sqlite(engine: Engine) -> None:
    """Set SQLite up for several processes: WAL, foreign keys, a patient busy timeout, and our own BEGIN.

    The driver's own deferred BEGIN would let two readers deadlock on upgrading to a write, so write
    transactions begin IMMEDIATE (see ``transaction``).
    """

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # So that INSERT OR REPLACE, too, meets the triggers that keep audit events as they are.
        cursor.execute("PRAGMA recursive_triggers = ON")
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("portal_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def table_of(model: type[Base]) -> Table:
    """The table of a model, for plain bulk statements."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - all our models stand on tables
    return table


def insert_rows(table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows through the driver's own ``executemany``, inside the open transaction.

    For the few tables that take hundreds of thousands of rows at once: the values are written as they are, so they
    must be what the database keeps (pence, text, booleans; no enums, instants or quantities).
    """
    if not rows:
        return
    connection = db.session.connection()
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(rows))  # noqa: S608


def init_db(app: Flask) -> None:
    """Bind the database to the application."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            watch_sqlite(db.engine)


@contextmanager
def transaction() -> Iterator[None]:
    """One unit of work: begin, do, write the audit events, commit; or roll everything back.

    What the session had only read before is let go first, so that decisions rest on what is true inside
    this transaction. Transactions do not nest. A broken constraint becomes ``Clash``: services check first and
    say kindly what is wrong, so what reaches the constraint was a race.
    """
    session = db.session
    if session.info.get("portal_transaction"):
        raise RuntimeError("transaction() does not nest: let the caller open it")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("changes were made outside transaction()")
    session.rollback()
    # A rollback forgets only what its own transaction had read; older objects outlive a commit (see above).
    session.expire_all()
    session.connection(execution_options={"portal_writes": True})
    session.info["portal_transaction"] = True
    try:
        yield
        session.flush()
        for before_commit in _before_commit:
            before_commit()
        session.commit()
    except (IntegrityError, OperationalError) as fault:
        session.rollback()
        if isinstance(fault, OperationalError) and getattr(fault.orig, "sqlstate", None) not in LOST_RACES:
            raise
        raise Clash(
            "Somebody else changed the same record at this moment; nothing was saved. Look at it again and repeat."
        ) from fault
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("portal_transaction", None)
        session.info.pop("audit", None)


_before_commit: list[Any] = []


def before_commit(hook: Any) -> Any:
    """Register ``hook()`` to run last in every transaction (the audit chain is the one user)."""
    _before_commit.append(hook)
    return hook
