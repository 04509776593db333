"""The contractor list read back: who serves where, at which adjustment, and where nobody does."""

from __future__ import annotations

from datetime import date

import pytest
from builders import NOW, OFFICER, authority, framework_with_lot, member
from flask import Flask

from portal.framework.members.contractor_file import listed
from portal.framework.members.services import set_member_status
from portal.framework.queries import Unserved, members_of, unserved_areas
from portal.framework.states import MemberStatus
from portal.kernel.db import transaction

TODAY = NOW.date()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A", ("A",)),
        ("A; B;", ("A", "B")),
        (";", ()),
        ("", ()),
        (" A ;A;B", ("A", "B")),
        ("Stair lift", ("Stair lift",)),
    ],
)
def test_a_list_in_a_cell_names_each_once(text: str, names: tuple[str, ...]) -> None:
    assert listed(text) == names


def test_where_nobody_works_is_said(app: Flask) -> None:
    first, second = authority(), authority()
    lot = framework_with_lot(first, second)
    only = member(lot, areas=[first], rank=1)

    assert unserved_areas(TODAY) == [Unserved(lot.name, second.name)]
    with transaction():
        set_member_status(only, MemberStatus.SUSPENDED, reason="A claim is open", by=OFFICER, now=NOW)

    assert {each.authority for each in unserved_areas(TODAY)} == {first.name, second.name}
    assert not any(each.active for each in members_of([lot.id], TODAY))


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "counts"),
    [
        (None, None, True),
        (TODAY, None, True),
        (date(2026, 5, 6), None, False),
        (None, date(2026, 5, 6), True),
        (None, TODAY, False),
    ],
)
def test_a_framework_out_of_force_leaves_nobody_unserved(
    app: Flask, starts_on: date | None, ends_on: date | None, counts: bool
) -> None:
    framework_with_lot(authority(), starts_on=starts_on, ends_on=ends_on)

    assert bool(unserved_areas(TODAY)) is counts


def test_members_come_in_rank_order(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    ranks = [3, 1, 2]
    made = [member(lot, areas=[where], rank=rank) for rank in ranks]

    assert [each.member_id for each in members_of([lot.id], TODAY)] == [made[1].id, made[2].id, made[0].id]
    assert all(each.active for each in members_of([lot.id], TODAY))
