"""The ranks of a lot as a file: ``code, rank`` and, where shares of the work are agreed, ``share_percent``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from portal.framework.member_models import RankEdition
from portal.framework.members.ranks import MOST_RANK, RankWanted, SharedRank, code_of, members_of_lot, publish_ranks
from portal.framework.models import Lot
from portal.kernel.errors import InputRefused, Problem
from portal.tables import Field, Mapping, read_records

FIELDS = (
    Field("code", "text", longest=64, words=("contractor", "member")),
    Field("rank", "integer", minimum=1, maximum=MOST_RANK),
    Field("share_percent", "percent", required=False, minimum=0, maximum=10_000, words=("share", "share %")),
)


@dataclass(frozen=True, slots=True)
class RankRow:
    """One row: a contractor's code and the place wanted for it."""

    row: int
    code: str
    wanted: RankWanted


@dataclass(frozen=True, slots=True)
class RankFile:
    """What a list of ranks holds, and what is wrong with it."""

    name: str
    rows: list[RankRow]
    problems: list[Problem]


def read_ranks(path: Path, mapping: Mapping | None = None) -> RankFile:
    """Read a list of ranks (CSV, XLSX…); problems of single rows are collected, not raised."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    problems, rows = list(reading.problems), []
    first: dict[str, int] = {}
    for number, code, rank, share_bp in reading.records:
        if code in first:
            problems.append(
                reading.problem(number, f"{code} stands in row {first[code]} already; keep one of the two.", "code")
            )
            continue
        first[code] = number
        rows.append(RankRow(number, code, RankWanted(rank, share_bp)))
    return RankFile(reading.file, rows, problems)


def places_in(file: RankFile, lot: Lot) -> dict[int, RankWanted]:
    """The places of ``file`` by member id; ``InputRefused`` names every row of somebody who is no member of ``lot``."""
    members = {code_of(member): member.id for member in members_of_lot(lot.id).values()}
    problems = [
        *file.problems,
        *(
            Problem(
                file.name,
                f"{each.code} is not a member of the lot {lot.name}; correct the code or leave the row out.",
                each.row,
                "code",
            )
            for each in file.rows
            if each.code not in members
        ),
    ]
    if not file.rows and not problems:
        problems = [Problem(file.name, "The list has no member; it needs at least one row.")]
    if problems:
        raise InputRefused(problems)
    return {members[each.code]: each.wanted for each in file.rows}


def publish_rank_file(
    file: RankFile, lot: Lot, starts_on: date, *, by: str, now: datetime, note: str = ""
) -> RankEdition:
    """A new edition of the lot's ranks from a list, all or nothing.

    Raises ``InputRefused`` with every problem of the list, and otherwise what ``publish_ranks`` raises.
    """
    places = places_in(file, lot)
    try:
        return publish_ranks(lot.id, starts_on, places, by=by, now=now, note=note or f"from {file.name}")
    except SharedRank as shared:
        rows = {each.code: each.row for each in file.rows}
        later = max((rows[code] for code in shared.codes if code in rows), default=None)
        raise InputRefused([Problem(file.name, str(shared), later, "rank")]) from shared
