"""``portal rates``: price lists in, prices out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click

from portal.cli.frame import FILE, Day, actor, json_option, map_option, refuse, show_json, with_app
from portal.cli.price_lists import show_preview
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.rates import services
from portal.rates.exporting import ENDINGS, write_edition_file
from portal.rates.price_lists.preview import as_document, preview
from portal.rates.queries import edition_for
from portal.rates.schedule_file import item_rows, read_schedule
from portal.tables import Mapping, Progress


@click.group()
def rates() -> None:
    """The schedule of rates."""


@rates.command("import")
@click.argument("file", type=FILE)
@click.option("--schedule", required=True, help="The schedule's code; a new one is made.")
@click.option("--edition", required=True, help="The new edition's name.")
@click.option("--from", "starts_on", type=Day(), required=True, help="The day from which it is in force.")
@click.option("--currency", default="GBP", show_default=True, help="The currency of a schedule that is new.")
@map_option
@click.option("--check", is_flag=True, help="Only report; write nothing.")
@json_option
@with_app
def import_(
    file: Path,
    schedule: str,
    edition: str,
    starts_on: date,
    currency: str,
    map_file: Path | None,
    check: bool,
    as_json: bool,
) -> None:
    """Bring the price list FILE (CSV, XLSX, XLS, PDF) in as a new edition; all or nothing."""
    with reading_shown() as progress:
        read = read_schedule(file, Mapping.read(map_file) if map_file else None, progress=progress)
    report = {
        "file": read.name,
        "schedule": schedule,
        "edition": edition,
        "from": starts_on.isoformat(),
        "items": len(read.records),
        "columns": read.columns,
        "set_aside": [{"row": row, "reason": reason} for row, reason in read.set_aside],
    }
    if check:
        problems = services.check_edition(read, schedule, edition, starts_on)
        seen = None if problems else preview(item_rows(read.records), schedule, starts_on)
        if as_json:
            show_json(
                {
                    **report,
                    "written": False,
                    "problems": [problem.as_dict() for problem in problems],
                    "diff": seen and as_document(seen),
                }
            )
        if problems:
            refuse(*map(str, problems), *([f"And {read.more_problems:,} more."] if read.more_problems else ()))
        if not as_json:
            click.echo(f"{len(read.records)} items would make the edition {edition}; nothing was written.")
            if seen:
                show_preview(seen)
        return
    with transaction():
        services.import_edition(
            read,
            schedule_code=schedule,
            edition_name=edition,
            starts_on=starts_on,
            by=actor(),
            now=clock.now(),
            currency=currency.upper(),
        )
    if as_json:
        show_json({**report, "written": True, "problems": []})
    else:
        click.echo(f"{len(read.records)} items are the edition {edition} of {schedule}, in force from {starts_on}.")
        for row, reason in read.set_aside:
            click.echo(f"Set aside: row {row}: {reason}", err=True)


@contextmanager
def reading_shown() -> Iterator[Progress | None]:
    """Show on stderr how much of a file is read, when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="Reading", file=sys.stderr) as bar:

        def progress(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield progress


@rates.command("export")
@click.argument("file", type=FILE)
@click.option("--schedule", required=True, help="The schedule's code.")
@click.option("--edition", required=True, help="The edition's name.")
@click.option("--force", is_flag=True, help="Write over FILE when it is there already.")
@json_option
@with_app
def export(file: Path, schedule: str, edition: str, force: bool, as_json: bool) -> None:
    """Write an edition to FILE (.csv, .xlsx, .xls or .pdf); it imports to the same edition again."""
    kind = ENDINGS.get(file.suffix.lower())
    if kind is None:
        refuse(f"{file.name} must end in {', '.join(ENDINGS)}; its ending says how the list is written.")
        return
    if file.exists() and not force:
        refuse(f"{file} is there already; choose another name, or write over it with --force.")
    try:
        items = write_edition_file(edition_for(schedule, edition), kind, file)
    except OSError as fault:
        refuse(f"{file} cannot be written: {fault.strerror}.")
        return
    if as_json:
        show_json({"file": str(file), "schedule": schedule, "edition": edition, "items": items})
    else:
        click.echo(f"{items} items of the edition {edition} of {schedule} are in {file}.")
