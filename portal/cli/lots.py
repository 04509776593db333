"""``portal lots``: what each lot of a framework takes and asks for, and the ranks of its members."""

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
from portal.framework.members.named import lot_named, lots_listed
from portal.framework.members.rank_file import publish_rank_file, read_ranks
from portal.framework.models import Lot
from portal.framework.queries import lot_by_id
from portal.framework.states import CapacityRule, Priority
from portal.framework.terms.lots import Asked, LotTermsWanted, add_lot
from portal.framework.terms.services import framework_by_code
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import NotFound, RuleBroken
from portal.kernel.money import percent
from portal.tables import Mapping


class ByPriority(click.ParamType[tuple[Priority, int]]):
    """A number for one priority, such as routine=16."""

    name = "priority=n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Priority, int]:
        if isinstance(value, tuple):
            return value
        priority, _, number = str(value).partition("=")
        if priority not in {each.value for each in Priority} or not (number.isascii() and number.isdigit()):
            names = ", ".join(each.value for each in Priority)
            self.fail(f"{value} is not a priority and a whole number, such as routine=16 ({names}).", param, ctx)
        return Priority(priority), int(number[:9])


class WithCover(click.ParamType[tuple[str, Asked]]):
    """A kind of document, and the least cover in pounds where it matters, such as public-liability=5000000."""

    name = "kind[=pounds]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Asked]:
        if isinstance(value, tuple):
            return value
        kind, equals, amount = str(value).partition("=")
        return kind.strip(), Asked(True, Pounds().convert(amount, param, ctx) if equals else None)


@click.group()
def lots() -> None:
    """The lots of frameworks, and the ranks of their members."""


def lot_document(lot: Lot) -> dict[str, Any]:
    """A lot with its terms; ``areas`` is empty where every authority of the framework may call it off."""
    return {
        "framework": lot.framework.code,
        "name": lot.name,
        "method": lot.method.value,
        "work_types": [each.work_type for each in lot.work_types],
        "areas": [each.authority.code if each.authority else each.district for each in lot.areas],
        "value_from": in_pounds(lot.value_from_pence),
        "value_to": in_pounds(lot.value_to_pence),
        "capacity_rule": lot.capacity_rule.value,
        "answer_hours": by_priority(lot, "answer_hours"),
        "start_days": by_priority(lot, "start_days"),
        "works_days": lot.works_days,
        "minimum_order": in_pounds(lot.minimum_order_pence),
        "out_of_hours_percent": percent(lot.out_of_hours_bp),
        "documents": [
            {"kind": each.kind, "required": each.required, "least_cover": in_pounds(each.minimum_pence)}
            for each in lot.requirements
        ],
    }


def by_priority(lot: Lot, window: str) -> dict[str, int]:
    """One of a lot's windows by priority."""
    return {each.value: getattr(lot, f"{window}_{each.value.replace('-', '_')}") for each in Priority}


@lots.command("list")
@click.argument("framework", required=False)
@json_option
@with_app
def listed(framework: str | None, as_json: bool) -> None:
    """List the lots, of one FRAMEWORK or of all."""
    found = [lot_document(lot) for lot in lots_listed(None if framework is None else framework_by_code(framework).id)]
    if as_json:
        show_json(found)
        return
    for each in found:
        band = f"£{each['value_from']} to " + (f"below £{each['value_to']}" if each["value_to"] else "any value")
        click.echo(f"{each['framework']}\t{each['name']}\t{', '.join(each['work_types'])}\t{band}")


@lots.command("add")
@click.argument("framework")
@click.argument("name")
@click.option("--work-type", "work_types", multiple=True, help="May be repeated; default: the lot's name.")
@click.option(
    "--area", "areas", multiple=True, help="An authority or postcode district; may be repeated. Default: all."
)
@click.option("--value-from", type=Pounds(), default=0, help="Pounds from which jobs belong to it; default: 0.")
@click.option(
    "--value-to", type=Pounds(), default=None, help="Pounds below which jobs belong to it; default: no bound."
)
@click.option("--requires", type=WithCover(), multiple=True, help="A required kind of document; may be repeated.")
@click.option("--asks", multiple=True, help="A kind of document that is asked for only; may be repeated.")
@click.option(
    "--capacity-rule",
    type=click.Choice([each.value for each in CapacityRule]),
    default=CapacityRule.ALL_WORK.value,
    show_default=True,
    help="Which open jobs count against a contractor's number of jobs at once.",
)
@click.option("--answer-hours", type=ByPriority(), multiple=True, help="Working hours to answer, such as routine=16.")
@click.option("--start-days", type=ByPriority(), multiple=True, help="Working days to start, such as routine=30.")
@click.option("--works-days", type=int, default=14, show_default=True, help="Days that the works take at the most.")
@click.option("--minimum-order", type=Pounds(), default=0, help="The least that an order comes to, excluding VAT.")
@click.option("--out-of-hours", type=Percent(), default=0, help="Per cent added to rates for work out of hours.")
@json_option
@with_app
def add(
    framework: str,
    name: str,
    work_types: tuple[str, ...],
    areas: tuple[str, ...],
    value_from: int,
    value_to: int | None,
    requires: tuple[tuple[str, Asked], ...],
    asks: tuple[str, ...],
    capacity_rule: str,
    answer_hours: tuple[tuple[Priority, int], ...],
    start_days: tuple[tuple[Priority, int], ...],
    works_days: int,
    minimum_order: int,
    out_of_hours: int,
    as_json: bool,
) -> None:
    """Add the lot NAME to FRAMEWORK."""
    usual = LotTermsWanted(name, work_types or (name,))
    if twice := {kind for kind, _ in requires} & set(asks):
        raise RuleBroken(f"{', '.join(sorted(twice))} cannot be both required and only asked for.")
    terms = LotTermsWanted(
        name,
        work_types or (name,),
        areas,
        value_from,
        value_to,
        CapacityRule(capacity_rule),
        {**usual.answer_hours, **dict(answer_hours)},
        {**usual.start_days, **dict(start_days)},
        works_days,
        {**{kind: Asked(required=False) for kind in asks}, **dict(requires)},
        minimum_order,
        out_of_hours,
    )
    with transaction():
        lot = add_lot(framework_by_code(framework), name, terms=terms, by=actor(), now=clock.now())
    if as_json:
        show_json(lot_document(lot_there(lot.id)))
    else:
        click.echo(f"The lot {name} of {framework} is there.")


def lot_there(lot_id: int) -> Lot:
    """The lot with everything its document shows."""
    found = lot_by_id(lot_id)
    if found is None:
        raise NotFound("There is no such lot.")
    return found


@lots.command("ranks")
@click.argument("framework")
@click.argument("lot")
@click.argument("file", type=FILE)
@click.option("--from", "starts_on", type=Day(), required=True, help="The day from which the ranks hold.")
@click.option("--note", default="", help="Kept with the ranks.")
@map_option
@json_option
@with_app
def ranks(
    framework: str, lot: str, file: Path, starts_on: date, note: str, map_file: Path | None, as_json: bool
) -> None:
    """Set the ranks of LOT from FILE (CSV or XLSX: code, rank, share_percent); all or nothing.

    The ranks before stay readable.
    """
    read = read_ranks(file, Mapping.read(map_file) if map_file else None)
    with transaction():
        publish_rank_file(read, lot_named(lot, framework), starts_on, by=actor(), now=clock.now(), note=note)
    if as_json:
        show_json(
            {
                "framework": framework,
                "lot": lot,
                "from": iso(starts_on),
                "ranks": [
                    {
                        "code": each.code,
                        "rank": each.wanted.rank,
                        "share_percent": None if each.wanted.share_bp is None else percent(each.wanted.share_bp),
                    }
                    for each in sorted(read.rows, key=lambda each: each.wanted.rank)
                ],
            }
        )
    else:
        click.echo(f"{len(read.rows)} members of {lot} have new ranks from {starts_on}.")
