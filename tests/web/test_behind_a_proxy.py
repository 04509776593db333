"""Behind a proxy every visitor has an address of their own; without one nobody gives themselves another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from databases import app_on
from flask import Flask, request

from portal.config import Settings

PROXY = "10.0.0.1"


@pytest.fixture
def behind(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The portal behind the number of proxies that the test names."""
    with app_on(replace(settings, proxies=request.param)) as made:
        made.config["WTF_CSRF_ENABLED"] = False
        yield made


def tries(app: Flask, number: int, forwarded: str) -> int:
    """Ask for so many links with a mistake in them, through the proxy; the last answer's status."""
    visitor = app.test_client()
    status = 0
    for _ in range(number):
        headers = {"X-Forwarded-For": forwarded}
        status = visitor.post("/sign-in", headers=headers, environ_base={"REMOTE_ADDR": PROXY}).status_code
    return status


@pytest.mark.parametrize("behind", [1], indirect=True)
def test_two_visitors_behind_one_proxy_are_limited_apart(behind: Flask) -> None:
    assert tries(behind, 11, "192.0.2.1") == 429
    assert tries(behind, 1, "192.0.2.2") == 422


@pytest.mark.parametrize("behind", [1], indirect=True)
def test_what_a_visitor_puts_before_the_proxys_word_does_nothing(behind: Flask) -> None:
    assert tries(behind, 11, "192.0.2.1") == 429
    assert tries(behind, 1, "198.51.100.7, 192.0.2.1") == 429


@pytest.mark.parametrize("behind", [0], indirect=True)
def test_without_a_proxy_a_forged_address_does_nothing(behind: Flask) -> None:
    assert tries(behind, 11, "192.0.2.1") == 429
    assert tries(behind, 1, "192.0.2.2") == 429


@pytest.mark.parametrize(("behind", "seen"), [(1, "https://f.example/"), (0, "http://localhost/")], indirect=["behind"])
def test_the_proxy_says_by_which_name_and_how_the_visitor_came(behind: Flask, seen: str) -> None:
    found = []
    behind.before_request_funcs.setdefault(None, []).append(lambda: found.append(request.host_url))

    behind.test_client().get("/sign-in", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "f.example"})

    assert found == [seen]
