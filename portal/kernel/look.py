"""Ask the worker to look now, from a room that does not know the worker.

What is due stands in the database; asking only makes it come sooner. So an ask that goes astray loses nothing, and a
queue that does not answer never breaks a page.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask, current_app

log = structlog.get_logger()

_KEY = "portal_look"


def let_ask(app: Flask, ask: Callable[[], None]) -> None:
    """Say how the worker of ``app`` is asked."""
    app.extensions[_KEY] = ask


def look_now() -> None:
    """Ask the worker to look, after the commit of what it is to find."""
    ask = current_app.extensions.get(_KEY)
    if ask is None:
        return
    try:
        ask()
    except Exception:
        log.warning("the worker could not be asked to look", exc_info=True)
