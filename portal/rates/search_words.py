"""Texts as the catalogue is searched: lower case, without accents and signs, in words of letters and digits. Pure.

Codes are the one thing that people read off paper: ``LAS-01O`` and ``las 010`` are the code ``LAS010``. A code is
therefore also a word without its signs, with the letters O and I as the digits that they are taken for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

#: Shorter words are not mended: too many others are one letter away.
SHORTEST = 4
LONGEST = 40

_AS_DIGITS = str.maketrans("oil", "011")
_ALL_DIGITS_ALIKE = str.maketrans("123456789", "000000000")
# Every byte but letters, digits and line breaks, and what becomes of it where words are parted.
_SIGNS = bytes(code for code in range(256) if not (chr(code).isascii() and chr(code).isalnum()) and code != 10)
_PARTED = bytes.maketrans(_SIGNS, b" " * len(_SIGNS))


def folded(text: str) -> str:
    """``text`` in lower case and without accents."""
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return text.lower()


def words_in(text: str) -> list[str]:
    """The words of a text: runs of letters and digits."""
    return _parted(text.replace("\n", " ")).split()


def code_word(code: str) -> str:
    """A code as one word, whatever signs stand in it and however its noughts and ones are written."""
    return _joined(code.replace("\n", ""))


def search_words(codes: Sequence[str], descriptions: Sequence[str]) -> list[str]:
    """The words of each item, parted by spaces: its code as one word, then code and description as they stand.

    Works in a few passes over one long text, because a list has a hundred thousand items.
    """
    if any("\n" in text for text in ("".join(codes), "".join(descriptions))):
        codes = [code.replace("\n", " ") for code in codes]
        descriptions = [description.replace("\n", " ") for description in descriptions]
    lines = _parted("\n".join(map(" ".join, zip(codes, descriptions, strict=True)))).split("\n")
    alone = _joined("\n".join(codes)).split("\n")
    return list(map(" ".join, zip(alone, map(str.strip, lines), strict=True)))


def _parted(text: str) -> str:
    """``text`` folded, with one space for every run of signs; lines stay lines."""
    # Bytes are translated many times faster than texts are searched; what is not ASCII by now is no letter of a word.
    words = folded(text).encode("ascii", "replace").translate(_PARTED)
    while b"  " in words:
        words = words.replace(b"  ", b" ")
    return words.decode("ascii")


def _joined(text: str) -> str:
    """``text`` folded, without any sign; letters that are taken for digits as these. Lines stay lines."""
    return folded(text).encode("ascii", "ignore").translate(None, _SIGNS).decode("ascii").translate(_AS_DIGITS)


def vocabulary(words: Sequence[str]) -> set[str]:
    """The words that a typing error can be mended to, out of what ``search_words`` gave: letters only."""
    # Many items differ by nothing but their measurements; alike without those, they are divided into words once.
    alike = set("\n".join(words).translate(_ALL_DIGITS_ALIKE).split("\n"))
    return {word for word in set(" ".join(alike).split()) if SHORTEST <= len(word) <= LONGEST and word.isalpha()}
