"""For any history, who stands where and may be offered work on any day equals a plain re-computation from its events.

The history is played through the real services, day after day. A notebook kept by the test, which knows nothing of the
portal's own rules, notes what was done and foretells what is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from builders import NATION, NOW, OFFICER, authority, framework_with_lot, unique
from flask import Flask
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from portal.accounts.models import Organisation
from portal.accounts.policy import OrganisationKind
from portal.framework.checks import faults
from portal.framework.documents.files import CheckedFile
from portal.framework.documents.services import hand_in_document, reject_document, verify_document, withdraw_document
from portal.framework.member_models import Contractor, ContractorDocument
from portal.framework.members.services import apply_for_lot
from portal.framework.models import Lot
from portal.framework.queries import unserved_areas
from portal.framework.roster import Roster
from portal.framework.states import MemberStatus
from portal.jobs.standing import change_standing
from portal.kernel.clock import local_date
from portal.kernel.db import db, transaction
from portal.kernel.errors import PortalError

FIRM = "office@firm.example"
DAY = timedelta(days=1)

#: What may follow what, written again: applying needs no membership or an ended one, and so on.
FOLLOWS = {
    "apply": {None, "released", "removed"},
    "check": {"applied"},
    # Admitted after the check, or reinstated.
    "activate": {"checking", "suspended"},
    # Another reason or another end for a suspension.
    "suspend": {"active", "suspended"},
    "release": {"applied", "checking", "active", "suspended"},
    "remove": {"applied", "checking", "active", "suspended"},
}
BECOMES = {
    "apply": "applied",
    "check": "checking",
    "activate": "active",
    "suspend": "suspended",
    "release": "released",
    "remove": "removed",
}


@dataclass
class Paper:
    """A document in the notebook: verified on a day, withdrawn on another, good until its last day."""

    number: int
    last_day: date
    verified: date | None = None
    withdrawn: date | None = None
    rejected: bool = False

    def good(self, day: date) -> bool:
        if self.verified is None or day < self.verified or day > self.last_day:
            return False
        return self.withdrawn is None or day < self.withdrawn


@dataclass
class Notebook:
    """What was done to one membership, in order: (day, standing, last day + 1 of a suspension)."""

    contractor_id: int
    code: str
    member_id: int | None = None
    done: list[tuple[date, str, date | None]] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)

    def stands(self, day: date) -> str | None:
        """Where it stands at the end of ``day``."""
        standing: str | None = None
        ends: date | None = None
        for when, became, until in self.done:
            if when > day:
                break
            standing, ends = became, until
        return "active" if standing == "suspended" and ends is not None and ends <= day else standing

    def has_paper(self, day: date) -> bool:
        return any(paper.good(day) for paper in self.papers)

    def eligible(self, day: date) -> bool:
        return self.stands(day) == "active" and self.has_paper(day)

    def waiting(self) -> Paper | None:
        return next((each for each in self.papers if each.verified is None and not each.rejected), None)

    def verified(self) -> Paper | None:
        return next((each for each in self.papers if each.verified and each.withdrawn is None), None)


#: What gets a history somewhere comes first: small numbers are drawn more often.
ACTIONS = ["suspend", "activate", "verify", "check", "apply", "hand in", "withdraw", "release", "reject", "remove"]
#: One of the actions that should be possible, by its number, or any at all.
WANTED = st.one_of(*[st.integers(0, 9)] * 4, st.sampled_from(ACTIONS))
Step = tuple[int, int | str, int, int, bool]
LATER_STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),  # which firm
        WANTED,
        st.integers(0, 3),  # days since the step before
        st.integers(1, 12),  # how long a suspension or a document lasts
        st.booleans(),  # whether a suspension has an end
    ),
    min_size=10,
    max_size=30,
)
#: Admitted in three days; a history goes on from there.
ADMITTED: list[Step] = [
    (0, "apply", 0, 1, False),
    (0, "check", 1, 1, False),
    (0, "hand in", 0, 8, False),
    (0, "verify", 1, 1, False),
    (0, "activate", 1, 1, False),
]
STEPS = st.one_of(LATER_STEPS, LATER_STEPS.map(lambda steps: ADMITTED + steps))


def firm() -> Notebook:
    """A firm that has registered."""
    code = unique("H")
    with transaction():
        made = Contractor(
            organisation=Organisation(code=code, name=f"Firm {code}", kind=OrganisationKind.CONTRACTOR),
            email=f"{code.lower()}@firm.example",
            phone="",
            postcode="RG1 1AA",
            sme=True,
            capacity=5,
        )
        db.session.add(made)
        db.session.flush()
        return Notebook(made.id, code)


def allowed(book: Notebook, action: str, day: date) -> bool:
    """Whether the test expects the portal to do it."""
    if action in FOLLOWS:
        if action == "apply" and any(when == day and became == "applied" for when, became, _ in book.done):
            return False  # once a day
        admitted = action == "activate" and book.stands(day) == "checking"
        return book.stands(day) in FOLLOWS[action] and (not admitted or book.has_paper(day))
    if action == "hand in":
        return True
    if action == "withdraw":
        return book.verified() is not None
    waiting = book.waiting()
    return waiting is not None and (action == "reject" or waiting.last_day >= day)


def act(book: Notebook, action: str, lot: Lot, area: str, *, now: datetime, lasts: int, ends: bool) -> None:
    """Do it through the service."""
    day = local_date(now)
    with transaction():
        if action == "apply":
            book.member_id = apply_for_lot(
                book.contractor_id, lot.id, areas=[area], adjustment_bp=0, by=FIRM, now=now
            ).id
        elif action in FOLLOWS:
            change_standing(
                book.member_id or 0,
                MemberStatus(BECOMES[action]),
                reason="because",
                by=OFFICER,
                now=now,
                nation=NATION,
                until_on=day + lasts * DAY if action == "suspend" and ends else None,
            )
        elif action == "hand in":
            file = CheckedFile("gas.pdf", "application/pdf", unique("%PDF- ").encode())
            last_day = day + 2 * lasts * DAY
            document = hand_in_document(
                book.contractor_id, "gas", last_day, file=file, stored_name=file.sha256, by=FIRM, now=now
            )
            book.papers.append(Paper(document.id, last_day))
        elif action == "withdraw":
            paper = book.verified()
            number = paper.number if paper else 0
            withdraw_document(db.session.get_one(ContractorDocument, number), reason="Mistaken", by=OFFICER, now=now)
        else:
            waiting = book.waiting()
            number = waiting.number if waiting else 0
            if action == "verify":
                verify_document(number, by=OFFICER, now=now)
            else:
                reject_document(number, reason="Blurred", by=OFFICER, now=now)


def write_down(book: Notebook, action: str, day: date, lasts: int, ends: bool) -> None:
    """Note what was done; a document that was handed in is noted with its number."""
    if action in BECOMES:
        until = day + lasts * DAY if action == "suspend" and ends else None
        book.done.append((day, BECOMES[action], until))
    elif action == "verify":
        paper = book.waiting()
        assert paper is not None
        paper.verified = day
    elif action == "reject":
        paper = book.waiting()
        assert paper is not None
        paper.rejected = True
    elif action == "withdraw":
        paper = book.verified()
        assert paper is not None
        paper.withdrawn = day


def compare(books: list[Notebook], lot: Lot, area_name: str, day: date) -> None:
    """The list on ``day`` against the notebooks."""
    roster = Roster([lot.id], day)
    required = roster.lots[lot.id].required
    listed = {each.code: each for each in roster.members[lot.id]}
    assert {code: each.standing.status.value for code, each in listed.items()} == {
        book.code: book.stands(day) for book in books if book.stands(day) is not None
    }, day
    eligible = {code for code, each in listed.items() if each.active and not each.lapses(required, day)}
    assert eligible == {book.code for book in books if book.eligible(day)}, day
    nobody = (lot.name, area_name) in {(each.lot, each.authority) for each in unserved_areas(day, roster)}
    assert nobody is not bool(eligible), day


def play(steps: list[Step]) -> None:
    """A lot of its own and two firms; every step; then every day before, during and after."""
    where = authority()
    lot = framework_with_lot(where, requirements=["gas"])
    books = [firm() for _ in range(2)]
    now = NOW
    for who, wanted, days, lasts, ends in steps:
        now += days * DAY + timedelta(minutes=1)
        day, book = local_date(now), books[who]
        possible = [each for each in ACTIONS if allowed(book, each, day)]
        action = wanted if isinstance(wanted, str) else possible[wanted % len(possible)]
        expected = allowed(book, action, day)
        note(f"{day} {book.code} {action} {lasts} {ends}: {'done' if expected else 'refused'}")
        if action == "withdraw" and not expected:
            continue  # there is nothing that could be withdrawn
        done = "done"
        try:
            act(book, action, lot, where.code, now=now, lasts=lasts, ends=ends)
        except PortalError as refusal:
            done = f"refused: {refusal}"
        assert (done == "done") is expected, f"{action} on {day} was {done}"
        if expected:
            write_down(book, action, day, lasts, ends)
    db.session.rollback()
    day, last = local_date(NOW) - 2 * DAY, local_date(now) + 26 * DAY
    while day <= last:
        compare(books, lot, where.name, day)
        day += DAY
    assert list(faults(local_date(now))) == []


#: A firm's whole life: so that no run of the property above rests on luck alone.
WHOLE_LIFE: list[Step] = [
    (0, "apply", 0, 1, False),
    (0, "check", 1, 1, False),
    (0, "activate", 0, 1, False),  # refused: no document
    (0, "hand in", 1, 4, False),
    (0, "verify", 1, 1, False),
    (0, "activate", 0, 1, False),
    (0, "suspend", 1, 3, True),  # ends by itself
    (0, "activate", 3, 1, False),  # refused: active by then
    (0, "suspend", 0, 1, False),  # without end
    (0, "suspend", 1, 5, True),  # with one after all
    (0, "activate", 2, 1, False),
    (0, "hand in", 0, 12, False),
    (0, "reject", 0, 1, False),
    (0, "hand in", 4, 12, False),  # the first has expired
    (0, "verify", 1, 1, False),
    (0, "withdraw", 1, 1, False),
    (0, "release", 1, 1, False),
    (0, "suspend", 0, 1, False),  # refused
    (0, "apply", 0, 1, False),  # again, on the same day
    (0, "check", 0, 1, False),
    (0, "hand in", 0, 12, False),
    (0, "verify", 0, 1, False),
    (0, "activate", 0, 1, False),
    (1, "apply", 0, 1, False),
    (1, "remove", 1, 1, False),
    (0, "remove", 1, 1, False),
    (0, "apply", 2, 1, False),
    (0, "release", 0, 1, False),
    (0, "apply", 0, 1, False),  # refused: once a day
    (0, "apply", 1, 1, False),
]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_list_on_any_day_follows_from_any_history(app: Flask) -> None:
    @settings(max_examples=60)
    @given(STEPS)
    def check(steps: list[Step]) -> None:
        play(steps)

    check()


def test_the_list_on_any_day_follows_from_a_history_on_each_engine(app: Flask) -> None:
    @settings(max_examples=5)
    @given(STEPS)
    @example(WHOLE_LIFE)
    def check(steps: list[Step]) -> None:
        play(steps)

    check()
