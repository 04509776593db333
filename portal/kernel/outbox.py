"""The outbox: a notice is written in the transaction that causes it and leaves after the commit.

So mail is sent for exactly what was committed, and survives a crash. Every message carries an id
(``Message-ID``) that lets a receiver drop a repeat: a crash between sending and noting it sends twice, never
not at all.
"""

from __future__ import annotations

import smtplib
import ssl
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from sqlalchemy import Index, String, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Id, Instant, LongText, db, transaction
from portal.kernel.errors import RuleBroken

SENDER = "adaptations-framework@localhost"
RETRY_AFTER = timedelta(minutes=5)
BATCH = 100
LONGEST_SUBJECT = 200


class Notice(Base):
    """One message to one address."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_unsent", "id", sqlite_where=text("sent_at IS NULL"), postgresql_where=text("sent_at IS NULL")),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(36), unique=True)
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    body: Mapped[LongText]
    queued_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
    tried_at: Mapped[Instant | None]
    fault: Mapped[str | None] = mapped_column(String(500))


def notice_row(recipient: str, subject: str, body: str, *, at: datetime) -> dict[str, object]:
    """A notice as a row, for services that insert many at once; a subject too long for its column is cut."""
    return {
        "key": str(uuid.uuid4()),
        "recipient": recipient,
        "subject": subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…",
        "body": body,
        "queued_at": at,
    }


def queue_notice(recipient: str, subject: str, body: str, *, at: datetime) -> None:
    """Write a notice into the open transaction. No client data belongs in it."""
    db.session.add(Notice(**notice_row(recipient, subject, body, at=at)))


def as_mail(notice: Notice) -> EmailMessage:
    """The e-mail for ``notice``."""
    mail = EmailMessage()
    mail["From"] = SENDER
    mail["To"] = notice.recipient
    mail["Subject"] = notice.subject
    mail["Message-ID"] = f"<{notice.key}@adaptations-framework>"
    mail.set_content(notice.body)
    return mail


def open_post(mail_url: str) -> smtplib.SMTP:
    """A connection to the server of ``smtp://[user:password@]host[:port][?tls=1]`` or ``smtps://…``."""
    url = urlsplit(mail_url)
    if url.scheme not in {"smtp", "smtps"} or not url.hostname:
        raise RuleBroken("PORTAL_MAIL_URL must look like smtp://user:password@host:25 or smtps://host:465.")
    if url.scheme == "smtps":
        post: smtplib.SMTP = smtplib.SMTP_SSL(
            url.hostname, url.port or 465, timeout=20, context=ssl.create_default_context()
        )
    else:
        post = smtplib.SMTP(url.hostname, url.port or 25, timeout=20)
        if "tls=1" in url.query:
            post.starttls(context=ssl.create_default_context())
    if url.username:
        post.login(unquote(url.username), unquote(url.password or ""))
    return post


def take_due(now: datetime) -> list[Notice]:
    """Up to ``BATCH`` notices that are due, marked as tried at ``now``: new ones first, then the longest untried.

    Marked before they are sent, so two senders at once never take the same notice; one that crashes leaves its
    notices to be tried again after ``RETRY_AFTER``.
    """
    with transaction():
        due = list(
            db.session.scalars(
                select(Notice)
                .where(Notice.sent_at.is_(None), or_(Notice.tried_at.is_(None), Notice.tried_at <= now - RETRY_AFTER))
                .order_by(Notice.tried_at.asc().nulls_first(), Notice.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
        )
        for notice in due:
            notice.tried_at = now
    return due


def send_waiting(mail_url: str, *, now: datetime) -> tuple[int, int]:
    """Send what is due over SMTP. Returns how many were sent and how many failed (they are tried again later)."""
    due = take_due(now)
    if not due:
        return 0, 0
    try:
        post = open_post(mail_url)
    except (OSError, smtplib.SMTPException) as fault:
        with transaction():
            for notice in due:
                notice.fault = str(fault)[:500]
        return 0, len(due)
    sent = 0
    try:
        for notice in due:
            fault_text = send(post, notice)
            with transaction():
                notice.fault = fault_text
                if fault_text is None:
                    notice.sent_at = now
            sent += fault_text is None
    finally:
        with suppress(OSError, smtplib.SMTPException):
            post.quit()
        post.close()
    return sent, len(due) - sent


def send(post: smtplib.SMTP, notice: Notice) -> str | None:
    """Send one notice; what went wrong, or ``None``. An address that no mail can have is a ``ValueError``."""
    try:
        post.send_message(as_mail(notice))
    except (OSError, smtplib.SMTPException, ValueError) as fault:
        return str(fault)[:500] or type(fault).__name__
    return None
