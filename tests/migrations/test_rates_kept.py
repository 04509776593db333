"""Rates and orders from before rates in full come through the upgrade at the same prices, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from databases import Shelf, app_on, settings_for
from flask import Flask
from sqlalchemy import MetaData, Table, select, text

from portal.jobs.models import JobLine, Offer, OrderLine
from portal.kernel.db import db
from portal.rates import checks
from portal.rates.models import CatalogueWord, Item
from portal.rates.search_words import search_words, vocabulary
from portal.rates.states import PriceRule

NOW = datetime(2026, 5, 5, 9, tzinfo=UTC)
ITEMS = {"RMP-01O": "Ramp, 1:12, with handrail £ inc.", "BAÑ 7": "Baño adaptado; ducha a ras de suelo"}


@pytest.fixture
def before(shelf: Shelf, tmp_path: Path) -> Iterator[Flask]:
    """The portal on a database of the revision before, with an edition, and an order and a quoted order."""
    with shelf.copy(migrated=False) as url, app_on(settings_for(tmp_path, url)) as app:
        flask_migrate.upgrade(revision="0007")
        write("organisation", {"id": 1, "code": "A", "name": "A", "kind": "authority"})
        write("organisation", {"id": 2, "code": "C1", "name": "C1", "kind": "contractor"})
        write(
            "framework",
            {
                "id": 1,
                "code": "F",
                "name": "F",
                "kind": "framework-agreement",
                "regime": "open",
                "contracting_party": "authority",
                "cap_warned": 0,
                "local_areas": "",
            },
        )
        windows = {
            f"{what}_{priority}": 5
            for what in ("answer_hours", "start_days")
            for priority in ("hospital_discharge", "priority", "routine")
        }
        write(
            "lot",
            {
                "id": 1,
                "framework_id": 1,
                "name": "L",
                "method": "ranked-cascade",
                "capacity_rule": "all-work",
                "value_from_pence": 0,
                "works_days": 14,
                **windows,
            },
        )
        write(
            "contractor",
            {
                "id": 1,
                "organisation_id": 2,
                "email": "",
                "phone": "",
                "postcode": "",
                "company_number": "",
                "sme": True,
                "capacity": 3,
                "social_value": "",
            },
        )
        write("member", {"id": 1, "lot_id": 1, "contractor_id": 1, "adjustment_bp": -250})
        write("schedule", {"id": 1, "code": "S", "name": "S", "currency": "GBP"})
        day = date(2026, 4, 1)
        write(
            "edition",
            {
                "id": 1,
                "schedule_id": 1,
                "name": "1",
                "starts_on": day,
                "item_count": 2,
                "source": "",
                "created_at": NOW,
            },
        )
        for number, (code, description) in enumerate(ITEMS.items(), 1):
            write("item", item(number, code, description))
        for number in (1, 2):
            order(number, quoted=number == 2)
        yield app


def item(number: int, code: str, description: str) -> dict[str, Any]:
    texts = {"long_description": "", "trade": "", "unit": "nr"}
    return {
        "id": number,
        "edition_id": 1,
        "code": code,
        "description": description,
        "rate_pence": 1_000,
        "composite": False,
        **texts,
    }


def order(number: int, *, quoted: bool) -> None:
    """A job with one line, its decision, and the accepted offer with its order."""
    texts = dict.fromkeys(("client", "address", "client_phone", "specified_by", "postcode"), "")
    write(
        "job",
        {
            "id": number,
            "reference": f"DFG-{number}",
            "authority_id": 1,
            "lot_id": 1,
            "work_type": "Ramp",
            "edition_id": 1,
            "priority": "routine",
            "status": "accepted",
            "value_pence": 1_000,
            "specified_at": NOW,
            "since": NOW,
            **texts,
        },
    )
    line = {"code": "RMP-01O", "description": "Ramp", "unit": "nr", "quantity": 1_000, "rate_pence": 1_000}
    write("job_line", {"id": number, "job_id": number, "position": 1, "net_pence": 1_000, **line})
    write(
        "decision",
        {
            "id": number,
            "job_id": number,
            "decided_at": NOW,
            "decided_by": "",
            "because": "",
            "rule_version": "ranked-cascade/3",
            "inputs": {},
        },
    )
    write(
        "offer",
        {
            "id": number,
            "job_id": number,
            "authority_id": 1,
            "member_id": 1,
            "contractor_id": 1,
            "decision_id": number,
            "status": "accepted",
            "sent_at": NOW,
            "answer_by": NOW,
            "start_by": date(2026, 6, 1),
            "start_on": date(2026, 6, 1),
            "adjustment_bp": -250,
            "price_pence": 975,
            "quoted": quoted,
            "reason": "",
        },
    )
    write(
        "order_line",
        {"offer_id": number, "position": 1, "adjustment_bp": -250, "net_pence": 975, **line},
    )


def write(table: str, row: dict[str, Any]) -> None:
    with db.engine.connect().execution_options(portal_writes=True) as connection:
        connection.execute(Table(table, MetaData(), autoload_with=connection).insert(), row)
        connection.commit()


def test_orders_keep_their_prices_and_say_by_which_rule_and_edition(before: Flask) -> None:
    flask_migrate.upgrade()
    db.session.rollback()

    lines = db.session.scalars(select(OrderLine).order_by(OrderLine.offer_id)).all()

    assert [(line.rule, line.edition_id, line.net_pence, line.adjustment_bp, line.uplift_bp) for line in lines] == [
        (PriceRule.SCHEDULE_RATE, 1, 975, -250, 0),
        (PriceRule.QUOTE, 1, 975, -250, 0),
    ]
    assert {(line.vat_bp, line.vat_pence) for line in lines} == {(None, None)}


def test_offers_and_jobs_are_on_the_terms_that_they_had(before: Flask) -> None:
    flask_migrate.upgrade()
    db.session.rollback()

    offers = db.session.scalars(select(Offer)).all()

    assert {(each.price_pence, each.uplift_bp, each.minimum_pence) for each in offers} == {(975, 0, 0)}
    assert [each.own_rates for each in offers] == [{}, {}]
    assert not any(each.job.out_of_hours for each in offers)
    assert {(line.rule, line.vat_bp) for line in db.session.scalars(select(JobLine))} == {
        (PriceRule.SCHEDULE_RATE, 2000)
    }


def test_items_have_the_words_that_the_portal_would_give_them_and_can_be_found(before: Flask) -> None:
    flask_migrate.upgrade()
    db.session.rollback()

    items = db.session.scalars(select(Item).order_by(Item.id)).all()

    assert [each.words for each in items] == search_words(list(ITEMS), list(ITEMS.values()))
    assert set(db.session.scalars(select(CatalogueWord.word))) == vocabulary([each.words for each in items])
    assert list(checks.faults()) == []
    if db.session.get_bind().dialect.name == "sqlite":
        found = db.session.scalars(text("SELECT rowid FROM item_fts WHERE item_fts MATCH 'edition:1 AND words:du*'"))
        assert found.all() == [2]


def test_the_way_back_leaves_orders_as_they_were(before: Flask) -> None:
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision="0007")
    db.session.rollback()

    table = Table("order_line", MetaData(), autoload_with=db.session.connection())
    rows = db.session.execute(select(table).order_by(table.c.offer_id)).mappings().all()
    db.session.rollback()

    kept = [(row["offer_id"], row["code"], row["net_pence"]) for row in rows]
    assert kept == [(1, "RMP-01O", 975), (2, "RMP-01O", 975)]
    assert "vat_bp" not in table.c
