"""Everything that must always hold, over all features."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from portal.framework import checks as framework_checks
from portal.jobs import checks as job_checks
from portal.kernel import audit, clock
from portal.rates import checks as rate_checks


def everything_off(uploads: Path | None = None, today: date | None = None) -> Iterator[str]:
    """A sentence for each thing that is off; nothing when all is well.

    Kept files are looked at when the folder ``uploads`` is named; ``today`` is the day on which ranks must hold.
    """
    yield from audit.broken_links()
    yield from framework_checks.faults(today or clock.local_date(clock.now()), uploads)
    yield from rate_checks.faults(uploads)
    yield from job_checks.faults()
