"""``portal check`` sees what was done to rates behind the portal's back."""

from __future__ import annotations

from builders import NOW, edition, look_again
from files_made import price_list, priced
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from portal.config import Settings
from portal.kernel.db import db, transaction
from portal.rates.checks import faults
from portal.rates.models import Component, Edition, Item
from portal.rates.price_lists.kept import kept_path
from portal.rates.price_lists.reading import read_price_lists


def items_of(made: Edition) -> dict[str, int]:
    return dict(db.session.execute(select(Item.code, Item.id).where(Item.edition_id == made.id)).all())


def test_nothing_is_off_after_an_import(app: Flask) -> None:
    edition()

    assert list(faults()) == []


def test_an_item_that_was_taken_away_is_missed(app: Flask) -> None:
    made = edition({"A": 100, "B": 200})

    with transaction():
        db.session.execute(delete(Item).where(Item.edition_id == made.id, Item.code == "A"))

    assert list(faults()) == [f"The edition {made.name} of {made.schedule.code} was made with 2 items and has 1."]


def test_a_composite_that_became_a_part_of_itself_through_another_is_named(app: Flask) -> None:
    items = items_of(edition({"A": 100, "B": 200, "C": 300}))

    with transaction():
        for whole, part in (("A", "B"), ("B", "C"), ("C", "A")):
            db.session.execute(
                insert(Component).values(composite_id=items[whole], part_id=items[part], quantity=1)
            )

    assert sorted(faults()) == ["A is a part of itself.", "B is a part of itself.", "C is a part of itself."]


def test_a_part_from_another_edition_is_named(app: Flask) -> None:
    first, second = items_of(edition({"A": 100})), items_of(edition({"B": 200}))

    with transaction():
        db.session.execute(insert(Component).values(composite_id=first["A"], part_id=second["B"], quantity=1))

    assert list(faults()) == ["A is made of B, which is an item of another edition."]


def test_items_that_nobody_can_find_are_counted(app: Flask) -> None:
    made = edition({"A": 100, "B": 200})

    with transaction():
        db.session.execute(update(Item).where(Item.edition_id == made.id).values(words=""))

    assert "2 items have no words, so that nobody finds them in the catalogue." in list(faults())


def test_an_index_that_lost_an_item_is_noticed(app: Flask) -> None:
    if db.session.get_bind().dialect.name == "postgresql":
        # The index is a part of the table there: nothing can be lost.
        assert db.session.scalar(text("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_item_words'")) == 1
        return
    made = edition({"A": 100})

    with transaction():
        row = db.session.execute(select(Item.id, Item.edition_id, Item.words).where(Item.edition_id == made.id)).one()
        db.session.execute(
            text("INSERT INTO item_fts (item_fts, rowid, edition, words) VALUES ('delete', :id, :edition, :words)"),
            {"id": row.id, "edition": str(row.edition_id), "words": row.words},
        )

    assert list(faults()) == ["Items missing in the catalogue's index: 1."]


def test_files_of_price_lists_that_are_missing_or_altered_are_named(app: Flask, settings: Settings) -> None:
    first = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule="S1")
    second = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule="S2")
    read_price_lists(settings.uploads, now=NOW)
    look_again()
    assert list(faults(settings.uploads)) == []

    (settings.uploads / first.stored_name).unlink()
    with kept_path(settings.uploads, second.stored_name).open("a") as kept:
        kept.write("B,Another,,,nr,1,,\n")

    assert list(faults(settings.uploads)) == [
        f"The file of the price list {first.id} is missing or was altered.",
        f"What was read of the price list {second.id} is missing or was altered; drop it, and hand it in again.",
    ]
    assert list(faults()) == []
