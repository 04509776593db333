"""The background tasks and their timetable.

What is due stands in the database as a column; the queue only says *look now*. A queue that is lost loses
nothing: the next look finds the same rows.
"""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask
from huey import RedisHuey, SqliteHuey, crontab
from huey.api import Huey

from portal.config import Settings
from portal.kernel import clock
from portal.kernel.db import db
from portal.tick import tick

log = structlog.get_logger()


def make_queue(settings: Settings) -> Huey:
    """The queue: a file beside the embedded database, or Redis when one is set."""
    if settings.redis_url:
        return RedisHuey("portal", url=settings.redis_url)
    return SqliteHuey("portal", filename=str(settings.instance / "queue.db"))


def make_worker(app: Flask) -> Any:
    """A consumer that ticks every minute inside ``app``; ``.run()`` blocks until it is told to stop."""
    settings: Settings = app.config["PORTAL"]
    queue = make_queue(settings)

    def every_minute() -> None:
        with app.app_context():
            try:
                counts = tick(settings, now=clock.now())
            finally:
                db.session.remove()
            log.info("tick", **counts)

    # No lock of the queue: a killed worker would leave it behind. Ticks at the same time are safe, rows are locked.
    queue.periodic_task(crontab(minute="*"))(every_minute)
    return queue.create_consumer(workers=1, periodic=True, backoff=1.15, max_delay=5.0)
