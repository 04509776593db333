"""``portal jobs`` and ``portal offers``: specify, allocate, explain, answer."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

import click

from portal.cli.frame import (
    FILE,
    Day,
    actor,
    at_option,
    create_option,
    json_option,
    map_option,
    settings,
    show_json,
    with_app,
)
from portal.jobs import queries, services, specification
from portal.jobs.document import job_document
from portal.jobs.job_file import read_jobs
from portal.jobs.states import DeclineReason, OfferStatus
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import InputRefused
from portal.kernel.paging import LARGEST
from portal.rates.queries import edition_in_force
from portal.tables import Mapping


@click.group()
def jobs() -> None:
    """Jobs: specification and allocation."""


@jobs.command("import")
@click.argument("file", type=FILE)
@click.option("--schedule", default=None, help="The schedule that prices the lines; default: the only one in pounds.")
@create_option
@map_option
@json_option
@with_app
def import_(file: Path, schedule: str | None, create: bool, map_file: Path | None, as_json: bool) -> None:
    """Specify the jobs of FILE (CSV or XLSX); all or nothing."""
    now = clock.now()
    read = read_jobs(file, Mapping.read(map_file) if map_file else None)
    if read.problems:
        raise InputRefused(read.problems)
    with transaction():
        edition = edition_in_force(clock.local_date(now), schedule)
        done = specification.specify_jobs(read.jobs, edition, source=read.name, by=actor(), now=now, create=create)
    if as_json:
        show_json(asdict(done))
    else:
        click.echo(f"{done.jobs} jobs specified at {edition.schedule.code}, edition {edition.name}.")


@jobs.command("allocate")
@click.argument("references", nargs=-1, metavar="REF...")
@click.option("--all", "everything", is_flag=True, help="All jobs that wait: priority first, then the longest wait.")
@at_option
@json_option
@with_app
def allocate(references: tuple[str, ...], everything: bool, at: datetime | None, as_json: bool) -> None:
    """Offer each job to the first eligible member of its lot, and record why."""
    if everything == bool(references):
        raise click.UsageError("Name jobs, or say --all.")
    with transaction():
        done = services.allocate_jobs(
            None if everything else list(dict.fromkeys(references)),
            by=actor(),
            now=at or clock.now(),
            nation=settings().nation,
        )
    if as_json:
        show_json(
            {
                "offered": [{"reference": reference, "member": code} for reference, code in done.offered.items()],
                "exhausted": done.exhausted,
            }
        )
        return
    for reference, code in done.offered.items():
        click.echo(f"{reference}: offered to {code}")
    for reference in done.exhausted:
        click.echo(f"{reference}: nobody can take it; `portal jobs show {reference}` gives each member's reason")


@jobs.command("show")
@click.argument("reference", metavar="REF")
@json_option
@with_app
def show(reference: str, as_json: bool) -> None:
    """One job: lines, price, ranking with every reason, offers, events."""
    document = job_document(queries.job_by_reference(reference))
    if as_json:
        show_json(document)
        return
    click.echo(
        f"{document['reference']}  {document['status']}  {document['work_type']}  {document['authority']}  "
        f"£{document['price']} excluding VAT"
    )
    for line in document["lines"]:
        click.echo(
            f"  {line['code']}  {line['quantity']} {line['unit']} × £{line['rate']} = £{line['net']}  "
            f"{line['description']}"
        )
    for place in document["ranking"]:
        click.echo(
            f"  {place['position']:>3}. {place['member']}  "
            + ("eligible" if place["eligible"] else "; ".join(place["reasons"]))
        )
    for offer in document["offers"]:
        click.echo(
            f"  offer {offer['id']} to {offer['member']}: {offer['status']}, answer by {offer['answer_by']}, "
            f"start by {offer['start_by']}" + (f" ({offer['reason']})" if offer["reason"] else "")
        )
    for event in document["events"]:
        click.echo(f"  {event['at']}  {event['action']}  by {event['actor']}")


@click.group()
def offers() -> None:
    """Offers to contractors."""


@offers.group("answer", invoke_without_command=False)
@click.argument("offer_id", type=click.IntRange(1, LARGEST), metavar="ID")
@click.pass_context
def answer(context: click.Context, offer_id: int) -> None:
    """Answer an offer for a contractor, as an officer on the phone."""
    context.obj = offer_id


@answer.command("accept")
@click.option("--start", type=Day(), required=True, help="The day on which the works will start.")
@at_option
@json_option
@click.pass_obj
@with_app
def accept(offer_id: int, start: date, at: datetime | None, as_json: bool) -> None:
    """Accept; a start after the last day to start passes the job on."""
    with transaction():
        offer = services.accept_offer(
            offer_id, start_on=start, by=actor(), now=at or clock.now(), nation=settings().nation
        )
    _say(offer.id, offer.status, offer.reason, as_json)


@answer.command("decline")
@click.option("--reason", required=True, help="Why, in a few words.")
@click.option("--code", type=click.Choice([code.value for code in DeclineReason]), default=DeclineReason.OTHER.value)
@at_option
@json_option
@click.pass_obj
@with_app
def decline(offer_id: int, reason: str, code: str, at: datetime | None, as_json: bool) -> None:
    """Decline; the job goes to the next member."""
    with transaction():
        offer = services.decline_offer(
            offer_id,
            reason_code=DeclineReason(code),
            reason=reason,
            by=actor(),
            now=at or clock.now(),
            nation=settings().nation,
        )
    _say(offer.id, offer.status, offer.reason, as_json)


def _say(offer_id: int, status: OfferStatus, reason: str, as_json: bool) -> None:
    if as_json:
        show_json({"id": offer_id, "status": status.value, "reason": reason})
    else:
        click.echo(f"Offer {offer_id} is {status.value}." + (f" {reason}" if reason else ""))
