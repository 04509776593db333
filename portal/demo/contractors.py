"""Twenty invented contractors: which lots and areas they serve, their ranks, and documents dated from today.

Who serves what is fixed, so that every area always has at least four members in each lot whose documents hold;
ranks, adjustments and most dates come from the caller's generator. Five firms show what a list looks like in
life: a document that has expired, one that is missing, two that end soon, and a date before which a firm is busy.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from portal.demo.county import AUTHORITIES, WorkType

DOCUMENT_KINDS = ("public-liability", "employers-liability", "electrical")
COLUMNS = (
    "code",
    "name",
    "email",
    "phone",
    "postcode",
    "sme",
    "lots",
    "areas",
    "rank",
    "adjustment_percent",
    "capacity",
    "accepts_from",
    *(f"document:{kind}" for kind in DOCUMENT_KINDS),
)
#: Tendered adjustments run from −6 to +7.5 % in quarters of a per cent.
LOWEST_QUARTER, HIGHEST_QUARTER = -24, 30
#: A document without a story of its own holds this many days from today, at the least and at the most.
HOLDS_AT_LEAST, HOLDS_AT_MOST = 70, 365

_ALL = "".join(AUTHORITIES)
_NONE_OF_ITS_OWN: Mapping[str, int | None] = MappingProxyType({})
_W = WorkType


@dataclass(frozen=True, slots=True)
class Firm:
    """A contractor and what it serves.

    ``documents`` holds the days from today on which a document ends where that is part of the demonstration;
    ``None`` means that the firm does not hold it. ``busy_days`` is how long it takes no new work.
    """

    code: str
    name: str
    mailbox: str
    lots: tuple[WorkType, ...]
    areas: str
    capacity: int
    sme: bool = True
    documents: Mapping[str, int | None] = field(default_factory=lambda: _NONE_OF_ITS_OWN)
    busy_days: int | None = None


FIRMS = (
    Firm(
        "C01",
        "Ridgeway Access Works",
        "jobs@ridgeway-access.example",
        (_W.STAIR_LIFT, _W.LEVEL_ACCESS_SHOWER, _W.RAMP, _W.DOOR_WIDENING, _W.MINOR_WORKS),
        _ALL,
        8,
    ),
    Firm(
        "C02", "Fernbrook Stair Lifts", "orders@fernbrook-lifts.example", (_W.STAIR_LIFT, _W.HOIST_AND_TRACK), _ALL, 10
    ),
    Firm(
        "C03",
        "Millrace Home Adaptations",
        "office@millrace-adaptations.example",
        (_W.LEVEL_ACCESS_SHOWER, _W.DOOR_WIDENING, _W.KITCHEN, _W.MINOR_WORKS),
        "ABCDEF",
        5,
    ),
    Firm(
        "C04",
        "Oakhollow Building Services",
        "works@oakhollow-building.example",
        (_W.LEVEL_ACCESS_SHOWER, _W.RAMP, _W.DOOR_WIDENING, _W.KITCHEN),
        "EFGHIJ",
        6,
    ),
    Firm(
        "C05", "Level Landing Lifts", "orders@level-landing.example", (_W.STAIR_LIFT, _W.HOIST_AND_TRACK), "ABCDEF", 6
    ),
    Firm(
        "C06",
        "Clearford Wet Rooms",
        "jobs@clearford-wetrooms.example",
        (_W.LEVEL_ACCESS_SHOWER,),
        _ALL,
        9,
        busy_days=10,
    ),
    Firm(
        "C07",
        "Hillfoot Ramps and Rails",
        "works@hillfoot-ramps.example",
        (_W.RAMP, _W.MINOR_WORKS, _W.DOOR_WIDENING),
        _ALL,
        7,
    ),
    Firm(
        "C08",
        "Northgate Adaptations",
        "frameworks@northgate-adaptations.example",
        (_W.STAIR_LIFT, _W.LEVEL_ACCESS_SHOWER, _W.RAMP, _W.MINOR_WORKS, _W.HOIST_AND_TRACK),
        "ABCDEFG",
        12,
        sme=False,
    ),
    Firm(
        "C09",
        "Southmead Property Works",
        "office@southmead-works.example",
        (_W.LEVEL_ACCESS_SHOWER, _W.DOOR_WIDENING, _W.KITCHEN, _W.MINOR_WORKS, _W.RAMP),
        "DEFGHIJ",
        8,
    ),
    Firm(
        "C10",
        "Greenlane Building Company",
        "jobs@greenlane-building.example",
        (_W.DOOR_WIDENING, _W.KITCHEN, _W.LEVEL_ACCESS_SHOWER),
        "ABCDE",
        4,
    ),
    Firm(
        "C11",
        "Kingcup Bathrooms and Kitchens",
        "orders@kingcup-bathrooms.example",
        (_W.LEVEL_ACCESS_SHOWER, _W.KITCHEN),
        "FGHIJ",
        4,
        documents={"employers-liability": 20},
    ),
    Firm(
        "C12",
        "Stonebridge Access Equipment",
        "office@stonebridge-access.example",
        (_W.STAIR_LIFT, _W.HOIST_AND_TRACK, _W.RAMP),
        "EFGHIJ",
        6,
    ),
    Firm(
        "C13",
        "Harrowfield Hoists and Track",
        "orders@harrowfield-hoists.example",
        (_W.HOIST_AND_TRACK, _W.STAIR_LIFT),
        _ALL,
        8,
    ),
    Firm("C14", "Willowbank Kitchens", "jobs@willowbank-kitchens.example", (_W.KITCHEN,), _ALL, 5, busy_days=21),
    Firm(
        "C15",
        "Meadowside Contractors",
        "office@meadowside-contractors.example",
        (_W.MINOR_WORKS, _W.DOOR_WIDENING, _W.RAMP, _W.LEVEL_ACCESS_SHOWER),
        "ABCDE",
        3,
        documents={"public-liability": -12},
    ),
    Firm("C16", "Larkfield Small Works", "jobs@larkfield-works.example", (_W.MINOR_WORKS,), _ALL, 12),
    Firm(
        "C17",
        "Brookvale Electrical and Access",
        "works@brookvale-access.example",
        (_W.MINOR_WORKS, _W.STAIR_LIFT, _W.HOIST_AND_TRACK),
        "FGHIJ",
        4,
    ),
    Firm(
        "C18",
        "Castlegate Construction",
        "frameworks@castlegate-construction.example",
        (_W.LEVEL_ACCESS_SHOWER, _W.KITCHEN, _W.DOOR_WIDENING, _W.RAMP),
        _ALL,
        12,
        sme=False,
    ),
    Firm(
        "C19",
        "Thornfield Lifts",
        "frameworks@thornfield-lifts.example",
        (_W.STAIR_LIFT, _W.HOIST_AND_TRACK),
        _ALL,
        10,
        sme=False,
        documents={"electrical": 9},
    ),
    Firm(
        "C20",
        "Chalkpit Groundworks",
        "office@chalkpit-groundworks.example",
        (_W.RAMP, _W.DOOR_WIDENING, _W.MINOR_WORKS),
        _ALL,
        2,
        documents={"electrical": None},
    ),
)


def members_of(work_type: WorkType, authority: str) -> tuple[str, ...]:
    """The codes of the contractors that serve ``work_type`` in ``authority``, in code order."""
    return tuple(firm.code for firm in FIRMS if work_type in firm.lots and authority in firm.areas)


def contractor_rows(rng: random.Random, today: date) -> list[dict[str, str]]:
    """The contractor list as rows of the interface's contractors file, keyed by ``COLUMNS``.

    A contractor has a row for each rank and adjustment it tendered; its lots that share both share a row. Ranks run
    from 1 within a lot and are never given twice. Dates are ISO, counted from ``today``; percentages are per cent.
    """
    ranks = _ranks(rng)
    rows = []
    for number, firm in enumerate(FIRMS, 1):
        own = _own_columns(rng, firm, number, today)
        terms: defaultdict[tuple[int, int], list[WorkType]] = defaultdict(list)
        tendered = rng.randint(LOWEST_QUARTER, HIGHEST_QUARTER)
        for lot in firm.lots:
            # A firm tenders much the same everywhere, sharper or dearer in some lots than in others.
            quarters = min(HIGHEST_QUARTER, max(LOWEST_QUARTER, tendered + rng.choice((-4, 0, 0, 0, 4))))
            terms[ranks[lot, firm.code], quarters].append(lot)
        rows += [
            own | {"lots": ";".join(lots), "rank": str(rank), "adjustment_percent": f"{quarters / 4:.2f}"}
            for (rank, quarters), lots in terms.items()
        ]
    return [{column: row[column] for column in COLUMNS} for row in rows]


def _ranks(rng: random.Random) -> dict[tuple[WorkType, str], int]:
    ranks: dict[tuple[WorkType, str], int] = {}
    for lot in WorkType:
        codes = [firm.code for firm in FIRMS if lot in firm.lots]
        rng.shuffle(codes)
        ranks |= {(lot, code): rank for rank, code in enumerate(codes, 1)}
    return ranks


def _own_columns(rng: random.Random, firm: Firm, number: int, today: date) -> dict[str, str]:
    """What is the same in every row of one firm. Telephone numbers are from the range kept for drama."""
    columns = {
        "code": firm.code,
        "name": firm.name,
        "email": firm.mailbox,
        "phone": f"01632 960{100 + number}" if number % 3 else f"07700 900{100 + number}",
        "postcode": f"ZZ{1 + number % 10} {number % 9 + 1}AB",
        "sme": "yes" if firm.sme else "no",
        "areas": ";".join(firm.areas),
        "capacity": str(firm.capacity),
        "accepts_from": "" if firm.busy_days is None else (today + timedelta(days=firm.busy_days)).isoformat(),
    }
    for kind in DOCUMENT_KINDS:
        days = firm.documents.get(kind, rng.randint(HOLDS_AT_LEAST, HOLDS_AT_MOST))
        columns[f"document:{kind}"] = "" if days is None else (today + timedelta(days=days)).isoformat()
    return columns
