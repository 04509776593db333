"""The demonstration county's authorities and work types: the words that its lists, jobs and prices share."""

from __future__ import annotations

from enum import StrEnum

#: Authority codes. A to E stand for the five that published medians, F to J for the five that did not.
AUTHORITIES = tuple("ABCDEFGHIJ")


class WorkType(StrEnum):
    """What a job is; also the name of the lot that it is called off from."""

    STAIR_LIFT = "Stair lift"
    LEVEL_ACCESS_SHOWER = "Level-access shower"
    RAMP = "Ramp"
    DOOR_WIDENING = "Door widening"
    HOIST_AND_TRACK = "Hoist and track"
    MINOR_WORKS = "Minor works"
    KITCHEN = "Kitchen"
