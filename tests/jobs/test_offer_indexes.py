"""The partial indexes on offers serve the questions they were made for, on the engine that is strict about it."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.dialects import sqlite

from portal.jobs.models import Offer, offer_is
from portal.jobs.spend import used_by
from portal.jobs.states import OfferStatus
from portal.kernel.db import db

OPEN = (OfferStatus.SENT, OfferStatus.ACCEPTED)
COMMITTED = (*OPEN, OfferStatus.COMPLETED)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statuses", "column", "index"),
    [
        *((each, Offer.contractor_id, "ix_offer_open") for each in itertools.permutations(OPEN)),
        *((each, Offer.member_id, "ix_offer_committed") for each in itertools.permutations(COMMITTED)),
    ],
)
def test_a_question_about_states_uses_its_index_in_whatever_order_they_are_named(
    app: Flask, statuses: tuple[OfferStatus, ...], column: object, index: str
) -> None:
    query = select(column, func.sum(Offer.price_pence)).where(offer_is(*statuses), column.in_([1, 2])).group_by(column)  # type: ignore[attr-defined,call-overload]
    inline = {"literal_binds": True, "render_postcompile": True}
    written = query.compile(dialect=sqlite.dialect(), compile_kwargs=inline)

    plan = " ".join(str(row[-1]) for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {written}")))

    assert index in plan


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_capped_frameworks_have_used_is_read_from_the_index_alone(app: Flask) -> None:
    written = used_by([1, 2]).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )

    plan = [str(row[-1]) for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {written}"))]

    (offers,) = [step for step in plan if " offer " in step]
    assert offers.startswith("SEARCH offer USING COVERING INDEX ix_offer_committed (member_id=?")
