"""What a lot asks for and where a member works have days too: a later change does not rewrite an earlier day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from builders import NOW, OFFICER, TODAY, authority, framework_with_lot, look_again, member
from flask import Flask

from portal.framework.members.services import change_member_terms
from portal.framework.models import Lot
from portal.framework.roster import Listed, Roster
from portal.framework.terms.lots import Asked, LotTermsWanted, change_lot, require_documents
from portal.kernel.db import transaction

DAY = timedelta(days=1)
HELD = {"public-liability": date(2030, 1, 1)}


def asks(lot: Lot, days: int, **documents: Asked) -> None:
    """The lot asks for these kinds of document from a number of days after ``TODAY``."""
    terms = LotTermsWanted(lot.name, (lot.name,), documents={k.replace("_", "-"): v for k, v in documents.items()})
    with transaction():
        change_lot(lot.id, terms, by=OFFICER, now=NOW + days * DAY)


def listed(lot: Lot, day: date) -> tuple[Listed, tuple[str, ...]]:
    """The lot's one member on a day, and what its documents lack."""
    look_again()
    roster = Roster([lot.id], day)
    (only,) = roster.members[lot.id]
    return only, only.lapses(roster.lots[lot.id].required, day)


def test_a_document_that_is_asked_for_later_lapses_nobody_before(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where, requirements=("public-liability",))
    member(lot, areas=[where], documents=HELD)

    asks(lot, 10, public_liability=Asked(), gas=Asked())

    assert listed(lot, TODAY + 9 * DAY)[1] == ()
    assert listed(lot, TODAY + 10 * DAY)[1] == ("gas is missing",)


def test_a_higher_cover_and_a_requirement_that_ends_hold_from_their_day(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where, requirements=("public-liability",))
    member(lot, areas=[where], documents=HELD)

    asks(lot, 10, public_liability=Asked(minimum_pence=500))
    asks(lot, 20, public_liability=Asked(required=False))

    said = [listed(lot, TODAY + days * DAY)[1] for days in (9, 10, 19, 20)]
    assert said == [(), *[("public-liability does not cover £5.00",)] * 2, ()]
    assert [each.required for each in lot.requirements] == [False]


def test_changes_of_one_day_leave_one_row_and_the_same_terms_none(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    asks(lot, 1, gas=Asked())
    asks(lot, 1, gas=Asked(minimum_pence=100))
    asks(lot, 2, gas=Asked(minimum_pence=100))
    with transaction():
        require_documents(lot, ("gas", "ssip"), by=OFFICER, now=NOW + 3 * DAY)

    look_again()
    asked = {each.kind: (each.minimum_pence, each.from_on, each.to_on) for each in lot.requirements}
    assert asked == {"gas": (100, TODAY + DAY, None), "ssip": (None, TODAY + 3 * DAY, None)}


@pytest.mark.parametrize("days", [0, 5])
def test_a_member_is_found_where_it_worked_on_the_day(app: Flask, days: int) -> None:
    first, second = authority(), authority()
    lot = framework_with_lot(first, second)
    one = member(lot, areas=[first])

    with transaction():
        change_member_terms(one.id, areas=[second.code, "RG1"], adjustment_bp=0, by=OFFICER, now=NOW + days * DAY)
    with transaction():
        change_member_terms(one.id, areas=[first.code], adjustment_bp=0, by=OFFICER, now=NOW + (days + 2) * DAY)

    assert listed(lot, TODAY + (days - 1) * DAY)[0].areas == {first.code}
    assert listed(lot, TODAY + days * DAY)[0].areas == {second.code, "RG1"}
    assert listed(lot, TODAY + (days + 1) * DAY)[0].areas == {second.code, "RG1"}
    assert listed(lot, TODAY + (days + 2) * DAY)[0].areas == {first.code}
