"""What the page on price variation shows for one work type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portal.analytics import charts, report
from portal.analytics.document import BenchmarkResult, Group, Line, benchmark_prices
from portal.analytics.frames import quoted_prices
from portal.analytics.outliers import Status

FLAGS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """Groups and flags of a work type; ``flags`` are the ``FLAGS_SHOWN`` furthest from their median, furthest first."""

    groups: list[Group]
    flags: list[Line]
    flag_count: int
    counts: dict[str, int]
    method: list[str]
    chart_text: str


def compared(work_type: str, since: date | None) -> BenchmarkResult:
    """The benchmark of the quotes for one work type, from ``since`` on where given."""
    return benchmark_prices(quoted_prices(work_type, since))


def seen(work_type: str, since: date | None) -> Seen:
    """What is shown of one work type; without groups when there are no quotes in the period."""
    result = compared(work_type, since)
    flags = sorted(result.lines(Status.OUTSIDE, Status.REVIEW), key=lambda line: (-abs(line.z or 0), line.row))
    drawn = [charts.describe(kind, groups) for kind, groups in report.kind_charts(result)]
    return Seen(
        list(result.groups()),
        flags[:FLAGS_SHOWN],
        len(flags),
        result.counts(),
        report.method_sentences(result),
        " ".join(drawn),
    )


def picture(work_type: str, since: date | None) -> str | None:
    """How the prices of one work type lie, as SVG; ``None`` when there are none."""
    for kind, groups in report.kind_charts(compared(work_type, since)):
        return charts.distribution_svg(kind, groups)
    return None
