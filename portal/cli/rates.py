"""``portal rates``: price lists in, prices out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from portal.cli.frame import FILE, Day, actor, json_option, map_option, refuse, show_json, with_app
from portal.framework.queries import adjustment_of
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.money import percent, pounds
from portal.rates import services
from portal.rates.basket import price_basket, read_basket
from portal.rates.queries import edition_in_force
from portal.rates.schedule_file import read_schedule
from portal.tables import Mapping


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
    read = read_schedule(file, Mapping.read(map_file) if map_file else None)
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
        if as_json:
            show_json({**report, "written": False, "problems": [problem.as_dict() for problem in problems]})
        if problems:
            refuse(*map(str, problems))
        if not as_json:
            click.echo(f"{len(read.records)} items would make the edition {edition}; nothing was written.")
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


@rates.command("price")
@click.argument("file", type=FILE)
@click.option("--schedule", required=True)
@click.option("--on", type=Day(), required=True, help="The day on which the order would be made.")
@click.option("--member", default=None, help="A contractor's code: price with its adjustment.")
@click.option("--lot", default=None, help="The lot, when the contractor's adjustment differs between lots.")
@map_option
@json_option
@with_app
def price(
    file: Path, schedule: str, on: date, member: str | None, lot: str | None, map_file: Path | None, as_json: bool
) -> None:
    """Price the lines of FILE (code, quantity) as a contractor's order would be, excluding VAT."""
    wanted = read_basket(file, Mapping.read(map_file) if map_file else None)
    edition = edition_in_force(on, schedule)
    adjustment = adjustment_of(member, lot) if member else 0
    priced, total = price_basket(wanted, edition, adjustment)
    if as_json:
        show_json(
            {
                "schedule": schedule,
                "edition": edition.name,
                "on": on.isoformat(),
                "member": member,
                "adjustment_percent": percent(adjustment),
                "vat": "excluded",
                "lines": [
                    {
                        "code": item.code,
                        "description": item.description,
                        "unit": item.unit,
                        "quantity": format(line.quantity, "f"),
                        "rate": pounds(line.rate_pence),
                        "net": pounds(line.net_pence),
                    }
                    for item, line in priced
                ],
                "total": pounds(total),
            }
        )
        return
    for item, line in priced:
        click.echo(
            f"{item.code}\t{format(line.quantity, 'f')} {item.unit}\t{pounds(line.rate_pence)}\t"
            f"{pounds(line.net_pence)}\t{item.description}"
        )
    click.echo(f"Total excluding VAT\t{pounds(total)}")
