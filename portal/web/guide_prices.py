"""Guide prices, for anybody: what common works cost here, and how soon they can start. A page and a JSON document."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from portal.accounts.guard import public
from portal.config import Settings
from portal.jobs.guide_prices import KEEP, SOON_DAYS, GuidePrices, Kept, as_document, guide_prices
from portal.kernel import clock

bp = Blueprint("guide_prices", __name__)

PLACE = "portal guide prices"


@bp.record_once
def make_room(state: BlueprintSetupState) -> None:
    """Room in the application for what was worked out: another application has another database."""
    state.app.extensions[PLACE] = Kept[GuidePrices]()


def seen_now() -> tuple[GuidePrices, int]:
    """What is published today, at most ``KEEP`` old, and for how many seconds it may be given again."""
    settings: Settings = current_app.config["PORTAL"]
    kept: Kept[GuidePrices] = current_app.extensions[PLACE]
    now = clock.now()
    made = kept.value(lambda: guide_prices(clock.local_date(now), settings.nation), now=now)
    return made.value, int((made.at + KEEP - now).total_seconds())


def kept_by_anybody(response: Response, seconds: int) -> Response:
    """``response``, for anybody to keep for so long."""
    response.cache_control.public = True
    response.cache_control.max_age = seconds
    return response


@bp.get("/guide-prices")
@public
def page() -> ResponseReturnValue:
    """The page, to be read and printed."""
    seen, seconds = seen_now()
    response = make_response(render_template("guide_prices.html", seen=seen, soon_days=SOON_DAYS))
    # Whoever is signed in has their name on the page: it is kept for visitors whom nobody knows, and for them only.
    response.vary.add("Cookie")
    known = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    return response if known else kept_by_anybody(response, seconds)


@bp.get("/guide-prices.json")
@public
def document() -> ResponseReturnValue:
    """The same for programs."""
    seen, seconds = seen_now()
    return kept_by_anybody(jsonify(as_document(seen)), seconds)
