"""A member's own rates: agreed from a day on, never into the past, and only for codes that there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import NOW, OFFICER, TODAY, Scene, allocate, code_of, look_again, open_offer, scene
from click.testing import Result
from fixture_types import Clock
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import select

from portal.checks import everything_off
from portal.framework.faults import WrongTerm
from portal.framework.members.services import set_member_status
from portal.framework.states import MemberStatus
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import InputRefused, NotFound, WrongState
from portal.rates.models import MemberRate
from portal.rates.own_rate_file import import_own_rates, read_own_rates
from portal.rates.own_rates import agree_own_rate, end_own_rate, own_rates_of
from portal.rates.services import withdraw_item

Portal = Callable[..., Result]
LATER = TODAY + timedelta(days=30)


def agree(there: Scene, code: str, pence: int, on: date, place: int = 0) -> None:
    with transaction():
        agree_own_rate(there.members[place].id, code, pence, on, by=OFFICER, now=NOW)


def rates_of(there: Scene) -> list[tuple[str, int, date, date | None]]:
    look_again()
    return [(each.code, each.rate_pence, each.starts_on, each.ends_on) for each in own_rates_of(there.members[0].id)]


def test_an_own_rate_prices_the_offers_made_while_it_holds(app: Flask) -> None:
    there = scene(1, adjustments=[-250])
    before = there.offered()
    agree(there, "LIFT01", 180_000, TODAY)
    with transaction():
        end_own_rate(there.members[0].id, "LIFT01", LATER, by=OFFICER, now=NOW)
    within = there.offered()
    after = there.job()
    allocate(after, now=NOW + timedelta(days=30))

    prices = [before.price_pence, within.price_pence, open_offer(after).price_pence]

    assert prices == [204_165, 180_000, 204_165]
    assert list(everything_off()) == []


def test_a_later_rate_ends_the_one_before(app: Flask) -> None:
    there = scene(1)
    agree(there, "LIFT01", 180_000, TODAY)
    agree(there, "LIFT01", 190_000, LATER)
    agree(there, "RAIL01", 4_000, LATER)
    agree(there, "RAIL01", 4_100, LATER)

    assert rates_of(there) == [
        ("LIFT01", 190_000, LATER, None),
        ("LIFT01", 180_000, TODAY, LATER),
        # What has not begun can be put right.
        ("RAIL01", 4_100, LATER, None),
    ]


@pytest.mark.parametrize(
    ("code", "pence", "on", "said"),
    [
        ("LIFT01", 100, TODAY - timedelta(days=1), "in the past"),
        ("LIFT01", 0, TODAY, "above £0"),
        ("LIFT01", 10**9, TODAY, "not above"),
        ("NONE", 100, TODAY, "not an item"),
        ("SHOWER01", 100, TODAY, "withdrawn"),
    ],
)
def test_what_cannot_be_agreed_is_refused_and_nothing_is_written(
    app: Flask, code: str, pence: int, on: date, said: str
) -> None:
    there = scene(1)
    with transaction():
        withdraw_item(there.edition.id, "SHOWER01", TODAY, reason="no longer made", by=OFFICER, now=NOW)

    with pytest.raises(WrongTerm, match=said):
        agree(there, code, pence, on)

    assert rates_of(there) == []


def test_what_has_begun_is_never_changed(app: Flask) -> None:
    there = scene(1)
    agree(there, "LIFT01", 180_000, TODAY)

    with pytest.raises(WrongTerm, match="has begun"):
        agree(there, "LIFT01", 170_000, TODAY)
    with pytest.raises(WrongTerm, match="has begun"), transaction():
        end_own_rate(there.members[0].id, "LIFT01", TODAY, by=OFFICER, now=NOW)

    assert rates_of(there) == [("LIFT01", 180_000, TODAY, None)]


def test_only_a_rate_that_would_hold_can_end(app: Flask) -> None:
    there = scene(1)

    with pytest.raises(WrongTerm, match="no own rate for LIFT01"), transaction():
        end_own_rate(there.members[0].id, "LIFT01", LATER, by=OFFICER, now=NOW)
    with pytest.raises(NotFound), transaction():
        end_own_rate(999_999, "LIFT01", LATER, by=OFFICER, now=NOW)


def test_a_membership_that_has_ended_gets_no_rates(app: Flask) -> None:
    there = scene(1)
    with transaction():
        set_member_status(there.members[0], MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW)

    with pytest.raises(WrongState, match="has ended"):
        agree(there, "LIFT01", 180_000, TODAY)


def test_who_agreed_what_is_in_the_audit(app: Flask) -> None:
    there = scene(1)
    agree(there, "LIFT01", 180_000, TODAY)

    event = events_on(f"contractor:{code_of(there.members[0])}")[-1]

    assert (event.action, event.actor) == ("own rate agreed", OFFICER)
    assert (event.data["code"], event.data["rate_pence"], event.data["from_on"]) == ("LIFT01", 180_000, "2026-05-05")


# Files ----------------------------------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    path = folder / "own.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_comes_in_whole_from_csv_and_from_a_workbook(app: Flask, tmp_path: Path) -> None:
    there = scene(1)
    book = Workbook()
    for row in (("Code", "Rate"), ("LIFT01", 1_850.5), ("RAIL01", 41)):
        book.active.append(row)
    book.save(tmp_path / "own.xlsx")
    text = written(tmp_path, 'code,rate\nLIFT01,"£1,900.00"\n')

    for path, day in ((tmp_path / "own.xlsx", TODAY), (text, LATER)):
        with transaction():
            import_own_rates(read_own_rates(path), there.members[0].id, day, by=OFFICER, now=NOW)

    assert rates_of(there) == [
        ("LIFT01", 190_000, LATER, None),
        ("LIFT01", 185_050, TODAY, LATER),
        ("RAIL01", 4_100, TODAY, None),
    ]


@pytest.mark.parametrize(
    ("text", "rows", "said"),
    [
        ("code,rate\nLIFT01,100\nNONE,5\nNEITHER,6\n", [3, 4], "not an item"),
        ("code,rate\nLIFT01,100\nLIFT01,200\n", [3], "stands in row 2"),
        ("code,rate\nLIFT01,TBC\n", [2], "TBC"),
        ("code,rate\nLIFT01,0\n", [2], ""),
        ("code,rate\nLIFT01,-5\n", [2], ""),
        ("code,rate\n", [1], ""),
    ],
)
def test_a_list_with_a_fault_is_refused_whole_with_its_rows(
    app: Flask, tmp_path: Path, text: str, rows: list[int | None], said: str
) -> None:
    there = scene(1)

    with pytest.raises(InputRefused) as refused, transaction():
        import_own_rates(read_own_rates(written(tmp_path, text)), there.members[0].id, TODAY, by=OFFICER, now=NOW)

    assert [problem.row for problem in refused.value.problems] == rows
    assert said in refused.value.problems[0].message
    assert db.session.scalars(select(MemberRate)).all() == []


def test_the_verbs_bring_rates_in_and_list_them(portal: Portal, tmp_path: Path, fixed_clock: Clock) -> None:
    there = scene(1)
    path, code, lot = written(tmp_path, "code,rate\nLIFT01,1850.50\n"), code_of(there.members[0]), there.lot.name

    portal("rates", "own", "import", path, "--member", code, "--lot", lot, "--from", "2026-05-06", "--json")
    listed = portal("rates", "own", "list", "--member", code, "--lot", lot)
    early = portal("rates", "own", "import", path, "--member", code, "--lot", lot, "--from", "2026-05-04", code=1)
    unknown = portal("rates", "own", "list", "--member", "C9", "--lot", lot, code=1)

    assert listed.stdout == f"{there.edition.schedule.code}\tLIFT01\t1850.50\tfrom 2026-05-06\tto come\n"
    assert "in the past" in early.stderr
    assert "C9 has no membership" in unknown.stderr
