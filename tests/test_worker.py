"""The worker does every minute what is due, and a worker that was killed holds nothing up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime

from builders import look_again, scene
from fixture_types import Clock
from flask import Flask

from portal.config import Settings
from portal.jobs.states import OfferStatus
from portal.worker import make_worker


def test_the_task_of_each_minute_lapses_what_is_due(app: Flask, fixed_clock: Clock) -> None:
    offer = scene(members=2).offered()
    fixed_clock.at = offer.answer_by
    queue = make_worker(app).huey

    (task,) = queue.read_periodic(datetime(2026, 5, 7, 9, 1))  # noqa: DTZ001 - the queue's own clock has no zone
    queue.execute(task)

    look_again()
    assert offer.status is OfferStatus.EXPIRED


KILLED = """
import os, signal
from datetime import datetime
import portal.worker
from portal import create_app
portal.worker.tick = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
queue = portal.worker.make_worker(create_app()).huey
(task,) = queue.read_periodic(datetime(2026, 5, 7, 9, 1))
queue.execute(task)
"""


def test_a_worker_killed_in_the_middle_of_a_tick_does_not_keep_the_next_from_running(
    app: Flask, settings: Settings, fixed_clock: Clock
) -> None:
    offer = scene(members=2).offered()
    fixed_clock.at = offer.answer_by
    environment = {
        **os.environ,
        "PORTAL_INSTANCE": str(settings.instance),
        "PORTAL_DATABASE_URL": settings.database_url,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    queue = make_worker(app).huey

    (task,) = queue.read_periodic(datetime(2026, 5, 7, 9, 2))  # noqa: DTZ001
    queue.execute(task)

    look_again()
    assert offer.status is OfferStatus.EXPIRED
