"""What the tests of the web shell share."""

from __future__ import annotations

import pytest
from flask import Flask
from web_shell import make_shell


@pytest.fixture(scope="session")
def shell() -> Flask:
    """The shell without HTTPS."""
    return make_shell(MAX_CONTENT_LENGTH=50 * 1024 * 1024)
