"""Notices over real SMTP: what was committed leaves once; what cannot leave waits and is tried again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from builders import NOW, look_again, scene
from flask import Flask
from sqlalchemy import select

from portal.config import Settings
from portal.kernel.db import db, transaction
from portal.kernel.errors import RuleBroken
from portal.kernel.outbox import BATCH, Notice, queue_notice, send_waiting
from portal.tick import tick

LATER = NOW + timedelta(minutes=6)


@dataclass
class PostOffice:
    """A mail server on this machine. ``refused`` names recipients it does not take."""

    port: int = 0
    mails: list[tuple[list[str], Message]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(  # the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.mails.append((list(envelope.rcpt_tos), message_from_bytes(envelope.content or b"")))
        return "250 OK"


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    with socket.create_server(("127.0.0.1", 0)) as free:
        office.port = free.getsockname()[1]
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    yield office
    controller.stop()


def queue(*recipients: str, at=NOW) -> None:  # type: ignore[no-untyped-def]
    with transaction():
        for recipient in recipients:
            queue_notice(recipient, "Job offered: DFG-1", "Answer by Tue 5 May 2026, £4,058.00 – “soon”.\n", at=at)


def notices() -> list[Notice]:
    look_again()
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def test_a_notice_leaves_once_with_an_id_that_lets_a_receiver_drop_a_repeat(
    app: Flask, post_office: PostOffice
) -> None:
    queue("office@c1.example")

    assert send_waiting(post_office.url, now=NOW) == (1, 0)
    assert send_waiting(post_office.url, now=LATER) == (0, 0)

    ((recipients, mail),) = post_office.mails
    (notice,) = notices()
    assert recipients == ["office@c1.example"]
    assert mail["Message-ID"] == f"<{notice.key}@adaptations-framework>"
    assert mail["Subject"] == "Job offered: DFG-1"
    assert "£4,058.00 – “soon”" in mail.get_payload(decode=True).decode("utf-8")  # type: ignore[union-attr]
    assert (notice.sent_at, notice.fault) == (NOW, None)


def test_an_offer_reaches_its_contractor_by_the_tick(app: Flask, post_office: PostOffice, settings: Settings) -> None:
    offer = scene().offered()

    counts = tick(replace(settings, mail_url=post_office.url), now=NOW)

    assert (counts["notices_sent"], counts["notices_failed"]) == (1, 0)
    ((recipients, mail),) = post_office.mails
    assert recipients == [offer.member.contractor.email]
    assert offer.job.reference in mail["Subject"]


def test_without_a_mail_server_set_notices_wait_in_the_outbox(app: Flask, settings: Settings) -> None:
    scene().offered()

    assert tick(settings, now=NOW)["notices_sent"] == 0
    assert notices()[0].sent_at is None


def test_a_notice_of_a_transaction_that_failed_never_leaves(app: Flask, post_office: PostOffice) -> None:
    def queue_and_fail() -> None:
        with transaction():
            queue_notice("office@c1.example", "Subject", "Body", at=NOW)
            db.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        queue_and_fail()

    assert send_waiting(post_office.url, now=NOW) == (0, 0)
    assert post_office.mails == []


def test_a_server_that_does_not_answer_leaves_notices_waiting_until_it_does(
    app: Flask, post_office: PostOffice
) -> None:
    queue("office@c1.example", "office@c2.example")

    assert send_waiting("smtp://127.0.0.1:1", now=NOW) == (0, 2)
    assert all(notice.sent_at is None and notice.fault for notice in notices())
    assert send_waiting(post_office.url, now=NOW + timedelta(minutes=4)) == (0, 0)
    assert send_waiting(post_office.url, now=LATER) == (2, 0)

    assert [to for to, _ in post_office.mails] == [["office@c1.example"], ["office@c2.example"]]
    assert [notice.fault for notice in notices()] == [None, None]


def test_one_bad_address_does_not_keep_the_others_back(app: Flask, post_office: PostOffice) -> None:
    post_office.refused = {"gone@c1.example"}
    queue("gone@c1.example", "office@c2.example")

    assert send_waiting(post_office.url, now=NOW) == (1, 1)

    bad, good = notices()
    assert bad.sent_at is None
    assert "no such mailbox" in (bad.fault or "")
    assert good.sent_at == NOW


def test_a_batch_of_bad_addresses_does_not_keep_the_next_notice_back(app: Flask, post_office: PostOffice) -> None:
    bad = [f"gone@c{number}.example" for number in range(BATCH + 1)]
    post_office.refused = set(bad)
    queue(*bad, "office@c9.example")

    send_waiting(post_office.url, now=NOW)
    send_waiting(post_office.url, now=LATER)

    assert [to for to, _ in post_office.mails] == [["office@c9.example"]]


@pytest.mark.parametrize("recipient", ["two\nlines@c1.example", "Ünïcode@c1.example", "not an address", "", "a@b@c"])
def test_an_address_that_no_mail_can_have_is_a_fault_of_that_notice_only(
    app: Flask, post_office: PostOffice, recipient: str
) -> None:
    queue(recipient, "office@c2.example")

    sent, failed = send_waiting(post_office.url, now=NOW)

    assert ["office@c2.example"] in [to for to, _ in post_office.mails]
    assert sent + failed == 2


def test_two_senders_at_once_send_each_notice_once(app: Flask, post_office: PostOffice) -> None:
    queue(*(f"office@c{number}.example" for number in range(6)))
    gate = threading.Barrier(3)

    def send() -> None:
        with app.app_context():
            gate.wait(timeout=20)
            send_waiting(post_office.url, now=NOW)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    keys = [mail["Message-ID"] for _, mail in post_office.mails]
    assert len(keys) == len(set(keys)) == 6


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_an_address_of_no_mail_server_is_refused_with_what_would_be_right(app: Flask, url: str) -> None:
    queue("office@c1.example")

    with pytest.raises(RuleBroken, match="PORTAL_MAIL_URL must look like"):
        send_waiting(url, now=NOW)
