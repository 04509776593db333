"""What every verb shares: the application, the answers to refusals, JSON on stdout, instants and dates as options."""

from __future__ import annotations

import getpass
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.config import Settings
from portal.kernel import clock
from portal.kernel.errors import InputRefused, PortalError
from portal.kernel.money import pounds

Verb = TypeVar("Verb", bound=Callable[..., Any])
REFUSED = 1
NO_DATABASE = "The database does not answer or is not set up: run `portal init`, or check PORTAL_DATABASE_URL."


def actor() -> str:
    """Who acts, for the audit: the command line, and the account it truly runs under.

    What the environment calls the account does not count, so that one person is not two when a second person must
    approve.
    """
    try:
        import pwd  # noqa: PLC0415  (not on every system)

        name = pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        name = getpass.getuser() if os.name == "nt" else f"account {os.getuid()}"
    return f"command line ({name})"


def refuse(*sentences: str) -> None:
    """Say why on stderr and end with exit 1."""
    for sentence in sentences:
        click.echo(sentence, err=True)
    sys.exit(REFUSED)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn every refusal into sentences on stderr and exit 1."""
    try:
        yield
    except InputRefused as refused:
        refuse(*(str(problem) for problem in refused.problems), str(refused))
    except PortalError as refused:
        refuse(str(refused))
    except (OperationalError, ProgrammingError) as fault:
        refuse(NO_DATABASE, f"({fault.orig})")


def open_app() -> Flask:
    """The application on the settings of the environment."""
    from portal import create_app  # noqa: PLC0415  (verbs that need no database do not wait for it)

    return create_app()


def with_app(verb: Verb) -> Verb:
    """Run a verb inside the application, refusals answered."""

    @wraps(verb)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with refusals(), open_app().app_context():
            return verb(*args, **kwargs)

    return inside  # type: ignore[return-value]


def settings() -> Settings:
    """The settings of the running application."""
    from flask import current_app  # noqa: PLC0415

    found: Settings = current_app.config["PORTAL"]
    return found


def show_json(document: Any) -> None:
    """Print exactly one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


class Day(click.ParamType[date]):
    """A date such as 2026-05-05."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not a date; write it like 2026-05-05.", param, ctx)


class At(click.ParamType[datetime]):
    """An instant such as 2026-05-05T09:00Z; without a zone it is the United Kingdom's local time."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not an instant; write it like 2026-05-05T09:00:00Z.", param, ctx)
        return (instant if instant.tzinfo else instant.replace(tzinfo=clock.LOCAL)).astimezone(UTC)


class Pounds(click.ParamType[int]):
    """An amount such as 250000 or 1500.50, in pounds; kept in pence."""

    name = "pounds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).removeprefix("£").replace(",", "")
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", text, re.ASCII):
            self.fail(f"{value} is not an amount in pounds; write it like 1500.50.", param, ctx)
        return int(Decimal(text) * 100)


class Percent(click.ParamType[int]):
    """A percentage such as -2.5, with at most two decimals; kept in basis points."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).replace("−", "-").removesuffix("%").strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,6}(\.[0-9]{1,2})?", text, re.ASCII):
            self.fail(f"{value} is not a percentage; write it like -2.5.", param, ctx)
        return int(Decimal(text) * 100)


def iso(day: date | datetime | None) -> str | None:
    """A day or an instant in ISO 8601, instants in UTC and ending in Z; nothing stays nothing."""
    return None if day is None else day.isoformat().replace("+00:00", "Z")


def in_pounds(pence: int | None) -> str | None:
    """An amount as a decimal string in pounds; nothing stays nothing."""
    return None if pence is None else pounds(pence)


at_option = click.option("--at", type=At(), default=None, help="Act as at this instant (ISO 8601); default: now.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
map_option = click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path),
    default=None,
    help='TOML file that names the columns, such as: rate = "Precio".',
)
create_option = click.option(
    "--create", is_flag=True, help="Make frameworks, lots and authorities that are not known yet."
)
FILE = click.Path(path_type=Path)
