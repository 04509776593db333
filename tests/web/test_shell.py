"""What stands round every page: protections, assets, cookies, the strict client's own eyes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from strict_client import StrictClient
from web_shell import make_shell

from portal.web.assets_manifest import asset, is_hashed


def test_the_parts_of_a_page_are_in_order(shell: Flask) -> None:
    page = StrictClient(shell).get("/parts")

    assert [page.rows()[0][0], page.rows()[0][1][:9]] == ["A-0412", "Supercali"]
    assert "£4,058.00" in page.text
    assert page.soup.select_one(".govuk-pagination__item--current").get_text(strip=True) == "3"


def test_pages_allow_nothing_inline_and_no_other_server(shell: Flask) -> None:
    response = shell.test_client().get("/parts")

    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", policy)
    assert nonce is not None
    assert f'nonce="{nonce[1]}"' in response.text


def test_every_page_has_a_nonce_of_its_own(shell: Flask) -> None:
    first, second = (shell.test_client().get("/parts").headers["Content-Security-Policy"] for _ in range(2))

    assert first != second


def test_hashed_assets_are_kept_for_good_and_set_no_cookie(shell: Flask) -> None:
    with shell.test_request_context():
        address = asset("portal.css")

    with shell.test_client().get(address) as response:
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in response.headers
        assert "Cookie" not in response.headers.get("Vary", "")


def test_pages_are_never_kept(shell: Flask) -> None:
    assert shell.test_client().get("/parts").headers["Cache-Control"] == "no-store"


def test_the_manifest_itself_is_not_kept_for_good(shell: Flask) -> None:
    assert not is_hashed("manifest.json")
    with shell.test_client().get("/assets/manifest.json") as response:
        assert "immutable" not in response.headers["Cache-Control"]


def test_neither_crown_nor_reserved_font_is_served(shell: Flask) -> None:
    with shell.test_request_context():
        address = asset("portal.css")

    with shell.test_client().get(address) as response:
        style = response.text

    assert "Atkinson Hyperlegible" in style
    assert "GDS Transport" not in style
    assert "crest" not in style


def test_an_asset_that_was_never_built_says_what_to_do(shell: Flask, tmp_path: Path) -> None:
    with shell.test_request_context(), pytest.raises(RuntimeError, match="not built yet"):
        asset("portal.css", manifest=tmp_path / "manifest.json")


def test_with_https_everybody_is_sent_there_except_probes() -> None:
    client = make_shell(PORTAL_HTTPS=True).test_client()

    page, probe = client.get("/parts"), client.get("/healthz")

    assert page.status_code == 302
    assert page.headers["Location"].startswith("https://")
    assert probe.get_json() == {"status": "up"}
    secure = client.get("/parts", base_url="https://portal.example")
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=31556926")
    assert "Secure" in secure.headers["Set-Cookie"]


def test_readiness_asks_the_database(shell: Flask) -> None:
    assert shell.test_client().get("/readyz").get_json() == {"status": "ready", "database": "answers"}


def test_readiness_says_so_when_the_database_does_not_answer() -> None:
    app = make_shell(SQLALCHEMY_DATABASE_URI="sqlite:////nowhere/at/all/portal.db")

    response = app.test_client().get("/readyz")

    assert response.status_code == 503
    assert response.get_json()["status"] == "unavailable"


def test_a_refused_form_says_so_in_title_summary_and_field(shell: Flask) -> None:
    client = StrictClient(shell)

    refused = client.get("/decline").submit("Decline", {"Reason": ""}, status=422)

    assert refused.title.startswith("Error: ")
    assert "There is a problem Give a reason for declining" in refused.text


def test_a_form_is_filled_by_its_labels(shell: Flask) -> None:
    accepted = StrictClient(shell).get("/decline").submit("Decline", {"Reason": "No fitter before June"}, status=200)

    assert accepted.soup.find("input", attrs={"name": "reason"})["value"] == "No fitter before June"
