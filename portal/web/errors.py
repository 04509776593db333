"""One place where refusals and failures become pages, or problem+json for programs."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES

from portal.kernel.errors import (
    Clash,
    InputRefused,
    NotAllowed,
    NotFound,
    PortalError,
    Problem,
    RuleBroken,
    WrongState,
)

API = "/api/"
MEGABYTE = 1024 * 1024
STATUS_OF: dict[type[PortalError], int] = {
    RuleBroken: 422,
    InputRefused: 422,
    NotAllowed: 403,
    NotFound: 404,
    WrongState: 409,
    Clash: 409,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody is told: the status, the heading, whole sentences, and every problem of a refused file."""

    status: int
    title: str
    sentences: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


# What is said when nothing more exact is known. 404 says the same whether there is no such record or it belongs to
# somebody else, and 403 never says what is behind it: neither may tell what exists.
GENERAL: dict[int, Answer] = {
    answer.status: answer
    for answer in (
        Answer(
            400,
            "There is a problem with what was sent",
            ("The portal could not read the request.", "Go back, load the page again and send it once more."),
        ),
        Answer(401, "Sign in to see this page", ("Sign in, then open the page again.",)),
        Answer(
            403,
            "You cannot see this page",
            ("Your role does not include it.", "Ask your administrator if you need it for your work."),
        ),
        Answer(
            404,
            "Page not found",
            (
                "If you typed the address, check that it is right; if you pasted it, check that it is whole.",
                "The record may have been removed, or belong to another organisation.",
            ),
        ),
        Answer(
            405,
            "That cannot be done from here",
            ("This address does not take that kind of request.", "Go back and use the button on the page."),
        ),
        Answer(
            409,
            "This has changed since you opened it",
            ("Somebody else acted first.", "Go back and load the page again to see how it stands now."),
        ),
        Answer(413, "The file is too large", ("Send a smaller file, or split it into several.",)),
        Answer(422, "There is a problem", ("What was sent cannot be accepted.", "Nothing was changed.")),
        Answer(
            429,
            "Too many attempts",
            ("There were too many attempts in a short time.", "Wait a while, then try again."),
        ),
        Answer(
            500,
            "Sorry, there is a problem with the portal",
            ("Nothing that you sent was saved.", "Try again in a few minutes. The fault has been recorded."),
        ),
        Answer(503, "The portal is not available just now", ("Try again in a few minutes.",)),
    )
}
EXPIRED_PAGE = Answer(
    400,
    "This page was open for too long",
    ("For your safety the form on it has expired, and nothing was saved.", "Go back, load the page again and send it."),
)


def answer_to(error: Exception) -> Answer:
    """What to say about ``error``: a ``PortalError``, an ``HTTPException``, or anything else as a failure of ours."""
    if isinstance(error, PortalError):
        return _refusal(error)
    if isinstance(error, CSRFError):
        return EXPIRED_PAGE
    status = error.code if isinstance(error, HTTPException) and error.code else 500
    if status == 413:
        return _too_large(current_app.config.get("MAX_CONTENT_LENGTH"))
    if status in GENERAL:
        return GENERAL[status]
    name = HTTP_STATUS_CODES.get(status, "Unknown problem")
    return Answer(status, GENERAL[500 if status >= 500 else 400].title, (f"{name}.",))


def _refusal(error: PortalError) -> Answer:
    """A refusal in the service's own words, except where they could tell what exists."""
    if isinstance(error, InputRefused):
        return Answer(422, "There is a problem with the file", (str(error),), error.problems)
    status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 422)
    return GENERAL[404] if status == 404 else Answer(status, GENERAL[status].title, (str(error),))


def _too_large(largest: int | None) -> Answer:
    """The 413 answer, saying how large (bytes) a request may be where that is set."""
    general = GENERAL[413]
    if largest is None:
        return general
    return Answer(413, general.title, (f"A file may have at most {largest // MEGABYTE} MB.", *general.sentences))


def as_problem_json(answer: Answer) -> ResponseReturnValue:
    """``answer`` as RFC 9457 describes it."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": answer.title,
        "status": answer.status,
        "detail": " ".join(answer.sentences),
    }
    if answer.problems:
        document["problems"] = [problem.as_dict() for problem in answer.problems]
    response = jsonify(document)
    response.content_type = "application/problem+json"
    response.status_code = answer.status
    return response


def as_page(answer: Answer) -> ResponseReturnValue:
    """``answer`` as a page. From 500 on it asks nobody who is signed in: the database may be what has failed."""
    if answer.status >= 500:
        return current_app.jinja_env.get_template("error.html").render(answer=answer), answer.status
    return render_template("error.html", answer=answer), answer.status


def respond(error: Exception) -> ResponseReturnValue:
    """The answer to ``error`` in the form the caller reads."""
    if isinstance(error, HTTPException) and (error.code is None or error.code < 400):
        return error  # a redirect, raised as an exception by the router
    answer = answer_to(error)
    response = make_response(as_problem_json(answer) if request.path.startswith(API) else as_page(answer))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if (wait := getattr(error, "retry_after", None)) is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def init_errors(app: Flask) -> None:
    """Answer every refusal and failure of ``app`` here."""
    app.register_error_handler(PortalError, respond)
    app.register_error_handler(HTTPException, respond)
