"""``portal rates index``: price indices, tables of a month and a value."""

from __future__ import annotations

from pathlib import Path

import click

from portal.cli.frame import FILE, actor, json_option, map_option, show_json, with_app
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.rates.reviews import indices, queries
from portal.rates.reviews.index_file import read_index
from portal.rates.reviews.rules import month_text, value_text
from portal.tables import Mapping


@click.group("index")
def index_() -> None:
    """Price indices: tables of a month and a value."""


@index_.command("import")
@click.argument("file", type=FILE)
@click.option("--code", required=True, help="The index's code, such as CPI; a new one is made.")
@click.option("--name", default="", help="Its name; needed for a new one.")
@map_option
@json_option
@with_app
def import_(file: Path, code: str, name: str, map_file: Path | None, as_json: bool) -> None:
    """Bring the months of FILE (month, value) into an index; all or nothing. Months that are not named stay."""
    now = clock.now()
    read = read_index(file, clock.local_date(now), Mapping.read(map_file) if map_file else None)
    with transaction():
        change = indices.import_index(read, code=code, name=name, by=actor(), now=now)
    counts = {"added": change.added, "corrected": change.corrected, "same": change.same}
    if as_json:
        show_json({"file": read.name, "code": change.index.code, "name": change.index.name, **counts})
    else:
        click.echo(f"{change.index.code}: " + ", ".join(f"{number} {word}" for word, number in counts.items()) + ".")


@index_.command("show")
@click.argument("code", required=False)
@json_option
@with_app
def show_index(code: str | None, as_json: bool) -> None:
    """Every index; or the months of the index CODE, the newest first."""
    if code is None:
        listed = queries.indices()
        if as_json:
            show_json(
                [
                    {
                        "code": each.index.code,
                        "name": each.index.name,
                        "months": each.months,
                        "first": f"{each.first:%Y-%m}",
                        "last": f"{each.last:%Y-%m}",
                    }
                    for each in listed
                ]
            )
            return
        for each in listed:
            click.echo(f"{each.index.code}\t{each.months} months to {month_text(each.last)}\t{each.index.name}")
        return
    index = queries.index_by_code(code)
    months = queries.months_of(index)
    if as_json:
        rows = [{"month": f"{month:%Y-%m}", "value": value_text(value)} for month, value in months]
        show_json({"code": index.code, "name": index.name, "months": rows})
        return
    for month, value in months:
        click.echo(f"{month:%Y-%m}\t{value_text(value)}")
