"""``portal jobs funding``: what a client has declared and contributes, and how a job's total is paid."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from portal.cli.frame import Day, Pounds, actor, iso, json_option, settings, show_json, with_app
from portal.cli.frameworks import kinds
from portal.jobs import funding
from portal.jobs.queries import job_by_reference
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.money import pounds
from portal.rates.vat import Declared


@click.group("funding")
def funding_() -> None:
    """Who pays for a job, and at which VAT."""


def document(reference: str) -> dict[str, Any]:
    """A job's total with VAT, who pays it, and what the client has declared; null where VAT was not kept."""
    found = funding.funding_of(job_by_reference(reference), settings().grant_cap_pence)
    split = found.split
    return {
        "reference": reference,
        "net": pounds(found.price.net_pence),
        "total": split and pounds(split.total_pence),
        "grant": split and pounds(split.grant_pence),
        "grant_cap": pounds(settings().grant_cap_pence),
        "contribution": split and pounds(split.contribution_pence),
        "top_up": split and pounds(split.top_up_pence),
        "top_up_agreed": pounds(found.recorded.agreed_pence if found.recorded else 0),
        "uncovered": split and pounds(split.uncovered_pence),
        "declarations": [
            {
                "id": each.id,
                "kind": each.kind.value,
                "signed_on": iso(each.signed_on),
                "recorded_by": each.recorded_by,
                "withdrawn_at": iso(each.withdrawn_at),
            }
            for each in found.declarations
        ],
    }


def answer(reference: str, as_json: bool) -> None:
    """Show how a job is paid for."""
    found = document(reference)
    if as_json:
        show_json(found)
        return
    if found["total"] is None:
        click.echo(f"before VAT\t{found['net']}")
        click.echo(f"who pays\t{funding.CANNOT_BE_SAID}")
    else:
        for name in ("total", "grant", "contribution", "top_up", "uncovered"):
            click.echo(f"{name.replace('_', '-')}\t{found[name]}")
    for each in found["declarations"]:
        state = "withdrawn" if each["withdrawn_at"] else "stands"
        click.echo(f"declaration {each['id']}\t{each['kind']}\tsigned on {each['signed_on']}\t{state}")


@funding_.command("show")
@click.argument("reference", metavar="REF")
@json_option
@with_app
def show(reference: str, as_json: bool) -> None:
    """Show who pays for the job REF, and what its client has declared."""
    answer(reference, as_json)


@funding_.command("set")
@click.argument("reference", metavar="REF")
@click.option("--contribution", type=Pounds(), required=True, help="The client's assessed contribution, in pounds.")
@click.option("--top-up", "agreed", type=Pounds(), default=0, help="The top-up that is agreed, in pounds.")
@json_option
@with_app
def set_(reference: str, contribution: int, agreed: int, as_json: bool) -> None:
    """Record the client's contribution and the agreed top-up."""
    job = job_by_reference(reference)
    with transaction():
        funding.record_funding(
            job.id, contribution_pence=contribution, agreed_pence=agreed, by=actor(), now=clock.now()
        )
    answer(reference, as_json)


@funding_.command("declare")
@click.argument("reference", metavar="REF")
@click.option("--kind", type=kinds(Declared), required=True, help="What the client has declared.")
@click.option("--signed", "signed_on", type=Day(), required=True, help="The day on the declaration.")
@click.option("--kept-at", required=True, help="Where the signed paper is kept; nothing about the client's health.")
@json_option
@with_app
def declare(reference: str, kind: str, signed_on: date, kept_at: str, as_json: bool) -> None:
    """Record that the client of REF has signed a declaration for a lower VAT rate."""
    job = job_by_reference(reference)
    with transaction():
        funding.record_declaration(job.id, Declared(kind), signed_on, kept_at, by=actor(), now=clock.now())
    answer(reference, as_json)


@funding_.command("withdraw")
@click.argument("reference", metavar="REF")
@click.argument("declaration", type=int)
@json_option
@with_app
def withdraw(reference: str, declaration: int, as_json: bool) -> None:
    """Withdraw a DECLARATION (its number) that was wrong."""
    job = job_by_reference(reference)
    with transaction():
        funding.withdraw_declaration(job.id, declaration, by=actor(), now=clock.now())
    answer(reference, as_json)
