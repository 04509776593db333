"""The background tasks and their timetable.

What is due stands in the database as a column; the queue only says *look now*. A queue that is lost loses
nothing: the next look finds the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask
from huey import RedisHuey, SqliteHuey, crontab
from huey.api import Huey

from portal.config import Settings
from portal.kernel import clock
from portal.kernel.db import db
from portal.rates.price_lists.reading import read_price_lists
from portal.tick import tick

log = structlog.get_logger()


def make_queue(settings: Settings) -> Huey:
    """The queue: a file beside the embedded database, or Redis when one is set."""
    if settings.redis_url:
        return RedisHuey("portal", url=settings.redis_url)
    return SqliteHuey("portal", filename=str(settings.instance / "queue.db"))


def look_task(queue: Huey, app: Flask) -> Callable[[], Any]:
    """The task that reads the price lists which wait; calling what is given puts it into ``queue``.

    The web and the worker each make it, so that it has the same name on both sides.
    """

    def look() -> None:
        settings: Settings = app.config["PORTAL"]
        with app.app_context():
            try:
                read = read_price_lists(settings.uploads, now=clock.now())
            finally:
                db.session.remove()
            log.info("look", price_lists_read=read)

    task: Callable[[], Any] = queue.task()(look)
    return task


def worker_of(app: Flask) -> Callable[[], None]:
    """How the web asks the worker of ``app`` to look now; the queue is opened by the first ask."""
    made: list[Callable[[], Any]] = []

    def ask() -> None:
        if not made:
            made.append(look_task(make_queue(app.config["PORTAL"]), app))
        made[0]()

    return ask


def make_worker(app: Flask) -> Any:
    """A consumer that ticks every minute inside ``app``, and looks when it is asked; ``.run()`` blocks until it is told
    to stop."""
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
    look_task(queue, app)
    # Two, because a long price list keeps one busy for minutes while offers lapse by the minute.
    return queue.create_consumer(workers=2, periodic=True, backoff=1.15, max_delay=5.0)
