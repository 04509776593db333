"""The catalogue of an edition: search over codes and descriptions as somebody types.

Every word that is typed is the beginning of a word of the item, in any order; a code is found whatever signs stand in
it and however its noughts and ones are written (``search_words``). The item with exactly that code comes first, then
those whose codes begin so, then the others in the order of the list. When nothing is found, words are mended
(``mending``). SQLite answers from an FTS5 table, PostgreSQL from a GIN index; both give the same items.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from portal.kernel.db import db, table_of
from portal.kernel.paging import LARGEST
from portal.rates.mending import Group, Mended, mended, near_words
from portal.rates.models import Item
from portal.rates.search_words import SHORTEST, code_word, words_in

PAGE = 50
#: What is typed beyond this is not looked at.
MOST_CHARACTERS, MOST_WORDS, LONGEST_WORD = 200, 12, 64
#: Where a hit comes from, in the order in which hits are shown: its code is the text, or begins so; its words.
EXACT, BEGINS, WORDS, MEANT = range(4)

_ITEM = table_of(Item)
_SHOWN = ("id", "code", "description", "trade", "unit", "rate_pence", "composite", "vat_bp", "withdrawn_on")
_FTS = table("item_fts", column("rowid"))
#: The expression of the index ``ix_item_words``, word for word: PostgreSQL uses the index for no other.
_VECTOR: ColumnElement[Any] = literal_column(
    "array_to_tsvector(array_append(array_remove(string_to_array(item.words, ' '), ''), '#' || item.edition_id))"
)
#: SQLite walks its search table in the order of its own row numbers and stops at the limit. PostgreSQL is not to walk
#: its primary key in the hope of coming across hits, so it does not see that this is the key.
_ORDER = {True: _FTS.c.rowid, False: _ITEM.c.id + 0}
_KEY = re.compile(r"([0-3])-([0-9]{1,10})", re.ASCII)


class FoundItem(NamedTuple):
    """An item as a list of hits shows it; money in pence, VAT in basis points. ``tier`` says where it comes from."""

    id: int
    code: str
    description: str
    trade: str
    unit: str
    rate_pence: int
    composite: bool
    vat_bp: int
    withdrawn_on: date | None
    tier: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: words or a code as typed, and bounds in pence (both included). ``after`` is the key of the
    last item of the page before, as ``Finding.last`` gives it."""

    words: str = ""
    trade: str = ""
    unit: str = ""
    from_pence: int | None = None
    to_pence: int | None = None
    after: str = ""

    @property
    def narrowed(self) -> tuple[str, ...]:
        """The names of the filters that are used."""
        given = {"trade": self.trade, "unit": self.unit}
        bounds = {"from_pence": self.from_pence, "to_pence": self.to_pence}
        return tuple(
            [name for name, value in given.items() if value]
            + [name for name, value in bounds.items() if value is not None]
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A page of hits. ``meant`` says what was looked for instead, where nothing holds the words as they were typed;
    ``groups`` are the words that were looked for."""

    items: tuple[FoundItem, ...]
    more: bool = False
    meant: str = ""
    groups: tuple[Group, ...] = ()
    by_code: bool = False

    @property
    def last(self) -> str:
        """The key of the last item: what the next page comes after."""
        if not self.items:
            return ""
        item = self.items[-1]
        return item.code if self.by_code else f"{MEANT if self.meant else item.tier}-{item.id}"

    def holds(self, *texts: str, mend: bool = False) -> bool:
        """Whether these texts together hold the words that were looked for; with ``mend`` typing errors are
        forgiven."""
        words = [word for text in texts for word in words_in(text)] + [code_word(texts[0])]

        def held(begun: str) -> bool:
            known = any(word.startswith(begun) for word in words)
            return known or (mend and len(begun) >= SHORTEST and bool(near_words(begun, words)))

        return all(any(all(map(held, way)) for way in group) for group in self.groups)


def find(edition_id: int, wanted: Wanted, limit: int = PAGE) -> Finding:
    """The first ``limit`` hits behind ``wanted.after`` in an edition; all its items, by code, where no word is typed.

    One statement; when nothing holds the words, two or three more look for what was meant.
    """
    text = wanted.words[:MOST_CHARACTERS]
    groups = groups_in(text)
    if not groups:
        return _listed(edition_id, wanted, limit)
    key = _KEY.fullmatch(wanted.after)
    tier, after = (int(key[1]), min(int(key[2]), LARGEST)) if key else (EXACT, 0)
    if tier != MEANT:
        items = _hits(edition_id, wanted, groups, behind=(tier, after), limit=limit, text=text)
        if items or key:
            return Finding(items[:limit], len(items) > limit, groups=groups)
        after = 0
    other: Mended | None = mended(edition_id, groups, every_word=not wanted.narrowed)
    if other is None:
        return Finding((), groups=groups)
    items = _hits(edition_id, wanted, other.groups, behind=(WORDS, after), limit=limit)
    if not items:
        return Finding((), groups=groups)
    return Finding(items[:limit], len(items) > limit, other.text, other.groups)


def groups_in(text: str) -> tuple[Group, ...]:
    """What every hit must hold: for each typed word the ways to hold it, each way the beginnings of words.

    ``"shower LAS-01O"`` → ``((("shower",),), (("las", "01o"), ("1as010",)))``.
    """
    groups: list[Group] = []
    for typed in text.split()[:MOST_WORDS]:
        words = tuple(word[:LONGEST_WORD] for word in words_in(typed)[:MOST_WORDS])
        # A digit tells a code, which its signs hold together, from words.
        if any(map(str.isdigit, typed)) and words:
            code = code_word(typed)[:LONGEST_WORD]
            groups.append((words, (code,)) if (code,) != words else (words,))
        else:
            groups += [((word,),) for word in words]
    return tuple(groups[:MOST_WORDS])


# How it is asked ------------------------------------------------------------------------------------------------------


def _hits(
    edition_id: int, wanted: Wanted, groups: tuple[Group, ...], *, behind: tuple[int, int], limit: int, text: str = ""
) -> tuple[FoundItem, ...]:
    """Up to one more than ``limit`` hits ``behind`` a tier and an id; without ``text`` no code is looked for."""
    tier, after = behind
    by = _code_kind(text)
    sqlite = db.session.get_bind().dialect.name == "sqlite"
    written = _fts if sqlite else _tsquery
    values: dict[str, Any] = {
        "edition": edition_id,
        "match": written(edition_id, groups),
        "limit": limit + 1,
        "trade": wanted.trade,
        "unit": wanted.unit,
        "from_pence": wanted.from_pence,
        "to_pence": wanted.to_pence,
        **{f"after_{each}": after if each == tier else 0 for each in (EXACT, BEGINS, WORDS)},
    }
    if by == "code":
        code = code_word(text)[:LONGEST_WORD]
        values |= {
            "exactly": written(edition_id, [(((code,)),)], whole=True),
            "begins": written(edition_id, [((code,),)]),
            "code": code,
            "length": len(code),
            "code_and_space": f"{code} ",
            "and_space": len(code) + 1,
        }
    elif by == "letters":
        typed = text.strip()
        forms = (typed, typed.upper())
        values |= {"length": len(typed), "typed": forms[0], "upper": forms[1]}
        values |= {f"{name}_end": form[:-1] + chr(ord(form[-1]) + 1) for name, form in zip(_FORMS, forms, strict=True)}
    found: dict[int, FoundItem] = {}
    for row in db.session.execute(_statement(sqlite, by, tier, wanted.narrowed), values):
        found.setdefault(row[0], FoundItem._make(row))
    return tuple(sorted(found.values(), key=lambda item: (item.tier, item.id)))[: limit + 1]


_FORMS = ("typed", "upper")


def _code_kind(text: str) -> str:
    """How a text is looked up as a code: by the word that codes are kept as, where a digit stands in it; by the code as
    it is written, where it is one word of letters; not at all otherwise."""
    code = code_word(text)
    parts = text.split()
    if not code or len(code) > LONGEST_WORD:
        return ""
    if any(map(str.isdigit, text)) or (len(parts) == 1 and any(map(str.isdigit, code))):
        return "code"
    return "letters" if len(parts) == 1 and parts[0].isascii() and parts[0].isalpha() else ""


def _fts(edition_id: int, groups: Iterable[Group], *, whole: bool = False) -> str:
    """The words as FTS5 is asked for them; they hold letters and digits only."""
    star = "" if whole else "*"
    asked = [
        "(" + " OR ".join("(" + " AND ".join(f'words:"{word}"{star}' for word in way) + ")" for way in group) + ")"
        for group in groups
    ]
    return " AND ".join([f'edition:"{edition_id}"', *asked])


def _tsquery(edition_id: int, groups: Iterable[Group], *, whole: bool = False) -> str:
    """The words as PostgreSQL's ``tsquery`` is written."""
    star = "" if whole else ":*"
    asked = [
        "(" + " | ".join("(" + " & ".join(f"'{word}'{star}" for word in way) + ")" for way in group) + ")"
        for group in groups
    ]
    return " & ".join([f"'#{edition_id}'", *asked])


@lru_cache(maxsize=256)
def _statement(sqlite: bool, by: str, tier: int, narrowed: tuple[str, ...]) -> Any:
    """The statement for one shape of search, made once: its branches are limited each for itself."""
    branches: list[Select[Any]] = []
    order = _ITEM.c.id if sqlite else _ORDER[False]
    first = _by_code(sqlite) if by == "code" else _by_letters(sqlite) if by == "letters" else {}
    for number, branch in first.items():
        if number >= tier:
            branches.append(branch.where(order > bindparam(f"after_{number}"), *_filters(narrowed)).order_by(order))
    by_words = _ORDER[sqlite]
    words = _matching(sqlite, "match", WORDS).where(by_words > bindparam(f"after_{WORDS}"), *_filters(narrowed))
    if by:
        words = words.where(not_(_begins(by)))
    branches.append(words.order_by(by_words))
    limited = [branch.limit(bindparam("limit")) for branch in branches]
    return limited[0] if len(limited) == 1 else union_all(*(select(each.subquery()) for each in limited))


def _columns(tier: int) -> list[ColumnElement[Any]]:
    return [*(_ITEM.c[name] for name in _SHOWN), literal(tier, literal_execute=True).label("tier")]


def _matching(sqlite: bool, query: str, tier: int) -> Select[Any]:
    """The items that an index finds for the words in the parameter ``query``."""
    if sqlite:
        asked = literal_column("item_fts").op("MATCH")(bindparam(query, type_=Text))
        return select(*_columns(tier)).select_from(_FTS.join(_ITEM, _ITEM.c.id == _FTS.c.rowid)).where(asked)
    asked = _VECTOR.op("@@")(cast(bindparam(query, type_=Text), TSQUERY()))
    return select(*_columns(tier)).where(asked)


def _by_code(sqlite: bool) -> dict[int, Select[Any]]:
    """Items by the word that their code is kept as, the first of their words."""
    exactly = func.substr(_ITEM.c.words, 1, bindparam("and_space")) == bindparam("code_and_space")
    return {
        EXACT: _matching(sqlite, "exactly", EXACT).where(exactly),
        BEGINS: _matching(sqlite, "begins", BEGINS).where(_begins("code"), not_(exactly)),
    }


def _by_letters(sqlite: bool) -> dict[int, Select[Any]]:
    """Items by their code as it is written: as typed, or in capitals."""
    forms = [bindparam(name, type_=Text) for name in _FORMS]
    own = _ITEM.c.edition_id == bindparam("edition")
    exactly = _ITEM.c.code.in_(forms)
    if sqlite:
        ranges = [
            and_(_ITEM.c.code >= bindparam(name), _ITEM.c.code < bindparam(f"{name}_end")) for name in _FORMS
        ]
        begins = select(*_columns(BEGINS)).where(own, or_(*ranges))
    else:
        # Every word of such a code begins as it was typed, so the search index finds it.
        begins = _matching(sqlite, "match", BEGINS).where(_begins("letters"))
    return {EXACT: select(*_columns(EXACT)).where(own, exactly), BEGINS: begins.where(not_(exactly))}


def _begins(by: str) -> ColumnElement[bool]:
    """The condition that an item's code begins as the text does."""
    if by == "code":
        return func.substr(_ITEM.c.words, 1, bindparam("length")) == bindparam("code")
    return func.substr(_ITEM.c.code, 1, bindparam("length")).in_([bindparam(name, type_=Text) for name in _FORMS])


def _filters(narrowed: Sequence[str]) -> list[ColumnElement[bool]]:
    known: Mapping[str, ColumnElement[bool]] = {
        "trade": _ITEM.c.trade == bindparam("trade"),
        "unit": _ITEM.c.unit == bindparam("unit"),
        "from_pence": _ITEM.c.rate_pence >= bindparam("from_pence"),
        "to_pence": _ITEM.c.rate_pence <= bindparam("to_pence"),
    }
    return [known[name] for name in narrowed]


def _listed(edition_id: int, wanted: Wanted, limit: int) -> Finding:
    """A page of all items by code, behind the code ``wanted.after``."""
    values = {
        "edition": edition_id,
        "after": wanted.after[:LONGEST_WORD].replace("\0", ""),
        "limit": limit + 1,
        **{name: getattr(wanted, name) for name in wanted.narrowed},
    }
    rows = db.session.execute(_page_by_code(wanted.narrowed), values)
    items = tuple(FoundItem._make(row) for row in rows)
    return Finding(items[:limit], len(items) > limit, by_code=True)


@lru_cache(maxsize=32)
def _page_by_code(narrowed: tuple[str, ...]) -> Select[Any]:
    return (
        select(*_columns(WORDS))
        .where(_ITEM.c.edition_id == bindparam("edition"), _ITEM.c.code > bindparam("after"), *_filters(narrowed))
        .order_by(_ITEM.c.code)
        .limit(bindparam("limit"))
    )
