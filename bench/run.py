"""``make bench``: every measurement, a line each; exit 1 when one misses its limit."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# One thread each, so that both sides of a ratio have the same machine.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from bench import allocation, catalogue, pdf_import, pricing, schedule_import, worklist  # noqa: E402


def main() -> int:
    """Print each figure as it is measured."""
    logging.disable(logging.INFO)
    missed = 0
    for part in (schedule_import, pdf_import, allocation, pricing, worklist, catalogue):
        for figure in part.figures():
            sys.stdout.write(f"{figure}\n")
            sys.stdout.flush()
            missed += not figure.holds
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
