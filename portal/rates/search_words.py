"""Texts as the catalogue is searched: lower case, without accents and signs, in words of letters and digits. Pure.

Codes are the one thing that people read off paper: ``LAS-01O`` and ``las 010`` are the code ``LAS010``. A code is
therefore also a word without its signs, with the letters O and I as the digits that they are taken for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

#: Shorter words are not mended: too many others are one letter away.
SHORTEST = 4
LONGEST = 40

_SIGNS = re.compile(r"[^a-z0-9\n]+")
_AS_DIGITS = str.maketrans("oil", "011")


def folded(text: str) -> str:
    """``text`` in lower case and without accents."""
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return text.lower()


def words_in(text: str) -> list[str]:
    """The words of a text: runs of letters and digits."""
    return _SIGNS.sub(" ", folded(text.replace("\n", " "))).split()


def code_word(code: str) -> str:
    """A code as one word, whatever signs stand in it and however its noughts and ones are written."""
    return _SIGNS.sub("", folded(code)).translate(_AS_DIGITS)


def search_words(codes: Sequence[str], descriptions: Sequence[str]) -> list[str]:
    """The words of each item, parted by spaces: its code as one word, then code and description as they stand.

    Works in a few passes over one long text, because a list has a hundred thousand items.
    """
    codes = [code.replace("\n", " ") for code in codes]
    together = "\n".join(
        f"{code} {description}"
        for code, description in zip(codes, (each.replace("\n", " ") for each in descriptions), strict=True)
    )
    lines = _SIGNS.sub(" ", folded(together)).split("\n")
    alone = _SIGNS.sub("", folded("\n".join(codes))).translate(_AS_DIGITS).split("\n")
    return [f"{code} {line.strip()}" for code, line in zip(alone, lines, strict=True)]


def vocabulary(words: Sequence[str]) -> set[str]:
    """The words that a typing error can be mended to, out of what ``search_words`` gave: letters only."""
    return {
        word for word in set(" ".join(words).split()) if SHORTEST <= len(word) <= LONGEST and word.isalpha()
    }
