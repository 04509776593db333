"""What lines cost: ``portal rates price``, ``portal rates own`` and ``portal jobs price-change``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from portal.cli.frame import FILE, Day, Pounds, actor, in_pounds, iso, json_option, map_option, show_json, with_app
from portal.cli.frameworks import kinds
from portal.framework.members.named import authority_named, lot_named, member_named
from portal.jobs.document import price_document, sums_of
from portal.jobs.job_file import REFERENCE
from portal.jobs.line_prices import Taxed, one_membership, price_change, price_for_member
from portal.jobs.order_prices import OrderPrice
from portal.jobs.queries import job_by_reference
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import NotFound
from portal.kernel.money import percent, pounds
from portal.rates.basket import read_basket
from portal.rates.own_rate_file import import_own_rates, read_own_rates
from portal.rates.own_rates import OwnRate, agree_own_rate, end_own_rate, own_rates_of
from portal.rates.queries import edition_in_force
from portal.rates.vat import Declared
from portal.tables import Mapping


def line_document(price: OrderPrice) -> list[dict[str, Any]]:
    """The lines as ``rates price`` has always given them, with what has come since behind."""
    return [{name: value for name, value in line.items() if name != "position"} for line in price_document(price)]


def show_lines(price: OrderPrice, currency: str = "GBP") -> None:
    """Lines, totals and explanations for people; a currency other than pounds is named beside each total."""
    beside = "" if currency == "GBP" else f"\t{currency}"
    for line in price.lines:
        click.echo(
            f"{line.code}\t{format(line.quantity, 'f')} {line.unit}\t{pounds(line.rate_pence)}\t"
            f"{pounds(line.net_pence)}\t{line.description}"
        )
        click.echo(f"  {line.explanation}")
    click.echo(f"Total excluding VAT\t{pounds(price.net_pence)}{beside}")
    click.echo(f"VAT\t{pounds(price.vat_pence)}{beside}")
    click.echo(f"Total with VAT\t{pounds(price.total_pence)}{beside}")


@click.command("price")
@click.argument("file", type=FILE)
@click.option("--schedule", required=True)
@click.option("--on", type=Day(), required=True, help="The day on which the order would be made.")
@click.option("--member", default=None, help="A contractor's code: price on its terms.")
@click.option("--lot", default=None, help="The lot, when the contractor's terms differ between lots.")
@click.option("--framework", default=None, help="The framework's code, when its terms differ between frameworks.")
@click.option("--authority", default=None, help="The authority whose star rates may be used.")
@click.option("--out-of-hours", is_flag=True, help="The works are done out of hours, at the lot's uplift.")
@click.option("--declared", type=kinds(Declared), multiple=True, help="What the client has declared; may be repeated.")
@click.option(
    "--client-commissions/--authority-commissions",
    default=None,
    help="Who orders the works; default: as the member's framework says, without a member the authority.",
)
@map_option
@json_option
@with_app
def price(
    file: Path,
    schedule: str,
    on: date,
    member: str | None,
    lot: str | None,
    framework: str | None,
    authority: str | None,
    out_of_hours: bool,
    declared: tuple[str, ...],
    client_commissions: bool | None,
    map_file: Path | None,
    as_json: bool,
) -> None:
    """Price the lines of FILE (code, quantity) as a contractor's order would be, with VAT beside."""
    if out_of_hours and member is None:
        raise click.UsageError("Out of hours the uplift is the lot’s: name the contractor with --member as well.")
    wanted = read_basket(file, Mapping.read(map_file) if map_file else None)
    edition = edition_in_force(on, schedule)
    codes = {code for _, code, _ in wanted.lines}
    found = (
        one_membership(member, lot, framework, schedule_id=edition.schedule_id, codes=codes, on=on) if member else None
    )
    commissions = bool(found and found.client_commissions) if client_commissions is None else client_commissions
    priced = price_for_member(
        wanted,
        edition,
        found.member_id if found else None,
        on,
        authority_id=authority_named(authority).id if authority else None,
        out_of_hours=out_of_hours,
        taxed=Taxed(frozenset(Declared(each) for each in declared), commissions),
    )
    if not as_json:
        show_lines(priced.price, edition.schedule.currency)
        return
    show_json(
        {
            "schedule": schedule,
            "edition": edition.name,
            "currency": edition.schedule.currency,
            "on": on.isoformat(),
            "member": member,
            "adjustment_percent": percent(priced.terms.adjustment_bp),
            "uplift_percent": percent(priced.terms.uplift_bp),
            "minimum_order": in_pounds(priced.terms.minimum_pence),
            "vat": "excluded",
            "lines": line_document(priced.price),
            "total": pounds(priced.price.net_pence),
            "totals": sums_of(priced.price),
        }
    )


# Own rates ------------------------------------------------------------------------------------------------------------


@click.group()
def own() -> None:
    """Members' own rates, in place of the schedule's."""


def own_rate_document(each: OwnRate, today: date) -> dict[str, Any]:
    """An own rate; the end is the first day without it."""
    when = "in-force" if each.holds(today) else "to-come" if each.starts_on > today else "past"
    return {
        "schedule": each.schedule,
        "code": each.code,
        "rate": pounds(each.rate_pence),
        "from": iso(each.starts_on),
        "to": iso(each.ends_on),
        "when": when,
        "by": each.agreed_by,
    }


schedule_option = click.option(
    "--schedule", default=None, help="The schedule's code; default: the only one in pounds that is in force."
)


@own.command("import")
@click.argument("file", type=FILE)
@click.option("--member", required=True, help="The contractor's code.")
@click.option("--lot", required=True, help="The lot's name.")
@click.option("--framework", default=None, help="The framework's code, when several have such a lot.")
@schedule_option
@click.option("--from", "starts_on", type=Day(), required=True, help="The day from which they hold; today or later.")
@map_option
@json_option
@with_app
def own_import(
    file: Path,
    member: str,
    lot: str,
    framework: str | None,
    schedule: str | None,
    starts_on: date,
    map_file: Path | None,
    as_json: bool,
) -> None:
    """Agree the rates of FILE (CSV or XLSX: code, rate) with a member; all or nothing."""
    read = read_own_rates(file, Mapping.read(map_file) if map_file else None)
    with transaction():
        found = member_named(member, lot_named(lot, framework))
        periods = import_own_rates(read, found.id, starts_on, schedule=schedule, by=actor(), now=clock.now())
    ending = [each for each in periods if each.ends_on is not None]
    if as_json:
        ends = [{"code": each.code, "to": iso(each.ends_on)} for each in ending]
        show_json({"member": member, "lot": lot, "from": iso(starts_on), "rates": len(periods), "ending": ends})
        return
    click.echo(f"Own rates of {member} in {lot} that hold from {starts_on}: {len(periods)}.")
    for each in ending:
        click.echo(f"{each.code}: {each}")


@own.command("list")
@click.option("--member", required=True, help="The contractor's code.")
@click.option("--lot", required=True, help="The lot's name.")
@click.option("--framework", default=None, help="The framework's code, when several have such a lot.")
@json_option
@with_app
def own_list(member: str, lot: str, framework: str | None, as_json: bool) -> None:
    """List a member's own rates: in force, past and to come."""
    found = member_named(member, lot_named(lot, framework))
    today = clock.local_date(clock.now())
    rates = [own_rate_document(each, today) for each in own_rates_of(found.id)]
    if as_json:
        show_json(rates)
        return
    for each in rates:
        until = f" until {each['to']}" if each["to"] else ""
        when = each["when"].replace("-", " ")
        click.echo(f"{each['schedule']}\t{each['code']}\t{each['rate']}\tfrom {each['from']}{until}\t{when}")


@own.command("set")
@click.argument("code")
@click.argument("rate", type=Pounds())
@click.option("--member", required=True, help="The contractor's code.")
@click.option("--lot", required=True, help="The lot's name.")
@click.option("--framework", default=None, help="The framework's code, when several have such a lot.")
@schedule_option
@click.option("--from", "starts_on", type=Day(), required=True, help="The day from which it holds; today or later.")
@with_app
def own_set(
    code: str, rate: int, member: str, lot: str, framework: str | None, schedule: str | None, starts_on: date
) -> None:
    """Agree a member's own RATE for the item CODE."""
    with transaction():
        found = member_named(member, lot_named(lot, framework))
        period = agree_own_rate(found.id, code, rate, starts_on, schedule=schedule, by=actor(), now=clock.now())
    click.echo(f"{member}, {code}, {pounds(rate)}: {period}")


@own.command("end")
@click.argument("code")
@click.option("--member", required=True, help="The contractor's code.")
@click.option("--lot", required=True, help="The lot's name.")
@click.option("--framework", default=None, help="The framework's code, when several have such a lot.")
@schedule_option
@click.option("--from", "ends_on", type=Day(), required=True, help="The first day at the schedule's rate again.")
@with_app
def own_end(
    code: str, member: str, lot: str, framework: str | None, schedule: str | None, ends_on: date
) -> None:
    """Let a member's own rate for the item CODE end."""
    with transaction():
        found = member_named(member, lot_named(lot, framework))
        period = end_own_rate(found.id, code, ends_on, schedule=schedule, by=actor(), now=clock.now())
    click.echo(f"{member}, {code}: {period}")


# Changes to an order --------------------------------------------------------------------------------------------------


@click.command("price-change")
@click.argument("reference", metavar="REF")
@click.argument("file", type=FILE)
@map_option
@json_option
@with_app
def price_change_(reference: str, file: Path, map_file: Path | None, as_json: bool) -> None:
    """Price the lines of FILE (code, quantity) as a change to the order of the job REF; writes nothing."""
    if not REFERENCE.fullmatch(reference):
        raise NotFound(f"There is no job {reference}.")
    wanted = read_basket(file, Mapping.read(map_file) if map_file else None)
    changed = price_change(job_by_reference(reference), wanted, now=clock.now())
    if not as_json:
        show_lines(changed.price)
        return
    show_json(
        {
            "reference": reference,
            "schedule": changed.edition.schedule.code,
            "edition": changed.edition.name,
            "rates": "order-edition" if changed.at_order_rates else "edition-in-force",
            "lines": line_document(changed.price),
            "totals": sums_of(changed.price),
        }
    )
