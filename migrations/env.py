"""How Alembic reaches the database of the running application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from portal.kernel.db import db


def render_item(kind: str, item: object, _autogen: object) -> str | bool:
    """Write our own column types as the plain types they are kept in: a migration does not depend on the code."""
    if kind == "type" and hasattr(item, "impl"):
        return f"sa.{item.impl!r}"
    return False


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out what the catalogue is searched by: a model cannot say it (see 0008)."""
    return not (kind in {"table", "index"} and str(name).startswith(("item_fts", "ix_item_words")))


@contextmanager
def tables_may_be_made_anew(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew, which it refuses while others refer to it: no foreign keys meanwhile.

    The switch works outside a transaction only. What refers to nothing afterwards makes the upgrade fail as a whole
    (see the end of ``run``).
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.cursor()
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys = ON")
        driver.close()


def refuse_loose_ends(connection: Connection) -> None:
    """Fail when a row refers to one that is not there."""
    if connection.dialect.name == "sqlite" and (loose := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"{len(loose)} rows would refer to nothing, the first in the table {loose[0][0]}")


def run() -> None:
    """Apply the migrations in one transaction: a failed upgrade leaves the database as it was."""
    with (
        db.engine.connect().execution_options(portal_writes=True) as connection,
        tables_may_be_made_anew(connection),
    ):
        context.configure(
            connection=connection,
            target_metadata=current_app.extensions["migrate"].db.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
            include_name=is_ours,
            # SQLite can: our BEGIN is a real one (see kernel.db).
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            refuse_loose_ends(connection)


run()
