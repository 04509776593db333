"""The columns a reader wants out of a file, and how their headers are recognised."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal, get_args

Kind = Literal["text", "money", "decimal", "integer", "percent", "date", "month", "flag"]
NUMERIC: frozenset[str] = frozenset({"money", "decimal", "integer", "percent"})
LONGEST_TEXT = 4_000


@lru_cache(maxsize=4096)
def fold(header: str) -> str:
    """``header`` without case, accents and punctuation: ``" Descripción_Larga "`` → ``"descripcion larga"``."""
    decomposed = unicodedata.normalize("NFKD", header).casefold()
    letters = [
        character if character.isalnum() else " "
        for character in decomposed
        # Accents are marks; format characters such as a stray byte-order mark are not to be seen at all.
        if unicodedata.category(character) not in {"Mn", "Cf"}
    ]
    return " ".join("".join(letters).split())


@dataclass(frozen=True, slots=True)
class Field:
    """One column that is wanted.

    ``kind`` says what a cell becomes: ``text`` str · ``money`` int pence · ``decimal`` Decimal · ``integer`` int ·
    ``percent`` int basis points · ``date`` date · ``month`` the first of that month · ``flag`` bool.
    ``words`` are usual headers besides the name. An optional field whose cell is empty gives ``default``.
    ``minimum`` and ``maximum`` are in the unit of the value (pence, basis points…). Money, decimals and integers
    are not negative unless ``minimum`` says so. ``choices`` are the texts allowed (case does not count).
    ``places`` limits the decimals of a ``decimal``, ``longest`` the characters of a ``text``.
    ``one_form`` brings a ``text`` into one form, whatever the file was: see ``cells.in_one_form``.
    ``prefix``: takes every column whose header starts with ``name`` and gives ``{rest of header: value}`` of the
    cells that are filled; such a field is always optional.
    """

    name: str
    kind: Kind
    required: bool = True
    words: tuple[str, ...] = ()
    default: object = None
    minimum: int | Decimal | date | None = None
    maximum: int | Decimal | date | None = None
    prefix: bool = False
    choices: tuple[str, ...] | None = None
    places: int = 9
    longest: int = LONGEST_TEXT
    one_form: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"{self.kind!r} is not a kind of field")

    @property
    def must_be_filled(self) -> bool:
        """Whether an empty cell is a problem."""
        return self.required and not self.prefix

    @property
    def least(self) -> int | Decimal | date | None:
        """The smallest value allowed, if there is one."""
        if self.minimum is None and self.kind in {"money", "decimal", "integer"}:
            return 0
        return self.minimum

    def answers_to(self) -> frozenset[str]:
        """Every folded header that names this field."""
        return frozenset({fold(self.name), *(fold(word) for word in self.words)})
