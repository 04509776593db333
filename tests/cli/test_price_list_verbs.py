"""The verbs of price lists and editions do what the pages do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import edition, look_again
from click.testing import Result
from files_made import priced

from portal.kernel.db import db
from portal.rates.queries import items_by_code

Portal = Callable[..., Result]
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and say where it is."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def document(result: Result) -> Any:
    """The one JSON document of a verb."""
    return json.loads(result.stdout)


CHANGED = priced(
    "LIFT01,Item LIFT01,,Lifts,nr,2303.40,,", "RAMP01,A ramp,,Ramps,m,120.00,,", "SET1,A set,,Lifts,nr,500.00,RAMP01*2,"
)
EDITION = ("--schedule", "SOR", "--edition", "2027", "--from", "2027-04-01")


def there() -> None:
    """The edition before."""
    edition({"LIFT01": 209_400, "RAIL01": 4_250}, schedule="SOR", name="2026")


def test_a_checked_import_says_what_it_would_change(portal: Portal, write: Write) -> None:
    there()
    path = write("prices.csv", CHANGED)

    found = document(portal("rates", "import", path, *EDITION, "--check", "--json"))
    text = portal("rates", "import", path, *EDITION, "--check").stdout

    diff = found["diff"]
    assert (found["written"], found["items"], diff["against"], diff["same"]) == (False, 3, "2026", 0)
    assert [each["code"] for each in diff["new"]] == ["RAMP01", "SET1"]
    assert [each["code"] for each in diff["gone"]] == ["RAIL01"]
    (change,) = diff["changed"]
    assert (change["code"], change["kinds"], change["difference"]) == ("LIFT01", ["up"], "209.40")
    assert change["difference_percent"] == "10"
    assert (change["before"]["rate"], change["after"]["rate"]) == ("2094.00", "2303.40")
    assert [(each["code"], each["difference"], each["look"]) for each in diff["composites"]] == [
        ("SET1", "260.00", True)
    ]
    assert "Against the edition 2026: new: 2; no longer in the list: 1; rate goes up: 1; stay as they are: 0." in text
    assert "LIFT01\t2094.00 -> 2303.40\t+10 %\tItem LIFT01" in text
    assert "Look at it: SET1 costs 500.00, its parts 240.00 together." in text


def test_an_import_that_would_be_refused_has_no_changes_to_show(portal: Portal, write: Write) -> None:
    path = write("prices.csv", priced("A,Item,,,nr,TBC,,"))

    found = document(portal("rates", "import", path, *EDITION, "--check", "--json", code=1))

    assert found["diff"] is None
    assert len(found["problems"]) == 1


def test_a_list_goes_from_its_file_to_an_edition(portal: Portal, write: Write) -> None:
    there()
    path = write("prices.csv", CHANGED.replace("rate,", "gross amount,"))
    mapped = write("map.toml", 'rate = "gross amount"\n')

    handed = document(portal("rates", "lists", "new", path, *EDITION, "--map", mapped, "--json"))
    waiting = portal("rates", "lists", "show").stdout
    counts = document(portal("tick", "--json"))
    seen = document(portal("rates", "lists", "show", handed["id"], "--json"))
    text = portal("rates", "lists", "show", handed["id"]).stdout
    second = portal("rates", "lists", "new", path, *EDITION, "--map", mapped, code=1)
    other = portal("rates", "lists", "publish", handed["id"], "--against", "2025", code=1)
    portal("rates", "lists", "publish", handed["id"], "--against", "2026")

    assert "waits to be read" in waiting
    assert counts["price_lists_read"] == 1
    assert (seen["status"], seen["items"], seen["columns"]["rate"]) == ("ready", 3, "gross amount")
    assert seen["diff"]["counts"]["up"] == 1
    assert "Against the edition 2026" in text
    assert "A schedule takes one list at a time" in second.stderr
    assert "no edition 2025" in other.stderr
    assert [each["status"] for each in document(portal("rates", "lists", "show", "--json"))] == ["published"]
    changes = document(portal("rates", "changes", "--schedule", "SOR", "--edition", "2027", "--json"))
    assert (changes["against"], [each["code"] for each in changes["gone"]]) == ("2026", ["RAIL01"])
    prices = document(portal("rates", "composites", "--schedule", "SOR", "--edition", "2027", "--json"))
    assert [each["code"] for each in prices["composites"]] == ["SET1"]
    assert (
        "SET1\t500.00\t240.00\t260.00\t108.33 %\tlook at it"
        in portal("rates", "composites", "--schedule", "SOR", "--edition", "2027").stdout
    )


def test_a_refused_list_says_its_problems_and_is_dropped(portal: Portal, write: Write) -> None:
    path = write("prices.csv", priced("A,Item,,,nr,TBC,,"))

    number = document(portal("rates", "lists", "new", path, *EDITION, "--json"))["id"]
    portal("tick")
    refused = portal("rates", "lists", "show", number)
    portal("rates", "lists", "drop", number)

    assert "prices.csv, row 2, column rate" in refused.stderr
    assert "was dropped" in portal("rates", "lists", "drop", number, code=1).stderr
    assert "There is no price list 99." in portal("rates", "lists", "show", "99", code=1).stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("nowhere.csv", None, "check its name and folder"), ("photo.csv", "GIF89a picture", "GIF picture")],
)
def test_what_is_no_list_is_refused_at_once(
    portal: Portal, write: Write, name: str, text: str | None, said: str
) -> None:
    path = Path(name) if text is None else write(name, text)

    assert said in portal("rates", "lists", "new", path, *EDITION, code=1).stderr


def test_a_map_that_a_list_cannot_keep_is_refused_with_the_remedy(portal: Portal, write: Write) -> None:
    path, mapped = write("prices.csv", CHANGED), write("map.toml", '[defaults]\nunit = "nr"\n')

    refused = portal("rates", "lists", "new", path, *EDITION, "--map", mapped, code=1)

    assert "portal rates import" in refused.stderr


def test_an_item_is_withdrawn_in_the_edition_in_force_on_the_day(portal: Portal) -> None:
    first = edition({"LIFT01": 209_400}, schedule="SOR", name="2026")
    edition({"LIFT01": 220_000}, schedule="SOR", name="2090", starts_on=first.starts_on.replace(year=2090))
    words = ("rates", "withdraw", "LIFT01", "--schedule", "SOR", "--from", "2089-01-01")

    done = portal(*words, "--reason", "No longer made")
    again = portal(*words, "--reason", "No longer made", code=1)

    assert "LIFT01 of SOR 2026 is withdrawn from 2089-01-01." in done.stdout
    assert "The edition 2090, in force from 2090-04-01, still has it." in done.stderr
    assert "is withdrawn already" in again.stderr
    look_again()
    db.session.expire_all()
    assert items_by_code(first.id, ["LIFT01"])["LIFT01"].withdrawn_reason == "No longer made"
