"""Where a built asset is: names as written in templates to names with the hash of their content."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from flask import url_for

MANIFEST = Path(__file__).parent / "static" / "manifest.json"
HASHED = re.compile(r"-[0-9A-Z]{8}\.[a-z0-9]+$")


@lru_cache(maxsize=2)
def _names(manifest: Path, _changed: int) -> dict[str, str]:
    names: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    return names


def asset(name: str, manifest: Path = MANIFEST) -> str:
    """The address of the asset that templates call ``name``, such as ``portal.css``.

    Follows a rebuild while the server runs. Raises ``RuntimeError`` when the assets were never built and
    ``KeyError`` when there is no such asset: both are mistakes of whoever built or wrote the page.
    """
    try:
        changed = manifest.stat().st_mtime_ns
    except FileNotFoundError:
        raise RuntimeError("The page assets are not built yet: run `make assets`, then start again.") from None
    return url_for("web.static", filename=_names(manifest, changed)[name])


def is_hashed(filename: str) -> bool:
    """Whether ``filename`` carries the hash of its content, so that it may be cached for good."""
    return HASHED.search(filename) is not None
