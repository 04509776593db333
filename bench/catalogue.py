"""Searching a catalogue of 100,000 items as people type, against the bare indexed query of the right words."""

from __future__ import annotations

import random
import sqlite3
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from bench.measure import Figure, fresh_app
from portal.kernel.db import db, transaction
from portal.rates.catalogue import Wanted, find
from portal.rates.schedule_file import ScheduleFile
from portal.rates.services import import_edition

ITEMS, QUERIES, PAGE, ROUNDS = 100_000, 200, 20, 5
NOW = datetime(2026, 5, 5, 9, tzinfo=UTC)


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


#: What descriptions of works are made of: what is done, to what, of which kind, out of what, where, and how.
DONE = words(
    """supply fix remove replace renew refix adjust overhaul repair service test commission install hang ease form
cut drill break excavate lay bed point plaster skim render paint tile seal grout strip clean clear dispose connect
extend alter lower raise widen block brick hack patch refurbish relocate isolate drain flush"""
)
THINGS = words(
    """shower tray screen curtain rail bath basin pan cistern toilet washbasin tap mixer valve pump heater
thermostat waste trap gulley pipe radiator boiler cylinder tank stopcock door frame lining architrave threshold hinge
handle lock latch closer letterbox window sill lintel casement glazing ramp step landing handrail balustrade kerb path
slab paving drive crossover fence gate post wall partition stud ceiling floor joist board skirting stair lift track
platform hoist ceiling-track motor charger socket switch spur light fitting pendant fan extractor isolator circuit
consumer unit cable trunking alarm detector intercom entry-phone sensor bulb worktop cupboard drawer oven hob sink
drainer larder shelf tile vinyl carpet matting screed membrane insulation plasterboard bracket seat stool chair bed
commode frame-support panel cubicle enclosure riser plinth bidet drier dispenser mirror cabinet grabrail toilet-roll
holder hook"""
)
KINDS = words(
    """level access electric thermostatic digital manual curved straight folding sliding hinged concealed exposed
recessed adjustable fixed removable portable modular standard heavy light double single twin outward inward bariatric
paediatric assisted wheelchair ambulant slip resistant fluted smooth textured insulated fireproof waterproof low high
narrow wide offset central corner left right hand internal external upper lower first second ground"""
)
MATERIALS = words(
    """steel stainless galvanised aluminium brass copper plastic upvc timber softwood hardwood oak plywood mdf
chipboard concrete brick block stone granite ceramic porcelain glass acrylic laminate rubber nylon lead zinc clay
mortar cement sand gravel hardcore tarmac resin epoxy silicone bitumen felt"""
)
PLACES = words(
    """bathroom kitchen hall landing bedroom lounge porch garage garden entrance stairwell cupboard loft cellar
utility cloakroom wetroom passage lobby yard roof eaves gable elevation boundary"""
)
EXTRAS = words(
    """complete including excluding making good fixings plugs screws brackets primer undercoat gloss masonry
existing new matching approved manufacturer instructions decorations certificate guarantee labour materials plant waste
skip scaffold tower per metre linear square number height width depth thickness diameter length maximum minimum over
under exceeding between up down around behind beside through against"""
)
TRADES = {"PLM": "Plumbing", "ELC": "Electrical", "JNR": "Joinery", "GRW": "Groundworks", "BLD": "Building"}


@dataclass(frozen=True, slots=True)
class Query:
    """What is typed, and the FTS5 expression of what is right."""

    typed: str
    right: str


def descriptions(rng: random.Random) -> list[str]:
    """One description of about eight words for each item."""
    return [
        " ".join(
            [
                rng.choice(DONE),
                "and",
                rng.choice(DONE),
                *rng.sample(KINDS, rng.choice((1, 1, 2))),
                rng.choice(MATERIALS),
                rng.choice(THINGS),
                *(["to", rng.choice(PLACES)] if rng.random() < 0.5 else []),
                *rng.sample(EXTRAS, rng.choice((0, 1, 2))),
                *([f"{rng.randrange(1, 40) * 50}mm"] if rng.random() < 0.4 else []),
            ]
        )
        for _ in range(ITEMS)
    ]


def codes() -> list[str]:
    """The code of each item."""
    by_trade = list(TRADES)
    return [f"{by_trade[number * len(by_trade) // ITEMS]}-{number:06d}" for number in range(ITEMS)]


def mistyped(word: str, rng: random.Random) -> str:
    """``word`` with one error behind its first letter: left out, doubled, wrong, or two in the wrong order."""
    at = rng.randrange(1, len(word) - 1)
    return rng.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + rng.choice("aeiorstln") + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )


def queries(texts: Sequence[str], names: Sequence[str], rng: random.Random) -> list[Query]:
    """One to three words of an item in any order, the last often just begun; one in six with a typing error in a word
    of five letters or more, one in twelve a code."""
    made: list[Query] = []
    while len(made) < QUERIES:
        number = rng.randrange(ITEMS)
        if len(made) % 12 == 5:
            code = names[number]
            shown = rng.choice((code, code.lower(), code.replace("-", " "), code.replace("0", "O"), code[:7]))
            plain = code[: len(shown)] if len(shown) < len(code) else code
            made.append(Query(shown, " AND ".join(f'words:"{part}"*' for part in plain.lower().split("-") if part)))
            continue
        words = rng.sample([word for word in texts[number].replace("-", " ").split() if len(word) > 2], 3)
        words = words[: rng.choice((1, 2, 2, 3))]
        if rng.random() < 0.6:
            words[-1] = words[-1][: rng.randrange(3, len(words[-1]) + 1)]
        right = [f'words:"{word}"*' for word in words]
        if len(made) % 6 == 3:
            long = [place for place, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
            if not long:
                continue
            at = rng.choice(long)
            words[at] = mistyped(words[at], rng)
        made.append(Query(" ".join(words), " AND ".join(right)))
    return made


def p95(taken: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(taken, n=20)[-1]


def figures() -> list[Figure]:
    """The ratio of the 95th percentiles; both sides of each query in turn, several times over."""
    rng = random.Random(11)  # noqa: S311 - an invented list
    texts, names = descriptions(rng), codes()
    asked = queries(texts, names, rng)
    records = [
        (row, code, text, None, TRADES[code[:3]], "nr", rng.randrange(500, 500_000), *[None] * 6)
        for row, (code, text) in enumerate(zip(names, texts, strict=True), start=2)
    ]
    with fresh_app() as (_, database):
        with transaction():
            edition = import_edition(
                ScheduleFile("list.csv", records, {}, [], []),
                schedule_code="BENCH",
                edition_name="1",
                starts_on=date(2026, 4, 1),
                by="bench",
                now=NOW,
            )
        return measured(database, edition.id, asked)


def measured(database: Path, edition_id: int, asked: Sequence[Query]) -> list[Figure]:
    """Ask every query both ways."""
    connection = sqlite3.connect(database)
    bare = (
        "SELECT item.id, code, description, trade, unit, rate_pence FROM item_fts "
        "JOIN item ON item.id = item_fts.rowid WHERE item_fts MATCH ? LIMIT ?"
    )
    ratios, ours_ms, bare_ms, found = [], [], [], 0
    for turn in range(ROUNDS + 1):
        ours, theirs = [], []
        for query in asked:
            start = time.perf_counter()
            page = find(edition_id, Wanted(query.typed), PAGE)
            between = time.perf_counter()
            connection.execute(bare, (f'edition:"{edition_id}" AND {query.right}', PAGE)).fetchall()
            theirs.append(time.perf_counter() - between)
            ours.append(between - start)
            found += bool(page.items)
        # The first turn warms both sides up.
        if turn:
            ratios.append(p95(ours) / p95(theirs))
            ours_ms.append(p95(ours) * 1000)
            bare_ms.append(p95(theirs) * 1000)
    db.session.rollback()
    connection.close()
    detail = (
        f"p95 {statistics.median(ours_ms):.2f} ms against {statistics.median(bare_ms):.2f} ms; rounds "
        f"{min(ratios):.2f} to {max(ratios):.2f}; {found / (ROUNDS + 1):.0f} of {len(asked)} found something"
    )
    name = f"search in {ITEMS:,} items ÷ bare indexed query, p95"
    return [Figure(name, statistics.median(ratios), 3.0, "times", detail)]
