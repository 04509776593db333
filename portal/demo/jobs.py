"""Job specifications as a technical officer would write them: a package for the work type, and some extras.

A package is what the home needs (mostly one composite item of the schedule); extras are what the survey found.
Addresses, postcodes and clients are invented; the postcode area ZZ does not exist.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

from portal.demo.county import AUTHORITIES, WorkType
from portal.framework.states import Priority
from portal.kernel.working_time import Nation, is_working_day, next_working_day

COLUMNS = (
    "reference",
    "authority",
    "work_type",
    "priority",
    "postcode",
    "client",
    "required_start",
    "lines",
    "address",
)

#: How often a work type comes up, of a hundred jobs.
FREQUENCY: Mapping[WorkType, int] = MappingProxyType(
    {
        WorkType.LEVEL_ACCESS_SHOWER: 34,
        WorkType.STAIR_LIFT: 27,
        WorkType.MINOR_WORKS: 14,
        WorkType.RAMP: 10,
        WorkType.DOOR_WIDENING: 6,
        WorkType.HOIST_AND_TRACK: 5,
        WorkType.KITCHEN: 4,
    }
)
#: How often a priority comes up, of a hundred jobs, and within how many days from today the work must start.
URGENCY: Mapping[Priority, tuple[int, int, int]] = MappingProxyType(
    {
        Priority.HOSPITAL_DISCHARGE: (8, 5, 10),
        Priority.PRIORITY: (24, 14, 25),
        Priority.ROUTINE: (68, 30, 70),
    }
)
MOST_EXTRAS = 3
#: The inward part of a postcode does not use the letters that are easily misread.
_INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_STREETS = ("Example Road", "Sample Street", "Specimen Close", "Placeholder Avenue", "Pattern Lane", "Model Crescent")


@dataclass(frozen=True, slots=True)
class DemoJob:
    """One specified job; ``lines`` are (code, quantity) pairs from the adaptations schedule, each code once."""

    reference: str
    authority: str
    work_type: WorkType
    priority: Priority
    postcode: str
    client: str
    address: str
    required_start: date
    lines: tuple[tuple[str, Decimal], ...]

    def as_row(self) -> dict[str, str]:
        """The job as a row of the jobs file, with its optional address, keyed by ``COLUMNS``."""
        return {
            "reference": self.reference,
            "authority": self.authority,
            "work_type": self.work_type.value,
            "priority": self.priority.value,
            "postcode": self.postcode,
            "client": self.client,
            "required_start": self.required_start.isoformat(),
            "lines": ";".join(f"{code}*{quantity}" for code, quantity in self.lines),
            "address": self.address,
        }


@dataclass(frozen=True, slots=True)
class Extra:
    """An item that may come on top: its usual quantities, and the chance that a job has it (0 to 1)."""

    code: str
    quantities: tuple[str, ...]
    chance: float


@dataclass(frozen=True, slots=True)
class Package:
    """What a kind of job always has, how often it comes up against the others, and its possible extras."""

    share: int
    lines: tuple[tuple[str, str], ...]
    extras: tuple[Extra, ...] = ()


_ONE = ("1",)
_LIFT_EXTRAS = (
    Extra("STL-122", _ONE, 0.35),
    Extra("STL-123", _ONE, 0.2),
    Extra("STL-130", _ONE, 0.25),
    Extra("ELE-107", _ONE, 0.15),
    Extra("RAL-108", ("2", "3.5", "4"), 0.2),
)
_STRAIGHT_EXTRAS = (*_LIFT_EXTRAS, Extra("STL-104", ("0.5", "1", "1.5"), 0.2), Extra("STL-112", _ONE, 0.1))
_SHOWER_EXTRAS = (
    Extra("LAS-142", _ONE, 0.2),
    Extra("PLU-102", _ONE, 0.25),
    Extra("WCB-103", _ONE, 0.2),
    Extra("WCB-105", _ONE, 0.15),
    Extra("FLO-102", ("4", "5", "6"), 0.25),
    Extra("PLA-102", ("2.5", "4", "6"), 0.2),
    Extra("DOR-109", _ONE, 0.2),
    Extra("ASB-101", _ONE, 0.1),
    Extra("RAL-104", _ONE, 0.15),
)
_RAMP_EXTRAS = (
    Extra("EXT-105", _ONE, 0.35),
    Extra("EXT-101", ("2.5", "4", "6"), 0.3),
    Extra("RMP-109", _ONE, 0.1),
    Extra("ACC-104", _ONE, 0.2),
)
_DOOR_EXTRAS = (
    Extra("ELE-104", ("1", "2"), 0.25),
    Extra("PLU-102", _ONE, 0.15),
    Extra("DEC-102", ("12", "20", "27.5"), 0.4),
    Extra("ASB-101", _ONE, 0.1),
)
_HOIST_EXTRAS = (
    Extra("HOI-112", ("1", "2"), 0.8),
    Extra("DEC-102", ("14", "18"), 0.3),
    Extra("ELE-104", _ONE, 0.3),
)
_KITCHEN_EXTRAS = (
    Extra("ELE-105", _ONE, 0.25),
    Extra("PLU-102", _ONE, 0.25),
    Extra("ELE-107", ("1", "2"), 0.3),
    Extra("ASB-101", _ONE, 0.15),
)

PACKAGES: Mapping[WorkType, tuple[Package, ...]] = MappingProxyType(
    {
        WorkType.STAIR_LIFT: (
            Package(44, (("STL-001", "1"),), (*_STRAIGHT_EXTRAS, Extra("STL-121", _ONE, 0.1))),
            Package(18, (("STL-002", "1"),), _STRAIGHT_EXTRAS),
            Package(10, (("STL-003", "1"),), _LIFT_EXTRAS),
            Package(4, (("STL-004", "1"),), _LIFT_EXTRAS),
            Package(4, (("STL-005", "1"),), (Extra("EXT-105", _ONE, 0.5),)),
            Package(6, (("STL-006", "1"), ("STL-122", "1"), ("STL-130", "1")), (Extra("STL-104", ("0.5", "1"), 0.3),)),
            Package(14, (("STL-007", "1"),), _LIFT_EXTRAS),
        ),
        WorkType.LEVEL_ACCESS_SHOWER: (
            Package(52, (("LAS-001", "1"),), (*_SHOWER_EXTRAS, Extra("LAS-141", _ONE, 0.2))),
            Package(12, (("LAS-002", "1"),), _SHOWER_EXTRAS),
            Package(14, (("LAS-003", "1"),), _SHOWER_EXTRAS),
            Package(22, (("LAS-004", "1"),), _SHOWER_EXTRAS),
        ),
        WorkType.RAMP: (
            Package(4, (("RMP-001", "1"),), _RAMP_EXTRAS),
            Package(4, (("RMP-002", "1"),), _RAMP_EXTRAS),
            Package(2, (("RMP-003", "1"),), _RAMP_EXTRAS),
        ),
        WorkType.DOOR_WIDENING: (
            Package(5, (("DOR-001", "1"),), _DOOR_EXTRAS),
            Package(2, (("DOR-002", "1"), ("SUR-003", "1")), _DOOR_EXTRAS),
            Package(2, (("DOR-003", "1"),), _DOOR_EXTRAS),
            Package(1, (("DOR-004", "1"),), _DOOR_EXTRAS),
        ),
        WorkType.HOIST_AND_TRACK: (
            Package(6, (("HOI-001", "1"),), _HOIST_EXTRAS),
            Package(3, (("HOI-002", "1"),), _HOIST_EXTRAS),
            Package(1, (("HOI-111", "1"), ("HOI-112", "1")), (Extra("ELE-104", _ONE, 0.4),)),
        ),
        # Each of these stays under the £1,000 that minor works may cost, and over the minimum order or with its
        # supplement.
        WorkType.MINOR_WORKS: (
            Package(4, (("RAL-001", "1"),), (Extra("ACC-104", _ONE, 0.4), Extra("RMP-109", _ONE, 0.3))),
            Package(3, (("RAL-108", "3.5"), ("RAL-107", "1")), (Extra("RAL-101", ("1", "2"), 0.6),)),
            Package(3, (("RAL-102", "2"), ("PRE-102", "1"))),
            Package(2, (("RAL-106", "3"), ("RAL-105", "1")), (Extra("EXT-105", _ONE, 0.4),)),
            Package(2, (("WCB-103", "1"),), (Extra("RAL-104", ("1", "2"), 0.6),)),
            Package(2, (("RMP-112", "1"),), (Extra("RAL-105", ("1", "2"), 0.6), Extra("ACC-104", _ONE, 0.4))),
            Package(1, (("ACC-102", "1"), ("ACC-104", "1"))),
        ),
        WorkType.KITCHEN: (
            Package(6, (("KIT-001", "1"),), _KITCHEN_EXTRAS),
            Package(4, (("KIT-002", "1"),), _KITCHEN_EXTRAS),
        ),
    }
)


def demo_jobs(rng: random.Random, count: int, today: date) -> list[DemoJob]:
    """``count`` specified jobs that wait for allocation on ``today``; their works must start on working days after it.

    References run from ``DFG-<year of today>-00001``. Raises ``ValueError`` for a negative ``count``.
    """
    if count < 0:
        raise ValueError(f"There cannot be {count} jobs; ask for none or more.")
    return [_job(rng, number, today) for number in range(1, count + 1)]


def _job(rng: random.Random, number: int, today: date) -> DemoJob:
    place = rng.randrange(len(AUTHORITIES))
    work_type = rng.choices(list(FREQUENCY), list(FREQUENCY.values()))[0]
    priority = rng.choices(list(URGENCY), [share for share, _, _ in URGENCY.values()])[0]
    _, soonest, latest = URGENCY[priority]
    start = today + timedelta(days=rng.randint(soonest, latest))
    if not is_working_day(start, Nation.ENGLAND_AND_WALES):
        start = next_working_day(start, Nation.ENGLAND_AND_WALES)
    inward = "".join(rng.choices(_INWARD_LETTERS, k=2))
    return DemoJob(
        reference=f"DFG-{today.year}-{number:05}",
        authority=AUTHORITIES[place],
        work_type=work_type,
        priority=priority,
        # A district of its own for each authority, so that areas by postcode agree with areas by authority.
        postcode=f"ZZ{place + 1} {rng.randint(1, 9)}{inward}",
        client=f"Client {number:04}",
        address=f"{rng.randint(1, 180)} {rng.choice(_STREETS)}",
        required_start=start,
        lines=_lines(rng, work_type),
    )


def _lines(rng: random.Random, work_type: WorkType) -> tuple[tuple[str, Decimal], ...]:
    packages = PACKAGES[work_type]
    package = rng.choices(packages, [each.share for each in packages])[0]
    found = [extra for extra in package.extras if rng.random() < extra.chance]
    if len(found) > MOST_EXTRAS:
        found = rng.sample(found, MOST_EXTRAS)
    lines = [*package.lines, *((extra.code, rng.choice(extra.quantities)) for extra in found)]
    return tuple((code, Decimal(quantity)) for code, quantity in lines)
