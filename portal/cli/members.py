"""``portal members`` and ``portal documents``: who is on the list, and what they have handed in."""

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
    settings,
    show_json,
    with_app,
)
from portal.framework.documents.files import check_file, kept
from portal.framework.documents.services import reject_document, verify_document, withdraw_verified_document
from portal.framework.firms import services as firms
from portal.framework.listing import queries as contractor_list
from portal.framework.listing.queries import Membership, Search, Shown, contractor_by_code
from portal.framework.member_models import ContractorDocument
from portal.framework.members.named import documents_listed, history_of, lot_named, member_named
from portal.framework.states import MemberStatus
from portal.framework.terms.services import framework_by_code
from portal.jobs.standing import change_standing
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import RuleBroken
from portal.kernel.money import percent


@click.group()
def members() -> None:
    """Members of lots: who is on the list and why, and every step of a membership."""


def searching(verb: Any) -> Any:
    """The options that narrow the contractor list."""
    for option in (
        click.option("--on", type=Day(), default=None, help="The list as it stood on this day; default: today."),
        click.option("--status", type=click.Choice([each.value for each in Shown]), default=None),
        click.option("--area", default="", help="An authority's code or a postcode district."),
        click.option("--lot", default=None, help="The lot's name."),
        click.option("--framework", default=None, help="The framework's code."),
    ):
        verb = option(verb)
    return verb


def wanted(framework: str | None, lot: str | None, area: str, status: str | None, on: date | None) -> Search:
    """What the options ask for; unknown frameworks and lots are refused."""
    return Search(
        on or clock.local_date(clock.now()),
        framework=framework_by_code(framework).code if framework else "",
        lot_id=lot_named(lot, framework).id if lot else None,
        area=area,
        status=Shown(status) if status else None,
    )


def member_document(each: Membership) -> dict[str, Any]:
    """A membership on the day that was asked for."""
    listed = each.listed
    return {
        "framework": each.lot.framework.code,
        "lot": each.lot.name,
        "code": listed.code,
        "name": listed.name,
        "status": each.shown.value,
        "reason": each.reason,
        "since": iso(listed.since),
        "rank": listed.rank,
        "share_percent": None if listed.share_bp is None else percent(listed.share_bp),
        "adjustment_percent": percent(listed.adjustment_bp),
        "bands": [
            {"from": in_pounds(from_pence), "adjustment_percent": percent(bp)} for from_pence, bp in listed.bands
        ],
        "areas": sorted(listed.areas),
    }


@members.command("list")
@searching
@json_option
@with_app
def listed(
    framework: str | None, lot: str | None, area: str, status: str | None, on: date | None, as_json: bool
) -> None:
    """List the memberships: who was on the list on a day, and why.

    A member whose required document does not hold is lapsed, by itself.
    """
    entries = contractor_list.find(wanted(framework, lot, area, status, on)).entries
    found = [member_document(each) for entry in entries for each in entry.memberships]
    found.sort(key=lambda each: (each["framework"], each["lot"], each["rank"] is None, each["rank"] or 0, each["code"]))
    if as_json:
        show_json(found)
        return
    for each in found:
        why = f" ({each['reason']})" if each["reason"] else ""
        click.echo(
            f"{each['framework']}\t{each['lot']}\t{each['rank'] or '–'}\t{each['code']}\t{each['name']}\t"
            f"{each['status']} since {each['since']}{why}"
        )


@members.command("history")
@click.argument("code")
@json_option
@with_app
def history(code: str, as_json: bool) -> None:
    """Every step in the memberships of the contractor CODE, oldest first."""
    found = [
        {
            "framework": lot.framework.code,
            "lot": lot.name,
            "status": event.status.value,
            "from": iso(event.from_on),
            "until": iso(event.until_on),
            "reason": event.reason,
            "by": event.decided_by,
            "at": iso(event.decided_at),
        }
        for lot, event in history_of(contractor_by_code(code))
    ]
    if as_json:
        show_json(found)
        return
    for each in found:
        until = f" until {each['until']}" if each["until"] else ""
        why = f": {each['reason']}" if each["reason"] else ""
        click.echo(f"{each['from']}\t{each['framework']}\t{each['lot']}\t{each['status']}{until}{why}\tby {each['by']}")


@members.command("apply")
@click.argument("code")
@click.option("--lot", required=True, help="The lot's name.")
@click.option("--framework", default=None, help="The framework's code, when several have such a lot.")
@click.option("--area", "areas", multiple=True, required=True, help="An authority or district; may be repeated.")
@click.option(
    "--adjustment", type=Percent(), default=0, help="Tendered per cent on the rates, such as -2.5; default: 0."
)
@click.option("--social-value", default=None, help="The social value statement; default: the one that is there.")
@json_option
@with_app
def apply(
    code: str,
    lot: str,
    framework: str | None,
    areas: tuple[str, ...],
    adjustment: int,
    social_value: str | None,
    as_json: bool,
) -> None:
    """Apply for a lot for the contractor CODE (somebody on the phone)."""
    with transaction():
        contractor = contractor_by_code(code)
        firms.apply_for_lot(
            contractor.id,
            lot_named(lot, framework).id,
            areas=areas,
            adjustment_bp=adjustment,
            social_value=contractor.social_value if social_value is None else social_value,
            by=actor(),
            now=clock.now(),
        )
    show_step(code, lot, MemberStatus.APPLIED, [], [], as_json=as_json)


def show_step(
    code: str, lot: str, status: MemberStatus, offered: list[str], exhausted: list[str], *, as_json: bool
) -> None:
    """What a step did: where the membership stands, and what became of the jobs that were on offer."""
    if as_json:
        passed = {"passed_on": offered, "nobody_left": exhausted}
        show_json({"code": code, "lot": lot, "status": status.value, **passed})
        return
    click.echo(f"{code} is {status.value} in the lot {lot}.")
    for reference in offered:
        click.echo(f"{reference}: passed on to the next member")
    for reference in exhausted:
        click.echo(f"{reference}: nobody is left")


def step(name: str, status: MemberStatus, says: str, *, rank: bool = False, until: bool = False) -> None:
    """Make the verb ``portal members NAME``, which moves a membership to ``status``."""

    @click.argument("code")
    @click.option("--lot", required=True, help="The lot's name.")
    @click.option("--framework", default=None, help="The framework's code, when several have such a lot.")
    @click.option("--reason", default="", help="Kept with the membership and told to the contractor.")
    @json_option
    @with_app
    def verb(
        code: str,
        lot: str,
        framework: str | None,
        reason: str,
        as_json: bool,
        rank: int | None = None,
        share: int | None = None,
        until: date | None = None,
    ) -> None:
        with transaction():
            done = change_standing(
                member_named(code, lot_named(lot, framework)).id,
                status,
                reason=reason,
                by=actor(),
                now=clock.now(),
                nation=settings().nation,
                until_on=until,
                rank=rank,
                share_bp=share,
            )
        show_step(code, lot, status, sorted(done.offered), done.exhausted, as_json=as_json)

    if rank:
        verb = click.option("--rank", type=int, default=None, help="Its rank; default: the next free one.")(verb)
        verb = click.option("--share", type=Percent(), default=None, help="Its agreed share in per cent.")(verb)
    if until:
        verb = click.option("--until", type=Day(), default=None, help="The day on which it is active again.")(verb)
    members.command(name, help=says)(verb)


step("check", MemberStatus.CHECKING, "Begin to check the application of CODE for a lot.")
step("admit", MemberStatus.ACTIVE, "Admit CODE, whose application was checked, to a lot.", rank=True)
step(
    "suspend",
    MemberStatus.SUSPENDED,
    "Suspend CODE in a lot, with a reason, or give its suspension another reason or end; open offers are passed on.",
    until=True,
)
step("reinstate", MemberStatus.ACTIVE, "End the suspension of CODE in a lot.")
step("release", MemberStatus.RELEASED, "Release CODE from a lot on its request, at once and without penalty.")
step("remove", MemberStatus.REMOVED, "Remove CODE from a lot, or turn its application down, with a reason.")


# Documents ------------------------------------------------------------------------------------------------------------


@click.group()
def documents() -> None:
    """Documents of contractors: insurances, registrations, certificates."""


def document_document(each: ContractorDocument) -> dict[str, Any]:
    """A contractor's document."""
    return {
        "id": each.id,
        "code": each.contractor.organisation.code,
        "kind": each.kind,
        "expires": iso(each.expires_on),
        "cover": in_pounds(each.cover_pence),
        "status": each.status.value,
        "file": each.file_name or None,
        "reason": each.reason,
        "handed_in": iso(each.added_at),
        "by": each.added_by,
    }


def show_document(each: ContractorDocument, *, as_json: bool) -> None:
    """One document, as JSON or in a line."""
    document = document_document(each)
    if as_json:
        show_json(document)
    else:
        click.echo(line_of(document))


def line_of(document: dict[str, Any]) -> str:
    """A document in a line."""
    cover = f"\tcovers £{document['cover']}" if document["cover"] else ""
    return (
        f"{document['id']}\t{document['code']}\t{document['kind']}\t{document['status']}\t"
        f"expires {document['expires']}{cover}"
    )


@documents.command("list")
@click.option("--waiting", is_flag=True, help="Only those that wait for somebody to verify them.")
@click.option("--contractor", default=None, help="Only those of the contractor with this code.")
@json_option
@with_app
def list_documents(waiting: bool, contractor: str | None, as_json: bool) -> None:
    """List the documents, the oldest first."""
    contractor_id = contractor_by_code(contractor).id if contractor else None
    found = [document_document(each) for each in documents_listed(contractor_id, waiting=waiting)]
    if as_json:
        show_json(found)
        return
    for each in found:
        click.echo(line_of(each))


@documents.command("add")
@click.argument("code")
@click.argument("kind")
@click.argument("file", type=FILE)
@click.option("--expires", type=Day(), required=True, help="The last day on which it is good.")
@click.option("--cover", type=Pounds(), default=None, help="Pounds that an insurance covers.")
@json_option
@with_app
def add(code: str, kind: str, file: Path, expires: date, cover: int | None, as_json: bool) -> None:
    """Hand in FILE (PDF, JPEG or PNG) as a KIND of document of the contractor CODE; it waits to be verified."""
    checked = check_file(file.name, read_bytes(file), settings().largest_document)
    with kept(settings().uploads, checked) as stored_name, transaction():
        document = firms.hand_in_document(
            contractor_by_code(code).id,
            kind,
            expires,
            file=checked,
            stored_name=stored_name,
            by=actor(),
            now=clock.now(),
            cover_pence=cover,
        )
    show_document(document, as_json=as_json)


def read_bytes(file: Path) -> bytes:
    """What a file holds; ``RuleBroken`` when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as fault:
        raise RuleBroken(f"{file} cannot be read: {fault.strerror}.") from fault


@documents.command("verify")
@click.argument("document_id", type=int, metavar="ID")
@click.option("--expires", type=Day(), default=None, help="The last good day that the document itself says.")
@click.option("--cover", type=Pounds(), default=None, help="The pounds that the document itself says.")
@json_option
@with_app
def verify(document_id: int, expires: date | None, cover: int | None, as_json: bool) -> None:
    """Say that somebody has looked at the document ID and it holds."""
    with transaction():
        document = verify_document(document_id, by=actor(), now=clock.now(), expires_on=expires, cover_pence=cover)
    show_document(document, as_json=as_json)


@documents.command("reject")
@click.argument("document_id", type=int, metavar="ID")
@click.option("--reason", required=True, help="The contractor reads it.")
@json_option
@with_app
def reject(document_id: int, reason: str, as_json: bool) -> None:
    """Say that the document ID does not hold, and why."""
    with transaction():
        document = reject_document(document_id, reason=reason, by=actor(), now=clock.now())
    show_document(document, as_json=as_json)


@documents.command("withdraw")
@click.argument("document_id", type=int, metavar="ID")
@click.option("--reason", required=True, help="The contractor reads it.")
@json_option
@with_app
def withdraw(document_id: int, reason: str, as_json: bool) -> None:
    """Let the verified document ID count no more from today, and say why; both sides hear which offers stop."""
    with transaction():
        document = withdraw_verified_document(document_id, reason=reason, by=actor(), now=clock.now())
    show_document(document, as_json=as_json)
