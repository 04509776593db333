"""What journeys in the browser have in common: signing in, dates, opening what is folded, pictures."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from browser import Visitor
from builders import PASSWORD, look_again
from sqlalchemy import select

from portal.accounts.models import Person
from portal.kernel.db import db
from portal.kernel.outbox import Notice


def sign_in(visitor: Visitor, who: Person | str) -> None:
    """Through the real form."""
    visitor.goto("/sign-in")
    visitor.fill("Email address", who if isinstance(who, str) else who.email)
    visitor.fill("Password", PASSWORD)
    visitor.press("Sign in")


def link_in_mail(email: str) -> str:
    """The path of the link in the latest mail to ``email``."""
    look_again()
    written = db.session.scalars(select(Notice).where(Notice.recipient == email).order_by(Notice.id.desc())).first()
    assert written is not None, f"nothing was written to {email}"
    return next(urlsplit(word).path for word in written.body.split() if word.startswith("http"))


def fill_date(visitor: Visitor, day: date, legend: str = "") -> None:
    """The three fields of the page's one date, or of the one under ``legend``."""
    for label, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        visitor.fill(label, str(value), legend)


def keep(visitor: Visitor, name: str) -> None:
    """Keep a picture for the README when asked to."""
    folder = os.environ.get("PORTAL_PICTURES")
    if folder:
        visitor.screenshot(Path(folder) / f"{name}.png")
