"""The contractor list as a file: a row per contractor, or several rows when its rank differs by lot.

Reading checks everything that can be checked without the database; ``services.import_contractors`` does the rest.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from portal.accounts.services import clean_email
from portal.kernel.errors import Problem, RuleBroken
from portal.tables import Field, Mapping, Reading, read_records

#: More members or jobs at once than any list has.
MOST = 100_000
#: Longest name of a lot (it is also its work type) and code of an area, in characters.
LONGEST = {"lots": 120, "areas": 64}

FIELDS = (
    Field("code", "text", longest=64),
    Field("name", "text", longest=200),
    Field("email", "text", longest=254),
    Field("phone", "text", required=False, longest=40),
    Field("postcode", "text", required=False, longest=10),
    Field("sme", "flag", required=False),
    Field("lots", "text", words=("lot", "work types")),
    Field("areas", "text", words=("area", "authorities")),
    Field("rank", "integer", minimum=1, maximum=MOST),
    Field("adjustment_percent", "percent", required=False, maximum=100_000, words=("adjustment", "adjustment %")),
    Field("capacity", "integer", minimum=0, maximum=MOST),
    Field("accepts_from", "date", required=False),
    Field("document:", "date", required=False, prefix=True),
)


@dataclass(frozen=True, slots=True)
class ContractorRow:
    """One row of the list; ``documents`` maps a kind to its last good day."""

    row: int
    code: str
    name: str
    email: str
    phone: str
    postcode: str
    sme: bool
    lots: tuple[str, ...]
    areas: tuple[str, ...]
    rank: int
    adjustment_bp: int
    capacity: int
    accepts_from: date | None
    documents: dict[str, date]

    @property
    def firm(self) -> tuple[object, ...]:
        """What must be the same in every row of one contractor."""
        return (
            self.name,
            self.email,
            self.phone,
            self.postcode,
            self.sme,
            self.capacity,
            self.accepts_from,
            tuple(sorted(self.documents.items())),
        )


@dataclass(frozen=True, slots=True)
class ContractorFile:
    """What a list holds: its rows, the document kinds that its header names, and what is wrong with it.

    ``columns`` are the fields that its header has, or for which a map gives a default; ``None`` stands for all. What
    a list has no column for it does not speak of.
    """

    name: str
    rows: list[ContractorRow]
    document_kinds: tuple[str, ...]
    problems: list[Problem]
    columns: frozenset[str] | None = None

    def speaks_of(self, column: str) -> bool:
        """Whether the list has this column: an empty cell of it means that there is none."""
        return self.columns is None or column in self.columns


def listed(text: str) -> tuple[str, ...]:
    """``"A; B;"`` → ``("A", "B")``, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def read_contractors(path: Path, mapping: Mapping | None = None) -> ContractorFile:
    """Read a list; problems that make single rows unusable are collected, not raised."""
    mapping = mapping or Mapping.none()
    reading = read_records(path, FIELDS, mapping)
    problems = list(reading.problems)
    rows = []
    kinds: dict[str, None] = {}
    for (
        number,
        code,
        name,
        email,
        phone,
        postcode,
        sme,
        lots,
        areas,
        rank,
        adjustment,
        capacity,
        accepts_from,
        documents,
    ) in reading.records:
        kinds.update(dict.fromkeys(documents))
        row = ContractorRow(
            number,
            code,
            name,
            email,
            phone or "",
            postcode or "",
            bool(sme),
            listed(lots),
            listed(areas),
            rank,
            adjustment or 0,
            capacity,
            accepts_from,
            {kind: day for kind, day in documents.items() if day is not None},
        )
        rows.append(row)
        problems += [
            reading.problem(number, f"There is no {what} in this cell; name at least one.", column)
            for what, column, values in (("lot", "lots", row.lots), ("area", "areas", row.areas))
            if not values
        ]
        problems += [
            reading.problem(
                number, f"The name {name[:20]}… has {len(name)} characters; at most {LONGEST[column]} fit.", column
            )
            for column, names in (("lots", row.lots), ("areas", row.areas))
            for name in names
            if len(name) > LONGEST[column]
        ]
        try:
            clean_email(email)
        except RuleBroken as fault:
            problems.append(reading.problem(number, str(fault), "email"))
        if row.adjustment_bp <= -10_000:
            problems.append(
                reading.problem(
                    number,
                    "An adjustment of −100 % or less leaves no price; write for example -2.5 for two and a half per "
                    "cent below the schedule.",
                    "adjustment_percent",
                )
            )
    problems += [
        Problem(reading.file, f"The kind of document {kind[:20]}… has {len(kind)} characters; at most 64 fit.")
        for kind in kinds
        if len(kind) > 64
    ]
    columns = frozenset({*reading.columns, *mapping.defaults})
    return ContractorFile(reading.file, rows, tuple(kinds), problems + disagreements(reading, rows), columns)


def disagreements(reading: Reading, rows: list[ContractorRow]) -> list[Problem]:
    """Rows of one contractor that differ in what belongs to the firm, a lot named twice, a rank given twice."""
    problems = []
    firms: dict[str, ContractorRow] = {}
    lots_of: defaultdict[str, dict[str, int]] = defaultdict(dict)
    ranks: dict[tuple[str, str, int], ContractorRow] = {}
    for row in rows:
        first = firms.setdefault(row.code, row)
        if first.firm != row.firm:
            problems.append(
                reading.problem(
                    row.row,
                    f"{row.code} stands in row {first.row} with another name, address, capacity "
                    "or document; make the rows of one contractor agree.",
                    "code",
                )
            )
        for lot in row.lots:
            if lot in lots_of[row.code]:
                problems.append(
                    reading.problem(
                        row.row,
                        f"{row.code} is a member of {lot} in row {lots_of[row.code][lot]} already; "
                        "keep one of the two rows.",
                        "lots",
                    )
                )
                continue
            lots_of[row.code][lot] = row.row
            for area in row.areas:
                other = ranks.setdefault((lot, area, row.rank), row)
                if other.code != row.code:
                    problems.append(
                        reading.problem(
                            row.row,
                            f"{other.code} in row {other.row} has rank {row.rank} in lot {lot}, "
                            f"area {area}, too; give each member a rank of its own.",
                            "rank",
                        )
                    )
    return problems
