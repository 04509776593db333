"""Where postcode districts lie: a list that an authority brings in, and the distance of firms from a postcode.

The list is the authority's own (the national statistics office publishes one); without it no distance is known, and
pages say so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert, select, update

from portal.framework.models import PostcodeDistrict
from portal.framework.rules import POSTCODE_DISTRICT, district_of, miles_between
from portal.kernel import audit
from portal.kernel.db import db, table_of
from portal.kernel.errors import InputRefused, Problem
from portal.tables import Field, read_records
from portal.tables import Mapping as Headers

#: Where postcode districts can lie, in degrees: a latitude and longitude that changed places lie elsewhere.
SOUTH, NORTH, WEST, EAST = Decimal(49), Decimal(61), Decimal(-9), Decimal("2.5")

Point = tuple[float, float]

FIELDS = (
    Field("district", "text", longest=20, words=("postcode", "postcode district", "outcode", "outward code")),
    Field("latitude", "decimal", minimum=SOUTH, maximum=NORTH, places=15, words=("lat",)),
    Field("longitude", "decimal", minimum=WEST, maximum=EAST, places=15, words=("long", "lon", "lng")),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A postcode district and its middle in degrees (WGS 84)."""

    row: int
    district: str
    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, slots=True)
class PlaceFile:
    """What a list of districts holds, and what is wrong with it."""

    name: str
    rows: list[Place]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class ImportedPlaces:
    """How many districts a list had, and how many of them were new or lie elsewhere now."""

    rows: int = 0
    added: int = 0
    moved: int = 0


def read_places(path: Path, mapping: Headers | None = None) -> PlaceFile:
    """Read a list ``district, latitude, longitude`` (CSV, XLSX…); problems of single rows are collected, not raised."""
    reading = read_records(path, FIELDS, mapping or Headers.none())
    problems = list(reading.problems)
    rows: list[Place] = []
    first: dict[str, int] = {}
    for number, text, latitude, longitude in reading.records:
        district = district_in(text)
        if district is None:
            problems.append(
                reading.problem(number, f"“{text}” is not a postcode district; write one such as RG1.", "district")
            )
        elif district in first:
            problems.append(
                reading.problem(
                    number, f"{district} stands in row {first[district]} already; keep one of the two rows.", "district"
                )
            )
        else:
            first[district] = number
            rows.append(Place(number, district, latitude, longitude))
    return PlaceFile(reading.file, rows, problems)


def import_places(file: PlaceFile, *, by: str, now: datetime) -> ImportedPlaces:
    """Bring the districts of ``file`` in, all or nothing; those that it does not name stay as they are.

    Raises ``InputRefused`` with every problem of the file.
    """
    if file.problems:
        raise InputRefused(file.problems)
    if not file.rows:
        raise InputRefused([Problem(file.name, "The list has no district; it needs at least one row.")])
    known = positions()
    added, moved = [], []
    for place in file.rows:
        point = (float(place.latitude), float(place.longitude))
        values = {"district": place.district, "latitude": point[0], "longitude": point[1]}
        if place.district not in known:
            added.append(values)
        elif known[place.district] != point:
            moved.append(values)
    if added:
        db.session.execute(insert(table_of(PostcodeDistrict)), added)
    if moved:
        db.session.execute(update(PostcodeDistrict), moved)
    audit.record(
        "places imported",
        "places",
        at=now,
        actor=by,
        file=file.name,
        rows=len(file.rows),
        added=len(added),
        moved=len(moved),
    )
    return ImportedPlaces(len(file.rows), len(added), len(moved))


def district_in(text: str) -> str | None:
    """The district that a postcode, or a district by itself, names: ``"rg1 2ab"`` and ``"RG1"`` → ``"RG1"``."""
    tidy = " ".join(text.upper().split())
    for candidate in (tidy, district_of(tidy)):
        if POSTCODE_DISTRICT.fullmatch(candidate):
            return candidate
    return None


def positions(districts: Collection[str] | None = None) -> dict[str, Point]:
    """Latitude and longitude by district, of some districts or of all that are known."""
    query = select(PostcodeDistrict.district, PostcodeDistrict.latitude, PostcodeDistrict.longitude)
    if districts is not None:
        query = query.where(PostcodeDistrict.district.in_(districts))
    return {district: (latitude, longitude) for district, latitude, longitude in db.session.execute(query)}


def miles_from(origin: str, postcodes: Iterable[str]) -> Mapping[str, float] | None:
    """Miles from the district ``origin`` to each of ``postcodes`` whose district is known; ``None`` if ``origin`` is
    not known. Measured between the middles of the districts."""
    districts = {postcode: district_in(postcode) for postcode in postcodes}
    known = positions({origin, *(district for district in districts.values() if district)})
    if origin not in known:
        return None
    return {
        postcode: miles_between(known[origin], known[district])
        for postcode, district in districts.items()
        if district in known
    }
