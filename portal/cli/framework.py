"""``portal contractors``: the contractor list."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from portal.cli.frame import FILE, actor, create_option, json_option, map_option, show_json, with_app
from portal.framework.contractor_file import read_contractors
from portal.framework.contractor_import import import_contractors
from portal.framework.queries import unserved_areas
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.tables import Mapping


@click.group()
def contractors() -> None:
    """The contractor list."""


@contractors.command("import")
@click.argument("file", type=FILE)
@click.option("--framework", "framework_code", default=None, help="The framework's code; default: the only one.")
@create_option
@map_option
@json_option
@with_app
def import_(file: Path, framework_code: str | None, create: bool, map_file: Path | None, as_json: bool) -> None:
    """Put the contractors of FILE (CSV or XLSX) on the list; all or nothing."""
    now = clock.now()
    read = read_contractors(file, Mapping.read(map_file) if map_file else None)
    with transaction():
        done = import_contractors(read, framework_code=framework_code, create=create, by=actor(), now=now)
    unserved = unserved_areas(clock.local_date(now))
    if as_json:
        show_json({**asdict(done), "unserved": [asdict(each) for each in unserved]})
        return
    click.echo(
        f"{done.contractors} contractors and {done.members} memberships from {done.rows} rows"
        + (f"; made {done.lots} lots and {done.authorities} authorities" if create else "")
        + "."
    )
    for each in unserved:
        click.echo(f"Warning: nobody serves the lot {each.lot} in {each.authority}.", err=True)
