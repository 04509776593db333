"""What journeys in the browser have in common: signing in, dates, opening what is folded, pictures."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from browser import PATIENCE_SECONDS, Visitor
from builders import PASSWORD, look_again
from selenium.webdriver.support.ui import WebDriverWait
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


def search(visitor: Visitor, words: str) -> None:
    """Type words into the catalogue's search; the hits follow, and so does the address. The page is checked then."""
    visitor.fill("Words or code", words)
    sought = urlencode({"words": words})
    WebDriverWait(visitor.driver, PATIENCE_SECONDS).until(
        lambda _: sought in visitor.path, f"the hits never followed {words!r}"
    )
    visitor.check_page()


def keep(visitor: Visitor, name: str) -> None:
    """Keep a picture for the README when asked to."""
    folder = os.environ.get("PORTAL_PICTURES")
    if folder:
        visitor.screenshot(Path(folder) / f"{name}.png")
