"""Migrations: up, down and up again on both engines, and no difference between them and the models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from builders import scene
from databases import Shelf, app_on, settings_for
from flask import Flask
from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, inspect, select, text

from portal import MIGRATIONS
from portal.checks import everything_off
from portal.kernel.audit import GENESIS, AuditHead
from portal.kernel.db import Base, db

REVISIONS = [revision.revision for revision in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))]


@pytest.fixture
def bare(shelf: Shelf, tmp_path: Path) -> Iterator[Flask]:
    """The portal on a database in which nothing has been made."""
    with shelf.copy(migrated=False) as url, app_on(settings_for(tmp_path, url)) as app:
        yield app


def tables() -> set[str]:
    db.session.rollback()
    found = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    return {table for table in found if not table.startswith("item_fts")}


def shape() -> dict[str, object]:
    """Everything the database says of itself, by name."""
    seen = inspect(db.engine)
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(table)],
            sorted(str(index["name"]) for index in seen.get_indexes(table)),
            sorted(str(check["name"]) for check in seen.get_check_constraints(table)),
            sorted(str(key["name"]) for key in seen.get_foreign_keys(table)),
            sorted(str(unique["name"]) for unique in seen.get_unique_constraints(table)),
        )
        for table in sorted(tables())
    }


def triggers() -> set[str]:
    db.session.rollback()
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if db.engine.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    found = set(db.session.scalars(text(query)))
    db.session.rollback()
    return found


def test_revisions_are_one_chain_numbered_from_one() -> None:
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


def test_models_and_migrations_make_the_same_database(bare: Flask) -> None:
    flask_migrate.upgrade()

    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": False,
                "render_as_batch": True,
                # What the catalogue is searched by is made by the migration alone.
                "include_name": lambda name, _kind, _parents: not str(name).startswith(("item_fts", "ix_item_words")),
            },
        )
        assert compare_metadata(context, Base.metadata) == []
    assert tables() == set(Base.metadata.tables)


def test_every_named_constraint_of_the_models_is_in_the_database(bare: Flask) -> None:
    flask_migrate.upgrade()
    seen = inspect(db.engine)

    for table in Base.metadata.sorted_tables:
        made = {
            str(each["name"])
            for found in (
                seen.get_check_constraints(table.name),
                seen.get_unique_constraints(table.name),
                seen.get_foreign_keys(table.name),
            )
            for each in found
        }
        checks = sum(isinstance(each, CheckConstraint) for each in table.constraints)
        assert len(seen.get_check_constraints(table.name)) == checks, table.name
        named = {str(each.name) for each in table.constraints if not isinstance(each, PrimaryKeyConstraint)}
        assert {name for name in named if not name.startswith("ck_")} <= made, table.name


def test_every_step_goes_down_and_up_again_to_the_same_shape(bare: Flask) -> None:
    flask_migrate.upgrade()
    whole, guards = shape(), triggers()

    for revision in reversed(REVISIONS):
        flask_migrate.downgrade(revision="-1")
        flask_migrate.upgrade(revision=revision)
        flask_migrate.downgrade(revision="-1")
    assert tables() == set()
    assert triggers() == set()
    flask_migrate.upgrade()

    assert shape() == whole
    assert triggers() == guards >= {"audit_event_no_update", "audit_event_no_delete"}
    assert db.session.execute(select(AuditHead.id, AuditHead.last_id, AuditHead.last_hash)).all() == [(1, 0, GENESIS)]


def test_upgrading_twice_changes_nothing_and_keeps_data(app: Flask) -> None:
    offer = scene().offered()
    reference = offer.job.reference

    flask_migrate.upgrade()

    db.session.rollback()
    assert offer.job.reference == reference
    assert list(everything_off()) == []


def test_a_step_that_fails_leaves_the_database_as_it_was(bare: Flask, tmp_path: Path) -> None:
    flask_migrate.upgrade(revision=REVISIONS[0])
    before = shape()
    with db.engine.connect().execution_options(portal_writes=True) as connection:
        # The last table that the chain makes is there already: the whole run must fail, not its end only.
        connection.execute(text("CREATE TABLE quote (id INTEGER PRIMARY KEY)"))
        connection.commit()

    with pytest.raises(Exception, match="already exists"):
        flask_migrate.upgrade()

    db.session.rollback()
    assert set(shape()) == {*before, "quote"}
