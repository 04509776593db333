"""Read templates of works, with what stands against them in an edition and what they come to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.framework.models import LotWorkType
from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.rates.models import Edition, Item, WorkTemplate
from portal.rates.pricing import price_line
from portal.rates.queries import items_by_code


def fault_of(code: str, item: Item | None, edition: Edition, day: date) -> str | None:
    """Why a code cannot be put on a job at the rates of ``edition``; ``None`` when it can."""
    if item is None:
        return f"{code} is not an item of {edition.schedule.code}, edition {edition.name}"
    if item.withdrawn_on is not None and item.withdrawn_on <= day:
        return f"{code} was withdrawn on {date_text(item.withdrawn_on)}"
    return None


def faults_in(codes: Collection[str], edition: Edition, day: date) -> dict[str, str]:
    """The codes that cannot be put on a job at the rates of ``edition``, each with why. One statement."""
    items = items_by_code(edition.id, codes)
    faults = {code: fault_of(code, items.get(code), edition, day) for code in codes}
    return {code: fault for code, fault in faults.items() if fault is not None}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a template in an edition: ``fault`` says why it cannot be put on a job; the price is in pence."""

    code: str
    quantity: Decimal
    item: Item | None
    fault: str | None
    net_pence: int


@dataclass(frozen=True, slots=True)
class ShownTemplate:
    """A template in an edition."""

    template: WorkTemplate
    lines: tuple[ShownLine, ...]

    @property
    def faults(self) -> list[str]:
        """Why it cannot fill a specification at the rates of this edition; empty when it can."""
        return [line.fault for line in self.lines if line.fault]

    @property
    def total_pence(self) -> int:
        return sum(line.net_pence for line in self.lines)


def templates(schedule_id: int | None = None) -> list[WorkTemplate]:
    """Every template with its lines, or those of one schedule: by work type and name."""
    query = select(WorkTemplate).options(selectinload(WorkTemplate.lines))
    if schedule_id is not None:
        query = query.where(WorkTemplate.schedule_id == schedule_id)
    return list(db.session.scalars(query.order_by(WorkTemplate.work_type, WorkTemplate.name)))


def template_by_id(template_id: int) -> WorkTemplate:
    """One template with its lines, or ``NotFound``."""
    template = db.session.scalar(
        select(WorkTemplate).where(WorkTemplate.id == template_id).options(selectinload(WorkTemplate.lines))
    )
    if template is None:
        raise NotFound("There is no such template.")
    return template


def in_edition(found: Sequence[WorkTemplate], edition: Edition, day: date) -> list[ShownTemplate]:
    """Templates as they stand in an edition on a day. One statement."""
    items = items_by_code(edition.id, {line.code for template in found for line in template.lines})
    return [
        ShownTemplate(
            template,
            tuple(
                ShownLine(
                    line.code,
                    line.quantity,
                    item := items.get(line.code),
                    fault_of(line.code, item, edition, day),
                    price_line(line.quantity, item.rate_pence).net_pence if item else 0,
                )
                for line in template.lines
            ),
        )
        for template in found
    ]


def work_types() -> list[str]:
    """Every work type that some lot takes."""
    return list(db.session.scalars(select(LotWorkType.work_type).distinct().order_by(LotWorkType.work_type)))
