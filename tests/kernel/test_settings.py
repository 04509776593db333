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


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", None),
        ("https://framework.example.gov.uk", "https://framework.example.gov.uk"),
        ("https://framework.example.gov.uk/", "https://framework.example.gov.uk"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_the_portals_own_address_can_be_set(tmp_path: Path, given: str, kept: str | None) -> None:
    assert read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_ADDRESS": given}).address == kept


@pytest.mark.parametrize(
    "given",
    ["framework.example", "ftp://f.example", "https://", "https://f.example/portal", "https://a@f.example", "https://[x"],
)
def test_an_address_that_links_cannot_begin_with_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(RuleBroken, match="PORTAL_ADDRESS"):
        read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_ADDRESS": given})


def test_mail_in_production_needs_the_address_that_its_links_lead_to(tmp_path: Path) -> None:
    environment = {
        "PORTAL_INSTANCE": str(tmp_path),
        "PORTAL_ENV": "production",
        "PORTAL_SECRET_KEY": "x" * 32,
        "PORTAL_MAIL_URL": "smtp://127.0.0.1:25",
    }
    with pytest.raises(RuleBroken, match="PORTAL_ADDRESS must be set"):
        read_settings(environment)

    assert read_settings({**environment, "PORTAL_ADDRESS": "https://f.example"}).address == "https://f.example"


def test_the_number_of_proxies_is_set_and_none_by_default(tmp_path: Path) -> None:
    assert read_settings({"PORTAL_INSTANCE": str(tmp_path)}).proxies == 0
    assert read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_PROXIES": "2"}).proxies == 2


@pytest.mark.parametrize("given", ["-1", "one", "1.5", "11", "²"])
def test_a_number_of_proxies_that_cannot_be_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(RuleBroken, match="PORTAL_PROXIES"):
        read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_PROXIES": given})
