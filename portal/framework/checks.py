"""What must always hold of the contractor list and its documents; ``portal check`` asks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sqlalchemy import func, select

from portal.accounts.models import Organisation
from portal.framework.documents.files import is_whole
from portal.framework.member_models import (
    Contractor,
    ContractorDocument,
    Member,
    MemberEvent,
    RankEdition,
    RankPlace,
)
from portal.framework.members.ranks import LISTED, standings_of
from portal.framework.models import Framework, Lot, Participation
from portal.framework.roster import Roster
from portal.framework.rules import overlapping, standing
from portal.framework.states import MEMBER_MOVES, MemberStatus, document_title
from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.money import percent

#: A history begins with an application, or with a list that was brought in.
BEGINNINGS = frozenset({MemberStatus.APPLIED, MemberStatus.ACTIVE})


def faults(today: date, uploads: Path | None = None) -> Iterator[str]:
    """A sentence for everything that is off on ``today``; kept files are looked at in the folder ``uploads``."""
    yield from _histories()
    yield from _ranks(today)
    yield from _shares()
    yield from _participations()
    if uploads is not None:
        yield from _files(uploads)


def _histories() -> Iterator[str]:
    """Each membership has one, forwards in time, by moves that exist."""
    names = {
        member_id: f"{code} in the lot {lot}"
        for member_id, code, lot in db.session.execute(
            select(Member.id, Organisation.code, Lot.name)
            .join(Lot, Lot.id == Member.lot_id)
            .join(Contractor, Contractor.id == Member.contractor_id)
            .join(Organisation, Organisation.id == Contractor.organisation_id)
            .order_by(Member.id)
        )
    }
    last: dict[int, MemberEvent] = {}
    for event in db.session.scalars(select(MemberEvent).order_by(MemberEvent.id).execution_options(yield_per=2_000)):
        name, before = names[event.member_id], last.get(event.member_id)
        last[event.member_id] = event
        if before is None:
            if event.status not in BEGINNINGS:
                yield f"The history of {name} begins as {event.status.value}."
            continue
        if event.from_on < before.from_on:
            yield (
                f"The history of {name} goes back in time: {event.status.value} from {date_text(event.from_on)} "
                f"follows {before.status.value} from {date_text(before.from_on)}."
            )
        # A suspension that ended by itself had become active by then.
        current = standing(before.status, before.reason, before.until_on, event.from_on).status
        if event.status not in MEMBER_MOVES[current]:
            yield (
                f"The history of {name} makes a move that does not exist: from {current.value} to "
                f"{event.status.value} on {date_text(event.from_on)}."
            )
    for member_id in sorted(set(names) - set(last)):
        yield f"The membership of {names[member_id]} has no history."


def _ranks(today: date) -> Iterator[str]:
    """No two members on the list hold one rank where both work."""
    roster = Roster(list(db.session.scalars(select(Lot.id))), today)
    for lot_id, members in roster.members.items():
        holders: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        for each in members:
            if each.rank is not None and each.standing.status in LISTED:
                for area in each.areas:
                    holders[each.rank, area].append(each.code)
        for (rank, area), codes in sorted(holders.items()):
            if len(codes) > 1:
                name = roster.lots[lot_id].lot.name
                yield f"{' and '.join(sorted(codes))} share rank {rank} of the lot {name} in {area} today."


def _shares() -> Iterator[str]:
    """No edition of ranks gives away more than all the work; who has left by its start holds no share."""
    places = (
        select(RankEdition.id, RankPlace.member_id, RankPlace.share_bp)
        .join(RankPlace, RankPlace.edition_id == RankEdition.id)
        .where(RankPlace.share_bp.is_not(None))
    )
    suspects = (
        select(RankEdition, Lot.name)
        .join(Lot, Lot.id == RankEdition.lot_id)
        .join(RankPlace, RankPlace.edition_id == RankEdition.id)
        .group_by(RankEdition.id, Lot.name)
        .having(func.sum(RankPlace.share_bp) > 10_000)
        .order_by(RankEdition.id)
    )
    for edition, lot in db.session.execute(suspects):
        stand = standings_of(edition.lot_id, edition.starts_on)
        total = sum(
            share_bp or 0
            for _, member_id, share_bp in db.session.execute(places.where(RankEdition.id == edition.id))
            if stand.get(member_id) in LISTED
        )
        if total > 10_000:
            yield (
                f"The shares of the lot {lot} from {date_text(edition.starts_on)} come to {percent(total)} %, more "
                "than all the work."
            )


def _participations() -> Iterator[str]:
    """Periods of one authority in one framework never overlap."""
    seen: defaultdict[tuple[str, str], list[tuple[date | None, date | None]]] = defaultdict(list)
    for framework, authority, from_on, to_on in db.session.execute(
        select(Framework.code, Organisation.code, Participation.from_on, Participation.to_on)
        .join(Framework, Framework.id == Participation.framework_id)
        .join(Organisation, Organisation.id == Participation.authority_id)
        .order_by(Participation.id)
    ):
        others = seen[framework, authority]
        if overlapping((from_on, to_on), others) is not None:
            yield f"The authority {authority} takes part in {framework} in two periods that overlap."
        others.append((from_on, to_on))


def _files(uploads: Path) -> Iterator[str]:
    """Every document that was handed in still has its file, as it was."""
    for number, kind, code, stored, digest in db.session.execute(
        select(
            ContractorDocument.id,
            ContractorDocument.kind,
            Organisation.code,
            ContractorDocument.stored_name,
            ContractorDocument.sha256,
        )
        .join(Contractor, Contractor.id == ContractorDocument.contractor_id)
        .join(Organisation, Organisation.id == Contractor.organisation_id)
        .where(ContractorDocument.stored_name.is_not(None))
        .order_by(ContractorDocument.id)
    ):
        if not is_whole(uploads, stored or "", digest):
            yield f"The file of document {number} ({document_title(kind)} of {code}) is missing or was altered."
