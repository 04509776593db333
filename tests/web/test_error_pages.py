"""What people and programs are told when something is refused or fails."""

from __future__ import annotations

import pytest
from flask import Flask
from strict_client import StrictClient

from portal.web.errors import init_errors


@pytest.mark.parametrize(
    ("kind", "status", "sentence"),
    [
        ("rule", 422, "The start date is a Sunday; choose a working day."),
        ("not-allowed", 403, "You may not approve your own request."),
        ("state", 409, "This offer lapsed on 3 May 2026."),
        ("clash", 409, "Another officer allocated this job first."),
    ],
)
def test_a_refusal_is_a_page_in_the_words_of_the_rule(shell: Flask, kind: str, status: int, sentence: str) -> None:
    page = StrictClient(shell).get(f"/refuse/{kind}", status=status)

    assert sentence in page.text


def test_a_refused_file_lists_every_problem_with_its_place(shell: Flask) -> None:
    page = StrictClient(shell).get("/refuse/file", status=422)

    assert "rates.csv, row 3, column rate: The rate is not a number" in page.text
    assert "rates.csv, row 9, column unit: The unit is missing" in page.text


def test_a_hidden_record_and_a_missing_page_look_the_same(shell: Flask) -> None:
    hidden = StrictClient(shell).get("/refuse/not-found", status=404)
    missing = StrictClient(shell).get("/no-such-page", status=404)

    assert hidden.text == missing.text
    assert "A-0412" not in hidden.body


@pytest.mark.parametrize("status", [400, 401, 403, 405, 409, 413, 415, 422, 429, 500, 503])
def test_every_status_has_a_page_of_its_own_in_order(shell: Flask, status: int) -> None:
    page = StrictClient(shell).get(f"/abort/{status}", status=status)

    assert page.h1


def test_a_failure_is_answered_without_asking_who_is_signed_in(shell: Flask) -> None:
    page = StrictClient(shell).get("/fail", status=500)

    assert "Nothing that you sent was saved." in page.text
    assert "Sign out" not in page.body


def test_a_file_too_large_is_told_the_limit(shell: Flask) -> None:
    page = StrictClient(shell).get("/abort/413", status=413)

    assert "A file may have at most 50 MB." in page.text


def test_programs_get_problem_json_with_every_problem(shell: Flask) -> None:
    response = shell.test_client().get("/api/v1/refuse/file")

    assert response.status_code == 422
    assert response.mimetype == "application/problem+json"
    assert [problem["row"] for problem in response.get_json()["problems"]] == [3, 9]


def test_programs_get_problem_json_for_an_address_that_does_not_exist(shell: Flask) -> None:
    response = shell.test_client().get("/api/v1/nothing")

    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    assert response.get_json()["title"] == "Page not found"


def test_a_form_without_its_token_is_refused_as_an_expired_page(shell: Flask) -> None:
    page = StrictClient(shell).post("/decline", {"reason": "no fitter"}, status=400)

    assert page.h1 == "This page was open for too long"


def test_a_wrong_method_says_which_are_right(shell: Flask) -> None:
    response = shell.test_client().get("/sign-out")

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_a_path_without_its_slash_still_redirects() -> None:
    app = Flask("portal", static_folder=None)
    app.config.update(SECRET_KEY="for tests only")
    init_errors(app)
    app.add_url_rule("/jobs/", view_func=lambda: "jobs", endpoint="jobs")

    assert app.test_client().get("/jobs").status_code == 308
