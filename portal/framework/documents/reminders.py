"""The clock of documents: reminds before a required document ends, and tells both sides when offers stop.

What is said follows from the contractor list of the day, and nothing but what was said last is remembered: so nothing
is missed through a suspension, a new requirement, a renewal that covers too little, or days on which the clock stood.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import or_, select

from portal.accounts.queries import framework_managers
from portal.framework import notices
from portal.framework.documents.models import DocumentLook, DocumentWord
from portal.framework.member_models import Member
from portal.framework.models import Framework, Lot
from portal.framework.roster import Listed, Roster
from portal.framework.rules import LAPSED, RAN_OUT, Requirement, Said, is_news, last_good_day, reminder_stage
from portal.framework.states import MemberStatus, document_title
from portal.kernel import audit
from portal.kernel.audit import AuditEvent, AuditHead
from portal.kernel.clock import local_date
from portal.kernel.db import db
from portal.kernel.outbox import queue_notice

#: Who acts when nobody does: the clock.
CLOCK = "the portal"
#: Words said by one transaction of the clock.
CHUNK = 200
APPLYING = (MemberStatus.APPLIED, MemberStatus.CHECKING)


@dataclass(slots=True)
class Reminded:
    """What was said: counts of reminders and of lapses. ``seen`` counts both; none is left when it is 0."""

    seen: int = 0
    reminded: int = 0
    lapsed: int = 0


@dataclass(frozen=True, slots=True)
class Situation:
    """A required kind of a membership that ends soon or does not hold: ``reason`` goes on where its title ends."""

    member: Listed
    lot: str
    kind: str
    stage: int
    last_day: date | None
    reason: str

    @property
    def key(self) -> tuple[int, str]:
        """Whose membership, and which kind."""
        return self.member.member_id, self.kind


@dataclass(slots=True)
class Word:
    """What is said to a contractor of one kind of document, about all lots for which it is news."""

    first: Situation
    situations: list[Situation] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What notices call the kind."""
        return document_title(self.first.kind)

    @property
    def lots(self) -> list[str]:
        """The lots' names."""
        return [each.lot for each in self.situations]


# What stands where ----------------------------------------------------------------------------------------------------


def situations(roster: Roster) -> Iterator[Situation]:
    """What there is to say on the roster's day, whether or not it was said.

    An applicant has no offers to lose and knows what it has not handed in: it hears of what it holds and loses.
    """
    for lot_id, terms in roster.lots.items():
        for member in roster.members[lot_id]:
            applying = member.standing.status in APPLYING
            if member.active or applying:
                for asked in terms.required:
                    found = _situation(member, terms.lot.name, asked, roster.day)
                    if found is not None and not (applying and found.last_day is None):
                        yield found


def _situation(member: Listed, lot: str, asked: Requirement, day: date) -> Situation | None:
    last = last_good_day(asked.kind, asked.minimum_pence, member.evidence, day)
    if last is not None and last >= day:
        stage = reminder_stage(last, day)
        return None if stage is None else Situation(member, lot, asked.kind, stage, last, "expires")
    reason = member.lapses([asked], day)[0].removeprefix(f"{asked.kind} ")
    return Situation(member, lot, asked.kind, LAPSED if member.active else RAN_OUT, last, reason)


def lots_running(day: date, contractor_id: int | None = None) -> list[int]:
    """The lots of frameworks that have not ended on ``day``; with a contractor, those of its memberships."""
    query = (
        select(Lot.id)
        .join(Framework, Framework.id == Lot.framework_id)
        .where(or_(Framework.ends_on.is_(None), Framework.ends_on > day))
        .order_by(Lot.id)
    )
    if contractor_id is not None:
        query = query.where(Lot.id.in_(select(Member.lot_id).where(Member.contractor_id == contractor_id)))
    return list(db.session.scalars(query))


def lacking(contractor_id: int, kind: str, day: date) -> list[Situation]:
    """Where a contractor's membership or application needs this kind of document on ``day`` and none holds."""
    roster = Roster(lots_running(day, contractor_id), day)
    return [
        each
        for each in situations(roster)
        if each.member.contractor_id == contractor_id and each.kind == kind and each.stage <= RAN_OUT
    ]


# What was said --------------------------------------------------------------------------------------------------------


def lock_look() -> DocumentLook:
    """The clock's last look, locked: two who speak of documents at once do it one after the other."""
    return db.session.scalars(select(DocumentLook).with_for_update().execution_options(populate_existing=True)).one()


def words_said(keys: Collection[tuple[int, str]] | None = None) -> dict[tuple[int, str], DocumentWord]:
    """What was said last, by member and kind; of all, or of the members in ``keys`` only."""
    query = select(DocumentWord).execution_options(populate_existing=True)
    if keys is not None:
        query = query.where(DocumentWord.member_id.in_({member_id for member_id, _ in keys}))
    return {(each.member_id, each.kind): each for each in db.session.scalars(query)}


def note_said(said: Iterable[Situation], words: dict[tuple[int, str], DocumentWord], now: datetime) -> None:
    """Remember what has been said, so that the clock does not say it again."""
    for each in said:
        word = words.get(each.key)
        if word is None:
            word = DocumentWord(member_id=each.member.member_id, kind=each.kind)
            db.session.add(word)
        word.stage, word.last_day, word.said_at = each.stage, each.last_day, now


def speak_of_documents(*, now: datetime) -> Reminded:
    """Remind of documents that end soon and tell both sides of those that do not hold; up to ``CHUNK`` words.

    Looks once a day, and whenever something other than a job has changed since. Idempotent: says only what was not
    said since the document last held, and of several things missed only the most urgent. Members of frameworks that
    have ended, and those who are suspended, are not written to.
    """
    look, today = lock_look(), local_date(now)
    # Read before the list: what others commit from here on is looked at next time.
    last_event = db.session.scalars(select(AuditHead.last_id)).one()
    if not _anything_new(look, today, last_event):
        look.last_event = last_event
        return Reminded()
    roster = Roster(lots_running(today), today)
    current = {each.key: each for each in situations(roster)}
    words = words_said()
    _forget(words, current, roster)
    fresh = _fresh(current.values(), words)
    chunk = fresh[:CHUNK]
    done = _say(chunk, words, now)
    if len(chunk) == len(fresh):
        look.looked_on, look.last_event = today, last_event
    db.session.flush()
    return done


def _anything_new(look: DocumentLook, today: date, last_event: int) -> bool:
    """Whether the day or anything but a job has changed since the last look: every change leaves an audit event."""
    if look.looked_on != today:
        return True
    if look.last_event == last_event:
        return False
    changed = select(AuditEvent.id).where(
        AuditEvent.id > look.last_event, AuditEvent.id <= last_event, AuditEvent.subject.not_like("job:%")
    )
    return db.session.scalar(changed.limit(1)) is not None


def _forget(words: dict[tuple[int, str], DocumentWord], current: Collection[tuple[int, str]], roster: Roster) -> None:
    """Forget what was said of what holds again or matters no more; a suspension forgets nothing."""
    suspended = {each.member_id for each in roster if each.standing.status is MemberStatus.SUSPENDED}
    for key in [key for key in words if key not in current and key[0] not in suspended]:
        db.session.delete(words.pop(key))


def _fresh(current: Iterable[Situation], words: dict[tuple[int, str], DocumentWord]) -> list[Word]:
    """What was not said yet, one word for all lots of a contractor for which it is the same."""
    found: dict[tuple[object, ...], Word] = {}
    for each in current:
        word = words.get(each.key)
        said = None if word is None else Said(word.stage, word.last_day, local_date(word.said_at))
        if is_news(said, each.stage, each.last_day):
            applying = each.member.standing.status in APPLYING
            key = each.member.contractor_id, each.kind, each.stage, each.reason, each.last_day, applying
            found.setdefault(key, Word(each)).situations.append(each)
    return [found[key] for key in sorted(found, key=lambda key: (key[2], key[0], key[1]))]


def _say(words: list[Word], said: dict[tuple[int, str], DocumentWord], now: datetime) -> Reminded:
    done, lapsed = Reminded(seen=len(words)), []
    for word in words:
        first = word.first
        note_said(word.situations, said, now)
        applying = first.member.standing.status in APPLYING
        if first.stage > RAN_OUT:
            done.reminded += 1
            notice = notices.document_expires(word.title, first.last_day or first.member.since, word.lots, applying)
        else:
            done.lapsed += 1
            notice = notices.document_lapsed(word.title, first.reason, word.lots, applying)
            audit.record(
                "document lapsed",
                f"contractor:{first.member.code}",
                at=now,
                actor=CLOCK,
                kind=first.kind,
                expires_on=None if first.last_day is None else first.last_day.isoformat(),
                lots=word.lots,
            )
            if not applying:
                lapsed.append(word)
        queue_notice(first.member.email, *notice, at=now)
    if lapsed:
        lines = [
            (each.first.member.code, each.first.member.name, each.title, each.first.reason, each.lots)
            for each in lapsed
        ]
        for email in framework_managers():
            queue_notice(email, *notices.contractors_lapsed(lines), at=now)
    return done
