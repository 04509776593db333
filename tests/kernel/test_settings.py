"""Settings from the environment: safe defaults, and a start that fails where a secret is missing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from portal.config import database_url, kept_key, read_settings
from portal.kernel.errors import RuleBroken
from portal.kernel.working_time import Nation


def test_everything_has_a_default_in_the_instance_folder(tmp_path: Path) -> None:
    found = read_settings({"PORTAL_INSTANCE": str(tmp_path / "instance")})

    assert found.database_url == f"sqlite:///{tmp_path / 'instance' / 'portal.db'}"
    assert found.embedded
    assert (found.redis_url, found.mail_url, found.https) == (None, None, False)
    assert found.uploads == tmp_path / "instance" / "uploads"
    assert found.nation is Nation.ENGLAND_AND_WALES


def test_a_key_is_made_once_kept_and_nobody_elses_to_read(tmp_path: Path) -> None:
    first, second = (read_settings({"PORTAL_INSTANCE": str(tmp_path)}).secret_key for _ in range(2))

    assert first == second == kept_key(tmp_path / "secret_key")
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "short"])
def test_production_does_not_start_without_a_proper_key(tmp_path: Path, key: str) -> None:
    with pytest.raises(RuleBroken, match="PORTAL_SECRET_KEY must be set"):
        read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_ENV": "production", "PORTAL_SECRET_KEY": key})


def test_production_insists_on_https(tmp_path: Path) -> None:
    environment = {"PORTAL_INSTANCE": str(tmp_path), "PORTAL_ENV": "production", "PORTAL_SECRET_KEY": "x" * 32}

    assert read_settings(environment).https


def test_an_unknown_nation_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(RuleBroken, match="england-and-wales, scotland, northern-ireland"):
        read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_NATION": "wales"})


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_every_usual_way_to_write_a_database_address_is_understood(given: str, used: str, tmp_path: Path) -> None:
    assert database_url(given, tmp_path) == used
