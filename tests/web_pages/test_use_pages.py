"""The page on the use of a framework: spend, guarantee, fair share, and its picture and list."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from browser import DESKTOP, PHONE, Screen, Visitor
from builders import NOW, OFFICER, PASSWORD, TODAY, Scene, framework, look_again, person, scene
from fixture_types import AT_MOST
from flask import Flask
from strict_client import StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.models import Framework
from portal.framework.states import FrameworkKind
from portal.framework.terms.services import decide_on_cap
from portal.kernel.db import db, transaction


@pytest.fixture
def there(app: Flask, fixed_clock: object) -> Scene:
    """Three members, one order and one open offer."""
    made = scene(members=3)
    made.accepted()
    made.offered()
    return made


def code_of(made: Scene, **terms: object) -> str:
    """The framework's code, once its terms are changed."""
    with transaction():
        framework = db.session.get_one(Framework, made.lot.framework_id)
        for name, value in terms.items():
            setattr(framework, name, value)
        return framework.code


@pytest.fixture
def reader(there: Scene, sign_in: Callable[[Person], StrictClient]) -> StrictClient:
    return sign_in(person(Role.AUDITOR))


@pytest.mark.parametrize(
    ("cap_pence", "said"),
    [
        (None, "This framework has no value cap."),
        (1_000_000, "41.9 %"),
        (550_000, "76.1 % of the value cap is spent or committed. At 100 % no new job"),
        (400_000, "No new job can be called off without a recorded decision."),
    ],
)
def test_spend_stands_against_the_cap(reader: StrictClient, there: Scene, cap_pence: int | None, said: str) -> None:
    page = reader.get(f"/framework/{code_of(there, value_cap_pence=cap_pence)}/use")

    assert said in page.text
    assert "£2,094.00" in page.text


def test_a_decision_beyond_the_cap_is_shown_with_who_took_it(reader: StrictClient, there: Scene) -> None:
    code = code_of(there, value_cap_pence=400_000)
    with transaction():
        decide_on_cap(there.lot.framework_id, 600_000, reason="Winter pressures", by=OFFICER, now=NOW)

    page = reader.get(f"/framework/{code}/use")

    assert page.rows()[0][:3] == ["£6,000.00", "Winter pressures", OFFICER]
    assert "A decision allows call-offs up to £6,000.00." in page.text


def test_a_direct_contract_shows_each_month_and_what_is_short(reader: StrictClient, there: Scene) -> None:
    code = code_of(
        there,
        kind=FrameworkKind.DIRECT_CONTRACT,
        guaranteed_jobs=2,
        starts_on=TODAY - timedelta(days=40),
    )

    page = reader.get(f"/framework/{code}/use")

    assert "Each month guarantees 2 jobs." in page.text
    assert "A month that the contract covers in part owes its part by days, in whole jobs." in page.text
    assert [row[0] + ": " + row[3] for row in page.rows()[:3]] == [
        "May 2026 latest month: 1 job",
        "April 2026: 2 jobs",
        # Six of its days: not a whole job yet.
        "March 2026: Nothing",
    ]


def test_shares_are_a_table_a_picture_and_a_list(reader: StrictClient, there: Scene) -> None:
    page = reader.get(f"/framework/{code_of(there)}/use")

    rows = page.rows()
    assert [row[1] for row in rows] == ["2", "0", "0"]
    assert rows[0][5:] == ["£2,094.00", "100.0 %", "33.3 %", "+66.7"]
    assert rows[1][5:] == ["£0.00", "0.0 %", "33.3 %", "−33.3"]
    assert "No shares are agreed" in page.text
    assert "With so few orders" in page.text
    assert "Nobody has said yet which postcode areas are local" in page.text
    picture = page.soup.select_one("figure img")
    assert picture is not None
    assert "100.0 % of the value, equal split 33.3 %" in str(picture["alt"])
    drawn = reader.client.get(str(picture["src"]))
    assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    link = page.soup.find("a", string="Download the table (CSV)")
    assert link is not None
    listed = reader.client.get(str(link["href"]))
    assert "attachment" in listed.headers["Content-Disposition"]
    table = list(csv.DictReader(io.StringIO(listed.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [(row["orders_value"], row["share_percent"], row["waiting"]) for row in table] == [
        ("2094.00", "100.0", "1"),
        ("0.00", "0.0", "0"),
        ("0.00", "0.0", "0"),
    ]


def test_a_period_and_a_lot_are_chosen(reader: StrictClient, there: Scene) -> None:
    page = reader.get(f"/framework/{code_of(there)}/use")

    page = page.submit("Show", {"From": "2026-05-06", "Up to and including": "2026-05-31", "Lot": there.lot.name})

    assert f"{there.lot.name}, offers sent from 6 May 2026 up to and including 31 May 2026. 0 orders" in page.text
    assert page.soup.select_one("figure img") is None
    assert [row[7] for row in page.rows()] == ["33.3 %"] * 3


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=soon", "Enter the first day, such as 2026-04-01"),
        ("to=2026-13-01", "Enter the last day, such as 2027-03-31"),
        ("from=2026-05-05&to=2026-05-04", "The last day cannot come before the first"),
        ("to=1200-01-01", "The year must lie between 2000 and 2100"),
        ("lot=99999999", "Choose one of the lots"),
        ("lot=x", "Choose one of the lots"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field(
    reader: StrictClient, there: Scene, query: str, said: str
) -> None:
    code = code_of(there)

    assert said in reader.get(f"/framework/{code}/use?{query}", status=422).text
    for ending in ("svg", "csv"):
        answer = reader.client.get(f"/framework/{code}/use/share.{ending}?{query}")
        assert answer.status_code == 422


def test_an_unknown_framework_is_not_found(reader: StrictClient) -> None:
    for ending in ("", "/share.svg", "/share.csv"):
        reader.get(f"/framework/NOWHERE/use{ending}", status=404)


def test_a_framework_without_lots_is_a_page_too(reader: StrictClient, there: Scene) -> None:
    made = framework(there.authority)

    assert "nothing was offered in this period" in reader.get(f"/framework/{made.code}/use").text
    assert reader.client.get(f"/framework/{made.code}/use/share.svg").status_code == 200


def test_the_page_takes_few_statements(reader: StrictClient, there: Scene, query_counter: AT_MOST) -> None:
    code = code_of(there, value_cap_pence=1_000_000)
    look_again()

    with query_counter(13):
        reader.get(f"/framework/{code}/use")


@pytest.mark.browser
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_is_in_order_in_a_browser(
    there: Scene, live_server: str, visit: Callable[[str, Screen], Visitor], screen: Screen
) -> None:
    code = code_of(there, value_cap_pence=550_000, local_areas="RG")
    manager = person(Role.FRAMEWORK_MANAGER)
    look_again()
    visitor = visit(live_server, screen)
    visitor.goto("/sign-in")
    visitor.fill("Email address", manager.email)
    visitor.fill("Password", PASSWORD)
    visitor.press("Sign in")

    visitor.goto(f"/framework/{code}/use")

    assert "76.1 % of the value cap" in visitor.text
    visitor.goto(f"/framework/{code}/use?from=soon", status=422)
