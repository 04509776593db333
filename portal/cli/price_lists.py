"""``portal rates lists``: price lists handed in, looked at, published or dropped; ``rates withdraw``, ``composites``,
``changes``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from portal.cli.frame import FILE, Day, actor, iso, json_option, map_option, settings, show_json, with_app
from portal.framework.documents.files import kept
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import InputRefused, Problem, RuleBroken
from portal.kernel.look import look_now
from portal.kernel.money import percent, pounds
from portal.rates import services as rates_services
from portal.rates.price_lists import queries, services
from portal.rates.price_lists.composites import composite_prices
from portal.rates.price_lists.diff import differences
from portal.rates.price_lists.handed_in import checked_list
from portal.rates.price_lists.kept import forget, kept_list
from portal.rates.price_lists.models import PriceList
from portal.rates.price_lists.preview import Preview, as_document, composite_document, preview
from portal.rates.price_lists.reading import SHEET
from portal.rates.price_lists.shown import TITLES
from portal.rates.queries import edition_for, edition_in_force
from portal.rates.schedule_file import item_rows
from portal.rates.states import PriceListStatus
from portal.tables import Mapping
from portal.tables.files import MAX_BYTES

#: The largest changes that stand in a text.
LARGEST = 10


@click.group("lists")
def lists() -> None:
    """Price lists that become editions: handed in, looked at, published or dropped."""


@lists.command("new")
@click.argument("file", type=FILE)
@click.option("--schedule", required=True, help="The schedule's code; a new one is made on publication.")
@click.option("--name", default="", help="The name of a schedule that is new.")
@click.option("--currency", default="GBP", show_default=True, help="The currency of a schedule that is new.")
@click.option("--edition", required=True, help="The new edition's name.")
@click.option("--from", "starts_on", type=Day(), required=True, help="The day from which it is in force.")
@map_option
@json_option
@with_app
def new(
    file: Path,
    schedule: str,
    name: str,
    currency: str,
    edition: str,
    starts_on: date,
    map_file: Path | None,
    as_json: bool,
) -> None:
    """Hand the price list FILE in; the worker (or `portal tick`) reads it."""
    sent = checked_list(file.name, read_file(file))
    wanted = services.Wanted(schedule, edition, starts_on, name, currency, said_by(map_file))
    with kept(settings().uploads, sent) as stored_name, transaction():
        found = services.hand_in(wanted, sent, stored_name, by=actor(), now=clock.now())
    look_now()
    if as_json:
        show_json(as_entry(found))
    else:
        click.echo(f"List {found.id} waits to be read; `portal rates lists show {found.id}` says what it would change.")


def read_file(file: Path) -> bytes:
    """The content of a file, no more than a list may have and one byte."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as fault:
        raise InputRefused(
            [Problem(file.name, f"The file cannot be read ({fault.strerror}); check its name and folder.")]
        ) from None


def said_by(map_file: Path | None) -> dict[str, str]:
    """The columns and the sheet that a map file names; ``RuleBroken`` for what a list cannot keep of it."""
    if map_file is None:
        return {}
    mapping = Mapping.read(map_file)
    others = [
        name
        for name in ("header_row", "decimal", "encoding", "delimiter", "date_order")
        if getattr(mapping.options, name)
    ]
    if mapping.defaults or others:
        raise RuleBroken(
            "A list that is handed in takes columns and the sheet from a map file, no defaults and no other options; "
            "bring this one in with `portal rates import`, which takes them all."
        )
    return {**mapping.columns, **({SHEET: mapping.options.sheet} if mapping.options.sheet else {})}


@lists.command("show")
@click.argument("list_id", type=click.IntRange(1, 2**31 - 1), required=False)
@json_option
@with_app
def show(list_id: int | None, as_json: bool) -> None:
    """What is under way; or one list: its problems, or what it would change."""
    if list_id is None:
        found, _ = queries.price_lists(1)
        if as_json:
            show_json([as_entry(each) for each in found])
        for each in [] if as_json else found:
            click.echo(in_a_line(each))
        return
    one = queries.price_list_by_id(list_id)
    seen = previewed(one) if one.status is PriceListStatus.READY else None
    if as_json:
        show_json(
            {
                **as_entry(one),
                "columns": one.columns,
                "set_aside": one.set_aside,
                "problems": one.problems,
                "diff": seen and as_document(seen),
            }
        )
        return
    click.echo(in_a_line(one))
    for problem in one.problems:
        click.echo(str(Problem(**problem)), err=True)
    if seen:
        show_preview(seen)


def previewed(found: PriceList) -> Preview:
    """What a list that is ready would change."""
    read = kept_list(settings().uploads, found)
    return preview(item_rows(read.records), found.schedule_code, found.starts_on)


def as_entry(found: PriceList) -> dict[str, Any]:
    """A list as JSON carries it."""
    return {
        "id": found.id,
        "file": found.file_name,
        "schedule": found.schedule_code,
        "edition": found.edition_name,
        "from": found.starts_on.isoformat(),
        "status": found.status.value,
        "parts_done": found.parts_done,
        "parts": found.parts,
        "items": found.item_count,
        "problem_count": found.problem_count,
        "handed_in_by": found.uploaded_by,
        "handed_in_at": iso(found.uploaded_at),
    }


def in_a_line(found: PriceList) -> str:
    """A list in a line of text."""
    far = f" ({found.parts_done} of {found.parts} parts)" if found.status is PriceListStatus.READING else ""
    return (
        f"{found.id}\t{found.file_name}\t{found.schedule_code} {found.edition_name} from {found.starts_on}\t"
        f"{services.CALLED[found.status]}{far}"
    )


@lists.command("publish")
@click.argument("list_id", type=click.IntRange(1, 2**31 - 1))
@click.option("--against", default=None, help="The edition that it must replace; default: whichever it replaces now.")
@with_app
def publish(list_id: int, against: str | None) -> None:
    """Publish a list that is ready: it becomes an edition, all or nothing."""
    found = queries.price_list_by_id(list_id)
    if against is None:
        replaced = queries.edition_before(found.schedule_code, found.starts_on)
    else:
        replaced = edition_for(found.schedule_code, against)
    read = kept_list(settings().uploads, found)
    with transaction():
        edition = services.publish(
            list_id, read, against=replaced.id if replaced else None, by=actor(), now=clock.now()
        )
    forget(settings().uploads, found.stored_name)
    click.echo(
        f"{edition.item_count} items are the edition {edition.name} of {edition.schedule.code}, in force from "
        f"{edition.starts_on}."
    )


@lists.command("drop")
@click.argument("list_id", type=click.IntRange(1, 2**31 - 1))
@with_app
def drop(list_id: int) -> None:
    """Drop a list: it becomes nothing."""
    with transaction():
        found = services.drop(list_id, by=actor(), now=clock.now())
    forget(settings().uploads, found.stored_name)
    click.echo(f"List {found.id}, {found.file_name}, is dropped. Nothing was published.")


# Editions -------------------------------------------------------------------------------------------------------------


@click.command("withdraw")
@click.argument("code")
@click.option("--schedule", required=True)
@click.option("--edition", default=None, help="The edition's name; default: the one in force on the day.")
@click.option("--from", "from_on", type=Day(), required=True, help="The day from which it is on no new job.")
@click.option("--reason", required=True, help="Whoever looks for the item reads it.")
@with_app
def withdraw(code: str, schedule: str, edition: str | None, from_on: date, reason: str) -> None:
    """Take the item CODE out of use from a day on; orders that have it keep it."""
    found = edition_for(schedule, edition) if edition else edition_in_force(from_on, schedule)
    with transaction():
        rates_services.withdraw_item(found.id, code, from_on, reason=reason, by=actor(), now=clock.now())
    click.echo(f"{code} of {schedule} {found.name} is withdrawn from {from_on}.")
    for later in queries.later_editions_with(found, code):
        click.echo(f"The edition {later.name}, in force from {later.starts_on}, still has it.", err=True)


@click.command("composites")
@click.option("--schedule", required=True)
@click.option("--edition", required=True, help="The edition's name.")
@json_option
@with_app
def composites(schedule: str, edition: str, as_json: bool) -> None:
    """Each composite beside the sum of its parts, those that differ most first."""
    rows, rates, without_parts = queries.composite_rows(edition_for(schedule, edition).id)
    prices = composite_prices(rows, rates)
    if as_json:
        show_json({"composites": [composite_document(each) for each in prices], "without_parts": without_parts})
        return
    for each in prices:
        by = each.difference_bp
        click.echo(
            f"{each.code}\t{pounds(each.rate_pence)}\t{pounds(each.sum_pence)}\t{pounds(each.difference_pence)}\t"
            f"{'' if by is None else percent(by) + ' %'}\t{'look at it' if each.look else ''}"
        )
    if without_parts:
        click.echo(f"{without_parts} more name no parts.")


@click.command("changes")
@click.option("--schedule", required=True)
@click.option("--edition", required=True, help="The edition's name.")
@json_option
@with_app
def changes(schedule: str, edition: str, as_json: bool) -> None:
    """What an edition changed against the one before it."""
    found = edition_for(schedule, edition)
    before = queries.edition_before(schedule, found.starts_on)
    seen = Preview(
        before, differences(queries.items_of(before.id) if before else (), queries.items_of(found.id)), [], []
    )
    if as_json:
        document = as_document(seen)
        show_json({name: document[name] for name in ("against", "same", "counts", "new", "gone", "changed")})
    else:
        show_preview(seen)


def show_preview(seen: Preview) -> None:
    """What would change, in counts and the largest changes."""
    found = seen.differences
    against = f"Against the edition {seen.against.name}" if seen.against else "There is no edition before it"
    counts = "; ".join(f"{TITLES[kind].lower()}: {count}" for kind, count in found.counts.items() if count)
    click.echo(f"{against}: {counts or 'nothing changes'}; stay as they are: {found.same}.")
    for change in found.largest[:LARGEST]:
        by = change.share_bp
        share = "from nothing" if by is None else f"{'+' if by > 0 else ''}{percent(by)} %"
        click.echo(
            f"{change.code}\t{pounds(change.before.rate_pence)} -> {pounds(change.after.rate_pence)}\t{share}\t"
            f"{change.after.description}"
        )
    if len(found.largest) > LARGEST:
        click.echo(f"These are the {LARGEST} largest of {len(found.largest)} changed rates; --json has them all.")
    for each in seen.composites[:LARGEST]:
        if each.look:
            click.echo(
                f"Look at it: {each.code} costs {pounds(each.rate_pence)}, its parts {pounds(each.sum_pence)} together."
            )
    if seen.own_rates:
        click.echo(f"Own rates of contractors whose code is gone or has another unit: {len(seen.own_rates)}.")


COMMANDS = (lists, withdraw, composites, changes)
