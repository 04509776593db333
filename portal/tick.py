"""Everything that is due at one instant, done once. Safe to repeat: what was done is no longer due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from portal.config import Settings
from portal.framework.documents.reminders import speak_of_documents
from portal.jobs import services
from portal.jobs.services import Ticked
from portal.jobs.spend import warn_of_caps
from portal.kernel.db import transaction
from portal.kernel.outbox import send_waiting
from portal.rates.price_lists.reading import read_price_lists


def tick(settings: Settings, *, now: datetime) -> dict[str, int]:
    """Lapse offers, fail late starts, pass those jobs on, speak of documents and value caps, send what waits.
    Last of all, because they can take minutes, read the price lists that nobody is reading.

    Works in chunks, each its own transaction: a crash loses at most the chunk in hand, and that rolls back whole.
    Returns counts.
    """
    done = Ticked()
    for verb in (services.lapse_due_offers, services.fail_late_starts):
        _until_done(verb, done, settings, now)
    reminded, lapsed = _documents(now)
    with transaction():
        warned = warn_of_caps(now=now)
    sent = failed = 0
    if settings.mail_url:
        sent, failed = send_waiting(settings.mail_url, now=now)
    read = read_price_lists(settings.uploads, now=now)
    return {
        "lapsed": done.lapsed,
        "failed_to_start": done.failed_to_start,
        "offered": done.offered,
        "exhausted": done.exhausted,
        "documents_lapsed": lapsed,
        "reminders": reminded,
        "cap_warnings": warned,
        "notices_sent": sent,
        "notices_failed": failed,
        "price_lists_read": read,
    }


def _documents(now: datetime) -> tuple[int, int]:
    """Documents reminded of and lapsed."""
    reminded = lapsed = 0
    while True:
        with transaction():
            spoken = speak_of_documents(now=now)
        if not spoken.seen:
            return reminded, lapsed
        reminded += spoken.reminded
        lapsed += spoken.lapsed


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
