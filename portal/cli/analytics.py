"""``portal benchmark``: prices from files compared with each other, without a database."""

from __future__ import annotations

from pathlib import Path

import click

from portal.cli.frame import FILE, json_option, map_option, refusals, show_json
from portal.kernel.money import shown
from portal.tables import Mapping

SHOWN = 20


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--by", default=None, help="Columns that make a group, such as work_type,authority.")
@map_option
@json_option
@click.option("--out", "out_dir", type=FILE, default=None, help="Write CSV, XLSX, charts and a PDF report here.")
def benchmark(
    files: tuple[Path, ...], by: str | None, map_file: Path | None, as_json: bool, out_dir: Path | None
) -> None:
    """Benchmark the prices of FILE... (CSV, XLSX, XLS): medians, spread, and what stands apart."""
    # The statistics take seconds to load; the other verbs do not wait for them.
    from portal.analytics.document import benchmark_files  # noqa: PLC0415
    from portal.analytics.outliers import Status  # noqa: PLC0415
    from portal.analytics.report import write_report  # noqa: PLC0415

    with refusals():
        result = benchmark_files(files, by, Mapping.read(map_file) if map_file else None)
        written = write_report(result, out_dir) if out_dir else None
    for problem in result.prices.problems:
        click.echo(str(problem), err=True)
    if as_json:
        show_json(result.as_document())
        return
    for group in result.groups():
        median = group.money["median"]
        click.echo(
            f"{group.name}: n {group.n}, median {shown(median) if median is not None else '–'}, {group.status.value}"
        )
    flags = sorted(result.lines(Status.OUTSIDE, Status.REVIEW), key=lambda line: -abs(line.z or 0))
    for line in flags[:SHOWN]:
        click.echo(f"{line.file}, row {line.row}: {line.reason}")
    if len(flags) > SHOWN:
        click.echo(f"{len(flags) - SHOWN} more for review; --json or --out gives them all.")
    counts = result.counts()
    click.echo(f"{counts['used']} prices compared, {counts['set_aside']} set aside, {counts['problems']} problems.")
    if written:
        for note in written.notes:
            click.echo(note)
        click.echo("Written: " + ", ".join(str(file) for file in written.files))
