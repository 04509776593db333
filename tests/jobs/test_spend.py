"""The guaranteed minimum of a direct contract, month by month: a month that the contract covers in part owes its part
by days, and the day of the end belongs to it no longer."""

from __future__ import annotations

from datetime import date

import pytest
from builders import scene
from flask import Flask

from portal.framework.models import Framework
from portal.framework.states import FrameworkKind
from portal.jobs.spend import guarantee
from portal.kernel.db import db, transaction


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "today", "months"),
    [
        # Ends on the 1st: April is none of its months.
        (date(2026, 2, 1), date(2026, 4, 1), date(2026, 5, 5), [((2026, 3), 10, 100_000), ((2026, 2), 10, 100_000)]),
        # Parts: 12 of 31 days in January, 14 of 30 in April; half up to the penny, down to whole jobs.
        (
            date(2026, 1, 20),
            date(2026, 4, 15),
            date(2026, 5, 5),
            [
                ((2026, 4), 4, 46_667),
                ((2026, 3), 10, 100_000),
                ((2026, 2), 10, 100_000),
                ((2026, 1), 3, 38_710),
            ],
        ),
        # Begins and ends within one month: 10 of 30 days.
        (date(2026, 4, 11), date(2026, 4, 21), date(2026, 5, 5), [((2026, 4), 3, 33_333)]),
        # The running month owes what it owes by its end, whatever day it is.
        (date(2026, 4, 16), None, date(2026, 5, 5), [((2026, 5), 10, 100_000), ((2026, 4), 5, 50_000)]),
        (date(2026, 5, 1), date(2026, 5, 11), date(2026, 5, 5), [((2026, 5), 3, 32_258)]),
        (date(2026, 6, 1), None, date(2026, 5, 5), []),
    ],
)
def test_each_month_owes_by_the_days_that_the_contract_covers(
    app: Flask,
    starts_on: date,
    ends_on: date | None,
    today: date,
    months: list[tuple[tuple[int, int], int, int]],
) -> None:
    there = scene(1)
    with transaction():
        home = db.session.get_one(Framework, there.lot.framework_id)
        home.kind = FrameworkKind.DIRECT_CONTRACT
        home.starts_on, home.ends_on = starts_on, ends_on
        home.guaranteed_jobs, home.guaranteed_pence = 10, 100_000

    found = guarantee(home, today)

    assert [
        ((month.first_day.year, month.first_day.month), month.jobs_short, month.pence_short) for month in found
    ] == months
