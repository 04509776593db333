"""What journeys in the browser have in common: signing in, dates, opening what is folded, pictures."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from browser import Visitor
from builders import PASSWORD

from portal.accounts.models import Person


def sign_in(visitor: Visitor, who: Person | str) -> None:
    """Through the real form."""
    visitor.goto("/sign-in")
    visitor.fill("Email address", who if isinstance(who, str) else who.email)
    visitor.fill("Password", PASSWORD)
    visitor.press("Sign in")


def fill_date(visitor: Visitor, day: date, legend: str = "") -> None:
    """The three fields of the page's one date, or of the one under ``legend``."""
    for label, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        visitor.fill(label, str(value), legend)


def keep(visitor: Visitor, name: str) -> None:
    """Keep a picture for the README when asked to."""
    folder = os.environ.get("PORTAL_PICTURES")
    if folder:
        visitor.screenshot(Path(folder) / f"{name}.png")
