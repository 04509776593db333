"""Importing 100,000 schedule lines, against a bare csv + executemany of the same rows."""

from __future__ import annotations

import csv
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from bench.measure import Figure, fresh_app, paired, seconds
from portal.kernel.db import transaction
from portal.rates.schedule_file import read_schedule
from portal.rates.services import import_edition

LINES = 100_000
NOW = datetime(2026, 5, 5, 9, tzinfo=UTC)
HEADER = ("code", "description", "long_description", "trade", "unit", "rate")
INSERT = (
    "INSERT INTO item (edition_id, code, description, long_description, trade, unit, rate_pence, composite) "
    "VALUES (1, ?, ?, ?, ?, ?, ?, 0)"
)


def write_list(path: Path, lines: int = LINES) -> None:
    """An invented price list of ``lines`` items."""
    rng = random.Random(7)  # noqa: S311 - invented prices
    trades = ("Carpentry", "Electrical", "Plumbing", "Groundworks", "Plastering", "Flooring")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(lines):
            writer.writerow(
                (
                    f"X{number:06d}",
                    f"Supply and fix item {number} complete with fixings",
                    "Supplied and fixed to manufacturer's instructions, making good included; measured by the number.",
                    rng.choice(trades),
                    rng.choice(("nr", "m", "m2")),
                    f"{rng.randrange(100, 900_000) / 100:.2f}",
                )
            )


def ours(path: Path) -> float:
    """Seconds to read, check and write the list as an edition, audit event and commit included."""
    with fresh_app():

        def work() -> None:
            read = read_schedule(path)
            with transaction():
                import_edition(
                    read, schedule_code="BENCH", edition_name="1", starts_on=date(2026, 4, 1), by="bench", now=NOW
                )

        return seconds(work)


def bare(path: Path) -> float:
    """Seconds to read the rows with ``csv`` and insert them into the same table with ``executemany``.

    The triggers that feed the catalogue's search are dropped first: they are part of what our import does more.
    """
    with fresh_app() as (_, database):
        connection = sqlite3.connect(database)
        connection.execute("INSERT INTO schedule VALUES (1, 'BENCH', 'BENCH', 'GBP')")
        connection.execute("INSERT INTO edition VALUES (1, 1, '1', '2026-04-01', 0, '', '2026-05-05')")
        for trigger in ("item_fts_insert", "item_fts_delete", "item_fts_update"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.commit()

        def work() -> None:
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.reader(file)
                next(reader)
                connection.executemany(INSERT, ((*row[:5], int(row[5].replace(".", ""))) for row in reader))
            connection.commit()

        taken = seconds(work)
        connection.close()
        return taken


def peak_memory(path: Path) -> float:
    """The peak resident memory, in MB, of a process of its own that imports the list once."""
    code = f"from bench.schedule_import import report_peak; report_peak({str(path)!r})"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return float(shown.stdout.split()[-1])


def report_peak(path: str) -> None:
    """Import once and print this process's peak resident memory in MB."""
    ours(Path(path))
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}\n")


def figures() -> list[Figure]:
    """The ratio and the peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        write_list(path)
        ratio = paired(
            f"import of {LINES:,} schedule lines ÷ bare csv + executemany", 3.0, lambda: ours(path), lambda: bare(path)
        )
        peak = peak_memory(path)
    return [ratio, Figure("  peak memory of that import", peak, 400, "MB", "a process of its own, libraries included")]
