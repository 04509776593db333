"""The way to an account: a link that proves the address. Nobody learns here who has one already.

The link is sealed with the portal's secret key, so nothing is kept until the account is made. It opens the form for one
address until a moment that stands in it, and says nothing more once that address has an account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from portal.accounts.models import Person
from portal.accounts.services import clean_email
from portal.framework import notices
from portal.kernel import audit
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.outbox import queue_notice

#: How long a link opens the form.
HOLDS = timedelta(hours=24)
#: What a link is for: nothing else that the key seals can be taken for one.
PURPOSE = "make an account"
#: Who acts while nobody is known yet.
VISITOR = "visitor"
LINK = re.compile(r"(/apply/)\S+")


@dataclass(frozen=True, slots=True)
class Links:
    """Whole addresses that a mail can lead to: the form of a new account, and the page to sign in."""

    make_account: str
    sign_in: str


def sealed(email: str, *, key: str, until: datetime) -> str:
    """The end of a link for ``email`` that opens the form before ``until``, sealed with the secret ``key``.

    The end stands in it rather than the time of sealing, so that whoever opens it passes the time in.
    """
    token = _serializer(key).dumps([email, int(until.timestamp())])
    return token if isinstance(token, str) else token.decode("ascii")


def opened(token: str, *, key: str) -> tuple[str, datetime]:
    """The address of a link and until when it holds; ``NotFound`` for one that ``key`` did not seal."""
    try:
        email, until = _serializer(key).loads(token)
    except (BadData, UnicodeError) as spoilt:
        raise NotFound("There is no such link.") from spoilt
    return str(email), datetime.fromtimestamp(int(until), UTC)


def _serializer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=PURPOSE)


def send_link(email: str, links: Links, *, now: datetime) -> str:
    """Write to ``email``: how to make an account or, when it has one, where to sign in. Returns its normal form.

    Both take the same statements, so that neither the answer nor its time tells which it was. Raises ``RuleBroken``
    for what is no address.
    """
    email = clean_email(email.strip())
    known = has_account(email)
    subject, body = notices.account_known(links.sign_in) if known else notices.account_link(links.make_account)
    queue_notice(email, subject, body, at=now)
    audit.record("account link asked for", f"address:{email}", at=now, actor=VISITOR, has_account=known)
    return email


def has_account(email: str) -> bool:
    """Whether somebody signs in with ``email``."""
    return db.session.scalar(select(Person.id).where(Person.email == email)) is not None


def without_links(body: str) -> str:
    """A mail's text for those who read what was sent and act on none of it."""
    return LINK.sub(r"\1…", body)
