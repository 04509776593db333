"""What some fixtures of ``conftest`` give, for the tests that name it in their signatures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

#: ``query_counter(limit)``: a context that fails when more SQL statements run inside.
AT_MOST = Callable[[int], AbstractContextManager[list[str]]]


class Clock:
    """The time that the portal's edges read; stands still until it is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at
