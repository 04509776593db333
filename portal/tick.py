"""Everything that is due at one instant, done once. Safe to repeat: what was done is no longer due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from portal.config import Settings
from portal.jobs import services
from portal.jobs.services import Ticked
from portal.kernel.db import transaction
from portal.kernel.outbox import send_waiting


def tick(settings: Settings, *, now: datetime) -> dict[str, int]:
    """Lapse offers, fail late starts, pass those jobs on, send what waits in the outbox.

    Works in chunks, each its own transaction: a crash loses at most the chunk in hand, and that rolls back whole.
    Returns counts.
    """
    done = Ticked()
    for verb in (services.lapse_due_offers, services.fail_late_starts):
        _until_done(verb, done, settings, now)
    sent = failed = 0
    if settings.mail_url:
        sent, failed = send_waiting(settings.mail_url, now=now)
    return {
        "lapsed": done.lapsed,
        "failed_to_start": done.failed_to_start,
        "offered": done.offered,
        "exhausted": done.exhausted,
        "notices_sent": sent,
        "notices_failed": failed,
    }


def _until_done(verb: Callable[..., Ticked], done: Ticked, settings: Settings, now: datetime) -> None:
    while True:
        with transaction():
            ticked = verb(now=now, nation=settings.nation)
        if not ticked.lapsed + ticked.failed_to_start:
            return
        done.lapsed += ticked.lapsed
        done.failed_to_start += ticked.failed_to_start
        done.offered += ticked.offered
        done.exhausted += ticked.exhausted
