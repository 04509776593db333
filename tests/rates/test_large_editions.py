"""A large edition is indexed for the search all at once; what is written later is indexed as always."""

import pytest
from builders import edition
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from portal.kernel.db import db, table_of, transaction
from portal.rates.models import CatalogueWord, Item
from portal.rates.search_index import WORTH_IT
from portal.rates.search_words import LONGEST, SHORTEST, search_words, vocabulary


def found(words: str) -> list[int]:
    """What the index finds."""
    db.session.rollback()
    return list(db.session.scalars(text("SELECT rowid FROM item_fts WHERE item_fts MATCH :words"), {"words": words}))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("items", [WORTH_IT - 1, WORTH_IT])
def test_every_item_is_in_the_index_however_many_there_are(app: Flask, items: int) -> None:
    made = edition({f"A{number:05d}": 100 for number in range(items)})
    assert len(found(f"edition:{made.id} AND words:item")) == items
    last = f"A{items - 1:05d}".lower()
    (row,) = found(f"edition:{made.id} AND words:{last}")
    assert db.session.get_one(Item, row).code == last.upper()
    assert db.session.scalars(select(CatalogueWord.word).where(CatalogueWord.edition_id == made.id)).all() == ["item"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_item_written_after_a_large_edition_is_indexed_as_well(app: Flask) -> None:
    made = edition({f"A{number:05d}": 100 for number in range(WORTH_IT)})
    values = {"long_description": "", "trade": "", "unit": "nr", "rate_pence": 1, "composite": False}
    with transaction():
        db.session.execute(
            insert(table_of(Item)), [{"edition_id": made.id, "code": "NEW", "description": "Late ramp", **values}]
        )
    assert len(found(f"edition:{made.id} AND words:ramp")) == 1


@given(st.lists(st.text("abcXYZé019²£ -/.", max_size=40), max_size=12))
def test_the_vocabulary_is_every_word_of_letters(descriptions: list[str]) -> None:
    words = search_words([f"A{at}" for at in range(len(descriptions))], descriptions)
    every = {word for line in words for word in line.split()}
    assert vocabulary(words) == {word for word in every if word.isalpha() and SHORTEST <= len(word) <= LONGEST}
