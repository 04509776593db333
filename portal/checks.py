"""Everything that must always hold, over all features."""

from __future__ import annotations

from collections.abc import Iterator

from portal.jobs import checks as job_checks
from portal.kernel import audit


def everything_off() -> Iterator[str]:
    """A sentence for each thing that is off; nothing when all is well."""
    yield from audit.broken_links()
    yield from job_checks.faults()
