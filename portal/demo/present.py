"""What is certain to be there when the demonstration opens: something of everything an officer has to deal with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.demo.behaviour import Mood
from portal.demo.county import AUTHORITIES, WorkType
from portal.demo.history import History, job_like
from portal.demo.jobs import DemoJob
from portal.demo.office_hours import last_office_instant, working_minutes_before
from portal.framework.states import Priority
from portal.kernel.clock import local_date

_DAY = 8 * 60


class Standing(StrEnum):
    """How a job stands when the demonstration opens."""

    DRAFT = "draft"
    WAITING = "waiting"
    ON_OFFER = "on-offer"
    ORDERED = "ordered"
    UNWANTED = "unwanted"


@dataclass(frozen=True, slots=True)
class Certain:
    """A job that is certain to be there. ``minutes`` is how many working minutes ago it was specified."""

    standing: Standing
    minutes: int
    authorities: str
    work_type: WorkType | None = None
    priority: Priority | None = None

    def fits(self, job: DemoJob) -> bool:
        """Whether ``job`` is of the wanted work type and priority."""
        return self.work_type in (None, job.work_type) and self.priority in (None, job.priority)


_ALL = "".join(AUTHORITIES)
_HOME, _OTHERS = _ALL[0], _ALL[1:]
_S, _W, _P = Standing, WorkType, Priority
#: The home authority has most of it, because that is where the demonstration's officer signs in. What it ordered and
#: what it has on offer are of the same work types, so that one contractor has both an order and an open offer.
CERTAIN = (
    Certain(_S.UNWANTED, 9 * _DAY, _HOME, _W.RAMP, _P.PRIORITY),
    Certain(_S.UNWANTED, 7 * _DAY, _HOME, _W.LEVEL_ACCESS_SHOWER, _P.HOSPITAL_DISCHARGE),
    Certain(_S.UNWANTED, 7 * _DAY, _OTHERS, _W.HOIST_AND_TRACK, _P.HOSPITAL_DISCHARGE),
    Certain(_S.ORDERED, 4 * _DAY, _HOME, _W.STAIR_LIFT, _P.ROUTINE),
    Certain(_S.ORDERED, 4 * _DAY, _HOME, _W.LEVEL_ACCESS_SHOWER, _P.ROUTINE),
    Certain(_S.ORDERED, 3 * _DAY, _HOME, _W.MINOR_WORKS, _P.ROUTINE),
    Certain(_S.ORDERED, 3 * _DAY, _OTHERS, None, _P.ROUTINE),
    Certain(_S.DRAFT, 2 * _DAY, _HOME, _W.LEVEL_ACCESS_SHOWER),
    Certain(_S.DRAFT, 300, _HOME, _W.STAIR_LIFT),
    Certain(_S.DRAFT, 45, _HOME),
    Certain(_S.DRAFT, 200, _OTHERS),
    Certain(_S.ON_OFFER, 240, _HOME, _W.LEVEL_ACCESS_SHOWER, _P.ROUTINE),
    Certain(_S.ON_OFFER, 225, _HOME, _W.STAIR_LIFT, _P.ROUTINE),
    Certain(_S.ON_OFFER, 200, _OTHERS, None, _P.ROUTINE),
    Certain(_S.ON_OFFER, 150, _OTHERS, None, _P.PRIORITY),
    Certain(_S.ON_OFFER, 120, _HOME, _W.MINOR_WORKS, _P.PRIORITY),
    Certain(_S.ON_OFFER, 75, _OTHERS, None, _P.HOSPITAL_DISCHARGE),
    Certain(_S.ON_OFFER, 50, _HOME, _W.STAIR_LIFT, _P.HOSPITAL_DISCHARGE),
    Certain(_S.WAITING, 160, _HOME, None, _P.ROUTINE),
    Certain(_S.WAITING, 90, _HOME, None, _P.PRIORITY),
    Certain(_S.WAITING, 70, _OTHERS),
    Certain(_S.WAITING, 40, _OTHERS),
    Certain(_S.WAITING, 20, _HOME, None, _P.HOSPITAL_DISCHARGE),
)
#: Working minutes from a specification to its allocation.
_ALLOCATED_AFTER = 20
_MOODS = {Standing.UNWANTED: Mood.UNWANTED, Standing.ORDERED: Mood.WANTED_LATER, Standing.ON_OFFER: Mood.UNDECIDED}


def plan_present(history: History) -> None:
    """Plan the certain jobs, counted back from the last working hours before the history's end."""
    last = last_office_instant(history.now, history.nation)
    for place, certain in enumerate(CERTAIN):
        at = working_minutes_before(last, certain.minutes, history.nation)
        job = job_like(history.rng, local_date(at), authorities=certain.authorities, fits=certain.fits)
        if certain.standing is Standing.DRAFT:
            history.plan_draft(job, place % 3, at)
            continue
        allocated = None
        if certain.standing is not Standing.WAITING:
            allocated = working_minutes_before(last, certain.minutes - _ALLOCATED_AFTER, history.nation)
        history.plan_jobs([job], at, allocated, mood=_MOODS.get(certain.standing, Mood.USUAL))
