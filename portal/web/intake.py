"""What a request may hold before any page sees it: no NUL character, no number that no record can have."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter, Map

from portal.kernel.db import LARGEST_ID


class RecordNumber(IntegerConverter):
    """An id in an address. One beyond what the database counts to belongs to no record, so it is not found."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **{"max": LARGEST_ID, **options})


def refuse_nul() -> None:
    """400 for a NUL in the address or a field: PostgreSQL keeps none, and no keyboard types one."""
    texts = (request.path, *(value for values in request.values.listvalues() for value in values))
    if any("\0" in text for text in texts):
        abort(400)


def init_intake(app: Flask) -> None:
    """Check every request of ``app``; to be called before its routes are made."""
    app.url_map.converters["int"] = RecordNumber
    app.before_request(refuse_nul)
