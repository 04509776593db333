"""Frameworks, their lots and ranks, to be read by staff."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.framework import queries
from portal.framework.members import rank_queries
from portal.framework.roster import Listed, Roster
from portal.framework.rules import Requirement
from portal.framework.states import MemberStatus, document_title
from portal.framework.terms import queries as framework_queries
from portal.framework.terms.lot_forms import CAPACITY_TEXT
from portal.kernel import clock
from portal.kernel.errors import NotFound

bp = Blueprint("framework", __name__, template_folder="templates", url_prefix="/framework")


@bp.get("")
@requires(Permission.SEE_FRAMEWORK)
def overview() -> ResponseReturnValue:
    """Every framework, contract and quotation list, with a warning of lots and areas that nobody serves."""
    today = clock.local_date(clock.now())
    roster = Roster(queries.all_lot_ids(), today)
    return render_template(
        "framework/overview.html",
        frameworks=queries.frameworks(),
        states=framework_queries.lot_states(roster, framework_queries.authority_names()),
        today=today,
    )


@bp.get("/<code>")
@requires(Permission.SEE_FRAMEWORK)
def one(code: str) -> ResponseReturnValue:
    """One framework: its terms, who takes part, its lots, extensions, decisions and reviews."""
    framework = framework_queries.framework_in_full(code)
    today = clock.local_date(clock.now())
    roster = Roster([lot.id for lot in framework.lots], today)
    return render_template(
        "framework/one.html",
        framework=framework,
        participations=framework_queries.in_order(framework),
        extensions=framework_queries.extensions_of(framework.id),
        decisions=framework_queries.cap_decisions_of(framework.id),
        states=framework_queries.lot_states(roster, framework_queries.authority_names()),
        today=today,
    )


@bp.get("/lots/<int:lot_id>")
@requires(Permission.SEE_FRAMEWORK)
def lot(lot_id: int) -> ResponseReturnValue:
    """One lot: its terms, its members in rank order with what holds them back, applicants and leavers apart."""
    found = queries.lot_by_id(lot_id)
    if found is None:
        raise NotFound("There is no such lot.")
    today = clock.local_date(clock.now())
    roster = Roster([lot_id], today)
    names = framework_queries.authority_names()
    members, required = roster.members[lot_id], roster.lots[lot_id].required
    return render_template(
        "framework/lot.html",
        lot=found,
        state=framework_queries.lot_states(roster, names)[lot_id],
        areas=sorted(each.authority.name if each.authority else each.district for each in found.areas),
        areas_of={each.member_id: ", ".join(sorted(names.get(code, code) for code in each.areas)) for each in members},
        lapses_of={each.member_id: plain_lapses(each, required, today) for each in members},
        titles={each.kind: document_title(each.kind) for each in found.requirements},
        capacity_text=CAPACITY_TEXT,
        listed=[each for each in members if each.standing.status in {MemberStatus.ACTIVE, MemberStatus.SUSPENDED}],
        applicants=[each for each in members if each.standing.status in {MemberStatus.APPLIED, MemberStatus.CHECKING}],
        former=[each for each in members if each.standing.status in {MemberStatus.RELEASED, MemberStatus.REMOVED}],
        today=today,
    )


def plain_lapses(member: Listed, required: Collection[Requirement], today: date) -> list[str]:
    """Why a member’s required documents do not hold today, each kind by its title rather than its code."""
    return [
        f"{document_title(each.kind)} {reason.removeprefix(each.kind).strip()}"
        for each in required
        for reason in member.lapses([each], today)
    ]


@bp.get("/lots/<int:lot_id>/ranks/<int:edition_id>")
@requires(Permission.SEE_FRAMEWORK)
def edition(lot_id: int, edition_id: int) -> ResponseReturnValue:
    """One edition of a lot's ranks, in force or not: the old ones stay readable."""
    found = queries.lot_by_id(lot_id)
    if found is None:
        raise NotFound("There is no such lot.")
    lines = {line.id: line for line in rank_queries.editions_of(lot_id)}
    return render_template(
        "framework/edition.html",
        lot=found,
        edition=rank_queries.edition_by_id(lot_id, edition_id),
        line=lines[edition_id],
        today=clock.local_date(clock.now()),
    )
