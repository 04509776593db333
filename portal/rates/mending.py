"""Words with typing errors, mended by the words of an edition's descriptions.

A word is known when a word of the edition begins so. One that is not known, of four letters or more, is taken for the
nearest words: at most one error up to six letters, two from seven; an error is a letter too many, too few, wrong, or
two in the wrong order. Most errors keep the first letter or its place, so words that begin with the first or second
letter are looked at first, and all others only when none of those is near.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Select, bindparam, or_, select

from portal.kernel.db import db, table_of
from portal.rates.models import CatalogueWord
from portal.rates.search_words import LONGEST, SHORTEST

#: What an item must hold for one typed word: several ways, each of them beginnings of words.
Group = tuple[tuple[str, ...], ...]
#: From so many letters on, two errors are mended; up to there one.
LONG = 7
#: So many words are taken for one that was typed, at most.
MOST_MEANT = 5

_WORD = table_of(CatalogueWord).c


@dataclass(frozen=True, slots=True)
class Mended:
    """What is looked for instead, and how a page says it."""

    groups: tuple[Group, ...]
    text: str


def mended(edition_id: int, groups: Sequence[Group], *, every_word: bool) -> Mended | None:
    """What may have been meant by words that find nothing; ``None`` when there is nothing to mend.

    Where all words are known, no item has them together: with ``every_word`` each is then taken for its near words as
    well. One statement, or two when no word beginning alike is near.
    """
    typed = {word for group in groups if (word := _mendable(group))}
    if not typed:
        return None
    pool = _words(edition_id, {letter for word in typed for letter in word[:2]})
    unknown = [word for word in sorted(typed) if not any(each.startswith(word) for each in pool)]
    wanted = unknown or (sorted(typed) if every_word else [])
    meant = {
        word: near_words(word, [each for each in pool if each[0] in word[:2]], begun=bool(unknown)) for word in wanted
    }
    if unknown and not all(meant.values()):
        everything = _words(edition_id, ())
        meant = {word: found or near_words(word, everything) for word, found in meant.items()}
        if not all(meant.values()):
            return None
    elif not unknown:
        if not any(meant.values()):
            return None
        meant = {word: [word, *found] for word, found in meant.items()}
    changed: list[Group] = []
    said: list[str] = []
    for group in groups:
        found = meant.get(_mendable(group), [])
        changed.append(tuple((word,) for word in found) or group)
        said.append(" or ".join(found) if found else " ".join(group[0]))
    return Mended(tuple(changed), " ".join(said))


def _mendable(group: Group) -> str:
    """The one word of a group that a typing error may stand in; empty when it is a code, several words or short."""
    word = group[0][0] if len(group) == 1 and len(group[0]) == 1 else ""
    return word if len(word) >= SHORTEST and word.isalpha() else ""


def near_words(word: str, pool: Collection[str], *, begun: bool = True) -> list[str]:
    """The words of ``pool`` nearest to ``word``; else, with ``begun``, their nearest beginnings: it may only have been
    begun.

    >>> near_words("shwoer", ["shower", "showers", "tray"])
    ['shower']
    """
    most = 2 if len(word) >= LONG else 1
    whole = [each for each in pool if abs(len(each) - len(word)) <= most and each != word]
    found = _nearest(word, whole, most)
    for more in (0, 1, -1) if begun else ():
        found = found or _nearest(word, {each[: len(word) + more] for each in pool}, most)
    return found


def _nearest(word: str, pool: Collection[str], most: int) -> list[str]:
    """The words at the least distance; of those that begin with another of them only the shorter."""
    hits = process.extract(word, pool, scorer=OSA.distance, score_cutoff=most, limit=None)
    # A word is no typing error of itself.
    hits = [hit for hit in hits if hit[1] > 0]
    best = min((distance for _, distance, _ in hits), default=0)
    nearest = sorted({each for each, distance, _ in hits if distance == best})
    shortest = [
        each for each in nearest if not any(each != other and each.startswith(other) for other in nearest)
    ]
    return sorted(shortest, key=lambda each: (each[0] != word[0], each))[:MOST_MEANT]


def _words(edition_id: int, letters: Collection[str]) -> list[str]:
    """The words of an edition that begin with one of ``letters``; without letters all of them."""
    values: dict[str, Any] = {"edition": edition_id}
    for number, letter in enumerate(sorted(letters)):
        # Up to the last word that can begin so, in every collation.
        values |= {f"from_{number}": letter, f"to_{number}": letter + "z" * LONGEST}
    return list(db.session.scalars(_vocabulary(len(letters)), values))


@lru_cache(maxsize=32)
def _vocabulary(letters: int) -> Select[Any]:
    query = select(_WORD.word).where(_WORD.edition_id == bindparam("edition"))
    ranges = [
        (_WORD.word >= bindparam(f"from_{number}")) & (_WORD.word <= bindparam(f"to_{number}"))
        for number in range(letters)
    ]
    return query.where(or_(*ranges)) if ranges else query
