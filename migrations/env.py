"""How Alembic reaches the database of the running application."""

from __future__ import annotations

from alembic import context
from flask import current_app

from portal.kernel.db import db


def render_item(kind: str, item: object, _autogen: object) -> str | bool:
    """Write our own column types as the plain types they are kept in: a migration does not depend on the code."""
    if kind == "type" and hasattr(item, "impl"):
        return f"sa.{item.impl!r}"
    return False


def run() -> None:
    """Apply the migrations in one transaction: a failed upgrade leaves the database as it was."""
    with db.engine.connect().execution_options(portal_writes=True) as connection:
        context.configure(
            connection=connection,
            target_metadata=current_app.extensions["migrate"].db.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
            # SQLite can: our BEGIN is a real one (see kernel.db).
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
