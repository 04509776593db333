"""The strict client must mind what it says it minds: each page here has one fault."""

from __future__ import annotations

import pytest
from flask import Flask
from strict_client import StrictClient

GOOD = """<!DOCTYPE html><html lang="en"><head><title>Jobs – Adaptations framework</title></head>
<body><main><h1>Jobs</h1>{}</main></body></html>"""
CSRF = '<input type="hidden" name="csrf_token" value="x">'


def visit(page: str) -> None:
    app = Flask("page")
    app.add_url_rule("/", view_func=lambda: page, endpoint="page", methods=["GET", "POST"])
    StrictClient(app).get("/")


def test_a_page_in_order_passes() -> None:
    visit(GOOD.format(f'<a href="/">All</a><form method="post" action="/">{CSRF}<button>Go</button></form>'))


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        ("<h1>Again</h1>", "2 h1 headings"),
        ('<input name="reason">', "has no label"),
        ('<label for="reason">Reason</label>', "not on the page"),
        ('<a href="/nowhere">All</a>', "leads to no route"),
        ('<a href="#nowhere">All</a>', "not on the page"),
        ('<a href="/"></a>', "has no text"),
        ("<a>All</a>", "leads nowhere"),
        ('<p style="color: red">Late</p>', "an inline style"),
        ('<p onclick="go()">Late</p>', "an inline onclick"),
        ("<script>go()</script>", "an inline script"),
        ('<script src="/"></script>', "without a nonce"),
        ('<p id="a"></p><p id="a"></p>', "stands 2 times"),
        ('<img src="/">', "no alt"),
        ('<form method="post" action="/"><button>Go</button></form>', "no csrf_token"),
        (f'<form method="post" action="/nowhere">{CSRF}<button>Go</button></form>', "leads to no route"),
        (f'<form method="post" action="/">{CSRF}</form>', "has no button"),
        ("<p>Open <div>in</p>", "does not parse"),
    ],
)
def test_one_fault_is_enough(part: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        visit(GOOD.format(part))


@pytest.mark.parametrize(
    ("standing", "faulty", "complaint"),
    [
        ('lang="en"', "", "no lang"),
        ("Jobs – Adaptations framework", "Jobs", "the title is"),
        ("Jobs – Adaptations framework", "– Adaptations framework", "the title is"),
        ("main>", "div>", "exactly one main"),
    ],
)
def test_the_document_itself_must_be_in_order(standing: str, faulty: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        visit(GOOD.format("").replace(standing, faulty))


def test_another_status_than_expected_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="answered 404 instead of 200"):
        StrictClient(Flask("empty")).get("/missing")


def test_two_pages_may_not_share_a_title() -> None:
    app = Flask("pages")
    app.add_url_rule("/", view_func=lambda: GOOD.format(""), endpoint="jobs")
    app.add_url_rule("/rates", view_func=lambda: GOOD.format("").replace("<h1>Jobs", "<h1>Rates"), endpoint="rates")
    client = StrictClient(app)
    client.get("/")

    with pytest.raises(AssertionError, match="belongs to the page headed 'Jobs'"):
        client.get("/rates")
