"""A demonstration county: an invented schedule of rates, contractors, jobs and prices.

Pure generators over a caller's ``random.Random`` and date; the same seed and date give the same county. What is
calibrated to published figures, and what is only plausible, stands in ``calibration``.
"""

from __future__ import annotations

from pathlib import Path

#: The invented adaptations schedule of rates, in the interface's format for schedules.
SCHEDULE_FILE = Path(__file__).with_name("adaptations_schedule.csv")
