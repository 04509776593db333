"""Numbers of rows as they come in from addresses."""

from __future__ import annotations

LARGEST = 2**31 - 1


def row_id(text: str) -> int:
    """A row's number; ``ValueError`` for anything that cannot be one, so that no database is asked for it."""
    number = int(text)
    if not 0 < number <= LARGEST:
        raise ValueError(f"{text} is not the number of a row")
    return number
