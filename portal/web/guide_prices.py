"""Guide prices, for anybody: what common works cost here, and how soon they can start. A page and a JSON document."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.guard import public
from portal.config import Settings
from portal.jobs.guide_prices import SOON_DAYS, GuidePrices, as_document, guide_prices
from portal.kernel import clock

bp = Blueprint("guide_prices", __name__)

#: Seconds for which browsers and proxies may answer with what they have.
KEEP_SECONDS = 300


def seen_now() -> GuidePrices:
    """What is published today."""
    settings: Settings = current_app.config["PORTAL"]
    return guide_prices(clock.local_date(clock.now()), settings.nation)


def kept(response: Response) -> Response:
    """``response``, for anybody to keep for some minutes."""
    response.cache_control.public = True
    response.cache_control.max_age = KEEP_SECONDS
    return response


@bp.get("/guide-prices")
@public
def page() -> ResponseReturnValue:
    """The page, to be read and printed."""
    response = make_response(render_template("guide_prices.html", seen=seen_now(), soon_days=SOON_DAYS))
    # Whoever is signed in has their name on the page: it is kept for visitors whom nobody knows, and for them only.
    response.vary.add("Cookie")
    known = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    return response if known else kept(response)


@bp.get("/guide-prices.json")
@public
def document() -> ResponseReturnValue:
    """The same for programs."""
    return kept(jsonify(as_document(seen_now())))
