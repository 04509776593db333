"""What it costs to ask who may have a job: four statements, whatever the number of members."""

from __future__ import annotations

from datetime import date

import pytest
from builders import NOW, OFFICER, authority, edition, framework_with_lot, job
from fixture_types import AT_MOST
from flask import Flask

from portal.framework.members.contractor_file import ContractorFile, ContractorRow
from portal.framework.members.contractor_import import import_contractors
from portal.framework.terms.services import decide_on_cap, terms_of
from portal.jobs import allocation
from portal.jobs.board import Board
from portal.jobs.offering import lines_of
from portal.kernel.db import db, transaction

DOCUMENTS = {"public-liability": date(2028, 1, 1), "electrical": date(2027, 6, 1)}


@pytest.mark.parametrize("members", [10, 1_000])
def test_eligibility_takes_four_statements_whatever_the_number_of_members(
    app: Flask, query_counter: AT_MOST, members: int
) -> None:
    where = authority()
    lot = framework_with_lot(where, requirements=tuple(DOCUMENTS))
    rows = [
        ContractorRow(
            n + 2,
            f"F{n:05d}",
            f"Firm {n}",
            f"office@f{n}.example",
            "",
            "RG1 1AA",
            True,
            (lot.name,),
            (where.code,),
            n + 1,
            n % 7 * 50,
            n % 5,
            None,
            DOCUMENTS if n % 3 else {},
        )
        for n in range(members)
    ]
    with transaction():
        import_contractors(
            ContractorFile("list.csv", rows, tuple(DOCUMENTS), []),
            framework_code=lot.framework.code,
            create=False,
            by=OFFICER,
            now=NOW,
        )
        lot.framework.value_cap_pence = 1_000_000
    with transaction():
        decide_on_cap(lot.framework_id, 90_000_000, reason="The cabinet agreed", by=OFFICER, now=NOW)
    assert terms_of(lot.framework).value_cap_pence == 1_000_000
    waiting = job(where, lot, edition())

    with transaction():
        db.session.refresh(waiting)
        lines = lines_of([waiting])[waiting.id]
        with query_counter(4) as statements:
            board = Board([waiting], NOW)
            prices = board.works(waiting, lines)
            facts = board.job_facts(waiting, date(2026, 6, 1), prices)
            lot_facts = board.lot_facts[waiting.lot_id]
            cards = board.members_for(waiting, prices).values()
            ranking = allocation.rank(facts, lot_facts, [card.facts for card in cards], board.today)

    assert len(statements) == 4
    assert len(ranking) == members
    expected = [n for n in range(members) if n % 5 and n % 3]
    assert [int(each.member.code[1:]) for each in ranking if each.eligible] == expected
