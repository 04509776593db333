"""What every test may ask for: a database of its own on each engine, the portal on it, a strict client, a fixed clock.

``app`` (and so everything that stands on it) runs once on SQLite and once on PostgreSQL; ``--engine`` keeps to one. A
test that needs one engine only says so: ``@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)``.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from builders import NOW, PASSWORD
from click.testing import CliRunner, Result
from databases import ENGINES, Shelf, Shelves, app_on, settings_for
from fixture_types import AT_MOST, Clock
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from sqlalchemy import event
from strict_client import StrictClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from portal.accounts import services as accounts_services
from portal.accounts.models import Person
from portal.cli import frame, main
from portal.config import Settings
from portal.kernel import clock
from portal.kernel.db import db

pytest_plugins = ["browser"]

# The machine's load is no property of ours; how slow is too slow is measured elsewhere.
hypothesis_settings.register_profile("portal", deadline=None, max_examples=60)
hypothesis_settings.load_profile("portal")
# A password hash is slow on purpose. Tests make hundreds; each hash says itself how it was made.
accounts_services._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--engine``: one engine instead of both."""
    parser.addoption("--engine", choices=ENGINES, help="run database tests on this engine only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once for each engine, unless the test names its own."""
    named = any("engine" in str(mark.args[0]).split(",") for mark in metafunc.definition.iter_markers("parametrize"))
    if "engine" in metafunc.fixturenames and not named:
        only = metafunc.config.getoption("--engine")
        metafunc.parametrize("engine", [only] if only else ENGINES, indirect=True)


# Databases and the portal on them ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelves]:
    """The databases of this run."""
    made = Shelves(tmp_path_factory.mktemp("databases"))
    yield made
    made.stop()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the database engine."""
    name: str = request.param
    return name


@pytest.fixture
def shelf(engine: str, shelves: Shelves) -> Shelf:
    """Where databases of this engine come from."""
    return shelves[engine]


@pytest.fixture
def settings(shelf: Shelf, tmp_path: Path) -> Iterator[Settings]:
    """Settings on a migrated, empty database of the test's own."""
    with shelf.copy() as url:
        yield settings_for(tmp_path, url)


class SeparateClient(FlaskClient):
    """Answers each request in a context of its own, as a server would: nothing of the test's context leaks in."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The portal, its context open for services and queries."""
    with app_on(settings) as made:
        made.test_client_class = SeparateClient
        yield made


@pytest.fixture
def portal(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """``portal("jobs", "show", "A-1", code=0)``: run a verb on the test's database; fails on another exit code."""
    monkeypatch.setattr(frame, "open_app", lambda: app)

    def run(*words: str | Path, code: int = 0, typed: str | None = None) -> Result:
        db.session.rollback()
        result = CliRunner().invoke(main, [str(word) for word in words], input=typed)
        expected = result.exception is None or isinstance(result.exception, SystemExit)
        if not expected:
            raise AssertionError(f"portal {words} broke: {result.exception!r}") from result.exception
        assert result.exit_code == code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        db.session.rollback()
        return result

    return run


# Time ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock stands at ``NOW``; ``fixed_clock.at = …`` moves it."""
    standing = Clock(NOW)
    monkeypatch.setattr(clock, "now", lambda: standing.at)
    return standing


# Pages ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(app: Flask, fixed_clock: Clock) -> StrictClient:
    """A strict visitor whom nobody knows yet, at ``NOW``."""
    return StrictClient(app)


@pytest.fixture
def sign_in(app: Flask, fixed_clock: Clock) -> Callable[[Person], StrictClient]:
    """``sign_in(person)``: a strict client of their own, through the real form."""

    def enter(person: Person) -> StrictClient:
        visitor = StrictClient(app)
        visitor.get("/sign-in").submit("Sign in", {"Email address": person.email, "Password": PASSWORD})
        return visitor

    return enter


@pytest.fixture
def live_server(app: Flask, fixed_clock: Clock) -> Iterator[str]:
    """The address of the portal, served in a thread."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


# Measures ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def query_counter(app: Flask) -> AT_MOST:
    """``with query_counter(12):`` fails, listing them, when more SQL statements run inside."""

    @contextmanager
    def at_most(limit: int) -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            # SQLite's BEGIN is ours and goes through the same door; PostgreSQL's does not.
            if not statement.startswith("BEGIN"):
                statements.append(" ".join(statement.split()))

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        assert len(statements) <= limit, f"{len(statements)} statements, at most {limit}:\n" + "\n".join(statements)

    return at_most
