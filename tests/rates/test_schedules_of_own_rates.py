"""An own rate belongs to a schedule: the same code of another schedule, in pounds or not, is another item."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from builders import (
    NOW,
    OFFICER,
    TODAY,
    Scene,
    allocate,
    code_of,
    edition,
    job,
    look_again,
    open_offer,
    person,
    scene,
    schedule_file,
)
from click.testing import Result
from fixture_types import Clock
from flask import Flask
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.checks import everything_off
from portal.framework.faults import WrongTerm
from portal.kernel.db import transaction
from portal.rates.models import Edition
from portal.rates.own_rates import Period, agree_own_rate, end_own_rate, own_rates_of
from portal.rates.price_lists.queries import own_rates_for
from portal.rates.services import import_edition

Portal = Callable[..., Result]
SignIn = Callable[[Person], StrictClient]
JUNE, JULY = date(2026, 6, 4), date(2026, 7, 4)


@pytest.fixture
def there(app: Flask, fixed_clock: Clock) -> Scene:
    """One firm with an own rate for RAIL01 of the schedule AAA; LIFT01 of the same schedule has none."""
    made = scene(1)
    made.edition = edition({"RAIL01": 4_250, "LIFT01": 209_400}, schedule="AAA")
    with transaction():
        agree_own_rate(made.members[0].id, "RAIL01", 3_999, TODAY, schedule="AAA", by=OFFICER, now=NOW)
    return made


@pytest.fixture
def other(there: Scene) -> Edition:
    """Another schedule in pounds, whose RAIL01 is another item."""
    return edition({"RAIL01": 90_000}, schedule="ZZZ")


def agree(there: Scene, code: str, pence: int, on: date, schedule: str | None = "AAA") -> Period:
    with transaction():
        return agree_own_rate(there.members[0].id, code, pence, on, schedule=schedule, by=OFFICER, now=NOW)


def end(there: Scene, code: str, on: date, schedule: str | None = "AAA") -> Period:
    with transaction():
        return end_own_rate(there.members[0].id, code, on, schedule=schedule, by=OFFICER, now=NOW)


def basket(folder: Path, code: str = "RAIL01") -> Path:
    path = folder / "basket.csv"
    path.write_text(f"code,quantity\n{code},1\n", encoding="utf-8")
    return path


def manager(there: Scene, sign_in: SignIn) -> StrictClient:
    return sign_in(person(Role.FRAMEWORK_MANAGER, there.authority))


# Schedules ------------------------------------------------------------------------------------------------------------


def test_it_prices_its_own_schedules_item_alone_in_one_batch_and_alone(there: Scene, other: Edition) -> None:
    jobs = [there.job(lines={"RAIL01": "1"}), job(there.authority, there.lot, other, lines={"RAIL01": "1"})]
    allocate(*jobs)
    alone = job(there.authority, there.lot, other, lines={"RAIL01": "1"})
    allocate(alone)

    offers = [open_offer(each) for each in (*jobs, alone)]

    assert [(offer.price_pence, offer.own_rates) for offer in offers] == [
        (3_999, {"RAIL01": 3_999}),
        (90_000, {}),
        (90_000, {}),
    ]
    assert list(everything_off()) == []


def test_each_schedule_can_have_a_rate_for_the_same_code(there: Scene, other: Edition) -> None:
    agree(there, "RAIL01", 80_000, TODAY, "ZZZ")
    agree(there, "RAIL01", 70_000, JUNE, "ZZZ")

    look_again()
    assert [
        (each.schedule, each.code, each.rate_pence, each.ends_on) for each in own_rates_of(there.members[0].id)
    ] == [("AAA", "RAIL01", 3_999, None), ("ZZZ", "RAIL01", 70_000, None), ("ZZZ", "RAIL01", 80_000, JUNE)]


def test_with_several_schedules_in_force_one_is_named_and_has_the_code(there: Scene, other: Edition) -> None:
    with pytest.raises(WrongTerm, match=r"AAA, SOR.*, ZZZ") as unnamed:
        agree(there, "RAIL01", 100, JUNE, None)
    with pytest.raises(WrongTerm, match="not an item") as elsewhere:
        agree(there, "LIFT01", 100, JUNE, "ZZZ")
    with pytest.raises(WrongTerm, match="no schedule of rates NONE"):
        agree(there, "RAIL01", 100, JUNE, "NONE")
    with pytest.raises(WrongTerm, match="no own rate for RAIL01"):
        end(there, "RAIL01", JUNE, "ZZZ")

    assert (unnamed.value.term, elsewhere.value.term) == ("schedule", "code")


def test_a_schedule_in_another_currency_has_no_own_rates(there: Scene) -> None:
    with transaction():
        import_edition(
            schedule_file({"RAIL01": 1}),
            schedule_code="EURO",
            edition_name="1",
            starts_on=TODAY,
            currency="EUR",
            by=OFFICER,
            now=NOW,
        )

    with pytest.raises(WrongTerm, match="no schedule of rates EURO in pounds"):
        agree(there, "RAIL01", 100, JUNE, "EURO")


def test_the_preview_of_a_list_names_the_own_rates_of_its_schedule(there: Scene, other: Edition) -> None:
    assert [each.rate_pence for each in own_rates_for({"RAIL01"}, TODAY, there.edition.schedule_id)] == [3_999]
    assert own_rates_for({"RAIL01"}, TODAY, other.schedule_id) == []


def test_the_verbs_take_the_schedule_and_price_by_it(
    there: Scene, other: Edition, portal: Portal, tmp_path: Path
) -> None:
    of = ("--member", code_of(there.members[0]), "--lot", there.lot.name)
    path = tmp_path / "own.csv"
    path.write_text("code,rate\nRAIL01,850\n", encoding="utf-8")

    unnamed = portal("rates", "own", "set", "RAIL01", "800", *of, "--from", "2026-06-04", code=1)
    portal("rates", "own", "set", "RAIL01", "800", *of, "--from", "2026-06-04", "--schedule", "ZZZ")
    portal("rates", "own", "import", path, *of, "--from", "2026-06-05", "--schedule", "ZZZ")
    ended = portal("rates", "own", "end", "RAIL01", *of, "--from", "2026-06-06", "--schedule", "ZZZ")
    listed = portal("rates", "own", "list", *of)
    priced = [
        portal("rates", "price", basket(tmp_path), "--schedule", code, "--on", "2026-06-05", *of[:2])
        for code in ("AAA", "ZZZ")
    ]

    assert "name one of them" in unnamed.stderr
    assert "The schedule’s rate holds again from 6 June 2026" in ended.stdout
    assert [line.split("\t")[:3] for line in listed.stdout.splitlines()] == [
        ["AAA", "RAIL01", "39.99"],
        ["ZZZ", "RAIL01", "850.00"],
        ["ZZZ", "RAIL01", "800.00"],
    ]
    assert ["Total excluding VAT\t39.99" in priced[0].stdout, "Total excluding VAT\t850.00" in priced[1].stdout] == [
        True,
        True,
    ]


def test_the_page_asks_for_the_schedule_where_there_are_several(
    there: Scene, other: Edition, sign_in: SignIn
) -> None:
    visitor, member_id = manager(there, sign_in), there.members[0].id
    page = visitor.get(f"/framework/members/{member_id}/rates")
    token = str(page.soup.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]
    assert page.rows() == [["RAIL01", "AAA", "£39.99", "5 May 2026", "Further notice", OFFICER]]

    for schedule, status in (("", 422), ("ZZZ", 302)):
        agreed = visitor.post(
            f"/framework/members/{member_id}/rates",
            {
                "csrf_token": token,
                "own-code": "RAIL01",
                "own-schedule": schedule,
                "own-rate": "800",
                "own-starts_on": ["4", "6", "2026"],
            },
            status=status,
        )
        if status == 422:
            assert "Choose the schedule of rates" in agreed.text
    brought = visitor.post(
        f"/framework/members/{member_id}/rates/file",
        {
            "csrf_token": token,
            "file-schedule": "ZZZ",
            "file-file": (BytesIO(b"code,rate\nRAIL01,700\n"), "own.csv"),
            "file-starts_on": ["4", "7", "2026"],
        },
        status=302,
    )

    assert "1 rate holds from 4 July 2026" in visitor.follow(brought).text
    look_again()
    assert [(each.schedule, each.rate_pence) for each in own_rates_of(member_id)] == [
        ("AAA", 3_999),
        ("ZZZ", 70_000),
        ("ZZZ", 80_000),
    ]


def test_a_firm_sees_its_own_rate_at_its_schedule_alone(there: Scene, other: Edition, sign_in: SignIn) -> None:
    visitor = sign_in(person(Role.CONTRACTOR, there.members[0].contractor.organisation))
    one = f"/firm/rates/{there.members[0].id}"

    assert "A rate of your own" in visitor.get(f"{one}?schedule=AAA").text
    elsewhere = visitor.get(f"{one}?schedule=ZZZ")
    assert "A rate of your own" not in elsewhere.text
    assert elsewhere.rows()[0][2:4] == ["£900.00", "£900.00"]
    plain = visitor.client.get(f"{one}/rates.csv?schedule=ZZZ").get_data(as_text=True)
    assert "900.00,,0,900.00" in plain


# Periods --------------------------------------------------------------------------------------------------------------


def test_what_is_agreed_for_later_ends_what_is_agreed_now_and_that_is_said(there: Scene) -> None:
    later = agree(there, "LIFT01", 300, JULY)
    first = agree(there, "LIFT01", 200, JUNE)
    same = agree(there, "LIFT01", 300, JUNE + timedelta(days=1))

    assert str(later) == "The rate holds from 4 July 2026."
    assert (first.starts_on, first.ends_on) == (JUNE, JULY)
    assert str(first) == (
        "The rate holds from 4 June 2026 until 4 July 2026; then £3.00, as agreed on 5 May 2026."
    )
    # The same rate again is the same period.
    assert str(same) == "The rate holds from 5 June 2026."


def test_an_end_says_what_is_agreed_for_later(there: Scene) -> None:
    agree(there, "RAIL01", 300, JULY)

    ended = end(there, "RAIL01", JUNE)
    open_end = end(there, "RAIL01", JULY)

    assert (ended.starts_on, ended.ends_on) == (JUNE, JULY)
    assert str(ended) == (
        "The schedule’s rate holds from 4 June 2026 until 4 July 2026; then £3.00, as agreed on 5 May 2026."
    )
    assert str(open_end) == "The schedule’s rate holds again from 4 July 2026."


def test_a_rate_that_ends_already_says_that_the_schedules_rate_follows(there: Scene) -> None:
    end(there, "RAIL01", JULY)

    assert str(agree(there, "RAIL01", 4_000, JUNE)) == (
        "The rate holds from 4 June 2026 until 4 July 2026; then the schedule’s rate, as agreed on 5 May 2026."
    )


def test_page_and_verbs_say_the_period(there: Scene, sign_in: SignIn, portal: Portal, tmp_path: Path) -> None:
    agree(there, "RAIL01", 300, JULY)
    visitor, member_id = manager(there, sign_in), there.members[0].id
    page = visitor.get(f"/framework/members/{member_id}/rates")
    token = str(page.soup.find("input", attrs={"name": "csrf_token"})["value"])  # type: ignore[index]
    of = ("--member", code_of(there.members[0]), "--lot", there.lot.name, "--schedule", "AAA")
    path = tmp_path / "own.csv"
    path.write_text("code,rate\nRAIL01,35\nLIFT01,1900\n", encoding="utf-8")

    ended = visitor.post(
        f"/framework/members/{member_id}/rates/end",
        {
            "csrf_token": token,
            "end-schedule": "AAA",
            "end-code": "RAIL01",
            "end-starts_on": ["4", "6", "2026"],
        },
    )
    said = portal("rates", "own", "set", "RAIL01", "38", *of, "--from", "2026-06-10")
    brought = portal("rates", "own", "import", path, *of, "--from", "2026-06-11")

    assert "until 4 July 2026; then £3.00, as agreed on 5 May 2026" in visitor.follow(ended).text
    assert "The rate holds from 10 June 2026 until 4 July 2026; then £3.00" in said.stdout
    assert "RAIL01: The rate holds from 11 June 2026 until 4 July 2026; then £3.00" in brought.stdout
    assert "LIFT01:" not in brought.stdout
