"""Packs the top-level folder ``migrations`` as ``portal/migrations``, where an installed portal looks for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py


class BuildPortal(build_py):
    """setuptools' build_py, plus the migrations; an editable install reads them from the checkout instead."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            inside = Path(self.build_lib) / "portal" / "migrations"
            shutil.rmtree(inside, ignore_errors=True)
            shutil.copytree("migrations", inside, ignore=shutil.ignore_patterns("__pycache__"))
