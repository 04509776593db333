"""The build backend: setuptools, with the page assets built first (PEP 517 and 660)."""

from __future__ import annotations

import shutil
from typing import Any

import page_assets
from setuptools import build_meta
from setuptools.build_meta import (
    build_sdist,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

Settings = dict[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What setuptools needs, and Node where the machine has none."""
    needed: list[str] = build_meta.get_requires_for_build_wheel(config_settings)
    return [*needed, page_assets.NODE_WHEEL] if page_assets.needs_node_wheel() else needed


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """The same for an editable install."""
    needed: list[str] = build_meta.get_requires_for_build_editable(config_settings)
    return [*needed, page_assets.NODE_WHEEL] if page_assets.needs_node_wheel() else needed


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """The wheel, with assets. What an earlier build left behind is cleared: it may hold files deleted since."""
    page_assets.build()
    shutil.rmtree(page_assets.ROOT / "build" / "lib", ignore_errors=True)
    built: str = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    return built


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """The editable wheel, with assets built in the checkout."""
    page_assets.build()
    built: str = build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
    return built
