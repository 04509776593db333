"""Making a hundred thousand rows at once, without looking for garbage again and again while they are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_rows() -> Iterator[None]:
    """Inside, rows are made that all stay: the collector, which counts what is made, would go through them in vain.

    It holds for the whole process, so only for a second or two. One may stand inside another.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
