"""``portal rates``: search the catalogue, bring templates of works in, agree star rates."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from portal.cli.frame import (
    FILE,
    Day,
    Percent,
    Pounds,
    actor,
    in_pounds,
    iso,
    json_option,
    map_option,
    show_json,
    with_app,
)
from portal.framework.members.named import authority_named
from portal.kernel import clock
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import transaction
from portal.kernel.money import percent, pounds
from portal.rates.catalogue import Wanted, find
from portal.rates.models import StarRate
from portal.rates.queries import edition_in_force
from portal.rates.star_rates import queries, services
from portal.rates.star_rates.services import ProposedRate
from portal.rates.states import StarRateStatus
from portal.rates.vat import STANDARD
from portal.rates.work_templates.queries import templates as all_templates
from portal.rates.work_templates.services import import_templates
from portal.rates.work_templates.template_file import read_templates
from portal.tables import Mapping


@click.command("find")
@click.argument("words", nargs=-1, required=True)
@click.option("--schedule", default=None, help="The schedule's code, when there are several.")
@click.option("--on", type=Day(), default=None, help="In the edition in force on this day; default: today.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
@with_app
def find_items(words: tuple[str, ...], schedule: str | None, on: date | None, limit: int, as_json: bool) -> None:
    """Search the catalogue for WORDS or a code; typing errors are forgiven."""
    edition = edition_in_force(on or local_date(clock.now()), schedule)
    found = find(edition.id, Wanted(" ".join(words)), limit)
    if as_json:
        show_json(
            {
                "schedule": edition.schedule.code,
                "edition": edition.name,
                "words": " ".join(words),
                "meant": found.meant or None,
                "more": found.more,
                "items": [
                    {
                        "code": item.code,
                        "description": item.description,
                        "trade": item.trade,
                        "unit": item.unit,
                        "rate": pounds(item.rate_pence),
                        "composite": item.composite,
                        "withdrawn_on": iso(item.withdrawn_on),
                    }
                    for item in found.items
                ],
            }
        )
        return
    if found.meant:
        click.echo(f"Nothing holds “{' '.join(words)}”; shown are results for “{found.meant}”.", err=True)
    for item in found.items:
        click.echo(f"{item.code}\t{pounds(item.rate_pence)}\t{item.unit}\t{item.description}")
    if not found.items:
        click.echo("No item has all of these words.", err=True)


@click.group("templates")
def templates() -> None:
    """Templates of works: the usual items of a kind of works."""


@templates.command("import")
@click.argument("file", type=FILE)
@click.option("--schedule", required=True, help="The schedule's code.")
@map_option
@with_app
def templates_import(file: Path, schedule: str, map_file: Path | None) -> None:
    """Bring templates in from FILE (template, work_type, code, quantity); all or nothing."""
    read = read_templates(file, Mapping.read(map_file) if map_file else None)
    with transaction():
        made = import_templates(read, schedule, by=actor(), now=clock.now())
    click.echo(f"{len(made)} template{'s' if len(made) != 1 else ''} of {schedule}.")


@templates.command("list")
@json_option
@with_app
def templates_list(as_json: bool) -> None:
    """Every template with its items."""
    found = all_templates()
    if as_json:
        show_json(
            [
                {
                    "schedule": each.schedule.code,
                    "template": each.name,
                    "work_type": each.work_type,
                    "lines": [{"code": line.code, "quantity": format(line.quantity, "f")} for line in each.lines],
                }
                for each in found
            ]
        )
        return
    for each in found:
        click.echo(f"{each.schedule.code}\t{each.work_type}\t{each.name}\t{len(each.lines)} items")


@click.group("stars")
def stars() -> None:
    """Star rates: agreed rates for what is not in a schedule."""


@stars.command("propose")
@click.option("--schedule", required=True, help="The schedule's code.")
@click.option("--authority", required=True, help="The code of the authority whose jobs may use it.")
@click.option("--description", required=True)
@click.option("--unit", required=True)
@click.option("--rate", type=Pounds(), required=True, help="Pounds for one unit, excluding VAT.")
@click.option("--reason", required=True, help="Where the rate comes from.")
@click.option("--trade", default="")
@click.option("--vat", type=Percent(), default=STANDARD, help="The lowest VAT that it can carry: 0, 5 or 20.")
@with_app
def propose(schedule: str, authority: str, rate: int, vat: int, **texts: str) -> None:
    """Propose a star rate; somebody else approves it."""
    wanted = ProposedRate(rate_pence=rate, vat_bp=vat, **texts)
    with transaction():
        star = services.propose_star_rate(
            services.schedule_named(schedule), authority_named(authority), wanted, by=actor(), now=clock.now()
        )
    click.echo(star.code)


@stars.command("approve")
@click.argument("code")
@click.option("--from", "from_on", type=Day(), default=None, help="The first day on which it holds; default: today.")
@click.option("--to", "to_on", type=Day(), default=None, help="The first day on which it no longer holds.")
@with_app
def approve(code: str, from_on: date | None, to_on: date | None) -> None:
    """Approve the star rate CODE, which somebody else has proposed."""
    now = clock.now()
    with transaction():
        star = queries.star_rate_by_code(code)
        services.approve_star_rate(star.id, from_on or local_date(now), to_on, by=actor(), now=now)
    click.echo(f"{code} is approved from {date_text(from_on or local_date(now))}.")


@stars.command("reject")
@click.argument("code")
@click.option("--reason", required=True)
@with_app
def reject(code: str, reason: str) -> None:
    """Reject the proposed star rate CODE."""
    with transaction():
        services.reject_star_rate(queries.star_rate_by_code(code).id, reason, by=actor(), now=clock.now())
    click.echo(f"{code} is rejected.")


@stars.command("withdraw")
@click.argument("code")
@click.option("--reason", required=True)
@with_app
def withdraw(code: str, reason: str) -> None:
    """Take the star rate CODE out of use."""
    with transaction():
        services.withdraw_star_rate(queries.star_rate_by_code(code).id, reason, by=actor(), now=clock.now())
    click.echo(f"{code} is withdrawn.")


@stars.command("list")
@click.option("--status", type=click.Choice([each.value for each in StarRateStatus]), default=None)
@json_option
@with_app
def stars_list(status: str | None, as_json: bool) -> None:
    """Every star rate, the newest first."""
    found = queries.star_rates_seen_by(status=StarRateStatus(status) if status else None)
    if as_json:
        show_json([shown(star) for star in found])
        return
    for star in found:
        click.echo(
            f"{star.code}\t{star.status.value}\t{star.authority.code}\t{pounds(star.rate_pence)}\t{star.unit}\t"
            f"{star.description}"
        )


def shown(star: StarRate) -> dict[str, Any]:
    """A star rate as JSON gives it."""
    return {
        "code": star.code,
        "schedule": star.schedule.code,
        "authority": star.authority.code,
        "status": star.status.value,
        "description": star.description,
        "unit": star.unit,
        "trade": star.trade,
        "rate": in_pounds(star.rate_pence),
        "vat_percent": percent(star.vat_bp),
        "reason": star.reason,
        "from": iso(star.from_on),
        "to": iso(star.to_on),
        "proposed_by": star.proposed_by,
        "proposed_at": iso(star.proposed_at),
        "decided_by": star.decided_by,
        "decided_at": iso(star.decided_at),
        "decision_reason": star.decision_reason,
    }


COMMANDS = (find_items, templates, stars)
