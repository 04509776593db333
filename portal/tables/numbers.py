"""Numbers as people write them, read exactly: no float comes near them.

A text can be written with a decimal point (``1,234.50``) or a decimal comma (``1.234,50``). Some texts prove one
of the two, some fit both alike (``12``), and some mean different things (``1.234``). ``convention`` says which;
a column is read by the evidence of all its cells together.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum

MOST_DIGITS = 12

# Thousands may stand apart by a space (also a narrow or no-break one) or an apostrophe in either convention.
_APART = " '’\u00a0\u202f\u2009"
_POINT = re.compile(rf"(?P<whole>[1-9][0-9]{{0,2}}(?:[,{_APART}][0-9]{{3}})+|[0-9]+|(?=\.))(?:\.(?P<part>[0-9]+))?")
_COMMA = re.compile(rf"(?P<whole>[1-9][0-9]{{0,2}}(?:[.{_APART}][0-9]{{3}})+|[0-9]+|(?=,))(?:,(?P<part>[0-9]+))?")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]{1,2})?")
_CURRENCY = re.compile(r"£|€|\$|GBP|EUR|USD", re.IGNORECASE)
_TRAILING_CURRENCY = re.compile(r"\s*(?:£|€|\$|GBP|EUR|USD)$", re.IGNORECASE)
_POUND = re.compile(r"£|GBP", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"[^0-9]")
_SPREADSHEET_ERROR = re.compile(
    r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)", re.IGNORECASE
)
_SCIENTIFIC = re.compile(r"[-+−]?[0-9]+(?:[.,][0-9]+)?\s*e\s*[-+]?[0-9]+", re.IGNORECASE)
_BRACKETED = re.compile(r"\(\s*[^()]*[0-9][^()]*\)")


class CellError(ValueError):
    """A cell that cannot be read; ``str()`` is a whole sentence with the remedy."""


class Convention(Enum):
    """What a written number says about the decimal mark."""

    POINT = "."
    COMMA = ","
    EITHER = "either"
    DOUBTFUL = "doubtful"
    NONE = "none"


def quoted(text: str) -> str:
    """``text`` as it is shown in a message: on one line, and not too long."""
    flat = " ".join(text.split())
    return f'"{flat[:57]}…"' if len(flat) > 60 else f'"{flat}"'


def is_spreadsheet_error(text: str) -> bool:
    """Whether ``text`` is what a spreadsheet shows for a formula that failed, such as ``#REF!``."""
    return _SPREADSHEET_ERROR.fullmatch(text) is not None


def _bare(text: str) -> tuple[bool, str]:
    """Whether ``text`` is negative, and the number without sign, currency and percent sign."""
    bare = text.strip()
    negative = False
    marked = priced = False
    for _ in range(2):
        if bare[:1] in {"-", "−", "+"} and not marked:
            negative, marked, bare = bare[0] != "+", True, bare[1:].lstrip()
        currency = None if priced else _CURRENCY.match(bare)
        if currency:
            priced, bare = True, bare[currency.end() :].lstrip()
    trailing = None if priced else _TRAILING_CURRENCY.search(bare)
    return negative, bare[: trailing.start()] if trailing else bare


def _exact(match: re.Match[str]) -> tuple[str, str]:
    """Whole and decimal digits of a match, the decimals without trailing noughts."""
    return _NOT_DIGITS.sub("", match["whole"]) or "0", (match["part"] or "").rstrip("0")


def convention(text: str) -> Convention:
    """What ``text`` proves about the decimal mark."""
    _, bare = _bare(text.rstrip("% "))
    point, comma = _POINT.fullmatch(bare), _COMMA.fullmatch(bare)
    if point and comma:
        if _exact(point) == _exact(comma):
            return Convention.EITHER
        return Convention.POINT if _POUND.search(text) else Convention.DOUBTFUL
    if point:
        return Convention.POINT
    return Convention.COMMA if comma else Convention.NONE


def _digits(text: str, decimal: str, places: int, thing: str, example: str) -> tuple[bool, str, str]:
    """Sign, whole digits and decimal digits of ``text``; refuses what is not a number."""
    negative, bare = _bare(text)
    match = (_COMMA if decimal == "," else _POINT).fullmatch(bare)
    if match is None:
        raise CellError(_why_not(text, bare, decimal, thing, example))
    whole, part = _exact(match)
    if len(whole.lstrip("0")) > MOST_DIGITS:
        raise CellError(
            f"{quoted(text)} is too large to be {thing}; at most {MOST_DIGITS} digits may stand before the decimals."
        )
    if len(part) > places:
        mark = "comma" if decimal == "," else "point"
        limit = "no decimals are" if places == 0 else f"at most {places} are"
        raise CellError(
            f"{quoted(text)} has {len(part)} decimals after the decimal {mark}, but {limit} allowed here; "
            f"round it yourself, or write thousands without a mark."
        )
    return negative, whole, part


def _why_not(text: str, bare: str, decimal: str, thing: str, example: str) -> str:
    shown = quoted(text)
    if is_spreadsheet_error(text.strip()):
        return f"{shown} is an error of the spreadsheet; mend the formula there, and paste the result as a value."
    if _SCIENTIFIC.fullmatch(text.strip()):
        return f"{shown} is in scientific notation, which hides digits; write the number out in full, such as 1000."
    if not any(character.isdigit() for character in text):
        return f"{shown} is not {thing}; write a figure such as {example}, or leave the row out until it is known."
    if _BRACKETED.fullmatch(text.strip()):
        return (
            f"{shown} stands in brackets, which accountants use for minus; write it with a minus sign or without one."
        )
    other = _POINT if decimal == "," else _COMMA
    if other.fullmatch(bare):
        has, wants = ("point", "comma") if decimal == "," else ("comma", "point")
        return f"{shown} is written with a decimal {has}, but here the decimal {wants} is used; write it so."
    return f"{shown} is not {thing}; write only the figure, such as {example}."


def parse_money(text: str, decimal: str = ".") -> int:
    """``text`` (``£1,234.50``) as whole pence; ``decimal`` is the decimal mark, ``"."`` or ``","``.

    Raises ``CellError`` for what is not an amount and for fractions of a penny; a minus is read.
    """
    if decimal == "." and _PLAIN.fullmatch(text) and len(text) <= MOST_DIGITS:
        whole, _, part = text.partition(".")
        return int(whole + (part + "00")[:2])
    negative, whole, part = _digits(text, decimal, 2, "an amount", _example("12.50", decimal))
    pence = int(whole + (part + "00")[:2])
    return -pence if negative else pence


def parse_decimal(text: str, decimal: str = ".", places: int = 9) -> Decimal:
    """``text`` as an exact decimal with at most ``places`` decimals. Raises ``CellError``."""
    negative, whole, part = _digits(text, decimal, places, "a number", _example("2.5", decimal))
    number = Decimal(f"{whole}.{part}" if part else whole)
    return -number if negative else number


def parse_integer(text: str, decimal: str = ".") -> int:
    """``text`` as a whole number. Raises ``CellError``."""
    negative, whole, _ = _digits(text, decimal, 0, "a whole number", "3")
    return -int(whole) if negative else int(whole)


def parse_percent(text: str, decimal: str = ".") -> int:
    """``text`` (``-2.5`` or ``2.5%``) as basis points (−250, 250). Raises ``CellError``."""
    bare = text.strip()
    if bare.endswith("%"):
        bare = bare[:-1].rstrip()
    negative, whole, part = _digits(bare, decimal, 2, "a percentage", _example("2.5", decimal))
    points = int(whole + (part + "00")[:2])
    return -points if negative else points


def _example(text: str, decimal: str) -> str:
    return text.replace(".", decimal)


def written(number: float | int) -> str:
    """A spreadsheet's number as text with a decimal point.

    A spreadsheet keeps 15 significant digits; what a binary fraction adds after them was never typed.
    """
    if isinstance(number, int):
        return str(number)
    text = format(Decimal(format(number, ".15g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
