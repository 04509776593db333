"""The verbs that change what is there already: terms of frameworks and lots, members, firms, quotes of a job.

An option that is not given leaves its term as it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import click

from portal.cli.frame import Day, Percent, Pounds, actor, settings, with_app
from portal.cli.frameworks import kinds
from portal.cli.lots import ByPriority, WithCover
from portal.framework.firms import services as firms
from portal.framework.listing.queries import contractor_by_code
from portal.framework.members.named import access_ending, authority_named, lot_named, member_named
from portal.framework.queries import lot_by_id
from portal.framework.states import CapacityRule, ContractingParty, Priority, VariationRates
from portal.framework.terms.lots import Asked, change_lot, terms_of_lot
from portal.framework.terms.services import change_framework, framework_by_code, set_lead, terms_of
from portal.jobs.queries import job_by_reference
from portal.jobs.quotations import decide_without_quotes, record_estimate
from portal.jobs.standing import change_terms
from portal.kernel import clock
from portal.kernel.clock import date_text, local_date
from portal.kernel.db import transaction
from portal.kernel.errors import NotFound


def given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value not in (None, ())}


class Band(click.ParamType[tuple[int, int]]):
    """A value in pounds and the adjustment from it on, such as 5000=-2.5; kept in pence and basis points."""

    name = "pounds=percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        start, equals, adjustment = str(value).partition("=")
        if not equals:
            self.fail(f"{value} is not a value and an adjustment; write it like 5000=-2.5.", param, ctx)
        return Pounds().convert(start, param, ctx), Percent().convert(adjustment, param, ctx)


@click.command("change")
@click.argument("code")
@click.option("--name", default=None)
@click.option("--from", "starts_on", type=Day(), default=None, help="The first day in force.")
@click.option("--to", "ends_on", type=Day(), default=None, help="An earlier end; `extend` makes it later.")
@click.option("--party", type=kinds(ContractingParty), default=None, help="Who orders the works.")
@click.option("--cap", type=Pounds(), default=None, help="The value cap in pounds.")
@click.option("--review-months", type=int, default=None)
@click.option("--quotes", type=int, default=None)
@click.option("--guaranteed-jobs", type=int, default=None)
@click.option("--guaranteed-value", type=Pounds(), default=None)
@click.option("--local-areas", default=None)
@click.option(
    "--variation-rates",
    type=kinds(VariationRates),
    default=None,
    help="At which rates a change to the works of an order is priced.",
)
@with_app
def framework_terms(code: str, party: str | None, variation_rates: str | None, **options: Any) -> None:
    """Change the terms of the framework CODE that are named."""
    names = {
        "cap": "value_cap_pence",
        "quotes": "quotes_needed",
        "guaranteed_value": "guaranteed_pence",
    }
    changes = {names.get(name, name): value for name, value in given(**options).items()}
    if party:
        changes["contracting_party"] = ContractingParty(party)
    if variation_rates:
        changes["variation_rates"] = VariationRates(variation_rates)
    with transaction():
        framework = framework_by_code(code)
        terms = replace(terms_of(framework), **changes)
        change_framework(framework.id, terms, by=actor(), now=clock.now(), longest=settings().longest)
    click.echo(f"The terms of {code} are changed: {', '.join(sorted(changes)) or 'none'}.")


@click.command("lead")
@click.argument("code")
@click.argument("authority")
@with_app
def framework_lead(code: str, authority: str) -> None:
    """Let AUTHORITY, which takes part, lead the framework CODE."""
    now = clock.now()
    with transaction():
        access = access_ending(framework_by_code(code), authority_named(authority), local_date(now))
        set_lead(access.id, by=actor(), now=now)
    click.echo(f"{authority} leads {code}.")


@click.command("change")
@click.argument("framework")
@click.argument("lot")
@click.option("--name", default=None)
@click.option("--work-type", "work_types", multiple=True, help="All work types that it takes; may be repeated.")
@click.option("--area", "areas", multiple=True, help="All authorities and districts; may be repeated.")
@click.option("--value-from", "value_from_pence", type=Pounds(), default=None)
@click.option("--value-to", "value_to_pence", type=Pounds(), default=None)
@click.option("--requires", type=WithCover(), multiple=True, help="One more required kind; may be repeated.")
@click.option("--asks", multiple=True, help="A kind that is asked for only; may be repeated.")
@click.option("--without", multiple=True, help="A kind that is asked for no more; may be repeated.")
@click.option("--capacity-rule", type=kinds(CapacityRule), default=None)
@click.option("--answer-hours", type=ByPriority(), multiple=True)
@click.option("--start-days", type=ByPriority(), multiple=True)
@click.option("--works-days", type=int, default=None)
@click.option("--minimum-order", "minimum_order_pence", type=Pounds(), default=None, help="0 for none.")
@click.option("--out-of-hours", "out_of_hours_bp", type=Percent(), default=None, help="Per cent added to rates.")
@with_app
def lot_terms(
    framework: str,
    lot: str,
    requires: tuple[tuple[str, Asked], ...],
    asks: tuple[str, ...],
    without: tuple[str, ...],
    capacity_rule: str | None,
    answer_hours: tuple[tuple[Priority, int], ...],
    start_days: tuple[tuple[Priority, int], ...],
    **options: Any,
) -> None:
    """Change the terms of LOT in FRAMEWORK that are named, from today."""
    with transaction():
        found = lot_by_id(lot_named(lot, framework).id)
        if found is None:
            raise NotFound("There is no such lot.")
        was = terms_of_lot(found)
        documents = {**was.documents, **{kind: Asked(required=False) for kind in asks}, **dict(requires)}
        wanted = replace(
            was,
            **given(**options),
            capacity_rule=CapacityRule(capacity_rule) if capacity_rule else was.capacity_rule,
            answer_hours={**was.answer_hours, **dict(answer_hours)},
            start_days={**was.start_days, **dict(start_days)},
            documents={kind: how for kind, how in documents.items() if kind not in without},
        )
        change_lot(found.id, wanted, by=actor(), now=clock.now())
    click.echo(f"The lot {wanted.name} of {framework} is changed.")


@click.command("terms")
@click.argument("code")
@click.option("--lot", required=True, help="The lot's name.")
@click.option("--framework", default=None, help="The framework's code, when several have such a lot.")
@click.option("--area", "areas", multiple=True, help="All areas in which it works; default: as they are.")
@click.option("--adjustment", type=Percent(), default=None, help="Per cent on the schedule's rates.")
@click.option(
    "--band",
    "bands",
    type=Band(),
    multiple=True,
    help="All adjustments for jobs of more value, such as 5000=-2.5; may be repeated. Default: as they are.",
)
@click.option("--no-bands", is_flag=True, help="One adjustment for jobs of any value.")
@with_app
def member_terms(
    code: str,
    lot: str,
    framework: str | None,
    areas: tuple[str, ...],
    adjustment: int | None,
    bands: tuple[tuple[int, int], ...],
    no_bands: bool,
) -> None:
    """Change where CODE works in a lot, and its adjustments; open offers elsewhere are passed on."""
    if no_bands and bands:
        raise click.UsageError("Say --band or --no-bands, not both.")
    with transaction():
        member = member_named(code, lot_named(lot, framework))
        change_terms(
            member.id,
            areas=areas or [area.code for area in member.areas],
            adjustment_bp=member.adjustment_bp if adjustment is None else adjustment,
            bands=bands if bands or no_bands else None,
            by=actor(),
            now=clock.now(),
            nation=settings().nation,
        )
    click.echo(f"The terms of {code} in {lot} are changed.")


@click.command("details")
@click.argument("code")
@click.option("--email", default=None)
@click.option("--phone", default=None)
@click.option("--postcode", default=None)
@click.option("--sme/--not-sme", default=None, help="Fewer than 250 employees.")
@click.option("--capacity", type=int, default=None, help="Jobs at once.")
@click.option("--month-limit", "month_limit_pence", type=Pounds(), default=None, help="Most value of work in a month.")
@click.option("--trade", "trades", multiple=True, help="All its trades; may be repeated.")
@click.option("--social-value", default=None)
@with_app
def firm_details(code: str, **options: Any) -> None:
    """Change the details of the contractor CODE that are named."""
    with transaction():
        firm = contractor_by_code(code)
        details = replace(firms.details_of(firm), **given(**options))
        firms.change_details(firm.id, details, by=actor(), now=clock.now())
    click.echo(f"The details of {code} are changed.")


@click.command("available")
@click.argument("code")
@click.option("--from", "accepts_from", type=Day(), default=None, help="Earliest start; default: at any time.")
@with_app
def firm_available(code: str, accepts_from: date | None) -> None:
    """Say from which day the contractor CODE can start new work."""
    with transaction():
        firms.set_accepts_from(contractor_by_code(code).id, accepts_from, by=actor(), now=clock.now())
    click.echo(f"{code} can start " + (f"from {date_text(accepts_from)}." if accepts_from else "at any time."))


@click.command("away")
@click.argument("code")
@click.option("--first", type=Day(), required=True, help="The first day away.")
@click.option("--last", type=Day(), required=True, help="The last day away.")
@click.option("--remove", is_flag=True, help="Take these days off again.")
@with_app
def firm_away(code: str, first: date, last: date, remove: bool) -> None:
    """Say on which days the contractor CODE starts no work."""
    with transaction():
        firm = contractor_by_code(code)
        if remove:
            known = {(each.from_on, each.to_on.toordinal() - 1): each.id for each in firm.absences}
            absence_id = known.get((first, last.toordinal()))
            if absence_id is None:
                raise NotFound(f"{code} has no days away from {date_text(first)} to {date_text(last)}.")
            firms.remove_absence(firm.id, absence_id, by=actor(), now=clock.now())
        else:
            firms.add_absence(firm.id, first, last, by=actor(), now=clock.now())
    click.echo(f"The days away of {code} are {'taken off' if remove else 'kept'}.")


@click.command("quote")
@click.argument("reference", metavar="REF")
@click.argument("code")
@click.option("--amount", type=Pounds(), required=True, help="Pounds for all the works, excluding VAT.")
@click.option("--received", type=Day(), default=None, help="The day on which it arrived; default: today.")
@with_app
def job_quote(reference: str, code: str, amount: int, received: date | None) -> None:
    """Record the quote of the member CODE for a job that is bought by quotations."""
    now = clock.now()
    with transaction():
        job = job_by_reference(reference)
        member = member_named(code, job.lot)
        record_estimate(job.id, member.id, amount, received or local_date(now), by=actor(), now=now)
    click.echo(f"The quote of {code} for {reference} is kept.")


@click.command("direct")
@click.argument("reference", metavar="REF")
@click.option("--reason", required=True, help="Why it is decided to do without the missing quotes.")
@with_app
def job_direct(reference: str, reason: str) -> None:
    """Decide to do without the missing quotes for a job, with a reason."""
    with transaction():
        decide_without_quotes(job_by_reference(reference).id, reason=reason, by=actor(), now=clock.now())
    click.echo(f"{reference} can be allocated without the missing quotes.")
