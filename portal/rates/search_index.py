"""The full-text index of the catalogue, while a whole edition goes in. (SQLite; PostgreSQL keeps its own.)

A trigger indexes every item that is written (migration 0008). For a hundred thousand of them that takes three times as
long as indexing all at the end: so the trigger steps aside, inside the transaction that writes the edition. Nobody
else can write meanwhile, and if the transaction is undone, so is this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from portal.kernel.db import db

TRIGGER = "item_fts_insert"
#: Fewer items are indexed one by one.
WORTH_IT = 2_000


@contextmanager
def words_indexed_at_once(edition_id: int, items: int) -> Iterator[None]:
    """Inside, the ``items`` of a new edition are written; at the end they are in the index, all at once."""
    connection = db.session.connection()
    if connection.dialect.name != "sqlite" or items < WORTH_IT:
        yield
        return
    trigger = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": TRIGGER})
    connection.execute(text(f"DROP TRIGGER {TRIGGER}"))
    yield
    connection.execute(
        text(
            "INSERT INTO item_fts (rowid, edition, words) "
            "SELECT id, edition_id, words FROM item WHERE edition_id = :edition_id ORDER BY id"
        ),
        {"edition_id": edition_id},
    )
    connection.exec_driver_sql(trigger)
