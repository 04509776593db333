"""``portal contractors``, ``portal places``, ``portal guide-prices``: lists in, lists out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from portal.cli.frame import (
    FILE,
    actor,
    create_option,
    iso,
    json_option,
    map_option,
    refuse,
    settings,
    show_json,
    with_app,
)
from portal.cli.members import searching, wanted
from portal.framework.listing import places
from portal.framework.listing import queries as contractor_list
from portal.framework.members.contractor_file import read_contractors
from portal.framework.members.contractor_import import import_contractors
from portal.framework.queries import unserved_areas
from portal.jobs.guide_prices import SOON_DAYS, as_document
from portal.jobs.guide_prices import guide_prices as guide_prices_on
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.money import shown
from portal.tables import Mapping, write_csv, write_xlsx

#: How a list is written, by the ending of its file.
WRITERS: dict[str, Callable[..., None]] = {".csv": write_csv, ".xlsx": write_xlsx}


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
    """Put the contractors of FILE (CSV or XLSX) on the list; all or nothing.

    What FILE has no column for stays as it is. A document that was handed in, and a later last day, stay as well.
    """
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
    for kept in done.kept:
        click.echo(f"Kept: {kept}")
    for unchanged in done.unchanged:
        click.echo(f"Unchanged: {unchanged}")
    for each in unserved:
        click.echo(f"Warning: nobody serves the lot {each.lot} in {each.authority}.", err=True)


@contractors.command("export")
@click.argument("file", type=FILE)
@searching
@json_option
@with_app
def export(
    file: Path,
    framework: str | None,
    lot: str | None,
    area: str,
    status: str | None,
    on: date | None,
    as_json: bool,
) -> None:
    """Write the contractor list to FILE (.csv or .xlsx), a row for each membership."""
    write = WRITERS.get(file.suffix.lower())
    if write is None:
        refuse(f"{file.name} must end in .csv or .xlsx; its ending says how the list is written.")
        return
    search = wanted(framework, lot, area, status, on)
    today = clock.local_date(clock.now())
    rows = list(contractor_list.rows(contractor_list.find(search).entries, search.on, today))
    try:
        write(file, contractor_list.COLUMNS, rows)
    except OSError as fault:
        refuse(f"{file} cannot be written: {fault.strerror}.")
    if as_json:
        show_json({"file": str(file), "on": iso(search.on), "rows": len(rows)})
    else:
        click.echo(f"{len(rows)} rows are in {file}.")


@click.group("places")
def places_() -> None:
    """Where postcode districts lie, for distances."""


@places_.command("import")
@click.argument("file", type=FILE)
@map_option
@json_option
@with_app
def import_places(file: Path, map_file: Path | None, as_json: bool) -> None:
    """Bring in the districts of FILE (CSV or XLSX: district, latitude, longitude); all or nothing."""
    read = places.read_places(file, Mapping.read(map_file) if map_file else None)
    with transaction():
        done = places.import_places(read, by=actor(), now=clock.now())
    if as_json:
        show_json(asdict(done))
    else:
        click.echo(f"{done.rows} districts: {done.added} new, {done.moved} lie elsewhere now.")


@click.command("guide-prices")
@json_option
@with_app
def guide_prices(as_json: bool) -> None:
    """What common works cost here excluding VAT, and how soon they can start."""
    seen = guide_prices_on(clock.local_date(clock.now()), settings().nation)
    if as_json:
        show_json(as_document(seen))
        return
    for item in seen.works:
        click.echo(f"{item.code}\t{shown(item.rate_pence)}\t{item.unit}\t{item.description}")
    for each in seen.starts:
        first = f"earliest start {each.first_day}" if each.first_day else "no contractor is free now"
        click.echo(f"{each.work_type}\t{first}\t{each.soon} can start within {SOON_DAYS} working days")
