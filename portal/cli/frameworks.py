"""``portal frameworks`` and ``portal reviews``: terms, who takes part, use, and the re-openings."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

import click

from portal.analytics import fair_share
from portal.analytics.share_report import as_document
from portal.cli.frame import Day, Pounds, actor, in_pounds, iso, json_option, settings, show_json, with_app
from portal.framework import queries
from portal.framework.members.named import access_ending, authority_named, lot_named, review_named
from portal.framework.models import Framework, Participation, Review
from portal.framework.states import ContractingParty, FrameworkKind, Regime, ReviewStatus, VariationRates
from portal.framework.terms import reviews, services
from portal.framework.terms.queries import cap_decisions_of, extensions_of, framework_in_full, in_order
from portal.framework.terms.services import FrameworkTerms, framework_by_code
from portal.jobs.spend import guarantee, spend_of
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.money import shown


@click.group()
def frameworks() -> None:
    """Frameworks: their terms, who takes part, and how they are used."""


def kinds(states: type[StrEnum]) -> click.Choice[str]:
    """The values of an enumeration as the choices of an option."""
    return click.Choice([each.value for each in states])


def short_document(framework: Framework) -> dict[str, Any]:
    """A framework as it stands in the list."""
    return {
        "code": framework.code,
        "name": framework.name,
        "kind": framework.kind.value,
        "regime": framework.regime.value,
        "from": iso(framework.starts_on),
        "to": iso(framework.ends_on),
        "lots": [lot.name for lot in framework.lots],
    }


def access_document(each: Participation) -> dict[str, Any]:
    """An authority's access; the end is the first day without it."""
    return {"code": each.authority.code, "from": iso(each.from_on), "to": iso(each.to_on), "lead": each.lead}


def review_document(review: Review) -> dict[str, Any]:
    """A re-opening."""
    return {
        "due": iso(review.due_on),
        "status": review.status.value,
        "opened": iso(review.opened_on),
        "closed": iso(review.closed_on),
        "note": review.note,
    }


def framework_document(framework: Framework) -> dict[str, Any]:
    """A framework with everything that was agreed and decided."""
    return {
        **short_document(framework),
        "contracting_party": framework.contracting_party.value,
        "value_cap": in_pounds(framework.value_cap_pence),
        "review_months": framework.review_months,
        "quotes_needed": framework.quotes_needed,
        "guaranteed_jobs": framework.guaranteed_jobs,
        "guaranteed_value": in_pounds(framework.guaranteed_pence),
        "local_areas": framework.local_areas.split(),
        "variation_rates": framework.variation_rates.value,
        "authorities": [access_document(each) for each in in_order(framework)],
        "reviews": [review_document(each) for each in framework.reviews],
        "extensions": [
            {"was": iso(each.was), "becomes": iso(each.becomes), "reason": each.reason, "by": each.decided_by}
            for each in extensions_of(framework.id)
        ],
        "cap_decisions": [
            {
                "up_to": in_pounds(each.allowed_pence),
                "reason": each.reason,
                "by": each.decided_by,
                "at": iso(each.decided_at),
            }
            for each in cap_decisions_of(framework.id)
        ],
    }


def say(document: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """One document, or one sentence."""
    if as_json:
        show_json(document)
    else:
        click.echo(sentence)


@frameworks.command("list")
@json_option
@with_app
def listed(as_json: bool) -> None:
    """List the frameworks."""
    found = [short_document(each) for each in queries.frameworks()]
    if as_json:
        show_json(found)
        return
    for each in found:
        click.echo(
            f"{each['code']}\t{each['kind']}\t{each['from'] or '…'} to {each['to'] or '…'}\t"
            f"{len(each['lots'])} lots\t{each['name']}"
        )


@frameworks.command("show")
@click.argument("code")
@json_option
@with_app
def show(code: str, as_json: bool) -> None:
    """The framework CODE: terms, authorities, lots, reviews, extensions, decisions."""
    document = framework_document(framework_in_full(framework_by_code(code).code))
    if as_json:
        show_json(document)
        return
    for name, value in document.items():
        if isinstance(value, list):
            click.echo(f"{name.replace('_', ' ')}:")
            for each in value:
                row = each if isinstance(each, str) else ", ".join(f"{k} {v}" for k, v in each.items() if v is not None)
                click.echo(f"  {row}")
        elif value is not None:
            click.echo(f"{name.replace('_', ' ')}: {value}")


@frameworks.command("add")
@click.argument("code")
@click.option("--name", required=True, help="What it is called on pages.")
@click.option("--from", "starts_on", type=Day(), default=None, help="The first day in force.")
@click.option("--to", "ends_on", type=Day(), default=None, help="The first day no longer in force.")
@click.option("--kind", type=kinds(FrameworkKind), default=FrameworkKind.FRAMEWORK_AGREEMENT.value, show_default=True)
@click.option(
    "--regime",
    type=kinds(Regime),
    default=Regime.OPEN.value,
    show_default=True,
    help="Whether new members may enter while it runs.",
)
@click.option(
    "--party",
    type=kinds(ContractingParty),
    default=ContractingParty.AUTHORITY.value,
    show_default=True,
    help="Who orders the works.",
)
@click.option("--cap", type=Pounds(), default=None, help="The total value cap in pounds; without it there is none.")
@click.option("--review-months", type=int, default=None, help="Months from one re-opening to the next.")
@click.option("--quotes", type=int, default=None, help="Quotations: how many quotes each job needs, 2 or 3.")
@click.option("--guaranteed-jobs", type=int, default=None, help="Direct contract: guaranteed jobs a month.")
@click.option("--guaranteed-value", type=Pounds(), default=None, help="Direct contract: guaranteed pounds a month.")
@click.option("--local-areas", default="", help='Postcode areas and districts that count as local, such as "AL SG5".')
@click.option("--variation-rates", type=kinds(VariationRates), default=VariationRates.ORDER_EDITION.value)
@json_option
@with_app
def add(
    code: str,
    name: str,
    starts_on: date | None,
    ends_on: date | None,
    kind: str,
    regime: str,
    party: str,
    cap: int | None,
    review_months: int | None,
    quotes: int | None,
    guaranteed_jobs: int | None,
    guaranteed_value: int | None,
    local_areas: str,
    variation_rates: str,
    as_json: bool,
) -> None:
    """Add the framework CODE."""
    terms = FrameworkTerms(
        name,
        starts_on,
        ends_on,
        FrameworkKind(kind),
        Regime(regime),
        ContractingParty(party),
        cap,
        review_months,
        quotes,
        guaranteed_jobs,
        guaranteed_value,
        local_areas,
        VariationRates(variation_rates),
    )
    with transaction():
        services.create_framework(code, terms, by=actor(), now=clock.now(), longest=settings().longest)
    say(framework_document(framework_in_full(code)), f"The framework {code} is there.", as_json=as_json)


@frameworks.command("extend")
@click.argument("code")
@click.option("--to", "until", type=Day(), required=True, help="The new first day no longer in force.")
@click.option("--reason", required=True)
@json_option
@with_app
def extend(code: str, until: date, reason: str, as_json: bool) -> None:
    """Move the end of the framework CODE to a later day."""
    with transaction():
        extension = services.extend_framework(
            framework_by_code(code).id,
            until,
            reason=reason,
            by=actor(),
            now=clock.now(),
            longest=settings().longest,
        )
    document = {"code": code, "was": iso(extension.was), "to": iso(extension.becomes), "reason": extension.reason}
    say(document, f"The framework {code} runs until {until}; it was {extension.was}.", as_json=as_json)


@frameworks.command("cap-decision")
@click.argument("code")
@click.option("--up-to", type=Pounds(), required=True, help="Pounds up to which jobs may be called off, in all.")
@click.option("--reason", required=True)
@json_option
@with_app
def cap_decision(code: str, up_to: int, reason: str, as_json: bool) -> None:
    """Record the decision to call off beyond the value cap of CODE."""
    with transaction():
        decision = services.decide_on_cap(framework_by_code(code).id, up_to, reason=reason, by=actor(), now=clock.now())
    document = {"code": code, "up_to": in_pounds(decision.allowed_pence), "reason": decision.reason}
    say(document, f"Jobs of {code} may be called off up to {shown(up_to)} in all.", as_json=as_json)


@frameworks.command("join")
@click.argument("code")
@click.argument("authority")
@click.option("--from", "from_on", type=Day(), default=None, help="The first day of access; default: no bound.")
@click.option("--to", "to_on", type=Day(), default=None, help="The first day without access; default: no bound.")
@click.option("--lead", is_flag=True, help="This authority leads the framework.")
@json_option
@with_app
def join(code: str, authority: str, from_on: date | None, to_on: date | None, lead: bool, as_json: bool) -> None:
    """Let AUTHORITY call off the framework CODE."""
    now = clock.now()
    with transaction():
        found = services.add_participation(
            framework_by_code(code), authority_named(authority), by=actor(), now=now, from_on=from_on, to_on=to_on
        )
        if lead:
            services.set_lead(found.id, by=actor(), now=now)
    document = {"framework": code, **access_document(found)}
    say(document, f"{authority} takes part in {code}" + (" and leads it." if lead else "."), as_json=as_json)


@frameworks.command("leave")
@click.argument("code")
@click.argument("authority")
@click.option("--on", type=Day(), required=True, help="The first day without access.")
@json_option
@with_app
def leave(code: str, authority: str, on: date, as_json: bool) -> None:
    """End the access of AUTHORITY to CODE; running orders go on."""
    with transaction():
        found = access_ending(framework_by_code(code), authority_named(authority), on)
        services.end_participation(found.id, on, by=actor(), now=clock.now())
    say(
        {"framework": code, **access_document(found)},
        f"{authority} has no access to {code} from {on}.",
        as_json=as_json,
    )


@frameworks.command("use")
@click.argument("code")
@click.option(
    "--from", "first", type=Day(), default=None, help="The first day; default: twelve months before the last."
)
@click.option("--to", "last", type=Day(), default=None, help="The last day, counted; default: today.")
@click.option("--lot", default=None, help="One lot; default: all.")
@json_option
@with_app
def use(code: str, first: date | None, last: date | None, lot: str | None, as_json: bool) -> None:
    """Spend, guaranteed minimum and fair share of CODE.

    Spend counts since the framework began, shares the offers that were sent in the period.
    """
    framework, today = framework_by_code(code), clock.local_date(clock.now())
    usual = fair_share.last_year(last or today)
    period = fair_share.period_of(first or usual.first, usual.last)
    lot_ids = None if lot is None else [lot_named(lot, code).id]
    spend, months = spend_of(framework), guarantee(framework, today)
    seen = fair_share.fair_share(framework, period, lot_ids)
    if as_json:
        show_json(
            {
                "code": code,
                "spend": {
                    "done": in_pounds(spend.done_pence),
                    "ordered": in_pounds(spend.ordered_pence),
                    "on_offer": in_pounds(spend.offered_pence),
                    "used": in_pounds(spend.used_pence),
                    "value_cap": in_pounds(spend.cap_pence),
                    "limit": in_pounds(spend.limit_pence),
                    "percent": None if spend.percent is None else str(spend.percent),
                    "warning": spend.level or None,
                    "stopped": spend.stopped,
                },
                "guarantee": [
                    {
                        "month": f"{month.first_day:%Y-%m}",
                        "jobs": month.jobs,
                        "value": in_pounds(month.pence),
                        "jobs_short": month.jobs_short,
                        "value_short": in_pounds(month.pence_short),
                    }
                    for month in months
                ],
                "share": as_document(seen),
            }
        )
        return
    of_cap = "no value cap" if spend.cap_pence is None else f"{spend.percent} % of {shown(spend.cap_pence)}"
    click.echo(f"{code}: {shown(spend.used_pence)} spent and committed, {of_cap}")
    for month in months:
        click.echo(
            f"{month.first_day:%Y-%m}: {month.jobs} orders, {shown(month.pence)}; short by {month.jobs_short} jobs, "
            f"{shown(month.pence_short)}"
        )
    click.echo(f"Offers sent from {seen.period.first} up to and including {seen.period.last}. {seen.basis_sentence}")
    for each in seen.shares:
        of_value, agreed = ("–" if part is None else f"{part} %" for part in (each.share, each.agreed))
        click.echo(
            f"{each.firm.code}\t{each.offers} offers\t{each.accepted} accepted\t{shown(each.value_pence)}\t"
            f"{of_value}\t{seen.measure.lower()} {agreed}\t{each.firm.name}"
        )


# Reviews --------------------------------------------------------------------------------------------------------------


@click.group("reviews")
def reviews_() -> None:
    """Re-openings of a framework: while one is open, new members are admitted."""


@reviews_.command("list")
@click.argument("code")
@json_option
@with_app
def list_reviews(code: str, as_json: bool) -> None:
    """List the reviews of the framework CODE."""
    found = [review_document(each) for each in reviews.reviews_of(framework_by_code(code).id)]
    if as_json:
        show_json(found)
        return
    for each in found:
        click.echo(f"{each['due']}\t{each['status']}\t{each['note']}")


@reviews_.command("plan")
@click.argument("code")
@click.option("--on", type=Day(), required=True, help="The day of the re-opening.")
@json_option
@with_app
def plan(code: str, on: date, as_json: bool) -> None:
    """Plan a review of the framework CODE."""
    with transaction():
        review = reviews.plan_review(framework_by_code(code).id, on, by=actor(), now=clock.now())
    say(review_document(review), f"A review of {code} is planned for {on}.", as_json=as_json)


@reviews_.command("open")
@click.argument("code")
@click.option("--due", type=Day(), default=None, help="The day it was planned for; default: the next one planned.")
@json_option
@with_app
def open_(code: str, due: date | None, as_json: bool) -> None:
    """Open a planned review of CODE: applicants can be admitted."""
    with transaction():
        review = review_named(framework_by_code(code), ReviewStatus.PLANNED, due)
        reviews.open_review(review.id, by=actor(), now=clock.now())
    say(review_document(review), f"The review of {code} due on {review.due_on} is open.", as_json=as_json)


@reviews_.command("close")
@click.argument("code")
@click.option("--note", default="", help="What came out of it.")
@json_option
@with_app
def close(code: str, note: str, as_json: bool) -> None:
    """Close the open review of CODE; applicants then wait for the next."""
    with transaction():
        review = review_named(framework_by_code(code), ReviewStatus.OPEN, None)
        reviews.close_review(review.id, note, by=actor(), now=clock.now())
    say(review_document(review), f"The review of {code} due on {review.due_on} is closed.", as_json=as_json)
