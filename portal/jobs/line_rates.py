"""What codes stand for on a day, and what lines can be on a job: in pounds, not withdrawn, of a value that can be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal

from portal.jobs.models import Job, JobLine
from portal.kernel.clock import date_text
from portal.kernel.db import db
from portal.kernel.errors import RuleBroken
from portal.kernel.money import shown
from portal.rates.basket import quantity_fault
from portal.rates.models import Edition, Item, StarRate
from portal.rates.queries import items_by_code, star_rates_by_code
from portal.rates.states import PriceRule

#: No job is worth more at schedule rates, in pence: beyond it somebody slipped.
MOST_VALUE_PENCE = 1_000_000_000


class Rates:
    """What codes of an edition stand for on a day: its items that are not withdrawn, and an authority's star rates.

    One statement, or two when a code is no item.
    """

    def __init__(self, edition: Edition, codes: Collection[str], day: date) -> None:
        self.edition, self.day = edition, day
        self._items = items_by_code(edition.id, codes)
        missing = set(codes) - self._items.keys()
        self._stars = star_rates_by_code(edition.schedule_id, missing, day) if missing else {}

    def of(self, code: str, authority_id: int | None) -> Item | StarRate:
        """The rate of a code for an authority; ``RuleBroken`` says why there is none."""
        item = self._items.get(code)
        if item is not None and item.withdrawn_on is not None and item.withdrawn_on <= self.day:
            raise RuleBroken(
                f"{code} was withdrawn on {date_text(item.withdrawn_on)}: {item.withdrawn_reason}. "
                "Choose another item in the catalogue."
            )
        found = item or self._stars.get((authority_id, code))
        if found is None:
            raise RuleBroken(
                f"{code} is not an item of {self.edition.schedule.code}, edition {self.edition.name}; "
                "look it up in the catalogue."
            )
        return found


def currency_fault(edition: Edition) -> str | None:
    """Why no job is priced at the rates of ``edition``; ``None`` when they are in pounds."""
    schedule = edition.schedule
    if schedule.currency == "GBP":
        return None
    return f"Jobs are priced in pounds; {schedule.code} is in {schedule.currency}. Choose a schedule in pounds."


def value_fault(value_pence: int) -> str | None:
    """What is wrong with the value of a job at schedule rates; ``None`` when nothing is."""
    if value_pence <= MOST_VALUE_PENCE:
        return None
    return (
        f"The lines would come to {shown(value_pence)} at schedule rates, and a job to {shown(MOST_VALUE_PENCE)} at "
        "most; look at the quantities again."
    )


def checked_quantity(quantity: Decimal) -> Decimal:
    """A quantity that a line can have; ``RuleBroken`` otherwise."""
    if (fault := quantity_fault(quantity)) is not None:
        raise RuleBroken(fault)
    return quantity


def check_lines(job: Job, lines: Sequence[JobLine], day: date) -> None:
    """``RuleBroken`` with every one of ``lines`` whose item is withdrawn by ``day``, or whose star rate has ended."""
    rates = Rates(db.session.get_one(Edition, job.edition_id), {line.code for line in lines}, day)
    faults = []
    for line in lines:
        try:
            rates.of(line.code, job.authority_id)
        except RuleBroken as broken:
            ended = f"The star rate {line.code} no longer holds."
            faults.append(ended if line.rule is PriceRule.STAR_RATE else str(broken))
    if faults:
        raise RuleBroken(f"{' '.join(faults)} Take {'it' if len(faults) == 1 else 'them'} off the job.")
