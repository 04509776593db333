"""``portal init``, ``demo``, ``serve``, ``worker``, ``tick``, ``check``: set it up and keep it running."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from importlib import import_module
from threading import Thread

import click
from flask import Flask
from flask_migrate import upgrade
from gunicorn.app.base import BaseApplication

from portal.checks import everything_off
from portal.cli.frame import at_option, json_option, open_app, refusals, refuse, settings, show_json, with_app
from portal.demo.load import SIZES, load_demo
from portal.kernel import clock
from portal.tick import tick
from portal.worker import make_worker


@click.command()
@with_app
def init() -> None:
    """Create or upgrade the database; safe to repeat."""
    upgrade()
    click.echo("The database is up to date.")


@click.command()
@click.option("--size", type=click.Choice(sorted(SIZES)), default="county", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--if-empty", is_flag=True, help="Do nothing when there is data already.")
@with_app
def demo(size: str, seed: int, if_empty: bool) -> None:
    """Load invented, calibrated data: ten authorities, 20 contractors, a schedule, a year of jobs and quotes."""
    for line in load_demo(SIZES[size], seed=seed, now=clock.now(), nation=settings().nation, if_empty=if_empty):
        click.echo(line)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn brings no types
    """gunicorn with the application already made."""

    def __init__(self, app: Flask, options: dict[str, object]) -> None:
        self.made, self.options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.made


def load_statistics(_worker: object) -> None:
    """Load what the pages on prices need once the server answers, so that nobody waits for it."""
    Thread(target=import_module, args=("portal.analytics.variation",), daemon=True).start()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--workers", type=int, default=1, show_default=True, help="Web processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Run the web server; on the embedded default it runs a worker beside it."""
    with refusals():
        app = open_app()
        with app.app_context():
            embedded = settings().embedded
    beside = subprocess.Popen([sys.executable, "-m", "portal", "worker"]) if embedded else None
    try:
        Server(
            app,
            {
                "bind": f"{host}:{port}",
                "workers": workers,
                "threads": 8,
                "worker_class": "gthread",
                "accesslog": None,
                "loglevel": "warning",
                "timeout": 120,
                "control_socket_disable": True,
                "post_worker_init": load_statistics,
            },
        ).run()
    finally:
        if beside is not None:
            beside.terminate()
            beside.wait(timeout=10)


@click.command()
def worker() -> None:
    """Run the background worker: it ticks every minute."""
    with refusals():
        make_worker(open_app()).run()


@click.command("tick")
@at_option
@json_option
@with_app
def tick_(at: datetime | None, as_json: bool) -> None:
    """Do once what is due: lapse offers, fail late starts, pass jobs on, send notices."""
    counts = tick(settings(), now=at or clock.now())
    if as_json:
        show_json(counts)
    else:
        click.echo(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items()))


@click.command()
@json_option
@with_app
def check(as_json: bool) -> None:
    """Verify what must always hold; exit 1 if anything is off."""
    found = list(everything_off(settings().uploads))
    if as_json:
        show_json({"ok": not found, "problems": found})
    if found:
        refuse(*found)
    if not as_json:
        click.echo("Everything holds: audit chain, contractor list, documents, offers, totals, decisions.")


COMMANDS = (init, demo, serve, worker, tick_, check)
