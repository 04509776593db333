"""The shell in a real browser, on a phone and on a desk; and that the visitor minds what it says it minds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from browser import DESKTOP, PHONE, Screen, Visitor
from flask import Flask
from web_shell import make_shell
from werkzeug.serving import make_server

pytestmark = pytest.mark.browser

Visit = Callable[[str, Screen], Visitor]


def serve(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The shell, with pages that have one fault each, served."""
    app = make_shell()
    start = (
        '<!DOCTYPE html><html lang="en"><head><title>Fault</title>{}</head><body><main><h1>Fault</h1>{}</main></body>'
    )
    faults = {
        "inaccessible": ("", '<p><input name="reason"></p>'),
        "wide": ('<link rel="stylesheet" href="/wide.css">', "<p id='wide'>Wide</p>"),
        "inline": ("", "<script>document.title = 'changed';</script>"),
    }
    for name, parts in faults.items():
        app.add_url_rule(f"/{name}", name, view_func=lambda parts=parts: start.format(*parts))
    app.add_url_rule("/wide.css", "wide_css", lambda: ("#wide{width:2000px}", {"Content-Type": "text/css"}))
    yield from serve(app)


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=lambda screen: screen.name)
def test_the_shell_is_accessible_and_fits_the_screen(visit: Visit, address: str, screen: Screen) -> None:
    visitor = visit(address, screen)

    visitor.goto("/parts")
    visitor.goto("/decline")
    visitor.press("Decline", status=422)
    assert "Give a reason for declining" in visitor.text
    visitor.fill("Reason", "No fitter before June")
    visitor.press("Decline")
    visitor.goto("/refuse/file", status=422)
    visitor.goto("/fail", status=500)


def test_the_menu_opens_on_a_phone(visit: Visit, address: str) -> None:
    visitor = visit(address, PHONE)
    visitor.goto("/decline")

    visitor.tap("Menu")
    visitor.follow("Worklist")

    assert visitor.heading.endswith("Parts")


def test_the_visitor_minds_violations_width_and_the_console(visit: Visit, address: str) -> None:
    visitor = visit(address, PHONE)

    with pytest.raises(AssertionError, match="not accessible"):
        visitor.goto("/inaccessible")
    with pytest.raises(AssertionError, match="scrolls sideways"):
        visitor.goto("/wide")
    with pytest.raises(AssertionError, match="errors on the console"):
        visitor.goto("/inline")
    with pytest.raises(AssertionError, match="answered 404 instead of 200"):
        visitor.goto("/nowhere")
