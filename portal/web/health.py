"""For load balancers and monitors: is the process up, does the database answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts.guard import public
from portal.kernel.db import db

View = TypeVar("View", bound=Callable[..., Any])

bp = Blueprint("health", __name__)


def over_plain_http(view: View) -> View:
    """Exempt ``view`` from the redirect to HTTPS: a probe inside the network speaks plain HTTP."""
    view.__dict__["talisman_view_options"] = {"force_https": False}
    return view


@bp.get("/healthz")
@public
@over_plain_http
def healthz() -> ResponseReturnValue:
    """200 while this process answers."""
    return jsonify(status="up")


@bp.get("/readyz")
@public
@over_plain_http
def readyz() -> ResponseReturnValue:
    """200 when the database answers, otherwise 503."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return jsonify(status="unavailable", database="does not answer"), 503
    return jsonify(status="ready", database="answers")
