"""Pairs and medians: this machine against itself, never against a clock on the wall."""

from __future__ import annotations

import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from portal import create_app
from portal.config import read_settings
from portal.kernel.db import db


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report: a measured value against its limit."""

    name: str
    value: float
    limit: float
    unit: str
    detail: str

    @property
    def holds(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "MISSED"
        return f"{self.name:<58} {self.value:8.2f} {self.unit:<11} at most {self.limit:<6g} {verdict:<7} {self.detail}"


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes, with the garbage of what ran before already collected."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(name: str, limit: float, ours: Callable[[], float], bare: Callable[[], float], pairs: int = 5) -> Figure:
    """The median over ``pairs`` of ours ÷ bare, taken in turn; each callable gives seconds."""
    taken = [(ours(), bare()) for _ in range(pairs)]
    ratios = sorted(mine / other for mine, other in taken)
    mine, other = (statistics.median(side) for side in zip(*taken, strict=True))
    detail = f"{mine * 1000:.0f} ms against {other * 1000:.0f} ms; pairs {ratios[0]:.2f} to {ratios[-1]:.2f}"
    return Figure(name, statistics.median(ratios), limit, "times", detail)


@contextmanager
def fresh_app(template: Path | None = None) -> Iterator[tuple[Flask, Path]]:
    """An application on a database of its own: a new one, or a copy of ``template``; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance = Path(folder)
        if template is not None:
            shutil.copy(template, instance / "portal.db")
        app = create_app(read_settings({"PORTAL_INSTANCE": folder}), WTF_CSRF_ENABLED=False)
        with app.app_context():
            if template is None:
                upgrade()
            yield app, instance / "portal.db"
            db.session.remove()
            db.engine.dispose()
